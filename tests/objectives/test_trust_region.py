"""Products against Hessians that are written out, and what a step may and may not do."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from jaxinfo.distributions import Categorical, Independent, MultivariateNormal, Normal, Transformed, bijectors
from jaxinfo.objectives import KLTrustRegionState, fisher_vector_product, kl_trust_region, policy_kl
from jaxinfo.objectives._conjugate_gradients import conjugate_gradients
from tests.marks import once

X64 = bool(jax.config.jax_enable_x64)
RTOL = 1e-10 if X64 else 2e-4  # Hessians through a network, in sums over states
STATES = jnp.asarray(np.random.default_rng(0).normal(size=(6, 3)))


def parameters(num_outputs, seed=1):
    rng = np.random.default_rng(seed)
    tree = {
        "in": rng.normal(size=(3, 4)),
        "out": rng.normal(size=(4, num_outputs)),
        "bias": rng.normal(size=num_outputs),
    }
    return jax.tree.map(lambda x: jnp.asarray(0.5 * x), tree)


def network(params, states=STATES):
    return jnp.tanh(states @ params["in"]) @ params["out"] + params["bias"][None]


def categorical(params):
    """Three actions, of which the first state forbids one."""
    allowed = jnp.ones((6, 3), bool).at[0, 1].set(False)
    return Categorical(logits=jnp.where(allowed, network(params), -jnp.inf))


def gaussian(params):
    mean, log_scale = jnp.split(network(params), 2, axis=-1)
    return Independent(Normal(mean, jnp.exp(log_scale)))


def squashed(params):
    """With a map that has numbers: constants, and not traced."""
    return Transformed(gaussian(params), bijectors.Chain((bijectors.Affine(0.0, 2.0), bijectors.Tanh())))


def full(params):
    out = network(params)
    factor = jnp.zeros((6, 2, 2)).at[:, 0, 0].set(jnp.exp(out[:, 2])).at[:, 1, 1].set(jnp.exp(out[:, 3]))
    return MultivariateNormal(out[:, :2], factor.at[:, 1, 0].set(out[:, 4]))


def plain_categorical_kl(old, new):
    """Sums over actions, from the logits, a forbidden action apart."""
    p, q = (jax.nn.log_softmax(x.logits, axis=-1) for x in (old, new))
    there = jnp.isfinite(p)
    held = [jnp.where(there, x, 0) for x in (p, q)]
    return jnp.mean(jnp.sum(jnp.where(there, jnp.exp(held[0]) * (held[0] - held[1]), 0), axis=-1))


def plain_gaussian_kl(old, new):
    """The textbook's formula for two normals, summed over the numbers of an action."""
    p, q = (getattr(x, "base", x) for x in (old, new))
    (m, s), (n, t) = ((x.base.loc, x.base.scale) if hasattr(x, "ndim") else (x.loc, x.scale) for x in (p, q))
    return jnp.mean(jnp.sum(jnp.log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - 0.5, axis=-1))


def plain_full_kl(old, new):
    s, t = (x.scale_tril @ x.scale_tril.swapaxes(-1, -2) for x in (old, new))
    d = new.loc - old.loc
    inverse = jnp.linalg.inv(t)
    twice = jnp.trace(inverse @ s, axis1=-2, axis2=-1) + jnp.einsum("ni,nij,nj->n", d, inverse, d) - 2
    return jnp.mean(0.5 * (twice + jnp.log(jnp.linalg.det(t) / jnp.linalg.det(s))))


POLICIES = {
    "categorical": (categorical, 3, plain_categorical_kl),
    "gaussian": (gaussian, 4, plain_gaussian_kl),
    "squashed": (squashed, 4, lambda old, new: plain_gaussian_kl(old.base, new.base)),
    "full": (full, 5, plain_full_kl),
}


