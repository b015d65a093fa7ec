"""Who may sign what: pinned certificates, one list per counterpart and usage."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.errors import Finding, TrustError
from gateway.signing.algorithms import ALGORITHMS
from gateway.signing.keys import fingerprint
from gateway.signing.profiles import SignatureProfile

E = TypeVar("E", bound=x509.ExtensionType)


class Usage(StrEnum):
    """What a key is for. Every usage has its own key."""

    MESSAGE = "message"
    RECEIPT = "receipt"
    STATEMENT = "statement"
    HEAD = "head"
    PACK = "pack"


USAGE_OIDS: Mapping[Usage, x509.ObjectIdentifier] = {
    # Extended key usages of the link, under an arc of our own (ITU-T X.667).
    usage: x509.ObjectIdentifier(f"2.25.316274093105849172263440582017394861527.{number}")
    for number, usage in enumerate(Usage, start=1)
}
DEMO_UNIT = "DEMO KEY - NOT FOR PRODUCTION"
"""Organisational unit in the subject of every key of the demo."""

CLOCK_HINT = timedelta(hours=24)
"""A certificate that becomes valid this soon points to a wrong clock."""


@dataclass(frozen=True, slots=True)
class PinnedKey:
    """A certificate (DER) that a party may sign with, for one usage, in a window that may be
    narrower than the certificate's own. Windows overlap when keys are renewed."""

    certificate: bytes
    party: str
    usage: Usage
    not_before: datetime | None = None
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A key that the policy vouches for at an instant."""

    party: str
    fingerprint: str
    public_key: Any


@dataclass(frozen=True, slots=True)
class _Judged:
    """A pinned key and all that does not depend on the instant. fault: why it is never good."""

    pin: PinnedKey
    key: TrustedKey
    methods: tuple[str, ...]
    start: datetime
    end: datetime
    fault: Finding | None


@dataclass(frozen=True, slots=True)
class TrustPolicy:
    """Which signatures of one usage are believed, and in which shape. Made by `of`.

    pinned: by fingerprint. It may hold keys of other usages, so that a refusal can say that
    a key is known for something else.
    """

    profile: SignatureProfile
    usage: Usage
    pinned: Mapping[str, PinnedKey]
    _judged: Mapping[str, _Judged]

    @classmethod
    def of(
        cls, profile: SignatureProfile, usage: Usage, keys: Iterable[PinnedKey]
    ) -> "TrustPolicy":
        """Make a policy; ValueError when a certificate cannot be read."""
        judged = {fingerprint(key.certificate): _judge(key, usage, profile) for key in keys}
        pinned = {name: entry.pin for name, entry in judged.items()}
        return cls(profile, usage, MappingProxyType(pinned), MappingProxyType(judged))

    def method_of(self, name: str) -> str:
        """Return the method of the profile that fits a pinned key, else the profile's first."""
        return (self._judged[name].methods or self.profile.methods)[0]

    def key(self, name: str, at: datetime, algorithm: str) -> TrustedKey:
        """Return the key whose certificate has this fingerprint.

        TrustError `algorithm-not-allowed`, `signer-untrusted` (rules `not-pinned`,
        `wrong-usage`, `demo-key`, `pin-window`, `key-usage`), `certificate-expired` (rules
        `expired`, `not-yet-valid`, `clock`). It names fingerprints only: certificates may
        hold a person's identity number.
        """
        entry = self._judged.get(name)
        if entry is None:
            _refuse("signer-untrusted", "not-pinned", found=name)
        if algorithm not in entry.methods:
            _refuse("algorithm-not-allowed", "key", found=algorithm)
        if entry.fault:
            raise TrustError(entry.fault.code, entry.fault)
        _check_window(entry.pin, at)
        _check_validity(entry, at)
        return entry.key


def _judge(pin: PinnedKey, usage: Usage, profile: SignatureProfile) -> _Judged:
    certificate = x509.load_der_x509_certificate(pin.certificate)
    public = certificate.public_key()
    name = fingerprint(pin.certificate)
    return _Judged(
        pin,
        TrustedKey(pin.party, name, public),
        tuple(uri for uri in profile.methods if ALGORITHMS[uri].fits(public)),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        _fault(pin, name, certificate, usage, profile),
    )


def _fault(
    pin: PinnedKey,
    name: str,
    certificate: x509.Certificate,
    usage: Usage,
    profile: SignatureProfile,
) -> Finding | None:
    if pin.usage is not usage:
        return _finding("signer-untrusted", "wrong-usage", pin.usage, usage)
    if is_demo(certificate) and not profile.demo:
        return _finding("signer-untrusted", "demo-key", name)
    if not _may_sign(certificate, usage):
        expected = f"digitalSignature, {USAGE_OIDS[usage].dotted_string}"
        return _finding("signer-untrusted", "key-usage", name, expected)
    return None


def is_demo(certificate: x509.Certificate) -> bool:
    """Return True for a certificate that was made for the demo."""
    units = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    return any(unit.value == DEMO_UNIT for unit in units)


def _check_window(pin: PinnedKey, at: datetime) -> None:
    early = pin.not_before is not None and at < pin.not_before
    late = pin.not_after is not None and at > pin.not_after
    if early or late:
        _refuse("signer-untrusted", "pin-window", found=_instant(at))


def _check_validity(entry: _Judged, at: datetime) -> None:
    start, end = entry.start, entry.end
    if at > end:
        _refuse("certificate-expired", "expired", found=_instant(at), expected=_instant(end))
    if at < start:
        rule = "clock" if start - at < CLOCK_HINT else "not-yet-valid"
        _refuse("certificate-expired", rule, found=_instant(at), expected=_instant(start))


def _may_sign(certificate: x509.Certificate, usage: Usage) -> bool:
    """digitalSignature where the extension is there; a certificate that names a usage of the
    link is good for no other; one that names TLS only is not for signing documents."""
    key_usage = _extension(certificate, x509.KeyUsage)
    if key_usage is not None and not key_usage.digital_signature:
        return False
    extended = _extension(certificate, x509.ExtendedKeyUsage)
    if extended is None:
        return True
    named = set(extended)
    if named & set(USAGE_OIDS.values()):
        return USAGE_OIDS[usage] in named
    return not named <= {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}


def _extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _finding(code: str, rule: str, found: str = "", expected: str = "") -> Finding:
    return Finding(code, rule, "ds:Signature", found, expected)


def _refuse(code: str, rule: str, found: str = "", expected: str = "") -> NoReturn:
    raise TrustError(code, _finding(code, rule, found, expected))
