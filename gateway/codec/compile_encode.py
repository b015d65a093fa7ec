"""Generates the encoder of a table: one straight-line function per scope.

Each function takes the canonical value apart (`v12`), converts it to wire texts (`x12`) and
writes them: as canonical XML octets, or into a nested record. A group is written when
something in it is; a constant alone does not bring it about.
"""

from gateway.codec.compile_plan import Leaf, Plan, Scope
from gateway.codec.compile_source import Source
from gateway.codec.compile_tree import Place, function, grow, place_text
from gateway.codec.compile_write_record import RecordWriter
from gateway.codec.compile_write_xml import XmlWriter
from gateway.codec.convert import Converter
from gateway.codec.paths import DISCRIMINATORS, Path, Selector
from gateway.codec.wire import Kind


class Encoder:
    """Writes the encoder of one plan into a Source."""

    def __init__(self, plan: Plan, source: Source) -> None:
        self.plan = plan
        self.source = source
        self.objects = 0

    def write(self) -> None:
        """Write the functions of all scopes, inner ones first; the last is `encode`."""
        for scope in reversed(list(self.plan.root.walk())):
            if scope.node.kind is Kind.GROUP and (scope.row is None or scope.row.encodes):
                self._function(scope)

    def _function(self, scope: Scope) -> None:
        root = scope.row is None
        name = "encode" if root else function("encode", scope)
        with self.source.block(f"def {name}(o, head, t):"):
            if not root:
                self.source.line(f"t.append({scope.number})")
            leaves = [leaf for leaf in scope.leaves if leaf.row.encodes]
            self._fetch_all(scope, leaves)
            for leaf in leaves:
                if leaf.constant is None:
                    self._convert(scope, leaf)
            for inner in self._inner(scope):
                if inner.node.kind is Kind.LEAF:
                    self._convert_each(inner)
            header = self.plan.table.header
            writer = XmlWriter if header.engine == "xml" else RecordWriter
            writer(self.source, scope, header).write(root=root)
        self.source.line()
        self.source.line()

    def _inner(self, scope: Scope) -> list[Scope]:
        return [s for s in scope.scopes if s.row is not None and s.row.encodes]

    # taking apart
    def _fetch_all(self, scope: Scope, leaves: list[Leaf]) -> None:
        deep = [leaf for leaf in leaves if leaf.steps is not None and not _plain_step(leaf.steps)]
        if deep:
            self.source.line(" = ".join(f"v{leaf.number}" for leaf in deep) + " = None")
        for inner in self._inner(scope):
            if len(inner.steps) > 1:
                self.source.line(f"l{inner.number} = ()")
        self._fetch(grow(scope, decoding=False), "o")

    def _fetch(self, place: Place, value: str) -> None:
        """Write the taking of everything below a place from the Python expression `value`."""
        for leaf in place.leaves:
            self.source.line(f"v{leaf.number} = {value}")
        if place.scope is not None:
            self.source.line(f"l{place.scope.number} = {value}")
        for select, item in place.items.items():
            self._inside(item, _picked(value, select, item))
        for name, child in place.children.items():
            if child.children or child.items:
                self._inside(child, f"{value}.{name}")
            else:
                self._fetch(child, f"{value}.{name}")

    def _inside(self, place: Place, value: str) -> None:
        if not place.children and not place.items:
            self._fetch(place, value)
            return
        self.objects += 1
        name = f"o{self.objects}"
        self.source.line(f"{name} = {value}")
        absent = name if place.items else f"{name} is not None"
        with self.source.block(f"if {absent}:"):
            self._fetch(place, name)

    # converting
    def _convert(self, scope: Scope, leaf: Leaf) -> None:
        line, number = self.source.line, leaf.number
        texts = ", ".join(leaf.names)
        line(f"# {leaf.row.path} <- {place_text(scope, leaf)}")
        if leaf.head:
            line(f"{texts} = head.get({leaf.head!r}, {leaf.default or ''!r})")
            return
        line(" = ".join(leaf.names) + ' = ""')
        with self.source.block(f"if v{number} is not None:"):
            line(f"{texts} = {_converted(leaf)}")
            if leaf.converter is not None:
                self._narrowing(leaf, leaf.converter)
        self._default(leaf)

    def _default(self, leaf: Leaf) -> None:
        if leaf.default is not None:
            with self.source.block(f"if not {leaf.names[0]}:"):
                self.source.line(f"{leaf.names[0]} = {leaf.default!r}")
                self.source.line(f"t.defaulted.append({leaf.number})")

    def _narrowing(self, leaf: Leaf, converter: Converter) -> None:
        line, number = self.source.line, leaf.number
        if converter.narrows:
            texts = ", ".join(leaf.names) + ("," if leaf.arity == 1 else "")
            unsure = f" and not keeps{number}(v{number})" if converter.keeps else ""
            there = " or ".join(leaf.names)
            with self.source.block(f"if {f'({there}){unsure}' if unsure else there}:"):
                line(f"compare({number}, t, k{number}, v{number}, ({texts}))")
        elif converter.loses is not None:
            with self.source.block(f"if loses{number}(v{number}):"):
                line(f"t.narrowed.append({number})")

    def _convert_each(self, scope: Scope) -> None:
        leaf = scope.leaves[0]
        self.source.line(f"# {leaf.row.path} <- {place_text(scope, leaf)}")
        self.source.line(f"x{leaf.number} = [e{leaf.number}(v) for v in l{scope.number}]")
        if leaf.default is not None:
            with self.source.block(f"if not x{leaf.number}:"):
                self.source.line(f"x{leaf.number} = [{leaf.default!r}]")
                self.source.line(f"t.defaulted.append({leaf.number})")


def _plain_step(steps: Path) -> bool:
    """True for a value that is taken from the scope's own value at once."""
    return len(steps) <= 1 and all(step.select is None for step in steps)


def _converted(leaf: Leaf) -> str:
    """Return the expression of a leaf's texts, in place where a converter cannot refuse."""
    value = f"v{leaf.number}"
    if (
        leaf.converter is not None
        and leaf.converter.writes
        and leaf.type is leaf.converter.canonical
    ):
        return leaf.converter.writes.format(v=value)
    return f"e{leaf.number}({value})"


def _picked(values: str, select: Selector, item: Place) -> str:
    """Return the expression of one element of a tuple that is not empty."""
    if select == 0:
        return f"{values}[0]"
    if isinstance(select, int):
        return f"{values}[{select}] if len({values}) > {select} else None"
    return f"by({values}, {DISCRIMINATORS[item.type]!r}, {select!r})"
