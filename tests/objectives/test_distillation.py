"""Values by mpmath from the definitions, limits of the temperature by hand."""

import functools

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from jaxinfo import logits, objectives
from jaxinfo.objectives import distillation_loss
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
