"""Pytrees of different classes are different: a compiled function must never run one's program on the other."""

import dataclasses
import importlib
import inspect
import itertools
import pkgutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxinfo
from jaxinfo import densities
from jaxinfo._pytrees import register_dataclass
from jaxinfo.distributions import Laplace, Normal
from tests.marks import once


def pytrees():
    """Every dataclass of the library that is a node of a pytree, with a function, which is also a leaf, for fields."""
    found = set()
    for module in pkgutil.walk_packages(jaxinfo.__path__, "jaxinfo."):
        classes = inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
        found |= {cls for _, cls in classes if dataclasses.is_dataclass(cls) and cls.__module__.startswith("jaxinfo")}
    objects = []
    for cls in sorted(found, key=lambda cls: (cls.__module__, cls.__qualname__)):
        bare = object.__new__(cls)
        for field in dataclasses.fields(cls):
            object.__setattr__(bare, field.name, abs)
        if not jax.tree_util.all_leaves([bare]):
            objects.append(bare)
    return objects


@once
def test_structures_of_different_classes_differ():
    objects = pytrees()
    names = {type(each).__name__ for each in objects}
    assert {"Normal", "Laplace", "Mixture", "KullbackLeibler", "Jeffreys", "Estimate", "ForwardKL"} <= names
    structures = [(type(each), jax.tree.structure(each)) for each in objects]
    equal = [(a, b) for (a, x), (b, y) in itertools.combinations(structures, 2) if x == y]
    assert not equal


@once
def test_a_pytree_comes_back_as_it_was():
    @register_dataclass
    @dataclasses.dataclass(frozen=True, eq=False)
    class Pair:
        first: object
        name: str = dataclasses.field(metadata={"static": True})
        second: object = 2.0

        def __post_init__(self):
            assert isinstance(self.first, float)

    pair = Pair(1.0, "a")
    moved = jax.tree.map(lambda leaf: jnp.asarray(leaf) + 1, pair)
    assert (float(moved.first), float(moved.second), moved.name) == (2.0, 3.0, "a")
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(pair)]
    assert paths == [".first", ".second"]
    assert jax.tree.structure(pair) == jax.tree.structure(Pair(5.0, "a"))
    assert jax.tree.structure(pair) != jax.tree.structure(Pair(5.0, "b"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        moved.first = 0.0


def own_density(kind):
    """A density of a class of its own, which says nothing but what it is told."""

    @jax.tree_util.register_dataclass
    @dataclasses.dataclass(frozen=True, eq=False)
    class Own:
        loc: object
        scale: object

        def log_prob(self, x):
            return kind(self.loc, self.scale).log_prob(x)

        mean = property(lambda self: self.loc)
        variance = property(lambda self: self.scale**2)

    return Own(jnp.zeros(()), jnp.ones(()))


@once
def test_densities_that_users_register_with_jax_are_told_apart():
    """The structures of JAX's own making are equal, and the cache of a compiled function is given more to compare."""
    normal, laplace = own_density(Normal), own_density(Laplace)
    method = densities.Quadrature(num_rounds=0)
    for own, kind in ((normal, Normal), (laplace, Laplace)):
        exact = densities.entropy(kind(0.0, 1.0)).value
        np.testing.assert_allclose(densities.entropy(own, method=method).value, exact, rtol=1e-4)
