"""What a store promises, on both databases. The queue and commits have modules of their own."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update
from store_sample import NOW, Databases, add, at, plans, sample

from gateway import store as stores
from gateway.errors import DocumentError, GatewayError, InternalError, UnavailableError
from gateway.flows.ports import (
    Destination,
    Document,
    Event,
    Half,
    Message,
    StatusRow,
    Transaction,
)
from gateway.model.states import MessageKind, MessageState
from gateway.store import Store, cursor
from gateway.store.tables import evidence, payload

FULL = sample(
    "m1",
    kind=MessageKind.INBOUND,
    external_id="theirs",
    state=MessageState.ACCEPTED,
    created=NOW + timedelta(microseconds=1),
    function="replace",
    document_version=2**40,
    order_key="batch 1",
    sequence=7,
    ref_to="m0",
    test=True,
    keys=(("container", "MSKU0000001"), ("plate", "粤B12345"), ("plate", "29H-000.01")),
)


class TestMessages:
    def test_a_message_comes_back_with_its_keys_sorted(self, store: Store) -> None:
        add(store, FULL)
        found = store.read(lambda tx: tx.message("m1"))
        assert found is not None
        assert found.keys == tuple(sorted(FULL.keys))
        assert (found.created, found.kind, found.state) == (FULL.created, FULL.kind, FULL.state)
        assert sample("m1", **{n: getattr(found, n) for n in found.__slots__}) == found

    def test_least_message_comes_back_equal(self, store: Store) -> None:
        add(store, sample("m1"))
        assert store.read(lambda tx: tx.message("m1")) == sample("m1")

    def test_a_known_external_id_is_not_added_again(self, store: Store) -> None:
        add(store, FULL)
        again = sample("m2", kind=FULL.kind, external_id="theirs", keys=(("plate", "other"),))
        assert store.commit(lambda tx: tx.add_message(again)) is False
        assert store.read(lambda tx: tx.message("m2")) is None
        assert store.read(lambda tx: tx.search(key=("plate", "other"))).messages == ()
        add(store, sample("m3", external_id="theirs"), sample("m4", party="vn", kind=FULL.kind))

    def test_known_finds_by_the_partys_name(self, store: Store) -> None:
        add(store, FULL)
        found = store.read(lambda tx: tx.known(MessageKind.INBOUND, "cn", "theirs"))
        assert found is not None
        assert found.id == "m1"
        for kind, party, name in (
            (MessageKind.OUTBOUND, "cn", "theirs"),
            (MessageKind.INBOUND, "vn", "theirs"),
            (MessageKind.INBOUND, "cn", "m1"),
        ):
            assert store.commit(lambda tx, n=(kind, party, name): tx.known(*n)) is None

    def test_state_digest_and_conversation_move(self, store: Store) -> None:
        add(store, sample("m1"), sample("m2"))

        def work(tx: Transaction) -> None:
            tx.set_state("m1", MessageState.RECEIPTED)
            tx.set_digest("m1", "ff" * 32)
            tx.move_to("m1", "another")

        store.commit(work)
        moved = sample(
            "m1", state=MessageState.RECEIPTED, digest="ff" * 32, conversation_id="another"
        )
        assert store.read(lambda tx: tx.message("m1")) == moved
        assert store.read(lambda tx: tx.message("m2")) == sample("m2")

    def test_more_keys_are_added_and_known_ones_left_alone(self, store: Store) -> None:
        add(store, sample("m1", keys=(("plate", "a"),)))
        for _ in range(2):
            store.commit(lambda tx: tx.add_keys("m1", [("seal", "b"), ("plate", "a")]))
        store.commit(lambda tx: tx.add_keys("m1", []))
        found = store.read(lambda tx: tx.message("m1"))
        assert found is not None
        assert found.keys == (("plate", "a"), ("seal", "b"))

    def test_timeline_is_in_the_order_of_appending(self, store: Store) -> None:
        add(store, sample("m1"), sample("m2"))
        events = [Event(at(0), "late", {"who": "海关"}), Event(at(-9), "early"), Event(at(5), "x")]
        for event in events:
            store.commit(lambda tx, e=event: tx.add_event("m1", e))
        assert store.read(lambda tx: tx.events("m1")) == tuple(events)
        assert store.read(lambda tx: tx.events("m2")) == ()

    def test_conversation_is_oldest_first(self, store: Store) -> None:
        messages = [
            sample(n, conversation_id="c", created=at(s))
            for n, s in zip("abcd", (3, 1, 2, 1), strict=True)
        ]
        add(store, *messages, sample("e"))
        for found in (store.read, store.commit):
            assert [m.id for m in found(lambda tx: tx.conversation("c"))] == ["b", "d", "c", "a"]

    def test_sequences_of_an_order_key(self, store: Store) -> None:
        inbound = {"kind": MessageKind.INBOUND, "order_key": "k"}
        for n in (3, 1, 7):
            add(store, sample(f"m{n}", sequence=n, **inbound))
        add(store, sample("twice", sequence=3, **inbound), sample("none", **inbound))
        add(store, sample("x", sequence=4, kind=MessageKind.INBOUND, order_key="other"))
        add(
            store,
            sample("y", sequence=5, order_key="k"),
            sample("z", sequence=6, party="vn", **inbound),
        )
        assert store.read(lambda tx: tx.sequences(MessageKind.INBOUND, "cn", "k")) == (1, 3, 7)
        assert store.read(lambda tx: tx.sequences(MessageKind.INBOUND, "cn", "?")) == ()


class TestSearch:
    def test_each_condition_and_all_together(self, store: Store) -> None:
        keys = (("plate", "29H-000.01"),)
        add(
            store,
            sample("a", keys=keys, created=at(1)),
            sample("b", kind=MessageKind.DOMESTIC, created=at(2)),
            sample("c", party="vn", created=at(3)),
            sample("d", state=MessageState.DEAD, created=at(4), keys=(("seal", "29H-000.01"),)),
        )
        conditions: list[tuple[dict[str, object], str]] = [
            ({}, "dcba"),
            ({"key": keys[0]}, "a"),
            ({"key": ("plate", "29H")}, ""),
            ({"kind": MessageKind.DOMESTIC}, "b"),
            ({"party": "vn"}, "c"),
            ({"state": MessageState.DEAD}, "d"),
            (
                {
                    "key": keys[0],
                    "kind": MessageKind.OUTBOUND,
                    "party": "cn",
                    "state": MessageState.QUEUED,
                },
                "a",
            ),
            ({"key": keys[0], "party": "vn"}, ""),
        ]
        for condition, expected in conditions:
            page = store.read(lambda tx, c=condition: tx.search(**c))
            assert ("".join(m.id for m in page.messages), page.cursor) == (expected, None)

    @pytest.mark.parametrize("limit", [1, 2, 3, 10, 11])
    def test_pages_show_each_message_once(self, store: Store, limit: int) -> None:
        """Also messages of one instant, and while newer ones arrive."""
        add(store, *(sample(f"m{n}", created=at(n // 4)) for n in range(10)))
        seen: list[Message] = []
        after = None
        while True:
            page = store.read(lambda tx, a=after: tx.search(after=a, limit=limit))
            assert len(page.messages) <= limit
            seen += page.messages
            after = page.cursor
            if after is None:
                break
            add(store, sample(f"new{len(seen)}", created=at(99)))
        assert [m.id for m in seen] == [f"m{n}" for n in reversed(range(10))]

    def test_a_search_reads_by_an_index(self, databases: Databases) -> None:
        """Also without statistics, and a key is looked for before anything else."""

        def work(tx: Transaction) -> None:
            after = cursor.write(NOW, "m1")
            tx.search(key=("plate", "P"), party="cn", after=after)
            tx.search(party="cn", after=after)
            tx.search(state=MessageState.DEAD)
            tx.halves_with(["vn"], [("plate", "P"), ("gate", "G")])
            tx.overdue_halves(NOW, 9)
            tx.sequences(MessageKind.INBOUND, "cn", "k")
            tx.conversation("c")

        with databases("sqlite") as url, stores.open(url) as store:
            seen = plans(store, work)
        assert seen[0].startswith("SEARCH message_key USING COVERING INDEX message_key_by_value")
        assert [step for step in seen if step.startswith("SCAN")] == []
        assert [step for step in seen[:4] if "TEMP B-TREE" in step] == []

    def test_a_cursor_of_elsewhere_is_refused(self, store: Store) -> None:
        with pytest.raises(DocumentError) as refused:
            store.read(lambda tx: tx.search(after="MTIzNA=="))
        assert (refused.value.code, refused.value.findings[0].path) == ("rule-broken", "after")


@given(st.text() | st.binary().map(lambda b: b.decode("latin-1")))
@example("")
@example(cursor.write(NOW, "m1") + "\n")
@example(cursor.write(NOW, "m1").rstrip("="))
@example("é")
def test_text_that_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(DocumentError, match="rule-broken"):
        cursor.read(text)


@given(
    st.datetimes(timezones=st.just(NOW.tzinfo)), st.text(st.characters(codec="utf-8")), st.data()
)
def test_a_cursor_reads_back_and_every_change_is_noticed(
    created: datetime, name: str, data: st.DataObject
) -> None:
    made = cursor.write(created, name)
    assert cursor.read(made) == (created, name)
    place = data.draw(st.integers(0, len(made) - 1))
    letter = data.draw(st.sampled_from("ABYZaz09-_=").filter(lambda c: c != made[place]))
    with pytest.raises(DocumentError):
        cursor.read(made[:place] + letter + made[place + 1 :])


class TestDocuments:
    def test_bytes_come_back_and_are_stored_once(self, store: Store) -> None:
        add(store, sample("m1"), sample("m2"))

        def work(tx: Transaction) -> set[str]:
            return {
                tx.attach("m1", "original", b"\x00\xff" * 9000, "text/xml", "document"),
                tx.attach("m1", "wire", b"\x00\xff" * 9000, "application/xml", "document"),
                tx.attach("m2", "original", b"\x00\xff" * 9000, "text/xml", "evidence"),
            }

        (digest,) = store.commit(work)
        assert store.read(lambda tx: tx.documents("m1")) == (
            Document("original", digest, "text/xml", 18000),
            Document("wire", digest, "application/xml", 18000),
        )
        assert store.read(lambda tx: tx.content("m2", "original")) == b"\x00\xff" * 9000
        count = select(func.count()).select_from(payload)
        assert store.read(lambda tx: tx.connection.scalar(count)) == 1

    def test_a_role_that_is_taken_is_replaced(self, store: Store) -> None:
        add(store, sample("m1"))
        store.commit(lambda tx: tx.attach("m1", "report", b"first", "text/plain", "report"))
        digest = store.commit(lambda tx: tx.attach("m1", "report", b"", "text/xml", "report"))
        assert store.read(lambda tx: tx.documents("m1")) == (
            Document("report", digest, "text/xml", 0, "report"),
        )
        assert store.read(lambda tx: tx.content("m1", "report")) == b""

    def test_nothing_attached(self, store: Store) -> None:
        assert store.read(lambda tx: tx.documents("m1")) == ()
        assert store.read(lambda tx: tx.content("m1", "original")) is None

    def test_evidence_is_append_only(self, store: Store) -> None:
        """Also of what has no message: a refusal."""
        for name in ("m1", "refused"):
            store.commit(lambda tx, n=name: tx.append_evidence(n, b"entry", b"salt", b"leaf"))
        for change in (delete(evidence), update(evidence).values(entry=b"")):
            with pytest.raises(InternalError):
                store.commit(lambda tx, c=change: tx.connection.execute(c))
        rows = store.read(lambda tx: tx.connection.execute(select(evidence)).all())
        assert [tuple(row)[1:] for row in rows] == [
            ("m1", b"entry", b"salt", b"leaf"),
            ("refused", b"entry", b"salt", b"leaf"),
        ]
        assert rows[0].id < rows[1].id


class TestNumbers:
    def test_the_first_allocation_stays(self, store: Store) -> None:
        assert store.read(lambda tx: tx.allocated("batch", "k")) is None
        assert store.commit(lambda tx: tx.allocate("batch", "k", "1")) == "1"
        assert store.commit(lambda tx: tx.allocate("batch", "k", "2")) == "1"
        assert store.commit(lambda tx: tx.allocate("waybill", "k", "2")) == "2"
        assert store.read(lambda tx: tx.allocated("batch", "k")) == "1"

    def test_a_counter_goes_up_and_never_below_its_floor(self, store: Store) -> None:
        floors = (1, 1, 10, 1, 5, 13)
        counted = [store.commit(lambda tx, f=floor: tx.count("n", f)) for floor in floors]
        assert counted == [1, 2, 10, 11, 12, 13]
        assert store.commit(lambda tx: tx.count("other")) == 1

    def test_a_rolled_back_number_is_given_again(self, store: Store) -> None:
        def work(tx: Transaction) -> None:
            assert tx.count("n") == 1
            raise LookupError

        with pytest.raises(LookupError):
            store.commit(work)
        assert store.commit(lambda tx: tx.count("n")) == 1

    def test_an_answer_is_remembered_once_per_client(self, store: Store) -> None:
        def remember(client: str, body: str) -> bool:
            return store.commit(lambda tx: tx.remember(client, "key", body, f"to {body}", NOW))

        assert store.read(lambda tx: tx.remembered("a", "key")) is None
        assert [remember("a", "1"), remember("a", "2"), remember("b", "3")] == [True, False, True]
        assert store.read(lambda tx: tx.remembered("a", "key")) == ("1", "to 1")
        assert store.read(lambda tx: tx.remembered("b", "key")) == ("3", "to 3")


def half(name: str, *keys: tuple[str, str], **changes: object) -> Half:
    values: dict[str, object] = {
        "message_id": name,
        "submitter": "vn-customs",
        "role": "goods",
        "set_id": f"set of {name}",
        "day": "2025-03-01",
        "keys": keys,
        "state": "waiting",
        "deadline": at(60),
    }
    return Half(**(values | changes))  # type: ignore[arg-type]


class TestHalves:
    A = half("a", ("container", "C1"), ("plate", "P1"))
    B = half("b", ("plate", "P1"), role="vehicle", day=None, set_id="set of a")
    C = half("c", ("plate", "P2"), state="expired", submitter="vn-guard", deadline=at(-1))
    D = half("d", ("plate", "P1"), ("plate", "P2"), state="joined", deadline=at(-2))
    E = half("e", deadline=at(30))

    @pytest.fixture
    def halves(self, store: Store) -> Store:
        add(store, *(sample(name) for name in "abcde"))
        for one in (self.E, self.D, self.C, self.B, self.A):
            store.commit(lambda tx, h=one: tx.add_half(h))
        return store

    def test_by_message_and_set(self, halves: Store) -> None:
        assert halves.read(lambda tx: tx.half("a")) == self.A
        assert halves.read(lambda tx: tx.half("x")) is None
        assert halves.commit(lambda tx: tx.halves_of("set of a")) == (self.A, self.B)

    @pytest.mark.parametrize(
        ("submitters", "keys", "found"),
        [
            (["vn-customs"], [("plate", "P1")], (A, B)),
            (["vn-customs", "vn-guard"], [("plate", "P2"), ("container", "C1")], (A, C)),
            (["vn-customs"], [("container", "P1")], ()),
            (["vn-guard"], [("plate", "P1")], ()),
            ([], [("plate", "P1")], ()),
            (["vn-customs"], [], ()),
        ],
    )
    def test_halves_that_are_not_joined_and_share_a_key(
        self,
        halves: Store,
        submitters: list[str],
        keys: list[tuple[str, str]],
        found: tuple[Half, ...],
    ) -> None:
        assert halves.commit(lambda tx: tx.halves_with(submitters, keys)) == found
        assert halves.read(lambda tx: tx.halves_with(submitters, keys)) == found

    def test_a_half_moves(self, halves: Store) -> None:
        halves.commit(lambda tx: tx.set_half("a", state="joined", set_id="new"))
        moved = half("a", *self.A.keys, state="joined", set_id="new")
        assert halves.read(lambda tx: tx.half("a")) == moved
        assert halves.read(lambda tx: tx.halves_of("new")) == (moved,)

    def test_waiting_halves_past_their_deadline(self, halves: Store) -> None:
        def overdue(now: datetime, limit: int = 9) -> str:
            found = halves.commit(lambda tx: tx.overdue_halves(now, limit))
            return "".join(h.message_id for h in found)

        assert [overdue(at(s)) for s in (29, 30, 60)] == ["", "e", "eab"]
        assert overdue(at(99), limit=2) == "ea"


def test_status_rows_are_replaced(store: Store) -> None:
    rows = [
        StatusRow("c1", "waybill", "W1", "accepted", at(0), "m1"),
        StatusRow("c1", "truck", "29H-000.01", "waiting", at(1), "m2", "ghi chú"),
        StatusRow("c1", "truck", "29H-000.01", "released", at(2), "m3"),
        StatusRow("c2", "truck", "29H-000.01", "held", at(2), "m4"),
    ]
    for row in rows:
        store.commit(lambda tx, r=row: tx.put_status(r))
    assert store.commit(lambda tx: tx.status("c1")) == (rows[2], rows[0])
    assert store.read(lambda tx: tx.status("c3")) == ()


def test_health_of_a_destination(store: Store) -> None:
    assert store.commit(lambda tx: tx.destination("cn")) == Destination()
    for health in (Destination(5, at(60)), Destination(0, None)):
        store.commit(lambda tx, h=health: tx.set_destination("cn", h))
        assert store.commit(lambda tx: tx.destination("cn")) == health


class TestValues:
    def test_times_keep_their_microseconds_order_and_instant(self, store: Store) -> None:
        hanoi = timezone(timedelta(hours=7))
        times = [
            datetime(1969, 12, 31, 23, 59, 59, 999999, NOW.tzinfo),
            NOW,
            NOW.astimezone(hanoi) + timedelta(microseconds=1),
            datetime(9999, 12, 31, tzinfo=NOW.tzinfo),
        ]
        add(store, *(sample(f"m{n}", conversation_id="c", created=t) for n, t in enumerate(times)))
        found = [m.created for m in store.read(lambda tx: tx.conversation("c"))]
        assert found == times
        assert {t.utcoffset() for t in found} == {timedelta(0)}

    def test_a_naive_time_is_a_bug(self, store: Store) -> None:
        naive = NOW.replace(tzinfo=None)
        with pytest.raises(GatewayError, match="internal"):
            add(store, sample("m1", created=naive))

    @pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ud800", "Đ\udfff"])
    @pytest.mark.parametrize(
        "use",
        [
            lambda tx, text: tx.add_message(sample("m", external_id=text)),
            lambda tx, text: tx.add_message(sample("m", keys=(("plate", text),))),
            lambda tx, text: tx.search(key=("plate", text)),
            lambda tx, text: tx.message(text),
        ],
    )
    def test_text_that_cannot_be_stored_is_the_senders(
        self, store: Store, text: str, use: Callable[[Transaction, str], object]
    ) -> None:
        with pytest.raises(DocumentError, match="rule-broken"):
            store.commit(lambda tx: use(tx, text))
        assert store.read(lambda tx: tx.message("m")) is None

    def test_text_is_kept_as_it_is(self, store: Store) -> None:
        """Quotes, other planes, decomposed letters, lines; case and accents tell apart."""
        texts = [
            "'; DROP TABLE message; --",
            "𠀀 測試",
            "Vie\u0302\u0323t",
            "Việt",
            "việt",
            "a\r\nb",
            " a ",
            "%_",
            "",
        ]
        add(store, *(sample(f"m{n}", keys=(("plate", t),)) for n, t in enumerate(texts)))
        for n, text in enumerate(texts):
            page = store.read(lambda tx, t=text: tx.search(key=("plate", t)))
            assert [m.id for m in page.messages] == [f"m{n}"]


class TestTransactions:
    def test_a_work_that_raises_leaves_nothing(self, store: Store) -> None:
        def work(tx: Transaction) -> None:
            tx.add_message(sample("m1", keys=(("plate", "P"),)))
            tx.attach("m1", "original", b"x", "text/xml", "document")
            tx.add_event("m1", Event(NOW, "accepted"))
            tx.append_evidence("m1", b"e", b"s", b"l")
            raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            store.commit(work)
        assert store.read(lambda tx: (tx.message("m1"), tx.events("m1"))) == (None, ())
        for table in (payload, evidence):
            count = select(func.count()).select_from(table)
            assert store.read(lambda tx, c=count: tx.connection.scalar(c)) == 0

    def test_a_read_sees_one_state(self, store: Store) -> None:
        """Another commit in the middle of it does not show."""
        add(store, sample("m1"))

        def work(tx: Transaction) -> tuple[int, int]:
            before = len(tx.search().messages)
            add(store, sample("m2"))
            return before, len(tx.search().messages)

        assert store.read(work) == (1, 1)
        assert len(store.read(lambda tx: tx.search()).messages) == 2

    def test_a_read_cannot_write(self, store: Store) -> None:
        with pytest.raises(GatewayError):
            store.read(lambda tx: tx.add_message(sample("m1")))
        assert store.commit(lambda tx: tx.message("m1")) is None

    def test_what_a_read_raises_is_raised(self, store: Store) -> None:
        def work(tx: Transaction) -> None:
            raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            store.read(work)

    def test_a_reference_to_nothing_is_a_bug(self, store: Store) -> None:
        for work in (
            lambda tx: tx.add_event("nobody", Event(NOW, "x")),
            lambda tx: tx.attach("nobody", "original", b"", "text/xml", "document"),
        ):
            with pytest.raises(InternalError):
                store.commit(work)

    def test_check_passes_on_the_current_schema(self, store: Store) -> None:
        store.check()

    def test_a_closed_store_is_unavailable(self, store: Store) -> None:
        store.close()
        store.close()
        with pytest.raises(UnavailableError):
            store.commit(lambda tx: None)
        with pytest.raises(UnavailableError):
            store.check()