@pytest.mark.parametrize("name", POLICIES)
def test_product_against_the_hessian(name):
    """Every column, against the Hessian of a divergence written apart, by differentiating twice through the network."""
    policy, num_outputs, plain = POLICIES[name]
    params = parameters(num_outputs)
    flat, unravel = jax.flatten_util.ravel_pytree(params)

    @jax.jit
    def both(flat):
        old = policy(unravel(flat))
        fixed = jax.tree.map(jax.lax.stop_gradient, old)
        hessian = jax.hessian(lambda x: plain(fixed, policy(unravel(x))))(flat)
        columns = jax.vmap(lambda v: fisher_vector_product(policy, unravel(flat), unravel(v)))(jnp.eye(flat.size))
        return hessian, jax.vmap(lambda tree: jax.flatten_util.ravel_pytree(tree)[0])(columns)

    hessian, columns = both(flat)
    scale = float(jnp.abs(hessian).max())
    assert scale > 0.01
    np.testing.assert_allclose(columns, hessian, rtol=RTOL, atol=RTOL * scale)


def test_product_by_hand():
    """Of a softmax: diag(p) - p p^T; of a state that a divergence of the caller's leaves out: nothing."""
    z, v = np.array([[0.2, -1.0, 0.7], [3.0, 0.0, 1.0]]), np.array([[1.0, -0.5, 2.0], [0.3, 0.2, 0.1]])
    p = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
    expected = p * v - p * (p * v).sum(axis=-1, keepdims=True)
    policy = lambda z: Categorical(logits=z)  # noqa: E731
    product = fisher_vector_product(policy, jnp.asarray(z), jnp.asarray(v))
    np.testing.assert_allclose(product, expected / 2, rtol=1e-5, atol=1e-7)
    where = jnp.array([True, False])
    first = lambda old, new: policy_kl(old, new, where=where).sum()  # noqa: E731
    product = fisher_vector_product(policy, jnp.asarray(z).at[1].set(jnp.nan), jnp.asarray(v), kl_fn=first)
    np.testing.assert_allclose(product, expected * np.array([[1], [0]]), rtol=1e-5, atol=1e-7)


@once
def test_products_of_states_and_half_precision():
    class Policy(nnx.Module):
        def __init__(self, rngs):
            self.linear = nnx.Linear(3, 2, rngs=rngs, param_dtype=jnp.bfloat16)

    graph, params = nnx.split(Policy(nnx.Rngs(0)))
    states = STATES.astype(jnp.bfloat16)

    def policy(params):
        return Categorical(logits=nnx.merge(graph, params).linear(states))

    vector = jax.tree.map(jnp.ones_like, params)
    product = fisher_vector_product(policy, params, vector)
    assert jax.tree.structure(product) == jax.tree.structure(params)
    assert {x.dtype for x in jax.tree.leaves(product)} == {jnp.dtype(jnp.bfloat16)}
    # All logits move alike, and no probability does.
    assert all(float(jnp.abs(x).max()) < 1e-2 for x in jax.tree.leaves(product))


def test_conjugate_gradients_solve():
    rng = np.random.default_rng(3)
    root = rng.normal(size=(5, 5))
    matrix, b = jnp.asarray(root @ root.T + np.eye(5)), jnp.asarray(rng.normal(size=5))
    split = lambda v: {"a": v[:2], "b": v[2:]}  # noqa: E731
    join = lambda t: jnp.concatenate([t["a"], t["b"]])  # noqa: E731
    solve = functools.partial(conjugate_gradients, lambda t: split(matrix @ join(t)), split(b), tolerance=1e-6)
    x, count = solve(max_products=20)
    np.testing.assert_allclose(join(x), np.linalg.solve(np.asarray(matrix), np.asarray(b)), rtol=1e-5, atol=1e-5)
    assert count <= 8
    _, count = solve(max_products=2)
    assert count == 2
    x, count = conjugate_gradients(lambda v: v, b, max_products=9, tolerance=1e-6)  # the identity: one product
    assert count == 1
    np.testing.assert_allclose(x, b, rtol=1e-6)
    # Where there is no curvature, what is there is kept: of diag(1, 0), and of minus the identity, nothing.
    x, _ = conjugate_gradients(lambda v: -v, b, max_products=9, tolerance=1e-6)
    np.testing.assert_array_equal(x, np.zeros(5))
    x, count = conjugate_gradients(lambda v: v, jnp.zeros(5), max_products=9, tolerance=1e-6)
    assert count == 0


