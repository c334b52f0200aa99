"""Divergences, losses and entropies of policies against sums over actions, formulas by hand, and SciPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats

from jaxinfo.distributions import (
    Categorical,
    Independent,
    Mixture,
    MultivariateNormal,
    Normal,
    Transformed,
    bijectors,
)
from jaxinfo.objectives import (
    adaptive_kl_coefficient,
    entropy_bonus,
    policy_kl,
    ppo_clip_loss,
    ppo_kl_penalty_loss,
)
from tests.marks import once

X64 = bool(jax.config.jax_enable_x64)
RTOL = 1e-12 if X64 else 2e-6  # a few dozen roundings

OLD = np.array([[0.3, -1.2, 0.7], [2.0, 0.0, -2.0], [0.1, 0.2, -np.inf]])
NEW = np.array([[0.1, -0.7, 1.0], [-2.0, 0.5, 2.0], [0.9, -0.4, -np.inf]])


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def by_enumeration(old, new):
    p, q = softmax(old), softmax(new)
    return np.array(
        [sum(a * np.log(a / b) for a, b in zip(*rows, strict=True) if a > 0) for rows in zip(p, q, strict=True)]
    )


def test_categorical_by_enumeration():
    old, new = Categorical(logits=jnp.asarray(OLD)), Categorical(logits=jnp.asarray(NEW))
    np.testing.assert_allclose(policy_kl(old, new), by_enumeration(OLD, NEW), rtol=RTOL)
    np.testing.assert_allclose(policy_kl(old, new, base=2), by_enumeration(OLD, NEW) / np.log(2), rtol=RTOL)
    np.testing.assert_array_equal(policy_kl(old, old), np.zeros(3))
    gradient = jax.grad(lambda z: policy_kl(old, Categorical(logits=z)).sum())(jnp.asarray(NEW))
    np.testing.assert_allclose(gradient, softmax(NEW) - softmax(OLD), rtol=RTOL, atol=1e-7)


@once
def test_an_action_that_only_the_new_policy_forbids():
    old, new = Categorical(logits=jnp.zeros(2)), Categorical(logits=jnp.array([0.0, -jnp.inf]))
    assert policy_kl(old, new) == jnp.inf
    np.testing.assert_allclose(policy_kl(new, old), np.log(2), rtol=1e-6)


LOC, SCALE = np.array([[0.4, -2.0], [1.5, 0.25]]), np.array([[0.5, 2.0], [1.0, 0.1]])
# Against the standard normal.
OF_GAUSSIAN = 0.5 * (LOC**2 + SCALE**2 - np.log(SCALE**2) - 1)


def gaussian(loc, scale):
    return Independent(Normal(loc, scale))


@pytest.mark.parametrize(
    "bijector", [None, bijectors.Tanh(), bijectors.Chain((bijectors.Affine(0.0, 2.0), bijectors.Tanh()))], ids=str
)
def test_gaussian_and_squashed_gaussian(bijector):
    """0.5 (mu^2 + sigma^2 - log sigma^2 - 1), summed over actions' numbers: no squashing changes it."""
    wrap = (lambda base: base) if bijector is None else (lambda base: Transformed(base, bijector))

    @jax.jit
    def kl(loc, scale):
        return policy_kl(wrap(gaussian(loc, scale)), wrap(gaussian(jnp.zeros_like(loc), 1.0)))

    np.testing.assert_allclose(kl(jnp.asarray(LOC), jnp.asarray(SCALE)), OF_GAUSSIAN.sum(axis=-1), rtol=RTOL)


def test_squashed_gaussian_by_quadrature_over_actions():
    """Through densities of the actions themselves, in (-1, 1), written with SciPy."""

    def log_density(a, loc, scale):
        return stats.norm.logpdf(np.arctanh(a), loc, scale) - np.log1p(-(a**2))

    def integrand(a):
        log_p, log_q = log_density(a, 0.3, 0.5), log_density(a, -0.2, 0.8)
        return np.exp(log_p) * (log_p - log_q)

    expected, _ = integrate.quad(integrand, -1, 1, epsabs=1e-10, limit=200)
    p, q = (Transformed(Normal(m, s), bijectors.Tanh()) for m, s in ((0.3, 0.5), (-0.2, 0.8)))
    np.testing.assert_allclose(policy_kl(p, q), expected, rtol=2e-6)


