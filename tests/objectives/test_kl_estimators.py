"""Means and variances of values and of gradients, by enumeration over four outcomes and by quadrature."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from scipy import integrate, stats

from jaxinfo.objectives import importance_weighted_kl, sampled_kl
from tests.marks import once

X64 = bool(jax.config.jax_enable_x64)
RTOL = 1e-11 if X64 else 1e-5  # sums of four products of a few roundings each
ATOL = RTOL

Z_P, Z_Q, Z_B = np.array([[0.5, -1.0, 0.3, 1.2], [0.1, 0.9, -0.6, 0.4], [1.0, -0.2, 0.2, -0.5]])


def softmax(z):
    return np.exp(z - z.max()) / np.exp(z - z.max()).sum()


P, Q, B = softmax(Z_P), softmax(Z_Q), softmax(Z_B)
L = np.log(P / Q)
KL = float((P * L).sum())
# Row x: the gradient of log p(x) in the logits of p, and of log q(x) in those of q.
SCORE_P, SCORE_Q = np.eye(4) - P, np.eye(4) - Q
GRADIENT_P = P * (L - KL)  # of KL(p‖q) in the logits of p, by hand
GRADIENT_Q = Q - P
REVERSED = P - Q  # of KL(q‖p) in the logits of p


def estimates(function):
    """Values and gradients in both tables of logits, one row for each outcome."""

    def each(z_p, z_q):
        return function(jax.nn.log_softmax(z_p), jax.nn.log_softmax(z_q))

    z_p, z_q = jnp.asarray(Z_P), jnp.asarray(Z_Q)
    of_p, of_q = jax.jit(jax.jacobian(each, argnums=(0, 1)))(z_p, z_q)
    return (np.asarray(x, np.float64) for x in (each(z_p, z_q), of_p, of_q))


def mean(weights, rows):
    return np.tensordot(weights, rows, axes=1)


def variance(weights, rows):
    return mean(weights, rows**2) - mean(weights, rows) ** 2


VALUES = {"k1": L, "k2": L**2 / 2, "k3": Q / P - 1 + L}
SLOPES_P = {"k1": SCORE_P, "k2": L[:, None] * SCORE_P, "k3": (1 - Q / P)[:, None] * SCORE_P}
SLOPES_Q = {"k1": -SCORE_Q, "k2": -L[:, None] * SCORE_Q, "k3": (Q / P - 1)[:, None] * SCORE_Q}
MEAN_P = {"k1": np.zeros(4), "k2": GRADIENT_P, "k3": REVERSED}
MEAN_Q = {"k1": GRADIENT_Q, "k3": GRADIENT_Q, "k2": -mean(P * L, SCORE_Q)}


@pytest.mark.parametrize("estimator", ["k1", "k2", "k3"])
def test_bias_and_variance_by_enumeration(estimator):
    """What the docstring's table says, mean by mean, with the variance of what is drawn."""
    value, of_p, of_q = estimates(lambda p, q: sampled_kl(p, q, estimator=estimator))
    np.testing.assert_allclose(value, VALUES[estimator], rtol=RTOL, atol=ATOL)
    expected = {"k1": KL, "k2": 0.5 * (P * L**2).sum(), "k3": KL}[estimator]
    np.testing.assert_allclose(mean(P, value), expected, rtol=RTOL)
    np.testing.assert_allclose(mean(P, of_p), MEAN_P[estimator], rtol=RTOL, atol=ATOL)
    np.testing.assert_allclose(mean(P, of_q), MEAN_Q[estimator], rtol=RTOL, atol=ATOL)
    np.testing.assert_allclose(variance(P, value), variance(P, VALUES[estimator]), rtol=10 * RTOL)
    np.testing.assert_allclose(variance(P, of_p), variance(P, SLOPES_P[estimator]), rtol=10 * RTOL, atol=ATOL)
    np.testing.assert_allclose(variance(P, of_q), variance(P, SLOPES_Q[estimator]), rtol=10 * RTOL, atol=ATOL)


