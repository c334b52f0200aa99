"""Leaves to arrays: one dtype, explicit broadcasting, and the two series that closed forms lean on."""

import functools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike, DTypeLike

from jaxinfo.distributions._special.binary_logarithm import log_of


def common_dtype(*leaves: object) -> DTypeLike:
    """Returns the float dtype in which `leaves` meet; Python numbers, integers and booleans follow the others."""
    # Under a transformation a Python number is an array too, one that says so by its weak type.
    arrays = [leaf for leaf in leaves if not getattr(leaf, "weak_type", False)]
    dtypes = [jnp.dtype(dtype) for leaf in arrays if (dtype := getattr(leaf, "dtype", None)) is not None]
    floats = [dtype for dtype in dtypes if jnp.issubdtype(dtype, jnp.floating)]
    if any(isinstance(leaf, complex) or jnp.iscomplexobj(leaf) for leaf in leaves):
        raise TypeError(f"parameters and values must be real, got {leaves!r}")
    # A double of NumPy's is a single where JAX has no doubles.
    canonical = [jax.dtypes.canonicalize_dtype(dtype) for dtype in floats]
    return functools.reduce(jnp.promote_types, canonical) if canonical else jnp.result_type(float)


def working_dtype(dtype: DTypeLike) -> DTypeLike:
    """Returns the dtype that sums are taken in: half precision accumulates in float32."""
    return jnp.float32 if jnp.finfo(dtype).bits < 32 else dtype


def as_floats(*leaves: ArrayLike) -> tuple[jax.Array, ...]:
    """Returns `leaves` as arrays of their common float dtype, at least float32."""
    dtype = working_dtype(common_dtype(*leaves))
    return tuple(jnp.asarray(leaf).astype(dtype) for leaf in leaves)


def broadcast_floats(*leaves: ArrayLike) -> list[jax.Array]:
    """Returns `as_floats(*leaves)`, broadcast against each other."""
    return jnp.broadcast_arrays(*as_floats(*leaves))


def quotient_of_many_uses(x: jax.Array, y: jax.Array) -> jax.Array:
    """Returns `x / y`, with the least number for minus infinity.

    XLA on a CPU writes a quotient that is used twice out as a table, but computes a maximum where it is used.
    """
    return jnp.maximum(x / y, float(jnp.finfo(x.dtype).min))


# So many columns are one loop over the batch that computes and adds them all; more would take long to compile.
SHORT = 16


def sum_over_last(terms: Callable[..., jax.Array], *tables: jax.Array) -> jax.Array:
    """Returns the sum over the last axis of a function of each number: of tables whose leading axes are a batch.

    XLA on a CPU sums a short last axis number by number; column by column it takes many members of the batch at once.
    """
    size = tables[0].shape[-1]
    if not 0 < size <= SHORT:
        return jnp.sum(terms(*tables), axis=-1)
    return functools.reduce(jnp.add, (terms(*(table[..., i] for table in tables)) for i in range(size)))


def exp_remainder(x: jax.Array) -> jax.Array:
    r"""Returns :math:`e^x - 1 - x \ge 0` without cancellation: its Taylor series where `|x| < 1`."""
    near = jnp.abs(x) < 1
    small = jnp.where(near, x, jnp.zeros_like(x))
    large = jnp.where(near, jnp.ones_like(x), x)
    # The series stops where its terms pass below half an ulp of the first, at |x| = 1.
    num_terms = 10 if x.dtype == jnp.float32 else 18
    series = jnp.full_like(x, 1 / math.factorial(num_terms + 1))
    for k in range(num_terms, 1, -1):
        series = series * small + 1 / math.factorial(k)
    # For large negative x the exponential is negligible, and for x = -inf the value is +inf.
    return jnp.where(near, small * small * series, jnp.exp(large) - 1 - large)


def log_ratio(x: jax.Array, y: jax.Array) -> jax.Array:
    """Returns `log(x / y)` for positive `x`, `y`, with every digit also where they are close."""
    return log_of((x - y) / y, x / y)
