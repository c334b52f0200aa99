"""The pattern language on tables and on logits: against definitions that know no pattern, and against known values."""

import functools

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings

import jaxinfo
from jaxinfo import _patterns, logits
from tests import oracles
from tests.marks import once
from tests.oracles_shannon import combination, combination_gradient, density
from tests.quick import quick_jit
from tests.table import default_float

NAMES = "abcde"


def eps():
    return float(np.finfo(default_float()).eps)


def table(*shape, seed=0):
    """Random probabilities, none of them small."""
    p = np.random.default_rng(seed).dirichlet(np.ones(int(np.prod(shape)))) + 0.02
    return (p / p.sum()).reshape(shape).astype(default_float())


def close(actual, expected, ulps=16, **options):
    """Sums of a few terms around 1."""
    np.testing.assert_allclose(
        actual, np.asarray(expected, np.float64), rtol=ulps * eps(), atol=ulps * eps(), **options
    )


def exactly(p, *terms):
    return float(combination(oracles.exact(p), terms))


def from_log(pattern, p, **options):
    """The same distribution as logits, with an offset."""
    return logits.shannon(pattern, jnp.log(p) + 3, **options)


def quickly(shannon):
    """The same in one program: for tests that ask what a pattern means."""
    return lambda pattern, p, **options: quick_jit(functools.partial(shannon, pattern, **options))(p)


both = pytest.mark.parametrize("shannon", [jaxinfo.shannon, from_log], ids=["table", "logits"])

quickly_both = pytest.mark.parametrize(
    "shannon", [quickly(jaxinfo.shannon), quickly(from_log)], ids=["table", "logits"]
)

# --- known values -----------------------------------------------------------------------------------------------


def parity():
    p = np.zeros((2, 2, 2), default_float())
    for x, y in np.ndindex(2, 2):
        p[x, y, x ^ y] = 0.25
    return p


def giant_bit():
    p = np.zeros((2, 2, 2), default_float())
    p[0, 0, 0] = p[1, 1, 1] = 0.5
    return p


@both
def test_parity(shannon):
    """Any two are independent, and each is known from the others."""
    pattern = "x y z -> I(x; y; z), I(x; y), I(x; y | z), H(x), H(x y z), H(z | x y), I(x y; z), H(x) - H(x | y z)"
    close(shannon(pattern, parity(), base=2), [-1, 0, 1, 1, 2, 0, 1, 1])


@both
def test_giant_bit(shannon):
    pattern = "x y z -> I(x; y; z), I(x; y), I(x; y | z), H(x y z), H(x | y), H(x) + H(y) + H(z) - H(x y z)"
    close(shannon(pattern, giant_bit(), base=2), [1, 1, 0, 1, 0, 2])


@quickly_both
def test_four_variables_of_even_parity(shannon):
    p = np.zeros((2, 2, 2, 2), default_float())
    for w, x, y in np.ndindex(2, 2, 2):
        p[w, x, y, w ^ x ^ y] = 0.125
    pattern = "w x y z -> I(w; x; y; z), I(w; x; y), I(w; x; y | z), H(z | w x y), I(w x; y z)"
    close(shannon(pattern, p, base=2), [1, 0, -1, 0, 1])


@quickly_both
def test_a_variable_in_several_groups(shannon):
    p = table(2, 3, 2)
    same, other = shannon("x y z -> I(x; x), I(x y; y z)", p), shannon("x y z -> H(x), H(y) + I(x; z | y)", p)
    close(same, other)
    close(shannon("x y z -> I(x; x; y)", p), shannon("x y z -> I(x; y)", p))
    np.testing.assert_array_equal(shannon("x y z -> H(x | x), I(x; y | x), I(x; y) - I(y; x)", p), 0)


# --- against definitions ----------------------------------------------------------------------------------------


def random_group(generator, variables):
    return tuple(int(v) for v in generator.permutation(variables)[: generator.integers(1, 3)])


