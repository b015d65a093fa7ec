"""SM2 in libcrypto (OpenSSL 3 or later), called by ctypes.

`cryptography` has SM3 but neither SM2 nor its keys. Keys here are handles of libcrypto, one
per key, shared by threads; contexts are made anew for each call. Nothing prompts, nothing reads
a configuration of OpenSSL's but what the library itself does when it is loaded.
"""

import ctypes
import ctypes.util
import os
import sys
import weakref
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from gateway.errors import Finding, UnavailableError

LIBRARY_VARIABLE = "GATEWAY_LIBCRYPTO"
"""Environment variable that names the library where the search finds none or a wrong one."""

OLDEST = 0x30000000
"""OpenSSL 3.0.0 (OpenSSL_version_num)."""

_NAMES = {
    "win32": ("libcrypto-3-x64.dll", "libcrypto-3-arm64.dll", "libcrypto-3.dll"),
    "darwin": (
        "libcrypto.3.dylib",
        "/opt/homebrew/opt/openssl@3/lib/libcrypto.3.dylib",
        "/usr/local/opt/openssl@3/lib/libcrypto.3.dylib",
        "/opt/local/lib/libcrypto.3.dylib",
    ),
}
_OTHERWISE = ("libcrypto.so.3", "libcrypto.so.4", "libcrypto.so")
_PBKDF2_ROUNDS = 100_000
_SALT = 16
_LARGEST_VALUE = 80
"""Octets of a DER value: two integers of at most 33 octets and their headers are 72."""

R = TypeVar("R")

_void, _int, _size = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t
_octets = ctypes.c_char_p
_ask = ctypes.CFUNCTYPE(_int, _void, _int, _int, _void)
# Name of the function, then its result and its arguments.
_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "OpenSSL_version_num": (ctypes.c_ulong, ()),
    "EVP_PKEY_Q_keygen": (_void, (_void, _octets, _octets)),
    "EVP_PKEY_free": (None, (_void,)),
    "EVP_PKEY_is_a": (_int, (_void, _octets)),
    "EVP_PKEY_CTX_new": (_void, (_void, _void)),
    "EVP_PKEY_CTX_free": (None, (_void,)),
    "EVP_PKEY_CTX_set1_id": (_int, (_void, _octets, _int)),
    "EVP_MD_CTX_new": (_void, ()),
    "EVP_MD_CTX_free": (None, (_void,)),
    "EVP_MD_CTX_set_pkey_ctx": (None, (_void, _void)),
    "EVP_sm3": (_void, ()),
    "EVP_DigestSignInit": (_int, (_void, _void, _void, _void, _void)),
    "EVP_DigestSign": (_int, (_void, _void, ctypes.POINTER(_size), _octets, _size)),
    "EVP_DigestVerifyInit": (_int, (_void, _void, _void, _void, _void)),
    "EVP_DigestVerify": (_int, (_void, _octets, _size, _octets, _size)),
    "EVP_PKEY_verify_init": (_int, (_void,)),
    "EVP_PKEY_verify": (_int, (_void, _octets, _size, _octets, _size)),
    "d2i_PUBKEY": (_void, (_void, ctypes.POINTER(_void), ctypes.c_long)),
    "i2d_PUBKEY": (_int, (_void, _void)),
    "BIO_new": (_void, (_void,)),
    "BIO_s_mem": (_void, ()),
    "BIO_new_mem_buf": (_void, (_octets, _int)),
    "BIO_read": (_int, (_void, _void, _int)),
    "BIO_free": (_int, (_void,)),
    "PEM_read_bio_PrivateKey": (_void, (_void, _void, _ask, _void)),
    "PEM_write_bio_PKCS8": (_int, (_void, _void)),
    "PEM_write_bio_PKCS8_PRIV_KEY_INFO": (_int, (_void, _void)),
    "EVP_PKEY2PKCS8": (_void, (_void,)),
    "PKCS8_PRIV_KEY_INFO_free": (None, (_void,)),
    "PKCS8_encrypt": (_void, (_int, _void, _octets, _int, _octets, _int, _int, _void)),
    "X509_SIG_free": (None, (_void,)),
    "EVP_aes_256_cbc": (_void, ()),
    "ERR_clear_error": (None, ()),
}


