"""Generic tests, driven by the table: every public measure goes through each of them.

Compiling costs more than computing, so problems are stacked into batches and variants share one compiled call. Results
are compared with the oracles of `tests/oracles.py`, which know nothing of the library.
"""

import functools
import inspect

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxinfo
from jaxinfo import discrete, logits
from tests import inputs, oracles
from tests.marks import slow_if
from tests.quick import quick_jit
from tests.table import CHECKS, MEASURES, default_float, expected_value

X64 = jax.config.jax_enable_x64
FIRST = [m for i, m in enumerate(MEASURES) if m.function not in [other.function for other in MEASURES[:i]]]


def functions(chosen=None):
    """What an option means hangs on neither the arguments nor the precision: all but one row of a function are slow."""
    rows = [pytest.param(m, id=m.identifier, marks=slow_if(X64 or m not in FIRST)) for m in filter(chosen, MEASURES)]
    return pytest.mark.parametrize("measure", rows)


def having(*options):
    return functions(lambda m: m.options.issuperset(options))


every_function = functions()


def eps():
    return float(np.finfo(default_float()).eps)


# --- the table is complete --------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [discrete, logits], ids=["discrete", "logits"])
def test_every_public_function_has_a_row(module):
    short = module.__name__.rpartition(".")[2]
    rows = {f"{m.module}.{m.name}" for m in MEASURES} | CHECKS
    # The forms that mix a table and logits live in `logits`.
    assert {f"{short}.{name}" for name in module.__all__} == {row for row in rows if row.startswith(f"{short}.")}


def test_tables_are_at_the_top_level():
    for name in discrete.__all__:
        assert getattr(jaxinfo, name) is getattr(discrete, name)


@every_function
def test_options_are_keyword_only_and_documented_names(measure):
    parameters = inspect.signature(measure.function).parameters
    for name in ("axis", "where", "keepdims", "base"):
        assert (name in parameters) >= (name in measure.options)
        assert name not in parameters or parameters[name].kind is inspect.Parameter.KEYWORD_ONLY


# --- accuracy ---------------------------------------------------------------------------------------------------


def sized():
    """Every measure at every size that its oracle can do.

    All are asked at 10 or near it; further sizes of a function's first row take turns in 32 and 64 bits. The rest is
    slow.
    """
    usual = (1, 10, 1000) if X64 else (10, 128, 10_000, 1_000_000)
    for measure in MEASURES:
        few = min(measure.sizes, key=lambda n: abs(n - 10))
        for size in measure.sizes:
            chosen = size == few or (size in usual and measure in FIRST)
            yield pytest.param(measure, size, id=f"{measure.identifier}-{size}", marks=slow_if(not chosen))


def misses(measure, rows, values, actual, dtype):
    """The problems whose answer is off by more than 8 ulp times the condition number."""
    unit = float(np.finfo(dtype).eps)
    # Whatever is below the least normal number may be flushed to 0, and a term p log p is up to 800 times that.
    flushed = 1024.0 * float(np.finfo(dtype).tiny) * max(x.size for x in rows[0].arguments)
    found = []
    for row, value, answer in zip(rows, values, actual, strict=True):
        error = oracles.relative_error(answer, value) / unit
        high, _ = oracles.to_floats(value)
        lost = (np.abs(high) <= flushed) & (np.abs(np.asarray(answer, np.float64)) <= 2 * flushed)
        # Where nothing depends on anything (one outcome alone), an information that is 0 may come out as a rounding.
        nothing = (high == 0) & (not measure.divergence) & (np.abs(np.asarray(answer, np.float64)) <= 8 * unit)
        # Information from a table of logits that is less than the square of a rounding comes from outcomes so rare that
        # products of their probabilities are lost beside 1, and neither formula resolves it.
        is_information = "information" in measure.name or measure.variant.startswith("(I(")
        if measure.module == "logits" and is_information:
            nothing |= (np.abs(high) < unit**2) & (np.abs(np.asarray(answer, np.float64)) < unit**2)
        beyond = (np.abs(high) > float(np.finfo(dtype).max)) & (answer == np.copysign(np.inf, high))  # of the dtype
        wrong = (error > 8) & ~lost & ~nothing & ~beyond
        if not wrong.any():
            continue
        flat = row.close and measure.divergence
        condition = np.broadcast_to(
            1.0 if flat else np.maximum(1, measure.oracle.condition(*row.arguments)), error.shape
        )
        wrong &= error > 8 * condition
        if wrong.any():
            worst = np.unravel_index(int(np.argmax(np.where(wrong, error / condition, 0))), error.shape)
            found.append(
                f"{measure.identifier} [{row.label}]: {np.asarray(answer)[worst]!r}, exactly {float(high[worst])!r}: "
                f"off by {error[worst]:.3g} ulp, condition number {condition[worst]:.3g}"
            )
    return found


