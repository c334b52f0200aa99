"""Factorised fits to one correlated Gaussian, against their closed forms."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import optax

from jaxinfo.distributions import MultivariateNormal
from jaxinfo.projections import ForwardKL, ReverseKL, fit

# By the number of dimensions: in two dimensions any deviations will do.
DEVIATIONS = {2: (1.0, 0.6), 3: (1.0, 1.0, 1.0)}


def fit_correlated(correlations: tuple[float, ...], size: int) -> dict[str, Any]:
    """Fits a factorised q to Gaussians whose coordinates all have the same correlation, against the closed forms.

    Forward, q has the marginal variances C_ii and KL(p‖q) is the total correlation -log det R / 2, of the correlation
    matrix R. Reverse it has the inverse precisions 1 / K_ii with K = C^-1, and KL(q‖p) is the same function of K.
    """
    rho = np.array(correlations)[:, None, None]
    deviations = np.array(DEVIATIONS[size])
    correlation = (1 - rho) * np.eye(size) + rho
    covariance = deviations[:, None] * correlation * deviations
    if np.linalg.eigvalsh(correlation).min() <= 0:
        raise ValueError(f"of {size} coordinates some correlations cannot be had: {correlations}")
    precision = np.linalg.inv(covariance)
    target = MultivariateNormal.from_covariance(jnp.zeros((len(rho), size)), jnp.array(covariance))
    start = MultivariateNormal.from_diagonal(jnp.full((1, size), 0.5), jnp.full((1, size), 0.7))
    exact = {
        "forward": (covariance, total_correlation(covariance)),
        "reverse": (precision, total_correlation(precision)),
    }
    # Plain descent, in steps that the largest curvature allows: of the means the precision, of the log scales 2.
    rate = 1 / max(np.linalg.eigvalsh(precision).max(), 2.0)
    options = {"optimizer": optax.sgd(rate), "num_steps": 20_000, "tolerance": 1e-11}
    rows: dict[str, Any] = {"correlations": list(correlations), "deviations": deviations.tolist()}
    for divergence, (name, (matrix, value)) in zip((ForwardKL(), ReverseKL()), exact.items(), strict=True):
        found = fit(target, start, divergence, **options)
        variances = np.diagonal(matrix, axis1=1, axis2=2) ** (1 if name == "forward" else -1)
        fitted, values = np.asarray(found.optimum.variance)[:, 0], np.asarray(found.value.value)[:, 0]
        rows[name] = {
            "variances": variances.tolist(),
            "values": value.tolist(),
            "fitted_variances": fitted.tolist(),
            "fitted_values": values.tolist(),
            "largest_error_of_variances": float(np.max(np.abs(fitted / variances - 1))),
            "largest_error_of_values": float(np.max(np.abs(values - value))),
            "converged": float(np.mean(np.asarray(found.converged))),
        }
    return rows


def total_correlation(matrix: np.ndarray) -> np.ndarray:
    """Returns -log det R / 2 of the correlation matrix R that belongs to each matrix."""
    diagonal = np.diagonal(matrix, axis1=-2, axis2=-1)
    return 0.5 * (np.log(diagonal).sum(axis=-1) - np.linalg.slogdet(matrix)[1])
