"""The field's identities as properties.

All tables have the same shapes, so that each measure compiles once. Measures are right to 8 ulp times their condition
number, which in absolute terms is below 8 ulp times 1 + log K for an entropy of K outcomes; tables are normalised to
one ulp for each entry. An identity of three terms and K <= 12 is thus held to 3 * 8 * (1 + log 12) ulp, about 84.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import jaxinfo
from jaxinfo import logits
from tests.table import default_float

K = 6
X, Y, Z = 3, 2, 2
CHANNEL_OUTPUTS = 4


def ulps(count):
    return count * float(np.finfo(default_float()).eps)


def tolerance():
    return ulps(84)


def normalised(weights):
    weights = np.asarray(weights, np.float64)
    return (weights / weights.sum()).astype(default_float())


def tables(*shape, zeros=True):
    """Distributions over a shape, some of them with zeros."""
    entry, size = st.floats(1e-3, 1.0), math.prod(shape)
    entries = st.lists(st.one_of(st.just(0.0), entry) if zeros else entry, min_size=size, max_size=size)
    return entries.filter(any).map(lambda weights: normalised(weights).reshape(shape))


def channels(inputs, outputs):
    """Conditional distributions, one row for each input."""
    rows = st.lists(tables(outputs), min_size=inputs, max_size=inputs)
    return rows.map(np.stack)


def same(actual, expected):
    """Equal to rounding; two infinities are equal."""
    actual, expected = float(actual), float(expected)
    return actual == expected or abs(actual - expected) <= tolerance() * max(1.0, abs(expected))


def at_most(smaller, larger):
    """`smaller <= larger` to rounding."""
    return float(smaller) <= float(larger) + tolerance() * max(1.0, abs(float(larger)))


def mix(weight, p, q):
    weight = default_float()(weight)
    return weight * p + (1 - weight) * q


def condition_rows(p_xy):
    """p(x|y) for every y, as rows; a y that never occurs gets the uniform."""
    p_y = p_xy.sum(0)
    rows = np.where(p_y > 0, p_xy / np.where(p_y > 0, p_y, 1), 1 / len(p_xy))
    return np.ascontiguousarray(rows.T.astype(default_float()))


# --- surprisal --------------------------------------------------------------------------------------------------

probability = st.floats(1e-6, 1.0)


@given(probability, probability)
def test_surprisal_is_nonnegative_decreasing_and_additive(a, b):
    low, high = sorted((default_float()(a), default_float()(b)))
    of_low, of_high = jaxinfo.surprisal(np.stack([low, high]))
    assert of_high >= 0
    assert of_low >= of_high
    # A rounding of one part in 1 / eps in p is an absolute error of eps in log p; strict where p differs by more.
    if high > low * (1 + ulps(4) * (1 + abs(np.log(low)))):
        assert of_low > of_high
    joint = jaxinfo.surprisal(np.stack([low * high, low]))[0]
    assert same(joint, of_low + of_high)


def test_surprisal_of_the_sure_and_of_the_impossible():
    assert jaxinfo.surprisal(1.0) == 0
    assert jaxinfo.surprisal(0.0) == jnp.inf
    small = np.geomspace(1e-2, float(np.finfo(default_float()).tiny), 20).astype(default_float())
    values = np.asarray(jaxinfo.surprisal(small))
    assert (np.diff(values) > 0).all()
    # No bound but that of the dtype: the least normal number has as many nats as its exponent says.
    assert values[-1] > 80


# --- entropy and cross-entropy ----------------------------------------------------------------------------------


@given(tables(K), tables(K))
def test_cross_entropy_is_entropy_plus_divergence(p, q):
    assert same(jaxinfo.cross_entropy(p, q), jaxinfo.entropy(p) + jaxinfo.kl_divergence(p, q))
    assert same(jaxinfo.cross_entropy(p, p), jaxinfo.entropy(p))


@given(tables(K))
def test_entropy_lies_between_that_of_a_point_and_that_of_the_uniform(p):
    assert jaxinfo.entropy(p) >= 0
    assert at_most(jaxinfo.entropy(p), np.log(K))
    # log K - H(p) is the divergence from the uniform.
    uniform = np.full(K, 1 / K, default_float())
    assert same(jaxinfo.entropy(p), np.log(K) - jaxinfo.kl_divergence(p, uniform))
    assert same(jaxinfo.perplexity(p), np.exp(float(jaxinfo.entropy(p))))


def test_entropy_of_the_extremes():
    uniform = np.full(K, 1 / K, default_float())
    assert same(jaxinfo.entropy(uniform), np.log(K))
    np.testing.assert_array_equal(jaxinfo.entropy(np.eye(K, dtype=default_float())), 0)


@given(tables(K), st.integers(0, K - 1))
def test_one_hot_cross_entropy_is_the_surprisal_of_the_choice(q, k):
    chosen = np.eye(K, dtype=default_float())[k]
    # To rounding only: XLA has one logarithm for sums on a CPU and another for elementwise results.
    assert same(jaxinfo.cross_entropy(chosen, q), jaxinfo.surprisal(q)[k])
    with np.errstate(divide="ignore"):
        z = np.log(q)
    assert same(logits.cross_entropy_from_labels(np.int32(k), z), jaxinfo.surprisal(q)[k])
    assert same(logits.cross_entropy_from_probs(chosen, z), jaxinfo.surprisal(q)[k])


@given(tables(K), tables(K), st.floats(0, 1))
def test_entropy_is_concave(p, q, weight):
    mean = weight * jaxinfo.entropy(p) + (1 - weight) * jaxinfo.entropy(q)
    assert at_most(mean, jaxinfo.entropy(mix(weight, p, q)))


@given(tables(K))
def test_units(p):
    bits = jaxinfo.entropy(p, base=2)
    assert same(bits * np.log(2), jaxinfo.entropy(p))
    assert same(jaxinfo.entropy(p, base=10) * np.log2(10), bits)


# --- divergences ------------------------------------------------------------------------------------------------


@given(tables(K), tables(K))
def test_gibbs(p, q):
    """KL >= 0, with equality only at p = q; and at least Pinsker's bound."""
    divergence = float(jaxinfo.kl_divergence(p, q))
    assert divergence >= 0
    assert (divergence == 0) == bool((p == q).all())
    assert at_most(np.abs(p.astype(np.float64) - q).sum() ** 2 / 2, divergence)
    assert jaxinfo.kl_divergence(p, p) == 0
    assert at_most(jaxinfo.entropy(p), jaxinfo.cross_entropy(p, q))