@pytest.mark.parametrize(("measure", "size"), list(sized()))
def test_accuracy(measure, size):
    """At most 8 ulp times the condition number; 8 ulp flat for divergences of what is close to each other."""
    dtype = default_float()
    rows = measure.rows(size, dtype)
    values = [measure.oracle(*row.arguments) for row in rows]
    # Users' own programs of every function; other rows of it differ in a number, and take the quick ones in 64 bits.
    program = quick_jit(measure) if X64 and measure not in FIRST else measure
    actual = np.asarray(program(*inputs.stack(rows)))
    assert actual.dtype == dtype
    assert misses(measure, rows, values, actual, dtype) == []
    if measure.nonnegative and not measure.output_rank:
        # An entropy below 0 is right where an entry is a rounding above 1.
        below = [np.any(oracles.to_floats(value)[0] < 0) for value in values]
        assert [row.label for row, a, b in zip(rows, actual, below, strict=True) if np.any(a < 0) and not b] == []


def divergences():
    """Every divergence at three sizes; the other rows of a function at one."""
    for measure in [m for m in MEASURES if m.divergence]:
        for size in (1, 10, 1000):
            marks = slow_if(size != 10 and (X64 or measure not in FIRST))
            yield pytest.param(measure, size, id=f"{measure.identifier}-{size}", marks=marks)


@pytest.mark.parametrize(("measure", "size"), list(divergences()))
def test_equal_distributions_are_exactly_zero_apart(measure, size):
    dtype = default_float()
    arguments = inputs.stack(measure.rows(min(size, max(measure.sizes)), dtype))
    if len(measure.ranks) >= 2:
        arguments = (arguments[0], arguments[0], *arguments[2:])
    else:
        arguments = (np.repeat(arguments[0][:, :1], 4, axis=1),)
    np.testing.assert_array_equal(measure(*arguments), 0)


@every_function
def test_a_row_never_depends_on_the_rest_of_its_batch(measure):
    """Bitwise: with the other rows in reverse, all the same, or full of NaN."""
    arguments = inputs.stack(measure.rows(1000 if measure.ranks == (0,) else 10, default_float()))
    reference = np.asarray(measure(*arguments))
    with jax.no_tracing():  # other numbers of the same shape
        reverse = np.asarray(measure(*(x[::-1].copy() for x in arguments)))
    np.testing.assert_array_equal(reverse[::-1], reference)
    for row in (0, len(reference) - 1):
        same = np.asarray(measure(*(np.repeat(x[row : row + 1], len(x), 0) for x in arguments)))
        np.testing.assert_array_equal(same, np.repeat(reference[row : row + 1], len(reference), 0))
    for kept in (0, 1):
        spoiled = [x.copy() for x in arguments]
        for x in spoiled:
            x[1 - kept :: 2] = np.nan if np.issubdtype(x.dtype, np.floating) else 0
        np.testing.assert_array_equal(np.asarray(measure(*spoiled))[kept::2], reference[kept::2])


# --- the boundary, and derivatives everywhere -------------------------------------------------------------------


@functools.cache
def boundary(measure):
    return inputs.boundary_rows(measure.kind, default_float())


every_measure = pytest.mark.parametrize(
    "measure", [pytest.param(m, id=m.identifier, marks=slow_if(X64 and m not in FIRST)) for m in MEASURES]
)
# Derivatives take most of the compiling; those of the other rows of a function are slow tests.
differentiated_measures = pytest.mark.parametrize(
    "measure", [pytest.param(m, id=m.identifier, marks=slow_if(m not in FIRST)) for m in MEASURES]
)


def in_range(value, dtype):
    """An answer beyond the range of the dtype is infinite."""
    return np.where(np.abs(value) > float(np.finfo(dtype).max), np.copysign(np.inf, value), value)


@functools.cache
def in_programs(measure):
    """The values of the boundary rows, mapped and one after the other."""
    program = quick_jit(lambda *a: (jax.vmap(measure)(*a), jax.lax.map(lambda row: measure(*row), a)))
    return jax.tree.map(np.asarray, program(*inputs.stack(boundary(measure))))


