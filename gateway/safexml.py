"""The only place that parses XML: one hardened parser, with caps that hold before C14N.

Size, elements and attributes are counted on the octets (UTF-8 keeps markup ASCII; markup in
CDATA and comments counts), namespaces in scope while a second, counting parser reads.
"""

import ctypes
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

from lxml import etree

from gateway.safexml_counts import Limits, check, refuse

__all__ = [
    "DEFAULT",
    "LARGE",
    "XML_NAMESPACE",
    "Limits",
    "OwnOctets",
    "c14n",
    "give_back",
    "parse",
    "parse_own",
    "valid",
]

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

_CHUNK = 16 * 1024
LARGE = 1024 * 1024
"""Octets from which on a document's memory is worth a thought."""
_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
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
        if len(content) > LARGE:
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
    check(content, limits)
    _check_namespaces(content, limits)
    root = _tree(content)
    if root.getroottree().docinfo.doctype:
        refuse("malformed", "doctype")
    if _local.too_deep(root, limits.depth):
        refuse("schema-invalid", "depth", expected=f"at most {limits.depth}")
    return root


def parse_own(content: bytes | memoryview) -> etree._Element:
    """Return the root of octets that our own encoder wrote. DocumentError when malformed."""
    try:
        return etree.fromstring(bytes(content), _local.parser)
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
        octets = etree.tostring(apex, method="c14n", with_comments=False)
    except etree.C14NError:
        refuse("malformed", "relative-namespace")
    if len(octets) > LARGE:
        give_back()
    return octets


def give_back() -> None:
    """Return freed memory to the system. The allocator (glibc) keeps what large documents took,
    in each thread's part of it."""
    if _trim is not None:
        _trim(0)


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


def valid(content: bytes | memoryview, schema: etree.XMLSchema) -> bool:
    """Check, while parsing, a document that `parse` accepted: no tree, up to the first fault.

    On a tree libxml2 goes on to all faults, and its time grows with the square of their number.
    """
    target: Any = _Nothing()  # without start and data, so that nothing is called
    checking = etree.XMLParser(target=target, schema=schema, **_HARDENED)
    try:
        for start in range(0, len(content), _CHUNK):
            checking.feed(bytes(content[start : start + _CHUNK]))
            if len(checking.feed_error_log):
                return False
        checking.close()
    except etree.XMLSyntaxError:
        return False
    return True


class OwnOctets:
    """Checks octets that our own encoder wrote against a schema, without building a tree.

    A parser belongs to one thread: a shared one would serialise all of them.
    """

    def __init__(self, schema: etree.XMLSchema) -> None:
        self._schema = schema
        self._local = threading.local()

    def fit(self, content: bytes) -> bool:
        """True for a well-formed document that fits. A parser with a target notes what does
        not fit, and raises only for what is malformed."""
        if len(content) > LARGE:
            return valid(content, self._schema)
        parser = getattr(self._local, "parser", None)
        if parser is None:
            target: Any = _Nothing()
            parser = etree.XMLParser(target=target, schema=self._schema, **_HARDENED)
            self._local.parser = parser
        try:
            etree.fromstring(content, parser)
        except etree.XMLSyntaxError:
            return False
        return not len(parser.error_log)


def _inherited(element: etree._Element) -> dict[str, str]:
    """Return the xml:* attributes that C14N 1.0 hands down to an apex, the nearest first."""
    handed_down = [
        (str(name), str(value))
        for ancestor in element.iterancestors()
        for name, value in ancestor.attrib.items()
        if str(name).startswith("{" + XML_NAMESPACE)
    ]
    return dict(reversed(handed_down))


class _Declarations(_Nothing):
    """A parser target that builds nothing: it counts the declarations in scope."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.open = 0

    def start_ns(self, prefix: str, uri: str) -> None:
        self.open += 1
        if self.open > self.most:
            refuse("schema-invalid", "namespaces", expected=f"at most {self.most} in scope")

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
        refuse("schema-invalid", "depth", path)
    code = "too-large" if fault in _LIBRARY_LIMITS else "malformed"
    refuse(code, "well-formed", path, found=fault)
