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
# A tour of information theory as it is taught on tables of probabilities (`jaxinfo.*`), and at the end on unnormalised
# log-probabilities (`jaxinfo.logits`). Every picture is computed in the cell above it, and the last cell asserts what
# the pictures show and what the text says.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.tri import Triangulation

import jaxinfo
from jaxinfo import logits

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"
plt.rcParams.update({"figure.dpi": 100, "axes.spines.top": False, "axes.spines.right": False, "font.size": 11})

# %% [markdown]
# ## Surprisal and entropy
#
# An outcome of probability $p$ carries $-\log p$ of surprise: nothing when it is certain, more without bound as it
# becomes rare. What happens independently adds up. Entropy is the surprise to expect, $H(p) = -\sum p \log p$: a fair
# coin has $\log 2 = 0.693$ nats, which is 1 bit; a coin that falls on one side nine times in ten has 0.325 nats.

# %%
fair, biased = jnp.array([0.5, 0.5]), jnp.array([0.9, 0.1])
print("surprisal of heads, fair:", jaxinfo.surprisal(0.5), "nats =", jaxinfo.surprisal(0.5, base=2), "bit")
print("entropy of a fair coin:  ", jaxinfo.entropy(fair), "nats =", jaxinfo.entropy(fair, base=2), "bit")
print("entropy of a biased one: ", jaxinfo.entropy(biased), "nats =", jaxinfo.entropy(biased, base=2), "bits")

# %%
p = jnp.linspace(0.0, 1.0, 401)
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
left.plot(p[1:], jaxinfo.surprisal(p[1:], base=2), color=BLUE)
left.set(xlabel="probability", ylabel="surprisal in bits", ylim=(0, 8), title="Rare is surprising")
right.plot(p, jaxinfo.binary_entropy(p, base=2), color=ORANGE)
for heads, name, side in ((0.5, "fair: 1 bit", "center"), (0.1, "  biased: 0.469 bits = 0.325 nats", "left")):
    right.plot(heads, jaxinfo.binary_entropy(heads, base=2), "o", color=ORANGE)
    right.annotate(name, (heads, jaxinfo.binary_entropy(heads, base=2)), (0, -18), textcoords="offset points", ha=side)
right.set(xlabel="probability of heads", ylabel="entropy in bits", title="A coin is most uncertain when it is fair")
plt.show()

# %% [markdown]
# ## Entropy over the simplex
#
# The tables of three outcomes a, b and c fill a triangle: certainty at the corners, two possible outcomes on the edges,
# the fair table in the middle. Entropy is a dome over it, 0 at the corners, 1 bit halfway along an edge,
# $\log_2 3 = 1.585$ bits in the middle. `perplexity` says the same as a number of equally likely outcomes: 1, 2, 3.
#
# Cross-entropy $H(p, q) = -\sum p \log q$ is the surprise of somebody who lives in $p$ and believes $q$. Over the $q$
# of the same triangle it is a bowl: lowest at $q = p$, where it is $H(p)$, and infinite where $q$ rules out what
# happens.


# %%
def on_triangle(table):
    """Corners of an equilateral triangle for the three outcomes."""
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(3) / 2]])
    return np.asarray(table) @ corners


def draw_triangle(axis, title):
    axis.plot(*on_triangle(np.eye(3)[[0, 1, 2, 0]]).T, color="black", lw=1)
    for name, table in zip("abc", np.eye(3), strict=True):
        axis.text(*on_triangle(1.12 * table - 0.04), name, ha="center", va="center")
    axis.set(title=title, aspect="equal", xlim=(-0.12, 1.12), ylim=(-0.11, 0.97))
    axis.axis("off")


