"""Values by mpmath from the definitions, limits of the temperature by hand, on-policy gradients by enumeration."""

import functools
import itertools
import math

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from jaxinfo import logits, objectives
from jaxinfo.objectives import distillation_loss, on_policy_distillation_loss, sampled_distillation_loss
from tests.marks import once

X64 = bool(jax.config.jax_enable_x64)
FLOAT = jnp.float64 if X64 else jnp.float32
# A value is a sum of a few terms of order one.
EPS = float(jnp.finfo(FLOAT).eps)

RNG = np.random.default_rng(0)
TEACHER = RNG.normal(size=(5, 4)) * 2
STUDENT = RNG.normal(size=(5, 4)) * 2


def alpha(a):
    return lambda p, q: logits.alpha_divergence(p, q, a)


def kl(p, q):
    return sum(a * mpmath.log(a / b) for a, b in zip(p, q, strict=True))


def jensen_shannon(w):
    def value(p, q):
        m = [w * a + (1 - w) * b for a, b in zip(p, q, strict=True)]
        return w * kl(p, m) + (1 - w) * kl(q, m)

    return value


def power(a):
    """Exponents that sum to one exactly: what is left of the sum is small."""
    a = mpmath.mpf(a)
    return lambda p, q: (sum(x**a * y ** (1 - a) for x, y in zip(p, q, strict=True)) - 1) / (a * (a - 1))


# The measure, its definition, the power of the temperature, and f''(1) where it is smooth.
MEASURES = {
    "forward": (logits.kl_divergence, kl, 2, 1),
    "reverse": (objectives.reverse_kl_divergence, lambda p, q: kl(q, p), 2, 1),
    "jeffreys": (logits.jeffreys_divergence, lambda p, q: kl(p, q) + kl(q, p), 2, 2),
    "jensen_shannon": (
        functools.partial(logits.jensen_shannon_divergence, weight=0.25),
        jensen_shannon(0.25),
        2,
        0.25 * 0.75,
    ),
    "skew": (
        functools.partial(logits.skew_jensen_shannon_divergence, weight=0.25),
        lambda p, q: jensen_shannon(0.25)(p, q) / 0.1875,
        2,
        1,
    ),
    "skew at 0": (functools.partial(logits.skew_jensen_shannon_divergence, weight=0.0), kl, 2, 1),
    "skew at 1": (functools.partial(logits.skew_jensen_shannon_divergence, weight=1.0), lambda p, q: kl(q, p), 2, 1),
    "alpha": (alpha(0.3), power(0.3), 2, 1),
    "total variation": (
        logits.total_variation,
        lambda p, q: sum(abs(a - b) for a, b in zip(p, q, strict=True)) / 2,
        1,
        None,
    ),
    "hellinger": (
        logits.hellinger_distance,
        lambda p, q: mpmath.sqrt(1 - sum(mpmath.sqrt(a * b) for a, b in zip(p, q, strict=True))),
        1,
        None,
    ),
}


def softmax(z):
    weights = [mpmath.exp(x) for x in z]
    return [w / sum(weights) for w in weights]


@pytest.mark.parametrize("name", MEASURES)
def test_values(name):
    """Each token at a temperature of its own, traced."""
    measure, definition, degree, _ = MEASURES[name]
    temperatures = [0.5, 1.0, 1.7, 4.0, 30.0]
    z_p, z_q, t = (np.asarray(x, FLOAT) for x in (TEACHER, STUDENT, temperatures))
    found = jax.jit(lambda t: distillation_loss(z_p, z_q, divergence=measure, temperature=t))(t)
    with mpmath.workdps(30):
        expected = [
            float(
                k**degree * definition(softmax([mpmath.mpf(x) / k for x in a]), softmax([mpmath.mpf(x) / k for x in b]))
            )
            for a, b, k in zip(z_p.tolist(), z_q.tolist(), map(mpmath.mpf, t.tolist()), strict=True)
        ]
    # The logits over T have been rounded, which moves a difference of order 1/T by eps/T.
    np.testing.assert_allclose(found, expected, rtol=100 * EPS)
    assert found.dtype == FLOAT


