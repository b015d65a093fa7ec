"""What flows need from outside for revocation: kept answers of sources, and a way to ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.signing.revocation import Kind
from gateway.signing.revocation_sources import Wanted


@dataclass(frozen=True, slots=True)
class KeptStatus:
    """A source, and the last answer of it that verified. digest: hex SHA-256 of the answer,
    empty when there has been none. this_update: of the answer. failed_at, error: of the last
    try, when that failed."""

    wanted: Wanted
    digest: str = ""
    this_update: datetime | None = None
    next_update: datetime | None = None
    fetched_at: datetime | None = None
    failed_at: datetime | None = None
    error: str = ""


class Statuses(Protocol):
    """Answers of revocation sources, kept between requests and shared by all nodes."""

    def want_status(self, wanted: Wanted) -> None:
        """Make a source one that is asked now and then; a known one is left alone."""
        ...

    def statuses(self, subjects: Sequence[tuple[Kind, str]]) -> tuple[KeptStatus, ...]:
        """Return what is kept about these subjects, one row for each URL."""
        ...

    def all_statuses(self) -> tuple[KeptStatus, ...]:
        """Return every source, by its URL."""
        ...

    def status_content(self, kind: Kind, subject: str, url: str) -> bytes | None:
        """Return the octets of the last answer that verified."""
        ...

    def keep_status(self, kept: KeptStatus, content: bytes) -> bool:
        """Store a verified answer; False when the one that is kept is younger: a source that
        goes back in time is not believed."""
        ...

    def note_status_failure(self, wanted: Wanted, at: datetime, error: str) -> None:
        """Remember that asking failed; the last good answer stays."""
        ...

    def forget_status(self, wanted: Wanted) -> None:
        """Drop a source and its answer."""
        ...


class StatusSource(Protocol):
    """Asks a source."""

    def ask(self, wanted: Wanted) -> bytes:
        """Return the octets of a CRL or an OCSP answer, unverified, within the deadline.

        CounterpartError `unreachable`, `timed-out` or `bad-answer` (status, size, a URL that
        may not be asked: rule `url-forbidden`).
        """
        ...
