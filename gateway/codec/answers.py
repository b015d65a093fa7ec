"""The national single window's answers to a response: one per Vietnamese declaration.

99 (received) says that nothing of a declaration was refused so far; it is given once. 00 holds
one error per refused waybill; it is given once per set of refusals. A declaration that is
disputed gets no answer until the case is closed. Codes 02, 11, 12 and 13 have no carrier of
their own: they are in the status that agencies read.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from gateway.codec import codelist
from gateway.model.manifest import Consignment, Manifest
from gateway.model.response import Answer, AnswerError, AnswerParty
from gateway.model.status import Received, Standing, View
from gateway.model.values import Moment, Precision

HANOI = 420
"""Minutes east of UTC."""

MOST_REFERENCE = 35
REFUSED = ("rejected", "loading-refused", "unloading-prohibited")
_FAILED = ("E2", "E4")
_SILENT = ("", "T", "E3", "M1", "M2", "M3")


@dataclass(frozen=True, slots=True)
class Declared:
    """A declaration of ours. reference: its number, else the declarant's own, else the waybill
    (formats, crosswalk 5.0). waybills: those that stand on it."""

    reference: str
    waybills: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Due:
    """An answer to give. key: what it says, so that it is given once."""

    declaration: str
    key: str
    answer: Answer


def declared(manifest: Manifest) -> tuple[Declared, ...]:
    """Return the declarations of a manifest that was sent, with their waybills."""
    waybills: dict[str, list[str]] = {}
    for consignment in manifest.consignments:
        contract = consignment.contract
        if contract and contract.id:
            waybills.setdefault(_reference(consignment), []).append(contract.id.value)
    return tuple(Declared(name, tuple(ids)) for name, ids in waybills.items())


def _reference(consignment: Consignment) -> str:
    numbers = [p.id.value for p in consignment.previous if p.id]
    own = [i.value for i in consignment.references if i.scheme == "vn.declarant-ref"]
    contract = consignment.contract
    waybill = [contract.id.value] if contract and contract.id else [""]
    return (numbers or own or waybill)[0][:MOST_REFERENCE]


def answers(
    view: View,
    received: Sequence[Received],
    declarations: Sequence[Declared],
    profile: Mapping[str, str],
    ids: Callable[[], str],
) -> tuple[Due, ...]:
    """Return the answers that the view asks for, given or not: the caller knows which keys
    were given. received: all responses of the crossing; the last one dates the answer."""
    last = max(received, key=lambda r: r.sent)
    return tuple(
        Due(each.reference, key, _answer(each.reference, errors, last, profile, ids))
        for each in declarations
        if (found := _said(view, received, each)) is not None
        for key, errors in (found,)
    )


def _said(
    view: View, received: Sequence[Received], each: Declared
) -> tuple[str, tuple[AnswerError, ...]] | None:
    """Return (key, errors) of what is to be said of a declaration; None for nothing."""
    standings = {w: view.waybills[w] for w in each.waybills if w in view.waybills}
    if any(standing.disputed for standing in standings.values()):
        return None
    refused = {w: s for w, s in standings.items() if s.state in REFUSED}
    if refused:
        key = " ".join(f"{w}:{s.code}" for w, s in sorted(refused.items()))
        return f"00 {key}", tuple(_errors(refused, received))
    spoken = any(s.code for s in standings.values())
    if not spoken and view.transmission.code in _FAILED:
        return _failure(view)
    if spoken or view.transmission.code not in _SILENT:
        return "99", ()
    return None


def _failure(view: View) -> tuple[str, tuple[AnswerError, ...]]:
    """A failed transmission is no refusal of the customs; it is told as what it is."""
    code = view.transmission.code
    return f"00 {code}", (
        AnswerError(code=f"CC020_{code}", name=_wording("cn.transmission", code)),
    )


def _errors(refused: Mapping[str, Standing], received: Sequence[Received]) -> Iterator[AnswerError]:
    for waybill, standing in refused.items():
        said = _description(waybill, standing, received)
        wording = _wording("cn.cc020", standing.code)
        name = f"{waybill}: {said} ({wording})" if said else f"{waybill}: {wording}"
        yield AnswerError(code=f"CC020_{standing.code}", name=name)


def _description(waybill: str, standing: Standing, received: Sequence[Received]) -> str:
    """Return the other side's words as they were sent."""
    for each in received:
        own = [s.statement for s in each.response.waybills if s.id == waybill]
        for statement in (*own, each.response.overall):
            if each.by == standing.by and statement and statement.code.value == standing.code:
                return " ".join(text.value for text in statement.texts)
    return ""


def _wording(listed: str, code: str) -> str:
    """Return the Vietnamese name of a code."""
    entries = codelist.load(listed, date.max).entries
    return next((e.names["vi"] for e in entries if e.wire == code), code)


def _answer(
    reference: str,
    errors: tuple[AnswerError, ...],
    last: Received,
    profile: Mapping[str, str],
    ids: Callable[[], str],
) -> Answer:
    sent = _seconds(last.response.sent_at)
    year = int(sent.local[:4])
    return Answer(
        message_id=ids(),
        sender=_party(profile, "sender", "GATEWAY", "NSW"),
        recipient=_party(profile, "recipient", "VNACCS", None),
        document_type=profile.get("answer.documentType", "EDA"),
        type=profile.get("answer.type", "1"),
        function="00" if errors else "99",
        reference=reference,
        document_year=year,
        pre_reference=reference,
        pre_document_year=year,
        sent_at=sent,
        received_at=None if errors else sent,
        errors=errors,
    )


def _party(profile: Mapping[str, str], role: str, name: str, unit: str | None) -> AnswerParty:
    stated = profile.get(f"answer.{role}", name)
    return AnswerParty(
        name=stated,
        identity=stated,
        ministry=profile.get(f"answer.{role}.ministry", "BTC"),
        organization=profile.get(f"answer.{role}.organization", "TCHQ"),
        unit=profile.get(f"answer.{role}.unit", unit),
    )


def _seconds(sent: Moment) -> Moment:
    """Convert to +07:00; the milliseconds are dropped."""
    moved = sent.at_offset(HANOI)
    return Moment(precision=Precision.SECOND, local=moved.local[:19], offset=HANOI)
