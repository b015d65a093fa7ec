"""Change a settings file as a person would: line by line, with its comments. Pure.

A header is what stands between the brackets (`keys.message`, `counterpart.cn.pinned`). Only
tables that start with a header of their own line are found; whoever wrote them otherwise
changes them by hand.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

_HEADER = re.compile(r"^\s*\[(\[?)\s*([A-Za-z0-9_.\"-]+)\s*\]\]?\s*(#.*)?$")

Value = str | int | bool | datetime | Path | Sequence[str]


class NotFoundError(Exception):
    """The file has no such table of its own."""


def appended(text: str, header: str, values: Mapping[str, Value], *, many: bool = False) -> str:
    """Return the text with one more table at its end. many: of an array of tables."""
    title = f"[[{header}]]" if many else f"[{header}]"
    lines = [f"{name} = {_written(value)}" for name, value in values.items()]
    return "\n".join([text.rstrip("\n"), "", title, *lines, ""])


def changed(text: str, header: str, values: Mapping[str, Value | None], *, nth: int = 0) -> str:
    """Return the text with other values in a table; None takes a key away. nth: of an array
    of tables. NotFoundError."""
    lines = text.split("\n")
    start, end = _place(lines, header, nth)
    kept = [line for line in lines[start + 1 : end] if _key(line) not in values]
    new = [f"{name} = {_written(v)}" for name, v in values.items() if v is not None]
    return "\n".join([*lines[: start + 1], *new, *kept, *lines[end:]])


def without(text: str, header: str, *, nth: int = 0) -> str:
    """Return the text without a table. NotFoundError."""
    lines = text.split("\n")
    start, end = _place(lines, header, nth)
    return "\n".join([*lines[:start], *lines[end:]])


def _place(lines: Sequence[str], header: str, nth: int) -> tuple[int, int]:
    """Return where a table starts, and where the next one does."""
    headers = [n for n, line in enumerate(lines) if _HEADER.match(line)]
    mine = [n for n in headers if _name(lines[n]) == header]
    if nth >= len(mine):
        raise NotFoundError(header)
    start = mine[nth]
    return start, min((n for n in headers if n > start), default=len(lines))


def _name(line: str) -> str:
    found = _HEADER.match(line)
    return found[2].replace('"', "") if found else ""


def _key(line: str) -> str:
    return line.partition("=")[0].strip() if "=" in line else ""


def _written(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, str | Path):
        return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, int):
        return str(value)
    return "[" + ", ".join(_written(each) for each in value) + "]"
