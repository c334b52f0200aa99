"""Rows of f-divergences, the skew Jensen-Shannon divergence, conditional KL and the entropy rate."""

from jaxinfo import discrete, generators, logits
from tests import oracles_f_divergences as exact
from tests.rows.measure import REDUCES, WHOLE_TABLE, Measure, oracle

UNITLESS = REDUCES - {"base"}
CHOSEN = {
    "kullback_leibler": generators.kullback_leibler(),
    "squared_hellinger": generators.squared_hellinger(),
    "triangular_discrimination": generators.triangular_discrimination(),
    "neyman_chi_squared": generators.neyman_chi_squared(),
    "alpha(0.25)": generators.alpha(0.25),
    "alpha(-1.5)": generators.alpha(-1.5),
    "alpha(3.0)": generators.alpha(3.0),
}
WEIGHTS = (0.0, 2.0**-20, 0.25, 1.0)


def _of(module, prefix: str, kind: str, sizes: tuple[int, ...]) -> list[Measure]:
    """The same rows for tables and for logits."""

    def row(function, name, *options, sizes=sizes, **fields) -> Measure:
        return Measure(
            function, kind, oracle(prefix + name, exact, **dict(options)), sizes=sizes, divergence=True, **fields
        )

    found = [
        row(module.total_variation, "f_divergence", ("generator", "total_variation"), options=UNITLESS),
        row(module.chi_squared_divergence, "f_divergence", ("generator", "pearson_chi_squared"), options=UNITLESS),
    ]
    found += [
        row(
            module.f_divergence,
            "f_divergence",
            ("generator", name),
            options=UNITLESS,
            arguments={"generator": generator},
            variant=f"({name})",
            sizes=(1, 3, 128),
        )
        for name, generator in CHOSEN.items()
    ]
    found += [
        row(
            module.skew_jensen_shannon_divergence,
            "skew_jensen_shannon_divergence",
            ("weight", weight),
            arguments={"weight": weight},
            variant=f"(weight={weight:.3g})",
            sizes=(1, 3, 128),
        )
        for weight in WEIGHTS
    ]
    return found


MEASURES = [
    *_of(discrete, "", "pair", (1, 2, 3, 10, 128, 1000, 10_000)),
    *_of(logits, "logits_", "logit pair", (1, 2, 3, 10, 128, 1000)),
    Measure(
        discrete.conditional_kl_divergence,
        "conditional",
        oracle("conditional_kl_divergence", exact),
        WHOLE_TABLE,
        sizes=(1, 2, 3, 10, 128, 1000),
        divergence=True,
    ),
    Measure(
        logits.conditional_kl_divergence,
        "conditional logits",
        oracle("logits_conditional_kl_divergence", exact),
        WHOLE_TABLE,
        sizes=(1, 2, 3, 10, 128, 1000),
        divergence=True,
    ),
    Measure(
        discrete.entropy_rate,
        "transition",
        oracle("entropy_rate", exact),
        WHOLE_TABLE - {"where"},
        sizes=(1, 2, 3, 10, 128),
    ),
]
