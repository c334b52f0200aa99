"""Every closed form between families with scalar parameters: values and derivatives against mpmath."""

import inspect

import jax
import numpy as np
import pytest

from jaxinfo import distributions
from jaxinfo.distributions._registry import registered
from tests.distributions.every import PAIRS
from tests.distributions.exact import FLOAT, exactly, gradients, rounded, tolerance
from tests.marks import once
from tests.quick import quick_jit

IDS = [f"{row.measure}-{row.p.__name__}-{row.q.__name__}" for row in PAIRS]
ROWS = pytest.mark.parametrize("row", PAIRS, ids=IDS)
# Of an order there is one row for each family: the others compile the same formula.
SAME = [row for row in PAIRS if row.p is row.q and (row.measure != "renyi_divergence" or row.options["order"] < 1)]

# Distributions of vectors, and those that take one of two parameters, have tests of their own.
ELSEWHERE: set[str] = {"Bernoulli", "Categorical", "Multinomial", "Dirichlet", "VonMises", "VonMisesFisher", "Wishart"}
ELSEWHERE |= {"MultivariateNormal", "DiagonalNormal", "LowRankNormal"}
# The support depends on parameters: beyond equal ones the divergence is infinite, and the derivatives are one-sided.
ONE_SIDED = {"Uniform", "Pareto"}


def measure(row):
    """The measure as a function of the parameters of p and then of q."""
    number = len(inspect.signature(row.p).parameters)
    verb = getattr(distributions, row.measure)
    return lambda *theta: verb(row.p(*theta[:number]), row.q(*theta[number:]), **row.options)


def scale_of(row, columns, exact):
    return (
        np.abs(exact)
        if row.largest_term is None
        else np.maximum(np.abs(exact), np.abs(exactly(row.largest_term, *columns)))
    )


def has_slope(row, columns):
    """Whether there is a derivative: a distance has none where the members are equal, and gives 0."""
    half = len(columns) // 2
    if row.measure not in ("hellinger_distance", "wasserstein_distance") or row.p is not row.q:
        return np.ones(columns.shape[1], bool)
    return np.any(columns[:half] != columns[half:], axis=0)


def largest_terms(row, columns, slopes, scale):
    """A derivative is a sum of terms of the size of the largest derivative in relative changes of the parameters."""
    sizes = np.abs(columns.astype(np.float64))
    relative = np.max(np.abs(slopes) * sizes, axis=0)
    if row.largest_term is not None:
        relative = relative + np.where(np.isfinite(scale), scale, 0)
    terms = np.maximum(np.abs(slopes), relative / np.where(sizes > 0, sizes, np.inf))
    # In a cross-entropy the terms of one derivative are those of another: of a location, the inverse scale.
    return np.maximum(terms, np.max(np.abs(slopes), axis=0)) if row.measure == "cross_entropy" else terms


def is_close(found, exact, allowed):
    with np.errstate(invalid="ignore"):
        return (found == exact) | (np.abs(found - exact) <= allowed)


@ROWS
def test_value_and_gradient(row):
    columns = rounded(row.parameters)
    exact, slopes = exactly(row.exact, *columns), gradients(row.exact, *columns)
    everything = range(len(columns))
    compiled = jax.jit(jax.vmap(jax.value_and_grad(measure(row), argnums=tuple(everything))))
    value, gradient = compiled(*columns)
    value, gradient = np.asarray(value, np.float64), np.asarray(gradient, np.float64)
    scale = scale_of(row, columns, exact)
    if row.measure == "cross_entropy":  # it may pass through zero, as a sum of terms of the size of a nat
        scale = np.maximum(scale, 1)
    # What the oracle leaves of a distance of equal members is rounding in fifty digits.
    exact = np.where(has_slope(row, columns), exact, 0)
    assert np.all(is_close(value, exact, tolerance(row.ulps) * scale))
    known = np.isfinite(slopes) & (np.isfinite(exact) & has_slope(row, columns))
    allowed = tolerance(row.ulps) * largest_terms(row, columns, np.where(known, slopes, 0), scale)
    assert np.all(is_close(gradient, slopes, allowed)[known])
    assert not np.any(np.isnan(gradient[:, np.isfinite(exact)]))
    if row.measure == "kl_divergence" and row.p is row.q:
        assert np.all(value >= 0)


@once
@pytest.mark.parametrize("row", SAME, ids=lambda row: f"{row.measure}-{row.p.__name__}")
def test_at_equal_parameters(row):
    """A divergence is exactly zero there, its gradient is zero, and its second derivatives are finite."""
    if row.measure == "cross_entropy":
        pytest.skip("not a divergence")
    half = len(rounded(row.parameters)) // 2
    p = rounded(row.parameters)[:half]
    theta = np.concatenate([p, p])
    function = measure(row)

    def all_orders(*theta):
        free = jax.numpy.stack(theta)
        pack = lambda free: function(*free)  # noqa: E731
        return pack(free), jax.grad(pack)(free), jax.hessian(pack)(free)

    value, gradient, hessian = (np.asarray(part) for part in quick_jit(jax.vmap(all_orders))(*theta))
    np.testing.assert_array_equal(value, 0)
    # Relative to the curvature: the gradient of a parameter moved by an ulp.
    curvature = np.abs(np.einsum("nii->ni", hessian)) * np.abs(theta.T)
    if row.p.__name__ not in ONE_SIDED:
        assert np.all(np.abs(gradient) <= tolerance() * curvature)
    assert np.all(np.isfinite(hessian))


def test_every_registered_pair_has_a_row():
    """Of families with scalar parameters; a new formula without an oracle fails here."""
    tested = {(row.measure, row.p.__name__, row.q.__name__) for row in PAIRS}
    # Order 1 of the Wasserstein distance is registered under a name of its own.
    names = [(key[0].removesuffix("_of_order_1"), *key[1:]) for key in registered()]
    pairs = {tuple(part if isinstance(part, str) else part.__name__ for part in key) for key in names}
    missing = {key for key in pairs if len(key) == 3 and key not in tested and not ELSEWHERE & set(key)}
    assert not missing, FLOAT
