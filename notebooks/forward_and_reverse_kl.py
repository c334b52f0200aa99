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
# # Forward and reverse KL
#
# Fit one Gaussian $q$ to a mixture $p$ of two. One direction of the Kullback-Leibler divergence is said to seek the
# mean and the other to seek a mode. The first half of that is a theorem. The second is half of the truth: what reverse
# KL finds depends on the start, on how far apart the modes are and on how much they weigh, and it changes abruptly.
# This notebook goes from the definition to the phase diagram. Every number is computed here, and the last cell asserts
# what the text says.

# %%
import math

import ipywidgets as widgets
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax
from IPython.display import display
from matplotlib.colors import PowerNorm
from scipy.optimize import brentq, root

from jaxinfo import densities
from jaxinfo.distributions import Mixture, Normal
from jaxinfo.projections import Alpha, ChiSquared, JensenShannon, Renyi, ReverseKL, Samples, fit, project

jax.config.update("jax_enable_x64", True)  # critical values are wanted to ten digits
BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#666666"
plt.rcParams.update({"figure.dpi": 100, "axes.spines.top": False, "axes.spines.right": False, "font.size": 11})

# Panels that follow both densities and are not refined further: exact to rounding for everything below.
PANELS = densities.Quadrature(num_rounds=0, offsets=(1.5, 3.0, 4.5, 6.0, 9.0))
LBFGS = optax.lbfgs()


def two_modes(a, weight=0.5):
    """The mixture of N(-a, 1), which has the weight, and N(a, 1)."""
    weights, modes = jnp.stack([weight, 1.0 - weight]), jnp.stack([-a, a], axis=-1)
    return Mixture(weights, Normal(modes, 1.0))


# %% [markdown]
# ## What each direction punishes
#
# $$\mathrm{KL}(p \,\|\, q) = \int p(x) \log \frac{p(x)}{q(x)} \, dx$$
#
# is the price of taking $q$ for $p$, in nats per draw from $p$. The **forward** direction, $\mathrm{KL}(p \| q)$, lets
# the target draw; the **reverse** direction, $\mathrm{KL}(q \| p)$, lets the approximation draw.
#
# Both densities integrate to one, so $q - p$ may be added to the integrand and nothing changes, except that the
# integrand is then nowhere negative, and one can see where a divergence comes from. At a point where $r = q / p$ the
# forward direction pays $r - 1 - \log r$ for each unit of $p$, and the reverse direction $r \log r - r + 1$. Where $q$
# leaves something out, $r \to 0$, the forward price has no bound and the reverse price is at most 1. Where $q$ puts
# too much, the reverse price grows faster than any multiple of the forward one.

# %%
ratio = np.logspace(-4, 1, 400)
forward_price, reverse_price = ratio - 1 - np.log(ratio), ratio * np.log(ratio) - ratio + 1
figure, axis = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
axis.plot(ratio, forward_price, color=BLUE, label=r"forward, $r - 1 - \log r$")
axis.plot(ratio, reverse_price, color=ORANGE, label=r"reverse, $r \log r - r + 1$")
axis.axhline(1, color=GREY, lw=0.8, ls=":")
axis.set(xscale="log", xlabel="r = q / p", ylabel="price for each unit of p", ylim=(0, 9))
axis.set_title("Left: q leaves out.  Right: q puts too much.")
axis.legend(frameon=False, loc="upper center")
plt.show()

# %% [markdown]
# On the mixture $p = \frac12 N(-3, 1) + \frac12 N(3, 1)$ that looks as follows. A $q$ on one mode pays dearly in the
# forward direction, nearly all of it at the mode that is left out, and without bound as that moves away. In the reverse
# direction the omission costs half a nat, the mass that is left out, and twice the height where $q$ stands costs the
# rest of $\log 2$; how far away the other mode is does not matter. A $q$ over both pays little in the forward direction
# and more in the reverse one: for the valley and for the tails, where it puts too much.

# %%
p = two_modes(3.0)
x = jnp.linspace(-18.0, 18.0, 1801)
shapes = {"q on one mode, N(3, 1)": Normal(3.0, 1.0), "q over both, N(0, 10)": project(p, Normal)}
p_at, areas, peak = jnp.exp(p.log_prob(x)), {}, 0.0
figure, axes = plt.subplots(2, 2, figsize=(10, 5.6), layout="constrained", sharex=True, sharey="row")
for column, (name, q) in zip(axes.T, shapes.items(), strict=True):
    q_at, log_ratio = jnp.exp(q.log_prob(x)), p.log_prob(x) - q.log_prob(x)
    column[0].fill_between(x, p_at, color=GREY, alpha=0.25, lw=0, label="p")
    column[0].plot(x, q_at, color=GREEN, label="q")
    column[0].set_title(name)
    for direction, integrand, color in (
        ("KL(p‖q)", p_at * log_ratio + q_at - p_at, BLUE),
        ("KL(q‖p)", -q_at * log_ratio + p_at - q_at, ORANGE),
    ):
        areas[name, direction], peak = float(jnp.trapezoid(integrand, x)), max(peak, float(integrand.max()))
        label = f"{direction} = {areas[name, direction]:.3f}"
        column[1].fill_between(x, integrand, color=color, alpha=0.35, lw=0, label=label)
        column[1].plot(x, integrand, color=color, lw=0.8)
    column[0].legend(frameon=False, loc="upper left")
    column[1].legend(frameon=False, loc="upper right", title="area, in nats")
    column[1].set(xlabel="x", xlim=(-9, 9), ylim=(0, 0.45))
