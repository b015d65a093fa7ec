"""Generates the writing of wire texts: as canonical XML octets, or into a nested record."""

from decimal import Decimal

from gateway.codec.compile_plan import Leaf, Scope
from gateway.codec.compile_run import Trace, attribute, text
from gateway.codec.compile_source import Source
from gateway.codec.compile_tree import function
from gateway.codec.table import Header
from gateway.codec.wire import Base, Kind, WireNode, WireType
from gateway.model.values import Measure, Moment, Money, PackageQuantity

_NUMBERS = (int, Decimal, Measure, PackageQuantity, Money, Moment)
"""Their wire text is digits: nothing in it needs escaping."""


class _Writer:
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
            return [self._list(scope)]
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
        if type_ is None or type_.charset:  # the EDI engine checks its own items
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
            unfit.append(f"match_{matcher or name}({name}) is None")
        if type_.values:
            unfit.append(f"{name} not in {type_.values!r}")
        if type_.total_digits is not None:
            unfit.append(f"not digits({name}, {type_.total_digits}, {type_.fraction_digits})")
        if unfit:
            with self.source.block(f"if {' or '.join(unfit)}:"):
                line(f"form({number}, t, {name})")

    def bounds(self, scope: Scope) -> None:
        """Write the checks of a list's length."""
        rows, node = self._list(scope), scope.node
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

    def fresh(self) -> str:
        """Return a new name for a piece of output."""
        self.strings += 1
        return f"s{self.strings}"

    @staticmethod
    def _list(scope: Scope) -> str:
        return f"{'x' if scope.node.kind is Kind.LEAF else 'l'}{scope.number}"


class XmlWriter(_Writer):
    """Writes text between tags; the result is its own canonical form."""

    def write(self, *, root: bool) -> None:
        """Write the scope's element and return it."""
        node = self.scope.node
        namespace = f' xmlns="{self.header.namespace}"' if root and self.header.namespace else ""
        self.source.line(f"return {self._element(node, namespace)}")

    def _element(self, node: WireNode, namespace: str = "") -> str:
        """Write what a group needs; return the expression of its text."""
        attributes = "".join(self._attribute(a) for a in sorted(node.attributes, key=_by_name))
        inner = "".join(self._child(child) for child in node.children)
        return f"f{_quoted(f'<{node.name}{namespace}{attributes}>{inner}</{node.name}>')}"

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
            return f"<{node.name}>{_literal(constant)}</{node.name}>"
        result = self.fresh()
        self.source.line(f'{result} = ""')
        with self.source.block(f"if {name}:"):
            self._noted(leaf, name)
            self.checks(leaf, name, node.type)
            inner = "".join(self._attribute(a) for a in sorted(node.attributes, key=_by_name))
            plain = name == leaf.names[0] and leaf.type in _NUMBERS
            value = f"{{{name}}}" if plain else f"{{text({leaf.number}, t, {name})}}"
            shown = f"<{node.name}{inner}>{value}</{node.name}>"
            self.source.line(f"{result} = f{_quoted(shown)}")
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
            return f' {node.name[1:]}="{_literal(constant)}"'
        result = self.fresh()
        self.source.line(f'{result} = ""')
        with self.source.block(f"if {name}:"):
            self._noted(leaf, name)
            self.checks(leaf, name, node.type)
            shown = f' {node.name[1:]}="{{attribute({leaf.number}, t, {name})}}"'
            self.source.line(f"{result} = f{_quoted(shown)}")
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
            self.source.line(f"{result} += f{_quoted(shown)}")
        return f"{{{result}}}"


class RecordWriter(_Writer):
    """Writes values into a nested dict."""

    def write(self, *, root: bool) -> None:
        """Write the scope's record and return it."""
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
            rows = f"[{function('encode', scope)}(o, head, t) for o in l{number}]"
        else:
            rows = f"[{self._value(number, scope.node, 'x')} for x in x{number}]"
        with self.source.block(f"if {self._list(scope)}:"):
            if scope.node.kind is Kind.LEAF:
                with self.source.block(f"for x in x{number}:"):
                    self.source.line(f"t += ({number}, x)")
            self.source.line(f"{record}[{scope.node.name!r}] = {rows}")


def _by_name(node: WireNode) -> str:
    return node.name


def _literal(constant: str) -> str:
    return constant.replace("{", "{{").replace("}", "}}")


def _quoted(shown: str) -> str:
    """Return a Python literal of a piece of output; names in it are already in braces."""
    return "'" + shown.replace("\\", "\\\\").replace("'", "\\'") + "'"
