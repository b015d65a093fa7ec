"""The status projection."""

from sqlalchemy import bindparam, select

from gateway.flows.ports import StatusRow
from gateway.store.rows import Rows, insert_or_replace
from gateway.store.tables import status

_PUT = insert_or_replace(status)
_STATUS = (
    select(status)  # the columns stand in the order of StatusRow's fields
    .where(status.c.conversation_id == bindparam("conversation_id"))
    .order_by(status.c.axis, status.c.subject)
)


class Projection(Rows):
    """Where the subjects of a conversation stand; can be rebuilt from messages."""

    def put_status(self, row: StatusRow) -> None:
        """Insert or replace the row of (conversation, axis, subject)."""
        values = {name: getattr(row, name) for name in StatusRow.__slots__}
        self.connection.execute(_PUT, values)

    def status(self, conversation_id: str) -> tuple[StatusRow, ...]:
        """Return the status rows of a conversation, sorted by axis and subject."""
        rows = self.connection.execute(self._kept(_STATUS), {"conversation_id": conversation_id})
        return tuple(StatusRow(*row) for row in rows)
