"""JSON documents: octets to a checked record and back.

The shape comes from a layout. A field that the layout does not know refuses: what no table
speaks of would be lost. `null` is the same as absent. Numbers stay exact (int, Decimal).
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NoReturn

import msgspec

from gateway.codec.layout import JsonLayout
from gateway.codec.wire import Kind, Record, WireNode
from gateway.errors import DocumentError, Finding

MOST_DEPTH = 32
"""Nesting of a document; the registration has 6."""

MOST_FINDINGS = 100
_EXACT = msgspec.json.Encoder(decimal_format="number")
_ENVELOPE = frozenset({"result", "code", "message", "data"})
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_DATETIME = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
)
_OPENING = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]')


def decode(layout: JsonLayout, content: bytes) -> tuple[Record, list[Finding]]:
    """Read a document. DocumentError `malformed` or `encoding-unsupported`; what does not fit
    the shape comes back as findings, with the places in the sender's terms.

    The platform's answer around a document (`result`, `code`, `message`, `data`) is taken off.
    """
    whole = _parsed(content)
    if isinstance(whole, dict) and whole.keys() == _ENVELOPE:
        whole = whole["data"]
    if not isinstance(whole, dict):
        _refuse("malformed", "json-object", type(whole).__name__, "an object")
    findings: list[Finding] = []
    record = _group(layout, layout.root, whole, "", findings)
    if len(findings) > MOST_FINDINGS:
        more = Finding("schema-invalid", "more-findings", "", str(len(findings)))
        findings = [*findings[:MOST_FINDINGS], more]
    return record, findings


def encode(layout: JsonLayout, record: Record) -> tuple[bytes, list[Finding]]:
    """Write a record in the order of the layout, compact UTF-8."""
    return _EXACT.encode(_ordered(layout.root, record)), []


def _parsed(content: bytes) -> Any:
    if content.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        _refuse("encoding-unsupported", "byte-order-mark", "", "UTF-8 without a byte order mark")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse("encoding-unsupported", "encoding", f"byte {error.start}", "UTF-8", error)
    _check_depth(content)
    try:
        return json.loads(
            text, parse_float=Decimal, parse_constant=_constant, object_pairs_hook=_unique
        )
    except ValueError as error:
        place = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        _refuse("malformed", "json", place, "JSON (RFC 8259)", error)


def _check_depth(content: bytes) -> None:
    depth = 0
    for mark in _OPENING.finditer(content):
        first = mark.group()[:1]
        depth += (first in b"[{") - (first in b"]}")
        if depth > MOST_DEPTH:
            _refuse("malformed", "depth", f"over {MOST_DEPTH}", f"at most {MOST_DEPTH}")


def _constant(name: str) -> None:
    raise ValueError(name)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refuse(
    code: str, rule: str, found: str, expected: str, cause: Exception | None = None
) -> NoReturn:
    raise DocumentError(code, Finding(code, rule, "", found, expected)) from cause


def _group(
    layout: JsonLayout, node: WireNode, given: dict[str, Any], place: str, findings: list[Finding]
) -> Record:
    """Check one object against its node; return what is present."""
    known = {child.name: child for child in node.children}
    for name in given.keys() - known.keys():
        path = f"{place}.{name}" if place else name
        findings.append(Finding("schema-invalid", "unknown-field", path[:200]))
    record: Record = {}
    for name, child in known.items():
        path = f"{place}.{name}" if place else name
        value = given.get(name)
        if value is None:
            if child.min:
                findings.append(Finding("schema-invalid", "missing-field", path))
        elif child.repeats:
            record[name] = _many(layout, child, value, path, findings)
        elif (one := _one(layout, child, value, path, findings)) is not None:
            record[name] = one
    return record


def _many(
    layout: JsonLayout, node: WireNode, value: Any, path: str, findings: list[Finding]
) -> Any:
    if not isinstance(value, list):
        findings.append(_wrong(path, value, "an array"))
        return []
    if node.max is not None and len(value) > node.max:
        most = f"at most {node.max}"
        findings.append(Finding("schema-invalid", "too-many", path, str(len(value)), most))
    elements = (
        _one(layout, node, each, f"{path}[{index}]", findings) for index, each in enumerate(value)
    )
    return [element for element in elements if element is not None]


def _one(layout: JsonLayout, node: WireNode, value: Any, path: str, findings: list[Finding]) -> Any:
    """Check one element; None when it does not fit (a finding says so)."""
    if node.kind is Kind.GROUP:
        if isinstance(value, dict):
            return _group(layout, node, value, path, findings)
        findings.append(_wrong(path, value, "an object"))
        return None
    kind = layout.kinds[node.path]
    if _fits(kind, value):
        return value
    findings.append(_wrong(path, value, kind))
    return None


_SHAPES = {"uuid": _UUID, "datetime": _DATETIME, "string": re.compile(".*", re.DOTALL)}
_TYPES: dict[str, tuple[type, ...]] = {"bool": (bool,), "int": (int,), "number": (int, Decimal)}


def _fits(kind: str, value: Any) -> bool:
    if kind in _SHAPES:
        return isinstance(value, str) and _SHAPES[kind].fullmatch(value) is not None
    return kind == "any" or type(value) in _TYPES[kind]


def _wrong(path: str, value: Any, expected: str) -> Finding:
    """Say which type stood there; never the value: it may be a person's."""
    return Finding("schema-invalid", "json-type", path, type(value).__name__, expected)


def _ordered(node: WireNode, record: Any) -> Any:
    if node.kind is Kind.LEAF:
        return record
    return dict(_members(node, record))


def _members(node: WireNode, record: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for child in node.children:
        value = record.get(child.name)
        if value is None:
            continue
        many = child.repeats and isinstance(value, list)
        yield child.name, [_ordered(child, v) for v in value] if many else _ordered(child, value)
