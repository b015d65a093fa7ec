"""Named operators that spoil a signed message. Each is one way in which things go wrong."""

import base64
import re
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree

from conformance.crypto.shapes import DSIG
from conformance.crypto.trees import SIGNATURE, Element, parse
from conformance.wire.breaking import BREAKS

LARGEST = 10_000_000
"""Octets of a message (XP-LIM-001)."""

Operator = Callable[[bytes, str, str], bytes]


def flip(content: bytes, at: str, by: str) -> bytes:
    """Change one character of the text of the element `at` (local name)."""
    found = _text(content, at)
    start, end = found.span(1)
    old = content[start:end]
    spoilt = (b"1" if old[:1] != b"1" else b"2") + old[1:]
    return content[:start] + spoilt + content[end:]


def replace(content: bytes, at: str, by: str) -> bytes:
    """Put other octets in the place of `at`, once. LookupError when it is not there."""
    if at.encode() not in content:
        raise LookupError(at)
    return content.replace(at.encode(), by.encode(), 1)


def set_text(content: bytes, at: str, by: str) -> bytes:
    """Give the element `at` (local name) another text."""
    start, end = _text(content, at).span(1)
    return content[:start] + by.encode() + content[end:]


def octets(content: bytes, at: str, by: str) -> bytes:
    """Put octets (hex) in the place of a text. LookupError when it is not there."""
    if at.encode() not in content:
        raise LookupError(at)
    return content.replace(at.encode(), bytes.fromhex(by), 1)


def strip(content: bytes, at: str, by: str) -> bytes:
    """Take the signature away."""
    root = parse(content)
    for signature in list(root.iter(SIGNATURE)):
        _parent(signature).remove(signature)
    return etree.tostring(root)


def cut(content: bytes, at: str, by: str) -> bytes:
    """Keep only the first part; at: a fraction."""
    return content[: int(len(content) * float(at or "0.5"))]


def prepend(content: bytes, at: str, by: str) -> bytes:
    """Put octets before the document."""
    return by.encode() + content


def append(content: bytes, at: str, by: str) -> bytes:
    """Put octets behind the document."""
    return content + by.encode()


def recode(content: bytes, at: str, by: str) -> bytes:
    """Write the same characters in another encoding; by: what the declaration says."""
    declared = f'<?xml version="1.0" encoding="{by}"?>' if by else ""
    return (declared + content.decode()).encode(at)


def broken(content: bytes, at: str, by: str) -> bytes:
    """Break the XML; at: a way of wire.breaking."""
    return BREAKS[at](content)


def pad(content: bytes, at: str, by: str) -> bytes:
    """Make the octets longer than the profile's limit, by `at` octets of white space."""
    return content + b" " * (LARGEST + int(at) - len(content))


def white(content: bytes, at: str, by: str) -> bytes:
    """Indent the signature after signing, as an editor does."""
    return re.sub(rb"(<[a-z]*:?Signature )", rb"\n  \1", content, count=1)


def der_value(content: bytes, at: str, by: str) -> bytes:
    """Write the ECDSA value as DER."""
    found = _text(content, "SignatureValue")
    value = base64.b64decode(found[1])
    half = len(value) // 2
    der = encode_dss_signature(int.from_bytes(value[:half]), int.from_bytes(value[half:]))
    start, end = found.span(1)
    return content[:start] + base64.b64encode(der) + content[end:]


def value(content: bytes, at: str, by: str) -> bytes:
    """Put another signature value; by: hex."""
    return set_text(content, "SignatureValue", base64.b64encode(bytes.fromhex(by)).decode())


def wrap(content: bytes, at: str, by: str) -> bytes:
    """Move what is signed and put something else in its place; at: XSW1 ... XSW8."""
    return WRAPPINGS[at](parse(content))


def _evil(root: Element) -> Element:
    """A copy of the message that says something else."""
    copy = parse(etree.tostring(root))
    for signature in list(copy.iter(SIGNATURE)):
        _parent(signature).remove(signature)
    for node in copy.iter():
        if isinstance(node.tag, str) and etree.QName(node).localname == "OrderKey":
            node.text = "9999999999999"
    return copy


def _beside(root: Element, inside: str) -> bytes:
    """An evil root whose signature still covers the true message, kept somewhere inside."""
    evil = _evil(root)
    signature = root.find(SIGNATURE)
    assert signature is not None
    root.remove(signature)
    home = etree.SubElement(signature, f"{{{DSIG}}}Object") if inside == "object" else evil
    home.append(root)
    evil.append(signature)
    return etree.tostring(evil)


def _before(root: Element) -> bytes:
    signature = root.find(SIGNATURE)
    assert signature is not None
    root.insert(0, signature)
    return etree.tostring(root)


def _twice(root: Element) -> bytes:
    signature = root.find(SIGNATURE)
    assert signature is not None
    root.append(parse(etree.tostring(signature, with_tail=False)))
    return etree.tostring(root)


def _inside(root: Element) -> bytes:
    signature = root.find(SIGNATURE)
    assert signature is not None
    root[0].append(signature)
    return etree.tostring(root)


def _wrapped_root(root: Element) -> bytes:
    evil = _evil(root)
    evil.append(root)
    return etree.tostring(evil)


def _second_body(root: Element) -> bytes:
    body = parse(etree.tostring(root[1], with_tail=False))
    root.insert(1, body)
    return etree.tostring(root)


def _second_envelope(root: Element) -> bytes:
    root.insert(0, parse(etree.tostring(_evil(root)[0])))
    return etree.tostring(root)


def _same_id(root: Element) -> bytes:
    evil = _evil(root)
    for each in (root, evil):
        each.set("Id", "m1")
    signature = root.find(SIGNATURE)
    assert signature is not None
    signature[0].find(f"{{{DSIG}}}Reference").set("URI", "#m1")  # type: ignore[union-attr]
    evil.append(root)
    return etree.tostring(evil)


WRAPPINGS: dict[str, Callable[[Element], bytes]] = {
    "XSW1": lambda root: _beside(root, "object"),
    "XSW2": lambda root: _beside(root, "sibling"),
    "XSW3": _before,
    "XSW4": _inside,
    "XSW5": _twice,
    "XSW6": _wrapped_root,
    "XSW7": _second_body,
    "XSW8": _same_id,
    "XSW9": _second_envelope,
}


def _text(content: bytes, name: str) -> re.Match[bytes]:
    found = re.search(rb"<(?:[a-zA-Z]+:)?" + name.encode() + rb"(?: [^>]*)?>([^<]*)<", content)
    if found is None:
        raise LookupError(name)
    return found


def _parent(element: Element) -> Element:
    parent = element.getparent()
    if parent is None:
        raise LookupError("root")
    return parent


OPERATORS: dict[str, Operator] = {
    "break": broken,
    "pad": pad,
    "flip": flip,
    "replace": replace,
    "set-text": set_text,
    "octets": octets,
    "strip-signature": strip,
    "cut": cut,
    "prepend": prepend,
    "append": append,
    "recode": recode,
    "white": white,
    "der-value": der_value,
    "value": value,
    "wrap": wrap,
}
