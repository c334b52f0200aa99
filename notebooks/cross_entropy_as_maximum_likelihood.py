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
# # Cross-entropy as maximum likelihood
#
# Three people fit the same classifier. One minimises a cross-entropy loss, one maximises a likelihood, and one looks
# for the model that is closest to the data in KL divergence. They do the same thing, and this notebook shows it on a
# table of 1,312 people, to sixteen digits. Then it asks what label smoothing adds to the loss, and what scores make of
# a forecast. Every number is computed here, and the last cell asserts what the text says.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from bokeh_sampledata import titanic

import jaxinfo
from jaxinfo import logits, objectives
from jaxinfo.distributions import Bernoulli

jax.config.update("jax_enable_x64", True)  # identities are wanted to the last digit
BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#666666"
plt.rcParams.update({"figure.dpi": 100, "axes.spines.top": False, "axes.spines.right": False, "font.size": 11})

# %% [markdown]
# ## The table
#
# Who survived the Titanic, by sex and class. (One passenger of unknown class is left out.) The table of shares
# $\hat p(s, c, y)$ is the **empirical distribution**, and it answers questions about itself: how uncertain is survival
# $y$, and how much do sex $s$ and class $c$ say about it?

# %%
SEXES, CLASSES = ("female", "male"), ("1st", "2nd", "3rd")
people = titanic.data[titanic.data["class"].isin(CLASSES)]
sex = np.array([SEXES.index(x) for x in people["sex"]])
kind = np.array([CLASSES.index(x) for x in people["class"]])
survived = np.array(people["survived"])
counts = np.zeros((2, 3, 2))
np.add.at(counts, (sex, kind, survived), 1)
table = jnp.asarray(counts / counts.sum())

h_y, i_sex, i_class, i_both, floor = map(
    float, jaxinfo.shannon("s c y -> H(y), I(y; s), I(y; c), I(y; s c), H(y | s c)", table)
)
for i, s in enumerate(SEXES):
    print(
        "   ".join(f"{s:6} {c}: {int(n[1]):3d} of {int(n.sum()):3d}" for c, n in zip(CLASSES, counts[i], strict=True))
    )
print(f"\nH(survived)                   {h_y:.6f} nats")
print(f"  less I(survived; sex)       {i_sex:.6f}")
print(f"  less I(survived; class)     {i_class:.6f}")
print(f"  less I(survived; sex class) {i_both:.6f}")
print(f"H(survived | sex, class)      {floor:.8f}")

# %% [markdown]
# ## One number with three names
#
# A model $q(y \mid s, c)$ gives log-odds of survival to each cell. Its **cross-entropy loss** on the people is
#
# $$-\frac1N \sum_i \log q(y_i \mid s_i, c_i) = -\sum_{s, c, y} \hat p(s, c, y) \log q(y \mid s, c),$$
#
# for a sum over people is a sum over the cells of the table, each as often as it occurs. The left is also minus the
# **log-likelihood** per person. And adding and subtracting $\log \hat p(y \mid s, c)$ on the right makes of it
#
# $$\underbrace{H(\hat y \mid s, c)}_{\text{nothing to be done}} \; + \; \underbrace{D(\hat p \,\|\, \hat p(s, c) \,
# q(y \mid s, c))}_{\text{the model's own}}.$$
#
# The first term has no $q$ in it. So all three have the same minimiser, and the same gradient on the way. Below they
# are three functions of the library, on three forms of the data: labels and logits, coins, and joint tables.

# %%
cell = 3 * sex + kind
FEATURES = {
    "saturated": jnp.eye(6),
    "additive": jnp.array([[1.0, s, c == 1, c == 2] for s in range(2) for c in range(3)]),
}


def cross_entropy(log_odds):
    """Integer labels against two logits for each person."""
    pairs = jnp.stack([jnp.zeros(6), log_odds], axis=-1)
    return jnp.mean(objectives.cross_entropy_loss(survived, pairs[cell]))


def minus_likelihood(log_odds):
    """A coin for each person."""
    return jnp.mean(objectives.negative_log_likelihood(survived, Bernoulli(logits=log_odds[cell])))


def divergence(log_odds):
    """A joint table against a joint table; the cells' own shares are those of the data."""
    coins = jnp.stack([jax.nn.sigmoid(-log_odds), jax.nn.sigmoid(log_odds)], axis=-1)
    joint = table.reshape(6, 2)
    return jaxinfo.kl_divergence(joint, jnp.sum(joint, axis=-1, keepdims=True) * coins, axis=None)


CRITERIA = {"cross-entropy": cross_entropy, "minus likelihood": minus_likelihood, "divergence": divergence}
at_random = jax.random.normal(jax.random.key(0), (6,))
for name, criterion in CRITERIA.items():
    slope = jax.grad(criterion)(at_random)
    print(f"{name:17} {float(criterion(at_random)):.15f}   gradient {np.array(slope[:3]).round(15)} ...")
print(f"{'... + H(y | s, c)':17} {float(divergence(at_random) + floor):.15f}")