REWARD = jnp.asarray(np.random.default_rng(5).normal(size=(6, 3)))


def loss(params):
    """Minus the expected reward, with every action enumerated."""
    return -jnp.mean(
        jnp.sum(jnp.where(jnp.isfinite(categorical(params).logits), probabilities(params) * REWARD, 0), -1)
    )


def probabilities(params):
    return jax.nn.softmax(categorical(params).logits, axis=-1)


PARAMS = parameters(3)
GRADIENT = jax.jit(jax.grad(loss))(PARAMS)


def take(optimizer, params, gradient=None, value_fn=loss, policy_fn=categorical, **extra):
    gradient = jax.grad(loss)(params) if gradient is None else gradient
    return optimizer.update(gradient, optimizer.init(params), params, value_fn=value_fn, policy_fn=policy_fn, **extra)


def norm(tree):
    return sum(float(jnp.sum(jnp.square(x))) for x in jax.tree.leaves(tree)) ** 0.5


def assert_close(tree, other, share):
    """Two steps differ by a small share of their length."""
    assert norm(jax.tree.map(jnp.subtract, tree, other)) < share * norm(tree)


def test_the_step_against_a_solution_in_double_precision():
    """Direction from the materialised Hessian with NumPy's solver; length from its quadratic form; measured by sums."""
    delta, damping = 1e-4, 1e-3
    flat, unravel = jax.flatten_util.ravel_pytree(PARAMS)

    @jax.jit
    def run(flat):
        params = unravel(flat)
        updates, state = take(kl_trust_region(delta, damping=damping, max_products=60), params)
        moved = optax.apply_updates(params, updates)
        found = jax.flatten_util.ravel_pytree(updates)[0]
        kl, fall = plain_categorical_kl(categorical(params), categorical(moved)), loss(params) - loss(moved)
        return found, state, kl, fall, jax.jacobian(lambda x: network(unravel(x)))(flat), probabilities(params)

    found, state, kl, fall, jacobian, p = run(flat)
    found, jacobian, p = (np.asarray(x, np.float64) for x in (found, jacobian, p))
    of_logits = (p[:, :, None] * np.eye(3) - p[:, :, None] * p[:, None]) / 6
    hessian = np.einsum("nai,nab,nbj->ij", jacobian, of_logits, jacobian)
    g = np.asarray(jax.flatten_util.ravel_pytree(GRADIENT)[0], np.float64)
    level = damping * (g @ hessian @ g) / (g @ g)
    direction = np.linalg.solve(hessian + level * np.eye(g.size), g)
    step = -direction * np.sqrt(2 * delta / (direction @ hessian @ direction))
    assert state.accepted
    scale = 0.8 ** int(state.num_backtracks)
    # Conjugate gradients in float32 leave directions of little curvature a little off.
    np.testing.assert_allclose(found, scale * step, atol=(1e-5 if X64 else 2e-2) * np.abs(step).max())
    np.testing.assert_allclose(state.measured_kl, kl, rtol=1e-9 if X64 else 2e-2)
    np.testing.assert_allclose(state.predicted_kl, 0.5 * found @ hessian @ found, rtol=1e-6 if X64 else 1e-2)
    np.testing.assert_allclose(state.improvement, fall, rtol=1e-9 if X64 else 1e-3)
    np.testing.assert_allclose(state.predicted_improvement, -g @ found, rtol=1e-6 if X64 else 1e-3)
    # Close to the quadratic's: the radius is small.
    np.testing.assert_allclose(state.measured_kl, state.predicted_kl, rtol=0.05)