@pytest.mark.parametrize("name", [name for name, row in MEASURES.items() if row[3] is not None])
def test_gradient_keeps_its_size_at_high_temperature(name):
    """As T grows it comes to f''(1) (centred z_q - centred z_p) / K, of the student; for the teacher the negative."""
    measure, _, _, curvature = MEASURES[name]
    z_p, z_q = (jnp.asarray(z, FLOAT) for z in (TEACHER, STUDENT))

    def loss(p, q):
        return jnp.sum(distillation_loss(p, q, divergence=measure, temperature=1000.0))

    of_teacher, of_student = jax.jit(jax.grad(loss, argnums=(0, 1)))(z_p, z_q)
    difference = STUDENT - TEACHER
    expected = curvature * (difference - difference.mean(axis=1, keepdims=True)) / 4
    # The next order is smaller by the logits over T, some thousandths.
    np.testing.assert_allclose(of_student, expected, atol=0.01 * np.abs(expected).max())
    np.testing.assert_allclose(of_teacher, -expected, atol=0.01 * np.abs(expected).max())


def test_total_variation_keeps_its_size_with_the_first_power():
    """T TV tends to the mean absolute difference of the centred logits over 2."""
    found = distillation_loss(
        jnp.asarray(TEACHER, FLOAT), jnp.asarray(STUDENT, FLOAT), divergence=logits.total_variation, temperature=1024.0
    )
    difference = STUDENT - TEACHER
    expected = np.abs(difference - difference.mean(axis=1, keepdims=True)).mean(axis=1) / 2
    np.testing.assert_allclose(found, expected, rtol=0.02)


@once
def test_degree():
    p, q = jnp.asarray(TEACHER, FLOAT), jnp.asarray(STUDENT, FLOAT)
    plain = logits.kl_divergence(p / 2, q / 2)
    for degree, factor in ((None, 4), (0, 1), (1, 2), (3, 8)):
        np.testing.assert_allclose(distillation_loss(p, q, temperature=2.0, degree=degree), factor * plain, rtol=1e-6)
    distance = functools.partial(functools.partial(logits.jensen_shannon_distance), weight=0.3)
    found = distillation_loss(p, q, divergence=distance, temperature=2.0)
    np.testing.assert_allclose(found, 2 * logits.jensen_shannon_distance(p / 2, q / 2, weight=0.3), rtol=1e-6)


@functools.partial(jax.jit, static_argnames="divergence")
def loss_of_all(p, q, divergence):
    return distillation_loss(p, q, divergence=divergence, temperature=2.0)


def test_mask():
    """NaN, inf and nonsense under the mask change neither values nor gradients."""
    p, q = np.asarray(TEACHER, FLOAT), np.asarray(STUDENT, FLOAT)
    keep = np.array([True, False, True, False, True])
    spoiled_p, spoiled_q = p.copy(), q.copy()
    spoiled_p[1], spoiled_p[3] = np.nan, -np.inf
    spoiled_q[1], spoiled_q[3] = np.inf, np.nan
    for measure in (logits.kl_divergence, logits.jensen_shannon_divergence, logits.total_variation):

        def loss(p, q, measure=measure):
            value = distillation_loss(p, q, divergence=measure, temperature=2.0, where=keep)
            return jnp.sum(value), value

        (_, value), gradients = jax.jit(jax.value_and_grad(loss, argnums=(0, 1), has_aux=True))(spoiled_p, spoiled_q)
        expected = loss_of_all(p, q, divergence=measure)
        np.testing.assert_array_equal(value[~keep], 0)
        np.testing.assert_allclose(value[keep], expected[keep], rtol=10 * EPS)
        for gradient in gradients:
            assert np.all(np.isfinite(gradient))
            np.testing.assert_array_equal(gradient[~keep], 0)
            assert np.all(np.any(gradient[keep] != 0, axis=1))


