"""Measures of ragged tables, each segment against the oracle of the measure of one table."""

import functools
from dataclasses import dataclass

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxinfo
from jaxinfo import logits
from tests import inputs, oracles
from tests.marks import once
from tests.oracles import Oracle
from tests.quick import quick_jit
from tests.rows.measure import oracle
from tests.table import default_float


def eps(dtype=None):
    return float(np.finfo(dtype or default_float()).eps)


@dataclass(frozen=True)
class Case:
    """A measure of segments: its oracle, and the kind of problem that one segment is."""

    function: object
    oracle: Oracle
    kind: str

    @property
    def name(self):
        return self.function.__name__

    @property
    def is_logits(self):
        return self.kind.startswith("logit")

    @property
    def identifier(self):
        return f"{'logits' if self.is_logits else 'discrete'}.{self.name}"

    @property
    def count(self):
        """How many tables it takes."""
        return len(inputs.KINDS[self.kind].ranks)

    @property
    def empty(self):
        """The value of a segment without entries."""
        return np.nan if self.is_logits else 0.0


CASES = [
    Case(jaxinfo.segment_entropy, oracle("entropy"), "table"),
    Case(jaxinfo.segment_cross_entropy, oracle("cross_entropy"), "pair"),
    Case(jaxinfo.segment_kl_divergence, oracle("kl_divergence"), "pair"),
    Case(logits.segment_entropy, oracle("logits_entropy"), "logits"),
    Case(logits.segment_cross_entropy, oracle("logits_cross_entropy"), "logit pair"),
    Case(logits.segment_kl_divergence, oracle("logits_kl_divergence"), "logit pair"),
]
every_case = pytest.mark.parametrize("case", CASES, ids=lambda c: c.identifier)


def flatten(problems, seed=0):
    """The problems as one ragged axis, in order and mixed: (tables, ids, permutation)."""
    ids = np.concatenate([np.full(len(row.arguments[0]), s) for s, row in enumerate(problems)])
    tables = [np.concatenate(column) for column in zip(*(row.arguments for row in problems), strict=True)]
    return tables, ids, np.random.default_rng(seed).permutation(len(ids))


def truth(case, problems):
    wrong = [inputs.outside_domain(row, case.kind) for row in problems]
    return np.asarray([np.nan if w else float(case.oracle(*r.arguments)) for r, w in zip(problems, wrong, strict=True)])


def draw(case, lengths=(3, 1, 4, 2), dtype=None):
    """One problem of each length, in the interior."""
    generator = np.random.default_rng(1)
    problems = []
    for length in lengths:
        arguments = generator.normal(size=(case.count, length))
        if not case.is_logits:
            arguments = np.exp(arguments) / np.exp(arguments).sum(-1, keepdims=True)
        problems.append(inputs.Row(str(length), tuple(arguments.astype(dtype or default_float()))))
    return problems


def close(actual, expected, ulps=16, **options):
    np.testing.assert_allclose(actual, expected, rtol=ulps * eps(), atol=ulps * eps(), **options)


# --- values -----------------------------------------------------------------------------------------------------


@every_case
def test_boundary_values(case):
    """Every table of the boundary is a segment; NaN and negative entries stay in theirs."""
    problems = inputs.boundary_rows(case.kind, default_float())
    tables, ids, order = flatten(problems)
    expected, number = truth(case, problems), len(problems)
    assert np.isnan(expected).any()
    close(case.function(*tables, ids, num_segments=number, indices_are_sorted=True), expected)
    close(case.function(*(x[order] for x in tables), ids[order], num_segments=number), expected)


@every_case
@pytest.mark.parametrize("size", [1, 10, 128, 1000])
def test_accuracy(case, size):
    """8 ulp times the condition number, 8 ulp flat for divergences of what is close to each other."""
    problems = inputs.rows(case.kind, size, default_float())
    tables, ids, order = flatten(problems)
    found = case.function(*(x[order] for x in tables), ids[order], num_segments=len(problems))
    flushed = 1024.0 * float(np.finfo(default_float()).tiny) * size
    for row, actual in zip(problems, np.asarray(found), strict=True):
        value = case.oracle(*row.arguments)
        error = float(oracles.relative_error(actual, value)) / eps()
        if error <= 8 or (abs(float(value)) <= flushed and abs(actual) <= 2 * flushed):
            continue
        flat = row.close and "kl" in case.name
        assert error <= 8 * (1 if flat else max(1, float(case.oracle.condition(*row.arguments)))), (row.label, value)


