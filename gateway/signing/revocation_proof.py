"""What CRLs and OCSP answers share: signatures of authorities, times, refusals."""

from datetime import datetime
from typing import Any, NoReturn

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from gateway.errors import Finding, TrustError
from gateway.signing.algorithms import raw_of
from gateway.signing.certificates import SM2_WITH_SM3
from gateway.signing.revocation import SKEW, instant
from gateway.signing.sm2 import Sm2PublicKey

UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises, early or late, for octets that are not what they should be."""

_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


def is_signed(
    key: Any, value: bytes, content: bytes, algorithm: hashes.HashAlgorithm | None, oid: str
) -> bool:
    """Verify a signature of an authority: RSA and ECDSA with SHA-2, SM2 with SM3."""
    try:
        if isinstance(key, Sm2PublicKey):
            if oid != SM2_WITH_SM3:
                return False
            key.verify(raw_of(value, 32), content)
        elif not isinstance(algorithm, _HASHES):
            return False
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(value, content, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(value, content, ec.ECDSA(algorithm))
        else:
            return False
    except (InvalidSignature, ValueError):
        return False
    return True


def check_times(now: datetime, made: datetime, ends: datetime | None) -> None:
    """Refuse what was made later than now, or ends before it begins."""
    if made > now + SKEW:
        refuse("status-future", instant(made), instant(now))
    if ends is not None and ends < made:
        refuse("status-future", instant(made), instant(ends))


def refuse(rule: str, found: str = "", expected: str = "") -> NoReturn:
    """Raise the TrustError of a source that is not believed."""
    finding = Finding("revocation-unknown", rule, "", found, expected)
    raise TrustError("revocation-unknown", finding)
