"""Receipts and refusals: written by the peer, read and judged by the suite."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape

from conformance.crypto.trees import Element, parse
from conformance.crypto.verify import Pin, Verdict, verify
from conformance.wire import schemas
from conformance.wire.message import NAMESPACE, PROFILE_VERSION

_NS = f"{{{NAMESPACE}}}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, as a refusal says it."""

    code: str
    rule: str
    path: str = ""
    found: str = ""
    expected: str = ""
    severity: str = "refuse"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt (XP-RCP-002)."""

    message_id: str
    digest: str
    sender: str
    recipient: str
    received: str
    missing: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal (XP-ERR-002)."""

    code: str
    family: str
    sender: str
    recipient: str
    at: str
    message_id: str = ""
    digest: str = ""
    retriable: bool = False
    retry_after: int = 0
    texts: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a signed answer says. signature: how its signature was judged. problems: where it
    breaks the schema."""

    receipt: Receipt | None
    refusal: Refusal | None
    signature: Verdict
    problems: tuple[str, ...]


def read(content: bytes, pins: Mapping[str, Pin], at: datetime) -> Answer | None:
    """Read a signed answer; None when it is neither a receipt nor a refusal."""
    try:
        root = parse(content)
    except ValueError:
        return None
    kind = root.tag.removeprefix(_NS) if isinstance(root.tag, str) else ""
    if kind not in ("Receipt", "Refusal"):
        return None
    judged = verify(root, pins, "receipt", at)
    receipt = _receipt(root) if kind == "Receipt" else None
    refusal = _refusal(root) if kind == "Refusal" else None
    return Answer(receipt, refusal, judged, schemas.problems(schemas.exchange(), root))


def _value(root: Element, name: str) -> str:
    return root.findtext(f"{_NS}{name}") or ""


def _receipt(root: Element) -> Receipt:
    missing = tuple(int(node.text or 0) for node in root.findall(f"{_NS}Missing"))
    return Receipt(
        message_id=_value(root, "MessageID"),
        digest=_value(root, "Digest"),
        sender=_value(root, "From"),
        recipient=_value(root, "To"),
        received=_value(root, "Received"),
        missing=missing,
    )


def _refusal(root: Element) -> Refusal:
    return Refusal(
        code=_value(root, "Code"),
        family=_value(root, "Family"),
        sender=_value(root, "From"),
        recipient=_value(root, "To"),
        at=_value(root, "At"),
        message_id=_value(root, "MessageID"),
        digest=_value(root, "Digest"),
        retriable=_value(root, "Retriable") == "true",
        retry_after=int(_value(root, "RetryAfter") or 0),
        texts={n.get("lang", ""): n.text or "" for n in root.findall(f"{_NS}Text")},
        findings=tuple(_finding(node) for node in root.findall(f"{_NS}Finding")),
    )


def _finding(node: Element) -> Finding:
    names = ("code", "rule", "path", "found", "expected", "severity")
    return Finding(*(node.get(name, "") for name in names))


def write_receipt(receipt: Receipt) -> bytes:
    """Return an unsigned receipt."""
    missing = "".join(f"<xp:Missing>{n}</xp:Missing>" for n in receipt.missing)
    pairs = (
        ("ProfileVersion", PROFILE_VERSION),
        ("MessageID", receipt.message_id),
        ("Digest", receipt.digest),
        ("From", receipt.sender),
        ("To", receipt.recipient),
        ("Received", receipt.received),
    )
    return _document("Receipt", pairs, missing)


def write_refusal(refusal: Refusal) -> bytes:
    """Return an unsigned refusal."""
    after = str(refusal.retry_after) if refusal.retry_after else ""
    pairs = (
        ("ProfileVersion", PROFILE_VERSION),
        ("MessageID", refusal.message_id),
        ("Digest", refusal.digest),
        ("From", refusal.sender),
        ("To", refusal.recipient),
        ("At", refusal.at),
        ("Code", refusal.code),
        ("Family", refusal.family),
        ("Retriable", "true" if refusal.retriable else "false"),
        ("RetryAfter", after),
    )
    texts = "".join(
        f'<xp:Text lang="{lang}">{escape(text, quote=False)}</xp:Text>'
        for lang, text in dict(refusal.texts).items()
    )
    return _document("Refusal", pairs, texts + "".join(map(_written, refusal.findings)))


def _written(finding: Finding) -> str:
    values = {
        "code": finding.code,
        "expected": finding.expected[:500],
        "found": finding.found[:500],
        "path": finding.path[:500],
        "rule": finding.rule,
        "severity": finding.severity,
    }
    attributes = " ".join(f'{name}="{escape(value)}"' for name, value in values.items())
    return f"<xp:Finding {attributes}/>"


def _document(kind: str, pairs: Sequence[tuple[str, str]], rest: str) -> bytes:
    said = "".join(
        f"<xp:{name}>{escape(value, quote=False)}</xp:{name}>" for name, value in pairs if value
    )
    return f'<xp:{kind} xmlns:xp="{NAMESPACE}">{said}{rest}</xp:{kind}>'.encode()
