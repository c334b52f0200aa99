"""The split of the rate by quadrature and by enumeration, bounds from minibatches, and active units."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxinfo import objectives
from jaxinfo._pytrees import register_dataclass
from jaxinfo.distributions import Categorical, Independent, Mixture, Normal, Uniform
from tests.marks import once
from tests.objectives.latent_models import ScriptedCategorical, every
from tests.quick import quick_jit

KEY = jax.random.key(0)
LOCS, SCALES = np.array([-1.5, -0.2, 0.3, 2.0]), np.array([0.5, 0.8, 0.4, 1.1])
SHARES = np.array([0.1, 0.4, 0.3, 0.2])


def tolerance(single, double):
    return double if jax.config.jax_enable_x64 else single


def split_by_quadrature(locs, scales, shares):
    """Rate, information and divergence of the aggregate from a standard normal, on a grid."""
    z = np.linspace(-12, 12, 40_001)
    parts = stats.norm.logpdf(z[:, None], locs, scales)
    aggregate, prior = np.log(np.exp(parts) @ shares), stats.norm.logpdf(z)
    information = np.sum((np.exp(parts) * (parts - aggregate[:, None])).sum(0) * shares) * (z[1] - z[0])
    divergence = np.sum(np.exp(aggregate) * (aggregate - prior)) * (z[1] - z[0])
    return information + divergence, information, divergence


@pytest.mark.parametrize("known", [True, False], ids=["closed form", "drawn"])
@pytest.mark.parametrize("shares", [None, SHARES], ids=["uniform", "weighted"])
def test_the_split_by_quadrature(known, shares):
    expected = split_by_quadrature(LOCS, SCALES, np.full(4, 0.25) if shares is None else shares)
    q = Normal(jnp.asarray(LOCS, jnp.result_type(float)), jnp.asarray(SCALES, jnp.result_type(float)))
    prior = Normal(0.0, 1.0) if known else lambda z: -0.5 * jnp.square(z) - 0.5 * math.log(2 * math.pi)
    weights = None if shares is None else jnp.asarray(shares, jnp.result_type(float))

    @quick_jit
    @jax.vmap
    def terms(key):
        return objectives.aggregate_posterior_terms(q, prior, key=key, num_samples=64, weights=weights)

    found = terms(jax.random.split(KEY, 400))
    for part, exact in zip((found.rate, found.mutual_information, found.aggregate_kl), expected, strict=True):
        value, error = np.asarray(part.value, np.float64), np.asarray(part.stderr)
        if part.method == "closed_form":
            np.testing.assert_allclose(value, exact, rtol=tolerance(1e-5, 1e-9))
            continue
        z = (value - exact) / error
        # The control variate's coefficient is measured on the same draws, a bias of one part in 256.
        assert abs(z.mean()) < 4.5 / 20 + 0.1
        assert 0.85 < z.std() < 1.15
        assert error.mean() < 0.12
    total = found.mutual_information.value + found.aggregate_kl.value
    np.testing.assert_allclose(found.rate.value, total, rtol=1e-5, atol=1e-6)
    assert found.rate.method == ("closed_form" if known else "monte_carlo")
    if known:
        # What the control variate is for: the error is less than that of the plain mean of log q(z|x) - log q(z).
        aggregate = objectives.aggregate_posterior(q, weights=weights)
        z = q.sample(KEY, (64,))
        plain = np.std(q.log_prob(z) - aggregate.log_prob(z), axis=0, ddof=1) / 8
        shares = np.full(4, 0.25) if shares is None else shares
        assert found.mutual_information.stderr.mean() < 0.95 * np.sqrt(np.sum((shares * plain) ** 2))


@once
def test_error_with_one_draw_each_is_not_too_small():
    q = Normal(jnp.asarray(np.tile(LOCS, 25), jnp.result_type(float)), 0.7)
    terms = quick_jit(jax.vmap(lambda key: objectives.aggregate_posterior_terms(q, Normal(0.0, 1.0), key=key)))
    found = terms(jax.random.split(KEY, 300)).mutual_information
    spread = np.std(found.value)
    assert 0.9 * spread < np.mean(found.stderr) < 2 * spread
    _, exact, _ = split_by_quadrature(LOCS, np.full(4, 0.7), np.full(4, 0.25))
    assert abs(np.mean(found.value) - exact) < 5 * spread / math.sqrt(300) + 0.01 * exact


def test_gradient_of_the_information_and_blocks():
    """The derivative of the information in a common scale, by differences of quadratures."""
    locs = jnp.asarray(LOCS, jnp.result_type(float))

    def information(log_scale, key, block_size):
        q = Independent(Normal(locs[:, None], jnp.exp(log_scale)))
        prior = Independent(Normal(jnp.zeros(1), 1.0))
        options = {"key": key, "num_samples": 50, "block_size": block_size}
        return objectives.aggregate_posterior_terms(q, prior, **options).mutual_information.value

    keys = jax.random.split(KEY, 200)
    slopes = [
        quick_jit(jax.vmap(jax.grad(lambda s, k, b=b: information(s, k, b)), (None, 0)))(jnp.asarray(-0.4), keys)
        for b in (None, 3)
    ]
    np.testing.assert_allclose(slopes[0], slopes[1], rtol=tolerance(1e-3, 1e-8), atol=1e-5)
    ends = [split_by_quadrature(LOCS, np.exp(-0.4 + step), np.full(4, 0.25))[1] for step in (1e-4, -1e-4)]
    error = np.std(slopes[0]) / math.sqrt(200)
    assert abs(np.mean(slopes[0]) - (ends[0] - ends[1]) / 2e-4) < 5 * error + 5e-3
    assert error < 0.02


def test_discrete_posteriors_by_enumeration():
    """Two examples and three states: the mean over all nine pairs of draws, of value and gradient."""
    q = jnp.array([[0.5, -0.3, 0.1], [-0.7, 0.2, 0.9]])
    prior = jnp.array([0.2, 0.0, -0.4])
    draws = every(3, 2)

    def drawn(q, pair):
        terms = objectives.aggregate_posterior_terms(
            ScriptedCategorical(q), ScriptedCategorical(prior), key=pair[None], num_samples=1
        )
        return jnp.stack([terms.rate.value, terms.mutual_information.value, terms.aggregate_kl.value])

    def exact(q):
        table, other = jax.nn.softmax(q), jax.nn.softmax(prior)
        mean = jnp.mean(table, axis=0)
        rate = jnp.mean(jnp.sum(table * jnp.log(table / other[None]), axis=1))
        return jnp.stack([rate, rate - jnp.sum(mean * jnp.log(mean / other)), jnp.sum(mean * jnp.log(mean / other))])

    @quick_jit
    def both(q):
        table = jax.nn.softmax(q)
        shares = table[0][draws[:, 0]] * table[1][draws[:, 1]]
        one = lambda pair: (drawn(q, pair), jax.jacobian(drawn)(q, pair))  # noqa: E731
        found = jax.tree.map(lambda leaf: jnp.tensordot(shares, leaf, 1), jax.vmap(one)(draws))
        return found, (exact(q), jax.jacobian(exact)(q))

    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=tolerance(1e-6, 1e-12)), *both(q))


def test_the_ends_of_the_information():
    """Posteriors that are all the same say nothing; those that do not overlap say which example it was."""
    prior = Independent(Normal(jnp.zeros(3), 1.0))
    same = Independent(Normal(jnp.full((5, 3), 0.3), 1.0))
    split = quick_jit(
        lambda q, prior, weights: objectives.aggregate_posterior_terms(
            q, prior, key=KEY, num_samples=3, weights=weights
        )
    )
    terms = split(same, prior, jnp.full(5, 0.2))
    np.testing.assert_allclose(terms.mutual_information.value, 0, atol=1e-5)
    np.testing.assert_allclose(terms.aggregate_kl.value, 0.5 * 3 * 0.09, rtol=1e-4)
    apart = Independent(Normal(50.0 * jnp.arange(5.0)[:, None] * jnp.ones((1, 3)), 1.0))
    terms = split(apart, prior, jnp.array([0.5, 0.5, 0.0, 0.0, 0.0]))
    np.testing.assert_allclose(terms.mutual_information.value, math.log(2), rtol=1e-3)


@pytest.mark.parametrize("num_samples", [1, 4])
@pytest.mark.parametrize("known", [True, False], ids=["closed form", "drawn"])
def test_posteriors_without_weight_or_out_of_reach(known, num_samples):
    """Two boxes apart, of which the prior on (0, 2) holds the first: that costs log 2, and both together say log 2."""
    key, log_2 = jax.random.key(3), math.log(2)
    prior = Uniform(low=0.0, high=2.0)

    @quick_jit
    @jax.vmap
    def terms(weights, high):
        def split(high):
            q = Uniform(low=jnp.array([0.0, 5.0]), high=high)
            options = {"key": key, "num_samples": num_samples, "weights": weights}
            return objectives.aggregate_posterior_terms(q, prior if known else prior.log_prob, **options)

        slope = jax.grad(lambda high: split(high).aggregate_kl.value)(high)
        return split(high), slope

    weights = jnp.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    found, slopes = terms(weights, jnp.broadcast_to(jnp.array([1.0, 6.0]), (3, 2)))
    parts = (found.rate, found.mutual_information, found.aggregate_kl)
    expected = [[log_2, np.inf, np.inf], [0, log_2, 0], [log_2, np.inf, np.inf]]
    for part, values in zip(parts, expected, strict=True):
        np.testing.assert_allclose(part.value, values, rtol=tolerance(1e-6, 1e-12), atol=1e-7)
        # The numbers do not depend on the draws; a mean that is infinite has no error that is not.
        errors = np.where(np.isinf(values) & (part.method == "monte_carlo"), np.inf, 0)
        np.testing.assert_allclose(part.stderr, errors, atol=1e-7)
    if known:
        # KL from the prior is log 2 - log(high), and that of a box without weight has no share in it.
        np.testing.assert_allclose(slopes[0], [-1.0, 0.0], atol=1e-6)


@once
def test_categorical_posteriors_without_weight():
    """Two certain states, of which one has all the weight: nothing is said of which, and a fair coin costs log 2."""
    q, prior = Categorical(probs=jnp.eye(2)), Categorical(probs=jnp.array([0.5, 0.5]))
    for num_samples in (1, 3):
        options = {"key": KEY, "num_samples": num_samples, "weights": jnp.array([1.0, 0.0])}
        terms = objectives.aggregate_posterior_terms(q, prior, **options)
        found = [part.value for part in (terms.rate, terms.mutual_information, terms.aggregate_kl)]
        np.testing.assert_allclose(found, [math.log(2), 0, math.log(2)], atol=1e-6)


TRACES = []


@register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Traced(ScriptedCategorical):
    """Tells how often it is looked at, which a compiled program does not do again."""

    def log_prob(self, x):
        TRACES.append(x.shape)
        return super().log_prob(jnp.broadcast_to(x, jnp.broadcast_shapes(x.shape, self.batch_shape)))


@once
def test_compiled_once_and_functions_are_read_anew():
    q, prior, draws = Traced(jnp.zeros((2, 3))), Traced(jnp.zeros(3)), jnp.array([[0, 1]])
    for function, arguments in (
        (objectives.aggregate_posterior_terms, (q, prior)),
        (objectives.minibatch_information_bounds, (q,)),
    ):
        function(*arguments, key=draws)
        count = len(TRACES)
        assert count
        function(*arguments, key=draws)
        assert len(TRACES) == count
        with pytest.raises(ValueError, match="num_samples must be an integer of at least 1, got True"):
            function(*arguments, key=draws, num_samples=True)

    class Model:
        level = -1.0

        def log_prob(self, z):
            return jnp.full(z.shape, self.level)

    model = Model()
    rates = []
    for model.level in (-1.0, -3.0):
        rates.append(objectives.aggregate_posterior_terms(q, model.log_prob, key=draws).rate.value)
    np.testing.assert_allclose(rates, [1 - math.log(3), 3 - math.log(3)], rtol=1e-6)


@once
def test_aggregate_posterior_is_the_mixture():
    q = Independent(Normal(jnp.array([[0.0, 1.0], [2.0, -1.0]]), 0.5))
    mixture = objectives.aggregate_posterior(q, weights=jnp.array([0.25, 0.75]))
    assert isinstance(mixture, Mixture)
    z = np.array([[0.3, 0.4], [1.0, 0.0]])
    parts = stats.norm.pdf(z[:, None], [[0.0, 1.0], [2.0, -1.0]], 0.5).prod(-1)
    np.testing.assert_allclose(
        mixture.log_prob(jnp.asarray(z, jnp.result_type(float))), np.log(parts @ [0.25, 0.75]), rtol=1e-5
    )


@once
def test_minibatch_bounds_of_a_linear_channel():
    """x ~ N(0, 1), z = x + N(0, s^2): I = log(1 + 1 / s^2) / 2, and the bounds enclose it on average."""
    deviation, count = 0.5, 16
    information = 0.5 * math.log(1 + 1 / deviation**2)

    @quick_jit
    @jax.vmap
    def bounds(key):
        keys = jax.random.split(key)
        x = jax.random.normal(keys[0], (count,))
        return objectives.minibatch_information_bounds(Normal(x, deviation), key=keys[1])

    lower, upper = bounds(jax.random.split(KEY, 3000))
    means = [np.mean(bound.value) for bound in (lower, upper)]
    errors = [np.std(bound.value) / math.sqrt(3000) for bound in (lower, upper)]
    assert means[0] + 3 * errors[0] < information < means[1] - 3 * errors[1]
    assert np.all(np.asarray(lower.value) <= math.log(count) + 1e-5)
    # The lower bound's own error is about right.
    assert 0.7 < np.mean(lower.stderr) / np.std(lower.value) < 1.4
    wide = quick_jit(
        lambda x: objectives.minibatch_information_bounds(
            Normal(x, deviation), key=jax.random.key(1), num_samples=2, block_size=100
        )
    )(jax.random.normal(KEY, (2000,)))
    for bound in wide:
        assert abs(bound.value - information) < 4.5 * bound.stderr + 0.01


@once
def test_minibatch_bounds_are_their_formulas():
    locs = jnp.array([[0.0, 1.0], [0.5, -1.0], [2.0, 0.3]])
    q = Independent(Normal(locs, 0.8))
    lower, upper = objectives.minibatch_information_bounds(q, key=KEY, num_samples=2)
    z = np.asarray(q.sample(KEY, (2,)), np.float64)
    table = stats.norm.logpdf(z[:, :, None], np.asarray(locs)[None, None], 0.8).sum(-1)  # [draw, own, other]
    own = np.stack([table[:, i, i] for i in range(3)], axis=1)
    everyone = np.log(np.exp(table).mean(-1))
    others = np.stack([np.log(np.delete(np.exp(table[:, i]), i, axis=-1).mean(-1)) for i in range(3)], axis=1)
    np.testing.assert_allclose(lower.value, np.mean(own - everyone), rtol=1e-5)
    np.testing.assert_allclose(upper.value, np.mean(own - others), rtol=1e-5)
    means = (own - others).mean(0)
    np.testing.assert_allclose(upper.stderr, means.std(ddof=1) / math.sqrt(3), rtol=1e-4)


@once
def test_minibatch_bounds_of_posteriors_apart():
    """Boxes that do not overlap: log B from below, and from above infinity, which is not known to any error."""
    boxes = Uniform(low=jnp.array([0.0, 2.0, 4.0]), high=jnp.array([1.0, 3.0, 5.0]))
    for num_samples in (1, 2):
        lower, upper = objectives.minibatch_information_bounds(boxes, key=KEY, num_samples=num_samples)
        np.testing.assert_allclose([lower.value, lower.stderr], [math.log(3), 0], rtol=1e-6, atol=1e-6)
        assert upper.value == upper.stderr == jnp.inf


def test_active_units():
    random = np.random.default_rng(0)
    means = random.normal(size=(50, 4)) * np.array([1.0, 0.3, 0.05, 0.0]) + 3
    array = jnp.asarray(means, jnp.result_type(float))
    np.testing.assert_allclose(objectives.unit_activity(array), means.var(axis=0), rtol=1e-4, atol=1e-10)
    np.testing.assert_array_equal(objectives.active_units(array), [True, True, False, False])
    np.testing.assert_array_equal(objectives.active_units(array, threshold=1e-4), [True, True, True, False])
    np.testing.assert_array_equal(objectives.active_units(array.T, axis=1), [True, True, False, False])
    weights = random.dirichlet(np.ones(50))
    centred = means - weights @ means
    found = objectives.unit_activity(array, weights=jnp.asarray(weights, array.dtype))
    np.testing.assert_allclose(found, weights @ centred**2, rtol=1e-4, atol=1e-10)
    assert objectives.unit_activity(array.astype(jnp.bfloat16)).dtype == jnp.bfloat16
    # Of 1 and 3 with equal shares the variance is 1; what has no share is not looked at.
    row = jnp.array([[1.0], [jnp.nan], [3.0], [jnp.inf]])
    shares = jnp.array([0.5, 0.0, 0.5, 0.0])
    found, slope = jax.value_and_grad(lambda m: objectives.unit_activity(m, weights=shares)[0])(row)
    np.testing.assert_allclose(found, 1.0)
    np.testing.assert_allclose(slope[:, 0], [-1.0, 0.0, 1.0, 0.0])
    slope = jax.grad(lambda m: objectives.unit_activity(m)[0])(array)
    np.testing.assert_allclose(slope[:, 0], 2 * (means[:, 0] - means[:, 0].mean()) / 50, rtol=1e-3, atol=1e-6)


@once
def test_errors():
    q, p = Normal(jnp.zeros(3), 1.0), Normal(0.0, 1.0)
    for name, arguments in (("aggregate_posterior", ()), ("aggregate_posterior_terms", (p,))):
        options = {"key": KEY} if arguments else {}
        with pytest.raises(ValueError, match=rf"{name}: the posterior's batch shape must be \[N\].*got \(\)"):
            getattr(objectives, name)(Normal(0.0, 1.0), *arguments, **options)
        with pytest.raises(ValueError, match=rf"{name}: weights must have the posterior's batch shape \(3,\)"):
            getattr(objectives, name)(q, *arguments, weights=jnp.ones(2), **options)
        with pytest.raises(ValueError, match=rf"{name}: needs the posterior of at least one example"):
            getattr(objectives, name)(Normal(jnp.zeros(0), 1.0), *arguments, **options)
    with pytest.raises(ValueError, match="aggregate_posterior_terms: block_size must be"):
        objectives.aggregate_posterior_terms(q, p, key=KEY, block_size=0)
    with pytest.raises(TypeError, match="log_prob"):
        objectives.aggregate_posterior_terms(Categorical(logits=jnp.zeros((3, 2))), 3.0, key=KEY)
    with pytest.raises(ValueError, match="minibatch_information_bounds: needs the posteriors of at least two"):
        objectives.minibatch_information_bounds(Normal(jnp.zeros(1), 1.0), key=KEY)
    with pytest.raises(ValueError, match="unit_activity: weights must have shape"):
        objectives.unit_activity(jnp.zeros((3, 2)), weights=jnp.ones(2))
    with pytest.raises(ValueError, match="unit_activity: axis 2 is out of bounds"):
        objectives.active_units(jnp.zeros((3, 2)), axis=2)
