"""What is minimised or maximised while a model is trained: pure functions, one value per example, nothing reduced.

Names end in `_loss` where less is better and in `_bound` (or are `elbo`) where more is; forms that end in `_terms` give
the parts.
"""

# Sections: classification and likelihood; variational objectives; policies; distillation and language models.

from jaxinfo.objectives.aggregate_posteriors import (
    AggregatePosteriorTerms,
    aggregate_posterior,
    aggregate_posterior_terms,
    minibatch_information_bounds,
)
from jaxinfo.objectives.latent_units import active_units, unit_activity
from jaxinfo.objectives.log_weights import (
    chi_upper_bound_from_log_weights,
    importance_weighted_bound_from_log_weights,
    renyi_bound_from_log_weights,
    thermodynamic_bound_from_log_weights,
)
from jaxinfo.objectives.variational import ElboTerms, elbo, elbo_terms, kl_annealing_schedule
from jaxinfo.objectives.variational_bounds import (
    chi_upper_bound,
    importance_weighted_bound,
    renyi_bound,
    thermodynamic_bound,
)

__all__: list[str] = [
    "AggregatePosteriorTerms",
    "ElboTerms",
    "active_units",
    "aggregate_posterior",
    "aggregate_posterior_terms",
    "chi_upper_bound",
    "chi_upper_bound_from_log_weights",
    "elbo",
    "elbo_terms",
    "importance_weighted_bound",
    "importance_weighted_bound_from_log_weights",
    "kl_annealing_schedule",
    "minibatch_information_bounds",
    "renyi_bound",
    "renyi_bound_from_log_weights",
    "thermodynamic_bound",
    "thermodynamic_bound_from_log_weights",
    "unit_activity",
]