def test_multivariate_normal():
    """KL of full covariances, by the textbook formula in double precision."""
    factors = np.array([[[1.0, 0.0], [0.5, 0.7]], [[0.3, 0.0], [-0.2, 2.0]]])
    cov = factors @ factors.transpose(0, 2, 1)
    m = np.array([0.4, -1.0])
    expected = [
        0.5 * (np.trace(np.linalg.solve(cov[1], cov[0])) + m @ np.linalg.solve(cov[1], m) - 2)
        + 0.5 * np.log(np.linalg.det(cov[1]) / np.linalg.det(cov[0]))
    ]
    p = MultivariateNormal(jnp.zeros((1, 2)), jnp.asarray(factors[:1]))
    q = MultivariateNormal(jnp.asarray(m)[None], jnp.asarray(factors[1:]))
    np.testing.assert_allclose(policy_kl(p, q), expected, rtol=10 * RTOL)


@pytest.mark.parametrize("family", ["categorical", "gaussian", "squashed", "full"])
def test_masked_states_spoil_nothing(family):
    """Whatever a masked state holds: value 0, gradient 0, and the other states' are as without it."""
    where = jnp.array([True, False, False])

    def policy(rows):
        if family == "categorical":
            return Categorical(logits=rows[0])
        if family == "full":
            return MultivariateNormal(rows[0], rows[1][..., None] * jnp.tri(2, dtype=rows.dtype)[None])
        base = Independent(Normal(*rows))
        return base if family == "gaussian" else Transformed(base, bijectors.Tanh())

    def total(x, y, where):
        value = policy_kl(policy(x), policy(y), where=where)
        return value.sum(), value

    # The first state is sound: places, then scales.
    x = jnp.array([[[0.3, -0.2], [np.nan, np.inf], [-np.inf, 0.5]], [[0.5, 1.5], [np.nan, -1.0], [0.0, np.inf]]])
    y = jnp.array([[[-0.1, 0.4], [0.0, np.nan], [np.inf, -np.inf]], [[1.0, 0.7], [0.0, 1.0], [-2.0, np.nan]]])
    run = jax.jit(jax.value_and_grad(total, argnums=(0, 1), has_aux=True))
    (_, value), gradients = run(x, y, where)
    sound = jnp.zeros((1, 3, 1), int)
    (_, expected), clean_gradients = run(*(jnp.take_along_axis(a, sound, axis=1) for a in (x, y)), where)
    np.testing.assert_array_equal(value[1:], 0)
    np.testing.assert_allclose(value[0], expected[0], rtol=RTOL)
    assert value[0] > 0
    for gradient, truth in zip(gradients, clean_gradients, strict=True):
        np.testing.assert_array_equal(gradient[:, 1:], 0)
        np.testing.assert_allclose(gradient[:, 0], truth[:, 0], rtol=RTOL)


def test_masked_states_and_a_shared_scale():
    """A parameter that all states have in common has the gradient of those that are kept."""
    where, loc = jnp.array([True, True, False]), jnp.array([0.5, 1.0, jnp.nan])

    def total(scale):
        return policy_kl(Normal(loc, 1.0), Normal(0.0, scale), where=where).sum()

    # d/ds [log s + (1 + m^2) / (2 s^2)] at 2
    expected = sum(1 / 2 - (1 + m * m) / 8 for m in (0.5, 1.0))
    np.testing.assert_allclose(jax.grad(total)(jnp.asarray(2.0)), expected, rtol=RTOL)


