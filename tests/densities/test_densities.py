"""Quadrature against mpmath, with its bound; closed forms; transformations; errors."""

import functools
import math

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxinfo import densities
from jaxinfo.densities import ClosedForm, Quadrature
from jaxinfo.distributions import Mixture, Normal
from tests.densities.references import PAIRS, measures
from tests.marks import once
from tests.quick import quick_jit

FLOAT = jnp.zeros(()).dtype
EPS = float(jnp.finfo(FLOAT).eps)


def stack(mixtures):
    """One batch of mixtures; those with fewer components are filled up with components of no weight."""
    most = max(len(weights) for weights, _, _ in mixtures)

    def fill(part, last):
        return [*part, *[last] * (most - len(part))]

    weights, means, scales = (
        jnp.array([fill(part[i], 0.0 if i == 0 else part[i][0]) for part in mixtures], FLOAT) for i in range(3)
    )
    return Mixture(weights, Normal(means, scales))


def two_bumps(distance=3.0):
    return Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([-1.0, 1.0]) * distance, 1.0))


@functools.cache
def estimates(rounds):
    """The three measures of all pairs: one compilation for each."""
    p, q = stack([pair[0] for pair in PAIRS]), stack([pair[1] for pair in PAIRS])
    method = Quadrature(num_rounds=rounds)
    return (
        densities.kl_divergence(p, q, method=method),
        densities.cross_entropy(p, q, method=method),
        densities.entropy(p, method=method),
    )


EXACT = np.array([pair[2] for pair in PAIRS]).T


@pytest.mark.parametrize("index", [0, 7])
def test_references_are_what_mpmath_says(index):
    p, q, values = PAIRS[index]
    np.testing.assert_allclose([float(value) for value in measures(p, q, 18)], values, rtol=1e-15)


@pytest.mark.parametrize("rounds", [0, 8])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_error_is_within_its_bound(rounds, which):
    """Also without refinement, where the discretisation shows, and for scales a million times apart."""
    estimate = estimates(rounds)[which]
    error = np.abs(np.asarray(estimate.value, np.float64) - EXACT[which])
    assert np.all(error <= np.asarray(estimate.stderr, np.float64) + np.finfo(np.float64).eps * np.abs(EXACT[which]))
    parts = [estimate.diagnostics[f"{name}_error"] for name in ("discretization", "truncation", "rounding")]
    np.testing.assert_allclose(sum(parts), estimate.stderr, rtol=4 * EPS)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_refined_quadrature_is_accurate(which):
    """Far inside its bound: some hundred ulps, relative to values above 1, for pairs of any scale."""
    estimate = estimates(8)[which]
    error = np.abs(np.asarray(estimate.value, np.float64) - EXACT[which]) / (1 + np.abs(EXACT[which]))
    assert np.all(error <= 128 * EPS)
    # Within a factor of 30 between scales the bound is small too; beyond, single precision rounds the nodes themselves.
    assert np.all(np.asarray(estimate.diagnostics["converged"])[:5])


def test_main_example():
    """KL between N(-3, 1)/2 + N(3, 1)/2 and its moment match, and back from its two kinds of reverse minima."""
    p = two_bumps()
    q = Normal(jnp.array([2.984305987836, 0.0]), jnp.array([1.023368559661, 2.743769309091]))
    forward = densities.kl_divergence(p, Normal(0.0, math.sqrt(10)))
    reverse = densities.kl_divergence(q, p)
    tolerance = max(8 * EPS, 1e-13)  # the truth is given to 1e-15, and the minima are flat
    assert float(forward.value) == pytest.approx(0.461994613467945, abs=tolerance)
    np.testing.assert_allclose(reverse.value, [0.688768995854955, 0.840621431278904], atol=tolerance)
    assert bool(jnp.all(reverse.diagnostics["converged"]))


def test_near_pairs_keep_their_digits():
    """q moved by 2^-10: KL is 5e-7, below one ulp of the entropies that a difference of logarithms would subtract."""
    p = Normal(0.0, 1.0)
    shifts = jnp.array([2.0**-4, 2.0**-10])
    estimate = densities.kl_divergence(p, Normal(shifts, 1.0), method=Quadrature(num_rounds=0))
    exact = np.asarray(shifts, np.float64) ** 2 / 2
    # Each logarithm is off by ulps of its size, 1 to 10, and that error counts in proportion to the shift.
    np.testing.assert_allclose(estimate.value, exact, rtol=64 * EPS * 2**10)
    assert np.all(np.abs(np.asarray(estimate.value, np.float64) - exact) <= np.asarray(estimate.stderr))
    # The bound is generous, and still a small part of a value far below an ulp of 1.
    assert np.all(np.asarray(estimate.stderr) < 5e-2 * exact)