@cache
def library() -> Any:
    """Return libcrypto, loaded once.

    UnavailableError with the rule `sm2-library` when no libcrypto >= 3 is found or it was
    built without SM2; the finding says which were tried.
    """
    tried = []
    for name in _candidates():
        try:
            found = _load(name)
        except (OSError, AttributeError):
            continue
        if found.OpenSSL_version_num() >= OLDEST and _has_sm2(found):
            return found
        tried.append(Path(name).name)
    raise _fault(", ".join(tried) or "none", "libcrypto >= 3 with SM2")


def _candidates() -> Iterator[str]:
    """Named by the operator, known names, what the system finds; on macOS never the system's
    own, which ends the process that loads it."""
    if named := os.environ.get(LIBRARY_VARIABLE):
        yield named
        return
    yield from _NAMES.get(sys.platform, _OTHERWISE)
    if sys.platform != "darwin" and (found := ctypes.util.find_library("crypto")):
        yield found
    # The wheel of cryptography hides its own libcrypto; psycopg's is a file beside it.
    for folder in map(Path, sys.path):
        for pattern in ("psycopg_binary.libs/libcrypto*", "psycopg_binary/.dylibs/libcrypto*"):
            yield from map(str, sorted(folder.glob(pattern)))


def _load(name: str) -> Any:
    loaded = ctypes.CDLL(name)
    for function, (result, arguments) in _SIGNATURES.items():
        entry = getattr(loaded, function)
        entry.restype, entry.argtypes = result, arguments
    return loaded


def _has_sm2(loaded: Any) -> bool:
    key = loaded.EVP_PKEY_Q_keygen(None, None, b"SM2")
    loaded.EVP_PKEY_free(key)
    loaded.ERR_clear_error()
    return bool(key)


class Handle:
    """A key of libcrypto, freed with the object."""

    __slots__ = ("__weakref__", "pointer")

    def __init__(self, pointer: int) -> None:
        self.pointer = pointer
        weakref.finalize(self, library().EVP_PKEY_free, pointer)


def generate() -> Handle:
    """Make a key pair."""
    return _key(library().EVP_PKEY_Q_keygen(None, None, b"SM2"))


def public_handle(spki: bytes) -> Handle:
    """Return the handle of a SubjectPublicKeyInfo (DER); ValueError."""
    buffer = ctypes.create_string_buffer(spki, len(spki))
    start = _void(ctypes.addressof(buffer))
    return _key(library().d2i_PUBKEY(None, ctypes.byref(start), len(spki)))


def private_handle(pem: bytes, password: bytes | None) -> Handle:
    """Read PKCS#8 PEM. ValueError when it cannot be read, is not SM2, or the password is wrong."""
    crypto = library()

    def answer(buffer: int, room: int, _writing: int, _more: int | None) -> int:
        if not password or len(password) > room:
            return 0
        ctypes.memmove(buffer, password, len(password))
        return len(password)

    bio = crypto.BIO_new_mem_buf(pem, len(pem))
    try:
        return _key(crypto.PEM_read_bio_PrivateKey(bio, None, _ask(answer), None))
    finally:
        crypto.BIO_free(bio)


def _key(pointer: int | None) -> Handle:
    crypto = library()
    crypto.ERR_clear_error()
    if not pointer:
        raise ValueError("no SM2 key")
    handle = Handle(pointer)
    if crypto.EVP_PKEY_is_a(pointer, b"SM2") != 1:
        raise ValueError("not an SM2 key")
    return handle


def spki_of(handle: Handle) -> bytes:
    """Return the SubjectPublicKeyInfo (DER) of a key."""
    crypto = library()
    size = crypto.i2d_PUBKEY(handle.pointer, None)
    buffer = ctypes.create_string_buffer(max(size, 1))
    start = _void(ctypes.addressof(buffer))
    if size <= 0 or crypto.i2d_PUBKEY(handle.pointer, ctypes.byref(start)) != size:
        raise ValueError("no SM2 key")
    return buffer.raw[:size]


