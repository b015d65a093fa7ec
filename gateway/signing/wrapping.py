"""Keys that encrypt other keys: one in a file here, one in a token in `pkcs11_wrap`."""

from collections.abc import Callable
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_SIZE = 32
NONCE_SIZE = 12
TAG_SIZE = 16


class Wrapper(Protocol):
    """Something that holds a wrapping key (AES-256)."""

    def wrap(self, key: bytes, name: str) -> bytes:
        """Return nonce || AES-GCM ciphertext || tag; name: additional data.

        UnavailableError when the key cannot be reached now.
        """
        ...

    def unwrap(self, wrapped: bytes, name: str) -> bytes:
        """Return the key. ValueError when this key did not wrap it so; UnavailableError."""
        ...


class KeyWrapper:
    """A wrapping key in memory."""

    def __init__(self, key: bytes, randomness: Callable[[int], bytes]) -> None:
        """ValueError unless the key has 32 octets."""
        if len(key) != KEY_SIZE:
            raise ValueError("a key that wraps has 32 octets")
        self._key = AESGCM(key)
        self._randomness = randomness

    def wrap(self, key: bytes, name: str) -> bytes:
        """Return nonce || ciphertext || tag."""
        nonce = self._randomness(NONCE_SIZE)
        return nonce + self._key.encrypt(nonce, key, name.encode())

    def unwrap(self, wrapped: bytes, name: str) -> bytes:
        """Return the key; ValueError."""
        try:
            return self._key.decrypt(wrapped[:NONCE_SIZE], wrapped[NONCE_SIZE:], name.encode())
        except InvalidTag:
            raise ValueError("another key wrapped this") from None
