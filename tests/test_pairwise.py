"""Measures of all pairs, each pair against the oracle of the measure of two tables."""

import functools
from dataclasses import dataclass

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxinfo
from jaxinfo import _pairs, logits
from tests import inputs, oracles, oracles_pairs
from tests.marks import once
from tests.quick import quick_jit
from tests.rows.measure import oracle
from tests.table import default_float


def eps(dtype=None):
    return float(np.finfo(dtype or default_float()).eps)


@dataclass(frozen=True)
class Case:
    """A measure of pairs: its oracle, whether it eats logits, what it subtracts, and the options it has."""

    function: object
    oracle: object
    is_logits: bool = False
    has_base: bool = True
    divergence: bool = True
    by_product: bool = False

    @property
    def name(self):
        return self.function.__name__

    @property
    def identifier(self):
        return f"{'logits' if self.is_logits else 'discrete'}.{self.name}"

    @property
    def boundary(self):
        return inputs.boundary_rows("logit pair" if self.is_logits else "pair", default_float())


CASES = [
    Case(jaxinfo.pairwise_cross_entropy, oracle("cross_entropy"), divergence=False),
    Case(jaxinfo.pairwise_kl_divergence, oracle("kl_divergence"), by_product=True),
    Case(jaxinfo.pairwise_jensen_shannon_divergence, oracle("jensen_shannon_divergence")),
    Case(
        jaxinfo.pairwise_hellinger_distance,
        oracle("hellinger_distance", oracles_pairs),
        has_base=False,
        by_product=True,
    ),
    Case(jaxinfo.pairwise_total_variation, oracle("total_variation", oracles_pairs), has_base=False),
    Case(logits.pairwise_cross_entropy, oracle("logits_cross_entropy"), is_logits=True, divergence=False),
    Case(logits.pairwise_kl_divergence, oracle("logits_kl_divergence"), is_logits=True, by_product=True),
]
every_case = pytest.mark.parametrize("case", CASES, ids=lambda c: c.identifier)
divergences = pytest.mark.parametrize("case", [c for c in CASES if c.divergence], ids=lambda c: c.identifier)


def is_wrong(case, row):
    return bool(np.isnan(row).any() or ((row == -np.inf).all() if case.is_logits else (row < 0).any()))


def truth(case, p, q):
    """The oracle on every pair, NaN outside the domain."""
    table = np.full((len(p), len(q)), np.nan)
    for i, j in np.ndindex(table.shape):
        if not is_wrong(case, p[i]) and not is_wrong(case, q[j]):
            table[i, j] = float(case.oracle(p[i], q[j]))
    return table


def draw(case, n, m, k, seed=0, dtype=None):
    """Two stacks in the interior."""
    generator = np.random.default_rng(seed)
    if case.is_logits:
        return tuple(generator.normal(size=(r, k)).astype(dtype or default_float()) for r in (n, m))
    tables = (0.8 * generator.dirichlet(np.ones(k), size=r) + 0.2 / k for r in (n, m))
    return tuple(t.astype(dtype or default_float()) for t in tables)


def close(actual, expected, ulps=16, **options):
    np.testing.assert_allclose(actual, expected, rtol=ulps * eps(), atol=ulps * eps(), **options)


def square(case, actual):
    """A distance is compared by its square, which is what rounds."""
    return np.square(actual) if "hellinger" in case.name else actual


# --- values -----------------------------------------------------------------------------------------------------


@every_case
def test_boundary_values(case):
    """Every table of the boundary against every other: NaN and negative entries stay in their row or column."""
    p, q = inputs.stack(case.boundary)
    expected = truth(case, p, q)
    assert np.isnan(expected).any()
    assert (expected == 0).any() or not case.divergence
    for actual in (case.function(p, q), quick_jit(jax.vmap(case.function))(p[None], q[None])[0]):
        # Logits of hundreds are off by their own rounding, which their value shows too.
        np.testing.assert_allclose(
            square(case, np.asarray(actual)), square(case, expected), rtol=16 * eps(), atol=16 * eps(), equal_nan=True
        )


def size_of_terms(case, p, q):
    """What a product adds up, and so what it rounds in: the cross-entropy and the entropy, or 1 for roots."""
    if "hellinger" in case.name:
        return 2.0
    prefix = "logits_" if case.is_logits else ""
    cross = float(oracle(f"{prefix}cross_entropy")(p, q))
    return cross + abs(float(oracle(f"{prefix}entropy")(p))) + 2


