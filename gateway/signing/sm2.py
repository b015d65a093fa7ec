"""SM2 keys and signatures (GB/T 32918, GM/T 0009), with SM3.

A value here is r || s, 64 octets. The arithmetic is libcrypto's (`sm2_libcrypto`), which is
tested at first use.
"""

from dataclasses import dataclass, field
from functools import cache, lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from gateway.errors import Finding, UnavailableError
from gateway.signing import sm2_libcrypto, sm2_oracle
from gateway.signing.sm2_curve import POINT_SIZE, SIZE, USER_ID, coordinates, pair
from gateway.signing.sm2_libcrypto import Handle

SPKI_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
"""SubjectPublicKeyInfo of id-ecPublicKey on 1.2.156.10197.1.301, up to the point."""

_MOST_USER_ID = 0xFFFF // 8 - 1
"""Octets: ENTL counts bits in 16 bits, and libcrypto takes one less than that allows."""


@dataclass(frozen=True, slots=True)
class Sm2PublicKey:
    """A point of the curve: 04 || x || y, 65 octets. Made by `public_key`."""

    point: bytes

    @property
    def spki(self) -> bytes:
        """The SubjectPublicKeyInfo, DER."""
        return SPKI_HEAD + self.point

    def verify(self, value: bytes, message: bytes, user_id: bytes = USER_ID) -> None:
        """Check a value r || s. InvalidSignature; UnavailableError without a libcrypto."""
        if not 0 < len(user_id) <= _MOST_USER_ID:
            raise InvalidSignature
        der = _der(value)
        tested()
        if not sm2_libcrypto.verify(_handle(self.spki), der, message, user_id):
            raise InvalidSignature

    def matches(self, value: bytes, digest: bytes) -> bool:
        """Return whether a value fits a digest e, however that was made. For diagnosis."""
        try:
            return sm2_libcrypto.verify_digest(_handle(self.spki), _der(value), digest)
        except InvalidSignature:
            return False


@dataclass(frozen=True, slots=True)
class Sm2PrivateKey:
    """A private key that stays in libcrypto. Made by `generate` and `load_private`."""

    public: Sm2PublicKey
    _handle: Handle = field(repr=False)

    def public_key(self) -> Sm2PublicKey:
        """Return the public half."""
        return self.public

    def sign(self, message: bytes, user_id: bytes = USER_ID) -> bytes:
        """Return r || s. UnavailableError without a libcrypto."""
        if not 0 < len(user_id) <= _MOST_USER_ID:
            raise ValueError("no user id")
        tested()
        return _raw(sm2_libcrypto.sign(self._handle, message, user_id))

    def pem(self, password: bytes | None) -> bytes:
        """Return the key as PKCS#8 PEM, encrypted with a password."""
        return sm2_libcrypto.pkcs8(self._handle, password)


def public_key(point: bytes) -> Sm2PublicKey:
    """Return the key of an uncompressed point; ValueError when it is not on the curve."""
    coordinates(point)
    return Sm2PublicKey(bytes(point))


def generate() -> Sm2PrivateKey:
    """Make a key pair."""
    return _private(sm2_libcrypto.generate())


def load_private(pem: bytes, password: bytes | None) -> Sm2PrivateKey:
    """Read PKCS#8 PEM; as with other keys, a password must be given just when one is needed.

    ValueError when it cannot be read or is no SM2 key.
    """
    encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in pem
    if encrypted != bool(password):
        raise ValueError("a password is missing, or given without need")
    return _private(sm2_libcrypto.private_handle(pem, password))


def _der(value: bytes) -> bytes:
    """Return the DER of r || s. InvalidSignature when it cannot be right."""
    try:
        return encode_dss_signature(*pair(value))
    except ValueError:
        raise InvalidSignature from None


def _raw(der: bytes) -> bytes:
    return b"".join(number.to_bytes(SIZE, "big") for number in decode_dss_signature(der))


def _private(handle: Handle) -> Sm2PrivateKey:
    return Sm2PrivateKey(public_key(sm2_libcrypto.spki_of(handle)[-POINT_SIZE:]), handle)


@lru_cache(maxsize=256)
def _handle(spki: bytes) -> Handle:
    return sm2_libcrypto.public_handle(spki)


_KNOWN_KEY = bytes.fromhex(
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
_KNOWN_MESSAGE = b"message digest"
_KNOWN_VALUE = bytes.fromhex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)


@cache
def tested() -> None:
    """Check the library once, at first use: the known answer of GB/T 32918.5 A.2, and a value
    that it makes itself, which plain Python must confirm.

    UnavailableError with the rule `sm2-self-test` (or `sm2-library`).
    """
    known, right = _handle(SPKI_HEAD + _KNOWN_KEY), _der(_KNOWN_VALUE)
    own = sm2_libcrypto.generate()
    made = sm2_libcrypto.sign(own, _KNOWN_MESSAGE, USER_ID)
    point = sm2_libcrypto.spki_of(own)[-POINT_SIZE:]
    good = (
        sm2_libcrypto.verify(known, right, _KNOWN_MESSAGE, USER_ID)
        and not sm2_libcrypto.verify(known, right, _KNOWN_MESSAGE, USER_ID[:-1])
        and not sm2_libcrypto.verify(known, right, _KNOWN_MESSAGE + b".", USER_ID)
        and sm2_libcrypto.verify(own, made, _KNOWN_MESSAGE, USER_ID)
        and sm2_oracle.verify(point, _raw(made), _KNOWN_MESSAGE, USER_ID)
    )
    if not good:
        raise UnavailableError("unavailable", Finding("unavailable", "sm2-self-test", "libcrypto"))
