"""Checks of the documents of a claim: dead, double, contradicted, expired, out of order."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from gateway.model.inspection import InspectionType, Verdict
from gateway.recognition.normalise import Span, iso, span
from gateway.recognition.outcomes import Reason, reason
from gateway.recognition.requirements import PASSING
from gateway.recognition.stated import Stated
from gateway.recognition.view import View

_CONTRADICTING = frozenset(
    (InspectionType.PHYSICAL, InspectionType.IDENTITY, InspectionType.DOCUMENTARY)
)
"""Checks of the same goods that can contradict a claim of any type."""


def revoked(view: View) -> Iterator[Reason]:
    """All that makes the claim is dead."""
    if view.live:
        return
    for number, document in view.former:
        for code in sorted(document.ends):
            yield reason(code, number, where=document.ends[code])
    for each in view.claiming:
        if not view.trusted(each):
            signer = each.evidence.signer
            yield reason("KEY_COMPROMISED", signer.key if signer else "", where=(each.digest,))
    if not view.claiming and not any(document.ends for _, document in view.former):
        yield reason("DOCUMENT_MISSING", str(view.claim.type))


def equivocal(view: View) -> Iterator[Reason]:
    """One version of a document has two contents; a later version does not launder it."""
    for digest in view.equivocal:
        statement = view.case.pool[digest]
        number = statement.doc.number if statement.doc else ""
        where = [d for d in view.equivocal if view.case.pool[d].doc == statement.doc]
        yield reason("VERSION_CONFLICT", f"{number} v{statement.version}", where=where or [digest])


def contradicted(view: View) -> Iterator[Reason]:
    """The other side's own check says otherwise."""
    claim = view.stated
    if claim is None:
        return
    passed = claim.result.verdict in PASSING
    for seen in view.others:
        verdict = seen.result.verdict
        if verdict in (Verdict.INCONCLUSIVE, Verdict.NOT_DONE) or not same_question(view, seen):
            continue
        if (verdict in PASSING) is not passed:
            yield reason(
                "COUNTER_CHECK_DIFFERS", str(seen.result.type), claim.result.verdict, verdict,
                where=(claim.at("verdict"), seen.at("verdict")),
            )  # fmt: skip


def same_question(view: View, seen: Stated) -> bool:
    """Return True when a check answers what the claim says."""
    return seen.result.type is view.claim.type or seen.result.type in _CONTRADICTING


def verdict(view: View) -> Iterator[Reason]:
    """The claim's own verdict, and own-side checks that failed."""
    claim = view.stated
    if claim is None:
        return
    codes = {
        Verdict.FAIL: "VERDICT",
        Verdict.INCONCLUSIVE: "INCONCLUSIVE",
        Verdict.NOT_DONE: "INCONCLUSIVE",
        Verdict.PASS_WITH_REMARKS: "REMARKS",
    }
    if code := codes.get(claim.result.verdict):
        yield reason(code, claim.result.verdict, where=(claim.at("verdict"),))
    for each in view.observed:
        if each.result.verdict is Verdict.FAIL and each.evidence.side is view.exporter:
            yield reason("VERDICT", str(each.result.type), where=(each.at("verdict"),))


def expired(view: View) -> Iterator[Reason]:
    """The validity has passed: at arrival, or now while the goods have not arrived."""
    claim = view.stated
    if claim is None:
        return
    validity, country = claim.inspection.validity, claim.evidence.issuer.country
    end = view.arrival or (view.at, view.at)
    where = (f"{claim.digest}#$.body.validity",)
    if validity.not_after and end[0] > span(validity.not_after, country)[1] + view.clock:
        yield reason("VALIDITY", "not after", validity.not_after.local, iso(end[0]), where=where)
    start = span(validity.not_before, country)[0] - view.clock if validity.not_before else None
    if validity.not_before and view.arrival and start and view.arrival[1] < start:
        yield reason("DATE_ORDER", "not before", validity.not_before.local, where=where)
    if validity.days_to_departure is not None:
        left = (view.departure or (view.at, view.at))[0]
        issued = span(claim.evidence.occurred_at, country)[1]
        if left - issued > timedelta(days=validity.days_to_departure) + view.clock:
            days = str(validity.days_to_departure)
            yield reason("VALIDITY", "days to departure", days, iso(left), where=where)


def dates(view: View) -> Iterator[Reason]:
    """Performed before issued, before departure, before arrival; clocks may differ a little."""
    claim = view.stated
    if claim is None:
        return
    issued = span(claim.evidence.occurred_at, claim.evidence.issuer.country)
    steps: list[tuple[str, Span | None]] = [
        ("performed", claim.span),
        ("issued", issued),
        ("departure", view.departure),
        ("arrival", view.arrival),
    ]
    known = [(name, when) for name, when in steps if when is not None]
    for (name, first), (later, second) in pairwise(known):
        if first[0] > second[1] + view.clock:
            yield reason("DATE_ORDER", f"{name} after {later}", iso(first[0]), iso(second[1]),
                         where=(claim.digest,))  # fmt: skip


def several(view: View) -> Iterator[Reason]:
    """At most one live document of a side says the same of one line."""
    if len({each.digest for each in view.live}) > 1:
        numbers = ", ".join(sorted(each.number for each in view.live))
        yield reason("SEVERAL_LIVE_DOCUMENTS", numbers, where=[e.digest for e in view.live])
