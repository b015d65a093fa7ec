"""Which rows of a source and of a target hold the same canonical value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from gateway.codec.compile_plan import HEAD, Entry
from gateway.codec.compile_trace import Trace, replay, unplaced
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
    entries = trace.plan.entries if trace.plan else {}
    gathered: dict[int, Line] = {}
    run = replay if origins or trace.blank else unplaced
    for number, indexes, texts in run(trace, entries):
        entry = entries[number]
        if entry.leaf is not None and (number, indexes) not in trace.blank:
            line = gathered.get(number)
            if line is None:
                line = gathered[number] = Line(number, entry, format_)
            line.texts.append(texts)
            line.words.append(_word(entry, indexes, origins))
    _mark(gathered, trace)
    return [gathered[number] for number in sorted(gathered)]


def _word(entry: Entry, indexes: tuple[int, ...], origins: Mapping[str, str]) -> str:
    """Return the source word that filled a target leaf."""
    if not origins or entry.leaf is None or not entry.leaf.asks:
        return "doc"
    return origins.get(canonical_place(entry, indexes), "doc")


def _mark(gathered: Mapping[int, Line], trace: Trace) -> None:
    """Note what lost something or took a constant; a row may be gone with its group."""
    for number in trace.narrowed:
        if number in gathered:
            gathered[number].narrowed += 1
    for number in trace.defaulted:
        if number in gathered:
            gathered[number].words[-1] = "const"


class Links:
    """Which source rows and target rows hold the same canonical value."""

    def __init__(
        self,
        sources: Sequence[Sequence[Line]],
        targets: Sequence[Line],
        reads: Mapping[str, Sequence[str]],
    ) -> None:
        """sources: the lines of each source. reads: what a derived word reads."""
        self.to: dict[int, list[Line]] = {}
        self.origin: dict[int, list[Line]] = {}
        self.derived: dict[int, list[Line]] = {}
        for lines in sources:
            places: dict[str, list[Line]] = {}
            for line in lines:
                places.setdefault(line.canonical, []).append(line)
            known = frozenset(places)
            for target in targets:
                self._link(places, known, target, reads)

    def _link(
        self,
        places: Mapping[str, Sequence[Line]],
        known: frozenset[str],
        target: Line,
        reads: Mapping[str, Sequence[str]],
    ) -> None:
        direct = _matching(target.canonical, known) if "doc" in target.words else frozenset()
        read = {p for w in set(target.words) for r in reads.get(w, ()) for p in _matching(r, known)}
        for links, found in ((self.to, direct), (self.derived, read - direct)):
            for place in sorted(found):
                for source in places[place]:
                    links.setdefault(id(source), []).append(target)
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


@lru_cache(maxsize=20_000)
def _matching(target: str, sources: frozenset[str]) -> frozenset[str]:
    """Return the canonical paths of a source that lead to the same fact as a target's."""
    if not target:
        return frozenset()
    other = parse(target)
    wanted = [other, *(parse(path) for path in LINKS.get(_general(other), ()))]
    return frozenset(
        source for source in sources if source and any(_agree(parse(source), w) for w in wanted)
    )


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
