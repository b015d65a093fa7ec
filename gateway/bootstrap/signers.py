"""Our keys become signers: of files, or of the token of [hsm]."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.bootstrap.outside import secret
from gateway.errors import Finding, UnavailableError
from gateway.flows.ports import Clock
from gateway.settings.keys import Hsm, OurKey, SigningKey
from gateway.settings.sections import Settings
from gateway.signing.algorithms import ALGORITHMS
from gateway.signing.certificates import public_key
from gateway.signing.keys import Signer, load_certificate, load_signer
from gateway.signing.profiles import SignatureProfile, profile
from gateway.signing.rolling import RollingSigner
from gateway.signing.sign import PairedSigner
from gateway.signing.sm2_curve import USER_ID

if TYPE_CHECKING:
    from gateway.signing.pkcs11_token import KeyRef, Token


@dataclass(frozen=True, slots=True)
class Signers:
    """One signer a purpose. head, pack: None when no such key is configured."""

    message: Signer
    receipt: Signer
    statement: Signer
    head: Signer | None
    pack: Signer | None


def signers(settings: Settings, clock: Clock) -> Signers:
    """Load our keys for the methods of the profile with which we sign to the counterpart.

    UnavailableError when a file cannot be read or used; a token is not asked yet.
    """
    keys, shape = settings.keys, our_profile(settings)

    def one(key: OurKey) -> Signer:
        return _rolling(settings, key, shape, clock)

    return Signers(
        message=_with_second(settings, keys.message, one(keys.message), shape),
        receipt=_with_second(settings, keys.receipt, one(keys.receipt), shape),
        statement=one(keys.statement),
        head=one(keys.head) if keys.head else None,
        pack=one(keys.pack) if keys.pack else None,
    )


def our_profile(settings: Settings) -> SignatureProfile | None:
    """Return how we sign to the counterpart; None without one."""
    for section in settings.counterpart.values():
        return profile(section.sign_as or section.signature, section.legacy_signatures)
    return None


def _rolling(
    settings: Settings, key: OurKey, shape: SignatureProfile | None, clock: Clock
) -> Signer:
    present = signer(settings, key, shape)
    if key.next is None:
        return present
    return RollingSigner(present, signer(settings, key.next, shape), key.next.starts, clock)


def _with_second(
    settings: Settings, key: OurKey, first: Signer, shape: SignatureProfile | None
) -> Signer:
    if shape is None or shape.second is None:
        return first
    if key.second is None:
        finding = Finding("unavailable", "second-signature", key.place, expected=shape.name)
        raise UnavailableError("unavailable", finding)
    return PairedSigner(first, signer(settings, key.second, shape.second))


def signer(settings: Settings, key: SigningKey, shape: SignatureProfile | None) -> Signer:
    """Load one of our keys for a signature profile; None: the first method that fits."""
    method = method_for(key.certificate, shape)
    if key.key is not None:
        user_id = shape.user_id if shape else USER_ID
        return load_signer(key.key, key.certificate, secret(key.password_file), method, user_id)
    from gateway.signing.pkcs11 import token_signer

    if settings.hsm is None:
        raise UnavailableError("unavailable", Finding("unavailable", "hsm", key.place))
    return token_signer(token(settings.hsm), key_ref(key), key.certificate, method)


def certificate(file: Path) -> bytes:
    """Return the DER of a PEM certificate file whose key we know. UnavailableError."""
    try:
        der = load_certificate(file.read_bytes())
        public_key(der)
    except (OSError, ValueError) as fault:
        raise UnavailableError(
            "unavailable", Finding("unavailable", "key-file", str(file))
        ) from fault
    return der


def method_for(file: Path, shape: SignatureProfile | None) -> str | None:
    """Return the first method of the profile that the key fits."""
    if shape is None or not shape.methods:
        return None
    public = public_key(certificate(file))
    fitting = (uri for uri in shape.methods if ALGORITHMS[uri].fits(public))
    return next(fitting, shape.methods[0])


@cache
def token(section: Hsm) -> "Token":
    """Return the token of [hsm]: one for the process, as its sessions are."""
    from gateway.signing.pkcs11_token import Token

    return Token(section.module, section.token, _pin(section), section.sessions)


def _pin(section: Hsm) -> Callable[[], bytes]:
    return lambda: secret(section.pin_file) or b""


def key_ref(key: SigningKey) -> "KeyRef":
    """Return what a key of the settings is called in the token."""
    from gateway.signing.pkcs11_token import KeyRef

    return KeyRef(key.label, bytes.fromhex(key.id) if key.id else None)
