"""Writes the expressions of the quick encoder, and the conditions under which it gives way."""

from collections.abc import Mapping
from typing import Any

from gateway.codec.compile_pattern import UncoveredError, harmless, is_long, is_quick
from gateway.codec.compile_plan import Leaf, Scope
from gateway.codec.compile_run import attribute, odd_attribute, odd_text, text
from gateway.codec.compile_source import Source, plain
from gateway.codec.compile_trace import Trace
from gateway.codec.compile_write import Writer, fits, unmatched
from gateway.codec.compile_write_xml import literal, quoted
from gateway.codec.convert_quantities import SHORT
from gateway.codec.table import Header
from gateway.codec.wire import Kind, WireNode, WireType

_NUMBER = "[0-9]+(\\.[0-9]+)?"
"""The pattern that every text of `short` has."""
_DIGITS = "[0-9]+"
CUT = "\0"
"""Stands in a text where a long list goes."""


class QuickWriter(Writer):
    """Writes the expressions of an element and the condition that makes it unusual.

    noted: what the trace takes. after: lines that note long texts and repeated ones. long: the
    lists at which the text is cut.
    """

    def __init__(self, source: Source, scope: Scope, header: Header) -> None:
        super().__init__(source, scope, header)
        self.noted: list[str] = []
        self.after: list[str] = []
        self.unusual: list[str] = []
        self.long: list[Scope] = []

    def write(self, *, root: bool) -> str:
        """Write the scope's element and return the text between the braces of an f-string."""
        namespace = self.header.namespace
        declared = literal(f' xmlns="{namespace}"') if root and namespace else ""
        shown = self._element(self.scope.node, "", declared)
        if self.unusual:
            with self.source.block(f"if {' or '.join(self.unusual)}:"):
                self.source.line("unusual()")
        return shown

    def _element(self, node: WireNode, there: str, declared: str = "") -> str:
        """Return a group. there: the condition under which it is written, "" for always."""
        attributes = "".join(self._attribute(each, there) for each in _sorted(node))
        inner = "".join(self._child(child, there) for child in node.children)
        return f"<{node.name}{declared}{attributes}>{inner}</{node.name}>"

    def _child(self, node: WireNode, there: str) -> str:
        if node.path in self.scopes:
            return self._rows(self.scopes[node.path], there)
        if node.path in self.leaves:
            return self._leaf(node, there)
        if node.kind is Kind.LEAF or node.repeats:
            return ""
        return self._group(node, there)

    def _group(self, node: WireNode, there: str) -> str:
        presence = self.presence(node)
        if node.mandatory:
            return self._element(node, there)
        if not presence:
            return ""
        condition = " or ".join(presence)
        return self._optional(self._element(node, condition), condition)

    def _optional(self, shown: str, condition: str) -> str:
        name = self.fresh()
        self.source.line(f'{name} = f{quoted(shown)} if {condition} else ""')
        return f"{{{name}}}"

    def _leaf(self, node: WireNode, there: str) -> str:
        leaf, name = self.leaves[node.path]
        if leaf.constant is not None:
            self._constant(leaf, there)
            constant = text(leaf.number, Trace(), leaf.constant)
            return literal(f"<{node.name}>{constant}</{node.name}>")
        needed = self._look(node, there, markup="<>&")
        attributes = "".join(self._attribute(each, name) for each in _sorted(node))
        shown = f"<{node.name}{attributes}>{{{name}}}</{node.name}>"
        return shown if needed else self._optional(shown, name)

    def _attribute(self, node: WireNode, there: str) -> str:
        if node.path not in self.leaves:
            return ""
        leaf, name = self.leaves[node.path]
        start = f' {node.name[1:]}="'
        if leaf.constant is not None:
            self._constant(leaf, there)
            return literal(f'{start}{attribute(leaf.number, Trace(), leaf.constant)}"')
        needed = self._look(node, there, markup='<&"')
        shown = f'{start}{{{name}}}"'
        return shown if needed else self._optional(shown, name)

    def _constant(self, leaf: Leaf, there: str) -> None:
        shown = f"{leaf.constant!r} if {there} else ''" if there else repr(leaf.constant)
        self.noted += [str(leaf.number), shown]

    def _look(self, node: WireNode, there: str, markup: str) -> bool:
        """Add what makes a text unusual; return whether it must be there."""
        leaf, name = self.leaves[node.path]
        if name == leaf.names[0]:
            self.noted += [str(leaf.number), *leaf.names]
        type_ = node.type
        most = _recalled(leaf, name, type_)
        if most is not None:
            noted = f"recalled({leaf.number}, t, len({name}))"
            self.after.append(f"if len({name}) > {most}: {noted}")
        needed = node.mandatory or (leaf.required and name == leaf.names[0])
        unfit = _unfit(leaf, name, name, type_, markup)
        if needed and not there:
            digits = f"not {name}.isdigit()" in unfit
            self.unusual += unfit if digits else [f"not {name}", *unfit]
            return True
        if needed and there not in leaf.names:
            self.unusual.append(f"({there}) and not {name}")
        if unfit:
            self.unusual.append(f"{name} and ({' or '.join(unfit)})")
        return needed

    def _rows(self, scope: Scope, there: str) -> str:
        node, name = scope.node, self.list_name(scope)
        if node.max is not None:
            self.unusual.append(f"len({name}) > {node.max}")
        if node.min:
            self.unusual.append(f"({there}) and not {name}" if there else f"not {name}")
        if not there and (is_long(scope) or in_pieces(scope)):
            self.long.append(scope)
            return CUT
        if in_pieces(scope):
            raise UncoveredError(node.path)
        if node.kind is Kind.GROUP:
            return f'{{"".join([{put(scope)}(o, head, t) for o in {name}])}}'
        if node.type is not None and not node.type.confirmed and node.type.max_length:
            raise UncoveredError(node.path)
        leaf = scope.leaves[0]
        with self.source.block(f"for x in {name}:"):
            unfit = ["not x", *_unfit(leaf, "x", name, node.type, "<>&")]
            with self.source.block(f"if {' or '.join(unfit)}:"):
                self.source.line("unusual()")
        self.after.append(f"for x in {name}: t += ({scope.number}, x)")
        return f'{{"".join([f"<{node.name}>{{x}}</{node.name}>" for x in {name}])}}'