@given(tables(K), st.integers(0, K - 1))
def test_one_ulp_is_a_difference(p, k):
    """Equality holds only at p = q, down to the last bit."""
    q = p.copy()
    q[k] = np.nextafter(q[k], 2) if q[k] else 1e-3
    assert jaxinfo.kl_divergence(p, q) > 0
    assert jaxinfo.jeffreys_divergence(p, q) > 0
    assert jaxinfo.jensen_shannon_divergence(p, q) > 0


@given(tables(K), tables(K))
def test_divergence_is_infinite_exactly_off_the_admissible_set(p, q):
    admissible = bool(jaxinfo.is_absolutely_continuous(p, q))
    assert admissible == bool(np.all((p == 0) | (q > 0)))
    assert bool(jnp.isinf(jaxinfo.kl_divergence(p, q))) == (not admissible)
    assert bool(jnp.isinf(jaxinfo.cross_entropy(p, q))) == (not admissible)


def test_divergence_is_asymmetric_unbounded_and_breaks_the_triangle_inequality():
    p, q, r = (np.asarray(x, default_float()) for x in ([0.5, 0.5], [0.75, 0.25], [0.95, 0.05]))
    there, back = float(jaxinfo.kl_divergence(p, r)), float(jaxinfo.kl_divergence(r, p))
    # (1/2) log(1/4 / (0.95 * 0.05)) = 0.8304 and log 2 - H(0.95, 0.05) = 0.4946
    assert abs(there - 0.8304) < 1e-4
    assert abs(back - 0.4946) < 1e-4
    detour = jaxinfo.kl_divergence(p, q) + jaxinfo.kl_divergence(q, r)
    assert there > detour + 0.4
    small = np.geomspace(1e-1, 1e-30, 30).astype(default_float())
    growing = np.asarray(jaxinfo.kl_divergence(p, np.stack([1 - small, small], -1)))
    assert (np.diff(growing) > 0).all()
    # (1/2) log(1 / (4 e (1 - e))) for e = 1e-30
    assert abs(growing[-1] - 0.5 * (30 * np.log(10) - np.log(4))) < 1e-4


@given(tables(K), tables(K))
def test_jeffreys_is_the_sum_of_both_directions(p, q):
    both = jaxinfo.kl_divergence(p, q) + jaxinfo.kl_divergence(q, p)
    assert same(jaxinfo.jeffreys_divergence(p, q), both)
    assert same(jaxinfo.jeffreys_divergence(q, p), jaxinfo.jeffreys_divergence(p, q))


