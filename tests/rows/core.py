"""Rows of the core measures."""

from jaxinfo import discrete, logits
from tests import inputs
from tests.rows.measure import REDUCES, WHOLE_TABLE, Measure, oracle


def _discrete() -> list[Measure]:
    weighted = {"weight": 0.25}
    four = {"mixture_axis": -2}
    divergence = {"divergence": True}
    return [
        Measure(discrete.surprisal, "probability", oracle("surprisal"), frozenset({"base"}), sizes=(1000,)),
        Measure(discrete.entropy, "table", oracle("entropy")),
        Measure(discrete.cross_entropy, "pair", oracle("cross_entropy")),
        Measure(discrete.kl_divergence, "pair", oracle("kl_divergence"), **divergence),
        Measure(
            discrete.jeffreys_divergence, "pair", oracle("jeffreys_divergence"), sizes=inputs.SIZES[:-1], **divergence
        ),
        Measure(discrete.jensen_shannon_divergence, "pair", oracle("jensen_shannon_divergence"), **divergence),
        Measure(
            discrete.jensen_shannon_divergence,
            "pair",
            oracle("jensen_shannon_divergence", **weighted),
            arguments=weighted,
            variant="(weight=0.25)",
            sizes=(3, 128),
            **divergence,
        ),
        Measure(
            discrete.jensen_shannon_divergence,
            "mixture",
            oracle("mixture_jensen_shannon"),
            arguments=four,
            variant="(four tables)",
            sizes=(1, 2, 3, 10, 128),  # more entries than that are double-doubles, and the oracle wants mpmath numbers
            **divergence,
        ),
        Measure(
            discrete.jensen_shannon_distance,
            "pair",
            oracle("jensen_shannon_distance"),
            unit=0.5,
            sizes=(3, 128),
            **divergence,
        ),
        Measure(discrete.perplexity, "table", oracle("perplexity"), REDUCES - {"base"}, nothing=1.0),
        Measure(discrete.binary_entropy, "probability", oracle("binary_entropy"), frozenset({"base"}), sizes=(1000,)),
        Measure(discrete.joint_entropy, "table", oracle("entropy"), arguments={"axis": -1}, sizes=(3, 128)),
        Measure(discrete.conditional_entropy, "joint", oracle("conditional_entropy"), WHOLE_TABLE),
        Measure(discrete.mutual_information, "joint", oracle("mutual_information"), WHOLE_TABLE, nonnegative=False),
        Measure(
            discrete.pointwise_mutual_information,
            "joint",
            oracle("pointwise_mutual_information"),
            frozenset({"base", "where"}),
            sizes=inputs.SIZES[:-1],
            nonnegative=False,
            output_rank=2,
        ),
        Measure(
            discrete.conditional_mutual_information,
            "triple",
            oracle("conditional_mutual_information"),
            WHOLE_TABLE,
            sizes=inputs.SIZES[:-1],
            nonnegative=False,
        ),
    ]


def _logits() -> list[Measure]:
    weighted = {"weight": 0.25}
    four = {"mixture_axis": -2}
    divergence = {"divergence": True}
    shannon = "logits_jensen_shannon_divergence"
    return [
        Measure(logits.surprisal, "logits", oracle("logits_surprisal"), REDUCES - {"keepdims"}, output_rank=1),
        Measure(logits.entropy, "logits", oracle("logits_entropy")),
        Measure(logits.cross_entropy, "logit pair", oracle("logits_cross_entropy")),
        Measure(logits.kl_divergence, "logit pair", oracle("logits_kl_divergence"), **divergence),
        Measure(
            logits.jeffreys_divergence,
            "logit pair",
            oracle("logits_jeffreys_divergence"),
            sizes=inputs.SIZES[:-1],
            **divergence,
        ),
        Measure(logits.jensen_shannon_divergence, "logit pair", oracle(shannon), sizes=inputs.SIZES[:-1], **divergence),
        Measure(
            logits.jensen_shannon_divergence,
            "logit pair",
            oracle(shannon, **weighted),
            arguments=weighted,
            variant="(weight=0.25)",
            sizes=(3, 128),
            **divergence,
        ),
        Measure(
            logits.jensen_shannon_divergence,
            "logit mixture",
            oracle("logits_mixture_jensen_shannon"),
            arguments=four,
            variant="(four tables)",
            sizes=(1, 2, 3, 10, 128),  # more entries than that are double-doubles, and the oracle wants mpmath numbers
            **divergence,
        ),
        Measure(
            logits.jensen_shannon_distance,
            "logit pair",
            oracle("logits_jensen_shannon_distance"),
            unit=0.5,
            sizes=(3, 128),
            **divergence,
        ),
        Measure(logits.perplexity, "logits", oracle("logits_perplexity"), REDUCES - {"base"}, sizes=inputs.SIZES[:-1]),
        Measure(logits.binary_entropy, "log odds", oracle("logits_binary_entropy"), frozenset({"base"}), sizes=(1000,)),
        Measure(logits.joint_entropy, "logits", oracle("logits_entropy"), arguments={"axis": -1}, sizes=(3, 128)),
        Measure(
            logits.conditional_entropy,
            "joint logits",
            oracle("logits_conditional_entropy"),
            WHOLE_TABLE,
            sizes=inputs.SIZES[:-1],
        ),
        Measure(
            logits.mutual_information,
            "joint logits",
            oracle("logits_mutual_information"),
            WHOLE_TABLE,
            nonnegative=False,
        ),
        Measure(
            logits.pointwise_mutual_information,
            "joint logits",
            oracle("logits_pointwise_mutual_information"),
            frozenset({"base", "where"}),
            sizes=inputs.SIZES[:-1],
            nonnegative=False,
            output_rank=2,
        ),
        Measure(
            logits.conditional_mutual_information,
            "triple logits",
            oracle("logits_conditional_mutual_information"),
            WHOLE_TABLE,
            sizes=inputs.SIZES[:-1],
            nonnegative=False,
        ),
        Measure(
            logits.cross_entropy_from_probs,
            "probs and logits",
            oracle("cross_entropy_from_probs"),
            sizes=inputs.SIZES[:-1],
        ),
        Measure(logits.cross_entropy_from_labels, "labels and logits", oracle("cross_entropy_from_labels")),
        Measure(
            logits.kl_divergence_from_probs,
            "probs and logits",
            oracle("kl_divergence_from_probs"),
            sizes=inputs.SIZES[:-1],
        ),
    ]


MEASURES = [*_discrete(), *_logits()]
