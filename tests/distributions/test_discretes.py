"""Discrete families: the special functions, vectors, enumerated divergences, ends of the parameters, and errors."""

import functools
import itertools
import math

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import scipy.stats

from jaxinfo import discrete, distributions, logits
from jaxinfo.distributions import (
    Bernoulli,
    Binomial,
    Categorical,
    Geometric,
    Multinomial,
    NegativeBinomial,
    Poisson,
)
from jaxinfo.distributions._registry import closed_form
from jaxinfo.distributions._special.coin import log_remainder
from jaxinfo.distributions._special.counts import digamma_rise, excess, log_factorial_excess

DTYPE = jnp.zeros(()).dtype
EPS = float(jnp.finfo(DTYPE).eps)
# A few ulps of every term, or what 1e-12 is in double precision.
CLOSE = max(32 * EPS, 1e-12)


def floats(*values):
    return jnp.asarray(np.array(values, dtype=np.float64).astype(DTYPE))


def exactly(x):
    return [mpmath.mpf(float(t)) for t in x]


def assert_close(values, exact, scale=None, rel=CLOSE):
    for i, (value, truth) in enumerate(zip(np.ravel(np.asarray(values, np.float64)), exact, strict=True)):
        size = abs(truth) if scale is None else max(abs(truth), scale)
        if mpmath.isinf(truth):
            assert value == float(truth), i
        else:
            assert abs(value - truth) <= rel * size, (i, value, float(truth))


# ---------------------------------------------------------------------------------------------------------------------
# Special functions


def test_log_factorial_excess():
    x = floats(0, 1e-3, 0.5, 1, 2, 3.5, 7, 8, 20, 1e3, 1e4, 1e6, 1e12)
    with mpmath.workdps(40):
        exact = [mpmath.loggamma(t + 1) - t * mpmath.log(t) + t if t else mpmath.mpf(0) for t in exactly(x)]
    # Near 0 its absolute error counts: it is added to terms of size one.
    assert_close(jax.jit(log_factorial_excess)(x), exact, scale=1)


def test_digamma_rise():
    x = floats(1e-3, 0.1, 1, 2.5, 30, 1e4, 1e4, 1e4, 1e-3)
    step = floats(1, 1e-2, 3, 1e4, 1e-3, 1, 1e4, 0, 1e6)
    with mpmath.workdps(40):
        exact = [mpmath.digamma(a + b) - mpmath.digamma(a) for a, b in zip(exactly(x), exactly(step), strict=True)]
    assert_close(jax.jit(digamma_rise)(x, step), exact)


def test_excess_is_rounded_once():
    """Also where the numbers of successes and failures are constants, which a compiler may try to add up."""
    generator = np.random.default_rng(0)
    for a, b in ((1.0, 1e6), (2e5, 8e5), (3.0, 7.0), (1234.0, 98765.0), (0.0, 5.0), (5.0, 0.0)):
        p = floats(*np.clip(a / (a + b) * (1 + generator.integers(-40, 40, 9) * EPS), 0, 1))
        with mpmath.workdps(40):
            exact = [mpmath.mpf(a) - (mpmath.mpf(a) + b) * t for t in exactly(p)]
        given = jnp.full_like(p, a), jnp.full_like(p, b)
        constant = jax.jit(lambda p, a=a, b=b: excess(jnp.full_like(p, a), jnp.full_like(p, b), p))(p)
        assert_close(jax.jit(excess)(*given, p), exact, rel=4 * EPS)
        assert_close(constant, exact, rel=4 * EPS)


def test_log_remainder():
    x = floats(-1, -1 + 1e-6, -0.5, -1e-3, -1e-6, 0, 1e-6, 1e-3, 0.3, 2, 1e6)
    with mpmath.workdps(40):
        exact = [t - mpmath.log(1 + t) if t > -1 else mpmath.inf for t in exactly(x)]
    assert_close(jax.jit(log_remainder)(x), exact)
    assert float(jax.grad(log_remainder)(jnp.ones(()))) == pytest.approx(0.5)


