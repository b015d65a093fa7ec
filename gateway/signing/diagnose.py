"""Why a signature of a known key does not verify: the common causes, each by name.

Only for the words of a refusal. Nothing here makes a signature valid. Real senders break the
rules in a few ways that come back again and again, and each has its own remedy.
"""

import re
from collections.abc import Iterator
from itertools import combinations

from cryptography.exceptions import InvalidSignature
from lxml import etree

from gateway.errors import Finding
from gateway.safexml import c14n
from gateway.signing.algorithms import ALGORITHMS, DIGESTS, raw_of
from gateway.signing.preflight import Parts
from gateway.signing.profiles import DSIG, SignatureProfile, ValueForm
from gateway.signing.sm2 import Sm2PublicKey
from gateway.signing.sm2_curve import USER_ID, signed_digest, sm3
from gateway.signing.trust import TrustedKey

CAUSES = {
    "whitespace-around-signature": "digest matches without the whitespace around ds:Signature",
    "indented-after-signing": "digest matches without whitespace between the elements",
    "exclusive-c14n": "it matches with exclusive C14N",
    "namespace-prefixes": "it matches with other namespace prefixes",
    "namespaces-not-in-scope": "it matches with namespaces that are not in scope of SignedInfo",
    "namespaces-left-out": "it matches without namespaces that are in scope of SignedInfo",
    "der-value": "the value is a DER SEQUENCE; r || s is expected",
    "raw-value": "the value is r || s; a DER SEQUENCE is expected",
    "sm2-user-id": "it matches with another SM2 user id",
    "sm2-without-z": "it matches a digest without Z, the digest of user id and key",
}

_WHITE = " \t\r\n"
_PREFIXES = (b"", b"ds", b"dsig", b"ns0", b"ns1", b"ns2")
_USUAL = {
    b"xmlns:xsd": b"http://www.w3.org/2001/XMLSchema",
    b"xmlns:xsi": b"http://www.w3.org/2001/XMLSchema-instance",
}
"""What the binding tools of common platforms declare on everything that they write."""

_MOST_SCOPES = 6
"""Declarations; all their subsets are tried."""

_USER_IDS = (USER_ID, b"", USER_ID.hex().encode(), b"ALICE123@YAHOO.COM")
"""The usual one, OpenSSL's default, the usual one in hexadecimal, the one of the standard's
examples."""

_START = re.compile(rb'<([^\s/>]+)((?: [^\s=>]+="[^"]*")*)')
_ATTRIBUTE = re.compile(rb' ([^\s=>]+)="([^"]*)"')


LARGEST = 1_000_000
"""Octets of a document that is looked into: a refusal must not take long."""


def digest_cause(root: etree._Element, content: bytes, parts: Parts) -> Finding | None:
    """Return why a document (its signature taken out, `content` its C14N) has another digest
    than its signer stated, or None. The tree may be changed."""
    if len(content) > LARGEST:
        return None
    for rule, octets in _other_contents(root):
        if DIGESTS[parts.digest_method](octets) == parts.digest:
            return _cause(rule)
    return None


def value_cause(
    parts: Parts, key: TrustedKey, message: bytes, profile: SignatureProfile
) -> Finding | None:
    """Return why a signature value does not verify, or None."""
    algorithm, value, rule = ALGORITHMS[parts.method], parts.value, ""
    if algorithm.size:
        value, rule = _as_raw(value, algorithm.size, profile.value)

    def verifies(octets: bytes) -> bool:
        try:
            algorithm.verify(key.public_key, value, octets, profile.user_id)
        except InvalidSignature:
            return False
        return True

    if rule and verifies(message):
        return _cause(rule)
    if isinstance(key.public_key, Sm2PublicKey) and (
        name := _other_sm2(key.public_key, value, message)
    ):
        return _cause(name)
    found = (name for name, octets in _other_messages(parts, message) if verifies(octets))
    name = next(found, "")
    return _cause(name) if name else None


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


def _as_raw(value: bytes, size: int, due: ValueForm) -> tuple[bytes, str]:
    """Return r || s, and the cause when that was not the form that is due."""
    if len(value) == 2 * size:  # DER of two numbers of full size is longer, of others unlikely
        return value, "raw-value" if due is ValueForm.DER else ""
    try:
        return raw_of(value, size), "der-value" if due is ValueForm.RAW else ""
    except ValueError:
        return value, ""


def _other_sm2(key: Sm2PublicKey, value: bytes, message: bytes) -> str:
    if key.matches(value, sm3(message)):
        return "sm2-without-z"
    other = any(key.matches(value, signed_digest(key.point, message, each)) for each in _USER_IDS)
    return "sm2-user-id" if other else ""


def _other_messages(parts: Parts, message: bytes) -> Iterator[tuple[str, bytes]]:
    """Whoever rewrites prefixes, of the signature or of the root, changes SignedInfo: its
    inclusive C14N names the namespaces of the root."""
    info = parts.signed_info
    yield "exclusive-c14n", etree.tostring(info, method="c14n", exclusive=True)
    yield from _other_scopes(message)
    root = etree.QName(info.getroottree().getroot()).namespace
    for uri in filter(None, (DSIG, root)):
        for prefix in _PREFIXES:
            yield "namespace-prefixes", _renamed(message, uri.encode(), prefix)


def _other_scopes(message: bytes) -> Iterator[tuple[str, bytes]]:
    """SignedInfo with other namespace declarations: as built beside the document, or with
    what a tool declares before it writes the document without it."""
    start = _START.match(message)
    if start is None:
        return
    attributes = _ATTRIBUTE.findall(start[2])
    stated = {name: value for name, value in attributes if name.startswith(b"xmlns")}
    others = [pair for pair in attributes if pair[0] not in stated]
    free = [pair for pair in ({**_USUAL, **stated}).items() if pair[1] != DSIG.encode()]
    kept = [pair for pair in stated.items() if pair[1] == DSIG.encode()]
    for size in range(len(free) + 1) if len(free) <= _MOST_SCOPES else ():
        for chosen in combinations(free, size):
            declared = sorted([*chosen, *kept])
            octets = b"".join(b' %b="%b"' % pair for pair in [*declared, *others])
            new = any(name not in stated for name, _ in chosen)
            rule = "namespaces-not-in-scope" if new else "namespaces-left-out"
            yield rule, b"<" + start[1] + octets + message[start.end(2) :]


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