# %% [markdown]
# ## Three descents
#
# Newton's method on each of them, for two models. The **saturated** one has log-odds of its own for each of the six
# cells; it can be the table itself, so its divergence ends at 0 and its loss at the conditional entropy. No model that
# is told sex and class can have a lower one on these people. The **additive** one has an effect of sex and one of
# class; what it cannot say is a divergence that stays.


# %%
def descend(criterion, features, steps=8):
    """All three criteria along Newton's method on one of them; the parameters at its end."""

    def step(parameters, _):
        def value(b):
            return criterion(features @ b)

        every = jnp.stack([f(features @ parameters) for f in CRITERIA.values()]) + jnp.array([0, 0, floor])
        return parameters - jnp.linalg.solve(jax.hessian(value)(parameters), jax.grad(value)(parameters)), every

    return jax.jit(lambda: jax.lax.scan(step, jnp.zeros(features.shape[1]), None, length=steps))()


descents = {
    (model, name): descend(criterion, features)
    for model, features in FEATURES.items()
    for name, criterion in CRITERIA.items()
}
print(f"{'model':11}{'minimised':18}{'cross-entropy':>20}{'minus likelihood':>20}{'divergence + H':>20}")
for (model, name), (_, values) in descents.items():
    print(f"{model:11}{name:18}" + "".join(f"{value:20.16f}" for value in values[-1]))
best = {model: descents[model, "cross-entropy"][0] for model in FEATURES}
lost = {model: float(divergence(features @ best[model])) for model, features in FEATURES.items()}
g = 2 * counts.sum() * lost["additive"]
print(f"\nthe additive model loses {lost['additive']:.6f} nats per person")

# %% [markdown]
# That divergence is a statistic that has a name: times $2N$ it is $G$, the likelihood-ratio statistic of the additive
# model against the saturated one, which has two more parameters. It is 43.0; under the additive model it would be two
# on average. Women of the 3rd class did worse than the two effects can say.

# %%
models = {
    "nothing": h_y,
    "class": h_y - i_class,
    "sex": h_y - i_sex,
    "sex + class": floor + lost["additive"],
    "sex * class": floor + lost["saturated"],
}
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
left.bar(list(models), floor, color="#c9d3dc", label="H(survived | sex, class)")
left.bar(list(models), np.array(list(models.values())) - floor, bottom=floor, color=BLUE, label="divergence")
for x, value in enumerate(models.values()):
    left.annotate(f"{value:.4f}", (x, value + 0.008), ha="center", fontsize=10)
left.set(ylim=(0, 0.84), ylabel="cross-entropy, nats per person", xlabel="what the model knows")
left.legend(frameon=False, loc="upper right")
left.set_title("Likelihood is entropy plus divergence")
places = np.arange(6)
right.bar(places, counts.reshape(6, 2)[:, 1] / counts.reshape(6, 2).sum(-1), color="#c9d3dc", label="the table")
for (model, features), color, marker in zip(FEATURES.items(), (BLUE, ORANGE), ("o", "s"), strict=True):
    right.plot(
        places, jax.nn.sigmoid(features @ best[model]), marker, ms=9, mfc="none", mew=2, color=color, label=model
    )
right.set_xticks(places, [f"{s}\n{c}" for s in SEXES for c in CLASSES], fontsize=9.5)
right.set(ylabel="share that survived", ylim=(0, 1.08))
right.legend(frameon=False, loc="upper right")
right.set_title("The models at their ends")
plt.show()

# %% [markdown]
# ## What label smoothing adds
#
# Smoothing gives the label $y$ a share $\epsilon$ less and spreads it over all $K$ classes. The loss is linear in the
# label, so it becomes
#
# $$(1 - \epsilon) \, H(y, q) + \epsilon \, H(u, q) = (1 - \epsilon) \, H(y, q) + \epsilon \, \log K + \epsilon \, D(u
# \,\|\, q),$$
#
# the old loss with less weight, a constant, and a divergence from the uniform distribution: a penalty on confidence,
# which grows without bound where any class is ruled out. `cross_entropy_loss_terms` gives the parts. Read the other
# way, as above, the whole is the **entropy of the smoothed label plus the divergence from it**, and so it has a floor.

# %%
confidence = np.linspace(0.001, 0.999, 500)
coin_logits = jnp.stack([jnp.zeros(500), jnp.log(confidence / (1 - confidence))], axis=-1)
shares = (0.0, 0.1, 0.2, 0.4)
smoothed = {e: objectives.cross_entropy_loss_terms(jnp.ones(500, int), coin_logits, label_smoothing=e) for e in shares}
targets = {e: jnp.array([e / 2, 1 - e / 2]) for e in shares}
gaps = {}
for e, terms in smoothed.items():
    whole = jaxinfo.entropy(targets[e]) + logits.kl_divergence_from_probs(targets[e], coin_logits)
    gaps[e] = float(jnp.max(jnp.abs(terms.loss - whole)))
