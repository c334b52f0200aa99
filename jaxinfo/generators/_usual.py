"""Generators of the usual divergences. Each f has `f(1) = 0` and, where it is smooth, `f'(1) = 0`."""

from __future__ import annotations

import math

from jaxinfo.generators import _forms
from jaxinfo.generators._generator import Generator


def kullback_leibler() -> Generator:
    r"""$f(t) = t \log t - t + 1$, for $\mathrm{KL}(p\|q)$.

    Reference: S. Kullback and R. A. Leibler, "On Information and Sufficiency", Annals of Mathematical Statistics 22,
        1951.
    """
    return Generator(_forms.KullbackLeibler(), 1.0, math.inf)


def reverse_kullback_leibler() -> Generator:
    r"""$f(t) = -\log t + t - 1$, for $\mathrm{KL}(q\|p)$.

    Reference: S. Kullback and R. A. Leibler, "On Information and Sufficiency", Annals of Mathematical Statistics 22,
        1951.
    """
    return Generator(_forms.Reversed(_forms.KullbackLeibler()), math.inf, 1.0)


def jeffreys() -> Generator:
    r"""$f(t) = (t - 1) \log t$, for $\mathrm{KL}(p\|q) + \mathrm{KL}(q\|p)$.

    Reference: H. Jeffreys, "An invariant form for the prior probability in estimation problems", Proc. Royal Society A
        186, 1946.
    """
    return Generator(_forms.Jeffreys(), math.inf, math.inf)


def jensen_shannon(weight: float = 0.5) -> Generator:
    r"""$f(t) = w t \log t - m \log m$ with $m = w t + 1 - w$, for the Jensen-Shannon divergence.

    Args:
        weight: The weight w of p against q, in [0, 1].

    Raises:
        ValueError: If the weight is not in [0, 1].

    Reference: J. Lin, "Divergence Measures Based on the Shannon Entropy", IEEE Transactions on Information Theory 37,
        1991.
    """
    if not 0 <= weight <= 1:
        raise ValueError(f"jensen_shannon: weight must lie in [0, 1], got {weight!r}")
    w, rest = float(weight), 1 - float(weight)
    limits = [0.0 - (x * math.log(x) if x else 0.0) for x in (rest, w)]
    return Generator(_forms.JensenShannon(w), *limits)


def total_variation() -> Generator:
    r"""$f(t) = |t - 1| / 2$, for half the L1 distance.

    Reference: A. B. Tsybakov, "Introduction to Nonparametric Estimation", Springer 2009, section 2.4.
    """
    return Generator(_forms.TotalVariation(), 0.5, 0.5)


def squared_hellinger() -> Generator:
    r"""$f(t) = (\sqrt t - 1)^2 / 2$, for $1 - \sum \sqrt{p q}$, the square of the Hellinger distance.

    Reference: A. B. Tsybakov, "Introduction to Nonparametric Estimation", Springer 2009, section 2.4.
    """
    return Generator(_forms.SquaredHellinger(), 0.5, 0.5)


def pearson_chi_squared() -> Generator:
    r"""$f(t) = (t - 1)^2$, for $\sum (p - q)^2 / q$.

    Reference: K. Pearson, "On the criterion that a given system of deviations from the probable ...", Philosophical
        Magazine 50, 1900.
    """
    return Generator(_forms.Pearson(), 1.0, math.inf)


def neyman_chi_squared() -> Generator:
    r"""$f(t) = (t - 1)^2 / t$, for $\sum (p - q)^2 / p$.

    Reference: J. Neyman, "Contribution to the theory of the chi-square test", Proc. Berkeley Symposium on Mathematical
        Statistics and Probability, 1949.
    """
    return Generator(_forms.Reversed(_forms.Pearson()), math.inf, 1.0)


def triangular_discrimination() -> Generator:
    r"""$f(t) = (t - 1)^2 / (t + 1)$, for $\sum (p - q)^2 / (p + q)$, twice the Le Cam divergence.

    Reference: F. Topsøe, "Some inequalities for information divergence and related measures of discrimination", IEEE
        Transactions on Information Theory 46, 2000.
    """
    return Generator(_forms.Triangular(), 1.0, 1.0)


def alpha(alpha: float) -> Generator:
    r"""$f(t) = (t^a - a t - (1 - a)) / (a (a - 1))$, for Minka's alpha-divergence.

    Args:
        alpha: Any finite number: 1 is $\mathrm{KL}(p\|q)$ and 0 is $\mathrm{KL}(q\|p)$.

    Raises:
        TypeError: If alpha is not a number. A traced one has no generator, which is static.
        ValueError: If alpha is not finite.

    Reference: T. Minka, "Divergence measures and message passing", Microsoft Research MSR-TR-2005-173, 2005.
    """
    if not isinstance(alpha, (int, float)) or isinstance(alpha, bool):
        raise TypeError(f"alpha: alpha must be a number, got {alpha!r}")
    if not math.isfinite(alpha):
        raise ValueError(f"alpha: alpha must be finite, got {alpha!r}")
    return Generator(_forms.Alpha(float(alpha)), *_limits(float(alpha)))


def _limits(alpha: float) -> tuple[float, float]:
    """What a q without p adds, and a p without q."""
    return 1 / alpha if alpha > 0 else math.inf, 1 / (1 - alpha) if alpha < 1 else math.inf
