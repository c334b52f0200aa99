"""A number, how far it may be off, and how it was obtained."""

import dataclasses

import jax

from jaxinfo._pytrees import register_dataclass


@register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Estimate:
    """The value of a measure together with its uncertainty; a pytree whose leaves share the batch shape.

    Args:
      value: the measure, in nats unless a base was asked for.
      stderr: how far `value` may be off, in the same unit: 0 for a closed form (which is exact but for rounding), an
        error bound for quadrature.
      diagnostics: what the method has to say about itself, by name. Quadrature: `converged` (whether `stderr` is
        within the method's tolerance) and the parts of the bound `discretization_error`, `truncation_error` and
        `rounding_error`. A closed form: nothing.
      method: the name of the method that produced the value; static.

    >>> from jaxinfo import densities
    >>> from jaxinfo.distributions import Normal
    >>> estimate = densities.entropy(Normal(0.0, 1.0))
    >>> round(float(estimate.value), 4), float(estimate.stderr), estimate.method
    (1.4189, 0.0, 'closed_form')
    """

    value: jax.Array
    stderr: jax.Array
    diagnostics: dict[str, jax.Array]
    method: str = dataclasses.field(metadata={"static": True})
