"""The gate crosswalk: one crossing has a Vietnamese gate code, a Lang Son platform code, a
Chinese customs office and a place of loading; the pairs are dated (mappings/codes/gates.csv).

One Chinese office serves several Vietnamese gates: that way back is ambiguous, and the caller
gets all candidates instead of a guess.
"""

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Gate:
    """A pair of gates. vn: VNACCS code (A6). langson: code of the Lang Son platform, or "".
    cn_office: GACC office (4 digits). cn_place: place / office as in UnloadingLocation."""

    vn: str
    langson: str
    cn_office: str
    cn_place: str
    names: dict[str, str]
    mark: str


class Gates:
    """The crosswalk as it holds on one day."""

    def __init__(self, gates: tuple[Gate, ...]) -> None:
        """gates: those that hold."""
        self._gates = gates

    @classmethod
    def load(cls, mappings: Path, at: date) -> "Gates":
        """Read the crosswalk from the folder of mapping tables."""
        with (mappings / "codes" / "gates.csv").open(encoding="utf-8", newline="") as lines:
            rows = [row for row in csv.DictReader(lines) if _holds(row, at)]
        return cls(tuple(_gate(row) for row in rows))

    def of_vn(self, code: str) -> Gate | None:
        """Return the gate of a Vietnamese code."""
        return next((gate for gate in self._gates if gate.vn == code), None)

    def of_office(self, office: str, place: str | None = None) -> tuple[Gate, ...]:
        """Return the candidates of a Chinese office; a place decides between them."""
        found = tuple(gate for gate in self._gates if gate.cn_office == office)
        nearer = tuple(gate for gate in found if place and gate.cn_place == place)
        return nearer or found


def _holds(row: dict[str, str], at: date) -> bool:
    early = bool(row["valid_from"]) and at < date.fromisoformat(row["valid_from"])
    late = bool(row["valid_to"]) and at > date.fromisoformat(row["valid_to"])
    return not (early or late)


def _gate(row: dict[str, str]) -> Gate:
    return Gate(
        vn=row["vn"],
        langson=row["langson"],
        cn_office=row["cn_office"],
        cn_place=row["cn_place"],
        names={lang: row[f"name_{lang}"] for lang in ("vi", "zh", "en")},
        mark=row["mark"],
    )