@every_measure
def test_boundary_values(measure):
    """Zeros, one-hot, NaN, negative, masked: the exact value in each row, and nothing of it in the next one."""
    dtype = default_float()
    rows = boundary(measure)
    arguments = inputs.stack(rows)
    mapped, looped = in_programs(measure)
    found = {"vmap under jit": mapped, "loop under jit": looped}
    if measure in FIRST:
        found["eager"] = np.asarray(measure(*arguments))
    expected = np.stack([in_range(expected_value(measure, row), dtype) for row in rows])
    compared = np.ones(expected.shape, bool)
    if measure.name.startswith("pointwise"):
        # A wrong cell of a joint table is NaN; what becomes of the pairs beside it is open.
        (x,) = arguments
        wrong = np.isnan(x) | ((x < 0) & ~np.isneginf(x) & (not any(measure.is_logits)))
        compared = wrong | ~wrong.any(axis=tuple(range(1, x.ndim)), keepdims=True)
    # These tables are well conditioned but for the huge logits, whose answers are 0, infinite or as large as they.
    for name, actual in found.items():
        np.testing.assert_allclose(
            actual[compared], expected[compared], rtol=16 * eps(), atol=8 * eps(), equal_nan=True, err_msg=name
        )


def scalar(measure):
    """The measure with one number out: an answer that is a table is summed over its finite entries."""
    if not measure.output_rank:
        return measure
    return lambda *arrays: jnp.sum(jnp.where(jnp.isfinite(y := measure(*arrays)), y, jnp.zeros_like(y)))


def directions(measure, arrays):
    """One step along each coordinate of a problem, the same in every problem of the batch: `[K, batch, ...]`."""
    sizes = [arrays[i][0].size for i in measure.differentiable]
    steps = np.split(np.eye(sum(sizes), dtype=default_float()), np.cumsum(sizes)[:-1], axis=1)
    shapes = [arrays[i].shape for i in measure.differentiable]
    return [
        np.broadcast_to(x.reshape(-1, 1, *shape[1:]), (len(x), *shape)) for x, shape in zip(steps, shapes, strict=True)
    ]


def derivatives(measure):
    """Of a batch of problems, in one program.

    In reverse mode of each problem (the value beside) and of the sum over the batch, in forward mode, and the Hessian:
    forward over reverse. A problem depends on no other, so that one direction serves all of them at once.
    """
    problem, where = scalar(measure), measure.differentiable
    batch = jax.vmap(problem) if measure.output_rank else measure

    def all_of_them(*arrays):
        def among(chosen):
            chosen = dict(zip(where, chosen, strict=True))
            return [chosen.get(i, x) for i, x in enumerate(arrays)]

        def values(*chosen):
            return batch(*among(chosen))

        def slopes(*chosen):
            return jax.grad(lambda *a: jnp.sum(values(*a)), tuple(range(len(where))))(*chosen)

        point = tuple(arrays[i] for i in where)
        along = jax.vmap(lambda *step: (jax.jvp(values, point, step)[1], jax.jvp(slopes, point, step)))
        forward, (gradient, hessian) = along(*directions(measure, arrays))
        return {
            "reverse": jax.vmap(jax.value_and_grad(problem, where))(*arrays),
            "batch": [x[0] for x in gradient],  # the same along every direction
            "forward": forward,
            "hessian": hessian,
        }

    return all_of_them


@functools.cache
def differentiated(measure):
    """Everything about the boundary rows in one compiled call."""
    arrays = inputs.stack(boundary(measure))
    found = jax.tree.map(np.asarray, quick_jit(derivatives(measure))(*arrays))
    problems = [arrays[i] for i in measure.differentiable]
    sizes = [x[0].size for x in problems]
    slopes = np.split(found["forward"].T, np.cumsum(sizes)[:-1], axis=1)
    lines = [x.reshape(*x.shape[:2], -1) for x in found["hessian"]]
    return found | {
        "forward": [x.reshape(problem.shape) for x, problem in zip(slopes, problems, strict=True)],
        "hessian": np.moveaxis(np.concatenate(lines, axis=-1), 0, -1),
    }


@functools.cache
def reverse_of_reverse(measure):
    """The Hessians of the boundary rows in another way."""
    arrays = inputs.stack(boundary(measure))
    function = jax.jacrev(jax.jacrev(scalar(measure), measure.differentiable), measure.differentiable)
    sizes = [arrays[i][0].size for i in measure.differentiable]
    blocks = jax.tree.map(np.asarray, quick_jit(jax.vmap(function))(*arrays))
    lines = [
        [block.reshape(-1, n, m) for block, m in zip(line, sizes, strict=True)]
        for line, n in zip(blocks, sizes, strict=True)
    ]
    return np.block(lines)


def expected_gradient(measure, row):
    """The oracle's gradient of one problem, or that of its finite entries' sum by numerical differentiation."""
    if measure.oracle.gradient is not None:
        points = [oracles.exact(x) for x in row.arguments]
        with measure.oracle.precision(points):
            gradients = measure.oracle.gradient(*points)
    elif measure.name == "surprisal":
        # -sum of log-softmax over n unmasked entries: n p - 1, and 0 for a masked one.
        p, _, masked = oracles.normalise(oracles.exact(row.arguments[0]))
        gradients = (oracles.select(masked, 0, int((~masked).sum()) * p - 1),)
    else:
        gradients = oracles.differentiate(lambda x: measure.oracle.value(x).sum(), list(row.arguments))
    return [np.asarray(gradients[i], dtype=object).astype(np.float64) for i in measure.differentiable]


