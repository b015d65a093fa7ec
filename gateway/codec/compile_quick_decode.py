"""Generates the quick decoder of an XML table: it reads canonical octets by patterns.

It runs on octets whose tree has passed the schema. Whatever the patterns or the quick
expressions do not take (another prefix, whitespace between elements, a number in an unusual
form) raises UnusualError, and the decoder that goes along the tree does the work and finds what
is wrong. A test holds that both give the same.
"""

from gateway.codec.compile_decode import Decoder
from gateway.codec.compile_pattern import Reading, Stretch, UncoveredError, is_quick
from gateway.codec.compile_plan import Leaf, Plan, Scope
from gateway.codec.compile_source import Source, plain
from gateway.codec.wire import Kind


class QuickDecoder(Decoder):
    """Writes the quick decoder of one plan. patterns: by the names that generated code uses
    for their methods (m: match, all: findall, scan: scanner)."""

    def __init__(self, plan: Plan, source: Source) -> None:
        super().__init__(plan, source)
        self.patterns: dict[str, str] = {}
        self.gives = "return {}"

    def _function(self, scope: Scope) -> None:
        root = scope.row is None
        namespace = self.plan.table.header.namespace
        declared = f' xmlns="{namespace}"' if root and namespace else ""
        reading = Reading(scope, self.plan.left, declared)
        self.sure = reading.sure
        first = reading.stretches[0]
        self.gives = "return {}" if root or _is_row(reading) else "return {}, end"
        if root:
            reading.stretches[-1].pattern += r"\Z"
            self._stretches(scope, reading, "def quick(s, head, t):")
        elif not _is_row(reading):
            self._stretches(scope, reading, f"def {named('read', scope)}(s, m, usual, t):")
        else:
            self._row(scope, first)
        for at, stretch in enumerate(reading.stretches):
            self.patterns[_pattern(scope, at)] = stretch.pattern
        self.source.line()
        self.source.line()

    def _row(self, scope: Scope, stretch: Stretch) -> None:
        """An element without lists: its texts are the arguments."""
        whole = next((leaf for leaf in scope.leaves if leaf.steps == ()), None)
        if not stretch.groups or (whole is not None and whole.number not in self.sure):
            raise UncoveredError(scope.node.path)
        self.patterns[f"all_{scope.number}"] = self.patterns[f"scan_{scope.number}"] = (
            stretch.pattern
        )
        with self.source.block(f"def {named('row', scope)}(t, {', '.join(stretch.groups)}):"):
            self._note(scope, started=False)
            self._values(scope)
            self._build(scope)

    def _stretches(self, scope: Scope, reading: Reading, head: str) -> None:
        line = self.source.line
        with self.source.block(head):
            if scope.row is None:
                line('usual = "&" not in s')
                line(f"m = {_pattern(scope, 0)}(s)")
                self._or_unusual("m")
            else:
                line(f"t.append({scope.number})")
            for at, stretch in enumerate(reading.stretches):
                if at:
                    line(f"m = {_pattern(scope, at)}(s, at)")
                    self._or_unusual("m")
                self._texts(stretch)
                if stretch.then is not None:
                    self._long(stretch.then)
            self._note(scope, started=True)
            self._values(scope)
            if scope.row is not None:
                line("end = m.end()")
            self._build(scope)

    def _or_unusual(self, name: str) -> None:
        with self.source.block(f"if {name} is None:"):
            self.source.line("unusual()")

    def _texts(self, stretch: Stretch) -> None:
        line = self.source.line
        if stretch.groups:
            names = ", ".join(stretch.groups) + ("," if len(stretch.groups) == 1 else "")
            line(f'{names} = m.groups("") if usual else unescaped(m.groups(""))')
        for at, scope in stretch.lists.items():
            found = f"all_{scope.number}(s, *m.span({at + 1}))"
            texts = f"({found} if usual else meant({found}))"
            if scope.node.kind is Kind.LEAF:
                (leaf,) = Reading(scope, self.plan.left).stretches
                self.patterns[f"all_{scope.number}"] = leaf.pattern
            else:
                (inner,) = Reading(scope, self.plan.left).stretches
                texts = f"[{_call(scope, inner, 'x')} for x in {texts}]"
            line(f"l{scope.number} = {texts} if l{scope.number} else []")

    def _long(self, scope: Scope) -> None:
        """Read a long list element by element; `at` goes along."""
        line, rows = self.source.line, f"l{scope.number}"
        first = Reading(scope, self.plan.left)
        line(f"{rows} = []")
        if not _is_row(first):
            line("at = m.end()")
            with self.source.block(f"while m := {_pattern(scope, 0)}(s, at):"):
                line(f"x, at = {named('read', scope)}(s, m, usual, t)")
                line(f"{rows}.append(x)")
            return
        kept, self.sure, self.gives = (self.sure, self.gives), first.sure, f"{rows}.append({{}})"
        follow = f"scan_{scope.number}(s, m.end()).match"
        with self.source.block(f"for m in iter({follow}, None):"):  # m stays the last match
            self._texts(first.stretches[0])
            self._note(scope, started=False)
            self._values(scope)
            self._build(scope)
        self.sure, self.gives = kept
        line("at = m.end()")

    def _note(self, scope: Scope, *, started: bool) -> None:
        """Write all rows into the trace at once; those that are not there are empty texts."""
        noted = [] if started else [str(scope.number)]
        for leaf in scope.leaves:
            if leaf.row.decodes:
                noted += [str(leaf.number), *leaf.names]
        if noted:
            self.source.line(f"t += ({', '.join(noted)},)")

    def _values(self, scope: Scope) -> None:
        for leaf in scope.leaves:
            if leaf.row.decodes and leaf.constant is None:
                self._convert(scope, leaf)
        for inner in scope.scopes:
            if inner.node.kind is Kind.LEAF and inner.row is not None and inner.row.decodes:
                self._convert_each(inner)

    def _convert(self, scope: Scope, leaf: Leaf) -> None:
        value, there = _converted(leaf), " or ".join(leaf.names)
        if leaf.head:
            kept = f"head[{leaf.head!r}] = {value}"
            if leaf.number in self.sure:
                self.source.line(kept)
                return
            with self.source.block(f"if {there}:"):
                self.source.line(kept)
            return
        sure = leaf.number in self.sure
        shown = value if sure else f"({value}) if {there} else None"
        self.source.line(f"v{leaf.number} = {shown}")

    def _return(self, value: str) -> None:
        self.source.line(self.gives.format(value))

    def _lacks(self, number: int) -> None:
        self.source.line("unusual()")


def _converted(leaf: Leaf) -> str:
    slow = f"d{leaf.number}({', '.join(leaf.names)})"
    if leaf.converter is None or not is_quick(leaf) or not leaf.converter.quick.reads:
        return slow
    second = leaf.names[1] if leaf.arity > 1 else ""
    return leaf.converter.quick.reads.format(
        x=leaf.names[0], a=second, known=f"known{leaf.number}", slow=slow
    )


def _is_row(reading: Reading) -> bool:
    return len(reading.stretches) == 1 and not reading.stretches[0].lists


def _call(scope: Scope, stretch: Stretch, texts: str) -> str:
    unpacked = texts if len(stretch.groups) == 1 else f"*{texts}"
    return f"{named('row', scope)}(t, {unpacked})"


def named(verb: str, scope: Scope) -> str:
    """Return the name of a scope's quick function."""
    return f"{verb}_{plain(scope.node.name)}_{scope.number}"


def _pattern(scope: Scope, at: int) -> str:
    return f"m{max(scope.number, 0)}_{at}"
