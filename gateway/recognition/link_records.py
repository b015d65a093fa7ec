"""What linking sees of a statement: comparable features, and the blocks it falls into."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.model.bodies import Handover, Inspection, Passage, SealEvent
from gateway.model.evidence import Evidence, Kind
from gateway.model.inspection import Conveyance
from gateway.recognition import normalise
from gateway.recognition.cases import identifiers
from gateway.recognition.conveyance import seal_key
from gateway.recognition.hs import hs6
from gateway.recognition.lineage import CLAIMING
from gateway.recognition.normalise import bare, span
from gateway.recognition.units import kilograms

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TRADERS = frozenset(("vn.tax", "cn.uscc"))
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Record:
    """A statement for linking. anchor: a document that others are linked to.

    category: an anchor has at most one of each. mass: grams, 0 when not stated. at: minutes
    since 1970, middle of the interval.
    """

    digest: str
    anchor: bool
    category: tuple[str, ...]
    direction: str
    mode: str
    ucr: str
    number: str
    issuer: str
    containers: frozenset[str]
    plates: frozenset[str]
    seals: frozenset[str]
    hs: frozenset[str]
    mass: int
    traders: frozenset[str]
    facilities: frozenset[str]
    at: int

    @property
    def day(self) -> int:
        """Days since 1970."""
        return self.at // 1440


def record(digest: str, statement: Evidence) -> Record | None:
    """Return what linking sees; None for what is linked by reference only."""
    body = statement.body
    if not isinstance(body, Inspection | Passage | SealEvent | Handover):
        return None
    conveyance = body.conveyance if not isinstance(body, Handover) else _joined(body)
    named = dict(identifiers(statement))
    anchor = statement.kind in CLAIMING
    first, last = span(statement.occurred_at, statement.issuer.country)
    middle = first + (last - first) / 2
    own = isinstance(body, Inspection) and body
    return Record(
        digest=digest,
        anchor=anchor,
        category=_category(statement),
        direction=str(body.direction or "") if isinstance(body, Inspection | Passage) else "",
        mode=conveyance.mode,
        ucr=named.get("ucr", ""),
        number=bare(statement.doc.number)
        if anchor and statement.doc
        else named.get("certificate", ""),
        issuer=statement.issuer.country if anchor else named.get("certificate-country", ""),
        containers=frozenset(map(normalise.container, conveyance.containers)),
        plates=frozenset(normalise.camera(normalise.plate(p)) for p in conveyance.plates),
        seals=frozenset(seal_key(each) for each in conveyance.seals),
        hs=frozenset(hs6(r.goods) for r in own.results) - {""} if own else _NONE,
        mass=_mass(own) if own else 0,
        traders=_traders(own, statement) if own else _NONE,
        facilities=_facilities(own) if own else _NONE,
        at=int((middle - _EPOCH).total_seconds()) // 60,
    )


def _joined(body: Handover) -> Conveyance:
    """Return both ends of a handover: it belongs to whoever had either."""
    return Conveyance(
        plates=(*body.before.plates, *body.after.plates),
        containers=tuple(dict.fromkeys((*body.before.containers, *body.after.containers))),
        seals=(*body.before.seals, *body.after.seals),
        mode=body.before.mode,
    )


def _category(statement: Evidence) -> tuple[str, ...]:
    body = statement.body
    types = sorted({r.type for r in body.results}) if isinstance(body, Inspection) else ()
    number = statement.doc.number if statement.doc and statement.kind is not Kind.ISSUE else ""
    # Seal events and handovers may be many; each is a category of its own.
    many = (number, statement.occurred_at.local) if isinstance(body, SealEvent | Handover) else ()
    return (statement.side, statement.kind, *types, *many)


def _mass(body: Inspection) -> int:
    """Return the sum of net masses in grams; 0 when a line states none."""
    masses = [kilograms(each.goods.net) for each in body.results if each.line >= 1]
    known = [mass for mass in masses if mass is not None]
    return int(sum(known) * 1000) if known and len(known) == len(masses) else 0


def _traders(body: Inspection, statement: Evidence) -> frozenset[str]:
    parties = (body.parties.consignor, body.parties.consignee)
    numbers = [each for party in parties if party for each in party.ids]
    own = [value for scheme, value in identifiers(statement) if scheme in _TRADERS]
    return frozenset((*own, *(bare(n.value) for n in numbers if n.scheme in _TRADERS)))


def _facilities(body: Inspection) -> frozenset[str]:
    return frozenset(bare(code) for code in (*body.parties.growers, *body.parties.packers))


def blocks(each: Record) -> Iterator[tuple[str, ...]]:
    """Yield the keys of the blocks of a record. An anchor also looks at the days around it."""
    if each.number:
        yield "number", each.number
    if each.ucr:
        yield "ucr", each.ucr
    for container in each.containers:
        yield "container", container
    for seal in each.seals:
        yield "seal", seal
    # An anchor comes first: the others follow within a few days.
    days = range(each.day - 1, each.day + 3) if each.anchor else (each.day,)
    for day in days:
        yield from _dated(each, str(day))


def _dated(each: Record, day: str) -> Iterator[tuple[str, ...]]:
    for plate in each.plates:
        yield "plate", plate, day
    for code in each.hs:
        for trader in each.traders:
            yield "trader", trader, code, day
        for facility in each.facilities:
            yield "facility", facility, code, day


def candidates(
    records: Iterable[Record], most: int
) -> tuple[dict[tuple[int, int], None], list[Record], int]:
    """Return pairs (anchor, other) by position, the records in order, and dropped blocks."""
    ordered = sorted(records, key=lambda each: each.digest)
    found: dict[tuple[str, ...], tuple[list[int], list[int]]] = {}
    for position, each in enumerate(ordered):
        for key in set(blocks(each)):
            found.setdefault(key, ([], []))[not each.anchor].append(position)
    pairs: dict[tuple[int, int], None] = {}
    dropped = 0
    for anchors, others in found.values():
        if len(anchors) + len(others) > most:
            dropped += 1
            continue
        for anchor in anchors:
            for other in others:
                pairs[anchor, other] = None
    return pairs, ordered, dropped
