"""Which library an object belongs to, and what it becomes."""

from typing import Any

from jaxinfo.interop import _distrax, _flowjax, _numpyro, _scipy, _tfp
from jaxinfo.interop._foreign import Foreign, Library, lenient

# By the top-level package of a type, which is known without importing it.
_LIBRARIES = {
    "numpyro": _numpyro.LIBRARY,
    "distrax": _distrax.LIBRARY,
    "tensorflow_probability": _tfp.LIBRARY,
    "flowjax": _flowjax.LIBRARY,
}


def as_distribution(obj: Any) -> Any:
    """Returns a distribution of numpyro, distrax, TFP, flowjax or SciPy as one of `jaxinfo.distributions`.

    Where there is no such family the result is a density: a pytree with `log_prob`, `sample(key, sample_shape)`,
    `batch_shape`, `event_shape`, `support` (None where it is not known) and, where the library has them, `mean` and
    `variance`. `jaxinfo.densities` takes foreign objects as they are and converts them itself.

    Conventions are translated: rates and scales, counts of failures, of successes and of trials, which of two
    outcomes `probs` is about. Objects are recognised by the package of their type, and no library is imported.

    Args:
      obj: a distribution of numpyro, distrax, TFP (`tensorflow_probability.substrates.jax`) or flowjax, whose
        parameters may be traced; a frozen distribution of `scipy.stats`, whose parameters are numbers; or anything
        with `log_prob`, which is returned as it is.

    Returns:
      A distribution, or a density.

    Raises:
      TypeError: if `obj` is none of these, if it is a SciPy distribution without a family of ours (its values cannot
        be traced), or if its density depends on a condition.

    >>> import scipy.stats
    >>> from jaxinfo import interop
    >>> interop.as_distribution(scipy.stats.norm(1.0, scale=2.0))
    Normal(loc=1.0, scale=2.0)
    """
    adapted = adapt(obj)
    if callable(getattr(adapted, "log_prob", None)) and not isinstance(adapted, type):
        return adapted
    raise TypeError(
        "interop.as_distribution: needs a distribution of jaxinfo, numpyro, distrax, flowjax or "
        "tensorflow_probability.substrates.jax, a frozen one of scipy.stats, or an object with log_prob(x), "
        f"got {obj!r}"
    )


def adapt(obj: Any) -> Any:
    """Returns a foreign distribution as one of ours or as a density, and everything else as it is."""
    if _scipy.is_distribution(obj):
        return _scipy.convert(obj)
    library = _library(obj)
    if library is None:
        return obj
    with lenient():
        converted = _convert(obj)
        return Foreign.wrap(library.plain(obj), library) if converted is None else converted


def _library(obj: Any) -> Library | None:
    """The library of an object's class, or of the first of its bases that belongs to one."""
    if not callable(getattr(type(obj), "log_prob", None)):
        return None
    for cls in type(obj).__mro__:
        library = _LIBRARIES.get(cls.__module__.partition(".")[0])
        if library is not None:
            if not _is_in(cls, library.base):
                raise TypeError(f"interop.as_distribution: needs a distribution of {library.base}, got {cls!r}")
            return library
    return None


def _is_in(cls: type, package: str) -> bool:
    return f"{cls.__module__}.".startswith(f"{package}.")


def _convert(obj: Any) -> Any:
    """Returns the distribution of ours that a foreign object stands for, or None."""
    library = _library(obj)
    # A class of the user's own may have changed what it inherits: it has no row.
    if library is None or not _is_in(type(obj), library.home):
        return None
    converter = library.rows.get(type(obj).__name__)
    return converter and converter(library.plain(obj), _convert)