def problems(case, k):
    """Stacks over the range of scales, and one whose rows are within 1e-1 to 1e-6 of each other."""
    generator = np.random.default_rng(k)
    for scale in (0.1, 1.0, 10.0):
        if case.is_logits:
            p, q = scale * generator.normal(size=(2, 4, k))
        else:
            p, q = (np.stack([inputs.dirichlet(generator, 1 / scale, k) for _ in range(4)]) for _ in range(2))
            q = np.maximum(q, 1e-30)
        for i, delta in enumerate((1e-1, 1e-3, 1e-6)):
            noise = delta * generator.uniform(-1, 1, k)
            q[i] = p[i] + noise if case.is_logits else p[i] * (1 + noise)
        yield tuple(inputs.round_to(x, default_float()) for x in (p, q))


@every_case
@pytest.mark.parametrize("k", [1, 3, pytest.param(128, marks=pytest.mark.slow), 400])
def test_accuracy(case, k):
    """What the docstrings say: 8 ulp in blocks; a product is off by 8 roundings of its terms, less where that shows.

    So a divergence by a product has half of its digits everywhere, and all of them (8 ulp) where it is smaller than the
    root of eps.
    """
    for p, q in problems(case, k):
        actual = np.asarray(case.function(p, q))
        for i, j in np.ndindex(actual.shape):
            value = case.oracle(p[i], q[j])
            error = float(oracles.relative_error(actual[i, j], value)) / eps()
            exact = float(value)
            if abs(exact) <= 1024 * float(np.finfo(default_float()).tiny):
                assert abs(actual[i, j]) <= 2048 * float(np.finfo(default_float()).tiny) * k
                continue
            allowed = 8.0 if error <= 8 else 8 * max(1.0, float(case.oracle.condition(p[i], q[j])))
            if error > allowed and case.by_product and square(case, exact) > eps() ** 0.5:
                allowed = max(allowed, 8 * size_of_terms(case, p[i], q[j]) / square(case, exact))
            assert error <= allowed, (k, i, j, exact, actual[i, j], error, allowed)
            if case.divergence:
                assert actual[i, j] >= 0
                assert error <= 16 / eps() ** 0.5


@divergences
def test_equal_tables_are_exactly_zero_apart(case):
    p, _ = draw(case, 9, 1, 20)
    p = np.concatenate([p, p[:3], p[2:3]])
    found = np.asarray(case.function(p, p))
    same = np.all(p[:, None] == p[None], axis=-1)
    np.testing.assert_array_equal(found[same], 0)
    assert (found[~same] > 0).all()


@divergences
def test_many_close_pairs(case):
    """Every table close to every other, which a product does not resolve; some far away beside them."""
    generator = np.random.default_rng(5)
    base = generator.normal(size=12)
    z = base + 1e-5 * generator.normal(size=(11, 12))
    z[3:5] = generator.normal(size=(2, 12))
    z = z if case.is_logits else np.exp(z) / np.exp(z).sum(-1, keepdims=True)
    p, q = (x.astype(default_float()) for x in (z, z[::-1]))
    for stacks in ((p, q), (p[3:], q[:4]), (np.stack([p, p]), np.stack([q, q[::-1]]))):
        a, b = (x.reshape(-1, *x.shape[-2:]) for x in stacks)
        expected = np.stack([truth(case, x, y) for x, y in zip(a, b, strict=True)])
        found = np.asarray(case.function(*stacks)).reshape(expected.shape)
        small = square(case, expected) < 0.1 * eps() ** 0.5
        assert small.any()
        np.testing.assert_allclose(found[small], expected[small], rtol=32 * eps())
        np.testing.assert_allclose(found, expected, rtol=16 * eps() ** 0.5)


# --- derivatives ------------------------------------------------------------------------------------------------


def exact_gradients(case, p, q, weights):
    """Of the weighted sum over pairs; a weight of 0 leaves an infinite slope out."""
    slopes = np.zeros(p.shape), np.zeros(q.shape)
    for i, j in np.ndindex(weights.shape):
        if weights[i, j]:
            pair = case.oracle.gradient(oracles.exact(p[i]), oracles.exact(q[j]))
            slopes[0][i] += weights[i, j] * np.asarray(pair[0], object).astype(np.float64)
            slopes[1][j] += weights[i, j] * np.asarray(pair[1], object).astype(np.float64)
    return slopes


