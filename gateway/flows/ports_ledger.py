"""What flows need of the store for the mutual ledger: heads that both sides signed, days
that were compared, alarms that stand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from gateway.model.states import MessageKind


@dataclass(frozen=True, slots=True)
class LedgerHead:
    """A head that both sides signed. log: the party whose log it is. epoch: grows when that
    side was restored from a backup. statement: the DSSE envelope."""

    log: str
    epoch: int
    size: int
    root: bytes
    at: datetime
    statement: bytes


@dataclass(frozen=True, slots=True)
class Restoration:
    """A side's signed word that it was restored from a backup. epoch: the one it begins."""

    log: str
    epoch: int
    at: datetime
    statement: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """A link message as both sides count it. message_id: the sender's. digest: hex."""

    message_id: str
    digest: str


@dataclass(frozen=True, slots=True)
class Day:
    """A day as last compared with a party. asked, answered: the signed statements."""

    party: str
    day: str
    at: datetime
    agreed: bool
    asked: bytes
    answered: bytes


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that a person must look at. (kind, party, subject) names it.

    kind: two-heads, broken-history, two-contents, unknown-sent, withheld, restored ...
    subject: a message id, a head. proof: signed statements that show it, where there are.
    cleared: when somebody, or a later comparison, settled it.
    """

    kind: str
    party: str
    subject: str
    at: datetime
    detail: Mapping[str, str] = field(default_factory=dict)
    proof: bytes | None = None
    cleared: datetime | None = None


class Ledger(Protocol):
    """The mutual ledger."""

    def entries(self, kind: MessageKind, party: str, day: str) -> tuple[Entry, ...]:
        """Return the link messages of a day, in the order of their ids; none that were
        refused for good, or are not signed yet."""
        ...

    def set_day(self, message_id: str, day: str) -> None:
        """Set the day of a message that older code stored."""
        ...

    def keep_head(self, head: LedgerHead) -> bool:
        """Store a head; False when one of its log, epoch and size is there."""
        ...

    def ledger_head(self, log: str, epoch: int, size: int) -> LedgerHead | None:
        """Return one head."""
        ...

    def ledger_heads(self, log: str, limit: int = 100) -> tuple[LedgerHead, ...]:
        """Return the newest heads of a log: the highest epoch first, then the largest."""
        ...

    def keep_restoration(self, restoration: Restoration) -> bool:
        """Store a restoration; False when one of its log and epoch is there."""
        ...

    def restorations(self, log: str) -> tuple[Restoration, ...]:
        """Return the restorations of a log, the newest first."""
        ...

    def epoch(self, log: str) -> int:
        """Return the epoch of a log: 1, or that of its newest restoration."""
        ...

    def ledger_rows(
        self,
    ) -> tuple[tuple[LedgerHead, ...], tuple[Restoration, ...], tuple[Day, ...]]:
        """Return all heads, restorations and days: for the audit."""
        ...

    def keep_day(self, day: Day) -> None:
        """Store how a day compared, in the place of what was there."""
        ...

    def ledger_day(self, party: str, day: str) -> Day | None:
        """Return how a day last compared."""
        ...

    def raise_alarm(self, alarm: Alarm) -> bool:
        """Store an alarm; False when it stands already. One that was cleared stands again,
        with the proof that it had if it brings none."""
        ...

    def alarms(self, *, cleared: bool = False) -> tuple[Alarm, ...]:
        """Return the alarms that stand, oldest first; cleared: those that do not, too."""
        ...

    def clear_alarm(self, kind: str, party: str, subject: str, at: datetime) -> bool:
        """Clear an alarm; False when it does not stand."""
        ...
