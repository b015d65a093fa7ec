"""A copy of a document that shows a part of it and proves that part.

    1 load       the canonical document, its salt, the row of evidence that sealed its fields
    2 hide       the subtrees that the caller names
    3 prove      the row under a signed head of the log

The copy is one JSON object; `open_copy` checks it with nothing but the head's signer.
"""

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from gateway.errors import DocumentError, Finding, StateError, TrustError
from gateway.evidence.audit import read_entry
from gateway.evidence.heads import HEAD_TYPE, read_head
from gateway.evidence.log import Inclusion, prove_inclusion
from gateway.evidence.redact import Redacted, Shown, redact, verify
from gateway.evidence.rows import leaf_of
from gateway.flows.ports import Transaction
from gateway.flows.services import Services
from gateway.signing.dsse import verify_statement
from gateway.signing.trust import TrustPolicy


class _Copy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """index, path: of the row's leaf. fields: [path, value, salt] or [leaf hash]; octets in
    base64, values as RFC 8785 text."""

    entry: str
    salt: bytes
    index: int
    path: list[bytes]
    head: bytes
    fields: list[list[str]]


def redacted(services: Services, message_id: str, hide: Iterable[str]) -> bytes:
    """Return the copy, JSON. StateError `not-found`: no such message, no canonical document,
    no seal (its format is not in [evidence] sealed) or no head yet."""
    return services.store.read(lambda tx: _redacted(tx, message_id, tuple(hide)))


def _redacted(tx: Transaction, message_id: str, hide: tuple[str, ...]) -> bytes:
    content = tx.content(message_id, "canonical")
    salts = {d.role: d.salt for d in tx.documents(message_id)}
    rows = [row for row in tx.evidence_of(message_id) if "seal" in (read_entry(row.entry) or {})]
    if content is None or not rows or rows[0].index is None:
        raise StateError("not-found", Finding("not-found", "document", "canonical"))
    row, index = rows[0], rows[0].index
    head = tx.head_covering(index)
    if head is None:
        raise StateError("not-found", Finding("not-found", "log-head"))
    copy = redact(content, salts["canonical"] or b"", hide)
    proof = prove_inclusion(index, head.size, head.root, tx.log_node)
    said = _Copy(
        row.entry.decode(),
        row.salt,
        index,
        list(proof.path),
        head.statement,
        [_written(field) for field in copy.fields],
    )
    return msgspec.json.encode(said)


def open_copy(content: bytes, heads: TrustPolicy, at: datetime) -> Mapping[str, Any]:
    """Return what a copy shows, by path, once the whole of it is proven: the fields lead to
    the seal in the row, the row to the head, the head to its signer.

    DocumentError `malformed`, `rule-broken` (rules `redact-seal`, `redact-proof`), or what
    verifying the head raises.
    """
    try:
        said = msgspec.json.decode(content, type=_Copy)
        fields = tuple(_read(field) for field in said.fields)
    except (msgspec.MsgspecError, ValueError, RecursionError) as fault:
        raise DocumentError("malformed", Finding("malformed", "redact-form")) from fault
    kind, payload = verify_statement(said.head, heads, at)
    if kind != HEAD_TYPE:
        raise TrustError("signature-scope", Finding("signature-scope", "log-head", found=kind))
    head = read_head(payload)
    entry = said.entry.encode()
    proof = Inclusion(said.index, head.size, head.root, tuple(said.path))
    row = read_entry(entry)
    if row is None or not proof.holds(leaf_of(entry, said.salt)):
        raise DocumentError("rule-broken", Finding("rule-broken", "redact-proof"))
    return verify(Redacted(fields), _seal_of(row))


def _seal_of(row: Mapping[str, Any]) -> bytes:
    try:
        return bytes.fromhex(row["seal"])
    except (KeyError, TypeError, ValueError):
        raise DocumentError("rule-broken", Finding("rule-broken", "redact-proof")) from None


def _written(field: Shown | bytes) -> list[str]:
    if isinstance(field, bytes):
        return [base64.b64encode(field).decode()]
    return [field.path, field.value.decode(), base64.b64encode(field.salt).decode()]


def _read(field: list[str]) -> Shown | bytes:
    if len(field) == 1:
        return base64.b64decode(field[0], validate=True)
    path, value, salt = field
    json.loads(value)
    return Shown(path, value.encode(), base64.b64decode(salt, validate=True))