axes[0, 0].set_ylabel("density")
axes[1, 0].set_ylabel("price at x")
axes[1, 0].annotate(f"up to {peak:.1f}", (-8.8, 0.38), color=BLUE)
plt.show()

# %% [markdown]
# ## Forward KL: moments, and nothing to search
#
# Write the Gaussian as an exponential family, $q_\theta(x) \propto \exp(\theta \cdot t(x) - A(\theta))$ with $t(x) =
# (x, x^2)$. Only the cross-entropy depends on $\theta$, and
#
# $$\nabla_\theta \, \mathrm{KL}(p \| q_\theta) = \nabla A(\theta) - \mathrm{E}_p\, t = \mathrm{E}_{q_\theta} t -
# \mathrm{E}_p\, t, \qquad \nabla^2_\theta \, \mathrm{KL}(p \| q_\theta) = \nabla^2 A(\theta) = \mathrm{Cov}_{q_\theta}
# t.$$
#
# The Hessian is a covariance, so the problem is convex and has one optimum, which has the moments of $p$: here mean 0
# and variance $1 + a^2$. There is nothing to descend. `project` returns it, for any exponential family and for samples
# too.

# %%
covering = project(p, Normal)
draws = p.sample(jax.random.key(0), (4000,))
from_draws = project(Samples(draws), Normal)
print(f"moments of p:          mean {float(covering.loc):+.4f}, standard deviation {float(covering.scale):.4f}")
print(f"of 4000 draws from p:  mean {float(from_draws.loc):+.4f}, standard deviation {float(from_draws.scale):.4f}")

# %% [markdown]
# ## Reverse KL: three minima
#
# The reverse direction has no such convexity. `fit` descends from many starts in one compiled call, and
# `Fit.local_optima` tells its ends apart: the value at each, the share of the starts that went there, and the
# eigenvalues of the Hessian in mean and log scale, which say that each is a minimum. In the picture of the surface the
# starts are the ticks at standard deviation 1: black where the descent ended on a mode, white where it ended covering.

# %%
starts = Normal(jnp.linspace(-5.0, 5.0, 41), jnp.ones(41))
found = fit(p, starts, ReverseKL(), optimizer=LBFGS, num_steps=100, tolerance=1e-8, method=PANELS)
optima = found.local_optima(p, ReverseKL(), method=PANELS)
print("           mean     sd   KL(q‖p)   share of starts   eigenvalues of the Hessian")
for optimum in optima:
    q, (least, most) = optimum.distribution, optimum.hessian_eigenvalues
    row = f"{round(float(q.loc), 4) + 0.0:+7.4f}  {float(q.scale):.4f}  {float(optimum.value.value):.6f}"
    print(f"{optimum.kind:8s} {row}   {optimum.share:15.0%}   {least:.4f}, {most:.4f}")


# %%
@jax.jit
def both_directions(p, q):
    """KL(p‖q) and KL(q‖p) of a batch of q."""
    return tuple(densities.kl_divergence(*pair, method=PANELS).value for pair in ((p, q), (q, p)))


means, log_scales = np.meshgrid(np.linspace(-5, 5, 61), np.linspace(-0.8, 2.0, 43))
forward, reverse = both_directions(p, Normal(means, np.exp(log_scales)))
figure, axes = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained", sharey=True)
for axis, surface, ends, shades in (
    (axes[0], forward, [covering], "Blues_r"),
    (axes[1], reverse, [optimum.distribution for optimum in optima], "Oranges_r"),
):
    above = surface - surface.min()
    levels = np.array([0.0, *np.geomspace(0.01, 12, 17)])
    axis.contourf(means, log_scales, above, levels, cmap=shades, norm=PowerNorm(0.3), extend="max")
    axis.contour(means, log_scales, above, levels, colors="white", linewidths=0.6)
    axis.set(xlabel="mean of q")
    for q in ends:
        axis.plot(q.loc, jnp.log(q.scale), "o", color="black", ms=6)
for start, end in zip(np.asarray(starts.loc), np.asarray(found.optimum.loc), strict=True):
    axes[1].plot(start, 0.0, "|", color="white" if abs(end) < 1 else "black", ms=8, mew=1.5)
axes[0].set(title="Forward, KL(p‖q): one minimum", ylabel="log of the standard deviation of q")
axes[1].set(title="Reverse, KL(q‖p): three minima")
for optimum in optima:
    at = optimum.distribution.loc, jnp.log(optimum.distribution.scale)
    axes[1].annotate(f"{float(optimum.value.value):.3f}", at, (0, -22), textcoords="offset points", ha="center")
plt.show()