steps = 160
grid = jnp.array([(i, j, steps - i - j) for i in range(steps + 1) for j in range(steps + 1 - i)]) / steps
mesh = Triangulation(*on_triangle(grid).T)
centre = jnp.array([0.15, 0.25, 0.6])
landmarks = jnp.array([[1, 0, 0], [1 / 2, 1 / 2, 0], [1 / 3, 1 / 3, 1 / 3]])
dome, bowl = jaxinfo.entropy(grid, base=2), jaxinfo.cross_entropy(centre, grid, base=2)

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
draw_triangle(left, "entropy H(q)")
filled = left.tricontourf(mesh, dome, levels=np.linspace(0, 1.6, 17), cmap="cividis")
figure.colorbar(filled, ax=left, label="bits", shrink=0.8, ticks=[0, 0.4, 0.8, 1.2, 1.6])
for table, shift in zip(landmarks, ((24, -16), (0, -16), (0, 8)), strict=True):
    left.plot(*on_triangle(table), "o", color="black", ms=4)
    value = f"{jaxinfo.entropy(table, base=2):.3f}"
    left.annotate(value, on_triangle(table), shift, textcoords="offset points", ha="center")
draw_triangle(right, "cross-entropy H(p, q)")
filled = right.tricontourf(mesh, np.minimum(bowl, 9), levels=np.linspace(1.2, 4.4, 17), cmap="cividis", extend="max")
figure.colorbar(filled, ax=right, label="bits", shrink=0.8, ticks=[1.2, 2.0, 2.8, 3.6, 4.4])
right.plot(*on_triangle(centre), "o", color="white", ms=4)
right.annotate("q = p", on_triangle(centre), (0, 7), textcoords="offset points", ha="center", color="white")
plt.show()

# %% [markdown]
# ## The divergence is what is left over
#
# $\mathrm{KL}(p\|q) = H(p, q) - H(p)$ is the surprise that $q$ adds. It has a picture. Cross-entropy is linear in $p$
# and touches the entropy at $p = q$: it is the tangent there. KL is the gap between the tangent and the curve, and is
# never negative because entropy is concave. On the right the same gap with $p$ held and $q$ moved. Trained on
# cross-entropy, a model descends this curve; what it cannot get below is $H(p)$.


# %%
def coin(heads):
    return jnp.stack([heads, 1 - heads], axis=-1)


believed, real = 0.2, 0.6
slope = jax.grad(jaxinfo.binary_entropy)(believed) / jnp.log(2)
tangent = jaxinfo.binary_entropy(believed, base=2) + slope * (p - believed)
crossed = jaxinfo.cross_entropy(coin(p), coin(jnp.array(believed)), base=2)
charged = jaxinfo.cross_entropy(coin(jnp.array(real)), coin(p), base=2)
floor = jaxinfo.binary_entropy(real, base=2)
at_real = jaxinfo.cross_entropy(coin(jnp.array(real)), coin(jnp.array(believed)), base=2)

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
left.plot(p, jaxinfo.binary_entropy(p, base=2), color=BLUE, label="H(p)")
left.plot(p, crossed, "--", color=ORANGE, label="H(p, q), q = 0.2")
left.plot([real, real], [floor, at_real], color=GREEN, lw=3, label="KL(p‖q), p = 0.6")
left.plot(believed, jaxinfo.binary_entropy(believed, base=2), "o", color=ORANGE)
left.set(xlabel="probability p of heads", ylabel="bits", ylim=(0, 2.4), title="Cross-entropy is the tangent")
left.legend(frameon=False, loc="upper left")
right.plot(p, charged, "--", color=ORANGE, label="H(p, q), p = 0.6")
right.axhline(floor, color=BLUE, label="H(p)")
right.plot([believed, believed], [floor, at_real], color=GREEN, lw=3, label="KL(p‖q), q = 0.2")
right.set(xlabel="probability q that is believed", ylabel="bits", ylim=(0, 3.4), title="The same gap as q moves")
right.legend(frameon=False, loc="upper center")
plt.show()

# %% [markdown]
# ## Two directions of one divergence
#
# KL is not symmetric: around the same $p$, the ball of all $q$ with $\mathrm{KL}(p\|q) \le r$ and the ball of all $q$
# with $\mathrm{KL}(q\|p) \le r$ differ. The forward ball of an inner point never reaches the edge, because there $q$
# rules out what happens and $\mathrm{KL}(p\|q)$ is infinite. The reverse ball does: first at 0.163 nats, in the
# point that is $p$ with the outcome a, of probability 0.15, ruled out. Conditioning is a projection onto the nearest
# table without a, and the distance is the surprisal of what was learnt, $-\log(1 - 0.15)$.
#
# Small balls agree: to second order both divergences are $\frac12 \sum (q - p)^2 / p$, the Fisher metric. Balls of one
# size look smaller near the edges, where a shift of the same length tells more.