def test_masked_outcomes():
    """A masked logit that neither needs: no cost, no gradient, at any temperature, whose own derivative is finite."""
    p = jnp.asarray([[1.0, 0.0, -jnp.inf]], FLOAT)
    q = jnp.asarray([[0.5, 0.2, -jnp.inf]], FLOAT)
    loss = lambda p, q, t: jnp.sum(distillation_loss(p, q, temperature=t))  # noqa: E731
    short = loss(p[:, :2], q[:, :2], 3.0)
    value, gradients = jax.jit(jax.value_and_grad(loss, argnums=(0, 1, 2)))(p, q, jnp.asarray(3.0, FLOAT))
    np.testing.assert_allclose(value, short, rtol=10 * EPS)
    assert all(np.all(np.isfinite(g)) for g in gradients)
    # Only the student excludes it: infinite, and the gradient T (q - p), which is finite.
    outside = jnp.asarray([[1.0, 0.0, 0.0]], FLOAT)
    value, gradient = jax.value_and_grad(loss, argnums=1)(outside, q, 2.0)
    assert value == jnp.inf
    expected = 2 * (jax.nn.softmax(q / 2) - jax.nn.softmax(outside / 2))
    np.testing.assert_allclose(gradient, expected, rtol=20 * EPS, atol=EPS)


def test_derivative_in_temperature():
    """Against a central difference of the definition at 30 digits."""
    z_p, z_q = np.asarray(TEACHER[0], FLOAT), np.asarray(STUDENT[0], FLOAT)
    with mpmath.workdps(30):

        def value(t):
            return t**2 * kl(*(softmax([mpmath.mpf(float(x)) / t for x in z]) for z in (z_p, z_q)))

        expected = float(mpmath.diff(value, mpmath.mpf("1.5")))
    found = jax.grad(lambda t: distillation_loss(z_p, z_q, temperature=t))(jnp.asarray(1.5, FLOAT))
    np.testing.assert_allclose(found, expected, rtol=200 * EPS)


@once
def test_weight_is_traced_and_continuous():
    """The skew form goes from one KL to the other; the mixture form is 0 at both ends."""
    p, q = jnp.asarray(TEACHER, FLOAT), jnp.asarray(STUDENT, FLOAT)

    @jax.jit
    @functools.partial(jax.vmap, in_axes=0)
    def both(w):
        skew = functools.partial(logits.skew_jensen_shannon_divergence, weight=w)
        usual = functools.partial(logits.jensen_shannon_divergence, weight=w)
        return distillation_loss(p, q, divergence=skew), distillation_loss(p, q, divergence=usual)

    skew, usual = both(jnp.array([0.0, 1e-4, 1 - 1e-4, 1.0], FLOAT))
    forward, reverse = logits.kl_divergence(p, q), logits.kl_divergence(q, p)
    np.testing.assert_allclose(skew, np.stack([forward, forward, reverse, reverse]), rtol=5e-3)
    np.testing.assert_allclose(usual[jnp.array([0, 3])], 0, atol=1e-7)
    np.testing.assert_allclose(usual[1] / 1e-4, forward, rtol=5e-3)


@once
def test_types_and_transforms():
    p, q = jnp.asarray(TEACHER, jnp.float32), jnp.asarray(STUDENT, jnp.float32)
    exact = distillation_loss(p, q, temperature=2.0)
    half = distillation_loss(p.astype(jnp.bfloat16), q.astype(jnp.bfloat16), temperature=2.0)
    assert half.dtype == jnp.bfloat16
    np.testing.assert_allclose(half.astype(jnp.float32), exact, rtol=0.05, atol=0.02)
    assert distillation_loss(np.array([1, 2]), np.array([3, 1])).dtype == jnp.result_type(float)
    np.testing.assert_allclose(jax.vmap(lambda a, b: distillation_loss(a, b, temperature=2.0))(p, q), exact, rtol=1e-6)
    assert distillation_loss(p[:, None], q[None]).shape == (5, 5)
    assert jnp.isnan(distillation_loss(p[0], q[0], temperature=jnp.asarray(-1.0, jnp.float32)))
    hessian = jax.jit(jax.hessian(lambda z: jnp.sum(distillation_loss(p[0], z, temperature=2.0))))(q[0])
    s = jax.nn.softmax(q[0] / 2)
    np.testing.assert_allclose(hessian, jnp.diag(s) - jnp.outer(s, s), atol=1e-5)


