"""Regular expressions of canonical XML: how the elements of a scope look, octet by octet.

A `Reading` takes a document apart whose tree has passed its schema: groups are the wire texts.
It is cut where a long list stands (`Reading.stretches`), because a list of goods lines is read
element by element.

All is possessive: a tag decides at once, so that no input makes a match go back and forth.
What a pattern does not cover exactly is left to the whole code, which goes along the tree.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.codec.compile_plan import Leaf, Scope
from gateway.codec.wire import Kind, WireNode, WireType

_PLAIN_PATTERN = re.compile(
    r"(?:\[(?:0-9|A-Z|a-z|[0-9A-Za-z_])+\]|[0-9A-Za-z_/|()?+*]|\\\.|\{[0-9,]+\})*"
)
"""Patterns of letters and digits, with no class that could hold markup."""


class UncoveredError(ValueError):
    """A table has something that the patterns do not cover."""


def harmless(type_: WireType | None) -> bool:
    """True when a text that passes the checks of its type has nothing to escape."""
    if type_ is None:
        return False
    if type_.values:
        return all(value.isalnum() and value.isascii() for value in type_.values)
    return type_.pattern is not None and _PLAIN_PATTERN.fullmatch(type_.pattern) is not None


def is_long(scope: Scope) -> bool:
    """True for a list that may be long, with elements that are worth a match each."""
    return scope.node.max is None and (len(scope.leaves) > 2 or bool(scope.scopes))


@dataclass(slots=True)
class Stretch:
    """A pattern with the names of its groups. lists: of them, the scope whose elements a
    group holds. then: the long list that follows, None at the end."""

    pattern: str = ""
    groups: list[str] = field(default_factory=list)
    lists: dict[int, Scope] = field(default_factory=dict)
    then: Scope | None = None


class Reading:
    """The stretches of one scope's element. sure: numbers of the rows that are always there."""

    def __init__(self, scope: Scope, left: Mapping[str, object], declared: str = "") -> None:
        """declared: the namespace declaration of a root."""
        self.scope = scope
        self.left = left
        self.texts = {
            node.path: (leaf, at)
            for leaf in scope.leaves
            if leaf.row.decodes
            for at, node in enumerate(leaf.nodes)
        }
        self.scopes = {s.node.path: s for s in scope.scopes if s.row and s.row.decodes}
        self.sure: set[int] = set()
        self.stretches = [Stretch()]
        self.capturing = True
        self._element(scope.node, always=True, declared=declared)

    @property
    def whole(self) -> str:
        """The pattern of an element as a whole, without groups, where there is no long list."""
        self.capturing = False
        kept, self.stretches = self.stretches, [Stretch()]
        self._element(self.scope.node, always=True)
        made, self.stretches = self.stretches, kept
        self.capturing = True
        if len(made) > 1 or self.scopes:
            raise UncoveredError(self.scope.node.path)
        return made[0].pattern

    def _put(self, pattern: str) -> None:
        self.stretches[-1].pattern += pattern

    def _element(self, node: WireNode, *, always: bool, declared: str = "") -> None:
        """Write an element. always: it stands wherever the scope's element does."""
        if node.path in self.left:
            raise UncoveredError(node.path)
        self._put(f"<{re.escape(node.name)}{re.escape(declared)}")
        for attribute in sorted(node.attributes, key=lambda each: each.name):
            self._attribute(attribute, always=always)
        self._put(">")
        if node.kind is Kind.LEAF:
            self._text(node, "[^<]", always=always)
        for child in node.children:
            self._child(child, always=always)
        self._put(f"</{re.escape(node.name)}>")

    def _attribute(self, node: WireNode, *, always: bool) -> None:
        if node.path in self.left:
            raise UncoveredError(node.path)
        self._put("" if node.mandatory else "(?:")
        self._put(f' {re.escape(node.name[1:])}="')
        self._text(node, '[^"<]', always=always and node.mandatory)
        self._put('"' if node.mandatory else '")?+')

    def _child(self, node: WireNode, *, always: bool) -> None:
        scope = self.scopes.get(node.path)
        if scope is not None and always and is_long(scope):
            self.stretches[-1].then = scope
            self.stretches.append(Stretch())
        elif scope is not None:
            self._list(scope)
        elif node.repeats:
            self._optional(node, "*+")
        elif node.mandatory and not node.choice:
            self._element(node, always=always)
        else:
            self._optional(node, "?+")

    def _optional(self, node: WireNode, times: str) -> None:
        self._put("(?:")
        self._element(node, always=False)
        self._put(f"){times}")

    def _list(self, scope: Scope) -> None:
        stretch = self.stretches[-1]
        inner = Reading(scope, self.left).whole
        if not self.capturing:
            self._put(f"(?:{inner})*+")
            return
        stretch.lists[len(stretch.groups)] = scope
        stretch.groups.append(f"l{scope.number}")
        self._put(f"((?:{inner})*+)")

    def _text(self, node: WireNode, free: str, *, always: bool) -> None:
        known = self.texts.get(node.path)
        if known is None:
            self._put(f"{free}*+")
            return
        leaf, at = known
        if always and at == 0:
            self.sure.add(leaf.number)
        shape = _shape(leaf, at) or f"{free}{'++' if always else '*+'}"
        if self.capturing:
            self.stretches[-1].groups.append(leaf.names[at])
        self._put(f"({shape})" if self.capturing else f"(?:{shape})")


def _shape(leaf: Leaf, at: int) -> str:
    """Return the pattern that the quick reading of a part relies on, "" where it takes any."""
    if leaf.constant is not None:
        return re.escape(leaf.constant)
    shapes = leaf.converter.quick.shapes if is_quick(leaf) and leaf.converter else ()
    return shapes[at] if shapes else ""


def is_quick(leaf: Leaf) -> bool:
    """True when the converter's quick expressions hold for this row."""
    return leaf.converter is not None and leaf.type is leaf.converter.canonical
