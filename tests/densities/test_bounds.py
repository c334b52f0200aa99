"""Bounds for mixtures against quadrature."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxinfo import densities
from jaxinfo.densities import Quadrature
from jaxinfo.distributions import Mixture, Normal

FLOAT = jnp.zeros(()).dtype
EPS = float(jnp.finfo(FLOAT).eps)


def mixtures(seed, num_components, spread):
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.ones(num_components), 60)
    means = spread[:, None] * rng.normal(size=(60, num_components))
    scales = np.exp(rng.uniform(-1, 1, (60, num_components)))
    return Mixture(*(jnp.asarray(weights, FLOAT), Normal(jnp.asarray(means, FLOAT), jnp.asarray(scales, FLOAT))))


SPREADS = np.repeat([0.0, 1.0, 10.0], 20)


def test_the_entropy_lies_between():
    p = mixtures(1, 3, SPREADS)
    truth = densities.entropy(p, method=Quadrature())
    lower, upper = densities.entropy_bounds(p)
    slack = 64 * EPS * (1 + np.abs(truth.value))
    assert np.all(lower <= truth.value + slack)
    assert np.all(truth.value <= upper + slack)
    # Huber's upper bound, from which that of Kolchinsky and Tracey is never far above, and never above at all.
    own = Normal(p.components.loc, p.components.scale).entropy() - jnp.log(p.weights)
    assert np.all(upper <= jnp.sum(p.weights * own, axis=-1) + slack)
    assert np.all(upper - lower <= 2 * math.log(3))


def test_the_divergence_lies_between():
    p, q = mixtures(1, 3, SPREADS), mixtures(2, 2, SPREADS)
    truth = densities.kl_divergence(p, q, method=Quadrature())
    lower, upper = densities.kl_bounds(p, q)
    slack = 64 * EPS * (1 + np.abs(truth.value))
    assert np.all(lower <= truth.value + slack)
    assert np.all(truth.value <= upper + slack)
    assert np.all(lower >= 0)
    assert np.any(lower > 1)


def test_matched_pairs_are_no_better():
    p, q = mixtures(1, 3, SPREADS), mixtures(3, 3, SPREADS)
    _, upper = densities.kl_bounds(p, q)
    kl = densities.kl_divergence(p.components, q.components).value
    matched = jnp.sum(p.weights * (jnp.log(p.weights / q.weights) + kl), axis=-1)
    assert np.all(upper <= matched * (1 + 1e-4) + 64 * EPS)


def test_bounds_are_exact_for_equal_and_for_far_components():
    same = Mixture(jnp.array([0.3, 0.7]), Normal(jnp.zeros(2), 1.0))
    for bound in densities.entropy_bounds(same, base=2):
        assert float(bound) == pytest.approx(0.5 * math.log2(2 * math.pi * math.e), rel=0.15)
    np.testing.assert_allclose(densities.entropy_bounds(same)[1], 0.5 * math.log(2 * math.pi * math.e), rtol=8 * EPS)
    np.testing.assert_allclose(densities.kl_bounds(same, same)[1], 0, atol=8 * EPS)
    far = Mixture(jnp.array([0.3, 0.7]), Normal(jnp.array([-100.0, 100.0]), 1.0))
    exact = float(densities.entropy(far).value)
    np.testing.assert_allclose(densities.entropy_bounds(far), [exact, exact], rtol=64 * EPS)
    lower, upper = densities.kl_bounds(Normal(0.0, 1.0), Normal(1.0, 2.0))
    assert float(lower) <= math.log(2) - 0.25 <= float(upper) + 8 * EPS
    assert float(upper) == pytest.approx(math.log(2) - 0.25, rel=64 * EPS)


def test_gradients_are_finite_and_right():
    """At far components the bounds are tight, and so are their slopes; a component without weight is absent."""

    def bounds(loc):
        p = Mixture(jnp.array([0.5, 0.5, 0.0]), Normal(jnp.stack([loc, 50 - loc, loc]), 1.0))
        q = Mixture(jnp.array([0.25, 0.75]), Normal(jnp.array([0.0, 50.0]), 1.0))
        return jnp.stack([*densities.entropy_bounds(p), *densities.kl_bounds(p, q)])

    # Each of the two is off by loc, in units of q's scale.
    slopes = jax.jacobian(bounds)(jnp.asarray(0.5))
    np.testing.assert_allclose(slopes[jnp.array([0, 1, 3])], [0, 0, 0.5], atol=1e3 * EPS)
    assert np.all(np.isfinite(slopes))
    weights = jax.grad(
        lambda w: densities.kl_bounds(Mixture(w, Normal(jnp.array([0.0, 50.0]), 1.0)), Normal(0.0, 9.0))[1]
    )
    assert np.all(np.isfinite(weights(jnp.array([0.5, 0.5]))))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: densities.entropy_bounds(Normal(0.0, 1.0)), TypeError, "Mixture is needed"),
        (lambda: densities.kl_bounds(3.0, Normal(0.0, 1.0)), TypeError, r"kl_bounds: .*3\.0"),
        (lambda: densities.entropy_bounds(mixtures(1, 2, SPREADS), base=1), ValueError, "base"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