def gradients(case, p, q, weights):
    """In reverse and in forward mode."""

    def scalar(p, q):
        value = case.function(p, q)
        return jnp.sum(jnp.where(weights == 0, jnp.zeros_like(value), weights * value))

    program = quick_jit(lambda *a: (jax.grad(scalar, (0, 1))(*a), jax.jacfwd(scalar, (0, 1))(*a)))
    return program(p, q)


def proper(case):
    """Tables of the boundary that are distributions."""
    rows = [r for r in case.boundary if not any(is_wrong(case, x) for x in r.arguments)]
    return inputs.stack([r for r in rows if r.label != "far apart"])


def compare_gradients(case, p, q, weights):
    for found in gradients(case, p, q, weights):
        for actual, expected in zip(found, exact_gradients(case, p, q, weights), strict=True):
            scale = max(1.0, float(np.max(np.abs(expected[np.isfinite(expected)]))))
            np.testing.assert_allclose(actual, expected, rtol=16 * eps(), atol=32 * eps() * scale)


@every_case
def test_gradients(case):
    """At zeros and masks, of all pairs whose value is finite, each with a weight of its own."""
    p, q = proper(case)
    weights = np.random.default_rng(1).uniform(0.5, 1, (len(p), len(q))).astype(default_float())
    compare_gradients(case, p, q, np.where(np.isfinite(truth(case, p, q)), weights, 0))


@every_case
def test_gradients_where_the_value_is_infinite(case):
    """From tables, infinite in the coordinates that are; from logits, finite."""
    p, q = proper(case)
    weights = np.ones((len(p), len(q)), default_float())
    if case.is_logits:
        for found in gradients(case, p, q, weights):
            assert all(np.isfinite(x).all() for x in found)
    else:
        compare_gradients(case, p, q, weights)


@every_case
def test_hessians(case):
    """Against numerical derivatives of the exact gradient; forward over reverse, and reverse over reverse."""
    p, q = draw(case, 2, 3, 3, seed=2)
    weights = np.random.default_rng(3).uniform(0.5, 1, (2, 3)).astype(default_float())
    scalar = lambda p, q: jnp.sum(weights * case.function(p, q))  # noqa: E731
    program = quick_jit(
        lambda *a: (jax.hessian(scalar, (0, 1))(*a), jax.jacrev(jax.jacrev(scalar, (0, 1)), (0, 1))(*a))
    )
    expected = exact_hessian(case, p, q, weights)
    for blocks in program(p, q):
        sizes = (p.size, q.size)
        rows = [[np.reshape(b, (n, -1)) for b in line] for line, n in zip(blocks, sizes, strict=True)]
        np.testing.assert_allclose(np.block(rows), expected, rtol=64 * eps(), atol=64 * eps() * np.abs(expected).max())


def exact_hessian(case, p, q, weights):
    points, step = [oracles.exact(p), oracles.exact(q)], oracles.mpf(10) ** -18

    def gradient(points):
        slopes = [x * 0 for x in points]
        for i, j in np.ndindex(weights.shape):
            pair = case.oracle.gradient(points[0][i], points[1][j])
            slopes[0][i] = slopes[0][i] + float(weights[i, j]) * pair[0]
            slopes[1][j] = slopes[1][j] + float(weights[i, j]) * pair[1]
        return np.concatenate([s.ravel() for s in slopes])

    columns = []
    for which in (0, 1):
        for index in np.ndindex(points[which].shape):
            sides = []
            for sign in (1, -1):
                moved = [x.copy() for x in points]
                moved[which][index] = moved[which][index] + sign * step
                sides.append(gradient(moved))
            columns.append(((sides[0] - sides[1]) / (2 * step)).astype(np.float64))
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("case", CASES[:2], ids=lambda c: c.identifier)
def test_curvature_at_zeros(case):
    """d2/dpdq = -1/q also at p = 0, d2/dq2 = p/q^2; d2/dp2 = 1/p (0 at 0) of the divergence."""
    p, q = np.asarray([[0.0, 0.0, 0.5, 0.5]], default_float()), np.asarray([[0.25, 0.0, 0.5, 0.25]], default_float())
    function = lambda p, q: jnp.sum(case.function(p, q))  # noqa: E731
    for hessian in (jax.hessian(function, (0, 1)), jax.jacrev(jax.jacrev(function, (0, 1)), (0, 1))):
        (pp, pq), (qp, qq) = jax.tree.map(lambda x: np.squeeze(x, (0, 2)), quick_jit(hessian)(p, q))
        close(pp, np.diag([0, 0, 2, 2]) if case.divergence else np.zeros((4, 4)))
        close(pq, np.diag([-4, 0, -2, -4]))
        close(qp, np.diag([-4, 0, -2, -4]))
        close(qq, np.diag([0, 0, 2, 8]))


