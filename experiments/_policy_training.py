"""Three ways to improve a policy on its rollouts, as one compiled program over many seeds."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

if __package__:
    from experiments import _cartpole
else:
    import _cartpole

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from jaxinfo import objectives
from jaxinfo.distributions import Categorical

METHODS = ("clip", "penalty", "trpo")


class Network(nnx.Module):
    """Two hidden layers on numbers of one size; the last is small at first: the policy begins near a fair coin."""

    def __init__(self, width: int, num_outputs: int, scale: float, *, rngs: nnx.Rngs) -> None:
        def layer(i: int, o: int, gain: float) -> nnx.Linear:
            kernel = nnx.initializers.variance_scaling(gain, "fan_in", "normal")
            return nnx.Linear(i, o, kernel_init=kernel, rngs=rngs)

        self.first = layer(_cartpole.NUM_OBSERVED, width, 2.0)
        self.second = layer(width, width, 2.0)
        self.last = layer(width, num_outputs, scale)

    def __call__(self, x: jax.Array) -> jax.Array:
        hidden = nnx.tanh(self.first(x / jnp.broadcast_to(_cartpole.SIZES, x.shape)))
        return self.last(nnx.tanh(self.second(hidden)))


class Batch(NamedTuple):
    """One row for each step of a rollout."""

    observation: jax.Array
    action: jax.Array
    log_prob: jax.Array
    advantage: jax.Array
    target: jax.Array


@dataclasses.dataclass(frozen=True)
class Training:
    """The settings of the three methods, and the networks."""

    num_updates: int
    num_evaluations: int
    num_environments: int
    num_steps: int
    num_epochs: int
    num_minibatches: int
    width: int
    learning_rate: float
    critic_learning_rate: float
    clip: float
    delta: float
    damping: float
    discount: float
    trace: float
    num_episodes: int

    def __post_init__(self) -> None:
        policy = Network(self.width, _cartpole.NUM_ACTIONS, 1e-4, rngs=nnx.Rngs(0))
        critic = Network(self.width, 1, 1.0, rngs=nnx.Rngs(0))
        object.__setattr__(self, "graphs", (nnx.graphdef(policy), nnx.graphdef(critic)))

    def policy(self, params: Any, observation: jax.Array) -> Categorical:
        return Categorical(logits=nnx.merge(self.graphs[0], params)(observation))

    def value(self, params: Any, observation: jax.Array) -> jax.Array:
        """The network's output is a value per step of the horizon: about 1 for a policy that keeps the pole up."""
        return nnx.merge(self.graphs[1], params)(observation)[..., 0] * self.horizon

    @property
    def horizon(self) -> float:
        return 1 / (1 - self.discount)

    def adam(self, rate: float) -> optax.GradientTransformation:
        count = self.num_updates * self.num_epochs * self.num_minibatches
        return optax.chain(
            optax.clip_by_global_norm(0.5), optax.adam(optax.linear_schedule(rate, 0.0, count), eps=1e-5)
        )

    @property
    def trust_region(self) -> optax.GradientTransformationExtraArgs:
        return objectives.kl_trust_region(self.delta, damping=self.damping)


class Carry(NamedTuple):
    """What goes from one update to the next; `before` is the policy before the last one.

    Every method has the memory of both kinds of optimizer, and leaves one as it is.
    """

    params: Any
    before: Any
    critic: Any
    adam: Any
    trust: objectives.KLTrustRegionState
    critic_adam: Any
    coefficient: jax.Array
    state: _cartpole.State


