"""Who may sign what: pinned certificates, one list per counterpart and usage."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NoReturn

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.errors import Finding, TrustError
from gateway.signing.algorithms import ALGORITHMS
from gateway.signing.keys import fingerprint
from gateway.signing.profiles import SignatureProfile


class Usage(StrEnum):
    """What a key is for. Every usage has its own key."""

    MESSAGE = "message"
    RECEIPT = "receipt"
    STATEMENT = "statement"


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
class TrustPolicy:
    """Which signatures of one usage are believed, and in which shape.

    pinned: by fingerprint. It may hold keys of other usages, so that a refusal can say that
    a key is known for something else.
    """

    profile: SignatureProfile
    usage: Usage
    pinned: Mapping[str, PinnedKey]
    _loaded: Mapping[str, x509.Certificate]
    _public: Mapping[str, Any]

    @classmethod
    def of(
        cls, profile: SignatureProfile, usage: Usage, keys: Iterable[PinnedKey]
    ) -> "TrustPolicy":
        """Make a policy; ValueError when a certificate cannot be read."""
        pinned = {fingerprint(key.certificate): key for key in keys}
        loaded = {
            name: x509.load_der_x509_certificate(key.certificate) for name, key in pinned.items()
        }
        public = {name: certificate.public_key() for name, certificate in loaded.items()}
        return cls(
            profile,
            usage,
            MappingProxyType(pinned),
            MappingProxyType(loaded),
            MappingProxyType(public),
        )

    def method_of(self, name: str) -> str:
        """Return the method of the profile that fits a pinned key, else the profile's first."""
        fitting = (uri for uri in self.profile.methods if ALGORITHMS[uri].fits(self._public[name]))
        return next(fitting, self.profile.methods[0])

    def key(self, name: str, at: datetime, algorithm: str) -> TrustedKey:
        """Return the key whose certificate has this fingerprint.

        TrustError `algorithm-not-allowed`, `signer-untrusted` (rules `not-pinned`,
        `wrong-usage`, `demo-key`, `pin-window`, `key-usage`), `certificate-expired` (rules
        `expired`, `not-yet-valid`, `clock`). It names fingerprints only: certificates may
        hold a person's identity number.
        """
        pin = self.pinned.get(name)
        if pin is None:
            _refuse("signer-untrusted", "not-pinned", found=name)
        certificate, public = self._loaded[name], self._public[name]
        if algorithm not in self.profile.methods or not ALGORITHMS[algorithm].fits(public):
            _refuse("algorithm-not-allowed", "key", found=algorithm)
        if pin.usage is not self.usage:
            _refuse("signer-untrusted", "wrong-usage", found=pin.usage, expected=self.usage)
        if is_demo(certificate) and not self.profile.demo:
            _refuse("signer-untrusted", "demo-key", found=name)
        _check_window(pin, at)
        _check_validity(certificate, at)
        _check_usage(certificate, self.usage)
        return TrustedKey(pin.party, name, public)


def is_demo(certificate: x509.Certificate) -> bool:
    """Return True for a certificate that was made for the demo."""
    units = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    return any(unit.value == DEMO_UNIT for unit in units)


def _check_window(pin: PinnedKey, at: datetime) -> None:
    early = pin.not_before is not None and at < pin.not_before
    late = pin.not_after is not None and at > pin.not_after
    if early or late:
        _refuse("signer-untrusted", "pin-window", found=_instant(at))


def _check_validity(certificate: x509.Certificate, at: datetime) -> None:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if at > end:
        _refuse("certificate-expired", "expired", found=_instant(at), expected=_instant(end))
    if at < start:
        rule = "clock" if start - at < CLOCK_HINT else "not-yet-valid"
        _refuse("certificate-expired", rule, found=_instant(at), expected=_instant(start))


def _check_usage(certificate: x509.Certificate, usage: Usage) -> None:
    """digitalSignature where the extension is there; a certificate that names a usage of the
    link is good for no other; one that names TLS only is not for signing documents."""
    try:
        allowed = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        if not allowed.digital_signature:
            _refuse("signer-untrusted", "key-usage", expected="digitalSignature")
    except x509.ExtensionNotFound:
        pass
    try:
        extended = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    named = set(extended)
    tls = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    other_link_usage = named & set(USAGE_OIDS.values()) and USAGE_OIDS[usage] not in named
    if other_link_usage or named <= tls:
        _refuse("signer-untrusted", "key-usage", expected=USAGE_OIDS[usage].dotted_string)


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _refuse(code: str, rule: str, found: str = "", expected: str = "") -> NoReturn:
    raise TrustError(code, Finding(code, rule, "ds:Signature", found, expected))
