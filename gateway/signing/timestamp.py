"""RFC 3161 timestamps: ask for one, and verify a token against its message.

What is kept and handed on is the token (TimeStampToken, a CMS SignedData); the response
around it says only whether the authority was willing.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NoReturn, Protocol

import rfc3161_client
from asn1crypto import tsp
from asn1crypto.algos import DigestAlgorithmId
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client.errors import VerificationError

from gateway.errors import Finding, GatewayError, TrustError
from gateway.signing import cms
from gateway.signing.cms_der import sequence
from gateway.signing.cms_schemes import SHA2
from gateway.signing.keys import fingerprint

CODE = "timestamp-invalid"
LARGEST = 64 * 1024
"""Octets of a response."""
SKEW = timedelta(minutes=5)
"""How far the clock of an authority may be ahead of ours."""
TST_INFO = "1.2.840.113549.1.9.16.1.4"
_ESS_CERTIFICATE = ("1.2.840.113549.1.9.16.2.47", "1.2.840.113549.1.9.16.2.12")
_GRANTED = sequence(b"\x02\x01\x00")
"""PKIStatusInfo of a response that is granted: the library reads tokens in responses only."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A verified timestamp. tsa: hex SHA-256 of the authority's certificate (DER).
    policy: OID."""

    time: datetime
    tsa: str
    policy: str
    serial: int
    certificate: bytes = field(repr=False)


class TimestampAuthority(Protocol):
    """Who stamps."""

    def stamp(self, message: bytes) -> bytes:
        """Return a verified token over a message; GatewayError when none is to be had now."""
        ...


def request(message: bytes, nonce: int) -> bytes:
    """Return a TimeStampReq (DER) over the SHA-256 of a message. nonce: 0 to 2**64 - 1."""
    imprint = {
        "hash_algorithm": {"algorithm": "sha256"},
        "hashed_message": hashlib.sha256(message).digest(),
    }
    asked = {"version": "v1", "message_imprint": imprint, "nonce": nonce, "cert_req": True}
    return bytes(tsp.TimeStampReq(asked).dump())


def token_of(response: bytes) -> bytes:
    """Return the token of a TimeStampResp. TrustError `timestamp-invalid`, rules
    `timestamp-der`, `timestamp-refused` (the authority's status is not `granted`)."""
    parsed = _decoded(response)
    if parsed.status != rfc3161_client.PKIStatus.GRANTED:
        _refuse("timestamp-refused", str(parsed.status), "0")
    return parsed.time_stamp_token()


def verify(
    token: bytes,
    message: bytes,
    anchors: Sequence[bytes],
    at: datetime | None = None,
    nonce: int | None = None,
) -> Stamp:
    """Verify a token over a message.

    anchors: certificates (DER) of the authorities that issue to time-stamping authorities.
    at: a token from later than this, and the skew, is refused. nonce: what was asked with.
    Validity is judged at the time of the token: an old token stays good when certificates
    end. TrustError `timestamp-invalid`; rules `timestamp-der`, `-imprint`, `-nonce`,
    `-algorithm`, `-usage` (no timeStamping), `-expired`, `-signature`, `-authority` (not
    below an anchor), `-future`, and those of `cms.take_apart`.
    """
    try:
        return _verify(token, message, anchors, at, nonce)
    except GatewayError:
        raise
    except Exception as unexpected:  # the certificate inside is whatever somebody sent
        finding = Finding(CODE, "timestamp-der", "TimeStampToken", type(unexpected).__name__)
        raise TrustError(CODE, finding) from unexpected


def _verify(
    token: bytes,
    message: bytes,
    anchors: Sequence[bytes],
    at: datetime | None,
    nonce: int | None,
) -> Stamp:
    parsed = _decoded(sequence(_GRANTED + token))
    info = parsed.tst_info
    _check_imprint(info.message_imprint, message)
    if nonce is not None and info.nonce != nonce:
        _refuse("timestamp-nonce")
    parts = cms.take_apart(token, CODE)
    certificate = x509.load_der_x509_certificate(parts.certificate)
    _check_usage(certificate)
    _check_validity(certificate, info.gen_time)
    _check_signature(parts, certificate)
    _check_authority(parsed, message, anchors)
    if at is not None and info.gen_time > at + SKEW:
        _refuse("timestamp-future", _instant(info.gen_time), _instant(at))
    return Stamp(
        info.gen_time,
        fingerprint(parts.certificate),
        info.policy.dotted_string,
        info.serial_number,
        parts.certificate,
    )


def _decoded(response: bytes) -> rfc3161_client.TimeStampResponse:
    if len(response) > LARGEST:
        _refuse("timestamp-der", f"{len(response)} octets", f"at most {LARGEST}")
    try:
        parsed = rfc3161_client.decode_timestamp_response(response)
        if parsed.status == rfc3161_client.PKIStatus.GRANTED:
            _ = parsed.tst_info.gen_time  # the token is read when it is looked at
    except ValueError as fault:
        raise TrustError(CODE, Finding(CODE, "timestamp-der", "TimeStampResp")) from fault
    return parsed


def _check_imprint(imprint: rfc3161_client.tsp.MessageImprint, message: bytes) -> None:
    oid = imprint.hash_algorithm.dotted_string
    names = {DigestAlgorithmId.unmap(name): name for name in SHA2}
    if oid not in names:
        _refuse("timestamp-algorithm", oid)
    if hashlib.new(names[oid], message).digest() != imprint.message:
        _refuse("timestamp-imprint")


def _check_usage(certificate: x509.Certificate) -> None:
    """Exactly timeStamping, critical: RFC 3161, 2.3."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except (x509.ExtensionNotFound, ValueError):
        _refuse("timestamp-usage")
    if not found.critical or list(found.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        _refuse("timestamp-usage")


def _check_validity(certificate: x509.Certificate, at: datetime) -> None:
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        _refuse("timestamp-expired", _instant(at), _instant(certificate.not_valid_after_utc))


def _check_signature(parts: cms.SignedParts, certificate: x509.Certificate) -> None:
    """Our own reading of the signature, and that the signed attributes name the certificate
    (ESSCertID: otherwise another one of the same key could take its place)."""
    if parts.content_type != TST_INFO or parts.content is None:
        _refuse("timestamp-der", parts.content_type, TST_INFO)
    if parts.digest not in SHA2:
        _refuse("timestamp-algorithm", parts.digest)
    try:
        cms.verify_parts(parts, parts.content, certificate.public_key(), CODE)
    except TrustError as refused:
        raise TrustError(CODE, Finding(CODE, "timestamp-signature"), *refused.findings) from None
    stated = next((parts.attributes[n] for n in _ESS_CERTIFICATE if n in parts.attributes), None)
    if stated is None or not _names(stated["certs"][0], parts.certificate):
        _refuse("timestamp-signature", expected="ESSCertID of the authority")


def _names(stated: tsp.ESSCertIDv2, certificate: bytes) -> bool:
    """Return True when an ESSCertID (SHA-1) or ESSCertIDv2 is that of a certificate."""
    second = isinstance(stated, tsp.ESSCertIDv2)
    name = stated["hash_algorithm"]["algorithm"].native if second else "sha1"
    if name not in (*SHA2, "sha1"):
        return False
    return bool(hashlib.new(name, certificate).digest() == stated["cert_hash"].native)


def _check_authority(
    parsed: rfc3161_client.TimeStampResponse, message: bytes, anchors: Sequence[bytes]
) -> None:
    """The library's own verification: chain at the token's time, value, imprint."""
    try:
        roots = [x509.load_der_x509_certificate(each) for each in anchors]
        rfc3161_client.VerifierBuilder(roots=roots).build().verify_message(parsed, message)
    except (VerificationError, ValueError) as fault:
        raise TrustError(CODE, Finding(CODE, "timestamp-authority")) from fault


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _refuse(rule: str, found: str = "", expected: str = "") -> NoReturn:
    raise TrustError(CODE, Finding(CODE, rule, "TimeStampToken", found, expected))
