"""The pattern language: what is read, what it reduces to, and what is said about a pattern that is wrong."""

from fractions import Fraction

import jax
import jax.numpy as jnp
import pytest

import jaxinfo
from jaxinfo import _patterns, logits
from jaxinfo._patterns import _read

# The mark stands before the character that is pointed at.
WRONG = [
    ("", "|", "the pattern ends early", "the name of an axis"),
    ("no arrow", "x y|", "the pattern ends early", "the name of an axis or '->'"),
    ("no arrow before an expression", "x y I|(x; y)", "unexpected '('", "the name of an axis or '->'"),
    ("no arrow but a sign", "x y |- H(x)", "unexpected '-'", "the name of an axis or '->'"),
    ("no input", "|-> H(x)", "unexpected '->'", "the name of an axis"),
    ("two arrows", "x -> H(x) |-> H(x)", "unexpected '->'", "'+', '-', ',' or the end"),
    ("an axis twice", "x y |x -> H(x)", "axis x is named twice", "another name"),
    ("dots after a name", "x |... -> H(x)", "'...' stands for the leading axes", "it before all names, once"),
    ("dots twice", "... |... x -> H(x)", "'...' stands for the leading axes", "it before all names, once"),
    ("a number in the input", "x |2 -> H(x)", "unexpected '2'", "the name of an axis or '->'"),
    ("no output", "x y ->|", "the pattern ends early", "H(...) or I(...)"),
    ("no measure", "x y -> x|", "the pattern ends early", "H(...) or I(...)"),
    ("no second output", "x y -> H(x),|", "the pattern ends early", "H(...) or I(...)"),
    ("an empty output", "x y -> |, H(x)", "unexpected ','", "H(...) or I(...)"),
    ("dots that are not there", "x y -> |... H(x)", "the input has no '...'", "one of x, y"),
    ("an unknown axis kept", "x y -> |z H(x)", "unknown axis z", "one of x, y"),
    ("an unknown axis kept, beside dots", "... x -> |z H(x)", "unknown axis z", "one of ..., x"),
    ("an axis kept twice", "x y -> x |x H(y)", "x is kept twice", "another axis, H(...) or I(...)"),
    ("dots kept twice", "... y -> ... |... H(y)", "... is kept twice", "another axis, H(...) or I(...)"),
    ("an unknown function", "x y -> x |J(y)", "unknown function J", "H or I"),
    ("a small letter", "x y -> |h(y)", "unknown function h", "H or I"),
    ("no bracket", "x y -> |H x", "unknown axis H", "one of x, y"),
    ("a name after a number", "x y -> 2 |x H(y)", "unexpected 'x'", "'*', H(...) or I(...)"),
    ("a name after a product", "x y -> 2 * |x", "unexpected 'x'", "H(...) or I(...)"),
    ("a number alone", "x y -> 2|", "the pattern ends early", "'*', H(...) or I(...)"),
    ("two signs", "x y -> H(x) - |- H(y)", "unexpected '-'", "H(...) or I(...)"),
    ("a sign after a product", "x y -> 2 * |-H(y)", "unexpected '-'", "H(...) or I(...)"),
    ("an infinite number", "x y -> |1e999 H(y)", "the number is infinite", "a finite one"),
    ("a strange character", "x y -> |$ H(y)", "unexpected '$'", "H(...) or I(...)"),
    ("terms without a sign", "x y -> H(x) |H(y)", "unexpected 'H'", "'+', '-', ',' or the end"),
    ("a number after a term", "x y -> H(x) |2", "unexpected '2'", "'+', '-', ',' or the end"),
    ("a bracket too many", "x y -> H(x)|)", "unexpected ')'", "'+', '-', ',' or the end"),
    ("a bracket too few", "x y -> H(x|", "the bracket is not closed", "the name of an axis, '|' or ')'"),
    ("a bracket too few in I", "x y -> I(x; y|", "the bracket is not closed", "the name of an axis, ';', '|' or ')'"),
    ("a bracket too few, and more", "x y -> H(x |+ H(y)", "unexpected '+'", "the name of an axis, '|' or ')'"),
    ("an unknown axis measured", "x y -> H(x |z)", "unknown axis z", "one of x, y"),
    ("an unknown axis, one kept", "x y -> x H(|z)", "unknown axis z", "one of y"),
    ("an unknown axis, all kept", "x -> x H(|z)", "unknown axis z", "one that is not kept"),
    ("an axis kept and measured", "n x y -> n x I(|x; y)", "axis x is kept by this output", "an axis that is not"),
    ("an axis kept and known", "x y -> y H(x %% |y)", "axis y is kept by this output", "an axis that is not"),
    ("kept by the second output", "x y -> H(x), x H(|x)", "axis x is kept by this output", "an axis that is not"),
    ("an axis twice in a group", "x y -> H(x y |x)", "axis x is twice in one group", "another axis"),
    ("dots measured", "... x -> H(|...)", "'...' has no name to be measured by", "the name of an axis"),
    ("dots beside a name", "... x -> H(x |...)", "'...' has no name to be measured by", "the name of an axis"),
    ("an empty group", "x y -> H(|)", "empty group", "the name of an axis"),
    ("an empty second group", "x y -> I(x; |)", "empty group", "the name of an axis"),
    ("an empty first group", "x y -> I(|; x)", "empty group", "the name of an axis"),
    ("an empty condition", "x y -> H(x %%|)", "empty group", "the name of an axis"),
    ("I of one group", "x y -> I(x|)", "I takes two groups or more", "';'"),
    ("I of one group and a condition", "x y -> I(x |%% y)", "I takes two groups or more", "';'"),
    ("H of two groups", "x y -> H(x|; y)", "unexpected ';'", "the name of an axis, '|' or ')'"),
    ("commas in a group", "x y z -> I(x|, y; z)", "unexpected ','", "the name of an axis, ';', '|' or ')'"),
    ("commas in a later group", "x y z -> I(x; y|, z)", "unexpected ','", "the name of an axis, ';', '|' or ')'"),
    ("two conditions", "x y z -> H(x %% y |%% z)", "unexpected '|'", "the name of an axis or ')'"),
    ("a group after the condition", "x y z -> I(x; y %% z|; x)", "unexpected ';'", "the name of an axis or ')'"),
    ("a number in a group", "x y -> H(x |2)", "unexpected '2'", "the name of an axis, '|' or ')'"),
    ("on a second line", "x y\n\t-> H(|z)", "unknown axis z", "one of x, y"),
]


