"""Measures on tables of probabilities; the same names are at the top level, `jaxinfo.entropy` and so on."""

from jaxinfo.discrete.bregman import bregman_divergence
from jaxinfo.discrete.comparisons import normalized_mutual_information, variation_of_information
from jaxinfo.discrete.correlations import (
    dual_total_correlation,
    o_information,
    s_information,
    total_correlation,
)
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
from jaxinfo.discrete.interactions import co_information, interaction_information
from jaxinfo.discrete.joint import (
    conditional_entropy,
    conditional_mutual_information,
    joint_entropy,
    mutual_information,
    pointwise_mutual_information,
)
from jaxinfo.discrete.marginals import conditional, marginal
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
from jaxinfo.discrete.pointwise import pointwise_conditional_mutual_information, pointwise_total_correlation
from jaxinfo.discrete.power_divergences import alpha_divergence, renyi_divergence, tsallis_divergence
from jaxinfo.discrete.processes import conditional_kl_divergence, entropy_rate
from jaxinfo.discrete.segments import segment_cross_entropy, segment_entropy, segment_kl_divergence
from jaxinfo.discrete.transfer import active_information_storage, transfer_entropy
from jaxinfo.discrete.validation import (
    check_absolutely_continuous,
    check_logits,
    check_probabilities,
    checkify_absolutely_continuous,
    checkify_logits,
    checkify_probabilities,
)

__all__ = [
    "active_information_storage",
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
    "co_information",
    "conditional",
    "conditional_entropy",
    "conditional_kl_divergence",
    "conditional_mutual_information",
    "cross_entropy",
    "dual_total_correlation",
    "entropy",
    "entropy_rate",
    "f_divergence",
    "hellinger_distance",
    "interaction_information",
    "is_absolutely_continuous",
    "jeffreys_divergence",
    "jensen_shannon_distance",
    "jensen_shannon_divergence",
    "joint_entropy",
    "kl_divergence",
    "marginal",
    "min_entropy",
    "mutual_information",
    "normalized_entropy",
    "normalized_mutual_information",
    "o_information",
    "pairwise_cross_entropy",
    "pairwise_hellinger_distance",
    "pairwise_jensen_shannon_divergence",
    "pairwise_kl_divergence",
    "pairwise_total_variation",
    "perplexity",
    "pointwise_conditional_mutual_information",
    "pointwise_mutual_information",
    "pointwise_total_correlation",
    "renyi_divergence",
    "renyi_entropy",
    "s_information",
    "segment_cross_entropy",
    "segment_entropy",
    "segment_kl_divergence",
    "shannon",
    "shannon_terms",
    "skew_jensen_shannon_divergence",
    "surprisal",
    "total_correlation",
    "total_variation",
    "transfer_entropy",
    "tsallis_divergence",
    "tsallis_entropy",
    "variation_of_information",
]