def rollout(t: Training, carry: Carry, key: jax.Array) -> tuple[_cartpole.State, Batch]:
    """Steps all environments, and estimates advantages; a fall ends what is to come, the end of the time does not."""

    def body(state: _cartpole.State, key: jax.Array) -> tuple[_cartpole.State, Any]:
        act, again = jax.random.split(key)
        policy = t.policy(carry.params, state.observation)
        action = policy.sample(act)
        moved, fallen = _cartpole.step(state, action)
        over = _cartpole.is_over(moved, fallen)
        fresh = jax.vmap(_cartpole.reset)(jax.random.split(again, t.num_environments))
        after = jax.tree.map(lambda a, b: jnp.where(over.reshape(over.shape + (1,) * (a.ndim - 1)), a, b), fresh, moved)
        row = (state.observation, action, policy.log_prob(action), moved.observation, fallen, over)
        return after, row

    state, rows = jax.lax.scan(body, carry.state, jax.random.split(key, t.num_steps))
    observation, action, log_prob, following, fallen, over = rows
    value, next_value = (t.value(carry.critic, x) for x in (observation, following))
    surprise = 1.0 + t.discount * jnp.where(fallen, 0.0, next_value) - value
    advantage = discounted(surprise, over, t.discount * t.trace)
    scaled = (advantage - jnp.mean(advantage)) / jnp.std(advantage)
    batch = Batch(observation, action, log_prob, scaled, advantage + value)
    return state, jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), batch)