def test_every_step_keeps_within_the_radius():
    """Twenty steps for three radii: the loss falls, and the divergence, by sums over actions, is at most the radius."""

    def run(delta, params):
        optimizer = kl_trust_region(delta)

        def body(carry, _):
            params, state = carry
            updates, state = optimizer.update(
                jax.grad(loss)(params), state, params, value_fn=loss, policy_fn=categorical
            )
            moved = optax.apply_updates(params, updates)
            kl = plain_categorical_kl(categorical(params), categorical(moved))
            return (moved, state), (kl, loss(params) - loss(moved), state)

        return jax.lax.scan(body, (params, optimizer.init(params)), length=20)[1]

    deltas = jnp.array([1e-3, 0.01, 0.3])
    kl, fall, state = jax.jit(jax.vmap(run, in_axes=(0, None)))(deltas, PARAMS)
    measured, accepted = np.asarray(state.measured_kl), np.asarray(state.accepted)
    assert np.all(measured <= np.asarray(deltas)[:, None])
    np.testing.assert_allclose(measured, np.where(accepted, kl, 0), rtol=1e-7 if X64 else 1e-2, atol=1e-6)
    np.testing.assert_allclose(state.improvement, np.where(accepted, fall, 0), rtol=1e-6, atol=1e-6)
    assert np.all(np.asarray(state.improvement)[accepted] > 0)
    # It does not stall: before the largest steps have come to the best policy, a good part of the radius is used.
    assert np.all(accepted[:, :5])
    assert np.all(measured[:, :5].mean(axis=1) > 0.25 * np.asarray(deltas))


NAN, INF = float("nan"), float("inf")


def poisoned(params, key, value):
    return {**params, key: params[key].at[(0,) * params[key].ndim].set(value)}


# The gradient or the parameters, or else what is done to the loss, to the loss elsewhere, to the logits, to the
# divergence: a factor and a term each.
FAILURES = {
    "gradient is NaN": {"gradient": poisoned(GRADIENT, "in", NAN)},
    "gradient is infinite": {"gradient": poisoned(GRADIENT, "bias", INF)},
    "gradient is zero": {"gradient": jax.tree.map(jnp.zeros_like, GRADIENT)},
    "gradient points uphill": {"gradient": jax.tree.map(jnp.negative, GRADIENT)},
    "parameter is NaN": {"params": poisoned(PARAMS, "in", NAN)},
    "parameter is infinite": {"params": poisoned(PARAMS, "out", INF)},
    "loss is NaN": {"loss": (NAN, 0.0)},
    "loss is infinite": {"loss": (1.0, INF)},
    "loss is NaN elsewhere": {"elsewhere": (1.0, NAN)},
    "loss falls without end": {"elsewhere": (1.0, -INF)},
    "loss does not change": {"loss": (0.0, 1.0)},
    "policy is NaN": {"logits": (NAN, 0.0)},
    "policy does not move": {"logits": (0.0, 0.0)},
    "divergence is NaN": {"kl": (NAN, 0.0)},
    "divergence is too large": {"kl": (1.0, 1.0)},
    "divergence is negative elsewhere": {"kl": (1.0, -INF)},
}
SOUND = {"params": PARAMS, "gradient": GRADIENT, **dict.fromkeys(("loss", "elsewhere", "logits", "kl"), (1.0, 0.0))}


