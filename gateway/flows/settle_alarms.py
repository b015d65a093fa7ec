"""What settlement raises for a person to look at, with the proof where there is one."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import structlog

from gateway.codec import envelope
from gateway.errors import GatewayError
from gateway.evidence.ledger_proof import write_proof
from gateway.flows.ports import Transaction
from gateway.flows.ports_ledger import Alarm
from gateway.flows.services import Services
from gateway.model.states import MessageKind

TWO_HEADS = "two-heads"
BROKEN_HISTORY = "broken-history"
TWO_CONTENTS = "two-contents"
DENIED = "denied"
WITHHELD = "withheld"
GIVEN_UP = "given-up"
UNKNOWN_SENT = "unknown-sent"
RESTORED = "restored"
UNSETTLED = "unsettled"

T = TypeVar("T")

log = structlog.get_logger("gateway.settle")


def raise_alarm(
    services: Services,
    kind: str,
    party: str,
    subject: str,
    detail: Mapping[str, str] | None = None,
    proof: bytes | None = None,
) -> bool:
    """Raise an alarm; False when it stands already."""
    alarm = Alarm(kind, party, subject, services.clock(), detail or {}, proof)
    new = services.store.commit(lambda tx: tx.raise_alarm(alarm))
    if new:
        log.warning("ledger-alarm", kind=kind, party=party, subject=subject)
    return new


def attempted(what: str, work: Callable[[], T]) -> T | None:
    """Run what the worker does now and then: a counterpart that is away is a line of the log,
    and the next run tries again. None when it failed."""
    try:
        return work()
    except GatewayError as failure:
        rules = " ".join(finding.rule for finding in failure.findings)
        log.warning("ledger-not-asked", what=what, code=failure.code, rules=rules)
        return None


def clear_alarm(services: Services, kind: str, party: str, subject: str) -> bool:
    """Clear an alarm that no longer has a cause; False when it did not stand."""
    now = services.clock()
    return services.store.commit(lambda tx: tx.clear_alarm(kind, party, subject, now))


def two_contents(services: Services, sender: str, first: bytes, second: bytes, name: str) -> None:
    """Keep the proof that a party signed two contents under one id."""
    proof = write_proof(TWO_CONTENTS, sender, name, first, second)
    raise_alarm(services, TWO_CONTENTS, sender, name, proof=proof)


def id_conflict(services: Services, peer: str, raw: bytes, stated: envelope.Envelope) -> None:
    """A message came under the id of another one: both are kept. It must not stop the refusal."""

    def first(tx: Transaction) -> bytes | None:
        known = tx.known(MessageKind.INBOUND, peer, stated.message_id)
        return tx.content(known.id, "wire") if known else None

    try:
        if kept := services.store.read(first):
            two_contents(services, peer, kept, raw, stated.message_id)
    except GatewayError as failure:
        log.warning("proof-not-kept", code=failure.code)
