"""Smooth one-to-one maps of the real line, for `Transformed`: elementwise, increasing unless said otherwise.

Any object with `forward`, `inverse` and `forward_log_det_jacobian` will do in their place, distrax's and TFP's among
them.
"""

import math
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo.distributions._arrays import broadcast_floats
from jaxinfo.distributions._composites.composite import composite

__all__ = ["Affine", "Chain", "Exp", "Sigmoid", "Softplus", "Tanh"]


class _Elementwise:
    """A map without parameters."""

    # What it tends to at both ends of the real line, if that is known without its parameters.
    _limits: ClassVar[tuple[float, float] | None] = None

    def _image(self, low: Any, high: Any) -> tuple[Any, Any]:
        """The ends of the image of an interval; those that are floats rather than arrays are known while tracing."""
        whole = [isinstance(end, float) and math.isinf(end) for end in (low, high)]
        if self._limits is not None and all(whole):
            return self._limits
        ends = [self.forward(end) for end in broadcast_floats(low, high)]  # pyright: ignore[reportAttributeAccessIssue]
        smaller, larger = jnp.minimum(*ends), jnp.maximum(*ends)
        if isinstance(self, Affine) or self._limits is None:
            return smaller, larger
        # The others increase.
        return (self._limits[0] if whole[0] else smaller), (self._limits[1] if whole[1] else larger)

    def to_unconstrained(self) -> dict[str, jax.Array]:
        """Returns the parameters, mapped to the real numbers: none."""
        return {}

    def from_unconstrained(self, parameters: dict[str, jax.Array]) -> Self:  # noqa: ARG002
        """Returns the map with these unconstrained parameters: itself."""
        return self


@composite
class Affine(_Elementwise):
    r"""The map $x \mapsto a + b x$; with a negative $b$ it is decreasing.

    Args:
      loc: $a$.
      scale: $b$, not zero.

    >>> from jaxinfo.distributions.bijectors import Affine
    >>> float(Affine(1.0, 2.0).forward(3.0)), float(Affine(1.0, 2.0).inverse(7.0))
    (7.0, 3.0)
    """

    loc: ArrayLike
    scale: ArrayLike

    _limits: ClassVar = (-math.inf, math.inf)

    def forward(self, x: ArrayLike) -> jax.Array:
        """Returns `loc + scale * x`."""
        x, loc, scale = broadcast_floats(x, self.loc, self.scale)
        return loc + scale * x

    def inverse(self, y: ArrayLike) -> jax.Array:
        """Returns `(y - loc) / scale`."""
        y, loc, scale = broadcast_floats(y, self.loc, self.scale)
        return (y - loc) / scale

    def forward_log_det_jacobian(self, x: ArrayLike) -> jax.Array:
        """Returns `log|scale|`, of the shape of `forward(x)`."""
        _, scale = broadcast_floats(x, self.scale)
        return jnp.log(jnp.abs(scale))

    def to_unconstrained(self) -> dict[str, jax.Array]:
        """Returns `{"loc": loc, "scale": scale}`: a scale may have either sign."""
        loc, scale = broadcast_floats(self.loc, self.scale)
        return {"loc": loc, "scale": scale}

    def from_unconstrained(self, parameters: dict[str, jax.Array]) -> Self:
        """Returns the map with these parameters."""
        return type(self)(parameters["loc"], parameters["scale"])


@composite
class Exp(_Elementwise):
    r"""The exponential, from the real line to the positive half.

    >>> from jaxinfo.distributions.bijectors import Exp
    >>> float(Exp().forward_log_det_jacobian(2.0))
    2.0
    """

    _limits: ClassVar = (0.0, math.inf)

    def forward(self, x: ArrayLike) -> jax.Array:
        """Returns `exp(x)`."""
        return jnp.exp(x)

    def inverse(self, y: ArrayLike) -> jax.Array:
        """Returns `log(y)`."""
        return jnp.log(y)

    def forward_log_det_jacobian(self, x: ArrayLike) -> jax.Array:
        """Returns `x`."""
        return jnp.asarray(x)