def random_term(generator, rank):
    """A term as text and as `tests.oracles_shannon` has it; in half of them a variable may be in several groups."""
    overlap, free, groups = generator.random() < 0.5, list(range(rank)), []
    for _ in range(generator.integers(1, 5)):
        if free:
            groups.append(random_group(generator, free))
            free = free if overlap else [v for v in free if v not in groups[-1]]
    given_ = groups.pop() if len(groups) > 1 and generator.random() < 0.5 else ()
    sign, number, star = generator.choice(["+", "-"]), generator.choice(["", "2", "0.5", "1.25", ".75"]), ""
    if number and generator.random() < 0.5:
        star = " * "
    name = lambda group: " ".join(NAMES[v] for v in group)  # noqa: E731
    inside = "; ".join(map(name, groups)) + (f" | {name(given_)}" if given_ else "")
    coefficient = (-1 if sign == "-" else 1) * float(number or 1)
    return f"{sign} {number}{star}{'I' if len(groups) > 1 else 'H'}({inside})", (coefficient, tuple(groups), given_)


def random_pattern(seed):
    """A table of one to five variables, a pattern of one to three outputs, and the terms of each."""
    generator = np.random.default_rng(seed)
    rank = int(generator.integers(1, 6))
    outputs = [[random_term(generator, rank) for _ in range(generator.integers(1, 4))] for _ in range(rank % 3 + 1)]
    text = ", ".join(" ".join(term for term, _ in output) for output in outputs)
    p = table(*generator.integers(1, 4, rank), seed=seed)
    return p, f"{' '.join(NAMES[:rank])} -> {text}", [[term for _, term in output] for output in outputs]


seeds = given(st.integers(0, 2**31))


def joint_entropy(p, names):
    q = p.sum(tuple(a for a in range(p.ndim) if NAMES[a] not in names))
    return -(q * np.log(q)).sum()


@seeds
def test_entropies_add_up_to_the_definitions(seed):
    p, text, outputs = random_pattern(seed)
    terms = jaxinfo.shannon_terms(text)
    for found, several in zip(terms if isinstance(terms, tuple) else (terms,), outputs, strict=True):
        exact = p.astype(np.float64) / p.astype(np.float64).sum()
        total = sum(c * joint_entropy(exact, names) for names, c in found.items())
        np.testing.assert_allclose(total, exactly(exact, *several), rtol=0, atol=1e-12, err_msg=text)


def allowed(p, several):
    """A few roundings of every logarithm and of the marginals under it."""
    exact = oracles.exact(p)
    return 16 * eps() * sum(abs(c) * (1 + float((exact * abs(density(exact, g, z))).sum())) for c, g, z in several)


def as_tuple(x):
    return x if isinstance(x, tuple) else (x,)


@once
@settings(max_examples=10)
@seeds
def test_patterns_are_what_they_say(seed):
    p, text, outputs = random_pattern(seed)
    if seed % 2 and p.size > 2:  # some zeros
        p = np.where(np.random.default_rng(seed).random(p.shape) < 0.3, 0, p).astype(p.dtype)
        p.flat[0] += 1 - p.sum()
    for shannon in (jaxinfo.shannon, from_log):
        found = as_tuple(quick_jit(functools.partial(shannon, text))(p))
        assert len(found) == len(outputs)
        for value, several in zip(found, outputs, strict=True):
            np.testing.assert_allclose(value, exactly(p, *several), rtol=0, atol=allowed(p, several), err_msg=text)


def exact_gradient(p, several):
    return np.asarray(combination_gradient(oracles.exact(p), several)[0], np.float64)


@settings(max_examples=8)
@seeds
def test_gradients_are_those_of_the_definitions(seed):
    """Along the simplex: entropies that cancel there differ by a multiple of the total mass."""
    p, text, outputs = random_pattern(seed)
    tables = as_tuple(quick_jit(jax.jacrev(lambda p: jaxinfo.shannon(text, p)))(p))
    from_logits = as_tuple(quick_jit(jax.jacrev(lambda z: logits.shannon(text, z)))(np.log(p)))
    for found, through, several in zip(tables, from_logits, outputs, strict=True):
        expected = exact_gradient(p, several)
        size = sum(abs(c) * (1 + abs(np.log(p.min()))) for c, _, _ in several)
        np.testing.assert_allclose(found - found.mean(), expected - expected.mean(), rtol=0, atol=32 * eps() * size)
        pulled = p * (expected - (p * expected).sum())
        np.testing.assert_allclose(through, pulled, rtol=0, atol=32 * eps() * size)


@quickly_both
def test_chain_rules(shannon):
    p = table(2, 3, 2, 2)
    pattern = "w x y z -> H(w x y z), H(w) + H(x | w) + H(y | w x) + H(z | w x y), I(w; x y z), I(w; x) + I(w; y z | x)"
    whole, chain, information, parts = shannon(pattern, p)
    close(whole, chain)
    close(information, parts)