def test_which_are_right_and_which_are_not():
    """The biases are no matter of rounding: each wrong gradient misses by a tenth of the right one at least."""
    size = np.linalg.norm(GRADIENT_P)
    assert np.linalg.norm(MEAN_P["k1"] - GRADIENT_P) > 0.1 * size
    assert np.linalg.norm(MEAN_P["k3"] - GRADIENT_P) > 0.1 * size
    assert np.linalg.norm(MEAN_Q["k2"] - GRADIENT_Q) > 0.1 * np.linalg.norm(GRADIENT_Q)
    assert abs(0.5 * (P * L**2).sum() - KL) > 0.01 * KL


def test_variance_where_the_policies_agree():
    """At q = p that of k1 is the score's, that of the others is 0, in both gradients."""
    log_p = jax.nn.log_softmax(jnp.asarray(Z_P))
    for estimator, expected in (("k1", variance(P, SCORE_P)), ("k2", np.zeros(4)), ("k3", np.zeros(4))):
        for argument in (0, 1):

            def each(z, estimator=estimator, argument=argument):
                pair = [log_p, log_p]
                pair[argument] = jax.nn.log_softmax(z)
                return sampled_kl(*pair, estimator=estimator)

            rows = np.asarray(jax.jacobian(each)(jnp.asarray(Z_P)), np.float64)
            np.testing.assert_allclose(variance(P, rows), expected, rtol=RTOL, atol=1e-6)


@pytest.mark.parametrize("estimator", ["k1", "k3"])
@pytest.mark.parametrize("sampler", ["itself", "another"])
def test_importance_weights_make_it_unbiased(estimator, sampler):
    drawn = P if sampler == "itself" else B
    log_b = None if sampler == "itself" else jnp.log(jnp.asarray(B))
    value, of_p, of_q = estimates(lambda p, q: importance_weighted_kl(p, q, log_b, estimator=estimator))
    w = P / drawn
    factor = {"k1": L + 1, "k3": L}[estimator]
    np.testing.assert_allclose(mean(drawn, value), KL, rtol=RTOL)
    np.testing.assert_allclose(mean(drawn, of_p), GRADIENT_P, rtol=RTOL, atol=ATOL)
    np.testing.assert_allclose(mean(drawn, of_q), GRADIENT_Q, rtol=RTOL, atol=ATOL)
    np.testing.assert_allclose(value, w * VALUES[estimator], rtol=RTOL, atol=ATOL)
    np.testing.assert_allclose(
        variance(drawn, of_p), variance(drawn, (w * factor)[:, None] * SCORE_P), rtol=10 * RTOL, atol=ATOL
    )


def test_without_weights_other_draws_are_wrong():
    """Draws of b: no value is right, no gradient either; with weights both are (above)."""
    for estimator in ("k1", "k2", "k3"):
        value, of_p, _ = estimates(lambda p, q, estimator=estimator: sampled_kl(p, q, estimator=estimator))
        assert abs(mean(B, value) - KL) > 0.01 * KL
        assert np.linalg.norm(mean(B, of_p) - GRADIENT_P) > 0.1 * np.linalg.norm(GRADIENT_P)


def test_second_derivatives_are_unbiased():
    """The Hessian of KL(p‖q) in the logits of p, by differences of the gradient in double precision."""

    def gradient(z):
        p = softmax(z)
        log_ratio = np.log(p / Q)
        return p * (log_ratio - (p * log_ratio).sum())

    step = 1e-5
    expected = np.stack([(gradient(Z_P + e) - gradient(Z_P - e)) / (2 * step) for e in step * np.eye(4)])
    b, q = jnp.asarray(B), jnp.log(jnp.asarray(Q))

    def total(z):
        return jnp.sum(b * importance_weighted_kl(jax.nn.log_softmax(z), q, jnp.log(b)))

    np.testing.assert_allclose(jax.jit(jax.hessian(total))(jnp.asarray(Z_P)), expected, atol=1e-8 if X64 else 2e-6)