# %% [markdown]
# The modes are the best of the three, yet a descent that starts between them, or wide, ends in the covering fit. And
# that one is no ridge which a little noise would leave. A theorem of Price has it that $\partial_m \mathrm{E}_q f =
# \mathrm{E}_q f'$ and $\partial_v \mathrm{E}_q f = \frac12 \mathrm{E}_q f''$ for a Gaussian of mean $m$ and variance
# $v$; put $f = -\log p$, add the entropy of $q$, and **wherever reverse KL is stationary in the scale its second
# derivative in the mean is $1/\sigma^2$**, whatever $p$ is. Positive: a covering fit never becomes unstable along the
# mean, however far apart the modes are. Above, $1/2.7438^2 = 0.1328$.
#
# ## Where modes begin to exist
#
# So what happens as the modes move together? We look at the divergence as a function of mean, log scale, half the
# separation $a$ and $\alpha$, with the value and the first two derivatives, compiled once. Minka's alpha-divergence
#
# $$D_\alpha(p \| q) = \frac{1}{\alpha (\alpha - 1)} \Big( \int p^\alpha q^{1 - \alpha} \, dx - 1 \Big)$$
#
# is reverse KL at $\alpha = 0$ and forward KL at $\alpha = 1$, which will be of use below.
#
# - A minimum dies in a **fold**: it meets a saddle where the gradient and the determinant of the Hessian vanish.
# - Two minima trade places at an **exchange**: both are stationary, and equally deep.
#
# Each is a system of as many equations as unknowns, for SciPy's `root`.


# %%
def derivatives(divergence):
    """The value, gradient and Hessian in (mean, log scale), at half-separation a, weight w and a number."""

    def value(free, a, weight, number):
        q = Normal(free[0], jnp.exp(free[1]))
        return divergence(number).estimate(two_modes(a, weight), q, method=PANELS).value

    def both(free, *rest):
        gradient = jax.grad(value)(free, *rest)
        return gradient, gradient

    @jax.jit
    def look(free, *rest):
        hessian, gradient = jax.jacfwd(both, has_aux=True)(free, *rest)
        return value(free, *rest), gradient, hessian

    def numbers(free, *rest):
        return tuple(np.asarray(part) for part in look(np.asarray(free, float), *map(float, rest)))

    return numbers


def stationary(look, free, *rest):
    """The minimum that a minimum moves to when a parameter has changed a little, or None where it is gone."""
    end = free
    for _ in range(8):
        _, gradient, hessian = look(end, *rest)
        if np.max(np.abs(gradient)) < 1e-12:
            break
        end = end - np.linalg.solve(hessian, gradient)
    is_near = np.max(np.abs(gradient)) < 1e-12 and np.max(np.abs(end - free)) < 0.5
    return end if is_near and np.linalg.eigvalsh(hessian)[0] > 0 else None


def solve(system, start):
    """A root near the start, or None. The differences in `root` are relative, so unknowns are counted from 1."""
    start = np.asarray(start, float)
    end = start + root(lambda moved: system(start + moved - 1.0), np.ones_like(start), tol=1e-13).x - 1.0
    return end if np.max(np.abs(system(end))) < 1e-9 else None


def fold(look, free, parameter, rest):
    """A fold, as (mean, log scale, parameter); `rest(parameter)` is (a, weight, number)."""

    def system(z):
        _, gradient, hessian = look(z[:2], *rest(z[2]))
        return np.array([*gradient, np.linalg.det(hessian)])

    return solve(system, [*free, parameter])


def exchange(look, mode, cover, parameter, rest):
    """Two minima of the same depth, as (mean, log scale, mean, log scale, parameter)."""

    def system(z):
        (first, slope, _), (second, other_slope, _) = look(z[:2], *rest(z[4])), look(z[2:4], *rest(z[4]))
        return np.array([*slope, *other_slope, first - second])

    return solve(system, [*mode, *cover, parameter])


# %% [markdown]
# Along $a$, reverse KL. With both parameters free, modes appear as local minima at $a = 2.412$, out of nothing and far
# from the covering fit, which is still the better one; they are best from $a = 2.800$ on. It is a transition of first
# order, like water to ice, with its undercooling and its superheating: each phase lives on where the other is better,
# and a descent stays in the one it began in. The gradual picture of textbooks, a fit in the middle that splits into
# two, belongs to fits whose scale is held at 1. There the curvature in the mean does change its sign, at $a = 1.461$.

# %%
by_alpha = derivatives(Alpha)
IN_MIDDLE = np.array([0.0, 1.009])


def along_separation(a):
    return a, 0.5, 0.0  # the weight 1/2, and alpha = 0: reverse KL


def follow(look, free, rest, parameters):
    """A branch of minima, rows (parameter, mean, log scale, value), until it ends."""
    rows = []
    for parameter in parameters:
        free = stationary(look, free, *rest(parameter))
        if free is None:
            break
        rows.append([parameter, *free, look(free, *rest(parameter))[0]])
    return np.array(rows)


