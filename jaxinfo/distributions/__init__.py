"""Distribution objects, and information measures that have a closed form between them."""

from jaxinfo.distributions._closed_forms import cross_entropy, entropy, kl_divergence
from jaxinfo.distributions._mixture import Mixture
from jaxinfo.distributions._normal import Normal

__all__ = ["Mixture", "Normal", "cross_entropy", "entropy", "kl_divergence"]
