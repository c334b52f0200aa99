"""What is minimised or maximised while a model is trained: pure functions, one value per example, nothing reduced.

Names end in `_loss` where less is better and in `_bound` (or are `elbo`) where more is; forms that end in `_terms` give
the parts.
"""

from jaxinfo.objectives.aggregate_posteriors import (
    AggregatePosteriorTerms,
    aggregate_posterior,
    aggregate_posterior_terms,
    minibatch_information_bounds,
)
from jaxinfo.objectives.calibration import (
    CalibrationBins,
    CalibrationErrorTerms,
    calibration_bins,
    expected_calibration_error,
    expected_calibration_error_terms,
)
from jaxinfo.objectives.classification import (
    CrossEntropyLossTerms,
    binary_cross_entropy_loss,
    cross_entropy_loss,
    cross_entropy_loss_terms,
)
from jaxinfo.objectives.distillation import distillation_loss, reverse_kl_divergence
from jaxinfo.objectives.kl_estimators import importance_weighted_kl, sampled_kl
from jaxinfo.objectives.large_vocabulary import large_vocabulary_cross_entropy_loss, large_vocabulary_distillation_loss
from jaxinfo.objectives.latent_units import active_units, unit_activity
from jaxinfo.objectives.likelihood import bits_per_byte, example_mean, negative_log_likelihood, perplexity
from jaxinfo.objectives.log_weights import (
    chi_upper_bound_from_log_weights,
    importance_weighted_bound_from_log_weights,
    renyi_bound_from_log_weights,
    thermodynamic_bound_from_log_weights,
)
from jaxinfo.objectives.on_policy import on_policy_distillation_loss, sampled_distillation_loss
from jaxinfo.objectives.policies import (
    adaptive_kl_coefficient,
    entropy_bonus,
    policy_kl,
    ppo_clip_loss,
    ppo_kl_penalty_loss,
)
from jaxinfo.objectives.score_decomposition import (
    ScoreDecomposition,
    brier_score_decomposition,
    log_score_decomposition,
)
from jaxinfo.objectives.scoring_rules import (
    ScoreTerms,
    brier_score,
    brier_score_terms,
    log_score,
    log_score_terms,
    proper_score_terms,
)
from jaxinfo.objectives.sequences import sequence_kl_divergence, sequence_log_prob, token_kl_divergence
from jaxinfo.objectives.temperature import optimal_temperature
from jaxinfo.objectives.top_k import top_k_kl_divergence, top_k_kl_divergence_bounds, top_k_with_tail
from jaxinfo.objectives.trust_region import KLTrustRegionState, fisher_vector_product, kl_trust_region
from jaxinfo.objectives.variational import ElboTerms, elbo, elbo_terms, kl_annealing_schedule
from jaxinfo.objectives.variational_bounds import (
    chi_upper_bound,
    importance_weighted_bound,
    renyi_bound,
    thermodynamic_bound,
)

__all__ = [
    "AggregatePosteriorTerms",
    "CalibrationBins",
    "CalibrationErrorTerms",
    "CrossEntropyLossTerms",
    "ElboTerms",
    "KLTrustRegionState",
    "ScoreDecomposition",
    "ScoreTerms",
    "active_units",
    "adaptive_kl_coefficient",
    "aggregate_posterior",
    "aggregate_posterior_terms",
    "binary_cross_entropy_loss",
    "bits_per_byte",
    "brier_score",
    "brier_score_decomposition",
    "brier_score_terms",
    "calibration_bins",
    "chi_upper_bound",
    "chi_upper_bound_from_log_weights",
    "cross_entropy_loss",
    "cross_entropy_loss_terms",
    "distillation_loss",
    "elbo",
    "elbo_terms",
    "entropy_bonus",
    "example_mean",
    "expected_calibration_error",
    "expected_calibration_error_terms",
    "fisher_vector_product",
    "importance_weighted_bound",
    "importance_weighted_bound_from_log_weights",
    "importance_weighted_kl",
    "kl_annealing_schedule",
    "kl_trust_region",
    "large_vocabulary_cross_entropy_loss",
    "large_vocabulary_distillation_loss",
    "log_score",
    "log_score_decomposition",
    "log_score_terms",
    "minibatch_information_bounds",
    "negative_log_likelihood",
    "on_policy_distillation_loss",
    "optimal_temperature",
    "perplexity",
    "policy_kl",
    "ppo_clip_loss",
    "ppo_kl_penalty_loss",
    "proper_score_terms",
    "renyi_bound",
    "renyi_bound_from_log_weights",
    "reverse_kl_divergence",
    "sampled_distillation_loss",
    "sampled_kl",
    "sequence_kl_divergence",
    "sequence_log_prob",
    "thermodynamic_bound",
    "thermodynamic_bound_from_log_weights",
    "token_kl_divergence",
    "top_k_kl_divergence",
    "top_k_kl_divergence_bounds",
    "top_k_with_tail",
    "unit_activity",
]
