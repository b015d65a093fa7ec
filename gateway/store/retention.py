"""What goes after its time, what may not, and payloads under a new key."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from gateway.flows.ports_log import Due, LegalHold
from gateway.model.states import MessageKind, MessageState
from gateway.store.documents import Documents
from gateway.store.tables import OPEN, document, message, payload, task
from gateway.store.tables_log import data_key, legal_hold

_UNDER_WAY = (MessageState.WAITING, MessageState.QUEUED, MessageState.ACCEPTED)
_HELD = select(legal_hold.c.conversation_id)
_WORK = exists().where(task.c.message_id == message.c.id, OPEN)
_DUE = (
    select(document.c.message_id, document.c.role)
    .join(message)
    .where(
        message.c.state.not_in(_UNDER_WAY),
        message.c.conversation_id.not_in(_HELD),
        ~_WORK,
    )
    .order_by(message.c.created, document.c.message_id, document.c.role)
)
_DROP = delete(document).where(
    document.c.message_id == bindparam("of_message"), document.c.role == bindparam("of_role")
)
_DIGEST = select(document.c.digest).where(
    document.c.message_id == bindparam("of_message"), document.c.role == bindparam("of_role")
)
_DROP_PAYLOAD = delete(payload).where(
    payload.c.digest == bindparam("of_digest"),
    ~exists().where(document.c.digest == bindparam("of_digest")),
)
_FORGET = (
    update(message)
    .where(
        message.c.id == bindparam("of_message"),
        message.c.kind.in_((MessageKind.SUBMISSION, MessageKind.DOMESTIC)),
    )
    .values(digest="")
)
_HOLD = insert(legal_hold)
_LIFT = delete(legal_hold).where(legal_hold.c.conversation_id == bindparam("of_conversation"))
_HOLDS = select(legal_hold).order_by(legal_hold.c.conversation_id)
_OTHER_KEY = (
    select(payload.c.digest, payload.c.key_id, payload.c.content)
    .where(or_(payload.c.key_id.is_(None), payload.c.key_id != bindparam("current")))
    .order_by(payload.c.digest)
    .limit(bindparam("limit"))
    .with_for_update()
)
_CHANGE = update(payload).where(payload.c.digest == bindparam("of_digest"))
_settled = data_key.alias()
_UNUSED = delete(data_key).where(
    data_key.c.created
    < select(func.max(_settled.c.created))
    .where(_settled.c.created < bindparam("before"))
    .scalar_subquery(),
    ~exists().where(payload.c.key_id == data_key.c.id),
)


class Retention(Documents):
    """Bytes go, rows of evidence stay."""

    def due_documents(self, rules: Sequence[Due], limit: int) -> tuple[tuple[str, str], ...]:
        """Return (message id, role) of documents whose time is over, the oldest first. None of
        a conversation under legal hold, nor of a message that is still under way."""
        over = [_over(rule) for rule in rules]
        if not over:
            return ()
        rows = self.connection.execute(_DUE.where(or_(*over)).limit(limit))
        return tuple((row.message_id, row.role) for row in rows)

    def drop_document(self, message_id: str, role: str) -> None:
        """Forget a document: its row, its salt, its bytes unless another document has them. An
        agency's message forgets the digest of its content with it."""
        names = {"of_message": message_id, "of_role": role}
        digest = self.connection.scalar(_DIGEST, names)
        self.connection.execute(_DROP, names)
        self.connection.execute(_DROP_PAYLOAD, {"of_digest": digest})
        if role in ("original", "translated"):
            self.connection.execute(_FORGET, {"of_message": message_id})

    def put_legal_hold(self, hold: LegalHold) -> None:
        """Keep all documents of a conversation until the hold is lifted."""
        row = {name: getattr(hold, name) for name in LegalHold.__slots__}
        self.connection.execute(_LIFT, {"of_conversation": hold.conversation_id})
        self.connection.execute(_HOLD, row)

    def lift_legal_hold(self, conversation_id: str) -> bool:
        """End a hold; False when there is none."""
        return bool(self.connection.execute(_LIFT, {"of_conversation": conversation_id}).rowcount)

    def legal_holds(self) -> tuple[LegalHold, ...]:
        """Return the holds that stand."""
        return tuple(LegalHold(*row) for row in self.connection.execute(_HOLDS))

    def new_data_key(self) -> str | None:
        """Make a data key; from this commit on it encrypts. None: payloads lie in clear."""
        if self._vault is None or not self._vault.closes:
            return None
        return self._vault.new_key(self.connection)

    def rekey(self, current: str, limit: int) -> int:
        """Encrypt payloads that lie in clear or under another key; return how many."""
        rows = self.connection.execute(_OTHER_KEY, {"current": current, "limit": limit}).all()
        for row in rows:
            content = self.opened(row.digest, row.key_id, row.content)
            sealed = self._sealed(current, row.digest, content)
            changed = _CHANGE.values(content=sealed, key_id=current)
            self.connection.execute(changed, {"of_digest": row.digest})
        return len(rows)

    def drop_data_keys(self, before: datetime) -> int:
        """Forget data keys that no payload needs and that had a follower before `before`: no
        transaction that began without it can still be under way. Return how many."""
        return self.connection.execute(_UNUSED, {"before": before}).rowcount


def _over(rule: Due) -> ColumnElement[bool]:
    time = message.c.created <= rule.created_before
    if rule.role is not None:
        return and_(time, document.c.role == rule.role)
    of_class = document.c.retention == rule.retention
    return and_(time, of_class, document.c.role.not_in(rule.but))
