"""Result rules of VNACCS, named by their numbers. In what is submitted they warn: VNACCS judges."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from gateway.codec import edi
from gateway.codec.formats import Formats
from gateway.codec.layout import edi_layout
from gateway.codec.wire import Record
from gateway.errors import Severity

SAMPLES = Path("tests/samples/dragon-fruit")


@pytest.fixture(scope="module")
def formats() -> Formats:
    return Formats.load(date(2026, 5, 14))


def changed(name: str, change: Callable[[Record], None]) -> bytes:
    """Return a sample with a change in its items."""
    layout = edi_layout(Path(f"mappings/layouts/vn.vnaccs.{name.partition('-')[0]}.csv"))
    record, findings = edi.decode(layout, (SAMPLES / f"{name}.edi").read_bytes())
    assert findings == []
    change(record)
    record.pop("_header")
    return edi.encode(layout, record, {}, bytes_only=True)[0]


def without_area_owner_and_delivery(record: Record) -> None:
    del record["TPA"]
    (box,) = record["equipment"]  # type: ignore[misc]
    del box["COW"], box["DLV"]  # type: ignore[union-attr]


def without_vanning_place(record: Record) -> None:
    del record["vanning"]


def numbers(formats: Formats, name: str, change: Callable[[Record], None]) -> set[str]:
    """Decode a changed sample and return the result rules that it breaks; all of them warn."""
    decoded = formats.decode(f"vn.vnaccs.{name.partition('-')[0]}", changed(name, change))
    assert {f.severity for f in decoded.findings} <= {Severity.WARN}
    shown = " ".join(f.expected for f in decoded.findings)
    return set(re.findall(r"VNACCS (\w+)", shown))


def test_the_sample_breaks_none(formats: Formats) -> None:
    assert numbers(formats, "tor", lambda record: None) == set()
    assert numbers(formats, "eda-1", lambda record: None) == set()


def test_trap_77_a_truck_without_area_owner_and_delivery_warns(formats: Formats) -> None:
    found = numbers(formats, "tor", without_area_owner_and_delivery)
    assert found == {"S0074", "S0119", "S0125"}


def test_trap_77_a_container_without_a_vanning_place_warns(formats: Formats) -> None:
    assert numbers(formats, "eda-1", without_vanning_place) == {"R1096"}


@pytest.mark.parametrize(
    ("number", "change"),
    [
        ("S0003", lambda record: record.update(AND="123456789012")),
        ("S0026", lambda record: record["crew"][0].pop("DN")),
        ("S0028", lambda record: record["crew"][1].pop("PR")),
        ("S0033", lambda record: record["crew"][0].pop("ID")),
        ("S0042", lambda record: record.pop("TTM")),
        ("S0131", lambda record: record["crew"][0].pop("DF")),
    ],
)
def test_result_rules_are_named_by_their_number(
    formats: Formats, number: str, change: Callable[[Record], None]
) -> None:
    assert number in numbers(formats, "tor", change)
