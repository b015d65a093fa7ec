"""Generates the reading of wire texts: from an lxml tree, or from a nested record."""

from gateway.codec.compile_plan import Scope
from gateway.codec.compile_source import Source, plain
from gateway.codec.compile_tree import function
from gateway.codec.wire import Base, Kind, WireNode


class _Reader:
    """What reading XML and records has in common: which wire leaf goes into which name."""

    def __init__(self, source: Source, scope: Scope) -> None:
        self.source = source
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
        if any(path in self.texts or path in self.scopes for path in paths):
            return True
        return not node.repeats and any(self.wanted(child) for child in node.children)

    def append(self, scope: Scope, element: str) -> None:
        """Write the reading of one element of a list."""
        rows = f"l{scope.number}"
        call = f"{function('decode', scope)}({element}, t, len({rows}) + 1)"
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
        """Write the reading of a group's attributes and children."""
        self.attributes(node, element)
        children = list(node.children)
        while children and not self.wanted(children[-1]):
            children.pop()
        if not children:
            return
        self.nested += 1
        rest, child = f"rest{self.nested}", f"c{self.nested}"
        self.source.line(f"{rest} = iter({element})")
        self.source.line(f"{child} = next({rest}, END)")
        for at, inner in enumerate(children):
            self.child(inner, child, rest, last=at == len(children) - 1)

    def attributes(self, node: WireNode, element: str) -> None:
        """Write the reading of the attributes that the scope wants."""
        for attribute in node.attributes:
            if name := self.texts.get(attribute.path):
                self.source.line(f'{name} = {element}.get("{attribute.name[1:]}", "")')

    def child(self, node: WireNode, child: str, rest: str, *, last: bool) -> None:
        """Write the reading of one kind of child and the step to the next."""
        word = "while" if node.repeats else "if"
        with self.source.block(f"{word} {child}.tag == T_{plain(node.name)}:"):
            if node.path in self.scopes:
                self.element(self.scopes[node.path], child)
            elif self.wanted(node):
                self.single(node, child)
            if node.repeats or not last:
                self.source.line(f"{child} = next({rest}, END)")

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
            elif name := self.texts.get(child.path):
                self.source.line(f"{name} = {self.value(child, element)}")
            elif self.wanted(child):
                self.nested += 1
                inner = f"g{self.nested}"
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
