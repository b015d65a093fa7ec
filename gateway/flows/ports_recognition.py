"""What flows need of the store for mutual recognition."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KeptStatement:
    """A statement of evidence. digest: its name, hex. side: VN or CN. party: the agency or
    counterpart that brought it. content: RFC 8785. envelope: the DSSE of its side, None until
    it is sent. delivered_at: None while the counterpart lacks it. private: never sent."""

    digest: str
    side: str
    party: str
    received_at: datetime
    private: bool
    content: bytes
    envelope: bytes | None = None
    delivered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """What a claim is worth, as last decided. agreement: with the counterpart; "" while its
    receipt has not been compared. holds: the outcome meanwhile. due: seconds since 1970 at
    which a deadline has to be looked after, 0 for none. decision: canonical JSON."""

    claim: str
    case_id: str
    outcome: str
    root: str
    ruleset: str
    agreement: str
    holds: str
    detail: str
    due: int
    updated: datetime
    decision: bytes


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """A receipt of a side. number: counts from 0 for each claim and side. digest: of its
    payload. envelope: DSSE."""

    claim: str
    side: str
    number: int
    digest: str
    at: datetime
    envelope: bytes


@dataclass(frozen=True, slots=True)
class Doubt:
    """A link for a person to judge. score, lead: hundredths of a bit. features: words."""

    left: str
    right: str
    score: int
    lead: int
    why: str
    features: str
    at: datetime


Key = tuple[str, str]
"""Kind and comparable value of what a statement is found by."""


class RecognitionRows(Protocol):
    """Statements, claims and receipts."""

    def keep_statement(self, statement: KeptStatement, keys: Sequence[Key]) -> bool:
        """Store a statement with its keys; False when it is there."""
        ...

    def statement(self, digest: str) -> KeptStatement | None:
        """Return one statement."""
        ...

    def statements(self, digests: Sequence[str]) -> tuple[KeptStatement, ...]:
        """Return those of the statements that are there, by digest."""
        ...

    def statements_by(self, keys: Sequence[Key], limit: int) -> frozenset[str]:
        """Return digests of statements that have one of the keys, at most so many of a key:
        a key that more have joins nothing and gives none."""
        ...

    def undelivered(self, limit: int) -> tuple[KeptStatement, ...]:
        """Return shared statements that the counterpart lacks, oldest first."""
        ...

    def set_envelope(self, digest: str, envelope: bytes) -> None:
        """Store what our side signed."""
        ...

    def set_delivered(self, digests: Sequence[str], at: datetime) -> None:
        """Note that the counterpart has these statements."""
        ...

    def put_claims(self, cases: Sequence[str], rows: Sequence[ClaimRow]) -> None:
        """Replace all rows of these cases."""
        ...

    def claim(self, claim: str) -> ClaimRow | None:
        """Return what a claim is worth."""
        ...

    def claims_in(self, cases: Sequence[str]) -> tuple[ClaimRow, ...]:
        """Return the claims of cases."""
        ...

    def open_claims(self, limit: int) -> tuple[ClaimRow, ...]:
        """Return claims whose receipts are not agreed, the longest untouched first; none that
        are frozen."""
        ...

    def due_claims(self, until: int, limit: int) -> tuple[ClaimRow, ...]:
        """Return claims with a deadline up to a second since 1970."""
        ...

    def keep_receipt(self, row: ReceiptRow) -> bool:
        """Store a receipt; False when one of its claim, side and number is there."""
        ...

    def receipts(self, claim: str, side: str) -> tuple[ReceiptRow, ...]:
        """Return a chain of receipts, oldest first."""
        ...

    def put_doubts(self, doubts: Sequence[Doubt]) -> None:
        """Store doubtful links; known ones are replaced."""
        ...

    def doubts(self, limit: int) -> tuple[Doubt, ...]:
        """Return doubtful links, oldest first."""
        ...

    def recognition_rows(self) -> tuple[tuple[KeptStatement, ...], tuple[ReceiptRow, ...]]:
        """Return all statements and receipts: for the audit."""
        ...