on_mode = optima[0].distribution
on_mode = np.array([abs(float(on_mode.loc)), math.log(float(on_mode.scale))])
inward, outward = np.arange(3.0, 1.0, -0.02), np.arange(3.0, 4.51, 0.05)
modes, covers = (
    np.concatenate(
        [follow(by_alpha, free, along_separation, inward)[::-1], follow(by_alpha, free, along_separation, outward)[1:]]
    )
    for free in (on_mode, IN_MIDDLE)
)
a_fold = fold(by_alpha, modes[0, 1:3], modes[0, 0], along_separation)
modes = np.concatenate([[[a_fold[2], *a_fold[:2], by_alpha(a_fold[:2], a_fold[2], 0.5, 0.0)[0]]], modes])
a_exchange = exchange(by_alpha, on_mode, IN_MIDDLE, 2.8, along_separation)
a_pitchfork = brentq(lambda a: by_alpha([0.0, 0.0], a, 0.5, 0.0)[2][0, 0], 1.0, 2.0, xtol=1e-13)
print(f"modes appear at a = {a_fold[2]:.12f}, with mean {a_fold[0]:.4f} and deviation {math.exp(a_fold[1]):.4f}")
print(f"modes are best from a = {a_exchange[4]:.12f}")
print(f"with the deviation held at 1, the middle splits at a = {a_pitchfork:.12f}")

# %%
fixed = [
    [a, brentq(lambda m, a=a: by_alpha([m, 0.0], a, 0.5, 0.0)[1][0], 0.3, a)]
    for a in np.arange(a_pitchfork + 0.03, 4.5, 0.05)
]
fixed = np.array([[a_pitchfork, 0.0], *fixed])
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.0), layout="constrained")
for sign in (1, -1):
    left.plot(fixed[:, 0], sign * fixed[:, 1], color=GREY, lw=1, label="deviation held at 1" if sign > 0 else None)
for rows, color, name in ((modes, GREEN, "on a mode"), (covers, PURPLE, "covering")):
    best = (rows[:, 0] >= a_exchange[4]) == (name == "on a mode")
    for sign in (1, -1) if name == "on a mode" else (1,):
        left.plot(rows[:, 0], sign * rows[:, 1], color=color, lw=1.2, ls="--")
        left.plot(rows[best, 0], sign * rows[best, 1], color=color, lw=2.8, label=name if sign > 0 else None)
    right.plot(rows[:, 0], rows[:, 3], color=color, lw=1.2, ls="--")
    right.plot(rows[best, 0], rows[best, 3], color=color, lw=2.8)
left.plot([a_fold[2]] * 2, [a_fold[0], -a_fold[0]], "o", color=GREEN, ms=6)
right.plot(a_fold[2], modes[0, 3], "o", color=GREEN, ms=6)
right.annotate("the modes appear", (a_fold[2], modes[0, 3]), (-8, 8), textcoords="offset points", ha="right")
right.axvline(a_exchange[4], color=GREY, lw=0.8, ls=":")
right.annotate("and are best", (a_exchange[4], 0.25), (6, 0), textcoords="offset points")
left.set(xlabel="half the separation, a", ylabel="mean of q", title="Minima of reverse KL; thick where best")
right.set(xlabel="half the separation, a", ylabel="KL(q‖p), in nats", title="Their depth", ylim=(0, None))
left.legend(frameon=False, loc="upper left")
plt.show()

# %% [markdown]
# ## The path from one direction to the other
#
# Between the two directions lie families of divergences with a number to turn: alpha-divergences, Rényi divergences
# $D_r(p \| q) = \frac{1}{r - 1} \log \int p^r q^{1 - r} \, dx$, and skewed Jensen-Shannon divergences
# $w \, \mathrm{KL}(p \| m) + (1 - w) \, \mathrm{KL}(q \| m)$ with $m = w p + (1 - w) q$, which, divided by
# $w (1 - w)$, run from reverse KL at $w = 1$ to forward KL at $w = 0$. At $a = 3$ we follow both kinds of minimum along
# the first and the last, starting at reverse KL.
#
# Along alpha the covering fit is best from 0.115 on, long before the symmetric middle $\alpha = \frac12$, Hellinger's
# distance; the modes live on as local minima up to 0.468. Along Rényi's path the same things happen at the same
# numbers: $D_r = \frac{1}{r - 1} \log (1 + r (r - 1) D_{\alpha = r})$ rises with $D_\alpha$ and has its minima. Along
# Jensen-Shannon's the exchange comes early too, at $w = 0.937$, and the modes die late, at $w = 0.223$.

# %%
routes = {
    "alpha": (by_alpha, np.linspace(0.0, 1.0, 51), lambda alpha: (3.0, 0.5, alpha)),
    "Jensen-Shannon weight": (
        derivatives(JensenShannon),
        np.linspace(0.999, 0.001, 51),
        lambda weight: (3.0, 0.5, weight),
    ),
}
paths, critical = {}, {}
for name, (look, parameters, rest) in routes.items():
    mode_rows, cover_rows = paths[name] = [follow(look, free, rest, parameters) for free in (on_mode, IN_MIDDLE)]
    apart = mode_rows[:, 3] - cover_rows[: len(mode_rows), 3]
    near = int(np.argmax(apart > 0))
    swapped = exchange(look, mode_rows[near, 1:3], cover_rows[near, 1:3], mode_rows[near, 0], rest)
    dying = fold(look, mode_rows[-1, 1:3], mode_rows[-1, 0], rest)
    critical[name] = {"exchange": swapped[4], "fold": dying[2]}
    last = [dying[2], *dying[:2], look(dying[:2], *rest(dying[2]))[0]]
    paths[name][0] = np.concatenate([mode_rows, [last]])
