"""Recompute everything: `gateway evidence audit`.

    1 payloads   each content against its address and size
    2 rows       each row of evidence against its leaf hash and its owner
    3 leaves     each leaf of the log against its row; none missing, none too many
    4 nodes      each complete subtree against its two halves
    5 heads      root, statement, signature and timestamp of each
    6 messages   fields, state, digest, keys, documents and timeline against evidence
    7 orders     legal holds and packs against evidence; data keys can be used
    8 statuses   kept answers of revocation sources against their signatures and digests

It reads one consistent view of the store and changes nothing. What is not evidence, and why,
stands in docs/operations.md.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.errors import GatewayError
from gateway.evidence.audit import (
    Flaw,
    StoredMessage,
    account,
    message_flaws,
    read_entry,
    row_flaws,
)
from gateway.flows import audit_ledger, audit_recognition
from gateway.flows.audit_log import head_flaws, leaf_flaws, node_flaws
from gateway.flows.audit_statuses import status_flaws
from gateway.flows.packs import BOUND
from gateway.flows.ports import Transaction
from gateway.flows.ports_log import Kept
from gateway.flows.record import facts_of
from gateway.flows.services import Services

PAGE = 500


@dataclass(slots=True)
class Audit:
    """What was looked at, how many of each, and what is wrong."""

    at: datetime
    counts: dict[str, int] = field(default_factory=dict)
    flaws: list[Flaw] = field(default_factory=list)

    def add(self, what: str, count: int, flaws: list[Flaw]) -> None:
        """Count what was looked at."""
        self.counts[what] = self.counts.get(what, 0) + count
        self.flaws += flaws


def audit(services: Services) -> Audit:
    """Audit the whole store; see the steps above. UnavailableError when it is down."""
    found = Audit(services.clock())

    def work(tx: Transaction) -> None:
        for check in CHECKS:
            check(services, tx, found)

    services.store.read(work)
    return found


def pages(page: Callable[[Any], tuple[Any, ...]], key: Callable[[Any], Any], start: Any) -> Any:
    """Yield what pages of rows after a key hold, until one is empty."""
    after = start
    while rows := page(after):
        yield from rows
        after = key(rows[-1])


def _payloads(services: Services, tx: Transaction, found: Audit) -> None:
    for each in pages(lambda after: tx.scan_payloads(after, PAGE), lambda row: row.digest, ""):
        flaws = []
        place = f"payload {each.digest}"
        if each.content is None:
            flaws = [Flaw(each.fault, place)]
        elif (digest := hashlib.sha256(each.content).hexdigest()) != each.digest:
            flaws = [Flaw("payload-digest", place, digest, each.digest)]
        elif len(each.content) != each.size:
            flaws = [Flaw("payload-size", place, str(each.size), str(len(each.content)))]
        found.add("payloads", 1, flaws)
    nameless = tx.nameless_payloads()
    found.add("payloads", 0, [Flaw("payload-nameless", f"payload {digest}") for digest in nameless])


def _rows(services: Services, tx: Transaction, found: Audit) -> None:
    for row in pages(lambda after: tx.scan_evidence(after, PAGE), lambda row: row.id, -1):
        flaws = row_flaws(row.id, row.message_id, row.entry, row.salt, row.leaf)
        found.add("rows", 1, flaws)
    found.add("waiting rows", tx.untaken_evidence(), [])
    left_out = [Flaw("log-left-out", f"evidence {number}") for number in tx.left_out_evidence()]
    lost = [Flaw("message-lost", f"message {name}") for name in tx.ownerless_evidence()]
    found.add("rows", 0, [*left_out, *lost])


def _log(services: Services, tx: Transaction, found: Audit) -> None:
    size, flaws = leaf_flaws(
        pages(lambda after: tx.scan_leaves(after, PAGE), lambda leaf: leaf.index, -1)
    )
    found.add("leaves", size, flaws)
    count, flaws = node_flaws(tx, size)
    found.add("nodes", count, flaws)
    for head in pages(lambda after: tx.scan_heads(after, PAGE), lambda head: head.size, -1):
        found.add("heads", 1, head_flaws(services, tx, head, size))


def _messages(services: Services, tx: Transaction, found: Audit) -> None:
    for name in pages(lambda after: tx.scan_messages(after, PAGE), lambda name: name, ""):
        try:
            flaws = _message(tx, name)
        except (GatewayError, ValueError) as fault:  # a column that cannot even be read
            flaws = [Flaw("message-unreadable", f"message {name}", type(fault).__name__)]
        found.add("messages", 1, flaws)


def _message(tx: Transaction, name: str) -> list[Flaw]:
    message = tx.message(name)
    if message is None:
        return [Flaw("message-lost", f"message {name}")]
    fields = facts_of(message)
    stored = StoredMessage(
        id=name,
        fields={k: v for k, v in fields.items() if k not in ("state", "conversation")},
        created=message.created.isoformat(),
        state=fields["state"],
        conversation=message.conversation_id,
        digest=message.digest,
        keys=message.keys,
        documents=[
            (d.role, d.digest, d.media_type, d.retention, d.salt) for d in tx.documents(name)
        ],
        events=[(e.at.isoformat(), e.code, e.detail) for e in tx.events(name)],
    )
    rows = filter(sound, tx.evidence_of(name))
    return message_flaws(stored, account(row.entry for row in rows))


def _orders(services: Services, tx: Transaction, found: Audit) -> None:
    said = list(_said(tx))
    held = _held(said)
    stored = {
        hold.conversation_id: (hold.at.isoformat(), hold.by, hold.reason)
        for hold in tx.legal_holds()
    }
    differing = sorted(
        name for name in held.keys() | stored.keys() if held.get(name) != stored.get(name)
    )
    found.add("holds", len(stored), [Flaw("hold-differs", f"hold {name}") for name in differing])
    packs = [each for each in said if each["kind"] == "pack-applied"]
    found.add("packs", len(packs), [flaw for each in packs for flaw in _pack_flaws(tx, each)])
    unusable = [Flaw("at-rest-key", f"data key {name}") for name in tx.unusable_data_keys()]
    found.add("data keys", 0, unusable)


def _pack_flaws(tx: Transaction, said: Mapping[str, Any]) -> list[Flaw]:
    name = f"{said['peer']}|{said['version']}"
    bound = tx.allocated(BOUND, name)
    if bound == said["digest"]:
        return []
    return [Flaw("pack-bound", f"pack {name}", bound or "", said["digest"])]


def _statuses(services: Services, tx: Transaction, found: Audit) -> None:
    count, flaws = status_flaws(tx, found.at)
    found.add("statuses", count, flaws)


def _held(said: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, str, str]]:
    """Fold the rows that order and lift holds."""
    held: dict[str, tuple[str, str, str]] = {}
    for each in said:
        if each["kind"] == "held":
            held[each["conversation"]] = (each["at"], each["by"], each["reason"])
        elif each["kind"] == "hold-lifted":
            held.pop(each["conversation"], None)
    return held


def _said(tx: Transaction) -> Iterator[Mapping[str, Any]]:
    """Yield what the rows without a message say; step 2 names those that were changed."""
    for row in tx.evidence_of(""):
        said = read_entry(row.entry)
        if said is not None and sound(row):
            yield said


def sound(row: Kept) -> bool:
    """True for a row that is as it was written."""
    return not row_flaws(row.id, row.message_id, row.entry, row.salt, row.leaf)


CHECKS: tuple[Callable[[Services, Transaction, Audit], None], ...] = (
    _payloads,
    _rows,
    _log,
    _messages,
    _orders,
    _statuses,
    audit_ledger.check,
    audit_recognition.check,
)
