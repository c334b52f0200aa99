"""The generator of an f-divergence, as anyone can write one."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo.generators._forms import Form, Inside


@dataclasses.dataclass(frozen=True)
class Generator:
    r"""A convex function f with $f(1) = 0$, which generates the divergence $D_f(p, q) = \sum_k q_k f(p_k / q_k)$.

    It is hashable: two of equal fields are equal, and compile a measure once. A lambda equals only itself, so define f
    once, outside of the function that is compiled. Generators of the usual divergences are made by the functions of
    this module; they know more than f, and keep their digits where p and q are close. Of a function written by a user
    the term is $q (f(t) - f'(1) (t - 1))$ with $t = p / q$, as accurate as f itself: to a few roundings of $q f(t)$,
    not of the divergence.

    Attributes:
        f: The function, elementwise on arrays of positive numbers, made of differentiable JAX operations.
        at_zero: $f(0^+)$, what a q without p adds, per unit; `inf` if it is infinite.
        slope_at_infinity: $\lim f(t) / t$, what a p without q adds, per unit; `inf` if it is infinite.

    Raises:
        TypeError: If f is not callable or a limit not a number.
        ValueError: If a limit is NaN or `-inf`.

    Reference: I. Csiszár, "Information-type measures of difference of probability distributions and indirect
        observations", Studia Scientiarum Mathematicarum Hungarica 2, 1967.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> def cube(t):
        ...     return t**3 - 1
        >>> generator = jaxinfo.generators.Generator(cube, at_zero=-1.0, slope_at_infinity=float("inf"))
        >>> print(f"{jaxinfo.f_divergence(jnp.array([0.5, 0.5]), jnp.array([0.25, 0.75]), generator):.4f}")
        1.2222
    """

    f: Callable[[jax.Array], jax.Array]
    at_zero: float
    slope_at_infinity: float

    def __post_init__(self) -> None:
        if not callable(self.f):
            raise TypeError(f"Generator: f must be a function, got {self.f!r}")
        for name in ("at_zero", "slope_at_infinity"):
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or isinstance(value, bool):
                raise TypeError(f"Generator: {name} must be a number, got {value!r}")
            if math.isnan(value) or value == -math.inf:
                raise ValueError(f"Generator: {name} must be a number or inf, got {value!r}")


@dataclasses.dataclass(frozen=True)
class Plain(Inside):
    """The function of a user, evaluated as it is, less its tangent at 1."""

    generator: Generator

    @property
    def at_zero(self) -> float:
        return self.generator.at_zero

    @property
    def slope_at_infinity(self) -> float:
        return self.generator.slope_at_infinity

    def __call__(self, t: jax.Array) -> jax.Array:
        return self.generator.f(t)

    def _derivative(self, t: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jax.jvp(self.generator.f, (t,), (jnp.ones_like(t),))

    def _tangent(self, dtype: Any) -> tuple[jax.Array, jax.Array]:
        """`f(1)`, which is 0 but for a rounding, and `f'(1)`."""
        return self._derivative(jnp.ones((), dtype))

    def limits(self, dtype: Any) -> tuple[jax.Array, jax.Array]:
        _, slope = self._tangent(dtype)
        p_only, q_only = super().limits(dtype)
        return p_only - slope, q_only + slope

    def inside(self, p: jax.Array, q: jax.Array, difference: jax.Array) -> jax.Array:
        """At least 0 as f is convex, and 0 where p and q are equal."""
        zero, slope = self._tangent(p.dtype)
        return jnp.maximum(q * (self.generator.f(p / q) - zero) - slope * difference, 0)

    def split(self, r: jax.Array) -> tuple[jax.Array, jax.Array]:
        t = jnp.exp(r)
        known = (t > 0) & (t < jnp.inf)
        held = jnp.where(known, t, jnp.ones_like(t))
        term = self.inside(held, jnp.ones_like(held), jnp.where(known, jnp.expm1(r), 0)) / jnp.maximum(held, 1)
        p_only, q_only = self.limits(r.dtype)
        return jnp.zeros_like(r), jnp.where(known, term, jnp.where(r > 0, p_only, jnp.where(r < 0, q_only, r)))

    def slope_p(self, r: jax.Array) -> jax.Array:
        return self._derivative(jnp.exp(r))[1] - self._tangent(r.dtype)[1]

    def slope_q(self, r: jax.Array) -> jax.Array:
        t = jnp.exp(r)
        zero, slope = self._tangent(r.dtype)
        value, derivative = self._derivative(t)
        return (value - zero) - t * derivative + slope


def form(generator: Generator) -> Form:
    """What the sum of a divergence is made of."""
    return generator.f if isinstance(generator.f, Form) else Plain(generator)
