"""Many messages, and answers that lie: how many questions it takes, and what is believed."""

import hashlib
import random

import pytest
from flow_sides import NOW
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import TrustError
from gateway.evidence.settlement import (
    FEW,
    Differences,
    Mark,
    Node,
    Pair,
    Tree,
    check_node,
    differences,
    left_out,
    place_of,
)
from gateway.flows.ports import Message
from gateway.flows.settle import settle
from gateway.model.states import MessageKind, MessageState

DAY = str(NOW.date())


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def pairs(count: int, start: int = 0) -> list[Pair]:
    return [(f"m{n:06}", digest(f"content {n}")) for n in range(start, start + count)]


def compared(mine: list[Pair], theirs: list[Pair]) -> Differences:
    other = Tree(theirs)
    return differences(Tree(mine), other.mark(), lambda asked: [other.node(p) for p in asked])


def test_ten_thousand_messages_that_agree_need_no_question():
    assert compared(pairs(10_000), pairs(10_000)).exchanges == 0


@pytest.mark.parametrize("count", [10, 100, 1_000, 10_000])
def test_one_message_is_found_in_a_few_questions(count):
    """log16(n) levels: four for ten thousand."""
    mine = pairs(count)
    lost = mine[count // 3]
    most = {10: 1, 100: 2, 1_000: 3, 10_000: 4}[count]
    found = compared(mine, [p for p in mine if p != lost])
    assert (found.only_here, found.only_there, found.contents) == ([lost], [], [])
    assert found.exchanges <= most
    found = compared([p for p in mine if p != lost], mine)
    assert (found.only_here, found.only_there) == ([], [lost])
    assert found.exchanges <= most


def test_all_questions_over_the_link_for_one_of_ten_thousand(sides):
    """Two real stores, ten thousand rows each, one missing: seven signed questions in all."""
    lost = random.Random(7).randrange(10_000)
    for name, kind in (("vn", MessageKind.OUTBOUND), ("cn", MessageKind.INBOUND)):
        other = {"vn": "cn", "cn": "vn"}[name]

        def work(tx, kind=kind, other=other, name=name):
            for n, (message_id, content) in enumerate(pairs(10_000)):
                if (name, n) != ("cn", lost):
                    tx.add_message(row(kind, other, message_id, content))

        sides[name].services.store.commit(work)
    before = len(sides["vn"].wire.sent)
    (day,) = settle(sides["vn"].services, [DAY]).days
    asked = len(sides["vn"].wire.sent) - before
    assert (day.sent, day.alarms) == (10_000, [("unsettled", f"m{lost:06}")]), "nothing to give"
    assert asked <= 6


def row(kind: MessageKind, party: str, message_id: str, content: str) -> Message:
    done = kind is MessageKind.OUTBOUND
    return Message(
        id=message_id,
        kind=kind,
        party=party,
        external_id=message_id,
        conversation_id="c",
        document_type="cn.mt1401",
        state=MessageState.RECEIPTED if done else MessageState.ACCEPTED,
        digest=content,
        created=NOW,
        day=DAY,
    )


@settings(max_examples=100)
@given(
    size=st.integers(0, 300),
    here=st.sets(st.integers(0, 299), max_size=20),
    there=st.sets(st.integers(0, 299), max_size=20),
    other=st.sets(st.integers(0, 299), max_size=5),
)
def test_exactly_what_differs_is_found(size, here, there, other):
    everything = pairs(size)
    mine = [p for n, p in enumerate(everything) if n not in there]
    theirs = [
        (name, digest("another") if n in other else content)
        for n, (name, content) in enumerate(everything)
        if n not in here
    ]
    found = compared(mine, theirs)
    names_here, names_there = {n for n, _ in mine}, {n for n, _ in theirs}
    assert {n for n, _ in found.only_here} == names_here - names_there
    assert {n for n, _ in found.only_there} == names_there - names_here
    assert {n for n, _, _ in found.contents} == {
        everything[n][0] for n in other if n < size and n not in here and n not in there
    }


def lie_about(tree: Tree, change):
    def ask(asked):
        return [change(tree.node(prefix)) for prefix in asked]

    return ask


LIES = {
    "another node": lambda n: Node("f" + n.prefix, n.entries, n.children),
    "fewer children": lambda n: Node(n.prefix, n.entries, n.children[:15]),
    "more children": lambda n: Node(n.prefix, n.entries, n.children * 2),
    "another count": lambda n: Node(
        n.prefix, n.entries, (Mark(10**18, n.children[0].digest), *n.children[1:])
    ),
    "another digest": lambda n: Node(
        n.prefix, n.entries, (Mark(n.children[0].count, "00" * 32), *n.children[1:])
    ),
    "nothing": lambda n: Node(n.prefix),
    "entries from elsewhere": lambda n: Node(n.prefix, tuple(pairs(FEW))),
}


@pytest.mark.parametrize("name", LIES)
@pytest.mark.proves(
    attack="an answer of settlement does not fit the digest that its sender signed for the day",
    code="signature-scope",
    behaviour="not believed; nothing is mended by it, and the day stays open",
)
def test_an_answer_must_fit_what_was_signed(name):
    theirs = Tree(pairs(1000, 1))
    with pytest.raises(TrustError) as caught:
        differences(Tree(pairs(1000)), theirs.mark(), lie_about(theirs, LIES[name]))
    assert caught.value.findings[0].rule == "settlement-answer"


@pytest.mark.parametrize(
    "entries",
    [
        (("b", digest("b")), ("a", digest("a"))),
        (("a", digest("a")), ("a", digest("a"))),
    ],
)
def test_entries_stand_once_and_in_their_order(entries):
    ordered = sorted(entries, key=lambda e: digest(e[0]))
    broken = tuple(reversed(ordered)) if len(set(entries)) > 1 else entries
    with pytest.raises(TrustError):
        check_node(Node("", broken), Tree(list(dict(entries).items())).mark())


def test_a_forged_count_leads_nowhere_deep(sides):
    """A peer that claims a huge day is asked once and then not believed."""
    asked = []

    def ask(prefixes):
        asked.append(prefixes)
        return [Node(p, children=(Mark(10**15, "11" * 32),) * 16) for p in prefixes]

    with pytest.raises(TrustError):
        differences(Tree([]), Mark(10**18, "22" * 32), ask)
    assert len(asked) == 1
    assert sides


@pytest.mark.parametrize("count", [0, 5, 1_000])
def test_only_what_is_not_there_is_left_out(count):
    """The way down proves absence, for the stated root, and for no message that is there."""
    tree = Tree(pairs(count))
    for name in ("absent", *(p[0] for p in pairs(count)[::100])):
        place, path = place_of(name), []
        while not path or path[-1].children:
            path.append(tree.node(place[: len(path)]))
        assert left_out(name, tree.mark(), path) is (name == "absent")
        assert not left_out(name, tree.mark(), path[:-1]), "the last step is missing"
        with pytest.raises(TrustError):
            left_out(name, Tree(pairs(count + 1)).mark(), path)
        with pytest.raises(TrustError):
            left_out(name, tree.mark(), [Node("f", (), ()), *path])
