"""Every family: density, moments, entropy and draws against mpmath and SciPy, domains, dtypes, bijections, pytrees."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxinfo.distributions._exponential_family import ExponentialFamily, Member
from tests.distributions.every import FAMILIES
from tests.distributions.exact import EPS, FLOAT, exactly, rounded, tolerance
from tests.marks import once

ROWS = pytest.mark.parametrize("row", FAMILIES, ids=lambda row: row.name)


def members(row):
    return rounded(row.parameters)


@ROWS
def test_log_prob(row):
    """In the bulk and in the tails; `-inf` outside, NaN for NaN; the compiled value is the eager one."""
    columns = members(row)
    points = np.array([row.points(*map(float, column)) for column in columns.T], FLOAT)
    count = points.shape[1]
    repeated = [np.repeat(column, count) for column in columns]
    exact = exactly(row.log_prob, points.ravel(), *repeated)
    terms = 0 if row.largest_term is None else np.abs(exactly(row.largest_term, points.ravel(), *repeated))

    def log_prob(x, *parameters):
        return row.make(*parameters).log_prob(x)

    others = np.broadcast_to(np.array([*row.outside, math.nan], FLOAT), (len(columns.T), len(row.outside) + 1))
    values = np.concatenate([points, others], axis=1)
    found = np.asarray(jax.jit(log_prob)(values, *columns[..., None]))
    error = np.abs(found[:, :count].ravel() - exact)
    assert np.all(error <= tolerance() * np.maximum(1 + np.abs(exact), terms))
    assert np.all(found[:, count:-1] == -np.inf)
    assert np.all(np.isnan(found[:, -1]))
    eager = log_prob(values[:1, :1], *columns[:, :1, None])
    np.testing.assert_allclose(eager[0, 0], found[0, 0], rtol=tolerance(), atol=tolerance())


@ROWS
@pytest.mark.parametrize("name", ["mean", "variance", "entropy"])
def test_moments_and_entropy(row, name):
    oracle = getattr(row, name)
    if oracle is None:
        pytest.skip("this family has none")
    columns = members(row)
    exact = exactly(oracle, *columns)
    member = row.make(*columns)
    found = np.asarray(member.entropy() if name == "entropy" else getattr(member, name), np.float64)
    # An entropy may pass through zero: it is a sum of terms of at least the size of one nat.
    scale = 1 + np.abs(exact) if name == "entropy" else np.abs(exact)
    with np.errstate(invalid="ignore"):
        error = np.abs(found - exact)
    same = (found == exact) | (np.isnan(found) & np.isnan(exact))
    assert np.all(same | (error <= tolerance() * scale))


@once
@ROWS
def test_draws(row):
    """Kolmogorov's distance of 4000 draws stays below 1.95 / sqrt(n), which one run in a thousand exceeds."""
    if row.cdf is None:
        pytest.skip("compared elsewhere")
    columns = rounded(row.sampled)
    draws = np.asarray(row.make(*columns).sample(jax.random.key(7), (4000,)), np.float64)
    assert draws.shape == (4000, len(columns.T))
    for column, draw in zip(columns.T, draws.T, strict=True):
        values, counts = np.unique(draw, return_counts=True)
        empirical = np.cumsum(counts) / len(draw)
        cdf = np.array([float(row.cdf(value, *map(float, column))) for value in values])
        # At a value of positive probability the cdf jumps as the empirical one does: compare after the jump.
        assert np.max(np.abs(empirical - cdf)) < 1.95 / math.sqrt(len(draw)) + 1e-3


@ROWS
def test_outside_the_domain(row):
    """A parameter that is not allowed gives NaN in its own element alone."""
    if not row.bad:
        pytest.skip("every real number is allowed")
    columns = rounded([row.parameters[0], *row.bad])
    member = row.make(*columns)
    x = np.asarray(row.make(*columns[:, 0]).mean, FLOAT)
    x = x if math.isfinite(x) else FLOAT.type(row.points(*map(float, columns[:, 0]))[0])
    results = [member.log_prob(np.full(columns.shape[1], x)), member.mean]
    if row.entropy is not None:
        results.append(member.entropy())
    for values in results:
        assert np.all(np.isnan(np.asarray(values)[1:]))
    assert not np.isnan(np.asarray(member.log_prob(np.full(columns.shape[1], x)))[0])