# ---------------------------------------------------------------------------------------------------------------------
# Divergences against enumeration

# Members of each kind, and SciPy's.
COUNTS = {
    "coins": (Bernoulli(probs=jnp.array([0.3, 0.0, 1.0])), [scipy.stats.bernoulli(p) for p in (0.3, 0.0, 1.0)]),
    "coins by log-odds": (
        Bernoulli(logits=jnp.array([1.0, -2.0])),
        [scipy.stats.bernoulli(1 / (1 + math.exp(-z))) for z in (1.0, -2.0)],
    ),
    "binomials": (
        Binomial(jnp.array([0, 1, 3, 4, 4]), jnp.array([0.4, 0.4, 0.25, 0.5, 0.0])),
        [scipy.stats.binom(n, p) for n, p in ((0, 0.4), (1, 0.4), (3, 0.25), (4, 0.5), (4, 0.0))],
    ),
    "geometrics": (Geometric(jnp.array([0.25, 1.0])), [scipy.stats.nbinom(1, 0.25), scipy.stats.binom(0, 0.5)]),
    "negative binomials": (
        NegativeBinomial(jnp.array([2.5, 1.0, 2.5]), jnp.array([0.75, 0.5, 0.5])),
        [scipy.stats.nbinom(r, p) for r, p in ((2.5, 0.75), (1, 0.5), (2.5, 0.5))],
    ),
    "poissons": (
        Poisson(jnp.array([0.5, 3.0, 0.0])),
        [scipy.stats.poisson(0.5), scipy.stats.poisson(3.0), scipy.stats.binom(0, 0.5)],
    ),
    "tables": (
        Categorical(probs=jnp.array([[0.5, 0.25, 0.25]])),
        [scipy.stats.rv_discrete(values=([0, 1, 2], [0.5, 0.25, 0.25]))],
    ),
    "logits": (Categorical(logits=jnp.zeros((1, 5))), [scipy.stats.rv_discrete(values=(range(5), [0.2] * 5))]),
}
LONG_ENOUGH = 400  # no tail of the above beyond it weighs 1e-40


def crossed(measure, members):
    """The measure between all members of every two kinds for which there is a formula."""
    found = {}
    for a, b in itertools.product(members, members):
        p = jax.tree.map(lambda leaf: leaf[:, None], members[a])
        q = jax.tree.map(lambda leaf: leaf[None], members[b])
        if closed_form(measure, p, q) is not None:
            found[f"{a}, {b}"] = getattr(distributions, measure)(p, q)
    return found


@pytest.mark.parametrize("measure", ["kl_divergence", "cross_entropy"])
def test_every_formula_is_the_sum_over_the_counts(measure):
    k = np.arange(LONG_ENOUGH)
    with np.errstate(divide="ignore"):
        logs = {name: [table.logpmf(k) for table in tables] for name, (_, tables) in COUNTS.items()}
    members = {name: member for name, (member, _) in COUNTS.items()}
    values = jax.jit(functools.partial(crossed, measure))(members)
    assert len(values) >= 35
    for pair, value in values.items():
        a, b = pair.split(", ")
        for row, log_p in zip(np.asarray(value), logs[a], strict=True):
            for number, log_q in zip(row, logs[b], strict=True):
                if math.isnan(number):
                    assert a == b
                    assert a in {"binomials", "negative binomials"}  # of different sizes
                    continue
                some = np.exp(log_p) > 0
                ratio = (log_p if measure == "kl_divergence" else 0 * k)[some] - log_q[some]
                exact = float(np.sum(np.exp(log_p[some]) * ratio))
                assert float(number) == pytest.approx(exact, rel=max(CLOSE, 1e-9), abs=8 * EPS), pair


