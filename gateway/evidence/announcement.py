"""An announcement: one party tells the other which certificates it uses, and in which windows.

A DSSE statement of its pack key. The first one brings that key along, so that it proves
nothing by itself: fingerprints are compared by another way. A later one must be signed by a
pack key that is pinned. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, NoReturn

import msgspec

from gateway.errors import DocumentError, Finding, TrustError
from gateway.evidence.pack import Certificate, Instant, Name, Octets, spki_of
from gateway.evidence.rows import canonical
from gateway.signing.dsse import payload_of, sign_statement, verify_statement
from gateway.signing.keys import Signer
from gateway.signing.profiles import LINK_PROFILES, profile
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage

TYPE = "application/vnd.bilateral-gateway.key-announcement+json"


class Announcement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """certificates: all of the usages that are named; one that is not named any more has
    ended. url, anchors: where the party takes messages, and the authorities of its TLS server
    (base64 of DER); absent in an announcement of keys alone. signature: how it signs."""

    party: Name
    side: Literal["vn", "cn"]
    created: Instant
    signature: Name
    certificates: tuple[Certificate, ...]
    url: Annotated[str, msgspec.Meta(pattern=r"^https://[^/\s]+/\S*$", max_length=300)] | None = (
        None
    )
    anchors: tuple[Octets, ...] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    """What was announced. known: a pinned key signed it; else nothing vouches for it but the
    comparison of fingerprints."""

    announcement: Announcement
    known: bool


def announce(announcement: Announcement, signer: Signer) -> bytes:
    """Return the signed announcement."""
    return sign_statement(TYPE, canonical(msgspec.to_builtins(announcement)), [signer])


def opened(content: bytes, pins: Iterable[PinnedKey], at: datetime) -> Opened:
    """Verify and read an announcement. pins: the pack keys of its party that are pinned; none:
    the one that it brings along.

    TrustError as of DSSE; DocumentError `malformed` (rule `announcement`).
    """
    pins = list(pins)
    kind, octets = payload_of(content)
    if kind != TYPE:
        finding = Finding("signature-invalid", "announcement-type", "payloadType", kind[:100])
        raise TrustError("signature-invalid", finding)
    said = _read(octets)
    believed = pins or _brought(said)
    policy = TrustPolicy.of(profile(said.signature), Usage.PACK, believed)
    verify_statement(content, policy, at)
    return Opened(said, bool(pins))


def _brought(said: Announcement) -> list[PinnedKey]:
    keys = [each for each in said.certificates if each.usage == "pack"]
    return [PinnedKey(each.octets, said.party, Usage.PACK) for each in keys]


def _read(octets: bytes) -> Announcement:
    try:
        said = msgspec.json.decode(octets, type=Announcement)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        _refuse(str(fault)[:200])
    if canonical(msgspec.to_builtins(said)) != octets:
        _refuse("not canonical")
    known = LINK_PROFILES.get(said.signature)
    if known is None or not known.methods:
        _refuse(said.signature)
    for each in (*(c.der for c in said.certificates), *said.anchors):
        if spki_of(each) is None:
            _refuse("certificate")
    return said


def _refuse(found: str) -> NoReturn:
    finding = Finding("malformed", "announcement", "announcement", found)
    raise DocumentError("malformed", finding)
