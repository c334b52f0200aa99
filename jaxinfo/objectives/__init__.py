"""What is minimised or maximised while a model is trained: pure functions, one value per example, nothing reduced.

Names end in `_loss` where less is better and in `_bound` (or are `elbo`) where more is; forms that end in `_terms` give
the parts.
"""

# Sections: classification and likelihood; variational objectives; policies; distillation and language models.
from jaxinfo.objectives.distillation import distillation_loss, reverse_kl_divergence
from jaxinfo.objectives.large_vocabulary import (
    large_vocabulary_cross_entropy_loss,
    large_vocabulary_distillation_loss,
)
from jaxinfo.objectives.on_policy import on_policy_distillation_loss, sampled_distillation_loss
from jaxinfo.objectives.sequences import sequence_kl_divergence, sequence_log_prob, token_kl_divergence
from jaxinfo.objectives.top_k import top_k_kl_divergence, top_k_kl_divergence_bounds, top_k_with_tail

__all__ = [
    "distillation_loss",
    "large_vocabulary_cross_entropy_loss",
    "large_vocabulary_distillation_loss",
    "on_policy_distillation_loss",
    "reverse_kl_divergence",
    "sampled_distillation_loss",
    "sequence_kl_divergence",
    "sequence_log_prob",
    "token_kl_divergence",
    "top_k_kl_divergence",
    "top_k_kl_divergence_bounds",
    "top_k_with_tail",
]
