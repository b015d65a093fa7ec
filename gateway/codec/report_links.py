"""Which rows of a source and of a target hold the same canonical value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from gateway.codec.compile_plan import HEAD, Entry
from gateway.codec.compile_run import Trace, replay
from gateway.codec.paths import EACH, Path, parse
from gateway.codec.problems import canonical_place

LINKS: Mapping[str, tuple[str, ...]] = {
    "consignments[].equipment_refs[]": ("equipment[].id",),
    "means[].equipment_refs[]": ("equipment[].id",),
    "equipment[].id": ("consignments[].equipment_refs[]", "means[].equipment_refs[]"),
}
"""Canonical places that hold the same fact after a transform."""


@dataclass
class Line:
    """One row of one document. texts: per occurrence. words: source words of a target."""

    number: int
    entry: Entry
    format: str
    texts: list[tuple[str, ...]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    narrowed: int = 0

    @property
    def canonical(self) -> str:
        """The canonical path of the row, "" when it has none."""
        path = self.entry.row.canonical
        return "" if path.startswith(HEAD) else path


def lines(format_: str, trace: Trace, origins: Mapping[str, str]) -> list[Line]:
    """Gather a trace by row. origins: canonical path with indexes to source word."""
    plan = trace.plan
    if plan is None:
        return []
    lines: dict[int, Line] = {}
    for number, indexes, texts in replay(trace, plan.entries):
        entry = plan.entries[number]
        if entry.leaf is None:
            continue
        line = lines.get(number)
        if line is None:
            line = lines[number] = Line(number, entry, format_)
        line.texts.append(texts)
        line.words.append(origins.get(canonical_place(entry, indexes), "doc"))
    for number in trace.narrowed:
        if number in lines:  # else its group was left out
            lines[number].narrowed += 1
    for number in trace.defaulted:
        if number in lines:
            lines[number].words[-1] = "const"
    return [lines[number] for number in sorted(lines)]


class Links:
    """Which source rows and target rows hold the same canonical value."""

    def __init__(
        self,
        sources: Sequence[Line],
        targets: Sequence[Line],
        reads: Mapping[str, Sequence[str]],
    ) -> None:
        self.to: dict[int, list[Line]] = {}
        self.origin: dict[int, list[Line]] = {}
        self.derived: dict[int, list[Line]] = {}
        for target in targets:
            direct = "doc" in target.words
            read = [path for word in set(target.words) for path in reads.get(word, ())]
            for source in sources:
                if direct and _same(source.canonical, target.canonical):
                    self.to.setdefault(id(source), []).append(target)
                    self.origin.setdefault(id(target), []).append(source)
                elif any(_same(source.canonical, path) for path in read):
                    self.derived.setdefault(id(source), []).append(target)
                    self.origin.setdefault(id(target), []).append(source)

    def classify(self, source: Line) -> tuple[str, list[Line]]:
        """Return a source row's class and where it went."""
        targets = self.to.get(id(source), [])
        if not targets:
            derived = self.derived.get(id(source), [])
            return ("derived", derived) if derived else ("canonical", [])
        if any(target.narrowed for target in targets):
            return "narrowed", targets
        same = any(set(source.texts) <= set(target.texts) for target in targets)
        return "carried" if same else "converted", targets


@lru_cache(maxsize=100_000)
def _same(source: str, target: str) -> bool:
    """True when two canonical paths lead to the same fact."""
    if not source or not target:
        return False
    one, other = parse(source), parse(target)
    linked = LINKS.get(_general(other), ())
    return _agree(one, other) or any(_agree(one, parse(path)) for path in linked)


def _general(path: Path) -> str:
    return ".".join(f"{s.name}[]" if s.select is not None else s.name for s in path)


def _agree(one: Path, other: Path) -> bool:
    """True when one path leads to the other's value, or into it; `[]` stands for any element."""
    for a, b in zip(one, other, strict=False):
        fixed = a.select is not EACH and b.select is not EACH
        both = isinstance(a.select, str) == isinstance(b.select, str)
        if a.name != b.name or (fixed and both and a.select != b.select):
            return False
    return True
