# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # KL as a trust region
#
# A step of a policy may be measured in its parameters or in what it does. The gradient is the best direction for the
# first ruler, and the natural gradient for the second: of all steps that change the policy by the same KL(old‖new), it
# improves most in the limit of small ones. This notebook draws both on three arms, shows where the damping of
# textbooks stalls, and trains a Flax policy under the same budget both ways. Every number is computed here, and the
# last cell asserts what the text says.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax
from flax import nnx
from sklearn.datasets import load_digits

import jaxinfo
from jaxinfo.distributions import Categorical
from jaxinfo.objectives import fisher_vector_product, kl_trust_region, policy_kl

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"
plt.rcParams.update({"figure.dpi": 100, "axes.spines.top": False, "axes.spines.right": False, "font.size": 11})

# %% [markdown]
# ## Balls on the simplex
#
# Three arms pay 0, 1/2 and 1. A policy is a point of the triangle; its logits are the parameters. The curves around
# each policy are where KL(old‖new) = 0.02: wide in the middle, narrow at the edges, where few nats buy few
# percent. Straight grey lines are policies of equal expected reward, so the best point of a ball is where such a line
# touches it.

# %%
REWARD = jnp.array([0.0, 0.5, 1.0])
DELTA = 0.02
CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 3**0.5 / 2]])


def policy(z):
    return Categorical(logits=z)


def loss(z):
    return -jnp.sum(jax.nn.softmax(z) * REWARD)


def natural_step(z, delta):
    trust = kl_trust_region(delta)
    return trust.update(jax.grad(loss)(z), trust.init(z), z, value_fn=loss, policy_fn=policy)


def to_the_edge(z, direction, delta):
    """As far along a direction as the measured divergence is at most delta: found by halving an interval."""

    def halve(ends, _):
        low, high = ends
        middle = 0.5 * (low + high)
        inside = policy_kl(policy(z), policy(z + middle * direction)) <= delta
        return (jnp.where(inside, middle, low), jnp.where(inside, high, middle)), None

    (length, _), _ = jax.lax.scan(halve, (jnp.asarray(0.0), jnp.asarray(1e4)), length=60)
    return z + length * direction


def best_on_ball(p, delta):
    """The best policy of the ball: p / (c - reward), normalised, by Lagrange; c is found on a fine grid."""
    c = 1 + jnp.logspace(-6, 4, 200_001)
    q = p / (c[:, None] - REWARD[None])
    q = q / q.sum(axis=1, keepdims=True)
    reward = jnp.where(jaxinfo.kl_divergence(p[None], q) <= delta, q @ REWARD, -jnp.inf)
    return q[jnp.argmax(reward)]


starts = jnp.log(
    jnp.array([[0.34, 0.33, 0.33], [0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.94, 0.055, 0.005], [0.2, 0.2, 0.6]])
)
old_p = np.asarray(jax.nn.softmax(starts))


@jax.jit
@jax.vmap
def three_ways(z, delta):
    directions = natural_step(z, delta)[0], -jax.grad(loss)(z)
    ends = [jax.nn.softmax(to_the_edge(z, direction, delta)) for direction in directions]
    return *ends, best_on_ball(jax.nn.softmax(z), delta)


def steps(delta):
    """Where the natural gradient, the gradient and the best policy are, and what each gains of what the best does."""
    found = [np.asarray(q) for q in three_ways(starts, jnp.full(len(starts), delta))]
    gains = [(q - old_p) @ np.asarray(REWARD) for q in found]
    return found, gains[0] / gains[2], gains[1] / gains[2]


(natural_p, plain_p, best_p), natural_share, plain_share = steps(DELTA)
_, natural_share_of_little, plain_share_of_little = steps(DELTA / 100)
print("share of the best gain within a ball    KL <= 0.02          KL <= 0.0002")
print("from                                natural  gradient    natural  gradient")
for row in zip(old_p, natural_share, plain_share, natural_share_of_little, plain_share_of_little, strict=True):
    print(f"{row[0].round(3)!s:36}{row[1]:7.1%}{row[2]:10.1%}{row[3]:11.1%}{row[4]:10.1%}")

# %%
u, v = np.meshgrid(np.linspace(0, 1, 500), np.linspace(0, 3**0.5 / 2, 500))
third = v / (3**0.5 / 2)
second = u - third / 2
table = np.stack([1 - second - third, second, third], axis=-1)
inside = (table > 1e-9).all(axis=-1)
safe = np.where(inside[..., None], table, 1 / 3)

