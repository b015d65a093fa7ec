"""Answers of revocation sources: one row for each source, shared by all nodes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, or_, select, tuple_, update

from gateway.flows.ports_revocation import KeptStatus
from gateway.signing.revocation import Kind
from gateway.signing.revocation_sources import Wanted
from gateway.store.columns import Instant
from gateway.store.rows import Rows, insert_new
from gateway.store.tables_revocation import revocation_source as source

_ALL = select(*(column for column in source.c if column is not source.c.content)).order_by(
    source.c.url, source.c.kind, source.c.subject
)
_OF_SUBJECTS = _ALL.where(
    tuple_(source.c.kind, source.c.subject).in_(bindparam("subjects", expanding=True))
)
_WANT = insert_new(source)
_one = (
    source.c.kind == bindparam("of_kind", type_=source.c.kind.type),
    source.c.subject == bindparam("of_subject"),
    source.c.url == bindparam("of_url"),
)
_CONTENT = select(source.c.content).where(*_one)
_FAILED = update(source).where(*_one)
_FORGET = delete(source).where(*_one)
_KEEP = update(source).where(
    *_one,
    or_(
        source.c.this_update.is_(None),
        source.c.this_update <= bindparam("not_after", type_=Instant),
    ),
)


class Statuses(Rows):
    """Implements `gateway.flows.ports_revocation.Statuses`."""

    def want_status(self, wanted: Wanted) -> None:
        """Make a source one that is asked now and then; a known one is left alone."""
        self.connection.execute(
            _WANT,
            {
                "kind": wanted.kind,
                "subject": wanted.subject,
                "url": wanted.url,
                "certificate": wanted.certificate,
                "issuer": wanted.issuer,
                "agreed": wanted.agreed,
                "digest": "",
                "error": "",
            },
        )

    def statuses(self, subjects: Sequence[tuple[Kind, str]]) -> tuple[KeptStatus, ...]:
        """Return what is kept about these subjects, one row for each URL."""
        rows = self.connection.execute(_OF_SUBJECTS, {"subjects": list(subjects)})
        return tuple(map(_kept, rows))

    def all_statuses(self) -> tuple[KeptStatus, ...]:
        """Return every source, by its URL."""
        return tuple(map(_kept, self.connection.execute(_ALL)))

    def status_content(self, kind: Kind, subject: str, url: str) -> bytes | None:
        """Return the octets of the last answer that verified."""
        return self.connection.scalar(
            _CONTENT, {"of_kind": kind, "of_subject": subject, "of_url": url}
        )

    def keep_status(self, kept: KeptStatus, content: bytes) -> bool:
        """Store a verified answer; False when the one that is kept is younger: a source that
        goes back in time is not believed."""
        row = _key(kept.wanted) | {
            "digest": kept.digest,
            "content": content,
            "this_update": kept.this_update,
            "next_update": kept.next_update,
            "fetched_at": kept.fetched_at,
            "failed_at": None,
            "error": "",
            "not_after": kept.this_update,
        }
        return bool(self.connection.execute(_KEEP, row).rowcount)

    def note_status_failure(self, wanted: Wanted, at: datetime, error: str) -> None:
        """Remember that asking failed; the last good answer stays."""
        self.connection.execute(_FAILED, _key(wanted) | {"failed_at": at, "error": error})

    def forget_status(self, wanted: Wanted) -> None:
        """Drop a source and its answer."""
        self.connection.execute(_FORGET, _key(wanted))


def _key(wanted: Wanted) -> dict[str, object]:
    return {"of_kind": wanted.kind, "of_subject": wanted.subject, "of_url": wanted.url}


def _kept(row: Row[Any]) -> KeptStatus:
    return KeptStatus(
        Wanted(row.kind, row.subject, row.url, row.certificate, row.issuer, row.agreed),
        row.digest,
        row.this_update,
        row.next_update,
        row.fetched_at,
        row.failed_at,
        row.error,
    )
