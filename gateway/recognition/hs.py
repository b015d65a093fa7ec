"""Tariff codes and organisms across editions and names; the tables are part of the rule set."""

import re
from collections.abc import Iterable

import msgspec

from gateway.model.inspection import GoodsRef
from gateway.model.values import Canonical
from gateway.recognition.normalise import plain, text

_NOT_DIGIT = re.compile(r"[^0-9]")


class Correlation(Canonical, frozen=True, kw_only=True):
    """One six-digit code that moved between editions of the Harmonized System."""

    old_edition: str
    old: str
    new_edition: str
    new: str


class Organism(Canonical, frozen=True, kw_only=True):
    """A scientific name, without author, and its EPPO code. Synonyms share the code."""

    name: str
    eppo: str


class Tables(msgspec.Struct, frozen=True):
    """Correlations and organisms of a rule set, for looking up."""

    moved: frozenset[tuple[str, str]]
    eppo: dict[str, str]

    @classmethod
    def of(cls, correlations: Iterable[Correlation], organisms: Iterable[Organism]) -> "Tables":
        """Make tables. A correlation counts in both directions."""
        pairs = {(c.old, c.new) for c in correlations}
        return cls(
            frozenset(pairs | {(new, old) for old, new in pairs}),
            {plain(o.name): o.eppo for o in organisms},
        )

    def correlated(self, left: str, right: str) -> bool:
        """Return True when two six-digit codes are one, or one moved to the other."""
        return (left, right) in self.moved

    def species(self, goods: GoodsRef) -> str:
        """Return the EPPO code: as stated, else by the scientific name without its author."""
        if goods.eppo:
            return goods.eppo.strip().upper()
        words = plain(goods.scientific_name).split()
        return next(
            (
                self.eppo[name]
                for length in range(len(words), 0, -1)
                if (name := " ".join(words[:length])) in self.eppo
            ),
            "",
        )


def hs6(goods: GoodsRef) -> str:
    """Return the first six digits of the code, or "" when there are fewer."""
    digits = _NOT_DIGIT.sub("", text(goods.hs or goods.national_code))
    return digits[:6] if len(digits) >= 6 else ""
