"""`is_absolutely_continuous`: the set on which the divergence is finite."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxinfo import discrete, logits
from tests import inputs, oracles
from tests.table import default_float

FORMS = {
    "tables": (discrete.is_absolutely_continuous, "pair", oracles.is_absolutely_continuous, 0.0),
    "logits": (logits.is_absolutely_continuous, "logit pair", oracles.logits_is_absolutely_continuous, -np.inf),
}
forms = pytest.mark.parametrize("form", FORMS)


def problems(form):
    function, kind, oracle, nothing = FORMS[form]
    rows = inputs.boundary_rows(kind, default_float())
    expected = [
        oracle(*map(oracles.exact, row.arguments)) and not inputs.outside_domain(row, kind)
        if not any(np.isnan(x).any() for x in row.arguments)
        else False
        for row in rows
    ]
    return function, inputs.stack(rows), np.asarray(expected), nothing


@forms
def test_every_boundary_case(form):
    """True where p has mass only where q has; False in a row with a NaN, a negative entry or no distribution."""
    function, (p, q), expected, _ = problems(form)
    for call in (function, jax.jit(function), jax.jit(jax.vmap(function))):
        found = call(p, q)
        assert found.dtype == bool
        np.testing.assert_array_equal(found, expected)


@forms
def test_it_is_where_the_divergence_is_finite(form):
    function, (p, q), _, _ = problems(form)
    module = logits if form == "logits" else discrete
    np.testing.assert_array_equal(function(p, q), np.isfinite(module.kl_divergence(p, q)))


@forms
def test_options(form):
    function, _, _, nothing = problems(form)
    dtype = default_float()
    # Two problems [2, 3]: the second row of q misses what p has in its first entry.
    p = np.asarray([[0.5, 0.25, 0.25], [0.5, 0.25, 0.25]], dtype)
    q = np.asarray([[0.5, 0.25, 0.25], [nothing, 0.5, 0.5]], dtype)
    np.testing.assert_array_equal(function(p, q), [True, False])
    np.testing.assert_array_equal(function(p.T, q.T, axis=0), [True, False])
    np.testing.assert_array_equal(function(p, q, axis=(0, 1)), False)
    np.testing.assert_array_equal(function(p, q, axis=None), False)
    np.testing.assert_array_equal(function(p, q, keepdims=True), [[True], [False]])
    np.testing.assert_array_equal(function(p[0], q), [True, False])
    seen = np.asarray([[True, True, True], [False, True, True]])
    np.testing.assert_array_equal(function(p, q, where=seen), [True, True])


@forms
def test_half_precision_and_booleans(form):
    function, _, _, nothing = problems(form)
    for dtype in (jnp.bfloat16, jnp.float16):
        p, q = np.asarray([0.5, 0.5], dtype), np.asarray([nothing, 1.0], dtype)
        assert not function(p, q)
        assert function(q, p)
    if form == "tables":
        assert function(np.asarray([True, False]), np.asarray([1, 1]))
        assert not function(np.asarray([1, 1]), np.asarray([True, False]))


@forms
def test_errors(form):
    function, _, _, _ = problems(form)
    p = np.full((2, 3), 0.5, default_float())
    for call in (function, jax.jit(function)):
        with pytest.raises(ValueError, match="is_absolutely_continuous"):
            call(p, p[:, :2])
        with pytest.raises(TypeError, match=r"is_absolutely_continuous.*complex64"):
            call(p.astype(np.complex64), p)
    with pytest.raises(ValueError, match=r"is_absolutely_continuous.*5"):
        function(p, p, axis=5)
