"""What a document may cost, counted on its octets before anything is parsed.

UTF-8 keeps markup ASCII, so that bytes can be counted; markup in CDATA and comments counts, too.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

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


def check(content: bytes, limits: Limits) -> None:
    """Refuse what is too large, not UTF-8, has a DOCTYPE, or too many attributes on an element.

    DocumentError `too-large`, `encoding-unsupported`, `malformed`, `schema-invalid`.
    """
    _check_size(content, limits)
    _check_prolog(content)
    _check_attributes(content, limits)


def _check_size(content: bytes, limits: Limits) -> None:
    if len(content) > limits.max_bytes:
        refuse("too-large", "size", found=str(len(content)), expected=str(limits.max_bytes))
    # An element takes 4 octets, an attribute 5: shorter content cannot pass these caps.
    if len(content) > 4 * min(limits.markup, limits.equals):
        markup = content.count(b"<") - content.count(b"</")
        for rule, count, most in (
            ("markup", markup, limits.markup),
            ("equals", content.count(b"="), limits.equals),
        ):
            if count > most:
                refuse("too-large", rule, found=str(count), expected=str(most))


def _check_prolog(content: bytes) -> None:
    """Only UTF-8 passes, by the octets and by the declaration; a DOCTYPE never does."""
    if content[:1] == b"<" and content[1:2] not in _NO_NAMES:
        return  # the root begins at once: neither a declaration nor a DOCTYPE can come
    if content.startswith(_OTHER_ENCODINGS):
        refuse("encoding-unsupported", "utf-8", path="offset 0", expected="UTF-8")
    at = len(_UTF8_MARK) if content.startswith(_UTF8_MARK) else 0
    if declared := _DECLARATION.match(content, at):
        if declared[2] != b"1.0":
            refuse("malformed", "xml-version", path="line 1", expected="1.0")
        if declared[4] is not None and declared[4].lower() != b"utf-8":
            name = declared[4].decode("ascii", "replace")
            refuse("encoding-unsupported", "utf-8", "line 1", found=name, expected="UTF-8")
    while part := _PROLOG_PART.match(content, at):
        at = part.end()
    if content[at : at + 9].upper() == b"<!DOCTYPE":
        refuse("malformed", "doctype", path=f"offset {at}")


def _check_attributes(content: bytes, limits: Limits) -> None:
    """Look closer at tags that may hold too many attributes: no `<` may stand inside a tag."""
    if len(content.split(b"=", limits.attributes)) <= limits.attributes:
        return  # so few in all cannot be too many on one element
    run, tag = _attribute_patterns(limits.attributes)
    at = 0
    while found := run.search(content, at):
        start = max(content.rfind(b"<", 0, found.start()), 0)
        if tag.match(content, start):
            most = f"at most {limits.attributes} on an element"
            refuse("schema-invalid", "attributes", path=f"offset {start}", expected=most)
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


def refuse(code: str, rule: str, path: str = "", found: str = "", expected: str = "") -> NoReturn:
    """Raise the DocumentError of one finding."""
    raise DocumentError(code, Finding(code, rule, path, found, expected))