# --- accuracy ---------------------------------------------------------------------------------------------------


@both
def test_information_keeps_its_digits_however_it_is_written(shannon):
    """Of variables that are independent within 1e-3, beside a third that is summed out; never negative."""
    generator = np.random.default_rng(0)
    x, y, z = (generator.dirichlet(np.ones(n)) + 0.1 for n in (3, 4, 2))
    p = x[:, None, None] * y[:, None] * z * (1 + 1e-3 * generator.uniform(-1, 1, (3, 4, 2)))
    p = (p / p.sum()).astype(default_float())
    term = (1, ((0,), (1,)), ())
    expected = exactly(p, term)
    assert expected < 1e-5
    # The condition number is about one over the deviation, and p as logits is rounded once more.
    exact = oracles.exact(p)
    rtol = 16 * eps() * float((exact * abs(density(exact, *term[1:]))).sum()) / expected
    forms = ["I(x; y)", "H(x) + H(y) - H(x y)", "H(x) - H(x | y)", "I(x; y z) - I(x; z | y)"]
    for form in forms:
        np.testing.assert_allclose(shannon(f"x y z -> {form}", p), expected, rtol=rtol, err_msg=form)


def test_independence_is_never_negative():
    generator = np.random.default_rng(1)
    for _ in range(20):
        p = np.einsum("x,y,z->xyz", *(generator.dirichlet(np.ones(n)) for n in (3, 4, 5))).astype(default_float())
        for value in jaxinfo.shannon("x y z -> I(x; y), I(x; z | y), H(z) - H(z | x y)", p):
            assert 0 <= value < 1e-6


def test_a_function_of_another_variable_has_no_entropy_left():
    """H(X|Y) where one x has all but a little of every y, from sums and from one conditional entropy."""
    p = np.array([[0.5, 1e-9, 0.0], [1e-10, 0.25, 1e-8], [0.0, 1e-11, 0.25]], default_float())
    expected = exactly(p, (1, ((0,),), (1,)))
    for form in ("H(x | y)", "H(x y) - H(y)", "H(x) - I(x; y)"):
        np.testing.assert_allclose(jaxinfo.shannon(f"x y -> {form}", p), expected, rtol=64 * eps())


# --- axes that are kept -----------------------------------------------------------------------------------------


def slices(p, kept):
    """The slices of a table along some axes, in that order, with their positions."""
    moved = np.moveaxis(p, kept, range(len(kept)))
    for position in np.ndindex(moved.shape[: len(kept)]):
        yield position, moved[position]


@pytest.mark.parametrize(
    ("pattern", "kept", "groups", "given"),
    [
        ("a b x y -> a b I(x; y)", (0, 1), ((0,), (1,)), ()),
        ("a b x y -> b a I(x; y)", (1, 0), ((0,), (1,)), ()),
        ("x a y b -> b a I(x; y)", (3, 1), ((0,), (1,)), ()),
        ("x a y b -> a H(x | y)", (1,), ((0,),), (1,)),
        ("x a y b -> b H(a y | x)", (3,), ((1, 2),), (0,)),
        ("x a y b -> y I(x; a; b)", (2,), ((0,), (1,), (2,)), ()),
        ("... x y -> ... H(x)", (0, 1), ((0,),), ()),
        ("... b x y -> ... b I(x; y)", (0, 1), ((0,), (1,)), ()),
        ("... b x y -> b ... I(x; y)", (1, 0), ((0,), (1,)), ()),
        ("... x y -> I(x; y)", (), ((2,), (3,)), ()),
        ("... a b x y -> ... y a H(x | b)", (3, 0), ((1,),), (0,)),
    ],
)
def test_slices(pattern, kept, groups, given):
    """On a table every slice as it stands, on logits each a distribution of its own."""
    p = table(2, 3, 4, 2)
    found, normalised = (
        np.asarray(quickly(f)(pattern, x)) for f, x in ((jaxinfo.shannon, p), (logits.shannon, np.log(p)))
    )
    assert found.shape == normalised.shape == tuple(p.shape[a] for a in kept)
    for position, part in slices(p, kept):
        close(found[position], exactly(part, (1, groups, given)))
        own = oracles.exact(part) / oracles.exact(part).sum()
        close(normalised[position], float(combination(own, [(1, groups, given)])), 32)


