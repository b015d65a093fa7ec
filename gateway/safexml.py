"""The only place that parses XML: one hardened parser, with caps that hold before C14N.

Size, elements and attributes are counted on the octets (UTF-8 keeps markup ASCII; markup in
CDATA and comments counts), namespaces in scope while a second, counting parser reads.
"""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

from lxml import etree

from gateway.errors import DocumentError, Finding


@dataclass(frozen=True, slots=True)
class Limits:
    """What a document may cost. markup: elements, comments, CDATA sections and instructions.
    equals: `=` signs, which bound all attributes. attributes: on one element, declarations
    included. namespaces: declarations in scope; inclusive C14N costs them x elements."""

    max_bytes: int = 10 * 1024 * 1024
    depth: int = 64
    markup: int = 300_000
    equals: int = 300_000
    attributes: int = 64
    namespaces: int = 32


DEFAULT = Limits()
_HARDENED: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "attribute_defaults": False,
    "huge_tree": False,
    "recover": False,
    "collect_ids": False,
}
XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"

_OTHER_ENCODINGS = (  # UTF-16 and UTF-32 with and without a mark, UTF-7, GB18030, EBCDIC
    *(b"\xfe\xff", b"\xff\xfe", b"\x00", b"<\x00"),
    *(b"+/v", b"\x84\x31\x95\x33", b"\x4c\x6f\xa7\x94"),
)
_NO_NAMES = (b"", b"?", b"!", b"\x00")
_UTF8_MARK = b"\xef\xbb\xbf"
_DECLARATION = re.compile(
    rb"<\?xml\s+version\s*=\s*(['\"])([^'\"]{0,16})\1"
    rb"(?:\s+encoding\s*=\s*(['\"])([^'\"]{0,64})\3)?"
)
_PROLOG_PART = re.compile(rb"\s+|<!--.*?-->|<\?.*?\?>", re.DOTALL)
_CHUNK = 16 * 1024
_LARGE = 1024 * 1024
_SAMPLE = 64
_NAME_OCTETS = 128 * 1024
_TAG_NAMES = re.compile(rb"<([^\s/>]+)")
# Resource limits of libxml2 itself (text node over 10 MB, name over 50 kB, depth over 256).
_FAULTS = {code: name for name, code in vars(etree.ErrorTypes).items() if name.startswith("ERR_")}
_LIBRARY_LIMITS = {"ERR_RESOURCE_LIMIT", "ERR_NAME_TOO_LONG", "ERR_NO_MEMORY"}


class _PerThread(threading.local):
    """A shared parser would serialise all threads; a shared XPath has a lock."""

    def __init__(self) -> None:
        self.parser: etree.XMLParser = etree.XMLParser(**_HARDENED)
        self.deeper_than: dict[int, etree.XPath] = {}
        self.parsed = 0
        self.names: set[bytes] = set()
        self.name_octets = 0

    def too_deep(self, root: etree._Element, depth: int) -> bool:
        path = self.deeper_than.get(depth)
        if path is None:
            path = self.deeper_than[depth] = etree.XPath("boolean(" + "/*" * (depth + 1) + ")")
        return bool(path(root))

    def must_parse_apart(self, content: bytes) -> bool:
        """libxml2 keeps every name that a thread ever parsed, until the thread ends: a flood
        of new names would fill the memory. Large documents therefore have a thread of their
        own; small ones, too, once samples (nobody can foretell which: hashes of str are
        keyed) have shown more new names than honest traffic has."""
        if len(content) > _LARGE:
            return True
        self.parsed += 1
        if self.name_octets <= _NAME_OCTETS and hash(str(self.parsed)) % _SAMPLE == 0:
            new = _names(content) - self.names
            self.names |= new
            self.name_octets += sum(map(len, new))
        return self.name_octets > _NAME_OCTETS


_local = _PerThread()


