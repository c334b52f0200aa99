"""Many variables: known values, ten of them, axes in any place, and the tables they are made of."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxinfo
from tests.marks import once
from tests.quick import quick_jit
from tests.table import default_float

NAMES = ("total_correlation", "dual_total_correlation", "s_information", "o_information", "co_information")


def parity(n):
    """Uniform over the words of n bits with an even sum."""
    return np.where(np.indices((2,) * n).sum(axis=0) % 2 == 0, 2.0 ** (1 - n), 0.0)


def copies(n):
    """n equal fair bits."""
    p = np.zeros((2,) * n)
    p[(0,) * n] = p[(1,) * n] = 0.5
    return p


def entropy(p, kept):
    """In bits, of the marginal of some axes, in float64."""
    marginal = p.sum(axis=tuple(a for a in range(p.ndim) if a not in kept)).ravel()
    return -float(np.sum(marginal * np.log2(np.where(marginal > 0, marginal, 1))))


def from_entropies(p):
    """The five measures by their textbook definition."""
    n, axes = p.ndim, range(p.ndim)
    whole, single = entropy(p, axes), sum(entropy(p, (i,)) for i in axes)
    others = sum(entropy(p, [j for j in axes if j != i]) for i in axes)
    sets = (s for size in range(1, n + 1) for s in itertools.combinations(axes, size))
    total, dual = single - whole, others - (n - 1) * whole
    return total, dual, total + dual, total - dual, -sum((-1) ** len(s) * entropy(p, s) for s in sets)


@jax.jit
def all_five(p):
    return [getattr(jaxinfo, name)(p, base=2) for name in NAMES]


def measured(p):
    return [float(x) for x in all_five(jnp.asarray(p, default_float()))]


@pytest.mark.parametrize("n", [2, 3, 10])
def test_parity_and_copies(n):
    """Closed forms: parity is one bit that all share in synergy, copies are one bit that each has."""
    sign = (-1.0) ** n
    np.testing.assert_allclose(measured(parity(n)), (1, n - 1, n, 2 - n, sign if n > 2 else 1), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(measured(copies(n)), (n - 1, 1, n, n - 2, 1), rtol=1e-6, atol=1e-6)
    interaction = jaxinfo.interaction_information(jnp.asarray(copies(n), default_float()), base=2)
    np.testing.assert_allclose(interaction, sign, rtol=1e-6)


@pytest.mark.parametrize("shape", [(5,), (2, 3, 2, 2, 3), (2, 2, 3, 2, 2, 2, 3), (2,) * 10])
def test_any_number_of_variables(shape):
    """Against sums of entropies in float64, which lose about sixteen units of the largest entropy there."""
    p = np.random.default_rng(len(shape)).dirichlet(np.ones(np.prod(shape))).reshape(shape).astype(default_float())
    expected = from_entropies(p.astype(np.float64))
    tolerance = 2.0 ** len(shape) * 16 * np.finfo(np.float64).eps + 32 * float(np.finfo(default_float()).eps)
    np.testing.assert_allclose(measured(p), expected, rtol=tolerance, atol=tolerance)


def test_ten_variables_need_no_ten_tables():
    """Co-information takes a sum over 1024 marginals, in less memory than two copies of the table."""
    table = jax.ShapeDtypeStruct((4,) * 10, np.float32)
    for name, copies_allowed in ((name, 1.5) for name in NAMES):
        compiled = jax.jit(getattr(jaxinfo, name)).lower(table).compile()
        assert compiled.memory_analysis().temp_size_in_bytes < copies_allowed * 4 * 4**10, name
    gradient = jax.jit(jax.grad(jaxinfo.co_information)).lower(table).compile()
    assert gradient.memory_analysis().temp_size_in_bytes < 4 * 4 * 4**10


def test_gradient_of_co_information_of_six_variables():
    """The derivative is the alternating sum of the logarithms of all marginals."""
    p = np.random.default_rng(0).dirichlet(np.ones(96)).reshape(2, 2, 3, 2, 2, 2).astype(default_float())
    wide, expected = p.astype(np.float64), np.zeros(p.shape)
    for size in range(p.ndim + 1):
        for kept in itertools.combinations(range(p.ndim), size):
            others = tuple(a for a in range(p.ndim) if a not in kept)
            expected += (-1) ** size * np.log(wide.sum(axis=others, keepdims=True))
    gradient = jax.grad(jaxinfo.co_information)(jnp.asarray(p))
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=64 * 16 * float(np.finfo(p.dtype).eps))


@once
@pytest.mark.parametrize("name", [*NAMES, "interaction_information", "pointwise_total_correlation"])
def test_axes_in_any_place(name):
    """Variables on any axes, in any order; the others are the batch."""
    function = getattr(jaxinfo, name)
    p = np.random.default_rng(1).dirichlet(np.ones(12), size=(2, 3)).reshape(2, 3, 2, 3, 2).astype(default_float())
    moved = np.moveaxis(p, (0, 1), (1, 3))

    @quick_jit
    def program(p, moved):
        found = [function(moved, axis=axis) for axis in ((0, 2, 4), (-5, -3, -1), (4, 0, -3))]
        return jax.vmap(jax.vmap(function))(p), found

    expected, found = program(p, moved)
    eps = float(np.finfo(p.dtype).eps)
    for actual in found:
        back = np.moveaxis(actual, (1, 3), (0, 1)) if actual.ndim == 5 else actual
        np.testing.assert_allclose(back, expected, rtol=32 * eps, atol=32 * eps)
    if not name.startswith("pointwise"):
        kept = jax.eval_shape(lambda p: function(p, axis=(0, 2, 4), keepdims=True), moved)
        assert kept.shape == (1, 2, 1, 3, 1)


@once
@pytest.mark.parametrize("name", [*NAMES, "interaction_information", "pointwise_total_correlation"])
def test_no_variable(name):
    with pytest.raises(ValueError, match=rf"{name}: p needs at least .* got axis \(\) and shape \(2, 2\)"):
        getattr(jaxinfo, name)(np.ones((2, 2)) / 4, axis=())
    with pytest.raises(ValueError, match=f"{name}: axis 7"):
        getattr(jaxinfo, name)(np.ones((2, 2)) / 4, axis=(0, 7))


def test_pointwise_total_correlation_wants_two():
    with pytest.raises(ValueError, match="pointwise_total_correlation: p needs at least 2 variables"):
        jaxinfo.pointwise_total_correlation(np.ones(2) / 2)


def test_normalizer_is_one_of_the_means():
    with pytest.raises(ValueError, match=r"normalized_mutual_information: normalizer .*'harmonic'"):
        jaxinfo.normalized_mutual_information(np.ones((2, 2)) / 4, normalizer="harmonic")


# --- marginal and conditional tables ----------------------------------------------------------------------------


def table():
    return np.array([[[0.125, 0.0], [0.25, 0.0]], [[0.125, 0.0], [0.5, 0.0]]], default_float())


@pytest.mark.parametrize(("axis", "others"), [(0, (1, 2)), ((0, 2), (1,)), (None, ()), ((), (0, 1, 2)), (-1, (0, 1))])
def test_marginal(axis, others):
    np.testing.assert_array_equal(jaxinfo.marginal(table(), axis=axis), table().sum(axis=others))
    kept = jaxinfo.marginal(table(), axis=axis, keepdims=True)
    np.testing.assert_array_equal(kept, table().sum(axis=others, keepdims=True))


def test_conditional():
    """Exact quotients; 0 throughout a condition that never occurs."""
    expected = np.array([[[0.5, 0], [1 / 3, 0]], [[0.5, 0], [2 / 3, 0]]])
    np.testing.assert_allclose(jaxinfo.conditional(table(), axis=0), expected, rtol=1e-6)
    both = jaxinfo.conditional(table(), axis=(0, 1))
    np.testing.assert_array_equal(both, table() * np.array([1.0, 0.0], table().dtype))
    assert jaxinfo.conditional(table().astype(jnp.bfloat16), axis=0).dtype == jnp.bfloat16


def test_tables_out_of_the_domain():
    """A negative probability is NaN in its own marginal alone; a dropped one is not seen."""
    p = table()
    p[0, 1, 0] = -0.25
    np.testing.assert_array_equal(np.isnan(jaxinfo.marginal(p, axis=1)), [False, True])
    np.testing.assert_array_equal(np.isnan(jaxinfo.conditional(p, axis=0))[0], [[False, False], [True, False]])
    np.testing.assert_array_equal(jaxinfo.marginal(p, axis=1, where=p >= 0), [0.25, 0.5])


def test_gradients_of_tables():
    """Finite also where a condition never occurs."""
    weights = np.arange(8.0, dtype=default_float()).reshape(2, 2, 2)
    gradient = jax.grad(lambda p: jnp.sum(weights * jaxinfo.conditional(p, axis=0)))(jnp.asarray(table()))
    p_y = table().sum(axis=0)
    mean = np.where(p_y > 0, (weights * table()).sum(axis=0) / np.where(p_y > 0, p_y, 1), 0)
    expected = np.where(p_y > 0, (weights - mean) / np.where(p_y > 0, p_y, 1), 0)
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-6)
    ones = jax.grad(lambda p: jnp.sum(jaxinfo.marginal(p, axis=1)))(jnp.asarray(table()))
    np.testing.assert_array_equal(ones, 1)


@pytest.mark.parametrize("name", ["marginal", "conditional"])
def test_errors_of_tables(name):
    function = getattr(jaxinfo, name)
    for error, p, options in (
        (TypeError, np.ones((2, 2), np.complex64), {"axis": 0}),
        (ValueError, table(), {"axis": 3}),
        (TypeError, table(), {"axis": 0, "where": table()}),
    ):
        with pytest.raises(error, match=name):
            function(p, **options)
