"""What the tables of closed forms call a formula does not raise, and what they do not is an error that says so."""

import jax
import pytest

from jaxinfo import distributions
from tests import closed_form_tables as tables
from tests.distributions.every import FAMILIES


def call(measure, *names):
    options = {"order": 2.0} if measure == "renyi_divergence" else {}
    members = [tables.member(name) for name in names]
    # Traced, not compiled: there are hundreds.
    return jax.eval_shape(lambda *members: getattr(distributions, measure)(*members, **options), *members)


def test_every_family_is_in_the_tables():
    families = {row.name for row in FAMILIES} | set(tables.families())
    assert {name for name in distributions.__all__ if name[0].isupper()} - families <= {
        *("Independent", "Mixture", "Product", "Transformed")
    }


def agrees(measure, *names):
    if tables.answer(measure, *names) == tables.NUMERICAL:
        with pytest.raises(TypeError, match="no closed form"):
            call(measure, *names)
    else:
        call(measure, *names)


@pytest.mark.parametrize("name", tables.families())
def test_what_is_listed_of_a_family_does_not_raise(name):
    for measure in tables.OF_ONE:
        agrees(measure, name)
    for measure in tables.OF_TWO:
        agrees(measure, name, name)


@pytest.mark.parametrize("p", tables.families())
def test_what_is_listed_of_pairs_does_not_raise(p):
    scalars = [name for name in tables.families() if name not in tables.VECTORS]
    for q in scalars if p in scalars else ():
        if (p in tables.COUNTS) == (q in tables.COUNTS):
            agrees("kl_divergence", p, q)
            agrees("cross_entropy", p, q)
