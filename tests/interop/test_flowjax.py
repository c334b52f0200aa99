"""flowjax's distributions are ours by another name, or densities."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxinfo import densities, distributions, interop
from jaxinfo.distributions._supports import Interval, Reals
from tests.interop.foreign import Case, Wrapped, check_conversions, check_wrapped, library, made

dist = library("flowjax.distributions")
bijections = library("flowjax.bijections")
equinox = library("equinox")

INF = float("inf")
REALS = [-2.5, 0.3, 4.0]
POSITIVES = [0.2, 1.0, 3.7]
MATRIX = [[2.0, 0.3], [0.3, 1.0]]
VECTORS = [[0.0, 0.5], [2.0, -1.0]]

CASES = {
    "beta": Case(lambda: dist.Beta(2.0, 0.5), "Beta", [0.1, 0.5, 0.95]),
    "cauchy": Case(lambda: dist.Cauchy(0.5, 2.0), "Cauchy", REALS),
    "exponential": Case(lambda: dist.Exponential(2.5), "Exponential", POSITIVES),
    "gamma": Case(lambda: dist.Gamma(2.0, 3.0), "Gamma", POSITIVES),
    "gumbel": Case(lambda: dist.Gumbel(0.5, 2.0), "Gumbel", REALS),
    "laplace": Case(lambda: dist.Laplace(0.5, 2.0), "Laplace", REALS),
    "log-normal": Case(lambda: dist.LogNormal(0.5, 2.0), "LogNormal", POSITIVES),
    "logistic": Case(lambda: dist.Logistic(0.5, 2.0), "Logistic", REALS),
    "mixture": Case(
        lambda: dist.VmapMixture(
            equinox.filter_vmap(dist.Normal)(jnp.array([-1.0, 2.0]), jnp.array([1.0, 0.5])), jnp.array([1.0, 3.0])
        ),
        "Mixture",
        REALS,
    ),
    "mixture of vectors": Case(
        lambda: dist.VmapMixture(equinox.filter_vmap(dist.Normal)(jnp.array([[-1.0, 0.0], [2.0, 1.0]])), jnp.ones(2)),
        "Mixture",
        VECTORS,
    ),
    "full normal": Case(lambda: dist.MultivariateNormal(jnp.ones(2), jnp.array(MATRIX)), "MultivariateNormal", VECTORS),
    "normal": Case(lambda: dist.Normal(0.5, 2.0), "Normal", REALS),
    "normals": Case(lambda: dist.Normal(jnp.array([0.5, 1.0]), 2.0), "Independent", VECTORS),
    "standard normals": Case(lambda: dist.StandardNormal((2,)), "Independent", VECTORS),
    "student": Case(lambda: dist.StudentT(3.0, 0.5, 2.0), "StudentT", REALS),
    "uniform": Case(lambda: dist.Uniform(-1.0, 3.0), "Uniform", [-0.5, 1.0, 2.5]),
}


def flow():
    return library("flowjax.flows").masked_autoregressive_flow(
        jax.random.key(0), base_dist=dist.Normal(jnp.zeros(2)), flow_layers=2, nn_width=4
    )


WRAPPED = {
    "image": Wrapped(
        lambda: dist.Transformed(dist.Normal(0.3, 0.5), bijections.Exp()), POSITIVES, Interval(-INF, INF), -1.0
    ),
    # Its leaves are functions and arrays of integers too.
    "flow": Wrapped(flow, VECTORS, Reals(1)),
}


def test_conversions():
    check_conversions(CASES)


def test_wrapped():
    check_wrapped(WRAPPED)


def test_old_keys_will_do():
    density = interop.as_distribution(made(WRAPPED["image"].make))
    assert density.sample(jax.random.PRNGKey(0), (4,)).shape == (4,)


def test_a_conditional_density_is_refused():
    original = made(
        lambda: dist.Transformed(dist.Normal(jnp.zeros(2)), bijections.AdditiveCondition(lambda x: x, (2,), (2,)))
    )
    with pytest.raises(TypeError, match="condition"):
        interop.as_distribution(original)


def test_objects_pass_through_jit_vmap_and_grad():
    locs = jnp.array([0.0, 1.0, 3.0])
    q = made(lambda: dist.Normal(0.5, 1.5))
    kl = lambda p, q: densities.kl_divergence(p, q).value  # noqa: E731
    expected = kl(distributions.Normal(locs, 2.0), distributions.Normal(0.5, 1.5))
    p = made(lambda: equinox.filter_vmap(lambda loc: dist.Normal(loc, 2.0))(locs))
    np.testing.assert_allclose(equinox.filter_vmap(lambda p: kl(p, q))(p), expected, rtol=1e-5)
    np.testing.assert_allclose(equinox.filter_jit(kl)(made(lambda: dist.Normal(0.0, 2.0)), q), expected[0], rtol=1e-5)
    slope = equinox.filter_grad(lambda p: kl(p, q))(made(lambda: dist.Normal(3.0, 2.0))).bijection.loc
    np.testing.assert_allclose(slope, 2.5 / 2.25, rtol=1e-5)


def test_gradients_reach_the_leaves_of_a_flow():
    original = made(flow)
    x = jnp.array([0.1, 0.4])
    ours = equinox.filter_grad(lambda p: interop.as_distribution(p).log_prob(x))(original)
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        theirs = equinox.filter_grad(lambda p: p.log_prob(x))(original)
    leaves, others = jax.tree.leaves(ours), jax.tree.leaves(theirs)
    assert len(leaves) == len(others) > 0
    for leaf, other in zip(leaves, others, strict=True):
        np.testing.assert_allclose(leaf, other, rtol=1e-5, atol=1e-6)
