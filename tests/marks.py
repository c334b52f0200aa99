"""Which tests wait for `make test-slow`: `make test` runs with 32-bit and with 64-bit floats and is to stay short."""

import jax
import pytest

# What an option or an error means does not hang on the precision.
once = pytest.mark.slow if jax.config.jax_enable_x64 else lambda test: test


def slow_if(condition: bool) -> list:
    """Marks of a parameter."""
    return [pytest.mark.slow] if condition else []
