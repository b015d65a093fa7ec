"""A wrapping key that never leaves a token (PKCS#11, AES-256-GCM in the token)."""

from collections.abc import Callable
from typing import Any

from pkcs11 import Attribute, KeyType, MechanismFlag
from pkcs11.constants import ObjectClass
from pkcs11.exceptions import NoSuchKey
from pkcs11.mechanisms import GCMParams, Mechanism

from gateway.errors import Finding, StateError
from gateway.signing.pkcs11_token import KeyRef, Token
from gateway.signing.wrapping import KEY_SIZE, NONCE_SIZE, TAG_SIZE


class TokenWrapper:
    """A `Wrapper` with a secret key of a token. Data keys pass through it once a process."""

    def __init__(self, token: Token, ref: KeyRef, randomness: Callable[[int], bytes]) -> None:
        """Nothing is asked of the token before it is used."""
        self._token, self._ref, self._randomness = token, ref, randomness

    def wrap(self, key: bytes, name: str) -> bytes:
        """Return nonce || ciphertext || tag. UnavailableError, as `Token.sign` raises it."""
        nonce = self._randomness(NONCE_SIZE)

        def work(session: Any) -> bytes:
            held = _found(session, self._ref)
            return bytes(held.encrypt(key, mechanism=Mechanism.AES_GCM, **_with(nonce, name)))

        return nonce + self._token.manage(work)

    def unwrap(self, wrapped: bytes, name: str) -> bytes:
        """Return the key. What another key wrapped is UnavailableError `hsm`: a token does not
        say why it refuses."""
        if len(wrapped) != NONCE_SIZE + KEY_SIZE + TAG_SIZE:
            raise ValueError("no wrapped key has this length")
        nonce, sealed = wrapped[:NONCE_SIZE], wrapped[NONCE_SIZE:]

        def work(session: Any) -> bytes:
            held = _found(session, self._ref)
            return bytes(held.decrypt(sealed, mechanism=Mechanism.AES_GCM, **_with(nonce, name)))

        return self._token.manage(work)


def make_wrapping_key(token: Token, ref: KeyRef) -> None:
    """Make an AES-256 key in the token that cannot be read or copied.

    StateError `conflict` when a secret key of this label or id is there; UnavailableError.
    """

    def work(session: Any) -> None:
        try:
            _found(session, ref)
        except NoSuchKey:
            session.generate_key(
                KeyType.AES,
                KEY_SIZE * 8,
                label=ref.label,
                id=ref.id,
                store=True,
                capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
                template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
            )
        else:
            raise StateError("conflict", Finding("conflict", "hsm-key", f"key {ref}"))

    token.manage(work)


def _found(session: Any, ref: KeyRef) -> Any:
    return session.get_key(object_class=ObjectClass.SECRET_KEY, label=ref.label, id=ref.id)


def _with(nonce: bytes, name: str) -> dict[str, Any]:
    return {"mechanism_param": GCMParams(nonce, name.encode(), TAG_SIZE * 8)}
