"""The proofs in a bundle that need no look into a message: rows, documents, head, stamp."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

import msgspec

from gateway.errors import Finding, TrustError
from gateway.evidence.bundle import Index, Item, Part, Proven
from gateway.evidence.bundle_anchors import BundleAnchors
from gateway.evidence.bundle_verdict import Outcome
from gateway.evidence.rows import document_mark
from gateway.merkle import leaf_hash, verify_inclusion
from gateway.signing import timestamp
from gateway.signing.dsse import Statement, verify_cosigned
from gateway.signing.trust import Usage

HEAD_TYPE = "application/vnd.bilateral-gateway.head+json"


@dataclass(frozen=True, slots=True)
class HeadFacts:
    """What a verified head says, and who signed it."""

    size: int
    root: bytes
    at: datetime
    parties: tuple[str, ...]


def verified(content: bytes, anchors: BundleAnchors, usage: Usage, at: datetime) -> Statement:
    """Verify a statement by the keys of all parties for a usage; TrustError."""
    first, second = anchors.statements(usage)
    try:
        return verify_cosigned(content, first, at)
    except TrustError:
        return verify_cosigned(content, second, at)


def head_facts(content: bytes, index: Index, anchors: BundleAnchors) -> HeadFacts:
    """Verify the exporter's head. TrustError, rule `head-form`, `head-signer`, or as
    `verify_cosigned` raises it."""
    said = _stated(content)
    at = datetime.fromisoformat(said["at"])
    statement = verified(content, anchors, Usage.HEAD, at)
    if statement.payload_type != HEAD_TYPE or said["log"] != index.exporter:
        _refuse("head-form", "signature-scope", str(said["log"])[:64])
    if statement.parties not in ((index.exporter,), (index.exporter, index.counterpart)):
        _refuse("head-signer", "signer-untrusted")
    if not is_plain(content, statement):
        _refuse("head-form", "signature-scope")
    return HeadFacts(said["size"], bytes.fromhex(said["root"]), at, statement.parties)


def _stated(content: bytes) -> Mapping[str, Any]:
    """Read the payload of a head that is not verified yet: its time says which keys count."""
    try:
        envelope = msgspec.json.decode(content, type=dict[str, Any])
        said = msgspec.json.decode(base64.b64decode(envelope["payload"]), type=dict[str, Any])
        shape = [type(said[name]) for name in ("at", "log", "size", "root")]
    except (msgspec.DecodeError, ValueError, KeyError, TypeError):
        _refuse("head-form", "signature-scope")
    if shape != [str, str, int, str]:
        _refuse("head-form", "signature-scope")
    return said


def is_plain(content: bytes, statement: Statement) -> bool:
    """True when a verified envelope has its one spelling: no white space, no field but those
    that are needed, base64 as it is written, and no signature of a key that is not known."""
    if content.count(b'"keyid"') != len(statement.parties):
        return False
    envelope = msgspec.json.decode(content, type=dict[str, Any])
    signatures = envelope.get("signatures")
    if not isinstance(signatures, list):
        return False
    try:
        plain = {
            "payload": _again(envelope["payload"]),
            "payloadType": envelope["payloadType"],
            "signatures": [{"keyid": s["keyid"], "sig": _again(s["sig"])} for s in signatures],
        }
    except (KeyError, TypeError, ValueError):
        return False
    return msgspec.json.encode(plain) == content


def _again(text: str) -> str:
    return base64.b64encode(base64.b64decode(text, validate=True)).decode()


def check_stamp(head: bytes, token: bytes, anchors: BundleAnchors) -> None:
    """Check a timestamp over the value of a head's first signature. TrustError
    `timestamp-invalid`."""
    envelope = msgspec.json.decode(head, type=dict[str, Any])
    timestamp.verify(token, base64.b64decode(envelope["signatures"][0]["sig"]), anchors.stampers)


def check_rows(item: Item, rows: list[Proven], head: HeadFacts | None) -> Outcome:
    """Check the rows of a message: their facts, and that the head's tree has them. Pending
    while one of them is not below a head."""
    pending = not rows or head is None
    for row in rows:
        entry = _entry(row)
        if entry.get("message", item.id) not in (item.id, item.external_id):
            _refuse("row-fact", "signature-scope", "message")
        signed = entry.get("kind") in ("signed", "accepted", "receipted")
        if signed and entry.get("digest") != item.digest:
            _refuse("row-fact", "signature-scope", "digest")
        if head is not None and row.index is not None:
            proof = tuple(map(bytes.fromhex, row.proof))
            leaf = leaf_hash(bytes.fromhex(row.salt) + row.entry.encode())
            if not verify_inclusion(leaf, row.index, head.size, proof, head.root):
                _refuse("row-proof", "signature-invalid", str(row.index))
        else:
            pending = True
    return Outcome.PENDING if pending else Outcome.OK


def _entry(row: Proven) -> dict[str, Any]:
    try:
        return msgspec.json.decode(row.entry, type=dict[str, Any])
    except msgspec.DecodeError:
        _refuse("row-form", "signature-scope")


def check_documents(item: Item, rows: list[Proven], members: Mapping[str, bytes]) -> Outcome:
    """Check the documents of a message against their digests, and against the commitments in
    its rows (the latest that names the role). Absent: no row names a document."""
    named: dict[str, str] = {}
    for row in rows:
        named |= _entry(row).get("documents", {})
    unnamed = False
    for part in item.documents:
        if part.path is not None and _digest(members[part.path]) != part.digest:
            _refuse("document-digest", "signature-invalid", part.path)
        if part.role not in named:
            unnamed = True
        elif part.salt and named[part.role] != document_mark(
            bytes.fromhex(part.salt), part.digest, part.media_type, part.retention
        ):
            _refuse("document-commitment", "signature-invalid", part.role)
    return Outcome.ABSENT if unnamed else Outcome.OK


def _mark(part: Part) -> str:
    salt = bytes.fromhex(part.salt)
    return document_mark(salt, part.digest, part.media_type, part.retention)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _refuse(rule: str, code: str, found: str = "") -> NoReturn:
    raise TrustError(code, Finding(code, rule, "bundle", found))
