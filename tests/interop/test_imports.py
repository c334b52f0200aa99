"""No library is imported before one of its objects is there, and none for recognising one."""

import subprocess
import sys

import pytest

from jaxinfo import distributions, interop

LIBRARIES = {"numpyro", "distrax", "tensorflow_probability", "tensorflow", "flowjax", "equinox", "paramax", "scipy"}


def test_interop_loads_no_library():
    code = (
        "import jax\nimport sys\nbefore = set(sys.modules)\n"
        "from jaxinfo import interop, densities\nfrom jaxinfo.distributions import Normal\n"
        "interop.as_distribution(Normal(0.0, 1.0))\n"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120)
    assert not LIBRARIES & set(run.stdout.split())


def named(name, module, **attributes):
    """An object of a class that looks like a library's, which need not be installed."""
    return type(name, (), {"__module__": module, "log_prob": lambda _, x: x, **attributes})()


def test_a_class_is_recognised_by_its_name():
    normal = interop.as_distribution(named("Normal", "numpyro.distributions.continuous", loc=1.0, scale=2.0))
    assert isinstance(normal, distributions.Normal)
    assert (normal.loc, normal.scale) == (1.0, 2.0)


def test_the_same_name_elsewhere_is_another_class():
    theirs = named("Normal", "numpyroscope.distributions", loc=1.0, scale=2.0)
    assert interop.as_distribution(theirs) is theirs


def test_a_library_that_does_not_compute_with_jax_is_refused():
    with pytest.raises(TypeError, match=r"tensorflow_probability\.substrates\.jax"):
        interop.as_distribution(named("Normal", "tensorflow_probability.python.distributions.normal"))
