"""What is minimised or maximised while a model is trained: pure functions, one value per example, nothing reduced.

Names end in `_loss` where less is better and in `_bound` (or are `elbo`) where more is; forms that end in `_terms` give
the parts.
"""

# Sections: classification and likelihood; variational objectives; policies; distillation and language models.
from jaxinfo.objectives.policies import (
    adaptive_kl_coefficient,
    entropy_bonus,
    policy_kl,
    ppo_clip_loss,
    ppo_kl_penalty_loss,
)
from jaxinfo.objectives.sampled_kl import importance_weighted_kl, sampled_kl
from jaxinfo.objectives.trust_region import KLTrustRegionState, fisher_vector_product, kl_trust_region

__all__ = [
    "KLTrustRegionState",
    "adaptive_kl_coefficient",
    "entropy_bonus",
    "fisher_vector_product",
    "importance_weighted_kl",
    "kl_trust_region",
    "policy_kl",
    "ppo_clip_loss",
    "ppo_kl_penalty_loss",
    "sampled_kl",
]
