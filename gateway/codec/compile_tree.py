"""The part of a canonical value that one scope touches, as a tree of places.

Decoding builds the value from the leaves up, encoding takes it apart from the root down; both
walk the same tree.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as default
from typing import Any

from gateway.codec.compile_plan import Leaf, Scope
from gateway.codec.compile_source import plain
from gateway.codec.paths import EACH, Field, Path, Selector, fields, text


@dataclass(slots=True)
class Place:
    """One field of a canonical value, or one element of a tuple.

    leaves: rows whose value stands here. children: fields of the value, when it is taken
    apart. items: picked elements of a tuple. scope: the scope that goes along the tuple. key: the
    discriminator that an element of a tuple is picked by.
    """

    type: Any
    field: Field | None = None
    leaves: list[Leaf] = default(default_factory=list)
    children: dict[str, "Place"] = default(default_factory=dict)
    items: dict[Selector, "Place"] = default(default_factory=dict)
    scope: Scope | None = None
    key: str = ""

    def below(self) -> Iterator[Leaf]:
        """Yield every row at or below this place, rows of scopes included."""
        yield from self.leaves
        for place in (*self.children.values(), *self.items.values()):
            yield from place.below()
        if self.scope is not None:
            for scope in self.scope.walk():
                yield from scope.leaves

    def clash(self) -> bool:
        """True when the same value would be made in two ways."""
        ways = bool(self.leaves) + bool(self.children) + bool(self.items) + bool(self.scope)
        return ways > 1 or len(self.leaves) > 1


def grow(scope: Scope, *, decoding: bool) -> Place:
    """Return the tree of what one direction touches in a scope."""
    root = Place(scope.element)
    for leaf in scope.leaves:
        wanted = leaf.row.decodes if decoding else leaf.row.encodes
        if wanted and leaf.steps is not None:
            _at(root, leaf.steps).leaves.append(leaf)
    for inner in scope.scopes:
        if inner.row is not None and (inner.row.decodes if decoding else inner.row.encodes):
            _at(root, inner.steps).scope = inner
    return root


def clashes(place: Place, path: str = "") -> Iterator[tuple[str, Leaf]]:
    """Yield the canonical paths below a place that a decoding would fill twice."""
    if place.clash():
        yield path, next(place.below())
    for name, child in place.children.items():
        yield from clashes(child, f"{path}.{name}".lstrip("."))
    for select, item in place.items.items():
        yield from clashes(item, f"{path}[{select}]")


def _at(place: Place, steps: Path) -> Place:
    for step in steps:
        known = fields(place.type)[step.name]
        place = place.children.setdefault(step.name, Place(known.type, known))
        if step.select is not None and step.select is not EACH:
            key = step.select if isinstance(step.select, str) else ""
            place = place.items.setdefault(step.select, Place(known.type, key=key))
    return place


def place_text(scope: Scope, leaf: Leaf) -> str:
    """Write where a leaf's value stands: its canonical path, `head.x`, or nothing."""
    if leaf.steps is None:
        return f"head.{leaf.head}" if leaf.head else ""
    return text(scope.canonical + leaf.steps)


def function(verb: str, scope: Scope) -> str:
    """Return the name of a scope's generated function."""
    return f"{verb}_{plain(scope.node.name)}_{scope.number}"
