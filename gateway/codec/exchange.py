"""What the documents of the exchange profile have in common: namespace, writing, checking.

Written octets are canonical (inclusive C14N 1.0) as they are; a test holds
`c14n(parse(out)) == out`.
"""

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from lxml import etree

from gateway import safexml
from gateway.errors import DocumentError, Finding
from gateway.resources import folder

NAMESPACE = "urn:bilateral-gateway:exchange:1"
QUALIFIED = f"{{{NAMESPACE}}}"
VERSION = "1"
"""The one version of the profile that is spoken here (XP-VER)."""

KINDS = ("Message", "Receipt", "Refusal")
MOST_ELEMENTS = 1000
"""Of an envelope, a receipt or a refusal: XSD checking of one with endless faults is slow."""

_FAMILY = re.compile(r"urn:bilateral-gateway:exchange:\d+")
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PLAIN = re.compile(r"[\w .:/|@+=-]*")
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})
_ATTRIBUTE = str.maketrans(
    {"&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"}
)
_NAMESPACE_IN_WORDS = re.compile(r"\{[^}'\"]*[:/][^}]*\}")


class _PerThread(threading.local):
    """An XMLSchema keeps the errors of its last check, so each thread has its own."""

    def __init__(self) -> None:
        file = folder("xsd") / "exchange" / "exchange.xsd"
        self.schema = etree.XMLSchema(safexml.parse(file.read_bytes()))


_local = _PerThread()


def leaf(name: str, value: str, /, **attributes: str) -> str:
    """Return an element with text. Attributes must come in the order of their names."""
    stated = "".join(f' {key}="{attribute(text)}"' for key, text in attributes.items())
    text = value if _PLAIN.fullmatch(value) else _visible(value).translate(_TEXT)
    return f"<xp:{name}{stated}>{text}</xp:{name}>"


def plain(values: str) -> bool:
    """True for texts, in one, that stand in an element as they are."""
    return _PLAIN.fullmatch(values) is not None


def attribute(value: str) -> str:
    """Return an attribute value as C14N writes it."""
    return value if _PLAIN.fullmatch(value) else _visible(value).translate(_ATTRIBUTE)


def _visible(value: str) -> str:
    """Return text with U+FFFD for what XML cannot hold."""
    return _ILLEGAL.sub("\ufffd", value)


def document(kind: str, *parts: str) -> str:
    """Return a whole document of one of the KINDS."""
    return f'<xp:{kind} xmlns:xp="{NAMESPACE}">{"".join(parts)}</xp:{kind}>'


def flag(value: bool) -> str:
    """Return a truth value as the schema writes it."""
    return "true" if value else "false"


def leaves(parent: etree._Element) -> dict[str, str]:
    """Return the texts of the children by local name; of repeated ones the last."""
    return {str(child.tag)[len(QUALIFIED) :]: child.text or "" for child in parent}


def instant(at: datetime) -> str:
    """Return a time in UTC, cut to milliseconds."""
    here = at if at.tzinfo is UTC else at.astimezone(UTC)
    return here.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def kind_of(root: etree._Element) -> str | None:
    """Return which of the KINDS a document is, in any version of the profile, or None."""
    name = etree.QName(root)
    mine = name.localname in KINDS and _FAMILY.fullmatch(name.namespace or "")
    return name.localname if mine else None


def check(root: etree._Element, kind: str) -> None:
    """Check the version, then the schema.

    DocumentError `type-unknown` (not of this kind), `version-unsupported` (the finding says
    which versions are spoken), `schema-invalid` (all findings, in the terms of the document).
    """
    if root.tag != QUALIFIED + kind and kind_of(root) != kind:
        finding = Finding("type-unknown", "root", "", str(root.tag)[:200], kind)
        raise DocumentError("type-unknown", finding)
    holder = root if kind != "Message" else next(root.iterchildren(f"{QUALIFIED}Envelope"), None)
    _check_version(root, holder)
    if holder is not None and next(islice(holder.iter(), MOST_ELEMENTS, None), None) is not None:
        most = f"at most {MOST_ELEMENTS} elements"
        raise DocumentError("schema-invalid", Finding("schema-invalid", "schema", kind, "", most))
    if not _local.schema.validate(root):
        raise DocumentError("schema-invalid", *_findings(root))


def _check_version(root: etree._Element, holder: etree._Element | None) -> None:
    stated = str(root.tag)[1:].partition("}")[0].rpartition(":")[2]
    if stated == VERSION and holder is not None and len(holder):
        first = holder[0]
        if first.tag == f"{QUALIFIED}ProfileVersion":
            stated = (first.text or "").strip()
    if stated != VERSION and stated.isdigit():
        path = "Envelope/ProfileVersion"
        finding = Finding("version-unsupported", "profile-version", path, stated[:10], VERSION)
        raise DocumentError("version-unsupported", finding)


def _findings(root: etree._Element) -> Iterator[Finding]:
    """Say what the schema refused: one finding for each place."""
    told: set[str] = set()
    for entry in _local.schema.error_log:
        path = _place(root, entry.path or "")
        if path not in told:
            told.add(path)
            message = _NAMESPACE_IN_WORDS.sub("", entry.message)[:300]
            yield Finding("schema-invalid", "schema", path, expected=message)


def _place(root: etree._Element, path: str) -> str:
    """Turn libxml2's `/*/*[1]/*[3]` or `/xp:Message/xp:Envelope` into local names below the
    root."""
    prefixes = {prefix: uri for prefix, uri in root.nsmap.items() if prefix}
    try:
        found = root.getroottree().xpath(path, namespaces=prefixes)
    except etree.XPathError:  # a prefix that is declared further down
        return path
    if not isinstance(found, list) or not found or not isinstance(found[0], etree._Element):
        return path
    steps = [_step(element) for element in (found[0], *found[0].iterancestors())]
    return "/".join(steps[:-1][::-1])


def _step(element: etree._Element) -> str:
    name = etree.QName(element).localname
    same = list(element.itersiblings(str(element.tag), preceding=True))
    return f"{name}[{len(same) + 1}]" if same else name
