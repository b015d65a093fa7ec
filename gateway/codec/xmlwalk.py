"""Explains a large document that its schema refuses: one walk along the wire tree.

It knows what `WireNode` knows (children, order, repeats, attributes, patterns, lengths,
numbers), which is all that our schemas use but bounds of numbers. It takes some microseconds
for an element, where xmlschema takes forty.
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from lxml import etree

from gateway.codec import xmlexplain
from gateway.codec.compile_run import digits
from gateway.codec.wire import Base, Kind, WireNode, WireType
from gateway.errors import Finding

_LEXICAL = {
    Base.INTEGER: re.compile(r"\s*[+-]?[0-9]+\s*"),
    Base.DECIMAL: re.compile(r"\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)\s*"),
    Base.BOOLEAN: re.compile(r"\s*(true|false|0|1)\s*"),
}
_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"


def findings(root: etree._Element, node: WireNode) -> Iterator[Finding]:
    """Yield what is wrong, in document order."""
    yield from _group(root, "", node)


def _group(element: etree._Element, path: str, node: WireNode) -> Iterator[Finding]:
    yield from _attributes(element, path, node)
    known = {child.name: child for child in node.children}
    counts: Counter[str] = Counter()
    reached, order = 0, [child.name for child in node.children]
    straight = True
    for child in element.iterchildren(etree.Element):
        name = xmlexplain.local(child)
        counts[name] += 1
        inner = known.get(name)
        if inner is None:
            straight = False
            continue
        straight &= order.index(name) >= reached
        reached = order.index(name)
        shown = f"{name}[{counts[name]}]" if inner.repeats else name
        yield from _child(child, f"{path}/{shown}".lstrip("/"), inner)
    if not straight or any(not _fits(counts[c.name], c) for c in node.children):
        yield from xmlexplain.children(element, path, node)
    if any((text or "").strip() for text in (element.text, *(c.tail for c in element))):
        yield Finding("schema-invalid", "content", path, "text", "elements")


def _fits(count: int, node: WireNode) -> bool:
    return count >= node.min and (node.max is None or count <= node.max)


def _child(element: etree._Element, path: str, node: WireNode) -> Iterator[Finding]:
    if node.kind is Kind.GROUP:
        yield from _group(element, path, node)
        return
    yield from _attributes(element, path, node)
    if len(element):
        yield Finding("schema-invalid", "content", path, "elements", "text")
    yield from _text(element.text or "", path, node.type)


def _attributes(element: etree._Element, path: str, node: WireNode) -> Iterator[Finding]:
    names = {f"@{name}" for name in element.attrib if not str(name).startswith(_INSTANCE)}
    for name in sorted(names - {a.name for a in node.attributes}):
        yield Finding("schema-invalid", "unexpected", f"{path}/{xmlexplain.short(name)}")
    for attribute in node.attributes:
        place = f"{path}/{attribute.name}"
        if attribute.name in names:
            yield from _text(element.get(attribute.name[1:], ""), place, attribute.type)
        elif attribute.mandatory:
            yield Finding("schema-invalid", "missing", place, "absent", "at least 1")


def _text(text: str, path: str, type_: WireType | None) -> Iterator[Finding]:
    rule = _broken(text, type_) if type_ else ""
    if type_ is not None and rule:
        found, wanted = f"{len(text)} characters", xmlexplain.wanted(type_)
        yield Finding("schema-invalid", rule, path, found, wanted)


def _broken(text: str, type_: WireType) -> str:
    """Return the rule of a type that a text breaks, "" for none."""
    lexical = _LEXICAL.get(type_.base)
    value = text.strip() if lexical else text
    most = type_.max_length if type_.confirmed else None
    rules = {
        "type": lexical is not None and lexical.fullmatch(text) is None,
        "enumeration": bool(type_.values) and value not in type_.values,
        "pattern": type_.pattern is not None and _pattern(type_.pattern).fullmatch(value) is None,
        "min-length": len(value) < type_.min_length,
        "max-length": most is not None and len(value) > most,
    }
    broken = next((rule for rule, found in rules.items() if found), "")
    if not broken and type_.total_digits is not None:
        fits = digits(value, type_.total_digits, type_.fraction_digits)
        return "" if fits else "total-digits"
    return broken


@lru_cache(maxsize=1024)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
