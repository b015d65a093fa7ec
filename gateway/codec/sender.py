"""Where a canonical value stands in a document of one format, as its sender would say it."""

from collections.abc import Callable

from gateway.codec.compile_plan import HEAD, Plan
from gateway.codec.paths import EACH, Path, Step, parse

Placer = Callable[[str, tuple[int, ...]], str]


class SenderPaths:
    """Finds wire paths for the canonical paths of findings."""

    def __init__(self, plan: Plan, place: Placer) -> None:
        """place: writes a wire path with indexes, outermost first."""
        self._place = place
        self._rows: dict[str, list[tuple[Path, str]]] = {}
        for row in plan.table.rows:
            usable = row.canonical and not row.canonical.startswith(HEAD) and row.decodes
            if usable and any(entry.row is row for entry in plan.entries.values()):
                path = parse(row.canonical)
                self._rows.setdefault(path[0].name, []).append((path, row.path))

    def find(self, canonical_path: str) -> str:
        """Return the wire path of the value, else of what holds it, else the path as it is.

        A path into a value (`gross_mass.unit`) is that of the value; one to a structure that no
        row carries as a whole is that of its first row.
        """
        try:
            wanted = parse(canonical_path)
        except ValueError:
            return canonical_path
        best: tuple[int, str, tuple[int, ...]] | None = None
        for path, wire in self._rows.get(wanted[0].name, ()):
            shared, indexes = _shared(path, wanted)
            whole = shared in (len(path), len(wanted))
            if whole and shared and (best is None or shared > best[0]):
                best = (shared, wire, indexes)
        return self._place(best[1], best[2]) if best else canonical_path


def _shared(path: Path, wanted: Path) -> tuple[int, tuple[int, ...]]:
    """Return how many steps agree, and the indexes that stand for `[]`."""
    indexes = []
    shared = 0
    for own, other in zip(path, wanted, strict=False):
        if own.name != other.name or not _selects(own, other):
            break
        if own.select is EACH:
            indexes.append(other.select if isinstance(other.select, int) else 0)
        shared += 1
    return shared, tuple(indexes)


def _selects(own: Step, other: Step) -> bool:
    if own.select is EACH or other.select in (None, EACH):
        return True
    return own.select == other.select