@once
def test_a_failed_search_leaves_parameters_as_they_were():
    """To the bit, with a state that says so; and the same program takes a step if nothing fails."""
    optimizer = kl_trust_region(0.01, max_backtracks=3, max_products=3)

    @jax.jit
    @jax.vmap
    def run(case):
        def altered(value, name):
            return value * case[name][0] + case[name][1]

        def value_fn(params):
            value = altered(loss(params), "loss")
            return jnp.where(params["bias"][0] == case["params"]["bias"][0], value, altered(value, "elsewhere"))

        def kl_fn(old, new):
            return altered(policy_kl(old, new).mean(), "kl")

        updates, state = take(
            optimizer,
            case["params"],
            case["gradient"],
            value_fn,
            lambda params: Categorical(logits=altered(network(params), "logits")),
            kl_fn=kl_fn,
        )
        return optax.apply_updates(case["params"], updates), updates, state

    cases = {name: SOUND | failure for name, failure in ({"": {}} | FAILURES).items()}
    stacked = jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(x) for x in leaves]), *cases.values())
    moved, updates, state = run(stacked)
    assert state.accepted[0]
    assert norm(jax.tree.map(lambda x: x[0], updates)) > 0
    for i, name in enumerate(FAILURES, 1):
        assert not state.accepted[i], name
        for before, after, update in zip(*map(jax.tree.leaves, (stacked["params"], moved, updates)), strict=True):
            np.testing.assert_array_equal(before[i], after[i], err_msg=name)
            np.testing.assert_array_equal(update[i], np.zeros(update[i].shape), err_msg=name)
        for number in (state.predicted_kl, state.measured_kl, state.improvement, state.predicted_improvement):
            assert number[i] == 0, name
        assert state.num_backtracks[i] == 3


@once
def test_the_scale_of_the_loss_does_not_matter():
    params = parameters(3)
    # Few products: with many, conjugate gradients amplify roundings in directions of little curvature.
    optimizer = kl_trust_region(0.01, max_products=3)

    @jax.jit
    def run(params, c):
        gradient = jax.tree.map(lambda g: g * c, jax.grad(loss)(params))
        return take(optimizer, params, gradient, lambda p: loss(p) * c)

    for c in (1.0, 1e-12, 1e25):
        updates, state = run(params, c)
        assert state.accepted
        assert_close(run(params, 0.37)[0], updates, 1e-3)
        assert 0.02 < state.predicted_improvement / c < 0.2


def near_certain(scale):
    """A bandit that prefers one arm by `scale` nats, where the other is better."""
    z = jnp.array([scale, 0.0])
    value = lambda z: -jax.nn.softmax(z)[1]  # noqa: E731
    return z, value, lambda z: Categorical(logits=z[None])


@once
def test_a_policy_that_is_nearly_certain_does_not_stall():
    """Where the Fisher matrix is 1e-5, a damping of 0.1 would leave 1e-4 of the direction's length and 1e-8 of KL.

    The default's second-order divergence is the radius, and the first attempts overshoot: the odds grow by a factor.
    """
    z, value, policy = near_certain(11.0)
    optimizer = kl_trust_region(1e-3)
    updates, state = jax.jit(lambda z: take(optimizer, z, jax.grad(value)(z), value, policy))(z)
    assert state.accepted
    assert state.measured_kl > 1e-4
    assert value(z + updates) < 5 * value(z)


@once
def test_chain_and_options():
    params = parameters(3)
    extra = {"value_fn": loss, "policy_fn": categorical}
    few = kl_trust_region(0.01, max_products=3)
    chain = optax.chain(optax.clip_by_global_norm(1e-3), few)

    @jax.jit
    def run(params):
        chained = chain.update(jax.grad(loss)(params), chain.init(params), params, **extra)
        greedy = kl_trust_region(0.3, sufficient=1.5, max_backtracks=1)
        # An extra of another transformation is passed by.
        return chained, take(few, params, value=0.0), take(greedy, params)

    (updates, state), (alone, last), (_, failed) = run(params)
    assert_close(updates, alone, 1e-3)
    assert isinstance(state[1], KLTrustRegionState)
    assert 0 < optax.tree.get(state, "measured_kl") <= 0.01
    assert last.num_products == 3
    # All of what the gradient promises, and half as much again, is more than a curved loss gives.
    assert not failed.accepted
    # Before the first step nothing is known, and the state has the shape that it keeps.
    first = few.init(params)
    assert bool(jnp.isnan(first.measured_kl))
    assert not first.accepted
    assert jax.tree.map(lambda x: (x.shape, x.dtype), first) == jax.tree.map(lambda x: (x.shape, x.dtype), last)