# %%
forward, reverse = jaxinfo.kl_divergence(centre, grid), jaxinfo.kl_divergence(grid, centre)
conditioned = jnp.array([0.0, 0.25, 0.6]) / 0.85
radii = [0.03, -np.log(1 - 0.15), 0.4]
lattice = (jnp.array([(i, j, 3 - i - j) for i in range(4) for j in range(4 - i)]) + 0.4) / 4.2
around = jaxinfo.kl_divergence(lattice[:, None], grid), jaxinfo.kl_divergence(grid, lattice[:, None])


def draw_balls(axis, values, levels, *, colour, style):
    axis.tricontour(mesh, np.minimum(values, 9), levels=levels, colors=[colour], linestyles=[style], linewidths=1.5)


figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")
draw_triangle(left, "balls around p: r = 0.03, 0.163, 0.4 nats")
draw_balls(left, forward, radii, colour=BLUE, style="solid")
draw_balls(left, reverse, radii, colour=ORANGE, style="dashed")
left.plot(*on_triangle(centre), "o", color="black", ms=4)
left.annotate("p", on_triangle(centre), (4, 4), textcoords="offset points")
left.plot(*on_triangle(conditioned), "s", color=ORANGE, ms=6)
left.annotate("p without a", on_triangle(conditioned), (8, 4), textcoords="offset points", color=ORANGE)
draw_triangle(right, "balls of r = 0.02 nats everywhere")
for around_forward, around_reverse in zip(*around, strict=True):
    draw_balls(right, around_forward, [0.02], colour=BLUE, style="solid")
    draw_balls(right, around_reverse, [0.02], colour=ORANGE, style="dashed")
right.plot(*on_triangle(lattice).T, ".", color="black", ms=3)
left.plot([], [], color=BLUE, label="KL(p‖q) = r")
left.plot([], [], "--", color=ORANGE, label="KL(q‖p) = r")
figure.legend(frameon=False, loc="outside lower center", ncols=2)
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
# Of a joint table from the product of its marginals: $I(X;Y) = \mathrm{KL}(p_{xy} \| p_x p_y)$, the surprise of
# somebody who takes $X$ and $Y$ to be independent. No other product is nearer. Cell by cell it is the mean of
# $\log \frac{p(x, y)}{p(x) p(y)}$, `pointwise_mutual_information`: positive where two values come together more often
# than by chance.
#
# Below, $X$ is the weather of one day and $Y$ that of the next.

# %%
weather = jnp.array([[0.30, 0.10, 0.02], [0.08, 0.16, 0.08], [0.02, 0.06, 0.18]])
product = weather.sum(1, keepdims=True) * weather.sum(0, keepdims=True)
pointwise = jaxinfo.pointwise_mutual_information(weather, base=2)
told = jaxinfo.mutual_information(weather, base=2)
as_divergence = jaxinfo.kl_divergence(weather, product, axis=(-2, -1), base=2)
print("KL(joint‖product) =", as_divergence, "bits, I(X;Y) =", told, "bits")

figure, axes = plt.subplots(1, 3, figsize=(10, 3.5), layout="constrained")
titles = "joint p(x, y)", "product p(x) p(y)", "pointwise information, bits"
for axis, table, title in zip(axes, (weather, product, pointwise), titles, strict=True):
    colours, reach = ("PuOr_r", 3.5) if table is pointwise else ("Blues", 0.5)
    axis.imshow(table, cmap=colours, vmin=-reach if table is pointwise else 0, vmax=reach)
    for (row, column), value in np.ndenumerate(table):
        dark = abs(value) > 0.5 * reach
        axis.text(column, row, f"{value:.2f}", ha="center", va="center", color="white" if dark else "black")
    axis.set(title=title, xlabel="Y, next day", xticks=range(3), xticklabels=("sun", "cloud", "rain"))
    axis.set(yticks=range(3), yticklabels=("sun", "cloud", "rain"))
    axis.spines[:].set_visible(False)
