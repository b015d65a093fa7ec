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
_PREFIXES = (b"", b"ds", b"dsig", b"ns0", b"ns1", b"ns2")
_START = re.compile(rb'<([^\s/>]+)((?: [^\s=>]+="[^"]*")*)')
_ATTRIBUTE = re.compile(rb' ([^\s=>]+)="([^"]*)"')


LARGEST = 1_000_000
"""Octets of a document that is looked into: a refusal must not take long."""


def digest_cause(root: etree._Element, content: bytes, digest: bytes) -> Finding | None:
    """Return why a document (its signature taken out, `content` its C14N) has another digest
    than its signer stated, or None. The tree may be changed."""
    if len(content) > LARGEST:
        return None
    for rule, octets in _other_contents(root):
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


def _other_contents(root: etree._Element) -> Iterator[tuple[str, bytes]]:
    yield "exclusive-c14n", etree.tostring(root, method="c14n", exclusive=True)
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
    """Whoever rewrites prefixes, of the signature or of the root, changes SignedInfo: its
    inclusive C14N names the namespaces of the root."""
    yield "exclusive-c14n", etree.tostring(info, method="c14n", exclusive=True)
    root = etree.QName(info.getroottree().getroot()).namespace
    for uri in filter(None, (DSIG, root)):
        for prefix in _PREFIXES:
            yield "namespace-prefixes", _renamed(message, uri.encode(), prefix)


def _renamed(octets: bytes, uri: bytes, prefix: bytes) -> bytes:
    """Return canonical octets whose first element binds a namespace to another prefix."""
    start = _START.match(octets)
    if start is None:
        return octets
    attributes = _ATTRIBUTE.findall(start[2])
    declared = {name: value for name, value in attributes if name.startswith(b"xmlns")}
    old = next((name for name, value in declared.items() if value == uri), None)
    if old is None:
        return octets
    del declared[old]
    declared[b"xmlns:" + prefix if prefix else b"xmlns"] = uri
    others = [pair for pair in attributes if not pair[0].startswith(b"xmlns")]
    stated = b"".join(b' %b="%b"' % pair for pair in [*sorted(declared.items()), *others])
    was, becomes = old.removeprefix(b"xmlns").removeprefix(b":"), prefix
    tags = re.compile(b"(</?)" + (re.escape(was) + b":" if was else b"(?=[^/:<>]+[ />])"))
    new = rb"\1" + (becomes + b":" if becomes else b"")
    return tags.sub(new, b"<" + start[1] + stated + octets[start.end(2) :])


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
