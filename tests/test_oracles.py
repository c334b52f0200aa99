"""The oracles themselves: double-doubles against mpmath, gradients against numerical differentiation at 60 digits."""

import mpmath
import numpy as np
import pytest

from tests import double_double as dd
from tests import oracles
from tests.inputs import KINDS
from tests.oracles import Oracle

INTERIOR = {
    "entropy": "table",
    "perplexity": "table",
    "cross_entropy": "pair",
    "kl_divergence": "pair",
    "jeffreys_divergence": "pair",
    "jensen_shannon_divergence": "pair",
    "jensen_shannon_distance": "pair",
    "mixture_jensen_shannon": "mixture",
    "conditional_entropy": "joint",
    "mutual_information": "joint",
    "conditional_mutual_information": "triple",
    "logits_entropy": "logits",
    "logits_perplexity": "logits",
    "logits_cross_entropy": "logit pair",
    "logits_kl_divergence": "logit pair",
    "logits_jeffreys_divergence": "logit pair",
    "logits_jensen_shannon_divergence": "logit pair",
    "logits_jensen_shannon_distance": "logit pair",
    "logits_mixture_jensen_shannon": "logit mixture",
    "logits_conditional_entropy": "joint logits",
    "logits_mutual_information": "joint logits",
    "logits_conditional_mutual_information": "triple logits",
    "cross_entropy_from_probs": "probs and logits",
    "kl_divergence_from_probs": "probs and logits",
    "binary_entropy": "probability",
    "surprisal": "probability",
    "logits_binary_entropy": "log odds",
}


def interior_arguments(kind):
    interior = KINDS[kind].boundary["interior"]
    return [np.asarray(x) for x in (interior if len(KINDS[kind].ranks) > 1 else (interior,))]


@pytest.mark.parametrize("name", INTERIOR)
def test_gradient_is_the_derivative_of_the_value(name):
    arguments = interior_arguments(INTERIOR[name])
    analytic = getattr(oracles, f"{name}_gradient")(*map(oracles.exact, arguments))
    numerical = oracles.differentiate(getattr(oracles, name), arguments)
    for a, n in zip(analytic, numerical, strict=True):
        # Central differences with a step of 1e-18 leave an error near 1e-36 times a third derivative.
        assert np.all(np.abs(np.asarray(a - n)) < 1e-25)


def test_gradient_of_labelled_logits():
    z = np.asarray([0.5, -1.0, 2.0])
    label = oracles.exact(1)
    (numerical,) = oracles.differentiate(lambda x: oracles.cross_entropy_from_labels(label, x), [z])
    analytic = oracles.cross_entropy_from_labels_gradient(label, oracles.exact(z))[1]
    assert np.all(np.abs(analytic - numerical) < 1e-25)


def test_known_values():
    half = oracles.exact([0.5, 0.5])
    assert float(oracles.entropy(half)) == float(mpmath.log(2))
    # KL((1/2, 1/2) | (1/4, 3/4)) = log(2 / sqrt 3)
    assert np.isclose(
        float(oracles.kl_divergence(half, oracles.exact([0.25, 0.75]))), np.log(2 / np.sqrt(3)), rtol=1e-15
    )
    assert float(oracles.jensen_shannon_divergence(oracles.exact([1.0, 0.0]), oracles.exact([0.0, 1.0]))) == np.log(2)
    assert float(oracles.kl_divergence(half, oracles.exact([1.0, 0.0]))) == np.inf


def test_condition_numbers():
    # Every term of H(X|Y) has the same sign and is homogeneous: its condition number is 1.
    joint = np.random.default_rng(0).dirichlet(np.ones(6)).reshape(2, 3)
    oracle = Oracle(oracles.conditional_entropy, oracles.conditional_entropy_gradient)
    assert np.isclose(oracle.condition(joint), 1.0)


@pytest.mark.parametrize("function", ["exp", "log", "sqrt"])
def test_double_doubles_against_mpmath(function):
    generator = np.random.default_rng(1)
    wide = generator.uniform(-300, 300, 200)
    x = wide if function == "exp" else np.concatenate([np.exp(wide), 1 + generator.uniform(-1e-6, 1e-6, 100)])
    result = getattr(dd, function)(dd.DoubleDouble(x))
    with mpmath.workdps(60):
        exact = [getattr(mpmath, function)(mpmath.mpf(float(v))) for v in x]
        found = [mpmath.mpf(float(h)) + mpmath.mpf(float(w)) for h, w in zip(result.high, result.low, strict=True)]
        # `log` is held in absolute terms: that is what its sums need.
        scale = [1 if function == "log" else abs(e) for e in exact]
        assert max(abs(f - e) / s for f, e, s in zip(found, exact, scale, strict=True)) < 1e-28


@pytest.mark.parametrize(("name", "scale"), [("kl_divergence", 1e-3), ("logits_kl_divergence", 3.0)])
def test_double_doubles_keep_a_small_divergence(name, scale, monkeypatch):
    generator = np.random.default_rng(2)
    p = generator.random(2000) * scale
    q = p * (1 + 1e-6 * generator.random(2000))
    measure = getattr(oracles, name)
    fast = oracles.to_floats(measure(oracles.exact(p), oracles.exact(q)))
    monkeypatch.setattr(oracles, "MPMATH_SIZE", 10**6)
    slow = measure(oracles.exact(p), oracles.exact(q))
    assert 1e-13 < float(slow) < 1e-9
    # 1e-31 of double-doubles over a divergence of 1e-13 leaves 1e-18.
    assert abs((oracles.mpf(float(fast[0])) + oracles.mpf(float(fast[1]))) / slow - 1) < 1e-16