def discounted(surprise: jax.Array, over: jax.Array, decay: float) -> jax.Array:
    """Generalised advantages: sums of what is still to come in the episode, `[steps, environments]`."""

    def body(later: jax.Array, row: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        total = row[0] + decay * jnp.where(row[1], 0.0, later)
        return total, total

    return jax.lax.scan(body, jnp.zeros_like(surprise[0]), (surprise, over), reverse=True)[1]


def mean_kls(t: Training, pairs: list[tuple[Any, Any]], observation: jax.Array) -> jax.Array:
    """The divergence of each pair of policies, old and new, over the states of a batch."""
    old, new = (jax.tree.map(lambda *x: jnp.stack(x), *side) for side in zip(*pairs, strict=True))
    policies = jax.vmap(t.policy, in_axes=(0, None))
    return jnp.mean(objectives.policy_kl(policies(old, observation), policies(new, observation)), axis=-1)


def policy_loss(t: Training, is_clip: jax.Array, params: Any, carry: Carry, batch: Batch) -> jax.Array:
    """The loss of either form of PPO on a batch."""
    policy = t.policy(params, batch.observation)
    data = batch.log_prob, policy.log_prob(batch.action), batch.advantage
    clipped = objectives.ppo_clip_loss(*data, clip=t.clip)
    kl = objectives.policy_kl(t.policy(carry.params, batch.observation), policy)
    penalised = objectives.ppo_kl_penalty_loss(*data, kl, coefficient=carry.coefficient)
    return jnp.mean(jnp.where(is_clip, clipped, penalised))


def surrogate(t: Training, params: Any, batch: Batch) -> jax.Array:
    """Minus the advantage that is to be expected, which a trust region does not have to clip or to penalise."""
    log_prob = t.policy(params, batch.observation).log_prob(batch.action)
    return jnp.mean(-jnp.exp(log_prob - batch.log_prob) * batch.advantage)


def critic_loss(t: Training, critic: Any, batch: Batch) -> jax.Array:
    return 0.5 * jnp.mean(jnp.square((t.value(critic, batch.observation) - batch.target) / t.horizon))


def descend(
    t: Training, loss: Callable[[Any, Batch], jax.Array], rate: float, start: tuple[Any, Any], batch: Batch, order: Any
) -> tuple[Any, Any]:
    """Adam, over the batch in minibatches; `order` has the rows of one in each of its rows."""
    optimizer = t.adam(rate)

    def body(carry: tuple[Any, Any], rows: jax.Array) -> tuple[tuple[Any, Any], None]:
        params, state = carry
        gradient = jax.grad(loss)(params, jax.tree.map(lambda x: x[rows], batch))
        updates, state = optimizer.update(gradient, state, params)
        return (optax.apply_updates(params, updates), state), None

    return jax.lax.scan(body, start, order)[0]


def step_of_trust_region(t: Training, carry: Carry, batch: Batch) -> tuple[Any, Any, Any]:
    updates, trust = t.trust_region.update(
        jax.grad(lambda params: surrogate(t, params, batch))(carry.params),
        carry.trust,
        carry.params,
        value_fn=lambda params: surrogate(t, params, batch),
        policy_fn=lambda params: t.policy(params, batch.observation),
    )
    return optax.apply_updates(carry.params, updates), carry.adam, trust


def improve(t: Training, method: jax.Array, carry: Carry, key: jax.Array) -> tuple[Carry, dict[str, jax.Array]]:
    """One rollout and one update of policy and critic; what an update came to is measured on two batches."""
    roll, shuffle = jax.random.split(key)
    state, batch = rollout(t, carry, roll)
    size = t.num_environments * t.num_steps
    orders = jax.vmap(lambda key: jax.random.permutation(key, size))(jax.random.split(shuffle, t.num_epochs))
    order = orders.reshape(t.num_epochs * t.num_minibatches, -1)

    def by_adam() -> tuple[Any, Any, Any]:
        is_clip = method == METHODS.index("clip")
        loss = lambda params, rows: policy_loss(t, is_clip, params, carry, rows)  # noqa: E731
        return *descend(t, loss, t.learning_rate, (carry.params, carry.adam), batch, order), carry.trust

    is_trpo = method == METHODS.index("trpo")
    params, adam, trust = jax.lax.cond(is_trpo, lambda: step_of_trust_region(t, carry, batch), by_adam)
    of_critic = functools.partial(critic_loss, t)
    critic = descend(t, of_critic, t.critic_learning_rate, (carry.critic, carry.critic_adam), batch, order)
    pairs = [(carry.params, params), (carry.before, carry.params)]
    kl, kl_of_last_update_here = mean_kls(t, pairs, batch.observation)
    found = {
        "kl": kl,
        "kl_of_last_update_here": kl_of_last_update_here,
        "kl_in_state": trust.measured_kl,
        "predicted_kl": trust.predicted_kl,
        "accepted": trust.accepted,
        "coefficient": carry.coefficient,
    }
    coefficient = objectives.adaptive_kl_coefficient(carry.coefficient, kl, target=t.delta)
    return Carry(params, carry.params, critic[0], adam, trust, critic[1], coefficient, state), found


def greedy_return(t: Training, params: Any, key: jax.Array) -> jax.Array:
    """The mean length of episodes in which the likelier action is always taken."""

    def body(carry: tuple[_cartpole.State, jax.Array], _: None) -> tuple[Any, None]:
        state, alive = carry
        action = jnp.argmax(t.policy(params, state.observation).logits, axis=-1)
        moved, fallen = _cartpole.step(state, action)
        return (moved, alive & ~fallen), jnp.sum(alive)

    start = jax.vmap(_cartpole.reset)(jax.random.split(key, t.num_episodes))
    _, alive = jax.lax.scan(body, (start, jnp.ones(t.num_episodes, bool)), length=_cartpole.MOST_STEPS)
    return jnp.sum(alive) / t.num_episodes


def start(t: Training, key: jax.Array) -> Carry:
    """Returns networks and environments as they are before the first rollout."""
    of_policy, of_critic, of_state = jax.random.split(key, 3)
    policy = Network(t.width, _cartpole.NUM_ACTIONS, 1e-4, rngs=nnx.Rngs(of_policy))
    critic = Network(t.width, 1, 1.0, rngs=nnx.Rngs(of_critic))
    params, weights = (nnx.as_pure(nnx.state(network)) for network in (policy, critic))
    state = jax.vmap(_cartpole.reset)(jax.random.split(of_state, t.num_environments))
    adam, critic_adam = t.adam(t.learning_rate).init(params), t.adam(t.critic_learning_rate).init(weights)
    return Carry(params, params, weights, adam, t.trust_region.init(params), critic_adam, jnp.asarray(1.0), state)


def train(t: Training, method: jax.Array, key: jax.Array) -> dict[str, jax.Array]:
    """Trains one policy; returns what every update came to, and greedy returns along the way.

    The method is a number that is traced, so that all three are one program.
    """
    of_start, of_loop, of_judge = jax.random.split(key, 3)

    def stretch(carry: Carry, keys: jax.Array) -> tuple[Carry, Any]:
        carry, found = jax.lax.scan(lambda carry, key: improve(t, method, carry, key), carry, keys)
        return carry, (found, greedy_return(t, carry.params, of_judge))

    keys = jax.random.split(of_loop, (t.num_evaluations, t.num_updates // t.num_evaluations))
    _, (found, returns) = jax.lax.scan(stretch, start(t, of_start), keys)
    return {"return": returns, **{name: x.reshape(-1) for name, x in found.items()}}
