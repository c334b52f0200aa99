"""KL(q‖p) of a Gaussian q on the plane by a rule that follows q, and the points where it is stationary.

The product panels of `jaxinfo.densities` follow any two densities and bound their error; here they certify values in
the end. Inside of descents they are too slow by a factor of a hundred, and what is integrated is simpler: log p under
a Gaussian. In standardised coordinates, x = mean + L z, a trapezoid sum over a square lattice of z converges
exponentially as its step shrinks.
"""

import dataclasses
from typing import Any

if __package__:
    from experiments import _branches
else:
    import _branches

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from jaxinfo import densities, distributions
from jaxinfo.densities import Estimate
from jaxinfo.distributions import Mixture, MultivariateNormal
from jaxinfo.projections import Fit
from jaxinfo.projections._divergences import Divergence

Family = MultivariateNormal


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class LatticeReverseKL(Divergence):
    """KL(approximation‖target) for a Gaussian on the plane, by sums over a lattice.

    The lattice is what lies within a disc of `count` steps. With twice the step its error is far larger: the
    difference of both sums is the `stderr`, which indicates the error and exaggerates it.
    """

    step: Any = 0.1
    count: int = dataclasses.field(default=75, metadata={"static": True})

    def estimate(
        self, target: Any, approximation: Any, *, method: Any = None, key: jax.Array | None = None
    ) -> Estimate:
        """Returns the divergence in nats; there is no choice of methods."""
        if method is not None or key is not None:
            raise TypeError(f"LatticeReverseKL has one method of its own, got {method!r} and {key!r}")
        line = np.arange(-self.count, self.count + 1)
        lattice = np.stack(np.meshgrid(line, line)).reshape(2, -1)
        lattice = lattice[:, np.sum(lattice**2, axis=0) <= self.count**2]
        step = jnp.asarray(self.step, float)
        z = step * jnp.asarray(lattice, float)
        weights = step**2 / (2 * jnp.pi) * jnp.exp(-0.5 * jnp.sum(z**2, axis=0))
        terms = weights * jax.nn.logsumexp(_log_components(target, approximation, z), axis=0)
        even = np.all(lattice % 2 == 0, axis=0)
        value, wider = (-distributions.entropy(approximation) - jnp.sum(part) for part in (terms, 4 * terms[even]))
        return Estimate(value, jax.lax.stop_gradient(jnp.abs(value - wider)), {}, "lattice")


def _log_components(target: Mixture, q: Family, z: jax.Array) -> jax.Array:
    """Returns `log w_k N(x | m_k, C_k)` at x = mean + L z, `[K, N]`: a quadratic in z, and so one product of matrices.

    With R_k the inverse of the factor of C_k it is `log w_k + log det R_k - |A z + d|^2 / 2 - log 2 pi`, where
    A = R_k L and d = R_k (mean - m_k).
    """
    inverse = jnp.linalg.inv(jnp.asarray(target.components.scale_tril))
    a = inverse @ q.scale_tril
    d = jnp.squeeze(inverse @ (jnp.asarray(q.loc)[None] - target.components.loc)[..., None], -1)
    quadratic, linear = jnp.swapaxes(a, -1, -2) @ a, jnp.sum(a * d[..., None], axis=-2)
    constant = jnp.log(target.weights) + jnp.linalg.slogdet(inverse)[1] - 0.5 * jnp.sum(d**2, -1) - jnp.log(2 * jnp.pi)
    coefficients = [0.5 * quadratic[:, 0, 0], quadratic[:, 0, 1], 0.5 * quadratic[:, 1, 1], linear[:, 0], linear[:, 1]]
    powers = jnp.stack([z[0] ** 2, z[0] * z[1], z[1] ** 2, z[0], z[1]])
    return constant[:, None] - jnp.stack(coefficients, axis=1) @ powers


# Fewer panels than by default: a product of two rules has the square of their number.
PANELS = densities.Quadrature(offsets=(1.5, 3.0, 6.0), num_rounds=0)
# Of Newton's method.
MOST_STEPS = 40
# The first is for descents; where they end, Newton's method goes on with the second.
COARSE, FINE = LatticeReverseKL(0.25, 24), LatticeReverseKL(0.1, 75)


def find_stationary(divergence: Divergence, target: Mixture, starts: Family) -> Fit:
    """Returns where Newton's method for a gradient of zero ends, from each start: at minima and saddles alike.

    Steps longer than 0.4, in the unconstrained parameters, are shortened to that.
    """

    def to_the_end(start: Any) -> tuple[Any, ...]:
        flat, unravel = ravel_pytree(start)

        def estimate(flat: jax.Array) -> Estimate:
            return divergence.estimate(target, starts.from_unconstrained(unravel(flat)))

        def value(flat: jax.Array) -> jax.Array:
            return estimate(flat).value

        def step(state: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
            flat, gradient, count = state
            # What is above the diagonal of a factor is not read: there the Hessian is zero.
            move = -jnp.linalg.pinv(jax.hessian(value)(flat), hermitian=True) @ gradient
            flat = flat + move * jnp.minimum(1.0, 0.4 / jnp.linalg.norm(move))
            return flat, jax.grad(value)(flat), count + 1

        def goes_on(state: tuple[jax.Array, ...]) -> jax.Array:
            return (jnp.linalg.norm(state[1]) > 1e-12) & (state[2] < MOST_STEPS)

        begin = (flat, jax.grad(value)(flat), jnp.zeros((), jnp.int32))
        flat, gradient, count = jax.lax.while_loop(goes_on, step, begin)
        return unravel(flat), estimate(flat), jnp.linalg.norm(gradient), count

    ends, values, norms, counts = jax.lax.map(to_the_end, starts.to_unconstrained())
    return Fit(starts.from_unconstrained(ends), values, None, norms, norms < 1e-9, counts)


@_branches.quick_jit
def certify(p: Any, q: Any) -> Estimate:
    """Returns KL(p‖q) by the product panels, which bound their error."""
    return densities.kl_divergence(p, q, method=PANELS)


def describe(q: Family) -> dict[str, Any]:
    """Returns a Gaussian's parameters by name."""
    factor = np.tril(np.asarray(q.scale_tril))
    return {"mean": np.asarray(q.loc).tolist(), "covariance": (factor @ factor.T).tolist()}


def shares_of_starts(ends: Fit, optima: Any, converged: np.ndarray) -> list[float]:
    """Returns the share of the descents that ended at each optimum; points between, which come last, do not count."""
    count = len(converged)
    means, factors = (np.asarray(leaf)[:count] for leaf in (ends.optimum.loc, ends.optimum.scale_tril))
    known = converged & np.asarray(ends.converged)[:count]
    shares = []
    for optimum in optima:
        # Newton's method leaves nothing between ends of one optimum but rounding.
        mean, factor = (np.asarray(x) for x in (optimum.distribution.loc, optimum.distribution.scale_tril))
        gaps = (means - mean, np.tril(factors - factor))
        same = np.all([np.abs(gap).reshape(count, -1).max(axis=1) < 1e-5 for gap in gaps], axis=0)
        shares.append(float(np.mean(same & known)))
    return shares
