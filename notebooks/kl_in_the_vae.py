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
# # KL in the VAE
#
# A variational autoencoder is trained on the evidence lower bound
#
# $$\log p(x) \ge E_{q(z|x)}[\log p(x|z)] - \mathrm{KL}(q(z|x) \,\|\, p(z)),$$
#
# a reconstruction and a rate: the nats that the latent variable carries. This notebook is about the second term. What
# does it cost to draw it rather than to compute it? Why do latent units fall silent, and what do free bits do about
# it? And what are the nats spent on? Every number is computed here, on real digits, and the last cell asserts what the
# text says.

# %%
import itertools
import math

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax
from flax import nnx
from sklearn.datasets import load_digits

from jaxinfo import objectives
from jaxinfo.densities import StickingTheLanding
from jaxinfo.distributions import Independent, Normal

BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#666666"
plt.rcParams.update({"figure.dpi": 100, "axes.spines.top": False, "axes.spines.right": False, "font.size": 11})

# %% [markdown]
# ## Computed or drawn
#
# Between a normal posterior and a standard normal prior the KL of one coordinate is
# $\frac12 (\mu^2 + \sigma^2 - \log \sigma^2 - 1)$. `elbo_terms` finds that formula in the registry, and its error is
# 0. With `analytic_kl=False` it takes the mean of $\log q(z) - \log p(z)$ over the draws, and says how far off that may
# be.

# %%
means, scales = jnp.linspace(-2.0, 2.0, 200), jnp.linspace(0.2, 1.5, 200)
posterior, prior = Normal(means, scales), Normal(0.0, 1.0)
nothing = jnp.zeros_like  # no reconstruction: only the KL term is looked at
exact = objectives.elbo_terms(posterior, prior, nothing, key=jax.random.key(0)).kl
drawn = objectives.elbo_terms(posterior, prior, nothing, key=jax.random.key(0), num_samples=500, analytic_kl=False).kl

by_hand = 0.5 * (means**2 + scales**2 - jnp.log(scales**2) - 1)
z_scores = np.asarray((drawn.value - exact.value) / drawn.stderr)
print(f"{exact.method}: off the formula by {jnp.max(jnp.abs(exact.value - by_hand)):.1e} nats at most")
print(f"{drawn.method}: z-scores of mean {z_scores.mean():.2f} and standard deviation {z_scores.std():.2f}")

# %% [markdown]
# The two agree within the error. But drawing has a virtue that the formula has not. Where the posterior is the true
# one, $\log p(x, z) - \log q(z)$ does not depend on $z$: every draw gives $\log p(x)$ exactly. With
# `StickingTheLanding`, which holds the density of $q$ fixed in the integrand, every draw gives a gradient of exactly 0,
# too, whereas the computed KL leaves the noise of the reconstruction alone. Here $x \sim N(z, 1)$ and $z \sim N(0, 1)$,
# so that the posterior is $N(x/2, 1/2)$; the gradient is that in its mean. By hand the noise is $\sigma$ with the
# formula, and $|1/\sigma - 2 \sigma|$ without.

# %%
x_seen = 1.3


def slope(scale, key, gradient):
    """The gradient of the bound in the posterior's mean, which is the true one."""

    def bound(loc):
        q = Normal(loc, scale)
        return objectives.elbo(q, prior, lambda z: Normal(z, 1.0).log_prob(x_seen), key=key, gradient=gradient)

    return jax.grad(bound)(x_seen / 2)


spreads = jnp.linspace(0.3, 1.2, 19)
keys = jax.random.split(jax.random.key(1), 1000)
noise = {}
for name, gradient in {"KL computed": None, "KL drawn, sticking the landing": StickingTheLanding()}.items():
    every = jax.jit(jax.vmap(jax.vmap(slope, (None, 0, None)), (0, None, None)), static_argnums=2)
    slopes = np.asarray(every(spreads, keys, gradient))
    noise[name] = slopes.std(axis=1)
    assert np.all(np.abs(slopes.mean(axis=1)) < 5 * noise[name] / math.sqrt(1000) + 1e-5)  # unbiased
at_the_truth = np.asarray(slope(0.5**0.5, keys[0], StickingTheLanding()))

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.8), layout="constrained")
left.hist(z_scores, bins=np.linspace(-4, 4, 25), density=True, color=BLUE, alpha=0.6)
grid = np.linspace(-4, 4, 200)
left.plot(grid, np.exp(-(grid**2) / 2) / math.sqrt(2 * math.pi), color="#222222", label="N(0, 1)")
left.set(
    xlabel="(drawn - computed) / standard error", ylabel="density", title="KL of 200 posteriors, by 500 draws each"
)
left.legend(frameon=False)
for (name, spread), color in zip(noise.items(), (GREY, ORANGE), strict=True):
    right.plot(spreads, spread, color=color, linewidth=2, label=name)
