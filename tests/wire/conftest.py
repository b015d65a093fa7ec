"""Layouts, and a writer of VNACCS messages that shares nothing with the codec's own."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gateway.codec.layout import EdiLayout, JsonLayout, edi_layout, json_layout
from gateway.resources import folder

LAYOUTS = folder("mappings") / "layouts"
Values = Mapping[tuple[str, int], str]
"""(item, row) -> text without padding; row 0 outside a repeated block."""


def header(procedure: str, length: int, data: str = "", key: str = "") -> bytes:
    """398 bytes and CR LF, field by field as the format states them."""
    fields = [
        ("SS ", 3), (procedure, 5), ("", 7), ("", 14), ("ABCDE001", 8), ("********", 8),
        ("T00001", 6), ("", 64), ("", 64), ("", 30), ("", 10), (data, 26), ("001", 3), ("E", 1),
        ("", 1), ("", 1), ("", 1), ("", 1), (key, 10), ("", 100), ("", 1), ("1", 1), ("", 3),
        ("", 24), (f"{length:06}", 6),
    ]  # fmt: skip
    text = "".join(value.ljust(size) for value, size in fields)
    assert len(text) == 398
    return text.encode() + b"\r\n"


def padded(text: str, attr: str, width: int) -> bytes:
    raw = text.encode()
    return raw.rjust(width) if attr in "IF" else raw.ljust(width)


def items(layout: EdiLayout, values: Values, *, whole: bool = False) -> list[bytes]:
    """Every item in wire order; without `whole`, empty ones at the end are cut."""
    lines = [
        padded(values.get((c.item.id, c.row), ""), c.item.attr, c.item.width) for c in layout.cells
    ]
    while not whole and lines and not lines[-1].strip():
        lines.pop()
    return lines


def framed(procedure: str, lines: list[bytes], data: str = "", key: str = "") -> bytes:
    body = b"".join(line + b"\r\n" for line in lines)
    return header(procedure, 400 + len(body), data, key) + body


@pytest.fixture(scope="session")
def tor() -> EdiLayout:
    return edi_layout(LAYOUTS / "vn.vnaccs.tor.csv")


@pytest.fixture(scope="session")
def tir() -> EdiLayout:
    return edi_layout(LAYOUTS / "vn.vnaccs.tir.csv")


@pytest.fixture(scope="session")
def eda() -> EdiLayout:
    return edi_layout(LAYOUTS / "vn.vnaccs.eda.csv")


@pytest.fixture(scope="session")
def langson() -> JsonLayout:
    return json_layout(LAYOUTS / "vn.langson.registration.csv")


@pytest.fixture(scope="session")
def truck() -> dict[tuple[str, int], str]:
    """A whole TOR with one driver and one container."""
    flat = {
        "KBN": "9", "TON": "1", "TOK": "1", "ABG": "VNHUGT", "EDT": "14052026", "EMT": "0830",
        "NOD": "GW-20260514-0001", "DF1": "NGUYEN VAN MAU", "DN1": "VN", "PR1": "P",
        "DP1": "C0000000", "TTM": "TRUCK", "LOM": "MAU", "LPN": "29H-123.45", "REC": "VN",
        "CTM": "WHITE", "SEA": "2", "CSN": "TESTCHASSIS000001", "ESN": "TESTENGINE1",
        "CBA": "0", "TIM": "0", "RSS": "NOT",
    }  # fmt: skip
    box = {"CNO": "GWTU0000010", "SL1": "VN00123456", "SL2": "GPS0007788", "EFS": "5",
           "SIZ": "45", "TYP": "RT", "DLV": "01", "COW": "2", "VAN": "4"}  # fmt: skip
    return {(k, 0): v for k, v in flat.items()} | {(k, 1): v for k, v in box.items()}


@pytest.fixture(scope="session")
def goods() -> dict[tuple[str, int], str]:
    """A whole EDA with two lines and one container."""
    flat = {
        "ECB": "B11", "MTC": "4", "EPN": "CÔNG TY TNHH THANH LONG MẪU", "EPC": "0109999999",
        "NO": "1200", "NOT": "CT", "GW": "19200.000", "GWT": "KGM", "DSC": "CNPIN",
        "PSC": "VNHUGT", "SYM": "14052026", "IP1": "A", "IP2": "DAP", "IP3": "CNY",
        "IP4": "216000", "C01": "GWTU0000010", "VC1": "15BBCQ1", "SS1": "KD01", "SN1": "TEST-1",
    }  # fmt: skip
    lines = {
        1: {"CMD": "08109092", "CMN": "Quả thanh long tươi", "QN1": "9000", "QT1": "KGM"},
        2: {"CMD": "08106000", "CMN": "Sầu riêng tươi", "QN1": "9000", "QT1": "KGM", "OL1": "MO",
            "OL2": "QA"},
    }  # fmt: skip
    values = {(k, 0): v for k, v in flat.items()}
    return values | {(k, row): v for row, line in lines.items() for k, v in line.items()}


Message = Callable[..., bytes]


@pytest.fixture(scope="session")
def message() -> Message:
    """message(layout, values, whole=False) -> octets."""

    def make(layout: EdiLayout, values: Values, *, whole: bool = False, **head: str) -> bytes:
        return framed(layout.procedure, items(layout, values, whole=whole), **head)

    return make


@pytest.fixture(scope="session")
def layouts_folder() -> Path:
    return LAYOUTS