@given(tables(K), tables(K), st.floats(0.0625, 0.9375))
def test_jensen_shannon(p, q, weight):
    """The gap of the entropy's concavity, bounded by the entropy of the weights, and symmetric."""
    divergence = jaxinfo.jensen_shannon_divergence(p, q, weight=weight)
    parts = weight * jaxinfo.entropy(p) + (1 - weight) * jaxinfo.entropy(q)
    assert same(divergence, jaxinfo.entropy(mix(weight, p, q)) - parts)
    assert at_most(divergence, jaxinfo.binary_entropy(default_float()(weight)))
    assert same(divergence, jaxinfo.jensen_shannon_divergence(q, p, weight=1 - weight))
    halves = jaxinfo.jensen_shannon_divergence(p, q)
    assert at_most(halves, np.log(2))
    stacked = np.stack([p, q])
    assert same(jaxinfo.jensen_shannon_divergence(stacked), halves)
    share = np.asarray([weight, 1 - weight], default_float())
    assert same(jaxinfo.jensen_shannon_divergence(stacked, weights=share), divergence)


@given(tables(K), tables(K), tables(K))
def test_jensen_shannon_distance_is_a_metric(p, q, r):
    distances = np.asarray(jaxinfo.jensen_shannon_distance(np.stack([p, p, q]), np.stack([r, q, r])), np.float64)
    # A distance of 0 is exact; a small one has 8 ulp of its own.
    assert distances[0] <= (distances[1] + distances[2]) * (1 + ulps(24))
    assert (distances[1] == 0) == bool((p == q).all())


@given(tables(K, zeros=False), tables(K, zeros=False), tables(K, zeros=False), tables(K, zeros=False), st.floats(0, 1))
def test_divergences_are_jointly_convex(p, q, r, s, weight):
    for divergence in (jaxinfo.kl_divergence, jaxinfo.jeffreys_divergence, jaxinfo.jensen_shannon_divergence):
        mean = weight * divergence(p, q) + (1 - weight) * divergence(r, s)
        assert at_most(divergence(mix(weight, p, r), mix(weight, q, s)), mean)


@given(tables(X), tables(X), channels(X, CHANNEL_OUTPUTS))
def test_data_processing_for_divergences(p, q, channel):
    """No channel makes two distributions easier to tell apart."""
    for divergence in (jaxinfo.kl_divergence, jaxinfo.jensen_shannon_divergence):
        assert at_most(divergence(p @ channel, q @ channel), divergence(p, q))


@given(tables(X, Y), tables(X, Y, zeros=False))
def test_chain_rule_of_the_divergence(p_xy, q_xy):
    """KL of the joint is that of the marginals plus the mean of that of the conditionals."""
    p_y, q_y = p_xy.sum(0), q_xy.sum(0)
    conditional = jaxinfo.kl_divergence(condition_rows(p_xy), condition_rows(q_xy))
    whole = jaxinfo.kl_divergence(p_xy, q_xy, axis=(0, 1))
    assert same(whole, jaxinfo.kl_divergence(p_y, q_y) + np.sum(p_y * np.asarray(conditional)))


# --- joint tables -----------------------------------------------------------------------------------------------


@given(tables(X, Y))
def test_mutual_information_in_all_its_forms(p_xy):
    p_yx = np.ascontiguousarray(p_xy.T)
    p_x, p_y = p_xy.sum(1), p_xy.sum(0)
    information = jaxinfo.mutual_information(p_xy)
    of_x, of_y, of_both = jaxinfo.entropy(p_x), jaxinfo.entropy(p_y), jaxinfo.joint_entropy(p_xy)
    assert same(information, of_x + of_y - of_both)
    assert same(information, of_x - jaxinfo.conditional_entropy(p_xy))
    assert same(information, of_y - jaxinfo.conditional_entropy(p_yx))
    assert same(information, jaxinfo.kl_divergence(p_xy, np.outer(p_x, p_y), axis=(0, 1)))
    assert same(information, jaxinfo.mutual_information(p_yx))
    pointwise = np.asarray(jaxinfo.pointwise_mutual_information(p_xy))
    assert same(information, np.sum(np.where(p_xy > 0, p_xy, 0) * np.where(p_xy > 0, pointwise, 0)))
    with np.errstate(divide="ignore"):
        assert same(information, logits.mutual_information(np.log(p_xy)))


