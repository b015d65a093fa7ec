"""What the peer asks of a message that is who it says it is: its time and its document."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from lxml import etree

from conformance.crypto.trees import Element
from conformance.peer import reading
from conformance.peer.mutants import Mutants
from conformance.peer.reading import Envelope, RefusedError
from conformance.wire import schemas
from conformance.wire.answers import Finding
from conformance.wire.instants import read

MEMORY, AHEAD = timedelta(days=30), timedelta(minutes=5)
OFFICES = frozenset({"7208", "7203", "7213", "7210", "8602", "7200"})
"""Customs offices that the peer knows: those at the gates of this border."""

TRANSPORT_MODES = frozenset({"3"})
EQUIPMENT_FULLNESS = frozenset({"4", "5", "7", "8"})


def time(envelope: Envelope, now: datetime, mutants: Mutants) -> None:
    """XP-DUP-006 and 007. RefusedError `stale`, `future-dated`."""
    if mutants.on("MR14"):
        return
    try:
        created, expires = read(envelope["Created"]), read(envelope["Expires"])
    except ValueError:
        return  # only a peer that checks no schema comes here
    ahead = timedelta(0) if mutants.on("MR53") else AHEAD
    if created - now > ahead:
        raise RefusedError("future-dated", Finding("future-dated", "created", "Envelope/Created"))
    if now - created > MEMORY or now > expires:
        raise RefusedError("stale", Finding("stale", "age", "Envelope/Created"))


def body(envelope: Envelope, element: Element, mutants: Mutants) -> None:
    """Type, version, extensions, schema, codes, order key. RefusedError with all findings."""
    kind = envelope["DocumentType"]
    if kind not in schemas.DOCUMENTS:
        raise RefusedError("type-unknown", Finding("type-unknown", "type", "", kind))
    if envelope["DocumentTypeVersion"] != "1.0" and not mutants.on("MR01"):
        wrong = Finding("version-unsupported", "document-version", "Envelope/DocumentTypeVersion",
                        envelope["DocumentTypeVersion"], "1.0")  # fmt: skip
        raise RefusedError("version-unsupported", wrong)
    _extensions(envelope, mutants)
    if mutants.on("MR53") and any(
        (n.text or "").endswith("000") for n in _named(element, "SendTime")
    ):
        raise RefusedError("rule-broken", Finding("rule-broken", "send-time"))
    reading.document(element, kind, mutants)
    findings = _codes(element, mutants) + _order(envelope, element, mutants)
    if findings:
        raise RefusedError(findings[0].code, *findings)


def _extensions(envelope: Envelope, mutants: Mutants) -> None:
    """XP-ENV-022: what must be understood and is not, refuses."""
    ignorable = [name for name, must in envelope.extensions if not must]
    if mutants.on("MR53") and (ignorable or envelope["Function"] == "cancel"):
        raise RefusedError("version-unsupported", Finding("version-unsupported", "extension"))
    unknown = [name for name, must in envelope.extensions if must]
    if unknown and not mutants.on("MR02"):
        wrong = Finding("version-unsupported", "must-understand", "Envelope/Extension", unknown[0])
        raise RefusedError("version-unsupported", wrong)


def _codes(element: Element, mutants: Mutants) -> tuple[Finding, ...]:
    if mutants.on("MR06"):
        return ()
    found = []
    for name, values in (
        ("DeclarationOfficeID", OFFICES),
        ("FullnessCode", EQUIPMENT_FULLNESS),
    ):
        for node in _named(element, name):
            if (node.text or "") not in values:
                found.append(Finding("code-unknown", "code-list", _path(node), node.text or ""))
    return tuple(found)


def _order(envelope: Envelope, element: Element, mutants: Mutants) -> tuple[Finding, ...]:
    """XP-ENV-013: the order key is the batch number that the document holds."""
    batch = next((node.text for node in _named(element, "ID", "Declaration")), "")
    if batch and batch != envelope["OrderKey"] and not mutants.on("MR04"):
        wrong = Finding("rule-broken", "order-key", "Envelope/OrderKey", envelope["OrderKey"])
        return (wrong,)
    return ()


def _named(element: Element, name: str, parent: str = "") -> list[Element]:
    return [
        node
        for node in element.iter()
        if isinstance(node.tag, str) and etree.QName(node).localname == name
        and (not parent or _local(node.getparent()) == parent)
    ]  # fmt: skip


def _local(element: Element | None) -> str:
    return etree.QName(element).localname if element is not None else ""


def _path(node: Element) -> str:
    names = [_local(node)] + [_local(above) for above in node.iterancestors()]
    kept = [name for name in reversed(names) if name not in ("Message", "Body")]
    return "/".join(kept)


def texts(code: str, mutants: Mutants) -> Mapping[str, str]:
    """Return the words of a refusal in three languages."""
    words = {
        "en": f"The message was refused: {code}. Correct it and send it under a new id.",
        "vi": f"Thông điệp bị từ chối: {code}. Hãy sửa rồi gửi lại với mã mới.",
        "zh": f"报文被拒绝：{code}。请更正后以新编号重新发送。",
    }
    if mutants.on("MR35"):
        return {lang: text.encode("ascii", "replace").decode() for lang, text in words.items()}
    return words
