"""Steps that are measured in KL: Fisher-vector products, and the natural-gradient step within a trust region."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike

from jaxinfo.objectives._conjugate_gradients import conjugate_gradients, dot, widest
from jaxinfo.objectives._linearized import KLFunction, PolicyFunction, like, linearized, scalar, scaled, wide


def fisher_vector_product(
    policy_fn: PolicyFunction, params: Any, vector: Any, *, kl_fn: KLFunction | None = None
) -> Any:
    r"""Product of a policy's Fisher information matrix and a vector, exact and without the matrix.

    .. math:: F v = J^\top H J v, \qquad H = \nabla_q^2 \, D(p \| q) \, |_{q = p}

    J is the Jacobian of the distribution's parameters in the policy's, and H the divergence's Hessian in the
    distribution's. At q = p the divergence has no slope, so that this Gauss-Newton product is the product with its
    whole Hessian in `params`. One forward, one tangent and one backward pass.

    Args:
        policy_fn: Maps parameters to a distribution over a batch of states, or to whatever `kl_fn` takes. Numbers of it
            that are Python's or NumPy's are constants, such as those of a map that squashes actions.
        params: A pytree of floats: arrays, an `nnx.State`, ...
        vector: A pytree like `params`.
        kl_fn: The divergence `(old, new)`, a scalar; by default the mean over the states of `policy_kl`. Another one,
            for states that are weighted or masked, must have a minimum of 0 at `new = old`.

    Returns:
        A pytree like `params`, in its dtypes.

    Raises:
        TypeError: If no closed form is known for the policy's divergence.
        ValueError: If `vector` is not like `params`, or `kl_fn` returns no scalar.

    **Domain**: Positive semidefinite but for rounding; parameters that the policy does not depend on get 0.

    **Gradient**: Linear in `vector`; in `params` through the third derivatives of the divergence.

    Reference: J. Martens, "New Insights and Perspectives on the Natural Gradient Method", JMLR 21, 2020.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo.distributions import Normal
        >>> from jaxinfo.objectives import fisher_vector_product
        >>> def policy(params):  # one state; the information on mean and log-scale is 1 / scale^2 and 2
        ...     return Normal(params["loc"][None], jnp.exp(params["log_scale"])[None])
        >>> params, vector = (
        ...     {"loc": jnp.array(a), "log_scale": jnp.array(b)} for a, b in ((0.0, jnp.log(2.0)), (1.0, 3.0))
        ... )
        >>> product = fisher_vector_product(policy, params, vector)
        >>> print(product["loc"], product["log_scale"])
        0.25 6.0
    """
    _check_params("fisher_vector_product", params)
    _, product = linearized("fisher_vector_product", policy_fn, params, kl_fn)
    if jax.tree.structure(vector) != jax.tree.structure(params) or _shapes(vector) != _shapes(params):
        raise ValueError(
            f"fisher_vector_product: vector must be like params, got {_shapes(vector)} in {jax.tree.structure(vector)} "
            f"for {_shapes(params)} in {jax.tree.structure(params)}"
        )
    return like(product(jax.tree.map(wide, vector)), params)


class KLTrustRegionState(NamedTuple):
    """What the last step of `kl_trust_region` came to; all NaN, False and 0 before the first.

    Args:
        predicted_kl: The divergence of the step taken, by its second-order expansion; 0 if none was taken.
        measured_kl: That divergence as `kl_fn` measures it at the very parameters that result; 0 if none was taken.
        improvement: By how much `value_fn` fell; 0 if no step was taken.
        predicted_improvement: That to first order, by the gradient that came in.
        accepted: Whether a step was taken.
        num_backtracks: How many times it was shortened, of `max_backtracks` if none was taken.
        num_products: Fisher-vector products that conjugate gradients took.
    """

    predicted_kl: jax.Array
    measured_kl: jax.Array
    improvement: jax.Array
    predicted_improvement: jax.Array
    accepted: jax.Array
    num_backtracks: jax.Array
    num_products: jax.Array


def kl_trust_region(
    delta: ArrayLike = 0.01,
    *,
    damping: ArrayLike = 1e-3,
    max_products: int = 10,
    tolerance: ArrayLike = 1e-5,
    shrink: ArrayLike = 0.8,
    max_backtracks: int = 20,
    sufficient: ArrayLike = 0.0,
) -> optax.GradientTransformationExtraArgs:
    r"""Optax transformation to the natural-gradient step that moves a policy by a KL of at most `delta`.

    .. math:: \theta' = \theta - \eta \, d, \qquad d \approx (F + \lambda I)^{-1} g, \qquad
        \tfrac12 \eta^2 d^\top F d = \delta

    The direction is by conjugate gradients, its length such that the second-order expansion of the divergence is
    `delta`, without the damping. Then the step is shortened until the divergence that is measured is at most `delta`
    and the loss falls. If no length will do the update is exactly 0, also if anything on the way is NaN or infinite:
    parameters stay as they were, to the bit.

    `update` takes `params` and the keywords `value_fn` (maps parameters to the loss whose gradient comes in, as for
    Optax's line searches), `policy_fn` (maps them to a distribution over the states) and, if the mean over the states
    is not what is meant, `kl_fn` (maps the old and the new distribution to a scalar). All see parameters as they come
    in, and may close over a batch that is traced. With `optax.chain` and `nnx.Optimizer` they are passed through. In a
    chain it should be last: what comes before it changes the direction only by its shape, what follows changes a step
    that has been measured. It has no learning rate.

    Args:
        delta: The radius, in nats; may be traced.
        damping: The damping over the mean curvature along the gradient, `lambda = damping * g F g / g g`: a number
            without units, so that a policy that has become nearly certain, with a small Fisher matrix, is not damped
            more. A constant such as the 0.1 of textbooks stalls there.
        max_products: The most Fisher-vector products of conjugate gradients; static.
        tolerance: They stop when the residual is this small, relative to the gradient.
        shrink: What the step is multiplied by when it is shortened.
        max_backtracks: How many times at most; static.
        sufficient: The loss must fall by more than this share of what its gradient predicts.

    Returns:
        An `optax.GradientTransformationExtraArgs` with a `KLTrustRegionState`.

    Raises:
        ValueError: If an option that is known while tracing is out of range; from `update`, if `params` is missing or a
            function does not return a scalar.
        TypeError: If a count is no integer; from `update`, if `value_fn` or `policy_fn` is missing or parameters are no
            floats.

    **Domain**: Parameters of any float dtype; products and sums are in at least float32. The step is rounded to the
    parameters' dtype before it is measured. Give it the policy's parameters only: those that the policy does not depend
    on have no divergence, and their gradient would be followed without bound.

    **Gradient**: None is meant: a step is not differentiated.

    Reference: J. Schulman, S. Levine, P. Moritz, M. Jordan and P. Abbeel, "Trust Region Policy Optimization", ICML,
    2015, appendix C; S. Kakade, "A Natural Policy Gradient", NIPS 14, 2001.

    Example:
        >>> import jax
        >>> import jax.numpy as jnp
        >>> import optax
        >>> from jaxinfo.distributions import Categorical
        >>> from jaxinfo.objectives import kl_trust_region
        >>> reward = jnp.array([0.0, 1.0, 2.0])
        >>> policy = lambda z: Categorical(logits=z)
        >>> loss = lambda z: -jnp.sum(jax.nn.softmax(z) * reward)
        >>> optimizer, params = kl_trust_region(0.01), jnp.zeros(3)
        >>> updates, state = optimizer.update(
        ...     jax.grad(loss)(params), optimizer.init(params), params, value_fn=loss, policy_fn=policy
        ... )
        >>> print(bool(state.accepted), f"{state.predicted_kl:.4f} {state.measured_kl:.4f}")
        True 0.0100 0.0100
    """
    _check_options(delta, damping, max_products, tolerance, shrink, max_backtracks, sufficient)

    def init(params: Any) -> KLTrustRegionState:
        number = jnp.asarray(jnp.nan, _dtype(params))
        count = jnp.zeros((), jnp.int32)
        return KLTrustRegionState(number, number, number, number, jnp.asarray(False), count, count)

    def update(
        updates: Any,
        state: KLTrustRegionState,
        params: Any = None,
        *,
        value_fn: Callable[[Any], jax.Array],
        policy_fn: PolicyFunction,
        kl_fn: KLFunction | None = None,
        **_: Any,
    ) -> tuple[Any, KLTrustRegionState]:
        del state
        if params is None:
            raise ValueError("kl_trust_region: update needs params")
        _check_params("kl_trust_region", params)
        gradient, dtype = jax.tree.map(lambda u, p: wide(u).astype(wide(p).dtype), updates, params), _dtype(params)
        radius = jnp.asarray(delta).astype(dtype)
        divergence, product = linearized("kl_trust_region", policy_fn, params, kl_fn)
        direction, num_products = _natural_direction(product, gradient, damping, max_products, tolerance)
        curvature = dot(direction, product(direction)).astype(dtype)
        # A direction without curvature has no length that is known to be safe.
        length = jnp.where(curvature > 0, -jnp.sqrt(2 * radius / jnp.where(curvature > 0, curvature, 1)), 0)
        slope = -length * dot(gradient, direction).astype(dtype)
        start = scalar("kl_trust_region", "value_fn", value_fn(params), dtype)

        def attempt(scale: jax.Array) -> tuple[jax.Array, ...]:
            moved = optax.apply_updates(params, like(scaled(direction, length * scale), params))
            kl = divergence(moved).astype(dtype)
            fall = start - scalar("kl_trust_region", "value_fn", value_fn(moved), dtype)
            enough = fall > jnp.asarray(sufficient).astype(dtype) * slope * scale
            fine = jnp.isfinite(kl) & (kl <= radius) & enough & (fall > 0) & (slope > 0) & jnp.isfinite(fall)
            return kl, fall, fine & _is_finite(moved)

        scale, kl, fall, accepted, count = _backtrack(attempt, jnp.asarray(shrink).astype(dtype), max_backtracks)
        step = like(scaled(direction, length * scale), params)
        # Of a parameter that is -0.0, the sum with 0.0 would be 0.0.
        step = jax.tree.map(lambda u: jnp.where(accepted, u, jnp.full_like(u, -0.0)), step)
        found = (radius * scale**2, kl, fall, slope * scale)
        predicted, measured, gained, promised = (jnp.where(accepted, x, jnp.zeros_like(x)) for x in found)
        return step, KLTrustRegionState(predicted, measured, gained, promised, accepted, count, num_products)

    transformation: Any = optax.GradientTransformationExtraArgs
    return transformation(init, update)  # its protocol does not say which keywords an update may need


def _natural_direction(
    product: Callable[[Any], Any], gradient: Any, damping: ArrayLike, max_products: int, tolerance: ArrayLike
) -> tuple[Any, jax.Array]:
    """Solves `(F + lambda I) d = g` with g scaled to a length of 1: the scale of the loss does not matter."""
    largest = jnp.max(jnp.stack([jnp.max(jnp.abs(leaf), initial=0) for leaf in jax.tree.leaves(gradient)]))
    unit = scaled(gradient, _inverse(largest))
    unit = scaled(unit, _inverse(jnp.sqrt(dot(unit, unit))))
    level = jnp.asarray(damping).astype(largest.dtype) * dot(unit, product(unit))

    def damped(vector: Any) -> Any:
        return jax.tree.map(lambda f, v: f + level.astype(v.dtype) * v, product(vector), vector)

    return conjugate_gradients(damped, unit, max_products=max_products, tolerance=tolerance)


def _backtrack(
    attempt: Callable[[jax.Array], tuple[jax.Array, ...]], shrink: jax.Array, most: int
) -> tuple[jax.Array, ...]:
    """The first of the scales 1, shrink, shrink^2, ... that will do, what it came to, and how many came before it."""
    one = jnp.ones_like(shrink)

    def carry_on(carry: tuple[jax.Array, ...]) -> jax.Array:
        *_, fine, count = carry
        return ~fine & (count < most)

    def shorten(carry: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        scale = carry[0] * shrink
        return scale, *attempt(scale), carry[-1] + 1

    return jax.lax.while_loop(carry_on, shorten, (one, *attempt(one), jnp.zeros((), jnp.int32)))


def _inverse(x: jax.Array) -> jax.Array:
    """`1 / x`, 1 at 0."""
    return 1 / jnp.where(x == 0, jnp.ones_like(x), x)


def _shapes(tree: Any) -> list[tuple[int, ...]]:
    return [jnp.shape(leaf) for leaf in jax.tree.leaves(tree)]


def _is_finite(tree: Any) -> jax.Array:
    return jnp.all(jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(tree)]))


def _dtype(params: Any) -> jnp.dtype:
    return widest(*map(wide, jax.tree.leaves(params)))


def _check_params(name: str, params: Any) -> None:
    for leaf in jax.tree.leaves(params):
        if not jnp.issubdtype(jnp.result_type(leaf), jnp.floating):
            raise TypeError(f"{name}: params must hold floats, got dtype {jnp.result_type(leaf)}")


def _check_options(
    delta: ArrayLike,
    damping: ArrayLike,
    max_products: int,
    tolerance: ArrayLike,
    shrink: ArrayLike,
    max_backtracks: int,
    sufficient: ArrayLike,
) -> None:
    for what, count in (("max_products", max_products), ("max_backtracks", max_backtracks)):
        if not isinstance(count, int) or isinstance(count, bool):
            raise TypeError(f"kl_trust_region: {what} must be an integer, got {count!r}")
    ranges = {
        "delta must be positive": (delta, lambda x: x > 0),
        "damping must be at least 0": (damping, lambda x: x >= 0),
        "max_products must be positive": (max_products, lambda x: x > 0),
        "tolerance must be at least 0": (tolerance, lambda x: x >= 0),
        "sufficient must be at least 0": (sufficient, lambda x: x >= 0),
        "shrink must lie between 0 and 1": (shrink, lambda x: 0 < x < 1),
        "max_backtracks must be at least 0": (max_backtracks, lambda x: x >= 0),
    }
    for what, (value, is_fine) in ranges.items():
        if isinstance(value, int | float) and not is_fine(value):
            raise ValueError(f"kl_trust_region: {what}, got {value!r}")
