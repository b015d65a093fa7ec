"""The mutual ledger: heads that both sides signed, days that were compared, alarms."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import bindparam, exists, func, insert, literal_column, or_, select, update

from gateway.flows.ports_ledger import Alarm, Day, Entry, LedgerHead, Restoration
from gateway.model.states import MessageKind
from gateway.store.rows import Rows, insert_new, insert_or_replace
from gateway.store.tables import document, message
from gateway.store.tables_ledger import ledger_alarm, ledger_day, ledger_head, ledger_restoration

_SIGNED = exists().where(
    document.c.message_id == message.c.id, document.c.role == literal_column("'wire'")
)
_ENTRIES = (
    select(message.c.external_id, message.c.digest)
    .where(
        message.c.party == bindparam("party"),
        message.c.day == bindparam("day"),
        message.c.kind == bindparam("kind"),
        message.c.state != literal_column("'refused'"),
        or_(message.c.state != literal_column("'queued'"), _SIGNED),
    )
    .order_by(message.c.external_id)
)
_SET_DAY = update(message).where(message.c.id == bindparam("message_id"))
_KEEP_HEAD = insert_new(ledger_head)
_HEADS = (
    select(ledger_head)
    .where(ledger_head.c.log == bindparam("log"))
    .order_by(ledger_head.c.epoch.desc(), ledger_head.c.size.desc())
)
_HEAD = select(ledger_head).where(
    ledger_head.c.log == bindparam("log"),
    ledger_head.c.epoch == bindparam("epoch"),
    ledger_head.c.size == bindparam("size"),
)
_KEEP_RESTORATION = insert_new(ledger_restoration)
_RESTORATIONS = (
    select(ledger_restoration)
    .where(ledger_restoration.c.log == bindparam("log"))
    .order_by(ledger_restoration.c.epoch.desc())
)
_EPOCH = select(func.max(ledger_restoration.c.epoch)).where(
    ledger_restoration.c.log == bindparam("log")
)
_KEEP_DAY = insert_or_replace(ledger_day)
_DAY = select(ledger_day).where(
    ledger_day.c.party == bindparam("party"), ledger_day.c.day == bindparam("day")
)
_NAMED = (
    ledger_alarm.c.kind == bindparam("kind_"),
    ledger_alarm.c.party == bindparam("party_"),
    ledger_alarm.c.subject == bindparam("subject_"),
)
_ALARMS = select(ledger_alarm).order_by(
    ledger_alarm.c.at, ledger_alarm.c.kind, ledger_alarm.c.subject
)
_STANDS = ledger_alarm.c.cleared.is_(None)


class Ledger(Rows):
    """Implements `gateway.flows.ports_ledger.Ledger`."""

    def entries(self, kind: MessageKind, party: str, day: str) -> tuple[Entry, ...]:
        """Return the link messages of a day, sorted by id in code points (databases sort
        text in orders of their own); none that were refused for good, or are not signed yet."""
        rows = self.connection.execute(_ENTRIES, {"kind": kind, "party": party, "day": day})
        return tuple(sorted((Entry(*row) for row in rows), key=lambda e: e.message_id))

    def set_day(self, message_id: str, day: str) -> None:
        """Set the day of a message that older code stored."""
        self.connection.execute(_SET_DAY.values(day=day), {"message_id": message_id})

    def keep_head(self, head: LedgerHead) -> bool:
        """Store a head; False when one of its log, epoch and size is there."""
        return bool(self.connection.execute(_KEEP_HEAD, asdict(head)).rowcount)

    def ledger_head(self, log: str, epoch: int, size: int) -> LedgerHead | None:
        """Return one head."""
        names = {"log": log, "epoch": epoch, "size": size}
        row = self.connection.execute(_HEAD, names).one_or_none()
        return None if row is None else LedgerHead(*row)

    def ledger_heads(self, log: str, limit: int = 100) -> tuple[LedgerHead, ...]:
        """Return the newest heads of a log: the highest epoch first, then the largest."""
        rows = self.connection.execute(_HEADS.limit(limit), {"log": log})
        return tuple(LedgerHead(*row) for row in rows)

    def keep_restoration(self, restoration: Restoration) -> bool:
        """Store a restoration; False when one of its log and epoch is there."""
        return bool(self.connection.execute(_KEEP_RESTORATION, asdict(restoration)).rowcount)

    def restorations(self, log: str) -> tuple[Restoration, ...]:
        """Return the restorations of a log, the newest first."""
        rows = self.connection.execute(_RESTORATIONS, {"log": log})
        return tuple(Restoration(*row) for row in rows)

    def epoch(self, log: str) -> int:
        """Return the epoch of a log: 1, or that of its newest restoration."""
        return self.connection.scalar(_EPOCH, {"log": log}) or 1

    def ledger_rows(
        self,
    ) -> tuple[tuple[LedgerHead, ...], tuple[Restoration, ...], tuple[Day, ...]]:
        """Return all heads, restorations and days: for the audit."""
        run = self.connection.execute
        return (
            tuple(LedgerHead(*row) for row in run(select(ledger_head))),
            tuple(Restoration(*row) for row in run(select(ledger_restoration))),
            tuple(Day(*row) for row in run(select(ledger_day))),
        )

    def keep_day(self, day: Day) -> None:
        """Store how a day compared, in the place of what was there."""
        self.connection.execute(_KEEP_DAY, asdict(day))

    def ledger_day(self, party: str, day: str) -> Day | None:
        """Return how a day last compared."""
        row = self.connection.execute(_DAY, {"party": party, "day": day}).one_or_none()
        return None if row is None else Day(*row)

    def raise_alarm(self, alarm: Alarm) -> bool:
        """Store an alarm; False when it stands already. One that was cleared stands again."""
        columns = ledger_alarm.c.cleared, ledger_alarm.c.proof
        known = self.connection.execute(
            select(*columns).where(*_NAMED), _names(alarm)
        ).one_or_none()
        if known is not None and known.cleared is None:
            return False
        row = asdict(alarm) | {"detail": dict(alarm.detail)}
        row["proof"] = alarm.proof or (known.proof if known else None)
        statement = insert_or_replace(ledger_alarm) if known else insert(ledger_alarm)
        self.connection.execute(statement, row)
        return True

    def alarms(self, *, cleared: bool = False) -> tuple[Alarm, ...]:
        """Return the alarms that stand, oldest first; cleared: those that do not, too."""
        statement = _ALARMS if cleared else _ALARMS.where(_STANDS)
        return tuple(Alarm(*row) for row in self.connection.execute(statement))

    def clear_alarm(self, kind: str, party: str, subject: str, at: datetime) -> bool:
        """Clear an alarm; False when it does not stand."""
        statement = update(ledger_alarm).where(*_NAMED, _STANDS).values(cleared=at)
        names = {"kind_": kind, "party_": party, "subject_": subject}
        return bool(self.connection.execute(statement, names).rowcount)


def _names(alarm: Alarm) -> dict[str, str]:
    return {"kind_": alarm.kind, "party_": alarm.party, "subject_": alarm.subject}
