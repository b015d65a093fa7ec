"""One step in the life of a message: its documents, its state, a line of its timeline, and
the one row of evidence that names them all. Written in one transaction, so that nothing that
is stored of a message lacks its row (`gateway evidence audit` holds them together).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.evidence.redact import seal
from gateway.evidence.rows import SALT_SIZE, Row, document_mark, keys_mark, row
from gateway.flows.ports import Event, Message, Transaction
from gateway.flows.services import Services
from gateway.model.states import MessageState

EVIDENCE = "evidence"
"""Retention class of what proves: receipts, refusals, commitments."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A document to attach. retention: its class in the settings ([retention])."""

    role: str
    content: bytes
    media_type: str
    retention: str = "document"


@dataclass(frozen=True, slots=True)
class Step:
    """What `write` stores. Made outside the transaction where that can be."""

    message_id: str
    row: Row
    papers: tuple[tuple[Paper, bytes], ...] = ()
    state: MessageState | None = None
    event: Event | None = None

    def write(self, tx: Transaction) -> None:
        """Attach, move, note, append. The state first: it locks the message, so the rows of
        one message are in the order in which they happened."""
        if self.state is not None:
            tx.set_state(self.message_id, self.state)
        for paper, salt in self.papers:
            tx.attach(
                self.message_id,
                paper.role,
                paper.content,
                paper.media_type,
                paper.retention,
                salt,
            )
        if self.event is not None:
            tx.add_event(self.message_id, self.event)
        tx.append_evidence(self.message_id, self.row.entry, self.row.salt, self.row.leaf)


def step(
    services: Services,
    kind: str,
    message_id: str,
    at: datetime,
    facts: Mapping[str, Any] | None = None,
    *,
    papers: Sequence[Paper] = (),
    state: MessageState | None = None,
    event: tuple[str, Mapping[str, str]] | None = None,
    keys: Sequence[tuple[str, str]] | None = None,
    sealed: bool = False,
) -> Step:
    """Make a step of a message. facts: what its row says besides; never personal values.
    event: code and detail of its line in the timeline. keys: of a new message. sealed: its
    row has a seal over the fields of the canonical document (gateway.evidence.redact)."""
    salts = services.randomness(SALT_SIZE * (1 + len(papers)))
    cut = [salts[n : n + SALT_SIZE] for n in range(0, len(salts), SALT_SIZE)]
    salted = tuple(zip(papers, cut[1:], strict=True))
    said: dict[str, Any] = {"message": message_id, **(facts or {})}
    if state is not None:
        said["state"] = state.value
    if salted:
        said["documents"] = {paper.role: _mark(paper, salt) for paper, salt in salted}
    if keys is not None:
        said["keys"] = next(keys_mark(s, keys) for p, s in salted if p.role == "canonical")
    if sealed:
        said["seal"] = next(seal(p.content, s).hex() for p, s in salted if p.role == "canonical")
    line = None
    if event is not None:
        line = Event(at, event[0], dict(event[1]))
        said["event"] = {"code": event[0], "detail": dict(event[1])}
    return Step(message_id, row(kind, at, said, cut[0]), salted, state, line)


def first_step(
    services: Services,
    kind: str,
    message: Message,
    papers: Sequence[Paper],
    event: tuple[str, Mapping[str, str]],
    facts: Mapping[str, Any] | None = None,
) -> Step:
    """Make the first step of a new message: its row says all that does not change later, with
    a seal over the fields of its canonical document where the profile asks for one.

    The caller adds the message itself.
    """
    sealed = message.document_type in services.sealed_types
    return step(
        services,
        kind,
        message.id,
        message.created,
        facts_of(message) | dict(facts or {}),
        papers=papers,
        event=event,
        keys=message.keys,
        sealed=sealed,
    )


def facts_of(message: Message) -> dict[str, Any]:
    """Return what a row says of a new message. Not its digest: that of an agency's document
    goes when the document goes; the digest of what was signed is said where it is signed."""
    return {
        "message-kind": message.kind.value,
        "party": message.party,
        "external": message.external_id,
        "conversation": message.conversation_id,
        "type": message.document_type,
        "state": message.state.value,
        "function": message.function,
        "version": message.document_version,
        "order": message.order_key or "",
        "sequence": message.sequence or 0,
        "ref": message.ref_to or "",
        "day": message.day or "",
        "test": message.test,
    }


def _mark(paper: Paper, salt: bytes) -> str:
    digest = hashlib.sha256(paper.content).hexdigest()
    return document_mark(salt, digest, paper.media_type, paper.retention)