def test_one_trial_is_a_coin_and_one_success_a_geometric():
    aliases = [
        ("kl_divergence", Binomial(1, 0.25), Poisson(0.5), Bernoulli(probs=0.25), Poisson(0.5)),
        ("kl_divergence", Geometric(0.25), NegativeBinomial(1, 0.5), Geometric(0.25), Geometric(0.5)),
        ("kl_divergence", NegativeBinomial(1.0, 0.25), Geometric(0.5), Geometric(0.25), Geometric(0.5)),
        ("cross_entropy", Poisson(0.25), NegativeBinomial(1.0, 0.5), Poisson(0.25), Geometric(0.5)),
    ]
    for measure, p, q, *same in aliases:
        found = getattr(distributions, measure)
        assert float(found(p, q)) == float(found(*same))
    assert float(distributions.entropy(NegativeBinomial(1, 0.25))) == float(distributions.entropy(Geometric(0.25)))


def test_what_has_no_formula_says_so():
    no_formula = [
        (Binomial(3, 0.25), Binomial(4, 0.5)),
        (NegativeBinomial(2.5, 0.5), NegativeBinomial(3.0, 0.5)),
        (Poisson(1.0), Geometric(0.5)),
        (Binomial(3, 0.5), Poisson(1.0)),
    ]
    for p, q in no_formula:
        with pytest.raises(TypeError, match=r"no closed form.*densities"):
            distributions.kl_divergence(p, q)
    for p in (Poisson(1.0), Binomial(3, 0.5), NegativeBinomial(2.0, 0.5), Multinomial(3, jnp.array([0.5, 0.5]))):
        with pytest.raises(TypeError, match="no closed form"):
            distributions.entropy(p)


def test_sizes_known_too_late():
    """Where the numbers of trials are traced, what has no formula is NaN, and more trials than the other's infinite."""
    n, m = jnp.array([3, 3, 4, 4, 0]), jnp.array([3, 4, 3, 3, 4])
    p = jnp.array([0.5, 0.5, 0.5, 0.0, 0.5])
    kl = jax.jit(lambda n, m: distributions.kl_divergence(Binomial(n, p), Binomial(m, 0.25)))(n, m)
    exact = [
        3 * (0.5 * math.log(2) + 0.5 * math.log(2 / 3)),
        math.nan,
        math.inf,
        -3 * math.log(0.75),
        -4 * math.log(0.75),
    ]
    np.testing.assert_allclose(kl, exact, rtol=8 * EPS)
    r = jax.jit(lambda r: distributions.kl_divergence(NegativeBinomial(r, 0.5), NegativeBinomial(2.0, 0.25)))
    np.testing.assert_array_equal(np.isnan(r(jnp.array([2.0, 3.0]))), [False, True])


def test_more_trials_than_the_other_has_are_infinite():
    assert float(distributions.kl_divergence(Binomial(4, 0.5), Binomial(3, 0.5))) == math.inf


# ---------------------------------------------------------------------------------------------------------------------
# The ends of the parameters


def of_probs(kind, measure, p, q):
    return getattr(distributions, measure)(kind(p), kind(q))


KINDS = {
    "Bernoulli": lambda p: Bernoulli(probs=p),
    "Binomial": lambda p: Binomial(1, p),
    "Geometric": Geometric,
    "NegativeBinomial": lambda p: NegativeBinomial(1.0, p),
}
LOG_2 = math.log(2)
# p, q, the divergence of two coins, and its derivatives in p and q.
ENDS = [
    (0.0, 0.0, 0.0, 0.0, 1.0),
    (1.0, 1.0, 0.0, 0.0, -1.0),
    (0.0, 0.5, LOG_2, 0.0, 2.0),
    (1.0, 0.5, LOG_2, 0.0, -2.0),
    (0.0, 1.0, math.inf, -math.inf, math.inf),
    (1.0, 0.0, math.inf, math.inf, -math.inf),
    (0.5, 0.0, math.inf, math.inf, -math.inf),
    (0.5, 1.0, math.inf, -math.inf, math.inf),
    (0.5, 0.5, 0.0, 0.0, 0.0),
]