@once
def test_arguments_that_do_not_fit():
    p = Normal(jnp.zeros(3), 1.0)
    with pytest.raises(TypeError, match="policy_kl: where must be boolean"):
        policy_kl(p, p, where=jnp.ones(3))
    with pytest.raises(ValueError, match="policy_kl: where of shape"):
        policy_kl(p, p, where=jnp.ones(4, bool))
    with pytest.raises(ValueError, match="broadcast"):
        policy_kl(p, Normal(jnp.zeros(2), 1.0))
    with pytest.raises(TypeError, match="no closed form"):
        policy_kl(Transformed(p, bijectors.Tanh()), p)
    with pytest.raises(ValueError, match=r"entropy_bonus: .* key"):
        entropy_bonus(Transformed(p, bijectors.Tanh()))
    with pytest.raises(ValueError, match="num_samples must be a positive integer, got 0"):
        entropy_bonus(p, num_samples=0)
    with pytest.raises(ValueError, match=r"ppo_clip_loss: clip must be at least 0, got -0\.1"):
        ppo_clip_loss(jnp.zeros(2), jnp.zeros(2), jnp.zeros(2), clip=-0.1)
    with pytest.raises(ValueError, match="ppo_clip_loss: clip_above must be at least 0, got nan"):
        ppo_clip_loss(jnp.zeros(2), jnp.zeros(2), jnp.zeros(2), clip_above=float("nan"))
    with pytest.raises(ValueError, match="ppo_clip_loss: shapes do not broadcast"):
        ppo_clip_loss(jnp.zeros(2), jnp.zeros(3), jnp.zeros(2))
    with pytest.raises(TypeError, match="ppo_kl_penalty_loss: kl must hold real numbers"):
        ppo_kl_penalty_loss(0.0, 0.0, 0.0, jnp.zeros(2, complex), coefficient=1.0)
    with pytest.raises(ValueError, match="adaptive_kl_coefficient: target must be positive, got 0"):
        adaptive_kl_coefficient(1.0, 0.1, target=0)


RATIOS, GAINS = (a.ravel() for a in np.meshgrid([1e-3, 0.5, 0.79, 1.0, 1.19, 1.3, 40.0], [-2.0, 0.0, 0.7]))


@pytest.mark.parametrize(("low", "above"), [(0.2, None), (0.2, 0.28), (0.0, None), (1.0, None)])
def test_clipped_loss_by_its_definition(low, above):
    high = low if above is None else above
    expected = -np.minimum(RATIOS * GAINS, np.clip(RATIOS, 1 - low, 1 + high) * GAINS)
    inside = np.where(GAINS > 0, high > (RATIOS - 1), low > (1 - RATIOS))
    slope = np.where(inside, -RATIOS * GAINS, 0)
    log_p = jnp.full(RATIOS.shape, -1.3)
    log_q = log_p + jnp.log(jnp.asarray(RATIOS))
    value = ppo_clip_loss(log_p, log_q, jnp.asarray(GAINS), clip=low, clip_above=above)
    np.testing.assert_allclose(value, expected, rtol=5 * RTOL)
    run = jax.jit(jax.grad(lambda q: ppo_clip_loss(log_p, q, jnp.asarray(GAINS), clip=low, clip_above=above).sum()))
    away = np.abs(RATIOS - 1) > 1e-6  # at an end of the interval the slope is either side's
    np.testing.assert_allclose(run(log_q)[away], slope[away], rtol=5 * RTOL)


def test_clipped_loss_when_the_ratio_overflows():
    """A ratio of e^1000 with a good action: the clip is active, the value and its gradient are finite."""
    value, gradient = jax.value_and_grad(ppo_clip_loss, argnums=1)(-1000.0, 0.0, 3.0)
    np.testing.assert_allclose(value, -3.6, rtol=1e-6)
    assert gradient == 0
    value, gradient = jax.value_and_grad(ppo_clip_loss, argnums=1)(0.0, -1000.0, -3.0)
    np.testing.assert_allclose(value, 2.4, rtol=1e-6)
    assert gradient == 0
    assert ppo_clip_loss(-1000.0, 0.0, -3.0) == jnp.inf


def test_penalised_loss_by_its_definition():
    p, q, gain, kl = (np.array(x) for x in ([0.5, 0.2], [0.75, 0.1], [1.0, -2.0], [0.3, 0.1]))
    args = (jnp.log(jnp.asarray(p)), jnp.log(jnp.asarray(q)), jnp.asarray(gain), jnp.asarray(kl))
    np.testing.assert_allclose(ppo_kl_penalty_loss(*args, coefficient=3.0), 3 * kl - q / p * gain, rtol=RTOL)
    found = jax.grad(lambda *args: ppo_kl_penalty_loss(*args, coefficient=3.0).sum(), argnums=(1, 3))(*args)
    np.testing.assert_allclose(found[0], -gain * q / p, rtol=RTOL)
    np.testing.assert_allclose(found[1], [3, 3], rtol=RTOL)


