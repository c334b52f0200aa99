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
from jaxinfo.logits.joint import (
    conditional_entropy,
    conditional_mutual_information,
    joint_entropy,
    mutual_information,
    pointwise_mutual_information,
)
from jaxinfo.logits.marginals import conditional, marginal
from jaxinfo.logits.mixed import cross_entropy_from_labels, cross_entropy_from_probs, kl_divergence_from_probs
from jaxinfo.logits.processes import active_information_storage, transfer_entropy

__all__ = [
    "active_information_storage",
    "binary_entropy",
    "conditional",
    "conditional_entropy",
    "conditional_mutual_information",
    "cross_entropy",
    "cross_entropy_from_labels",
    "cross_entropy_from_probs",
    "dual_total_correlation",
    "entropy",
    "is_absolutely_continuous",
    "jeffreys_divergence",
    "jensen_shannon_distance",
    "jensen_shannon_divergence",
    "joint_entropy",
    "kl_divergence",
    "kl_divergence_from_probs",
    "marginal",
    "mutual_information",
    "o_information",
    "perplexity",
    "pointwise_mutual_information",
    "s_information",
    "surprisal",
    "total_correlation",
    "transfer_entropy",
    "variation_of_information",
]
