"""Linking: recall and no false pair on a hard day, whatever the order; persons come first."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as change
from recognition_crossing import (
    BODY,
    GACC,
    START,
    TRUCK,
    VIA,
    Crossing,
    hours,
    key,
    registered,
    rule_set,
    statement,
)
from recognition_worlds import BASE, GUIDED

from benchmarks.recognition import judged, model, traffic
from gateway.errors import MappingError
from gateway.model.bodies import Handover, Inspection, Link, Registry
from gateway.model.evidence import Kind
from gateway.model.inspection import Role, Verdict
from gateway.model.manifest import Direction
from gateway.model.values import Identifier, plate_of
from gateway.recognition.assign import assign, hungarian
from gateway.recognition.fold import decide
from gateway.recognition.link import link, link_statement
from gateway.recognition.link_model import read_model
from gateway.recognition.outcomes import Outcome
from gateway.recognition.score import near
from gateway.recognition.situation import Situation

MODEL = model()


@pytest.mark.parametrize("seed", [11, 12])
def test_a_hard_day_is_linked_without_a_false_pair(seed: int) -> None:
    made = traffic(1500, seed)
    recall, false_pairs, _ = judged(link(made.pool, MODEL), made.truth)
    assert recall >= 0.99
    assert false_pairs == 0


def test_the_hard_day_is_hard() -> None:
    """The shares that the mix promises, counted."""
    made = traffic(2000, 5)
    bodies = [e.body for e in made.pool.values() if isinstance(e.body, Inspection)]
    anchors = [e.body for e in made.pool.values() if e.kind is Kind.ISSUE]
    others = [e for e in made.pool.values() if e.kind is Kind.COUNTER_CHECK]
    missing = sum(not body.conveyance.seals for body in bodies) / len(bodies)
    assert 0.36 < missing < 0.44
    stated = {
        digest: [i.value for i in made.pool[digest].body.identifiers if i.scheme == "certificate"]
        for digest in made.truth
    }
    right = {d: made.pool[a].doc.number for d, a in made.truth.items()}
    assert 0.09 < sum(not v for v in stated.values()) / len(others) < 0.15
    wrong = sum(bool(v) and v[0] != right[d] for d, v in stated.items())
    assert 0.03 < wrong / len(others) < 0.07
    plates = [body.conveyance.plates[0].normalised for body in anchors]
    assert len(plates) / len(set(plates)) > 1.5


def test_i21_links_do_not_depend_on_the_order() -> None:
    made = traffic(300, 3)
    shuffled = list(made.pool.items())
    random.Random(4).shuffle(shuffled)
    assert link(dict(shuffled), MODEL) == link(made.pool, MODEL)


def alone(check: bool = True, number: str = "25VN0001", **more):
    """Return a certificate, and a check that refers to nothing but what the gate typed."""
    certificate = change(BASE.certificate, body=change(BODY, identifiers=()))
    seen = BASE.checked(Verdict.PASS, more.pop("after", 20))
    body = change(
        seen.body,
        identifiers=(Identifier(scheme="certificate", value=number),) if number else (),
        conveyance=more.pop("conveyance", TRUCK),
        direction=more.pop("direction", None),
        **more,
    )
    return certificate, change(seen, body=body, about=())


def linked(*statements):
    return link(Situation.of(statements).pool, MODEL)


def test_a_check_is_linked_and_the_claim_sees_it() -> None:
    certificate, seen = alone()
    pool = Situation.of([certificate, seen]).pool
    found = link(pool, MODEL)
    assert len(found.links) == 1
    assert not found.doubts
    words = [link_statement(pair, pool, MODEL) for pair in found.links]
    without = Situation.of([*pool.values(), registered(Registry.PUC, "VN-PUC-001")])
    together = Situation.of([*pool.values(), *words])
    assert len(without.cases) == 2
    assert len(together.cases) == 1
    again = link(Situation.of([*pool.values(), *words]).pool, MODEL)
    assert [link_statement(pair, pool, MODEL) for pair in again.links] == words


def test_a_failed_check_contradicts_through_a_link() -> None:
    certificate, seen = alone()
    failed = change(seen, body=change(seen.body, results=BASE.checked(Verdict.FAIL).body.results))
    pool = Situation.of([certificate, failed]).pool
    words = [link_statement(pair, pool, MODEL) for pair in link(pool, MODEL).links]
    situation = Situation.of([*pool.values(), *words])
    (claim,) = situation.claims
    assert decide(claim, situation, rule_set(), START + hours(30)).outcome is Outcome.CONTRADICTED


def test_a_number_alone_is_not_enough() -> None:
    other = change(TRUCK, plates=(), containers=(), seals=())
    certificate, seen = alone(conveyance=other, results=(change(
        BASE.checked(Verdict.PASS).body.results[0],
        goods=change(BODY.results[0].goods, hs="", scientific_name="", net=None)),))  # fmt: skip
    found = linked(certificate, seen)
    assert not found.links
    assert [pair.why for pair in found.doubts] == ["number-alone"]


@pytest.mark.parametrize(
    "never",
    [
        {"direction": Direction.CN_VN},
        {"conveyance": change(TRUCK, mode="2")},
        {"after": -2},
        {"after": 24 * 5},
    ],
    ids=["direction", "mode", "before it was issued", "days later"],
)
def test_what_can_never_be_is_never_linked(never) -> None:
    found = linked(*alone(**never))
    assert not found.links
    assert not found.doubts


def test_two_stated_ucrs_are_never_linked() -> None:
    certificate, seen = alone()
    certificate = change(certificate, body=BODY)
    other = (Identifier(scheme="ucr", value="UCR-2"), *seen.body.identifiers)
    seen = change(seen, body=change(seen.body, identifiers=other))
    assert not linked(certificate, seen).links


def test_twins_are_left_to_a_person() -> None:
    """Two certificates that say the same of two trucks: nobody guesses."""
    certificate, seen = alone(number="")
    twin = change(certificate, doc=key("25VN0002"))
    found = linked(certificate, twin, seen)
    assert not found.links
    assert [pair.why for pair in found.doubts] == ["lead"]


def word(kind: Kind, left, right, by: str = "person", after: float = 40):
    from gateway.model.evidence import digest

    body = Link(left=digest(left), right=digest(right), by=by)
    return statement(kind, body, GACC, START + hours(after))


def test_a_person_parts_what_the_machine_linked() -> None:
    certificate, seen = alone()
    pool = Situation.of([certificate, seen]).pool
    words = [link_statement(pair, pool, MODEL) for pair in link(pool, MODEL).links]
    parted = word(Kind.UNLINK, certificate, seen)
    assert len(Situation.of([certificate, seen, *words, parted]).cases) > 1
    assert not linked(certificate, seen, parted).links
    again = word(Kind.LINK, certificate, seen, after=50)
    solid = Situation.of([certificate, seen, *words, parted, again]).cases
    assert len(solid) == 1


def test_an_operator_parts_nothing() -> None:
    certificate, seen = alone()
    pool = Situation.of([certificate, seen]).pool
    words = [link_statement(pair, pool, MODEL) for pair in link(pool, MODEL).links]
    other = word(Kind.UNLINK, certificate, seen)
    other = change(other, issuer=change(GACC, role=Role.OPERATOR))
    assert len(Situation.of([certificate, seen, *words, other]).cases) == 1
    assert linked(certificate, seen, other).links


def test_a_person_links_what_the_machine_would_not() -> None:
    certificate, seen = alone(number="", conveyance=change(TRUCK, plates=(plate_of("99H1"),),
                                                           containers=(), seals=()))  # fmt: skip
    assert len(Situation.of([certificate, seen]).cases) == 2
    assert len(Situation.of([certificate, seen, word(Kind.LINK, certificate, seen)]).cases) == 1


def test_goods_on_a_guided_vehicle_are_followed() -> None:
    plain = change(TRUCK, containers=(), seals=())
    guided = change(GUIDED, containers=(), seals=())
    certificate, seen = alone(number="", conveyance=guided)
    certificate = change(certificate, body=change(certificate.body, conveyance=plain))
    lonely = linked(certificate, seen)
    moved = statement(Kind.HANDOVER, Handover(before=plain, after=guided), VIA, START + hours(19))
    pool = Situation.of([certificate, seen, moved]).pool
    found = link(pool, MODEL)
    scores = {pair.right: pair.score for pair in (*lonely.links, *lonely.doubts)}
    (pair,) = [p for p in found.links if pool[p.right].kind is Kind.COUNTER_CHECK]
    assert "plate" in pair.features
    assert pair.score > scores.get(pair.right, 0)


def test_large_blocks_are_dropped_and_counted() -> None:
    small = change_limit(3)
    statements = [change(alone()[1], doc=key(f"K{n}", GACC, "CHK")) for n in range(5)]
    found = link(Situation.of([alone()[0], *statements]).pool, small)
    assert found.dropped > 0


def change_limit(most: int):
    return change(MODEL, most_block=most)


# --- the parts ---------------------------------------------------------------------------------

tables = st.integers(1, 5).flatmap(
    lambda columns: st.lists(
        st.lists(st.integers(0, 30), min_size=columns, max_size=columns), min_size=1, max_size=5
    )
)


@settings(max_examples=100)
@given(tables)
def test_the_assignment_is_the_best_there_is(weights) -> None:
    chosen = hungarian(weights)
    taken = [column for column in chosen if column is not None]
    assert len(taken) == len(set(taken))
    got = sum(
        row[column] for row, column in zip(weights, chosen, strict=True) if column is not None
    )
    columns = [*range(len(weights[0])), *[None] * len(weights)]
    best = max(
        sum(row[c] for row, c in zip(weights, picked, strict=True) if c is not None)
        for picked in set(itertools.permutations(columns, len(weights)))
    )
    assert got == best


def test_above_the_limit_it_is_greedy() -> None:
    edges = {(0, 10): 5, (0, 11): 4, (1, 10): 4, (1, 11): 1}
    assert assign(edges, 200) == {10: 1, 11: 0}
    assert assign(edges, 3) == {10: 0, 11: 1}


@pytest.mark.parametrize(
    ("left", "right", "said"),
    [
        ("25VN0001", "25VN0001", True),
        ("25VN0001", "25VNO0O1", True),
        ("25VN0001", "25VN00O1", True),
        ("25VN0001", "25VN001", True),
        ("25VN0001", "25VN00101", True),
        ("25VN0001", "25NV0001", True),
        ("25VN0001", "25VN0010", True),
        ("25VN0001", "25VN0022", False),
        ("25VN0001", "35VN0002", False),
        ("25VN0001", "25VN00", False),
        ("A", "B", True),
        ("", "A", True),
    ],
)
def test_near_is_one_change(left: str, right: str, said: bool) -> None:
    assert near(left, right) is said
    assert near(right, left) is said


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"version = 1", b"[number]\nequal = 1"],
    ids=["empty", "no text", "no table", "no levels"],
)
def test_a_broken_model_is_refused(content: bytes) -> None:
    with pytest.raises(MappingError):
        read_model(content)


def test_a_crossing_of_one_side_only_links_nothing() -> None:
    assert not linked(Crossing().certificate).links
