"""Categorical distributions and counts: against sums over the outcomes in double precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from jaxinfo import distributions
from jaxinfo.distributions import Binomial, Categorical, Geometric, NegativeBinomial, Poisson
from tests.distributions.exact import EPS, FLOAT

TABLES = np.array([[0.5, 0.25, 0.125, 0.125], [0.0, 0.75, 0.25, 0.0]], FLOAT)
COUNTS = [
    (Binomial, (3, 0.25), scipy.stats.binom),
    (Binomial, (7, 0.5), scipy.stats.binom),
    (Geometric, (0.5,), lambda p: scipy.stats.geom(p, loc=-1)),
    (NegativeBinomial, (2.5, 0.75), scipy.stats.nbinom),
    (Poisson, (1.5,), scipy.stats.poisson),
]
CASES = pytest.mark.parametrize(
    ("kind", "theta", "exact"), COUNTS, ids=[f"{kind.__name__}{theta}" for kind, theta, _ in COUNTS]
)


@CASES
def test_from_a_table(kind, theta, exact):
    table, log_q = TABLES.astype(float), exact(*theta).logpmf(np.arange(4))
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.where(table > 0, table * np.log(table), 0).sum(-1)
    cross = -(table * log_q).sum(-1)
    with np.errstate(divide="ignore"):
        members = Categorical(probs=TABLES), Categorical(logits=np.log(TABLES))
    for p in members:
        np.testing.assert_allclose(distributions.cross_entropy(p, kind(*theta)), cross, rtol=32 * EPS)
        np.testing.assert_allclose(distributions.kl_divergence(p, kind(*theta)), own + cross, rtol=32 * EPS)


@CASES
def test_to_a_table(kind, theta, exact):
    q = Categorical(logits=np.log(TABLES[:1]))
    found = [distributions.kl_divergence(kind(*theta), q)[0], distributions.cross_entropy(kind(*theta), q)[0]]
    if (kind, theta[0]) != (Binomial, 3):
        assert np.isposinf(found).all()
        return
    p = exact(*theta).pmf(np.arange(4))
    cross = -(p * np.log(TABLES[0].astype(float))).sum()
    np.testing.assert_allclose(found, [(p * np.log(p)).sum() + cross, cross], rtol=32 * EPS)


def test_point_masses_and_edges():
    q = Categorical(probs=TABLES[0])
    assert float(distributions.kl_divergence(Poisson(0.0), q)) == pytest.approx(np.log(2), rel=8 * EPS)
    assert np.isposinf(distributions.kl_divergence(q, Binomial(5, 1.0)))
    assert np.isposinf(distributions.kl_divergence(q, Binomial(2, 0.5)))


def test_same_distribution_and_gradients():
    p = np.array([0.75**3, 3 * 0.75**2 * 0.25, 3 * 0.75 * 0.25**2, 0.25**3], FLOAT)
    value = distributions.kl_divergence(Categorical(logits=np.log(p)), Binomial(3, 0.25))
    assert 0 <= float(value) < 1e-12

    def both(probs, table):
        forth = distributions.kl_divergence(Categorical(logits=table), Binomial(3, probs))
        return forth + distributions.kl_divergence(Binomial(3, probs), Categorical(logits=table))

    hessian = jax.jit(jax.hessian(both, argnums=(0, 1)))(jnp.asarray(0.25, FLOAT), jnp.log(p))
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(hessian))