def is_masked_table(measure, row):
    """A table of pointwise information with an infinite entry has no gradient that the contract speaks of."""
    return measure.name.startswith("pointwise") and bool(np.any(np.isinf(row.arguments[0]) | (row.arguments[0] == 0)))


def proper(measure):
    """The boundary rows inside the domain, with their position."""
    for i, row in enumerate(boundary(measure)):
        if not inputs.outside_domain(row, measure.kind) and not is_masked_table(measure, row):
            yield i, row


@differentiated_measures
@pytest.mark.parametrize("mode", ["reverse", "forward", "batch"])
def test_gradients(measure, mode):
    """Reverse and forward, in the interior and at the boundary, also beside rows of NaN and infinite coordinates."""
    dtype = default_float()
    found = differentiated(measure)[mode]
    found = found[1] if mode == "reverse" else found
    for i, row in proper(measure):
        # Slopes of f-divergences from logits stop growing before their products leave the range of the dtype.
        power = 0.25 if measure.name in {"f_divergence", "chi_squared_divergence"} else 1.0
        most = float(np.finfo(dtype).max) ** power
        infinite = measure.module == "logits" and (np.abs(expected_value(measure, row)) > most).any()
        expectations = zip(measure.differentiable, found, expected_gradient(measure, row), strict=True)
        for position, actual, expected in expectations:
            if infinite and measure.is_logits[position]:  # the contract: finite, whatever the value
                assert np.isfinite(actual[i]).all(), row.label
                continue
            # The gradient's own condition number is near its largest entry over each entry: an absolute tolerance.
            scale = max(1.0, float(np.max(np.abs(expected[np.isfinite(expected)]), initial=0)))
            np.testing.assert_allclose(actual[i], expected, rtol=16 * eps(), atol=16 * eps() * scale, err_msg=row.label)


@differentiated_measures
def test_the_value_is_the_same_when_one_differentiates(measure):
    """A custom derivative rule leaves its primal alone."""
    value, _ = in_programs(measure)
    if measure.output_rank:
        value = np.where(np.isfinite(value), value, 0).reshape(len(value), -1).sum(axis=1)
    # Other outputs of the program may change how XLA adds up four terms: one rounding each.
    found = differentiated(measure)["reverse"][0]
    np.testing.assert_allclose(found, value, rtol=4 * eps(), atol=4 * eps())


def hessian_oracle(measure, row):
    """Numerical second derivatives at 60 digits; NaN where an entry is on the boundary of the simplex."""
    points = [oracles.exact(x) for x in row.arguments]
    step = oracles.mpf(10) ** -18
    positions = [(i, k) for i in measure.differentiable for k in np.ndindex(points[i].shape)]
    interior = [measure.is_logits[i] or float(points[i][k]) > 0 for i, k in positions]
    hessian = np.full((len(positions), len(positions)), np.nan)
    for column, (i, k) in enumerate(positions):
        if interior[column]:
            sides = []
            for sign in (1, -1):
                moved = [x.copy() for x in points]
                moved[i][k] = moved[i][k] + sign * step
                with measure.oracle.precision(points):
                    gradients = measure.oracle.gradient(*moved)
                sides.append(np.concatenate([np.ravel(gradients[j]) for j in measure.differentiable]))
            change = (sides[0] - sides[1]) / (2 * step)
            hessian[:, column] = np.where(interior, change.astype(np.float64), np.nan)
    return hessian


def has_equal_entries(measure, row):
    p, q = (oracles.normalise(oracles.exact(x))[0] if any(measure.is_logits) else x for x in row.arguments)
    return bool(np.any(abs(p - q) < 1e-30))


@differentiated_measures
@pytest.mark.parametrize("mode", ["hessian", pytest.param("reverse of reverse", marks=pytest.mark.slow)])
def test_hessians(measure, mode):
    """Second derivatives against the oracle; at a zero entry they are finite wherever the value is."""
    dtype = default_float()
    matrices = differentiated(measure)[mode] if mode == "hessian" else reverse_of_reverse(measure)
    for i, row in proper(measure):
        finite = np.isfinite(in_range(expected_value(measure, row), dtype)).all()
        if not finite or (measure.kink and measure.kink(*row.arguments)):
            continue
        actual = matrices[i]
        assert np.isfinite(actual).all(), row.label
        # At p = q a distance is a cone: its second derivative does not exist.
        cone = "distance" in measure.name and not expected_value(measure, row)
        cone |= measure.name == "total_variation" and has_equal_entries(measure, row)
        if measure.oracle.gradient is None or cone:
            continue
        expected = hessian_oracle(measure, row)
        known = ~np.isnan(expected)
        scale = max(1.0, float(np.max(np.abs(expected[known]), initial=0)))
        # Two derivatives of a sum of a few terms: a few roundings of its largest entry.
        np.testing.assert_allclose(
            actual[known], expected[known], rtol=32 * eps(), atol=32 * eps() * scale, err_msg=row.label
        )


