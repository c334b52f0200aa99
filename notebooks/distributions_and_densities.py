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
# # Distributions and densities
#
# What becomes of entropy and divergence when outcomes are real numbers, and how to compute them: by a formula where one
# exists (`jaxinfo.distributions`), by an integral or by samples where none does (`jaxinfo.densities`), each with its
# error bar. Every picture is computed in the cell above it, and the last cell asserts what the text says.

# %%
import math

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import jaxinfo
from jaxinfo import densities, distributions
from jaxinfo.distributions import Exponential, Gamma, Laplace, Mixture, Normal, Poisson, StudentT, Uniform

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"
plt.rcParams.update({"figure.dpi": 100, "axes.spines.top": False, "axes.spines.right": False, "font.size": 11})

# %% [markdown]
# ## An entropy that is negative
#
# The differential entropy $h(p) = -\int p \log p$ of the uniform distribution on $[a, b]$ is $\log(b - a)$. It is 0 for
# an interval of length one, negative below, and falls without bound as the interval shrinks to a point. Every family
# with a scale behaves alike: narrower by a factor of $e$ is one nat less. So a differential entropy is no count of
# bits, and it depends on the unit in which $x$ is measured.

# %%
width = jnp.exp(jnp.linspace(math.log(0.01), math.log(20.0), 200))
by_width = {
    "uniform on [0, w]": distributions.entropy(Uniform(0.0, width)),
    "normal of deviation w": distributions.entropy(Normal(0.0, width)),
    "Laplace of scale w": distributions.entropy(Laplace(0.0, width)),
}
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
x = jnp.linspace(-0.5, 4.5, 1001)
for w, color in ((4.0, BLUE), (1.0, GREEN), (0.25, ORANGE)):
    density = jnp.exp(Uniform(0.0, w).log_prob(x))
    value = float(distributions.entropy(Uniform(0.0, w)))
    left.plot(x, density, color=color, label=f"w = {w:g}: {value:+.2f} nats")
left.set(xlabel="x", ylabel="density", title="Uniform on [0, w]", ylim=(0, 4.6))
left.legend(frameon=False)
for (name, values), color in zip(by_width.items(), (BLUE, ORANGE, GREEN), strict=True):
    right.plot(width, values, color=color, label=name)
right.axhline(0, color=GREY, lw=0.8)
right.set(xscale="log", xlabel="w", ylabel="entropy in nats", title="To minus infinity, a nat for each factor of e")
right.legend(frameon=False)
plt.show()

# %% [markdown]
# ## From discrete to continuous
#
# Cut the line into bins of width $\Delta$ and the normal distribution becomes a table, with an entropy $H_\Delta$ as
# tables have it. Finer bins have more of it, without end: $H_\Delta \approx h - \log \Delta$. The differential entropy
# is what is left when the bins' own $-\log \Delta$ is taken away.
#
# A divergence needs no such correction. The $\Delta$ cancels in the ratio, and the binned divergence rises to the
# continuous one: binning is processing, and processing never adds information. Nor does a change of unit touch it.

# %%
p, q = Normal(0.0, 1.0), Normal(0.5, 1.5)


def binned(distribution, edges):
    """The masses of the bins, from the error function."""
    below = jax.scipy.special.ndtr((edges - distribution.loc) / distribution.scale)
    return jnp.diff(below)


bins = 2.0 ** np.arange(1, -6, -1)
tables = [(binned(p, jnp.arange(-16, 16.01, w)), binned(q, jnp.arange(-16, 16.01, w))) for w in bins]
table_entropy = np.array([jaxinfo.entropy(a) for a, _ in tables])
table_divergence = np.array([jaxinfo.kl_divergence(a, b) for a, b in tables])
h, kl = float(distributions.entropy(p)), float(distributions.kl_divergence(p, q))

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
left.plot(bins, table_entropy, "o", color=BLUE, label=r"table, $H_\Delta$")
left.plot(bins, h - np.log(bins), color=GREY, lw=1, label=r"$h - \log \Delta$")
left.axhline(h, color=ORANGE, lw=1, label="differential entropy $h$")
left.set(xscale="log", xlabel=r"bin width $\Delta$", ylabel="nats", title="Entropy grows with every halving")
left.legend(frameon=False)
right.plot(bins, table_divergence, "o", color=BLUE, label="tables")
right.axhline(kl, color=ORANGE, lw=1, label="densities")
right.set(
    xscale="log", xlabel=r"bin width $\Delta$", ylabel="nats", title="Divergence rises to its limit", ylim=(0, 0.2)
)
right.legend(frameon=False)
plt.show()

