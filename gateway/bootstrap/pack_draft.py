"""Draft a bilateral pack from the settings, and say where the settings do not agree with one."""

import base64
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.bootstrap import packs
from gateway.bootstrap.signers import certificate
from gateway.errors import DocumentError, Finding, Severity
from gateway.evidence.pack import Calendar, Certificate, Limits, Pack, Party, Table, check_whole
from gateway.settings.sections import CounterpartSection, Settings
from gateway.signing.keys import fingerprint


@dataclass(frozen=True, slots=True)
class Stated:
    """What the settings do not say. url: where the other side reaches us. anchors: PEM of the
    authorities of our TLS server. calendars: TOML with [[calendars]], None: as before."""

    version: int
    valid_from: datetime
    valid_to: datetime
    url: str
    anchors: Path
    calendars: Path | None


def draft(settings: Settings, stated: Stated, now: datetime, before: Pack | None) -> Pack:
    """Return a pack of what the settings say today, for both sides to look at and sign.

    before: the pack in force, whose calendars stay. DocumentError when something is missing.
    """
    name, section = packs.counterpart_of(settings)
    tables = packs.installed()
    calendars = before.calendars if before else ()
    if stated.calendars is not None:
        calendars = _calendars(stated.calendars)
    pack = Pack(
        version=stated.version,
        created=now.replace(microsecond=0),
        valid_from=stated.valid_from,
        valid_to=stated.valid_to,
        parties=(_ours(settings, section, stated), _theirs(settings, name, section, before)),
        mappings=_tables(packs.agreed(tables, "map:")),
        code_lists=_tables(packs.agreed(tables, "list:")),
        limits=_limits(settings, section),
        calendars=calendars,
    )
    check_whole(pack)
    return pack


def _ours(settings: Settings, section: CounterpartSection, stated: Stated) -> Party:
    found = []
    for purpose, key in settings.keys.named().items():
        found += [_stated(purpose, certificate(key.certificate))]
        if key.next is not None:
            following = certificate(key.next.certificate)
            found += [_stated(purpose, following, not_before=key.next.starts)]
    if section.certificate is not None:
        found.append(_stated("tls-client", _leaf(section.certificate)))
    return Party(
        name=settings.gateway.name,
        side=settings.gateway.side,
        url=stated.url,
        anchors=_anchors(stated.anchors),
        certificates=tuple(found),
        signature=section.sign_as or section.signature,
        legacy_signatures=section.legacy_signatures,
    )


def _theirs(
    settings: Settings, name: str, section: CounterpartSection, before: Pack | None
) -> Party:
    if before is not None and (party := before.party(name)):
        return party
    pins = [
        Certificate(pin.usage, _text(certificate(pin.certificate)), pin.not_before, pin.not_after)
        for pin in section.pinned
    ]
    clients = [_stated("tls-client", _leaf(file)) for file in section.client_certificates]
    return Party(
        name=name,
        side="cn" if settings.gateway.side == "vn" else "vn",
        url=section.url,
        anchors=_anchors(section.anchors) if section.anchors else (),
        certificates=(*pins, *clients),
        signature=section.signature,
        legacy_signatures=section.legacy_signatures,
    )


def _stated(usage: str, der: bytes, not_before: datetime | None = None) -> Certificate:
    return msgspec.convert(
        {"usage": usage, "der": _text(der), "notBefore": not_before}, type=Certificate
    )


def _text(der: bytes) -> str:
    return base64.b64encode(der).decode()


def _leaf(file: Path) -> bytes:
    """A TLS file may hold a chain, leaf first."""
    return x509.load_pem_x509_certificates(file.read_bytes())[0].public_bytes(Encoding.DER)


def _anchors(file: Path) -> tuple[str, ...]:
    read = x509.load_pem_x509_certificates(file.read_bytes())
    return tuple(_text(each.public_bytes(Encoding.DER)) for each in read)


def _tables(found: dict[str, str]) -> tuple[Table, ...]:
    return tuple(Table(name, digest) for name, digest in sorted(found.items()))


def _limits(settings: Settings, section: CounterpartSection) -> Limits:
    limits = settings.limits
    return Limits(
        document_bytes=limits.document_bytes,
        answer_bytes=limits.answer_bytes,
        stale_after=int(limits.stale_after.total_seconds()),
        future=int(limits.future.total_seconds()),
        lifetime=int(limits.lifetime.total_seconds()),
        overlap=max(1, int(section.trust.overlap.total_seconds())),
    )


def _calendars(file: Path) -> tuple[Calendar, ...]:
    try:
        read = tomllib.loads(file.read_text(encoding="utf-8"))
        return msgspec.convert(read.get("calendars", []), type=tuple[Calendar, ...])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as bad:
        finding = Finding("malformed", "pack-calendars", str(file), str(bad)[:200])
        raise DocumentError("malformed", finding) from bad


def disagreements(settings: Settings, pack: Pack) -> list[Finding]:
    """Return where our own settings are not what a pack says: warnings, each with the place."""
    name, section = packs.counterpart_of(settings)
    return [*_of_us(settings, section, pack), *_of_them(name, section, pack)]


def _of_us(settings: Settings, section: CounterpartSection, pack: Pack) -> Iterator[Finding]:
    us = pack.party(settings.gateway.name)
    if us is None:
        return
    agreed = {(each.usage, each.fingerprint) for each in us.certificates}
    for purpose, key in settings.keys.named().items():
        mark = fingerprint(certificate(key.certificate))
        if (purpose, mark) not in agreed:
            yield _differs(f"keys.{purpose}", mark[:16])
    if section.certificate is not None:
        mark = fingerprint(_leaf(section.certificate))
        if ("tls-client", mark) not in agreed:
            yield _differs("counterpart certificate", mark[:16])
    octets, agreed_on = settings.limits.answer_bytes, pack.limits.answer_bytes
    if octets != agreed_on:
        yield _differs("limits.answer_bytes", str(octets), str(agreed_on))
    ours = section.sign_as or section.signature
    if ours != us.signature:
        yield _differs("counterpart sign_as", ours, us.signature)


def _of_them(name: str, section: CounterpartSection, pack: Pack) -> Iterator[Finding]:
    them = pack.party(name)
    if them is None:
        return
    if section.url != them.url:
        yield _differs(f"counterpart.{name}.url", section.url, them.url)
    anchors = _anchors(section.anchors) if section.anchors else ()
    if set(anchors) != set(them.anchors):
        yield _differs(f"counterpart.{name}.anchors", "")


def _differs(path: str, found: str, expected: str = "") -> Finding:
    return Finding(
        "precondition-failed", "pack-differs", path, found, expected, severity=Severity.WARN
    )