axes[0].set_ylabel("X, one day")
plt.show()

# %% [markdown]
# A fair bit sent through a channel that flips it: everything arrives if it is never flipped or always, nothing if it is
# flipped half of the time.

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
# ## Entropy diagrams
#
# Entropies of several variables add up like the sizes of sets: $X$ is a disc of size $H(X)$, what two variables share
# is $I(X;Y)$, what is left of $X$ when $Y$ is known is $H(X|Y)$. `jaxinfo.shannon` takes the names of a table's axes
# and any sum of such pieces, and one pattern gives the whole diagram. `shannon_terms` shows the joint entropies that
# stand behind a piece.
#
# The third variable is the weather of the day after next, and depends on $X$ only through $Y$. Of such a chain the
# piece $I(X;Z|Y)$ is 0: all that the first day tells about the third lies inside what it tells about the second, so
# that $I(X;Z) \le I(X;Y)$, the data-processing inequality. Discs are not drawn to scale.

# %%
PAIR = "x y -> H(x | y), I(x; y), H(y | x)"
TRIPLE = "x y z -> H(x | y z), H(y | x z), H(z | x y), I(x; y | z), I(y; z | x), I(x; z | y), I(x; y; z)"
chain = weather[:, :, None] * (weather / weather.sum(1, keepdims=True))
pieces = {"pair": jaxinfo.shannon(PAIR, weather, base=2), "chain": jaxinfo.shannon(TRIPLE, chain, base=2)}
print("H(x | y)    is", jaxinfo.shannon_terms("x y -> H(x | y)"))
print("I(x; y; z)  is", jaxinfo.shannon_terms("x y z -> I(x; y; z)"))


def draw_diagram(axis, values, title):
    """Two discs with three numbers or three discs with seven, in the order of PAIR and TRIPLE."""
    colours = BLUE, ORANGE, GREEN
    if len(values) == 3:
        hubs = np.array([[-0.6, 0.0], [0.6, 0.0]])
        places = [[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]
    else:
        hubs = 0.68 * np.array([[-np.sqrt(3) / 2, 0.5], [np.sqrt(3) / 2, 0.5], [0.0, -1.0]])
        x, y, z = hubs
        places = [*(1.6 * hubs), *(-0.9 * np.array([z, x, y])), [0.0, 0.0]]
    for hub, colour, name in zip(hubs, colours, "XYZ", strict=False):
        axis.add_patch(plt.Circle(hub, 1.0, facecolor=colour, alpha=0.16))
        axis.add_patch(plt.Circle(hub, 1.0, fill=False, edgecolor=colour, lw=2))
        outward = np.array([np.sign(hub[0]) * 0.85, 0.85]) if hub[1] >= 0 else np.array([0.95, -0.65])
        axis.text(*(hub + outward), name, color=colour, ha="center", va="center", fontsize=14, fontweight="bold")
    for place, value in zip(places, values, strict=True):
        axis.text(*place, f"{round(float(value), 3) + 0:.3g}", ha="center", va="center")
    axis.set(title=title, aspect="equal", xlim=(-1.8, 1.8), ylim=(-1.8, 1.5))
    axis.axis("off")


figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
draw_diagram(left, pieces["pair"], "two days of weather, bits")
draw_diagram(right, pieces["chain"], "three days, a chain X → Y → Z, bits")
plt.show()

# %% [markdown]
# ## Synergy and redundancy
#
# The piece in the middle, the co-information $I(X;Y;Z) = I(X;Y) - I(X;Y|Z)$, is the size of no set: it may be
# negative.
#
# - *Synergy*: $X$ and $Y$ are independent fair bits and $Z$ says whether they differ (XOR). $X$ alone tells 0 bits
#   about $Z$, so does $Y$, and both together tell 1 bit. The middle is -1 bit.
# - *Redundancy*: the giant bit, $X = Y = Z$. Each alone tells 1 bit about $Z$, and both together no more than that 1.
#   The middle is +1 bit.

# %%
xor = jnp.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]) / 4
giant = jnp.zeros((2, 2, 2)).at[0, 0, 0].set(0.5).at[1, 1, 1].set(0.5)
for name, table in (("xor", xor), ("giant", giant)):
    pieces[name] = jaxinfo.shannon(TRIPLE, table, base=2)
    alone, other, together = jaxinfo.shannon("x y z -> I(x; z), I(y; z), I(x y; z)", table, base=2)
    print(f"{name:5}  I(x; z) = {alone:.0f}   I(y; z) = {other:.0f}   I(x y; z) = {together:.0f} bits")

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
draw_diagram(left, pieces["xor"], "synergy: Z = X xor Y, bits")
draw_diagram(right, pieces["giant"], "redundancy: X = Y = Z, bits")
plt.show()