# %% [markdown]
# ## Formulas, and their digits
#
# `distributions.kl_divergence` knows the formula for a pair of types, between families too. The textbook writes many of
# them as differences of entropies or of log-normalisers, which lose their digits where the two are close, and that is
# where a fit ends up. Here each is a sum of terms that cannot cancel.

# %%
for first, second in (
    (Normal(0.0, 1.0), Normal(1.0, 2.0)),
    (Gamma(2.0, 1.0), Gamma(3.0, 1.5)),
    (Exponential(2.0), Gamma(2.0, 1.0)),
    (Laplace(0.0, 1.0), Normal(0.0, 1.0)),
    (Poisson(4.0), Poisson(5.0)),
    (Normal(0.0, 1.0), Exponential(1.0)),
):
    names = f"{type(first).__name__}‖{type(second).__name__}"
    print(f"KL({names}) = {float(distributions.kl_divergence(first, second)):.6f} nats")

# %%
shift = 2.0 ** -np.arange(1, 21)
near = Gamma(3.0, 2.0), Gamma(jnp.asarray(3.0 + shift, jnp.float32), 2.0)
ours = np.asarray(distributions.kl_divergence(*near), np.float64)


def textbook(a, b):
    """The formula as it stands in tables, in single precision."""
    gammaln, digamma = jax.scipy.special.gammaln, jax.scipy.special.digamma
    return (a - b) * digamma(a) - gammaln(a) + gammaln(b)


plain = np.asarray(textbook(jnp.float32(3.0), near[1].concentration), np.float64)
with jax.enable_x64(True):
    moved = jnp.asarray(np.asarray(near[1].concentration, np.float64))
    exact = np.asarray(distributions.kl_divergence(Gamma(3.0, 2.0), Gamma(moved, 2.0)))
figure, axis = plt.subplots(figsize=(6.5, 3.8), layout="constrained")
axis.plot(shift, np.abs(plain / exact - 1), "o-", color=ORANGE, ms=4, lw=1, label="textbook formula")
axis.plot(shift, np.maximum(np.abs(ours / exact - 1), 1e-9), "o-", color=BLUE, ms=4, lw=1, label="jaxinfo")
axis.axhline(1, color=GREY, lw=0.8)
axis.set(xscale="log", yscale="log", xlabel="how far apart the two shapes are", ylabel="relative error")
axis.set_title("KL(Gamma(3, 2)‖Gamma(3 + d, 2)) in single precision")
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# ## Where there is no formula
#
# Between a normal distribution and a mixture there is none. `densities` answers all the same, with an `Estimate`: its
# value, how far that may be off, and how it was found. An integral over one variable is done by quadrature, whose error
# bound is far below what matters; samples have a standard error that falls with the root of their number, and are what
# is left in many dimensions.

# %%
target = Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([-3.0, 3.0]), 1.0))
single = Normal(0.0, math.sqrt(10.0))
by_quadrature = densities.kl_divergence(target, single)
counts = 2 ** np.arange(5, 18, 2)
by_samples = [
    densities.kl_divergence(target, single, method=densities.MonteCarlo(jax.random.key(int(n)), int(n))) for n in counts
]
sampled = np.array([[float(e.value), float(e.stderr)] for e in by_samples])
print(f"{by_quadrature.method}: {float(by_quadrature.value):.7f} +- {float(by_quadrature.stderr):.0e}")
for n, (value, error) in zip(counts, sampled, strict=True):
    print(f"{n:7d} samples: {value:.5f} +- {error:.5f}")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
x = jnp.linspace(-9, 9, 600)
left.fill_between(x, jnp.exp(target.log_prob(x)), color=BLUE, alpha=0.25, lw=0, label="p, a mixture")
left.plot(x, jnp.exp(single.log_prob(x)), color=ORANGE, label="q, its moment match")
left.set(xlabel="x", ylabel="density", title="No formula for this pair", ylim=(0, 0.26))
left.legend(frameon=False)
right.errorbar(counts, sampled[:, 0], 1.96 * sampled[:, 1], fmt="o", color=BLUE, capsize=3, label="samples, 95 %")
right.axhline(float(by_quadrature.value), color=ORANGE, lw=1, label="quadrature")
right.set(xscale="log", xlabel="number of samples", ylabel="KL(p‖q) in nats", title="Error bars that mean it")
right.legend(frameon=False)
plt.show()

# %% [markdown]
# The three ways agree where all of them apply, and the error bars say by how much they may differ.

# %%
pair = Normal(0.0, 1.0), Normal(1.0, 2.0)
ways = {
    "closed form": densities.kl_divergence(*pair),
    "quadrature": densities.kl_divergence(*pair, method=densities.Quadrature()),
    "samples": densities.kl_divergence(*pair, method=densities.MonteCarlo(jax.random.key(0), 2**16)),
}
for name, estimate in ways.items():
    print(f"{name:12s} {float(estimate.value):.7f} +- {float(estimate.stderr):.1e}  ({estimate.method})")

