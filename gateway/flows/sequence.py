"""Rows of evidence become leaves of the log.

    1 hold     the lease of the one sequencer, in the transaction that extends the log
    2 take     the rows that wait, in the order of their ids
    3 grow     the complete subtrees that they complete
    4 store    leaves and nodes; the rows wait no longer

Acceptance never waits for this. Two nodes that try at once: the second waits for the first
one's commit and then finds the lease taken; the keys of the tables would refuse a fork.
"""

from datetime import timedelta

from gateway.evidence.log import grow
from gateway.flows.ports import Transaction
from gateway.flows.services import Services

BATCH = 500
"""Rows of one transaction: it holds up those that accept for a few milliseconds."""

LEASE = timedelta(seconds=30)
"""After this another node takes over from one that died."""


def sequence(services: Services, owner: str) -> int:
    """Take all rows that wait; return how many. owner: this process."""
    total = 0
    if not services.store.read(lambda tx: tx.untaken_evidence()):
        return 0
    while True:
        count = services.store.commit(lambda tx: _extend(services, tx, owner))
        total += count
        if count < BATCH:
            return total


def _extend(services: Services, tx: Transaction, owner: str) -> int:
    now = services.clock()
    if not tx.hold("sequence", owner, now, now + LEASE):
        return 0
    rows = tx.waiting_evidence(BATCH)
    if not rows:
        return 0
    size = tx.log_size()
    leaves = [(size + place, row.id, row.leaf) for place, row in enumerate(rows)]
    tx.extend_log(leaves, grow(size, [row.leaf for row in rows], tx.log_node))
    return len(rows)
