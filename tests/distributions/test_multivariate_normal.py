"""Multivariate normals of three structures: densities, draws, and closed forms between any two, by mpmath."""

import functools
import itertools
import math

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from scipy import stats

from jaxinfo import distributions
from jaxinfo.distributions import MultivariateNormal
from jaxinfo.distributions._registry import closed_form
from jaxinfo.distributions._special.matrices import solve_lower
from tests.marks import once
from tests.quick import quick_jit

DTYPE = jnp.zeros(()).dtype
EPS = float(jnp.finfo(DTYPE).eps)
# Float32 within 32 units; float64 within 1e-12.
TOLERANCE = 1e-12 if jnp.finfo(DTYPE).bits == 64 else 32 * EPS
D, RANK = 3, 2
MAKE = {
    "full": MultivariateNormal,
    "diagonal": MultivariateNormal.from_diagonal,
    "low rank": MultivariateNormal.from_low_rank,
}
STRUCTURES = list(itertools.product(MAKE, repeat=2))
ORDERS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 3.0)


@pytest.fixture(autouse=True)
def _digits():
    with mpmath.workdps(60):
        yield


def parameters(structure, rng, scale=1.0):
    loc = scale * rng.normal(size=D)
    if structure == "full":
        factor = np.tril(rng.normal(size=(D, D)), -1) + np.diag(rng.uniform(0.5, 2, D))
        return [loc, scale * factor]
    if structure == "diagonal":
        return [loc, scale * rng.uniform(0.5, 2, D)]
    return [loc, scale * rng.normal(size=(D, RANK)), scale**2 * rng.uniform(0.5, 2, D)]


def changed(values, size, rng):
    return [x * (1 + size * rng.normal(size=np.shape(x))) for x in values]


def rounded(values):
    return [np.asarray(jnp.asarray(x, DTYPE), float) for x in values]


def moments(structure, values):
    """Mean and covariance of parameters given as flat lists of mpf."""
    loc = mpmath.matrix(values[0])
    if structure == "full":
        factor = mpmath.matrix(D, D)
        for i, j in itertools.product(range(D), repeat=2):
            factor[i, j] = values[1][D * i + j] if i >= j else 0
        return loc, factor * factor.T
    if structure == "diagonal":
        return loc, mpmath.diag([x**2 for x in values[1]])
    factor = mpmath.matrix(D, RANK)
    for i, j in itertools.product(range(D), range(RANK)):
        factor[i, j] = values[1][RANK * i + j]
    return loc, factor * factor.T + mpmath.diag(values[2])


def log_det(x):
    return mpmath.log(mpmath.det(x))


def trace(x):
    return mpmath.fsum(x[i, i] for i in range(x.rows))


def exact_kl(p, q, _=None):
    (loc_p, cov_p), (loc_q, cov_q) = p, q
    inverse, shift = cov_q**-1, loc_p - loc_q
    return (trace(inverse * cov_p) - D - log_det(cov_p) + log_det(cov_q) + (shift.T * inverse * shift)[0]) / 2


def exact_cross_entropy(p, q, _=None):
    return exact_kl(p, q) + (D * mpmath.log(2 * mpmath.pi * mpmath.e) + log_det(p[1])) / 2


def exact_renyi(p, q, order):
    order = mpmath.mpf(order)
    if order == 1:
        return exact_kl(p, q)
    mixed, shift = order * q[1] + (1 - order) * p[1], p[0] - q[0]
    if min(mpmath.eigsy(mixed, eigvals_only=True)) <= 0:
        return mpmath.inf
    dets = log_det(mixed) - (1 - order) * log_det(p[1]) - order * log_det(q[1])
    return order / 2 * (shift.T * mixed**-1 * shift)[0] - dets / (2 * (order - 1))


def exact_bhattacharyya(p, q, _=None):
    return exact_renyi(p, q, 0.5) / 2


def exact_hellinger(p, q, _=None):
    return mpmath.sqrt(-mpmath.expm1(-exact_bhattacharyya(p, q)))


def exact_wasserstein(p, q, _=None):
    values, vectors = mpmath.eigsy(p[1])
    root = vectors * mpmath.diag([mpmath.sqrt(v) for v in values]) * vectors.T
    inner = mpmath.eigsy(root * q[1] * root, eigvals_only=True)
    shift = p[0] - q[0]
    squared = trace(p[1] + q[1]) - 2 * mpmath.fsum(mpmath.sqrt(v) for v in inner) + (shift.T * shift)[0]
    return mpmath.sqrt(squared)