@ROWS
def test_derivatives_of_the_density_are_finite(row):
    """Inside the support; outside, where the density is zero, they are zero and not NaN."""
    columns = members(row)
    inside = np.array([row.points(*map(float, column))[-1] for column in columns.T], FLOAT)
    points = [(float(x), column) for x, column in zip(inside, columns.T, strict=True)]
    points += [(x, columns.T[0]) for x in row.outside]
    xs = np.array([x for x, _ in points], FLOAT)
    parameters = tuple(np.array([column for _, column in points], FLOAT).T)
    gradient = jax.vmap(jax.grad(lambda theta, x: row.make(*theta).log_prob(x)))(parameters, xs)
    stacked = np.stack([np.asarray(part) for part in gradient])
    assert np.all(np.isfinite(stacked))
    if row.outside:
        assert np.all(stacked[:, -len(row.outside) :] == 0)


@ROWS
def test_unconstrained_parameters_round_trip(row):
    columns = members(row)
    member = row.make(*columns)
    free = member.to_unconstrained()
    again = member.from_unconstrained(free)
    for before, after in zip(jax.tree.leaves(member), jax.tree.leaves(again), strict=True):
        # The exponential of a logarithm of size log(1e6) has as many units.
        np.testing.assert_allclose(after, before, rtol=64 * EPS, atol=64 * EPS * np.min(np.abs(before)))
    moved = member.from_unconstrained(jax.tree.map(lambda leaf: leaf + 0.5, free))
    assert bool(np.all(np.asarray(moved.is_allowed())))


@once
@ROWS
def test_dtypes_and_pytrees(row):
    """Half precision is kept; leaves may be placeholders on the way; a batch maps as it broadcasts."""
    first = row.parameters[0]
    half = row.make(*(jnp.bfloat16(number) for number in first))
    assert half.mean.dtype == jnp.bfloat16
    columns = members(row)
    member = row.make(*columns)
    leaves, structure = jax.tree.flatten(member)
    assert type(jax.tree.unflatten(structure, [object()] * len(leaves))) is type(member)
    x = np.array([row.points(*map(float, column))[-1] for column in columns.T], FLOAT)
    mapped = jax.vmap(lambda one, value: one.log_prob(value))(member.broadcast_to(member.batch_shape), x)
    np.testing.assert_allclose(mapped, member.log_prob(x), rtol=16 * EPS, atol=16 * EPS)
    assert member.sample(jax.random.key(0), (2, 3)).shape == (2, 3, *member.batch_shape)


EXPONENTIAL = [row for row in FAMILIES if isinstance(row.make, type) and issubclass(row.make, ExponentialFamily)]


@pytest.mark.parametrize("row", EXPONENTIAL, ids=lambda row: row.name)
def test_exponential_families_are_what_they_say(row):
    """The density is `h(x) exp(eta . T(x) - A(eta))`, and the natural parameters lead back to the constructor's."""
    kind, columns = row.make, members(row)
    fixed = [column for name, column in zip(kind.constraints, columns, strict=True) if name in kind._fixed]
    x = np.array([row.points(*map(float, column))[-1] for column in columns.T], FLOAT)
    natural = kind._natural(*columns)
    statistics = kind._statistics(x, *columns)
    terms = [np.asarray(a * b, np.float64) for a, b in zip(natural, statistics, strict=True)]
    terms += [-np.asarray(kind._log_normalizer(*natural, *fixed), np.float64)]
    terms += [np.broadcast_to(np.asarray(kind._log_base(x, *columns), np.float64), x.shape)]
    exact = exactly(row.log_prob, x, *columns)
    # Terms may cancel, and within the base measure of counts log-gammas do: what is lost is units of the largest.
    largest = np.max(np.abs(terms), axis=0)
    with np.errstate(invalid="ignore"):
        assert np.all(np.abs(np.sum(terms, axis=0) - exact) <= 256 * EPS * (1 + largest))
    for back, column in zip(kind._from_natural(*natural, *fixed), columns, strict=True):
        np.testing.assert_allclose(back, column, rtol=64 * EPS, atol=64 * EPS * np.min(np.abs(column)))
    assert np.all(Member(kind, [jnp.asarray(column) for column in columns]).allows(natural))
