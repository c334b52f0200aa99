"""Measures between mixtures of normals by mpmath: the oracle, and pairs of every scale ratio with their values.

`PAIRS` was drawn at random (1 to 3 components in p, 1 or 2 in q; scales spread over 1, 3 and 6 decades) and rounded to
single precision, so that the numbers are the same in both; its values are those of `measures` at 25 digits.
"""

import itertools

import mpmath

Mix = tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]


def density(mixture: Mix):
    """The density of a mixture (weights, means, scales) as a function of mpmath numbers."""
    parts = [tuple(mpmath.mpf(number) for number in part) for part in zip(*mixture, strict=True)]
    root = mpmath.sqrt(2 * mpmath.pi)
    return lambda x: mpmath.fsum(w * mpmath.exp(-(((x - m) / s) ** 2) / 2) / (s * root) for w, m, s in parts)


def crossings(mixture: Mix):
    """Where two components are equal: there the logarithm of a mixture bends."""
    for (w, m, s), (v, n, t) in itertools.combinations(zip(*mixture, strict=True), 2):
        # The difference of the logarithms is a x^2 + b x + c.
        first, second = mpmath.mpf(s) ** -2, mpmath.mpf(t) ** -2
        a = (second - first) / 2
        b = m * first - n * second
        c = (n**2 * second - m**2 * first) / 2 + mpmath.log(mpmath.mpf(w) * t / (mpmath.mpf(v) * s))
        roots = [-c / b] if a == 0 and b != 0 else []
        if a != 0 and b * b >= 4 * a * c:
            roots = [(-b + sign * mpmath.sqrt(b * b - 4 * a * c)) / (2 * a) for sign in (1, -1)]
        for root in roots:
            # Around it the bend has the width of the inverse difference of the slopes.
            width = 1 / (abs(2 * a * root + b) + mpmath.mpf("1e-30"))
            yield from (root + width * step for step in range(-40, 41, 2))


def breakpoints(*mixtures: Mix):
    """Ends of the pieces of integration: multiples of every scale around every mean, then wider, and crossings."""
    steps = [mpmath.mpf(k) / 2 for k in range(29)] + [14 * mpmath.mpf(3) ** k / 2**k for k in range(1, 30)]
    points = set()
    low = min(mpmath.mpf(m) - 14 * mpmath.mpf(s) for _, ms, ss in mixtures for m, s in zip(ms, ss, strict=True))
    high = max(mpmath.mpf(m) + 14 * mpmath.mpf(s) for _, ms, ss in mixtures for m, s in zip(ms, ss, strict=True))
    for _, means, scales in mixtures:
        for m, s in zip(means, scales, strict=True):
            points |= {mpmath.mpf(m) + sign * mpmath.mpf(s) * step for step in steps for sign in (-1, 1)}
    for mixture in mixtures:
        points |= set(crossings(mixture))
    return [low, *sorted(point for point in points if low < point < high), high]


def log_density(mixture: Mix):
    """The logarithm of the density, also where the density underflows."""
    parts = [tuple(mpmath.mpf(number) for number in part) for part in zip(*mixture, strict=True)]
    shift = mpmath.log(2 * mpmath.pi) / 2

    def log_prob(x):
        logs = [mpmath.log(w / s) - ((x - m) / s) ** 2 / 2 - shift for w, m, s in parts]
        top = max(logs)
        return top + mpmath.log(mpmath.fsum(mpmath.exp(log - top) for log in logs))

    return log_prob


def measures(p: Mix, q: Mix, digits: int = 25) -> tuple[mpmath.mpf, mpmath.mpf, mpmath.mpf]:
    """KL(p‖q), cross-entropy h(p, q) and entropy h(p)."""
    with mpmath.workdps(digits + 10):
        p_of, log_p, log_q = density(p), log_density(p), log_density(q)
        nodes = mpmath.calculus.quadrature.GaussLegendre(mpmath.mp).calc_nodes(4, mpmath.mp.prec)
        cross, plain = [], []
        for low, high in itertools.pairwise(breakpoints(p, q)):
            half, middle = (high - low) / 2, (high + low) / 2
            for node, weight in nodes:
                x = middle + half * node
                prob = half * weight * p_of(x)
                if prob > mpmath.mpf(10) ** -(digits + 30):
                    cross.append(-prob * log_q(x))
                    plain.append(-prob * log_p(x))
        cross_entropy, entropy = mpmath.fsum(cross), mpmath.fsum(plain)
        return cross_entropy - entropy, cross_entropy, entropy