def pkcs8(handle: Handle, password: bytes | None) -> bytes:
    """Return a private key as PKCS#8 PEM, encrypted (PBES2, AES-256) with a password."""
    crypto = library()
    plain = crypto.EVP_PKEY2PKCS8(handle.pointer)
    sealed = None
    bio = crypto.BIO_new(crypto.BIO_s_mem())
    try:
        if password:
            cipher = crypto.EVP_aes_256_cbc()
            rest = (password, len(password), None, _SALT, _PBKDF2_ROUNDS, plain)
            sealed = crypto.PKCS8_encrypt(-1, cipher, *rest)
            done = crypto.PEM_write_bio_PKCS8(bio, sealed) if sealed else 0
        else:
            done = crypto.PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, plain)
        if done != 1:
            raise _fault("PKCS#8")
        return _contents(bio)
    finally:
        crypto.BIO_free(bio)
        crypto.X509_SIG_free(sealed)
        crypto.PKCS8_PRIV_KEY_INFO_free(plain)
        crypto.ERR_clear_error()


def _contents(bio: int) -> bytes:
    room = ctypes.create_string_buffer(16 * 1024)
    size = library().BIO_read(bio, room, len(room))
    return room.raw[: max(size, 0)]


def sign(handle: Handle, message: bytes, user_id: bytes) -> bytes:
    """Return the DER value over a message, SM3 with Z of a user id."""
    crypto = library()

    def run(context: int) -> bytes:
        room = _size(_LARGEST_VALUE)
        value = ctypes.create_string_buffer(_LARGEST_VALUE)
        if (
            crypto.EVP_DigestSignInit(context, None, crypto.EVP_sm3(), None, handle.pointer) != 1
            or crypto.EVP_DigestSign(context, value, ctypes.byref(room), message, len(message)) != 1
        ):
            raise _fault("sign")
        return value.raw[: room.value]

    return _in_context(handle, user_id, run)


def verify(handle: Handle, value: bytes, message: bytes, user_id: bytes) -> bool:
    """Return whether a DER value is right; anything that is no value is not."""
    crypto = library()

    def run(context: int) -> bool:
        if crypto.EVP_DigestVerifyInit(context, None, crypto.EVP_sm3(), None, handle.pointer) != 1:
            raise _fault("verify")
        good = crypto.EVP_DigestVerify(context, value, len(value), message, len(message)) == 1
        return bool(good)

    return _in_context(handle, user_id, run)


def verify_digest(handle: Handle, value: bytes, digest: bytes) -> bool:
    """Return whether a DER value fits a digest e; no Z is added."""
    crypto = library()
    context = crypto.EVP_PKEY_CTX_new(handle.pointer, None)
    try:
        if crypto.EVP_PKEY_verify_init(context) != 1:
            raise _fault("verify")
        return bool(crypto.EVP_PKEY_verify(context, value, len(value), digest, len(digest)) == 1)
    finally:
        crypto.EVP_PKEY_CTX_free(context)
        crypto.ERR_clear_error()


def _in_context(handle: Handle, user_id: bytes, run: Callable[[int], R]) -> R:
    """Run with a message context whose user id is set: libcrypto's default id is empty."""
    crypto = library()
    context = crypto.EVP_MD_CTX_new()
    key_context = crypto.EVP_PKEY_CTX_new(handle.pointer, None)
    try:
        if not context or crypto.EVP_PKEY_CTX_set1_id(key_context, user_id, len(user_id)) != 1:
            raise _fault("user id")
        crypto.EVP_MD_CTX_set_pkey_ctx(context, key_context)
        return run(context)
    finally:
        crypto.EVP_MD_CTX_free(context)
        crypto.EVP_PKEY_CTX_free(key_context)
        crypto.ERR_clear_error()


def _fault(found: str, expected: str = "") -> UnavailableError:
    finding = Finding("unavailable", "sm2-library", "libcrypto", found, expected)
    return UnavailableError("unavailable", finding)
