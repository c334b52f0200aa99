"""Dataclasses as pytrees that `jax.jit` tells apart."""

import dataclasses
from typing import Any, TypeVar

import jax

Class = TypeVar("Class", bound=type)


def register_dataclass(cls: Class) -> Class:
    """Registers a dataclass as a pytree; fields whose metadata says `static` are part of the structure.

    Not `jax.tree_util.register_dataclass`: two structures of its making are equal whatever their classes are (seen in
    JAX 0.10 and 0.12), if only their numbers of leaves and their static fields are. Their hashes differ, so that a
    compiled function confuses two classes only now and then, when its cache happens to compare them, and then
    silently runs the program of the other. Here the class is part of what is compared. Besides, nothing is checked
    anew when a pytree is put together again.
    """
    fields = dataclasses.fields(cls)
    static = tuple(field.name for field in fields if field.metadata.get("static", False))
    leaves = tuple(field.name for field in fields if field.name not in static)
    keys = tuple(jax.tree_util.GetAttrKey(name) for name in leaves)

    def flatten(tree: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        held = tree.__dict__
        return tuple([held[name] for name in leaves]), tuple([held[name] for name in static])

    def flatten_with_keys(tree: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        children, meta = flatten(tree)
        return tuple(zip(keys, children, strict=True)), meta

    def unflatten(meta: tuple[Any, ...], children: Any) -> Any:
        tree = object.__new__(cls)
        # A frozen dataclass forbids assignment, not this.
        tree.__dict__.update(zip(leaves, children, strict=True))
        tree.__dict__.update(zip(static, meta, strict=True))
        return tree

    jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten, flatten)
    return cls
