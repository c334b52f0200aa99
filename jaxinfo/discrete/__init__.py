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
from jaxinfo.discrete.orders import min_entropy, normalized_entropy, renyi_entropy, tsallis_entropy
from jaxinfo.discrete.overlaps import bhattacharyya_distance, chernoff_information, hellinger_distance
from jaxinfo.discrete.pairwise import (
    pairwise_cross_entropy,
    pairwise_hellinger_distance,
    pairwise_jensen_shannon_divergence,
    pairwise_kl_divergence,
    pairwise_total_variation,
)
from jaxinfo.discrete.patterns import shannon, shannon_terms
from jaxinfo.discrete.power_divergences import alpha_divergence, renyi_divergence, tsallis_divergence
from jaxinfo.discrete.processes import conditional_kl_divergence, entropy_rate
from jaxinfo.discrete.segments import segment_cross_entropy, segment_entropy, segment_kl_divergence
from jaxinfo.discrete.validation import (
    check_absolutely_continuous,
    check_logits,
    check_probabilities,
    checkify_absolutely_continuous,
    checkify_logits,
    checkify_probabilities,
)

__all__ = [
    "alpha_divergence",
    "bhattacharyya_distance",
    "binary_entropy",
    "bregman_divergence",
    "check_absolutely_continuous",
    "check_logits",
    "check_probabilities",
    "checkify_absolutely_continuous",
    "checkify_logits",
    "checkify_probabilities",
    "chernoff_information",
    "chi_squared_divergence",
    "conditional_entropy",
    "conditional_kl_divergence",
    "conditional_mutual_information",
    "cross_entropy",
    "entropy",
    "entropy_rate",
    "f_divergence",
    "hellinger_distance",
    "is_absolutely_continuous",
    "jeffreys_divergence",
    "jensen_shannon_distance",
    "jensen_shannon_divergence",
    "joint_entropy",
    "kl_divergence",
    "min_entropy",
    "mutual_information",
    "normalized_entropy",
    "pairwise_cross_entropy",
    "pairwise_hellinger_distance",
    "pairwise_jensen_shannon_divergence",
    "pairwise_kl_divergence",
    "pairwise_total_variation",
    "perplexity",
    "pointwise_mutual_information",
    "renyi_divergence",
    "renyi_entropy",
    "segment_cross_entropy",
    "segment_entropy",
    "segment_kl_divergence",
    "shannon",
    "shannon_terms",
    "skew_jensen_shannon_divergence",
    "surprisal",
    "total_variation",
    "tsallis_divergence",
    "tsallis_entropy",
]