right.axvline(0.5**0.5, color="#222222", linestyle=":", label="the true posterior's")
right.set(xlabel="standard deviation of the posterior", ylabel="standard deviation of the gradient", ylim=(0, 3))
right.set_title("The noise of one draw's gradient")
right.legend(frameon=False, loc="upper right")
plt.show()

# %% [markdown]
# ## Four autoencoders of digits
#
# The digits of scikit-learn have 8 by 8 pixels with values from 0 to 16: each pixel is a binomial of 16 trials. Four
# small models are trained at once, one for each pair of $\beta$, the weight of the KL term, and of free bits, the nats
# below which a unit's KL is not pressed any further. Both are numbers that are traced, so that one program trains all.

# %%
digits = jnp.asarray(load_digits().data / 16, jnp.float32)
TRIALS, LATENT, WIDTH, STEPS = 16, 6, 64, 1000
log_orders = jax.scipy.special.gammaln(jnp.array(TRIALS + 1.0)) - sum(
    jax.scipy.special.gammaln(count + 1) for count in (TRIALS * digits, TRIALS * (1 - digits))
)


class Vae(nnx.Module):
    def __init__(self, rngs):
        self.encoder = nnx.Sequential(
            nnx.Linear(64, WIDTH, rngs=rngs), nnx.gelu, nnx.Linear(WIDTH, 2 * LATENT, rngs=rngs)
        )
        self.decoder = nnx.Sequential(nnx.Linear(LATENT, WIDTH, rngs=rngs), nnx.gelu, nnx.Linear(WIDTH, 64, rngs=rngs))

    def posterior(self, x):
        loc, log_scale = jnp.split(self.encoder(2 * x - 1), 2, axis=-1)
        return Independent(Normal(loc, jnp.exp(log_scale)))

    def log_likelihood(self, x, orders):
        """A function of the draws `[num_samples, images, units]`, as `elbo` wants it."""

        def of_draws(z):
            logits = self.decoder(z)
            return jnp.sum(orders + TRIALS * (x * logits - jax.nn.softplus(logits)), axis=-1)

        return of_draws


