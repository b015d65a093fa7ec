"""What no document holds: parameters, profile, numbers, gates, register, derivations."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rules_documents import (
    C1,
    cartons,
    code,
    day,
    eda,
    gate,
    ident,
    item,
    kg,
    manifest,
    minute,
    mt2401,
    text,
    tor,
    truck,
    waybill,
)

from gateway.codec.derive import DERIVATIONS
from gateway.codec.gates import Gates
from gateway.codec.merge import merge
from gateway.codec.sources import SubmissionSources
from gateway.errors import DocumentError
from gateway.model.manifest import Direction, Manifest, PlaceAndTime, TemporaryAdmission
from gateway.model.parameters import (
    ConsigneeParameter,
    DangerousGoodsParameter,
    DriverDocumentParameter,
    DriverParameter,
    PackingParameter,
    Parameters,
    VehicleParameter,
    WaybillParameter,
)
from gateway.model.values import Location, Moment, Precision, plate_of

GATES = Gates.load(Path("mappings"), date(2026, 5, 14))
NOTHING: Mapping[str, str] = {}


def sources(
    parameters: Parameters | None = None,
    profile: Mapping[str, str] = NOTHING,
    allocate: Callable[[str, str], str | None] = lambda what, key: None,
    register: Callable[[str], Mapping[str, str] | None] = lambda filing: None,
) -> SubmissionSources:
    return SubmissionSources(
        parameters or Parameters(),
        profile=profile,
        gates=GATES,
        allocate=allocate,
        register=register,
    )


def taken(parameters: Parameters, source: str, document: Manifest, *scope: int) -> Any:
    return sources(parameters).take(source, scope, document)


def two() -> Manifest:
    """One declaration with a number, one with a reference only."""
    return merge(
        [
            tor("29H12345", C1),
            eda(C1, number="300000000017", ref="REF-A", lines=(item(1), item(2))),
            eda(C1, ref="REF-B"),
        ]
    ).manifest


def named(*declarations: str) -> Parameters:
    return Parameters(
        waybills=tuple(WaybillParameter(declaration=d, id=f"W-{d}") for d in declarations)
    )


@pytest.mark.parametrize(
    ("declaration", "index"),
    [("300000000017", 0), ("REF-A", 0), ("REF-B", 1), ("1", 0), ("2", 1)],
)
def test_a_declaration_is_named_by_number_reference_or_position(
    declaration: str, index: int
) -> None:
    found = [taken(named(declaration), "param:waybill", two(), n) for n in (0, 1)]
    assert found[index] == f"W-{declaration}"
    assert found[1 - index] is None
    assert sources(named(declaration)).problems(two()) == []


@pytest.mark.parametrize("declaration", ["0", "3", "REF", "", "²", "-1", "1 "])
def test_a_name_that_nothing_bears_is_found(declaration: str) -> None:
    assert taken(named(declaration), "param:waybill", two(), 0) is None
    (finding,) = sources(named(declaration)).problems(two())
    assert (finding.rule, finding.path) == (
        "parameter-declaration",
        "parameters.waybills[0].declaration",
    )


def test_a_name_that_two_bear_is_found_and_not_picked() -> None:
    document = merge([tor(), eda(ref="REF"), eda(ref="REF")]).manifest
    assert [taken(named("REF"), "param:waybill", document, n) for n in (0, 1)] == [None, None]
    assert [f.rule for f in sources(named("REF")).problems(document)] == ["parameter-declaration"]


def test_a_number_wins_over_a_reference_and_a_reference_over_a_position() -> None:
    document = merge([tor(), eda(ref="2"), eda(number="300000000018", ref="300000000017"),
                      eda(number="300000000017")]).manifest  # fmt: skip
    assert taken(named("300000000017"), "param:waybill", document, 2) == "W-300000000017"
    assert taken(named("2"), "param:waybill", document, 0) == "W-2"
    assert taken(named("2"), "param:waybill", document, 1) is None


def test_one_declaration_with_two_names_is_given_one_number() -> None:
    (finding,) = sources(named("REF-A", "1")).problems(two())
    assert (finding.rule, finding.path) == ("parameter-repeated", "parameters.waybills")


def packing(declaration: str, line: int) -> PackingParameter:
    return PackingParameter(
        declaration=declaration, line=line, gross_mass=kg("10.5"), packages=cartons(7)
    )


def test_packing_is_given_per_line() -> None:
    stated = Parameters(packing=(packing("REF-A", 2),))
    assert taken(stated, "param:packing.grossMass", two(), 0, 1) == kg("10.5")
    assert taken(stated, "param:packing.packages", two(), 0, 1) == cartons(7)
    assert taken(stated, "param:packing.grossMass", two(), 0, 0) is None
    assert taken(stated, "param:packing.grossMass", two(), 1, 0) is None


@pytest.mark.parametrize("line", [0, 3, -1])
def test_a_line_that_is_not_there_is_found(line: int) -> None:
    (finding,) = sources(Parameters(packing=(packing("REF-A", line),))).problems(two())
    assert (finding.rule, finding.expected) == ("parameter-line", "1 to 2")


def test_packing_twice_for_one_line_is_found() -> None:
    stated = Parameters(packing=(packing("REF-A", 1), packing("300000000017", 1)))
    assert [f.rule for f in sources(stated).problems(two())] == ["parameter-repeated"]


def test_dangerous_goods_name_a_line_and_call_for_the_waybill() -> None:
    stated = Parameters(
        dangerous_goods=(
            DangerousGoodsParameter(
                declaration="REF-A", line=2, un="3480", contact="TEST", phone="0000"
            ),
        )
    )
    found = {
        part: taken(stated, f"param:dangerousGoods.{part}", two(), 0, 1)
        for part in ("un", "contact", "phone")
    }
    assert found == {"un": "3480", "contact": "TEST", "phone": "0000"}
    assert taken(stated, "param:dangerousGoods.un", two(), 0, 0) is None
    assert taken(stated, "param:dangerousGoods.contact", two(), 0) == "TEST"


def test_short_descriptions_are_one_per_waybill_or_one_per_line() -> None:
    def short(document: Manifest, *given: str) -> list[str | None]:
        return [
            taken(Parameters(short_descriptions=given), "param:shortDescription", document, i, j)
            for i, each in enumerate(document.consignments)
            for j, _ in enumerate(each.items)
        ]

    assert short(two(), "A", "B") == ["A", "A", "B"]
    assert short(two(), "A1", "A2", "B1") == ["A1", "A2", "B1"]
    assert short(two(), "A") == [None, None, None]
    wrong = sources(Parameters(short_descriptions=("A",))).problems(two())
    assert [(f.rule, f.expected) for f in wrong] == [("parameter-count", "2 or 3")]


def test_trap_15_a_lang_son_number_offered_as_batch_number() -> None:
    number = "2026051600007"
    document = manifest(waybill(), identifiers=(ident("vn.langson.registration", number),))
    found = sources(Parameters(batch_number=number)).problems(document)
    assert [f.rule for f in found] == ["batch-scheme"]
    assert sources(Parameters(batch_number="5100260516001")).problems(document) == []


PLAIN = Parameters(
    batch_number="5100260514001",
    procedure_code="RD06",
    condition_code="27",
    freight_payment="1",
    carrier_code="C",
    agent_code="A",
    transit_office="5300",
    unloading_place="CNPIN/7208",
    remark="R",
    route=("VN", "LA"),
    loading_at=minute("2026-05-14T05:30"),
    arrival_at=minute("2026-05-14T08:00"),
    consignee=ConsigneeParameter(id="91451400TEST00001X", names=("广西", "GX"), phone="0771"),
    vehicle=VehicleParameter(filing="F", type="TRUCK", seats=2, make="M"),
    driver=DriverParameter(
        filing="D", romanised="CE SHI", document=DriverDocumentParameter(kind="P", number="E1")
    ),
    temporary_admission=TemporaryAdmission(
        indication="1", days=2, area=text("Lạng Sơn"), return_by=day("2026-05-20")
    ),
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batchNumber", "5100260514001"),
        ("procedureCode", "RD06"),
        ("conditionCode", "27"),
        ("freightPayment", "1"),
        ("carrierCode", "C"),
        ("agentCode", "A"),
        ("transitOffice", "5300"),
        ("unloadingPlace", "CNPIN/7208"),
        ("remark", "R"),
        ("route", ("VN", "LA")),
        ("loadingAt", minute("2026-05-14T05:30")),
        ("arrivalAt", minute("2026-05-14T08:00")),
        ("consignee.id", "91451400TEST00001X"),
        ("consignee.name", "广西"),
        ("consignee.phone", "0771"),
        ("vehicle.filing", "F"),
        ("vehicle.type", "TRUCK"),
        ("vehicle.seats", "2"),
        ("vehicle.chassis", None),
        ("driver.romanised", "CE SHI"),
        ("driver.document.kind", "P"),
        ("driver.document.number", "E1"),
        ("temporaryAdmission.days", "2"),
        ("temporaryAdmission.area", text("Lạng Sơn")),
        ("temporaryAdmission.returnBy", day("2026-05-20")),
    ],
)
def test_plain_parameters(name: str, value: object) -> None:
    assert taken(PLAIN, f"param:{name}", two(), 0, 0) == value
    empty = taken(Parameters(), f"param:{name}", two(), 0, 0)
    assert empty is None


def test_every_source_word_of_the_tables_is_known() -> None:
    words = {
        word
        for table in Path("mappings").glob("*/*.csv")
        for line in table.read_text(encoding="utf-8").splitlines()
        for word in line.replace(",", " ").split()
        if word.partition(":")[0] in ("param", "profile", "gate", "register", "derive", "alloc")
    }
    assert len(words) > 50
    document = replace(two(), exit_office=None)
    for word in words:
        sources(PLAIN).take(word, (0, 0), document)


def allocated(document: Manifest) -> list[str]:
    keys: list[str] = []

    def allocate(what: str, key: str) -> str:
        keys.append(key)
        return f"{what}-{key}"

    for index, _ in enumerate(document.consignments):
        sources(allocate=allocate).take("alloc:waybill", (index,), document)
    return keys


def test_trap_14_a_repeat_asks_for_the_same_waybill_number() -> None:
    assert allocated(two()) == allocated(two())
    supplied = replace(two(), consignments=tuple(
        replace(w, procedure=code("cn.clearance", "RD06"), consignee=None, total_packages=None)
        for w in two().consignments
    ))  # fmt: skip
    assert allocated(supplied) == allocated(two())


def test_waybill_numbers_are_not_shared_by_what_travels_on_one_truck() -> None:
    document = merge([tor(), *(eda(plate="29H12345", value=None) for _ in range(3))]).manifest
    assert len(set(allocated(document))) == 3


def test_a_reference_used_again_for_other_goods_gets_another_number() -> None:
    (first,) = allocated(eda(ref="REF"))
    (second,) = allocated(eda(ref="REF", gross_mass=kg("999")))
    assert first != second
    assert first.startswith("vn.declarant-ref=REF|")


def test_numbers_of_the_crossing_have_no_key_of_their_own() -> None:
    found = sources(allocate=lambda what, key: f"{what}|{key}").take("alloc:batchNumber", (), two())
    assert found == "batchNumber|"


def test_the_gate_names_its_chinese_office_and_place() -> None:
    document = two()
    assert sources().take("gate:cnOffice", (), document) == code("cn.customs-office", "7208")
    assert sources().take("gate:cnPlace", (), document) == code("cn.place", "CNPIN/7208")
    unknown = replace(document, border_gate=gate("VNXXXX"))
    assert sources().take("gate:cnOffice", (), unknown) is None
    assert sources().take("gate:cnOffice", (), replace(document, border_gate=None)) is None


def test_trap_48_an_office_of_several_gates_needs_the_loading_place() -> None:
    document = mt2401(C1)
    with pytest.raises(DocumentError) as refused:
        sources().take("gate:vnGate", (), document)
    (finding,) = refused.value.findings
    assert (finding.rule, finding.found) == ("gate-ambiguous", "7208")
    assert finding.expected == "one of VNHUGT VNTATH"
    placed = replace(
        document, loading=PlaceAndTime(location=Location(code=code("cn.place", "CNPUZ/7208")))
    )
    assert sources().take("gate:vnGate", (), placed) == code("vn.border-gate", "VNTATH")
    strange = replace(
        document, loading=PlaceAndTime(location=Location(code=code("cn.place", "CNXXX/7208")))
    )
    with pytest.raises(DocumentError):
        sources().take("gate:vnGate", (), strange)


def test_the_register_is_asked_by_the_filing_number() -> None:
    register = {"F1": {"make": "M", "colour": ""}}
    found = sources(register=register.get)
    known = manifest(means=(truck("桂F1", ids=(ident("cn.vehicle-filing", "F1"),)),))
    assert found.take("register:make", (), known) == "M"
    assert found.take("register:colour", (), known) is None
    assert found.take("register:seats", (), known) is None
    assert found.take("register:make", (), tor()) is None
    assert found.take("register:make", (), manifest()) is None


def test_the_profile_is_asked_by_name() -> None:
    assert sources(profile={"senderId": "S"}).take("profile:senderId", (), two()) == "S"
    assert sources().take("profile:senderId", (), two()) is None


def derived(name: str, document: Manifest, *scope: int) -> Any:
    return DERIVATIONS[name](scope, document)


def test_trap_32_the_day_is_taken_at_beijing_time() -> None:
    document = tor(at="2026-05-14T23:30")
    assert derived("arrivalDay", document) == day("2026-05-15")
    moment = derived("loadingFromExit", document)
    assert (moment.local, moment.offset) == ("2026-05-15T00:30", 480)
    assert derived("arrivalFromExit", document).local == "2026-05-15T00:30"


def test_trap_33_a_day_is_copied_and_not_shifted() -> None:
    document = eda(sym="2026-05-14")
    assert derived("arrivalDay", document) == day("2026-05-14")
    assert derived("loadingFromExit", document) is None
    assert derived("arrivalDay", eda(sym="")) is None


@settings(max_examples=60, deadline=None)
@given(st.datetimes(min_value=datetime.fromisoformat("2020-01-01")))
def test_the_derived_day_is_that_of_the_instant_in_beijing(at: datetime) -> None:
    local = at.replace(second=0, microsecond=0)
    document = tor(at=local.isoformat(timespec="minutes"))
    beijing = local + timedelta(hours=1)
    assert derived("arrivalDay", document).local == beijing.date().isoformat()


def test_one_line_takes_the_totals_and_several_take_nothing() -> None:
    document = two()
    assert derived("itemMass", document, 1, 0) == kg("1000")
    assert derived("itemPackages", document, 1, 0) == cartons(100)
    assert derived("itemMass", document, 0, 0) is None
    assert derived("itemPackages", document, 0, 1) is None


def test_a_total_of_packages_is_summed_only_where_all_are_of_one_kind() -> None:
    lines = (item(1, packages=cartons(3)), item(2, packages=cartons(4)))
    assert derived("totalPackages", manifest(waybill(*lines)), 0) == cartons(7)
    bag = replace(cartons(4), kind="BG")
    mixed = (lines[0], item(2, packages=bag))
    assert derived("totalPackages", manifest(waybill(*mixed)), 0) is None
    assert derived("totalPackages", manifest(waybill(lines[0], item(2))), 0) is None


@pytest.mark.parametrize(
    ("plate", "country", "indication"),
    [("桂F12345", None, "1"), ("29H12345", None, "0"), ("29H12345", "CN", "1")],
)
def test_the_regime_goes_by_the_plate_and_not_by_the_direction(
    plate: str, country: str | None, indication: str
) -> None:
    means = replace(truck(plate), plate=plate_of(plate, country))
    document = manifest(direction=Direction.CN_VN, means=(means,))
    assert derived("temporaryIndication", document) == indication
    assert derived("temporaryIndication", manifest()) is None


def test_the_batch_number_is_the_reference_of_a_tir() -> None:
    assert derived("batchReference", mt2401()) == ident("vn.declarant-ref", "5100260518001")
    assert derived("batchReference", manifest()) is None


def test_a_moment_of_the_day_only_stays_a_day() -> None:
    moment = derived("arrivalDay", tor(at="2026-05-14T08:30"))
    assert isinstance(moment, Moment)
    assert moment.precision is Precision.DAY
