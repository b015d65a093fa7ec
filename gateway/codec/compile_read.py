"""Generates the reading of wire texts: from an lxml tree, or from a nested record."""

from collections.abc import Mapping
from itertools import takewhile

from gateway.codec.compile_plan import Scope
from gateway.codec.compile_source import Source, plain
from gateway.codec.compile_tree import function
from gateway.codec.table import Row
from gateway.codec.wire import Base, Kind, WireNode


class _Reader:
    """What reading XML and records has in common: which wire leaf goes into which name."""

    def __init__(self, source: Source, scope: Scope, left: Mapping[str, Row]) -> None:
        self.source = source
        self.left = left
        self.scope = scope
        self.texts = {
            node.path: name
            for leaf in scope.leaves
            if leaf.row.decodes
            for node, name in zip(leaf.nodes, leaf.names, strict=True)
        }
        self.scopes = {s.node.path: s for s in scope.scopes if s.row and s.row.decodes}
        self.nested = 0

    def wanted(self, node: WireNode) -> bool:
        """True when something at or below a node is read in this scope."""
        paths = (node.path, *(a.path for a in node.attributes))
        if any(p in self.texts or p in self.scopes or p in self.left for p in paths):
            return True
        return not node.repeats and any(self.wanted(child) for child in node.children)

    def fresh(self, prefix: str) -> str:
        """Return a new name."""
        self.nested += 1
        return f"{prefix}{self.nested}"

    def leave(self, node: WireNode, value: str) -> None:
        """Write the noting of something that is left out."""
        self.source.line(f"leave({self.left[node.path].line}, t, {value})")

    def append(self, scope: Scope, element: str) -> None:
        """Write the reading of one element of a list."""
        rows = f"l{scope.number}"
        call = f"{function('decode', scope)}({element}, t)"
        self.source.line(f"t.append({scope.number})")
        if any(leaf.steps == () for leaf in scope.leaves):
            self.source.line(f"value = {call}")
            with self.source.block("if value is not None:"):
                self.source.line(f"{rows}.append(value)")
        else:
            self.source.line(f"{rows}.append({call})")


class XmlReader(_Reader):
    """Goes along the children in the order that the schema has already confirmed."""

    def group(self, node: WireNode, element: str) -> None:
        """Write the reading of a group's attributes and children.

        Mandatory children that come first have a fixed place; from the first other one on,
        the reader goes from child to child.
        """
        self.attributes(node, element)
        children = list(node.children)
        while children and not self.wanted(children[-1]):
            children.pop()
        fixed = len(list(takewhile(_single, children)))
        if fixed == len(children):
            for at, inner in enumerate(children):
                if self.wanted(inner):
                    self.fixed(inner, f"{element}[{at}]")
        else:
            self.sequence(children, element, fixed)

    def fixed(self, node: WireNode, place: str) -> None:
        """Write the reading of a child at a fixed place."""
        if node.kind is Kind.LEAF and not node.attributes and node.path in self.texts:
            self.source.line(f'{self.texts[node.path]} = {place}.text or ""')
            return
        child = self.fresh("c")
        self.source.line(f"{child} = {place}")
        if node.path in self.left:
            self.leave(node, child)
        else:
            self.single(node, child)

    def sequence(self, children: list[WireNode], element: str, fixed: int) -> None:
        """Write the reading of fixed children, then of those that may be absent or repeat."""
        for at, inner in enumerate(children[: max(fixed - 1, 0)]):
            if self.wanted(inner):
                self.fixed(inner, f"{element}[{at}]")
        child = self.fresh("c")
        if fixed:
            before = self.fresh("c")
            self.source.line(f"{before} = {element}[{fixed - 1}]")
            if self.wanted(children[fixed - 1]):
                self.fixed(children[fixed - 1], before)
            self.source.line(f"{child} = {before}.getnext()")
        else:
            self.source.line(f"{child} = next(iter({element}), None)")
        children = children[fixed:]
        for at, inner in enumerate(children):
            self.child(inner, child, last=at == len(children) - 1)

    def attributes(self, node: WireNode, element: str) -> None:
        """Write the reading of the attributes that the scope wants."""
        for attribute in node.attributes:
            value = f'{element}.get("{attribute.name[1:]}", "")'
            if name := self.texts.get(attribute.path):
                self.source.line(f"{name} = {value}")
            elif attribute.path in self.left:
                self.leave(attribute, value)

    def child(self, node: WireNode, child: str, *, last: bool) -> None:
        """Write the reading of one kind of child and the step to the next."""
        word = "while" if node.repeats else "if"
        tag = f"T_{plain(node.name)}"
        with self.source.block(f"{word} {child} is not None and {child}.tag == {tag}:"):
            if node.path in self.scopes:
                self.element(self.scopes[node.path], child)
            elif node.path in self.left:
                self.leave(node, child)
            elif self.wanted(node):
                self.single(node, child)
            if node.repeats or not last:
                self.source.line(f"{child} = {child}.getnext()")

    def element(self, scope: Scope, child: str) -> None:
        """Write the reading of one element of a list."""
        if scope.node.kind is Kind.LEAF:
            self.source.line(f'l{scope.number}.append({child}.text or "")')
        else:
            self.append(scope, child)

    def single(self, node: WireNode, child: str) -> None:
        """Write the reading of a leaf, or of a group that does not repeat."""
        if node.kind is Kind.GROUP:
            self.group(node, child)
            return
        if name := self.texts.get(node.path):
            self.source.line(f'{name} = {child}.text or ""')
        self.attributes(node, child)


class RecordReader(_Reader):
    """Looks the values of a record up by name."""

    def group(self, node: WireNode, element: str) -> None:
        """Write the reading of a group's values."""
        for child in node.children:
            if child.path in self.scopes:
                self.rows(self.scopes[child.path], element)
            elif child.path in self.left:
                self.leave(child, f"{element}.get({child.name!r})")
            elif name := self.texts.get(child.path):
                self.source.line(f"{name} = {self.value(child, element)}")
            elif self.wanted(child):
                inner = self.fresh("g")
                self.source.line(f"{inner} = {element}.get({child.name!r}) or NOTHING")
                self.group(child, inner)

    def value(self, node: WireNode, element: str) -> str:
        """Return the expression of a value as text."""
        base = node.type.base if node.type else Base.STRING
        if base is Base.STRING or (node.type and node.type.charset):
            return f'{element}.get({node.name!r}, "")'
        return f"as_text({element}.get({node.name!r}))"

    def rows(self, scope: Scope, element: str) -> None:
        """Write the reading of a list."""
        with self.source.block(f"for r in {element}.get({scope.node.name!r}, ()):"):
            if scope.node.kind is Kind.LEAF:
                self.source.line(f"l{scope.number}.append(as_text(r))")
            else:
                self.append(scope, "r")


def _single(node: WireNode) -> bool:
    return node.mandatory and not node.repeats and not node.choice