@given(tables(X, Y))
def test_mutual_information_is_zero_only_under_independence(p_xy):
    """At least half the squared distance from the product (Pinsker), and nothing of a product."""
    product = np.outer(p_xy.sum(1), p_xy.sum(0))
    gap = np.abs(p_xy.astype(np.float64) - product).sum() ** 2 / 2
    assert at_most(gap, jaxinfo.mutual_information(p_xy))
    assert at_most(jaxinfo.mutual_information(product), 0)
    assert at_most(0, jaxinfo.mutual_information(product))


@given(tables(X, Y))
def test_conditional_entropy(p_xy):
    """H(X,Y) - H(Y), and the mean over y of H(X|Y=y)."""
    p_y = p_xy.sum(0)
    conditional = jaxinfo.conditional_entropy(p_xy)
    assert same(conditional, jaxinfo.joint_entropy(p_xy) - jaxinfo.entropy(p_y))
    assert same(conditional, np.sum(p_y * np.asarray(jaxinfo.entropy(condition_rows(p_xy)))))
    assert conditional >= 0
    assert at_most(conditional, jaxinfo.entropy(p_xy.sum(1)))  # conditioning never adds uncertainty


@given(tables(X, Y))
def test_chain_rule_of_the_entropy(p_xy):
    of_y_given_x = jaxinfo.conditional_entropy(np.ascontiguousarray(p_xy.T))
    assert same(jaxinfo.joint_entropy(p_xy), jaxinfo.entropy(p_xy.sum(1)) + of_y_given_x)


@given(tables(X, Y, Z))
def test_chain_rule_of_the_mutual_information(p_xyz):
    """I(X; Y,Z) = I(X;Z) + I(X;Y|Z), and I(X;Y|Z) = sum p(z) I(X;Y|Z=z), symmetric and nonnegative."""
    conditional = jaxinfo.conditional_mutual_information(p_xyz)
    whole = jaxinfo.mutual_information(p_xyz.reshape(X, Y * Z))
    assert same(whole, jaxinfo.mutual_information(p_xyz.sum(1)) + conditional)
    assert at_most(0, conditional)
    slices = np.asarray(jaxinfo.mutual_information(np.moveaxis(p_xyz, -1, 0)))  # homogeneous: p(z) I(X;Y|Z=z)
    assert same(conditional, slices.sum())
    assert same(conditional, jaxinfo.conditional_mutual_information(np.ascontiguousarray(np.swapaxes(p_xyz, 0, 1))))


@given(tables(X, Y), channels(Y, CHANNEL_OUTPUTS))
def test_data_processing_for_mutual_information(p_xy, channel):
    """X - Y - Z: what Z knows about X, Y knew, and given Y it knows nothing."""
    assert at_most(jaxinfo.mutual_information(p_xy @ channel), jaxinfo.mutual_information(p_xy))
    p_xzy = p_xy[:, None, :] * np.ascontiguousarray(channel.T)[None]
    assert at_most(jaxinfo.conditional_mutual_information(p_xzy), 0)


# --- tables and logits are two ways to say the same ---------------------------------------------------------------


@given(tables(K), tables(K), st.floats(-50, 50))
def test_logits_agree_with_tables(p, q, offset):
    """log p is a table of logits of p, zeros are masks, and a common offset changes nothing."""
    shift = default_float()(round(offset))
    with np.errstate(divide="ignore"):
        z_p, z_q = np.log(p), np.log(q) + shift
    # An offset of 50 rounds the logits by 50 ulp / 2, and the results move by as much.
    allowed = tolerance() + ulps(50 * 4)

    def near(a, b):
        a, b = float(a), float(b)
        return a == b or abs(a - b) <= allowed * max(1.0, abs(b))

    assert near(logits.entropy(z_q), jaxinfo.entropy(q))
    for name in ("cross_entropy", "kl_divergence", "jeffreys_divergence", "jensen_shannon_divergence"):
        assert near(getattr(logits, name)(z_p, z_q), getattr(jaxinfo, name)(p, q)), name
    assert near(logits.kl_divergence_from_probs(p, z_q), jaxinfo.kl_divergence(p, q))
    assert bool(logits.is_absolutely_continuous(z_p, z_q)) == bool(jaxinfo.is_absolutely_continuous(p, q))


@given(st.floats(-20, 20))
def test_binary_entropy_agrees_with_the_entropy_of_two(log_odds):
    t = default_float()(log_odds)
    p = jax.nn.sigmoid(t)
    two = logits.entropy(np.stack([t, default_float()(0)]))
    assert same(logits.binary_entropy(t), two)
    assert same(jaxinfo.binary_entropy(p), two)
    assert same(jaxinfo.binary_entropy(p), jaxinfo.entropy(jnp.stack([p, 1 - p])))
