"""The evidence log on SQLite: what a row costs to append, and a proof of it to make and check."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from benchmarks.documents import NOW
from benchmarks.journal import SALT, journal
from benchmarks.measure import Ratio, compare
from gateway.evidence.log import grow, places, prove_inclusion
from gateway.evidence.rows import Row, row
from gateway.flows.ports import Transaction
from gateway.merkle import subtree
from gateway.store import Store

LEAVES = 20_000
BATCH = 500
"""Rows of one transaction of the sequencer, as in gateway.flows.sequence."""


def _row(number: int) -> Row:
    facts = {"message": f"{number:036}", "digest": hashlib.sha256(SALT).hexdigest()}
    return row("accepted", NOW, facts, SALT)


def _append(store: Store, first: int, size: int) -> None:
    """Accept so many rows in one commit, as acceptance does."""

    def work(tx: Transaction) -> None:
        for number in range(first, first + size):
            made = _row(number)
            tx.append_evidence("", made.entry, made.salt, made.leaf)

    store.commit(work)


def _sequence(store: Store) -> None:
    """Take a batch into the log, in one commit."""

    def work(tx: Transaction) -> None:
        rows, size = tx.waiting_evidence(BATCH), tx.log_size()
        leaves = [(size + place, each.id, each.leaf) for place, each in enumerate(rows)]
        tx.extend_log(leaves, grow(size, [each.leaf for each in rows], tx.log_node))

    store.commit(work)


@contextmanager
def _log() -> Iterator[tuple[Store, "count[int]"]]:
    """A store with a log of so many leaves."""
    with journal() as store:
        for first in range(0, LEAVES, BATCH):
            _append(store, first, BATCH)
            _sequence(store)
        yield store, count(LEAVES, BATCH)


def costs(verify: Callable[[], object]) -> tuple[Ratio, Ratio]:
    """Return the CPU time of (a row: made, appended, sequenced; an inclusion proof, made and
    checked), each / that of verifying one message's signature."""
    with _log() as (store, numbers):

        def append() -> None:
            _append(store, next(numbers), BATCH)
            _sequence(store)

        def verified() -> None:
            for _ in range(BATCH):
                verify()

        appended = compare(verified, append, 1)
        spread = count(0, 7919)  # a prime: all over the log
        root = store.read(lambda tx: subtree(0, LEAVES, tx.log_node))

        def prove() -> None:
            index = next(spread) % LEAVES
            wanted = places(lambda node: prove_inclusion(index, LEAVES, root, node))
            found = store.read(lambda tx: tx.log_nodes([*wanted, (0, index)]))
            proof = prove_inclusion(index, LEAVES, root, lambda *place: found[place])
            leaf = found[0, index]
            if not proof.holds(leaf):
                raise ValueError("the proof does not hold")

        return appended, compare(verify, prove, 200)
