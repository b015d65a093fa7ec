"""The sequencer, heads and their timestamps."""

from dataclasses import replace
from datetime import timedelta

import pytest
from evidence_world import close_log, exchange, flaws, stamping
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.api.metrics_log import LogFigures, overdue
from gateway.errors import DocumentError, StateError, UnavailableError
from gateway.evidence.heads import HeadFacts, Pace, head_due, head_payload, read_head
from gateway.evidence.rows import canonical
from gateway.flows import heads, sequence
from gateway.flows.record import step
from gateway.merkle import root, verify_consistency
from gateway.signing.dsse import verify_statement


class Away:
    """A time-stamping authority that cannot be reached."""

    def stamp(self, message: bytes) -> bytes:
        raise UnavailableError("unavailable")


def note(services, number: int) -> None:
    services.store.commit(step(services, "refused", "", services.clock(), {"n": number}).write)


def figures(services) -> dict[str, float]:
    """What Prometheus sees."""
    families = LogFigures(services.store, services.clock).collect()
    return {family.name: family.samples[0].value for family in families}


def head_of(services):
    return services.store.read(lambda tx: tx.latest_head())


def test_rows_become_leaves_in_order_and_every_one_is_proven(sides):
    exchange(sides)
    services = close_log(sides)["vn"].services
    head = head_of(services)
    rows = services.store.read(lambda tx: [tx.evidence_at(n) for n in range(head.size)])
    assert [row.id for row in rows] == sorted(row.id for row in rows)
    assert head.root == root([row.leaf for row in rows])
    assert services.store.read(lambda tx: tx.untaken_evidence()) == 0
    for index, row in enumerate(rows):
        assert heads.inclusion(services, index, head.size).holds(row.leaf)
    messages = {row.message_id for row in rows if row.message_id}
    assert len(messages) > 3
    for name in messages:
        found = dict(heads.inclusions(services, name))
        kept = {row.id: row.leaf for row in rows if row.message_id == name}
        assert found.keys() == kept.keys()
        assert all(found[number].holds(leaf) for number, leaf in kept.items())


def test_a_row_without_leaf_or_head_has_no_proof_yet(sides):
    done = exchange(sides)
    services = sides["vn"].services
    assert {proof for _, proof in heads.inclusions(services, done.messages[0])} == {None}
    sequence.sequence(services, "node")
    assert {proof for _, proof in heads.inclusions(services, done.messages[0])} == {None}


def test_heads_follow_each_other_consistently(sides):
    services = sides["vn"].services
    seen = []
    for count in (1, 2, 5, 11):
        for number in range(count):
            note(services, number)
        sides["vn"].clock.at += timedelta(minutes=2)
        assert sequence.sequence(services, "node") == count
        assert heads.make_head(services, "node") == 1
        assert heads.make_head(services, "node") == 0, "nothing has grown"
        seen.append(head_of(services))
    for old, new in [(a, b) for a in seen for b in seen if a.size <= b.size]:
        proof = heads.consistency(services, old.size, new.size)
        assert verify_consistency(old.size, new.size, old.root, new.root, proof.path)
    assert services.store.read(lambda tx: tx.head_covering(0)) == seen[0]
    assert services.store.read(lambda tx: tx.head_covering(1)) == seen[1]
    assert services.store.read(lambda tx: tx.head_covering(19)) is None
    assert services.store.read(lambda tx: tx.head_at(2)) is None
    with pytest.raises(StateError):
        heads.inclusion(services, 5, seen[1].size)
    with pytest.raises(StateError):
        heads.consistency(services, 1, 20)


def test_a_head_says_whose_log_it_is_and_is_signed_by_a_key_of_its_own(sides):
    services = sides["vn"].services
    note(services, 1)
    sequence.sequence(services, "node")
    heads.make_head(services, "node")
    head = head_of(services)
    kind, payload = verify_statement(head.statement, heads_policy(services), head.at)
    assert kind == "application/vnd.bilateral-gateway.head+json"
    assert read_head(payload) == HeadFacts("vn", "vn", 1, 1, head.root, head.at)
    signers = (services.message_signer, services.receipt_signer, services.statement_signer)
    assert services.head_signer.key_id not in {signer.key_id for signer in signers}


def heads_policy(services):
    from gateway.flows.audit_log import own_heads

    return own_heads(services)


def test_without_a_head_key_rows_are_sequenced_and_no_head_is_made(sides):
    services = replace(sides["vn"].services, head_signer=None)
    note(services, 1)
    assert sequence.sequence(services, "node") == 1
    assert heads.make_head(services, "node") == 0


