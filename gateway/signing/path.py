"""From a certificate up to an authority that was agreed: path validation (RFC 5280, section 6).

Two judges must agree. Our own walk names what is wrong, for every kind of key; for RSA and EC
the verifier of `cryptography` goes over the same path and has the last word on what the walk
does not know (name constraints, algorithms, forms). Chains with SM2 keys have the walk alone,
which refuses every critical extension that it does not know.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import (
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from gateway.errors import Finding, TrustError
from gateway.signing import certificates
from gateway.signing.certificates import public_key, signed_by
from gateway.signing.sm2 import Sm2PublicKey

MOST_AUTHORITIES = 3
"""Certificates of authorities in one path, the anchor included."""

_KNOWN_CRITICAL = {
    x509.BasicConstraints.oid,
    x509.KeyUsage.oid,
    x509.ExtendedKeyUsage.oid,
    x509.SubjectAlternativeName.oid,
}
_JUDGED_BY_LIBRARY = {x509.NameConstraints.oid}

E = TypeVar("E", bound=x509.ExtensionType)


@dataclass(frozen=True, slots=True)
class Anchors:
    """Authorities that may issue the certificates of a party.

    roots, intermediates: DER. names: which certificates under them are the party's: each an
    RFC 4514 name of which every attribute stands exactly once, and equal, in the subject, or
    `dns:`, `uri:`, `email:` and one of the certificate's alternative names. Without names no
    certificate is trusted by its authority; they only say who issued the pinned ones.
    """

    party: str
    roots: tuple[bytes, ...]
    intermediates: tuple[bytes, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Path:
    """A valid path, the certificate first and the anchor last (DER), and when all of its
    authorities are valid."""

    chain: tuple[bytes, ...]
    start: datetime
    end: datetime


def find_path(der: bytes, anchors: Anchors) -> Path:
    """Return the path of a certificate to one of the anchors, whatever the time.

    TrustError `signer-untrusted` with the rule `self-signed`, `chain-incomplete` (issuer not
    known: a leaf alone, an intermediate missing), `chain-signature`, `chain-authority` (the
    issuer may not issue), `chain-depth`, `chain-extension` (critical and not known),
    `chain-time` (its authorities are never valid together), `certificate-form` or `chain`
    (what the library refuses).
    """
    try:
        return _path(der, anchors)
    except ValueError:
        refuse("signer-untrusted", "certificate-form")


def _path(der: bytes, anchors: Anchors) -> Path:
    leaf = _load(der)
    _check_extensions(leaf)
    pool = [*anchors.roots, *anchors.intermediates]
    chain = (der, *_issuers(der, pool, set(anchors.roots), 1))
    above = [_load(each) for each in chain[1:]]
    start = max(each.not_valid_before_utc for each in above)
    end = min(each.not_valid_after_utc for each in above)
    if start > end:
        refuse("signer-untrusted", "chain-time")
    if not any(isinstance(public_key(each), Sm2PublicKey) for each in chain):
        _ask_library(leaf, above, max(start, leaf.not_valid_before_utc))
    return Path(chain, start, end)


def is_named(der: bytes, names: tuple[str, ...]) -> bool:
    """Return whether a certificate carries one of the names of `Anchors`."""
    certificate = _load(der)
    return any(_carries(certificate, name) for name in names)


def check_name(name: str) -> str:
    """Return a name of `Anchors`; ValueError when it is none."""
    kind, _, value = name.partition(":")
    if kind in _ALTERNATIVES:
        if not value:
            raise ValueError(f"{name} is empty behind the colon")
        return name
    try:
        attributes = list(x509.Name.from_rfc4514_string(name))
    except ValueError:
        attributes = []
    if not attributes:
        raise ValueError(f"{name!r} is no name as in RFC 4514 (CN=...,O=...) and binds nobody")
    return name


def extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    """Return the value of an extension, None when it is not there."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def refuse(code: str, rule: str, found: str = "", expected: str = "") -> NoReturn:
    """Raise the TrustError of a certificate that is not believed."""
    raise TrustError(code, Finding(code, rule, "ds:Signature", found, expected))