figure, axes = plt.subplots(figsize=(8, 6.8), layout="constrained")
reward_there = np.where(inside, safe @ np.asarray(REWARD), np.nan)
axes.contour(u, v, reward_there, levels=np.arange(0.1, 1, 0.1), colors="#cccccc", linewidths=0.8)
axes.plot(*CORNERS[[0, 1, 2, 0]].T, color=GREY, lw=1)
for i, p in enumerate(old_p):
    kl = np.where(inside, np.asarray(jaxinfo.kl_divergence(jnp.asarray(p), jnp.asarray(safe, jnp.float32))), np.nan)
    axes.contourf(u, v, kl, levels=[0, DELTA], colors=[GREY], alpha=0.15)
    axes.contour(u, v, kl, levels=[DELTA], colors=[GREY], linewidths=1)
    axes.plot(*(best_p[i] @ CORNERS), "*", color=BLUE, ms=12, label="best of the ball" if i == 0 else None)
    for q, color, label in ((plain_p[i], ORANGE, "gradient"), (natural_p[i], GREEN, "natural gradient")):
        arrow = {"arrowstyle": "-|>", "color": color, "lw": 2, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", q @ CORNERS, p @ CORNERS, arrowprops=arrow)
        axes.plot([], [], color=color, lw=2, label=label if i == 0 else None)
    axes.plot(*(p @ CORNERS), "o", color=GREY, ms=4)
places = ((-0.02, -0.05), (-0.06, -0.05), (-0.04, 0.02))
for corner, label, place in zip(CORNERS, ("pays 0", "pays 1/2", "pays 1"), places, strict=True):
    axes.annotate(label, corner + place)
axes.set(aspect="equal", xlim=(-0.06, 1.06), ylim=(-0.07, 0.95))
axes.axis("off")
axes.legend(frameon=False, loc="upper left")
axes.set_title(f"Steps of KL(old‖new) = {DELTA}")
plt.show()

# %% [markdown]
# The natural gradient ends next to the star. For a softmax it is the reward itself, less its mean: every arm's
# logit moves by what it pays, however rarely it is drawn. The gradient multiplies that by the arm's probability, and so
# hardly notices a good arm that is rare. As the ball shrinks the natural gradient gets all that the ball has. Of a
# ball of 0.02 nats it misses up to three hundredths, which are second order.
#
# ## Where a constant damping stalls
#
# Conjugate gradients solve $(F + \lambda I) d = g$, and textbooks take $\lambda = 0.1$ and the length that gives
# $\frac12 d^\top (F + \lambda I) d = \delta$. The Fisher matrix of a policy that is nearly certain is nearly zero, and
# then that sum is all damping: the divergence used is a vanishing part of the budget. `kl_trust_region` takes a
# multiple of the curvature along the gradient as its damping, and leaves it out of the length.

# %%
TEXTBOOK = 0.1
certainty = np.logspace(-0.5, -6, 23)  # probability of the two good arms together
rows = []
for rare in certainty:
    p = np.array([1 - rare, rare / 2, rare / 2])
    fisher, gradient = np.diag(p) - np.outer(p, p), -p * (np.asarray(REWARD) - p @ np.asarray(REWARD))
    direction = np.linalg.solve(fisher + TEXTBOOK * np.eye(3), gradient)
    length = np.sqrt(2 * DELTA / (direction @ (fisher + TEXTBOOK * np.eye(3)) @ direction))
    moved = p * np.exp(-length * direction)
    rows.append((np.linalg.eigvalsh(fisher)[-1], np.sum(p * np.log(p * moved.sum() / moved)) / DELTA))
logits = jnp.log(jnp.stack([1 - certainty, certainty / 2, certainty / 2], axis=-1))
_, states = jax.jit(jax.vmap(lambda z: natural_step(z, DELTA)))(logits)
largest_eigenvalue, used_by_textbook = np.array(rows).T
used_by_default = np.asarray(states.measured_kl) / DELTA

figure, axes = plt.subplots(figsize=(7, 3.8), layout="constrained")
axes.plot(certainty, used_by_textbook, color=ORANGE, lw=2, label=f"damping {TEXTBOOK}, also in the length")
axes.plot(certainty, used_by_default, color=GREEN, lw=2, label="kl_trust_region")
axes.plot(certainty, largest_eigenvalue, color=GREY, lw=1, ls=":", label="largest eigenvalue of the Fisher matrix")
axes.set(
    xscale="log", yscale="log", xlabel="probability of the arms that pay", ylabel="measured KL, share of the budget"
)
axes.invert_xaxis()
axes.legend(frameon=False, loc="lower left")
axes.set_title("What is left of the budget when the policy is nearly certain")
plt.show()

# %% [markdown]
# ## A network under the same budget
#
# A policy sees a scanned digit and names one of ten classes; naming the right one pays 1. A Flax network with 32 hidden
# units learns from the expected reward on 512 digits. Every step may move the policy by a mean KL of at most 0.02,
# either along the natural gradient or along the gradient, whose length is searched for in the same way.

# %%
digits = load_digits()
states_of_digits = jnp.asarray(digits.data[:512] / 16, jnp.float32)
labels = jnp.asarray(digits.target[:512])


class Policy(nnx.Module):
    def __init__(self, rngs):
        self.hidden = nnx.Linear(64, 32, rngs=rngs)
        self.out = nnx.Linear(32, 10, rngs=rngs)

    def __call__(self, x):
        return Categorical(logits=self.out(nnx.tanh(self.hidden(x))))


graph, start = nnx.split(Policy(nnx.Rngs(0)))
BUDGET, STEPS = 0.02, 60


def network(params):
    return nnx.merge(graph, params)(states_of_digits)


def digit_loss(params):
    return -jnp.mean(jnp.exp(network(params).log_prob(labels)))


def train(optimizer):
    def body(carry, _):
        params, memory = carry
        gradient = jax.grad(digit_loss)(params)
        updates, memory = optimizer.update(gradient, memory, params, value_fn=digit_loss, policy_fn=network)
        moved = optax.apply_updates(params, updates)
        kl = jnp.mean(policy_kl(network(params), network(moved)))
        return (moved, memory), (-digit_loss(moved), kl, optax.tree.get(memory, "measured_kl"))

    return jax.jit(lambda p: jax.lax.scan(body, (p, optimizer.init(p)), length=STEPS)[1])(start)


# With so much damping that the Fisher matrix does not turn the direction, the step is along the gradient.
runs = {
    "natural gradient": train(kl_trust_region(BUDGET)),
    "gradient": train(kl_trust_region(BUDGET, damping=1e6)),
}

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.8), layout="constrained")
for (name, (reward, kl, _)), color in zip(runs.items(), (GREEN, ORANGE), strict=True):
    left.plot(np.arange(1, STEPS + 1), reward, color=color, lw=2, label=name)
    right.plot(np.arange(1, STEPS + 1), kl, color=color, lw=2, label=name)
