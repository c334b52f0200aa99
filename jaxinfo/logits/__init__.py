"""Measures on unnormalised log-probabilities. Computed in the log domain; `-inf` (a masked outcome) is ordinary input.

Every function normalises its logits itself: adding a constant to a row changes nothing. `where=False` means `-inf`, so
unlike on tables the rest is renormalised. Every gradient is finite, also where the value is not: `softmax(q) -
softmax(p)` for the divergence in `q_logits`, always. A masked logit that carries no mass has gradient 0. A row of only
`-inf` is no distribution: NaN.
"""

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
from jaxinfo.logits.joint import (
    conditional_entropy,
    conditional_mutual_information,
    joint_entropy,
    mutual_information,
    pointwise_mutual_information,
)
from jaxinfo.logits.mixed import cross_entropy_from_labels, cross_entropy_from_probs, kl_divergence_from_probs
from jaxinfo.logits.processes import conditional_kl_divergence

__all__ = [
    "binary_entropy",
    "chi_squared_divergence",
    "conditional_entropy",
    "conditional_kl_divergence",
    "conditional_mutual_information",
    "cross_entropy",
    "cross_entropy_from_labels",
    "cross_entropy_from_probs",
    "entropy",
    "f_divergence",
    "is_absolutely_continuous",
    "jeffreys_divergence",
    "jensen_shannon_distance",
    "jensen_shannon_divergence",
    "joint_entropy",
    "kl_divergence",
    "kl_divergence_from_probs",
    "mutual_information",
    "perplexity",
    "pointwise_mutual_information",
    "skew_jensen_shannon_divergence",
    "surprisal",
    "total_variation",
]
