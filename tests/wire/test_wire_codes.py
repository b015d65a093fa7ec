"""Code lists and the gate crosswalk: whole, dated, and honest about what they lose."""

import csv
from datetime import date
from pathlib import Path

import pytest

from gateway.codec import codelist
from gateway.codec.codelist import COLUMNS, CodeList
from gateway.codec.gates import Gates
from gateway.errors import MappingError
from gateway.resources import folder

AT = date(2026, 5, 14)
CODES = folder("mappings") / "codes"
LISTS = codelist.names()


def entry(wire: str, canonical: str, direction: str = "both", **more: str) -> dict[str, str]:
    row = dict.fromkeys(COLUMNS, "")
    return row | {"wire": wire, "canonical": canonical, "direction": direction, "mark": "C"} | more


def written(place: Path, name: str, rows: list[dict[str, str]], **header: str) -> None:
    keys = {"title": name, "canonical": name, "version": "1"} | header
    text = "\n".join(f'{key} = "{value}"' for key, value in keys.items())
    (place / "lists.toml").write_text(f"[{name}]\n{text}\n", encoding="utf-8")
    with (place / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def test_every_list_has_a_file_and_every_file_a_list() -> None:
    files = {path.stem for path in CODES.glob("*.csv")} - {"gates"}
    assert files == set(LISTS)


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("at", [date(2016, 1, 1), AT, date(2040, 1, 1)])
def test_every_list_loads_on_any_day(name: str, at: date) -> None:
    codes = codelist.load(name, at)
    assert codes.decode
    assert codes.header.title
    assert codes.header.version


@pytest.mark.parametrize("name", LISTS)
def test_entries_are_well_made(name: str) -> None:
    for row in codelist.load(name, AT).entries:
        assert row.wire == row.wire.strip() != ""
        assert row.canonical
        assert row.direction in ("both", "decode", "encode")
        assert row.mark in ("C", "W", "I", "P")
        assert any(row.names.values())


@pytest.mark.parametrize("name", [name for name in LISTS if name != "cn.plate-province"])
def test_a_code_comes_back_or_is_marked_lossy(name: str) -> None:
    codes = codelist.load(name, AT)
    for row in codes.entries:
        if not row.holds(AT):
            continue
        if row.direction != "encode" and not row.lossy:
            assert codes.encode[codes.decode[row.wire]] == row.wire
        if row.direction != "decode" and not row.lossy:
            assert codes.decode[codes.encode[row.canonical]] == row.canonical


@pytest.mark.parametrize(
    ("name", "pairs"),
    [
        ("cn.transport-mode", {"1": "1", "2": "2", "3": "3", "4": "4"}),
        ("vn.transport-mode", {"4": "3", "1": "4", "5": "2", "2": "1", "3": "1"}),
        ("cn.fullness", {"4": "4", "5": "5", "7": "7", "8": "8"}),
        ("vn.processing-type", {"9": "original", "5": "replace", "1": "cancel"}),
        ("cn.function-manifest", {"9": "original", "5": "replace", "3": "cancel"}),
        ("cn.function-confirmation", {"2": "original", "5": "replace", "3": "cancel"}),
        ("vn.langson.type", {"1": "VN-CN", "0": "CN-VN"}),
        ("cn.customs-office", {"7208": "7208", "7207": "7207", "7211": "7211"}),
        ("units-vn", {"HKGM": "DTN", "KGS": "KGM", "CT": "CTM", "PCE": "H87"}),
        ("iso.currency", {"VND": "VND", "CNY": "CNY"}),
    ],
)
def test_pairs(name: str, pairs: dict[str, str]) -> None:
    codes = codelist.load(name, AT)
    assert {wire: codes.decode[wire] for wire in pairs} == pairs


@pytest.mark.parametrize(
    ("name", "absent"),
    [
        ("mass-vn", ["KIC", "KII", "GRO", "UNK", "MIC", "LIC"]),
        ("units-vn", ["KIC", "KII", "GRO", "UNK"]),
        ("rec21-cn", ["BK", "CR", "UNK"]),
        ("cn.fullness", ["1", "6"]),
        ("iso.country", ["XX", "ZZ", "UK"]),
    ],
)
def test_codes_that_must_not_be_there(name: str, absent: list[str]) -> None:
    codes = codelist.load(name, AT)
    assert not set(absent) & codes.decode.keys()


def test_fullness_of_the_manifests_narrows_in_an_arrival_declaration() -> None:
    codes = codelist.load("vn.fullness", AT)
    assert [codes.encode[code] for code in ("4", "5", "7", "8")] == ["4", "5", "5", "5"]
    assert codes.narrows


def test_size_types_lose_their_detail() -> None:
    codes = codelist.load("vn.size-type", AT)
    assert codes.encode["45R1"] == "45RT"
    assert codes.decode["45RT"] == "45RT"
    assert codes.narrows


def test_romanised_provinces_are_all_different_and_letters() -> None:
    codes: CodeList = codelist.load("cn.plate-province", AT)
    assert codes.decode["桂"] == "GUI"
    assert len(set(codes.decode.values())) == len(codes.decode) == 34
    assert all(value.isalpha() and value.isascii() for value in codes.decode.values())


def test_codes_have_days(tmp_path: Path) -> None:
    rows = [
        entry("A", "old", valid_to="2024-12-31"),
        entry("A", "new", valid_from="2025-01-01"),
        entry("B", "gone", valid_to="2024-12-31"),
    ]
    written(tmp_path, "dated", rows)
    before = codelist.load("dated", date(2024, 12, 31), tmp_path)
    after = codelist.load("dated", date(2025, 1, 1), tmp_path)
    assert before.decode == {"A": "old", "B": "gone"}
    assert after.decode == {"A": "new"}
    assert after.outdated == {"B"}


def test_two_meanings_of_one_code_are_a_fault_of_the_list(tmp_path: Path) -> None:
    written(tmp_path, "twice", [entry("A", "x"), entry("A", "y")])
    with pytest.raises(MappingError, match="code-list-doubles"):
        codelist.load("twice", AT, tmp_path)


def test_two_wire_codes_of_one_meaning_need_a_direction(tmp_path: Path) -> None:
    written(tmp_path, "back", [entry("A", "x"), entry("B", "x")])
    with pytest.raises(MappingError, match="code-list-doubles"):
        codelist.load("back", AT, tmp_path)


def test_columns_are_fixed(tmp_path: Path) -> None:
    written(tmp_path, "short", [])
    (tmp_path / "short.csv").write_text("wire,canonical\nA,x\n", encoding="utf-8")
    with pytest.raises(MappingError, match="code-list-columns"):
        codelist.load("short", AT, tmp_path)


def test_a_list_that_is_none() -> None:
    with pytest.raises(MappingError, match="code-list"):
        codelist.load("no.such-list", AT)


# the gate crosswalk
GATES = Gates.load(folder("mappings"), AT)


def test_huu_nghi_and_mong_cai() -> None:
    huu_nghi, mong_cai = GATES.of_vn("VNHUGT"), GATES.of_vn("VNMOCA")
    assert huu_nghi is not None
    assert mong_cai is not None
    assert (huu_nghi.cn_office, huu_nghi.cn_place, huu_nghi.langson) == (
        "7208",
        "CNPIN/7208",
        "CKHN",
    )
    assert huu_nghi.names == {"vi": "Hữu Nghị", "zh": "友谊关", "en": "Huu Nghi - Youyi Guan"}
    assert mong_cai.cn_office == "7207"
    assert GATES.of_vn("VNXXXX") is None


def test_trap_48_one_office_serves_several_gates() -> None:
    candidates = GATES.of_office("7208")
    assert len(candidates) > 1
    assert {gate.vn for gate in candidates} >= {"VNHUGT", "VNTATH"}
    (chosen,) = GATES.of_office("7208", "CNPIN/7208")
    assert chosen.vn == "VNHUGT"
    assert GATES.of_office("7208", "CNXXX/7208") == candidates
    assert GATES.of_office("0000") == ()


def test_the_crosswalk_agrees_with_the_lists() -> None:
    offices = codelist.load("cn.customs-office", AT).decode
    platform = codelist.load("vn.langson-gate", AT).encode
    gates = [GATES.of_vn(code) for code in codelist.load("vn.border-gate", AT).decode]
    assert None not in gates
    for gate in gates:
        assert gate is not None
        assert gate.cn_office in offices
        assert gate.cn_place.endswith(f"/{gate.cn_office}")
        assert platform.get(gate.vn, "") == gate.langson
    assert len({gate.vn for gate in gates if gate}) == len(gates)


def test_pairs_of_gates_have_days(tmp_path: Path) -> None:
    (tmp_path / "codes").mkdir()
    head = "vn,langson,cn_office,cn_place,valid_from,valid_to,mark,name_vi,name_zh,name_en"
    rows = "VNAAAA,,7208,A/7208,,2024-12-31,W,,,\nVNAAAA,,7219,A/7219,2025-01-01,,W,,,\n"
    (tmp_path / "codes" / "gates.csv").write_text(f"{head}\n{rows}", encoding="utf-8")
    for at, office in ((date(2024, 12, 31), "7208"), (date(2025, 1, 1), "7219")):
        gate = Gates.load(tmp_path, at).of_vn("VNAAAA")
        assert gate is not None
        assert gate.cn_office == office
