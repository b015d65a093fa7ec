"""Traps of trucks, numbers, gates, parties and times. Numbers are the traps'."""

import csv
import shutil
from pathlib import Path

import pytest
from mapping_desk import (
    DAY,
    MAPPINGS,
    NUMBERS,
    Desk,
    Record,
    edi,
    registration,
    xml,
)
from msgspec.structs import replace

from gateway.codec.check import check_all
from gateway.codec.merge import merge
from gateway.codec.report import build
from gateway.codec.table import load_all
from gateway.errors import Finding, Severity
from gateway.model.parameters import ConsigneeParameter, Parameters
from gateway.model.values import Identifier, Moment, Plate, Precision, plate_of

TOR, ONE, TWO = "dragon-fruit/tor.edi", "dragon-fruit/eda-1.edi", "dragon-fruit/eda-2.edi"
MT2401, MT4402 = "electronics/mt2401.xml", "electronics/mt4402.xml"
DRAGON, ELECTRONICS = "dragon-fruit/parameters.json", "electronics/parameters.json"


def text(content: bytes) -> str:
    return content.decode()


# plates


def test_trap_06_chinese_plate_is_romanised_for_tir_and_kept(desk: Desk) -> None:
    document = desk.joined(xml(MT4402, ("桂F12345", "桂F·１２３４５")), MT2401)
    encoded = desk.translate("vn.vnaccs.tir", document, desk.sources(desk.parameters(ELECTRONICS)))
    assert "\r\nGUI-F12345" in text(encoded.content)
    plate = document.means[0].plate
    assert plate is not None
    assert (plate.raw, plate.normalised) == ("桂F·１２３４５", "桂F12345")
    rows = build([], None, [encoded], salt=b"salt").targets[0].targets
    assert next(row.narrowed for row in rows if row.path == "LPN") == 1


def test_trap_06_unknown_province_is_refused(desk: Desk) -> None:
    document = desk.joined(xml(MT4402, ("桂F12345", "龘F12345")), MT2401)
    findings = desk.refused("vn.vnaccs.tir", document, desk.sources(desk.parameters(ELECTRONICS)))
    assert ("code-unknown", "means[0].plate", "龘") in [(f.code, f.path, f.found) for f in findings]


def test_trap_07_one_truck_has_one_plate() -> None:
    plates: list[Plate] = [
        plate_of(raw) for raw in ("29H-123.45", "29H12345", "VN-29H12345", "29h 123 45")
    ]
    assert len(set(plates)) == 1


# batch and waybill numbers


def test_trap_14_no_batch_number_takes_no_waybill_number(desk: Desk) -> None:
    asked: list[str] = []

    def allocate(what: str, key: str) -> str | None:
        asked.append(what)
        return None if what == "batchNumber" else NUMBERS[what]

    document = desk.joined(TOR, TWO)
    sources = desk.sources(allocate=allocate)
    findings = desk.refused("cn.mt1401", document, sources)
    assert "identifiers[cn.road-batch]" in {f.path for f in findings}
    assert "waybill" not in asked


def test_trap_14_a_repeat_asks_for_the_same_waybill(desk: Desk) -> None:
    asked: list[tuple[str, str]] = []

    def allocate(what: str, key: str) -> str | None:
        asked.append((what, key))
        return NUMBERS[what]

    document = desk.joined(TOR, TWO)
    first, second = (
        desk.translate("cn.mt1401", document, desk.sources(allocate=allocate)) for _ in range(2)
    )
    assert first.content == second.content
    (key,) = {key for what, key in asked if what == "waybill"}
    assert key.startswith("vn.declarant-ref=GW-DF-0001-B")
    assert "VN260514000900" in text(first.content)


def test_trap_14_each_declaration_gets_a_waybill_of_its_own(desk: Desk) -> None:
    document = desk.joined(TOR, ONE, TWO)
    given = replace(desk.parameters(DRAGON), waybills=())
    keys: list[str] = []

    def allocate(what: str, key: str) -> str:
        if what != "waybill":
            return NUMBERS[what]
        keys.append(key)
        return f"VN26051400090{len(keys)}"

    encoded = desk.translate("cn.mt1401", document, desk.sources(given, allocate=allocate))
    assert len(set(keys)) == 2
    assert text(encoded.content).count("<ID>VN26051400090") == 2


