"""What the tests of all libraries do: foreign objects are made and asked leniently, ours under strict rules."""

import contextlib
import importlib
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxinfo import distributions, interop


class Case(NamedTuple):
    """A foreign object and what it is here.

    Args:
      make: makes the object.
      family: the name of our class.
      points: where the two densities are compared.
    """

    make: Callable[[], Any]
    family: str
    points: Any


@contextlib.contextmanager
def at_home():
    """The defaults of JAX and of the warnings, with which other libraries are written."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def library(name):
    """Returns a module, or skips the tests of the module that asks for it."""
    with at_home():
        pytest.importorskip(name, exc_type=ImportError)
        return importlib.import_module(name)


def made(make):
    with at_home():
        return make()


@jax.jit
def _log_probs(members, points):
    return {name: member.log_prob(points[name]) for name, member in members.items()}


def as_points(numbers, real):
    """Points as an array: integers as they are, other numbers in the precision `real`, or in JAX's own."""
    return jnp.asarray(numbers, real if np.asarray(numbers).dtype.kind == "f" else None)


def check_conversions(cases, log_prob=None, real=None):
    """Every object becomes one of our family, of the same shapes, with the log-density that its library tells.

    `log_prob` asks the library, by default in the way of most.
    """
    originals = {name: made(case.make) for name, case in cases.items()}
    members = {name: interop.as_distribution(original) for name, original in originals.items()}
    expected_types = {name: getattr(distributions, case.family) for name, case in cases.items()}
    wrong = {name: type(m).__name__ for name, m in members.items() if not isinstance(m, expected_types[name])}
    assert not wrong
    points = {name: as_points(case.points, real) for name, case in cases.items()}
    values = _log_probs(members, points)
    for name, original in originals.items():
        with at_home():
            told = log_prob(original, cases[name].points) if log_prob else original.log_prob(points[name])
        expected = np.asarray(told)
        assert values[name].shape == expected.shape, name
        # Libraries work in float32 where they are not told otherwise, and lose some digits of it.
        np.testing.assert_allclose(values[name], expected, rtol=2e-5, atol=2e-5, err_msg=name)


def check_shapes(cases):
    """Shapes of batch and event are those that the library tells."""
    for name, case in cases.items():
        original = made(case.make)
        member = interop.as_distribution(original)
        assert tuple(member.batch_shape) == tuple(original.batch_shape), name
        assert tuple(member.event_shape) == tuple(original.event_shape), name


class Wrapped(NamedTuple):
    """A foreign object without a family of ours.

    Args:
      make: makes the object.
      points: where the density is the library's.
      support: its support here; None where it is not known.
      outside: a point where it has no mass.
    """

    make: Callable[[], Any]
    points: Any
    support: Any
    outside: float | None = None


def check_wrapped(cases, real=None):
    """Objects without a family are densities: pytrees with `log_prob`, `sample`, shapes and support."""
    key = jax.random.key(0)
    for name, case in cases.items():
        original = made(case.make)
        density = interop.as_distribution(original)
        assert type(density).__name__ == "Foreign", name
        points = as_points(case.points, real)
        with at_home():
            expected = np.asarray(original.log_prob(points))
        # As an argument of a compiled function, rebuilt from its leaves.
        values = jax.jit(lambda density, x: density.log_prob(x))(density, points)
        np.testing.assert_allclose(values, expected, rtol=2e-5, atol=2e-5, err_msg=name)
        draws = jax.jit(lambda density, key: density.sample(key, (7,)))(density, key)
        assert draws.shape == (7, *density.batch_shape, *density.event_shape), name
        assert type(density.support) is type(case.support), name
        if case.support is not None:
            np.testing.assert_allclose(np.asarray(density.support), np.asarray(case.support), rtol=1e-6, err_msg=name)
        if case.outside is not None:
            assert np.all(density.log_prob(jnp.asarray(case.outside)) == -jnp.inf), name
