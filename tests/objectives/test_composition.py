"""Every kind of objective inside Flax models: what a transformation returns is what the parts return one by one."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from jaxinfo import logits, objectives
from jaxinfo.distributions import Categorical, Independent, Normal
from tests.marks import slow_if

pytestmark = slow_if(bool(jax.config.jax_enable_x64))  # what transformations do does not hang on the precision

FLOAT = jnp.zeros(()).dtype
# The order of sums differs between programs; a batch's sums have 16 terms.
TOLERANCE = 64 * float(jnp.finfo(FLOAT).eps)
NUM_EXAMPLES, NUM_FEATURES, NUM_CLASSES = 16, 6, 5


class Model(nnx.Module):
    """A trunk whose outputs are read as scores, as a posterior, and as a policy."""

    def __init__(self, rngs):
        self.trunk = nnx.Linear(NUM_FEATURES, NUM_CLASSES, param_dtype=FLOAT, dtype=FLOAT, rngs=rngs)

    def __call__(self, x):
        return self.trunk(x)


def batch():
    keys = jax.random.split(jax.random.key(3), 4)
    return {
        "x": jax.random.normal(keys[0], (NUM_EXAMPLES, NUM_FEATURES), FLOAT),
        "labels": jax.random.randint(keys[1], (NUM_EXAMPLES,), 0, NUM_CLASSES, jnp.int32),
        "teacher": jax.random.normal(keys[2], (NUM_EXAMPLES, NUM_CLASSES), FLOAT),
        "advantage": jax.random.normal(keys[3], (NUM_EXAMPLES,), FLOAT),
        "where": jnp.arange(NUM_EXAMPLES) % 5 != 0,
    }


def losses_of(model, data):
    """One value per example of each objective, all to be minimised."""
    scores, teacher, labels, where = model(data["x"]), data["teacher"], data["labels"], data["where"]
    posterior = Independent(Normal(scores[..., :2], jnp.exp(0.1 * scores[..., 2:4])))
    prior = Independent(Normal(jnp.zeros(2, FLOAT), 1.0))
    log_likelihood = lambda z: -jnp.sum(jnp.square(z - data["x"][None, :, :2]), axis=-1)  # noqa: E731
    draws = {"key": jax.random.key(0), "num_samples": 4}
    old, new = Categorical(logits=teacher), Categorical(logits=scores)
    log_p, log_q = old.log_prob(labels), new.log_prob(labels)
    distilled = functools.partial(objectives.distillation_loss, teacher, scores, where=where, temperature=2.0)
    kl = objectives.policy_kl(old, new)
    return {
        "cross_entropy": objectives.cross_entropy_loss(labels, scores, label_smoothing=0.1, z_loss=1e-3, where=where),
        "likelihood": objectives.negative_log_likelihood(labels, new, where=where),
        "brier": objectives.brier_score(labels, jax.nn.softmax(scores)),
        "elbo": -objectives.elbo(posterior, prior, log_likelihood, beta=0.5, **draws),
        "importance_weighted": -objectives.importance_weighted_bound(posterior, prior, log_likelihood, **draws),
        "renyi": -objectives.renyi_bound(posterior, prior, log_likelihood, 0.5, **draws),
        "clip": objectives.ppo_clip_loss(log_p, log_q, data["advantage"], where=where),
        "penalty": objectives.ppo_kl_penalty_loss(log_p, log_q, data["advantage"], kl, coefficient=0.5, where=where),
        "entropy": -objectives.entropy_bonus(new),
        "sampled_kl": objectives.sampled_kl(log_p, log_q, estimator="k3"),
        "forward": distilled(),
        "reverse": distilled(divergence=objectives.reverse_kl_divergence),
        "between": distilled(divergence=functools.partial(logits.skew_jensen_shannon_divergence, weight=0.5)),
        "sequence": -objectives.sequence_log_prob(labels, scores, where=where)[None],
    }


def total(model, data):
    losses = losses_of(model, data)
    return sum(jnp.mean(loss) for loss in losses.values()), losses


def close(found, expected):
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE * (1 + np.max(np.abs(b)))),
        found,
        expected,
    )


@pytest.fixture(scope="module")
def plain():
    """Value, losses and gradients of two models, with JAX's own transformations and no others."""

    @jax.jit
    def of(params, data):
        return jax.value_and_grad(lambda params: total(nnx.merge(graph, params), data), has_aux=True)(params)

    models = [Model(nnx.Rngs(seed)) for seed in (0, 1)]
    graph, _ = nnx.split(models[0])
    return of, [nnx.split(model)[1] for model in models], graph


def test_every_objective_has_one_value_per_example(plain):
    of, params, _ = plain
    (_, losses), gradient = of(params[0], batch())
    assert {name: loss.shape for name, loss in losses.items() if name != "sequence"} == {
        name: (NUM_EXAMPLES,) for name in losses if name != "sequence"
    }
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves((losses, gradient)))


def test_nnx_jit_and_value_and_grad(plain):
    of, params, graph = plain
    (value, losses), gradient = of(params[0], batch())
    found = nnx.jit(nnx.value_and_grad(total, has_aux=True))(nnx.merge(graph, params[0]), batch())
    close(found[0], (value, losses))
    close(jax.tree.leaves(found[1]), jax.tree.leaves(gradient))


def test_nnx_vmap_over_models(plain):
    of, params, _ = plain

    @nnx.split_rngs(splits=2)
    @nnx.vmap(in_axes=0, out_axes=0)
    def make(rngs):
        return Model(rngs)

    models = make(nnx.Rngs(0))
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *params)
    nnx.update(models, stacked)
    _, losses = nnx.jit(nnx.vmap(total, in_axes=(0, None)))(models, batch())
    for index, one in enumerate(params):
        close(jax.tree.map(lambda leaf, i=index: leaf[i], losses), of(one, batch())[0][1])


def test_steps_in_a_scan_are_steps_one_by_one(plain):
    of, (params, _), _ = plain
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(0.1))

    def step(carry, _):
        params, state = carry
        updates, state = optimizer.update(of(params, batch())[1], state)
        return (optax.apply_updates(params, updates), state), None

    start = params, optimizer.init(params)
    scanned, _ = jax.jit(lambda start: jax.lax.scan(step, start, length=3))(start)
    carry = start
    for _ in range(3):
        carry, _ = step(carry, None)
    close(jax.tree.leaves(scanned[0]), jax.tree.leaves(carry[0]))


def test_examples_on_eight_devices(plain):
    """Sharded over the examples: the same values, each where its example is, and no gather of the examples."""
    of, (params, _), graph = plain
    mesh = Mesh(np.array(jax.devices()), ("examples",), axis_types=(AxisType.Auto,))
    over_examples = NamedSharding(mesh, PartitionSpec("examples"))
    sharded = jax.device_put(batch(), over_examples)

    @jax.jit
    def each(params, data):
        losses = losses_of(nnx.merge(graph, params), data)
        return {name: loss for name, loss in losses.items() if name != "sequence"}

    everywhere = jax.device_put(params, NamedSharding(mesh, PartitionSpec()))
    losses = each(everywhere, sharded)
    close(losses, {name: loss for name, loss in of(params, batch())[0][1].items() if name != "sequence"})
    assert all(loss.sharding.is_equivalent_to(over_examples, 1) for loss in losses.values())
    assert "all-gather" not in each.lower(everywhere, sharded).compile().as_text()
    gradient = of(everywhere, sharded)[1]
    close(jax.tree.leaves(gradient), jax.tree.leaves(of(params, batch())[1]))
