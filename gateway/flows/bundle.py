"""Export everything that proves a message, as one file that verifies offline.

    1 gather     the message and its conversation, documents, rows, the head: one view
    2 withhold   what the reader of the bundle may not see; its digests stay
    3 prove      each row below the head
    4 index      bundle.json
    5 sign       the manifest, by our key for statements

docs/evidence.md is the published format.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import permutations

from gateway import merkle
from gateway.errors import DocumentError, Finding, StateError
from gateway.evidence.bundle import FORMAT, HeadPart, Index, Item, Part, Proven, write_index
from gateway.evidence.bundle_container import MOST_BYTES, write_container
from gateway.evidence.bundle_manifest import (
    INDEX,
    MANIFEST,
    MANIFEST_TYPE,
    SIGNATURE,
    STATEMENT,
    manifest_of,
)
from gateway.evidence.rows import commitment
from gateway.flows.ports import Document, Message, Transaction
from gateway.flows.ports_log import Kept
from gateway.flows.services import Services
from gateway.model.states import MessageKind
from gateway.signing.cms_sign import SCHEMES, sign_detached
from gateway.signing.dsse import sign_statement
from gateway.signing.keys import Signer, fingerprint

May = Callable[[Message, str], bool]
"""Whether the reader of the bundle may see a document (message, role)."""

MOST_ORIGINALS = 5
"""Originals of one message whose order is looked for."""

_SUFFIXES = {"application/xml": "xml", "application/json": "json", "text/plain": "txt"}


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The head that proves: its statement and timestamp, and the size of its tree."""

    size: int
    statement: bytes
    token: bytes | None


def export(services: Services, message_id: str, may: May) -> bytes:
    """Return the bundle of a message. StateError `not-found`; DocumentError `too-large`;
    UnavailableError when the key for statements is out of reach."""
    now = services.clock()
    members = services.store.read(lambda tx: _members(services, tx, message_id, may, now))
    signed = _signed(services.statement_signer, members, now)
    try:
        return write_container({**signed, **members})
    except ValueError as fault:
        finding = Finding("too-large", "container-size", "bundle", expected=str(MOST_BYTES))
        raise DocumentError("too-large", finding) from fault


def _signed(signer: Signer, members: dict[str, bytes], now: datetime) -> dict[str, bytes]:
    """Return manifest and signature: CMS, or a statement where CMS has no name for the key."""
    if signer.algorithm in SCHEMES:
        manifest = manifest_of(members)
        return {MANIFEST: manifest, SIGNATURE: sign_detached(manifest, signer, now)}
    manifest = manifest_of(members, STATEMENT)
    return {MANIFEST: manifest, STATEMENT: sign_statement(MANIFEST_TYPE, manifest, [signer])}


def _members(
    services: Services, tx: Transaction, message_id: str, may: May, now: datetime
) -> dict[str, bytes]:
    """Steps 1 to 4."""
    message = tx.message(message_id)
    if message is None:
        raise StateError("not-found", Finding("not-found", "message", message_id))
    members: dict[str, bytes] = {INDEX: b""}
    conversation = tx.conversation(message.conversation_id)
    items = tuple(_item(tx, each, conversation, may, members) for each in conversation)
    head = _head(services, tx)
    rows = tuple(_proven(tx, row, head) for each in conversation for row in tx.evidence_of(each.id))
    part = _head_part(head, members)
    certificates = _certificates(services, members)
    stated = _time(now)
    members[INDEX] = write_index(
        Index(
            FORMAT,
            services.name,
            services.counterpart().name,
            stated,
            message_id,
            items,
            rows,
            part,
            certificates,
        )
    )
    return members


def _item(
    tx: Transaction,
    message: Message,
    conversation: tuple[Message, ...],
    may: May,
    members: dict[str, bytes],
) -> Item:
    """Describe a message and put its documents in."""
    number = conversation.index(message) + 1
    parts = tuple(
        _part(tx, message, document, f"messages/{number}", may, members)
        for document in tx.documents(message.id)
    )
    return Item(
        message.id,
        message.external_id,
        message.kind.value,
        message.party,
        message.document_type,
        message.digest,
        _time(message.created),
        parts,
        _originals(tx, message, conversation, may),
    )


