"""Marginal and conditional tables of log-probabilities, and axes in any place."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxinfo import logits
from tests import oracles
from tests.marks import once
from tests.quick import quick_jit
from tests.table import default_float


def eps():
    return float(np.finfo(default_float()).eps)


def table():
    z = np.random.default_rng(0).normal(size=(2, 3, 2))
    z[:, 1, 0] = -np.inf  # never
    z[0, 0, 1] = -np.inf
    return z.astype(default_float())


def exact_logarithms(z, over):
    """Of the probabilities summed over axes, at 60 digits."""
    p = oracles.normalise(oracles.exact(z))[0].sum(axis=over, keepdims=True)
    return oracles.select(oracles.equals(p, 0), -np.inf, oracles.log_or_zero(p)).astype(np.float64)


@pytest.mark.parametrize(("axis", "others"), [(0, (1, 2)), ((1, 2), (0,)), (-2, (0, 2))])
def test_marginal(axis, others):
    expected = exact_logarithms(table(), others)
    kept = logits.marginal(table(), axis=axis, keepdims=True)
    np.testing.assert_allclose(kept, expected, rtol=16 * eps(), atol=16 * eps())
    np.testing.assert_array_equal(logits.marginal(table(), axis=axis), np.squeeze(kept, others))


def test_marginal_close_to_one():
    """The logarithm of a probability of nearly 1 keeps its digits."""
    z = np.array([[0.0, -1.0], [-20.0, -21.0]], default_float())
    small = -np.log1p(np.exp(np.float64(-20.0)))
    np.testing.assert_allclose(logits.marginal(z, axis=0)[0], small, rtol=32 * eps())


def test_conditional():
    """Minus infinity throughout a condition that never occurs."""
    z = table()
    p = np.asarray(oracles.normalise(oracles.exact(z))[0].astype(np.float64))
    p_y = p.sum(axis=0, keepdims=True)
    with np.errstate(divide="ignore"):
        expected = np.log(p / np.where(p_y > 0, p_y, 1))
    np.testing.assert_allclose(logits.conditional(z, axis=0), expected, rtol=16 * eps(), atol=16 * eps())


@pytest.mark.parametrize("name", ["marginal", "conditional"])
def test_gradients_are_finite(name):
    """Also at masks, in both modes and to second order; adding a constant changes nothing."""
    weights = jnp.arange(1.0, 7.0, dtype=default_float()).reshape(2, 3)

    def mean(z):
        log_p = getattr(logits, name)(z, axis=(0, 1))
        log_p = log_p if name == "marginal" else log_p[:, :, 1]
        return jnp.sum(weights * jnp.where(jnp.isfinite(log_p), log_p, 0.0))

    z = jnp.asarray(table())
    gradient, forward, hessian = quick_jit(lambda z: (jax.grad(mean)(z), jax.jacfwd(mean)(z), jax.hessian(mean)(z)))(z)
    assert np.isfinite(gradient).all()
    assert np.isfinite(hessian).all()
    np.testing.assert_array_equal(np.asarray(gradient)[np.isinf(table())], 0)
    np.testing.assert_allclose(jnp.sum(gradient), 0, atol=64 * eps())
    np.testing.assert_allclose(forward, gradient, rtol=16 * eps(), atol=64 * eps())


@once
@pytest.mark.parametrize("name", ["total_correlation", "dual_total_correlation", "s_information", "o_information"])
def test_axes_in_any_place(name):
    function = getattr(logits, name)
    z = np.random.default_rng(1).normal(size=(2, 2, 3, 2)).astype(default_float())

    @quick_jit
    def program(z, moved):
        return jax.vmap(function)(z), [function(moved, axis=axis) for axis in ((0, 1, 3), (-4, -3, -1))]

    expected, several = program(z, np.moveaxis(z, 0, 2))
    for found in several:
        np.testing.assert_allclose(found, expected, rtol=32 * eps(), atol=32 * eps())
    with pytest.raises(ValueError, match=f"{name}: logits needs at least one variable"):
        function(z, axis=())


@pytest.mark.parametrize("name", ["marginal", "conditional"])
def test_errors_of_tables(name):
    function = getattr(logits, name)
    for error, z, options in (
        (TypeError, np.ones((2, 2), np.complex64), {"axis": 0}),
        (ValueError, table(), {"axis": 3}),
        (TypeError, table(), {"axis": 0, "where": table()}),
    ):
        with pytest.raises(error, match=name):
            function(z, **options)
