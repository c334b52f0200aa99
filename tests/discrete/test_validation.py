"""The opt-in checks of values: what passes, what raises, and the same under `jit` through checkify."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import checkify

import jaxinfo
from tests.table import default_float

GOOD_TABLES = {
    "plain": [0.1, 0.2, 0.7],
    "zeros": [0.0, 1.0, 0.0],
    "batch": [[0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3]],
}
BAD_TABLES = {
    "NaN": ([0.5, np.nan, 0.5], "NaN"),
    "infinite": ([0.5, np.inf, 0.5], "infinit"),
    "negative": ([0.75, -0.25, 0.5], "negative"),
    "too much": ([0.5, 0.5, 0.01], "sum to 1"),
    "too little": ([0.5, 0.25, 0.125], "sum to 1"),
    "no mass": ([0.0, 0.0, 0.0], "sum to 1"),
    "one bad row": ([[0.5, 0.5, 0.0], [0.5, 0.6, 0.0]], "sum to 1"),
}
GOOD_LOGITS = {"plain": [0.0, -3.0, 1e4], "masked": [-np.inf, 0.0, -np.inf], "batch": [[0.0, 1.0], [-np.inf, 1.0]]}
BAD_LOGITS = {
    "NaN": ([0.0, np.nan], "NaN"),
    "infinite": ([0.0, np.inf], "inf"),
    "all masked": ([[0.0, 1.0], [-np.inf, -np.inf]], "-inf"),
}
GOOD_PAIRS = {"inside": ([0.0, 1.0], [0.5, 0.5]), "both zero": ([0.0, 1.0], [0.0, 1.0])}
BAD_PAIRS = {
    "outside": (([0.5, 0.5], [0.0, 1.0]), "not finite"),
    "NaN": (([0.5, np.nan], [0.5, 0.5]), "NaN"),
    "negative": (([0.5, 0.5], [-0.5, 1.5]), "negative"),
}

GOOD = [
    *(("probabilities", label, (x,)) for label, x in GOOD_TABLES.items()),
    *(("logits", label, (x,)) for label, x in GOOD_LOGITS.items()),
    *(("absolutely_continuous", label, x) for label, x in GOOD_PAIRS.items()),
]
BAD = [
    *(("probabilities", label, (x,), why) for label, (x, why) in BAD_TABLES.items()),
    *(("logits", label, (x,), why) for label, (x, why) in BAD_LOGITS.items()),
    *(("absolutely_continuous", label, x, why) for label, (x, why) in BAD_PAIRS.items()),
]


def arrays(values):
    return [np.asarray(x, default_float()) for x in values]


def host(name):
    return getattr(jaxinfo, f"check_{name}")


@functools.cache
def compiled(name, **options):
    """The checkify form inside a compiled function; the error that it returns."""
    check = functools.partial(getattr(jaxinfo, f"checkify_{name}"), **options)

    def function(*values):
        check(*values)
        return sum(jnp.sum(x) for x in values)

    return jax.jit(checkify.checkify(function))


@pytest.mark.parametrize(("name", "label", "values"), GOOD, ids=lambda x: x if isinstance(x, str) else "")
def test_what_is_right_passes(name, label, values):
    assert host(name)(*arrays(values)) is None
    error, _ = compiled(name)(*arrays(values))
    assert error.get() is None, label


@pytest.mark.parametrize(("name", "label", "values", "why"), BAD, ids=lambda x: x if isinstance(x, str) else "")
def test_what_is_wrong_raises_and_says_why(name, label, values, why):
    with pytest.raises(ValueError, match=f"check_{name}") as raised:
        host(name)(*arrays(values))
    assert why in str(raised.value), label
    error, _ = compiled(name)(*arrays(values))
    with pytest.raises(checkify.JaxRuntimeError, match=f"checkify_{name}.*{why}"):
        error.throw()


@pytest.mark.parametrize("name", ["probabilities", "logits"])
def test_axis(name):
    good = np.asarray([[0.25, 0.5], [0.75, 0.5]], default_float())  # columns are distributions
    if name == "logits":
        good = np.asarray([[-np.inf, -np.inf], [0.0, 1.0]], default_float())
    host(name)(good, axis=0)
    host(name)(good, axis=-2)
    with pytest.raises(ValueError, match=f"check_{name}"):
        host(name)(good, axis=-1)
    host(name)(good / 2, axis=(0, 1))
    host(name)(good / 2, axis=None)
    assert compiled(name, axis=0)(good)[0].get() is None
    assert compiled(name, axis=-1)(good)[0].get() is not None
    with pytest.raises(ValueError, match=rf"check_{name}.*3"):
        host(name)(good, axis=3)


def test_tolerance_of_the_sum():
    p = np.asarray([0.5, 0.5 + 1e-3], default_float())
    with pytest.raises(ValueError, match="check_probabilities"):
        jaxinfo.check_probabilities(p)
    jaxinfo.check_probabilities(p, atol=2e-3)
    with pytest.raises(ValueError, match="check_probabilities"):
        jaxinfo.check_probabilities(p, atol=1e-4)
    assert compiled("probabilities", atol=2e-3)(p)[0].get() is None


@pytest.mark.parametrize("size", [10, 1000, 100_000])
def test_the_default_tolerance_takes_rounded_tables_and_no_more(size):
    """A softmax passes in every dtype, at every length; one per cent too much never does."""
    generator = np.random.default_rng(size)
    weights = generator.random(size)
    exact = weights / weights.sum()
    for dtype in (np.float32, default_float(), jnp.bfloat16, jnp.float16):
        p = np.asarray(exact, dtype)
        if dtype == jnp.float16 and size > 1000:
            continue  # entries below its least normal number are no longer probabilities
        jaxinfo.check_probabilities(p)
        if np.dtype(dtype).itemsize >= 4:
            with pytest.raises(ValueError, match="sum to 1"):
                jaxinfo.check_probabilities(np.asarray(exact * 1.01, dtype))


def test_integers_are_tables_too():
    jaxinfo.check_probabilities(np.eye(3, dtype=np.int32))
    jaxinfo.check_probabilities(np.eye(3, dtype=bool))
    with pytest.raises(TypeError, match=r"check_probabilities.*complex64"):
        jaxinfo.check_probabilities(np.eye(3, dtype=np.complex64))


@pytest.mark.parametrize("name", ["probabilities", "logits", "absolutely_continuous"])
def test_the_host_form_points_to_the_other_under_jit(name):
    values = arrays([[0.5, 0.5]] * (2 if name == "absolutely_continuous" else 1))
    with pytest.raises(TypeError, match=f"checkify_{name}"):
        jax.jit(host(name))(*values)
