"""The one table of signature algorithms; XMLDSig and DSSE both use it.

A value is what travels in XMLDSig: for ECDSA and SM2 the octets r || s (DER only where a
profile says so: `der_of`, `raw_of`), for RSA the octet string of RFC 8017. A further algorithm
is one more row whose functions know its own keys.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from gateway.signing import sm2
from gateway.signing.sm2 import Sm2PrivateKey, Sm2PublicKey
from gateway.signing.sm2_curve import SIZE as SM2_SIZE
from gateway.signing.sm2_curve import USER_ID, sm3

_DSIG = "http://www.w3.org/2000/09/xmldsig#"
_MORE_2001 = "http://www.w3.org/2001/04/xmldsig-more#"
_MORE_2007 = "http://www.w3.org/2007/05/xmldsig-more#"
_MORE_2021 = "http://www.w3.org/2021/04/xmldsig-more#"
_CHINAPORT = "http://www.chinaport.gov.cn/2022/04/xmldsig#"

ECDSA_SHA256 = _MORE_2001 + "ecdsa-sha256"
ECDSA_SHA384 = _MORE_2001 + "ecdsa-sha384"
ECDSA_SHA512 = _MORE_2001 + "ecdsa-sha512"
RSA_SHA1 = _DSIG + "rsa-sha1"
RSA_SHA256 = _MORE_2001 + "rsa-sha256"
RSA_SHA384 = _MORE_2001 + "rsa-sha384"
RSA_SHA512 = _MORE_2001 + "rsa-sha512"
RSA_PSS_SHA256 = _MORE_2007 + "sha256-rsa-MGF1"  # RFC 9231 2.3.10
RSA_PSS_SHA384 = _MORE_2007 + "sha384-rsa-MGF1"
RSA_PSS_SHA512 = _MORE_2007 + "sha512-rsa-MGF1"
ECDSA_SHA3_256 = _MORE_2021 + "ecdsa-sha3-256"  # RFC 9231 2.3.6
ECDSA_SHA3_384 = _MORE_2021 + "ecdsa-sha3-384"
ECDSA_SHA3_512 = _MORE_2021 + "ecdsa-sha3-512"
RSA_PSS_SHA3_256 = _MORE_2007 + "sha3-256-rsa-MGF1"
RSA_PSS_SHA3_384 = _MORE_2007 + "sha3-384-rsa-MGF1"
RSA_PSS_SHA3_512 = _MORE_2007 + "sha3-512-rsa-MGF1"
SM2_SM3 = _CHINAPORT + "sm2-sm3"
SM2_SM3_EPORT = _DSIG + "sm2-sm3"
"""As the e-port writes it; the W3C's namespace knows no such name."""

SHA1 = _DSIG + "sha1"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
SHA384 = _MORE_2001 + "sha384"
SHA512 = "http://www.w3.org/2001/04/xmlenc#sha512"
SHA3_256 = _MORE_2007 + "sha3-256"
SHA3_384 = _MORE_2007 + "sha3-384"
SHA3_512 = _MORE_2007 + "sha3-512"
SM3 = _CHINAPORT + "sm3"

SMALLEST_RSA = 2048
"""Bits. Circular 15/2025/TT-BKHCN asks for the same."""

SMALLEST_LEGACY_RSA = 1024
"""Bits, with rsa-sha1 alone, which is behind the legacy switch anyway."""


DIGESTS: Mapping[str, Callable[[bytes], bytes]] = {
    # SHA-1 is in the table; whether it is taken is the profile's legacy switch.
    SHA1: lambda content: hashlib.sha1(content, usedforsecurity=False).digest(),
    SHA256: lambda content: hashlib.sha256(content).digest(),
    SHA384: lambda content: hashlib.sha384(content).digest(),
    SHA512: lambda content: hashlib.sha512(content).digest(),
    SHA3_256: lambda content: hashlib.sha3_256(content).digest(),
    SHA3_384: lambda content: hashlib.sha3_384(content).digest(),
    SHA3_512: lambda content: hashlib.sha3_512(content).digest(),
    SM3: sm3,
}


class Algorithm(Protocol):
    """One way to sign.

    size: octets of r and of s, 0 where a value is not such a pair. fits: may this public key
    be used so. verify raises InvalidSignature. user_id: of SM2; nothing else has one.
    """

    @property
    def uri(self) -> str: ...  # noqa: D102
    @property
    def size(self) -> int: ...  # noqa: D102
    def fits(self, key: object) -> bool: ...  # noqa: D102
    def sign(self, key: Any, message: bytes, user_id: bytes = USER_ID) -> bytes: ...  # noqa: D102
    def verify(  # noqa: D102
        self, key: Any, value: bytes, message: bytes, user_id: bytes = USER_ID
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class _Ecdsa:
    uri: str
    curve: type[ec.EllipticCurve]
    scheme: ec.ECDSA
    size: int

    def fits(self, key: object) -> bool:
        return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, self.curve)

    def sign(
        self, key: ec.EllipticCurvePrivateKey, message: bytes, user_id: bytes = USER_ID
    ) -> bytes:
        return raw_of(key.sign(message, self.scheme), self.size)

    def verify(
        self,
        key: ec.EllipticCurvePublicKey,
        value: bytes,
        message: bytes,
        user_id: bytes = USER_ID,
    ) -> None:
        if len(value) != 2 * self.size:
            raise InvalidSignature
        key.verify(der_of(value), message, self.scheme)