figure, axis = plt.subplots(figsize=(6.8, 4), layout="constrained")
for (e, terms), color in zip(smoothed.items(), (GREY, BLUE, GREEN, ORANGE), strict=True):
    axis.plot(confidence, terms.loss, color=color, label=f"smoothing {e:g}")
    low = int(np.argmin(terms.loss))
    axis.plot(confidence[low], terms.loss[low], "o", color=color, ms=7, clip_on=False)
    axis.axhline(jaxinfo.entropy(targets[e]), color=color, lw=0.8, ls=":")
axis.set(xlabel="probability given to the label", ylabel="loss, nats", ylim=(-0.03, 2), xlim=(0, 1))
axis.legend(frameon=False)
axis.set_title("A floor, and a price on being sure")
plt.show()
print("loss less (entropy + divergence), at most:", f"{max(gaps.values()):.0e}")

# %% [markdown]
# On the table, the model that minimises the smoothed loss says $(1 - \epsilon) \hat p + \epsilon / 2$ where the other
# said $\hat p$: it is drawn towards a half, in every cell, and so it is **no longer calibrated**. Log-odds of 0 stay,
# others shrink, by a factor that is not the same for all: for a model that is sure of nearly everything, as networks
# are, one temperature will do, but here no temperature restores the table exactly.

# %%
share = 0.2


def smoothed_loss(log_odds):
    pairs = jnp.stack([jnp.zeros(6), log_odds], axis=-1)
    return jnp.mean(objectives.cross_entropy_loss(survived, pairs[cell], label_smoothing=share))


(drawn, _), honest = descend(smoothed_loss, FEATURES["saturated"]), best["saturated"]
pairs = jnp.stack([jnp.zeros(6), drawn], axis=-1)
temperature = objectives.optimal_temperature(survived, pairs[cell])
forecasts, decompositions = {"unsmoothed": honest, "smoothed": drawn, "smoothed, at T": drawn / temperature}, {}
for name, log_odds in forecasts.items():
    q = jax.nn.softmax(jnp.stack([jnp.zeros(6), log_odds], axis=-1))
    decompositions[name] = parts = objectives.log_score_decomposition(survived, q[cell], cell, num_groups=6)
    print(f"{name:15} score {parts.score:.5f} = uncertainty {parts.uncertainty:.5f}", end=" ")
    print(f"- resolution {parts.resolution:.5f} + reliability {parts.reliability:.5f}")
print(f"T = {temperature:.4f}")

# %% [markdown]
# The three columns are **Murphy's decomposition** of a score of forecasts that come in groups: what nobody could know,
# less what the groups tell, plus what is lost by saying something else than what happens in the group. For the
# logarithmic score they are entropies and divergences: uncertainty is $H(y)$, resolution is the mutual information
# $I(y; s, c)$, and reliability is the divergence that a calibrated model does not have. A model that keeps the cells
# apart keeps its resolution, whatever it says; smoothing and temperature change the reliability alone.

# %% [markdown]
# ## What was shown

# %%
# The floor is the conditional entropy of the table, by counting.
cells_of = counts.reshape(6, 2)
by_hand = -np.sum(cells_of * np.log(cells_of / cells_of.sum(-1, keepdims=True))) / counts.sum()
assert counts.sum() == 1312
assert abs(floor - 0.44037502) < 5e-9
assert abs(floor - by_hand) < 1e-14

# Three criteria are one number at every step, and three descents have one end.
for model in FEATURES:
    ends = np.array([descents[model, name][0] for name in CRITERIA])
    assert np.allclose(ends, ends[0], atol=1e-10)
    for name in CRITERIA:
        assert np.ptp(np.array(descents[model, name][1]), axis=1).max() < 1e-12
gradients = np.array([jax.grad(criterion)(at_random) for criterion in CRITERIA.values()])
assert np.ptp(gradients, axis=0).max() < 1e-14

# The saturated model is the table; the additive one is not, by far.
assert lost["saturated"] < 1e-14
assert np.allclose(jax.nn.sigmoid(best["saturated"]), cells_of[:, 1] / cells_of.sum(-1), atol=1e-12)
assert abs(g - 43.016) < 1e-3

# Smoothing: entropy plus divergence, with the floor at the smoothed label.
assert max(gaps.values()) < 1e-14
for e, terms in smoothed.items():
    parts = (1 - e) * terms.cross_entropy + e * (np.log(2) + terms.uniform_divergence)
    assert np.allclose(terms.loss, parts, atol=1e-14)
    assert abs(confidence[int(np.argmin(terms.loss))] - min(1 - e / 2, 0.999)) < 0.002
assert np.allclose(jax.nn.sigmoid(drawn), (1 - share) * cells_of[:, 1] / cells_of.sum(-1) + share / 2, atol=1e-12)

# The decomposition: only the reliability moves, and a temperature below one mends most of it.
for parts in decompositions.values():
    assert abs(parts.score - (parts.uncertainty - parts.resolution + parts.reliability)) < 1e-12
    assert abs(parts.uncertainty - h_y) < 1e-12
    assert abs(parts.resolution - i_both) < 1e-12
assert abs(decompositions["unsmoothed"].reliability) < 1e-14
assert decompositions["smoothed"].reliability > 4 * decompositions["smoothed, at T"].reliability > 0
assert temperature < 1
