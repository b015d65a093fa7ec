"""What a head of the log says and when one is due (exchange profile, XP-LOG)."""

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from gateway.errors import DocumentError, Finding
from gateway.evidence.rows import canonical

HEAD_TYPE = "application/vnd.bilateral-gateway.head+json"
"""DSSE payload type of a head."""


@dataclass(frozen=True, slots=True)
class Pace:
    """When heads are made and how long a timestamp may take.

    every, rows: a head is due so long after the last one, or so many rows after it, whichever
    comes first, and only when the log has grown. stamped_within: a head without a timestamp
    for longer is an alarm.
    """

    every: timedelta = timedelta(seconds=60)
    rows: int = 1000
    stamped_within: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class HeadFacts:
    """What a head says. log: the party whose log it is. epoch: 1, and one more after each
    restoration from a backup that the other side was told of. root: 32 octets."""

    log: str
    side: str
    epoch: int
    size: int
    root: bytes
    at: datetime


class _Stated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    log: str
    side: str
    epoch: int
    size: int
    root: str
    at: datetime


class _Signature(msgspec.Struct):
    keyid: str
    sig: str


class _Envelope(msgspec.Struct):
    signatures: list[_Signature]


def head_due(pace: Pace, size: int, now: datetime, last: tuple[int, datetime] | None) -> bool:
    """True when a head over `size` leaves is due. last: (size, time) of the newest head."""
    if last is None:
        return size > 0
    return size > last[0] and (now - last[1] >= pace.every or size - last[0] >= pace.rows)


def head_payload(facts: HeadFacts) -> bytes:
    """Return what is signed: RFC 8785 JSON."""
    return canonical(
        {
            "log": facts.log,
            "side": facts.side,
            "epoch": facts.epoch,
            "size": facts.size,
            "root": facts.root.hex(),
            "at": facts.at.isoformat().replace("+00:00", "Z"),
        }
    )


def read_head(payload: bytes) -> HeadFacts:
    """Read what a head says. DocumentError `schema-invalid`, rule `log-head`, for anything that
    `head_payload` would not have written."""
    try:
        said = msgspec.json.decode(payload, type=_Stated)
        facts = HeadFacts(
            said.log, said.side, said.epoch, said.size, bytes.fromhex(said.root), said.at
        )
        sane = facts.at.tzinfo is not None and len(facts.root) == 32 and facts.size >= 0
        if sane and head_payload(facts) == payload:
            return facts
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError):
        pass
    raise DocumentError("schema-invalid", Finding("schema-invalid", "log-head"))


def signature_octets(statement: bytes) -> bytes:
    """Return the first signature's value of a DSSE envelope that we made: what is timestamped.
    DocumentError `schema-invalid`, rule `log-head`."""
    try:
        envelope = msgspec.json.decode(statement, type=_Envelope)
        return base64.b64decode(envelope.signatures[0].sig, validate=True)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, IndexError, RecursionError):
        raise DocumentError("schema-invalid", Finding("schema-invalid", "log-head")) from None