# %% [markdown]
# Between the two, mixed in proportion $t$: total correlation $\sum_i H(X_i) - H(X, Y, Z)$ counts what is shared from
# below, dual total correlation $H(X, Y, Z) - \sum_i H(X_i | \text{rest})$ from above. Their difference is the
# O-information, positive where redundancy rules, negative where synergy does; of three variables it is the
# co-information. The giant bit has 2, 1 and 1 bits, XOR has 1, 2 and -1. The mixtures are a batch axis that the pattern
# keeps.

# %%
share = jnp.linspace(0.0, 1.0, 101)
mixed = (1 - share[:, None, None, None]) * giant + share[:, None, None, None] * xor
total, dual, common = jaxinfo.shannon(
    "t x y z -> t H(x) + H(y) + H(z) - H(x y z),"
    "           t H(x y z) - H(x | y z) - H(y | x z) - H(z | x y),"
    "           t I(x; y; z)",
    mixed,
    base=2,
)

figure, axis = plt.subplots(figsize=(6.5, 3.8), layout="constrained")
axis.axhline(0, color=GREY, lw=0.8)
axis.plot(share, total, "--", color=BLUE, label="total correlation")
axis.plot(share, dual, ":", color=GREEN, lw=2, label="dual total correlation")
axis.plot(share, total - dual, color=ORANGE, label="O-information")
axis.set(xlabel="share t of XOR in the mixture", ylabel="bits", title="From redundancy to synergy", ylim=(-1.15, 2.15))
axis.legend(frameon=False, loc="lower left")
plt.show()

# %% [markdown]
# ## Other means of surprise
#
# Rényi's entropy of order $a$ averages surprise with another mean. Order 0 counts what is possible
# ($\log_2 5 = 2.322$ bits for a die that never shows six), 1 is Shannon's, 2 is the surprise of two throws that agree,
# infinity looks only at the likeliest outcome. It never rises with the order, and is flat only for tables that are
# uniform on what is possible. The orders are an array like any other, the limits 0, 1 and infinity included, and one
# call computes the picture on each side.

# %%
dice = {
    "fair": jnp.full(6, 1 / 6),
    "never a six": jnp.array([0.3, 0.25, 0.2, 0.15, 0.1, 0.0]),
    "half sixes": jnp.array([0.1, 0.1, 0.1, 0.1, 0.1, 0.5]),
}
squeezed = jnp.linspace(0.0, 1.0, 201)  # order / (1 + order): infinity is at 1
orders = squeezed / (1 - squeezed)
curves = jaxinfo.renyi_entropy(jnp.stack(list(dice.values()))[:, None, :], orders, base=2)
named_orders = jnp.array([0.0, 0.5, 1.0, 2.0, jnp.inf])
coins = jaxinfo.renyi_entropy(coin(p)[:, None, :], named_orders, base=2)

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.9), layout="constrained")
for curve, name, colour, style in zip(curves, dice, (GREY, BLUE, ORANGE), ("-", "--", "-."), strict=True):
    left.plot(squeezed, curve, style, color=colour, label=name)