@pytest.mark.parametrize("name", KINDS)
def test_divergence_at_the_ends(name):
    rows = [row for row in ENDS if row[0] > 0 or name in {"Bernoulli", "Binomial"}]
    p, q, value, in_p, in_q = floats(*np.transpose(rows)).reshape(5, -1)
    measure = functools.partial(of_probs, KINDS[name], "kl_divergence")
    both = jax.jit(jax.vmap(lambda p, q: (measure(p, q), *jax.grad(measure, (0, 1))(p, q))))
    expected = (value, in_p, in_q)
    if name in {"Geometric", "NegativeBinomial"}:
        # For every toss of the 1/p; what p has of its own is infinite at 1, and 0.
        inner = jnp.where((p < 1) & (q == 0), jnp.log(1 / (1 - p)) / p**2, jnp.where((p == 1) & (q == 0), 0.0, in_p))
        expected = (value / p, inner, in_q / p)
    for got, wanted in zip(both(p, q), expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=8 * EPS)


def test_cross_entropy_of_coins_at_the_ends():
    rows = [
        (0.0, 0.0, 0.0, 0.0, 1.0),
        (0.0, 0.25, math.log(4 / 3), math.log(3), 4 / 3),
        (1.0, 0.25, math.log(4), math.log(3), -4.0),
        (0.0, 1.0, math.inf, -math.inf, math.inf),
        (0.5, 0.0, math.inf, math.inf, -math.inf),
    ]
    p, q, *expected = floats(*np.transpose(rows)).reshape(5, -1)
    measure = functools.partial(of_probs, KINDS["Bernoulli"], "cross_entropy")
    both = jax.jit(jax.vmap(lambda p, q: (measure(p, q), *jax.grad(measure, (0, 1))(p, q))))
    for got, wanted in zip(both(p, q), expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=8 * EPS)


def test_infinite_log_odds():
    z = floats(-math.inf, -200.0, -1.0, 2.0, math.inf)
    z_p, z_q = (a.ravel() for a in jnp.meshgrid(z, z, indexing="ij"))

    def kl(a, b):
        return distributions.kl_divergence(Bernoulli(logits=a), Bernoulli(logits=b))

    value, in_p, in_q, hessian = jax.jit(
        jax.vmap(lambda a, b: (kl(a, b), *jax.grad(kl, (0, 1))(a, b), jax.hessian(kl, (0, 1))(a, b)))
    )(z_p, z_q)
    tables = (jnp.stack([jnp.minimum(-z, 0), jnp.minimum(z, 0)], -1) for z in (z_p, z_q))
    np.testing.assert_allclose(value, logits.kl_divergence(*tables), rtol=32 * EPS, atol=float(jnp.finfo(DTYPE).tiny))
    for slope in (in_p, in_q, *jax.tree.leaves(hessian)):
        assert np.all(np.isfinite(slope))


@pytest.mark.parametrize("measure", ["kl_divergence", "cross_entropy"])
def test_mixed_coins_are_those_of_one_kind(measure):
    """A coin by probabilities and the same by log-odds."""
    p, q = (a.ravel() for a in jnp.meshgrid(floats(0.0, 0.3, 1.0), floats(0.25, 0.0, 1.0)))
    log_odds = jnp.log(q) - jnp.log1p(-q)

    @jax.jit
    def four(p, q, z):
        found = getattr(distributions, measure)
        x, y, other = Bernoulli(probs=p), Bernoulli(probs=q), Bernoulli(logits=z)
        return found(x, y), found(x, other), found(y, x), found(other, x)

    value, mixed, reverse, mixed_reverse = four(p, q, log_odds)
    np.testing.assert_allclose(mixed, value, rtol=16 * EPS)
    np.testing.assert_allclose(mixed_reverse, reverse, rtol=16 * EPS)


