"""The bilateral pack: all that two parties agreed on, in one dated file. Pure.

The payload is RFC 8785 JSON in a DSSE envelope that both sides sign (`pack_seal`). It is read
strictly: what is not known, doubled, or not in canonical form is refused, so that both sides
signed the same octets and mean the same by them.
"""

import base64
import binascii
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Literal, NoReturn

import msgspec
from cryptography import x509

from gateway.errors import DocumentError, Finding
from gateway.evidence.rows import canonical
from gateway.signing.certificates import public_key, spki
from gateway.signing.keys import fingerprint
from gateway.signing.profiles import LINK_PROFILES

TYPE = "application/vnd.bilateral-gateway.pack+json"
MOST_BYTES = 1_000_000
USAGES = ("message", "receipt", "statement", "head", "pack", "tls-client", "tls-server")
NEEDED = ("message", "receipt", "head", "pack", "tls-client")
"""What each party must state a certificate for."""

Usage = Literal["message", "receipt", "statement", "head", "pack", "tls-client", "tls-server"]
Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Octets = Annotated[str, msgspec.Meta(min_length=4, max_length=16_000)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Size = Annotated[int, msgspec.Meta(gt=0, le=2**40)]
Seconds = Annotated[int, msgspec.Meta(gt=0, le=10 * 366 * 86_400)]
Time = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")]
Day = Annotated[int, msgspec.Meta(ge=1, le=7)]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A part of a pack."""


class Certificate(_Part, frozen=True):
    """A certificate (base64 of its DER) and what it is for, in a window that may be narrower
    than its own."""

    usage: Usage
    der: Octets
    not_before: Instant | None = None
    not_after: Instant | None = None

    @property
    def octets(self) -> bytes:
        """The certificate, DER."""
        return base64.b64decode(self.der)

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256."""
        return fingerprint(self.octets)


class Party(_Part, frozen=True):
    """One side. url: where it takes messages. anchors: authorities of its TLS server (base64
    of DER). signature: the profile by which it signs."""

    name: Name
    side: Literal["vn", "cn"]
    url: Annotated[str, msgspec.Meta(pattern=r"^https://[^/\s]+/\S*$", max_length=300)]
    anchors: tuple[Octets, ...]
    certificates: tuple[Certificate, ...]
    signature: Name
    legacy_signatures: bool = False


class Table(_Part, frozen=True):
    """A mapping table or code list that both sides have installed, by its digest."""

    name: Text
    digest: Digest


class Limits(_Part, frozen=True):
    """Bounds of the link (XP-LIM, XP-CLK, XP-DUP). Octets; seconds. overlap: how long two
    certificates of one usage may be good side by side."""

    document_bytes: Size
    answer_bytes: Size
    stale_after: Seconds
    future: Seconds
    lifetime: Seconds
    overlap: Seconds


class Hours(_Part, frozen=True):
    """When a gate works. days: of ISO 8601, 1 is Monday. Local time; 24:00 ends a day."""

    days: tuple[Day, ...]
    opens: Time
    closes: Time


class Holiday(_Part, frozen=True):
    """A day that is not like others. hours: of that day, none: closed."""

    date: date
    name: Text
    hours: tuple[Hours, ...] = ()


class Calendar(_Part, frozen=True):
    """Hours and holidays of a gate, in its time zone (IANA name)."""

    gate: Text
    zone: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z]+(/[A-Za-z_+0-9-]+)+$", max_length=60)]
    hours: tuple[Hours, ...]
    holidays: tuple[Holiday, ...] = ()


class Pack(_Part, frozen=True):
    """What is agreed. version: higher than any before it. Good from valid_from to valid_to."""

    version: Annotated[int, msgspec.Meta(ge=1, le=2**31)]
    created: Instant
    valid_from: Instant
    valid_to: Instant
    parties: Annotated[tuple[Party, ...], msgspec.Meta(min_length=2, max_length=2)]
    mappings: tuple[Table, ...]
    code_lists: tuple[Table, ...]
    limits: Limits
    calendars: tuple[Calendar, ...] = ()

    def party(self, name: str) -> Party | None:
        """Return a party by its name."""
        return next((party for party in self.parties if party.name == name), None)


