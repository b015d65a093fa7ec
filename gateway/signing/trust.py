"""Who may sign what: pinned certificates, one list per party and usage; and where it was
agreed, certificates of known authorities that carry the usage and the party's name."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.errors import Finding, TrustError
from gateway.signing import certificates
from gateway.signing.algorithms import ALGORITHMS
from gateway.signing.keys import fingerprint
from gateway.signing.path import Anchors, extension, find_path, is_named, refuse
from gateway.signing.profiles import SignatureProfile
from gateway.signing.revocation import PIN_ONLY, Mode, Rule, instant


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

MOST_SEEN = 256
"""Certificates of authorities that a policy remembers; then it forgets them all."""

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
    """A key that the policy vouches for at an instant.

    chain: its certificate and those above it, as far as they are known (DER): with more than
    one the second is the issuer, who can say whether it is revoked.
    """

    party: str
    fingerprint: str
    public_key: Any
    chain: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class _Judged:
    """A key and all that does not depend on the instant. above: when all authorities above
    it are valid. fault: why it is never good."""

    pin: PinnedKey
    key: TrustedKey
    methods: tuple[str, ...]
    start: datetime
    end: datetime
    above: tuple[datetime, datetime] | None
    fault: Finding | None


@dataclass(frozen=True, slots=True)
class TrustPolicy:
    """Which signatures of one usage are believed, and in which shape. Made by `of`.

    pinned: by fingerprint. It may hold keys of other usages, so that a refusal can say that
    a key is known for something else. anchors: authorities; with names, they are believed on
    certificates of this party and usage. revocation: how it is asked.
    """

    profile: SignatureProfile
    usage: Usage
    pinned: Mapping[str, PinnedKey]
    anchors: Anchors | None
    revocation: Rule
    _judged: Mapping[str, _Judged]
    _seen: dict[str, _Judged]

    @classmethod
    def of(
        cls,
        profile: SignatureProfile,
        usage: Usage,
        keys: Iterable[PinnedKey],
        anchors: Anchors | None = None,
        revocation: Rule = PIN_ONLY,
    ) -> "TrustPolicy":
        """Make a policy; ValueError when a certificate cannot be read, or when authorities are
        believed but revocation is not asked: nobody could take such a certificate back."""
        if anchors and anchors.names and revocation.mode is Mode.OFF:
            raise ValueError("revocation can be off for pinned certificates only")
        judged = {
            fingerprint(key.certificate): _judge(key, usage, profile, anchors) for key in keys
        }
        pinned = {name: entry.pin for name, entry in judged.items()}
        by_name = MappingProxyType(judged)
        return cls(profile, usage, MappingProxyType(pinned), anchors, revocation, by_name, {})

    def method_of(self, name: str) -> str:
        """Return the method of the profile that fits a pinned key, else the profile's first."""
        return (self._judged[name].methods or self.profile.methods)[0]

    def pinned_keys(self) -> tuple[TrustedKey, ...]:
        """Return the pinned keys of this usage, good or not."""
        entries = self._judged.values()
        return tuple(entry.key for entry in entries if entry.pin.usage is self.usage)

    def key(self, name: str, at: datetime, algorithm: str) -> TrustedKey:
        """Return the pinned key whose certificate has this fingerprint.

        TrustError `algorithm-not-allowed`, `signer-untrusted` (rules `not-pinned`,
        `wrong-usage`, `demo-key`, `pin-window`, `key-usage`, `encryption-certificate`),
        `certificate-expired` (rules `expired`, `not-yet-valid`, `clock`). It names fingerprints
        only: certificates may hold a person's identity number.
        """
        entry = self._judged.get(name)
        if entry is None:
            refuse("signer-untrusted", "not-pinned", found=name)
        return _admit(entry, at, algorithm)

    def signer(self, certificate: bytes, at: datetime, algorithm: str) -> TrustedKey:
        """Return the key of a certificate (DER) that is pinned, or that an authority vouches
        for.

        TrustError as `key`, and for what is not pinned: as `path.find_path`,
        `certificate-expired` (rule `chain-expired`: one of its authorities), `party-mismatch`
        (rule `certificate-name`: it is somebody else's).
        """
        name = fingerprint(certificate)
        entry = self._judged.get(name) or self._anchored(name, certificate)
        return _admit(entry, at, algorithm)

    def _anchored(self, name: str, certificate: bytes) -> _Judged:
        if self.anchors is None or not self.anchors.names:
            refuse("signer-untrusted", "not-pinned", found=name)
        if name not in self._seen:
            path = find_path(certificate, self.anchors)
            if not is_named(certificate, self.anchors.names):
                refuse("party-mismatch", "certificate-name", name, self.anchors.party)
            pin = PinnedKey(certificate, self.anchors.party, self.usage)
            judged = _judged(pin, self.usage, self.profile, path.chain, (path.start, path.end))
            if len(self._seen) >= MOST_SEEN:
                self._seen.clear()
            self._seen[name] = judged
        return self._seen[name]