def test_trap_15_the_registration_number_is_no_batch_number(desk: Desk) -> None:
    document = desk.joined("durian/registration.json")
    number = next(i.value for i in document.identifiers)
    assert len(number) == 13
    given = replace(desk.parameters("durian/parameters.json"), batch_number=number)
    findings = desk.refused("cn.mt1401", document, desk.sources(given))
    assert [(f.rule, f.path) for f in findings] == [("batch-scheme", "identifiers[cn.road-batch]")]


@pytest.mark.parametrize("number", ["510026051400", "51002605140011", "51002605140AB"])
def test_trap_41_confirmed_lengths_refuse(desk: Desk, number: str) -> None:
    document = desk.joined(TOR, TWO)
    findings = desk.refused("cn.mt1401", document, desk.sources(Parameters(batch_number=number)))
    assert "batch-format" in {f.rule for f in findings}
    inbound = desk.refuses(xml("dragon-fruit/mt1401.xml", ("5100260514001", number)))
    assert {f.path for f in inbound} == {"Declaration/ID"}


def test_trap_41_a_credit_code_is_longer_than_the_recalled_length(desk: Desk) -> None:
    content = desk.sample("dragon-fruit/mt1401.xml")
    decoded = desk.formats.decode("cn.mt1401", content)
    code = decoded.document.consignments[0].consignee.ids[0]
    assert code == Identifier(scheme="cn.uscc", value="91451400TEST00001X")
    encoded = desk.formats.encode("cn.mt1401", decoded.document, decoded.head)
    assert {(f.rule, f.severity) for f in encoded.findings} == {("recalled-length", Severity.WARN)}
    assert "not confirmed" in encoded.findings[0].expected


def test_trap_42_a_cut_credit_code_is_not_sent(desk: Desk) -> None:
    def change(record: Record) -> None:
        record["CGC"] = "91451400MA5TE"

    content = edi(TWO, change)
    decoded = desk.formats.decode("vn.vnaccs.eda", content)
    assert [(f.rule, f.severity) for f in decoded.findings] == [("credit-code-cut", Severity.WARN)]
    document = desk.joined(TOR, content)
    encoded = desk.translate("cn.mt1401", document, desk.sources())
    assert "91451400MA5TE" not in text(encoded.content)
    assert ("left-out", "consignments[0].consignee.ids") in [
        (n.code, n.path) for n in encoded.notes
    ]
    given = Parameters(consignee=ConsigneeParameter(id="91451400TEST00001X"))
    encoded = desk.translate("cn.mt1401", document, desk.sources(given))
    assert "<ID>91451400TEST00001X</ID>" in text(encoded.content)


def _row_changed(tmp_path: Path, canonical: str, convert: str) -> list[Finding]:
    """Check the tables with another value for the classification."""
    copy = tmp_path / "mappings"
    shutil.copytree(MAPPINGS, copy)
    file = copy / "cn.mt1401" / "2018-06-01.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    for row in rows:
        if row["path"].endswith("Classification/ID"):
            row["canonical"], row["convert"] = canonical, convert
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return check_all(DAY, mappings=copy)


@pytest.mark.parametrize(
    ("canonical", "convert"),
    [
        ("consignments[].items[].undg", "hs:VN"),
        ("consignments[].items[].hs", "identifier:un.dg"),
    ],
)
def test_trap_43_the_table_check_refuses_a_tariff_code(
    tmp_path: Path, canonical: str, convert: str
) -> None:
    assert [f.rule for f in _row_changed(tmp_path, canonical, convert)] == ["type"]


def test_trap_43_no_table_puts_a_tariff_code_there() -> None:
    rows = [row for table in load_all(MAPPINGS, DAY).values() for row in table.rows]
    found = {(r.canonical, r.convert) for r in rows if r.path.endswith("Classification/ID")}
    assert found == {("consignments[].items[].undg", "identifier:un.dg")}


# times


def timed(day: str, clock: str) -> bytes:
    def change(record: Record) -> None:
        record["EDT"] = day
        record.pop("EMT")
        if clock:
            record["EMT"] = clock

    return edi(TOR, change)


