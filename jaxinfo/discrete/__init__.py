"""Measures on tables of probabilities; the same names are at the top level, `jaxinfo.entropy` and so on."""

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
from jaxinfo.discrete.interactions import co_information, interaction_information
from jaxinfo.discrete.joint import (
    conditional_entropy,
    conditional_mutual_information,
    joint_entropy,
    mutual_information,
    pointwise_mutual_information,
)
from jaxinfo.discrete.marginals import conditional, marginal
from jaxinfo.discrete.pointwise import pointwise_conditional_mutual_information, pointwise_total_correlation
from jaxinfo.discrete.processes import active_information_storage, transfer_entropy
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
    "binary_entropy",
    "check_absolutely_continuous",
    "check_logits",
    "check_probabilities",
    "checkify_absolutely_continuous",
    "checkify_logits",
    "checkify_probabilities",
    "co_information",
    "conditional",
    "conditional_entropy",
    "conditional_mutual_information",
    "cross_entropy",
    "dual_total_correlation",
    "entropy",
    "interaction_information",
    "is_absolutely_continuous",
    "jeffreys_divergence",
    "jensen_shannon_distance",
    "jensen_shannon_divergence",
    "joint_entropy",
    "kl_divergence",
    "marginal",
    "mutual_information",
    "normalized_mutual_information",
    "o_information",
    "perplexity",
    "pointwise_conditional_mutual_information",
    "pointwise_mutual_information",
    "pointwise_total_correlation",
    "s_information",
    "surprisal",
    "total_correlation",
    "transfer_entropy",
    "variation_of_information",
]
