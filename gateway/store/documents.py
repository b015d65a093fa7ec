"""Documents of messages, their bytes, and rows of evidence."""

import hashlib

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from gateway.errors import Finding, UnavailableError
from gateway.flows.ports import Document
from gateway.store.rows import Rows, insert_new, insert_or_replace
from gateway.store.tables import document, evidence, payload

_STORE = insert_new(payload)
# Locks a payload that is there, so that nobody prunes it meanwhile (SQLite has one writer).
_KEEP = insert(payload).on_conflict_do_update(
    index_elements=[payload.c.digest], set_={"size": payload.c.size}
)
_ATTACH = insert_or_replace(document)
_OF_MESSAGE = document.c.message_id == bindparam("message_id")
_DOCUMENTS = (
    select(
        document.c.role,
        document.c.digest,
        document.c.media_type,
        payload.c.size,
        document.c.retention,
        document.c.salt,
    )  # in the order of Document's fields
    .join(payload)
    .where(_OF_MESSAGE)
    .order_by(document.c.role)
)
_CONTENT = (
    select(payload.c.digest, payload.c.key_id, payload.c.content)
    .join(document)
    .where(_OF_MESSAGE, document.c.role == bindparam("role"))
)
_APPEND = insert(evidence)


class Documents(Rows):
    """Document rows point at payloads, which are stored once per content, encrypted where
    there is a vault."""

    _sealing: str | None = None

    def attach(
        self,
        message_id: str,
        role: str,
        content: bytes,
        media_type: str,
        retention: str,
        salt: bytes | None = None,
    ) -> str:
        """Store bytes (once per content) as a document of a message; return hex SHA-256.
        A role that is taken is replaced. salt: of what evidence says of the document."""
        digest = hashlib.sha256(content).hexdigest()
        self._store(digest, content)
        row = {"message_id": message_id, "role": role, "digest": digest, "salt": salt}
        self.connection.execute(_ATTACH, row | {"media_type": media_type, "retention": retention})
        return digest

    def documents(self, message_id: str) -> tuple[Document, ...]:
        """Return what is attached, sorted by role."""
        rows = self.connection.execute(_DOCUMENTS, {"message_id": message_id})
        return tuple(Document(*row) for row in rows)

    def content(self, message_id: str, role: str) -> bytes | None:
        """Return the bytes of a document. UnavailableError when they are encrypted with a key
        that is not at hand."""
        names = {"message_id": message_id, "role": role}
        row = self.connection.execute(_CONTENT, names).one_or_none()
        return None if row is None else self.opened(row.digest, row.key_id, row.content)

    def append_evidence(self, message_id: str, entry: bytes, salt: bytes, leaf: bytes) -> None:
        """Append a row of evidence: the entry's bytes, its salt, its leaf hash."""
        row = {"message_id": message_id, "entry": entry, "salt": salt, "leaf": leaf}
        self.connection.execute(_APPEND, row)

    def _store(self, digest: str, content: bytes) -> None:
        key_id = self._sealing_key()
        row = {"digest": digest, "size": len(content), "content": content, "key_id": key_id}
        if key_id is not None:
            row["content"] = self._sealed(key_id, digest, content)
        shared = self.connection.dialect.name == "postgresql"
        self.connection.execute(_KEEP if shared else _STORE, row)

    def _sealing_key(self) -> str | None:
        """Return the data key of this transaction; None when payloads lie in clear."""
        if self._vault is None or not self._vault.closes:
            return None
        if self._sealing is None:
            self._sealing = self._vault.current(self.connection)
        return self._sealing

    def _sealed(self, key_id: str, digest: str, content: bytes) -> bytes:
        if self._vault is None:
            raise _no_key(key_id)
        return self._vault.seal(self.connection, key_id, digest, content)

    def opened(self, digest: str, key_id: str | None, content: bytes) -> bytes:
        """Return the bytes of a payload as they were attached."""
        if key_id is None:
            return content
        if self._vault is None:
            raise _no_key(key_id)
        return self._vault.open(self.connection, key_id, digest, content)


def _no_key(key_id: str) -> UnavailableError:
    return UnavailableError("unavailable", Finding("unavailable", "at-rest-key", found=key_id))
