"""The evidence lower bound: exact ones of linear models, and every gradient estimator by enumerating what it draws."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from scipy import stats

from jaxinfo import objectives
from jaxinfo.densities import DoublyReparameterized, Reparameterized, ScoreFunction, StickingTheLanding
from jaxinfo.distributions import Categorical, Independent, Mixture, MultivariateNormal, Normal
from tests.marks import once
from tests.objectives.latent_models import (
    ScriptedCategorical,
    ScriptedNormal,
    every,
    hermite,
    log_normal,
    script_categorical,
)
from tests.quick import quick_jit

KEY = jax.random.key(0)


def terms_of(q, prior, log_likelihood, **options):
    """Compiled as a whole, as inside a training step."""
    return quick_jit(lambda q, prior: objectives.elbo_terms(q, prior, log_likelihood, key=KEY, **options))(q, prior)


def tolerance(single, double):
    return double if jax.config.jax_enable_x64 else single


# ---------------------------------------------------------------------------------------------------------------------
# Probabilistic PCA: everything about it is known


class Pca:
    """x = W z + noise of variance `noise`, in numbers of NumPy."""

    def __init__(self):
        random = np.random.default_rng(0)
        # Orthogonal columns: the posterior's coordinates are independent.
        self.w = np.linalg.qr(random.normal(size=(5, 2)))[0] * np.array([2.0, 0.7])
        self.noise = 0.3
        self.x = random.normal(size=(4, 5))
        gram = self.w.T @ self.w + self.noise * np.eye(2)
        self.mean = self.x @ self.w @ np.linalg.inv(gram)
        self.deviation = np.sqrt(self.noise * np.diag(np.linalg.inv(gram)))
        self.log_marginal = stats.multivariate_normal(np.zeros(5), self.w @ self.w.T + self.noise * np.eye(5)).logpdf(
            self.x
        )

    def log_likelihood(self, z):
        w, x = (jnp.asarray(a, z.dtype) for a in (self.w, self.x))
        return jnp.sum(log_normal(x[None], z @ w.T, math.sqrt(self.noise)), axis=-1)

    def exact(self, loc, scale):
        """Reconstruction and KL for a normal posterior with independent coordinates."""
        residual = np.sum((self.x - loc @ self.w.T) ** 2, axis=-1) + (scale**2) @ np.sum(self.w**2, axis=0)
        reconstruction = -2.5 * math.log(2 * math.pi * self.noise) - residual / (2 * self.noise)
        return reconstruction, 0.5 * (loc**2 + scale**2 - np.log(scale**2) - 1)


PCA = Pca()
STANDARD = Independent(Normal(jnp.zeros(2), 1.0))


def posterior(loc, scale):
    loc, scale = (jnp.broadcast_to(jnp.asarray(a, jnp.result_type(float)), (4, 2)) for a in (loc, scale))
    return Independent(Normal(loc, scale))


def test_terms_of_pca_are_the_exact_ones():
    loc, scale = np.full((4, 2), 0.3), np.array([[0.5, 1.2]] * 4)
    terms = terms_of(posterior(loc, scale), STANDARD, PCA.log_likelihood, num_samples=4096)
    reconstruction, kl = PCA.exact(loc, scale)
    np.testing.assert_allclose(terms.kl_per_dimension.value, kl, rtol=tolerance(1e-5, 1e-12))
    np.testing.assert_allclose(terms.rate, kl.sum(-1), rtol=tolerance(1e-5, 1e-12))
    assert terms.kl.method == "closed_form"
    assert not terms.kl.stderr.any()
    z = (terms.reconstruction.value - reconstruction) / terms.reconstruction.stderr
    assert np.all(np.abs(z) < 4.5)
    np.testing.assert_allclose(terms.elbo.value, terms.reconstruction.value - terms.kl.value, rtol=1e-6)
    np.testing.assert_allclose(terms.elbo.stderr, terms.reconstruction.stderr, rtol=1e-4)
    np.testing.assert_array_equal(terms.objective, terms.elbo.value)
    np.testing.assert_array_equal(terms.distortion, -terms.reconstruction.value)
    # The error is that of a mean of 4096 draws: of a variance that a quadratic form has.
    sandwich = (scale[0][:, None] * (PCA.w.T @ PCA.w) * scale[0]) / PCA.noise
    slope = (PCA.x - loc @ PCA.w.T) @ PCA.w * scale / PCA.noise
    variance = np.sum(slope**2, axis=-1) + 0.5 * np.sum(sandwich**2)
    np.testing.assert_allclose(terms.reconstruction.stderr, np.sqrt(variance / 4096), rtol=0.1)


def test_drawn_kl_agrees_with_the_formula_within_its_error():
    loc, scale = np.full((4, 2), 0.3), np.array([[0.5, 1.2]] * 4)
    options = {"num_samples": 4096, "analytic_kl": False}
    terms = terms_of(posterior(loc, scale), STANDARD, PCA.log_likelihood, **options)
    reconstruction, kl = PCA.exact(loc, scale)
    assert terms.kl.method == "monte_carlo"
    for part, exact in (
        (terms.kl, kl.sum(-1)),
        (terms.kl_per_dimension, kl),
        (terms.elbo, reconstruction - kl.sum(-1)),
    ):
        assert np.all(np.abs((part.value - exact) / part.stderr) < 4.5)
        assert np.all(part.stderr > 0)
    np.testing.assert_allclose(terms.kl.value, terms.kl_per_dimension.value.sum(-1), rtol=1e-5)


@pytest.mark.parametrize("gradient", [None, StickingTheLanding(), DoublyReparameterized()], ids=str)
def test_at_the_posterior_every_draw_gives_the_marginal_likelihood(gradient):
    q = posterior(PCA.mean, PCA.deviation)

    def bound(q):
        options = {"key": KEY, "num_samples": 3, "gradient": gradient, "analytic_kl": False}
        return objectives.elbo(q, STANDARD, PCA.log_likelihood, **options)

    value, pull = quick_jit(lambda q: jax.vjp(bound, q))(q)
    np.testing.assert_allclose(value, PCA.log_marginal, rtol=tolerance(1e-5, 1e-12))
    (slopes,) = pull(jnp.ones_like(value))
    if gradient is not None:
        # No noise is left: what is differentiated is constant in z.
        assert max(np.abs(leaf).max() for leaf in jax.tree.leaves(slopes)) < tolerance(2e-4, 1e-12)


# ---------------------------------------------------------------------------------------------------------------------
# Gradient estimators: the mean over all that can be drawn is the gradient of the exact bound

X = np.array([0.8, -1.5])
PARAMETERS = {"loc": np.array([0.3, -0.4]), "log_scale": np.array([-0.5, 0.2]), "slope": np.array(1.3), "prior": 0.4}


def floats(tree):
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.result_type(float)), tree)


def normal_model(p, noise, **options):
    """z ~ N(prior, 1), x ~ N(slope z, 1), and a normal posterior."""
    q = ScriptedNormal(p["loc"], jnp.exp(p["log_scale"]))

    def log_likelihood(z):
        return log_normal(jnp.asarray(X, z.dtype)[None], p["slope"] * z, 1.0)

    return objectives.elbo(q, Normal(p["prior"], 1.0), log_likelihood, key=noise, **options)


def exact_normal_bound(p, beta):
    variance = jnp.exp(2 * p["log_scale"])
    residual = (X - p["slope"] * p["loc"]) ** 2 + p["slope"] ** 2 * variance
    kl = 0.5 * ((p["loc"] - p["prior"]) ** 2 + variance - 2 * p["log_scale"] - 1)
    return -0.5 * math.log(2 * math.pi) - residual / 2 - beta * kl


@pytest.mark.parametrize("gradient", [Reparameterized(), StickingTheLanding(), ScoreFunction()], ids=str)
@pytest.mark.parametrize("num_samples", [1, 2])
def test_expected_value_and_gradient_of_normal_posteriors(gradient, num_samples):
    """Gauss-Hermite nodes are exact for polynomials: all that is averaged is one, of degree 6 at most."""
    p, (noise, shares) = floats(PARAMETERS), hermite(5, num_samples)
    noise = jnp.broadcast_to(noise[..., None], (*noise.shape, 2))

    def mean(p):
        options = {"num_samples": num_samples, "gradient": gradient, "beta": 1.7}
        return shares @ jax.vmap(lambda e: normal_model(p, e, **options))(noise)

    exact = lambda p: exact_normal_bound(p, 1.7)  # noqa: E731
    weights = jnp.array([1.0, -0.6])

    def with_slopes(bound):
        value, pull = jax.vjp(bound, p)
        return value, pull(weights)[0]

    (value, slopes), (expected, expected_slopes) = quick_jit(lambda: (with_slopes(mean), with_slopes(exact)))()
    rtol = tolerance(2e-5, 1e-11)
    np.testing.assert_allclose(value, expected, rtol=rtol)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol), slopes, expected_slopes)


def test_second_derivatives_through_the_draws():
    p, (noise, shares) = floats(PARAMETERS), hermite(5, 1)
    noise = jnp.broadcast_to(noise[..., None], (*noise.shape, 2))
    exact = lambda p: jnp.sum(exact_normal_bound(p, 1.0))  # noqa: E731
    mean = lambda p: jnp.sum(shares @ jax.vmap(lambda e: normal_model(p, e))(noise))  # noqa: E731
    found, expected = quick_jit(lambda p: [jax.hessian(f)(p) for f in (mean, exact)])(p)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=tolerance(1e-4, 1e-10)), found, expected)


DISCRETE = {"q": np.array([0.2, -0.5, 0.7]), "prior": np.array([0.1, 0.4, -0.3]), "mean": np.array([-1.0, 0.5, 2.0])}


def discrete_model(family, p, draws, prior=Categorical, **options):
    def log_likelihood(z):
        return log_normal(0.6, p["mean"][z], 1.0)

    q, prior = family(logits=p["q"]), prior(logits=p["prior"])
    return objectives.elbo(q, prior, log_likelihood, key=draws, num_samples=len(draws), **options)


def exact_discrete_bound(p, beta=1.0):
    q = jax.nn.softmax(p["q"])
    log_ratio = jnp.log(q) - jax.nn.log_softmax(p["prior"])
    return jnp.sum(q * (log_normal(0.6, p["mean"], 1.0) - beta * log_ratio))


@pytest.mark.parametrize("num_samples", [1, 2, 3])
@pytest.mark.parametrize("known", [False, True], ids=["drawn", "analytic"])
def test_expected_value_and_gradient_of_discrete_posteriors(num_samples, known, monkeypatch):
    script_categorical(monkeypatch)
    p, draws = floats(DISCRETE), every(3, num_samples)
    family = Categorical if known else ScriptedCategorical
    shares = jnp.prod(jax.nn.softmax(p["q"])[draws], axis=1)

    @quick_jit
    @jax.vmap
    def one(draws):
        return jax.value_and_grad(lambda p: discrete_model(family, p, draws, beta=0.8))(p)

    values, slopes = one(draws)
    expected, expected_slopes = jax.value_and_grad(exact_discrete_bound)(p, 0.8)
    rtol = tolerance(1e-5, 1e-12)
    np.testing.assert_allclose(shares @ values, expected, rtol=rtol)
    for name, slope in expected_slopes.items():
        np.testing.assert_allclose(jnp.tensordot(shares, slopes[name], 1), slope, rtol=rtol, atol=rtol)


def test_mixture_weights_get_their_score():
    """By many draws: the mean gradient is within five of its standard errors."""
    q = Mixture(jnp.array([0.3, 0.7]), Normal(jnp.array([-1.0, 1.0]), 0.8))

    def bound(weights, key):
        mixture = Mixture(weights, q.components)
        return objectives.elbo(mixture, Normal(0.0, 1.0), lambda z: -jnp.square(z - 1), key=key, num_samples=8)

    slopes = quick_jit(jax.vmap(jax.grad(bound), (None, 0)))(q.weights, jax.random.split(KEY, 4096))
    nodes = np.linspace(-9, 9, 20001)
    parts = stats.norm.pdf(nodes[:, None], [-1, 1], 0.8)
    integrand = -((nodes - 1) ** 2) + stats.norm.logpdf(nodes) - np.log(parts @ [0.3, 0.7])
    # Weights off the simplex only add a constant to each slope.
    expected = (parts * integrand[:, None]).sum(0) * (nodes[1] - nodes[0])
    found, error = np.mean(slopes, 0), np.std(np.diff(slopes, axis=1)) / 64
    assert abs(np.diff(found) - np.diff(expected)) < 5 * error
    assert error < 0.1


# ---------------------------------------------------------------------------------------------------------------------
# Options


def test_free_bits_and_beta():
    q = Independent(Normal(jnp.array([[1.0, 0.0, 0.2], [2.0, 1.0, 0.0]]), 1.0))
    zero = lambda z: jnp.zeros(z.shape[:-1])  # noqa: E731
    prior = Independent(Normal(jnp.zeros(3), 1.0))

    def objective(q, beta, free_bits):
        return objectives.elbo(q, prior, zero, key=KEY, beta=beta, free_bits=free_bits)

    np.testing.assert_allclose(objective(q, 1.0, 0.1), [-0.5 - 0.1 - 0.1, -2.0 - 0.5 - 0.1], rtol=1e-6)
    np.testing.assert_allclose(objective(q, jnp.array([0.0, 2.0]), 0.0), [0.0, -5.0], rtol=1e-6)
    np.testing.assert_allclose(objective(q, 1.0, jnp.array([0.6, 0.0, 0.0])), [-0.6 - 0.02, -2.5], rtol=1e-6)
    slope = quick_jit(jax.grad(lambda q, *a: objective(q, *a).sum()))(q, 2.0, 0.1).base.loc
    np.testing.assert_allclose(slope, [[-2.0, 0.0, 0.0], [-4.0, -2.0, 0.0]], atol=1e-6)
    terms = objectives.elbo_terms(q, prior, zero, key=KEY, beta=3.0, free_bits=0.1)
    np.testing.assert_allclose(terms.elbo.value, [-0.52, -2.5], rtol=1e-6)
    assert np.isinf(terms.reconstruction.stderr).all()


@once
def test_free_bits_do_not_hide_nan():
    zero = lambda z: jnp.zeros(z.shape)  # noqa: E731
    for q, prior, free_bits in (
        (Normal(jnp.zeros(2), 1.0), Normal(jnp.array([jnp.nan, 0.0]), 1.0), 0.1),
        (Normal(jnp.zeros(2), 1.0), Normal(jnp.zeros(2), 1.0), jnp.array([jnp.nan, 0.1])),
    ):
        np.testing.assert_allclose(
            objectives.elbo(q, prior, zero, key=KEY, free_bits=free_bits), [np.nan, -0.1], rtol=1e-6
        )


@once
def test_without_weight_an_infinite_kl_does_not_count():
    """Of a fair coin from a prior that knows one face it is infinite, from odds of one to three log(4 / 3) / 2."""
    q = Categorical(probs=jnp.full((2, 2), 0.5))
    prior = Categorical(probs=jnp.array([[1.0, 0.0], [0.25, 0.75]]))
    kl = 0.5 * math.log(4 / 3)

    def objective(beta, loc, **options):
        log_likelihood = lambda z: jnp.full(z.shape, loc)  # noqa: E731
        return objectives.elbo(q, prior, log_likelihood, key=KEY, beta=beta, **options)

    def both(beta):
        return objective(beta, -3.0), jax.grad(lambda loc: objective(beta, loc).sum())(-3.0)

    for function in (both, quick_jit(both)):
        value, slope = function(0.0)
        np.testing.assert_array_equal(value, [-3.0, -3.0])
        assert slope == 2
    np.testing.assert_allclose(objective(jnp.array([0.0, 0.5]), -3.0), [-3.0, -3.0 - 0.5 * kl], rtol=1e-6)
    np.testing.assert_allclose(objective(0.5, -3.0), [-np.inf, -3.0 - 0.5 * kl], rtol=1e-6)
    # In beta the slope is minus KL, where that is finite.
    np.testing.assert_allclose(jax.jacobian(objective)(0.0, -3.0), [0.0, -kl], rtol=1e-5)


def test_other_posteriors():
    loc, scale = jnp.full((4, 2), 0.3), jnp.full((4, 2), 0.5)
    expected = terms_of(Independent(Normal(loc, scale)), STANDARD, PCA.log_likelihood)
    diagonal = MultivariateNormal.from_diagonal(loc, scale)
    standard = MultivariateNormal.from_diagonal(jnp.zeros(2), jnp.ones(2))
    terms = terms_of(diagonal, standard, PCA.log_likelihood)
    np.testing.assert_allclose(terms.kl_per_dimension.value, expected.kl_per_dimension.value, rtol=1e-6)
    dense = MultivariateNormal(loc, jnp.broadcast_to(0.5 * jnp.eye(2), (4, 2, 2)))
    terms = terms_of(dense, MultivariateNormal(jnp.zeros(2), jnp.eye(2)), PCA.log_likelihood)
    assert terms.kl_per_dimension is None
    np.testing.assert_allclose(terms.kl.value, expected.kl.value, rtol=1e-5)
    function = lambda z: -0.5 * jnp.sum(jnp.square(z), axis=-1) - math.log(2 * math.pi)  # noqa: E731
    q = Independent(Normal(loc, scale))
    terms = quick_jit(lambda: objectives.elbo_terms(q, function, PCA.log_likelihood, key=KEY, num_samples=2048))()
    assert terms.kl.method == "monte_carlo"
    assert np.all(np.abs(terms.kl.value - expected.kl.value) < 5 * terms.kl.stderr)
    with pytest.raises(TypeError, match="factorise"):
        objectives.elbo(dense, function, PCA.log_likelihood, key=KEY, free_bits=0.1)


def test_impossible_draws_are_infinitely_bad():
    q = Normal(jnp.zeros(2), 1.0)
    log_likelihood = lambda z: jnp.where(jnp.arange(2)[None] == 0, -jnp.inf, -jnp.square(z))  # noqa: E731
    value = objectives.elbo(q, Normal(0.0, 1.0), log_likelihood, key=KEY)
    assert value[0] == -jnp.inf
    assert jnp.isfinite(value[1])


@once
def test_impossible_draws_repel_score_functions():
    """Of two draws the first is infinitely bad: the other states' logits go up, which NaN would not say."""

    def bound(logits, states):
        q, prior = ScriptedCategorical(logits), ScriptedCategorical(jnp.zeros(3))
        log_likelihood = lambda z: jnp.where(z == 0, -jnp.inf, 1.0)  # noqa: E731
        return objectives.elbo_terms(q, prior, log_likelihood, key=states, num_samples=2)

    states = jnp.array([0, 1])
    slope = jax.grad(lambda logits: bound(logits, states).objective)(jnp.zeros(3))
    # Its own is an infinite share of infinitely much, through a softmax.
    np.testing.assert_array_equal(slope[1:], np.inf)
    terms = bound(jnp.zeros(3), states)
    assert terms.elbo.value == terms.reconstruction.value == -jnp.inf
    assert terms.elbo.stderr == terms.reconstruction.stderr == jnp.inf


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
def test_half_precision_is_averaged_in_single(dtype):
    q = Independent(Normal(jnp.full((4, 2), 0.3, dtype), jnp.full((4, 2), 0.5, dtype)))
    prior = Independent(Normal(jnp.zeros(2, dtype), jnp.ones(2, dtype)))
    terms = terms_of(q, prior, lambda z: -jnp.sum(jnp.square(z), -1), num_samples=64)
    assert {leaf.dtype for leaf in jax.tree.leaves(terms)} == {jnp.dtype(jnp.float32)}
    loc = float(jnp.asarray(0.3, dtype))
    kl = 0.5 * (loc**2 + 0.25 - math.log(0.25) - 1)
    np.testing.assert_allclose(terms.kl.value, 2 * kl, rtol=1e-5)