@every_case
def test_a_long_segment_among_short_ones(case):
    """A million entries in one segment keep a relative error under 1e-6 in single precision."""
    generator = np.random.default_rng(2)
    length = 1_000_000
    z = generator.normal(size=(case.count, length)).astype(np.float32)
    tables = z if case.is_logits else (np.exp(z) / np.exp(z.astype(np.float64)).sum(-1, keepdims=True))
    tables = [t.astype(np.float32) for t in tables]
    expected = float(oracles.to_floats(case.oracle(*tables))[0])
    kept = [np.concatenate([t, t[::1000]]) for t in tables]
    ids = np.concatenate([np.zeros(length, np.int32), 1 + np.arange(1000, dtype=np.int32) % 100])
    found = case.function(*kept, ids, num_segments=101)
    assert abs(float(found[0]) / expected - 1) < 1e-6


@pytest.mark.parametrize("case", [c for c in CASES if "kl" in c.name], ids=lambda c: c.identifier)
def test_equal_tables_are_exactly_zero_apart(case):
    problems = draw(case)
    tables, ids, _ = flatten(problems)
    np.testing.assert_array_equal(case.function(tables[0], tables[0], ids, num_segments=4), 0)


# --- derivatives ------------------------------------------------------------------------------------------------


def proper(case):
    problems = inputs.boundary_rows(case.kind, default_float())
    return [r for r in problems if not inputs.outside_domain(r, case.kind)]


@every_case
def test_gradients(case):
    """In reverse and forward mode, also beside infinite coordinates; from logits finite even there."""
    problems = proper(case)
    tables, ids, order = flatten(problems)
    mixed = tuple(x[order] for x in tables)
    positions = tuple(range(case.count))
    total = lambda *a: jnp.sum(case.function(*a, ids[order], num_segments=len(problems)))  # noqa: E731
    program = quick_jit(lambda *a: (jax.grad(total, positions)(*a), jax.jacfwd(total, positions)(*a)))
    slopes = [case.oracle.gradient(*map(oracles.exact, row.arguments)) for row in problems]
    expected = [np.concatenate([np.asarray(s[i], object).astype(np.float64) for s in slopes]) for i in positions]
    infinite = np.isinf(truth(case, problems))[ids]
    for found in program(*mixed):
        for actual, slope in zip(found, expected, strict=True):
            compared = ~infinite[order] if case.is_logits else np.ones(len(order), bool)
            assert np.isfinite(np.asarray(actual)[~compared]).all()
            close(np.asarray(actual)[compared], slope[order][compared], ulps=64)


@every_case
def test_hessians(case):
    """Against numerical derivatives of the exact gradient, in two orders of differentiation."""
    problems = draw(case, (3, 2))
    tables, ids, _ = flatten(problems)
    positions = tuple(range(case.count))
    total = lambda *a: jnp.sum(case.function(*a, ids, num_segments=2))  # noqa: E731
    program = quick_jit(
        lambda *a: (jax.hessian(total, positions)(*a), jax.jacrev(jax.jacrev(total, positions), positions)(*a))
    )
    expected = exact_hessian(case, tables, ids)
    for blocks in program(*tables):
        close(np.block([list(map(np.asarray, line)) for line in blocks]), expected, ulps=128)


def exact_hessian(case, tables, ids):
    step = oracles.mpf(10) ** -18

    def gradient(points):
        parts = [case.oracle.gradient(*(x[ids == s] for x in points)) for s in np.unique(ids)]
        return np.concatenate([np.concatenate([part[i] for part in parts]) for i in range(case.count)])

    columns = []
    for which, index in np.ndindex(case.count, len(ids)):
        sides = []
        for sign in (1, -1):
            points = [oracles.exact(x) for x in tables]
            points[which][index] = points[which][index] + sign * step
            sides.append(gradient(points))
        columns.append(((sides[0] - sides[1]) / (2 * step)).astype(np.float64))
    return np.stack(columns, axis=1)


# --- shapes and options -----------------------------------------------------------------------------------------


@once
@every_case
def test_segments_that_are_empty_and_entries_that_are_dropped(case):
    """Ids outside the range are dropped, whatever they hold, and their gradient is 0."""
    problems = draw(case)
    tables, ids, _ = flatten(problems)
    stray = np.asarray([-1, -7, 9, 100])
    spoiled = tuple(np.concatenate([[np.nan, 0.5], x, [np.nan, -0.5]]).astype(x.dtype) for x in tables)
    moved = np.concatenate([stray[:2], 2 * ids, stray[2:]])
    expected = np.full(9, case.empty)
    expected[[0, 2, 4, 6]] = truth(case, problems)
    positions = tuple(range(case.count))

    @quick_jit
    def program(*a):
        total = lambda *b: jnp.nansum(case.function(*b, moved, num_segments=9))  # noqa: E731
        in_order = case.function(*a, np.sort(moved), num_segments=9, indices_are_sorted=True)
        return case.function(*a, moved, num_segments=9), in_order, jax.grad(total, positions)(*a)

    found, in_order, gradient = program(*spoiled)
    close(found, expected)
    close(in_order[2:6], found[2:6])
    for slope in gradient:
        np.testing.assert_array_equal(np.asarray(slope)[[0, 1, -2, -1]], 0)
        assert np.isfinite(slope).all()
    assert case.function(*tables, ids, num_segments=0).shape == (0,)
    nothing = [x[:0] for x in tables]
    np.testing.assert_array_equal(case.function(*nothing, ids[:0], num_segments=2), np.full(2, case.empty))


