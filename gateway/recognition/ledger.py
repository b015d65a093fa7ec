"""The quantity ledger: a certificate line is a supply, each journey that takes of it a demand.

Order of allocation: released journeys, then the earlier one, then the smaller digest. What is
released is never taken away; an overdraw falls on the last. A split is never guessed: a
journey without an explicit reference takes nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from gateway.model.bodies import Passage
from gateway.model.evidence import Kind
from gateway.recognition import normalise
from gateway.recognition.lineage import Pool
from gateway.recognition.normalise import DocId, bare, span
from gateway.recognition.stated import official
from gateway.recognition.units import kilograms

_STAGES = (Kind.DEPARTURE, Kind.ARRIVAL, Kind.RELEASE)


@dataclass(frozen=True, slots=True)
class Demand:
    """What a journey takes, in kilograms; None is all that there is."""

    journey: str
    released: bool
    at: datetime
    digest: str
    quantity: Decimal | None


@dataclass(frozen=True, slots=True)
class Allotment:
    """What a journey gets of what it asked for."""

    demand: Demand
    wanted: Decimal
    granted: Decimal


def demands(pool: Pool, doc: DocId, line: int) -> list[Demand]:
    """Return what each journey takes of a line, in the order of allocation.

    The latest stage of a journey says how much; the earliest statement says when.
    """
    found: dict[str, list[tuple[int, datetime, str, Decimal | None]]] = {}
    for digest, each in pool.items():
        if not isinstance(each.body, Passage) or each.private or not official(each):
            continue
        for take in each.body.takes:
            if normalise.doc(take.doc) == doc and take.line == line:
                first = span(each.occurred_at, each.issuer.country)[0]
                entry = (_STAGES.index(each.kind), first, digest, kilograms(take.quantity))
                found.setdefault(bare(each.body.journey), []).append(entry)
    return sorted(
        (_demand(journey, stages) for journey, stages in found.items()),
        key=lambda d: (not d.released, d.at, d.digest),
    )


def _demand(journey: str, stages: list[tuple[int, datetime, str, Decimal | None]]) -> Demand:
    last = max(stages, key=lambda s: (s[0], s[1], s[2]))
    at = min(s[1] for s in stages)
    return Demand(journey, last[0] == 2, at, min(s[2] for s in stages), last[3])


def allot(supply: Decimal, wanted: list[Demand]) -> tuple[Allotment, ...]:
    """Give out a supply in the order of the demands. Released demands are met in full."""
    left = supply
    found: list[Allotment] = []
    for demand in wanted:
        asked = demand.quantity if demand.quantity is not None else supply
        granted = asked if demand.released else max(Decimal(0), min(asked, left))
        left -= granted
        found.append(Allotment(demand, asked, granted))
    return tuple(found)