@composite
class Sigmoid(_Elementwise):
    r"""The logistic function, from the real line to the unit interval.

    >>> from jaxinfo.distributions.bijectors import Sigmoid
    >>> float(Sigmoid().forward(0.0))
    0.5
    """

    _limits: ClassVar = (0.0, 1.0)

    def forward(self, x: ArrayLike) -> jax.Array:
        """Returns `1 / (1 + exp(-x))`."""
        return jax.nn.sigmoid(x)

    def inverse(self, y: ArrayLike) -> jax.Array:
        """Returns `log(y / (1 - y))`."""
        y = jnp.asarray(y)
        return jnp.log(y) - jnp.log1p(-y)

    def forward_log_det_jacobian(self, x: ArrayLike) -> jax.Array:
        """Returns `-log(1 + exp(-x)) - log(1 + exp(x))`."""
        return -jax.nn.softplus(x) - jax.nn.softplus(-jnp.asarray(x))


@composite
class Softplus(_Elementwise):
    r"""The map $x \mapsto \log(1 + e^x)$, from the real line to the positive half.

    >>> from jaxinfo.distributions.bijectors import Softplus
    >>> round(float(Softplus().inverse(Softplus().forward(-3.0))), 4)
    -3.0
    """

    _limits: ClassVar = (0.0, math.inf)

    def forward(self, x: ArrayLike) -> jax.Array:
        """Returns `log(1 + exp(x))`."""
        return jax.nn.softplus(x)

    def inverse(self, y: ArrayLike) -> jax.Array:
        """Returns `log(exp(y) - 1)`."""
        y = jnp.asarray(y)
        return y + jnp.log(-jnp.expm1(-y))

    def forward_log_det_jacobian(self, x: ArrayLike) -> jax.Array:
        """Returns `-log(1 + exp(-x))`."""
        return -jax.nn.softplus(-jnp.asarray(x))


@composite
class Tanh(_Elementwise):
    r"""The hyperbolic tangent, from the real line to the interval from -1 to 1.

    >>> from jaxinfo.distributions.bijectors import Tanh
    >>> round(float(Tanh().forward_log_det_jacobian(20.0)), 4)
    -38.6137
    """

    _limits: ClassVar = (-1.0, 1.0)

    def forward(self, x: ArrayLike) -> jax.Array:
        """Returns `tanh(x)`."""
        return jnp.tanh(x)

    def inverse(self, y: ArrayLike) -> jax.Array:
        """Returns `arctanh(y)`."""
        return jnp.arctanh(y)

    def forward_log_det_jacobian(self, x: ArrayLike) -> jax.Array:
        """Returns `log(1 - tanh(x)^2)`, with its digits also where the tangent has rounded to one."""
        magnitude = jnp.abs(jnp.asarray(x))
        return 2 * (math.log(2) - magnitude - jax.nn.softplus(-2 * magnitude))


@composite
class Chain(_Elementwise):
    """Maps one after the other: the last is applied first, as in the composition of functions.

    Args:
      bijectors: a tuple of maps.

    >>> from jaxinfo.distributions.bijectors import Affine, Chain, Exp
    >>> round(float(Chain((Exp(), Affine(1.0, 2.0))).forward(0.5)), 4)
    7.3891
    """

    bijectors: tuple[Any, ...]

    def _image(self, low: Any, high: Any) -> tuple[Any, Any]:
        for bijector in reversed(self.bijectors):
            low, high = bijector._image(low, high)
        return low, high

    def forward(self, x: ArrayLike) -> jax.Array:
        """Returns the image of `x`."""
        for bijector in reversed(self.bijectors):
            x = bijector.forward(x)
        return jnp.asarray(x)

    def inverse(self, y: ArrayLike) -> jax.Array:
        """Returns what is mapped to `y`."""
        for bijector in self.bijectors:
            y = bijector.inverse(y)
        return jnp.asarray(y)

    def forward_log_det_jacobian(self, x: ArrayLike) -> jax.Array:
        """Returns the sum of the maps' own, each where it is applied."""
        total = jnp.zeros_like(jnp.asarray(x))
        for bijector in reversed(self.bijectors):
            total = jnp.add(*broadcast_floats(total, bijector.forward_log_det_jacobian(x)))
            x = bijector.forward(x)
        return total

    def to_unconstrained(self) -> tuple[Any, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Returns the unconstrained parameters of each map."""
        return tuple(bijector.to_unconstrained() for bijector in self.bijectors)

    def from_unconstrained(self, parameters: tuple[Any, ...]) -> Self:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Returns the chain with these unconstrained parameters."""
        pairs = zip(self.bijectors, parameters, strict=True)
        return type(self)(tuple(bijector.from_unconstrained(free) for bijector, free in pairs))
