"""The mutual ledger in the store, on both databases."""

from dataclasses import replace

from store_sample import add, at, sample

from gateway.flows.ports_ledger import Alarm, Day, Entry, LedgerHead, Restoration
from gateway.model.states import MessageKind, MessageState
from gateway.store import Store

DAY = "2025-03-01"
OUT, IN = MessageKind.OUTBOUND, MessageKind.INBOUND


def head(size: int, epoch: int = 1, log: str = "vn") -> LedgerHead:
    return LedgerHead(log, epoch, size, bytes([size]) * 32, at(size), b"signed")


def test_a_day_has_what_was_signed_and_not_refused(store: Store) -> None:
    """In the order of code points, whatever the database's own order of text is."""
    done = MessageState.RECEIPTED
    add(
        store,
        sample("b", day=DAY, state=done, digest="02"),
        sample("B", day=DAY, state=done, digest="01"),
        sample("c", day=DAY, state=MessageState.REFUSED),
        sample("d", day=DAY, state=MessageState.QUEUED),
        sample("e", day=DAY, state=MessageState.QUEUED, digest="05"),
        sample("f", day="2025-03-02", state=done),
        sample("g", day=DAY, state=done, party="xx"),
        sample("h", day=DAY, state=MessageState.ACCEPTED, kind=IN, digest="08"),
        sample("i", day=None, state=done),
    )
    store.commit(lambda tx: tx.attach("e", "wire", b"<signed/>", "application/xml", "document"))
    entries = store.read(lambda tx: tx.entries(OUT, "cn", DAY))
    assert entries == (Entry("B", "01"), Entry("b", "02"), Entry("e", "05"))
    assert store.read(lambda tx: tx.entries(IN, "cn", DAY)) == (Entry("h", "08"),)
    store.commit(lambda tx: tx.set_day("i", DAY))
    assert Entry("i", "00" * 32) in store.read(lambda tx: tx.entries(OUT, "cn", DAY))


def test_of_one_size_the_first_head_stands(store: Store) -> None:
    assert store.commit(lambda tx: tx.keep_head(head(3)))
    assert not store.commit(lambda tx: tx.keep_head(replace(head(3), root=b"\xff" * 32)))
    for each in (head(9), head(4, epoch=2), head(7, log="cn")):
        assert store.commit(lambda tx, h=each: tx.keep_head(h))
    assert store.read(lambda tx: tx.ledger_head("vn", 1, 3)) == head(3)
    assert store.read(lambda tx: tx.ledger_head("vn", 2, 3)) is None
    newest = store.read(lambda tx: tx.ledger_heads("vn"))
    assert newest == (head(4, epoch=2), head(9), head(3))
    assert store.read(lambda tx: tx.ledger_heads("vn", 1)) == newest[:1]


def test_an_epoch_begins_once(store: Store) -> None:
    assert store.read(lambda tx: tx.epoch("vn")) == 1
    word = Restoration("vn", 2, at(0), b"signed")
    assert store.commit(lambda tx: tx.keep_restoration(word))
    assert not store.commit(lambda tx: tx.keep_restoration(replace(word, statement=b"another")))
    assert store.read(lambda tx: (tx.epoch("vn"), tx.epoch("cn"))) == (2, 1)
    assert store.read(lambda tx: tx.restorations("vn")) == (word,)


def test_the_last_comparison_of_a_day_counts(store: Store) -> None:
    day = Day("cn", DAY, at(0), False, b"asked", b"answered")
    for each in (day, replace(day, at=at(9), agreed=True)):
        store.commit(lambda tx, d=each: tx.keep_day(d))
    kept = store.read(lambda tx: tx.ledger_day("cn", DAY))
    assert kept == replace(day, at=at(9), agreed=True)
    assert store.read(lambda tx: tx.ledger_day("cn", "2025-03-02")) is None
    assert store.read(lambda tx: tx.ledger_rows()) == ((), (), (kept,))


def test_an_alarm_stands_until_it_is_cleared_and_can_come_back(store: Store) -> None:
    alarm = Alarm("withheld", "cn", "m1", at(0), {"day": DAY}, b"proof")
    assert store.commit(lambda tx: tx.raise_alarm(alarm))
    assert not store.commit(lambda tx: tx.raise_alarm(replace(alarm, at=at(5))))
    assert store.read(lambda tx: tx.alarms()) == (alarm,)
    assert store.commit(lambda tx: tx.clear_alarm("withheld", "cn", "m1", at(6)))
    assert not store.commit(lambda tx: tx.clear_alarm("withheld", "cn", "m1", at(7)))
    assert store.read(lambda tx: tx.alarms()) == ()
    assert store.read(lambda tx: tx.alarms(cleared=True)) == (replace(alarm, cleared=at(6)),)
    again = replace(alarm, at=at(8))
    assert store.commit(lambda tx: tx.raise_alarm(replace(again, proof=None)))
    assert store.read(lambda tx: tx.alarms()) == (again,), "a proof is not lost"
