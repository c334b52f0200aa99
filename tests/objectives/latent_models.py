"""Posteriors whose noise is given in place of a key, so that a mean over draws is a sum over all of them."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np

from jaxinfo._pytrees import register_dataclass
from jaxinfo.distributions import Categorical


@register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class ScriptedNormal:
    """A normal that nothing is known of but its density; `key` is its noise `[num_samples, *batch]`."""

    loc: jax.Array
    scale: jax.Array

    event_shape = ()

    @property
    def batch_shape(self):
        return jnp.shape(self.loc)

    def log_prob(self, x):
        loc, scale = (jnp.broadcast_to(leaf, x.shape) for leaf in (self.loc, self.scale))
        return log_normal(x, loc, scale)

    def sample(self, key, sample_shape=()):
        assert key.shape == (*sample_shape, *self.batch_shape)
        loc, scale = (jnp.broadcast_to(leaf, key.shape) for leaf in (self.loc, self.scale))
        return loc + scale * key


@register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class ScriptedCategorical:
    """Integers that nothing is known of but their probabilities; `key` is the draws."""

    logits: jax.Array

    event_shape = ()

    @property
    def batch_shape(self):
        return jnp.shape(self.logits)[:-1]

    def log_prob(self, x):
        table = jax.nn.log_softmax(self.logits)
        table = jnp.broadcast_to(table, (*x.shape, table.shape[-1]))
        return jnp.take_along_axis(table, x.astype(jnp.int32)[..., None], axis=-1)[..., 0]

    def sample(self, key, sample_shape=()):
        assert key.shape == (*sample_shape, *self.batch_shape)
        return key


def script_categorical(monkeypatch):
    """The library's own family, with its closed forms, drawn from as the scripted one is."""
    monkeypatch.setattr(Categorical, "sample", ScriptedCategorical.sample)


def log_normal(x, loc, scale):
    return -0.5 * ((x - loc) / scale) ** 2 - jnp.log(scale) - 0.5 * np.log(2 * np.pi)


def hermite(count, num_samples):
    """All tuples of Gauss-Hermite nodes, `[count**num_samples, num_samples]`, and their weights."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    weights = weights / weights.sum()
    tuples = np.array(list(itertools.product(nodes, repeat=num_samples)))
    shares = np.array([np.prod(w) for w in itertools.product(weights, repeat=num_samples)])
    return jnp.asarray(tuples, jnp.result_type(float)), jnp.asarray(shares, jnp.result_type(float))


def every(num_outcomes, num_samples):
    """All tuples of outcomes."""
    return jnp.array(list(itertools.product(range(num_outcomes), repeat=num_samples)))
