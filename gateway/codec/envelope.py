"""Messages of the exchange profile (receipts and refusals: `gateway.codec.receipt`).

Building and reading stand side by side. What is read has been verified before: only the
signed element comes here. docs/exchange-profile.md is the normative text.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from lxml import etree

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
    plain,
)
from gateway.codec.receipt import (
    Receipt,
    Refusal,
    build_receipt,
    build_refusal,
    read_receipt,
    read_refusal,
)
from gateway.errors import DocumentError, Finding, refusal
from gateway.safexml import c14n

T = TypeVar("T")
_ROOT = re.compile(rb"<((?:[^\s/>:]+:)?)Message[ >]")

__all__ = [
    "AttachmentRef",
    "Envelope",
    "Extension",
    "Opaque",
    "Receipt",
    "Refusal",
    "body_octets",
    "build_message",
    "build_receipt",
    "build_refusal",
    "digest_of",
    "octets_of",
    "read_message",
    "read_receipt",
    "read_refusal",
]


@dataclass(frozen=True, slots=True)
class AttachmentRef:
    """An attachment by its digest (hex SHA-256). size: octets. name: a name, never a path."""

    digest: str
    media_type: str
    size: int
    name: str


@dataclass(frozen=True, slots=True)
class Extension:
    """A header that version 1 does not know. One that must be understood is refused."""

    name: str
    must_understand: bool
    value: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the exchange profile says about a document (XP-ENV).

    function: original | replace | cancel. sequence: of the order key, from 1. created,
    expires: UTC, milliseconds. commitment: hex SHA-256(salt || original document).
    """

    message_id: str
    conversation_id: str
    ref_to: str | None
    sender: str
    recipient: str
    document_type: str
    document_type_version: str
    function: str
    document_version: int
    order_key: str
    sequence: int
    created: datetime
    expires: datetime
    test: bool
    commitment: str
    attachments: tuple[AttachmentRef, ...] = ()
    profile_version: str = VERSION
    extensions: tuple[Extension, ...] = ()


@dataclass(frozen=True, slots=True)
class Opaque:
    """A body that is not plain XML: its exact octets, base64 on the wire."""

    media_type: str
    content: bytes


def digest_of(unsigned: bytes) -> str:
    """Return the digest by which a message is known: hex SHA-256 of its canonical octets
    without the signature."""
    return hashlib.sha256(unsigned).hexdigest()


def octets_of(body: etree._Element) -> bytes:
    """Return the canonical octets of a body as a document of its own."""
    alone = deepcopy(body)
    return c14n(alone)


def body_octets(content: bytes) -> memoryview | None:
    """Return the canonical octets of the body in those of a verified message that has been read.

    content: the inclusive C14N of the message. None where the body does not begin and end with
    plain tags.
    """
    root = _ROOT.match(content)
    if root is None:
        return None
    start = b"<%bBody>" % root[1]
    end = b"</%bBody></%bMessage>" % (root[1], root[1])
    at = content.find(start)
    if at < 0 or not content.endswith(end):
        return None
    return memoryview(content)[at + len(start) : -len(end)]


def build_message(envelope: Envelope, body: bytes | Opaque) -> bytes:
    """Return the canonical unsigned message.

    body: canonical octets of an XML document (ValueError for one with a declaration), which
    stand in the message as they are, or opaque octets.
    """
    if isinstance(body, Opaque):
        opening = f'<xp:Opaque mediaType="{attribute(body.media_type)}">'
        body = b"%b%b</xp:Opaque>" % (opening.encode(), base64.b64encode(body.content))
    elif not body.startswith(b"<") or body.startswith(b"<?"):
        raise ValueError("the body must be canonical XML")
    shell = document("Message", _envelope(envelope), "<xp:Body>", "</xp:Body>").encode()
    end = len(shell) - len(b"</xp:Body></xp:Message>")
    return b"".join((shell[:end], body, shell[end:]))


