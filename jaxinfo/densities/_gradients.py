"""Ways to differentiate a mean over draws whose distribution is what is differentiated. None changes the value."""

import dataclasses

import jax


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class Reparameterized:
    r"""Derivatives through the draws, $x = x_\theta(\epsilon)$, and through the integrand.

    Of every order. A mixture's weights, through which draws cannot be differentiated, get the score function.

    Reference: D. P. Kingma and M. Welling, "Auto-Encoding Variational Bayes", ICLR 2014.

    >>> from jaxinfo import densities
    >>> densities.Reparameterized()
    Reparameterized()
    """


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class StickingTheLanding:
    r"""Derivatives through the draws only, the density that is drawn from held fixed in the integrand.

    What is left out has mean zero, and without it the gradient of KL has no variance where the densities are equal.
    For entropies and KL; of first order.

    Reference: G. Roeder, Y. Wu and D. Duvenaud, "Sticking the Landing: Simple, Lower-Variance Gradient Estimators for
        Variational Inference", NeurIPS 2017.

    >>> from jaxinfo import densities
    >>> densities.StickingTheLanding()
    StickingTheLanding()
    """


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class ScoreFunction:
    r"""The integrand, less the mean of the other draws in its block, times $\nabla_\theta \log p_\theta(x)$.

    For draws that cannot be differentiated, such as integers; of first order.

    Reference: W. Kool, H. van Hoof and M. Welling, "Buy 4 REINFORCE Samples, Get a Baseline for Free!", ICLR workshop
        2019.

    >>> from jaxinfo import densities
    >>> densities.ScoreFunction()
    ScoreFunction()
    """


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class DoublyReparameterized:
    r"""Derivatives through the draws only, also for what the weights $q(x) / p(x)$ add to the gradient.

    With the integrand $h(\log q - \log p)$ that is $(h' - h'') \nabla_x (\log q - \log p)$ times the draws' derivative.
    It draws from `p` alone. For KL it is `StickingTheLanding()`. Of first order.

    Reference: G. Tucker, D. Lawson, S. Gu and C. J. Maddison, "Doubly Reparameterized Gradient Estimators for Monte
        Carlo Objectives", ICLR 2019.

    >>> from jaxinfo import densities
    >>> densities.DoublyReparameterized()
    DoublyReparameterized()
    """


Gradient = Reparameterized | StickingTheLanding | ScoreFunction | DoublyReparameterized