def _admit(entry: _Judged, at: datetime, algorithm: str) -> TrustedKey:
    if algorithm not in entry.methods:
        refuse("algorithm-not-allowed", "key", found=algorithm)
    if entry.fault:
        raise TrustError(entry.fault.code, entry.fault)
    _check_window(entry.pin, at)
    _check_validity(entry, at)
    return entry.key


def _judge(
    pin: PinnedKey, usage: Usage, profile: SignatureProfile, anchors: Anchors | None
) -> _Judged:
    """A pin needs no path; where there is one, its issuer can be asked for revocation."""
    chain: tuple[bytes, ...] = (pin.certificate,)
    if anchors is not None:
        with suppress(TrustError):
            chain = find_path(pin.certificate, anchors).chain
    return _judged(pin, usage, profile, chain, None)


def _judged(
    pin: PinnedKey,
    usage: Usage,
    profile: SignatureProfile,
    chain: tuple[bytes, ...],
    above: tuple[datetime, datetime] | None,
) -> _Judged:
    certificate = x509.load_der_x509_certificate(pin.certificate)
    public = certificates.public_key(pin.certificate)
    name = fingerprint(pin.certificate)
    return _Judged(
        pin,
        TrustedKey(pin.party, name, public, chain),
        tuple(uri for uri in profile.every_method if ALGORITHMS[uri].fits(public)),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        above,
        _fault(pin, name, certificate, usage, profile, named=above is not None),
    )


def _fault(
    pin: PinnedKey,
    name: str,
    certificate: x509.Certificate,
    usage: Usage,
    profile: SignatureProfile,
    *,
    named: bool,
) -> Finding | None:
    """named: the usage must stand in the certificate, as no pin says it."""
    if pin.usage is not usage:
        return _finding("signer-untrusted", "wrong-usage", pin.usage, usage)
    if is_demo(certificate) and not profile.demo:
        return _finding("signer-untrusted", "demo-key", name)
    if not _may_sign(certificate, usage, named=named):
        expected = f"digitalSignature, {USAGE_OIDS[usage].dotted_string}"
        rule = "encryption-certificate" if _encrypts_only(certificate) else "key-usage"
        return _finding("signer-untrusted", rule, name, expected)
    return None


def is_demo(certificate: x509.Certificate) -> bool:
    """Return True for a certificate that was made for the demo."""
    units = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    return any(unit.value == DEMO_UNIT for unit in units)


def _check_window(pin: PinnedKey, at: datetime) -> None:
    early = pin.not_before is not None and at < pin.not_before
    late = pin.not_after is not None and at > pin.not_after
    if early or late:
        refuse("signer-untrusted", "pin-window", found=instant(at))


def _check_validity(entry: _Judged, at: datetime) -> None:
    start, end = entry.start, entry.end
    if at > end:
        refuse("certificate-expired", "expired", found=instant(at), expected=instant(end))
    if at < start:
        rule = "clock" if start - at < CLOCK_HINT else "not-yet-valid"
        refuse("certificate-expired", rule, found=instant(at), expected=instant(start))
    if entry.above and not entry.above[0] <= at <= entry.above[1]:
        refuse("certificate-expired", "chain-expired", found=instant(at))


def _may_sign(certificate: x509.Certificate, usage: Usage, *, named: bool) -> bool:
    """digitalSignature where the extension is there; a certificate that names a usage of the
    link is good for no other; one that names TLS only is not for signing documents."""
    key_usage = extension(certificate, x509.KeyUsage)
    if key_usage is not None and not key_usage.digital_signature:
        return False
    extended = extension(certificate, x509.ExtendedKeyUsage)
    if named:
        allowed = extended is not None and USAGE_OIDS[usage] in extended
        return allowed and key_usage is not None
    if extended is None:
        return True
    of_link = set(extended) & set(USAGE_OIDS.values())
    if of_link:
        return USAGE_OIDS[usage] in of_link
    return not set(extended) <= {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}


def _encrypts_only(certificate: x509.Certificate) -> bool:
    """Chinese authorities issue two certificates to a party, one to sign and one to encrypt."""
    usage = extension(certificate, x509.KeyUsage)
    if usage is None or usage.digital_signature:
        return False
    return usage.key_encipherment or usage.data_encipherment or usage.key_agreement


def _finding(code: str, rule: str, found: str = "", expected: str = "") -> Finding:
    return Finding(code, rule, "ds:Signature", found, expected)
