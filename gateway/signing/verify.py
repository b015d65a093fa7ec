"""Verify a document and hand out only what was signed.

1 preflight   the shape of the signature, before any mathematics
2 trust       the certificate is pinned for this party, usage and instant
3 signature   over the real C14N of SignedInfo
4 digest      over the real C14N of the document without the signature
5 ids         no value stands in two id attributes
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from cryptography.exceptions import InvalidSignature
from lxml import etree

from gateway.errors import Finding, GatewayError, TrustError
from gateway.safexml import c14n
from gateway.signing import diagnose
from gateway.signing.algorithms import ALGORITHMS
from gateway.signing.keys import fingerprint
from gateway.signing.preflight import Parts, preflight
from gateway.signing.trust import TrustedKey, TrustPolicy

_IDS = re.compile(rb'=(?:(?<= Id=)|(?<= ID=)|(?<= id=)|(?<= xml:id=))"([^"]*)"')
_ID_ATTRIBUTES = etree.XPath("//@Id | //@ID | //@id | //@xml:id")


@dataclass(frozen=True, slots=True)
class Verified:
    """What a trusted key signed.

    element: the root, now without the signature. party: whom the key belongs to.
    fingerprint: hex SHA-256 of the certificate. algorithm: SignatureMethod URI. digest: hex
    SHA-256 of the signed canonical octets; with the message id it is the key of duplicates.
    """

    element: etree._Element
    party: str
    fingerprint: str
    algorithm: str
    digest: str


def verify_document(root: etree._Element, policy: TrustPolicy, at: datetime) -> Verified:
    """Verify the enveloped signature over a whole document.

    The tree is taken over: its signature is removed from it, and the caller goes on with
    `Verified.element` alone. TrustError when anything at all is not as agreed; its finding's
    rule names the cause where one is known (`gateway.signing.diagnose`).
    """
    try:
        return _verify(root, policy, at)
    except GatewayError:
        raise
    except Exception as unexpected:  # whatever it is, it is no valid signature
        name = type(unexpected).__name__
        finding = Finding("signature-invalid", "unexpected", "ds:Signature", found=name)
        raise TrustError("signature-invalid", finding) from unexpected


def _verify(root: etree._Element, policy: TrustPolicy, at: datetime) -> Verified:
    parts = preflight(root, policy.profile)
    key = policy.key(fingerprint(parts.certificate), at, parts.method)
    _check_value(parts, key)
    content = _without_signature(root, parts)
    digest = hashlib.sha256(content).digest()
    if digest != parts.digest:
        _refuse("digest", diagnose.digest_cause(root, content, parts.digest))
    _check_ids(root, content)
    return Verified(root, key.party, key.fingerprint, parts.method, digest.hex())


def _check_value(parts: Parts, key: TrustedKey) -> None:
    message = c14n(parts.signed_info)
    try:
        ALGORITHMS[parts.method].verify(key.public_key, parts.value, message)
    except InvalidSignature:
        _refuse("signature-value", diagnose.value_cause(parts, key, message))


def _without_signature(root: etree._Element, parts: Parts) -> bytes:
    """Take the signature out (text behind it is signed and stays) and return the C14N."""
    signature = parts.signature
    if tail := signature.tail:
        before = signature.getprevious()
        if before is None:
            root.text = (root.text or "") + tail
        else:
            before.tail = (before.tail or "") + tail
    root.remove(signature)
    return c14n(root)


def _check_ids(root: etree._Element, content: bytes) -> None:
    """The octets tell cheaply whether a value may stand twice; the tree tells for sure."""
    found = _IDS.findall(content)
    if len(found) == len(set(found)):
        return
    values = _ID_ATTRIBUTES(root)
    if isinstance(values, list) and len(values) != len(set(map(str, values))):
        finding = Finding("signature-scope", "duplicate-id", "//@Id")
        raise TrustError("signature-scope", finding)


def _refuse(rule: str, cause: Finding | None) -> NoReturn:
    first = Finding("signature-invalid", rule, "ds:Signature")
    raise TrustError("signature-invalid", *([cause, first] if cause else [first]))