def test_log_prob_at_the_ends():
    cases = [
        (Binomial(5, 0.0), (0, 1, 5, 6), (0.0, -math.inf, -math.inf, -math.inf)),
        (Binomial(5, 1.0), (0, 4, 5, 6), (-math.inf, -math.inf, 0.0, -math.inf)),
        (Binomial(0, 0.5), (0, 1, -1, 2), (0.0, -math.inf, -math.inf, -math.inf)),
        *(
            (point, (0, 1, 2, -1), (0.0, -math.inf, -math.inf, -math.inf))
            for point in (Geometric(1.0), NegativeBinomial(2.0, 1.0), NegativeBinomial(0.0, 0.5), Poisson(0.0))
        ),
        (Geometric(0.0), (0, 1, 2, -1), (-math.inf,) * 4),
        (Bernoulli(logits=math.inf), (0, 1, 2, -1), (-math.inf, 0.0, -math.inf, -math.inf)),
    ]
    points = [jnp.asarray([*x, math.nan], DTYPE) for _, x, _ in cases]
    found = jax.jit(lambda members, points: [d.log_prob(x) for d, x in zip(members, points, strict=True)])
    for value, (_, _, expected) in zip(found([d for d, _, _ in cases], points), cases, strict=True):
        np.testing.assert_array_equal(value, [*expected, math.nan])
    slope = jax.jit(jax.vmap(jax.grad(lambda p, x: Binomial(5, p).log_prob(x)), (None, 0)))
    np.testing.assert_array_equal(slope(0.0, jnp.array([0, 2])), [-5.0, math.inf])
    np.testing.assert_array_equal(slope(1.0, jnp.array([5, 2])), [5.0, -math.inf])


# ---------------------------------------------------------------------------------------------------------------------
# Categorical

TABLE = np.array([[0.5, 0.25, 0.125, 0.125], [0.0, 0.25, 0.25, 0.5]])


def categoricals():
    with np.errstate(divide="ignore"):
        shifted = np.log(TABLE) + 3
    probs, unnormalised = (floats(*table.ravel()).reshape(2, 4) for table in (TABLE, shifted))
    return Categorical(probs=probs), Categorical(logits=unnormalised)


def test_categorical_log_prob():
    points = jnp.array([[-1.0], [0.0], [1.5], [3.0], [4.0], [math.nan]])
    with np.errstate(divide="ignore"):
        exact = np.log(TABLE)
    outside = np.full(2, -math.inf)
    for d in categoricals():
        log_prob = jax.jit(lambda d, x: d.log_prob(x))(d, points)
        expected = np.stack([outside, exact[:, 0], outside, exact[:, 3], outside, np.full(2, math.nan)])
        np.testing.assert_allclose(log_prob, expected, rtol=8 * EPS)
        np.testing.assert_allclose(d.log_prob(jnp.array([3, 2])), [exact[0, 3], exact[1, 2]], rtol=8 * EPS)
        assert d.batch_shape == (2,)
        assert d.event_shape == ()
        np.testing.assert_allclose(d.mean, TABLE @ np.arange(4), rtol=8 * EPS)
        np.testing.assert_allclose(d.variance, TABLE @ np.arange(4) ** 2 - (TABLE @ np.arange(4)) ** 2, rtol=16 * EPS)


def test_categorical_measures_are_those_of_tables_and_logits():
    (p, z), q = categoricals(), jnp.array([0.25, 0.25, 0.25, 0.25], DTYPE)
    uniform = Categorical(probs=q), Categorical(logits=jnp.zeros(4, DTYPE))
    for measure in ("kl_divergence", "cross_entropy"):
        exact = getattr(discrete, measure)(p.probs, q)
        for a in (p, z):
            for b in uniform:
                np.testing.assert_allclose(getattr(distributions, measure)(a, b), exact, rtol=16 * EPS)
    for a in (p, z):
        np.testing.assert_allclose(distributions.entropy(a, base=2), [1.75, 1.5], rtol=8 * EPS)
    near = Categorical(logits=z.logits + jnp.asarray([[1e-6, 0, 0, 0]], DTYPE))
    kl = distributions.kl_divergence(z, near)
    np.testing.assert_array_equal(kl, logits.kl_divergence(z.logits, near.logits))