# --- options ----------------------------------------------------------------------------------------------------


def block(measure, *batch, dtype=None):
    """Random problems, `[*batch, ...]` for each argument, of shape (3, 2) or (2, 2, 2) if joint, else of length 4.

    Chains have 3 states, and conditional tables 3 rows.
    """
    generator = np.random.default_rng(3)
    dtype = dtype or default_float()
    arrays = []
    shapes = {"joint": (3, 2), "joint logits": (3, 2), "triple": (2, 2, 2), "triple logits": (2, 2, 2)}
    shapes["transition"] = (3, 3)
    for number, shape in (("three", (2, 3, 2)), ("four", (2, 2, 3, 2))):
        shapes |= {f"{number} variables": shape, f"{number} variables of logits": shape}
    for rank, is_logits in zip(measure.ranks, measure.is_logits, strict=True):
        shape = (3, 2)[:rank] if "conditional" in measure.kind else shapes.get(measure.kind, (4,) * rank)
        if measure.kind == "labels and logits" and not rank:
            arrays.append(generator.integers(4, size=batch).astype(np.int32))
        elif is_logits:
            arrays.append(generator.normal(size=(*batch, *shape)).astype(dtype))
        elif rank:
            drawn = generator.dirichlet(np.ones(int(np.prod(shape))), size=batch).reshape(*batch, *shape)
            arrays.append((0.8 * drawn + 0.2 / np.prod(shape)).astype(dtype))
        else:
            arrays.append(generator.uniform(0.1, 0.9, batch).astype(dtype))
    return tuple(arrays)


def answers(measure, arrays, batch):
    """The oracle on every problem of a block."""
    out = [measure.oracle(*(x[i] for x in arrays)) for i in np.ndindex(batch)]
    tables = np.stack([np.asarray(y, dtype=object).astype(np.float64) for y in out])
    return tables.reshape(*batch, *tables.shape[1:])


def close(actual, expected, **options):
    """Well-conditioned problems: 16 ulp, also in absolute terms since their values are around 1."""
    np.testing.assert_allclose(actual, expected, rtol=16 * eps(), atol=16 * eps(), **options)


def is_label(measure, x):
    return measure.kind == "labels and logits" and x.dtype == np.int32


@every_function
def test_batches(measure):
    """[2, 3] problems, jitted and vmapped twice; a second call with other numbers traces nothing."""
    given = block(measure, 2, 3)
    arrays, others = [jnp.asarray(x) for x in given], [jnp.asarray(x[:, ::-1]) for x in given]
    expected = answers(measure, given, (2, 3))
    chex.clear_trace_counter()  # it counts by name
    program = quick_jit(chex.assert_max_traces(lambda *a: (measure(*a), jax.vmap(jax.vmap(measure))(*a)), n=1))
    for actual in program(*arrays):
        close(actual, expected)
    for actual in program(*others):
        close(np.asarray(actual)[:, ::-1], expected)


@having("axis")
def test_axis(measure):
    """An axis in any position, counted from either end; a tuple of axes is one long axis."""
    arrays = block(measure, 2, 3)
    expected = answers(measure, arrays, (2, 3))
    # With four tables to mix, theirs is the last axis once the summed one has moved to the front.
    options = {"mixture_axis": -1} if measure.kind.endswith("mixture") else {}

    def moved(x, position):
        return x if is_label(measure, x) else jnp.moveaxis(x, -1, position)

    @quick_jit
    def program(*arrays):
        return {p: measure(*(moved(x, p) for x in arrays), axis=p, **options) for p in (0, -2)}

    for position, actual in program(*arrays).items():
        found = np.asarray(actual)
        close(np.moveaxis(found, position, -1) if measure.output_rank else found, expected, err_msg=str(position))


