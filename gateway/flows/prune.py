"""Documents go after their time; what proves that they were there stays.

    1 due       documents of messages that are done, past the time of their role or class
    2 spare     conversations under legal hold
    3 record    a row of evidence says which went, so that the audit tells pruned from lost
    4 drop      the bytes, and the salt of what evidence said of them: nobody can guess them

The log, its leaves, proofs and heads are never pruned, nor are rows of evidence, which hold
no personal values. Also here: payloads under a new key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from gateway.errors import Finding, UnavailableError
from gateway.flows.ports import Transaction
from gateway.flows.ports_log import Due
from gateway.flows.record import step
from gateway.flows.services import Services

BATCH = 200
"""Documents of one transaction."""

LEASE = timedelta(minutes=5)

SETTLED = timedelta(hours=1)
"""A transaction that began under an older data key has ended by then."""


@dataclass(frozen=True, slots=True)
class Keep:
    """How long documents stay after their message was made. classes: by retention class.
    roles: by role, before its class. What is in neither stays for good."""

    classes: Mapping[str, timedelta] = field(default_factory=dict)
    roles: Mapping[str, timedelta] = field(default_factory=dict)


def prune(services: Services, keep: Keep, owner: str) -> int:
    """Drop documents whose time is over; return how many. owner: this process."""
    if not keep.classes and not keep.roles:
        return 0
    total = 0
    while True:
        count = services.store.commit(lambda tx: _prune(services, tx, keep, owner))
        total += count
        if count < BATCH:
            return total


def _prune(services: Services, tx: Transaction, keep: Keep, owner: str) -> int:
    now = services.clock()
    if not tx.hold("prune", owner, now, now + LEASE):
        return 0
    named = tuple(keep.roles)
    rules = [Due(now - time, role=role) for role, time in keep.roles.items()]
    rules += [Due(now - time, name, but=named) for name, time in keep.classes.items()]
    due = tx.due_documents(rules, BATCH)
    for message_id in dict.fromkeys(message_id for message_id, _ in due):
        roles = [role for of, role in due if of == message_id]
        for role in roles:
            tx.drop_document(message_id, role)
        step(services, "pruned", message_id, now, {"roles": roles}).write(tx)
    return len(due)


def rekey(services: Services) -> int:
    """Make a data key under the first wrapping key and put all payloads under it, those in
    clear too; return how many. Safe beside running nodes, and to run again.

    UnavailableError `at-rest-key` when [at_rest] names no key, or one is not at hand.
    """
    current = services.store.commit(lambda tx: tx.new_data_key())
    if current is None:
        raise UnavailableError("unavailable", Finding("unavailable", "at-rest-key", found="none"))
    made = step(services, "rekeyed", "", services.clock(), {"key": current})
    services.store.commit(made.write)
    total = 0
    while count := services.store.commit(lambda tx: tx.rekey(current, BATCH)):
        total += count
    before = services.clock() - SETTLED
    services.store.commit(lambda tx: tx.drop_data_keys(before))
    return total