@dataclass(frozen=True, slots=True)
class _Rsa:
    uri: str
    padding: padding.AsymmetricPadding
    digest: hashes.HashAlgorithm
    smallest: int = SMALLEST_RSA
    size: int = 0

    def fits(self, key: object) -> bool:
        return isinstance(key, rsa.RSAPublicKey) and key.key_size >= self.smallest

    def sign(self, key: rsa.RSAPrivateKey, message: bytes, user_id: bytes = USER_ID) -> bytes:
        return key.sign(message, self.padding, self.digest)

    def verify(
        self, key: rsa.RSAPublicKey, value: bytes, message: bytes, user_id: bytes = USER_ID
    ) -> None:
        key.verify(value, message, self.padding, self.digest)


@dataclass(frozen=True, slots=True)
class _Sm2:
    uri: str
    size: int = SM2_SIZE

    def fits(self, key: object) -> bool:
        return isinstance(key, Sm2PublicKey)

    def sign(self, key: Sm2PrivateKey, message: bytes, user_id: bytes = USER_ID) -> bytes:
        return key.sign(message, user_id)

    def verify(
        self, key: Sm2PublicKey, value: bytes, message: bytes, user_id: bytes = USER_ID
    ) -> None:
        key.verify(value, message, user_id)


def _ecdsa(uri: str, curve: type[ec.EllipticCurve], digest: hashes.HashAlgorithm) -> _Ecdsa:
    return _Ecdsa(uri, curve, ec.ECDSA(digest), (curve().key_size + 7) // 8)


def _pkcs1(uri: str, digest: hashes.HashAlgorithm, smallest: int = SMALLEST_RSA) -> _Rsa:
    return _Rsa(uri, padding.PKCS1v15(), digest, smallest)


def _pss(uri: str, digest: hashes.HashAlgorithm) -> _Rsa:
    salted = padding.PSS(mgf=padding.MGF1(digest), salt_length=padding.PSS.DIGEST_LENGTH)
    return _Rsa(uri, salted, digest)


_ROWS: tuple[Algorithm, ...] = (
    _ecdsa(ECDSA_SHA256, ec.SECP256R1, hashes.SHA256()),
    _ecdsa(ECDSA_SHA384, ec.SECP384R1, hashes.SHA384()),
    _ecdsa(ECDSA_SHA512, ec.SECP521R1, hashes.SHA512()),
    _pss(RSA_PSS_SHA256, hashes.SHA256()),
    _pss(RSA_PSS_SHA384, hashes.SHA384()),
    _pss(RSA_PSS_SHA512, hashes.SHA512()),
    _pkcs1(RSA_SHA256, hashes.SHA256()),
    _pkcs1(RSA_SHA384, hashes.SHA384()),
    _pkcs1(RSA_SHA512, hashes.SHA512()),
    _ecdsa(ECDSA_SHA3_256, ec.SECP256R1, hashes.SHA3_256()),
    _ecdsa(ECDSA_SHA3_384, ec.SECP384R1, hashes.SHA3_384()),
    _ecdsa(ECDSA_SHA3_512, ec.SECP521R1, hashes.SHA3_512()),
    _pss(RSA_PSS_SHA3_256, hashes.SHA3_256()),
    _pss(RSA_PSS_SHA3_384, hashes.SHA3_384()),
    _pss(RSA_PSS_SHA3_512, hashes.SHA3_512()),
    _Sm2(SM2_SM3),
    _Sm2(SM2_SM3_EPORT),
    _pkcs1(RSA_SHA1, hashes.SHA1(), SMALLEST_LEGACY_RSA),  # noqa: S303  the legacy switch
)
ALGORITHMS: Mapping[str, Algorithm] = {row.uri: row for row in _ROWS}


def check_ready(uris: Iterable[str]) -> None:
    """Test, before the first message, what these algorithms need outside of Python.

    UnavailableError, rule `sm2-library` or `sm2-self-test`.
    """
    if any(isinstance(ALGORITHMS[uri], _Sm2) for uri in uris):
        sm2.tested()


def algorithm_for(public_key: object) -> str | None:
    """Return the URI that a key signs with when nothing else is asked for."""
    return next((row.uri for row in _ROWS if row.uri != RSA_SHA1 and row.fits(public_key)), None)


def der_of(value: bytes) -> bytes:
    """Return the DER SEQUENCE of a value r || s."""
    half = len(value) // 2
    return encode_dss_signature(
        int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big")
    )


def raw_of(der: bytes, size: int) -> bytes:
    """Return r || s, each of `size` octets. ValueError when it is not DER (one spelling), or a
    number is negative or has no room."""
    try:
        return b"".join(number.to_bytes(size, "big") for number in decode_dss_signature(der))
    except OverflowError:
        raise ValueError("r or s is out of range") from None
