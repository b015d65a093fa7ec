"""Decisions of persons: a table of allowed moves, four eyes, bound to the evidence they saw.

An adjudication takes away the reasons that it names, as far as the table allows; everything
else stands. It is STALE when the evidence is no longer what its officers saw. It may always
make a claim stricter, and what is stricter never goes stale.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from gateway.model.bodies import Adjudication
from gateway.model.evidence import Evidence
from gateway.recognition.normalise import bare, span, text
from gateway.recognition.outcomes import RANK, Outcome, Reason, reason

MOVES: dict[Outcome, str] = {
    # outcome of a reason -> who must have signed; what is not listed cannot be lifted
    Outcome.EQUIVOCAL: "both sides, and a newer version",
    Outcome.CONTRADICTED: "both sides",
    Outcome.DISCREPANT: "two officers",
    Outcome.PENDING_EVIDENCE: "two officers",
    Outcome.PENDING_COUNTERPART: "two officers",
}


@dataclass(frozen=True, slots=True)
class Settled:
    """Reasons after adjudication. overlays: ADJUDICATED, STALE."""

    reasons: tuple[Reason, ...]
    overlays: frozenset[str]


def settle(
    reasons: Iterable[Reason],
    words: Iterable[tuple[str, Evidence]],
    root: str,
    at: datetime,
    *,
    newer: bool,
) -> Settled:
    """Apply adjudications to reasons.

    root: of the evidence without adjudications. newer: a later version than the conflicting
    one exists.
    """
    left, overlays = tuple(reasons), set[str]()
    heard = [
        (digest, body, chosen)
        for digest, each in sorted(words, key=lambda word: word[0])
        if isinstance(body := each.body, Adjudication) and four_eyes(body) and in_force(each, at)
        if (chosen := _chosen(body)) is not None
    ]
    for _, body, _ in heard:
        if fresh(body, root):
            left = tuple(r for r in left if not lifts(body, r, newer=newer))
        else:
            overlays.add("STALE")
    said = [
        _said(chosen, digest, body)
        for digest, body, chosen in heard
        if fresh(body, root) or stricter(chosen, left)
    ]
    return Settled((*left, *said), frozenset(overlays | {"ADJUDICATED" for _ in said}))


def lifts(body: Adjudication, given: Reason, *, newer: bool) -> bool:
    """Return True when an adjudication may take a reason away."""
    if given.code not in body.resolves or given.outcome not in MOVES:
        return False
    needs = MOVES[given.outcome]
    return (not needs.startswith("both sides") or both_sides(body)) and (
        "newer version" not in needs or newer
    )


def four_eyes(body: Adjudication) -> bool:
    """Return True when two different officers signed."""
    return len({(text(o.country), bare(o.code)) for o in body.officers}) > 1


def both_sides(body: Adjudication) -> bool:
    """Return True when an officer of each side signed."""
    return {"VN", "CN"} <= {text(officer.country) for officer in body.officers}


def fresh(body: Adjudication, root: str) -> bool:
    """Return True when the officers saw all that is relevant now."""
    return body.root == root


def in_force(statement: Evidence, at: datetime) -> bool:
    """Return True within the validity of an adjudication."""
    body = statement.body
    if not isinstance(body, Adjudication):
        return False
    country = statement.issuer.country
    early = body.not_before is not None and at < span(body.not_before, country)[0]
    late = body.not_after is not None and at > span(body.not_after, country)[1]
    return not early and not late


def stricter(chosen: Outcome, reasons: Iterable[Reason]) -> bool:
    """Return True when a choice is more severe than what holds."""
    return RANK[chosen] < min((RANK[r.outcome] for r in reasons), default=RANK[Outcome.RECOGNISED])


def _chosen(body: Adjudication) -> Outcome | None:
    return Outcome(body.outcome) if body.outcome in Outcome.__members__ else None


def _said(chosen: Outcome, digest: str, body: Adjudication) -> Reason:
    officers = ", ".join(sorted(f"{o.country} {o.code}" for o in body.officers))
    made = reason("ADJUDICATED", officers, observed=str(chosen), where=(digest,))
    return msgspec.structs.replace(made, outcome=chosen)