def test_equal_densities_have_no_divergence():
    estimate = densities.kl_divergence(two_bumps(), two_bumps())
    assert float(estimate.value) == 0


def test_a_kink_without_landmark_is_resolved_or_reported():
    """Half way between components 60 scales apart the logarithm bends within 1/60 of a scale of q."""
    p = two_bumps(30.0)
    coarse = densities.kl_divergence(Normal(0.0, 20.0), p, method=Quadrature(num_rounds=0))
    fine = densities.kl_divergence(Normal(0.0, 20.0), p, method=Quadrature(num_rounds=12))
    value = float(measures(((1.0,), (0.0,), (20.0,)), ((0.5, 0.5), (-30.0, 30.0), (1.0, 1.0)), 18)[0])
    for estimate in (coarse, fine):
        assert abs(float(estimate.value) - value) <= float(estimate.stderr)
    assert abs(float(fine.value) - value) <= 128 * EPS * value


def test_rounding_is_reported():
    """Far from zero, single precision cannot place nodes within a scale of 1e-6: the bound says so."""
    p = Mixture(jnp.float32([0.5, 0.5]), Normal(jnp.float32([1000.0, 1000.5]), jnp.float32(1e-5)))
    estimate = densities.entropy(p)
    assert not bool(estimate.diagnostics["converged"])


def test_truncation_is_reported():
    estimate = densities.kl_divergence(Normal(0.0, 1.0), Normal(0.5, 1.0), method=Quadrature(reach=3.0))
    error = abs(float(estimate.value) - 0.125)
    assert error > 1e-5
    assert error <= float(estimate.stderr)
    assert not bool(estimate.diagnostics["converged"])


def test_method_none_takes_the_closed_form():
    p, q = Normal(0.0, 1.0), Normal(1.0, 2.0)
    exact = densities.kl_divergence(p, q)
    assert (exact.method, float(exact.stderr), exact.diagnostics) == ("closed_form", 0, {})
    by_quadrature = densities.kl_divergence(p, q, method=Quadrature())
    assert by_quadrature.method == "quadrature"
    assert abs(float(by_quadrature.value - exact.value)) <= float(by_quadrature.stderr)
    assert densities.kl_divergence(p, two_bumps()).method == "quadrature"


def test_base():
    nats, bits = densities.entropy(two_bumps()), densities.entropy(two_bumps(), base=2)
    for of_nats, of_bits in ((nats.value, bits.value), (nats.stderr, bits.stderr)):
        assert float(of_bits) == pytest.approx(float(of_nats) / math.log(2), rel=4 * EPS)
    # 1/2 log2(2 pi e) + 1 bit for two bumps that hardly overlap.
    assert float(densities.entropy(two_bumps(20.0), base=2).value) == pytest.approx(
        3.0470955851, rel=max(8 * EPS, 1e-10)
    )


@once
def test_batches_broadcast_and_map():
    q = Normal(jnp.linspace(-1.0, 1.0, 3).reshape(3, 1), jnp.array([0.5, 2.0]))
    batched = densities.kl_divergence(q, two_bumps()).value
    assert batched.shape == (3, 2)
    flat = Normal(*(leaf.ravel() for leaf in jnp.broadcast_arrays(q.loc, q.scale)))
    mapped = quick_jit(jax.vmap(lambda one: densities.kl_divergence(one, two_bumps())))(flat)
    chex.assert_trees_all_close(mapped.value.reshape(3, 2), batched, rtol=16 * EPS)
    compiled = quick_jit(lambda one: densities.kl_divergence(one, two_bumps()))(q)
    chex.assert_trees_all_close(compiled.value, batched, rtol=16 * EPS)
    many = Mixture(jnp.full((2, 2), 0.5), Normal(jnp.array([[-3.0, 3.0], [-2.0, 2.0]]), 1.0))
    assert jax.eval_shape(densities.kl_divergence, q, many).value.shape == (3, 2)


