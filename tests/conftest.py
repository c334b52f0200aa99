"""The setting every test runs in: one CPU that plays eight devices, strict types and shapes, repeatable examples."""

import gc
import os

# XLA reads its flags when the first device is asked for. Under pytest-xdist the workers inherit this environment.
# The scheduler flag keeps some compiled loops from freezing on CPUs with few cores.
_FLAGS = ("--xla_cpu_enable_concurrency_optimized_scheduler=false", "--xla_force_host_platform_device_count=8")
os.environ["XLA_FLAGS"] = " ".join([*(f for f in os.environ.get("XLA_FLAGS", "").split() if f not in _FLAGS), *_FLAGS])
# The threads of XLA's solvers wait for each other in loops, which beside other workers may take minutes.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["MPLBACKEND"] = "agg"

import hypothesis
import jax
import pytest

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

# A first example compiles and is slow for that reason alone: no deadline, and slowness is no fault.
hypothesis.settings.register_profile(
    "jaxinfo", max_examples=20, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("jaxinfo-ci", hypothesis.settings.get_profile("jaxinfo"), derandomize=True)
hypothesis.settings.load_profile("jaxinfo-ci" if os.environ.get("CI") else "jaxinfo")


@pytest.fixture(scope="session", autouse=True)
def _eight_devices() -> None:
    """Fails at once, and not in some sharding test, if the flags came too late."""
    assert jax.device_count() == 8


def _place(item: pytest.Item) -> object:
    """What a test is about: a measure within a file, or itself."""
    callspec = getattr(item, "callspec", None)
    return (item.path, callspec.params["measure"]) if callspec and "measure" in callspec.params else item


def pytest_collection_modifyitems(items: list[pytest.Item]):
    """The tests of one measure follow each other: they share programs, which another worker would compile again.

    Examples in docstrings show so few digits that one precision is enough: in 64 bits they are slow tests.
    """
    for item in items if jax.config.jax_enable_x64 else ():
        if isinstance(item, pytest.DoctestItem):
            item.add_marker(pytest.mark.slow)
    first: dict = {}
    for position, item in enumerate(items):
        first.setdefault(_place(item), position)
    items.sort(key=lambda item: first[_place(item)])


def pytest_collection_finish():
    """Tracing makes and drops small objects by the million; looking through all of them often takes a fifth longer."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


_PROGRAMS_KEPT = 250  # tests
_finished = 0


def pytest_runtest_teardown():
    """Compiled programs are dropped now and then: thousands of tests would keep gigabytes of them."""
    global _finished  # noqa: PLW0603
    _finished += 1
    if _finished % _PROGRAMS_KEPT == 0:
        jax.clear_caches()
