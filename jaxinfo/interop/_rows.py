"""What the tables of the libraries are made of: one row for each foreign class."""

import dataclasses
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import distributions
from jaxinfo.distributions._supports import Interval

# Turns a part of a foreign object into a distribution of ours; None where there is none.
Convert = Callable[[Any], Any]
# Turns a foreign object into a distribution of ours, with the help of `Convert` for its parts.
Converter = Callable[[Any, Convert], Any]
# The name of an attribute (with dots for those of parts), or a function of the foreign object.
Reader = str | Callable[[Any], Any]


@dataclasses.dataclass(frozen=True)
class Row:
    """Our constructor, and for each of its parameters how it is read from the foreign object."""

    constructor: str
    parameters: Mapping[str, Reader]

    def __call__(self, original: Any, _: Convert) -> Any:
        build = operator.attrgetter(self.constructor)(distributions)
        readers = {name: operator.attrgetter(r) if isinstance(r, str) else r for name, r in self.parameters.items()}
        return build(**{name: read(original) for name, read in readers.items()})


def row(constructor: str, *same: str, **parameters: Reader) -> Row:
    """A row for a class whose parameters have the names `same` on both sides, or are read by `parameters`."""
    return Row(constructor, dict(zip(same, same, strict=True)) | parameters)


def independent(base: str, ndim: str) -> Converter:
    """A row for batch axes that are taken as one draw."""

    def converter(original: Any, convert: Convert) -> Any:
        part = convert(getattr(original, base))
        return part and distributions.Independent(part, int(getattr(original, ndim)))

    return converter


def mixture(weights: str, components: str) -> Converter:
    """A row for mixtures: a categorical distribution, and one batched distribution or several."""

    def converter(original: Any, convert: Convert) -> Any:
        chosen, parts = convert(getattr(original, weights)), getattr(original, components)
        parts = tuple(map(convert, parts)) if isinstance(parts, list | tuple) else convert(parts)
        if chosen is None or parts is None or (isinstance(parts, tuple) and None in parts):
            return None
        return distributions.Mixture(probabilities(chosen), parts)

    return converter


def transformed(base: str, bijector: str, maps: Mapping[str, Converter]) -> Converter:
    """A row for images under elementwise maps that are ours too."""

    def converter(original: Any, convert: Convert) -> Any:
        part, mapped = convert(getattr(original, base)), as_bijector(getattr(original, bijector), maps)
        return None if part is None or mapped is None else distributions.Transformed(part, mapped)

    return converter


def as_bijector(original: Any, maps: Mapping[str, Converter]) -> Any:
    """Returns the map of ours that is listed for a foreign one, or None."""
    if isinstance(original, list | tuple):  # in the order of application
        return chain(original[::-1], lambda part: as_bijector(part, maps))
    converter = maps.get(type(original).__name__)
    return converter and converter(original, lambda part: as_bijector(part, maps))


def chain(parts: Any, convert: Convert) -> Any:
    """Returns the composition of foreign maps, the last applied first, or None if one of them is not ours."""
    mapped = tuple(map(convert, parts))
    return None if None in mapped else mapped[0] if len(mapped) == 1 else distributions.bijectors.Chain(mapped)


def image_of_line(bijector: Any, dtype: Any) -> Interval:
    """The interval onto which a foreign increasing or decreasing map takes the real line."""
    ends = [jnp.asarray(bijector.forward(jnp.asarray(end, dtype))) for end in (-math.inf, math.inf)]
    low, high = (pick(*ends) for pick in (jnp.minimum, jnp.maximum))
    # A map that cannot say where it takes an infinity may take it anywhere.
    return Interval(jnp.where(jnp.isnan(low), -math.inf, low), jnp.where(jnp.isnan(high), math.inf, high))


def probabilities(categorical: Any) -> Any:
    """The probabilities of a categorical distribution of ours."""
    return jax.nn.softmax(categorical.logits, axis=-1) if categorical.probs is None else categorical.probs


def probs_or_logits(constructor: str, probs: str, logits: str) -> Converter:
    """A row for a class with both parameters, of which the one that was not given is None."""

    def converter(original: Any, _: Convert) -> Any:
        name, attribute = ("probs", probs) if getattr(original, logits) is None else ("logits", logits)
        return row(constructor, **{name: attribute})(original, _)

    return converter


def either(first: str, second: str, turn: Callable[[Any], Any]) -> Reader:
    """Reads the attribute `first`, or `turn` of the attribute `second` where the first is None."""

    def read(original: Any) -> Any:
        value = getattr(original, first)
        return turn(getattr(original, second)) if value is None else value

    return read


def sigmoid_of(name: str, sign: int = 1) -> Reader:
    """Reads a probability where the other library tells its log-odds, or with `sign=-1` those of its complement."""
    return lambda original: jax.nn.sigmoid(sign * jnp.asarray(getattr(original, name)))


def complement(name: str) -> Reader:
    """Reads the probability of a failure where the other library tells that of a success."""
    return lambda original: 1 - jnp.asarray(getattr(original, name))


def reciprocal(name: str) -> Reader:
    """Reads a rate where the other library tells the scale, or the other way round."""
    read = operator.attrgetter(name)
    return lambda original: 1 / jnp.asarray(read(original))
