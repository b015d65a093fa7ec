"""Why a signature of a known key does not verify: the common causes, each by name.

Only for the words of a refusal. Nothing here makes a signature valid. Real senders break the
rules in a few ways that come back again and again, and each has its own remedy.
"""

import hashlib
import re
from collections.abc import Iterator

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from lxml import etree

from gateway.errors import Finding
from gateway.safexml import c14n
from gateway.signing.algorithms import ALGORITHMS, ECDSA_SHA256
from gateway.signing.preflight import Parts
from gateway.signing.profiles import DSIG
from gateway.signing.trust import TrustedKey

CAUSES = {
    "whitespace-around-signature": "digest matches without the whitespace around ds:Signature",
    "indented-after-signing": "digest matches without whitespace between the elements",
    "exclusive-c14n": "it matches with exclusive C14N",
    "namespace-prefixes": "it matches with other namespace prefixes",
    "der-value": "the value is a DER SEQUENCE; r || s is expected",
}

_WHITE = " \t\r\n"
_PREFIXES = (None, "ds", "dsig", "ns0", "ns1", "ns2")


def digest_cause(root: etree._Element, content: bytes, digest: bytes) -> Finding | None:
    """Return why a document (its signature taken out, `content` its C14N) has another digest
    than its signer stated, or None. The tree may be changed."""
    for rule, octets in _other_contents(root, content):
        if hashlib.sha256(octets).digest() == digest:
            return _cause(rule)
    return None


def value_cause(parts: Parts, key: TrustedKey, message: bytes) -> Finding | None:
    """Return why a signature value does not verify, or None."""
    raw = _from_der(parts.value) if parts.method == ECDSA_SHA256 else None
    if raw and _verifies(parts.method, key, raw, message):
        return _cause("der-value")
    for rule, octets in _other_messages(parts.signed_info, message):
        if _verifies(parts.method, key, parts.value, octets):
            return _cause(rule)
    return None


def _cause(rule: str) -> Finding:
    return Finding("signature-invalid", rule, "ds:Signature", found=CAUSES[rule])


def _other_contents(root: etree._Element, content: bytes) -> Iterator[tuple[str, bytes]]:
    yield "exclusive-c14n", etree.tostring(root, method="c14n", exclusive=True)
    for prefix in _PREFIXES:
        yield "namespace-prefixes", _renamed(content, root.nsmap, root.tag, prefix)
    last = root[-1] if len(root) else None
    if last is None:
        root.text = (root.text or "").rstrip(_WHITE)
    else:
        last.tail = (last.tail or "").rstrip(_WHITE)
    yield "whitespace-around-signature", c14n(root)
    for element in root.iter():
        if len(element) and not (element.text or "").strip(_WHITE):
            element.text = None
        if not (element.tail or "").strip(_WHITE):
            element.tail = None
    yield "indented-after-signing", c14n(root)


def _other_messages(info: etree._Element, message: bytes) -> Iterator[tuple[str, bytes]]:
    yield "exclusive-c14n", etree.tostring(info, method="c14n", exclusive=True)
    for prefix in _PREFIXES:
        yield "namespace-prefixes", _renamed(message, info.nsmap, f"{{{DSIG}}}SignedInfo", prefix)


def _renamed(
    octets: bytes, namespaces: dict[str | None, str], tag: object, prefix: str | None
) -> bytes:
    """Return canonical octets with another prefix for the namespace of their first element.

    Declarations of one element keep their canonical order only when there is one; that is
    the case worth finding.
    """
    uri = etree.QName(str(tag)).namespace or ""
    old = next((name for name, value in namespaces.items() if value == uri), None)
    was, becomes = (f"{old}:" if old else ""), (f"{prefix}:" if prefix else "")
    tags = re.compile(rb"(</?)" + re.escape(was.encode()) + rb"(?=[^/:<>]+[ />])")
    renamed = tags.sub(rb"\1" + becomes.encode(), octets)
    declared = f'xmlns{":" + old if old else ""}="{uri}"'.encode()
    return renamed.replace(declared, f'xmlns{":" + prefix if prefix else ""}="{uri}"'.encode(), 1)


def _from_der(value: bytes) -> bytes | None:
    try:
        r, s = decode_dss_signature(value)
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    except (ValueError, OverflowError):
        return None


def _verifies(method: str, key: TrustedKey, value: bytes, message: bytes) -> bool:
    try:
        ALGORITHMS[method].verify(key.public_key, value, message)
    except InvalidSignature:
        return False
    return True
