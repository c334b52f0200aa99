"""What is minimised or maximised while a model is trained: pure functions, one value per example, nothing reduced.

Names end in `_loss` where less is better and in `_bound` (or are `elbo`) where more is; forms that end in `_terms` give
the parts.
"""

# Sections: classification and likelihood; variational objectives; policies; distillation and language models.

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
from jaxinfo.objectives.likelihood import (
    bits_per_byte,
    example_mean,
    negative_log_likelihood,
    perplexity,
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
from jaxinfo.objectives.temperature import (
    optimal_temperature,
)

__all__ = [
    "CalibrationBins",
    "CalibrationErrorTerms",
    "CrossEntropyLossTerms",
    "ScoreDecomposition",
    "ScoreTerms",
    "binary_cross_entropy_loss",
    "bits_per_byte",
    "brier_score",
    "brier_score_decomposition",
    "brier_score_terms",
    "calibration_bins",
    "cross_entropy_loss",
    "cross_entropy_loss_terms",
    "example_mean",
    "expected_calibration_error",
    "expected_calibration_error_terms",
    "log_score",
    "log_score_decomposition",
    "log_score_terms",
    "negative_log_likelihood",
    "optimal_temperature",
    "perplexity",
    "proper_score_terms",
]
