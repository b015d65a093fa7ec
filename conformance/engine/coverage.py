"""Which clauses of the exchange profile have a case, and which cases cite no clause.

`spec/clauses.csv` is the list of clauses with the strongest word in each; a test of the
repository holds it equal to docs/exchange-profile.md. A MUST without a case needs a reason.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from conformance.engine.case import Case


@dataclass(frozen=True, slots=True)
class Clause:
    """level: MUST, SHOULD, MAY or TEXT (it only explains). reason: why no case shows it."""

    id: str
    level: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """covered: cases by clause. bare: MUST clauses with neither case nor reason. unknown:
    clauses that cases cite and the profile does not have. idle: reasons for clauses that
    have a case by now."""

    covered: Mapping[str, tuple[str, ...]]
    bare: tuple[str, ...]
    unknown: tuple[str, ...]
    idle: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """True when nothing is missing and nothing is stale."""
        return not (self.bare or self.unknown or self.idle)


def read(path: Path) -> dict[str, Clause]:
    """Read the list of clauses."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["id"]: Clause(row["id"], row["level"], row["reason"])
                for row in csv.DictReader(file)}  # fmt: skip


def measure(clauses: Mapping[str, Clause], cases: Mapping[str, Case]) -> Coverage:
    """Compare clauses and cases."""
    covered: dict[str, list[str]] = {}
    for case in cases.values():
        for clause in case.clauses:
            covered.setdefault(clause, []).append(case.id)
    return Coverage(
        {name: tuple(found) for name, found in covered.items()},
        tuple(c.id for c in clauses.values() if c.level == "MUST" and c.id not in covered
              and not c.reason),
        tuple(sorted(set(covered) - set(clauses))),
        tuple(c.id for c in clauses.values() if c.reason and c.id in covered),
    )  # fmt: skip