def flat(values):
    return [[mpmath.mpf(float(x)) for x in np.ravel(v)] for v in values]


def exact_value(exact, structures, values, order=None):
    count = 3 if structures[0] == "low rank" else 2
    return exact(moments(structures[0], values[:count]), moments(structures[1], values[count:]), order)


def exact_gradient(exact, structures, values, order=None):
    """Central differences in many digits: by parameter, a flat list."""
    step = mpmath.mpf(10) ** -20
    gradient = []
    for i, parameter in enumerate(values):
        for j, x in enumerate(parameter):
            ends = []
            for sign in (1, -1):
                moved = [list(v) for v in values]
                moved[i][j] = x + sign * step
                ends.append(exact_value(exact, structures, moved, order))
            gradient.append(float((ends[0] - ends[1]) / (2 * step)))
    return np.array(gradient)


def pairs(structures, rng):
    """Apart, at extreme scales, and close."""
    cases = []
    for scale_p, scale_q in [(1, 1), (1e-3, 1), (1, 1e3), (1e6, 1e-6)]:
        cases.append(parameters(structures[0], rng, scale_p) + parameters(structures[1], rng, scale_q))
    for size in (0.1, 1e-3, 1e-6):
        if structures[0] == structures[1]:
            base = parameters(structures[0], rng)
            cases.append(changed(base, size, rng) + base)
        elif "full" not in structures:
            low_rank = [np.full(D, size), np.full((D, RANK), size) * [1, -0.5], 1 + size * rng.normal(size=D)]
            diagonal = [np.zeros(D), np.ones(D)]
            cases.append(low_rank + diagonal if structures[0] == "low rank" else diagonal + low_rank)
    return [rounded(case) for case in cases]


@functools.cache
def compiled(measure, structures):
    count = 3 if structures[0] == "low rank" else 2

    def total(values, options):
        p, q = MAKE[structures[0]](*values[:count]), MAKE[structures[1]](*values[count:])
        value = closed_form(measure, p, q)(p, q, **options)
        return jnp.sum(value), value

    return jax.jit(jax.value_and_grad(total, has_aux=True))


def check(measure, exact, structures, cases, order=None, slopes=True):
    options = {} if order is None else {"order": jnp.full(len(cases), order, DTYPE)}
    stacked = [jnp.asarray(np.stack(v), DTYPE) for v in zip(*cases, strict=True)]
    (_, values), gradients = compiled(measure, structures)(stacked, options)
    for i, case in enumerate(cases):
        truth = exact_value(exact, structures, flat(case), order)
        message = f"{measure} {structures} case {i} order {order}: {values[i]}, exact {mpmath.nstr(truth, 12)}"
        assert float(values[i]) >= 0 or measure == "cross_entropy", message
        if mpmath.isinf(truth):
            assert np.isposinf(float(values[i])), message
            continue
        assert abs(float(values[i]) - float(truth)) <= TOLERANCE * abs(float(truth)), message
        slope = np.concatenate([np.ravel(np.asarray(g[i], float)) for g in gradients])
        assert np.all(np.isfinite(slope)), message
        if slopes and order != 0:
            expected = exact_gradient(exact, structures, flat(case), order)
            error = np.max(np.abs(slope - expected)) / np.max(np.abs(expected))
            # Where scales differ by a thousand, slopes of the order 1/4 between dense members lose two more bits.
            assert error <= (4 if order == 0.25 else 1) * TOLERANCE, (message, error)


@pytest.mark.parametrize("structures", STRUCTURES, ids="-".join)
def test_kl_divergence(structures):
    check("kl_divergence", exact_kl, structures, pairs(structures, np.random.default_rng(1)))


@pytest.mark.parametrize("structures", STRUCTURES, ids="-".join)
def test_renyi_divergence(structures):
    cases = pairs(structures, np.random.default_rng(2))
    for order in ORDERS:
        check("renyi_divergence", exact_renyi, structures, cases, order, slopes=order in {0.25, 3.0})


@pytest.mark.parametrize("structures", [s for s in STRUCTURES if s[0] <= s[1]], ids="-".join)
def test_wasserstein_distance(structures):
    cases = pairs(structures, np.random.default_rng(3))
    check("wasserstein_distance", exact_wasserstein, structures, cases)


@once
@pytest.mark.parametrize("structures", [(name, name) for name in MAKE], ids="-".join)
def test_other_measures(structures):
    cases = pairs(structures, np.random.default_rng(4))
    check("cross_entropy", exact_cross_entropy, structures, cases)
    check("bhattacharyya_distance", exact_bhattacharyya, structures, cases, slopes=False)
    # Where they hardly overlap, the gradient is an exponential of a large number, or beyond the range of the dtype.
    check("hellinger_distance", exact_hellinger, structures, cases[1:4], slopes=False)
    check("hellinger_distance", exact_hellinger, structures, [cases[0], *cases[4:]])