def test_trap_32_late_evening_is_the_next_day_in_beijing(desk: Desk) -> None:
    document = desk.joined(timed("14052026", "2330"), TWO)
    encoded = text(desk.translate("cn.mt1401", document, desk.sources()).content)
    assert "<ArrivalDateTime>20260515</ArrivalDateTime>" in encoded
    assert "<LoadingDateTime>20260515003000</LoadingDateTime>" in encoded


def test_trap_33_a_day_is_copied(desk: Desk) -> None:
    document = desk.joined(TWO)  # SYM only
    assert document.exit_at == Moment(precision=Precision.DAY, local="2026-05-14")
    given = Parameters(
        loading_at=Moment(precision=Precision.MINUTE, local="2026-05-14T05:30", offset=420)
    )
    encoded = text(desk.translate("cn.mt1401", document, desk.sources(given)).content)
    assert "<ArrivalDateTime>20260514</ArrivalDateTime>" in encoded


def test_trap_33_a_day_is_no_loading_time(desk: Desk) -> None:
    findings = desk.refused("cn.mt1401", desk.joined(TWO), desk.sources())
    assert "loading.at" in {f.path for f in findings}


@pytest.mark.parametrize(
    ("written", "local", "offset", "assumed"),
    [
        ("2026-05-16T09:10:00", "2026-05-16T09:10:00", 420, True),
        ("2026-05-16T02:10:00Z", "2026-05-16T02:10:00", 0, False),
    ],
)
def test_trap_34_a_time_without_zone_is_marked(
    desk: Desk, written: str, local: str, offset: int, assumed: bool
) -> None:
    def change(record: Record) -> None:
        record["createDate"] = written

    issued = desk.decode(registration(change)).issued_at
    assert issued == Moment(
        precision=Precision.SECOND, local=local, offset=offset, offset_assumed=assumed
    )


def test_trap_65_receive_date_is_hanoi_time_without_milliseconds(desk: Desk) -> None:
    answer = desk.formats.decode("vn.vnsw.answer", desk.sample("dragon-fruit/answer-99.xml"))
    sent = Moment(precision=Precision.MILLISECOND, local="2026-05-13T00:30:00.123", offset=480)
    encoded = desk.formats.encode("vn.vnsw.answer", replace(answer.document, received_at=sent), {})
    assert "<ReceiveDate>2026-05-12 23:30:00</ReceiveDate>" in text(encoded.content)


# identifiers, containers


def test_trap_36_leading_zeros_of_a_declaration_number_stay(desk: Desk) -> None:
    def change(record: Record) -> None:
        record["ECN"], record["FIC"] = "000000000042", "000000000041"
        record["BNO"], record["DNO"] = "1", "2"

    content = edi(TWO, change)
    decoded = desk.formats.decode("vn.vnaccs.eda", content)
    (previous,) = decoded.document.consignments[0].previous
    assert previous.id == Identifier(scheme="vn.ecn", value="000000000042")
    assert previous.first == Identifier(scheme="vn.first-declaration", value="000000000041")
    again = desk.formats.encode("vn.vnaccs.eda", decoded.document, {}).content
    assert again[400:].split(b"\r\n")[:2] == [b"000000000042", b"000000000041"]


def test_trap_37_one_container_on_two_declarations_is_one_container(desk: Desk) -> None:
    document = desk.joined(TOR, ONE, TWO)
    assert [e.id for e in document.equipment] == ["GWTU1000015"]
    assert [c.equipment_refs for c in document.consignments] == [("GWTU1000015",)] * 2
    encoded = desk.translate("cn.mt1401", document, desk.sources(desk.parameters(DRAGON)))
    assert text(encoded.content).count("<ID>GWTU1000015</ID>") == 2


def second_truck(record: Record) -> None:
    record["LPN"] = "12C-077.77"
    record["equipment"][0]["CNO"] = "GWTU4000045"
    record["equipment"][0].pop("seals")


def both_containers(record: Record) -> None:
    record["containers"] = [{"C": "GWTU1000015"}, {"C": "GWTU4000045"}]


