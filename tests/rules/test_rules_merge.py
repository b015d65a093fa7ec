"""Halves put together: a rule per field, contradictions with both places, nothing lost."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rules_documents import (
    C1,
    C2,
    C3,
    FULL,
    MONG_CAI,
    cartons,
    code,
    container,
    day,
    eda,
    ident,
    item,
    kg,
    manifest,
    minute,
    mt2401,
    mt4402,
    party,
    phone,
    text,
    tor,
    truck,
    waybill,
)

from gateway.codec.merge import Merged, merge, merge_parameters
from gateway.errors import Finding
from gateway.model.manifest import Manifest, PlaceAndTime, Seal
from gateway.model.parameters import PackingParameter, Parameters
from gateway.model.values import Code, Moment, Precision, plate_of


def rules(merged: Merged) -> list[str]:
    return [finding.rule for finding in merged.findings]


def test_one_truck_with_two_declarations() -> None:
    merged = merge([tor("29H12345", C1, ref="R"), eda(C1, ref="A"), eda(C1, ref="B")])
    whole = merged.manifest
    assert merged.findings == ()
    assert len(whole.means) == 1
    assert [w.references[0].value for w in whole.consignments] == ["A", "B"]
    assert [e.id for e in whole.equipment] == [C1]
    assert whole.identifiers == (ident("vn.declarant-ref", "R"),)
    assert whole.mode == code("un.rec19", "3")


def test_trap_37_the_container_is_one_thing_with_what_each_half_says_of_it() -> None:
    vehicle = tor("29H12345", C1)
    vehicle = replace(
        vehicle, equipment=(replace(vehicle.equipment[0], seals=(Seal(number="VN1"),)),)
    )
    goods = eda(C1)
    goods = replace(goods, equipment=(container(C1, size_type=code("iso6346.size-type", "45R1")),))
    whole = merge([vehicle, goods, eda(C1)]).manifest
    (box,) = whole.equipment
    assert (box.fullness, box.size_type, box.seals) == (
        FULL,
        code("iso6346.size-type", "45R1"),
        (Seal(number="VN1"),),
    )
    assert [w.equipment_refs for w in whole.consignments] == [(C1,), (C1,)]


def test_trap_38_two_trucks_with_one_declaration() -> None:
    merged = merge([tor("29H12345", C1), tor("29H54321", C2), eda(C1, C2)])
    assert merged.findings == ()
    assert [t.equipment_refs for t in merged.manifest.means] == [(C1,), (C2,)]
    assert [w.gross_mass for w in merged.manifest.consignments] == [kg("1000")]


def test_trap_12_gates_that_contradict_name_both_places() -> None:
    (finding,) = merge([tor(), eda(gate_code=MONG_CAI)]).findings
    assert finding == Finding(
        "rule-broken",
        "join-gate",
        "border_gate",
        "VNMOCA in document 2",
        "VNHUGT, as in document 1",
    )


def test_two_batch_numbers_contradict() -> None:
    merged = merge([mt2401(C1), mt4402("桂F12345", C1, batch="5100260518009")])
    assert rules(merged) == ["join-batch"]


def test_directions_contradict() -> None:
    assert "join-direction" in rules(merge([tor(), replace(mt2401(), exit_office=None)]))


def test_trap_17_branches_become_one_waybill_numbered_through() -> None:
    lines = tuple(item(n, descriptions=(text(f"line {n}"),)) for n in range(1, 51))
    last = item(1, descriptions=(text("line 51"),))
    first = eda(branch=("300000000010", 1, 2), lines=lines, number="300000000010")
    second = eda(branch=("300000000010", 2, 2), lines=(last,), number="300000000021")
    for order in ([first, second], [second, first]):
        merged = merge([tor(), *order])
        assert merged.findings == ()
        (whole,) = merged.manifest.consignments
        assert [i.sequence for i in whole.items] == list(range(1, 52))
        assert [i.descriptions[0].value for i in whole.items] == [f"line {n}" for n in range(1, 52)]
        assert {p.branch for p in whole.previous} == {1, 2}
        assert whole.gross_mass == kg("1000")


def test_trap_17_branches_with_different_totals_contradict() -> None:
    first = eda(branch=("300000000010", 1, 2))
    second = eda(branch=("300000000010", 2, 2), gross_mass=kg("2000"))
    (finding,) = merge([tor(), first, second]).findings
    assert (finding.rule, finding.path) == ("join-total", "consignments[0].gross_mass")
    assert (finding.found, finding.expected) == ("2000 in document 3", "1000, as in document 2")


def test_a_total_that_only_one_branch_states_stands() -> None:
    first = eda(branch=("300000000010", 1, 2), gross_mass=None)
    second = eda(branch=("300000000010", 2, 2), total_packages=None)
    (whole,) = merge([tor(), first, second]).manifest.consignments
    assert (whole.gross_mass, whole.total_packages) == (kg("1000"), cartons(100))


def test_first_branches_without_a_number_are_not_one_declaration() -> None:
    merged = merge([eda(branch=("F", 1, 2)), eda(branch=("F", 1, 2), gross_mass=kg("5"))])
    assert len(merged.manifest.consignments) == 2


def test_the_same_declaration_in_two_documents_is_one_waybill() -> None:
    consignor = party("CÔNG TY MẪU", ids=(ident("vn.tax", "0109999991"),))
    also = replace(consignor, communications=(phone("0252000001"),))
    merged = merge([eda(number="3", consignor=consignor), eda(number="3", consignor=also)])
    (whole,) = merged.manifest.consignments
    assert whole.consignor == also
    assert len(whole.items) == 1
    assert merged.findings == ()


def test_two_parties_are_not_melted_into_one() -> None:
    one = party("CÔNG TY A", ids=(ident("vn.tax", "0109999991"),))
    other = party("CÔNG TY B", ids=(ident("vn.tax", "0109999992"),))
    merged = merge([eda(number="3", consignor=one), eda(number="3", consignor=other)])
    assert merged.manifest.consignments[0].consignor == one
    assert [n.path for n in merged.notes] == ["consignments[0].consignor"]
    both = merge([tor(carrier=one), replace(eda(), carrier=other)])
    assert both.manifest.carrier == one
    assert [n.path for n in both.notes] == ["carrier"]


def test_the_trucks_departure_stands_over_the_planned_day() -> None:
    assert merge([eda(sym="2026-05-13"), tor()]).manifest.exit_at == minute("2026-05-14T08:30")


def test_trucks_of_one_batch_leave_on_one_day() -> None:
    later = tor("29H54321", C2, at="2026-05-15T07:00")
    (finding,) = merge([later, tor("29H12345", C1), eda(C1, C2)]).findings
    assert (finding.rule, finding.found) == ("join-date", "2026-05-15T07:00 in document 1")
    same_day = tor("29H54321", C2, at="2026-05-14T07:00")
    merged = merge([tor("29H12345", C1), same_day, eda(C1, C2)])
    assert merged.findings == ()
    assert merged.manifest.exit_at == minute("2026-05-14T07:00")


def test_one_truck_leaves_once() -> None:
    merged = merge([tor("29H-123.45"), tor("29H12345", at="2026-05-14T17:00"), eda()])
    assert rules(merged) == ["join-date"]


def test_one_truck_in_two_documents_is_one_truck() -> None:
    registration = replace(
        eda(number="3"),
        means=(truck("29H12345", driver="Nguyễn Văn Mẫu", chassis="MAU1"),),
        exit_at=minute("2026-05-14T06:00"),
    )
    merged = merge([tor("29H-123.45"), registration])
    (one,) = merged.manifest.means
    assert (one.plate and one.plate.raw, one.chassis) == ("29H-123.45", "MAU1")
    assert [member.names[0].value for member in one.crew] == ["NGUYEN VAN MAU"]
    assert merged.manifest.exit_at == minute("2026-05-14T08:30")


def test_a_container_on_two_trucks_is_found() -> None:
    merged = merge([tor("29H12345", C1), tor("29H54321", C1), eda(C1)])
    assert rules(merged) == ["container-on-two-trucks"]


def test_trap_39_a_full_container_on_no_declaration_is_found() -> None:
    assert rules(merge([tor("29H12345", C1, C2), eda(C1)])) == ["container-without-goods"]
    assert merge([tor("29H12345", C1, empty=(C2,)), eda(C1)]).findings == ()


def test_a_partial_crossing_leaves_out_what_no_truck_carries() -> None:
    merged = merge([tor("29H12345", C1), eda(C1, C2)], partial=True)
    assert merged.manifest.consignments[0].equipment_refs == (C1,)
    assert [e.id for e in merged.manifest.equipment] == [C1]
    assert [(n.code, n.path) for n in merged.notes] == [
        ("left-out", "consignments[0].equipment_refs")
    ]
    assert merge([tor("29H12345", C1), eda(C1, C2)]).manifest.consignments[0].equipment_refs == (
        C1,
        C2,
    )


def test_a_day_and_a_time_on_it_agree_and_the_time_stands() -> None:
    loading = PlaceAndTime(at=day("2026-05-14"))
    exact = PlaceAndTime(at=minute("2026-05-14T06:00"))
    merged = merge([tor(loading=loading), replace(eda(), loading=exact)])
    assert merged.manifest.loading == exact
    assert merged.notes == ()
    other = PlaceAndTime(at=minute("2026-05-15T06:00"))
    differing = merge([tor(loading=exact), replace(eda(), loading=other)])
    assert differing.manifest.loading == exact
    assert [n.path for n in differing.notes] == ["loading.at"]


def test_what_each_document_says_of_itself_is_no_contradiction() -> None:
    first = replace(mt2401(C1), issued_at=minute("2026-05-18T07:01"), representative=party("A"))
    second = replace(
        mt4402("桂F1", C1), issued_at=minute("2026-05-18T07:15"), representative=party("B")
    )
    merged = merge([second, first])
    assert (merged.findings, merged.notes) == ((), ())
    assert merged.manifest.representative == party("B")


def test_codes_of_two_lists_are_two_ways_to_say_it() -> None:
    vehicle = tor("29H12345")
    vehicle = replace(
        vehicle,
        means=(replace(vehicle.means[0], type=Code(list="vn.vehicle-type", value="TRUCK")),),
    )
    other = replace(
        eda(number="3"),
        means=(truck("29H12345", type=Code(list="vn.langson.vehicle-type", value="VT6")),),
    )
    merged = merge([vehicle, other])
    assert merged.manifest.means[0].type == Code(list="vn.vehicle-type", value="TRUCK")
    assert [n.path for n in merged.notes if n.path.endswith("type")] == []


def test_findings_show_no_names() -> None:
    merged = merge([tor(direction_probe := "29H12345"), eda(gate_code=MONG_CAI)])
    shown = " ".join(f.found + f.expected for f in merged.findings)
    assert "NGUYEN" not in shown
    assert direction_probe not in shown


@pytest.mark.parametrize("name", ["direction", "function", "exit_office", "entry_office", "mode"])
def test_the_merge_of_one_document_is_the_document(name: str) -> None:
    document = tor("29H12345", C1, ref="R")
    assert getattr(merge([document]).manifest, name) == getattr(document, name)
    assert merge([document]) == Merged(document, (), ())


weights = st.integers(1, 99999).map(lambda n: kg(str(Decimal(n) / 10)))
declarations = st.lists(
    st.builds(
        lambda ref, mass, count, lines: eda(
            C1, ref=f"REF-{ref}", gross_mass=mass, total_packages=cartons(count),
            lines=tuple(item(n) for n in range(1, lines + 1)),
        ),
        st.integers(1, 10**6), weights, st.integers(1, 9999), st.integers(1, 4),
    ),
    min_size=1,
    max_size=4,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(declarations)
def test_merging_and_splitting_gives_the_halves_back(documents: list[Manifest]) -> None:
    vehicle = tor("29H12345", C1, ref="R")
    merged = merge([vehicle, *documents])
    assert merged.findings == ()
    whole = merged.manifest
    truck_again = replace(
        whole, consignments=(), mode=None, equipment=tuple(
            e for e in whole.equipment if e.id in whole.means[0].equipment_refs
        ),
    )  # fmt: skip
    assert truck_again == vehicle
    for waybill_again, document in zip(whole.consignments, documents, strict=True):
        assert (waybill_again,) == document.consignments


@settings(max_examples=60, deadline=None)
@given(declarations)
def test_merging_keeps_every_total(documents: list[Manifest]) -> None:
    whole = merge([tor("29H12345", C1), *documents]).manifest
    mass = sum(d.consignments[0].gross_mass.value for d in documents)  # type: ignore[union-attr]
    assert sum(w.gross_mass.value for w in whole.consignments) == mass  # type: ignore[union-attr]
    assert sum(len(w.items) for w in whole.consignments) == sum(
        len(d.consignments[0].items) for d in documents
    )


@settings(max_examples=60, deadline=None)
@given(declarations, st.randoms(use_true_random=False))
def test_the_order_of_documents_changes_only_the_order_of_waybills(
    documents: list[Manifest], random: object
) -> None:
    shuffled = [tor("29H12345", C1), *documents]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = merge([tor("29H12345", C1), *documents]), merge(shuffled)
    assert other.findings == one.findings
    assert sorted(other.manifest.consignments, key=repr) == sorted(
        one.manifest.consignments, key=repr
    )
    empty = {"consignments": ()}
    assert replace(other.manifest, **empty) == replace(one.manifest, **empty)


def packing(line: int) -> PackingParameter:
    return PackingParameter(declaration="A", line=line, gross_mass=kg("1"), packages=cartons(1))


def test_parameters_of_several_submissions_are_united() -> None:
    merged, findings = merge_parameters(
        [
            Parameters(batch_number="5100260514001", packing=(packing(1),), partial=True),
            Parameters(packing=(packing(1), packing(2)), procedure_code="RD06"),
        ]
    )
    assert findings == []
    assert merged == Parameters(
        batch_number="5100260514001",
        packing=(packing(1), packing(2)),
        partial=True,
        procedure_code="RD06",
    )


def test_parameters_that_contradict_are_found() -> None:
    merged, findings = merge_parameters(
        [Parameters(procedure_code="RD06"), Parameters(procedure_code="RD09")]
    )
    assert [f.path for f in findings] == ["parameters.procedure_code"]
    assert merged.procedure_code == "RD06"


def test_a_moment_of_another_zone_is_not_taken_for_the_same() -> None:
    hour = Moment(precision=Precision.HOUR, local="2026-05-14T06", offset=480)
    exact = minute("2026-05-14T06:00", 420)
    merged = merge(
        [tor(loading=PlaceAndTime(at=hour)), replace(eda(), loading=PlaceAndTime(at=exact))]
    )
    assert [n.path for n in merged.notes] == ["loading.at"]


def test_waybills_without_any_name_stay_apart() -> None:
    merged = merge([manifest(waybill(), waybill()), manifest(waybill())])
    assert len(merged.manifest.consignments) == 3


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (kg("1"), kg("1.0"), True),
        (kg("1"), kg("1.1"), False),
        (cartons(5), cartons(5), True),
        (cartons(5), cartons(6), False),
        (plate_of("29H-123.45"), plate_of("VN-29H12345"), True),
        (plate_of("29H-123.45"), plate_of("29H-123.46"), False),
    ],
)
def test_values_that_are_equal_are_not_unequal(one: object, other: object, equal: bool) -> None:
    assert (one == other, one != other) == (equal, not equal)


def test_the_earliest_departure_is_that_of_the_earliest_instant() -> None:
    beijing = replace(tor("29H54321", C2), exit_at=minute("2026-05-14T08:45", 480))
    merged = merge([tor("29H12345", C1), beijing, eda(C1, C2)])
    assert merged.manifest.exit_at == minute("2026-05-14T08:45", 480)  # 07:45 in Ha Noi
    assert [(n.code, n.path) for n in merged.notes] == [("merged", "exit_at")]


def test_two_declarations_that_plan_two_days_are_noted() -> None:
    merged = merge([eda(sym="2026-05-15"), eda(sym="2026-05-14")])
    assert merged.findings == ()
    assert merged.manifest.exit_at == day("2026-05-14")


def test_the_lines_of_one_declaration_stand_once() -> None:
    lines = (item(1), item(2))
    merged = merge([eda(number="3", lines=lines), eda(number="3", lines=(item(1),))])
    assert merged.manifest.consignments[0].items == lines
    assert [n.path for n in merged.notes] == ["consignments[0].items"]
    bare = eda(number="3")
    bare = replace(bare, consignments=(replace(bare.consignments[0], items=()),))
    assert merge([bare, eda(number="3", lines=lines)]).manifest.consignments[0].items == lines


def test_a_partial_crossing_says_how_many_containers_wait() -> None:
    merged = merge([tor("29H12345", C1), eda(C1, C2, C3)], partial=True)
    assert merged.notes[0].text == "partial: 2 containers wait for their truck"
    unlisted = merge([tor("29H12345"), eda(C1)], partial=True)
    assert unlisted.manifest.consignments[0].equipment_refs == (C1,)
    assert unlisted.notes == ()
