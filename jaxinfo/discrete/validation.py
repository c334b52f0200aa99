"""Opt-in checks of values: on the host they raise, in `checkify` form they work under `jit`."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.core import Tracer
from jax.experimental import checkify
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics
from jaxinfo._checks import Axis
from jaxinfo.discrete.divergences import is_absolutely_continuous

Finding = tuple[jax.Array, str]


def tolerance(table: jax.Array, axes: tuple[int, ...], atol: float | None) -> float:
    """How far a sum may be from 1: the rounding of its entries to the dtype, with room for a sum in any order."""
    if atol is not None:
        return atol
    count = max(1, *(table.shape[a] for a in axes)) if axes else 1
    return float(jnp.finfo(table.dtype).eps) * max(8.0, count**0.5 * 4)


def _findings_of_probabilities(name: str, p: ArrayLike, axis: Axis, atol: float | None) -> list[Finding]:
    table = _checks.floating(name, "p", p)
    axes = _checks.axes(name, axis, table.ndim)
    allowed = tolerance(table, axes, atol)
    wide = _numerics.accumulate(table)
    off = jnp.max(jnp.abs(jnp.sum(wide, axis=axes) - 1), initial=0)
    return [
        (jnp.all(jnp.isfinite(wide)), "p holds NaN or an infinity"),
        (jnp.all(wide >= 0), "p holds a negative entry"),
        (off <= allowed, f"p does not sum to 1 along axis {axis!r} within {allowed:.1e}"),
    ]


def _findings_of_continuity(name: str, p: ArrayLike, q: ArrayLike, axis: Axis) -> list[Finding]:
    del name
    admissible = jnp.all(is_absolutely_continuous(p, q, axis=axis))
    return [(admissible, "q is 0 where p is not, or an entry is negative or NaN: KL(p|q) is not finite")]


def _findings_of_logits(name: str, logits: ArrayLike, axis: Axis) -> list[Finding]:
    table = _checks.floating(name, "logits", logits)
    axes = _checks.axes(name, axis, table.ndim)
    return [
        (~jnp.any(jnp.isnan(table)), "logits hold NaN"),
        (~jnp.any(table == jnp.inf), "logits hold inf"),
        (jnp.all(jnp.any(table > -jnp.inf, axis=axes)), f"logits hold a row of only -inf along axis {axis!r}"),
    ]


def _raise(name: str, findings: list[Finding]) -> None:
    """Raises the first finding that does not hold; reads values, so it cannot be traced."""
    for holds, message in findings:
        if isinstance(holds, Tracer):
            raise TypeError(
                f"{name} reads values and cannot run under a transformation; use checkify_{name.removeprefix('check_')}"
            )
        if not bool(holds):
            raise ValueError(f"{name}: {message}")


def _checkify(name: str, findings: list[Finding]) -> None:
    for holds, message in findings:
        checkify.check(holds, f"{name}: {message}")


def check_probabilities(p: ArrayLike, *, axis: Axis = -1, atol: float | None = None) -> None:
    """Raises unless `p` holds probabilities: finite, at least 0, summing to 1.

    Args:
        p: Tables `[..., K]`.
        axis: The axis or axes that make up a table; `None` for all.
        atol: How far the sums may be from 1; by default what rounding to the dtype explains.

    Raises:
        ValueError: If a table is not a distribution.
        TypeError: If `p` is not real, or is being traced (see `checkify_probabilities`).

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> jaxinfo.check_probabilities(jnp.array([0.5, 0.5]))
    """
    _raise("check_probabilities", _findings_of_probabilities("check_probabilities", p, axis, atol))


def checkify_probabilities(p: ArrayLike, *, axis: Axis = -1, atol: float | None = None) -> None:
    """`check_probabilities` for use under `jit`, in a function transformed by `jax.experimental.checkify.checkify`.

    Args:
        p: Tables `[..., K]`.
        axis: The axis or axes that make up a table; `None` for all.
        atol: How far the sums may be from 1; by default what rounding to the dtype explains.

    Raises:
        checkify.JaxRuntimeError: From the `throw` of the error that the transformed function returns.

    Example:
        >>> import jax, jax.numpy as jnp, jaxinfo
        >>> from jax.experimental import checkify
        >>> def entropy(p):
        ...     jaxinfo.checkify_probabilities(p)
        ...     return jaxinfo.entropy(p)
        >>> error, value = jax.jit(checkify.checkify(entropy))(jnp.array([0.5, 0.5]))
        >>> error.throw()
    """
    _checkify("checkify_probabilities", _findings_of_probabilities("checkify_probabilities", p, axis, atol))


def check_absolutely_continuous(p: ArrayLike, q: ArrayLike, *, axis: Axis = -1) -> None:
    """Raises unless `q > 0` wherever `p > 0` in every table, so that every KL(p‖q) is finite.

    Args:
        p: Probabilities `[..., K]`.
        q: Probabilities `[..., K]`; batch axes broadcast.
        axis: The axis or axes that make up a table; `None` for all.

    Raises:
        ValueError: If a divergence is not finite.
        TypeError: If a table is not real, or is being traced (see `checkify_absolutely_continuous`).

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> jaxinfo.check_absolutely_continuous(jnp.array([1.0, 0.0]), jnp.array([0.5, 0.5]))
    """
    _raise("check_absolutely_continuous", _findings_of_continuity("check_absolutely_continuous", p, q, axis))


def checkify_absolutely_continuous(p: ArrayLike, q: ArrayLike, *, axis: Axis = -1) -> None:
    """`check_absolutely_continuous` for use under `jit`, in a function transformed by `checkify`.

    Args:
        p: Probabilities `[..., K]`.
        q: Probabilities `[..., K]`; batch axes broadcast.
        axis: The axis or axes that make up a table; `None` for all.

    Raises:
        checkify.JaxRuntimeError: From the `throw` of the error that the transformed function returns.

    Example:
        >>> import jax, jax.numpy as jnp, jaxinfo
        >>> from jax.experimental import checkify
        >>> def divergence(p, q):
        ...     jaxinfo.checkify_absolutely_continuous(p, q)
        ...     return jaxinfo.kl_divergence(p, q)
        >>> error, _ = jax.jit(checkify.checkify(divergence))(jnp.array([0.5, 0.5]), jnp.array([1.0, 0.0]))
        >>> print("not finite" in error.get())
        True
    """
    _checkify("checkify_absolutely_continuous", _findings_of_continuity("checkify_absolutely_continuous", p, q, axis))


def check_logits(logits: ArrayLike, *, axis: Axis = -1) -> None:
    """Raises unless `logits` hold distributions: no NaN, no `inf`, no row of only `-inf`.

    Args:
        logits: Unnormalised log-probabilities `[..., K]`.
        axis: The axis or axes that make up a table; `None` for all.

    Raises:
        ValueError: If a row is not a distribution.
        TypeError: If `logits` are not real, or are being traced (see `checkify_logits`).

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> jaxinfo.check_logits(jnp.array([0.0, -jnp.inf]))
    """
    _raise("check_logits", _findings_of_logits("check_logits", logits, axis))


def checkify_logits(logits: ArrayLike, *, axis: Axis = -1) -> None:
    """`check_logits` for use under `jit`, in a function transformed by `checkify`.

    Args:
        logits: Unnormalised log-probabilities `[..., K]`.
        axis: The axis or axes that make up a table; `None` for all.

    Raises:
        checkify.JaxRuntimeError: From the `throw` of the error that the transformed function returns.

    Example:
        >>> import jax, jax.numpy as jnp, jaxinfo
        >>> from jax.experimental import checkify
        >>> def entropy(z):
        ...     jaxinfo.checkify_logits(z)
        ...     return jaxinfo.logits.entropy(z)
        >>> error, _ = jax.jit(checkify.checkify(entropy))(jnp.array([jnp.nan, 0.0]))
        >>> print("NaN" in error.get())
        True
    """
    _checkify("checkify_logits", _findings_of_logits("checkify_logits", logits, axis))