for name, at in critical.items():
    print(f"{name:21s} covering is best from {at['exchange']:.12f}, the modes die at {at['fold']:.12f}")


@jax.jit
def of_alpha_and_order(number, q):
    return tuple(kind(number).estimate(p, q, method=PANELS).value for kind in (Alpha, Renyi))


orders = np.array([0.1, 0.5, 0.9])
of_alpha, of_order = of_alpha_and_order(orders, Normal(np.array([2.9, 2.0, 0.0]), np.array([1.1, 1.5, 3.0])))

# %%
figure, axes = plt.subplots(2, 2, figsize=(10, 5.2), layout="constrained", sharex="col", sharey="row")
for column, (name, branches) in zip(axes.T, paths.items(), strict=True):
    for rows, color, label in zip(branches, (GREEN, PURPLE), ("on a mode", "covering"), strict=True):
        forward_of = (rows[:, 0] - critical[name]["exchange"]) * (-1 if "weight" in name else 1) > 0
        best = forward_of == (label == "covering")
        for axis, height in zip(column, (rows[:, 1], np.exp(rows[:, 2])), strict=True):
            axis.plot(rows[:, 0], height, color=color, lw=1.2, ls="--")
            axis.plot(rows[best, 0], height[best], color=color, lw=2.8, label=label)
    for axis in column:
        axis.axvline(critical[name]["exchange"], color=GREY, lw=0.8, ls=":")
        axis.axvline(critical[name]["fold"], color=GREY, lw=0.8)
    column[1].set(xlabel=f"{name}: reverse KL to forward KL", xlim=(1, 0) if "weight" in name else (0, 1))
    column[0].set_title("By alpha" if name == "alpha" else "By skewed Jensen-Shannon")
axes[0, 0].set_ylabel("mean of q")
axes[1, 0].set_ylabel("standard deviation of q")
for column, name in zip(axes.T, paths, strict=True):
    for event, where in critical[name].items():
        text = "covering is best" if event == "exchange" else "modes die"
        column[0].annotate(
            text, (where, 1.4), (-5, 0), textcoords="offset points", color=GREY, rotation=90, ha="right", va="center"
        )
axes[1, 0].legend(frameon=False, loc="center right")
plt.show()

# %% [markdown]
# ## All of it at once
#
# Two numbers to turn, the separation and alpha, and for the last picture the weight of the left mode. All of them are
# one sweep: the targets and the alphas have a leading axis, and one call of `fit` takes every target from every start.
# No divergence depends on the unit of $x$; in units of $a$ the modes are at $-1$ and $1$ always, and so are the starts,
# with a third and wide one between. Everything is compiled once and computed once, and a slider has only to draw.

# %%
SEPARATIONS, WEIGHTS = np.arange(1.75, 4.26, 0.25), np.arange(0.06, 0.5, 0.08)
ALPHAS = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0])
problems = [(a, 0.5, alpha) for a in SEPARATIONS for alpha in ALPHAS]
problems += [(a, weight, 0.0) for a in SEPARATIONS for weight in WEIGHTS]
a, weight, alpha = np.array(problems).T
targets = Mixture(np.stack([weight, 1 - weight], -1), Normal(np.array([-1.0, 1.0]), 1 / a[:, None]))
starts = Normal(jnp.array([-1.0, 0.0, 1.0]), jnp.array([0.3, 1.0, 0.3]))
swept = fit(targets, starts, Alpha(alpha), optimizer=LBFGS, num_steps=60, tolerance=1e-5, method=PANELS)
ends = a[:, None] * swept.optimum.loc, a[:, None] * swept.optimum.scale, swept.value.value, swept.converged
print(f"{len(problems)} problems, {swept.converged.size} descents, {int(swept.converged.sum())} converged")


def distinct(means, scales, values, converged):
    """The different ends of three descents, the best first, as rows (mean, scale, value)."""
    rows = []
    for value, mean, scale, counts in sorted(zip(values, means, scales, converged, strict=True)):
        if counts and all(abs(mean - other) > 1e-2 * scale for other, _, _ in rows):
            rows.append((mean, scale, value))
    return rows


minima = {
    tuple(round(number, 6) for number in problem): distinct(*(np.asarray(part)[k] for part in ends))
    for k, problem in enumerate(problems)
}

# %% [markdown]
# ## The phase diagrams
#
# The cells are the fits: the mean of the global optimum in units of $a$, white where it had better cover and full
# colour on a mode. The lines are solved for: solid where two minima are equally good, dashed where one dies. Where
# the colour jumps, the best fit does.
#
# Left, two equal modes. Turn alpha up and covering takes over soon, but a descent that began on a mode does not notice
# until the dashed line, a good deal later. Both lines rise with the separation.
#
# Right, reverse KL over the weight of the left mode. The point $(2.800, \frac12)$ is a triple point: both modes and the
# covering fit are equally good. The line on which covering and the heavier mode are equally good ends, like the boiling
# of water, at a critical point; around it one turns into the other without any jump.