PRIOR = Independent(Normal(jnp.zeros(LATENT), 1.0))
graph, _ = nnx.split(Vae(nnx.Rngs(0)))
optimizer = optax.adam(optax.cosine_decay_schedule(5e-3, STEPS), b2=0.99)
warm_up = objectives.kl_annealing_schedule(STEPS // 10)


@jax.jit
@jax.vmap
def train(beta, free_bits, key):
    def step(carry, index):
        params, state = carry
        batch_key, draw_key = jax.random.split(jax.random.fold_in(key, index))
        chosen = jax.random.randint(batch_key, (100,), 0, len(digits))

        def loss(params):
            model = nnx.merge(graph, params)
            bound = objectives.elbo(
                model.posterior(digits[chosen]),
                PRIOR,
                model.log_likelihood(digits[chosen], log_orders[chosen]),
                key=draw_key,
                beta=beta * warm_up(index),
                free_bits=free_bits,
            )
            return -jnp.mean(bound)

        updates, state = optimizer.update(jax.grad(loss)(params), state)
        return (optax.apply_updates(params, updates), state), None

    params = nnx.split(Vae(nnx.Rngs(params=key)))[1]
    return jax.lax.scan(step, (params, optimizer.init(params)), jnp.arange(STEPS))[0][0]


cases = [(1.0, 0.0), (8.0, 0.0), (64.0, 0.0), (64.0, 0.5)]
names = ["β = 1", "β = 8", "β = 64", "β = 64, 0.5 free nats a unit"]
betas, free_bits = jnp.array(cases).T
trained = train(betas, free_bits, jnp.stack([jax.random.key(0)] * len(cases)))


@jax.jit
def judge(params, key):
    model = nnx.merge(graph, params)
    q = model.posterior(digits)
    keys = jax.random.split(key)
    terms = objectives.elbo_terms(q, PRIOR, model.log_likelihood(digits, log_orders), key=keys[0], num_samples=8)
    split = objectives.aggregate_posterior_terms(q, PRIOR, key=keys[1], num_samples=2)
    return {
        "rate": jnp.mean(terms.rate),
        "distortion": jnp.mean(terms.distortion),
        "by unit": jnp.mean(terms.kl_per_dimension.value, axis=0),
        "activity": objectives.unit_activity(q.mean),
        "active": jnp.sum(objectives.active_units(q.mean)),
        "split": split,
    }


found = [judge(jax.tree.map(lambda leaf, i=i: leaf[i], trained), jax.random.key(2)) for i in range(len(cases))]
marginal = jnp.mean(digits, axis=0)
held = jnp.where((marginal == 0) | (marginal == 1), 0.5, marginal)  # pixels that are never on cost nothing
alone = -jnp.mean(
    jnp.sum(
        log_orders
        + jnp.where(marginal == held, TRIALS * (digits * jnp.log(held) + (1 - digits) * jnp.log1p(-held)), 0.0),
        -1,
    )
)
for name, case in zip(names, found, strict=True):
    print(f"{name:30} rate {case['rate']:6.2f}  distortion {case['distortion']:7.2f}  active units {case['active']}")
print(f"{'pixels on their own':30} rate {0:6.2f}  distortion {alone:7.2f}")

# %% [markdown]
# ## Units that fall silent
#
# At $\beta = 64$ a nat of rate must save 64 nats of distortion, and no unit does: every posterior is the prior, and the
# decoder paints the same grey image whatever it is told, the one that treats pixels on their own. Not one unit is
# active by the measure of Burda et al., that the variance of its posterior mean over images is above 0.01. With free
# bits a unit has no reason to be quieter than what is free: the same $\beta$ leaves every unit its 0.5 nats.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.8), layout="constrained")
for i, (name, case, color) in enumerate(zip(names, found, (BLUE, GREEN, ORANGE, PURPLE), strict=True)):
    at = np.arange(LATENT) + 0.2 * (i - 1.5)
    left.bar(at, np.sort(case["by unit"])[::-1], 0.2, color=color, label=name)
left.axhline(0.5, color=GREY, linestyle=":")
left.set(xlabel="latent unit, by its KL", ylabel="mean KL [nats]", title="The rate of each unit")
left.set_xticks(range(LATENT), [str(unit + 1) for unit in range(LATENT)])
left.set_ylim(0, 3.2)
left.legend(frameon=False, fontsize=10, ncol=2, loc="upper left")
information = [float(case["split"].mutual_information.value) for case in found]
aggregate = [float(case["split"].aggregate_kl.value) for case in found]
labels = ["β = 1", "β = 8", "β = 64", "β = 64,\n0.5 free"]
right.bar(labels, information, color=BLUE, label="I(n; z)")
right.bar(labels, aggregate, bottom=information, color=ORANGE, label="KL(q(z)‖p(z))")
right.axhline(math.log(len(digits)), color=GREY, linestyle="--", label="log of the number of images")
right.set(ylabel="nats", title="What the rate is spent on")
right.legend(frameon=False, fontsize=10)
plt.show()

# %% [markdown]
# ## What the nats are spent on
#
# Let $n$ be the number of an image, drawn at random, and $q(z) = \frac1N \sum_n q(z|x_n)$ the aggregate posterior. The
# mean rate is
#
# $$\frac1N \sum_n \mathrm{KL}(q(z|x_n) \,\|\, p(z)) = I(n; z) + \mathrm{KL}(q(z) \,\|\, p(z)).$$
#
# Only the first part says anything about the image, and it cannot exceed $\log N$: once $z$ tells which of the $N$
# images it was, there is nothing more to tell. The rest is what the decoder will notice when it is given draws from the
# prior instead: posteriors that leave holes in it. The split is computed with the Gaussian mixture of all $N$
# posteriors, in blocks, and comes with its error. The rate being a closed form, its deviation over the draws is known,
# and is used to reduce that error.
#
# A minibatch does not know the mixture of all posteriors. From its $B$ own it has a lower bound, which cannot exceed
# $\log B$, and an upper one, which compares each draw with the others' posteriors only.

# %%
split = found[0]["split"]
for part in ("rate", "mutual_information", "aggregate_kl"):
    estimate = getattr(split, part)
    print(f"{part:20}{estimate.value:8.3f} +- {estimate.stderr:.3f}  {estimate.method}")
print(f"{'log N':20}{math.log(len(digits)):8.3f}")

model = nnx.merge(graph, jax.tree.map(lambda leaf: leaf[1], trained))  # β = 8, whose posteriors overlap
whole = found[1]["split"].mutual_information
order = np.random.default_rng(0).permutation(len(digits))
sizes = [8, 32, 128, 512]
bounds = [
    objectives.minibatch_information_bounds(model.posterior(digits[order[:size]]), key=jax.random.key(3), num_samples=8)
    for size in sizes
]
figure, axes = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
for side, name, color in ((0, "lower bound", BLUE), (1, "upper bound", ORANGE)):
    values, errors = zip(*((float(pair[side].value), float(pair[side].stderr)) for pair in bounds), strict=True)
    axes.errorbar(sizes, values, errors, color=color, marker="o", capsize=3, label=name)
axes.plot(sizes, np.log(sizes), color=GREY, linestyle=":", label="log of the minibatch's size")
axes.axhline(whole.value, color="#222222", linewidth=1, label="I(n; z) of all images")
axes.set_xscale("log", base=2)
axes.set_xticks(sizes, [str(size) for size in sizes])
axes.set(xlabel="images in the minibatch", ylabel="nats", title="Information by minibatch, at β = 8", ylim=(1, 11))
axes.legend(frameon=False)
plt.show()

# %% [markdown]
# ## How loose the bound is
#
# More draws make it tighter: the importance-weighted bound of $K$ draws is the evidence lower bound at $K = 1$ and
# grows towards $\log p(x)$. The upper bound by the chi-divergence comes from the other side, in principle: it
# needs the rare large weights, and is below what it estimates until they have been seen.

# %%
model = nnx.merge(graph, jax.tree.map(lambda leaf: leaf[0], trained))
some = digits[order[:200]]


@jax.jit
def log_weights(key):
    q = model.posterior(some)
    z = q.sample(key, (2000,))
    return model.log_likelihood(some, log_orders[order[:200]])(z) + PRIOR.log_prob(z) - q.log_prob(z)


weights = log_weights(jax.random.key(4))
counts = [1, 5, 20, 100, 400, 2000]
tighter = [
    float(jnp.mean(objectives.importance_weighted_bound_from_log_weights(weights.reshape(-1, count, 200), axis=1)))
    for count in counts
]
orders = jnp.array([1.0, 0.5, 0.0])[:, None]
by_order = jnp.mean(objectives.renyi_bound_from_log_weights(weights[:, None], orders), axis=1)
upper = float(jnp.mean(objectives.chi_upper_bound_from_log_weights(weights)))
print("draws      ", *(f"{count:8}" for count in counts))
print("bound      ", *(f"{value:8.2f}" for value in tighter))
print("Rényi bounds of orders 1, 1/2 and 0 by 2000 draws:", *(f"{value:.2f}" for value in by_order))
print(f"chi upper bound by 2000 draws: {upper:.2f}")

# %% [markdown]
# ## What was claimed

# %%
# The drawn KL is the computed one within its error, and the landing sticks.
assert jnp.allclose(exact.value, by_hand, atol=1e-5)
assert not exact.stderr.any()
assert abs(z_scores.mean()) < 0.3
assert 0.85 < z_scores.std() < 1.15
assert abs(at_the_truth) < 1e-5
np.testing.assert_allclose(noise["KL computed"], spreads, rtol=0.1)
np.testing.assert_allclose(noise["KL drawn, sticking the landing"], np.abs(1 / spreads - 2 * spreads), rtol=0.1)
# More weight on the rate, less rate and more distortion; at the end nothing is left, and free bits leave their own.
one, eight, collapsed, freed = found
assert one["rate"] > eight["rate"] > 1
assert collapsed["rate"] < 0.01
assert one["distortion"] < eight["distortion"] < collapsed["distortion"]
assert abs(collapsed["distortion"] - alone) < 1
assert collapsed["active"] == 0
assert one["active"] == LATENT
assert freed["active"] == LATENT
assert np.all(np.abs(freed["by unit"] - 0.5) < 0.25)
# The rate is information and divergence; the former knows its bounds.
for case in found:
    parts = case["split"]
    assert abs(parts.rate.value - parts.mutual_information.value - parts.aggregate_kl.value) < 1e-3
    assert parts.mutual_information.value <= math.log(len(digits)) + 1e-4
assert one["split"].mutual_information.value > 0.98 * math.log(len(digits))
assert all(lower.value <= math.log(size) for (lower, _), size in zip(bounds, sizes, strict=True))
assert bounds[-1][0].value - 4 * bounds[-1][0].stderr < whole.value < bounds[-1][1].value + 4 * bounds[-1][1].stderr
# More draws are tighter, and lower orders.
assert all(a < b for a, b in itertools.pairwise(tighter))
assert by_order[0] < by_order[1] < by_order[2] < upper
