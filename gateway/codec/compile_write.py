"""What writing XML and records has in common."""

import re

from gateway.codec.compile_plan import Leaf, Scope
from gateway.codec.compile_source import Source
from gateway.codec.table import Header
from gateway.codec.wire import Kind, WireNode, WireType


class Writer:
    """What both writers have in common: what is there, and what must be."""

    def __init__(self, source: Source, scope: Scope, header: Header) -> None:
        self.source = source
        self.scope = scope
        self.header = header
        self.leaves: dict[str, tuple[Leaf, str]] = {}
        for leaf in scope.leaves:
            if leaf.row.encodes:
                for node, name in zip(leaf.nodes, leaf.names, strict=True):
                    self.leaves[node.path] = (leaf, name)
        self.scopes = {s.node.path: s for s in scope.scopes if s.row and s.row.encodes}
        self.strings = 0

    def presence(self, node: WireNode) -> list[str]:
        """Return the names, one of which is not empty when a node has something to send."""
        if node.path in self.scopes:
            scope = self.scopes[node.path]
            return [self.list_name(scope)]
        own = [self.leaves[node.path]] if node.path in self.leaves else []
        own += [self.leaves[a.path] for a in node.attributes if a.path in self.leaves]
        names = [name for leaf, name in own if leaf.constant is None]
        if node.repeats:
            return names
        return names + [name for child in node.children for name in self.presence(child)]

    def needed(self, node: WireNode) -> list[Leaf]:
        """Return the rows without which an optional group goes unsent."""
        found = []
        for child in node.children:
            if child.path in self.leaves and child.mandatory:
                leaf, name = self.leaves[child.path]
                if leaf.together and name == leaf.names[0] and leaf.constant is None:
                    found.append(leaf)
            elif child.kind is Kind.GROUP and child.mandatory and not child.repeats:
                found += self.needed(child)
        return found

    def checks(self, leaf: Leaf, name: str, type_: WireType | None, matcher: str = "") -> None:
        """Write the checks of a text against its wire type."""
        # The EDI engine checks its own items.
        if type_ is None or type_.charset or _proven(leaf, name, type_):
            return
        line, number = self.source.line, leaf.number
        length = f"len({name}.encode())" if type_.in_bytes else f"len({name})"
        if type_.max_length is not None:
            verb = "long" if type_.confirmed else "recalled"
            with self.source.block(f"if {length} > {type_.max_length}:"):
                line(f"{verb}({number}, t, {length})")
        unfit = []
        if type_.min_length > 1:
            unfit.append(f"{length} < {type_.min_length}")
        if type_.pattern is not None:
            unfit.append(unmatched(type_.pattern, name, matcher or name))
        if type_.values:
            unfit.append(f"{name} not in {type_.values!r}")
        if type_.total_digits is not None:
            unfit.append(f"not digits({name}, {type_.total_digits}, {type_.fraction_digits})")
        if unfit:
            with self.source.block(f"if {' or '.join(unfit)}:"):
                line(f"form({number}, t, {name})")

    def bounds(self, scope: Scope) -> None:
        """Write the checks of a list's length."""
        rows, node = self.list_name(scope), scope.node
        if node.max is not None and self.header.engine != "edi":
            with self.source.block(f"if len({rows}) > {node.max}:"):
                self.source.line(f"many({scope.number}, t, len({rows}))")
        if node.min and self.header.engine != "edi":
            with self.source.block(f"if not {rows}:"):
                self.source.line(f"miss({scope.number}, t)")

    def missing(self, leaf: Leaf, name: str, node: WireNode) -> None:
        """Write what happens when a leaf has no value. EDI knows conditions of its own."""
        refused = leaf.required and name == leaf.names[0]
        needed = node.mandatory and leaf.default is None and self.header.engine != "edi"
        if refused or needed:
            with self.source.block("else:"):
                self.source.line(f"miss({leaf.number}, t)")

    def whole(self, nothing: str) -> None:
        """Write the leaving out of a list's element that lacks what it needs."""
        if self.scope.row is None or self.scope.node.mandatory:
            return
        for leaf in self.needed(self.scope.node):
            with self.source.block(f"if not {leaf.names[0]}:"):
                self.source.line(f"left({leaf.number}, t)")
                self.source.line(f"return {nothing}")

    def fresh(self) -> str:
        """Return a new name for a piece of output."""
        self.strings += 1
        return f"s{self.strings}"

    @staticmethod
    def list_name(scope: Scope) -> str:
        """Return the name of what a list's elements are taken from."""
        return f"{'x' if scope.node.kind is Kind.LEAF else 'l'}{scope.number}"


def _proven(leaf: Leaf, name: str, type_: WireType) -> bool:
    """True when every text that a closed list lets the converter write fits the type."""
    closed = leaf.converter.closed if leaf.converter and not leaf.head else ()
    part = leaf.names.index(name) if name in leaf.names else 0
    texts = closed[part] if closed else None
    if texts is None or type_.total_digits is not None:
        return False
    default = {leaf.default} if leaf.default is not None and part == 0 else set()
    return all(fits(text, type_) for text in texts | default)


def fits(text: str, type_: WireType) -> bool:
    """True when a text passes the checks of a type, but for digits."""
    length = type_.length(text)
    return (
        type_.min_length <= length
        and (type_.max_length is None or length <= type_.max_length)
        and (type_.pattern is None or re.fullmatch(type_.pattern, text) is not None)
        and (not type_.values or text in type_.values)
    )


_DIGITS = re.compile(r"\[0-9\](?:\+|\{([0-9]+)\})")


def unmatched(pattern: str, name: str, matcher: str) -> str:
    """Return the condition of a text that does not match; for digits without the pattern."""
    digits = _DIGITS.fullmatch(pattern)
    if digits is None:
        return f"match_{matcher}({name}) is None"
    exact = f" and len({name}) == {digits[1]}" if digits[1] else ""
    return f"not ({name}.isdigit() and {name}.isascii(){exact})"
