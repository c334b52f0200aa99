"""Measures on sharded arrays: the same value, and no more communication than a reduction needs."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

import jaxinfo
from jaxinfo import logits
from tests.marks import slow_if

pytestmark = slow_if(jax.config.jax_enable_x64)  # what is sent, and when, does not hang on the precision

# The result type of each collective operation (not the mention of it as an operand), and its kind.
COLLECTIVE = re.compile(
    r"= (\S+) (all-gather|all-reduce|all-to-all|collective-permute|collective-broadcast|reduce-scatter)(?:-start)?\("
)

# On a CPU, measures of logits ask whether any row of the batch needs the accurate formula: one bit, reduced over the
# devices. (On an accelerator they do not ask.) No other communication over a sharded batch is let through.
ONE_BIT = ("pred[]", "all-reduce")

# Rows as wide as a state space, as wide as a vocabulary, and two rows so long that they may be summed in pieces.
SHAPES = [(64, 8), (64, 512), (2, 1 << 17)]

TABLE_MEASURES = [
    (jaxinfo.entropy, 1),
    (jaxinfo.kl_divergence, 2),
    (jaxinfo.cross_entropy, 2),
    (jaxinfo.jensen_shannon_divergence, 2),
]
LOGITS_MEASURES = [
    (logits.entropy, 1),
    (logits.kl_divergence, 2),
    (logits.cross_entropy, 2),
    (logits.jensen_shannon_divergence, 2),
]
MEASURES = [("tables", *row) for row in TABLE_MEASURES] + [("logits", *row) for row in LOGITS_MEASURES]
IDS = [f"{form}-{measure.__name__}" for form, measure, _ in MEASURES]

measures = pytest.mark.parametrize(("form", "measure", "arity"), MEASURES, ids=IDS)
shapes = pytest.mark.parametrize("shape", SHAPES, ids=str)


def inputs(form, arity, shape):
    """`arity` arrays of the default float: rows of probabilities, or logits of unit scale."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(arity, *shape))
    if form == "tables":
        scores = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    return [jnp.asarray(row, dtype=float) for row in scores]


def place(arrays, *spec, axis_type=AxisType.Auto):
    """The arrays laid over the eight devices, one mesh axis for each named dimension."""
    names = tuple(name for name in spec if name is not None)
    grid = np.array(jax.devices()).reshape((8,) if len(names) == 1 else (2, 4))
    mesh = Mesh(grid, names, axis_types=(axis_type,) * len(names))
    return [jax.device_put(array, NamedSharding(mesh, PartitionSpec(*spec))) for array in arrays]


def run(function, arrays):
    """The result of the compiled program, and the kinds of communication in it."""
    compiled = jax.jit(function).lower(*arrays).compile()
    return compiled(*arrays), {
        kind for shape, kind in COLLECTIVE.findall(compiled.as_text()) if (shape, kind) != ONE_BIT
    }


def assert_same(sharded, alone):
    # Both are within 8 ulp of the truth by the numerics contract (these inputs are well conditioned),
    # and they differ only in the order of their sums.
    tolerance = 16 * float(jnp.finfo(alone.dtype).eps)
    np.testing.assert_allclose(np.asarray(sharded), np.asarray(alone), rtol=tolerance, atol=0)


@measures
@shapes
def test_sharded_batch_needs_no_communication(form, measure, arity, shape):
    arrays = inputs(form, arity, (8 * shape[0], shape[1]) if shape[0] < 8 else shape)
    value, communication = run(measure, place(arrays, "batch", None))
    assert_same(value, measure(*arrays))
    assert communication == set()


@measures
@shapes
def test_sharded_categories_cost_an_all_reduce(form, measure, arity, shape):
    arrays = inputs(form, arity, shape)
    value, communication = run(measure, place(arrays, None, "category"))
    assert_same(value, measure(*arrays))
    assert communication == {"all-reduce"}


@measures
def test_sharded_batch_and_categories(form, measure, arity):
    arrays = inputs(form, arity, (64, 512))
    value, communication = run(measure, place(arrays, "batch", "category"))
    assert_same(value, measure(*arrays))
    assert communication == {"all-reduce"}


@measures
@pytest.mark.parametrize("spec", [("batch", None), (None, "category")], ids=["batch", "category"])
def test_axes_of_explicit_type(form, measure, arity, spec):
    arrays = inputs(form, arity, (64, 512))
    assert_same(measure(*place(arrays, *spec, axis_type=AxisType.Explicit)), measure(*arrays))


@measures
def test_gradients_gather_nothing(form, measure, arity):
    def total(*arrays):
        return measure(*arrays).sum()

    arrays = inputs(form, arity, (64, 512))
    gradient = jax.grad(total, argnums=tuple(range(arity)))
    alone = jax.jit(gradient)(*arrays)
    for spec, allowed in [(("batch", None), set()), ((None, "category"), {"all-reduce"})]:
        sharded, communication = run(gradient, place(arrays, *spec))
        assert communication <= allowed
        for ours, theirs in zip(sharded, alone, strict=True):
            # A gradient may cancel (KL in q: softmax(q) - softmax(p)): what the order of sums can move is
            # a few ulp of the largest entry, not of each.
            scale = float(jnp.abs(theirs).max())
            tolerance = 16 * float(jnp.finfo(theirs.dtype).eps) * scale
            np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=0, atol=tolerance)


def test_mutual_information_of_a_sharded_batch_of_joint_tables():
    rng = np.random.default_rng(1)
    p_xy = jnp.asarray(rng.dirichlet(np.ones(12), size=64).reshape(64, 3, 4), dtype=float)
    value, communication = run(jaxinfo.mutual_information, place([p_xy], "batch", None, None))
    # The value is a difference from independence: 16 ulp of the entropies it is made of, at most log 12 in all.
    tolerance = 16 * float(jnp.finfo(p_xy.dtype).eps) * float(np.log(12))
    np.testing.assert_allclose(value, jaxinfo.mutual_information(p_xy), rtol=0, atol=tolerance)
    assert communication == set()
