r"""The formulas of docstrings in plain Unicode, for a README that is read where LaTeX is not rendered.

It knows the LaTeX that docstrings use and no more: anything else is a `ValueError`, never a wrong formula.
"""

import re

# fmt: off
COMMANDS = {
    "exp": "exp", "lim": "lim", "log": "log", "max": "max", "min": "min", "sup": "sup",
    "sum": "Σ", "prod": "Π", "le": "≤", "ge": "≥", "ne": "≠", "in": "∈", "ll": "≪", "to": "→", "|": "‖",
    "infty": "∞", "nabla": "∇", "langle": "⟨", "rangle": "⟩", "ldots": "…", "cdots": "⋯", "cdot": "·", ",": " ",
    "alpha": "α", "beta": "β", "gamma": "γ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "pi": "π", "sigma": "σ",
    "theta": "θ", "tau": "τ", "eta": "η", "varphi": "φ", "chi": "χ", "Gamma": "Γ", "Lambda": "Λ", "Omega": "Ω",
    "ell": "ℓ", "epsilon": "ε", "dots": "…", "Sigma": "Σ", "mapsto": "↦", "times": "×", "sim": "~", "top": "ᵀ",
}
# fmt: on
SMALL = {
    "_": dict(zip("0123456789+−=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True)),
    "^": dict(zip("0123456789+−=()abcdefghijklmnoprstuvwxyz", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ", strict=True)),
}
PIECE = re.compile(r"\\[A-Za-z]+|\\.|.")
# What is read as one thing beside a fraction bar or under a root: a name or number, with at most one pair of brackets.
ATOM = re.compile(r"[^\s()+−/√]*(\([^()]*\))?")


def plain(latex: str) -> str:
    r"""Returns a formula without its LaTeX.

    >>> plain(r"H(p) = -\sum_k p_k \log p_k")
    'H(p) = −Σₖ pₖ log pₖ'
    >>> plain(r"\frac{1}{a - 1} \log \sum_k p_k^a q_k^{1-a}")
    '1/(a − 1) log Σₖ pₖᵃ qₖ¹⁻ᵃ'
    >>> plain(r"\sqrt{\frac12 \sum_k (\sqrt{p_k} - \sqrt{q_k})^2}")
    '√(½ Σₖ (√pₖ − √qₖ)²)'
    >>> plain(r"\mathrm{KL}(p_{xy}\|p_x p_y) = \sum \log \frac{p(x, y)}{p(x) p(y)}")
    'KL(p_xy‖pₓ p_y) = Σ log(p(x, y)/(p(x) p(y)))'
    >>> plain(r"\max_{0 \le a \le 1} e^{-|t|}")
    'max_(0≤a≤1) e^(−|t|)'
    """
    pieces = PIECE.findall(latex)[::-1]
    text = _row(pieces, latex)
    if pieces:
        raise ValueError(f"a brace is not opened in {latex!r}")
    return re.sub(r"(?<=⟨) | (?=⟩)", "", " ".join(text.split()))


def _row(pieces: list[str], latex: str) -> str:
    """Takes pieces, from the end of the list, up to a closing brace."""
    text = ""
    while pieces and pieces[-1] != "}":
        piece = pieces.pop()
        if piece in ("\\frac", "\\tfrac"):
            fraction = _fraction(_argument(pieces, latex), _argument(pieces, latex))
            # Without brackets the logarithm would be that of the numerator.
            text = f"{text[:-1]}({fraction})" if text.endswith("log ") else text + fraction
        elif piece == "\\sqrt":
            text += "√" + _bracketed(_argument(pieces, latex))
        elif piece in ("\\mathrm", "\\text"):
            text += _argument(pieces, latex)
        elif piece in ("_", "^"):
            text += _script(piece, _argument(pieces, latex))
        else:
            text += _symbol(piece, latex)
    return text


def _argument(pieces: list[str], latex: str) -> str:
    """Takes what a command applies to: a group in braces, a symbol or a character."""
    while pieces and pieces[-1] == " ":
        pieces.pop()
    if not pieces or pieces[-1] == "}":
        raise ValueError(f"a command lacks its argument in {latex!r}")
    if pieces[-1] != "{":
        return _symbol(pieces.pop(), latex)
    pieces.pop()
    group = _row(pieces, latex)
    if not pieces:
        raise ValueError(f"a brace is not closed in {latex!r}")
    pieces.pop()
    return group


def _symbol(piece: str, latex: str) -> str:
    if piece == "{" or piece.startswith("\\"):
        if piece[1:] not in COMMANDS:
            raise ValueError(f"no plain form is known of {piece} in {latex!r}")
        return COMMANDS[piece[1:]]
    return "−" if piece == "-" else piece


def _bracketed(text: str) -> str:
    return text if ATOM.fullmatch(text) else f"({text})"


def _fraction(above: str, below: str) -> str:
    return "½" if (above, below) == ("1", "2") else f"{_bracketed(above)}/{_bracketed(below)}"


def _script(kind: str, text: str) -> str:
    """An index or exponent: in small characters where they exist."""
    text = text.replace(" ", "")
    if all(character in SMALL[kind] for character in text):
        return "".join(SMALL[kind][character] for character in text)
    return kind + (text if re.fullmatch(r"[A-Za-z]+|.", text) else f"({text})")