def marked(text):
    """The pattern and the column of the mark; a bar of the language itself is written `%%`."""
    column = text.replace("%%", "\0").index("|")
    return text.replace("%%", "\0").replace("|", "", 1).replace("\0", "|"), column


def message(pattern, column, problem, expected):
    shown = pattern.replace("\n", " ").replace("\t", " ")
    return f"shannon: {problem}; expected {expected}\n    {shown}\n    {' ' * column}^"


@pytest.mark.parametrize(("text", "problem", "expected"), [w[1:] for w in WRONG], ids=[w[0] or "empty" for w in WRONG])
def test_errors_point_at_the_character(text, problem, expected):
    pattern, column = marked(text)
    wanted = message(pattern, column, problem, expected)
    table = jnp.ones((2, 2))
    for function in (jaxinfo.shannon, logits.shannon):
        for call in (lambda p, f=function: f(pattern, p), jax.jit(lambda p, f=function: f(pattern, p))):
            with pytest.raises(ValueError, match="shannon") as raised:
                call(table)
            assert str(raised.value) == wanted
    with pytest.raises(ValueError, match="shannon") as raised:
        jaxinfo.shannon_terms(pattern)
    assert str(raised.value) == wanted


@pytest.mark.parametrize(
    ("text", "shape", "problem", "expected"),
    [
        ("x |y -> I(x; y)", (2,), "the pattern names 2 axes and the table has 1, shape (2,)", "one name for each"),
        ("|x -> H(x)", (), "the pattern names 1 axes and the table has 0, shape ()", "one name for each"),
        (
            "... x |y -> H(x)",
            (2,),
            "the pattern names 2 axes and the table has 1, shape (2,)",
            "at most one name for each",
        ),
        (
            "x y |-> I(x; y)",
            (2, 3, 4),
            "the pattern names 2 axes and the table has 3, shape (2, 3, 4)",
            "one name for each, or '...'",
        ),
    ],
)
def test_rank_mismatch(text, shape, problem, expected):
    pattern, column = marked(text)
    for function in (jaxinfo.shannon, logits.shannon):
        for call in (lambda p, f=function: f(pattern, p), jax.jit(lambda p, f=function: f(pattern, p))):
            with pytest.raises(ValueError, match="shannon") as raised:
                call(jnp.ones(shape))
            assert str(raised.value) == message(pattern, column, problem, expected)