PAIRS: list[tuple[Mix, Mix, tuple[float, float, float]]] = [
    (
        (
            (0.1875, 0.390625, 0.421875),
            (-1.432288646697998, 3.4057672023773193, 1.2376970052719116),
            (1.1541590690612793, 0.44674763083457947, 0.8563095331192017),
        ),
        ((1.0,), (1.7415356636047363,), (2.9338366985321045,)),
        (0.32069510598887360907, 2.211039948533930309, 1.8903448425450566999),
    ),
    (
        (
            (0.25, 0.40625, 0.34375),
            (0.6174361109733582, -1.5202733278274536, 1.1779770851135254),
            (1.5622799396514893, 0.40476906299591064, 0.40229400992393494),
        ),
        ((0.390625, 0.609375), (0.7501572370529175, 0.21865339577198029), (1.0389106273651123, 1.2400623559951782)),
        (0.43005020354849857865, 1.9580792917975177042, 1.5280290882490191255),
    ),
    (
        ((0.515625, 0.484375), (0.16539110243320465, -0.2338508665561676), (1.592023491859436, 0.9045459032058716)),
        ((0.25, 0.75), (8.214451789855957, 19.51422119140625), (0.8075963854789734, 0.4967866539955139)),
        (53.825729861381436164, 55.510429802410926481, 1.6846999410294903165),
    ),
    (
        (
            (0.03125, 0.484375, 0.484375),
            (-3.7894532680511475, -5.43672513961792, -8.649272918701172),
            (1.0092865228652954, 2.7374308109283447, 1.7799040079116821),
        ),
        ((1.0,), (0.8825562000274658,), (2.9158272743225098,)),
        (3.6235442804974323801, 6.0604117444771722485, 2.4368674639797398683),
    ),
    (
        ((0.984375, 0.015625), (-2.530395984649658, -6.3108038902282715), (0.3257099986076355, 0.6260749697685242)),
        ((1.0,), (-0.17094573378562927,), (0.36095675826072693,)),
        (23.226914551188215204, 23.614786590136896587, 0.3878720389486813832),
    ),
    (
        ((0.71875, 0.28125), (0.3122926354408264, -1.7025858163833618), (0.03314029797911644, 0.0878797173500061)),
        ((0.421875, 0.578125), (-29.51238441467285, -4.942971229553223), (24.300201416015625, 0.04767652601003647)),
        (6.8176584089564176701, 5.6980020409299150467, -1.1196563680265026234),
    ),
    (
        (
            (0.03125, 0.90625, 0.0625),
            (-9.214201927185059, 3.416085720062256, -18.98896026611328),
            (0.0455193892121315, 26.909738540649414, 2.207414388656616),
        ),
        ((1.0,), (0.16323940455913544,), (0.4538583755493164,)),
        (1674.7768499273004125, 1679.3905650514720964, 4.613715124171683868),
    ),
    (
        ((0.390625, 0.609375), (-14.99926471710205, -14.526786804199219), (2.0676522254943848, 25.298452377319336)),
        ((1.0,), (-0.2312878668308258,), (4.374385833740234,)),
        (14.005192415825939475, 18.109220251950562046, 4.1040278361246225706),
    ),
    (
        ((0.765625, 0.234375), (-0.23173928260803223, 2.3882200717926025), (0.1303362399339676, 0.1876964420080185)),
        ((1.0,), (0.06953342258930206,), (25.31363296508789,)),
        (4.1400474222756092373, 4.1513356854270425842, 0.011288263151433346812),
    ),
    (
        ((1.0,), (-0.22926636040210724,), (3.908139228820801,)),
        ((0.109375, 0.890625), (0.41622164845466614, -5.365564346313477), (0.167398139834404, 0.09111354500055313)),
        (173.09679110148894692, 175.87879099485694352, 2.7819998933679965925),
    ),
    (
        (
            (0.515625, 0.328125, 0.15625),
            (-0.13125203549861908, -0.13764989376068115, 0.5194343328475952),
            (8.065296173095703, 513.1962890625, 0.008338135667145252),
        ),
        ((1.0,), (-1.5127815008163452,), (303.7127685546875,)),
        (2.372703467546799286, 7.1036509262564416804, 4.7309474587096423944),
    ),
    (
        ((1.0,), (-0.3902973234653473,), (0.002478707814589143,)),
        ((0.21875, 0.78125), (-4.4516496658325195, 28.43116569519043), (0.041909534484148026, 19.43851661682129)),
        (9.8133321682444964953, 5.2322528043497291777, -4.5810793638947673176),
    ),
    (
        ((1.0,), (0.11047255992889404,), (15.760383605957031,)),
        ((1.0,), (33.17278289794922,), (0.028870033100247383,)),
        (804756.34104672398949, 804760.51748468180718, 4.1764379578176882033),
    ),
    (
        (
            (0.5625, 0.21875, 0.21875),
            (0.9661179780960083, 0.2191333770751953, -1.2602142095565796),
            (10.654668807983398, 25.080856323242188, 0.03902638703584671),
        ),
        ((1.0,), (-5.804653167724609,), (0.010504333302378654,)),
        (1086184.9128175945158, 1086188.2525998013466, 3.3397822068307709445),
    ),
    (
        ((1.0,), (35.25489044189453,), (603.916259765625,)),
        ((1.0,), (2.270125150680542,), (0.4123014509677887,)),
        (1075930.4803852451022, 1075938.3027593238578, 7.8223740787555461013),
    ),
]
