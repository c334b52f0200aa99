"""The environment against gymnasium's, the advantages against sums written out, and the files of a short run."""

import json
import math

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from experiments import _cartpole, _policy_training, policy_optimization
from experiments.policy_optimization import Config
from tests.marks import once

X64 = bool(jax.config.jax_enable_x64)


def test_a_step_is_gymnasiums():
    """From 400 states in and outside the limits, with both actions: what is next to 1e-6, and whether it has fallen."""
    env = gymnasium.make("CartPole-v1").unwrapped
    rng = np.random.default_rng(0)
    starts = rng.uniform(-1, 1, (400, 4)) * [2.6, 3.0, 0.25, 3.0]
    actions = rng.integers(0, 2, 400)
    expected, fallen = [], []
    for start, action in zip(starts.astype(np.float32), actions, strict=True):
        env.reset(seed=0)
        env.state = start.astype(np.float64)
        observation, reward, terminated, _, _ = env.step(int(action))
        expected.append(observation)
        fallen.append(terminated)
        assert reward == 1
    state = _cartpole.State(jnp.asarray(starts.astype(np.float32)), jnp.zeros(400, jnp.int32))
    moved, down = jax.jit(_cartpole.step)(state, jnp.asarray(actions))
    np.testing.assert_allclose(moved.observation, expected, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(down, fallen)
    assert 50 < np.sum(fallen) < 350
    np.testing.assert_array_equal(moved.num_steps, 1)


@once
def test_an_episode_is_gymnasiums():
    """A bang-bang controller over a whole episode, which ends when theirs does.

    Each step is from their state: a pole that is held up by force amplifies roundings.
    """
    env = gymnasium.make("CartPole-v1")
    observation, _ = env.reset(seed=3)
    step, count, ended = jax.jit(_cartpole.step), 0, False
    while not ended:
        state = _cartpole.State(jnp.asarray(env.unwrapped.state, jnp.float32), jnp.asarray(count))
        action = int(observation[2] + 0.3 * observation[3] > 0)
        observation, _, terminated, truncated, _ = env.step(action)
        state, fallen = step(state, jnp.asarray(action))
        np.testing.assert_allclose(state.observation, observation, rtol=0, atol=1e-6)
        ended, count = terminated or truncated, count + 1
        assert bool(fallen) == terminated
        assert bool(_cartpole.is_over(state, fallen)) == ended
    assert count > 100


@once
def test_an_episode_ends_in_time():
    states = _cartpole.State(jnp.zeros((3, 4)), jnp.array([499, 500, 3]))
    np.testing.assert_array_equal(_cartpole.is_over(states, jnp.array([False, False, True])), [False, True, True])
    start = jax.vmap(_cartpole.reset)(jax.random.split(jax.random.key(0), 1000)).observation
    assert jnp.abs(start).max() <= 0.05
    assert np.all(np.abs(np.asarray(start.mean(axis=0))) < 5 * 0.05 / 3**0.5 / 1000**0.5)


def test_advantages_by_their_definition():
    """Sums of what follows in the same episode, weighted by powers of the decay."""
    rng = np.random.default_rng(1)
    surprise, over, decay = rng.normal(size=(12, 3)), rng.random((12, 3)) < 0.25, 0.9
    expected = np.zeros((12, 3))
    for e in range(3):
        for t in range(12):
            for later in range(t, 12):
                expected[t, e] += decay ** (later - t) * surprise[later, e]
                if over[later, e]:
                    break
    found = _policy_training.discounted(jnp.asarray(surprise), jnp.asarray(over), decay)
    np.testing.assert_allclose(found, expected, rtol=1e-12 if X64 else 1e-5, atol=1e-6)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    config = Config(smoke=True, output=tmp_path_factory.mktemp("policy_optimization"))
    with jax.numpy_dtype_promotion("standard"):  # Optax's schedules divide an integer count
        return config, policy_optimization.main(config)


@once
def test_a_short_run(results):
    config, metrics = results
    assert [row["method"] for row in metrics["rows"]] == ["clip", "penalty", "trpo"]
    for row in metrics["rows"]:
        assert row["steps_per_seed"] == 4 * 4 * 32
        assert len(row["greedy_return"]) == 2
        assert all(1 <= number <= 500 for number in row["greedy_return"])
        assert 0 < row["kl_median"] <= row["kl_largest"] < math.inf
        assert 0 < row["kl_on_next_batch_median"] <= row["kl_on_next_batch_largest"] < math.inf
        assert row["run_seconds"] > 0
    trpo = metrics["rows"][-1]
    assert trpo["kl_largest"] <= config.delta * (1 + 1e-5)
    assert trpo["share_above_delta"] == 0
    # What the optimizer says it measured is what is measured from outside, to rounding.
    assert trpo["largest_gap_to_kl_in_state"] < 1e-6
    assert trpo["accepted"] > 0.5
    assert trpo["kl_median"] > 0.2 * config.delta
    assert metrics == json.loads((config.output / "metrics.json").read_text(encoding="utf-8"))


@once
def test_a_short_run_has_a_figure(results):
    config, _ = results
    with Image.open(config.output / "policy_optimization.png") as picture:
        assert picture.size == (2550, 1650)
        assert len(set(picture.convert("L").resize((64, 40)).tobytes())) > 16


@once
def test_configurations_that_do_not_divide():
    with pytest.raises(ValueError, match="num_evaluations must divide num_updates"):
        policy_optimization.main(Config(num_updates=10, num_evaluations=3))
    with pytest.raises(ValueError, match="num_minibatches must divide the steps"):
        policy_optimization.main(Config(num_steps=3, num_environments=3))