def parse(content: bytes, limits: Limits = DEFAULT) -> etree._Element:
    """Return the root of a UTF-8 document that keeps within the limits.

    DocumentError: `too-large` (size, markup, equals, a limit of the library),
    `encoding-unsupported`, `schema-invalid` (attributes, namespaces, depth), `malformed`
    (not well-formed, not UTF-8, any DOCTYPE). The path is a line and a column, or an offset.
    """
    _check_size(content, limits)
    _check_prolog(content)
    _check_attributes(content, limits)
    _check_namespaces(content, limits)
    root = _tree(content)
    if root.getroottree().docinfo.doctype:
        _refuse("malformed", "doctype")
    if _local.too_deep(root, limits.depth):
        _refuse("schema-invalid", "depth", expected=f"at most {limits.depth}")
    return root


def parse_own(content: bytes) -> etree._Element:
    """Return the root of octets that our own encoder wrote. DocumentError when malformed."""
    try:
        return etree.fromstring(content, _local.parser)
    except etree.XMLSyntaxError as error:
        _refuse_syntax(error)


def _names(content: bytes) -> set[bytes]:
    """Return the names of elements, and the ends of what stands before equal signs."""
    before_equals = (part[-64:].split() for part in content.split(b"=")[:-1])
    return set(_TAG_NAMES.findall(content)).union(words[-1] for words in before_equals if words)


def _tree(content: bytes) -> etree._Element:
    if not _local.must_parse_apart(content):
        return parse_own(content)
    with ThreadPoolExecutor(1, "xml") as own_thread:
        return own_thread.submit(parse_own, content).result()


def c14n(element: etree._Element) -> bytes:
    """Return the inclusive C14N 1.0 (no comments) of an element and what is in it.

    An element below the root is serialised and parsed again first where it inherits: lxml
    writes a wrong `xmlns=""` when the default namespace is declared outside, and no xml:*
    attributes. DocumentError `malformed` for a namespace that is a relative URI.
    """
    apex = element
    if element.getparent() is not None and (None in element.nsmap or _inherited(element)):
        apex = _apart(element)
    try:
        return etree.tostring(apex, method="c14n", with_comments=False)
    except etree.C14NError:
        _refuse("malformed", "relative-namespace")


def _apart(element: etree._Element) -> etree._Element:
    """Return a copy of an element as the root of a document of its own."""
    apex = parse_own(etree.tostring(element, encoding="utf-8", with_tail=False))
    for name, value in _inherited(element).items():
        if apex.get(name) is None:
            apex.set(name, value)
    return apex


class _Nothing:
    """What a parser builds that only checks."""

    def close(self) -> None: ...


def valid(content: bytes, schema: etree.XMLSchema) -> bool:
    """Check, while parsing, a document that `parse` accepted: no tree, up to the first fault.

    On a tree libxml2 goes on to all faults, and its time grows with the square of their number.
    """
    target: Any = _Nothing()  # without start and data, so that nothing is called
    checking = etree.XMLParser(target=target, schema=schema, **_HARDENED)
    try:
        for start in range(0, len(content), _CHUNK):
            checking.feed(content[start : start + _CHUNK])
            if len(checking.feed_error_log):
                return False
        checking.close()
    except etree.XMLSyntaxError:
        return False
    return True


def _inherited(element: etree._Element) -> dict[str, str]:
    """Return the xml:* attributes that C14N 1.0 hands down to an apex, the nearest first."""
    handed_down = [
        (str(name), str(value))
        for ancestor in element.iterancestors()
        for name, value in ancestor.attrib.items()
        if str(name).startswith("{" + XML_NAMESPACE)
    ]
    return dict(reversed(handed_down))


def _check_size(content: bytes, limits: Limits) -> None:
    if len(content) > limits.max_bytes:
        _refuse("too-large", "size", found=str(len(content)), expected=str(limits.max_bytes))
    # An element takes 4 octets, an attribute 5: shorter content cannot pass these caps.
    if len(content) > 4 * min(limits.markup, limits.equals):
        markup = content.count(b"<") - content.count(b"</")
        for rule, count, most in (
            ("markup", markup, limits.markup),
            ("equals", content.count(b"="), limits.equals),
        ):
            if count > most:
                _refuse("too-large", rule, found=str(count), expected=str(most))


