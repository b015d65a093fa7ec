"""Generates the writing of canonical XML: text between tags."""

from decimal import Decimal

from gateway.codec.compile_pattern import harmless
from gateway.codec.compile_plan import Leaf, Scope
from gateway.codec.compile_run import attribute, text
from gateway.codec.compile_trace import Trace
from gateway.codec.compile_tree import function
from gateway.codec.compile_write import Writer
from gateway.codec.wire import Kind, WireNode
from gateway.model.values import Measure, Moment, Money, PackageQuantity

_NUMBERS = (int, Decimal, Measure, PackageQuantity, Money, Moment)
"""Their wire text is digits: nothing in it needs escaping."""


class XmlWriter(Writer):
    """Writes text between tags; the result is its own canonical form."""

    def write(self, *, root: bool) -> None:
        """Write the scope's element and return it."""
        self.whole('""')
        node = self.scope.node
        namespace = f' xmlns="{self.header.namespace}"' if root and self.header.namespace else ""
        self.source.line(f"return {self._element(node, namespace)}")

    def _element(self, node: WireNode, namespace: str = "") -> str:
        """Write what a group needs; return the expression of its text."""
        attributes = "".join(self._attribute(a) for a in sorted(node.attributes, key=_by_name))
        inner = "".join(self._child(child) for child in node.children)
        return f"f{quoted(f'<{node.name}{namespace}{attributes}>{inner}</{node.name}>')}"

    def _child(self, node: WireNode) -> str:
        if node.path in self.scopes:
            return self._rows(self.scopes[node.path])
        if node.path in self.leaves:
            return self._leaf(node)
        if node.kind is Kind.LEAF or node.repeats:
            return ""
        return self._group(node)

    def _group(self, node: WireNode) -> str:
        presence = self.presence(node)
        if node.mandatory:
            return f"{{{self._assigned(self._element(node))}}}"
        if not presence:
            return ""
        result = self.fresh()
        self.source.line(f'{result} = ""')
        needed = self.needed(node)
        with self.source.block(f"if {' or '.join(presence)}:"):
            if not needed:
                self.source.line(f"{result} = {self._element(node)}")
            else:
                self._if_whole(result, node, needed)
        return f"{{{result}}}"

    def _if_whole(self, result: str, node: WireNode, needed: list[Leaf]) -> None:
        for leaf in needed:
            with self.source.block(f"if not {leaf.names[0]}:"):
                self.source.line(f"left({leaf.number}, t)")
        with self.source.block(f"if {' and '.join(leaf.names[0] for leaf in needed)}:"):
            self.source.line(f"{result} = {self._element(node)}")

    def _assigned(self, expression: str) -> str:
        result = self.fresh()
        self.source.line(f"{result} = {expression}")
        return result

    def _leaf(self, node: WireNode) -> str:
        leaf, name = self.leaves[node.path]
        if leaf.constant is not None:
            self.source.line(f"t += ({leaf.number}, {leaf.constant!r})")
            constant = text(leaf.number, Trace(), leaf.constant)
            return f"<{node.name}>{literal(constant)}</{node.name}>"
        result = self.fresh()
        self.source.line(f'{result} = ""')
        with self.source.block(f"if {name}:"):
            self._noted(leaf, name)
            self.checks(leaf, name, node.type)
            inner = "".join(self._attribute(a) for a in sorted(node.attributes, key=_by_name))
            plain = name == leaf.names[0] and leaf.type in _NUMBERS
            if plain or harmless(node.type):
                value = f"{{{name}}}"
            else:
                escaped = f"text({leaf.number}, t, {name})"
                value = f"{{{name} if odd({name}) is None else {escaped}}}"
            shown = f"<{node.name}{inner}>{value}</{node.name}>"
            self.source.line(f"{result} = f{quoted(shown)}")
        self.missing(leaf, name, node)
        return f"{{{result}}}"

    def _noted(self, leaf: Leaf, name: str) -> None:
        if name == leaf.names[0]:
            self.source.line(f"t += ({leaf.number}, {', '.join(leaf.names)})")

    def _attribute(self, node: WireNode) -> str:
        if node.path not in self.leaves:
            return ""
        leaf, name = self.leaves[node.path]
        if leaf.constant is not None:
            self.source.line(f"t += ({leaf.number}, {leaf.constant!r})")
            constant = attribute(leaf.number, Trace(), leaf.constant)
            return f' {node.name[1:]}="{literal(constant)}"'
        result = self.fresh()
        self.source.line(f'{result} = ""')
        with self.source.block(f"if {name}:"):
            self._noted(leaf, name)
            self.checks(leaf, name, node.type)
            value = f"{{attribute({leaf.number}, t, {name})}}"
            if harmless(node.type):
                value = f"{{{name}}}"
            shown = f' {node.name[1:]}="{value}"'
            self.source.line(f"{result} = f{quoted(shown)}")
        self.missing(leaf, name, node)
        return f"{{{result}}}"

    def _rows(self, scope: Scope) -> str:
        self.bounds(scope)
        result, number = self.fresh(), scope.number
        if scope.node.kind is Kind.GROUP:
            call = f"{function('encode', scope)}(o, head, t)"
            self.source.line(f'{result} = "".join([{call} for o in l{number}])')
            return f"{{{result}}}"
        self.source.line(f'{result} = ""')
        with self.source.block(f"for x in x{number}:"):
            self.source.line(f"t += ({number}, x)")
            self.checks(scope.leaves[0], "x", scope.node.type, f"x{number}")
            shown = f"<{scope.node.name}>{{text({number}, t, x)}}</{scope.node.name}>"
            self.source.line(f"{result} += f{quoted(shown)}")
        return f"{{{result}}}"


def _by_name(node: WireNode) -> str:
    return node.name


def literal(constant: str) -> str:
    """Return a text as it stands in an f-string."""
    return constant.replace("{", "{{").replace("}", "}}")


def quoted(shown: str) -> str:
    """Return a Python literal of a piece of output; names in it are already in braces."""
    return "'" + shown.replace("\\", "\\\\").replace("'", "\\'") + "'"