def _issuers(der: bytes, pool: list[bytes], roots: set[bytes], depth: int) -> tuple[bytes, ...]:
    """Return the authorities above a certificate, up to an anchor; the first path that holds."""
    if depth > MOST_AUTHORITIES:
        refuse("signer-untrusted", "chain-depth", expected=str(MOST_AUTHORITIES))
    failure: TrustError | None = None
    for issuer in _signers(der, pool):
        try:
            _check_authority(_load(issuer), depth - 1)
            if issuer in roots:
                return (issuer,)
            return (issuer, *_issuers(issuer, pool, roots, depth + 1))
        except TrustError as failed:
            failure = failure or failed
    raise failure or AssertionError("no issuer is refused before")


def _signers(der: bytes, pool: list[bytes]) -> Iterator[bytes]:
    """Yield those of the known authorities that signed a certificate; refuse when none did."""
    issuer = _load(der).issuer
    if signed_by(der, der) and der not in pool:
        refuse("signer-untrusted", "self-signed")
    named = [each for each in pool if _load(each).subject == issuer and each != der]
    if not named:
        refuse("signer-untrusted", "chain-incomplete")
    found = [each for each in named if signed_by(der, each)]
    if not found:
        refuse("signer-untrusted", "chain-signature")
    yield from found


def _check_authority(certificate: x509.Certificate, below: int) -> None:
    """below: authorities between this one and the leaf."""
    _check_extensions(certificate)
    constraints = extension(certificate, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        refuse("signer-untrusted", "chain-authority", "no authority")
    if constraints.path_length is not None and below > constraints.path_length:
        refuse("signer-untrusted", "chain-depth", expected=str(constraints.path_length))
    usage = extension(certificate, x509.KeyUsage)
    if usage is None or not usage.key_cert_sign:
        refuse("signer-untrusted", "chain-authority", expected="keyCertSign")


def _check_extensions(certificate: x509.Certificate) -> None:
    try:
        present = list(certificate.extensions)
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        refuse("signer-untrusted", "chain-extension", "not readable")
    known = set(_KNOWN_CRITICAL)
    if not isinstance(public_key(certificate.public_bytes(Encoding.DER)), Sm2PublicKey):
        known |= _JUDGED_BY_LIBRARY
    for each in present:
        if each.critical and each.oid not in known:
            refuse("signer-untrusted", "chain-extension", each.oid.dotted_string)


def _ask_library(leaf: x509.Certificate, above: list[x509.Certificate], at: datetime) -> None:
    """The usage of the leaf is judged by `trust`; here nothing is demanded of its extensions."""
    verifier = (
        PolicyBuilder()
        .store(Store([above[-1]]))
        .time(at)
        .max_chain_depth(MOST_AUTHORITIES - 1)
        .extension_policies(
            ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=ExtensionPolicy.permit_all()
        )
        .build_client_verifier()
    )
    try:
        verifier.verify(leaf, above[:-1])
    except (VerificationError, ValueError, x509.UnsupportedGeneralNameType):
        # Its words can hold names of persons: they stay here.
        refuse("signer-untrusted", "chain")


_ALTERNATIVES: dict[str, type[x509.DNSName | x509.UniformResourceIdentifier | x509.RFC822Name]] = {
    "dns": x509.DNSName,
    "uri": x509.UniformResourceIdentifier,
    "email": x509.RFC822Name,
}


def _carries(certificate: x509.Certificate, name: str) -> bool:
    kind, _, value = name.partition(":")
    if kind in _ALTERNATIVES:
        names = extension(certificate, x509.SubjectAlternativeName)
        return names is not None and value in names.get_values_for_type(_ALTERNATIVES[kind])
    bound = x509.Name.from_rfc4514_string(name)
    subject = certificate.subject
    return all(
        [each.value for each in subject.get_attributes_for_oid(attribute.oid)] == [attribute.value]
        for attribute in bound
    )


def _load(der: bytes) -> x509.Certificate:
    try:
        return certificates.load(der)
    except ValueError:
        refuse("signer-untrusted", "certificate-form")
