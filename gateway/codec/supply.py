"""Completes a canonical document with what no document holds, before it is encoded.

A target's table names, row by row, where a value may come from: parameters of the submission,
the counterpart's profile, allocated numbers, the gate crosswalk, a register, derivations. Only
rows that have such a source are visited, once per element of their list. Nothing is allocated
once something that must be there is found missing: a refused document takes no number.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from gateway.codec.compile_plan import HEAD, OWN_WORDS, Leaf, Plan, Scope
from gateway.codec.convert import ConversionError
from gateway.codec.paths import DISCRIMINATORS, Path, Step, fields, is_struct, with_indexes
from gateway.errors import Finding, GatewayError
from gateway.model.manifest import Manifest
from gateway.model.values import Communication


class Sources(Protocol):
    """Where values come from that no document holds."""

    def take(self, source: str, scope: tuple[int, ...], document: Manifest) -> object | None:
        """Return the value of a source (`param:packing.grossMass`, `alloc:waybill`), or None.

        scope: indexes of the enclosing elements (consignment, item). A str stands for the wire
        text in the target; another value is of the canonical type; a tuple fills a list.
        """
        ...


@dataclass(frozen=True, slots=True)
class Supplied:
    """A completed document. head: transport values. origins: canonical path with indexes, or
    `head.X`, to the source word that filled it."""

    document: Manifest
    head: dict[str, str] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def supply(plan: Plan, document: Manifest, sources: Sources) -> Supplied:
    """Fill what is absent, and what a source before `doc` overrides, from the sources."""
    run = _Supply(sources, document)
    root = run.scope(plan.root, document, ())
    return Supplied(root, run.head, run.origins, tuple(run.findings))


class _Supply:
    def __init__(self, sources: Sources, document: Manifest) -> None:
        self.sources = sources
        self.document = document
        self.head: dict[str, str] = {}
        self.origins: dict[str, str] = {}
        self.findings: list[Finding] = []
        self.lacking = False

    def scope(self, scope: Scope, element: Any, at: tuple[int, ...]) -> Any:
        """Complete one element and the lists in it."""
        for leaf in scope.leaves:
            if leaf.row.encodes and leaf.asks:
                element = self._leaf(scope, leaf, element, at)
        if not at:
            self.document = element
        for inner in scope.scopes:
            if inner.row is not None and inner.row.encodes and _asks_below(inner):
                element = self._list(inner, element, at)
                if not at:
                    self.document = element
        return element

    def _leaf(self, scope: Scope, leaf: Leaf, element: Any, at: tuple[int, ...]) -> Any:
        if leaf.head:
            self._head(leaf, at)
            return element
        if leaf.steps is None:
            return element
        value = self._value(scope, leaf, get(element, leaf.steps), at)
        if value is None:
            return element
        return put(element, leaf.steps, value) if leaf.steps else value

    def _head(self, leaf: Leaf, at: tuple[int, ...]) -> None:
        for word in leaf.asks:
            value = self._take(word, at)
            if value is not None:
                self.head[leaf.head] = str(value)
                self.origins[HEAD + leaf.head] = word
                return
        self.lacking |= leaf.required

    def _value(self, scope: Scope, leaf: Leaf, present: Any, at: tuple[int, ...]) -> Any:
        """Return the value that a source gives, None to leave what the document has."""
        for word in leaf.row.sources:
            if word == "doc" and present not in (None, "", ()):
                return None
            if word in OWN_WORDS or word.startswith("const:"):
                continue
            place = _canonical(scope, leaf, at)
            value = self._coerced(leaf, self._take(word, at), word, place)
            if value is not None:
                self.origins[place] = word
                return value
        absent = present in (None, "", ()) and leaf.default is None
        # What a line lacks may still be mended before encoding: lines are put together.
        self.lacking |= absent and leaf.required and len(at) < 2
        return None

    def _take(self, word: str, at: tuple[int, ...]) -> object | None:
        if word.startswith("alloc:") and self.lacking:
            return None
        try:
            return self.sources.take(word, at, self.document)
        except GatewayError as error:
            self.findings += error.findings
            self.lacking = True
            return None

    def _coerced(self, leaf: Leaf, value: object | None, word: str, place: str) -> Any:
        """Read a text as the target would read it on the wire."""
        if not isinstance(value, str) or leaf.converter is None or leaf.converter.parts > 1:
            return value
        try:
            return leaf.converter.decode(value)
        except ConversionError as error:
            found = "" if leaf.row.personal else error.found
            expected = f"{error.expected} ({word})"
            self.findings.append(Finding(error.code, error.rule, place, found, expected))
            return None

    def _list(self, scope: Scope, element: Any, at: tuple[int, ...]) -> Any:
        before = get(element, _whole(scope.steps)) or ()
        if not before and _starts(scope):
            made = self._first(scope, at)
            return put(element, _whole(scope.steps), made) if made else element
        after = tuple(self.scope(scope, each, (*at, n)) for n, each in enumerate(before))
        if all(a is b for a, b in zip(after, before, strict=True)):
            return element
        return put(element, _whole(scope.steps), after)

    def _first(self, scope: Scope, at: tuple[int, ...]) -> tuple[Any, ...]:
        """Start an empty list with what the sources give for its first element."""
        inner = (*at, 0)
        found: dict[str, Any] = {}
        for leaf in scope.leaves:
            value = self._value(scope, leaf, None, inner) if leaf.row.encodes else None
            if leaf.steps == () and value is not None:
                return tuple(value) if isinstance(value, tuple) else (value,)
            if leaf.steps:
                found[leaf.steps[0].name] = value
        if not any(value is not None for value in found.values()):
            return ()
        for leaf in scope.leaves:
            if leaf.default is not None and leaf.steps and leaf.converter is not None:
                name = leaf.steps[0].name
                found[name] = found[name] or leaf.converter.decode(leaf.default)
        return (scope.element(**found),)


def get(value: Any, path: Path) -> Any:
    """Return what stands at a path below a value, None when something on it is absent."""
    for step in path:
        if value is None:
            return None
        value = getattr(value, step.name)
        if isinstance(step.select, int):
            value = value[step.select] if step.select < len(value) else None
        elif isinstance(step.select, str):
            value = next((v for v in value if _key(v) == step.select), None)
    return value


def put(value: Any, path: Path, new: Any) -> Any:
    """Return a value with another one at a path; what is absent on the way is made."""
    step, rest = path[0], path[1:]
    known = fields(type(value))[step.name]
    before = getattr(value, step.name)
    if step.select is None:
        inner = put(_made(before, known.type, step), rest, new) if rest else new
        return msgspec.structs.replace(value, **{step.name: inner})
    index = _index(before, step)
    old = before[index] if index < len(before) else None
    inner = put(_made(old, known.type, step), rest, new) if rest else new
    after = (*before[:index], inner, *before[index + 1 :])
    return msgspec.structs.replace(value, **{step.name: after})


def _made(value: Any, kind: Any, step: Step) -> Any:
    if value is not None:
        return value
    if isinstance(step.select, str):
        name = DISCRIMINATORS[kind]
        key: Any = fields(kind)[name].type(step.select)
        return kind(**{name: key})
    return kind()


def _index(values: tuple[Any, ...], step: Step) -> int:
    if isinstance(step.select, int):
        return min(step.select, len(values))
    return next((n for n, v in enumerate(values) if _key(v) == step.select), len(values))


def _key(value: Any) -> Any:
    return getattr(value, DISCRIMINATORS[type(value)])


def _whole(steps: Path) -> Path:
    """Return the path of a list itself."""
    return (*steps[:-1], Step(steps[-1].name))


def _starts(scope: Scope) -> bool:
    """True for a list of plain values or of ways to reach somebody: a source may start it."""
    return not is_struct(scope.element) or scope.element is Communication


def _asks_below(scope: Scope) -> bool:
    return any(leaf.asks for inner in scope.walk() for leaf in inner.leaves)


def _canonical(scope: Scope, leaf: Leaf, at: tuple[int, ...]) -> str:
    return with_indexes(scope.canonical + (leaf.steps or ()), at)