@pytest.mark.parametrize("pattern", [3, b"x -> H(x)", None])
def test_a_pattern_is_a_string(pattern):
    for call in (
        jaxinfo.shannon_terms,
        lambda x: jaxinfo.shannon(x, jnp.ones(2)),
        lambda x: logits.shannon(x, jnp.ones(2)),
    ):
        with pytest.raises(TypeError, match=r"shannon: pattern must be a string"):
            call(pattern)


# --- what is read -----------------------------------------------------------------------------------------------


def test_spaces_do_not_matter():
    one = _read.read("... t w x y -> t ... -2*H(w x|y)+.5I(w;x;y)")
    other = _read.read("  ...  t w x\n y->t ...\t- 2 * H( w  x | y ) + .5 I ( w ; x ; y ) ")
    assert one.outputs == other.outputs
    assert one.axes == other.axes == ("...", "t", "w", "x", "y")


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("2", 2),
        ("2.", 2),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1e3", 1000),
        ("2.5E-1", 0.25),
        ("2*", 2),
        ("- 3 *", -3),
        ("+4", 4),
    ],
)
def test_numbers(number, value):
    assert jaxinfo.shannon_terms(f"x -> {number} H(x)") == {("x",): value}


def test_numbers_are_decimal_fractions():
    """0.1 + 0.2 - 0.3 is not 0 in floats."""
    assert _read.read("x -> 0.1 H(x)").outputs[0].terms[0].coefficient == Fraction(1, 10)
    assert jaxinfo.shannon_terms("x -> 0.1 H(x) + 0.2 H(x) - 0.3 H(x)") == {}
    assert jaxinfo.shannon_terms("x -> 1e-999999 H(x)") == {}


def test_names():
    """H and I may be axes, and a name may have digits, underscores and letters of any alphabet."""
    assert jaxinfo.shannon_terms("H I -> H I(I; I)") == {("I",): 1}
    assert jaxinfo.shannon_terms("x_1 X2 größe -> H(größe | X2)") == {("X2",): -1, ("X2", "größe"): 1}


