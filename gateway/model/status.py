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
from dataclasses import dataclass, field, replace
from itertools import groupby

from gateway.model.response import Response

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
        """When it was sent: UTC with milliseconds, comparable as text."""
        instant = self.response.sent_at.instant().replace(tzinfo=None)
        return instant.isoformat(timespec="milliseconds")


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
    """Something an operator must look at: a case where the kind is contradiction or disputed.

    kind: contradiction, disputed, out-of-order, code-unknown, unknown-waybill, unexpected.
    """

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
    transmission = _transmission(ordered, found)
    states = {number: _declaration(known[w].state for w in ws if w in known)
              for number, ws in declarations.items()}  # fmt: skip
    return View(
        waybills=known,
        equipment=equipment,
        transmission=transmission,
        discrepancies=tuple(dict.fromkeys(found)),
        declarations=states,
        truck=_truck(known.values(), equipment.values()),
    )


def _codes(axis: str, subject: str, response: Response) -> tuple[str, ...]:
    """Return what a response says of a subject: the specific words, else the whole message's."""
    listed = response.waybills if axis == "waybill" else response.equipment
    own = tuple(s.statement.code.value for s in listed if s.id == subject)
    if own or axis != "waybill" or response.overall is None:
        return own
    code = response.overall.code.value
    return () if code == CALLED else (code,)


def _walk(
    axis: str, subject: str, ordered: Sequence[Received], found: list[Discrepancy]
) -> Standing:
    """Fold one axis of one subject, one rank of one moment after another."""
    said = [
        (each.sent, _rank(code), code, each.digest, each.by)
        for each in ordered
        for code in _codes(axis, subject, each.response)
    ]
    standing = Standing(SUBMITTED)
    for (sent, rank), group in groupby(sorted(said), key=lambda word: word[:2]):
        first_by: dict[str, str] = {}
        for _, _, code, _, by in group:
            first_by.setdefault(code, by)
        if rank < 0:
            unknown = (code for code in first_by if code != CALLED)
            found += [_look("code-unknown", axis, subject, c, first_by) for c in unknown]
            continue
        found += [_look("unexpected", axis, subject, c, first_by) for c in first_by if c == "12"]
        standing = _step(axis, subject, standing, (sent, rank, first_by), found)
    return standing


def _look(kind: str, axis: str, subject: str, code: str, by: Mapping[str, str]) -> Discrepancy:
    return Discrepancy(kind, axis, subject, code, by[code])


def _rank(code: str) -> int:
    return STATES[code][1] if code in STATES else -1


def _step(
    axis: str,
    subject: str,
    standing: Standing,
    said: tuple[str, int, Mapping[str, str]],
    found: list[Discrepancy],
) -> Standing:
    """Move by what was said at one moment with one rank: code -> who said it."""
    sent, rank, by = said
    before = _rank(standing.code)
    if rank < before:
        found += [_look("out-of-order", axis, subject, code, by) for code in by]
        return standing
    if rank > before and standing.state == "rejected":
        # A rejected waybill comes back as a new version; without one this is no normal way.
        found += [_look("contradiction", axis, subject, code, by) for code in by]
    strict = min(by, key=_RESTRICTIVE.index)
    disputed = standing.disputed or len(by) > 1  # until an operator, or a new version, ends it
    moved = Standing(STATES[strict][0], strict, sent, by[strict], disputed)
    found += [_look("disputed", axis, subject, code, by) for code in by if code != strict]
    if rank > before:
        return moved
    if strict != standing.code:
        found.append(_look("contradiction", axis, subject, strict, by))
    stricter = min((standing, moved), key=lambda s: _RESTRICTIVE.index(s.code))
    return replace(stricter, disputed=disputed)


def _transmission(ordered: Sequence[Received], found: list[Discrepancy]) -> Standing:
    """The last word of the client's transmission; it never touches a waybill."""
    standing = Standing(SUBMITTED)
    for each in ordered:
        said = each.response.transmission
        overall = each.response.overall
        if said is None and overall is not None and overall.code.value == CALLED:
            said = overall
        if said is None:
            continue
        code = said.code.value
        if code in _TRANSMISSION:
            standing = Standing(_TRANSMISSION[code], code, each.sent, each.by)
        else:
            found.append(Discrepancy("code-unknown", "transmission", "", code, each.by))
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


def _truck(waybills: Iterable[Standing], equipment: Iterable[Standing]) -> str:
    """The worst of waybills and equipment; what may not be loaded or unloaded blocks it.

    A container or trailer says nothing of the goods otherwise: only its worst counts.
    """
    states = {standing.state for standing in waybills}
    marks = {standing.state for standing in equipment}
    if (states | marks) & {"unloading-prohibited", "loading-refused"}:
        return "blocked"
    if "rejected" in states | marks:
        return "rejected"
    return next((state for state in _ORDER if state in states), SUBMITTED)