right.axhline(BUDGET, color=GREY, ls="--", lw=1)
left.set(xlabel="step", ylabel="probability of the right class", ylim=(0, 1))
right.set(xlabel="step", ylabel="mean KL(old‖new)", ylim=(0, 1.2 * BUDGET))
left.set_title("The same divergence buys more")
right.set_title("What every step cost")
left.legend(frameon=False, loc="lower right")
plt.show()
for name, (reward, kl, _) in runs.items():
    print(f"{name:17} {float(reward[-1]):.3f} after {STEPS} steps of together {float(kl.sum()):.2f} nats")

# %% [markdown]
# ## What was claimed

# %%
assert natural_share.min() > 0.96
assert plain_share.min() < 0.9
assert np.all(natural_share > plain_share - 0.002)
assert natural_share_of_little.min() > 0.995
assert np.all(natural_share_of_little > plain_share_of_little - 0.002)
# For a softmax the Fisher matrix times the reward is the gradient: the natural gradient is the reward.
z = jnp.log(jnp.array([0.8, 0.1, 0.1]))
np.testing.assert_allclose(fisher_vector_product(policy, z, REWARD), -jax.grad(loss)(z), rtol=1e-5, atol=1e-7)
# Steps on the triangle are as long as they say.
for q in (natural_p, plain_p):
    kl = jaxinfo.kl_divergence(jnp.asarray(old_p), jnp.asarray(q))
    assert np.all(np.asarray(kl) <= DELTA * 1.001)
    assert np.all(np.asarray(kl) > 0.99 * DELTA)
assert used_by_textbook[-1] < 1e-4
assert used_by_default.min() > 0.1
for _, kl, measured in runs.values():
    assert np.all(np.asarray(kl) <= BUDGET * 1.0001)
    np.testing.assert_allclose(kl, measured, atol=1e-6)
assert runs["natural gradient"][0][-1] > 0.9
assert runs["natural gradient"][0][-1] > runs["gradient"][0][-1] + 0.1