@once
@pytest.mark.parametrize("structure", MAKE)
def test_identical_members(structure):
    values = rounded(parameters(structure, np.random.default_rng(5)))
    p = MAKE[structure](*(jnp.asarray(v, DTYPE) for v in values))
    orders = jnp.asarray([0.0, 0.3, 0.5, 1.0, 2.5, np.inf], DTYPE)
    assert float(distributions.kl_divergence(p, p)) == 0
    np.testing.assert_array_equal(closed_form("renyi_divergence", p, p)(p, p, order=orders), np.zeros(6))
    for measure in ("bhattacharyya_distance", "hellinger_distance", "wasserstein_distance"):
        assert float(closed_form(measure, p, p)(p, p)) == 0
        slope = jax.grad(lambda x, m=measure: closed_form(m, x, p)(x, p))(p)
        assert all(bool(jnp.all(leaf == 0)) for leaf in jax.tree.leaves(slope))


@once
@pytest.mark.parametrize(
    "structures",
    [
        pytest.param(("full", "full"), marks=pytest.mark.slow),
        pytest.param(("low rank", "low rank"), marks=pytest.mark.slow),
        ("diagonal", "low rank"),
    ],
)
def test_second_derivatives(structures):
    # Of close pairs, by differences of the gradient in the direction of one parameter.
    rng = np.random.default_rng(6)
    values = [rounded(parameters(s, rng)) for s in structures]
    if structures[0] == structures[1]:
        values[0] = rounded(changed(values[1], 0.05, rng))
    count = len(values[0])
    leaves = [jnp.asarray(v, DTYPE) for v in (*values[0], *values[1])]
    direction = [jnp.asarray(rng.normal(size=v.shape), DTYPE) for v in leaves]
    for measure, options in (("kl_divergence", {}), ("renyi_divergence", {"order": 0.7}), ("wasserstein_distance", {})):

        def value(leaves, measure=measure, options=options):
            p, q = MAKE[structures[0]](*leaves[:count]), MAKE[structures[1]](*leaves[count:])
            return closed_form(measure, p, q)(p, q, **options)

        @quick_jit
        def curvature(leaves, value=value):
            return jax.jvp(lambda x: jax.jvp(value, (x,), (direction,))[1], (leaves,), (direction,))[1]

        @quick_jit
        def backward(leaves, value=value):
            products = jax.jvp(jax.grad(value), (leaves,), (direction,))[1]
            return sum(jnp.sum(x * d) for x, d in zip(products, direction, strict=True))

        @quick_jit
        def slope(t, value=value):
            return jax.jvp(value, ([x + t * d for x, d in zip(leaves, direction, strict=True)],), (direction,))[1]

        step = 1e-5 if jnp.finfo(DTYPE).bits == 64 else 3e-3
        expected = (slope(step) - slope(-step)) / (2 * step)
        np.testing.assert_allclose(curvature(leaves), backward(leaves), rtol=1e3 * EPS)
        np.testing.assert_allclose(curvature(leaves), expected, rtol=1e3 * step**2)


@once
def test_infinite_order():
    p, q = MultivariateNormal.from_diagonal(jnp.zeros(2), jnp.ones(2)), jnp.array([2.0, 3.0])
    wide = MultivariateNormal.from_diagonal(jnp.ones(2), q)
    # The supremum of log(p / q): of each coordinate log(scale_q) + 1 / (2 (scale_q^2 - 1)).
    expected = math.log(6) + 1 / 6 + 1 / 16
    low_rank = MultivariateNormal.from_low_rank(jnp.ones(2), jnp.array([[1.0], [0.0]]), jnp.array([3.0, 9.0]))
    full = MultivariateNormal(jnp.ones(2), jnp.diag(q))
    for other in (wide, low_rank, full):
        renyi = closed_form("renyi_divergence", p, other)
        assert float(renyi(p, other, order=jnp.inf)) == pytest.approx(expected, rel=16 * EPS)
        back = closed_form("renyi_divergence", other, p)
        assert float(back(other, p, order=jnp.inf)) == math.inf
        assert math.isnan(float(renyi(p, other, order=-1.0)))