def test_gradient_of_close_hellinger_distances():
    """The slope divides by the distance, and has its digits all the same."""
    case = CASES[3]
    p, _ = draw(case, 3, 1, 5)
    q = (p * (1 + 1e-5 * np.random.default_rng(6).uniform(-1, 1, p.shape))).astype(p.dtype)
    compare_gradients(case, p, q, np.eye(3, dtype=p.dtype))


# --- shapes and options -----------------------------------------------------------------------------------------


@once
@every_case
def test_batches(case):
    """Batch axes broadcast against each other, as under vmap; a second call with other numbers traces nothing."""
    p, q = draw(case, 2 * 4, 3 * 5, 6)
    p, q = p.reshape(2, 1, 4, 6), q.reshape(3, 5, 6)
    expected = np.stack([np.stack([truth(case, a[0], b) for b in q]) for a in p])
    chex.clear_trace_counter()
    mapped = jax.vmap(jax.vmap(case.function, (None, 0)), (0, None))
    program = quick_jit(chex.assert_max_traces(lambda p, q: mapped(p[:, 0], q), n=1))
    for actual in (case.function(p, q), program(p, q)):
        close(actual, expected)
    with jax.no_tracing():
        close(np.asarray(case.function(p[::-1].copy(), q))[::-1], expected)
    program(p[::-1].copy(), q)
    one, other = quick_jit(lambda p, q: (case.function(p[0, 0], q), case.function(p[:, 0], q[0])))(p, q)
    close(one, expected[0])
    close(other, expected[:, 0])


@once
@every_case
def test_gradients_of_batches(case):
    """A stack that is broadcast gathers the gradients of all its copies."""
    p, q = draw(case, 4, 3 * 5, 6)
    weights = np.random.default_rng(1).uniform(0.5, 1, (3, 4, 5)).astype(default_float())
    found = quick_jit(jax.grad(lambda p, q: jnp.sum(weights * case.function(p, q)), (0, 1)))(p, q.reshape(3, 5, 6))
    expected = exact_gradients(case, p, q, np.concatenate(weights, axis=-1))
    close(found[0], expected[0], ulps=64)
    close(found[1], expected[1].reshape(3, 5, 6), ulps=64)


@once
@every_case
def test_lengths_of_one_and_none(case):
    p, q = draw(case, 3, 2, 4)
    ones = [(p[:n, :k], q[:m, :k]) for n, m, k in ((1, 1, 4), (3, 1, 4), (1, 2, 4), (3, 2, 1))]
    found, nothing = quick_jit(lambda pairs, none: ([case.function(*x) for x in pairs], case.function(*none)))(
        ones, (p[:, :0], q[:, :0])
    )
    for pair, actual in zip(ones, found, strict=True):
        close(actual, truth(case, *pair))
    for n, m in ((0, 2), (3, 0), (0, 0)):
        assert case.function(p[:n], q[:m]).shape == (n, m)
        gradient = quick_jit(jax.grad(lambda a, b: jnp.sum(case.function(a, b)), (0, 1)))(p[:n], q[:m])
        assert [g.shape for g in gradient] == [(n, 4), (m, 4)]
    np.testing.assert_array_equal(nothing, np.full((3, 2), np.nan if case.is_logits else 0))


@once
@every_case
def test_where(case):
    """Entries that are masked are gone from all tables, even NaN ones, and their gradient is 0."""
    p, q = draw(case, 3, 2, 5)
    where = np.asarray([True, False, True, True, False])
    empty = -np.inf if case.is_logits else 0.0
    expected = truth(case, *(np.where(where, x, np.asarray(empty, x.dtype)) for x in (p, q)))
    program = quick_jit(
        lambda *a: (
            case.function(*a, where=where),
            jax.grad(lambda *b: jnp.sum(case.function(*b, where=where)), (0, 1))(*a),
        )
    )
    value, gradient = program(p, q)
    spoiled_value, spoiled = program(*(np.where(where, x, np.nan).astype(x.dtype) for x in (p, q)))
    close(value, expected)
    np.testing.assert_array_equal(spoiled_value, value)
    for clean, bad in zip(gradient, spoiled, strict=True):
        np.testing.assert_array_equal(np.asarray(clean)[:, ~where], 0)
        np.testing.assert_array_equal(bad, clean)
    close(quick_jit(lambda p, q: case.function(p, q, where=True))(p, q), truth(case, p, q))


