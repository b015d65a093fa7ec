"""Generates the quick encoder of an XML table: usual values are written without looking twice.

One condition for each element says what makes it unusual: a text that does not fit its type or
has something to escape, something absent that must be there. Such an element, and a value that
a quick expression does not take, go through the whole encoder, which finds what is wrong. A
test holds that both write the same.
"""

from gateway.codec.compile_encode import Encoder
from gateway.codec.compile_plan import Leaf, Plan, Scope
from gateway.codec.compile_quick_write import CUT, QuickWriter, in_pieces, put, writes
from gateway.codec.compile_source import Source
from gateway.codec.compile_tree import function, place_text
from gateway.codec.compile_write_xml import quoted
from gateway.codec.wire import Kind


class QuickEncoder(Encoder):
    """Writes the quick encoder of one plan."""

    def __init__(self, plan: Plan, source: Source) -> None:
        super().__init__(plan, source)
        self.patterns: dict[str, str] = {}

    def _function(self, scope: Scope) -> None:
        leaves = [leaf for leaf in scope.leaves if leaf.row.encodes]
        lists = self._inner(scope)
        notes = bool(lists) or any(_notes(leaf) for leaf in leaves)
        with self.source.block(f"def {put(scope)}(o, head, t):"):
            if notes:
                self.source.line("mark = t.mark()")
            writer = QuickWriter(self.source, scope, self.plan.table.header)
            with self.source.block("try:"):
                self._texts(scope, leaves, lists)
                if lists and scope.row is not None:
                    self.source.line(f"t.append({scope.number})")
                shown = writer.write(root=scope.row is None)
            with self.source.block("except LookupError:"):
                if notes:
                    self.source.line("t.rewind(mark)")
                whole = "encode" if scope.row is None else function("encode", scope)
                called = f"{whole}(o, head, t)"
                self.source.line(f"return [{called}]" if in_pieces(scope) else f"return {called}")
            self._noted(writer, [] if lists or scope.row is None else [str(scope.number)])
            self._result(scope, writer, shown)
        self.source.line()
        self.source.line()

    def _result(self, scope: Scope, writer: "QuickWriter", shown: str) -> None:
        """Return the text; of a scope with a long list, pieces, which need no copy of them all."""
        line = self.source.line
        if not in_pieces(scope):
            line(f"return f{quoted(shown)}")
            return
        first, *others = shown.split(CUT)
        line(f"pieces = [f{quoted(first)}]")
        for inner, after in zip(writer.long, others, strict=True):
            row = f"{put(inner)}(o, head, t)"
            if in_pieces(inner):
                with self.source.block(f"for o in l{inner.number}:"):
                    line(f"pieces += {row}")
            else:
                line(f"pieces += [{row} for o in l{inner.number}]")
            line(f"pieces.append(f{quoted(after)})")
        line("return pieces")

    def _texts(self, scope: Scope, leaves: list[Leaf], lists: list[Scope]) -> None:
        self._fetch_all(scope, leaves)
        for leaf in leaves:
            if leaf.constant is None:
                self._convert(scope, leaf)
        for inner in lists:
            if inner.node.kind is Kind.LEAF:
                self._convert_each(inner)

    def _noted(self, writer: "QuickWriter", first: list[str]) -> None:
        """Write all rows into the trace at once; those that are not there are empty texts."""
        self.source.line(f"t += ({', '.join([*first, *writer.noted])},)")
        for line in writer.after:
            self.source.line(line)

    def _convert(self, scope: Scope, leaf: Leaf) -> None:
        line, value = self.source.line, f"v{leaf.number}"
        if leaf.head or not writes(leaf):
            super()._convert(scope, leaf)
            return
        line(f"# {leaf.row.path} <- {place_text(scope, leaf)}")
        wires = f"wires{leaf.number}"
        for name, write in zip(leaf.names, writes(leaf), strict=True):
            shown = write.format(v=value, wires=wires, write=f"write{leaf.number}")
            line(f'{name} = ({shown}) if {value} is not None else ""')
        self._default(leaf)


def _notes(leaf: Leaf) -> bool:
    """True when converting a row may leave something in the trace."""
    return leaf.default is not None or not (leaf.constant or leaf.head or writes(leaf))
