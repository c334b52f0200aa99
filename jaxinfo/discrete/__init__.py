"""Measures on tables of probabilities; the same names are at the top level, `jaxinfo.entropy` and so on."""

from jaxinfo.discrete.bregman import bregman_divergence
from jaxinfo.discrete.divergences import (
    is_absolutely_continuous,
    jeffreys_divergence,
    jensen_shannon_distance,
    jensen_shannon_divergence,
    kl_divergence,
)
from jaxinfo.discrete.entropies import binary_entropy, cross_entropy, entropy, perplexity, surprisal
from jaxinfo.discrete.f_divergences import (
    chi_squared_divergence,
    f_divergence,
    skew_jensen_shannon_divergence,
    total_variation,
)
from jaxinfo.discrete.joint import (
    conditional_entropy,
    conditional_mutual_information,
    joint_entropy,
    mutual_information,
    pointwise_mutual_information,
)
from jaxinfo.discrete.processes import conditional_kl_divergence, entropy_rate
from jaxinfo.discrete.validation import (
    check_absolutely_continuous,
    check_logits,
    check_probabilities,
    checkify_absolutely_continuous,
    checkify_logits,
    checkify_probabilities,
)

__all__ = [
    "binary_entropy",
    "bregman_divergence",
    "check_absolutely_continuous",
    "check_logits",
    "check_probabilities",
    "checkify_absolutely_continuous",
    "checkify_logits",
    "checkify_probabilities",
    "chi_squared_divergence",
    "conditional_entropy",
    "conditional_kl_divergence",
    "conditional_mutual_information",
    "cross_entropy",
    "entropy",
    "entropy_rate",
    "f_divergence",
    "is_absolutely_continuous",
    "jeffreys_divergence",
    "jensen_shannon_distance",
    "jensen_shannon_divergence",
    "joint_entropy",
    "kl_divergence",
    "mutual_information",
    "perplexity",
    "pointwise_mutual_information",
    "skew_jensen_shannon_divergence",
    "surprisal",
    "total_variation",
]