def _part(
    tx: Transaction,
    message: Message,
    document: Document,
    folder: str,
    may: May,
    members: dict[str, bytes],
) -> Part:
    content = tx.content(message.id, document.role) if may(message, document.role) else None
    path = None
    if content is not None:
        path = f"{folder}/{document.role}.{_SUFFIXES.get(document.media_type, 'bin')}"
        members[path] = content
    salt = document.salt.hex() if document.salt else ""
    media, retention = document.media_type, document.retention
    return Part(document.role, document.digest, media, retention, salt, path)


def _originals(
    tx: Transaction, message: Message, conversation: tuple[Message, ...], may: May
) -> tuple[str, ...]:
    """Return the submissions whose originals a commitment is over, in order: what was joined
    into a message is not written down, but only one order fits."""
    salt, stated = tx.content(message.id, "commitment-salt"), tx.content(message.id, "commitment")
    if message.kind is not MessageKind.OUTBOUND or salt is None or stated is None:
        return ()
    parameters = tx.content(message.id, "parameters")
    last = () if parameters is None else (parameters,)
    submitted = [m for m in conversation if m.kind is MessageKind.SUBMISSION and may(m, "original")]
    contents = {m.id: tx.content(m.id, "original") or b"" for m in submitted[:MOST_ORIGINALS]}
    for count in range(1, len(contents) + 1):
        for ids in permutations(contents, count):
            originals = tuple(contents[each] for each in ids)
            if commitment(salt, (*originals, *last)).encode() == stated:
                return ids
    return ()


def _head(services: Services, tx: Transaction) -> _Chosen | None:
    """Prefer the newest head that the counterpart cosigned; a newer one of ours alone proves
    what that does not cover yet only by our own word, so it is taken only without any."""
    for signed in tx.ledger_heads(services.name, limit=5):
        fits = 0 < signed.size <= tx.log_size()
        if fits and merkle.subtree(0, signed.size, tx.log_node) == signed.root:
            ours = tx.head_at(signed.size)
            return _Chosen(signed.size, signed.statement, ours.token if ours else None)
    latest = tx.latest_head()
    return _Chosen(latest.size, latest.statement, latest.token) if latest else None


def _head_part(head: _Chosen | None, members: dict[str, bytes]) -> HeadPart | None:
    if head is None:
        return None
    members["head/head.json"] = head.statement
    if head.token is None:
        return HeadPart("head/head.json", None)
    members["head/head.tst"] = head.token
    return HeadPart("head/head.json", "head/head.tst")


def _proven(tx: Transaction, row: Kept, head: _Chosen | None) -> Proven:
    covered = head is not None and row.index is not None and row.index < head.size
    proof: tuple[bytes, ...] = ()
    if head is not None and row.index is not None and covered:
        proof = merkle.inclusion(row.index, head.size, tx.log_node)
    index = row.index if covered else None
    hashes = tuple(each.hex() for each in proof)
    return Proven(row.message_id, row.entry.decode(), row.salt.hex(), index, hashes)


def _certificates(services: Services, members: dict[str, bytes]) -> tuple[str, ...]:
    """Put in the certificates of both sides that can have signed here."""
    counterpart = services.counterpart()
    signers = (services.message_signer, services.receipt_signer, services.statement_signer)
    found = [signer.certificate for signer in signers]
    if services.head_signer:
        found.append(services.head_signer.certificate)
    policies = [counterpart.messages, counterpart.receipts]
    if counterpart.heads:
        policies.append(counterpart.heads)
    found += [pin.certificate for policy in policies for pin in policy.pinned.values()]
    by_path = {f"certificates/{fingerprint(der)}.der": der for der in found}
    members.update(sorted(by_path.items()))
    return tuple(sorted(by_path))


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def everything(message: Message, role: str) -> bool:
    """Let all documents be seen."""
    return True