@pytest.mark.parametrize(
    ("shift", "bias", "spread"),
    [(1.0, 0.25, (2.0, 1.7321, 1.6950)), (0.1, 0.0025, (20.0, 1.4177, 1.4166))],
)
def test_normals_by_quadrature(shift, bias, spread):
    """Draws of N(0, 1), KL to N(shift, 1): Schulman's figures, with his q as our p."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    x = jnp.asarray(nodes)
    log_p, log_q = (jnp.asarray(stats.norm.logpdf(nodes, m)) for m in (0.0, shift))
    assert x.shape == log_p.shape
    kl = shift**2 / 2
    for i, estimator in enumerate(("k1", "k2", "k3")):
        value = np.asarray(sampled_kl(log_p, log_q, estimator=estimator), np.float64)
        of_this = bias if estimator == "k2" else 0.0
        # Differences of log-densities of up to 40 lose digits in float32.
        np.testing.assert_allclose(weights @ value / kl - 1, of_this, atol=1e-7 if X64 else 3e-4)
        np.testing.assert_allclose(variance(weights, value) ** 0.5 / kl, spread[i], rtol=5e-5 if X64 else 5e-4)


def test_the_figures_themselves():
    """Bias 1/4 and standard deviations 2, sqrt 3 and sqrt(4 e - 8), by adaptive quadrature of the definitions."""

    def moment(f):
        return integrate.quad(lambda x: stats.norm.pdf(x) * f(x), -14, 14, epsabs=1e-12)[0]

    log_ratio = lambda x: 0.5 - x  # noqa: E731 (log N(x; 0, 1) - log N(x; 1, 1))
    forms = (log_ratio, lambda x: 0.5 * log_ratio(x) ** 2, lambda x: np.exp(-log_ratio(x)) - 1 + log_ratio(x))
    means = [moment(f) for f in forms]
    np.testing.assert_allclose(np.array(means) / 0.5, [1, 1.25, 1], rtol=1e-9)
    spread = [(moment(lambda x, f=f: f(x) ** 2) - m**2) ** 0.5 / 0.5 for f, m in zip(forms, means, strict=True)]
    np.testing.assert_allclose(spread, [2, 3**0.5, (4 * np.e - 8) ** 0.5], rtol=1e-9)


def test_k3_keeps_its_digits():
    """e^d - 1 - d, with d from 1e-12 to 40 in both directions; derivatives expm1(d) and e^d."""
    d = np.concatenate([s * np.array([1e-12, 1e-6, 1e-3, 0.1, 0.5, 0.999, 1.001, 3.0, 40.0]) for s in (1, -1)])
    held = jnp.asarray(d)
    exact = np.asarray(held, np.float64)
    function = lambda d: sampled_kl(jnp.zeros_like(d), d)  # noqa: E731
    slope = jax.grad(lambda d: function(d).sum())
    with mpmath.workdps(60):
        expected = [
            [float(f(mpmath.mpf(x))) for x in exact] for f in (lambda x: mpmath.expm1(x) - x, mpmath.expm1, mpmath.exp)
        ]
    rtol = 16 * float(jnp.finfo(held.dtype).eps)
    np.testing.assert_allclose(function(held), expected[0], rtol=rtol)
    np.testing.assert_allclose(slope(held), expected[1], rtol=rtol)
    np.testing.assert_allclose(jax.grad(lambda d: slope(d).sum())(held), expected[2], rtol=rtol, atol=rtol)


def test_at_the_boundary():
    inf = jnp.inf
    for estimator in ("k1", "k2", "k3"):
        assert sampled_kl(-1.0, -inf, estimator=estimator) == inf
    assert sampled_kl(-inf, -1.0) == inf
    assert jax.grad(sampled_kl, argnums=1)(jnp.asarray(-1.0), jnp.asarray(-inf)) == -1
    args = (jnp.array([-inf, -1.0, -inf]), jnp.array([-2.0, -inf, -inf]), jnp.array([-3.0, -1.0, -2.0]))
    for estimator in ("k1", "k3"):
        value = importance_weighted_kl(*args, estimator=estimator)
        np.testing.assert_array_equal(value, [0, inf, 0])
    gradient = jax.grad(lambda p: importance_weighted_kl(p, *args[1:])[0])(args[0])
    assert gradient[0] == 0


def test_masks_and_units():
    where = jnp.array([True, False, False])
    bad = jnp.array([-1.0, jnp.nan, jnp.inf])
    for function in (sampled_kl, importance_weighted_kl):
        for estimator in ("k1", "k3"):
            value, gradients = jax.value_and_grad(
                lambda p, q, f=function, e=estimator: f(p, q, estimator=e, where=where).sum(), argnums=(0, 1)
            )(bad, bad - 1)
            expected = {"k1": 1, "k3": np.exp(-1)}[estimator]
            np.testing.assert_allclose(value, expected, rtol=1e-6)
            assert all(np.all(np.asarray(g[1:]) == 0) and np.isfinite(g[0]) for g in gradients)
            bits = function(jnp.array([-1.0]), jnp.array([-2.0]), estimator=estimator, base=2)
            np.testing.assert_allclose(bits, expected / np.log(2), rtol=1e-6)


@once
def test_no_gradient_through_the_sampler():
    gradient = jax.grad(importance_weighted_kl, argnums=2)(jnp.asarray(-1.0), jnp.asarray(-2.0), jnp.asarray(-0.5))
    assert gradient == 0


@once
def test_types_and_errors():
    half = jnp.asarray([-1.0, -2.0], jnp.bfloat16)
    for function in (sampled_kl, importance_weighted_kl):
        assert function(half, half - half / 2).dtype == jnp.bfloat16
        np.testing.assert_array_equal(jax.vmap(function)(half, half / 2), jax.jit(function)(half, half / 2))
        with pytest.raises(ValueError, match="shapes do not broadcast"):
            function(jnp.zeros(2), jnp.zeros(3))
        with pytest.raises(TypeError, match="where must be boolean"):
            function(jnp.zeros(2), jnp.zeros(2), where=jnp.ones(2))
        with pytest.raises(ValueError, match="base must be a positive number"):
            function(jnp.zeros(2), jnp.zeros(2), base=1)
    with pytest.raises(ValueError, match=r"sampled_kl: estimator must be one of .* got 'k4'"):
        sampled_kl(half, half, estimator="k4")
    with pytest.raises(ValueError, match=r"importance_weighted_kl: estimator must be one of .* got 'k2'"):
        importance_weighted_kl(half, half, estimator="k2")


FLOAT = jnp.zeros(()).dtype


def test_weighted_k3_where_q_is_much_likelier():
    """`w (q/p - 1 - log q/p)` is `q/b` but for terms in `w`, which are nothing here; its gradient in p is, too."""
    far = 1.5 * float(np.log(np.finfo(FLOAT).max))
    log_p = jnp.array([-0.9 * far, -far, -2 * far], FLOAT)
    same = jnp.full(3, -1.0, FLOAT)
    weighted = lambda p, q: importance_weighted_kl(p, q, same)  # noqa: E731
    value, pull_back = jax.vjp(weighted, log_p, same)
    np.testing.assert_allclose(value, 1, rtol=4 * float(jnp.finfo(FLOAT).eps))
    in_p, in_q = pull_back(jnp.ones(3, FLOAT))
    np.testing.assert_allclose(in_p, 0, atol=1e-20)
    np.testing.assert_allclose(in_q, 1, rtol=4 * float(jnp.finfo(FLOAT).eps))