@pytest.mark.parametrize("order", [0.5, 2.0])
def test_renyi_divergence_of_coins_and_tables(order):
    p, q = np.array([0.7, 0.3]), np.array([0.4, 0.6])
    exact = math.log(np.sum(p**order * q ** (1 - order))) / (order - 1)
    of_p = Bernoulli(probs=0.3), Bernoulli(logits=math.log(3 / 7)), Categorical(probs=floats(*p))
    of_q = Bernoulli(probs=0.6), Bernoulli(logits=math.log(3 / 2)), Categorical(logits=floats(*np.log(q)))

    @jax.jit
    def found(of_p, of_q):
        return [distributions.renyi_divergence(a, b, order=order) for a in of_p for b in of_q]

    np.testing.assert_allclose(found(of_p, of_q), exact, rtol=32 * EPS)


def test_fisher_information_of_a_coin():
    by_probs = distributions.fisher_information(Bernoulli(probs=0.2))
    by_logits = distributions.fisher_information(Bernoulli(logits=-math.log(4)))
    assert by_probs.shape == by_logits.shape == (1, 1)
    assert float(by_probs[0, 0]) == pytest.approx(6.25, rel=8 * EPS)
    assert float(by_logits[0, 0]) == pytest.approx(0.16, rel=8 * EPS)


def test_categoricals_of_different_lengths():
    short, long = Categorical(probs=jnp.array([0.5, 0.5])), Categorical(logits=jnp.zeros(4))
    assert float(distributions.kl_divergence(short, long)) == pytest.approx(LOG_2)
    assert float(distributions.kl_divergence(long, short)) == math.inf


def test_categorical_is_not_evaluated_for_every_point_and_outcome():
    """A hundred thousand points of a family of ten thousand outcomes would be a table of a billion."""
    log_prob = jax.jit(lambda z, x: Categorical(logits=z).log_prob(x))
    memory = log_prob.lower(jnp.zeros(10_000), jnp.zeros(100_000, int)).compile().memory_analysis()
    assert memory.temp_size_in_bytes < 1e8


# ---------------------------------------------------------------------------------------------------------------------
# Multinomial

PROBS = np.array([0.5, 0.25, 0.0, 0.125, 0.125])


def test_multinomial_log_prob():
    x = np.array([[4, 2, 0, 1, 1], [8, 0, 0, 0, 0], [0, 0, 0, 0, 8], [4, 2, 1, 1, 0]])
    d = Multinomial(8, floats(*PROBS))
    outside = np.array([[4, 2, 0, 1, 0], [9, -1, 0, 0, 0], [7.5, 0.5, 0, 0, 0], [math.nan, 8, 0, 0, 0]])
    log_prob = jax.jit(lambda d, x: d.log_prob(x))(d, jnp.asarray(np.concatenate([x, outside]), DTYPE))
    np.testing.assert_allclose(log_prob[:4], scipy.stats.multinomial(8, PROBS).logpmf(x), rtol=32 * EPS)
    np.testing.assert_array_equal(log_prob[4:], [*[-math.inf] * 3, math.nan])
    assert np.isnan(Multinomial(jnp.array([2.5, -1]), floats(*PROBS)).mean).all()


