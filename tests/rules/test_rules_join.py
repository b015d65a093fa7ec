"""Which halves belong together, trap by trap; nothing depends on who came first."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rules_documents import (
    C1,
    C2,
    C3,
    HUU_NGHI,
    MONG_CAI,
    Half,
    container,
    eda,
    half,
    manifest,
    mt2401,
    mt4402,
    tor,
    truck,
)

from gateway.codec.join import Decision, HalfFacts, arrange, closed, decide
from gateway.codec.join_match import MOST
from gateway.errors import Severity
from gateway.model.manifest import Manifest
from gateway.model.parameters import Parameters

WINDOW = 3


def arranged(*halves: Half) -> dict[str, Decision]:
    """Arrange in every order and see that it makes no difference (up to four halves)."""
    orders = [arrange(order, WINDOW) for order in permutations(halves)]
    assert all(order == orders[0] for order in orders)
    return orders[0]


def joined(*halves: Half) -> str:
    """See that all of them are one set, and return the rule of the first."""
    found = arranged(*halves)
    names = {h.message_id for h in halves}
    for name, decision in found.items():
        assert decision.state == "join", (name, decision)
        assert set(decision.message_ids) == names - {name}
    return found[halves[0].message_id].rule


def roles(*documents: Manifest) -> list[tuple[str, Manifest]]:
    return [(half("x", document).role, document) for document in documents]


@pytest.mark.parametrize(
    "raw", ["29H-123.45", "29H12345", "VN-29H12345", "29h 123 45", "29H·12345"]
)
def test_trap_7_one_plate_written_in_many_ways(raw: str) -> None:
    assert joined(half("t", tor(raw)), half("e", eda(plate="29H12345"))) == "plate"
    assert tor(raw).means[0].plate.raw == raw  # type: ignore[union-attr]


def test_trap_8_o_and_i_are_not_folded_into_0_and_1() -> None:
    truck_half = half("t", tor("29H-1O3.45"))
    goods = half("e", eda(plate="29H10345"))
    found = arranged(truck_half, goods)
    assert found["t"] == Decision("wait", "", ("e",), reason="near-plate")
    assert found["e"] == Decision("wait", "", ("t",), reason="near-plate")


def test_trap_9_a_half_alone_waits() -> None:
    found = decide(half("t", tor()), [], window_days=WINDOW)
    assert found == Decision("wait", reason="no-candidate")
    assert closed(roles(tor()), Parameters()) == "goods-missing"
    assert closed(roles(eda()), Parameters()) == "vehicle-missing"


def test_trap_10_two_declarations_fit_one_truck_by_plate_only() -> None:
    halves = half("t", tor()), half("e1", eda(plate="29H12345")), half("e2", eda(plate="29H12345"))
    found = arranged(*halves)
    assert {d.state for d in found.values()} == {"ambiguous"}
    assert found["t"].message_ids == ("e1", "e2")


def test_trap_10_two_trucks_fit_one_declaration_by_plate_only() -> None:
    halves = (
        half("t1", tor()),
        half("t2", tor(at="2026-05-14T17:00")),
        half("e", eda(plate="29H12345")),
    )
    found = arranged(*halves)
    assert {d.state for d in found.values()} == {"ambiguous"}
    assert found["e"] == Decision("ambiguous", "plate", ("t1", "t2"), reason="several-candidates")


def twice_a_day() -> tuple[Half, Half, Half, Half]:
    return (
        half("t1", tor("29H12345", C1)),
        half("t2", tor("29H12345", C2, at="2026-05-14T17:00")),
        half("e1", eda(C1, plate="29H12345")),
        half("e2", eda(C2, plate="29H12345")),
    )


def test_trap_11_containers_decide_which_crossing() -> None:
    found = arranged(*twice_a_day())
    assert {name: d.message_ids for name, d in found.items()} == {
        "t1": ("e1",),
        "e1": ("t1",),
        "t2": ("e2",),
        "e2": ("t2",),
    }
    assert {d.rule for d in found.values()} == {"container"}


def test_trap_11_a_declaration_does_not_take_the_first_truck_with_its_plate() -> None:
    first, _, _, second_goods = twice_a_day()
    assert {d.state for d in arranged(first, second_goods).values()} == {"wait"}


def test_trap_11_a_reference_decides_which_crossing() -> None:
    found = arranged(
        half("t1", tor(ref="R1")),
        half("t2", tor(at="2026-05-14T17:00", ref="R2")),
        half("e1", eda(plate="29H12345", ref="R1")),
        half("e2", eda(plate="29H12345"), Parameters(join_ref="R2")),
    )
    assert {name: d.message_ids for name, d in found.items()} == {
        "t1": ("e1",),
        "e1": ("t1",),
        "t2": ("e2",),
        "e2": ("t2",),
    }
    assert {d.rule for d in found.values()} == {"join-ref"}


def test_trap_11_without_either_it_is_ambiguous_and_settled_pairs_stay() -> None:
    found = arranged(
        half("t1", tor(ref="R1")),
        half("e1", eda(plate="29H12345", ref="R1")),
        half("e2", eda(plate="29H12345")),
    )
    assert found["t1"].state == found["e1"].state == "join"
    assert found["e2"].state == "ambiguous"
    assert found["e2"].message_ids == ("e1", "t1")


@pytest.mark.parametrize("how", ["ref", "container", "plate"])
def test_trap_12_another_gate_is_a_conflict(how: str) -> None:
    ref, numbers, plate = {
        "ref": ("R", (), ""),
        "container": ("", (C1,), ""),
        "plate": ("", (), "29H12345"),
    }[how]
    found = arranged(
        half("t", tor("29H12345", *numbers, ref=ref)),
        half("e", eda(*numbers, ref=ref, plate=plate, gate_code=MONG_CAI)),
    )
    for decision in found.values():
        assert decision.state == "conflict"
        (finding,) = decision.findings
        assert (finding.code, finding.rule) == ("rule-broken", "join-gate")
        assert (HUU_NGHI in finding.expected, MONG_CAI in finding.found) == (True, True)
        assert finding.path == "e"
        assert finding.expected.endswith("as in t")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (tor("29H12345", C1), eda(C2, plate="29H99999")),
        (tor("29H12345"), eda(gate_code=MONG_CAI)),
        (tor("29H12345"), tor("29H1Z345", at="2026-05-20T08:30")),
        (tor("29H-1O3.45"), tor("29H-103.45")),
        (tor("29H12345", at="2026-05-14T08:30"), tor("29H12345", at="2026-05-20T08:30")),
        (eda(C1, sym="2026-05-14"), eda(C1, sym="2026-05-20")),
    ],
)
def test_what_has_nothing_to_do_with_each_other_waits(one: Manifest, other: Manifest) -> None:
    found = arranged(half("a", one), half("b", other))
    assert list(found.values()) == [Decision("wait", reason="no-candidate")] * 2


def test_a_gate_that_one_half_does_not_state_is_no_conflict() -> None:
    assert joined(half("t", tor("29H1", C1)), half("e", eda(C1, gate_code=""))) == "container"


@pytest.mark.parametrize("days", range(-2, 6))
def test_trap_13_the_window_of_days(days: int) -> None:
    truck_half = half("t", tor("29H12345", C1, at=f"2026-05-{14 + days:02}T08:30"))
    goods = half("e", eda(C1))
    found = arranged(truck_half, goods)["t"]
    if 0 <= days <= WINDOW:
        assert (found.state, found.rule) == ("join", "container")
        return
    assert (found.state, found.reason, found.message_ids) == ("wait", "outside-window", ("e",))
    (finding,) = found.findings
    assert (finding.rule, finding.severity) == ("join-date", Severity.WARN)


def test_trap_13_with_an_agreed_reference_the_day_only_warns() -> None:
    found = arranged(half("t", tor(at="2026-05-12T08:30", ref="R")), half("e", eda(ref="R")))
    assert {d.state for d in found.values()} == {"join"}
    assert [f.rule for f in found["t"].findings] == ["join-date"]


def test_without_a_day_containers_do_not_join() -> None:
    found = arranged(half("t", tor("29H12345", C1, at="")), half("e", eda(C1)))
    assert {d.state for d in found.values()} == {"wait"}


def test_trap_17_branches_are_one_declaration() -> None:
    halves = (
        half("t", tor()),
        half("b1", eda(plate="29H12345", branch=("300000000010", 1, 2))),
        half("b2", eda(plate="29H12345", branch=("300000000010", 2, 2))),
    )
    assert joined(*halves) == "plate"


def test_trap_17_a_missing_branch_keeps_the_set_open() -> None:
    first = eda(ref="R", branch=("300000000010", 1, 2))
    second = eda(ref="R", branch=("300000000010", 2, 2))
    vehicle = tor(ref="R")
    assert closed(roles(vehicle, first), Parameters()) == "branch-missing"
    assert closed(roles(vehicle, second), Parameters()) == "branch-missing"
    assert closed(roles(vehicle, first, second), Parameters()) is None


def test_a_letter_in_place_of_the_first_number_joins_nobody() -> None:
    found = arranged(half("b1", eda(branch=("F", 1, 2))), half("b2", eda(branch=("F", 1, 3))))
    assert {d.state for d in found.values()} == {"wait"}


def test_trap_37_one_container_on_two_declarations() -> None:
    halves = half("t", tor("29H12345", C1)), half("e1", eda(C1)), half("e2", eda(C1))
    assert joined(*halves) == "container"
    documents = [h.document for h in halves]
    assert closed(roles(*documents), Parameters()) is None


def test_trap_38_one_declaration_on_two_trucks() -> None:
    halves = (
        half("t1", tor("29H12345", C1)),
        half("t2", tor("29H54321", C2)),
        half("e", eda(C1, C2)),
    )
    assert joined(*halves) == "container"
    first, second, goods = (h.document for h in halves)
    assert closed(roles(first, goods), Parameters()) == "container-without-truck"
    assert closed(roles(first, goods), Parameters(partial=True)) is None
    assert closed(roles(first, second, goods), Parameters()) is None


def test_trap_38_two_trucks_that_claim_one_container_are_shown() -> None:
    found = arranged(
        half("t1", tor("29H12345", C1)),
        half("t2", tor("29H54321", C1, at="2026-05-15T08:30")),
        half("e", eda(C1)),
    )
    assert {d.state for d in found.values()} == {"ambiguous"}
    assert found["e"].message_ids == ("t1", "t2")


def test_a_doubt_about_one_container_is_a_doubt_about_the_whole() -> None:
    found = arranged(
        half("t1", tor("29H12345", C1)),
        half("t2", tor("29H54321", C1)),
        half("t3", tor("29H11111", C2)),
        half("e", eda(C1, C2)),
    )
    assert {d.state for d in found.values()} == {"ambiguous"}


def test_trap_39_a_full_container_without_goods_waits_an_empty_one_does_not() -> None:
    goods = eda(C1)
    assert closed(roles(tor("29H12345", C1, C2), goods), Parameters()) == "container-without-goods"
    assert closed(roles(tor("29H12345", C1, empty=(C2,)), goods), Parameters()) is None
    assert closed(roles(tor("29H12345", C2), eda()), Parameters()) == "container-without-goods"


def test_an_empty_container_joins_nobody() -> None:
    found = arranged(half("t", tor(empty=(C1,))), half("e", eda(C1)))
    assert {d.state for d in found.values()} == {"wait"}


def test_expected_halves_close_the_set() -> None:
    stated = Parameters(expected_halves=3)
    first, second = eda(C1), eda(C1)
    vehicle = tor("29H12345", C1)
    assert closed(roles(vehicle, first), stated) == "expected-halves"
    assert closed(roles(vehicle, first, second), stated) is None
    assert closed(roles(first, second, eda(C1)), stated) == "vehicle-missing"


def test_trap_50_the_batch_joins_a_manifest_with_its_trucks() -> None:
    halves = (
        half("g", mt2401(C1, C2)),
        half("t1", mt4402("桂F12345", C1)),
        half("t2", mt4402("桂F54321", C2)),
    )
    assert joined(*halves) == "batch"
    goods, first, second = (h.document for h in halves)
    assert closed(roles(goods, first), Parameters()) == "container-without-truck"
    assert closed(roles(goods, first, second), Parameters()) is None


def test_another_batch_keeps_apart_what_has_a_container_in_common() -> None:
    found = arranged(
        half("g", mt2401(C1)), half("t", mt4402("桂F12345", C1, batch="5100260518002"))
    )
    assert {d.state for d in found.values()} == {"wait"}


def test_a_reference_in_common_with_two_batches_is_a_conflict() -> None:
    found = arranged(
        half("t", tor(ref="R"), Parameters(batch_number="5100260514001")),
        half("e", eda(ref="R"), Parameters(batch_number="5100260514002")),
    )
    assert [f.rule for f in found["e"].findings] == ["join-batch"]
    assert found["e"].state == "conflict"


def test_a_batch_given_with_both_submissions_joins_them() -> None:
    stated = Parameters(batch_number="5100260514001")
    assert joined(half("t", tor(), stated), half("e", eda(), stated)) == "batch"


def test_the_free_header_text_joins_where_nothing_speaks_against_it() -> None:
    assert joined(half("t", tor(), inputInfo="GW0001"), half("e", eda(), inputInfo="GW0001")) == (
        "header-key"
    )
    other = half("e", eda(plate="29H99999"), inputInfo="GW0001")
    found = arranged(half("t", tor(), inputInfo="GW0001"), other)
    assert {d.state for d in found.values()} == {"wait"}


def test_a_header_text_that_a_system_puts_everywhere_is_ambiguous() -> None:
    found = arranged(
        half("t1", tor("29H12345"), inputInfo="GW0001"),
        half("t2", tor("29H54321"), inputInfo="GW0001"),
        half("e", eda(), inputInfo="GW0001"),
    )
    assert {d.state for d in found.values()} == {"ambiguous"}


def link(*refs: str, plate: str = "29H12345") -> Manifest:
    document = eda(*refs, sym="2026-05-14", number="300000000017")
    return manifest(
        *document.consignments,
        exit_at=document.exit_at,
        border_gate=document.border_gate,
        means=(truck(plate, *refs),),
        equipment=tuple(container(n) for n in refs),
    )


def test_a_linking_document_is_complete_and_takes_its_declaration() -> None:
    registration = half("l", link(C1))
    assert registration.role == "link"
    assert closed(roles(link(C1)), Parameters()) is None
    assert joined(registration, half("e", eda(number="300000000017", sym="2026-04-01"))) == "link"
    assert joined(registration, half("t", tor("29H12345"))) == "link"


def test_a_linking_document_takes_nobody_of_the_same_day_only() -> None:
    found = arranged(half("l", link(C1)), half("t", tor("29H99999", C2)), half("e", eda(C3)))
    assert {d.state for d in found.values()} == {"wait"}


def test_a_declaration_number_has_no_rivals() -> None:
    other = replace(link(C1), consignments=eda(C1, number="300000000018").consignments)
    found = arranged(
        half("l1", link(C1)), half("l2", other), half("e", eda(C1, number="300000000017"))
    )
    assert (found["e"].state, found["e"].message_ids) == ("join", ("l1",))


def test_two_trucks_that_fit_a_linking_document_are_shown() -> None:
    found = arranged(
        half("l", link(plate="29H12345")),
        half("t1", tor("29H12345")),
        half("t2", tor("29H12345", at="2026-05-14T17:00")),
    )
    assert {d.state for d in found.values()} == {"ambiguous"}


def test_too_many_candidates_are_for_an_operator() -> None:
    crowd = [half(f"e{n:03}", eda(plate="29H12345")) for n in range(MOST)]
    found = decide(half("t", tor()), crowd, window_days=WINDOW)
    assert (found.state, found.reason) == ("ambiguous", "too-many-candidates")
    assert len(found.message_ids) == MOST


def test_a_gate_alone_is_nothing_to_ask_for() -> None:
    facts = half("t", tor("", ref="R"))
    asked = HalfFacts(facts.role, facts.day, facts.keys).asked
    assert ("join-ref", "R") in asked
    assert not [kind for kind, _ in asked if kind in ("gate", "branch", "empty-container")]


PLATES = ("29H12345", "29H54321", "29H1O345")
REFS = ("", "", "R1", "R2")
GATES = (HUU_NGHI, HUU_NGHI, MONG_CAI, "")
DAYS = ("2026-05-13", "2026-05-14", "2026-05-15", "2026-05-18")
boxes = st.lists(st.sampled_from((C1, C2, C3)), max_size=2, unique=True)
trucks = st.builds(
    lambda plate, numbers, ref, gate, day: tor(
        plate, *numbers, ref=ref, gate_code=gate, at=f"{day}T08:30"
    ),
    st.sampled_from(PLATES), boxes, st.sampled_from(REFS), st.sampled_from(GATES),
    st.sampled_from(DAYS),
)  # fmt: skip
goods = st.builds(
    lambda plate, numbers, ref, gate, day, branch: eda(
        *numbers, plate=plate, ref=ref, gate_code=gate, sym=day,
        branch=("300000000010", branch, 2) if branch else None,
    ),
    st.sampled_from(("", *PLATES)), boxes, st.sampled_from(REFS), st.sampled_from(GATES),
    st.sampled_from(DAYS), st.sampled_from((0, 0, 0, 1, 2)),
)  # fmt: skip
crossings = st.lists(st.one_of(trucks, goods, st.just(link(C1))), min_size=1, max_size=6)


@settings(max_examples=150, deadline=None)
@given(crossings, st.randoms(use_true_random=False))
def test_the_order_of_arrival_makes_no_difference(
    documents: list[Manifest], random: object
) -> None:
    halves = [half(f"m{n}", document) for n, document in enumerate(documents)]
    found = arrange(halves, WINDOW)
    shuffled = list(halves)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert arrange(shuffled, WINDOW) == found
    for each in halves:
        others = [other for other in shuffled if other is not each]
        assert decide(each, others, window_days=WINDOW) == found[each.message_id]


@settings(max_examples=150, deadline=None)
@given(crossings)
def test_sets_are_sets_and_doubts_are_shared(documents: list[Manifest]) -> None:
    halves = [half(f"m{n}", document) for n, document in enumerate(documents)]
    found = arrange(halves, WINDOW)
    for name, decision in found.items():
        assert name not in decision.message_ids
        if decision.state == "ambiguous":
            assert decision.message_ids
        if decision.state == "join":
            assert not [f for f in decision.findings if f.severity is Severity.REFUSE]
        if decision.state in ("join", "conflict"):
            assert decision.message_ids
            for other in decision.message_ids:
                assert name in found[other].message_ids
        if decision.state == "wait":
            assert decision.reason
