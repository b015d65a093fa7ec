"""The items of a VNACCS message: reading, writing and the rules between them.

Findings never show what a person wrote: they show sizes, code points and shapes, because after
a lost line a name can stand where a number is expected.
"""

import re
from collections.abc import Iterator

from gateway.codec.layout import Cell, EdiLayout
from gateway.errors import Finding, Severity

Values = dict[tuple[str, int], str]
"""(item id, row) -> text without its padding; only what is filled."""

_NOT_A = re.compile(r"[^\x20-\x23\x25-\x5d]")  # attribute A: 0x20..0x5D without "$"
_NOT_W = re.compile("[\x00-\x1f\x7f-\x9f｡-ﾟ]")  # controls, half-width katakana
_INTEGER = re.compile(r"^[0-9]+$")
_DECIMAL = re.compile(r"^(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)$")
_NUMBERISH = re.compile(r"^[0-9.,+\-eE ]{1,24}$")
_PADDED_ZEROS = re.compile(r"^0+(?=[0-9])")


def read_item(cell: Cell, raw: bytes, findings: list[Finding]) -> str:
    """Return an item's text without its padding, "" when it is empty."""
    item = cell.item
    blank = not raw.strip(b" ")
    if len(raw) != item.width:
        code = "rule-broken" if len(raw) > item.width else "schema-invalid"
        findings.append(
            Finding(code, "width", cell.place, f"{len(raw)} bytes", f"{item.width} bytes")
        )
    if blank:
        return ""
    text = raw.decode("utf-8")
    if item.attr in ("A", "W"):
        text = text.rstrip(" ")
        findings += _characters(cell, text, "schema-invalid")
        return text
    text = text.lstrip(" ")
    findings += _number(cell, text)
    return text


def write_item(cell: Cell, text: str, findings: list[Finding], *, bytes_only: bool) -> bytes:
    """Return an item's bytes, padded. A text that does not fit is a finding, never cut."""
    item = cell.item
    if not text:
        return b" " * item.width
    raw = text.encode("utf-8", "replace")
    if item.attr in ("I", "F"):
        findings += [f for f in _number(cell, text) if f.severity is Severity.REFUSE]
        padded = raw.rjust(item.width)
    else:
        wrong = _characters(cell, text, "rule-broken")
        findings += wrong
        padded = (b"" if wrong else raw).ljust(item.width)  # a draft leaves it blank
    most = item.width // 3
    if len(raw) > item.width:
        findings.append(_too_long(cell, f"{len(raw)} bytes", f"at most {item.width} bytes"))
    elif item.attr == "W" and not bytes_only and len(text) > most:
        findings.append(_too_long(cell, f"{len(text)} characters", f"at most {most} characters"))
    return padded


def _too_long(cell: Cell, found: str, expected: str) -> Finding:
    return Finding("too-long-for-target", "width", cell.place, found, expected)


def _characters(cell: Cell, text: str, code: str) -> list[Finding]:
    """Check attribute A (also: no lower case, no diacritics) or W; show only a code point."""
    item = cell.item
    bad = (_NOT_A if item.attr == "A" else _NOT_W).search(text)
    if bad is None:
        return []
    allowed = "0x20-0x5D without $" if item.attr == "A" else "UTF-8 without control characters"
    found = f"U+{ord(bad.group()):04X} at character {bad.start() + 1}"
    return [Finding(code, "charset", cell.place, found, allowed + _result(cell, "charset"))]


def _number(cell: Cell, text: str) -> list[Finding]:
    """Check I (digits) or F (digits, one decimal point). Zeros in front are only reported."""
    item, path = cell.item, cell.place
    shown = text if _NUMBERISH.match(text) else "not a number"
    if text.startswith("-") and (_INTEGER.match(text[1:]) or _DECIMAL.match(text[1:])):
        return [Finding("rule-broken", "negative", path, shown, "not negative")]
    if not (_INTEGER if item.attr == "I" else _DECIMAL).match(text):
        expected = "digits" if item.attr == "I" else "digits with a decimal point"
        expected += ", blanks on the left"
        return [Finding("schema-invalid", "number", path, shown, expected)]
    plain = _PADDED_ZEROS.sub("", f"0{text}" if text.startswith(".") else text)
    if plain == text or item.identifier:
        return []
    return [Finding("schema-invalid", "leading-zeros", path, shown, plain, Severity.WARN)]


def conditions(layout: EdiLayout, values: Values, *, sending: bool) -> Iterator[Finding]:
    """Say which items are missing, must be empty, or are not a sender's to fill."""
    rows = {row for _, row in values}
    for cell in layout.ruled:
        kind = cell.item.mandatory
        if (cell.key in values) != (kind in ("E", "O")):
            continue
        used = cell.row in rows or (cell.row == 1 and kind == "M")
        if (cell.row == 0 or used) and _holds(cell, values):
            yield _condition(cell, sending=sending)


def _holds(cell: Cell, values: Values) -> bool:
    for term in cell.item.when:
        name, _, wanted = term.lstrip("!").partition("=")
        value = values.get((name, cell.row)) or values.get((name, 0), "")
        met = value == wanted if wanted else bool(value)
        if met == term.startswith("!"):
            return False
    return True


def _condition(cell: Cell, *, sending: bool) -> Finding:
    kind = cell.item.mandatory
    refuses = kind == "M" or (sending and kind in ("R", "E"))
    severity = Severity.REFUSE if refuses else Severity.WARN
    if kind == "O":
        return Finding(
            "rule-broken", "output-only", cell.place, "filled", "an item of customs", severity
        )
    rule = "must-be-empty" if kind == "E" else "mandatory"
    found, wanted = ("filled", "empty") if kind == "E" else ("empty", "filled")
    expected = wanted + _result(cell, "empty" if kind == "E" else "mandatory")
    code = "schema-invalid" if kind == "M" else "rule-broken"
    return Finding(code, rule, cell.place, found, expected, severity)


def _result(cell: Cell, kind: str) -> str:
    code = cell.item.results.get(kind)
    return f" (VNACCS {code})" if code else ""
