"""What a sender believes of an answer: a receipt or refusal that is signed, and bound.

XP-RCP-006, XP-ERR-009: whatever does not pass counts as no answer.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from conformance.crypto.trees import parse
from conformance.crypto.verify import Checks, Pin, verify
from conformance.peer.mutants import Mutants
from conformance.peer.outbox import Outgoing
from conformance.wire import answers
from conformance.wire.answers import Answer
from conformance.wire.http import Reply


@dataclass(frozen=True, slots=True)
class Road:
    """Where a sender posts to, and whose receipts it believes."""

    url: str
    context: ssl.SSLContext | None
    pins: Mapping[str, Pin]
    party: str
    other: str


class AgainError(Exception):
    """The outcome is unknown, or can change: try again. It says why."""


def judge(road: Road, message: Outgoing, reply: Reply, mutants: Mutants) -> tuple[str, str]:
    """Return (state, reason) that an answer settles. AgainError."""
    if reply.status == 200 and mutants.on("MS06"):
        return "receipted", ""
    found = answers.read(reply.body, road.pins, datetime.now(UTC)) if reply.body else None
    if found is None:
        raise AgainError(reply.fault or f"HTTP {reply.status} without a receipt")
    _signed(found, reply, mutants)
    _bound(road, message, found, mutants)
    if found.refusal is None:
        return "receipted", ""
    if found.refusal.retriable or mutants.on("MS05"):
        raise AgainError(f"refused {found.refusal.code}")
    return "refused", found.refusal.code


def _signed(found: Answer, reply: Reply, mutants: Mutants) -> None:
    code = found.signature.code
    if code == "signer-untrusted" and mutants.on("MS08"):
        checks = Checks(pinned=False, usage=False)
        code = verify(parse(reply.body), {}, "receipt", datetime.now(UTC), checks).code
    if code:
        raise AgainError(f"the answer is not signed as it must be: {code}")


def _bound(road: Road, message: Outgoing, found: Answer, mutants: Mutants) -> None:
    said = found.receipt or found.refusal
    assert said is not None
    named = (said.message_id, said.digest, said.sender, said.recipient)
    ours = (message.wire_id or message.message_id, message.digest, road.other, road.party)
    if named != ours and not mutants.on("MS07"):
        raise AgainError("the answer names something else")
