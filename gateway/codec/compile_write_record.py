"""Generates the writing of nested records."""

from gateway.codec.compile_plan import Scope
from gateway.codec.compile_tree import function
from gateway.codec.compile_write import Writer
from gateway.codec.wire import Base, Kind, WireNode


class RecordWriter(Writer):
    """Writes values into a nested dict."""

    def write(self, *, root: bool) -> None:
        """Write the scope's record and return it."""
        self.whole("NOTHING")
        self.source.line("r = {}")
        self._children(self.scope.node, "r")
        self.source.line("return r")

    def _children(self, node: WireNode, record: str) -> None:
        for child in node.children:
            if child.path in self.scopes:
                self._rows(self.scopes[child.path], record)
            elif child.path in self.leaves:
                self._leaf(child, record)
            elif child.kind is Kind.GROUP and not child.repeats:
                self._group(child, record)

    def _group(self, node: WireNode, record: str) -> None:
        presence = self.presence(node)
        if not presence and not node.mandatory:
            return
        inner = self.fresh()
        needed = [] if node.mandatory else self.needed(node)
        for leaf in needed:
            with self.source.block(f"if ({' or '.join(presence)}) and not {leaf.names[0]}:"):
                self.source.line(f"left({leaf.number}, t)")
        whole = " and ".join(leaf.names[0] for leaf in needed) or " or ".join(presence)
        with self.source.block("if True:" if node.mandatory else f"if {whole}:"):
            self.source.line(f"{inner} = {record}[{node.name!r}] = {{}}")
            self._children(node, inner)

    def _leaf(self, node: WireNode, record: str) -> None:
        leaf, name = self.leaves[node.path]
        base = node.type.base if node.type else Base.STRING
        if leaf.constant is not None:
            self.source.line(f"t += ({leaf.number}, {leaf.constant!r})")
            value = f"value_of({leaf.constant!r}, Base({str(base)!r}))"
            self.source.line(f"{record}[{node.name!r}] = {value}")
            return
        with self.source.block(f"if {name}:"):
            if name == leaf.names[0]:
                self.source.line(f"t += ({leaf.number}, {', '.join(leaf.names)})")
            self.checks(leaf, name, node.type)
            self.source.line(f"{record}[{node.name!r}] = {self._value(leaf.number, node, name)}")
        self.missing(leaf, name, node)

    def _value(self, number: int, node: WireNode, name: str) -> str:
        base = node.type.base if node.type else Base.STRING
        if base is Base.STRING or (node.type and node.type.charset):
            return name
        return f"typed({number}, t, {name}, Base({str(base)!r}))"

    def _rows(self, scope: Scope, record: str) -> None:
        self.bounds(scope)
        number = scope.number
        if scope.node.kind is Kind.GROUP:
            call = f"{function('encode', scope)}(o, head, t)"
            rows = f"[row for o in l{number} if (row := {call})]"
        else:
            rows = f"[{self._value(number, scope.node, 'x')} for x in x{number}]"
        with self.source.block(f"if {self.list_name(scope)}:"):
            if scope.node.kind is Kind.LEAF:
                with self.source.block(f"for x in x{number}:"):
                    self.source.line(f"t += ({number}, x)")
            self.source.line(f"{record}[{scope.node.name!r}] = {rows}")
