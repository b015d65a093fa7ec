"""Make keys in a token, and have certificates and requests for them signed there.

`cryptography` builds certificates and requests with any object that is a private key by its
class and can sign: `TokenRsaKey` and `TokenEcKey` are such, and give nothing else away.
"""

from typing import Any, NoReturn

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pkcs11 import Attribute, KeyType, MechanismFlag
from pkcs11.constants import ObjectClass
from pkcs11.exceptions import NoSuchKey
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

from gateway.errors import Finding, StateError
from gateway.signing.algorithms import ECDSA_SHA256, RSA_SHA256, der_of
from gateway.signing.issue import KeyKind
from gateway.signing.pkcs11 import digest_signature
from gateway.signing.pkcs11_token import KeyRef, Token

_RSA_BITS = 3072


class _InToken:
    """What a private key in a token does not do."""

    def __init__(self, token: Token, ref: KeyRef, public: Any) -> None:
        self._token, self._ref, self._public = token, ref, public

    def public_key(self) -> Any:
        """Return the public half."""
        return self._public

    @property
    def key_size(self) -> int:
        """Bits."""
        return int(self._public.key_size)

    def _never(self, *_: Any, **__: Any) -> NoReturn:
        raise NotImplementedError("the private key stays in its token")

    private_bytes = private_numbers = decrypt = exchange = _never

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self


class TokenRsaKey(_InToken, rsa.RSAPrivateKey):
    """An RSA private key in a token."""

    def sign(self, data: Any, padding: Any, algorithm: Any) -> bytes:
        """Sign with PKCS#1 v1.5 and SHA-256, whatever else is asked for is not done."""
        _check(padding, algorithm)
        return digest_signature(self._token, self._ref, RSA_SHA256, data)


class TokenEcKey(_InToken, ec.EllipticCurvePrivateKey):
    """A P-256 private key in a token."""

    @property
    def curve(self) -> ec.EllipticCurve:
        """P-256."""
        return ec.SECP256R1()

    def sign(self, data: Any, signature_algorithm: Any) -> bytes:
        """Sign with SHA-256; the value is DER."""
        _check(None, signature_algorithm.algorithm)
        return der_of(digest_signature(self._token, self._ref, ECDSA_SHA256, data))


def _check(pad: Any, algorithm: Any) -> None:
    if algorithm.name != "sha256" or not isinstance(pad, padding.PKCS1v15 | None):
        raise NotImplementedError("a token signs with SHA-256 here, RSA with PKCS#1 v1.5")


def make_key(token: Token, ref: KeyRef, kind: KeyKind) -> TokenRsaKey | TokenEcKey:
    """Make a key pair in the token that cannot be read or copied.

    StateError `conflict` when a private key of this label or id is there; UnavailableError.
    """

    def work(session: Any) -> Any:
        _check_free(session, ref)
        return _generated(session, ref, kind)

    return private_key(token, ref, token.manage(work))


def private_key(token: Token, ref: KeyRef, public: Any) -> TokenRsaKey | TokenEcKey:
    """Return a key of the token as one that builders sign with."""
    if isinstance(public, rsa.RSAPublicKey):
        return TokenRsaKey(token, ref, public)
    return TokenEcKey(token, ref, public)


def _check_free(session: Any, ref: KeyRef) -> None:
    for each in (KeyRef(ref.label), KeyRef(None, ref.id)):
        if each.label is None and each.id is None:
            continue
        try:
            session.get_key(object_class=ObjectClass.PRIVATE_KEY, label=each.label, id=each.id)
        except NoSuchKey:
            continue
        raise StateError("conflict", Finding("conflict", "hsm-key", f"key {each}"))


def _generated(session: Any, ref: KeyRef, kind: KeyKind) -> Any:
    """Generate and return the public half, as `cryptography` has it."""
    private = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
    uses = MechanismFlag.SIGN | MechanismFlag.VERIFY
    stated = {"label": ref.label, "id": ref.id, "store": True, "capabilities": uses}
    if kind is KeyKind.RSA3072:
        made, _ = session.generate_keypair(
            KeyType.RSA, _RSA_BITS, private_template=private, **stated
        )
        numbers = (made[Attribute.PUBLIC_EXPONENT], made[Attribute.MODULUS])
        return rsa.RSAPublicNumbers(*(int.from_bytes(n, "big") for n in numbers)).public_key()
    curve = {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
    domain = session.create_domain_parameters(KeyType.EC, curve, local=True)
    made, _ = domain.generate_keypair(private_template=private, **stated)
    return load_der_public_key(bytes(encode_ec_public_key(made)))