def test_trap_38_one_declaration_on_two_trucks(desk: Desk) -> None:
    document = desk.joined(TOR, edi(TOR, second_truck), edi(TWO, both_containers))
    assert len(document.means) == 2
    (waybill,) = document.consignments
    assert waybill.equipment_refs == ("GWTU1000015", "GWTU4000045")
    encoded = text(desk.translate("cn.mt1401", document, desk.sources()).content)
    assert encoded.count("<TotalPackageQuantity") == 1
    assert "<ID>GWTU1000015</ID>" in encoded
    assert "<ID>GWTU4000045</ID>" in encoded
    trucks = []
    for means in document.means:  # one confirmation per truck, under one batch number
        given = desk.parameters(DRAGON)
        numbers = {**NUMBERS, "messageId": NUMBERS["messageId"].replace("MT1401", "MT4401")}
        one = replace(document, means=(means,))
        trucks.append(text(desk.translate("cn.mt4401", one, desk.sources(given, numbers)).content))
    assert ["12C08631" in t for t in trucks] == [True, False]
    assert ["GWTU4000045" in t for t in trucks] == [False, True]
    assert all("<ID>5100260514001</ID>" in t for t in trucks)


def test_trap_39_a_full_container_needs_goods_and_an_empty_one_does_not(desk: Desk) -> None:
    def extra(fullness: str) -> bytes:
        def change(record: Record) -> None:
            first = record["equipment"][0]
            record["equipment"].append({**first, "CNO": "GWTU5000055", "EFS": fullness})

        return edi(TOR, change)

    (finding,) = merge([desk.decode(extra("5")), desk.decode(TWO)]).findings
    assert finding.rule == "container-without-goods"
    assert desk.translate("cn.mt1401", desk.joined(extra("4"), TWO), desk.sources()).content


def test_trap_25_five_containers_do_not_fit_a_truck(desk: Desk) -> None:
    document = desk.joined(MT4402, MT2401)
    first = document.equipment[0]
    ids = ("GWTU3000035", "GWTU1000015", "GWTU2000025", "GWTU4000045", "GWTU5000055")
    truck = replace(document.means[0], equipment_refs=ids)
    document = replace(
        document, means=(truck,), equipment=tuple(replace(first, id=number) for number in ids)
    )
    findings = desk.refused("vn.vnaccs.tir", document, desk.sources(desk.parameters(ELECTRONICS)))
    assert "four-containers" in {f.rule for f in findings}


def test_trap_40_a_wrong_container_number_is_refused(desk: Desk) -> None:
    (finding,) = desk.refuses(xml(MT2401, ("GWTU3000035", "TEST1234567")))
    assert (finding.code, finding.rule) == ("rule-broken", "check-digit")


def test_trap_40_a_trailer_plate_as_equipment_is_not_iso(desk: Desk) -> None:
    decoded = desk.formats.decode("cn.mt2401", xml(MT2401, ("GWTU3000035", "桂F9876挂")))
    assert [e.check_digit for e in decoded.document.equipment] == ["not-iso"]
    assert [f.severity for f in decoded.findings if f.rule == "not-iso"] == [Severity.WARN]


# gates and modes


def test_trap_48_an_office_of_several_gates_needs_the_place(desk: Desk) -> None:
    without = "<LoadingLocation>\n      <ID>CNPIN/7208</ID>\n    </LoadingLocation>\n    "
    content = xml(MT4402, (without, ""))
    document = desk.joined(content)
    findings = desk.refused("vn.vnaccs.tir", document, desk.sources(desk.parameters(ELECTRONICS)))
    assert [(f.rule, f.found, f.expected) for f in findings] == [
        ("gate-ambiguous", "7208", "one of VNHUGT VNTATH")
    ]


def test_trap_48_the_loading_place_decides(desk: Desk) -> None:
    document = desk.joined(MT4402)
    encoded = desk.translate("vn.vnaccs.tir", document, desk.sources(desk.parameters(ELECTRONICS)))
    assert "\r\nVNHUGT\r\n" in text(encoded.content)


def test_trap_51_mode_four_is_air_and_not_road(desk: Desk) -> None:
    (finding,) = desk.refuses(xml(MT4402, ("<TypeCode>3<", "<TypeCode>4<")))
    assert (finding.code, finding.rule) == ("rule-broken", "mode-road")