def test_a_flax_model_trains_inside_a_scan():
    """Linear encoder and decoder come to the marginal likelihood of PCA; examples are mapped over as they are."""
    x = jnp.asarray(PCA.x, jnp.float32)

    class Model(nnx.Module):
        def __init__(self, rngs):
            self.mean = nnx.Linear(5, 2, param_dtype=jnp.float32, rngs=rngs)
            self.log_scale = nnx.Param(jnp.zeros(2, jnp.float32))

        def posterior(self, x):
            mean = self.mean(x)
            return Independent(Normal(mean, jnp.broadcast_to(jnp.exp(self.log_scale[...]), mean.shape)))

    optimizer = optax.adam(0.03)
    prior = Independent(Normal(jnp.zeros(2, jnp.float32), jnp.ones((), jnp.float32)))

    def log_likelihood(z):
        return jnp.sum(log_normal(x[None], z @ jnp.asarray(PCA.w, z.dtype).T, math.sqrt(PCA.noise)), -1)

    @nnx.jit
    def train(model):
        graph, params = nnx.split(model)

        def step(carry, key):
            params, state = carry

            def loss(params):
                q = nnx.merge(graph, params).posterior(x)
                bound = objectives.elbo(q, prior, log_likelihood, key=key, gradient=StickingTheLanding())
                return -jnp.mean(bound)

            value, slope = jax.value_and_grad(loss)(params)
            updates, state = optimizer.update(slope, state)
            return (optax.apply_updates(params, updates), state), value

        carry = (params, optimizer.init(params))
        return jax.lax.scan(step, carry, jax.random.split(jax.random.key(1), 600))[1]

    # Optax and Flax mix integers and floats.
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        losses = train(Model(nnx.Rngs(0)))
    # Sticking the landing has no noise at the optimum.
    np.testing.assert_allclose(losses[-20:], -PCA.log_marginal.mean(), atol=0.02)