@once
def test_errors():
    p, q = jnp.zeros((2, 3)), jnp.zeros((2, 3))
    with pytest.raises(TypeError, match=r"divergence must be a function.*'forward'"):
        distillation_loss(p, q, divergence="forward")
    with pytest.raises(ValueError, match="temperature must be positive, got 0"):
        distillation_loss(p, q, temperature=0)
    with pytest.raises(ValueError, match="one value for each token, shape"):
        distillation_loss(p, q, divergence=lambda p, q: jnp.sum(p - q))
    with pytest.raises(ValueError, match="temperature of shape"):
        distillation_loss(p, q, temperature=jnp.ones(3))
    with pytest.raises(ValueError, match="lengths along axis -1 differ"):
        distillation_loss(p, jnp.zeros((2, 1)))
    with pytest.raises(TypeError, match="where must be boolean"):
        distillation_loss(p, q, where=jnp.ones(2))
    with pytest.raises(TypeError, match="teacher_logits must hold real numbers"):
        distillation_loss(p.astype(jnp.complex64), q)
    with pytest.raises(ValueError, match="where of shape"):
        distillation_loss(p, q, where=jnp.ones(3, bool))
    with pytest.raises(TypeError, match="tokens must be integers"):
        on_policy_distillation_loss(p, q, jnp.zeros(2))
    with pytest.raises(ValueError, match="discount must lie in"):
        on_policy_distillation_loss(p, q, jnp.zeros(2, jnp.int32), discount=1.5)
    with pytest.raises(ValueError, match="tokens of shape"):
        on_policy_distillation_loss(p, q, jnp.zeros(3, jnp.int32))
    with pytest.raises(ValueError, match="student_logits needs at least 2 axes"):
        on_policy_distillation_loss(p[0], q[0], jnp.zeros((), jnp.int32))
    with pytest.raises(ValueError, match="baseline of shape"):
        sampled_distillation_loss(p, q, baseline=jnp.zeros(2))


# ---------------------------------------------------------------------------------------------------------------------
# On-policy: all sequences of three tokens out of three, the first token 0 ending one early

K, LENGTH = 3, 3
SEQUENCES = np.array(list(itertools.product(range(K), repeat=LENGTH)))
# What follows token 0 is padding.
KEEP = np.concatenate([np.ones((len(SEQUENCES), 1), bool), np.cumprod(SEQUENCES[:, :-1] != 0, axis=1) > 0], axis=1)
# Sequences that differ only in padding are one: the first of them.
ONCE = np.array(
    [
        all(s == 0 for s, keep in zip(row, mask, strict=True) if not keep)
        for row, mask in zip(SEQUENCES, KEEP, strict=True)
    ]
)
SEQUENCES, KEEP = SEQUENCES[ONCE], KEEP[ONCE]


def prefix_index(row, t):
    """The row of a table of all prefixes, by their length and their tokens."""
    return sum(K**i for i in range(t)) + sum(int(y) * K ** (t - 1 - i) for i, y in enumerate(row[:t]))


PREFIX = np.array([[prefix_index(row, t) for t in range(LENGTH)] for row in SEQUENCES])
TABLES = [np.random.default_rng(seed).normal(size=(1 + K + K**2, K)) * 1.5 for seed in (1, 2)]


def log_probs(table, temperature=1.0):
    """Of every sequence, by hand: `[S, T]`."""
    scaled = table / temperature
    log_p = scaled - jnp.log(jnp.sum(jnp.exp(scaled), axis=-1, keepdims=True))
    return jnp.where(KEEP, log_p[PREFIX, SEQUENCES], 0)


def exact_sequence_kl(p, q, temperature=1.0):
    log_p, log_q = (jnp.sum(log_probs(t, temperature), axis=1) for t in (p, q))
    return jnp.sum(jnp.exp(log_q) * (log_q - log_p))


def exact_blind_gradient(p, q):
    """Of the divergences of the tokens, enumerated over prefixes whose probabilities are held."""
    log_q = log_probs(q)
    reach = jnp.exp(jnp.cumsum(log_q, axis=1) - log_q) * jnp.exp(log_q)
    held = jax.lax.stop_gradient(reach)

    # Each kept position of each sequence stands for its prefix and token; later tokens sum to one, so count it once.
    first = np.zeros_like(KEEP)
    seen = set()
    for i, row in enumerate(SEQUENCES):
        for t in range(LENGTH):
            if KEEP[i, t] and (PREFIX[i, t], row[t]) not in seen:
                seen.add((PREFIX[i, t], row[t]))
                first[i, t] = True
    reach_of_prefix = jax.lax.stop_gradient(held / jnp.exp(log_q))
    ratio = log_q - log_probs(p)
    return jnp.sum(jnp.where(first, reach_of_prefix * jnp.exp(log_q) * ratio, 0))