def test_multinomial_of_many_trials():
    """Differences of logarithms of factorials would leave no digit in single precision."""
    n, probs = 1_000_000, floats(0.3, 0.2, 0.1, 0.4)
    x = np.array([[300_100, 199_900, 100_300, 399_700], [300_000, 200_000, 100_000, 400_000]])
    exact = []
    with mpmath.workdps(40):
        for row in x:
            orders = mpmath.loggamma(n + 1) - mpmath.fsum(mpmath.loggamma(int(k) + 1) for k in row)
            exact.append(orders + mpmath.fsum(int(k) * mpmath.log(float(p)) for k, p in zip(row, probs, strict=True)))
    assert_close(jax.jit(lambda p: Multinomial(n, p).log_prob(x))(probs), exact)


def test_multinomial_gradients():
    x = jnp.array([3.0, 0.0, 0.0, 5.0])
    slope = jax.jit(jax.grad(lambda p: Multinomial(8, p).log_prob(x)))(jnp.array([0.5, 0.25, 0.0, 0.25]))
    np.testing.assert_allclose(slope, [6.0, 0.0, 0.0, 20.0], rtol=8 * EPS)


def test_multinomial_divergence():
    p, q = floats(*PROBS), floats(0.25, 0.25, 0.25, 0.125, 0.125)
    near = p * (1 + floats(1e-6, -2e-6, 0, 0, 0))
    n, m = jnp.array([0, 1, 8, 8]), jnp.array([0, 1, 8, 9])

    def kl(q):
        return distributions.kl_divergence(Multinomial(n, p), Multinomial(m, q))

    one = float(discrete.kl_divergence(p, q))
    np.testing.assert_allclose(kl(q), [0, one, 8 * one, math.inf], rtol=8 * EPS)
    one = float(discrete.kl_divergence(p, near))
    assert one > 0
    np.testing.assert_allclose(kl(near), [0, one, 8 * one, math.inf], rtol=8 * EPS)
    np.testing.assert_array_equal(kl(p)[:3], [0, 0, 0])


def sampled(d, number):
    draws = d.sample(jax.random.key(1), (number,))
    return draws, d.log_prob(draws)


def test_multinomial_shapes_and_draws():
    d = Multinomial(jnp.array([[3], [20]]), jnp.broadcast_to(floats(*PROBS), (4, 5)))
    assert d.batch_shape == (2, 4)
    assert d.event_shape == (5,)
    assert d.mean.shape == d.variance.shape == (2, 4, 5)
    draws, log_prob = jax.jit(sampled, static_argnums=1)(d, 1000)
    assert draws.shape == (1000, 2, 4, 5)
    assert draws.dtype == jnp.result_type(int)
    np.testing.assert_array_equal(jnp.sum(draws, -1), jnp.broadcast_to(d.total_count, (1000, 2, 4)))
    # 4000 draws: six standard errors.
    error = np.abs(np.mean(draws, (0, 2)) - np.asarray(d.mean)[:, 0])
    assert np.all(error <= 6 * np.sqrt(np.asarray(d.variance)[:, 0] / 4000))
    assert log_prob.shape == (1000, 2, 4)
    assert np.all(np.isfinite(log_prob))


# ---------------------------------------------------------------------------------------------------------------------
# What all have in common

MEMBERS = {
    **{name: member for name, (member, _) in COUNTS.items()},
    "multinomials": Multinomial(jnp.array([3, 4]), jnp.array([[0.5, 0.5], [0.25, 0.75]])),
    "numbers": Binomial(4, 0.25),
}


@pytest.mark.parametrize("name", MEMBERS)
def test_member(name):
    d = MEMBERS[name]

    @jax.jit
    def of(d):
        wide = d.broadcast_to((3, *d.batch_shape))
        means = jax.vmap(lambda one: one.mean)(wide)
        return d.mean, means, d.from_unconstrained(d.to_unconstrained()).mean, *sampled(d, 7)

    mean, means, back, draws, log_prob = of(d)
    assert mean.shape == d.batch_shape + d.event_shape
    np.testing.assert_array_equal(means, jnp.broadcast_to(mean, (3, *mean.shape)))
    np.testing.assert_allclose(back, mean, rtol=16 * EPS)
    assert draws.shape == (7, *mean.shape)
    assert draws.dtype == jnp.result_type(int)
    assert log_prob.shape == (7, *d.batch_shape)
    assert np.all(np.isfinite(log_prob))