def test_vmap_over_models_is_each_alone():
    locs = jnp.array([[0.0, 1.0], [2.0, -1.0]])

    def bound(loc, key):
        return objectives.elbo(Normal(loc, 1.0), Normal(0.0, 1.0), lambda z: -jnp.square(z), key=key, num_samples=2)

    keys = jax.random.split(KEY)
    together = quick_jit(jax.vmap(bound))(locs, keys)
    bound = quick_jit(bound)
    np.testing.assert_allclose(together, jnp.stack([bound(*pair) for pair in zip(locs, keys, strict=True)]), rtol=1e-5)


@once
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"num_samples": 0}, ValueError, "num_samples must be an integer of at least 1, got 0"),
        ({"beta": -1.0}, ValueError, "beta must be at least 0, got -1.0"),
        ({"free_bits": -0.5}, ValueError, "free_bits must be at least 0"),
        ({"beta": jnp.ones(2)}, ValueError, r"beta of shape \(2,\) does not broadcast to \(3,\)"),
        ({"free_bits": jnp.ones(2)}, ValueError, r"free_bits of shape \(2,\) does not broadcast to \(3,\)"),
        ({"gradient": "stl"}, TypeError, "gradient must be one of"),
        ({"analytic_kl": 1}, TypeError, "analytic_kl must be True, False or None"),
        ({"analytic_kl": True, "gradient": StickingTheLanding()}, ValueError, "draws the KL"),
        ({"log_likelihood": lambda z: z.sum()}, ValueError, r"must return \(1, 3\)"),
        ({"prior": Independent(Normal(jnp.zeros(2), 1.0))}, ValueError, "event shapes"),
        ({"prior": Normal(jnp.zeros(2), 1.0)}, ValueError, "does not broadcast"),
        ({"prior": Normal(jnp.zeros((2, 3)), 1.0)}, ValueError, "does not broadcast"),
        ({"prior": lambda z: -z * z, "analytic_kl": True}, TypeError, "no closed form of KL is known"),
        ({"posterior": lambda z: -z * z}, TypeError, "drawn from"),
        ({"posterior": Categorical(logits=jnp.zeros((3, 2))), "gradient": Reparameterized()}, TypeError, "integers"),
    ],
)
def test_errors(options, error, message):
    given = {"posterior": Normal(jnp.zeros(3), 1.0), "prior": Normal(0.0, 1.0), "log_likelihood": jnp.negative}
    if "posterior" in options and not callable(options["posterior"]):
        given["prior"] = Categorical(logits=jnp.zeros(2))
    given |= options
    arguments = [given.pop(name) for name in ("posterior", "prior", "log_likelihood")]
    for name in ("elbo", "elbo_terms"):
        with pytest.raises(error, match=rf"{name}: .*{message}"):
            getattr(objectives, name)(*arguments, key=KEY, **given)


@once
def test_annealing():
    schedule = objectives.kl_annealing_schedule(40, num_cycles=4, proportion=0.5, initial_value=0.2)
    steps = np.arange(50)
    within = np.minimum(steps % 10 / 5, 1)
    expected = np.where(steps < 40, 0.2 + 0.8 * within, 1.0)
    np.testing.assert_allclose(jax.vmap(schedule)(jnp.arange(50)), expected, atol=1e-6)
    linear = objectives.kl_annealing_schedule(10, final_value=4.0)
    np.testing.assert_allclose([linear(step) for step in (0, 5, 10, 11)], [0, 2, 4, 4])
    for options in ({"num_steps": 0}, {"num_steps": 5, "num_cycles": 0}, {"num_steps": 5, "proportion": 0.0}):
        with pytest.raises(ValueError, match="kl_annealing_schedule"):
            objectives.kl_annealing_schedule(**options)
    with pytest.raises(ValueError, match="do not fit"):
        objectives.kl_annealing_schedule(3, num_cycles=4)