@having("axis")
def test_tuple_of_axes(measure):
    if measure.kind == "labels and logits":
        # A label chooses along one axis.
        with pytest.raises((TypeError, ValueError), match=measure.name):
            measure(*block(measure, 2, 3), axis=(1, 2))
        return
    arrays = block(measure, 3)
    expected = answers(measure, arrays, (3,))
    lengthwise = {"mixture_axis": -3} if measure.kind.endswith("mixture") else {}

    def split(x):
        return x.reshape(*x.shape[:-1], 2, 2)

    @quick_jit
    def program(*arrays):
        several = [split(x) for x in arrays]
        apart = [jnp.moveaxis(x, -1, 0) for x in several]
        return (
            measure(*several, axis=(several[0].ndim - 1, -2), **lengthwise),
            measure(*several, axis=[-2, -1], **lengthwise),
            measure(*apart, axis=(0, -1), **({"mixture_axis": -2} if lengthwise else {})),
        )

    results = [np.asarray(x) for x in program(*arrays)]
    if measure.output_rank:
        results = [*(x.reshape(3, 4) for x in results[:2]), np.moveaxis(results[2], 0, -1).reshape(3, 4)]
    for actual in results:
        close(actual, expected)


@having("keepdims")
def test_keepdims(measure):
    arrays = block(measure, 2, 3)
    expected = answers(measure, arrays, (2, 3))
    front = "axis" in measure.options and not measure.kind.endswith("mixture")

    @quick_jit
    def program(*arrays):
        moved = [x if is_label(measure, x) else jnp.moveaxis(x, -1, 0) for x in arrays]
        return measure(*arrays, keepdims=True), measure(*moved, axis=0, keepdims=True) if front else None

    last, first = program(*arrays)
    assert last.shape == (2, 3, *(1,) * max(measure.ranks))  # where tables are mixed, their axis stays too
    close(np.asarray(last).reshape(2, 3), expected)
    if front:
        assert first.shape == (1, 2, 3)
        close(np.asarray(first)[0], expected)


@having("base")
def test_base(measure):
    arrays = block(measure, 3)
    expected = answers(measure, arrays, (3,))
    program = quick_jit(lambda *a: [measure(*a, base=base) for base in (2, 10.0)])
    for base, actual in zip((2, 10.0), program(*arrays), strict=True):
        close(actual, expected / np.log(base) ** measure.unit, err_msg=str(base))


def widest(arrays):
    """Labels and weights come with tables of more axes."""
    return max(arrays, key=np.ndim)


def masks(measure, arrays):
    """A mask of every problem that leaves something, for the shape of a table."""
    shape = widest(arrays).shape
    generator = np.random.default_rng(4)
    where = generator.random(shape) < 0.6
    if "conditional" in measure.kind:
        where[..., 0] = True  # in every row
    where.reshape(len(where), -1)[:, 0] = True
    if measure.kind == "labels and logits":
        where[np.arange(len(where)), arrays[0]] = True
    return where


def masked_out(x, mask, is_logits):
    """The problem that `where` stands for: no mass in a table, `-inf` in logits."""
    return x if x.shape != mask.shape else np.where(mask, x, np.asarray(-np.inf if is_logits else 0, x.dtype))


@having("where")
def test_where(measure):
    """Masked entries are gone, even NaN ones, and their gradient is exactly 0."""
    arrays = block(measure, 5)
    where = masks(measure, arrays)
    spoiled = [np.where(where, x, np.nan).astype(x.dtype) if x.shape == where.shape else x for x in arrays]
    mapped = [masked_out(x, where, z) for x, z in zip(arrays, measure.is_logits, strict=True)]
    expected = answers(measure, mapped, (5,))
    function = lambda *a: measure(*a, where=where)  # noqa: E731

    @quick_jit
    def program(*arrays):
        # An infinite entry of a table of answers gets no weight.
        total = lambda *a: jnp.sum(jnp.where(jnp.isfinite(expected), function(*a), 0.0))  # noqa: E731
        return function(*arrays), jax.grad(total, measure.differentiable)(*arrays)

    (value, gradient), (spoiled_value, spoiled_gradient) = program(*arrays), program(*spoiled)
    # What a masked entry of a table of answers holds is its own affair.
    compare = where if measure.output_rank else np.ones((5,), bool)
    close(np.asarray(value)[compare], expected[compare])
    np.testing.assert_array_equal(np.asarray(spoiled_value)[compare], np.asarray(value)[compare])
    if measure.output_rank and measure.name != "surprisal":
        return
    for clean, bad in zip(gradient, spoiled_gradient, strict=True):
        assert np.isfinite(clean).all()
        if clean.shape == where.shape:
            np.testing.assert_array_equal(np.asarray(clean)[~where], 0)
        np.testing.assert_array_equal(bad, clean)


@having("where")
def test_where_everywhere_and_nowhere(measure):
    """`where=True` changes nothing; with all masked, a table has no mass and logits are no distribution."""
    arrays = block(measure, 2)
    none = np.zeros(widest(arrays).shape, bool)
    program = quick_jit(lambda none, *a: (measure(*a, where=True), measure(*a, where=none)))
    everything, nothing = program(none, *arrays)
    close(everything, answers(measure, arrays, (2,)))
    if measure.output_rank:
        return
    if any(measure.is_logits):
        assert np.isnan(nothing).all()
    else:
        np.testing.assert_array_equal(nothing, measure.nothing)