def in_pieces(scope: Scope) -> bool:
    """True for a scope whose quick function returns pieces: the document, and one that holds a
    long list."""
    inner = (each for each in scope.scopes if each.row is not None and each.row.encodes)
    return scope.row is None or any(is_long(each) or in_pieces(each) for each in inner)


def _unfit(leaf: Leaf, name: str, matcher: str, type_: WireType | None, markup: str) -> list[str]:
    """Return conditions under which a text, not empty, does not go as it is."""
    write = _write(leaf, matcher)
    if "{wires}" in write:
        return []  # the mapping holds only what fits
    number = write.startswith(("str(", "short("))
    unfit = [] if number or harmless(type_) else [_odd(name, markup)]
    return unfit + (_misfit(type_, name, matcher, number=number) if type_ else [])


def _misfit(type_: WireType, name: str, matcher: str, *, number: bool) -> list[str]:
    """Return conditions under which a text does not fit its type."""
    if type_.charset or type_.in_bytes:
        raise UncoveredError("charset")
    unfit = []
    if type_.max_length is not None and type_.confirmed:
        unfit.append(f"len({name}) > {type_.max_length}")
    if type_.min_length > 1:
        unfit.append(f"len({name}) < {type_.min_length}")
    if number and type_.pattern == _DIGITS:
        unfit.append(f"not {name}.isdigit()")
    elif type_.pattern is not None and not (number and type_.pattern == _NUMBER):
        unfit.append(unmatched(type_.pattern, name, matcher))
    if type_.values:
        unfit.append(f"{name} not in {type_.values!r}")
    if type_.total_digits is not None:
        unfit.append(f"not digits({name}, {type_.total_digits}, {type_.fraction_digits})")
    return unfit


def _recalled(leaf: Leaf, name: str, type_: WireType | None) -> int | None:
    """Return the recalled length that a text may pass, None where it cannot or has none."""
    if type_ is None or type_.confirmed or type_.max_length is None:
        return None
    short = _write(leaf, name).startswith("short(") and type_.max_length >= SHORT
    return None if short else type_.max_length


def _odd(name: str, markup: str) -> str:
    """Return the condition of a text that needs a closer look: memory is searched quickly for
    one character, and nothing that XML forbids or C14N escapes is printable."""
    found = " or ".join(f"{each!r} in {name}" for each in markup)
    return f"{found} or not {name}.isprintable()"


def fitting(leaf: Leaf) -> Mapping[str, Any]:
    """Return the wire codes of a row's quick expression that fit their type as they are."""
    if leaf.converter is None:
        return {}
    at = next((n for n, write in enumerate(writes(leaf)) if "{wires}" in write), 0)
    node = leaf.nodes[at]
    odd = odd_attribute if node.name.startswith("@") else odd_text
    return {
        value: wire
        for value, wire in leaf.converter.quick.wires.items()
        if odd(wire) is None and (node.type is None or fits(wire, node.type))
    }


def writes(leaf: Leaf) -> tuple[str, ...]:
    """Return the quick expressions of a row's texts, () where there are none."""
    return leaf.converter.quick.writes if leaf.converter and is_quick(leaf) else ()


def _write(leaf: Leaf, name: str) -> str:
    """Return the quick expression of one of a row's texts, "" where there is none."""
    if leaf.head or leaf.default is not None or not writes(leaf):
        return ""
    return writes(leaf)[leaf.names.index(name)]


def _sorted(node: WireNode) -> list[WireNode]:
    return sorted(node.attributes, key=lambda each: each.name)


def put(scope: Scope) -> str:
    """Return the name of a scope's quick writer."""
    return "put" if scope.row is None else f"put_{plain(scope.node.name)}_{scope.number}"
