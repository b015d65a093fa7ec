"""The answers of the exchange profile: a receipt, or a refusal. Both are signed.

Building and reading stand side by side. What is read has been verified before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from gateway import texts
from gateway.codec import exchange
from gateway.codec.exchange import (
    QUALIFIED,
    VERSION,
    attribute,
    document,
    flag,
    instant,
    leaf,
    leaves,
)
from gateway.errors import CODES, Finding, Severity

_MOST_FINDINGS = 100
_MOST_MISSING = 100
_MOST_OCTETS = 900_000
"""Of all findings together: an answer has at most 1 MiB (XP-LIM-002)."""

_SHORT = 500
_LONG = 2000


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof of acceptance (XP-RCP). digest: hex SHA-256 of the message's signed octets.
    sender: who gives the receipt. sequence_gap: numbers of the order key that are missing."""

    message_id: str
    digest: str
    sender: str
    recipient: str
    received: datetime
    sequence_gap: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A signed error (XP-ERR).

    message_id: empty when nothing could be verified. digest: of the message's signed octets
    when there is a message id, else of the octets as they came; empty when they were not
    read to the end. retry_after: seconds. retriable: as stated; building takes it from the
    code.
    """

    message_id: str
    digest: str
    sender: str
    recipient: str
    at: datetime
    code: str
    findings: tuple[Finding, ...] = ()
    retry_after: float | None = None
    retriable: bool = False


def build_receipt(receipt: Receipt) -> bytes:
    """Return the canonical unsigned receipt."""
    written = (
        leaf("ProfileVersion", VERSION),
        leaf("MessageID", receipt.message_id),
        leaf("Digest", receipt.digest),
        leaf("From", receipt.sender),
        leaf("To", receipt.recipient),
        leaf("Received", instant(receipt.received)),
        *(leaf("Missing", str(number)) for number in receipt.sequence_gap[:_MOST_MISSING]),
    )
    return document("Receipt", *written).encode()


def read_receipt(root: etree._Element) -> Receipt:
    """Read a verified receipt; DocumentError as `read_message`."""
    exchange.check(root, "Receipt")
    said = leaves(root)
    return Receipt(
        message_id=said["MessageID"],
        digest=said["Digest"],
        sender=said["From"],
        recipient=said["To"],
        received=datetime.fromisoformat(said["Received"]),
        sequence_gap=tuple(int(each.text or "0") for each in root.iterfind(QUALIFIED + "Missing")),
    )


def build_refusal(stated: Refusal) -> bytes:
    """Return the canonical unsigned refusal, with words in vi, zh and en. More findings or
    longer values than the schema allows are cut: the codes are what counts."""
    family, retriable = CODES[stated.code]
    pairs = (
        ("ProfileVersion", VERSION),
        ("MessageID", stated.message_id),
        ("Digest", stated.digest),
        ("From", stated.sender),
        ("To", stated.recipient),
        ("At", instant(stated.at)),
        ("Code", stated.code),
        ("Family", family),
        ("Retriable", flag(retriable)),
        ("RetryAfter", "" if stated.retry_after is None else str(round(stated.retry_after))),
    )
    written = [leaf(name, value) for name, value in pairs if value]
    written += [
        leaf("Text", texts.sentence(stated.code, lang)[:_LONG], lang=lang)
        for lang in texts.LANGUAGES
    ]
    return document("Refusal", *written, *_findings(stated.findings)).encode()


def _findings(findings: Sequence[Finding]) -> Iterator[str]:
    room = _MOST_OCTETS
    for finding in findings[:_MOST_FINDINGS]:
        written = _finding(finding)
        room -= len(written.encode())
        if room < 0:
            return
        yield written


def _finding(finding: Finding) -> str:
    pairs = (
        ("code", finding.code),
        ("expected", finding.expected),
        ("found", finding.found),
        ("path", finding.path),
        ("rule", finding.rule),
        ("severity", finding.severity),
    )
    stated = "".join(f' {name}="{attribute(value[:_SHORT])}"' for name, value in pairs)
    words = "".join(
        leaf("Text", texts.explain(finding, lang)[:_LONG], lang=lang) for lang in texts.LANGUAGES
    )
    return f"<xp:Finding{stated}>{words}</xp:Finding>"


def read_refusal(root: etree._Element) -> Refusal:
    """Read a verified refusal; DocumentError as `read_message`.

    A code of a later version is read as `unavailable` when it can be retried, else as
    `refused`; what was said stands in the first finding.
    """
    exchange.check(root, "Refusal")
    said = leaves(root)
    code, retriable = said["Code"], said["Retriable"] == "true"
    findings = tuple(_read_finding(each) for each in root.iterfind(QUALIFIED + "Finding"))
    if code not in CODES:
        known = "unavailable" if retriable else "refused"
        findings = (Finding(known, "unknown-code", found=code), *findings)
        code = known
    return Refusal(
        message_id=said.get("MessageID", ""),
        digest=said.get("Digest", ""),
        sender=said["From"],
        recipient=said["To"],
        at=datetime.fromisoformat(said["At"]),
        code=code,
        findings=findings,
        retry_after=float(said["RetryAfter"]) if "RetryAfter" in said else None,
        retriable=retriable,
    )


def _read_finding(element: etree._Element) -> Finding:
    code, rule, path, found, expected = (
        element.get(name, "") for name in ("code", "rule", "path", "found", "expected")
    )
    return Finding(code, rule, path, found, expected, Severity(element.get("severity", "refuse")))
