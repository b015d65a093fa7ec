"""Evidence: signed, immutable statements about goods, named by their digest.

When a statement arrived here is no part of it: that instant is local and must not influence
an outcome. A document of several lines is one statement with several results.
"""

import hashlib
from enum import StrEnum
from functools import cache
from typing import Any

import msgspec
import rfc8785

from gateway.errors import DocumentError, Finding
from gateway.model.bodies import (
    Adjudication,
    Body,
    Deadline,
    DrawStep,
    Ending,
    Handover,
    Inspection,
    Link,
    Passage,
    SealEvent,
    Standing,
)
from gateway.model.inspection import AuthorityRef, DocKey
from gateway.model.values import Canonical, Measure, Moment, Precision

MOST_BYTES = 1 << 20
"""Largest statement that is read."""

MOST_COUNT = 10**9
"""Largest count, line, version or score."""


class Side(StrEnum):
    """Whose statement it is."""

    VN = "VN"
    CN = "CN"


class Kind(StrEnum):
    """What a statement does. DEPARTURE, COMMIT and REVEAL serve suspension and sampling.

    REINSTATE also is the first registration of a facility, laboratory, gate ...
    """

    ISSUE = "ISSUE"
    AMEND = "AMEND"
    REPLACE = "REPLACE"
    WITHDRAW = "WITHDRAW"
    REJECT = "REJECT"
    COUNTER_CHECK = "COUNTER_CHECK"
    HANDOVER = "HANDOVER"
    SEAL_EVENT = "SEAL_EVENT"
    WEIGH = "WEIGH"
    NII = "NII"
    LAB = "LAB"
    DEPARTURE = "DEPARTURE"
    ARRIVAL = "ARRIVAL"
    RELEASE = "RELEASE"
    SUSPEND = "SUSPEND"
    REINSTATE = "REINSTATE"
    LINK = "LINK"
    UNLINK = "UNLINK"
    ADJUDICATE = "ADJUDICATE"
    DEADLINE = "DEADLINE"
    COMMIT = "COMMIT"
    REVEAL = "REVEAL"


class SignerRef(Canonical, frozen=True, kw_only=True):
    """Which key signed. chain: digest of the certificate chain. time: tsa, own or none."""

    key: str
    chain: str = ""
    time: str = "own"


BODIES: dict[Kind, type[Any]] = {
    **dict.fromkeys(
        (Kind.ISSUE, Kind.AMEND, Kind.REPLACE, Kind.COUNTER_CHECK, Kind.WEIGH, Kind.NII, Kind.LAB),
        Inspection,
    ),
    **dict.fromkeys((Kind.WITHDRAW, Kind.REJECT), Ending),
    **dict.fromkeys((Kind.DEPARTURE, Kind.ARRIVAL, Kind.RELEASE), Passage),
    **dict.fromkeys((Kind.SUSPEND, Kind.REINSTATE), Standing),
    **dict.fromkeys((Kind.LINK, Kind.UNLINK), Link),
    **dict.fromkeys((Kind.COMMIT, Kind.REVEAL), DrawStep),
    Kind.HANDOVER: Handover,
    Kind.SEAL_EVENT: SealEvent,
    Kind.ADJUDICATE: Adjudication,
    Kind.DEADLINE: Deadline,
}
"""Which body a kind has."""


class Evidence(Canonical, frozen=True, kw_only=True):
    """A statement. Two are one when their digests are equal.

    doc, version: None for statements that are no document. supersedes: what REPLACE kills.
    about: documents that it names. raw: digest of the original message, so that every value
    can be traced. salt: given for private evidence only, at least 32 hex digits; the digest
    is then a commitment that hides what it commits to, and the statement is never sent.
    """

    kind: Kind
    side: Side
    issuer: AuthorityRef
    occurred_at: Moment
    stated_at: Moment
    body: Body
    doc: DocKey | None = None
    version: int = 1
    supersedes: DocKey | None = None
    about: tuple[DocKey, ...] = ()
    signer: SignerRef | None = None
    raw: str = ""
    salt: str = ""

    @property
    def private(self) -> bool:
        """True when it may only restrict, here."""
        return bool(self.salt)


def canonical(value: Canonical) -> bytes:
    """Return the RFC 8785 form: Decimals as strings, values that are defaults left out."""
    return rfc8785.dumps(msgspec.to_builtins(value))


def digest(value: Canonical) -> str:
    """Return the SHA-256 of the canonical form, hex: the name of a statement."""
    return hashlib.sha256(canonical(value)).hexdigest()


@cache
def _decoder() -> msgspec.json.Decoder[Evidence]:
    return msgspec.json.Decoder(Evidence)


def read_evidence(content: bytes) -> Evidence:
    """Read one statement from JSON. DocumentError `too-large`, `malformed`, `schema-invalid`."""
    if len(content) > MOST_BYTES:
        raise DocumentError("too-large", Finding("too-large", "size", "", str(len(content))))
    try:
        found = _decoder().decode(content)
    except msgspec.ValidationError as fault:
        place = str(fault).partition(" - at `")[2].rstrip("`")
        raise DocumentError(
            "schema-invalid", Finding("schema-invalid", "evidence", place)
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise DocumentError("malformed", Finding("malformed", "evidence")) from None
    if problem := _misfit(found):
        raise DocumentError("schema-invalid", Finding("schema-invalid", "evidence", problem))
    return found


def _misfit(found: Evidence) -> str:
    """Return the path of what contradicts itself, or nothing."""
    if not isinstance(found.body, BODIES[found.kind]):
        return "$.body"
    if isinstance(found.body, Inspection) and (found.doc is None or not found.body.results):
        return "$.doc" if found.doc is None else "$.body.results"
    if isinstance(found.body, Ending) and found.doc is None:
        return "$.doc"
    if found.kind is Kind.REPLACE and found.supersedes is None:
        return "$.supersedes"
    return _unsound(found, "$") or _unnumbered(found)


def _unnumbered(found: Evidence) -> str:
    if found.version < 1:
        return "$.version"
    return "$.salt" if found.private and len(found.salt) < 32 else ""


def _unsound(value: object, path: str) -> str:
    """Return the path of the first moment, quantity or count that nothing can be computed with."""
    if isinstance(value, Moment):
        return "" if _timed(value) else path
    if isinstance(value, Measure):
        figure = value.value
        return "" if figure.is_finite() and -12 <= figure.adjusted() <= 15 else path
    if isinstance(value, int):
        return "" if abs(value) <= MOST_COUNT else path
    if isinstance(value, tuple):
        inner = ((each, f"{path}[{number}]") for number, each in enumerate(value))
    elif isinstance(value, msgspec.Struct):
        inner = ((getattr(value, name), f"{path}.{name}") for name in value.__struct_fields__)
    else:
        return ""
    return next((found for each, place in inner if (found := _unsound(each, place))), "")


def _timed(moment: Moment) -> bool:
    """True for a real time of our days with its offset, or a real day."""
    try:
        year = moment.naive().year
    except ValueError:
        return False
    known = moment.precision is Precision.DAY or moment.offset is not None
    return known and 1990 <= year <= 2200 and abs(moment.offset or 0) <= 14 * 60
