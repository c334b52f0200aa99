"""The generator of an f-divergence, as anyone can write one."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import jax

from jaxinfo.generators._forms import Form
from jaxinfo.generators._plain import Plain


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


def form(generator: Generator) -> Form:
    """What the sum of a divergence is made of."""
    if isinstance(generator.f, Form):
        return generator.f
    return Plain(generator.f, generator.at_zero, generator.slope_at_infinity)