left.set(xlabel="order", ylabel="bits", ylim=(0, 2.8), title="Rényi entropy of three dice")
left.set(xticks=[0, 1 / 2, 2 / 3, 5 / 6, 1], xticklabels=["0\ncount", "1\nShannon", "2", "5", "∞\nlikeliest"])
left.legend(frameon=False, loc="lower left")
shades = plt.get_cmap("cividis")(np.linspace(0, 0.85, len(named_orders)))
for curve, name, colour in zip(coins.T, ("0", "½", "1", "2", "∞"), shades, strict=True):
    right.plot(p, curve, color=colour, label=f"order {name}", lw=2.5 if name == "1" else 1.5)
right.set(xlabel="probability of heads", ylabel="bits", title="Rényi entropy of a coin")
right.legend(frameon=False, loc="lower center")
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
def bits(table):
    """Entropy in float64, by the textbook sum."""
    table = np.asarray(table, np.float64)
    return -np.sum(table[table > 0] * np.log2(table[table > 0]))


# Surprisal and entropy.
assert np.isclose(jaxinfo.surprisal(0.5), 0.693, atol=5e-4)
assert jaxinfo.surprisal(0.5, base=2) == 1
assert np.isclose(jaxinfo.entropy(fair), np.log(2))
assert np.isclose(jaxinfo.entropy(biased), 0.325083, atol=1e-6)
assert np.isclose(jaxinfo.entropy(biased, base=2), 0.468996, atol=1e-6)
assert np.isclose(jaxinfo.surprisal(0.5 * 0.2), jaxinfo.surprisal(0.5) + jaxinfo.surprisal(0.2))

# The dome, the bowl, the tangent.
assert np.allclose(jaxinfo.entropy(landmarks, base=2), [0, 1, 1.584963], atol=1e-6)
assert np.allclose(jaxinfo.perplexity(landmarks), [1, 2, 3], rtol=1e-6)
assert np.max(dome) <= np.log2(3) + 1e-6
assert np.array_equal(grid[np.argmin(bowl)], centre)
assert np.isclose(np.min(bowl), bits(centre), rtol=1e-6)
assert np.all(np.isinf(bowl[np.any(grid == 0, axis=-1)]))
assert np.allclose(tangent, crossed, atol=1e-6)
assert np.all(crossed >= jaxinfo.binary_entropy(p, base=2) - 1e-6)
assert np.isclose(at_real - floor, 0.6 * np.log2(0.6 / 0.2) + 0.4 * np.log2(0.4 / 0.8), atol=1e-6)
assert np.isclose(np.min(charged), floor, atol=1e-6)
assert np.isclose(p[np.argmin(charged)], real)

# Balls.
at_edge = np.any(grid == 0, axis=-1)
assert np.all(np.isinf(forward[at_edge]))
assert np.isfinite(reverse).all()
assert np.isclose(jaxinfo.kl_divergence(conditioned, centre), -np.log(1 - 0.15), rtol=1e-6)
assert np.isclose(-np.log(1 - 0.15), 0.163, atol=5e-4)
assert np.isclose(np.min(reverse[at_edge]), -np.log(1 - 0.15), rtol=1e-3)  # the grid passes close by that table
assert np.sum((forward < 0.4) != (reverse < 0.4)) > 0.1 * np.sum(forward < 0.4)
sizes = [np.sum(ball < 0.02) for ball in around[0]]
assert np.ptp(lattice[np.argmax(sizes)]) < 1e-6  # the largest ball is in the middle,
assert np.max(lattice[np.argmin(sizes)]) > 0.8  # the smallest in a corner
near = centre + 1e-3 * jnp.array([1.0, -2.0, 1.0])
fisher = 0.5 * np.sum((np.asarray(near, np.float64) - np.asarray(centre)) ** 2 / np.asarray(centre))
assert np.isclose(jaxinfo.kl_divergence(centre, near), fisher, rtol=0.02)
assert np.isclose(jaxinfo.kl_divergence(near, centre), fisher, rtol=0.02)
assert jaxinfo.kl_divergence(centre, edge) == jnp.inf
assert np.isfinite(jaxinfo.kl_divergence(edge, centre))
assert not jaxinfo.is_absolutely_continuous(centre, edge)

