"""DSSE, the container of every signed statement that is not XML on the link.

https://github.com/secure-systems-lab/dsse, version 1: the signatures are over the
pre-authentication encoding of type and payload, so several parties can sign one statement.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

import msgspec
from cryptography.exceptions import InvalidSignature

from gateway.errors import Finding, TrustError
from gateway.signing.algorithms import ALGORITHMS
from gateway.signing.keys import Signer
from gateway.signing.rolling import settled
from gateway.signing.trust import TrustedKey, TrustPolicy

MOST_SIGNATURES = 8
"""More nobody needs; each costs a verification."""


class _Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keyid: str
    sig: str


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    payload: str
    payload_type: str
    signatures: tuple[_Signature, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """A verified statement. parties: whose keys signed it, in order. chains: of each signer
    the certificate (DER) and those above it, as far as they are known."""

    payload_type: str
    payload: bytes
    parties: tuple[str, ...]
    chains: tuple[tuple[bytes, ...], ...] = ()


def sign_statement(payload_type: str, payload: bytes, signers: Sequence[Signer]) -> bytes:
    """Return a DSSE envelope (JSON) with one signature per signer; keyid is the hex SHA-256
    of its certificate."""
    message = pre_authentication(payload_type, payload)
    signatures = tuple(
        _Signature(signer.key_id, base64.b64encode(signer.sign(message)).decode())
        for signer in map(settled, signers)
    )
    text = base64.b64encode(payload).decode()
    return msgspec.json.encode(_Envelope(text, payload_type, signatures))


def add_signature(content: bytes, signer: Signer) -> bytes:
    """Return an envelope with one more signature over what it holds; a signature that the key
    made before is replaced. TrustError when it is no envelope or holds too many."""
    envelope, one = _read(content), settled(signer)
    message = pre_authentication(envelope.payload_type, _octets(envelope.payload, "payload"))
    others = tuple(each for each in envelope.signatures if each.keyid != one.key_id)
    if len(others) == MOST_SIGNATURES:
        _refuse("signature-scope", "signatures", "signatures")
    ours = _Signature(one.key_id, base64.b64encode(one.sign(message)).decode())
    return msgspec.json.encode(_Envelope(envelope.payload, envelope.payload_type, (*others, ours)))


def payload_of(content: bytes) -> tuple[str, bytes]:
    """Return (payload type, payload) without verifying anything. TrustError when it is no
    envelope."""
    envelope = _read(content)
    return envelope.payload_type, _octets(envelope.payload, "payload")


def verify_statement(content: bytes, policy: TrustPolicy, at: datetime) -> tuple[str, bytes]:
    """Return (payload type, payload) of an envelope that at least one pinned key signed.

    TrustError as `verify_cosigned` raises it.
    """
    statement = verify_cosigned(content, policy, at)
    return statement.payload_type, statement.payload


def verify_cosigned(content: bytes, policy: TrustPolicy, at: datetime) -> Statement:
    """Verify an envelope and say who signed.

    Signatures of unknown keys are not counted; one of a known key must verify. TrustError
    `signature-missing` (none of a known key), `signature-invalid`, or what the policy says.
    """
    envelope = _read(content)
    payload = _octets(envelope.payload, "payload")
    message = pre_authentication(envelope.payload_type, payload)
    keys: list[TrustedKey] = []
    for number, entry in enumerate(envelope.signatures):
        if entry.keyid in policy.pinned:
            keys.append(_signer(entry, message, policy, at, f"signatures[{number}]"))
    if not keys:
        _refuse("signature-missing", "no-known-key", "signatures")
    parties, chains = (key.party for key in keys), (key.chain for key in keys)
    return Statement(envelope.payload_type, payload, tuple(parties), tuple(chains))


def pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """Return the octets that are signed (PAE)."""
    name = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def _signer(
    entry: _Signature, message: bytes, policy: TrustPolicy, at: datetime, path: str
) -> TrustedKey:
    uri = policy.method_of(entry.keyid)
    key = policy.key(entry.keyid, at, uri)
    try:
        user_id = policy.profile.part(uri).user_id
        ALGORITHMS[uri].verify(key.public_key, _octets(entry.sig, path), message, user_id)
    except InvalidSignature:
        _refuse("signature-invalid", "signature-value", path)
    return key


def _read(content: bytes) -> _Envelope:
    try:
        envelope = msgspec.json.decode(content, type=_Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        _refuse("signature-invalid", "dsse", "")
    if len(envelope.signatures) > MOST_SIGNATURES:
        _refuse("signature-scope", "signatures", "signatures")
    return envelope


def _octets(text: str, path: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        _refuse("signature-invalid", "base64", path)


def _refuse(code: str, rule: str, path: str) -> NoReturn:
    raise TrustError(code, Finding(code, rule, path))