# %%
def march(solve, z, parameters, last):
    """The curve (parameter, last unknown) of a critical point, each solved for from the one before, until it ends."""
    rows = []
    for parameter in parameters:
        z = solve(z, parameter)
        if z is None or abs(z[-1] - last) > 0.2:
            break
        last = z[-1]
        rows.append([parameter, last])
    return np.array(rows)


def alpha_of_fold(z, a):
    return fold(by_alpha, z[:2], z[2], lambda alpha: (a, 0.5, alpha))


def alpha_of_exchange(z, a):
    return exchange(by_alpha, z[:2], z[2:4], z[4], lambda alpha: (a, 0.5, alpha))


def a_of_fold(z, weight):
    return fold(by_alpha, z[:2], z[2], lambda a: (a, weight, 0.0))


def a_of_exchange(z, weight):
    end = exchange(by_alpha, z[:2], z[2:4], z[4], lambda a: (a, weight, 0.0))
    # At the critical point the two are one, and remain it beyond.
    return None if end is None or abs(end[0] - end[2]) < 1e-3 else end


def weight_of_fold(z, a):
    return fold(by_alpha, z[:2], z[2], lambda weight: (a, weight, 0.0))


start_of_fold, start_of_exchange = [*a_fold[:2], 0.0], [*a_exchange[:4], 0.0]
over_alpha = {
    "fold": march(alpha_of_fold, start_of_fold, np.arange(a_fold[2], 4.45, 0.06), 0.0),
    "exchange": march(alpha_of_exchange, start_of_exchange, np.arange(a_exchange[4], 4.45, 0.06), 0.0),
}
lighter, heavier = np.arange(0.5, 0.96, 0.02), np.arange(0.5, 0.04, -0.01)
# The covering fit dies where one weight is too small; that line begins at the critical point.
cover_rows = follow(by_alpha, IN_MIDDLE, lambda weight: (3.0, weight, 0.0), np.arange(0.5, 0.2, -0.01))
start_of_end = weight_of_fold([*cover_rows[-1, 1:3], cover_rows[-1, 0]], 3.0)
ends_of_cover = [march(weight_of_fold, start_of_end, way, start_of_end[2]) for way in (inward, outward)]
over_weight = {
    "fold": [march(a_of_fold, a_fold, weights, a_fold[2])[:, ::-1] for weights in (lighter, heavier)] + ends_of_cover,
    "exchange": [march(a_of_exchange, a_exchange, heavier, a_exchange[4])[:, ::-1]],
}
print(f"the line between covering and the heavier mode ends near (a, w) = {over_weight['exchange'][0][-1].round(2)}")


def draw_phases(axis, kind):
    """The mean of the global optimum over a, from the fits, with the lines where minima die and change places."""
    rows = ALPHAS if kind == "alpha" else np.concatenate([WEIGHTS, 1 - WEIGHTS[::-1]])
    best = np.empty((len(rows), len(SEPARATIONS)))
    for i, j in np.ndindex(best.shape):
        a, number = SEPARATIONS[j], float(rows[i])
        problem = (a, 0.5, number) if kind == "alpha" else (a, min(number, 1 - number), 0.0)
        mean = minima[tuple(round(float(part), 6) for part in problem)][0][0] / a
        best[i, j] = abs(mean) if kind == "alpha" else math.copysign(1.0, 0.5 - number) * mean
    picture = axis.pcolormesh(SEPARATIONS, rows, best, cmap="PiYG", vmin=-1, vmax=1, shading="nearest")
    lines = {name: [over_alpha[name]] if kind == "alpha" else over_weight[name] for name in ("fold", "exchange")}
    for name, style in (("fold", "--"), ("exchange", "-")):
        for line in lines[name]:
            axis.plot(*line.T, color="black", lw=1.5, ls=style)
            if kind == "weight":
                axis.plot(line[:, 0], 1 - line[:, 1], color="black", lw=1.5, ls=style)
    axis.set(xlabel="half the separation, a", xlim=(1.625, 4.375), ylim=(0.0, 1.0) if kind == "alpha" else (0.02, 0.98))
    return picture


figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
draw_phases(left, "alpha")
picture = draw_phases(right, "weight")
right.plot([a_exchange[4], a_exchange[4], 4.375], [0.5, 0.5, 0.5], color="black", lw=1.5)
left.set(ylabel="alpha: reverse KL is 0, forward KL is 1", title="Two equal modes")
right.set(ylabel="weight of the left mode", title="Reverse KL")
for text, at in (
    ("modes best", (3.55, 0.12)),
    ("covering best,\nmodes live on", (3.45, 0.46)),
    ("only covering", (1.8, 0.8)),
):
    left.annotate(text, at, color="white" if text == "modes best" else "black")
for text, at in (("covering", (1.68, 0.49)), ("right mode best", (3.2, 0.2)), ("left mode best", (3.2, 0.8))):
    right.annotate(text, at, color="black" if text == "covering" else "white")
figure.colorbar(picture, ax=right, label="mean of the best q, over a", ticks=[-1, 0, 1])
plt.show()

# %% [markdown]
# ## Turn the knobs
#
# In a running notebook the sliders move over the fits of the left diagram, which are only drawn; the thick $q$ is the
# best, the dashed ones are the other minima. Start at $a = 3$, reverse KL, and turn alpha up.