@pytest.mark.parametrize("structure", MAKE)
def test_density_and_moments(structure):
    rng = np.random.default_rng(7)
    values = [rounded(parameters(structure, rng, scale)) for scale in (1.0, 1e-4)]
    points = np.stack([np.stack([v[0] + s * rng.normal(size=D) for s in (1e-5, 1.0)]) for v in values], axis=1)
    points = np.asarray(jnp.asarray(points, DTYPE), float)
    p = MAKE[structure](*(jnp.asarray(np.stack(v), DTYPE) for v in zip(*values, strict=True)))
    assert isinstance(p, MultivariateNormal)
    assert (p.batch_shape, p.event_shape) == ((2,), (D,))
    log_probs = p.log_prob(jnp.asarray(points, DTYPE))
    entropies = distributions.entropy(p)
    for i, v in enumerate(values):
        loc, covariance = moments(structure, flat(v))
        dense = np.array(covariance.tolist(), float)
        np.testing.assert_allclose(p.covariance[i], dense, rtol=8 * EPS, atol=8 * EPS * np.max(np.abs(dense)))
        np.testing.assert_allclose(p.variance[i], np.diag(dense), rtol=8 * EPS)
        factor = np.asarray(p.scale_tril[i], float)
        np.testing.assert_allclose(factor @ factor.T, dense, rtol=32 * EPS, atol=32 * EPS * np.max(np.abs(dense)))
        np.testing.assert_array_equal(p.mean[i], jnp.asarray(v[0], DTYPE))
        dets = log_det(covariance) + D * mpmath.log(2 * mpmath.pi)
        assert abs(float(entropies[i]) - float((dets + D) / 2)) <= TOLERANCE * max(1, abs(float(dets)))
        for j, x in enumerate(points[:, i]):
            shift = mpmath.matrix(x.tolist()) - loc
            square = (shift.T * covariance**-1 * shift)[0]
            error = abs(float(log_probs[j, i]) - float(-(square + dets) / 2))
            assert error <= TOLERANCE * max(1, abs(float(dets)), float(square))


@once
@pytest.mark.parametrize("structure", MAKE)
def test_draws(structure):
    values = rounded(parameters(structure, np.random.default_rng(8)))
    p = MAKE[structure](*(jnp.asarray(v, DTYPE) for v in values))
    draws = p.sample(jax.random.key(0), (4000,))
    assert draws.shape == (4000, D)
    white = np.linalg.solve(np.asarray(p.scale_tril, float), (np.asarray(draws, float) - np.asarray(p.mean, float)).T)
    for row in (*white, *(np.array([[0.6, 0.8, 0], [0, -0.6, 0.8]]) @ white)):
        assert stats.kstest(row, "norm").pvalue > 1e-4
    assert p.sample(jax.random.key(0)).shape == (D,)


@pytest.mark.parametrize("structure", MAKE)
def test_unconstrained_parameters(structure):
    values = [jnp.asarray(v, DTYPE) for v in parameters(structure, np.random.default_rng(9))]
    p = MAKE[structure](*values)
    again = p.from_unconstrained(p.to_unconstrained())
    assert type(again) is type(p)
    for x, y in zip(jax.tree.leaves(p), jax.tree.leaves(again), strict=True):
        np.testing.assert_allclose(x, y, rtol=16 * EPS)


@pytest.mark.parametrize("structure", ["full", "diagonal"])
def test_exponential_family_form(structure):
    values = [jnp.asarray(v, DTYPE) for v in parameters(structure, np.random.default_rng(10))]
    p = MAKE[structure](*values)
    kind, x = type(p), jnp.array([0.3, -1.0, 0.5])
    natural = kind._natural(*values)
    products = [jnp.sum(a * b) for a, b in zip(natural, kind._statistics(x, *values), strict=True)]
    np.testing.assert_allclose(sum(products) - kind._log_normalizer(*natural), p.log_prob(x), rtol=1e3 * EPS)
    for back, value in zip(kind._from_natural(*natural), values, strict=True):
        np.testing.assert_allclose(back, value, rtol=1e3 * EPS, atol=1e2 * EPS)
    assert bool(kind._natural_allowed(*natural))
    assert not bool(kind._natural_allowed(natural[0], -natural[1]))


def test_low_rank_makes_no_square_array():
    # A square array of this size would take 40 GB.
    size = 100_000
    keys = jax.random.split(jax.random.key(0), 3)
    p, q = (
        MultivariateNormal.from_low_rank(
            jnp.full(size, shift), jax.random.normal(key, (size, 2)), jnp.linspace(1.0, 2.0, size)
        )
        for shift, key in ((0.0, keys[0]), (0.1, keys[1]))
    )
    diagonal = MultivariateNormal.from_diagonal(jnp.zeros(size), jnp.ones(size))
    for pair in ((p, q), (p, diagonal), (diagonal, q)):
        assert 0 < float(distributions.kl_divergence(*pair)) < math.inf
    assert p.log_prob(p.sample(keys[2], (3,))).shape == (3,)
    assert p.variance.shape == (size,)


