"""Signed heads of the log, and their timestamps.

    1 due      the log has grown, and time or rows have passed (gateway.evidence.heads.Pace)
    2 hold     one node at a time
    3 sign     a DSSE statement by the head key, outside any transaction
    4 store    unless there is a head of that size: one size has one head, for ever
    5 stamp    later and apart: RFC 3161, over the octets of the signature

While the time-stamping authority is away heads are `pending`; after the bounded time they are
`overdue`, which is an alarm, and still get their timestamp when it comes back.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import structlog

from gateway.errors import Finding, GatewayError, StateError
from gateway.evidence.heads import (
    HEAD_TYPE,
    HeadFacts,
    head_due,
    head_payload,
    signature_octets,
)
from gateway.evidence.log import (
    Consistency,
    Inclusion,
    places,
    prove_consistency,
    prove_inclusion,
)
from gateway.flows.ports import Transaction
from gateway.flows.ports_log import Head
from gateway.flows.services import Services
from gateway.merkle import Nodes, subtree
from gateway.signing.dsse import sign_statement

LEASE = timedelta(seconds=60)
"""Longer than a signature and a few timestamps take."""

STAMPED_AT_ONCE = 20
"""Heads that one run stamps."""

log = structlog.get_logger("gateway.heads")


def make_head(services: Services, owner: str) -> int:
    """Sign a head if one is due; return 1 when one was made. UnavailableError when the key
    cannot sign now; the next run tries again."""
    if services.head_signer is None or not services.store.read(lambda tx: _grown(services, tx)):
        return 0
    facts = services.store.commit(lambda tx: _due(services, tx, owner))
    if facts is None:
        return 0
    statement = sign_statement(HEAD_TYPE, head_payload(facts), [services.head_signer])
    state = "unasked" if services.timestamps is None else "pending"
    head = Head(facts.size, facts.root, facts.at, statement, state)
    return int(services.store.commit(lambda tx: tx.add_head(head)))


def _grown(services: Services, tx: Transaction) -> bool:
    last = tx.latest_head()
    known = (last.size, last.at) if last else None
    return head_due(services.pace, tx.log_size(), services.clock(), known)


def _due(services: Services, tx: Transaction, owner: str) -> HeadFacts | None:
    now = services.clock()
    if not _grown(services, tx) or not tx.hold("heads", owner, now, now + LEASE):
        return None
    size = tx.log_size()
    root = subtree(0, size, tx.log_node)
    return HeadFacts(services.name, services.side, tx.epoch(services.name), size, root, now)


def stamp_heads(services: Services, owner: str) -> int:
    """Get timestamps for heads that wait, the newest first; return how many were stamped."""
    authority = services.timestamps
    if authority is None or not services.store.read(lambda tx: tx.unstamped_heads(1)):
        return 0
    now = services.clock()
    stamped = 0
    for head in services.store.commit(lambda tx: _unstamped(tx, owner, now)):
        try:
            token = authority.stamp(signature_octets(head.statement))
        except GatewayError as failure:
            log.warning("head-not-stamped", size=head.size, code=failure.code)
            break
        services.store.commit(partial(_stamp, services, head.size, token))
        stamped += 1
    _raise_alarm(services, now)
    return stamped


def _stamp(services: Services, size: int, token: bytes, tx: Transaction) -> None:
    tx.stamp_head(size, token, services.clock())


def _unstamped(tx: Transaction, owner: str, now: datetime) -> tuple[Head, ...]:
    heads = tx.unstamped_heads(STAMPED_AT_ONCE)
    return heads if heads and tx.hold("stamp-heads", owner, now, now + LEASE) else ()


def _raise_alarm(services: Services, now: datetime) -> None:
    """Mark heads whose time is over. Metrics and readiness tell of them as long as they wait."""
    oldest = now - services.pace.stamped_within

    def work(tx: Transaction) -> list[int]:
        waiting = tx.unstamped_heads(STAMPED_AT_ONCE)
        late = [h.size for h in waiting if h.state == "pending" and h.at <= oldest]
        for size in late:
            tx.set_head_overdue(size)
        return late

    for size in services.store.commit(work):
        log.error("head-overdue", size=size)


def alarms(services: Services) -> tuple[Head, ...]:
    """Return the heads that have waited too long for their timestamp, newest first."""
    waiting = services.store.read(lambda tx: tx.unstamped_heads(STAMPED_AT_ONCE))
    return tuple(head for head in waiting if head.state == "overdue")


def inclusion(services: Services, index: int, size: int) -> Inclusion:
    """Prove a leaf under the head of a size. StateError `not-found` for a size that has no
    head or does not reach the leaf."""

    def work(tx: Transaction) -> Inclusion:
        head = tx.head_at(size)
        if head is None or not 0 <= index < size:
            raise StateError("not-found", Finding("not-found", "log-head", found=str(size)))
        return _inclusion(tx, index, head)

    return services.store.read(work)


def _inclusion(tx: Transaction, index: int, head: Head) -> Inclusion:
    node = _looked_up(tx, partial(prove_inclusion, index, head.size, head.root))
    return prove_inclusion(index, head.size, head.root, node)


def _looked_up(tx: Transaction, make: Callable[[Nodes], object]) -> Nodes:
    """Fetch what a proof needs in one question."""
    found = tx.log_nodes(places(make))
    return lambda level, index: found[level, index]


def inclusions(services: Services, message_id: str) -> tuple[tuple[int, Inclusion | None], ...]:
    """Prove each row of a message under the smallest head that covers it: (row id, proof); no
    proof where the log or a head has not come to it yet."""

    def work(tx: Transaction) -> tuple[tuple[int, Inclusion | None], ...]:
        found = []
        for row in tx.evidence_of(message_id):
            head = tx.head_covering(row.index) if row.index is not None else None
            proof = None
            if head is not None and row.index is not None:
                proof = _inclusion(tx, row.index, head)
            found.append((row.id, proof))
        return tuple(found)

    return services.store.read(work)


def consistency(services: Services, old: int, new: int) -> Consistency:
    """Prove that the log at one size begins the log at another. StateError `not-found` when
    the log is smaller than `new` or `old` is greater."""

    def work(tx: Transaction) -> Consistency:
        if not 0 <= old <= new <= tx.log_size():
            raise StateError("not-found", Finding("not-found", "log-head", found=f"{old} {new}"))
        node = _looked_up(tx, partial(prove_consistency, old, new))
        return prove_consistency(old, new, node)

    return services.store.read(work)