def arrays():
    return [jnp.asarray(t, FLOAT) for t in TABLES]


def mean_over_sequences(loss, temperature=1.0):
    """The mean over everything the student may write, the probabilities held: what infinitely many draws give."""
    p, q = arrays()
    weights = jnp.exp(jnp.sum(log_probs(q, temperature), axis=1))

    def total(q):
        return jnp.sum(weights * jnp.sum(loss(p, q), axis=1))

    return jax.jit(jax.value_and_grad(total))(q)


def test_probabilities_of_all_sequences():
    assert len(SEQUENCES) == 1 + 2 * (1 + 2 * 3)
    for table in arrays():
        np.testing.assert_allclose(jnp.sum(jnp.exp(jnp.sum(log_probs(table), axis=1))), 1, rtol=10 * EPS)


@pytest.mark.parametrize(("baseline", "temperature"), [(0.0, 1.0), (0.7, 2.5)])
def test_on_policy_is_unbiased(baseline, temperature):
    """Value and gradient are those of the divergence of whole sequences, exactly, with padding and any baseline."""
    p, q = arrays()
    expected, slope = jax.jit(jax.value_and_grad(lambda q: exact_sequence_kl(p, q, temperature)))(q)

    def loss(p, q):
        return on_policy_distillation_loss(
            p[PREFIX], q[PREFIX], SEQUENCES, temperature=temperature, degree=0, baseline=baseline, where=KEEP
        )

    value, gradient = mean_over_sequences(loss, temperature)
    np.testing.assert_allclose(value, expected, rtol=50 * EPS)
    np.testing.assert_allclose(gradient, slope, rtol=1e3 * EPS, atol=100 * EPS)


@pytest.mark.parametrize("baseline", [0.0, 0.7])
def test_sampled_is_unbiased(baseline):
    p, q = arrays()
    expected, slope = jax.jit(jax.value_and_grad(lambda q: exact_sequence_kl(p, q)))(q)

    def loss(p, q):
        return sampled_distillation_loss(log_probs(p), log_probs(q), baseline=baseline, where=KEEP)

    value, gradient = mean_over_sequences(loss)
    np.testing.assert_allclose(value, expected, rtol=50 * EPS)
    np.testing.assert_allclose(gradient, slope, rtol=1e3 * EPS, atol=100 * EPS)


def test_without_credit_the_sequences_count_as_given():
    """Discount 0: the gradient of the sum over prefixes with their probabilities held, by both forms, and biased."""
    p, q = arrays()
    expected = jax.jit(jax.grad(lambda q: exact_blind_gradient(p, q)))(q)
    _, whole = mean_over_sequences(
        lambda p, q: on_policy_distillation_loss(p[PREFIX], q[PREFIX], SEQUENCES, discount=0.0, where=KEEP)
    )
    _, sampled = mean_over_sequences(
        lambda p, q: sampled_distillation_loss(log_probs(p), log_probs(q), discount=0.0, where=KEEP)
    )
    np.testing.assert_allclose(whole, expected, rtol=1e3 * EPS, atol=100 * EPS)
    np.testing.assert_allclose(sampled, expected, rtol=1e3 * EPS, atol=100 * EPS)
    unbiased = jax.jit(jax.grad(lambda q: exact_sequence_kl(p, q)))(q)
    assert np.abs(expected - unbiased).max() > 0.05


def test_discount_between():
    """Halves: a token's credit is 1/2 of the next divergence and 1/4 of the one after that, written out."""
    p, q = arrays()
    row = next(i for i, mask in enumerate(KEEP) if mask.all())
    z_p, z_q, y = p[PREFIX[row]], q[PREFIX[row]], SEQUENCES[row]
    gradient = jax.grad(lambda z: jnp.sum(on_policy_distillation_loss(z_p, z, y, discount=jnp.asarray(0.5, FLOAT))))(
        z_q
    )
    s, log_s, log_p = jax.nn.softmax(z_q), jax.nn.log_softmax(z_q), jax.nn.log_softmax(z_p)
    each = jnp.sum(s * (log_s - log_p), axis=-1)
    own = s * (log_s - log_p - each[:, None])
    credit = jnp.stack([each[1] / 2 + each[2] / 4, each[2] / 2, jnp.zeros((), FLOAT)])
    expected = own + credit[:, None] * (jax.nn.one_hot(y, K, dtype=FLOAT) - s)
    np.testing.assert_allclose(gradient, expected, rtol=200 * EPS, atol=20 * EPS)


