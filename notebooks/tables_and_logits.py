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
# # Tables and logits
#
# A tour of `jaxinfo` for two kinds of input: tables of probabilities (`jaxinfo.*`) and unnormalised log-probabilities
# (`jaxinfo.logits`). Every
# picture is computed in the cell above it, and the last cell asserts what the pictures show.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import jaxinfo
from jaxinfo import logits

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"
plt.rcParams.update({"figure.dpi": 100, "axes.spines.top": False, "axes.spines.right": False, "font.size": 11})

# %% [markdown]
# ## Surprisal and entropy
#
# An outcome of probability $p$ carries $-\log p$ of surprise: nothing when it is certain, more without bound as it
# becomes rare. A fair coin's
# outcome carries $\log 2$ nats, one bit.

# %%
print("a fair coin:   ", jaxinfo.surprisal(0.5), "nats =", jaxinfo.surprisal(0.5, base=2), "bit")
print("a biased coin: ", jaxinfo.entropy(jnp.array([0.9, 0.1])), "nats on average")

# %%
p = jnp.linspace(0.0, 1.0, 401)
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
left.plot(p[1:], jaxinfo.surprisal(p[1:], base=2), color=BLUE)
left.set(xlabel="probability", ylabel="surprisal in bits", ylim=(0, 8), title="Rare is surprising")
right.plot(p, jaxinfo.binary_entropy(p, base=2), color=ORANGE)
right.set(xlabel="probability of heads", ylabel="entropy in bits", title="A coin is most uncertain when it is fair")
plt.show()

# %% [markdown]
# ## Two directions of one divergence
#
# $\mathrm{KL}(p\|q)$ is the surprise that $q$ adds for somebody who lives in $p$. It is not symmetric: on the
# triangle of three outcomes, the sets of all $q$ at equal
# $\mathrm{KL}(p\|q)$ and of all $q$ at equal $\mathrm{KL}(q\|p)$ around the same $p$ differ, most of all near the edge.


# %%
def on_triangle(table):
    """Corners of an equilateral triangle for the three outcomes."""
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(3) / 2]])
    return np.asarray(table) @ corners


side = 121
grid = jnp.array([(i, j, side - 1 - i - j) for i in range(side) for j in range(side - i)]) / (side - 1)
centre = jnp.array([0.15, 0.25, 0.6])
forward, reverse = jaxinfo.kl_divergence(centre, grid), jaxinfo.kl_divergence(grid, centre)

figure, axes = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
x, y = on_triangle(grid).T
for axis, values, title in zip(axes, (forward, reverse), ("KL(p‖q)", "KL(q‖p)"), strict=True):
    inside = np.isfinite(values)
    axis.tricontourf(
        x[inside], y[inside], np.asarray(values)[inside], levels=np.linspace(0, 1.5, 16), cmap="Blues_r", extend="max"
    )
    axis.tricontour(x[inside], y[inside], np.asarray(values)[inside], levels=[0.02, 0.1, 0.3], colors=[ORANGE])
    axis.plot(*on_triangle(centre), "o", color=ORANGE)
    axis.set(title=f"balls of {title} around p", aspect="equal")
    axis.axis("off")
plt.show()

# %% [markdown]
# Where $q$ has no mass and $p$ has some, $\mathrm{KL}(p\|q)$ is infinite: that is `is_absolutely_continuous`. `inf`
# is what comes out, not a big number.

# %%
edge = jnp.array([0.0, 0.5, 0.5])
print("KL(p‖edge) =", jaxinfo.kl_divergence(centre, edge), "  KL(edge‖p) =", jaxinfo.kl_divergence(edge, centre))

# %% [markdown]
# ## Digits where they are usually lost
#
# Shift $q$ away from $p$ by less and less. The divergence falls with the square of the shift, and the textbook sum
# $\sum p \log (p/q)$ in
# float32 is soon nothing but rounding, often negative. `jaxinfo` sums terms that are never negative and keeps its
# digits.

# %%
# Equal probabilities in pairs, one of each shifted up and one down: the sum stays 1.
base = jnp.repeat(jax.nn.softmax(jax.random.normal(jax.random.key(0), (32,), jnp.float32)) / 2, 2)
tilt = jnp.where(jnp.arange(64) % 2 == 0, 1, -1).astype(jnp.float32)
shifts = jnp.logspace(-6, -1, 26).astype(jnp.float32)
shifted = base * (1 + shifts[:, None] * tilt)
textbook = jnp.sum(base * jnp.log(base / shifted), axis=-1)
ours = jaxinfo.kl_divergence(base, shifted)
wide_p, wide_q = np.asarray(base, np.float64), np.asarray(shifted, np.float64)
relative = (wide_q - wide_p) / wide_p
truth = np.sum(wide_p * (relative - np.log1p(relative)), axis=-1)

