"""Measures on unnormalised log-probabilities. Computed in the log domain; `-inf` (a masked outcome) is ordinary input.

Every function normalises its logits itself: adding a constant to a row changes nothing. `where=False` means `-inf`, so
unlike on tables the rest is renormalised. Every gradient is finite, also where the value is not: `softmax(q) -
softmax(p)` for the divergence in `q_logits`, always. A masked logit that carries no mass has gradient 0. A row of only
`-inf` is no distribution: NaN.
"""

from jaxinfo.logits.comparisons import variation_of_information
from jaxinfo.logits.correlations import (
    dual_total_correlation,
    o_information,
    s_information,
    total_correlation,
)
from jaxinfo.logits.divergences import (
    is_absolutely_continuous,
    jeffreys_divergence,
    jensen_shannon_distance,
    jensen_shannon_divergence,
    kl_divergence,
)
from jaxinfo.logits.entropies import binary_entropy, cross_entropy, entropy, perplexity, surprisal
from jaxinfo.logits.f_divergences import (
    chi_squared_divergence,
    f_divergence,
    skew_jensen_shannon_divergence,
    total_variation,
)
from jaxinfo.logits.interactions import co_information, interaction_information
from jaxinfo.logits.joint import (
    conditional_entropy,
    conditional_mutual_information,
    joint_entropy,
    mutual_information,
    pointwise_mutual_information,
)
from jaxinfo.logits.marginals import conditional, marginal
from jaxinfo.logits.mixed import cross_entropy_from_labels, cross_entropy_from_probs, kl_divergence_from_probs
from jaxinfo.logits.orders import min_entropy, normalized_entropy, renyi_entropy, tsallis_entropy
from jaxinfo.logits.overlaps import bhattacharyya_distance, chernoff_information, hellinger_distance
from jaxinfo.logits.pairwise import pairwise_cross_entropy, pairwise_kl_divergence
from jaxinfo.logits.patterns import shannon
from jaxinfo.logits.power_divergences import alpha_divergence, renyi_divergence, tsallis_divergence
from jaxinfo.logits.processes import conditional_kl_divergence
from jaxinfo.logits.segments import segment_cross_entropy, segment_entropy, segment_kl_divergence
from jaxinfo.logits.transfer import active_information_storage, transfer_entropy

__all__ = [
    "active_information_storage",
    "alpha_divergence",
    "bhattacharyya_distance",
    "binary_entropy",
    "chernoff_information",
    "chi_squared_divergence",
    "co_information",
    "conditional",
    "conditional_entropy",
    "conditional_kl_divergence",
    "conditional_mutual_information",
    "cross_entropy",
    "cross_entropy_from_labels",
    "cross_entropy_from_probs",
    "dual_total_correlation",
    "entropy",
    "f_divergence",
    "hellinger_distance",
    "interaction_information",
    "is_absolutely_continuous",
    "jeffreys_divergence",
    "jensen_shannon_distance",
    "jensen_shannon_divergence",
    "joint_entropy",
    "kl_divergence",
    "kl_divergence_from_probs",
    "marginal",
    "min_entropy",
    "mutual_information",
    "normalized_entropy",
    "o_information",
    "pairwise_cross_entropy",
    "pairwise_kl_divergence",
    "perplexity",
    "pointwise_mutual_information",
    "renyi_divergence",
    "renyi_entropy",
    "s_information",
    "segment_cross_entropy",
    "segment_entropy",
    "segment_kl_divergence",
    "shannon",
    "skew_jensen_shannon_divergence",
    "surprisal",
    "total_correlation",
    "total_variation",
    "transfer_entropy",
    "tsallis_divergence",
    "tsallis_entropy",
    "variation_of_information",
]