def _envelope(envelope: Envelope) -> str:
    pairs = (
        ("ProfileVersion", envelope.profile_version),
        ("MessageID", envelope.message_id),
        ("ConversationID", envelope.conversation_id),
        ("RefToID", envelope.ref_to),
        ("From", envelope.sender),
        ("To", envelope.recipient),
        ("DocumentType", envelope.document_type),
        ("DocumentTypeVersion", envelope.document_type_version),
        ("Function", envelope.function),
        ("DocumentVersion", str(envelope.document_version)),
        ("OrderKey", envelope.order_key),
        ("Sequence", str(envelope.sequence)),
        ("Created", instant(envelope.created)),
        ("Expires", instant(envelope.expires)),
        ("TestIndicator", flag(envelope.test)),
        ("Commitment", envelope.commitment),
    )
    stated = [(name, value) for name, value in pairs if value is not None]
    if plain("|".join([value for _, value in stated])):
        written = [f"<xp:{name}>{value}</xp:{name}>" for name, value in stated]
    else:
        written = [leaf(name, value) for name, value in stated]
    written += [_attachment(each) for each in envelope.attachments]
    written += [
        leaf("Extension", each.value, mustUnderstand=flag(each.must_understand), name=each.name)
        for each in envelope.extensions
    ]
    return f"<xp:Envelope>{''.join(written)}</xp:Envelope>"


def _attachment(entry: AttachmentRef) -> str:
    return leaf(
        "Attachment",
        "",
        digest=entry.digest,
        mediaType=entry.media_type,
        name=entry.name,
        size=str(entry.size),
    )


def read_message(root: etree._Element) -> tuple[Envelope, etree._Element | Opaque]:
    """Read a verified message; the body stays in its tree.

    DocumentError with all findings: `version-unsupported`, `schema-invalid`, `rule-broken`.
    """
    exchange.check(root, "Message")
    head, body = root[0], root[1]
    envelope = _read_envelope(head)
    if failure := refusal(_broken(envelope)):
        raise failure
    (content,) = body.iterchildren(etree.Element)
    if content.tag == QUALIFIED + "Opaque":
        return envelope, _opaque(content)
    return envelope, content


def _read_envelope(head: etree._Element) -> Envelope:
    said = leaves(head)
    return Envelope(
        message_id=said["MessageID"],
        conversation_id=said["ConversationID"],
        ref_to=said.get("RefToID"),
        sender=said["From"],
        recipient=said["To"],
        document_type=said["DocumentType"],
        document_type_version=said["DocumentTypeVersion"],
        function=said["Function"],
        document_version=int(said["DocumentVersion"]),
        order_key=said["OrderKey"],
        sequence=int(said["Sequence"]),
        created=datetime.fromisoformat(said["Created"]),
        expires=datetime.fromisoformat(said["Expires"]),
        test=said["TestIndicator"] == "true",
        commitment=said["Commitment"],
        attachments=_each(head, "Attachment", _read_attachment) if "Attachment" in said else (),
        profile_version=said["ProfileVersion"],
        extensions=_each(head, "Extension", _read_extension) if "Extension" in said else (),
    )


def _each(head: etree._Element, name: str, read: Callable[[etree._Element], T]) -> tuple[T, ...]:
    return tuple(read(child) for child in head.iterchildren(QUALIFIED + name))


def _read_attachment(element: etree._Element) -> AttachmentRef:
    name, media = element.get("name", ""), element.get("mediaType", "")
    return AttachmentRef(element.get("digest", ""), media, int(element.get("size", "0")), name)


def _read_extension(element: etree._Element) -> Extension:
    must = element.get("mustUnderstand") == "true"
    return Extension(element.get("name", ""), must, element.text or "")


def _broken(envelope: Envelope) -> list[Finding]:
    """Return what the schema cannot say."""
    found = [
        Finding("version-unsupported", "must-understand", "Envelope/Extension", each.name)
        for each in envelope.extensions
        if each.must_understand
    ]
    if envelope.expires <= envelope.created:
        created, expires = instant(envelope.created), instant(envelope.expires)
        found.append(
            Finding("rule-broken", "expires", "Envelope/Expires", expires, f"after {created}")
        )
    return found


def _opaque(element: etree._Element) -> Opaque:
    """The schema has seen that it is base64; it must also be the one spelling of its octets."""
    text = element.text or ""
    content = base64.b64decode(text)
    if base64.b64encode(content).decode() != text:
        finding = Finding("schema-invalid", "base64", "Body/Opaque")
        raise DocumentError("schema-invalid", finding)
    return Opaque(element.get("mediaType", ""), content)
