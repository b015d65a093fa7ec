"""The store: opening a database, committing, reading."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TypeVar

from sqlalchemy import Engine, make_url
from sqlalchemy.exc import ArgumentError

from gateway.errors import Finding, UnavailableError
from gateway.store import postgresql, schema, sqlite
from gateway.store.committer import Committer
from gateway.store.failures import translated
from gateway.store.transaction import Transaction
from gateway.store.vault import Vault

T = TypeVar("T")

WAIT = 10.0  # seconds to wait for a lock of another process


def engines(url: str, wait: float = WAIT) -> tuple[Engine, Engine]:
    """Return (writer, readers) of a database. No connection is made yet.

    url: `sqlite:///folder/file` or `postgresql://user:password@host/database`.
    UnavailableError with a finding for any other URL, or for a file that cannot be ours.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise _unknown_url() from error
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        return sqlite.engines(parsed, wait)
    if kind == "postgresql":
        return postgresql.engines(parsed, wait)
    raise _unknown_url()


def open(url: str, *, wait: float = WAIT, vault: Vault | None = None) -> "Store":
    """Open the store of a database; `check` tells whether its schema is current.

    wait: seconds to wait for another process's lock before UnavailableError. vault: encrypts
    payloads; None: they are stored in clear, and encrypted ones cannot be read.
    """
    return Store(*engines(url, wait), vault)


class Store:
    """Implements `gateway.flows.ports.Store`. Close it: it has a thread and connections."""

    def __init__(self, writer: Engine, readers: Engine, vault: Vault | None = None) -> None:
        self._writer = writer
        self._readers = readers
        self._vault = vault
        self._committer = Committer(lambda: _transaction(writer, vault, writing=True))

    @property
    def commits(self) -> int:
        """How many commits this store made: each was one durable write."""
        return self._committer.commits

    @property
    def waiting(self) -> int:
        """How many works wait for the writer."""
        return self._committer.waiting

    def submit(self, work: Callable[[Transaction], T]) -> Future[T]:
        """Like `commit`, but return at once; the future ends when `commit` would."""
        return self._committer.submit(work)

    def commit(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction and return its result once it is durable.

        Calls that wait at the same time may share one commit; `work` must not depend on
        running once: it may be run again after a rollback. It runs in the writer's thread,
        where it holds up the others: decode, sign and so on before. What it raises is
        raised here, and none of its effects stay. UnavailableError when the database is
        down, locked, full or read-only, and after `close`; if the connection broke during
        the commit itself, the effects may yet be there, whole.
        """
        return self._committer.submit(work).result()

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`, which only reads, on a consistent view."""
        with _transaction(self._readers, self._vault, writing=False) as transaction:
            return work(transaction)

    def check(self) -> None:
        """Return when the store answers, takes writes, its schema is current and payloads can
        be encrypted where they are to be, else UnavailableError."""
        self.commit(self._require)

    def _require(self, transaction: Transaction) -> None:
        schema.require(transaction.connection)
        if self._vault is not None:
            self._vault.prepare(transaction.connection)

    def close(self) -> None:
        """Finish the works that wait, end the thread, close the connections."""
        self._committer.close()
        self._writer.dispose()
        self._readers.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


@contextmanager
def _transaction(engine: Engine, vault: Vault | None, *, writing: bool) -> Iterator[Transaction]:
    with translated(), engine.begin() as connection:
        yield Transaction(connection, writing=writing, vault=vault)


def _unknown_url() -> UnavailableError:
    expected = "sqlite:///folder/file or postgresql://user@host/database"
    return UnavailableError("unavailable", Finding("unavailable", "store-url", expected=expected))
