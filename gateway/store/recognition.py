"""Mutual recognition: statements and their keys, claims, receipts, doubtful links."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TypeVar

from sqlalchemy import and_, bindparam, delete, or_, select, update

from gateway.flows.ports_recognition import ClaimRow, Doubt, KeptStatement, Key, ReceiptRow
from gateway.store.rows import Rows, insert_new, insert_or_replace
from gateway.store.tables_recognition import recognition_claim as claims
from gateway.store.tables_recognition import (
    recognition_doubt,
    recognition_key,
    recognition_receipt,
)
from gateway.store.tables_recognition import recognition_statement as statements

T = TypeVar("T")
AT_ONCE = 200
"""Values in one IN; a database takes only so many."""
FROZEN = "DIVERGENT"
_SETTLED = ("AGREED", FROZEN)
_KEEP = insert_new(statements)
_KEEP_KEY = insert_new(recognition_key)
_KEEP_RECEIPT = insert_new(recognition_receipt)
_PUT_CLAIM = insert_or_replace(claims)
_PUT_DOUBT = insert_or_replace(recognition_doubt)
_ONE = select(statements).where(statements.c.digest == bindparam("digest"))
_UNDELIVERED = (
    select(statements)
    .where(statements.c.delivered_at.is_(None), statements.c.private.is_(False))
    .order_by(statements.c.received_at, statements.c.digest)
)
_CLAIM = select(claims).where(claims.c.claim == bindparam("claim"))
_OPEN = (
    select(claims)
    .where(claims.c.agreement.not_in(_SETTLED))
    .order_by(claims.c.updated, claims.c.claim)
)
_DUE = (
    select(claims)
    .where(claims.c.due > 0, claims.c.due <= bindparam("until"))
    .order_by(claims.c.due, claims.c.claim)
)
_RECEIPTS = (
    select(recognition_receipt)
    .where(
        recognition_receipt.c.claim == bindparam("claim"),
        recognition_receipt.c.side == bindparam("side"),
    )
    .order_by(recognition_receipt.c.number)
)
_DOUBTS = select(recognition_doubt).order_by(
    recognition_doubt.c.at, recognition_doubt.c.left, recognition_doubt.c.right
)


class Recognition(Rows):
    """Implements `gateway.flows.ports_recognition.RecognitionRows`."""

    def keep_statement(self, statement: KeptStatement, keys: Sequence[Key]) -> bool:
        """Store a statement with its keys; False when it is there."""
        if not self.connection.execute(_KEEP, asdict(statement)).rowcount:
            return False
        rows = [{"kind": k, "value": v, "digest": statement.digest} for k, v in sorted(set(keys))]
        if rows:
            self.connection.execute(_KEEP_KEY, rows)
        return True

    def statement(self, digest: str) -> KeptStatement | None:
        """Return one statement."""
        row = self.connection.execute(_ONE, {"digest": digest}).one_or_none()
        return None if row is None else KeptStatement(*row)

    def statements(self, digests: Sequence[str]) -> tuple[KeptStatement, ...]:
        """Return those of the statements that are there, by digest."""
        found: list[KeptStatement] = []
        for part in _parts(sorted(set(digests))):
            rows = self.connection.execute(select(statements).where(statements.c.digest.in_(part)))
            found += [KeptStatement(*row) for row in rows]
        return tuple(sorted(found, key=lambda each: each.digest))

    def statements_by(self, keys: Sequence[Key], limit: int) -> frozenset[str]:
        """Return digests of statements that have one of the keys, at most so many of a key."""
        by_key: dict[Key, set[str]] = {}
        key = recognition_key.c
        for part in _parts(sorted(set(keys))):
            wanted = or_(*(and_(key.kind == k, key.value == v) for k, v in part))
            for kind, value, digest in self.connection.execute(
                select(recognition_key).where(wanted)
            ):
                by_key.setdefault((kind, value), set()).add(digest)
        fitting = (digests for digests in by_key.values() if len(digests) <= limit)
        return frozenset().union(*fitting)

    def undelivered(self, limit: int) -> tuple[KeptStatement, ...]:
        """Return shared statements that the counterpart lacks, oldest first."""
        return tuple(
            KeptStatement(*row) for row in self.connection.execute(_UNDELIVERED.limit(limit))
        )

    def set_envelope(self, digest: str, envelope: bytes) -> None:
        """Store what our side signed."""
        self.connection.execute(
            update(statements).where(statements.c.digest == digest).values(envelope=envelope)
        )

    def set_delivered(self, digests: Sequence[str], at: datetime) -> None:
        """Note that the counterpart has these statements."""
        for part in _parts(sorted(set(digests))):
            self.connection.execute(
                update(statements)
                .where(statements.c.digest.in_(part), statements.c.delivered_at.is_(None))
                .values(delivered_at=at)
            )

    def put_claims(self, cases: Sequence[str], rows: Sequence[ClaimRow]) -> None:
        """Replace all rows of these cases."""
        for part in _parts(sorted(set(cases))):
            self.connection.execute(delete(claims).where(claims.c.case_id.in_(part)))
        for row in rows:
            self.connection.execute(_PUT_CLAIM, asdict(row))

    def claim(self, claim: str) -> ClaimRow | None:
        """Return what a claim is worth."""
        row = self.connection.execute(self._kept(_CLAIM), {"claim": claim}).one_or_none()
        return None if row is None else ClaimRow(*row)

    def claims_in(self, cases: Sequence[str]) -> tuple[ClaimRow, ...]:
        """Return the claims of cases."""
        found: list[ClaimRow] = []
        for part in _parts(sorted(set(cases))):
            rows = self.connection.execute(select(claims).where(claims.c.case_id.in_(part)))
            found += [ClaimRow(*row) for row in rows]
        return tuple(sorted(found, key=lambda each: each.claim))

    def open_claims(self, limit: int) -> tuple[ClaimRow, ...]:
        """Return claims whose receipts are not agreed, the longest untouched first; none that
        are frozen."""
        return tuple(ClaimRow(*row) for row in self.connection.execute(_OPEN.limit(limit)))

    def due_claims(self, until: int, limit: int) -> tuple[ClaimRow, ...]:
        """Return claims with a deadline up to a second since 1970."""
        rows = self.connection.execute(_DUE.limit(limit), {"until": until})
        return tuple(ClaimRow(*row) for row in rows)

    def keep_receipt(self, row: ReceiptRow) -> bool:
        """Store a receipt; False when one of its claim, side and number is there."""
        return bool(self.connection.execute(_KEEP_RECEIPT, asdict(row)).rowcount)

    def receipts(self, claim: str, side: str) -> tuple[ReceiptRow, ...]:
        """Return a chain of receipts, oldest first."""
        rows = self.connection.execute(_RECEIPTS, {"claim": claim, "side": side})
        return tuple(ReceiptRow(*row) for row in rows)

    def put_doubts(self, doubts: Sequence[Doubt]) -> None:
        """Store doubtful links; known ones are replaced."""
        for each in doubts:
            self.connection.execute(_PUT_DOUBT, asdict(each))

    def doubts(self, limit: int) -> tuple[Doubt, ...]:
        """Return doubtful links, oldest first."""
        return tuple(Doubt(*row) for row in self.connection.execute(_DOUBTS.limit(limit)))

    def recognition_rows(self) -> tuple[tuple[KeptStatement, ...], tuple[ReceiptRow, ...]]:
        """Return all statements and receipts: for the audit."""
        run = self.connection.execute
        return (
            tuple(KeptStatement(*row) for row in run(select(statements))),
            tuple(ReceiptRow(*row) for row in run(select(recognition_receipt))),
        )


def _parts(values: Sequence[T]) -> list[list[T]]:
    """Cut values into what one statement takes."""
    return [list(values[n : n + AT_ONCE]) for n in range(0, len(values), AT_ONCE)]
