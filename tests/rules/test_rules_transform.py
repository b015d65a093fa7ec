"""Named transforms: what they change, and that no total is lost on the way."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rules_documents import (
    C1,
    C2,
    C3,
    cartons,
    code,
    contact,
    container,
    eda,
    ident,
    item,
    kg,
    manifest,
    money,
    party,
    phone,
    text,
    tor,
    truck,
    waybill,
)

from gateway.codec import rules, transform
from gateway.codec.transform_equipment import container_numbers
from gateway.model.manifest import Consignment, ConsignmentItem, Manifest, Seal, Trailer
from gateway.model.values import Communication, plate_of


def applied(name: str, document: Manifest) -> Manifest:
    return transform.apply([name], document)[0]


def noted(name: str, document: Manifest) -> list[tuple[str, str]]:
    return [(note.code, note.path) for note in transform.apply([name], document)[1]]


def test_equipment_is_what_waybills_and_trucks_name_once() -> None:
    document = manifest(
        waybill(refs=(C1, C2)),
        waybill(refs=(C2,)),
        means=(truck("29H1", C3),),
        equipment=(container(C2, tare=kg("3900")),),
    )
    made = applied("equipment-from-refs", document)
    assert [e.id for e in made.equipment] == [C2, C3, C1]
    assert made.equipment[0].tare == kg("3900")
    assert {e.check_digit for e in made.equipment} == {"valid"}


def test_the_verdict_on_the_number_is_set() -> None:
    numbers = (C1, "GWTU1000016", "桂F9876挂")
    document = manifest(equipment=tuple(container(n) for n in numbers))
    made = applied("check-digits", document)
    assert [e.check_digit for e in made.equipment] == ["valid", "invalid", "not-iso"]


def test_the_only_truck_carries_all_equipment() -> None:
    one = replace(tor("29H1", C1, C2), means=(truck("29H1"),))
    assert applied("refs-from-equipment", one).means[0].equipment_refs == (C1, C2)
    stated = tor("29H1", C1)
    stated = replace(stated, equipment=(*stated.equipment, container(C2)))
    assert applied("refs-from-equipment", stated).means[0].equipment_refs == (C1,)
    two = replace(one, means=(truck("29H1"), truck("29H2")))
    assert [t.equipment_refs for t in applied("refs-from-equipment", two).means] == [(), ()]


@pytest.mark.parametrize(
    ("field", "numbers"),
    [
        ("GWTU1000015", ("GWTU1000015",)),
        ("gwtu 100001 5", ("GWTU1000015",)),
        ("GWTU-100001-5", ("GWTU1000015",)),
        ("GWTU1000015, GWTU2000025", ("GWTU1000015", "GWTU2000025")),
        ("GWTU1000015/GWTU2000025;GWTU1000015", ("GWTU1000015", "GWTU2000025")),
        ("GWTU1000015 GWTU2000025", ("GWTU1000015", "GWTU2000025")),
        ("ＧＷＴＵ１００００１５", ("GWTU1000015",)),
        ("BULK 7, BULK 8", ("BULK7", "BULK8")),
        ("GWTU10000155", ("GWTU10000155",)),  # a digit too many is no container number
        ("桂F9876挂", ("桂F9876挂",)),
        (" ", ()),
    ],
)
def test_one_field_with_several_numbers(field: str, numbers: tuple[str, ...]) -> None:
    assert container_numbers(field) == numbers


def lang_son(*trucks: tuple[str, str, str], waybills: tuple[str, ...] = ("g1",)) -> Manifest:
    """Trucks (plate, containers in one field, goods id) and waybills (goods id)."""
    return manifest(
        *(waybill(references=(ident("vn.langson.goods", g),) if g else ()) for g in waybills),
        means=tuple(
            truck(
                plate,
                field,
                ids=(ident("vn.langson.goods", goods),) if goods else (),
                seals=(Seal(number="VN1; VN 2"),),
            )
            for plate, field, goods in trucks
        ),
    )


def test_lang_son_fields_are_split_and_joined_again() -> None:
    document = lang_son(("29H1", f"{C1}, {C2}", ""))
    split = applied("split-containers", document)
    assert split.means[0].equipment_refs == (C1, C2)
    assert [s.number for s in split.means[0].seals] == ["VN1", "VN 2"]
    assert [e.id for e in split.equipment] == [C1, C2]
    again = applied("join-containers", split)
    assert again.means[0].equipment_refs == (f"{C1}, {C2}",)
    assert applied("split-containers", again).means == split.means


def refs(document: Manifest) -> list[tuple[str, ...]]:
    made, _ = transform.apply(["split-containers", "refs-to-consignments"], document)
    return [w.equipment_refs for w in made.consignments]


def test_goods_name_their_trucks() -> None:
    document = lang_son(("29H1", C1, "g1"), ("29H2", C2, "g2"), ("29H3", C3, "g1"),
                        waybills=("g1", "g2", "g3"))  # fmt: skip
    assert refs(document) == [(C1, C3), (C2,), ()]


def test_one_waybill_or_one_container_is_certain() -> None:
    assert refs(lang_son(("29H1", f"{C1} {C2}", ""))) == [(C1, C2)]
    assert refs(lang_son(("29H1", C1, ""), waybills=("", ""))) == [(C1,), (C1,)]


def test_what_is_not_certain_is_left_open_and_said() -> None:
    document = lang_son(("29H1", C1, "g1"), ("29H2", C2, ""), waybills=("g1", "g2"))
    assert refs(document) == [(), ()]
    _, notes = transform.apply(["split-containers", "refs-to-consignments"], document)
    assert [(n.code, n.path) for n in notes] == [("left-out", "consignments[].equipment_refs")]


def test_a_format_of_one_truck_holds_its_containers_only() -> None:
    document = manifest(means=(truck("29H1", C1),), equipment=(container(C1), container(C2)))
    assert [e.id for e in applied("equipment-of-truck", document).equipment] == [C1]
    unlisted = replace(document, means=(truck("29H1"),))
    assert applied("equipment-of-truck", unlisted) == unlisted


def test_a_trailer_in_two_fields_is_one() -> None:
    trailers = tuple(
        Trailer(plate=plate_of(raw)) for raw in ("29R-001.23", "29R-004.56", "29R00123")
    )
    made = applied("drop-repeated-trailers", manifest(means=(truck("29H1", trailers=trailers),)))
    assert [t.plate and t.plate.raw for t in made.means[0].trailers] == ["29R-001.23", "29R-004.56"]


def test_trap_16_fifty_lines_without_packing_become_one() -> None:
    lines = tuple(item(n, descriptions=(text(f"quả {n}"),)) for n in range(1, 51))
    document = eda(C1, lines=lines, gross_mass=kg("19200"), total_packages=cartons(1200))
    made = applied("collapse-lines", document)
    (line,) = made.consignments[0].items
    assert line.gross_mass == kg("19200")
    assert line.packages == cartons(1200)
    assert line.descriptions[0].value == "; ".join(f"quả {n}" for n in range(1, 51))
    assert noted("collapse-lines", document) == [("narrowed", "consignments[0].items")]
    (finding,) = rules.run(["descriptions-fit:256"], made)
    assert finding.rule == "description-length"


def test_trap_16_the_same_short_description_on_every_line_stands_once() -> None:
    lines = tuple(item(n, descriptions=(text("TRÁI CÂY"),)) for n in range(1, 51))
    made = applied("collapse-lines", eda(lines=lines))
    assert made.consignments[0].items[0].descriptions == (text("TRÁI CÂY"),)
    assert rules.run(["descriptions-fit:256"], made) == []


def test_lines_with_their_own_packing_stay() -> None:
    lines = tuple(item(n, gross_mass=kg("500"), packages=cartons(50)) for n in (1, 2))
    assert applied("collapse-lines", eda(lines=lines)) == eda(lines=lines)


def test_lines_without_a_total_to_stand_for_them_stay() -> None:
    document = eda(lines=(item(1), item(2)), gross_mass=None)
    assert applied("collapse-lines", document) == document


def test_dangerous_goods_are_not_put_together_with_others() -> None:
    document = eda(lines=(item(1, undg=ident("un.dg", "3480")), item(2)))
    assert applied("collapse-lines", document) == document


def test_what_all_lines_share_stays_and_what_differs_goes() -> None:
    lines = (
        item(1, net_mass=kg("400"), origin="VN", control_hints=(code("vn.other-law", "MO"),)),
        item(2, net_mass=kg("500.5"), origin="VN", control_hints=(code("vn.other-law", "MP"),)),
    )
    (line,) = applied("collapse-lines", eda(lines=lines)).consignments[0].items
    assert (line.net_mass, line.origin) == (kg("900.5"), "VN")
    assert [hint.value for hint in line.control_hints] == ["MO", "MP"]
    half_stated = eda(lines=(lines[0], replace(lines[1], net_mass=None, origin="LA")))
    (line,) = applied("collapse-lines", half_stated).consignments[0].items
    assert (line.net_mass, line.origin) == (None, None)


def test_trap_42_a_cut_credit_code_is_not_sent() -> None:
    ids = (ident("cn.uscc", "91451400TEST0"), ident("cn.uscc", "91451400TEST00001X"))
    document = manifest(waybill(consignee=party("X", ids=ids)))
    made = applied("drop-cut-ids", document)
    consignee = made.consignments[0].consignee
    assert consignee is not None
    assert consignee.ids == ids[1:]
    assert noted("drop-cut-ids", document) == [("left-out", "consignments[0].consignee.ids")]


def test_trap_45_incomplete_groups_are_left_out_on_encoding() -> None:
    incomplete = waybill(
        notify=party("X", communications=(phone("0000"),)),
        consignee=party("Y", contact=contact(number="")),
        consignor=party("Z", communications=(Communication(type="", value="1"), phone("2"))),
        undg_contact=contact(number=""),
    )
    document = manifest(incomplete)
    made = applied("omit-unlinked", document)
    assert rules.run(["linked-elements"], made) == []
    whole = made.consignments[0]
    assert (whole.notify, whole.undg_contact) == (None, None)
    assert whole.consignor == party("Z", communications=(phone("2"),))
    assert {path for _, path in noted("omit-unlinked", document)} == {
        f"consignments[0].{name}" for name in ("notify", "consignee", "consignor", "undg_contact")
    }


def test_trap_44_whom_to_call_is_not_left_out_with_dangerous_goods() -> None:
    document = manifest(
        waybill(item(1, undg=ident("un.dg", "3480")), undg_contact=contact(number=""))
    )
    made = applied("omit-unlinked", document)
    assert [f.path for f in rules.run(["linked-elements"], made)] == [
        "consignments[0].undg_contact"
    ]


def test_names_are_known() -> None:
    assert transform.known("collapse-lines")
    assert not transform.known("collapse")
    with pytest.raises(KeyError):
        transform.apply(["collapse"], manifest())


masses = st.integers(1, 10**7).map(lambda n: kg(str(Decimal(n) / 1000)))
lines = st.builds(
    lambda mass, count, net: ConsignmentItem(
        sequence=1, descriptions=(text("x"),), gross_mass=mass, net_mass=net,
        packages=cartons(count) if count else None,
    ),
    st.none() | masses, st.integers(0, 999), st.none() | masses,
)  # fmt: skip
waybills = st.builds(
    lambda items, mass, count, refs: Consignment(
        items=tuple(items), gross_mass=mass, total_packages=cartons(count),
        value=money("5", "CNY"), equipment_refs=tuple(refs),
    ),
    st.lists(lines, min_size=1, max_size=6), st.none() | masses, st.integers(1, 9999),
    st.lists(st.sampled_from((C1, C2, C3)), unique=True),
)  # fmt: skip
manifests = st.builds(
    lambda found, plates: manifest(*found, means=tuple(truck(p, C1) for p in plates)),
    st.lists(waybills, min_size=1, max_size=4),
    st.lists(st.sampled_from(("29H1", "29H2")), max_size=2, unique=True),
)


@settings(max_examples=80, deadline=None)
@given(manifests, st.sampled_from(sorted(transform.TRANSFORMS)))
def test_transforms_keep_totals_and_settle(document: Manifest, name: str) -> None:
    made = applied(name, document)
    for before, after in zip(document.consignments, made.consignments, strict=True):
        for total in ("gross_mass", "total_packages", "value", "volume"):
            assert getattr(before, total) == getattr(after, total)
    assert applied(name, made) == made


@settings(max_examples=80, deadline=None)
@given(manifests)
def test_collapsing_never_makes_up_a_mass(document: Manifest) -> None:
    made = applied("collapse-lines", document)
    for before, after in zip(document.consignments, made.consignments, strict=True):
        if after.items == before.items:
            continue
        (line,) = after.items
        assert (line.gross_mass, line.packages) == (before.gross_mass, before.total_packages)
        if line.net_mass is not None:
            nets = [i.net_mass.value for i in before.items if i.net_mass]
            assert (len(nets), sum(nets)) == (len(before.items), line.net_mass.value)