@once
def test_radius_and_damping_may_be_traced_and_mapped():
    params = parameters(3)

    @jax.jit
    @jax.vmap
    def run(delta, damping):
        return take(kl_trust_region(delta, damping=damping), params)[1]

    state = run(jnp.array([0.001, 0.1]), jnp.array([1e-3, 1e-2]))
    assert np.all(np.asarray(state.accepted))
    assert np.all(np.asarray(state.measured_kl) <= [0.001, 0.1])
    assert state.measured_kl[1] > 10 * state.measured_kl[0]


@once
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_with_flax(dtype):
    """`nnx.Optimizer` under `nnx.jit`: modules in, and the measured divergence beside them."""

    class Policy(nnx.Module):
        def __init__(self, rngs):
            self.hidden = nnx.Linear(3, 8, rngs=rngs, param_dtype=dtype, dtype=dtype)
            self.out = nnx.Linear(8, 3, rngs=rngs, param_dtype=dtype, dtype=dtype)
            self.steps = nnx.Variable(jnp.zeros((), jnp.int32))

        def __call__(self, x):
            return self.out(jnp.tanh(self.hidden(x)))

    model, tolerance = Policy(nnx.Rngs(0)), 1e-3 if dtype == jnp.float32 else 0.05
    optimizer = nnx.Optimizer(model, kl_trust_region(0.05), wrt=nnx.Param)
    states, reward = STATES.astype(dtype), REWARD.astype(jnp.float32)
    probe = jax.jit(lambda old, new: policy_kl(*(Categorical(logits=x.astype(jnp.float32)) for x in (old, new))).mean())

    def expected_loss(logits):
        return -jnp.mean(jnp.sum(jax.nn.softmax(logits.astype(jnp.float32), axis=-1) * reward, axis=-1))

    @nnx.jit
    def train_step(model, optimizer):
        graph, _, rest = nnx.split(model, nnx.Param, ...)
        logits = lambda params: nnx.merge(graph, params, rest)(states)  # noqa: E731
        gradient = nnx.grad(lambda model: expected_loss(model(states)))(model)
        optimizer.update(
            model,
            gradient,
            value_fn=lambda params: expected_loss(logits(params)),
            policy_fn=lambda params: Categorical(logits=logits(params)),
        )
        return expected_loss(model(states))

    before = model(states)
    values = [float(expected_loss(before))]
    for _ in range(3):
        old = model(states)
        values.append(float(train_step(model, optimizer)))
        moved = probe(old, model(states))
        assert bool(optimizer.opt_state.accepted[...])
        # In half precision a compiled network rounds at other places than one called layer by layer.
        np.testing.assert_allclose(optimizer.opt_state.measured_kl[...], moved, rtol=tolerance)
        assert optimizer.opt_state.measured_kl[...] <= 0.05
    assert values == sorted(values, reverse=True)
    assert values[-1] < values[0] - 0.05
    assert {x.dtype for x in jax.tree.leaves(nnx.state(model, nnx.Param))} == {jnp.dtype(dtype)}


