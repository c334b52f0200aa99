"""Rows of the entropies and divergences of an order, and of the distances of overlap."""

import numpy as np

from jaxinfo import discrete, logits
from tests import oracles_orders
from tests.rows.measure import REDUCES, Measure, oracle

UNITLESS = REDUCES - {"base"}


def _row(module, name, kind, argument=None, value=None, **settings):
    options = {} if argument is None else {argument: value}
    exact = oracle(name if module is discrete else f"logits_{name}", oracles_orders, **options)
    variant = "" if argument is None else f"({argument}={value})"
    return Measure(getattr(module, name), kind, exact, arguments=options, variant=variant, **settings)


def _is_far(p, q):
    """Logits more than 100 apart: a power of e^250 is off by 250 units, and the order's own derivative underflows."""
    return bool(max(float(np.max(x, initial=0) - np.min(x[np.isfinite(x)], initial=0)) for x in (p, q)) > 100)


def _of(module):
    one, two = ("table", "pair") if module is discrete else ("logits", "logit pair")
    small, most = {"sizes": (3, 128)}, {"sizes": (1, 2, 3, 128, 10_000)}  # 1000 numbers of mpmath to a power take long
    unitless, divergence = {"options": UNITLESS}, {"divergence": True}
    return [
        _row(module, "renyi_entropy", one, "order", 0.5, **most),
        _row(module, "renyi_entropy", one, "order", 1.0, **small),
        _row(module, "renyi_entropy", one, "order", 3.0, **small),
        _row(module, "tsallis_entropy", one, "order", 0.5, **small, **unitless),
        _row(module, "tsallis_entropy", one, "order", 2.0, **most, **unitless),
        _row(module, "min_entropy", one, kink=lambda x: bool(np.sum(x == x.max()) > 1), nothing=np.inf, **most),
        _row(
            module, "normalized_entropy", one, **small, options=UNITLESS - ({"where"} if module is discrete else set())
        ),
        _row(module, "renyi_divergence", two, "order", 0.75, **most, **divergence),
        _row(module, "renyi_divergence", two, "order", 1.0, **small, **divergence),
        _row(module, "renyi_divergence", two, "order", 2.0, **small, **divergence),
        _row(
            module,
            "tsallis_divergence",
            two,
            "order",
            1.5 if module is discrete else 0.5,
            **small,
            **unitless,
            **divergence,
        ),
        _row(module, "alpha_divergence", two, "alpha", -1.0, kink=_is_far, **small, **unitless, **divergence),
        _row(module, "alpha_divergence", two, "alpha", 0.25, **most, **unitless, **divergence),
        _row(module, "hellinger_distance", two, **most, **unitless, **divergence),
        _row(module, "bhattacharyya_distance", two, **most, **divergence),
        _row(module, "chernoff_information", two, sizes=(1, 2, 3, 10), kink=_is_far, **divergence),
    ]


MEASURES = [*_of(discrete), *_of(logits)]
