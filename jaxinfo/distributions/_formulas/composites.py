"""Closed forms of distributions made of others: they add up, or are those of the bases."""

from collections.abc import Callable
from typing import Any

import jax
import jax.core
import jax.numpy as jnp
import numpy as np

from jaxinfo.distributions import bijectors
from jaxinfo.distributions._arrays import broadcast_floats, common_dtype
from jaxinfo.distributions._composites.independent import Independent
from jaxinfo.distributions._composites.product import Product
from jaxinfo.distributions._composites.transformed import Transformed
from jaxinfo.distributions._registry import Formula, closed_form, register_rule

# Of independent variables these are sums over the variables.
_ADDITIVE = ("entropy", "cross_entropy", "kl_divergence", "renyi_divergence", "bhattacharyya_distance")
# These do not see a change of coordinates.
_INVARIANT = ("kl_divergence", "renyi_divergence", "bhattacharyya_distance", "hellinger_distance")


def _of_independent(measure: str) -> Callable[..., Formula | None]:
    def rule(*members: Any) -> Formula | None:
        if not all(isinstance(member, Independent) for member in members):
            return None
        if len({member.ndim for member in members}) > 1:
            return None
        formula = closed_form(measure, *(member.base for member in members))
        if formula is None:
            return None
        return lambda *members, **options: members[0].sum(
            formula(*(member.base for member in _same_draws(members)), **_per_variable(options, members[0].ndim))
        )

    return rule


def _of_products(measure: str) -> Callable[..., Formula | None]:
    def rule(*members: Any) -> Formula | None:
        if not all(isinstance(member, Product) for member in members):
            return None
        factors = list(zip(*(member.factors for member in members), strict=True))
        found = [closed_form(measure, *each) for each in factors]
        formulas = [formula for formula in found if formula is not None]
        if len(formulas) < len(found):
            return None

        def total(*members: Any, **options: Any) -> jax.Array:
            each = zip(*(member.factors for member in members), strict=True)
            return members[0].sum([f(*parts, **options) for f, parts in zip(formulas, each, strict=True)])

        return total

    return rule


def _of_images(measure: str) -> Callable[..., Formula | None]:
    def rule(p: Any, q: Any) -> Formula | None:
        if not (isinstance(p, Transformed) and isinstance(q, Transformed) and _is_shared(p.bijector, q.bijector)):
            return None
        formula = closed_form(measure, p.base, q.base)
        if formula is None:
            return None

        def of_bases(p: Transformed, q: Transformed, **options: Any) -> jax.Array:
            value = formula(p.base, q.base, **options)
            return jnp.broadcast_to(value, jnp.broadcast_shapes(value.shape, p.batch_shape, q.batch_shape))

        return of_bases

    return rule


for _measure in _ADDITIVE:
    register_rule(_measure)(_of_independent(_measure))
    register_rule(_measure)(_of_products(_measure))
for _measure in _INVARIANT:
    register_rule(_measure)(_of_images(_measure))


@register_rule("entropy")
def _entropy_of_image(p: Any) -> Formula | None:
    """Of the base, plus the mean of the logarithm of the map's slope where that is known."""
    if not isinstance(p, Transformed) or p.event_shape:
        return None
    formula = closed_form("entropy", p.base)
    if formula is None or _mean_log_slope(p.base, p.bijector) is None:
        return None

    def entropy(p: Transformed) -> jax.Array:
        slope = _mean_log_slope(p.base, p.bijector)
        return jnp.add(*broadcast_floats(formula(p.base), slope)).astype(common_dtype(*jax.tree.leaves(p)))

    return entropy


def _mean_log_slope(base: Any, bijector: Any) -> Any:
    """E log|f'(x)|, None where it is not known: of affine maps and exponentials, and of chains of them."""
    if isinstance(bijector, bijectors.Affine):
        return jnp.log(jnp.abs(jnp.asarray(bijector.scale)))
    if isinstance(bijector, bijectors.Exp):
        affine = not isinstance(base, Transformed) or isinstance(base.bijector, bijectors.Affine)
        return base.mean if affine else None
    if not isinstance(bijector, bijectors.Chain):
        return None
    slopes = []
    for part in reversed(bijector.bijectors):
        slopes.append(_mean_log_slope(base, part))
        base = Transformed(base, part)
    if any(slope is None for slope in slopes):
        return None
    return sum(broadcast_floats(*slopes))


def _is_shared(first: Any, second: Any) -> bool:
    """Whether two maps are one: the same object, or of one kind with parameters that are known to be equal."""
    if first is second:
        return True
    (leaves, structure), (others, other_structure) = jax.tree.flatten(first), jax.tree.flatten(second)
    if structure != other_structure or any(isinstance(leaf, jax.core.Tracer) for leaf in (*leaves, *others)):
        return False
    if not all(hasattr(leaf, "dtype") or isinstance(leaf, int | float) for leaf in (*leaves, *others)):
        return False
    return all(np.array_equal(a, b) for a, b in zip(leaves, others, strict=True))


def _same_draws(members: tuple[Independent, ...]) -> list[Independent]:
    shapes = {member.event_shape for member in members}
    if len(shapes) > 1:
        raise ValueError(f"Independent: draws of different shapes {sorted(shapes)}")
    return list(members)


def _per_variable(options: dict[str, Any], ndim: int) -> dict[str, Any]:
    """Numbers for each draw, such as an order, with axes for the variables of a draw."""
    return {name: jnp.expand_dims(number, tuple(range(-ndim, 0))) for name, number in options.items()}