def test_surrogates_have_the_policy_gradient():
    """At q = p, under p: E[-A grad log p], by enumeration over the actions of a softmax."""
    z, gain = jnp.asarray(OLD[0]), jnp.array([1.0, -2.0, 0.5])
    p = softmax(OLD[0])
    log_p = jax.nn.log_softmax(z)
    expected = -p * (np.asarray(gain) - (p * np.asarray(gain)).sum())
    for loss in (
        ppo_clip_loss,
        lambda a, b, c: ppo_kl_penalty_loss(
            a, b, c, policy_kl(Categorical(logits=z), Categorical(logits=b)), coefficient=5
        ),
    ):
        found = jax.grad(lambda z, loss=loss: jnp.sum(jnp.exp(log_p) * loss(log_p, jax.nn.log_softmax(z), gain)))(z)
        np.testing.assert_allclose(found, expected, rtol=10 * RTOL, atol=1e-7)


@pytest.mark.parametrize("loss", ["clip", "penalty"])
def test_masked_actions_spoil_nothing(loss):
    where = jnp.array([True, False, False])
    data = [jnp.array([0.1, np.nan, -np.inf]), jnp.array([0.2, 1.0, np.nan]), jnp.array([1.0, np.inf, 2.0])]

    def total(*data):
        if loss == "clip":
            return ppo_clip_loss(*data, where=where).sum()
        return ppo_kl_penalty_loss(*data, data[0], coefficient=1.0, where=where).sum()

    value, gradients = jax.jit(jax.value_and_grad(total, argnums=(0, 1, 2)))(*data)
    expected = -np.exp(0.1) + (0.1 if loss == "penalty" else 0)
    np.testing.assert_allclose(value, expected, rtol=RTOL)
    assert all(np.all(np.asarray(g[1:]) == 0) and g[0] != 0 for g in gradients)


@once
def test_half_precision_is_computed_in_single():
    log_p, log_q = jnp.asarray([-1.0, -2.0], jnp.bfloat16), jnp.asarray([-1.09375, -1.875], jnp.bfloat16)
    gain = jnp.asarray([1.0, -1.0], jnp.bfloat16)
    value = ppo_clip_loss(log_p, log_q, gain)
    assert value.dtype == jnp.bfloat16
    expected = [-np.exp(-0.09375), np.exp(0.125)]
    np.testing.assert_array_equal(value, jnp.asarray(expected, jnp.float32).astype(jnp.bfloat16))
    assert ppo_kl_penalty_loss(log_p, log_q, gain, 0.5, coefficient=2.0).dtype == jnp.bfloat16
    assert jax.vmap(ppo_clip_loss)(log_p, log_q, gain).shape == (2,)


def test_adaptive_coefficient():
    kl = np.array([0.0, 0.0066, 0.0067, 0.01, 0.0149, 0.0151, np.inf, np.nan])
    expected = 3 * np.array([0.5, 0.5, 1, 1, 1, 2, 2, 1])
    np.testing.assert_allclose(adaptive_kl_coefficient(3.0, jnp.asarray(kl), target=0.01), expected, rtol=1e-6)
    found = adaptive_kl_coefficient(1.0, jnp.asarray([0.1, 0.3, 0.9]), target=0.3, tolerance=2.0, factor=10.0)
    np.testing.assert_allclose(found, [0.1, 1, 10], rtol=1e-6)


