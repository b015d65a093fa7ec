"""Payloads are encrypted at rest: AES-256-GCM, a random nonce, the content's digest as
additional data, so that a ciphertext cannot be put in another one's place.

Payloads are encrypted with data keys; those lie in the database, each wrapped with a key that
is never stored there. A data key encrypts at most 2^32 payloads (NIST SP 800-38D, 8.3): a new
one comes with each `rekey`.
"""

from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, bindparam, insert, select

from gateway.errors import Finding, UnavailableError
from gateway.flows.ports import Clock, IdMaker, Randomness
from gateway.signing.wrapping import KEY_SIZE, NONCE_SIZE, Wrapper
from gateway.store.tables_log import data_key

_NEWEST = select(data_key.c.id).order_by(data_key.c.created.desc(), data_key.c.id.desc()).limit(1)
_BY_ID = select(data_key.c.wrapper, data_key.c.wrapped).where(data_key.c.id == bindparam("key_id"))
_ADD = insert(data_key)


class Vault:
    """Encrypts and opens payloads. Safe for many threads."""

    def __init__(
        self,
        wrappers: Mapping[str, Wrapper],
        clock: Clock,
        ids: IdMaker,
        randomness: Randomness,
    ) -> None:
        """wrappers: wrapping keys by id, the one for new data keys first. None at all: payloads
        are stored in clear."""
        self._wrappers = dict(wrappers)
        self._clock, self._ids, self._randomness = clock, ids, randomness
        self._open: dict[str, AESGCM] = {}

    @property
    def closes(self) -> bool:
        """True when payloads are encrypted."""
        return bool(self._wrappers)

    def prepare(self, connection: Connection) -> None:
        """Make a data key if there is none; see that the newest one can be used.

        UnavailableError `at-rest-key` when the key that wraps it is not at hand.
        """
        if self.closes:
            if connection.scalar(_NEWEST) is None:
                self.new_key(connection)
            self._key(connection, self.current(connection))

    def new_key(self, connection: Connection) -> str:
        """Make a data key under the first wrapping key; from its commit on it encrypts."""
        key_id, wrapper = self._ids(), next(iter(self._wrappers))
        wrapped = self._wrappers[wrapper].wrap(self._randomness(KEY_SIZE), key_id)
        row = {"id": key_id, "wrapper": wrapper, "wrapped": wrapped, "created": self._clock()}
        connection.execute(_ADD, row)
        return key_id

    def current(self, connection: Connection) -> str:
        """Return the id of the newest data key; asked in each transaction, as another process
        may have made one."""
        found: str | None = connection.scalar(_NEWEST)
        if found is None:
            raise _missing("none")
        return found

    def seal(self, connection: Connection, key_id: str, digest: str, content: bytes) -> bytes:
        """Return nonce || ciphertext || tag."""
        return _sealed(self._key(connection, key_id), content, digest, self._randomness)

    def open(self, connection: Connection, key_id: str, digest: str, sealed: bytes) -> bytes:
        """Return the content. UnavailableError, rule `at-rest-key` (not at hand) or
        `payload-damaged` (nobody who has the key wrote this)."""
        try:
            return _opened(self._key(connection, key_id), sealed, digest)
        except (InvalidTag, ValueError):
            finding = Finding("unavailable", "payload-damaged", found=digest)
            raise UnavailableError("unavailable", finding) from None

    def has(self, connection: Connection, key_id: str) -> bool:
        """True when a data key can be unwrapped as it lies in the database now."""
        self._open.pop(key_id, None)
        try:
            self._key(connection, key_id)
        except UnavailableError:
            return False
        return True

    def _key(self, connection: Connection, key_id: str) -> AESGCM:
        known = self._open.get(key_id)
        if known is not None:
            return known
        row = connection.execute(_BY_ID, {"key_id": key_id}).one_or_none()
        wrapper = self._wrappers.get(row.wrapper) if row else None
        if row is None or wrapper is None:
            raise _missing(row.wrapper if row else key_id)
        try:
            key = AESGCM(wrapper.unwrap(row.wrapped, key_id))
        except ValueError:
            raise _missing(row.wrapper) from None
        self._open[key_id] = key
        return key


def _sealed(key: AESGCM, content: bytes, name: str, randomness: Randomness) -> bytes:
    nonce = randomness(NONCE_SIZE)
    return nonce + key.encrypt(nonce, content, name.encode())


def _opened(key: AESGCM, sealed: bytes, name: str) -> bytes:
    return key.decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], name.encode())


def _missing(key_id: str) -> UnavailableError:
    return UnavailableError("unavailable", Finding("unavailable", "at-rest-key", found=key_id))