def test_slices_of_a_joint_table_add_up_to_conditional_information():
    p = table(3, 2, 4)
    close(jnp.sum(jaxinfo.shannon("z x y -> z I(x; y)", p)), exactly(p, (1, ((1,), (2,)), (0,))))


@once
@quickly_both
def test_outputs_may_keep_different_axes(shannon):
    p = table(2, 3, 2)
    first, second, third = shannon("a x y -> a H(x), H(a x), x y 2 H(a) - H(a)", p)
    assert (first.shape, second.shape, third.shape) == ((2,), (), (3, 2))
    close(second, exactly(p, (1, ((0, 1),), ())))


@both
def test_what_cancels_is_zero_of_the_right_shape(shannon):
    found = shannon("a x y -> a I(x; y) - I(y; x)", table(2, 3, 2))
    np.testing.assert_array_equal(found, np.zeros(2))
    assert found.dtype == default_float()


def test_long_axes_and_axes_of_length_one():
    p = table(1, 20, 1, 30, 1)
    close(
        jaxinfo.shannon("a x b y c -> I(a x; b y), H(a b c), H(x | a)", p),
        [
            exactly(p, (1, ((1,), (3,)), ())),
            0,
            exactly(p, (1, ((1,),), ())),
        ],
        64,
    )


# --- options and transformations --------------------------------------------------------------------------------


@once
@quickly_both
def test_where_and_base(shannon):
    p = table(3, 2, 2)
    where = np.random.default_rng(5).random(p.shape) < 0.7
    masked = np.where(where, p, 0).astype(p.dtype)
    spoiled = np.where(where, p, np.nan).astype(p.dtype)
    for options in ({}, {"base": 2}):
        pattern = "x y z -> H(x), I(x; z), H(y | x) + I(x; y; z)"
        close(shannon(pattern, spoiled, where=where, **options), shannon(pattern, masked, **options))
    close(np.asarray(shannon(pattern, p, base=2)) * np.log(2), shannon(pattern, p))


@once
@quickly_both
@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, np.float32])
def test_dtypes(shannon, dtype):
    p = table(2, 4).astype(dtype)
    for value in shannon("x y -> H(x), x H(y), 2 I(x; y) - 0.5 H(y), H(x | x)", p):
        assert value.dtype == dtype


def test_half_precision_is_summed_in_single():
    p = np.full((64, 128), 2.0**-13, jnp.float16)
    close(jaxinfo.shannon("x y -> H(x), H(y)", p, base=2), [6, 7])


def test_a_wrong_entry_stays_in_its_slice():
    p = np.stack([table(2, 2), np.array([[-0.1, 0.4], [0.3, 0.4]], default_float()), table(2, 2) * np.nan])
    for pattern in ("n x y -> n I(x; y)", "n x y -> n H(x y)", "n x y -> n H(x | y)"):
        np.testing.assert_array_equal(np.isnan(jaxinfo.shannon(pattern, p)), [False, True, True])
    # One that is summed out is a part of the sum.
    np.testing.assert_array_equal(np.isnan(jaxinfo.shannon("n x y -> n H(x)", p)), [False, False, True])
    z = np.stack([table(2, 2), np.full((2, 2), -np.inf, default_float())])
    for pattern in ("n x y -> n I(x; y)", "n x y -> n H(x)", "n x y -> n H(x | y)"):
        np.testing.assert_array_equal(np.isnan(logits.shannon(pattern, z)), [False, True])


@once
@pytest.mark.parametrize("module", [jaxinfo, logits])
def test_vmap_jit_and_no_retrace(module):
    p = table(4, 2, 3)
    pattern = "x y -> H(x), 2 I(x; y) - H(y | x), y H(x)"
    kept = module.shannon("n x y -> n H(x), n 2 I(x; y) - H(y | x), n y H(x)", p)
    for mapped in (
        jax.vmap(lambda t: module.shannon(pattern, t)),
        jax.jit(jax.vmap(lambda t: module.shannon(pattern, t))),
    ):
        for value, expected in zip(mapped(p), kept, strict=True):
            close(value, expected)
    module.shannon(pattern, jnp.asarray(p[0]))
    other = jnp.asarray(p[1])
    with jax.no_tracing():
        module.shannon(pattern, other)


