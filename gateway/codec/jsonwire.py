"""JSON documents with a known shape (`layout.json_layout`), read and written.

Read strictly: UTF-8, no name twice, no NaN, numbers without float (int or Decimal) and of a
size that a manifest can mean, no property that the shape does not have. `null` and "" mean
absent. A document may stand in the platform's envelope `{result, code, message, data}`. All
findings are reported with the sender's path (`registrationTransportGoods[0].weight`); a finding
never shows a text of the document, only its type.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, cast

import msgspec

from gateway.codec.layout import JsonLayout
from gateway.codec.wire import Kind, Record, Value, WireNode
from gateway.errors import MOST_FINDINGS, DocumentError, Finding, Severity, at_most

MOST_VALUES = 250_000
"""More values than a registration of the largest size can hold; they would fill the memory."""

_LONGEST_NUMBER = 40
_LARGEST_EXPONENT = 20
_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_TYPES = {
    bool: "boolean",
    int: "number",
    Decimal: "number",
    str: "string",
    list: "array",
    type(None): "null",
}
_DEPTH = Finding("malformed", "depth", "", "nested too deep", "a registration")
_ENVELOPE = "data"
_NORMAL = "00"


def names(content: bytes) -> frozenset[str]:
    """Return the top-level names of a document, out of its envelope if it is in one.

    DocumentError `malformed` when the octets are no JSON object, `too-large` when they hold
    more values than a document can.
    """
    if flood := _flood(content):
        raise DocumentError(flood.code, flood)
    try:
        found = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        if _enveloped(found):
            found = msgspec.json.decode(found[_ENVELOPE], type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        finding = Finding("malformed", "json", "", str(error)[:120], "a JSON object")
        raise DocumentError("malformed", finding) from error
    return frozenset(found)


def _enveloped(found: Mapping[str, Any]) -> bool:
    """True for the names of the platform's envelope."""
    return _ENVELOPE in found and "code" in found


def decode(layout: JsonLayout, content: bytes) -> tuple[Record, list[Finding]]:
    """Read a document. The record is whole only when no finding refuses."""
    findings: list[Finding] = []
    document = _parsed(content, findings)
    if any(f.severity is Severity.REFUSE for f in findings):
        return {}, findings
    at = ""
    if isinstance(document, dict) and _enveloped(document):
        findings += _envelope(document)
        document, at = document.get(_ENVELOPE), _ENVELOPE
    try:
        record = _Reader(layout, findings).group(layout.root, document, at)
        return record, at_most(findings)
    except RecursionError:  # below a property whose content is not known
        return {}, [*findings, _DEPTH]


def encode(layout: JsonLayout, record: Record) -> tuple[bytes, list[Finding]]:
    """Write a document, in the order of the shape; usable when no finding refuses."""
    findings: list[Finding] = []
    text = _written(layout, layout.root, record, "", findings)
    return text.encode("utf-8", "replace"), findings


class _NumberError(ValueError):
    """A number that is no number of a manifest."""


def _decimal(text: str) -> Decimal:
    value = Decimal(text)
    if len(text) > _LONGEST_NUMBER or abs(value.adjusted()) > _LARGEST_EXPONENT:
        raise _NumberError("too many digits")
    return value


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise _NumberError("too many digits")
    return int(text)


def _no_constant(text: str) -> None:
    raise _NumberError(text)


def _flood(content: bytes) -> Finding | None:
    if content.count(b",") + content.count(b"[") + content.count(b"{") <= MOST_VALUES:
        return None
    return Finding("too-large", "values", "", "too many values", f"at most {MOST_VALUES}")


