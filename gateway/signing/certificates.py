"""Keys and signatures of X.509 certificates, of all the algorithms that we know.

`cryptography` reads SM2 certificates, but neither their keys nor their signatures. Whatever
needs the key of a certificate asks here.
"""

from typing import Any

from asn1crypto import parser
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.signing import sm2
from gateway.signing.algorithms import raw_of
from gateway.signing.sm2 import Sm2PublicKey
from gateway.signing.sm2_curve import SIZE

SM2_CURVE = "1.2.156.10197.1.301"
SM2_WITH_SM3 = "1.2.156.10197.1.501"

_VERSION = b"\xa0"
_SM2_ALGORITHMS = (  # without parameters, as it should be, and with NULL
    bytes.fromhex("300a06082a811ccf55018375"),
    bytes.fromhex("300c06082a811ccf550183750500"),
)
_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


def load(der: bytes) -> x509.Certificate:
    """Read a certificate; ValueError whatever is wrong with it."""
    try:
        return x509.load_der_x509_certificate(der)
    except x509.InvalidVersion as wrong:
        raise ValueError("not an X.509 certificate of version 1 to 3") from wrong


def public_key(der: bytes) -> Any:
    """Return the public key of a certificate: `Sm2PublicKey`, or a key of `cryptography`.

    ValueError when the certificate cannot be read or its key is of no kind that we know.
    """
    certificate = load(der)
    found = _body(certificate)[-1]
    if found.startswith(sm2.SPKI_HEAD):
        return sm2.public_key(found[len(sm2.SPKI_HEAD) :])
    try:
        return certificate.public_key()
    except UnsupportedAlgorithm as unknown:
        raise ValueError("a kind of key that is not known") from unknown


def spki(key: Any) -> bytes:
    """Return the SubjectPublicKeyInfo (DER) of a public key: equal for equal keys."""
    if isinstance(key, Sm2PublicKey):
        return key.spki
    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def signed_by(der: bytes, issuer_der: bytes) -> bool:
    """Return whether a certificate names the other one as its issuer and carries a valid
    signature of its key: RSA and ECDSA with SHA-2, SM2 with SM3.

    Validity, usage and length of the path are not looked at: `path_sm2`, `trust`. ValueError
    when one of the two cannot be read; UnavailableError without a libcrypto for SM2.
    """
    certificate, issuer = load(der), load(issuer_der)
    key = public_key(issuer_der)
    if _body(certificate)[2] != _body(issuer)[4]:
        return False  # the names, as octets
    if isinstance(key, Sm2PublicKey):
        return _signed_with_sm2(certificate, key)
    if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return _signed_with_sha2(certificate, issuer)
    return False


def _signed_with_sha2(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        if not isinstance(certificate.signature_hash_algorithm, _HASHES):
            return False
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _signed_with_sm2(certificate: x509.Certificate, key: Sm2PublicKey) -> bool:
    _, outer, _ = _parts(certificate.public_bytes(Encoding.DER))
    if outer not in _SM2_ALGORITHMS or _body(certificate)[1] != outer:
        return False
    try:
        key.verify(raw_of(certificate.signature, SIZE), certificate.tbs_certificate_bytes)
    except (InvalidSignature, ValueError):
        return False
    return True


def _body(certificate: x509.Certificate) -> list[bytes]:
    """Return serial number, algorithm, issuer, validity, subject and public key, each DER.

    Only the frame is read: asn1crypto's own classes fail in many ways on what they do not know.
    """
    parts = _parts(certificate.tbs_certificate_bytes)
    start = 1 if parts[0][:1] == _VERSION else 0
    return parts[start : start + 6]


def _parts(sequence: bytes) -> list[bytes]:
    """Return the elements of a DER SEQUENCE."""
    rest = parser.parse(sequence, strict=True)[4]
    found = []
    while rest:
        size = parser.peek(rest)
        found.append(bytes(rest[:size]))
        rest = rest[size:]
    return found