@functions(lambda m: m.ranks == (1, 1))
def test_broadcasting(measure):
    """One table against many, and a column of tables against a row of them."""
    p, q = block(measure, 2, 3)
    expected = answers(measure, (np.broadcast_to(p[:1, :1], p.shape), q), (2, 3))
    column = answers(measure, (np.broadcast_to(p[:, :1], p.shape), np.broadcast_to(q[:1], q.shape)), (2, 3))
    flipped = answers(measure, (p, np.broadcast_to(q[0, 0], q.shape)), (2, 3))

    @quick_jit
    def program(p, q):
        gradient = jax.grad(lambda a: jnp.sum(measure(a, q)))(p[0, 0])
        return measure(p[0, 0], q), measure(p[:, :1], q[:1]), measure(p, q[0, 0]), gradient

    one, outer, other, gradient = program(p, q)
    close(one, expected)
    close(outer, column)
    close(other, flipped)
    assert gradient.shape == p[0, 0].shape


def shortened(measure, x, length):
    """With that many outcomes: a chain has as many rows, and rows keep their weights."""
    if is_label(measure, x) or ("conditional" in measure.kind and x.ndim == 2):
        return x
    return x[..., :length, :length] if measure.kind == "transition" else x[..., :length]


@every_function
def test_axes_of_length_one_and_none(measure):
    """A single outcome; no outcome at all; no problem at all."""
    if measure.ranks == (0,):
        assert measure(*(x[:0] for x in block(measure, 3))).shape == (0,)
        return
    arrays = block(measure, 2)
    single = [shortened(measure, x, 1) for x in arrays]
    if measure.kind == "labels and logits":
        single[0] = np.zeros_like(single[0])
    cases = [[x[:0] for x in arrays], single]
    if measure.kind != "labels and logits":  # from no outcome there is nothing to choose
        cases.append([shortened(measure, x, 0) for x in arrays])
    nothing, sure, *empty = map(np.asarray, quick_jit(lambda cases: [measure(*case) for case in cases])(cases))
    assert nothing.shape[0] == 0
    close(sure, answers(measure, single, (2,)))
    for actual in empty:
        if measure.output_rank:
            assert actual.size == 0
        else:  # logits as when every one of them is masked
            np.testing.assert_array_equal(actual, np.nan if any(measure.is_logits) else measure.nothing)


# --- dtypes -----------------------------------------------------------------------------------------------------

HALVES = (jnp.bfloat16, jnp.float16)


@every_function
def test_half_precision(measure):
    """The dtype is kept; computed in float32, so one rounding to half precision and one to spare."""
    rows = measure.rows(1000 if measure.ranks == (0,) else 10, np.float32)
    rows = [r for r in rows if max_size(r) < 50 and not r.close]
    rounded = {d: [inputs.Row(r.label, tuple(to_half(x, d) for x in r.arguments)) for r in rows] for d in HALVES}
    results = quick_jit(lambda batches: [measure(*b) for b in batches])([inputs.stack(rounded[d]) for d in HALVES])
    for dtype, actual in zip(HALVES, results, strict=True):
        assert actual.dtype == dtype
        for row, answer in zip(rounded[dtype], np.asarray(actual), strict=True):
            check_half(measure, row, answer, dtype)


def max_size(row):
    """The largest finite entry: half precision has a short range."""
    return max(float(np.max(np.abs(x[np.isfinite(x)]), initial=0)) for x in row.arguments)


def to_half(x, dtype):
    """To half precision without its subnormals."""
    if np.issubdtype(x.dtype, np.integer):
        return x
    half = x.astype(dtype)
    return np.where(np.abs(x) < float(jnp.finfo(dtype).tiny), np.zeros_like(half), half)


def check_half(measure, row, answer, dtype):
    value = measure.oracle(*row.arguments)
    high = oracles.to_floats(value)[0]
    information = jnp.finfo(dtype)
    # Float32 inside leaves 8 of its own ulp times the condition number, before the rounding to half precision.
    condition = np.where(high == 0, 1, measure.oracle.condition(*row.arguments))
    allowed = 2 * float(information.eps) + 8 * float(np.finfo(np.float32).eps) * condition
    error = oracles.relative_error(answer, value)
    usual = (np.abs(high) < float(information.max)) & (np.abs(high) > float(information.tiny))
    assert np.all(error[usual] <= np.broadcast_to(allowed, error.shape)[usual]), (row.label, answer, high)


