"""What a counterpart announced becomes part of the settings: files, pins, its section."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.bootstrap.signers import certificate
from gateway.errors import DocumentError, Finding, TrustError
from gateway.evidence import announcement, pack, pack_seal
from gateway.evidence.announcement import Announcement
from gateway.evidence.pack import Certificate
from gateway.settings.edit import Value, appended, changed, without
from gateway.settings.sections import CounterpartSection
from gateway.signing.dsse import payload_of, verify_statement
from gateway.signing.keys import fingerprint
from gateway.signing.profiles import profile
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage

PINNED = frozenset(Usage)
"""Usages of certificates that are pinned in the settings."""


@dataclass(frozen=True, slots=True)
class Client:
    """With what we connect to a new counterpart."""

    certificate: Path
    key: Path
    password_file: Path | None


def read(
    content: bytes, name: str, section: CounterpartSection | None, at: datetime
) -> Announcement:
    """Return what a party announced, in an announcement or in its part of a pack.

    section: of a counterpart that we know; its pinned pack key must have signed. TrustError,
    also `party-mismatch`, rule `announcement-party`; DocumentError.
    """
    pins = _pack_pins(name, section)
    if payload_of(content)[0] == pack.TYPE:
        said = _of_pack(content, name, pins, at)
    else:
        said = announcement.opened(content, pins, at).announcement
    if said.party != name:
        finding = Finding("party-mismatch", "announcement-party", "party", said.party, name)
        raise TrustError("party-mismatch", finding)
    return said


@dataclass(frozen=True, slots=True)
class Stated:
    """A new counterpart as its files say. files: usage -> certificate (PEM); `tls-client` is
    the one with which it connects."""

    url: str
    anchors: Path
    files: Mapping[str, Path]
    signature: str


def from_files(name: str, side: str, stated: Stated, at: datetime) -> Announcement:
    """Return what its files say of a counterpart, as if it had announced it.

    DocumentError `malformed`, rule `announcement`, when it is not whole.
    """
    anchors = x509.load_pem_x509_certificates(stated.anchors.read_bytes())
    said = {
        "party": name,
        "side": side,
        "created": at,
        "signature": stated.signature,
        "certificates": [
            {"usage": usage, "der": _text(certificate(file))}
            for usage, file in stated.files.items()
        ],
        "url": stated.url,
        "anchors": [_text(each.public_bytes(Encoding.DER)) for each in anchors],
    }
    try:
        return msgspec.convert(said, type=Announcement)
    except msgspec.ValidationError as fault:
        finding = Finding("malformed", "announcement", name, str(fault)[:200])
        raise DocumentError("malformed", finding) from fault


def _text(der: bytes) -> str:
    return base64.b64encode(der).decode()


def _pack_pins(name: str, section: CounterpartSection | None) -> list[PinnedKey]:
    stated = section.pinned if section else ()
    return [
        PinnedKey(certificate(pin.certificate), name, Usage.PACK, pin.not_before, pin.not_after)
        for pin in stated
        if pin.usage == "pack"
    ]


def _of_pack(content: bytes, name: str, pins: Sequence[PinnedKey], at: datetime) -> Announcement:
    whole = pack.read_pack(pack_seal.payload(content))
    party = whole.party(name)
    if party is None:
        finding = Finding("party-mismatch", "announcement-party", "parties", "", name)
        raise TrustError("party-mismatch", finding)
    keys = [each for each in party.certificates if each.usage == "pack"]
    brought = [PinnedKey(each.octets, name, Usage.PACK) for each in keys]
    shape = profile(party.signature, party.legacy_signatures)
    verify_statement(content, TrustPolicy.of(shape, Usage.PACK, pins or brought), at)
    return Announcement(
        party=name,
        side=party.side,
        created=whole.created,
        signature=party.signature,
        certificates=party.certificates,
        url=party.url,
        anchors=party.anchors,
    )


def introduced(text: str, said: Announcement, folder: Path, client: Client) -> str:
    """Return the settings with a new counterpart; writes its certificates into a folder."""
    header = f"counterpart.{said.party}"
    clients = [each for each in said.certificates if each.usage == "tls-client"]
    section: dict[str, Value] = {
        "url": said.url or "",
        "anchors": _write_anchors(said, folder),
        "certificate": client.certificate,
        "key": client.key,
        **({"password_file": client.password_file} if client.password_file else {}),
        "client_certificates": [str(_write(each, folder, said.party)) for each in clients],
        "signature": said.signature,
    }
    text = appended(text, header, section)
    for each in said.certificates:
        if each.usage in PINNED:
            file = _write(each, folder, said.party)
            text = appended(text, f"{header}.pinned", _pin(each, file), many=True)
    return appended(text, f"{header}.trust", {"revocation": "off"})


def renewed(text: str, said: Announcement, folder: Path, section: CounterpartSection) -> str:
    """Return the settings with the pins of the announced usages as they were announced: new
    ones are added, windows set, others of these usages taken away."""
    header = f"counterpart.{said.party}.pinned"
    told = {(each.usage, each.fingerprint): each for each in said.certificates}
    usages = {each.usage for each in said.certificates}
    there = [(pin.usage, fingerprint(certificate(pin.certificate))) for pin in section.pinned]
    for nth in reversed(range(len(there))):
        each = told.get(there[nth])
        if each is not None:
            window = {"not_before": each.not_before, "not_after": each.not_after}
            text = changed(text, header, window, nth=nth)
        elif there[nth][0] in usages:
            text = without(text, header, nth=nth)
    for mark, each in told.items():
        if mark not in there and each.usage in PINNED:
            file = _write(each, folder, said.party)
            text = appended(text, header, _pin(each, file), many=True)
    return text


def _pin(each: Certificate, file: Path) -> dict[str, Value]:
    windows: Mapping[str, datetime | None] = {
        "not_before": each.not_before,
        "not_after": each.not_after,
    }
    stated: dict[str, Value] = {"usage": each.usage, "certificate": file}
    return stated | {name: at for name, at in windows.items() if at is not None}


def _write(each: Certificate, folder: Path, party: str) -> Path:
    file = folder / f"{_plain(party)}-{each.usage}-{each.fingerprint[:8]}.cert.pem"
    return _write_all([each.octets], file)


def _write_anchors(said: Announcement, folder: Path) -> Path:
    octets = [Certificate("tls-server", anchor).octets for anchor in said.anchors]
    return _write_all(octets, folder / f"{_plain(said.party)}-anchors.pem")


def _write_all(certificates: Sequence[bytes], file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    pems = (x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in certificates)
    file.write_bytes(b"".join(pems))
    return file.absolute()


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)