@pytest.mark.parametrize("name", ["forward", "total variation", "alpha"])
def test_on_policy_of_any_divergence(name):
    """The gradient of the mean, over the student's sequences, of the sum of any divergence of the next tokens."""
    measure = MEASURES[name][0]
    p, q = arrays()

    def exact(q):
        weights = jnp.exp(jnp.sum(log_probs(q), axis=1))
        return jnp.sum(weights[:, None] * jnp.where(KEEP, measure(p[PREFIX], q[PREFIX]), 0))

    value, gradient = mean_over_sequences(
        lambda p, q: on_policy_distillation_loss(p[PREFIX], q[PREFIX], SEQUENCES, divergence=measure, where=KEEP)
    )
    expected, slope = jax.jit(jax.value_and_grad(exact))(q)
    np.testing.assert_allclose(value, expected, rtol=50 * EPS)
    np.testing.assert_allclose(gradient, slope, rtol=1e3 * EPS, atol=100 * EPS)


def test_less_variance_than_sampled():
    """Exact sums over the next token: the variance of value and gradient over what the student writes is less."""
    p, q = arrays()
    weights = jnp.exp(jnp.sum(log_probs(q), axis=1))

    def spread(loss):
        value, slopes = jax.jit(jax.vmap(jax.value_and_grad(loss, argnums=0), in_axes=(None, 0)))(
            q, jnp.arange(len(SEQUENCES))
        )
        means = [jnp.tensordot(weights, x, 1) for x in (value, slopes)]
        return [
            float(jnp.sum(jnp.tensordot(weights, jnp.square(x - m[None]), 1)))
            for x, m in zip((value, slopes), means, strict=True)
        ]

    def whole(q, i):
        at = jnp.asarray(PREFIX)[i]
        return jnp.sum(on_policy_distillation_loss(p[at], q[at], jnp.asarray(SEQUENCES)[i], where=jnp.asarray(KEEP)[i]))

    def sampled(q, i):
        return jnp.sum(sampled_distillation_loss(log_probs(p)[i], log_probs(q)[i], where=jnp.asarray(KEEP)[i]))

    for less, more in zip(spread(whole), spread(sampled), strict=True):
        assert less < 0.8 * more


def test_on_policy_with_what_cannot_be():
    """The teacher excludes what the student may write: infinite there, finite gradients, NaN only in NaN's row."""
    p, q = arrays()
    z_p, z_q = p[PREFIX].at[3, 1, 0].set(-jnp.inf), q[PREFIX]
    z_p = z_p.at[~KEEP].set(jnp.nan)
    loss = lambda z: on_policy_distillation_loss(z_p, z, np.where(KEEP, SEQUENCES, -100), where=KEEP)  # noqa: E731
    value = jax.jit(loss)(z_q)
    assert np.sum(np.isinf(value)) == 1
    assert np.isinf(value[3, 1])
    np.testing.assert_array_equal(value[~KEEP], 0)
    gradient = jax.jit(jax.grad(lambda z: jnp.sum(loss(z))))(z_q)
    assert np.all(np.isfinite(gradient))
    np.testing.assert_array_equal(gradient[~KEEP], 0)
    log_p = jnp.array([-1.0, -jnp.inf, jnp.nan], FLOAT)
    log_q = jnp.array([-1.5, -0.5, jnp.nan], FLOAT)
    keep = jnp.array([True, True, False])
    value = sampled_distillation_loss(log_p, log_q, where=keep)
    np.testing.assert_array_equal(value, [-0.5, np.inf, 0])
    gradient = jax.grad(lambda z: jnp.sum(sampled_distillation_loss(log_p, z, where=keep)))(log_q)
    np.testing.assert_allclose(gradient, [-0.5, 0, 0])
    assert math.isclose(float(gradient[0]), -0.5)