def test_derivatives_by_quadrature_are_those_of_the_closed_form():
    def value(free, method):
        return densities.kl_divergence(Normal(free[0], free[1]), Normal(free[2], free[3]), method=method).value

    free = jnp.array([0.5, 1.0, 1.0, 2.0])
    panels = Quadrature(num_rounds=0)
    kinds = (jax.grad, jax.jacfwd, jax.hessian)
    program = quick_jit(lambda x: [[kind(value)(x, method) for kind in kinds] for method in (panels, ClosedForm())])
    for by_quadrature, exact in zip(*program(free), strict=True):
        # Sums of a few hundred terms, some of them ten times the result.
        np.testing.assert_allclose(by_quadrature, exact, rtol=256 * EPS, atol=256 * EPS)


def test_gradient_in_the_weights_at_zero():
    """d KL(p‖q) / d w_k of q is 1 - E_p[q_k / q], at zero weight too: q = N(0, 1), q_k = N(1, 1), p = q gives 0."""

    def value(weights):
        q = Mixture(weights, Normal(jnp.array([0.0, 1.0]), 1.0))
        return densities.kl_divergence(Normal(0.5, 1.0), q, method=Quadrature(num_rounds=0)).value

    # With p = N(1/2, 1): E_p[q_k / q] = E_p[exp(x - 1/2)] = exp(1/2).
    np.testing.assert_allclose(
        jax.grad(value)(jnp.array([1.0, 0.0])), [0.0, 1 - math.exp(0.5)], atol=64 * EPS, rtol=64 * EPS
    )


def test_half_precision_is_integrated_in_single():
    estimate = densities.kl_divergence(
        Normal(jnp.bfloat16(0.0), jnp.bfloat16(1.0)), Normal(1.0, 1.0), method=Quadrature()
    )
    assert estimate.value.dtype == jnp.float32
    assert float(estimate.value) == pytest.approx(0.5, rel=1e-6)


def test_unnormalised_densities_have_the_generalised_divergence():
    """KL(2 p‖p) = 2 log 2 - 2 + 1."""
    twice = Mixture(jnp.array([1.0, 1.0]), Normal(jnp.array([-3.0, 3.0]), 1.0))
    assert float(densities.kl_divergence(twice, two_bumps()).value) == pytest.approx(2 * math.log(2) - 1, rel=64 * EPS)


def test_invalid_parameters_are_nan_in_their_own_element():
    values = densities.entropy(Mixture(jnp.full((2, 2), 0.5), Normal(jnp.zeros((2, 2)), jnp.array([[1.0], [-1.0]]))))
    assert np.isnan(np.asarray(values.value)).tolist() == [False, True]
    assert not bool(values.diagnostics["converged"][1])


def test_nothing_compiles_twice():
    @jax.jit
    @chex.assert_max_traces(n=1)
    def value(q):
        return densities.kl_divergence(q, two_bumps(), method=Quadrature(num_rounds=1)).value

    for loc in (0.0, 1.0):
        value(Normal(jnp.asarray(loc), jnp.asarray(1.0)))


def test_an_estimate_is_a_pytree():
    estimate = densities.entropy(two_bumps(), method=Quadrature(num_rounds=0))
    doubled = jax.tree.map(lambda leaf: leaf, estimate)
    assert doubled.method == "quadrature"
    assert hash(Quadrature()) == hash(Quadrature(num_rounds=8))
    assert not jax.tree.leaves(Quadrature())


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: densities.entropy(3.0), TypeError, r"densities\.entropy: .*3\.0"),
        (lambda: densities.entropy(two_bumps(), method=ClosedForm()), TypeError, r"densities\.entropy: .*Mixture"),
        (lambda: densities.entropy(two_bumps(), method="quadrature"), TypeError, "'quadrature'"),
        (lambda: densities.entropy(two_bumps(), base=0), ValueError, r"densities\.entropy: base .*0"),
        (
            lambda: densities.kl_divergence(Normal(jnp.zeros(2), 1.0), Normal(jnp.zeros(3), 1.0)),
            ValueError,
            r"densities\.kl_divergence: batch shapes .*\(2,\), \(3,\)",
        ),
        (lambda: Quadrature(num_rounds=-1), ValueError, "num_rounds .*-1"),
        (lambda: Quadrature(num_splits=0), ValueError, "num_splits .*0"),
        (lambda: Quadrature(tolerance=0.0), ValueError, r"tolerance .*0\.0"),
        (lambda: Quadrature(reach=-1.0), ValueError, r"reach .*-1\.0"),
        (lambda: Quadrature(offsets=(2.0, 1.0)), ValueError, "offsets"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