def test_entropy_in_closed_form():
    p = softmax(OLD)
    expected = -np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0).sum(axis=-1)
    z = jnp.asarray(OLD)
    np.testing.assert_allclose(entropy_bonus(Categorical(logits=z)), expected, rtol=RTOL)
    gradient = jax.grad(lambda z: entropy_bonus(Categorical(logits=z)).sum())(z)
    safe = np.where(p > 0, np.log(np.where(p > 0, p, 1)), 0)
    np.testing.assert_allclose(gradient, -p * (safe + expected[:, None]), rtol=20 * RTOL, atol=1e-6)
    scale = jnp.asarray([[0.5, 2.0, 3.0]])
    np.testing.assert_allclose(
        entropy_bonus(gaussian(jnp.zeros((1, 3)), scale)), stats.norm.entropy(0, [0.5, 2, 3]).sum(), rtol=RTOL
    )
    where = jnp.array([True, False, True])
    bad = jnp.where(where[:, None], z, jnp.nan)
    value, gradient = jax.value_and_grad(lambda z: entropy_bonus(Categorical(logits=z), where=where).sum())(bad)
    np.testing.assert_allclose(value, expected[0] + expected[2], rtol=RTOL)
    assert np.all(np.isfinite(gradient))
    assert np.all(np.asarray(gradient[1]) == 0)


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_entropy_of_a_squashed_gaussian(scale):
    """Against the integral over the Gaussian, with the reparameterised derivative in its scale."""

    def slope(x):
        return 2 * (np.log(2) - abs(x) - np.log1p(np.exp(-2 * abs(x))))

    def mean(f):
        return integrate.quad(lambda e: stats.norm.pdf(e) * f(e), -12, 12, epsabs=1e-11, points=[-0.3 / scale])[0]

    expected = 2 * (stats.norm.entropy(0, scale) + mean(lambda e: slope(0.3 + scale * e)))
    of_scale = 2 * (1 / scale - mean(lambda e: 2 * e * np.tanh(0.3 + scale * e)))
    count = 40_000

    def bonus(scale):
        policy = Transformed(Independent(Normal(jnp.full((3, 2), 0.3), scale)), bijectors.Tanh())
        return entropy_bonus(policy, key=jax.random.key(0), num_samples=count)

    value, of_each = bonus(jnp.asarray(scale)), jax.jacobian(bonus)(jnp.asarray(scale))
    assert value.shape == (3,)
    # Means over the draws of two log-slopes, whose standard deviation is at most 2 sigma each.
    np.testing.assert_allclose(value, expected, atol=5 * 2 * scale * 2**0.5 / count**0.5)
    np.testing.assert_allclose(of_each, of_scale, atol=5 * 2 * 2**0.5 / count**0.5)


@once
def test_entropy_of_what_has_none():
    with pytest.raises(TypeError, match="no closed form"):
        entropy_bonus(Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([0.0, 1.0]), 1.0)))


def test_clip_of_more_than_the_ratio():
    """With a clip above 1 nothing bounds the ratio from below: -A r with A = -1."""
    ratio = jnp.array([0.5, 2.0])
    found = ppo_clip_loss(jnp.zeros(2), jnp.log(ratio), -jnp.ones(2), clip=1.5)
    np.testing.assert_allclose(found, ratio, rtol=1e-6)


def test_options_make_no_more_entries():
    one = jnp.zeros(3)
    with pytest.raises(ValueError, match=r"ppo_clip_loss: clip of shape \(3, 1\)"):
        ppo_clip_loss(one, one, one, clip=jnp.full((3, 1), 0.2))
    with pytest.raises(ValueError, match=r"ppo_kl_penalty_loss: coefficient of shape \(3, 1\)"):
        ppo_kl_penalty_loss(one, one, one, one, coefficient=jnp.ones((3, 1)))


def test_what_has_no_weight_adds_nothing():
    value, gradient = jax.value_and_grad(
        lambda q: jnp.sum(
            ppo_kl_penalty_loss(jnp.zeros(2), q, jnp.array([1.0, 0.0]), jnp.array([jnp.inf, 1.0]), coefficient=0.0)
        )
    )(jnp.array([0.0, 1e4]))
    assert value == -1
    np.testing.assert_array_equal(gradient, [-1, 0])


def test_entropy_of_independent_squashed_coordinates():
    """The same distribution written in two orders, with the same draws: H(tanh x) = H(x) + E log(1 - tanh(x)^2)."""
    base = Normal(jnp.array([[0.5, -1.0, 2.0]]), 0.5)
    outside = Transformed(Independent(base), bijectors.Tanh())
    inside = Independent(Transformed(base, bijectors.Tanh()))
    draws = {"key": jax.random.key(0), "num_samples": 5}
    np.testing.assert_allclose(entropy_bonus(inside, **draws), entropy_bonus(outside, **draws), rtol=1e-5)
    with pytest.raises(ValueError, match=r"num_samples must be a positive integer, got 1\.5"):
        entropy_bonus(inside, key=draws["key"], num_samples=1.5)