def _check_prolog(content: bytes) -> None:
    """Only UTF-8 passes, by the octets and by the declaration; a DOCTYPE never does."""
    if content[:1] == b"<" and content[1:2] not in _NO_NAMES:
        return  # the root begins at once: neither a declaration nor a DOCTYPE can come
    if content.startswith(_OTHER_ENCODINGS):
        _refuse("encoding-unsupported", "utf-8", path="offset 0", expected="UTF-8")
    at = len(_UTF8_MARK) if content.startswith(_UTF8_MARK) else 0
    if declared := _DECLARATION.match(content, at):
        if declared[2] != b"1.0":
            _refuse("malformed", "xml-version", path="line 1", expected="1.0")
        if declared[4] is not None and declared[4].lower() != b"utf-8":
            name = declared[4].decode("ascii", "replace")
            _refuse("encoding-unsupported", "utf-8", "line 1", found=name, expected="UTF-8")
    while part := _PROLOG_PART.match(content, at):
        at = part.end()
    if content[at : at + 9].upper() == b"<!DOCTYPE":
        _refuse("malformed", "doctype", path=f"offset {at}")


def _check_attributes(content: bytes, limits: Limits) -> None:
    """Look closer at tags that may hold too many attributes: no `<` may stand inside a tag."""
    run, tag = _attribute_patterns(limits.attributes)
    at = 0
    while found := run.search(content, at):
        start = max(content.rfind(b"<", 0, found.start()), 0)
        if tag.match(content, start):
            most = f"at most {limits.attributes} on an element"
            _refuse("schema-invalid", "attributes", path=f"offset {start}", expected=most)
        at = content.find(b"<", found.end())
        if at < 0:
            return


@lru_cache
def _attribute_patterns(most: int) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Return what finds more than `most` equal signs without a `<` between, and what matches
    a tag with more than `most` attributes."""
    attribute = rb"\s*+[^\s=>\"']++\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+')"
    return (
        re.compile(rb"=(?:[^<=]*+=){%d}" % most),
        re.compile(rb"<[^\s/>]++(?:%b){%d}" % (attribute, most + 1)),
    )


class _Declarations(_Nothing):
    """A parser target that builds nothing: it counts the declarations in scope."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.open = 0

    def start_ns(self, prefix: str, uri: str) -> None:
        self.open += 1
        if self.open > self.most:
            _refuse("schema-invalid", "namespaces", expected=f"at most {self.most} in scope")

    def end_ns(self, prefix: str) -> None:
        self.open -= 1


def _check_namespaces(content: bytes, limits: Limits) -> None:
    """Count the declarations in scope while parsing, for documents that have many at all."""
    if content.count(b"xmlns") <= limits.namespaces:
        return
    target: Any = _Declarations(limits.namespaces)  # the stub asks for methods it can lack
    counting = etree.XMLParser(target=target, **_HARDENED)
    try:
        etree.fromstring(content, counting)
    except etree.XMLSyntaxError as error:
        _refuse_syntax(error)


def _refuse_syntax(error: etree.XMLSyntaxError) -> NoReturn:
    """Name the fault by the library's own name for it, never by what the document says."""
    fault = _FAULTS.get(error.code or 0, "ERR_DOCUMENT_EMPTY")
    line, column = error.position
    path = f"line {line}, column {column}"
    if fault == "ERR_RESOURCE_LIMIT" and (error.msg or "").startswith("Excessive depth"):
        _refuse("schema-invalid", "depth", path)
    code = "too-large" if fault in _LIBRARY_LIMITS else "malformed"
    _refuse(code, "well-formed", path, found=fault)


def _refuse(code: str, rule: str, path: str = "", found: str = "", expected: str = "") -> NoReturn:
    raise DocumentError(code, Finding(code, rule, path, found, expected))
