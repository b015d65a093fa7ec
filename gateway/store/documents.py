"""Documents of messages, their bytes, and rows of evidence."""

import hashlib

from sqlalchemy import bindparam, insert, select

from gateway.flows.ports import Document
from gateway.store.rows import Rows, insert_new, insert_or_replace
from gateway.store.tables import document, evidence, payload

_STORE = insert_new(payload)
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
    select(payload.c.content)
    .join(document)
    .where(_OF_MESSAGE, document.c.role == bindparam("role"))
)
_APPEND = insert(evidence)


class Documents(Rows):
    """Document rows point at payloads, which are stored once per content."""

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
        bytes_ = {"digest": digest, "size": len(content), "content": content}
        self.connection.execute(_STORE, bytes_)
        row = {"message_id": message_id, "role": role, "digest": digest, "salt": salt}
        self.connection.execute(_ATTACH, row | {"media_type": media_type, "retention": retention})
        return digest

    def documents(self, message_id: str) -> tuple[Document, ...]:
        """Return what is attached, sorted by role."""
        rows = self.connection.execute(_DOCUMENTS, {"message_id": message_id})
        return tuple(Document(*row) for row in rows)

    def content(self, message_id: str, role: str) -> bytes | None:
        """Return the bytes of a document."""
        return self.connection.scalar(_CONTENT, {"message_id": message_id, "role": role})

    def append_evidence(self, message_id: str, entry: bytes, salt: bytes, leaf: bytes) -> None:
        """Append a row of evidence: the entry's bytes, its salt, its leaf hash."""
        row = {"message_id": message_id, "entry": entry, "salt": salt, "leaf": leaf}
        self.connection.execute(_APPEND, row)