def test_a_second_node_does_nothing_while_the_first_holds_the_lease(sides):
    services = sides["vn"].services
    note(services, 1)
    assert sequence.sequence(services, "first") == 1
    note(services, 2)
    assert sequence.sequence(services, "second") == 0
    sides["vn"].clock.at += sequence.LEASE
    assert sequence.sequence(services, "second") == 1
    assert services.store.read(lambda tx: tx.log_size()) == 2


@pytest.mark.proves(
    attack="The time-stamping authority is down for longer than agreed",
    code="-",
    behaviour="Heads are `pending`, then `overdue`: log line, metric, readiness; messages go on",
)
def test_a_time_stamping_authority_that_is_away_is_an_alarm_after_a_bounded_time(sides, tsa):
    """Heads go on meanwhile; the timestamp comes when it is back."""
    vn = sides["vn"]
    services = replace(vn.services, timestamps=Away(), timestamp_anchors=(tsa.anchor,))
    note(services, 1)
    sequence.sequence(services, "node")
    assert heads.make_head(services, "node") == 1
    assert heads.stamp_heads(services, "node") == 0
    assert head_of(services).state == "pending"
    assert heads.alarms(services) == ()
    vn.clock.at += services.pace.stamped_within
    assert heads.stamp_heads(services, "node") == 0
    assert head_of(services).state == "overdue"
    assert [alarm.size for alarm in heads.alarms(services)] == [1]
    assert overdue(services.store)() == ["1 heads of the log have no timestamp in time"]
    assert figures(services)["gateway_log_heads_overdue"] == 1.0
    note(services, 2)
    sequence.sequence(services, "node")
    assert heads.make_head(services, "node") == 1
    vn.clock.at += heads.LEASE
    back = replace(services, timestamps=stamping(tsa))
    assert heads.stamp_heads(back, "node") == 2
    assert heads.alarms(back) == ()
    assert overdue(services.store)() == []
    seen = figures(services)
    assert seen["gateway_log_heads_overdue"] == seen["gateway_log_heads_pending"] == 0.0
    assert (seen["gateway_log_leaves"], seen["gateway_log_waiting_rows"]) == (2.0, 0.0)
    assert [head.state for head in services.store.read(lambda tx: tx.scan_heads(0, 9))] == [
        "stamped",
        "stamped",
    ]
    assert flaws(replace(vn, services=back)) == []


@pytest.mark.proves(
    attack="The head key cannot be reached",
    code="unavailable",
    behaviour="No head is made until it is back; rows and messages go on",
)
def test_a_head_key_that_is_away_costs_a_head_and_nothing_else(sides):
    class Silent:
        key_id = "x"
        certificate = b""
        algorithm = ""

        def sign(self, message: bytes) -> bytes:
            raise UnavailableError("unavailable")

    services = replace(sides["vn"].services, head_signer=Silent())
    note(services, 1)
    sequence.sequence(services, "node")
    with pytest.raises(UnavailableError):
        heads.make_head(services, "node")
    assert head_of(services) is None
    assert heads.make_head(sides["vn"].services, "node") == 1


def test_when_a_head_is_due():
    pace = Pace(timedelta(seconds=60), 10)
    from flow_sides import NOW

    assert not head_due(pace, 0, NOW, None)
    assert head_due(pace, 1, NOW, None)
    assert not head_due(pace, 5, NOW + timedelta(days=1), (5, NOW))
    assert not head_due(pace, 6, NOW + timedelta(seconds=59), (5, NOW))
    assert head_due(pace, 6, NOW + timedelta(seconds=60), (5, NOW))
    assert not head_due(pace, 14, NOW, (5, NOW))
    assert head_due(pace, 15, NOW, (5, NOW))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60))
def test_no_other_octets_are_a_head(octets):
    with pytest.raises(DocumentError):
        read_head(octets)


HONEST = {
    "log": "vn",
    "side": "vn",
    "epoch": 1,
    "size": 3,
    "root": "ab" * 32,
    "at": "2026-05-14T01:15:12.345000Z",
}


def test_the_honest_head_is_read():
    assert head_payload(read_head(canonical(HONEST))) == canonical(HONEST)


@pytest.mark.parametrize(
    "change",
    [
        {"root": "AB" * 32},
        {"root": "ab" * 31},
        {"root": "zz" * 32},
        {"size": -1},
        {"size": "3"},
        {"size": 3.0},
        {"epoch": True},
        {"at": "2026-05-14T01:15:12.345000"},
        {"at": "2026-05-14T01:15:12.345000+00:00"},
        {"more": 1},
    ],
)
def test_a_head_that_is_written_in_another_way_is_refused(change):
    with pytest.raises(DocumentError) as caught:
        read_head(canonical(HONEST | change))
    assert caught.value.findings[0].rule == "log-head"
    with pytest.raises(DocumentError):
        read_head(canonical(HONEST).replace(b",", b", "))