@once
def test_arguments_that_do_not_fit():
    params = parameters(3)
    with pytest.raises(ValueError, match="fisher_vector_product: vector must be like params"):
        fisher_vector_product(categorical, params, {"in": params["in"]})
    with pytest.raises(ValueError, match="fisher_vector_product: vector must be like params"):
        fisher_vector_product(categorical, params, {**params, "bias": jnp.zeros(4)})
    with pytest.raises(ValueError, match="kl_fn must return a scalar, got shape"):
        fisher_vector_product(categorical, params, params, kl_fn=policy_kl)
    with pytest.raises(TypeError, match="no closed form"):
        fisher_vector_product(
            lambda p: Transformed(gaussian(p), bijectors.Affine(p["bias"][0], 1.0)), parameters(4), parameters(4)
        )
    with pytest.raises(ValueError, match="value_fn must return a scalar, got shape"):
        take(kl_trust_region(), params, value_fn=lambda p: p["bias"])
    optimizer = kl_trust_region()
    with pytest.raises(ValueError, match="kl_trust_region: update needs params"):
        optimizer.update(params, optimizer.init(params), value_fn=loss, policy_fn=categorical)
    with pytest.raises(TypeError, match="policy_fn"):
        optimizer.update(params, optimizer.init(params), params, value_fn=loss)
    for options, message in (
        ({"delta": 0}, "delta must be positive, got 0"),
        ({"damping": -1.0}, "damping must be at least 0, got -1.0"),
        ({"max_products": 0}, "max_products must be positive, got 0"),
        ({"shrink": 1.0}, "shrink must lie between 0 and 1, got 1.0"),
        ({"max_backtracks": -1}, "max_backtracks must be at least 0, got -1"),
    ):
        with pytest.raises(ValueError, match=f"kl_trust_region: {message}"):
            kl_trust_region(**options)


def test_a_failed_step_keeps_the_sign_of_zero():
    params = jnp.array([-0.0, 0.0, 1.0])
    updates, _ = kl_trust_region().update(
        jnp.full(3, jnp.nan), None, params, value_fn=jnp.sum, policy_fn=lambda z: Categorical(logits=z)
    )
    kept = optax.apply_updates(params, updates)
    np.testing.assert_array_equal(np.signbit(kept), [True, False, False])


def test_masks_and_counts_beside_the_policy_and_empty_parameters():
    """A policy function may return what its divergence needs: here a mask, which stays boolean; a leaf may be empty."""
    states = jnp.array([[1.0, 0.0], [0.0, 1.0]])
    params = {"w": jnp.zeros((2, 3)), "none": jnp.zeros((0, 3))}
    policy = lambda params: (Categorical(logits=states @ params["w"]), jnp.array([True, False]))  # noqa: E731
    kl = lambda old, new: jnp.sum(policy_kl(old[0], new[0], where=old[1]))  # noqa: E731
    loss = lambda params: -jnp.sum(jax.nn.softmax(states @ params["w"]) @ jnp.array([0.0, 1.0, 2.0]))  # noqa: E731
    updates, state = kl_trust_region(0.01).update(
        jax.grad(loss)(params), None, params, value_fn=loss, policy_fn=policy, kl_fn=kl
    )
    assert state.accepted
    # Only the first state has a divergence.
    moved = jax.tree.map(jnp.add, params, updates)
    exact = np.sum(1 / 3 * (np.log(1 / 3) - np.log(np.asarray(jax.nn.softmax(moved["w"][0])))))
    np.testing.assert_allclose(state.measured_kl, exact, rtol=1e-3)
    assert 0 < exact <= 0.01 * (1 + 1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sufficient": -1.0}, "sufficient must be at least 0"),
        ({"tolerance": -1.0}, "tolerance must be at least 0"),
    ],
)
def test_more_errors(options, message):
    with pytest.raises(ValueError, match=message):
        kl_trust_region(**options)


def test_the_error_names_the_function():
    with pytest.raises(ValueError, match="fisher_vector_product: kl_fn must return a scalar"):
        fisher_vector_product(
            lambda z: Categorical(logits=z), jnp.zeros(2), jnp.ones(2), kl_fn=lambda old, new: old.logits - new.logits
        )


def test_parameters_are_floats():
    with pytest.raises(TypeError, match="max_products must be an integer"):
        kl_trust_region(max_products=2.5)
    with pytest.raises(TypeError, match="kl_trust_region: params must hold floats, got dtype int32"):
        kl_trust_region().update(
            jnp.ones(2), None, jnp.zeros(2, jnp.int32), value_fn=jnp.sum, policy_fn=lambda z: Categorical(logits=z)
        )