def _parsed(content: bytes, findings: list[Finding]) -> Any:
    """Parse octets into dict, list, str, int, Decimal, bool and None."""
    if flood := _flood(content):
        findings.append(flood)
        return None

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(members)
        if len(found) < len(members) and not findings:
            twice = Counter(name for name, _ in members).most_common(1)[0][0]
            findings.append(Finding("malformed", "duplicate-name", "", twice[:60], "once"))
        return found

    reader = json.JSONDecoder(
        object_pairs_hook=pairs,
        parse_float=_decimal,
        parse_int=_integer,
        parse_constant=_no_constant,
    )
    try:
        return reader.decode(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        found = f"byte {content[error.start]:#04x} at {error.start}"
        findings.append(Finding("encoding-unsupported", "utf-8", "", found, "UTF-8"))
    except json.JSONDecodeError as error:
        found = f"{error.msg} at character {error.pos}"
        findings.append(Finding("malformed", "json", "", found, "JSON (RFC 8259)"))
    except _NumberError as error:
        findings.append(Finding("malformed", "number", "", str(error), "a plain number"))
    except RecursionError:
        findings.append(_DEPTH)
    return None


def _envelope(document: dict[str, Any]) -> Iterator[Finding]:
    """Check the platform's envelope: code 00, and nothing else but what it has."""
    if document.get("code") != _NORMAL:
        yield Finding("rule-broken", "envelope-code", "code", "another code", _NORMAL)
    for name in document.keys() - {"result", "code", "message", "error", _ENVELOPE}:
        yield Finding("schema-invalid", "unknown-field", name[:60], "present", "not in the shape")


class _Reader:
    """Holds the shape and the findings of one document."""

    def __init__(self, layout: JsonLayout, findings: list[Finding]) -> None:
        self.layout = layout
        self.findings = findings

    def group(self, node: WireNode, value: Any, at: str) -> Record:
        """Read an object."""
        if not isinstance(value, dict):
            self._unlike(at, value, "object")
            return {}
        record: Record = {}
        below, place = (f"{node.path}/" if node.path else ""), (f"{at}." if at else "")
        for name, member in value.items():
            child = self.layout.nodes.get(below + name)
            if child is None:
                self._report("unknown-field", place + name[:60], "present", "not in the shape")
            elif member is not None and member != "":
                self._member(child, member, place + name, record)
        for child in node.children:
            if child.mandatory and not record.get(child.name) and value.get(child.name) in _NONE:
                self._report("mandatory", place + child.name, "absent", "filled")
        return record

    def _member(self, node: WireNode, value: Any, at: str, record: Record) -> None:
        if node.kind is Kind.LEAF:
            leaf = self._leaf(node, value, at)
            if leaf is not None:
                record[node.name] = leaf
        elif not node.repeats:
            record[node.name] = self.group(node, value, at)
        elif isinstance(value, list):
            rows = [self.group(node, each, f"{at}[{n}]") for n, each in enumerate(value)]
            record[node.name] = rows
        else:
            self._unlike(at, value, "array")

    def _leaf(self, node: WireNode, value: Any, at: str) -> Value | None:
        kind = self.layout.kinds[node.path]
        if isinstance(value, dict | list):
            if kind == "any":
                return _json(value)
            self._unlike(at, value, kind)
            return None
        if isinstance(value, str) and (odd := _ODD.search(value)):
            found = f"U+{ord(odd.group()):04X} at character {odd.start() + 1}"
            self._report("charset", at, found, "characters that XML can hold")
        if node.mark == "C" and not _fits(kind, value):
            self._unlike(at, value, kind)
        elif kind == "int" and isinstance(value, Decimal):
            self._report("type", at, "number with decimals", "whole number", Severity.WARN)
        return cast(Value, value)

    def _unlike(self, at: str, value: Any, expected: str) -> None:
        self._report("type", at or "document", _TYPES.get(type(value), "object"), expected)

    def _report(
        self, rule: str, at: str, found: str, expected: str, severity: Severity = Severity.REFUSE
    ) -> None:
        if len(self.findings) <= MOST_FINDINGS:
            self.findings.append(Finding("schema-invalid", rule, at, found, expected, severity))


_NONE: tuple[Any, ...] = (None, "", [])


def _fits(kind: str, value: Any) -> bool:
    if kind == "any":
        return True
    if kind == "bool" or isinstance(value, bool):
        return kind == "bool" and isinstance(value, bool)
    if kind in ("int", "number"):
        return isinstance(value, int | Decimal)
    return isinstance(value, str)


def _json(value: Any) -> str:
    """Write a JSON value; Decimal stays exact."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_json(str(k))}:{_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_json(each) for each in value) + "]"
    if isinstance(value, Decimal):
        return format(value, "f")
    return json.dumps(value, ensure_ascii=False)


def _written(
    layout: JsonLayout, node: WireNode, record: Record, at: str, findings: list[Finding]
) -> str:
    """Write one object, in the order of the shape."""
    place = f"{at}." if at else ""
    for name in record.keys() - {child.name for child in node.children}:
        findings.append(Finding("not-mapped", "slot", place + name))
    members = []
    for child in node.children:
        value, here = record.get(child.name), place + child.name
        if value in _NONE:
            if child.mandatory:
                found = Finding("rule-broken", "mandatory", here, "absent", "filled")
                findings.append(found)
            continue
        members.append(f'"{child.name}":{_member(layout, child, value, here, findings)}')
    return "{" + ",".join(members) + "}"


def _member(
    layout: JsonLayout, node: WireNode, value: Any, at: str, findings: list[Finding]
) -> str:
    if node.kind is Kind.LEAF:
        kind = layout.kinds[node.path]
        if not _fits(kind, value) or (kind == "int" and isinstance(value, Decimal)):
            expected = "whole number" if kind == "int" else kind
            found = _TYPES.get(type(value), "object")
            findings.append(Finding("rule-broken", "type", at, found, expected))
        return _json(value)
    if not node.repeats:
        return _written(layout, node, value, at, findings)
    rows = [_written(layout, node, row, f"{at}[{n}]", findings) for n, row in enumerate(value)]
    return "[" + ",".join(rows) + "]"