@once
@every_case
def test_batches_and_axes(case):
    """Batch axes on either side, as under vmap over tables and over ids; a second call traces nothing."""
    problems = draw(case)
    tables, ids, order = flatten(problems)
    several = [np.stack([np.stack([x, x[order]])] * 3) for x in tables]  # [3, 2, T]
    columns = np.stack([ids, ids[order]])
    expected = truth(case, problems)

    def mapped(*arrays):
        one = lambda ids, *a: case.function(*a, ids, num_segments=4)  # noqa: E731
        return jax.vmap(jax.vmap(one), (None, *(0,) * case.count))(columns, *arrays)

    chex.clear_trace_counter()
    program = quick_jit(chex.assert_max_traces(mapped, n=1))
    for _ in range(2):
        close(program(*several), np.broadcast_to(expected, (3, 2, 4)))
    alike = [x[:, :1] for x in several]
    close(case.function(*alike, ids, num_segments=4), np.broadcast_to(expected, (3, 1, 4)))
    first = quick_jit(lambda *a: case.function(*a, ids, num_segments=4, axis=0))(
        *(np.moveaxis(x, -1, 0) for x in alike)
    )
    close(first, np.broadcast_to(expected[:, None, None], (4, 3, 1)))
    with jax.no_tracing():
        case.function(*(x.copy() for x in alike), ids, num_segments=4)


@once
@every_case
def test_where(case):
    """Entries that are masked are gone, even NaN ones, and their gradient is 0."""
    problems = draw(case)
    tables, ids, _ = flatten(problems)
    where = np.asarray([True, False, True, True, False, True, True, False, True, True])
    spoiled = tuple(np.where(where, x, np.nan).astype(x.dtype) for x in tables)
    left = [inputs.Row("", tuple(x[(ids == s) & where] for x in tables)) for s in range(4)]
    function = lambda *a: case.function(*a, ids, num_segments=4, where=where)  # noqa: E731
    total = lambda *a: jnp.sum(function(*a))  # noqa: E731
    program = quick_jit(lambda *a: (function(*a), jax.grad(total, tuple(range(case.count)))(*a)))
    value, slopes = program(*spoiled)
    close(value, truth(case, left))
    for slope in slopes:
        np.testing.assert_array_equal(np.asarray(slope)[~where], 0)
        assert np.isfinite(slope).all()


@once
@every_case
def test_base_and_dtypes(case):
    tables, ids, _ = flatten(problems := draw(case))
    in_bits = quick_jit(lambda *a: case.function(*a, ids, num_segments=4, base=2))
    close(in_bits(*tables), truth(case, problems) / np.log(2))
    ids = np.repeat(np.arange(2, dtype=np.uint8), (20, 30))
    function = lambda *a: case.function(*a, ids, num_segments=2)  # noqa: E731
    gradient = jax.grad(lambda *a: jnp.sum(function(*a)))
    program = quick_jit(lambda *a: (function(*a), gradient(*a)))
    for dtype in (jnp.bfloat16, jnp.float16, np.float32):
        problems = draw(case, (20, 30), dtype)
        value, slope = program(*flatten(problems)[0])
        assert {value.dtype, slope.dtype} == {np.dtype(dtype)}
        tolerance = max(float(jnp.finfo(dtype).eps), 64 * eps(np.float32))
        np.testing.assert_allclose(np.asarray(value, np.float64), truth(case, problems), rtol=tolerance)


@once
@every_case
def test_errors(case):
    tables, ids, _ = flatten(draw(case))
    wrong = [
        (TypeError, "complex64", (tables[0].astype(np.complex64), *tables[1:]), ids, {}),
        (TypeError, "float32", tables, ids.astype(np.float32), {}),
        (ValueError, r"\(10,\).*\(3,\)", tables, ids[:3], {}),
        (ValueError, "-2", tables, ids, {"num_segments": -2}),
        (TypeError, "1.5", tables, ids, {"num_segments": 1.5}),
        (ValueError, "axis 3", tables, ids, {"axis": 3}),
        (ValueError, "axis", [np.stack([x] * 2) for x in tables], ids, {"axis": (0, 1)}),
        (TypeError, "where", tables, ids, {"where": np.ones(10)}),
        (ValueError, "base", tables, ids, {"base": 0}),
    ]
    for error, match, arrays, segment_ids, options in wrong:
        call = functools.partial(case.function, **{"num_segments": 4, **options})
        for function in (call, jax.jit(call)):
            with pytest.raises(error, match=f"{case.name}.*{match}"):
                function(*arrays, segment_ids)