def test_domain():
    bad = jnp.array([1.0, -1.0])
    full = MultivariateNormal(jnp.zeros((2, 2)), jnp.stack([jnp.eye(2), jnp.diag(bad)]))
    assert np.isnan(np.asarray(full.log_prob(jnp.zeros(2)))).tolist() == [False, True]
    assert np.isnan(np.asarray(full.entropy())).tolist() == [False, True]
    assert np.isnan(np.asarray(distributions.kl_divergence(full, full))).tolist() == [False, True]
    normal = MultivariateNormal(jnp.zeros(2), jnp.array([[1.0, 7.0], [0.0, 1.0]]))
    # What is above the diagonal is not read.
    assert float(normal.variance[0]) == 1
    assert float(normal.log_prob(jnp.array([jnp.inf, 0.0]))) == -math.inf
    assert math.isnan(float(normal.log_prob(jnp.array([jnp.nan, 0.0]))))
    flat_member = MultivariateNormal.from_diagonal(jnp.zeros(2), jnp.array([0.0, 1.0]))
    for pair in ((flat_member, normal), (normal, flat_member)):
        assert float(distributions.kl_divergence(*pair)) == math.inf
    assert math.isnan(float(distributions.kl_divergence(flat_member, flat_member)))
    assert math.isnan(float(MultivariateNormal.from_covariance(jnp.zeros(2), -jnp.eye(2)).entropy()))
    with pytest.raises(ValueError, match="same size"):
        _ = MultivariateNormal(jnp.zeros(3), jnp.eye(2)).batch_shape
    with pytest.raises(ValueError, match="same size"):
        _ = MultivariateNormal.from_diagonal(0.0, 1.0).mean


def test_broadcasting_and_half_precision():
    p = MultivariateNormal(jnp.zeros((4, 1, 2)), jnp.broadcast_to(jnp.eye(2), (3, 2, 2)))
    assert p.batch_shape == (4, 3)
    assert p.log_prob(jnp.zeros((5, 1, 1, 2))).shape == (5, 4, 3)
    assert p.sample(jax.random.key(0), (2,)).shape == (2, 4, 3, 2)
    assert p.entropy().shape == (4, 3)
    q = MultivariateNormal.from_covariance(jnp.ones(2, jnp.bfloat16), 4 * jnp.eye(2, dtype=jnp.bfloat16))
    assert q.log_prob(jnp.zeros(2, jnp.bfloat16)).dtype == q.sample(jax.random.key(0)).dtype == jnp.bfloat16
    q = MultivariateNormal.from_diagonal(jnp.ones(2), jnp.full(2, 2.0))
    assert distributions.kl_divergence(p, q).shape == (4, 3)
    vmapped = jax.vmap(lambda loc: distributions.kl_divergence(MultivariateNormal(loc, jnp.eye(2)), q))
    assert vmapped(jnp.zeros((6, 2))).shape == (6,)


@once
@pytest.mark.parametrize("size", [1, 3, 8, 9])
def test_triangular_systems(size):
    """On both sides of the size up to which they are solved by sums written out, by NumPy in double precision."""
    rng = np.random.default_rng(size)
    factor = np.tril(0.3 * rng.normal(size=(5, size, size))) + 2 * np.eye(size)
    columns, weights = rng.normal(size=(2, 5, size, 4))
    given = [jnp.asarray(a, DTYPE) for a in (factor, columns, weights)]

    @jax.jit
    def evaluate(factor, columns, weights):
        return jax.value_and_grad(lambda *a: jnp.sum(solve_lower(*a) * weights), argnums=(0, 1))(factor, columns)

    value, (in_factor, in_columns) = evaluate(*given)
    exact = np.linalg.solve(factor, columns)
    back = np.linalg.solve(np.swapaxes(factor, -1, -2), weights)
    np.testing.assert_allclose(value, np.sum(exact * weights), rtol=1e3 * EPS)
    np.testing.assert_allclose(in_columns, back, rtol=1e3 * EPS, atol=100 * EPS)
    slope = np.tril(-back @ np.swapaxes(exact, -1, -2))
    np.testing.assert_allclose(in_factor, slope, rtol=1e3 * EPS, atol=100 * EPS)
