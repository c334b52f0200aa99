"""What the generic tests do not say about tables: stacked mixtures, weights, whole tables, curvature, signs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxinfo
from tests import oracles
from tests.table import default_float


def array(x):
    return np.asarray(x, default_float())


def eps():
    return float(np.finfo(default_float()).eps)


def close(actual, expected, ulps=16):
    """Well-conditioned sums of a few terms around 1."""
    np.testing.assert_allclose(actual, expected, rtol=ulps * eps(), atol=ulps * eps())


# --- Jensen-Shannon ---------------------------------------------------------------------------------------------

TABLES = array([[0.1, 0.2, 0.7], [0.3, 0.3, 0.4], [0.0, 0.75, 0.25]])
WEIGHTS = array([0.5, 0.3, 0.2])
OTHER = array([0.2, 0.4, 0.4])


def exact_mixture(tables, weights=None):
    return float(oracles.mixture_jensen_shannon(oracles.exact(tables), weights))


def test_weights_of_stacked_tables():
    close(jaxinfo.jensen_shannon_divergence(TABLES, weights=WEIGHTS), exact_mixture(TABLES, WEIGHTS))
    close(jaxinfo.jensen_shannon_divergence(TABLES), exact_mixture(TABLES))
    close(jaxinfo.jensen_shannon_distance(TABLES, weights=WEIGHTS), np.sqrt(exact_mixture(TABLES, WEIGHTS)))
    # No weight, no say.
    alone = jaxinfo.jensen_shannon_divergence(TABLES, weights=array([0.5, 0.5, 0.0]))
    close(alone, jaxinfo.jensen_shannon_divergence(TABLES[0], TABLES[1]))
    np.testing.assert_array_equal(jaxinfo.jensen_shannon_divergence(TABLES, weights=array([1.0, 0.0, 0.0])), 0)


def test_stacked_tables_are_mutual_information_with_the_choice():
    joint = WEIGHTS[:, None] * TABLES
    close(jaxinfo.jensen_shannon_divergence(TABLES, weights=WEIGHTS), jaxinfo.mutual_information(joint))


def test_position_of_the_mixture_axis():
    batch = np.stack([TABLES, TABLES[::-1]])  # [2, N, K]
    expected = [exact_mixture(TABLES, WEIGHTS), exact_mixture(TABLES[::-1], WEIGHTS)]
    for position in (0, 1, 2, -1, -2, -3):
        moved = np.moveaxis(batch, 1, position)
        axis = {0: 2, 1: 2, 2: 1}[position % 3]
        actual = jaxinfo.jensen_shannon_divergence(moved, weights=WEIGHTS, mixture_axis=position, axis=axis)
        close(actual, expected)
    everything = jaxinfo.jensen_shannon_divergence(batch, weights=WEIGHTS, mixture_axis=1, axis=None)
    close(everything, sum(expected))


def test_gradient_of_a_weight_along_the_simplex():
    """d/dw_i - d/dw_j = KL(p_i | m) - KL(p_j | m)."""
    gradient = jax.grad(lambda w: jaxinfo.jensen_shannon_divergence(TABLES, weights=w))(WEIGHTS)
    mixture = WEIGHTS.astype(np.float64) @ TABLES
    expected = [float(oracles.kl_divergence(oracles.exact(p), oracles.exact(mixture))) for p in TABLES]
    close(gradient - gradient.mean(), np.asarray(expected) - np.mean(expected))


def test_gradient_of_the_pairwise_weight():
    p, q = TABLES[0], TABLES[1]
    gradient = jax.grad(lambda w: jaxinfo.jensen_shannon_divergence(p, q, weight=w))(array(0.25))
    mixture = oracles.exact(0.25 * p.astype(np.float64) + 0.75 * q)
    expected = oracles.kl_divergence(oracles.exact(p), mixture) - oracles.kl_divergence(oracles.exact(q), mixture)
    close(gradient, float(expected))


def test_ends_of_the_weight():
    p, q = TABLES[0], TABLES[2]
    for weight in (0.0, 1.0, array(0.0), array(1.0)):
        np.testing.assert_array_equal(jaxinfo.jensen_shannon_divergence(p, q, weight=weight), 0)


def test_errors_of_the_weights():
    p, q = TABLES[0], TABLES[1]
    for name in ("jensen_shannon_divergence", "jensen_shannon_distance"):
        function = getattr(jaxinfo, name)
        for weight in (-0.1, 1.5, float("nan")):
            with pytest.raises(ValueError, match=f"{name}.*{weight}"):
                function(p, q, weight=weight)
        with pytest.raises(ValueError, match=rf"{name}.*\(2,\)"):
            function(TABLES, weights=array([0.5, 0.5]))
        with pytest.raises(ValueError, match=f"{name}.*weights"):
            function(p, q, weights=WEIGHTS)
        with pytest.raises(ValueError, match=f"{name}.*weight"):
            function(TABLES, weight=0.5)
        with pytest.raises(ValueError, match=name):
            function(TABLES, mixture_axis=5)
        with pytest.raises(ValueError, match=name):
            function(TABLES, mixture_axis=-1)  # the summed axis
        with pytest.raises(ValueError, match=rf"{name}.*\(2,\)"):
            function(p, q, weight=array([0.5, 0.5]))


# --- whole tables, one at a time --------------------------------------------------------------------------------


def test_joint_entropy_takes_the_whole_table_unless_told():
    table = np.random.default_rng(0).dirichlet(np.ones(24)).reshape(2, 3, 4).astype(default_float())
    whole = float(oracles.entropy(oracles.exact(table)))
    close(jaxinfo.joint_entropy(table), whole)
    close(jaxinfo.joint_entropy(table, axis=(0, 1, 2)), whole)
    rows = [float(oracles.entropy(oracles.exact(t))) for t in table]
    close(jaxinfo.joint_entropy(table, axis=(1, 2)), rows)
    close(jaxinfo.joint_entropy(table, axis=(-1, -2)), rows)
    assert jaxinfo.joint_entropy(table, keepdims=True).shape == (1, 1, 1)
    single = table[0, 0, :1]
    close(jaxinfo.joint_entropy(single[0]), float(oracles.entropy(oracles.exact(single))))


def test_axis_none_is_every_axis():
    p, q = np.random.default_rng(1).dirichlet(np.ones(6), 2).reshape(2, 2, 3).astype(default_float())
    close(jaxinfo.entropy(p, axis=None), float(oracles.entropy(oracles.exact(p))))
    close(jaxinfo.kl_divergence(p, q, axis=None), float(oracles.kl_divergence(oracles.exact(p), oracles.exact(q))))
    assert jaxinfo.kl_divergence(p, q, axis=None, keepdims=True).shape == (1, 1)


def test_scalars_are_welcome_where_measures_are_elementwise():
    close(jaxinfo.surprisal(0.5), np.log(2))
    close(jaxinfo.binary_entropy(0.5, base=2), 1)
    assert jaxinfo.surprisal(1) == 0
    assert jaxinfo.binary_entropy(True) == 0


def test_binary_entropy_above_one_is_nan():
    found = np.asarray(jaxinfo.binary_entropy(array([0.5, 1.25, np.nextafter(array(1), 2), np.inf, -np.inf])))
    np.testing.assert_array_equal(np.isnan(found), [False, True, True, True, True])


# --- signs and zeros --------------------------------------------------------------------------------------------


def test_nothing_is_a_positive_zero():
    """No entropy prints as -0."""
    point = array([0.0, 1.0])
    square = array([[0.5, 0.0], [0.0, 0.5]])
    values = [
        jaxinfo.surprisal(array(1.0)),
        jaxinfo.entropy(point),
        jaxinfo.cross_entropy(point, point),
        jaxinfo.kl_divergence(point, point),
        jaxinfo.jeffreys_divergence(point, point),
        jaxinfo.jensen_shannon_divergence(point, point),
        jaxinfo.jensen_shannon_distance(point, point),
        jaxinfo.binary_entropy(array(1.0)),
        jaxinfo.binary_entropy(array(0.0)),
        jaxinfo.joint_entropy(point),
        jaxinfo.conditional_entropy(square),
    ]
    for value in values:
        assert value == 0
        assert not np.signbit(value)


# --- curvature at the boundary ----------------------------------------------------------------------------------

P, Q = array([0.0, 0.0, 0.5, 0.5]), array([0.25, 0.0, 0.5, 0.25])


def second_derivatives(function):
    """The Hessian blocks in (p, q), in both orders of differentiation."""
    first = jax.jit(jax.hessian(function, (0, 1)))(P, Q)
    second = jax.jit(jax.jacrev(jax.jacrev(function, (0, 1)), (0, 1)))(P, Q)
    for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        close(a, b)
    return first


def test_curvature_of_the_divergence():
    """d2/dp2 = 1/p (0 at 0), d2/dpdq = -1/q also at p = 0, d2/dq2 = p/q^2."""
    (pp, pq), (qp, qq) = second_derivatives(jaxinfo.kl_divergence)
    close(pp, np.diag([0, 0, 2, 2]))
    close(pq, np.diag([-4, 0, -2, -4]))
    close(qp, np.diag([-4, 0, -2, -4]))
    close(qq, np.diag([0, 0, 2, 8]))


def test_curvature_of_the_cross_entropy():
    """d2/dp2 = 0, d2/dpdq = -1/q, d2/dq2 = p/q^2."""
    (pp, pq), (qp, qq) = second_derivatives(jaxinfo.cross_entropy)
    close(pp, np.zeros((4, 4)))
    close(pq, np.diag([-4, 0, -2, -4]))
    close(qp, np.diag([-4, 0, -2, -4]))
    close(qq, np.diag([0, 0, 2, 8]))


def test_curvature_of_the_entropy():
    close(jax.hessian(jaxinfo.entropy)(P), -np.diag([0, 0, 2, 2]))


def test_a_masked_softmax_composes():
    """A zero from a mask sends nothing but zeros back through it."""
    mask = np.asarray([True, False, True, True])

    def through(function):
        return lambda z: function(jax.nn.softmax(z, where=mask))

    z = array([0.5, 1.0, -1.0, 0.25])
    cases = [
        jaxinfo.entropy,
        lambda p: jaxinfo.kl_divergence(p, array([0.25, 0.25, 0.25, 0.25])),
        lambda p: jaxinfo.kl_divergence(array([0.2, 0.0, 0.4, 0.4]), p),
        lambda p: jaxinfo.cross_entropy(array([0.2, 0.0, 0.4, 0.4]), p),
        lambda p: jaxinfo.jensen_shannon_divergence(p, array([0.2, 0.1, 0.3, 0.4])),
        lambda p: jaxinfo.mutual_information(p.reshape(2, 2)),
        lambda p: jaxinfo.conditional_entropy(p.reshape(2, 2)),
    ]
    for i, function in enumerate(cases):
        gradient = jax.grad(through(function))(z)
        assert np.isfinite(gradient).all(), i
        assert gradient[1] == 0, i


def test_infinite_slopes_stay_in_their_coordinate():
    """Next to an infinite coordinate the others are finite, in both modes, and through a chain of finite weights."""
    p, q = array([0.25, 0.25, 0.5]), array([0.0, 0.5, 0.5])
    for jacobian in (jax.jacrev, jax.jacfwd):
        slope = jacobian(jaxinfo.kl_divergence, 1)(p, q)
        close(slope[1:], [0.5, 0.0])
        assert slope[0] == -jnp.inf
        slope = jacobian(jaxinfo.cross_entropy, 0)(p, q)
        close(slope[1:], [np.log(2), np.log(2)])
        assert slope[0] == jnp.inf
    directional = jax.jvp(lambda x: jaxinfo.kl_divergence(p, x), (q,), (array([0.0, 1.0, -1.0]),))[1]
    close(directional, 0.5)


@pytest.mark.parametrize(
    "measure",
    [
        jaxinfo.entropy,
        jaxinfo.binary_entropy,
        jaxinfo.surprisal,
        lambda p: jaxinfo.kl_divergence(p, OTHER),
        lambda p: jaxinfo.kl_divergence(OTHER, p),
        lambda p: jaxinfo.cross_entropy(OTHER, p),
        lambda p: jaxinfo.jensen_shannon_divergence(p, OTHER),
        lambda p: jaxinfo.hellinger_distance(p, OTHER),
        lambda p: jaxinfo.renyi_divergence(p, OTHER, 0.5),
        lambda p: jaxinfo.chernoff_information(p, OTHER),
        lambda p: jaxinfo.mutual_information(p[:, None] * OTHER[None]),
    ],
)
@pytest.mark.parametrize("compute", [lambda t: 1 - t, lambda t: 2 * t - 1], ids=["1 - t", "2 t - 1"])
def test_a_computed_zero_is_a_zero(measure, compute):
    """XLA joins the constants of `(1 - t) + tiny` into one, which loses the tiny number: compiled together or not."""
    t = jnp.array([1.0, 0.5, 0.5])
    apart, together = measure(compute(t)), jax.jit(lambda t: measure(compute(t)))(t)
    np.testing.assert_allclose(together, apart, rtol=1e-5, atol=1e-6)
