"""Documents and octets with one value exchanged for one that quick code must not take."""

import re
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import strategies as st

from gateway.model.values import Canonical

TEXTS = st.sampled_from(
    ["", " ", "&", "a<b", "]]>", '"', "\r", "\x07", "\x7f", "\t", "\ud800", "\uffff", "é",
     "e\u0301", "X" * 300, "x", "0", "-1", "12.500", "KGM", "LBR", "９９", "\u00ad", "\u2028", "𝄞",
     "{x}", "%s"]
)  # fmt: skip
NUMBERS = st.sampled_from(
    ["0", "-0", "12.500", "100", "0.0000001", "1.2345678", "-3", "1E+3", "9" * 40, "0.10", "NaN"]
).map(Decimal)
COUNTS = st.sampled_from([0, -1, 7, 10**6, 10**20])
_LEAVES = re.compile(r'(?<=>)[^<]*(?=</)|(?<==")[^"]*(?=")')
WIRE = st.sampled_from(
    ["", " ", "&amp;", "&lt;&gt;", "&#xD;", "é", "e\u0301", "0", "00", "-1", "+1", "1e3", ".5",
     "5.", " 5", "12.500", "9" * 40, "KGM", "LBR", "PX", "20260230", "20260518063000", "X" * 300,
     "９"]
)  # fmt: skip


def altered(document: Any, draw: Any) -> Any:
    """Exchange one of the document's values."""
    count = _count(document)
    return _changed(document, [draw(st.integers(0, max(count - 1, 0)))], draw)


def altered_octets(octets: str, draw: Any) -> str:
    """Exchange the text of one element or attribute. Namespaces stay."""
    found = [m for m in _LEAVES.finditer(octets) if not m[0].startswith("urn:")]
    at = draw(st.sampled_from(found))
    return octets[: at.start()] + draw(WIRE) + octets[at.end() :]


def _parts(value: Any) -> list[Any]:
    if isinstance(value, Canonical):
        return [getattr(value, field.name) for field in msgspec.structs.fields(value)]
    return list(value) if isinstance(value, tuple) else []


def _count(value: Any) -> int:
    if type(value) in (str, int, Decimal):
        return 1
    return sum(_count(part) for part in _parts(value))


def _changed(value: Any, left: list[int], draw: Any) -> Any:
    if type(value) in (str, int, Decimal):
        left[0] -= 1
        if left[0] != -1:
            return value
        return draw({str: TEXTS, int: COUNTS, Decimal: NUMBERS}[type(value)])
    if isinstance(value, tuple):
        return tuple(_changed(part, left, draw) for part in value)
    if isinstance(value, Canonical):
        names = [field.name for field in msgspec.structs.fields(value)]
        new = {name: _changed(getattr(value, name), left, draw) for name in names}
        return type(value)(**new)
    return value