def test_counts_are_not_fitted():
    def mean(free):
        return Binomial(4, 0.5).from_unconstrained(free).mean

    slopes = jax.grad(mean)(Binomial(4, 0.5).to_unconstrained())
    assert {name: float(slope) for name, slope in slopes.items()} == {"total_count": 0.0, "logit_probs": 1.0}


@pytest.mark.parametrize("kind", [Bernoulli, Categorical])
def test_exactly_one_parameter(kind):
    value = jnp.full(3, 0.25)
    for wrong, count in ((kind(), "neither"), (kind(probs=value, logits=value), "both")):
        with pytest.raises(ValueError, match=f"{kind.__name__}: give exactly one of probs and logits, got {count}"):
            _ = wrong.mean
    with pytest.raises(TypeError):
        kind(value)


def test_an_axis_of_outcomes_is_needed():
    with pytest.raises(ValueError, match=r"Categorical: the last axis holds the outcomes, got shape \(\)"):
        Categorical(probs=0.5).log_prob(0)
    with pytest.raises(ValueError, match=r"Multinomial: the last axis of probs holds the outcomes, got \(\)"):
        Multinomial(3, 0.5).log_prob(jnp.zeros(1))


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.float32])
def test_dtypes(dtype):
    half = jnp.asarray(0.5, dtype)
    members = Bernoulli(probs=half), Geometric(half), Binomial(3, half), Categorical(logits=jnp.zeros(4, dtype))

    def of(members):
        return [(d.mean, d.log_prob(1), distributions.kl_divergence(d, d)) for d in members]

    assert {value.dtype for value in jax.tree.leaves(jax.eval_shape(of, members))} == {jnp.dtype(dtype)}


NATURAL = [
    (Binomial, (5.0, 0.3), (0.0, 2.0, 5.0)),
    (Geometric, (0.3,), (0.0, 4.0)),
    (NegativeBinomial, (2.5, 0.3), (0.0, 4.0)),
    (Poisson, (2.5,), (0.0, 4.0)),
    (Multinomial, (5.0, (0.3, 0.2, 0.5)), ((5.0, 0.0, 0.0), (1.0, 1.0, 3.0))),
]


@pytest.mark.parametrize(("kind", "given", "points"), NATURAL, ids=lambda value: getattr(value, "__name__", ""))
def test_exponential_families(kind, given, points):
    parameters, points = [jnp.asarray(value) for value in given], jnp.asarray(points)
    names = [name for name in kind.constraints if name in getattr(kind, "_fixed", ())]
    fixed = [parameters[list(kind.constraints).index(name)] for name in names]

    def log_prob(point):
        (eta,), (statistic,) = kind._natural(*parameters), kind._statistics(point, *parameters)
        base = kind._log_base(point, *parameters) if hasattr(kind, "_log_base") else 0.0
        return base + jnp.sum(eta * statistic) - kind._log_normalizer(eta, *fixed)

    @jax.jit
    def of(points):
        (eta,) = kind._natural(*parameters)
        # The gradient of the log-normaliser is the mean.
        slope = jax.grad(lambda eta: kind._log_normalizer(eta, *fixed))(eta)
        d = kind(*parameters)
        return jax.vmap(log_prob)(points), d.log_prob(points), slope, d.mean, kind._from_natural(eta, *fixed)

    by_parts, whole, slope, mean, back = of(points)
    np.testing.assert_allclose(by_parts, whole, rtol=64 * EPS, atol=64 * EPS)
    np.testing.assert_allclose(slope, mean, rtol=64 * EPS)
    for value, start in zip(back, parameters, strict=True):
        np.testing.assert_allclose(value, start, rtol=16 * EPS)
