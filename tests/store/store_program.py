"""A process of its own that works on a store: `store_program.py ACTION URL ...`.

It tells on standard output what is durable, one line each, before anything else happens.
"""

import os
import resource
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from functools import partial
from itertools import count
from pathlib import Path

from sqlalchemy import select
from store_sample import NOW, at, sample

from gateway import store as stores
from gateway.errors import UnavailableError
from gateway.flows.ports import Event, Task, Transaction
from gateway.model.states import TaskKind
from gateway.store import Store
from gateway.store.tables import evidence


def start(*arguments: str) -> "subprocess.Popen[str]":
    """Start this program; its errors show in the test's output."""
    command = [sys.executable, __file__, *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1)


def all_at_once(processes: "list[subprocess.Popen[str]]") -> list[str]:
    """Let processes that wait for it go on at the same time; return all that they tell."""
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [line for p in processes for line in p.communicate(timeout=240)[0].splitlines()]
    assert [p.returncode for p in processes] == [0] * len(processes)
    return told


def tell(line: str) -> None:
    """Write a line at once and whole: one system call, shorter than a pipe's buffer."""
    os.write(1, f"{line}\n".encode())


def in_threads(number: int, work: Callable[[], None]) -> None:
    """Run a work in so many threads; the first that raises ends the process."""
    pool = ThreadPoolExecutor(number)
    done, _ = wait([pool.submit(work) for _ in range(number)], return_when=FIRST_EXCEPTION)
    for future in done:
        if error := future.exception():
            traceback.print_exception(error)
            os._exit(1)


def original(name: str) -> bytes:
    """Return the bytes that belong to a message, of several pages."""
    return name.encode() * 800


def accept(tx: Transaction, name: str) -> None:
    """Accept a message: all of it or nothing."""
    tx.add_message(sample(name, conversation_id="c", keys=(("batch", name),)))
    tx.attach(name, "original", original(name), "text/xml", "document")
    tx.attach(name, "report", name.encode(), "application/json", "report")
    tx.append_evidence(name, name.encode(), b"salt", b"leaf")
    tx.add_event(name, Event(NOW, "accepted", {"number": str(tx.count("accepted"))}))
    tx.enqueue(TaskKind.SEND, name, "cn", f"key {name[-1]}", NOW)


def deliver(tx: Transaction, owner: str) -> list[str]:
    """Finish what can be leased, in one commit."""
    leased = tx.lease(owner, NOW, at(60), 3)
    for task in leased:
        assert tx.complete(task.id, owner)
        tx.add_event(task.message_id, Event(NOW, "delivered"))
    return [task.message_id for task in leased]


def write(store: Store, name: str) -> None:
    """Accept and deliver messages until somebody kills the process."""
    numbers = count()

    def loop() -> None:
        for number in numbers:
            message = f"{name}.{number}"
            store.commit(partial(accept, name=message))
            tell(f"accepted {message}")
            for delivered in store.commit(lambda tx: deliver(tx, name)):
                tell(f"delivered {delivered}")

    in_threads(6, loop)


def fill(store: Store, size: str) -> None:
    """Accept messages until the system refuses to let the files grow any more."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limit = int(size) + 200_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        for number in range(1000):
            store.commit(partial(accept, name=f"m{number}"))
            tell(f"m{number}")
    except UnavailableError:
        tell("unavailable")


def contend(store: Store, name: str, folder: str) -> None:
    """Do what other processes do at the same time, and tell what came out."""
    store.check()
    tell("ready")
    sys.stdin.readline()
    numbers = iter(range(60))

    def turn(number: int) -> None:
        key = f"key {number}"
        tell(f"allocated {number} {store.commit(lambda tx: tx.allocate('scope', key, name))}")
        tell(f"counted {store.commit(lambda tx: tx.count('contended'))}")
        added = store.commit(lambda tx: tx.add_message(sample(f"{name} {number}", external_id=key)))
        tell(f"added {number} {added}")

    def loop() -> None:
        for number in numbers:
            turn(number)
        for line in work_off(store, name, Path(folder)):
            tell(line)

    in_threads(4, loop)


def work_off(store: Store, name: str, folder: Path) -> Iterator[str]:
    """Work on tasks until there are none; a file per key shows who is at it."""
    owner = f"{name} {threading.get_ident()}"

    def finish(tx: Transaction, task: Task) -> int:
        assert tx.complete(task.id, owner)
        return tx.count(f"place {task.order_key}")

    while store.read(lambda tx: tx.backlog()):
        for task in store.commit(lambda tx: tx.lease(owner, NOW, at(60), 2)):
            mark = folder / task.order_key
            os.close(os.open(mark, os.O_CREAT | os.O_EXCL))  # fails if another is at it
            store.commit(lambda tx: tx.count("steps under way"))
            mark.unlink()
            place = store.commit(partial(finish, task=task))
            yield f"worked {task.order_key} {place} {task.id}"


def assert_whole(store: Store, accepted: Iterable[str], delivered: Iterable[str] = ()) -> None:
    """What was accepted and delivered is there, and all that is there is whole and was
    counted once."""

    def look(tx: Transaction) -> None:
        messages = {m.id for m in tx.conversation("c")}
        events = {name: tx.events(name) for name in messages}
        assert set(accepted) <= messages
        assert set(delivered) <= {n for n, found in events.items() if len(found) == 2}
        for name in messages:
            assert tx.content(name, "original") == original(name)
            assert tx.content(name, "report") == name.encode()
            codes = [e.code for e in events[name]]
            assert codes[:2] in (["accepted"], ["accepted", "delivered"])
            assert len(tx.pending(name)) == 2 - len(codes)
        rows = tx.connection.scalars(select(evidence.c.message_id)).all()
        assert sorted(rows) == sorted(messages)
        numbers = sorted(int(found[0].detail["number"]) for found in events.values())
        assert numbers == list(range(1, len(messages) + 1))

    store.read(look)


def hold(store: Store, owner: str) -> None:
    """Take a lease when told, and tell whether it was got."""
    tell("ready")
    sys.stdin.readline()
    tell(str(store.commit(lambda tx: tx.hold("chore", owner, NOW, at(60)))))


def upgrade(url: str) -> None:
    """Upgrade when told."""
    tell("ready")
    sys.stdin.readline()
    stores.upgrade(url)


if __name__ == "__main__":
    action, url, *arguments = sys.argv[1:]
    if action == "upgrade":
        upgrade(url)
    else:
        with stores.open(url) as opened:
            actions = {"write": write, "contend": contend, "fill": fill, "hold": hold}
            actions[action](opened, *arguments)