# Digits.
assert np.max(np.abs(ours / truth - 1)) < 2e-6  # 16 units of float32 rounding
assert np.max(np.abs(textbook / truth - 1)) > 1

# Mutual information.
shared = bits(weather.sum(0)) + bits(weather.sum(1)) - bits(weather)
assert np.isclose(np.sum(weather), 1)
assert np.allclose([told, as_divergence, np.sum(weather * pointwise)], shared, rtol=1e-5)
others = jax.nn.softmax(jax.random.normal(jax.random.key(1), (2, 1000, 3)))
others = others[0, :, :, None] * others[1, :, None, :]
assert np.all(jaxinfo.kl_divergence(weather, others, axis=(-2, -1), base=2) > told)
assert np.isclose(information[0], 1)
assert np.isclose(information[200], 1)
assert np.isclose(information[100], 0, atol=1e-6)
assert np.allclose(information + jaxinfo.conditional_entropy(channel, base=2), 1, atol=1e-6)

# Diagrams: the pieces of a disc add up to its entropy, and all of them to the joint entropy.
x_only, both, y_only = pieces["pair"]
assert np.isclose(both, shared, rtol=1e-5)
assert np.isclose(x_only + both, bits(weather.sum(1)), rtol=1e-6)
assert np.isclose(y_only + both, bits(weather.sum(0)), rtol=1e-6)
for name, table in (("chain", chain), ("xor", xor), ("giant", giant)):
    x_only, y_only, z_only, xy, yz, xz, middle = pieces[name]
    assert np.isclose(x_only + xy + xz + middle, bits(table.sum((1, 2))), atol=2e-6)
    assert np.isclose(y_only + xy + yz + middle, bits(table.sum((0, 2))), atol=2e-6)
    assert np.isclose(z_only + yz + xz + middle, bits(table.sum((0, 1))), atol=2e-6)
    assert np.isclose(sum(pieces[name]), bits(table), atol=2e-6)
    if name == "chain":
        assert np.isclose(xz, 0, atol=1e-6)
        far = bits(chain.sum((1, 2))) + bits(chain.sum((0, 1))) - bits(chain.sum(1))
        assert np.isclose(middle, far, atol=2e-6)
        assert far < both
assert np.allclose(pieces["xor"], [0, 0, 0, 1, 1, 1, -1], atol=1e-6)
assert np.allclose(pieces["giant"], [0, 0, 0, 0, 0, 0, 1], atol=1e-6)
asked = "x y z -> I(x; z), I(y; z), I(x y; z)"
assert np.allclose(jaxinfo.shannon(asked, xor, base=2), [0, 0, 1], atol=1e-6)
assert np.allclose(jaxinfo.shannon(asked, giant, base=2), [1, 1, 1], atol=1e-6)
assert np.allclose([total[0], dual[0], common[0]], [2, 1, 1], atol=1e-6)
assert np.allclose([total[-1], dual[-1], common[-1]], [1, 2, -1], atol=1e-6)
assert np.allclose(total - dual, common, atol=2e-6)

# Rényi's orders.
throws = np.stack([np.asarray(table, np.float64) for table in dice.values()])
assert np.allclose(curves[:, 0], np.log2([6, 5, 6]), rtol=1e-6)
assert np.isclose(curves[1, 0], 2.322, atol=5e-4)
assert np.allclose(curves[:, 100], [bits(table) for table in throws], rtol=1e-6)
assert np.allclose(curves[:, -1], -np.log2(throws.max(axis=1)), rtol=1e-6)
assert np.allclose(coins[:, 3], -np.log2(np.sum(np.square(coin(np.asarray(p, np.float64))), axis=-1)), atol=1e-6)
rounding = 2 * 8 * 2.4e-7  # of two values between 2 and 4, eight units of float32 each
assert np.all(np.diff(curves, axis=1) <= rounding)
assert np.ptp(curves[0]) <= rounding

# Logits.
assert np.isfinite(gradient).all()
assert gradient[3] == 0
assert np.allclose(die, jaynes, atol=2e-3)  # the penalty of weight 50 leaves the mean short of 4.5 by 0.004