def test_curvature_of_a_marginal_entropy():
    """-1/p(x) between entries of the same x; 0 for an x that never occurs."""
    p = table(3, 2)
    p[1] = 0
    hessian = np.asarray(quick_jit(jax.hessian(lambda p: jaxinfo.shannon("x y -> H(x)", p)))(p)).reshape(6, 6)
    p_x = p.astype(np.float64).sum(1)
    inverse = np.where(p_x == 0, 0, -1 / np.where(p_x == 0, 1, p_x))
    expected = np.kron(np.diag(inverse), np.ones((2, 2)))
    np.testing.assert_allclose(hessian, expected, rtol=16 * eps())


def test_gradient_at_zero_entries():
    """0 where what is measured has no mass; finite and right where only the entry has none."""
    p = np.array([[0.0, 0.5], [0.0, 0.0], [0.25, 0.25]], default_float())
    gradient = jax.grad(lambda p: jaxinfo.shannon("x y -> H(x)", p))(p)
    close(gradient, [[-1 - np.log(0.5)] * 2, [0, 0], [-1 - np.log(0.5)] * 2])
    with np.errstate(divide="ignore"):
        z = np.log(p)
    first = quick_jit(jax.grad(lambda z: logits.shannon("x y -> H(x)", z)))(z)
    close(first, np.zeros((3, 2)))  # two equal halves: the entropy is at its maximum
    assert np.isfinite(quick_jit(jax.hessian(lambda z: logits.shannon("x y -> H(x) + I(x; y)", z)))(z)).all()


# --- what it costs ----------------------------------------------------------------------------------------------


def recorded(pattern, p, **changes):
    """The sums and the measures that evaluating takes, as numbers of entries and names."""
    sums, measures = [], []

    def marginal(axes, others, fine, t):
        del others, fine
        sums.append((t.size, jnp.sum(t, axis=axes).size))
        return jnp.sum(t, axis=axes, keepdims=True)

    def measure(name):
        def rule(variables, t):
            measures.append((name, t.shape))
            axes = tuple(a for v in variables for a in (v if isinstance(v, tuple) else (v,)))
            return jnp.sum(t, axis=axes, keepdims=True)

        return rule

    rules = _patterns.Rules(marginal, measure("H"), measure("H|"), measure("I"), by_slice=False)._replace(**changes)
    _patterns.evaluate(_patterns.plan(pattern), p, rules)
    return sums, measures


def test_each_marginal_is_summed_once_from_the_smallest_that_holds_it():
    p = jnp.ones((2, 3, 5, 7))
    pattern = "w x y z -> H(w) + H(w x) - H(w x y), 2 H(w x) + H(w) + H(z), H(x w y) + H(w)"
    sums, measures = recorded(pattern, p)
    assert sums == [(210, 30), (210, 7), (30, 6), (6, 2)]
    assert sorted(measures) == [("H", (2,)), ("H", (6,)), ("H", (7,)), ("H", (30,))]


def test_each_measure_is_computed_once():
    p = jnp.ones((2, 3, 5))
    pattern = "x y z -> I(x; y), 3 I(y; x) - H(x | y) + H(z), I(x; y; z) + H(x | y), z I(x; y), z 2 I(x; y)"
    sums, measures = recorded(pattern, p)
    assert sorted(measures) == [("H", (5,)), ("H|", (2, 3)), ("I", (2, 3)), ("I", (2, 3, 5)), ("I", (2, 3, 5))]
    assert sorted(sums) == [(30, 5), (30, 6)]


def test_logits_have_marginals_of_each_slice():
    p = jnp.ones((2, 3, 5))
    pattern = "n x y -> n H(x), H(n x), n 2 H(x) - H(y)"
    assert len(recorded(pattern, p)[0]) == 2
    assert len(recorded(pattern, p, by_slice=True)[0]) == 3


def test_axes_of_one_group_are_one_axis():
    p = jnp.ones((4, 2, 3, 5, 7))
    assert recorded("n a b c d -> n I(a b; c d)", p)[1] == [("I", (4, 6, 35))]
    assert recorded("n a b c d -> n I(a c; b d)", p)[1] == [("I", (4, 2, 3, 5, 7))]
    assert recorded("n a b c d -> n H(a d)", p)[1] == [("H", (4, 14))]
    assert recorded("n a b c d -> n a H(b c | d)", p)[1] == [("H|", (4, 2, 15, 7))]
