"""Where waybills, equipment, declarations and trucks stand: a pure fold over responses.

Three axes stay apart: the transmission, each waybill, each piece of equipment. Responses are
sorted by the time they were sent, then by rank, then by digest, so that the order in which
they arrive never matters; the fold is run anew whenever one comes.

    submitted -> under-review -> accepted -> released
    submitted | under-review -> rejected -> submitted (a new version)
    accepted | released -> unloading-prohibited

A contradiction of equal rank (accepted / rejected, released / prohibited) opens a case; until
it is closed the more restrictive one stands, whichever came later.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.model.response import Response, Statement

SUBMITTED = "submitted"
STATES: Mapping[str, tuple[str, int]] = {
    # CC020 code: (state, rank)
    "02": ("under-review", 1),
    "01": ("accepted", 2),
    "03": ("rejected", 2),
    "11": ("released", 3),
    "12": ("loading-refused", 3),
    "13": ("unloading-prohibited", 3),
}
CALLED = "0"
"""The call was accepted; nothing is said about any waybill."""

_RESTRICTIVE = ("12", "13", "03", "11", "01", "02")
_BLOCKING = ("loading-refused", "unloading-prohibited", "rejected")
_TRANSMISSION = {
    "T": "drafted",
    "D": "declared",
    "E1": "stored",
    "E2": "failed",
    "E3": "forwarded",
    "E4": "failed",
    "M1": "noted",
    "M2": "noted",
    "M3": "noted",
    "0": "called",
}
_ORDER = ("submitted", "under-review", "accepted", "released")


@dataclass(frozen=True, slots=True)
class Received:
    """A stored response. by: our id of the message that brought it. digest: orders those that
    say nothing else."""

    response: Response
    by: str
    digest: str

    @property
    def sent(self) -> str:
        """When it was sent, comparable as text: all are at one offset with milliseconds."""
        return self.response.sent_at.at_offset(0).local


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one thing stands. since: as sent, UTC. disputed: two answers of one time differ."""

    state: str
    code: str = ""
    since: str = ""
    by: str = ""
    disputed: bool = False


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """Something an operator must look at. kind: contradiction, out-of-order, disputed,
    code-unknown, unknown-waybill, unexpected."""

    kind: str
    axis: str
    subject: str
    code: str
    by: str


@dataclass(frozen=True, slots=True)
class View:
    """The fold's result: subject -> standing on each axis."""

    waybills: Mapping[str, Standing]
    equipment: Mapping[str, Standing]
    transmission: Standing
    discrepancies: tuple[Discrepancy, ...] = ()
    declarations: Mapping[str, str] = field(default_factory=dict)
    truck: str = SUBMITTED


def fold(
    received: Iterable[Received],
    waybills: Sequence[str],
    declarations: Mapping[str, Sequence[str]],
) -> View:
    """Fold all responses to one message.

    waybills: those of our message; others are reported and not followed. declarations:
    declaration -> its waybills.
    """
    ordered = sorted(received, key=lambda r: (r.sent, r.digest))
    found: list[Discrepancy] = []
    known = {subject: _walk("waybill", subject, ordered, found) for subject in waybills}
    containers = dict.fromkeys(s.id for r in ordered for s in r.response.equipment)
    equipment = {subject: _walk("equipment", subject, ordered, found) for subject in containers}
    for each in ordered:
        found += [
            Discrepancy("unknown-waybill", "waybill", s.id, s.statement.code.value, each.by)
            for s in each.response.waybills
            if s.id not in known
        ]
    states = {number: _declaration(known[w].state for w in ws if w in known)
              for number, ws in declarations.items()}  # fmt: skip
    return View(
        waybills=known,
        equipment=equipment,
        transmission=_transmission(ordered),
        discrepancies=tuple(dict.fromkeys(found)),
        declarations=states,
        truck=_truck([*known.values(), *equipment.values()]),
    )


def _statement(axis: str, subject: str, response: Response) -> Statement | None:
    """Return what a response says of a subject: the specific word, else the whole message's."""
    listed = response.waybills if axis == "waybill" else response.equipment
    own = next((s.statement for s in listed if s.id == subject), None)
    if own is not None or axis != "waybill":
        return own
    overall = response.overall
    return None if overall is None or overall.code.value == CALLED else overall


def _walk(
    axis: str, subject: str, ordered: Sequence[Received], found: list[Discrepancy]
) -> Standing:
    said = [
        (each, statement.code.value)
        for each in ordered
        if (statement := _statement(axis, subject, each.response)) is not None
    ]
    said.sort(key=lambda pair: (pair[0].sent, _rank(pair[1]), pair[0].digest))
    standing = Standing(SUBMITTED)
    for each, code in said:
        standing = _step(axis, subject, standing, (each, code), found)
    return standing


def _rank(code: str) -> int:
    return STATES[code][1] if code in STATES else -1


def _step(
    axis: str,
    subject: str,
    standing: Standing,
    said: tuple[Received, str],
    found: list[Discrepancy],
) -> Standing:
    each, code = said
    if code not in STATES:
        if code != CALLED:
            found.append(Discrepancy("code-unknown", axis, subject, code, each.by))
        return standing
    if code == "12":
        found.append(Discrepancy("unexpected", axis, subject, code, each.by))
    moved = Standing(STATES[code][0], code, each.sent, each.by)
    rank, before = _rank(code), _rank(standing.code)
    if rank > before:
        if standing.state == "rejected":
            found.append(Discrepancy("contradiction", axis, subject, code, each.by))
        return moved
    if rank < before:
        found.append(Discrepancy("out-of-order", axis, subject, code, each.by))
        return standing
    return standing if code == standing.code else _contrary(axis, subject, standing, moved, found)


def _contrary(
    axis: str, subject: str, standing: Standing, moved: Standing, found: list[Discrepancy]
) -> Standing:
    """Two codes of one rank: the more restrictive stands; at one time it is disputed."""
    at_once = standing.since == moved.since
    kind = "disputed" if at_once else "contradiction"
    found.append(Discrepancy(kind, axis, subject, moved.code, moved.by))
    stricter = min((standing, moved), key=lambda s: _RESTRICTIVE.index(s.code))
    return Standing(
        stricter.state, stricter.code, stricter.since, stricter.by, at_once or standing.disputed
    )


def _transmission(ordered: Sequence[Received]) -> Standing:
    """The last word of the client's transmission; it never touches a waybill."""
    standing = Standing(SUBMITTED)
    for each in ordered:
        said = each.response.transmission
        overall = each.response.overall
        if said is None and overall is not None and overall.code.value == CALLED:
            said = overall
        if said is not None:
            state = _TRANSMISSION.get(said.code.value, "unknown")
            standing = Standing(state, said.code.value, each.sent, each.by)
    return standing


def _declaration(states: Iterable[str]) -> str:
    """Fold the waybills of one declaration."""
    found = set(states)
    if not found or found == {SUBMITTED}:
        return SUBMITTED
    if found & set(_BLOCKING):
        return found.pop() if len(found) == 1 else "partly"
    if "under-review" in found:
        return "under-review"
    if SUBMITTED in found:
        return SUBMITTED
    return "released" if found == {"released"} else "accepted"


def _truck(standings: Sequence[Standing]) -> str:
    """The worst of waybills and equipment."""
    states = {standing.state for standing in standings}
    for state in (*("unloading-prohibited", "loading-refused", "rejected"), *_ORDER):
        if state in states:
            return state
    return SUBMITTED