# %%
def draw_fits(axis, a, alpha):
    """The target and every minimum."""
    reach = jnp.linspace(-8.5, 8.5, 341)
    axis.fill_between(reach, jnp.exp(two_modes(a).log_prob(reach)), color=GREY, alpha=0.25, lw=0)
    rows = minima[a, 0.5, alpha]
    for mean, scale, value in rows:
        is_best = value < rows[0][2] + 1e-6
        style = {"lw": 2.4, "ls": "-"} if is_best else {"lw": 1.2, "ls": "--"}
        density = np.exp(Normal(mean, scale).log_prob(reach))
        axis.plot(reach, density, color=PURPLE if abs(mean) < 0.5 else GREEN, **style)
    axis.set(ylim=(0, 0.42), xlim=(-8.5, 8.5))


def draw_state(a, alpha):
    """One position of the sliders."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    draw_fits(left, a, alpha)
    left.set(xlabel="x", ylabel="density", title=f"a = {a:.2f}, alpha = {alpha:.2f}", ylim=(0, 0.56))
    for place, (mean, scale, value) in enumerate(minima[a, 0.5, alpha]):
        text = f"divergence {value:.4f} at mean {round(mean, 2) + 0.0:+.2f}, deviation {scale:.2f}"
        left.annotate(text, (0.03, 0.94 - 0.07 * place), xycoords="axes fraction", fontsize=9)
    draw_phases(right, "alpha")
    right.plot(a, alpha, "o", color=ORANGE, ms=11, mec="black", clip_on=False, zorder=5)
    right.set(ylabel="alpha", title="where this is")
    plt.close(figure)
    return figure


separation = widgets.SelectionSlider(options=[(f"{a:.2f}", float(a)) for a in SEPARATIONS], value=3.0, description="a")
order = widgets.SelectionSlider(options=[(f"{b:.2f}", float(b)) for b in ALPHAS], value=0.0, description="alpha")
picture = display(draw_state(3.0, 0.0), display_id="state")


def redraw(_):
    picture.update(draw_state(separation.value, order.value))


for slider in (separation, order):
    slider.observe(redraw, "value")
widgets.HBox([separation, order])

# %% [markdown]
# The same states beside one another, separations downward and alphas across. In the first row there is only covering.
# Modes appear in the second, on the left; in the third they are the best under reverse KL, and only there; in the
# last they outlast $\alpha = \frac12$. Forward KL, on the right, covers in every row.

# %%
rows, columns = (2.0, 2.5, 3.0, 4.0), (0.0, 0.2, 0.4, 0.6, 1.0)
figure, axes = plt.subplots(4, 5, figsize=(10, 6.4), layout="constrained", sharex=True, sharey=True)
for line, a in zip(axes, rows, strict=True):
    for axis, alpha in zip(line, columns, strict=True):
        draw_fits(axis, a, alpha)
        axis.set(xticks=[-5, 0, 5], yticks=[])
    line[0].set_ylabel(f"a = {a:g}")
for axis, alpha in zip(axes[0], columns, strict=True):
    axis.set_title(
        {0.0: "reverse KL, alpha = 0", 1.0: "forward KL, alpha = 1"}.get(alpha, f"alpha = {alpha:g}"), fontsize=10
    )
plt.show()

# %% [markdown]
# ## What it costs, and whom
#
# Three fits of $a = 3$ by what a user of them may feel: both divergences, how much of $q$ lies in the valley $|x| < 1$
# where $p$ has 2 % of its mass, and the share of draws from $q$ that are worth something as draws from $p$, $1 / (1 +
# \chi^2(p \| q))$, when they are weighted by $p / q$.

# %%
fits = {
    "forward KL: the moments": covering,
    "reverse KL: a mode": Normal(float(on_mode[0]), float(np.exp(on_mode[1]))),
    "reverse KL: covering": optima[-1].distribution,
}
batch = Normal(*(jnp.stack([jnp.asarray(getattr(q, part)) for q in fits.values()]) for part in ("loc", "scale")))
forward_values, reverse_values = (np.asarray(values) for values in both_directions(p, batch))
worth = 1 / (1 + np.asarray(jax.jit(lambda q: ChiSquared().estimate(p, q, method=PANELS).value)(batch)))
valley = np.asarray(jnp.diff(jax.scipy.special.ndtr((np.array([[-1.0], [1.0]]) - batch.loc) / batch.scale), axis=0)[0])
print(f"{'':24s}  KL(p‖q)  KL(q‖p)  in the valley  worth of a draw")
for name, *row in zip(fits, forward_values, reverse_values, valley, worth, strict=True):
    print("{:24s}  {:7.3f}  {:7.3f}  {:13.1%}  {:15.2g}".format(name, *row))

# %% [markdown]
# - **Maximum likelihood, behaviour cloning and distillation on a teacher's outputs** are forward: they take draws
#   from $p$ and no density, and with an exponential family the fit is a mean. They pay with mass where $p$ has none:
#   a quarter of the forward fit lies in the valley.
# - **Variational inference** is reverse: it takes $\log p$ up to a constant and draws from $q$. It pays with what it
#   leaves out, and does not say so: on a mode the value is at most $-\log$ of the mode's weight, $\log 2$ here,
#   whatever else there is. Intervals are too short, and weights $p / q$ are useless, though every draw from $q$ looks
#   plausible.
# - **Policy optimisation with a KL penalty to a reference policy, and distillation on a student's own outputs**, are
#   reverse as well. They pay with diversity: behaviours that the reference has are dropped, and since $q$ never
#   visits them nothing brings them back.
# - **Between the two**, alpha and Rényi divergences can be estimated from weighted draws. A small alpha already makes
#   covering the best fit, but not what a descent from a mode finds, and the variance of the weights grows with alpha
#   and with the dimension.
# - **Restart, and widely.** The minima of reverse KL differ by 0.15 nats here, and the start decides which is found.
#   Annealing from an inclusive divergence to reverse KL follows the covering branch; for modes that are equally heavy
#   that branch never ends, and the better minimum is never seen.
# - **Ask whether one $q$ should do.** The jump from covering to a mode says that one Gaussian cannot have both. A
#   mixture as $q$ can.
#
# ## What was shown

# %%
# Both prices are areas, and agree with the estimates.
assert np.isclose(areas["q over both, N(0, 10)", "KL(p‖q)"], 0.461994613468, atol=1e-5)
assert np.isclose(forward_values[0], 0.461994613468, atol=1e-10)
assert abs(areas["q on one mode, N(3, 1)", "KL(q‖p)"] - math.log(2)) < 0.01

# Forward KL has the moments, of the mixture and of draws.
assert np.allclose([covering.loc, covering.scale], [0.0, math.sqrt(10.0)], atol=1e-12)
assert np.allclose([from_draws.loc, from_draws.scale], [jnp.mean(draws), jnp.std(draws)], rtol=1e-9)
assert abs(float(from_draws.loc)) < 4 * math.sqrt(10 / 4000)
lowest = np.unravel_index(np.argmin(forward), forward.shape)
assert abs(means[lowest]) < 0.09
assert abs(log_scales[lowest] - math.log(10) / 2) < 0.04

# Reverse KL has three minima, and no other end was found.
assert bool(np.all(found.converged))
assert math.isclose(sum(optimum.share for optimum in optima), 1.0)
assert [optimum.kind for optimum in optima] == ["minimum"] * 3
truth = [(2.984305987836, 1.023368559661, 0.688768995854955)] * 2 + [(0.0, 2.743769309091, 0.840621431278904)]
for optimum, (mean, deviation, value) in zip(optima, truth, strict=True):
    assert np.isclose(abs(float(optimum.distribution.loc)), mean, atol=1e-8)
    assert np.isclose(float(optimum.distribution.scale), deviation, atol=1e-8)
    assert np.isclose(float(optimum.value.value), value, atol=1e-12)
# Price's theorem, where the Hessian is diagonal by symmetry and where it is not.
assert np.isclose(optima[2].hessian_eigenvalues[0], 1 / 2.743769309091**2, rtol=1e-7)
assert np.isclose(by_alpha(on_mode, 3.0, 0.5, 0.0)[2][0, 0], 1 / 1.023368559661**2, rtol=1e-7)

# Critical points, to ten digits.
assert math.isclose(a_fold[2], 2.412229718013, abs_tol=1e-10)
assert math.isclose(a_exchange[4], 2.800082217583, abs_tol=1e-10)
assert math.isclose(a_pitchfork, 1.460833960373, abs_tol=1e-10)
assert math.isclose(critical["alpha"]["fold"], 0.467948852187, abs_tol=1e-10)
assert math.isclose(critical["alpha"]["exchange"], 0.114896146287, abs_tol=1e-10)
assert math.isclose(critical["Jensen-Shannon weight"]["fold"], 0.2225015, abs_tol=1e-7)
assert math.isclose(critical["Jensen-Shannon weight"]["exchange"], 0.9373485, abs_tol=1e-7)

# The paths end at forward KL's optimum, and Rényi's divergence is that function of alpha's.
assert np.allclose(paths["alpha"][1][-1, 1:3], [0.0, math.log(10) / 2], atol=1e-9)
assert np.allclose(np.log1p(orders * (orders - 1) * of_alpha) / (orders - 1), of_order, rtol=1e-10)

# The fits agree with the lines: how many minima there are, and which is best.
assert bool(np.all(swept.converged))
for (a, weight, alpha), rows in minima.items():
    if weight == 0.5:
        dies = np.interp(a, *over_alpha["fold"].T, left=-1.0)
        swaps = np.interp(a, *over_alpha["exchange"].T, left=-1.0)
        assert len(rows) == (3 if alpha < dies else 1), (a, alpha)
        assert (abs(rows[0][0]) > 0.5) == (alpha < swaps), (a, alpha)
critical_point = over_weight["exchange"][0][-1]
assert np.allclose(critical_point, [2.001763, 0.257096], atol=0.02)

# A slider draws, and goes back.
separation.value = 4.0
separation.value = 3.0

# What it costs.
assert worth[0] > 0.4
assert worth[1] < 1e-6
assert valley[0] > 0.2
assert valley[1] < 0.03