# --- what it reduces to -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "terms"),
    [
        ("H(x)", {"x": 1}),
        ("H(y x)", {"xy": 1}),
        ("H(x | y)", {"xy": 1, "y": -1}),
        ("H(x | y z)", {"xyz": 1, "yz": -1}),
        ("I(x; y)", {"x": 1, "y": 1, "xy": -1}),
        ("I(x; y | z)", {"xz": 1, "yz": 1, "xyz": -1, "z": -1}),
        ("I(x; y z)", {"x": 1, "yz": 1, "xyz": -1}),
        ("I(x; y; z)", {"x": 1, "y": 1, "z": 1, "xy": -1, "xz": -1, "yz": -1, "xyz": 1}),
        (
            "I(w; x; y | z)",
            {"wz": 1, "xz": 1, "yz": 1, "wxz": -1, "wyz": -1, "xyz": -1, "wxyz": 1, "z": -1},
        ),
        ("H(x) - H(x | y)", {"x": 1, "y": 1, "xy": -1}),
        ("I(x; y; z) + I(x; y | z)", {"x": 1, "y": 1, "xy": -1}),
        ("I(x; y) - H(x) - H(y) + H(x y)", {}),
        ("0 H(x) + H(y)", {"y": 1}),
        ("2 I(w; x) - 0.5 H(y)", {"w": 2, "x": 2, "wx": -2, "y": -0.5}),
        # A variable in several groups: what is known has no information, and a variable has all its own.
        ("I(x; x)", {"x": 1}),
        ("I(x; x | y)", {"xy": 1, "y": -1}),
        ("I(x; x; x)", {"x": 1}),
        ("I(x y; y z)", {"xy": 1, "yz": 1, "xyz": -1}),
        ("I(x y; y)", {"y": 1}),
        ("H(x | x)", {}),
        ("H(x y | y)", {"xy": 1, "y": -1}),
        ("I(x; y | x)", {}),
    ],
)
def test_terms(expression, terms):
    expected = {tuple(names): coefficient for names, coefficient in terms.items()}
    found = jaxinfo.shannon_terms(f"w x y z -> {expression}")
    assert found == expected
    assert [len(names) for names in found] == sorted(len(names) for names in found)
    assert all(isinstance(coefficient, float) for coefficient in found.values())


def test_terms_of_several_outputs():
    assert jaxinfo.shannon_terms("n x y -> n H(x), y H(x | n)") == ({("x",): 1}, {("n",): -1, ("n", "x"): 1})


def direct(expression):
    """The measures that are evaluated, as text."""
    (output,) = _patterns.plan(f"w x y z -> {expression}").outputs
    return {
        ";".join("".join(sorted(g)) for g in m.groups) + "|" * bool(m.given) + "".join(sorted(m.given)): c
        for m, c in output.measures
    }


@pytest.mark.parametrize(
    ("expression", "measures"),
    [
        ("I(y; x)", {"x;y": 1}),
        ("I(x; y) + I(y; x)", {"x;y": 2}),
        ("H(x) + H(y) - H(x y)", {"x;y": 1}),
        ("H(x) - H(x | y)", {"x;y": 1}),
        ("-3 H(x y) + 3 H(y)", {"x|y": -3}),
        ("H(x | z) - H(x | y z)", {"x;y|z": 1}),
        ("I(x; y z) - I(x; z)", {"x;y|z": 1}),
        ("I(x; y; z)", {"x;y": 1, "x;y|z": -1}),
        ("I(x; y; z) + I(x; y | z)", {"x;y": 1}),
        ("I(w; x; y; z)", {"w;x": 1, "w;x|y": -1, "w;x|z": -1, "w;x|yz": 1}),
        ("I(x y; y z)", {"y": 1, "x;z|y": 1}),
        ("I(x y; y) + H(z)", {"y": 1, "z": 1}),
        ("I(x; y | x) + H(x | x) + H(w) + H(z)", {"w": 1, "z": 1}),
        ("I(x; x)", {"x": 1}),
        ("I(x; y) - I(y; x)", {}),
        ("2 I(w; x) - 0.5 H(y)", {"w;x": 2, "y": -0.5}),
    ],
)
def test_every_term_is_evaluated_in_a_direct_form(expression, measures):
    assert direct(expression) == measures


def test_nothing_is_read_twice():
    pattern = "only here -> I(only; here)"
    table = jnp.full((2, 2), 0.25)
    _patterns.plan.cache_clear()
    jax.jit(lambda p: jaxinfo.shannon(pattern, p) + jaxinfo.shannon(pattern, p))(table)
    jaxinfo.shannon(pattern, table)
    jaxinfo.shannon_terms(pattern)
    logits.shannon(pattern, table)
    assert _patterns.plan.cache_info().misses == 1
    assert hash(_patterns.plan(pattern)) == hash(_patterns.plan("" + pattern))
