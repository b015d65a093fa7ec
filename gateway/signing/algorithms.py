"""The one table of signature algorithms; XMLDSig and DSSE both use it.

A value is what travels: for ECDSA the octets r || s (RFC 3279's DER never), for RSA the octet
string of RFC 8017. A further algorithm is one more row whose functions know its own keys.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
RSA_PSS_SHA256 = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"  # RFC 9231 2.3.10
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"

SMALLEST_RSA = 2048
"""Bits. Circular 15/2025/TT-BKHCN asks for the same."""

_P256 = ec.ECDSA(hashes.SHA256())
_P256_SIZE = 32
_PKCS1 = padding.PKCS1v15()
_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
_HASH = hashes.SHA256()


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One way to sign.

    fits: may this public key be used so. sign: (private key, message) -> value. verify:
    (public key, value, message), raises InvalidSignature.
    """

    uri: str
    fits: Callable[[Any], bool]
    sign: Callable[[Any, bytes], bytes]
    verify: Callable[[Any, bytes, bytes], None]


def _fits_p256(key: object) -> bool:
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)


def _fits_rsa(key: object) -> bool:
    return isinstance(key, rsa.RSAPublicKey) and key.key_size >= SMALLEST_RSA


def _sign_p256(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(message, _P256))
    return r.to_bytes(_P256_SIZE, "big") + s.to_bytes(_P256_SIZE, "big")


def _verify_p256(key: ec.EllipticCurvePublicKey, value: bytes, message: bytes) -> None:
    if len(value) != 2 * _P256_SIZE:
        raise InvalidSignature
    r = int.from_bytes(value[:_P256_SIZE], "big")
    s = int.from_bytes(value[_P256_SIZE:], "big")
    key.verify(encode_dss_signature(r, s), message, _P256)


def _sign_pkcs1(key: rsa.RSAPrivateKey, message: bytes) -> bytes:
    return key.sign(message, _PKCS1, _HASH)


def _verify_pkcs1(key: rsa.RSAPublicKey, value: bytes, message: bytes) -> None:
    key.verify(value, message, _PKCS1, _HASH)


def _sign_pss(key: rsa.RSAPrivateKey, message: bytes) -> bytes:
    return key.sign(message, _PSS, _HASH)


def _verify_pss(key: rsa.RSAPublicKey, value: bytes, message: bytes) -> None:
    key.verify(value, message, _PSS, _HASH)


ALGORITHMS: Mapping[str, Algorithm] = {
    algorithm.uri: algorithm
    for algorithm in (
        Algorithm(ECDSA_SHA256, _fits_p256, _sign_p256, _verify_p256),
        Algorithm(RSA_PSS_SHA256, _fits_rsa, _sign_pss, _verify_pss),
        Algorithm(RSA_SHA256, _fits_rsa, _sign_pkcs1, _verify_pkcs1),
    )
}


def algorithm_for(public_key: object) -> str | None:
    """Return the URI that a key signs with when nothing else is asked for."""
    return next((uri for uri, entry in ALGORITHMS.items() if entry.fits(public_key)), None)