# %% [markdown]
# Heavy tails and counts are no obstacle either. Student's t against a normal distribution, a Poisson distribution's
# entropy: no formula, and an answer.

# %%
heavy = densities.kl_divergence(Normal(0.0, 1.0), StudentT(3.0, 0.0, 1.0))
poisson = densities.entropy(Poisson(4.0))
for name, estimate in (("KL(normal‖t of 3 degrees)", heavy), ("H(Poisson(4))", poisson)):
    print(f"{name:26s} {float(estimate.value):.7f} +- {float(estimate.stderr):.1e}  ({estimate.method})")

# %% [markdown]
# ## Bounds on the entropy of a mixture
#
# In many dimensions an integral is out of reach and samples are noisy, but a mixture's entropy can be bounded by
# formulas between its components, which are exact when these are far apart or on top of each other.

# %%
distance = jnp.linspace(0.0, 4.0, 41)
pairs = Mixture(jnp.array([0.5, 0.5]), Normal(jnp.stack([-distance, distance], axis=-1), 1.0))
lower, upper = densities.entropy_bounds(pairs)
middle = densities.entropy(pairs).value
figure, axis = plt.subplots(figsize=(6.5, 3.8), layout="constrained")
axis.fill_between(distance, lower, upper, color=BLUE, alpha=0.25, lw=0, label="between the bounds")
axis.plot(distance, middle, color=ORANGE, label="by quadrature")
axis.axhline(h, color=GREY, lw=0.8)
axis.axhline(h + math.log(2), color=GREY, lw=0.8)
axis.annotate("one component", (1.1, h), (0, 4), textcoords="offset points", color=GREY)
axis.annotate("one component and a coin", (0.05, h + math.log(2)), (0, 4), textcoords="offset points", color=GREY)
axis.set(xlabel="half the distance of the two modes", ylabel="entropy in nats", ylim=(1.3, 2.3))
axis.legend(frameon=False, loc="lower right")
plt.show()

# %% [markdown]
# ## What was shown

# %%
# Uniform distributions: log of the length, and minus infinity at a point.
assert np.allclose(by_width["uniform on [0, w]"], np.log(np.asarray(width, np.float64)), atol=1e-5)
assert float(distributions.entropy(Uniform(0.0, 1.0))) == 0
assert float(distributions.entropy(Uniform(1.0, 1.0))) == -math.inf
assert all(np.all(np.diff(np.asarray(values)) > 0) for values in by_width.values())

# Tables and densities.
assert np.isclose(h, 0.5 * math.log(2 * math.pi * math.e), rtol=1e-6)
assert np.isclose(kl, math.log(1.5) + (1 + 0.25) / (2 * 2.25) - 0.5, rtol=1e-5)
fine = bins <= 0.25
assert np.allclose(table_entropy[fine], h - np.log(bins[fine]), atol=3e-3)
assert np.all(np.diff(table_divergence) >= -1e-6)
assert np.isclose(table_divergence[-1], kl, atol=1e-3)
unit = densities.kl_divergence(Normal(0.0, 10.0), Normal(5.0, 15.0)).value
assert np.isclose(float(unit), kl, rtol=1e-5)

# Digits.
assert np.all(np.abs(ours / exact - 1) < 32 * 1.2e-7)
assert np.abs(plain / exact - 1).max() > 1
assert float(distributions.kl_divergence(Normal(0.0, 1.0), Exponential(1.0))) == math.inf

# Estimates.
assert abs(float(by_quadrature.value) - 0.461994613467945) <= float(by_quadrature.stderr) + 1e-6
assert np.all(np.abs(sampled[:, 0] - 0.461994613467945) < 4 * sampled[:, 1])
assert [estimate.method for estimate in ways.values()] == ["closed_form", "quadrature", "monte_carlo"]
truth = math.log(2) + 2 / 8 - 0.5
for estimate in ways.values():
    assert abs(float(estimate.value) - truth) <= 4 * float(estimate.stderr) + 1e-6
assert poisson.method == "exact_sum"
counted = np.arange(60)
masses = np.exp(counted * math.log(4) - 4 - np.array([math.lgamma(k + 1) for k in counted]))
assert np.isclose(float(poisson.value), -np.sum(masses * np.log(masses)), rtol=1e-5)

# Bounds.
assert np.all(np.asarray(lower) <= np.asarray(middle) + 1e-5)
assert np.all(np.asarray(middle) <= np.asarray(upper) + 1e-5)
