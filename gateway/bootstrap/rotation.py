"""Our keys are renewed: the next one is made beside the present one, announced, and takes over
at an instant; then the former one is retired."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from gateway.bootstrap import signers
from gateway.bootstrap.outside import secret
from gateway.errors import Finding, UnavailableError
from gateway.evidence.announcement import Announcement, announce
from gateway.evidence.pack import Certificate
from gateway.settings.edit import Value
from gateway.settings.keys import OurKey, SigningKey
from gateway.settings.sections import Settings
from gateway.signing import issue
from gateway.signing.certificates import public_key
from gateway.signing.keys import write_key
from gateway.signing.profiles import DEFAULT, PROFILES
from gateway.signing.sm2 import Sm2PublicKey


@dataclass(frozen=True, slots=True)
class Renewal:
    """What is asked for. starts: when the next key takes over. days: of its certificate.
    overlap: how long the former one is still believed. label: of a key in the token, None: a
    file."""

    purpose: str
    starts: datetime
    days: int
    overlap: timedelta
    label: str | None = None


def renewed(settings: Settings, wanted: Renewal, now: datetime) -> dict[str, Value]:
    """Make the next key and its certificate, self-signed, beside the present one; return the
    values of [keys.PURPOSE.next]. FileExistsError, StateError when it is there."""
    present = settings.keys.named()[wanted.purpose]
    der = signers.certificate(present.certificate)
    path = present.certificate.with_name(f"{wanted.purpose}-{wanted.starts:%Y%m%d}")
    certificate = path.with_name(f"{path.name}.cert.pem")
    if certificate.exists():
        raise FileExistsError(str(certificate))
    key, values = _key(settings, present, wanted, kind_of(der), path)
    made = issue.leaf(subject_of(der), issue.Purpose(wanted.purpose), now, wanted.days, key=key)
    certificate.write_bytes(made.pem)
    return {"certificate": certificate, **values, "starts": wanted.starts}


def _key(
    settings: Settings, present: SigningKey, wanted: Renewal, kind: issue.KeyKind, path: Path
) -> tuple[Any, dict[str, Value]]:
    if wanted.label is not None:
        return token_key(settings, wanted.label, kind), {"label": wanted.label}
    file = path.with_name(f"{path.name}.key.pem")
    key = issue.new_key(kind)
    write_key(key, file, secret(present.password_file))
    stated: dict[str, Value] = {"key": file}
    if present.password_file is not None:
        stated["password_file"] = present.password_file
    return key, stated


def token_key(settings: Settings, label: str, kind: issue.KeyKind) -> Any:
    """Make a key in the token of [hsm]. UnavailableError without one, or for a kind that it
    does not sign with; StateError when the label is taken."""
    from gateway.signing.pkcs11_keys import make_key
    from gateway.signing.pkcs11_token import KeyRef

    if settings.hsm is None:
        raise UnavailableError("unavailable", Finding("unavailable", "hsm", "[hsm]"))
    if kind is issue.KeyKind.SM2:
        raise UnavailableError("unavailable", Finding("unavailable", "key", "sm2"))
    return make_key(signers.token(settings.hsm), KeyRef(label), kind)


def kind_of(der: bytes) -> issue.KeyKind:
    """Return the kind of key of a certificate, to make another of it."""
    public = public_key(der)
    if isinstance(public, Sm2PublicKey):
        return issue.KeyKind.SM2
    return issue.KeyKind.RSA3072 if isinstance(public, rsa.RSAPublicKey) else issue.KeyKind.P256


def subject_of(der: bytes) -> issue.Subject:
    """Return whom a certificate names."""
    name = x509.load_der_x509_certificate(der).subject

    def one(oid: ObjectIdentifier) -> str:
        return next((str(each.value) for each in name.get_attributes_for_oid(oid)), "")

    return issue.Subject(
        one(NameOID.COUNTRY_NAME),
        one(NameOID.ORGANIZATION_NAME),
        one(NameOID.ORGANIZATIONAL_UNIT_NAME),
        one(NameOID.COMMON_NAME),
    )


def announced(
    settings: Settings,
    now: datetime,
    *,
    purposes: Mapping[str, timedelta],
    url: str | None = None,
    anchors: Path | None = None,
    client: Path | None = None,
) -> bytes:
    """Return the announcement of our keys, signed with our pack key.

    purposes: what to announce -> how long the former key is believed beside the next. client:
    the certificate with which we connect. UnavailableError without a pack key.
    """
    if settings.keys.pack is None:
        raise UnavailableError("unavailable", Finding("unavailable", "pack-key", "keys.pack"))
    shape = signers.our_profile(settings)
    demo = settings.gateway.profile == "demo"
    stated = shape.name if shape else PROFILES["demo"].name if demo else DEFAULT.name
    found = [each for name, overlap in purposes.items() for each in _own(settings, name, overlap)]
    if client is not None:
        found.append(_certificate("tls-client", _first(client)))
    said = Announcement(
        party=settings.gateway.name,
        side=settings.gateway.side,
        created=now.replace(microsecond=0),
        signature=stated,
        certificates=tuple(found),
        url=url,
        anchors=tuple(_text(each) for each in _all(anchors)) if anchors else (),
    )
    return announce(said, signers.signer(settings, settings.keys.pack, PROFILES[stated]))


def _own(settings: Settings, purpose: str, overlap: timedelta) -> Iterator[Certificate]:
    """Our key of a purpose, and the next one from a little before it takes over."""
    key: OurKey = settings.keys.named()[purpose]
    present = signers.certificate(key.certificate)
    if key.next is None:
        yield _certificate(purpose, present)
        return
    yield _certificate(purpose, present, not_after=key.next.starts + overlap)
    early = key.next.starts - settings.limits.future
    following = signers.certificate(key.next.certificate)
    yield _certificate(purpose, following, not_before=early)


def _certificate(
    usage: str, der: bytes, not_before: datetime | None = None, not_after: datetime | None = None
) -> Certificate:
    said = {"usage": usage, "der": _text(der), "notBefore": not_before, "notAfter": not_after}
    return msgspec.convert(said, type=Certificate)


def _text(der: bytes) -> str:
    return base64.b64encode(der).decode()


def _first(file: Path) -> bytes:
    return _all(file)[0]


def _all(file: Path) -> list[bytes]:
    try:
        read = x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError) as fault:
        finding = Finding("unavailable", "file", str(file), found=type(fault).__name__)
        raise UnavailableError("unavailable", finding) from fault
    return [each.public_bytes(Encoding.DER) for each in read]