@once
@pytest.mark.parametrize("case", [c for c in CASES if c.has_base], ids=lambda c: c.identifier)
def test_base(case):
    p, q = draw(case, 3, 2, 5)
    found = quick_jit(lambda p, q: [case.function(p, q, base=base) for base in (2, 10.0)])(p, q)
    for base, actual in zip((2, 10.0), found, strict=True):
        close(actual, truth(case, p, q) / np.log(base))
    with pytest.raises(ValueError, match=f"{case.name}.*base.*-1"):
        case.function(p, q, base=-1)


@once
@every_case
def test_dtypes(case):
    """Kept by value and gradient; half precision is computed in float32, so it is off by its own rounding alone."""
    for dtype in (jnp.bfloat16, jnp.float16, np.float32):
        p, q = draw(case, 3, 2, 50, dtype=dtype)
        program = quick_jit(lambda *a: (case.function(*a), jax.grad(lambda *b: jnp.sum(case.function(*b)), (0, 1))(*a)))
        value, gradient = program(p, q)
        assert {x.dtype for x in (value, *gradient)} == {np.dtype(dtype)}
        tolerance = max(float(jnp.finfo(dtype).eps), 64 * eps(np.float32))
        np.testing.assert_allclose(np.asarray(value, np.float64), truth(case, p, q), rtol=tolerance)
    integers = np.eye(3, dtype=np.int32)
    found = quick_jit(case.function)(integers, integers)
    assert found.dtype == default_float()
    close(found, truth(case, integers, integers))


@once
@every_case
def test_errors(case):
    p, q = draw(case, 3, 2, 4)
    argument = "p_logits" if case.is_logits else "p"
    wrong = [
        (TypeError, "complex64", (p.astype(np.complex64), q), {}),
        (ValueError, rf"{argument} .*\(4,\)", (p[0], q), {}),
        (ValueError, r"axis -1 differ.*\(2, 3\)", (p, q[:, :3]), {}),
        (ValueError, r"\(5, 3, 4\)", (np.stack([p] * 5), np.stack([q] * 3)), {}),
        (TypeError, "float32", (p, q), {"where": np.ones(4, np.float32)}),
        (ValueError, r"\(9,\)", (p, q), {"where": np.ones(9, bool)}),
    ]
    for error, match, arrays, options in wrong:
        for call in (case.function, jax.jit(functools.partial(case.function, **options))):
            with pytest.raises(error, match=f"{case.name}.*{match}"):
                call(*arrays, **(options if call is case.function else {}))


# --- blocks and memory ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "m", "k"), [(37, 53, 11), (3, 100, 7), (64, 1, 5), (8, 8, 300)])
def test_blocks_that_do_not_fill_up(n, m, k, monkeypatch):
    """Sums of products in small blocks, against the whole in float64."""
    monkeypatch.setattr(_pairs, "_TILE", 256)
    generator = np.random.default_rng(n)
    p, q = generator.random((n, k)), generator.random((m, k))
    term = lambda a, b: a * a * b  # noqa: E731
    a, b = (jnp.asarray(x, default_float()) for x in (p, q))

    @quick_jit
    def program(a, b):
        return _pairs.blocked(term, a, b), jax.grad(lambda a, b: jnp.sum(_pairs.blocked(term, a, b)), (0, 1))(a, b)

    value, found = program(a, b)
    close(value, (p * p) @ q.T, ulps=2 * k)
    close(found[0], 2 * p * q.sum(0), ulps=4 * (k + m))
    close(found[1], np.broadcast_to((p * p).sum(0), q.shape), ulps=4 * (k + n))
    batch = [np.stack([x] * 3) for x in (a, b)]
    close(quick_jit(lambda a, b: _pairs.blocked(term, a, b))(*batch)[1], value)


@once
@every_case
@pytest.mark.parametrize("mode", ["value", "gradient"])
def test_no_array_of_all_entries_of_all_pairs(case, mode):
    """1 GB of terms, in a few tables and results of 1 MB each."""
    stack = jax.ShapeDtypeStruct((512, 512), np.float32)
    function = case.function if mode == "value" else jax.grad(lambda p, q: jnp.sum(case.function(p, q)), (0, 1))
    compiled = jax.jit(function).lower(stack, stack).compile()
    assert compiled.memory_analysis().temp_size_in_bytes < 32e6
