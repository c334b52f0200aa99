"""What the generic tests do not say about entropies and divergences of an order: the order itself."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxinfo
from jaxinfo import logits
from tests import oracles, oracles_orders
from tests.quick import quick_jit
from tests.table import default_float

# All of them are floats in single precision too.
ORDERS = (0.0, 2.0**-20, 0.25, 1 - 2.0**-12, 1.0, 1 + 2.0**-18, 1.5, 2.0, 7.0, 40.0)
P = ([0.1, 0.2, 0.3, 0.4], [0.25, 0.25, 0.25, 0.25], [0.6, 0.2, 0.1, 0.1], [0.5, 0.25, 0.25, 0.0])
Q = ([0.4, 0.3, 0.2, 0.1], [0.25, 0.25, 0.2501, 0.2499], [0.1, 0.1, 0.2, 0.6], [0.25, 0.25, 0.25, 0.25])
ONE = ("renyi_entropy", "tsallis_entropy")
TWO = ("renyi_divergence", "tsallis_divergence", "alpha_divergence")


def array(x):
    return np.asarray(x, default_float())


def eps():
    return float(np.finfo(default_float()).eps)


def tables(name):
    return (array(P),) if name in ONE else (array(P), array(Q))


def exact_in_order(name, row, order):
    """Value and derivative in the order, by a central difference at 60 digits (one-sided at 0)."""
    function = functools.partial(getattr(oracles_orders, name), *map(oracles.exact, row))
    a, step = oracles.mpf(order), oracles.mpf(10) ** -20
    low = a if order == 0 else a - step
    slope = (function(a + step) - function(low)) / (a + step - low)
    return float(function(order)), float(slope)


@pytest.mark.parametrize("name", [*ONE, *TWO])
@pytest.mark.parametrize("module", [jaxinfo, logits], ids=["tables", "logits"])
def test_value_and_derivative_in_the_order(name, module):
    """At every order, 0 and 1 among them, which are limits like any other."""
    rows = tables(name)
    orders = [a for a in ORDERS if name != "alpha_divergence" or a > 0]
    expected = np.array([[exact_in_order(name, row, a) for a in orders] for row in zip(*rows, strict=True)])
    with np.errstate(divide="ignore"):
        inputs = rows if module is jaxinfo else tuple(np.log(x) for x in rows)
    function = getattr(module, name)

    @quick_jit
    @functools.partial(jax.vmap, in_axes=(0, None))  # over rows
    @functools.partial(jax.vmap, in_axes=(None, 0))  # over orders
    def both(arrays, a):
        return jax.value_and_grad(lambda a: function(*arrays, a))(a)

    value, slope = map(np.asarray, both(inputs, array(orders)))
    size = np.maximum(1, np.abs(np.log(np.maximum(np.abs(expected[..., 0]), 1))))
    # A power of order 40 moves by 40 roundings when an entry moves by one; logits are as large as 5.
    allowed = (16 + 8 * np.maximum(1, array(orders))) * eps() * size
    np.testing.assert_array_less(np.abs(value - expected[..., 0]), allowed * np.maximum(1, np.abs(expected[..., 0])))
    scale = np.maximum(1, np.abs(expected[..., 1]))
    np.testing.assert_array_less(np.abs(slope - expected[..., 1]), 4 * allowed * scale)


@pytest.mark.parametrize("module", [jaxinfo, logits], ids=["tables", "logits"])
def test_infinite_order(module):
    p, q = array(P), array(Q)
    with np.errstate(divide="ignore"):
        x, y = (p, q) if module is jaxinfo else (np.log(p), np.log(q))
    with np.errstate(divide="ignore"):
        expected = np.log(np.max(p.astype(np.float64) / q, axis=-1))
    total = lambda *a: jnp.sum(module.renyi_divergence(*a))  # noqa: E731

    @quick_jit
    def program(x, y, a):
        slopes = jax.grad(lambda x, y: total(x, y, jnp.inf), (0, 1))(x, y)
        return module.renyi_divergence(x, y, jnp.inf), jax.grad(total, 2)(x, y, a), slopes

    value, in_order, slopes = program(x, y, default_float()(jnp.inf))
    np.testing.assert_allclose(value, expected, rtol=16 * eps(), atol=8 * eps())
    assert in_order == 0
    assert all(np.isfinite(np.asarray(s)).all() for s in slopes)


def test_orders_of_rows():
    """An array of orders broadcasts to the batch, and one compilation serves all orders."""
    p, q = array(P), array(Q)
    orders = array([0.0, 0.5, 1.0, jnp.inf])
    together = jaxinfo.renyi_divergence(p, q, orders)
    apart = [jaxinfo.renyi_divergence(*row) for row in zip(p, q, orders, strict=True)]
    np.testing.assert_array_equal(together, apart)
    columns = jaxinfo.renyi_divergence(p.T, q.T, orders, axis=0)
    np.testing.assert_array_equal(columns, together)
    table = jaxinfo.tsallis_entropy(p[None], array([[1.0], [2.0]]))
    assert table.shape == (2, 4)

    @jax.jit
    @chex.assert_max_traces(n=1)
    def traced(a):
        return jaxinfo.renyi_entropy(p, a)

    for a in (0.0, 0.5, 1.0, 2.0):
        np.testing.assert_array_equal(traced(a), jaxinfo.renyi_entropy(p, a))


def test_orders_out_of_range():
    p = array(P)
    for function in (jaxinfo.renyi_entropy, jaxinfo.tsallis_entropy):
        with pytest.raises(ValueError, match=rf"{function.__name__}: order must be at least 0, got -1"):
            function(p, -1)
    with pytest.raises(ValueError, match=r"renyi_divergence: order must be at least 0, got -0.5"):
        jaxinfo.renyi_divergence(p, p, order=-0.5)
    with pytest.raises(ValueError, match=r"renyi_divergence: order of shape \(3,\) does not broadcast"):
        jaxinfo.renyi_divergence(p, p, array([1, 2, 3]))
    with pytest.raises(TypeError, match=r"alpha_divergence: alpha must hold real numbers"):
        jaxinfo.alpha_divergence(p, p, 1j)
    for name in ONE:
        assert np.isnan(getattr(jaxinfo, name)(p, array(-1.0))).all()
    for name in TWO[:2]:
        assert np.isnan(getattr(jaxinfo, name)(p, array(Q), array(-1.0))).all()


def test_known_relations():
    """To rounding, each from another definition than the one that computes it."""
    p, q = array(P[:3]), array(Q[:3])
    close = functools.partial(np.testing.assert_allclose, rtol=32 * eps(), atol=16 * eps())
    close(jaxinfo.renyi_entropy(p, 0.0), np.log(4))
    close(jaxinfo.renyi_entropy(p, 1.0), jaxinfo.entropy(p))
    close(jaxinfo.renyi_entropy(p, 2.0), -np.log(np.sum(p.astype(np.float64) ** 2, -1)))
    close(jaxinfo.renyi_entropy(p, jnp.inf), jaxinfo.min_entropy(p))
    close(jaxinfo.renyi_divergence(p, q, 1.0), jaxinfo.kl_divergence(p, q))
    close(jaxinfo.renyi_divergence(p, q, 0.5), 2 * jaxinfo.bhattacharyya_distance(p, q))
    close(jaxinfo.alpha_divergence(p, q, 1.0), jaxinfo.kl_divergence(p, q))
    close(jaxinfo.alpha_divergence(p, q, 0.0), jaxinfo.kl_divergence(q, p))
    close(jaxinfo.alpha_divergence(p, q, 0.5), 4 * np.asarray(jaxinfo.hellinger_distance(p, q)) ** 2)
    # Skew symmetry of Rényi's divergence: (1 - a) R_a(p | q) = a R_(1-a)(q | p).
    close(0.75 * np.asarray(jaxinfo.renyi_divergence(p, q, 0.25)), 0.25 * jaxinfo.renyi_divergence(q, p, 0.75))


def test_chernoff_information_of_mirrored_tables():
    """The best order of p and its mirror image is one half: the Bhattacharyya distance."""
    p = array([0.9, 0.1])
    expected = -np.log(2 * np.sqrt(0.9 * 0.1))
    np.testing.assert_allclose(jaxinfo.chernoff_information(p, p[::-1]), expected, rtol=8 * eps())
    # One shared outcome, likelier under p: the best order is 0, where the sum is q of that outcome.
    p, q = array([0.5, 0.5, 0.0]), array([0.4, 0.0, 0.6])
    np.testing.assert_allclose(jaxinfo.chernoff_information(p, q), -np.log(0.4), rtol=8 * eps())
    np.testing.assert_allclose(jaxinfo.chernoff_information(q, p), -np.log(0.4), rtol=8 * eps())


def test_evenness_counts_the_outcomes_that_are_kept():
    p = array([0.25, 0.25, 0.5, 0.0])
    np.testing.assert_allclose(jaxinfo.normalized_entropy(p), 1.5 / 2, rtol=8 * eps())
    kept = np.array([True, True, True, False])
    np.testing.assert_allclose(jaxinfo.normalized_entropy(p, where=kept), 1.5 / np.log2(3), rtol=8 * eps())
    spoiled = np.where(kept, p, np.nan)
    np.testing.assert_array_equal(
        jaxinfo.normalized_entropy(spoiled, where=kept), jaxinfo.normalized_entropy(p, where=kept)
    )
    assert jaxinfo.normalized_entropy(p, where=np.array([True, False, False, False])) == 0