@every_function
def test_integers_and_booleans_become_floats(measure):
    arrays = [np.zeros_like(x, bool) if not is_label(measure, x) else x for x in block(measure, 3)]
    for x in arrays:
        if not is_label(measure, x):
            x.reshape(3, -1)[:, 0] = True
    typed = [[x if is_label(measure, x) else x.astype(d) for x in arrays] for d in (np.bool_, np.int32)]
    expected = answers(measure, arrays, (3,))
    for actual in quick_jit(lambda batches: [measure(*b) for b in batches])(typed):
        assert actual.dtype == default_float()
        close(actual, expected)


@pytest.mark.parametrize(
    ("measure", "dtype"),
    [
        pytest.param(m, d, id=f"{m.identifier}-{np.dtype(d).name}", marks=slow_if(m not in FIRST or not usual))
        for m in MEASURES
        for d, usual in ((jnp.bfloat16, not X64), (jnp.float16, False), (np.float32, X64))
    ],
)
def test_dtypes_are_kept(measure, dtype):
    """By the value and by every derivative; single precision with x64 on too."""
    arrays = block(measure, 2, dtype=dtype)

    def program(*a):
        gradient = jax.grad(lambda *b: (jnp.sum(y := measure(*b)), y), measure.differentiable, has_aux=True)
        return gradient(*a), jax.jvp(lambda x: measure(*a[:-1], x), a[-1:], a[-1:])

    assert {leaf.dtype for leaf in jax.tree.leaves(jax.eval_shape(program, *arrays))} == {np.dtype(dtype)}


@pytest.mark.parametrize(
    "measure", [pytest.param(m, id=m.identifier, marks=slow_if(not X64 or m not in FIRST)) for m in MEASURES]
)
def test_single_precision_is_as_accurate_with_x64_on(measure):
    arrays = block(measure, 2, 3, dtype=np.float32)
    single = float(np.finfo(np.float32).eps)
    found = quick_jit(measure)(*arrays)
    np.testing.assert_allclose(found, answers(measure, arrays, (2, 3)), rtol=16 * single, atol=16 * single)


# --- errors -----------------------------------------------------------------------------------------------------


def raises_the_same(measure, error, arrays, match=None, **options):
    """Eager and under `jit`: that error, with the function's name and the offending value."""
    call = functools.partial(measure.__call__, **options)
    for function in (call, jax.jit(call)):
        with pytest.raises(error, match=measure.name) as raised:
            function(*arrays)
        assert match is None or match in str(raised.value)


@every_function
def test_wrong_dtype(measure):
    arrays = block(measure, 2)
    for i in range(len(arrays)):
        wrong = [x.astype(np.complex64) if k == i else x for k, x in enumerate(arrays)]
        raises_the_same(measure, TypeError, wrong, "complex64")


@having("base")
def test_wrong_base(measure):
    for base in (0, -2, 1, 1.0, float("nan"), float("inf")):
        raises_the_same(measure, ValueError, block(measure, 2), repr(base), base=base)


@having("axis")
def test_wrong_axis(measure):
    arrays = block(measure, 2)
    raises_the_same(measure, ValueError, arrays, "7", axis=7)
    raises_the_same(measure, ValueError, arrays, "-8", axis=-8)
    raises_the_same(measure, TypeError, arrays, "1.5", axis=1.5)
    if measure.kind != "labels and logits":
        raises_the_same(measure, ValueError, arrays, "0", axis=(0, 0))


@having("where")
def test_wrong_where(measure):
    arrays = block(measure, 2)
    raises_the_same(measure, TypeError, arrays, "float32", where=np.ones(widest(arrays).shape, np.float32))
    raises_the_same(measure, ValueError, arrays, "9", where=np.ones(9, bool))


@functions(lambda m: len(m.ranks) == 2)
def test_wrong_shapes(measure):
    p, q = block(measure, 2)
    if measure.kind == "labels and logits":
        raises_the_same(measure, ValueError, (np.zeros(5, np.int32), q), "5")
        raises_the_same(measure, TypeError, (np.zeros(2, np.float32), q), "float32")
        return
    raises_the_same(measure, ValueError, (p, q[:, :3]), "3")
    # The summed axis has the same length in both: one entry against four is a mistake, not a broadcast.
    raises_the_same(measure, ValueError, (p, q[:, :1]), "1")
    raises_the_same(measure, ValueError, (p, np.concatenate([q, q[:1]])), "3")


@functions(lambda m: max(m.ranks) > 0)
def test_too_few_axes(measure):
    arrays = [x if is_label(measure, x) else x.reshape(-1)[0] for x in block(measure, 1)]
    if measure.kind == "labels and logits":
        arrays[0] = arrays[0][0]
    raises_the_same(measure, ValueError, arrays)
    if "joint" in measure.kind or "triple" in measure.kind:
        raises_the_same(measure, ValueError, [x.reshape(-1)[:4] for x in block(measure, 1)], "(4,)")
