"""The durable journal: what acceptance costs, and how many share a commit."""

import hashlib
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uuid_utils

from benchmarks.documents import NOW
from gateway import store
from gateway.evidence.rows import row
from gateway.flows.ports import Event, Message, Transaction
from gateway.model.states import MessageKind, MessageState, TaskKind

SALT = b"s" * 32


@contextmanager
def journal() -> Iterator[store.Store]:
    """A SQLite store (WAL, synchronous=FULL) in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        store.upgrade(url)
        opened = store.open(url)
        try:
            yield opened
        finally:
            opened.close()


def accept(tx: Transaction, raw: bytes, receipt: bytes) -> None:
    """What the receive flow stores for one message."""
    message_id = str(uuid_utils.uuid7())
    digest = hashlib.sha256(raw).hexdigest()
    tx.add_message(
        Message(
            id=message_id,
            kind=MessageKind.INBOUND,
            party="cn",
            external_id=message_id,
            conversation_id=message_id,
            document_type="cn.mt2401",
            state=MessageState.ACCEPTED,
            digest=digest,
            created=NOW,
            order_key=message_id,
            sequence=1,
            keys=(("batch", message_id),),
        )
    )
    tx.attach(message_id, "wire", raw + message_id.encode(), "application/xml", "document")
    tx.attach(message_id, "receipt", receipt + message_id.encode(), "application/xml", "evidence")
    tx.add_event(message_id, Event(NOW, "accepted"))
    evidence = row("accepted", NOW, {"message": message_id, "digest": digest}, SALT)
    tx.append_evidence(message_id, evidence.entry, evidence.salt, evidence.leaf)
    tx.enqueue(TaskKind.DISTRIBUTE, message_id, "internal", message_id, NOW)


def batch(opened: store.Store, raw: bytes, receipt: bytes, count: int) -> None:
    """Accept `count` messages in one group commit."""

    def work(tx: Transaction) -> None:
        for _ in range(count):
            accept(tx, raw, receipt)

    opened.commit(work)


def commits_per_message(raw: bytes, receipt: bytes, submitters: int = 32, each: int = 20) -> float:
    """Return durable commits per accepted message with that many concurrent submitters."""
    with journal() as opened:
        before = opened.commits
        start = threading.Barrier(submitters)

        def submit() -> None:
            start.wait()
            for _ in range(each):
                opened.commit(lambda tx: accept(tx, raw, receipt))

        threads = [threading.Thread(target=submit) for _ in range(submitters)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return (opened.commits - before) / (submitters * each)
