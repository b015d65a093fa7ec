"""VNACCS EDI: a header of 400 bytes, then items of fixed width, each ended by CR LF.

Everything is UTF-8 and every width counts bytes. Attribute A and W are padded on the right,
I and F on the left, with blanks. Empty items at the very end are not sent. A repeated block is
sent row by row. Reading reports everything that is wrong, not only the first thing, and never
mends: what is found is refused, or accepted with a warning.

The record is the nested dict of `gateway.codec.wire`; `_header` in it holds the procedure code,
the client's message id (`dataInfo`) and the sender's free key (`inputInfo`). User id, password,
terminal and mail address are dropped.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from gateway.codec.edi_items import Values, conditions, read_item, write_item
from gateway.codec.layout import Cell, EdiLayout, Key
from gateway.codec.wire import Record
from gateway.errors import Finding, Severity, at_most

HEADER = 400
_MARK = b"\xef\xbb\xbf"
_TEXT = HEADER - 2
_PROCEDURE, _DATA_INFO, _INPUT_INFO, _LENGTH = (3, 8), (219, 245), (253, 263), (392, 398)
_PROCEDURE_CODE = re.compile(r"^[A-Z][A-Z0-9]{2,4} *$")
_LONE_END = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_HEAD_TEXT = re.compile(r"^[\x20-\x7e]*$")


def procedure(content: bytes) -> str | None:
    """Return the procedure code (`TOR`) if the bytes start like a VNACCS message, cut or not."""
    start = content[:12].removeprefix(_MARK)
    if start[:3] not in (b"SS ", b"MS ", b"GS "):
        return None
    code = start[slice(*_PROCEDURE)].decode("ascii", "replace")
    return code.rstrip() if _PROCEDURE_CODE.match(code) else None


def decode(layout: EdiLayout, content: bytes) -> tuple[Record, list[Finding]]:
    """Read a message. The record is whole only when no finding refuses."""
    findings: list[Finding] = []
    parts = _frame(layout, content, findings)
    values: Values = {}
    for cell, part in zip(layout.cells, parts, strict=False):
        if text := read_item(cell, part, findings):
            values[cell.key] = text
    if parts:
        findings += conditions(layout, values, sending=False)
    record = _record(layout, values, findings)
    record["_header"] = _header(content)
    return record, at_most(findings)


def encode(
    layout: EdiLayout, record: Record, head: Mapping[str, str], *, bytes_only: bool = False
) -> tuple[bytes, list[Finding]]:
    """Write a message; its bytes may be used only when no finding refuses.

    head: `dataInfo` (at most 26), `inputInfo` (at most 10), both may be missing.
    bytes_only: let a W item of n bytes hold more than n/3 characters (a counterpart's profile).
    """
    findings: list[Finding] = []
    values: Values = {}
    for keys, value in _leaves(record, ()):
        cell = layout.by_keys.get(keys)
        if cell is None:
            findings.append(_misplaced(layout, keys))
        elif value:
            values[cell.key] = value
    findings += conditions(layout, values, sending=True)
    last = max((n for n, c in enumerate(layout.cells, 1) if c.key in values), default=0)
    lines = [
        write_item(cell, values.get(cell.key, ""), findings, bytes_only=bytes_only)
        for cell in layout.cells[:last]
    ]
    body = b"".join(line + b"\r\n" for line in lines)
    return _head(layout, head, len(body) + HEADER, findings) + body, findings


def _frame(layout: EdiLayout, content: bytes, findings: list[Finding]) -> list[bytes]:
    """Check encoding, header, length and line ends; return the items, none if unreadable."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        found = f"byte {content[error.start]:#04x} at {error.start}"
        findings.append(Finding("encoding-unsupported", "utf-8", "", found, "UTF-8"))
        return []
    if content.startswith(_MARK):
        findings.append(Finding("malformed", "byte-order-mark", "", "UTF-8 mark", "none"))
        return []
    end = content.find(b"\r\n")
    if end != _TEXT:
        findings.append(_bad_header(content, end))
    else:
        _check_header(layout, content, findings)
    if end < 0:
        return []
    return _split(layout, content[end + 2 :], findings)


def _bad_header(content: bytes, end: int) -> Finding:
    if end < 0 and b"\n" in content:
        return Finding("malformed", "line-end", "header", "LF", "CR LF")
    found = f"{end} bytes" if end >= 0 else f"{len(content)} bytes without CR LF"
    return Finding("malformed", "header-length", "header", found, f"{_TEXT} bytes and CR LF")


def _check_header(layout: EdiLayout, content: bytes, findings: list[Finding]) -> None:
    stated, real = content[slice(*_LENGTH)], f"{len(content):06}"
    if stated != real.encode():
        shown = stated.decode("ascii", "replace") if stated.isdigit() else "no number"
        findings.append(Finding("malformed", "length", "header.length", shown, real))
    code = procedure(content)
    if code != layout.procedure:
        found = code or "no VNACCS procedure code"
        findings.append(
            Finding("schema-invalid", "procedure", "header.procedure", found, layout.procedure)
        )


def _split(layout: EdiLayout, body: bytes, findings: list[Finding]) -> list[bytes]:
    """Return the items that have a place; count the others without making them."""
    if not body:
        place = f"{layout.procedure}.{layout.items[0].id}"
        findings.append(Finding("malformed", "items", place, "no items", "at least one"))
        return []
    if lone := _LONE_END.search(body):
        number = body.count(b"\r\n", 0, lone.start())
        place = layout.cells[min(number, len(layout.cells) - 1)].place
        findings.append(Finding("malformed", "line-end", place, "CR or LF alone", "CR LF"))
        return []
    count = body.count(b"\r\n")
    if not body.endswith(b"\r\n"):
        count += 1
        findings.append(
            Finding("malformed", "line-end", "last item", "no CR LF at the end", "CR LF")
        )
    most = len(layout.cells)
    if count > most:
        place = f"{layout.procedure}({most + 1})"
        findings.append(
            Finding("schema-invalid", "items", place, f"{count} items", f"at most {most}")
        )
    return body.removesuffix(b"\r\n").split(b"\r\n", most)[:most]


def _header(content: bytes) -> Record:
    def text(place: tuple[int, int]) -> str:
        return content[slice(*place)].decode("utf-8", "replace").strip()

    fields = {
        "procedure": text(_PROCEDURE),
        "dataInfo": text(_DATA_INFO),
        "inputInfo": text(_INPUT_INFO),
    }
    return {name: value for name, value in fields.items() if value}


def _record(layout: EdiLayout, values: Values, findings: list[Finding]) -> Record:
    """Put the values into their groups; a group's rows are numbered until all are known."""
    rows: dict[Key, dict[Any, Any]] = {(): {}}
    for cell in layout.cells:
        text = values.get(cell.key)
        if text is None:
            continue
        for end in range(0, len(cell.keys) - 1, 2):
            group = cell.keys[: end + 2]
            if group not in rows:
                rows[group] = {}
                rows[cell.keys[:end]].setdefault(group[-2], {})[group[-1]] = rows[group]
        rows[cell.keys[:-1]][cell.keys[-1]] = text
    return _closed(layout, rows[()], (), findings)


def _closed(layout: EdiLayout, node: dict[Any, Any], at: Key, findings: list[Finding]) -> Record:
    """Turn numbered rows into lists; a number that is missing before a filled one is a gap."""
    record: Record = {}
    for name, value in node.items():
        if isinstance(value, str):
            record[name] = value
            continue
        gap = next((n for n in range(len(value)) if n not in value), None)
        if gap is not None:
            findings.append(_gap(layout.groups[(*at, name, gap)]))
        record[name] = [_closed(layout, value[n], (*at, name, n), findings) for n in sorted(value)]
    return record


def _gap(cell: Cell) -> Finding:
    code = cell.item.results.get("sequence")
    expected = "no empty row before a filled one" + (f" (VNACCS {code})" if code else "")
    return Finding("schema-invalid", "sequence", cell.place, "empty", expected, Severity.WARN)


def _leaves(record: Record, at: Key) -> Iterator[tuple[Key, str]]:
    for name, value in record.items():
        if name == "_header" and not at:
            continue
        if isinstance(value, list):
            for number, row in enumerate(value):
                yield from _leaves(cast(Record, row), (*at, name, number))
        else:
            yield (*at, name), str(value)


def _misplaced(layout: EdiLayout, keys: Key) -> Finding:
    """Say why a leaf has no place: one row too many, or a name that the layout lacks."""
    group = keys[:2]
    size = sum(1 for known in layout.groups if len(known) == len(group) and known[0] == keys[0])
    if len(keys) > len(group) and isinstance(keys[1], int) and keys[1] >= size > 0:
        first = layout.groups[(keys[0], 0)]
        place, found = f"{layout.procedure}.{first.item.id}", f"row {keys[1] + 1}"
        return Finding("rule-broken", "repeat", place, found, f"at most {size}")
    return Finding("not-mapped", "slot", "/".join(k for k in keys if isinstance(k, str)))


def _head(
    layout: EdiLayout, head: Mapping[str, str], length: int, findings: list[Finding]
) -> bytes:
    def field(name: str, size: int) -> str:
        text = head.get(name, "")
        if len(text) > size or not _HEAD_TEXT.match(text):
            found, expected = f"{len(text)} characters", f"at most {size} of ASCII"
            findings.append(
                Finding("too-long-for-target", "header", f"header.{name}", found, expected)
            )
        return text[:size].ljust(size)

    text = f"SS {layout.procedure:<5}".ljust(_DATA_INFO[0])
    text += field("dataInfo", 26) + "001E".ljust(_INPUT_INFO[0] - _DATA_INFO[1])
    text += field("inputInfo", 10) + " " * 101 + "1"
    return f"{text:<392}{length:06}\r\n".encode("ascii", "replace")