def write_pack(pack: Pack) -> bytes:
    """Return the canonical payload of a pack."""
    return canonical(msgspec.to_builtins(pack))


def read_pack(payload: bytes) -> Pack:
    """Read a canonical payload.

    DocumentError `too-large`, `malformed` (rules `pack`, `pack-canonical`) or `rule-broken`
    (rules `pack-...`), the last with all findings.
    """
    if len(payload) > MOST_BYTES:
        _refuse("too-large", "size", f"{len(payload)}", f"at most {MOST_BYTES} bytes")
    try:
        pack = msgspec.json.decode(payload, type=Pack)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as fault:
        _refuse("malformed", "pack", str(fault)[:200])
    except RecursionError:
        _refuse("malformed", "pack", "nesting")
    check_whole(pack)
    if write_pack(pack) != payload:
        _refuse("malformed", "pack-canonical")
    return pack


def check_whole(pack: Pack) -> None:
    """Return when the parts of a pack fit together. DocumentError `rule-broken`."""
    findings = list(_findings(pack))
    if findings:
        raise DocumentError("rule-broken", *findings)


def _findings(pack: Pack) -> Iterator[Finding]:
    if pack.valid_from >= pack.valid_to:
        yield _broken("pack-period", "validTo", pack.valid_to.isoformat())
    first, second = pack.parties
    if first.name == second.name or first.side == second.side:
        yield _broken("pack-parties", "parties", f"{first.name} {second.name}")
    for party in pack.parties:
        yield from _of_party(party, f"parties.{party.name}")
    for place, names in (
        ("mappings", [table.name for table in pack.mappings]),
        ("codeLists", [table.name for table in pack.code_lists]),
        ("calendars", [calendar.gate for calendar in pack.calendars]),
    ):
        yield from (_broken("pack-twice", place, n) for n, c in Counter(names).items() if c > 1)


def _of_party(party: Party, place: str) -> Iterator[Finding]:
    known = LINK_PROFILES.get(party.signature)
    if known is None or not (known.methods or party.legacy_signatures):
        yield _broken("pack-profile", f"{place}.signature", party.signature)
    stated = {each.usage for each in party.certificates}
    for usage in NEEDED:
        if usage not in stated:
            yield _broken("pack-usage", f"{place}.certificates", usage)
    for number, anchor in enumerate(party.anchors):
        if spki_of(anchor) is None:
            yield _broken("pack-certificate", f"{place}.anchors[{number}]", "")
    yield from _certificates(party, place)


def _certificates(party: Party, place: str) -> Iterator[Finding]:
    """Each is one, has a window that is none the less one, and a key that no other usage has."""
    keys: dict[bytes, str] = {}
    for number, each in enumerate(party.certificates):
        where = f"{place}.certificates[{number}]"
        key = spki_of(each.der)
        if key is None:
            yield _broken("pack-certificate", where, each.usage)
        elif keys.setdefault(key, each.usage) != each.usage:
            yield _broken("pack-shared-key", where, f"{keys[key]} {each.usage}")
        if each.not_before and each.not_after and each.not_before >= each.not_after:
            yield _broken("pack-period", where, each.usage)
        if any(each.der == other.der for other in party.certificates[:number]):
            yield _broken("pack-twice", where, each.usage)


def spki_of(text: str) -> bytes | None:
    """Return the public key (DER) of a certificate (base64 of DER); None when it is none."""
    try:
        der = base64.b64decode(text, validate=True)
        x509.load_der_x509_certificate(der)
        return spki(public_key(der))
    except (binascii.Error, ValueError):
        return None


def _broken(rule: str, path: str, found: str) -> Finding:
    return Finding("rule-broken", rule, path, found)


def _refuse(code: str, rule: str, found: str = "", expected: str = "") -> NoReturn:
    raise DocumentError(code, Finding(code, rule, "pack", found, expected))
