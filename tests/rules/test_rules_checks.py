"""The named checks, trap by trap."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rules_documents import (
    C1,
    C2,
    C3,
    C4,
    C5,
    FULL,
    cartons,
    code,
    contact,
    container,
    contract,
    eda,
    ident,
    item,
    kg,
    manifest,
    minute,
    money,
    party,
    phone,
    text,
    tor,
    truck,
    waybill,
)

from gateway.codec import rules
from gateway.codec.rules_crossing import check_digit_of
from gateway.errors import Finding
from gateway.model.manifest import Direction, Function, Manifest, PlaceAndTime
from gateway.model.values import Communication, Measure


def found(name: str, document: Manifest) -> list[tuple[str, str, str]]:
    return [(f.rule, f.path, f.severity.value) for f in rules.run([name], document)]


def two_lines(first: dict[str, Any], second: dict[str, Any], **totals: Any) -> Manifest:
    return manifest(waybill(item(1, **first), item(2, **second), **totals))


def test_trap_19_mass_total_against_the_lines() -> None:
    document = two_lines(
        {"gross_mass": kg("9200")}, {"gross_mass": kg("9999.9")}, gross_mass=kg("19200.000")
    )
    (finding,) = rules.run(["sum-gross-mass"], document)
    assert finding == Finding(
        "rule-broken",
        "sum-gross-mass",
        "consignments[0].gross_mass",
        "19200.000",
        "19199.9 +- 0",
    )
    assert found("sum-gross-mass:0.1", document) == []
    assert found("sum-gross-mass:0.09", document) != []


def test_trap_19_lines_without_mass_are_not_summed() -> None:
    document = two_lines({"gross_mass": kg("1")}, {}, gross_mass=kg("19200"))
    assert found("sum-gross-mass", document) == []


def test_a_sum_in_another_unit_is_not_compared() -> None:
    pounds = Measure(value=kg("1").value, unit="LBR")
    document = two_lines({"gross_mass": pounds}, {"gross_mass": pounds}, gross_mass=kg("2"))
    assert found("sum-gross-mass", document) == []


def test_trap_20_packages_total_against_the_lines() -> None:
    document = two_lines(
        {"packages": cartons(600)}, {"packages": cartons(599)}, total_packages=cartons(1200)
    )
    assert found("sum-packages", document) == [
        ("sum-packages", "consignments[0].total_packages", "refuse")
    ]
    assert found("sum-packages:1", document) == []


def test_a_tolerance_that_is_no_number_is_a_fault_of_the_table() -> None:
    with pytest.raises(ValueError, match="not a tolerance"):
        rules.run(["sum-packages:some"], manifest())


def test_trap_25_five_containers_on_one_truck() -> None:
    document = manifest(means=(truck("29H12345", C1, C2, C3, C4, C5),))
    assert found("four-containers", document) == [
        ("four-containers", "means[0].equipment_refs", "refuse")
    ]
    split = manifest(means=(truck("29H12345", C1, C2, C3), truck("29H54321", C4, C5)))
    assert found("four-containers", split) == []


def test_trap_25_five_containers_without_a_list_on_the_truck() -> None:
    document = manifest(equipment=tuple(container(n) for n in (C1, C2, C3, C4, C5)))
    assert found("four-containers", document) == [("four-containers", "equipment", "refuse")]


def test_trap_30_negative_amounts() -> None:
    document = manifest(
        waybill(
            item(1, gross_mass=kg("-1"), packages=cartons(-2)),
            gross_mass=kg("0"),
            value=money("-0.01", "CNY"),
        )
    )
    assert {path for _, path, _ in found("not-negative", document)} == {
        "consignments[0].value",
        "consignments[0].items[0].gross_mass",
        "consignments[0].items[0].packages",
    }


def test_trap_39_full_container_on_no_declaration() -> None:
    full = manifest(
        waybill(), means=(truck("29H12345", C1),), equipment=(container(C1, fullness=FULL),)
    )
    assert found("container-without-goods", full) == [
        ("container-without-goods", "means[0].equipment_refs[0]", "refuse")
    ]


def test_trap_39_empty_container_needs_no_declaration() -> None:
    document = replace(tor(empty=(C1,)), consignments=(waybill(),))
    assert found("container-without-goods", document) == []


def test_a_half_says_nothing_of_containers_without_goods() -> None:
    assert found("container-without-goods", tor("29H12345", C1)) == []


def test_a_container_of_a_waybill_on_no_truck() -> None:
    document = replace(tor("29H12345", C1), consignments=(waybill(refs=(C1, C2)),))
    assert found("container-without-truck", document) == [
        ("container-without-truck", "consignments[0].equipment_refs[1]", "refuse")
    ]
    assert found("container-without-truck", eda(C1)) == []


@pytest.mark.parametrize(
    ("number", "verdict"),
    [
        ("GWTU1000015", "valid"),
        ("GWTU1000016", "invalid"),  # check digit
        ("TEST1234567", "invalid"),  # category letter T
        ("TEST1234560", "invalid"),  # right digit, wrong category letter
        ("桂F9876挂", "not-iso"),
        ("29R00123", "not-iso"),
        ("GWTU10000１5", "not-iso"),  # a full-width digit is no digit of the standard
        ("gwtu1000015", "not-iso"),
        ("", "not-iso"),
    ],
)
def test_trap_40_check_digit(number: str, verdict: str) -> None:
    assert check_digit_of(number) == verdict


def test_trap_40_refused_where_it_claims_to_be_a_container() -> None:
    document = manifest(waybill(refs=("TEST1234567",)), equipment=(container("TEST1234567"),))
    (finding,) = rules.run(["iso6346:allow"], document)
    assert (finding.rule, finding.path) == ("check-digit", "equipment[0].id")
    assert "check digit 0" in finding.expected


def test_trap_40_a_trailer_plate_passes_where_the_profile_allows_it() -> None:
    document = manifest(waybill(refs=("桂F9876挂",)))
    path = "consignments[0].equipment_refs[0]"
    assert found("iso6346:allow", document) == [("not-iso", path, "warn")]
    assert found("iso6346", document) == [("not-iso", path, "refuse")]


@pytest.mark.parametrize(
    ("number", "cut"),
    [
        ("91451400TEST0", True),
        ("9145140000000", True),
        ("51451400TEST0", True),
        ("5145140000000", False),  # may be a Vietnamese branch
        ("91451400TEST00001X", False),  # all 18
        ("0109999991", False),  # a Vietnamese tax number
        ("0109999991001", False),  # a Vietnamese branch: 13 digits, no registrar letter
        ("91451400TEST", False),
    ],
)
def test_trap_42_credit_code_cut_to_13(number: str, cut: bool) -> None:
    document = manifest(waybill(consignee=party("X", ids=(ident("text", number),))))
    place = ("credit-code-cut", "consignments[0].consignee.ids[0]", "warn")
    assert found("credit-code-cut", document) == ([place] if cut else [])


def test_trap_43_a_tariff_code_is_no_un_number() -> None:
    document = manifest(waybill(item(1, undg=ident("hs", "08109092"))))
    assert found("un-number", document) == [
        ("un-number", "consignments[0].items[0].undg", "refuse")
    ]
    odd = manifest(waybill(item(1, undg=ident("un.dg", "348"))))
    assert found("un-number", odd) == [("un-number", "consignments[0].items[0].undg", "warn")]
    zeros = manifest(waybill(item(1, undg=ident("un.dg", "0004"))))
    assert found("un-number", zeros) == []


def test_trap_44_un_number_needs_whom_to_call() -> None:
    dangerous = item(1, undg=ident("un.dg", "3480"))
    path = ("linked-elements", "consignments[0].undg_contact", "refuse")
    assert found("linked-elements", manifest(waybill(dangerous))) == [path]
    nobody = manifest(waybill(dangerous, undg_contact=contact(number="")))
    assert found("linked-elements", nobody) == [path]
    assert found("linked-elements", manifest(waybill(dangerous, undg_contact=contact()))) == []


def test_trap_45_both_or_neither() -> None:
    untyped = party("X", communications=(Communication(type="", value="0000"),))
    document = manifest(
        waybill(value=money("5", ""), consignor=untyped, undg_contact=contact(number=""))
    )
    assert {path for _, path, _ in found("linked-elements", document)} == {
        "consignments[0].value",
        "consignments[0].consignor.communications[0]",
        "consignments[0].undg_contact",
    }


@given(st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_trap_45_notify_all_or_none(name: bool, address: bool, number: bool, ids: bool) -> None:
    notify = party(
        *(["X"] if name else []),
        address=(text("1 đường mẫu"),) if address else (),
        communications=(phone("0000"),) if number else (),
        ids=(ident("vn.tax", "0109999995"),) if ids else (),
    )
    parts = [name, address, number]
    wrong = found("linked-elements", manifest(waybill(notify=notify)))
    assert bool(wrong) == (any(parts) and not all(parts))


def test_trap_45_a_contact_has_a_name_and_a_number() -> None:
    consignee = party("X", contact=contact(number=""))
    assert found("linked-elements", manifest(waybill(consignee=consignee))) == [
        ("linked-elements", "consignments[0].consignee.contact", "refuse")
    ]


def test_trap_51_the_vendors_four_is_air() -> None:
    air = code("un.rec19", "4")
    document = manifest(mode=air, means=(truck("29H12345", mode=air),))
    assert [path for _, path, _ in found("mode-road", document)] == ["mode", "means[0].mode"]
    assert found("mode-road", manifest(mode=code("un.rec19", "3"))) == []


def test_trap_79_the_other_direction() -> None:
    document = manifest(direction=Direction.CN_VN)
    assert found("direction:VN-CN", document) == [("direction", "direction", "refuse")]
    assert found("direction:CN-VN", document) == []


def test_trap_83_replace_is_not_mapped_yet() -> None:
    (finding,) = rules.run(["original-only"], manifest(function=Function.REPLACE))
    assert (finding.code, finding.path) == ("not-mapped", "function")


def test_trap_3_long_texts_are_refused_and_never_cut() -> None:
    document = manifest(
        waybill(item(1, descriptions=(text("ă" * 257),)), consignor=party("Đ" * 71))
    )
    (description,) = rules.run(["descriptions-fit:256"], document)
    assert description.path == "consignments[0].items[0].descriptions[0]"
    assert (description.found, "recalled" in description.expected) == ("257 characters", True)
    (name,) = rules.run(["names-fit:70"], document)
    assert (name.path, name.found) == ("consignments[0].consignor.names[0]", "71 characters")
    fits = manifest(waybill(item(1, descriptions=(text("ă" * 256),)), consignor=party("Đ" * 70)))
    assert rules.run(["descriptions-fit", "names-fit"], fits) == []


def test_a_name_that_is_too_long_does_not_appear_in_the_finding() -> None:
    (finding,) = rules.run(["names-fit"], manifest(means=(truck("29H1", driver="NGUYEN " * 20),)))
    assert "NGUYEN" not in finding.found + finding.expected
    assert finding.path == "means[0].crew[0].names[0]"


@pytest.mark.parametrize(
    "value", ["510026051400", "51002605140011", "TEST260514001", "５１0026051400"]
)
def test_a_batch_number_has_13_digits(value: str) -> None:
    document = manifest(identifiers=(ident("cn.road-batch", value),))
    assert found("batch-format", document) == [
        ("batch-format", "identifiers[cn.road-batch]", "refuse")
    ]


def test_trap_15_a_lang_son_number_is_no_batch_number() -> None:
    number = "2026051600007"
    document = manifest(
        identifiers=(
            ident("vn.langson.registration", number),
            ident("cn.road-batch", number),
        )
    )
    assert [rule for rule, _, _ in found("batch-format", document)] == ["batch-scheme"]


def test_trap_14_a_manifest_has_one_batch_number() -> None:
    assert [rule for rule, _, _ in found("batch-required", manifest())] == ["batch"]
    numbers = tuple(ident("cn.road-batch", f"510026051400{n}") for n in (1, 2))
    assert found("batch-required", manifest(identifiers=numbers)) != []
    assert found("batch-required", manifest(identifiers=numbers[:1])) == []


def test_a_waybill_number_stands_once() -> None:
    document = manifest(*(waybill(contract=contract(n)) for n in ("A", "B", "A")))
    assert found("waybill-unique", document) == [
        ("waybill-unique", "consignments[2].contract.id", "refuse")
    ]


def test_lines_are_numbered_from_one() -> None:
    document = manifest(waybill(item(1), item(3)))
    assert found("item-sequence", document) == [
        ("item-sequence", "consignments[0].items[1].sequence", "refuse")
    ]


def test_net_is_not_more_than_gross() -> None:
    heavy = item(1, net_mass=kg("10.1"), gross_mass=kg("10"))
    assert [rule for rule, _, _ in found("net-within-gross", manifest(waybill(heavy)))] == [
        "net-within-gross"
    ]


def test_loading_comes_before_arrival_seen_in_one_zone() -> None:
    arrival = PlaceAndTime(at=minute("2026-05-15T00:30", 480))
    same = manifest(loading=PlaceAndTime(at=minute("2026-05-14T23:30", 420)), unloading=arrival)
    assert found("loading-before-arrival", same) == []
    late = manifest(loading=PlaceAndTime(at=minute("2026-05-15T23:30", 420)), unloading=arrival)
    assert found("loading-before-arrival", late) == [
        ("loading-before-arrival", "loading.at", "refuse")
    ]


def test_names_are_known_with_their_argument() -> None:
    assert rules.known("iso6346:allow")
    assert rules.known("iso6346")
    assert not rules.known("iso6347")
    with pytest.raises(KeyError):
        rules.run(["iso6347"], manifest())


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=20))
def test_right_sums_pass(masses: list[int]) -> None:
    lines = tuple(
        item(n, gross_mass=kg(str(mass)), packages=cartons(mass))
        for n, mass in enumerate(masses, 1)
    )
    document = manifest(
        waybill(*lines, gross_mass=kg(str(sum(masses))), total_packages=cartons(sum(masses)))
    )
    names = ["sum-gross-mass", "sum-packages", "item-sequence", "not-negative"]
    assert rules.run(names, document) == []


def test_every_rule_of_the_tables_is_known_and_runs_on_nothing() -> None:
    for name in rules.RULES:
        assert isinstance(rules.run([name], manifest()), list)
