"""Statuses as a fold: three axes, in the order of sending, whatever came first."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rules_documents import C1, C2, response

from gateway.model.response import Response
from gateway.model.status import STATES, Received, Standing, View, fold

T1, T2, T3 = (f"2026-05-14T09:30:0{n}.000" for n in (1, 2, 3))


def received(*responses: Response) -> list[Received]:
    return [Received(each, f"m{n}", f"{n:064x}") for n, each in enumerate(responses, 1)]


def view(*responses: Response, waybills: tuple[str, ...] = ("A", "B")) -> View:
    """Fold in every order of arrival and see that it makes no difference."""
    declared = {f"D-{waybill}": (waybill,) for waybill in waybills}
    folds = [fold(order, waybills, declared) for order in permutations(received(*responses))]
    assert all(each == folds[0] for each in folds)
    return folds[0]


def kinds(found: View) -> list[tuple[str, str, str]]:
    return [(d.kind, d.subject, d.code) for d in found.discrepancies]


def test_nothing_was_said() -> None:
    found = view()
    assert {s.state for s in found.waybills.values()} == {"submitted"}
    assert set(found.declarations.values()) == {"submitted"}
    assert found.truck == "submitted"


@pytest.mark.parametrize(("code", "state"), [(code, state) for code, (state, _) in STATES.items()])
def test_a_code_moves_its_waybill(code: str, state: str) -> None:
    found = view(response(A=code))
    assert (found.waybills["A"].state, found.waybills["B"].state) == (state, "submitted")
    assert found.waybills["A"].since == "2026-05-14T01:30:03.123"
    assert found.waybills["A"].by == "m1"


def test_trap_53_a_waybill_that_is_not_ours() -> None:
    found = view(response(A="01", VNCN26051200002="03"))
    assert kinds(found) == [("unknown-waybill", "VNCN26051200002", "03")]
    assert found.waybills["A"].state == "accepted"
    assert "VNCN26051200002" not in found.waybills


def test_trap_54_a_mixed_response_for_two_declarations() -> None:
    found = view(response(A="01", B="03"))
    assert found.declarations == {"D-A": "accepted", "D-B": "rejected"}
    assert found.truck == "rejected"


def test_trap_55_a_mixed_response_for_one_declaration() -> None:
    found = fold(received(response(A="01", B="03")), ("A", "B"), {"D": ("A", "B")})
    assert found.declarations == {"D": "partly"}


def test_trap_56_released_before_accepted_arrives() -> None:
    found = view(response(T2, A="11"), response(T1, A="01"))
    assert found.waybills["A"].state == "released"
    assert kinds(found) == []


def test_trap_56_accepted_after_released_is_out_of_order() -> None:
    found = view(response(T1, A="11"), response(T2, A="01"))
    assert (found.waybills["A"].state, found.waybills["A"].by) == ("released", "m1")
    assert kinds(found) == [("out-of-order", "A", "01")]


@pytest.mark.parametrize(("first", "second"), [("01", "03"), ("03", "01")])
def test_trap_57_the_restrictive_code_stands_and_a_case_opens(first: str, second: str) -> None:
    found = view(response(T1, A=first), response(T2, A=second))
    assert (found.waybills["A"].state, found.waybills["A"].code) == ("rejected", "03")
    assert kinds(found) == [("contradiction", "A", second)]
    assert not found.waybills["A"].disputed


@pytest.mark.parametrize(("first", "second"), [("11", "13"), ("13", "11")])
def test_prohibited_stands_over_released(first: str, second: str) -> None:
    found = view(response(T1, A=first), response(T2, A=second))
    assert found.waybills["A"].state == "unloading-prohibited"
    assert kinds(found) == [("contradiction", "A", second)]
    assert found.truck == "blocked"


def test_trap_58_two_codes_of_one_moment_are_disputed() -> None:
    found = view(response(T1, A="01"), response(T1, A="03"))
    assert found.waybills["A"].state == "rejected"
    assert found.waybills["A"].disputed
    assert kinds(found) == [("disputed", "A", "01")]


def test_trap_58_two_codes_in_one_response_are_disputed() -> None:
    one, other = response(A="01"), response(A="03")
    both = Response(sent_at=one.sent_at, waybills=one.waybills + other.waybills)
    found = view(both)
    assert found.waybills["A"].disputed


def test_a_dispute_lasts() -> None:
    found = view(response(T1, A="01"), response(T1, A="03"), response(T2, A="01"))
    assert (found.waybills["A"].state, found.waybills["A"].disputed) == ("rejected", True)


def test_trap_59_the_same_response_twice_changes_nothing() -> None:
    once, twice = view(response(A="01")), view(response(A="01"), response(A="01"))
    assert once.waybills["A"] == twice.waybills["A"]
    assert kinds(twice) == []


def test_trap_61_a_failed_transmission_is_another_axis() -> None:
    found = view(
        response(T1, transmission="E3"), response(T2, transmission="E4"), response(T3, A="01")
    )
    assert (found.transmission.state, found.transmission.code) == ("failed", "E4")
    assert found.waybills["A"].state == "accepted"
    assert found.waybills["B"].state == "submitted"


def test_a_call_that_was_accepted_says_nothing_of_waybills() -> None:
    found = view(response(overall="0"))
    assert found.transmission.state == "called"
    assert {s.state for s in found.waybills.values()} == {"submitted"}


def test_trap_62_a_container_that_is_held_blocks_the_truck() -> None:
    found = view(response(T1, A="11", B="11"), response(T2, equipment={C1: "11", C2: "13"}))
    assert (found.equipment[C1].state, found.equipment[C2].state) == (
        "released",
        "unloading-prohibited",
    )
    assert {s.state for s in found.waybills.values()} == {"released"}
    assert found.truck == "blocked"


def test_a_container_that_passes_does_not_hold_the_truck_back() -> None:
    assert view(response(T1, A="11", B="11", equipment={C1: "01"})).truck == "released"


def test_trap_63_the_specific_code_wins_over_the_whole_messages() -> None:
    found = view(response(overall="02", A="01"))
    assert (found.waybills["A"].state, found.waybills["B"].state) == ("accepted", "under-review")


@pytest.mark.parametrize("code", ["1", "01 ", "99", "", "x"])
def test_trap_64_an_unknown_code_moves_nothing(code: str) -> None:
    found = view(response(T1, A="01"), response(T2, A=code))
    assert found.waybills["A"].state == "accepted"
    assert kinds(found) == [("code-unknown", "A", code)]


def test_an_unknown_transmission_code_moves_nothing() -> None:
    found = view(response(T1, transmission="E1"), response(T2, transmission="E9"))
    assert found.transmission.state == "stored"
    assert kinds(found) == [("code-unknown", "", "E9")]


def test_loading_refused_is_unexpected_inbound() -> None:
    assert ("unexpected", "A", "12") in kinds(view(response(A="12")))


def test_released_after_rejected_without_a_new_version_is_looked_at() -> None:
    found = view(response(T1, A="03"), response(T2, A="11"))
    assert found.waybills["A"].state == "released"
    assert kinds(found) == [("contradiction", "A", "11")]


@pytest.mark.parametrize(
    ("codes", "state"),
    [
        (("11", "11"), "released"),
        (("11", "01"), "accepted"),
        (("01", "02"), "under-review"),
        (("01", ""), "submitted"),
        (("03", "03"), "rejected"),
        (("03", "02"), "partly"),
        (("13", "11"), "partly"),
        (("", ""), "submitted"),
    ],
)
def test_a_declaration_is_the_fold_of_its_waybills(codes: tuple[str, str], state: str) -> None:
    said = {name: code for name, code in zip("AB", codes, strict=True) if code}
    found = fold(received(response(**said)), ("A", "B"), {"D": ("A", "B")})
    assert found.declarations == {"D": state}


def test_moments_of_two_precisions_are_one_moment() -> None:
    one = response("2026-05-14T09:30:01.000", A="01")
    other = response("2026-05-14T09:30:01.000", A="03")
    other = Response(sent_at=other.sent_at.at_offset(420), waybills=other.waybills)
    assert view(one, other).waybills["A"].disputed


codes = st.sampled_from(("01", "02", "03", "11", "12", "13", "0", "7", ""))
responses = st.builds(
    lambda at, overall, transmission, a, b, box: response(
        at, overall=overall, transmission=transmission,
        equipment={C1: box} if box else None,
        **{name: code for name, code in (("A", a), ("B", b)) if code},
    ),
    st.sampled_from((T1, T2, T3)), codes, st.sampled_from(("", "E3", "E4", "T")), codes, codes,
    codes,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(responses, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_arrival_makes_no_difference(said: list[Response], random: object) -> None:
    stored = received(*said)
    shuffled = list(stored)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    declared = {"D": ("A", "B")}
    assert fold(shuffled, ("A", "B"), declared) == fold(stored, ("A", "B"), declared)


@settings(max_examples=150, deadline=None)
@given(st.lists(responses, max_size=6))
def test_a_state_is_backed_by_a_response(said: list[Response]) -> None:
    stored = received(*said)
    found = fold(stored, ("A", "B"), {"D": ("A", "B")})
    by = {each.by: each for each in stored}
    for name, standing in found.waybills.items():
        if standing == Standing("submitted"):
            continue
        backing = by[standing.by].response
        own = [s.statement for s in backing.waybills if s.id == name]
        assert standing.code in [s.code.value for s in own or [backing.overall] if s is not None]
        assert STATES[standing.code][0] == standing.state


@settings(max_examples=100, deadline=None)
@given(st.lists(responses, max_size=5), responses)
def test_a_late_response_of_lower_rank_never_lifts_a_refusal(
    said: list[Response], late: Response
) -> None:
    before = fold(received(*said), ("A",), {})
    after = fold(received(*said, late), ("A",), {})
    if before.waybills["A"].state == "unloading-prohibited":
        assert after.waybills["A"].state in ("unloading-prohibited", "loading-refused")