figure, axis = plt.subplots(figsize=(6.5, 4), layout="constrained")
axis.loglog(shifts, np.maximum(np.abs(textbook / truth - 1), 1e-9), "o-", color=GREY, label="Σ p log(p/q)")
axis.loglog(shifts, np.maximum(np.abs(ours / truth - 1), 1e-9), "o-", color=BLUE, label="jaxinfo.kl_divergence")
axis.axhline(1, color=ORANGE, lw=1)
axis.text(2e-6, 2, "no digit left", color=ORANGE)
axis.set(xlabel="relative shift of q from p", ylabel="relative error", title="KL in float32", ylim=(3e-10, 1e7))
axis.legend(frameon=False, loc=(0.05, 0.3))
plt.show()

# %% [markdown]
# ## Mutual information is a divergence
#
# Of a joint table from the product of its marginals: what $Y$ tells about $X$. Here a bit sent through a channel that
# flips it.

# %%
flip = jnp.linspace(0.0, 1.0, 201)
channel = 0.5 * jnp.stack([jnp.stack([1 - flip, flip], -1), jnp.stack([flip, 1 - flip], -1)], -2)
information = jaxinfo.mutual_information(channel, base=2)

figure, axis = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
axis.plot(flip, information, color=BLUE, label="I(X;Y)")
axis.plot(flip, jaxinfo.conditional_entropy(channel, base=2), color=ORANGE, label="H(X|Y)")
axis.set(xlabel="probability of a flip", ylabel="bits", title="What a noisy channel lets through")
axis.legend(frameon=False, loc="center")
plt.show()

# %% [markdown]
# ## Logits, masks and gradients
#
# `jaxinfo.logits` takes what a network gives. A masked outcome is a logit of `-inf`, and no gradient is spoiled by it.

# %%
student = jnp.array([2.0, 1.0, 0.0, -jnp.inf])
teacher = jnp.array([1.0, 1.0, 1.0, -jnp.inf])
value, gradient = jax.value_and_grad(logits.kl_divergence, argnums=1)(teacher, student)
print("KL(teacher‖student) =", value)
print("gradient            =", gradient)

# %% [markdown]
# Gradient descent on logits finds the table of largest entropy with a given mean: an exponential tilt of the uniform
# one. Here the mean of a die is held at 4.5, as in Jaynes' lectures.

# %%
faces = jnp.arange(1.0, 7.0)


def objective(z):
    mean = jnp.sum(jax.nn.softmax(z) * faces)
    return -logits.entropy(z) + 50 * (mean - 4.5) ** 2


@jax.jit
def descend(z):
    return jax.lax.fori_loop(0, 20_000, lambda _, z: z - 0.005 * jax.grad(objective)(z), z)


die = jax.nn.softmax(descend(jnp.zeros(6)))
jaynes = np.array(
    [0.05435, 0.07877, 0.11416, 0.16545, 0.23977, 0.34749]
)  # E. T. Jaynes, "Where do we stand on maximum entropy?", 1978

figure, axis = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
axis.bar(faces - 0.2, die, width=0.4, color=BLUE, label="gradient descent")
axis.bar(faces + 0.2, jaynes, width=0.4, color=GREEN, label="Jaynes 1978")
axis.set(xlabel="face", ylabel="probability", title="The least committed die with mean 4.5")
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# ## What was shown

# %%
assert np.isclose(jaxinfo.surprisal(0.5), np.log(2))
assert jaxinfo.surprisal(0.5, base=2) == 1
assert np.isclose(jaxinfo.entropy(jnp.array([0.9, 0.1])), 0.325083, atol=1e-6)
assert not np.allclose(forward[np.isfinite(forward)], reverse[np.isfinite(forward)], atol=0.1)
assert jaxinfo.kl_divergence(centre, edge) == jnp.inf
assert np.isfinite(jaxinfo.kl_divergence(edge, centre))
assert np.max(np.abs(ours / truth - 1)) < 2e-6  # 16 units of float32 rounding
assert np.max(np.abs(textbook / truth - 1)) > 1
assert np.isclose(information[0], 1)
assert np.isclose(information[100], 0, atol=1e-6)
assert np.allclose(information + jaxinfo.conditional_entropy(channel, base=2), 1, atol=1e-6)
assert np.isfinite(gradient).all()
assert np.allclose(die, jaynes, atol=2e-3)  # the penalty of weight 50 leaves the mean short of 4.5 by 0.004
