"""Messages, their search keys and timelines."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, insert, or_, select, update

from gateway.flows.ports import Event, Message, Page
from gateway.model.states import MessageKind, MessageState
from gateway.store import cursor
from gateway.store.rows import Rows, insert_new
from gateway.store.tables import event, message, message_key

_ADD = insert_new(message)
_ADD_KEY = insert_new(message_key)
_ADD_EVENT = insert(event)
_MESSAGE = select(message)  # the columns stand in the order of Message's fields
_BY_ID = _MESSAGE.where(message.c.id == bindparam("message_id"))
_BY_NAME = _MESSAGE.where(
    message.c.kind == bindparam("kind"),
    message.c.party == bindparam("party"),
    message.c.external_id == bindparam("external_id"),
)
_CONVERSATION = _MESSAGE.where(message.c.conversation_id == bindparam("conversation_id")).order_by(
    message.c.created, message.c.id
)
_CREATED = select(message.c.created).where(message.c.id == bindparam("message_id"))
_KEYS = (
    select(message_key.c.message_id, message_key.c.kind, message_key.c.value)
    .where(message_key.c.message_id.in_(bindparam("ids", expanding=True)))
    .order_by(message_key.c.message_id, message_key.c.kind, message_key.c.value)
)
_CHANGE = update(message).where(message.c.id == bindparam("message_id"))
_EVENTS = (
    select(event.c.at, event.c.code, event.c.detail)
    .where(event.c.message_id == bindparam("message_id"))
    .order_by(event.c.id)
)
_SEQUENCES = (
    select(message.c.sequence)
    .where(
        message.c.order_key == bindparam("order_key"),
        message.c.sequence.is_not(None),
        message.c.kind == bindparam("kind"),
        message.c.party == bindparam("party"),
    )
    .distinct()
    .order_by(message.c.sequence)
)


class Messages(Rows):
    """Message rows. The keys of a message come back sorted."""

    def add_message(self, message: Message) -> bool:
        """Insert; False when (kind, party, external_id) is known."""
        if not self.connection.execute(_ADD, _columns(message)).rowcount:
            return False
        self._add_keys(message.id, message.created, message.keys)
        return True

    def message(self, message_id: str) -> Message | None:
        """Return a message by our id."""
        return self._one(_BY_ID, {"message_id": message_id})

    def known(self, kind: MessageKind, party: str, external_id: str) -> Message | None:
        """Return the message that a party named so."""
        return self._one(_BY_NAME, {"kind": kind, "party": party, "external_id": external_id})

    def set_state(self, message_id: str, state: MessageState) -> None:
        """Move a message; the caller adds the event."""
        self._change(message_id, state=state)

    def set_digest(self, message_id: str, digest: str) -> None:
        """Set the digest once the signed bytes exist."""
        self._change(message_id, digest=digest)

    def move_to(self, message_id: str, conversation_id: str) -> None:
        """Put a message into another conversation (a join found its set)."""
        self._change(message_id, conversation_id=conversation_id)

    def add_keys(self, message_id: str, keys: Sequence[tuple[str, str]]) -> None:
        """Make a message findable by more keys; known ones are left alone."""
        created = self.connection.scalar(_CREATED, {"message_id": message_id})
        self._add_keys(message_id, created, keys)

    def add_event(self, message_id: str, event: Event) -> None:
        """Append to the timeline."""
        row = {"at": event.at, "code": event.code, "detail": dict(event.detail)}
        self.connection.execute(_ADD_EVENT, {"message_id": message_id, **row})

    def events(self, message_id: str) -> tuple[Event, ...]:
        """Return the timeline, oldest first."""
        rows = self.connection.execute(_EVENTS, {"message_id": message_id})
        return tuple(Event(*row) for row in rows)

    def conversation(self, conversation_id: str) -> tuple[Message, ...]:
        """Return the messages of a conversation, oldest first."""
        return self._many(self._kept(_CONVERSATION), {"conversation_id": conversation_id})

    def sequences(self, kind: MessageKind, party: str, order_key: str) -> tuple[int, ...]:
        """Return the sequence numbers that a party's order key has used, ascending."""
        names = {"kind": kind, "party": party, "order_key": order_key}
        return tuple(self.connection.scalars(_SEQUENCES, names))

    def search(
        self,
        *,
        key: tuple[str, str] | None = None,
        kind: MessageKind | None = None,
        party: str | None = None,
        state: MessageState | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page:
        """Return messages, newest first, by any of the conditions. after: a Page.cursor;
        one that was not made here is a DocumentError `rule-broken`."""
        statement = _search(key, {"kind": kind, "party": party, "state": state}, after)
        # One more than asked for: it tells whether there is a next page.
        found = self._many(statement.limit(limit + 1), {})
        if len(found) <= limit:
            return Page(found, None)
        last = found[limit - 1]
        return Page(found[:limit], cursor.write(last.created, last.id))

    def _add_keys(
        self, message_id: str, created: datetime | None, keys: Sequence[tuple[str, str]]
    ) -> None:
        if keys:
            row = {"message_id": message_id, "created": created}
            rows = [row | {"kind": kind, "value": value} for kind, value in keys]
            self.connection.execute(_ADD_KEY, rows)

    def _change(self, message_id: str, **values: object) -> None:
        self.connection.execute(_CHANGE.values(**values), {"message_id": message_id})

    def _one(self, statement: Select[Any], names: Mapping[str, object]) -> Message | None:
        return next(iter(self._many(self._kept(statement), names)), None)

    def _many(self, statement: Select[Any], names: Mapping[str, object]) -> tuple[Message, ...]:
        rows = self.connection.execute(statement, dict(names)).all()
        if not rows:
            return ()
        keys: dict[str, list[tuple[str, str]]] = {row.id: [] for row in rows}
        for message_id, kind, value in self.connection.execute(_KEYS, {"ids": list(keys)}):
            keys[message_id].append((kind, value))
        return tuple(_message(row, keys[row.id]) for row in rows)


def _columns(message: Message) -> dict[str, object]:
    return {name: getattr(message, name) for name in message.__slots__ if name != "keys"}


def _message(row: Row[Any], keys: list[tuple[str, str]]) -> Message:
    return Message(**row._mapping, keys=tuple(keys))


def _search(
    key: tuple[str, str] | None, equal: Mapping[str, object], after: str | None
) -> Select[Any]:
    statement, created, message_id = _MESSAGE, message.c.created, message.c.id
    if key is not None:
        # A key finds few rows: begin with them, and follow the order of their index.
        created, message_id = message_key.c.created, message_key.c.message_id
        statement = statement.join(message_key).where(
            message_key.c.kind == key[0], message_key.c.value == key[1]
        )
    for name, value in equal.items():
        if value is not None:
            statement = statement.where(message.c[name] == value)
    if after is not None:
        # In this form both databases start at the cursor's place in the index.
        since, last = cursor.read(after)
        earlier = and_(created == since, message_id < last)
        statement = statement.where(created <= since, or_(created < since, earlier))
    return statement.order_by(created.desc(), message_id.desc())
