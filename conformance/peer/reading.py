"""How the peer reads a message: octets, hostile input, envelope. Findings, never a guess."""

import re
from dataclasses import dataclass

from lxml import etree

from conformance.crypto.trees import Element
from conformance.peer.mutants import Mutants
from conformance.wire import schemas
from conformance.wire.answers import Finding
from conformance.wire.message import FIELDS, NAMESPACE, PROFILE_VERSION

DEEPEST, MOST_ATTRIBUTES, MOST_NAMESPACES, MOST_ELEMENTS = 64, 64, 32, 300_000
_NS = f"{{{NAMESPACE}}}"
_DECLARED = re.compile(rb"\A<\?xml[^>]*encoding=[\"']([^\"']+)[\"']")


class RefusedError(Exception):
    """A message that is refused: its code and all that was found."""

    def __init__(self, code: str, *findings: Finding) -> None:
        super().__init__(code)
        self.code = code
        self.findings = findings or (Finding(code, code),)


@dataclass(frozen=True, slots=True)
class Envelope:
    """The envelope's values by element name; extensions and attachments beside them."""

    values: dict[str, str]
    extensions: tuple[tuple[str, bool], ...]

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")


def tree(content: bytes, mutants: Mutants) -> Element:
    """Parse octets within the caps of XP-LIM-003. RefusedError."""
    text = content if mutants.on("MR35") else content.removeprefix(b"\xef\xbb\xbf")
    if not text.lstrip().startswith(b"<"):
        raise RefusedError("encoding-unsupported" if _wide(content) else "malformed")
    declared = _DECLARED.match(text)
    if declared and declared[1].upper() != b"UTF-8":
        raise RefusedError("encoding-unsupported")
    if b"<!DOCTYPE" in text and not mutants.on("MR28"):
        raise RefusedError("malformed", Finding("malformed", "doctype"))
    try:
        text.decode()
    except UnicodeDecodeError as fault:
        if not mutants.on("MR35"):
            raise RefusedError("malformed", Finding("malformed", "utf-8")) from fault
        text = text.decode(errors="replace").encode()
    root = _parsed(text, mutants)
    if not mutants.on("MR27"):
        _caps(root)
    return root


def _wide(content: bytes) -> bool:
    return content[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in content[:8]


def _parsed(text: bytes, mutants: Mutants) -> Element:
    wrong = mutants.on("MR28")
    parser = etree.XMLParser(
        resolve_entities=wrong,
        load_dtd=wrong,
        no_network=not wrong,
        recover=mutants.on("MR54"),
        huge_tree=mutants.on("MR27"),
    )
    try:
        root = etree.fromstring(text, parser)
    except etree.XMLSyntaxError as fault:
        raise RefusedError("malformed", Finding("malformed", "well-formed")) from fault
    if root is None:
        raise RefusedError("malformed")
    return root


def _caps(root: Element) -> None:
    count = 0
    stack = [(root, 1)]
    while stack:
        node, depth = stack.pop()
        count += 1
        if count > MOST_ELEMENTS or depth > DEEPEST:
            raise RefusedError("too-large", Finding("too-large", "depth"))
        if isinstance(node.tag, str):
            if len(node.attrib) + len(node.nsmap) > MOST_ATTRIBUTES:
                raise RefusedError("too-large", Finding("too-large", "attributes"))
            if len(node.nsmap) > MOST_NAMESPACES:
                raise RefusedError("too-large", Finding("too-large", "namespaces"))
            stack += [(child, depth + 1) for child in node]


def envelope(root: Element, mutants: Mutants) -> tuple[Envelope, Element]:
    """Return the envelope and the body's element of a message. RefusedError."""
    if root.tag != f"{_NS}Message":
        raise RefusedError("type-unknown", Finding("type-unknown", "root", found=str(root.tag)))
    if mutants.on("MR31"):
        _as_utc(root)
    if mutants.on("MR53") and (root.prefix != "xp" or root.find(f".//{_NS}Attachment") is not None):
        raise RefusedError("schema-invalid", Finding("schema-invalid", "prefix"))
    version = root.findtext(f"{_NS}Envelope/{_NS}ProfileVersion") or ""
    if version != PROFILE_VERSION and not mutants.on("MR01"):
        found = Finding("version-unsupported", "profile-version", "Envelope/ProfileVersion",
                        version, PROFILE_VERSION)  # fmt: skip
        raise RefusedError("version-unsupported", found)
    if not mutants.on("MR04"):
        _valid(schemas.exchange(), root)
    head = root.find(f"{_NS}Envelope")
    body = root.find(f"{_NS}Body")
    if head is None or body is None or not len(body):
        raise RefusedError("schema-invalid")
    values = {name: head.findtext(f"{_NS}{name}") or "" for name in FIELDS}
    extensions = tuple(
        (node.get("name", ""), node.get("mustUnderstand") == "true")
        for node in head.findall(f"{_NS}Extension")
    )
    return Envelope(values, extensions), body[0]


def _as_utc(root: Element) -> None:
    """Take local times for UTC: what a wrong receiver does."""
    for name in ("Created", "Expires"):
        node = root.find(f"{_NS}Envelope/{_NS}{name}")
        if node is not None and node.text:
            node.text = node.text[:19].replace(" ", "T") + "Z"


def document(body: Element, kind: str, mutants: Mutants) -> None:
    """Check a document against its published schema. RefusedError with all findings."""
    if mutants.on("MR04"):
        return
    alone = etree.fromstring(etree.tostring(body, with_tail=False))
    _valid(schemas.document(kind), alone)


def _valid(schema: etree.XMLSchema, root: Element) -> None:
    if schema.validate(root):
        return
    findings = [
        Finding("schema-invalid", "schema", _path(root, entry.path), "", entry.message[:300])
        for entry in schema.error_log
    ]
    raise RefusedError("schema-invalid", *findings[:100])


def _path(root: Element, xpath: str | None) -> str:
    """Where, by local names, as the sender knows them."""
    below = (node.nsmap for node in root.iter() if isinstance(node.tag, str))
    prefixes = {name: uri for nsmap in below for name, uri in nsmap.items() if name}
    found = root.xpath(xpath, namespaces=prefixes) if xpath else None
    node = found[0] if isinstance(found, list) and found else None
    if not isinstance(node, etree._Element):
        return ""
    nodes = [node, *node.iterancestors()]
    names = [etree.QName(each).localname for each in reversed(nodes)]
    return "/".join(name for name in names if name != "Message")
