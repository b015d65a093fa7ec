"""Days are compared and mended: what one side has and the other lacks."""

from datetime import timedelta

from flow_sides import NOW
from ledger_sides import crossing, hand_in, kinds, log, lose, work

from gateway.flows.settle import settle, usual_days
from gateway.model.states import MessageKind, MessageState

DAY = str(NOW.date())


def messages(side, kind):
    return side.services.store.read(lambda tx: tx.search(kind=kind)).messages


def ids(side, kind, party, day=DAY):
    return [
        entry.message_id
        for entry in side.services.store.read(lambda tx: tx.entries(kind, party, day))
    ]


def test_sides_that_agree_need_one_question(sides):
    crossing(sides)
    found = settle(sides["vn"].services, usual_days(sides["vn"].services))
    assert found.exchanges == 1
    (day,) = found.days
    assert (day.day, day.sent, day.accepted, day.agreed) == (DAY, 2, 0, True)
    for name, other in (("vn", "cn"), ("cn", "vn")):
        kept = sides[name].services.store.read(lambda tx, party=other: tx.ledger_day(party, DAY))
        assert kept.agreed
        assert kept.asked
        assert kept.answered


def test_a_message_under_way_is_no_difference_to_tell_of(sides):
    sides["vn"].wire.broken.add("cn")
    crossing(sides)
    sides["vn"].wire.broken.clear()
    (day,) = settle(sides["vn"].services, [DAY]).days
    assert len(day.under_way) == 1, "the other one waits for it, unsigned"
    assert not day.agreed
    assert not day.alarms
    assert kinds(sides["vn"]) == []


def test_a_message_whose_sender_waits_is_taken_in_by_the_receiver_that_asks(sides):
    """Signed, not delivered: the other side settles first, asks for it and accepts it."""
    sides["vn"].wire.broken.add("cn")
    crossing(sides)
    sides["vn"].wire.broken.clear()
    assert ids(sides["cn"], MessageKind.INBOUND, "vn") == []
    (day,) = settle(sides["cn"].services, [DAY]).days
    assert day.fetched == ids(sides["vn"], MessageKind.OUTBOUND, "cn")
    assert day.agreed
    sides["vn"].clock.at += timedelta(minutes=1)
    work(sides)
    assert {m.state for m in messages(sides["vn"], MessageKind.OUTBOUND)} == {
        MessageState.RECEIPTED
    }


def test_what_the_receiver_lost_is_given_back_with_its_own_receipt(sides, tmp_path):
    """Long after the message expired: only the receipt makes it acceptable again."""
    crossing(sides)
    lost = messages(sides["cn"], MessageKind.INBOUND)[0]
    receipt = sides["cn"].services.store.read(lambda tx: tx.content(lost.id, "receipt"))
    lose(tmp_path, "cn", lost.id)
    sides["vn"].clock.at += timedelta(days=20)
    (day,) = settle(sides["vn"].services, [DAY]).days
    assert day.returned == [lost.external_id]
    assert day.agreed
    assert not day.alarms
    again = sides["cn"].services.store.read(
        lambda tx: tx.known(MessageKind.INBOUND, "vn", lost.external_id)
    )
    assert again.digest == lost.digest
    kept = sides["cn"].services.store.read(lambda tx: tx.content(again.id, "receipt"))
    assert kept == receipt
    work(sides)


def test_what_the_receiver_lost_it_fetches_itself(sides, tmp_path):
    crossing(sides)
    lost = messages(sides["cn"], MessageKind.INBOUND)[0]
    lose(tmp_path, "cn", lost.id)
    (day,) = settle(sides["cn"].services, [DAY]).days
    assert day.fetched == [lost.external_id]
    assert day.agreed
    assert not day.alarms


def test_what_the_sender_lost_comes_back_signed_by_itself_and_is_told(sides, tmp_path):
    """Nobody restored anything, and yet a message of ours is unknown here: mended, but told."""
    crossing(sides)
    lost = messages(sides["vn"], MessageKind.OUTBOUND)[0]
    lose(tmp_path, "vn", lost.id)
    (day,) = settle(sides["vn"].services, [DAY]).days
    assert day.fetched == [lost.id]
    assert day.agreed
    assert day.alarms == [("unknown-sent", lost.id)]
    again = sides["vn"].services.store.read(lambda tx: tx.message(lost.id))
    assert (again.state, again.digest) == (MessageState.RECEIPTED, lost.digest)
    assert again.keys
    assert kinds(sides["vn"]) == [("unknown-sent", "cn")]


def test_what_the_sender_lost_is_given_back_by_the_receiver(sides, tmp_path):
    crossing(sides)
    lost = messages(sides["vn"], MessageKind.OUTBOUND)[0]
    lose(tmp_path, "vn", lost.id)
    (day,) = settle(sides["cn"].services, [DAY]).days
    assert day.returned == [lost.id]
    assert day.agreed
    assert not day.alarms


def test_a_message_that_was_given_up_but_arrived_gets_its_receipt(sides):
    """All answers were lost, the sender gave up; the receiver has it."""
    sides["vn"].wire.lose_answers = 10**6
    done = hand_in(sides["vn"], "tor.edi", "eda-1.edi", "eda-2.edi")
    assert done
    sides["vn"].work()
    for _ in range(2):
        sides["vn"].clock.at += timedelta(days=7, hours=1)
        sides["vn"].work()
    dead = messages(sides["vn"], MessageKind.OUTBOUND)
    assert {m.state for m in dead} == {MessageState.DEAD}
    sides["vn"].wire.lose_answers = 0
    (day,) = settle(sides["vn"].services, [DAY]).days
    assert sorted(day.fetched) == sorted(m.id for m in dead)
    assert day.agreed
    assert not day.alarms
    work(sides)
    done = messages(sides["vn"], MessageKind.OUTBOUND)
    assert {m.state for m in done} == {MessageState.RECEIPTED}
    backlog = sides["vn"].services.store.read(lambda tx: tx.backlog())
    assert [each[2] for each in backlog.values()] == [0] * len(backlog), "nothing lies buried"


def test_a_message_that_was_given_up_and_never_arrived_is_told(sides):
    sides["vn"].wire.broken.add("cn")
    hand_in(sides["vn"], "tor.edi", "eda-1.edi", "eda-2.edi")
    for _ in range(4):
        sides["vn"].clock.at += timedelta(days=2)
        sides["vn"].work()
    sides["vn"].wire.broken.clear()
    (day,) = settle(sides["vn"].services, [DAY]).days
    assert {kind for kind, _ in day.alarms} == {"given-up"}
    assert kinds(sides["vn"]) == [("given-up", "cn")] * len(day.alarms)


def test_the_chores_wait_out_a_counterpart_that_is_away(sides):
    from gateway.flows.settle import settle_now
    from gateway.flows.settle_heads import offer_now

    crossing(sides)
    log(sides["vn"])
    sides["vn"].wire.broken.add("cn/ledger")
    assert offer_now(sides["vn"].services, "one") == 0
    assert settle_now(sides["vn"].services, "one") == 0
    sides["vn"].wire.broken.clear()
    assert offer_now(sides["vn"].services, "another") == 0, "the first one holds the lease"
    assert offer_now(sides["vn"].services, "one") == 1
    assert settle_now(sides["vn"].services, "one") == 0, "nothing to mend"
