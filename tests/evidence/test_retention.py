"""Documents go after their time; proofs stay, and the audit tells pruned from lost."""

from datetime import timedelta

import msgspec
import pytest
from evidence_world import (
    SAMPLES,
    close_log,
    closing,
    exchange,
    flaws,
    hand_in,
    settle,
    two_sides,
    upload,
)
from postgres import postgres_database
from sqlalchemy import delete

from gateway.errors import StateError
from gateway.evidence.audit import read_entry
from gateway.flows import heads, holds, prune, query, waiting
from gateway.flows.prune import Keep
from gateway.flows.submit import Upload, submit
from gateway.model.parameters import Parameters
from gateway.store.tables import document

DAY = timedelta(days=1)
KEEP = Keep({"document": 5 * DAY, "report": 5 * DAY}, {"canonical": DAY})
PERSONAL = ("NGUYEN VAN MAU", "TRAN VAN MAU", "C0000001")


def roles(side, message_id: str) -> set[str]:
    return {d.role for d in side.services.store.read(lambda tx: tx.documents(message_id))}


def crossed(sides):
    done = hand_in(sides["vn"], "tor.edi", "eda-1.edi", "eda-2.edi")
    settle(sides)
    return done


def test_a_role_goes_before_its_class_and_what_is_not_named_stays(sides):
    vn, done = sides["vn"], crossed(sides)
    first = done.messages[0]
    assert roles(vn, first) == {"original", "canonical", "parameters"}
    assert prune.prune(vn.services, KEEP, "node") == 0
    vn.clock.at += DAY
    assert prune.prune(vn.services, KEEP, "node") > 0
    assert roles(vn, first) == {"original", "parameters"}
    vn.clock.at += 4 * DAY
    assert prune.prune(vn.services, KEEP, "node") > 0
    assert prune.prune(vn.services, KEEP, "node") == 0
    assert roles(vn, first) == set()
    sent = query.search(vn.services, vn.services.agencies["operator"], kind=None).messages
    kept = {role for each in sent for role in roles(vn, each.id)}
    assert kept == {"receipt", "commitment", "commitment-salt"}


def test_without_retention_nothing_goes(sides):
    crossed(sides)
    sides["vn"].clock.at += 100 * DAY
    assert prune.prune(sides["vn"].services, Keep(), "node") == 0


def test_proofs_and_heads_stay_and_the_audit_knows_pruned_from_lost(sides, tsa):
    done = crossed(sides)
    sides = close_log(sides, tsa)
    vn = sides["vn"]
    before = heads.inclusions(vn.services, done.messages[0])
    vn.clock.at += 5 * DAY
    prune.prune(vn.services, KEEP, "node")
    vn = close_log({"vn": vn}, tsa)["vn"]
    after = heads.inclusions(vn.services, done.messages[0])
    assert after[: len(before)] == before
    assert flaws(vn) == []
    outbound = next(m for m in sent_of(vn) if "receipt" in roles(vn, m.id))
    lose = delete(document).where(
        document.c.message_id == outbound.id, document.c.role == "receipt"
    )
    vn.services.store.commit(lambda tx: tx.connection.execute(lose))
    assert ("document-lost", f"message {outbound.id} receipt") in flaws(vn)


def sent_of(side):
    return query.search(side.services, side.services.agencies["operator"]).messages


@pytest.mark.proves(
    attack="A pruned document is guessed from what evidence still says of it",
    code="-",
    behaviour="Its salt and its digest go with its bytes: no guess can be checked",
)
def test_what_was_pruned_cannot_be_guessed(sides):
    """Nothing that is left depends on the content without the salt that is gone."""
    vn, done = sides["vn"], crossed(sides)
    first = done.messages[0]
    documents = vn.services.store.read(lambda tx: tx.documents(first))
    digests = {d.digest for d in documents}
    salts = {d.salt for d in documents}
    vn.clock.at += 5 * DAY
    prune.prune(vn.services, KEEP, "node")

    def everything(tx) -> bytes:
        parts: list[str] = []
        for table in ("message", "document", "payload", "evidence", "event", "idempotency"):
            rows = tx.connection.exec_driver_sql(f"SELECT * FROM {table}").all()
            parts += [repr(tuple(row)) for row in rows]
        return "".join(parts).encode()

    left = vn.services.store.read(everything)
    for digest in digests:
        assert digest.encode() not in left
    for salt in salts:
        assert salt is not None
        assert repr(salt).encode() not in left
    for value in PERSONAL:
        assert value.encode() not in left


def test_a_held_conversation_is_spared_until_it_is_lifted(sides):
    vn = sides["vn"]
    done = exchange(sides)  # orders a hold
    assert [h.conversation_id for h in vn.services.store.read(lambda tx: tx.legal_holds())] == [
        done.conversation_id
    ]
    vn.clock.at += 6 * DAY
    prune.prune(vn.services, KEEP, "node")
    assert roles(vn, done.messages[0]) == {"original", "canonical", "parameters"}
    holds.lift(vn.services, done.conversation_id, "operator")
    vn.clock.at += prune.LEASE
    assert prune.prune(vn.services, KEEP, "node") > 0
    assert roles(vn, done.messages[0]) == set()
    assert flaws(close_log({"vn": vn})["vn"]) == []
    with pytest.raises(StateError):
        holds.lift(vn.services, done.conversation_id, "operator")
    with pytest.raises(StateError):
        holds.hold(vn.services, "no such conversation", "operator", "x")
    kinds = [
        (read_entry(row.entry) or {})["kind"]
        for row in vn.services.store.read(lambda tx: tx.evidence_of(""))
    ]
    assert kinds.count("held") == kinds.count("hold-lifted") == 1


def test_a_hold_follows_a_message_into_another_conversation(sides):
    """Goods that fit two trucks wait alone and are held; a reference decides: the conversation
    of that truck, into which they move, is held too."""
    vn = sides["vn"]
    customs = vn.services.agencies["customs"]
    tor, goods = upload("tor.edi").content, upload("eda-2.edi").content
    blank = goods[:253] + b" " * 10 + goods[263:]

    def alone(content: bytes):
        return submit(vn.services, customs, [Upload("x", content)], Parameters())

    trucks = [alone(tor), alone(tor.replace(b"GW-DF-0001", b"GW-DF-0002"))]
    held = alone(blank.replace(b"GW-DF-0001-B", b"GW-ZZ-0009-B"))
    holds.hold(vn.services, held.conversation_id, "operator", "file 3")
    given = msgspec.json.decode(
        (SAMPLES / "dragon-fruit" / "parameters.json").read_bytes(), type=Parameters
    )
    decided = Parameters(
        join_ref="GW-DF-0002",
        batch_number=given.batch_number,
        procedure_code=given.procedure_code,
        loading_at=given.loading_at,
        vehicle=given.vehicle,
        driver=given.driver,
        freight_payment=given.freight_payment,
    )
    waiting.supplement(vn.services, "customs", held.conversation_id, decided)
    moved = vn.services.store.read(lambda tx: tx.message(held.messages[0]))
    assert moved.conversation_id == trucks[1].conversation_id
    orders = vn.services.store.read(lambda tx: tx.legal_holds())
    assert {order.conversation_id for order in orders} == {
        held.conversation_id,
        trucks[1].conversation_id,
    }
    assert {(order.by, order.reason) for order in orders} == {("operator", "file 3")}
    assert flaws(close_log({"vn": vn})["vn"]) == []


def test_what_is_under_way_is_not_pruned(sides):
    """However short the time is that somebody configures."""
    vn = sides["vn"]
    waiting = hand_in(vn, "tor.edi")
    sides["vn"].wire.broken.add("cn")
    vn.clock.at += DAY
    assert prune.prune(vn.services, Keep({"document": timedelta(0)}), "node") == 0
    assert "original" in roles(vn, waiting.messages[0])


def test_a_payload_that_another_document_has_stays(sides):
    vn = sides["vn"]
    one, two = (hand_in(vn, "tor.edi").messages[0] for _ in range(2))
    store = vn.services.store
    store.commit(lambda tx: tx.drop_document(one, "original"))
    assert store.read(lambda tx: tx.content(one, "original")) is None
    assert store.read(lambda tx: tx.content(two, "original"))
    store.commit(lambda tx: tx.drop_document(two, "original"))
    assert store.read(lambda tx: tx.nameless_payloads()) == ()


def test_postgresql_prunes_and_spares_alike(tmp_path, keys, formats, server_url):
    with (
        postgres_database(server_url) as url,
        closing(two_sides(tmp_path, keys, formats, {"vn": url})) as made,
    ):
        vn = made["vn"]
        held = hand_in(vn, "tor.edi", "eda-1.edi", "eda-2.edi")
        settle(made)
        holds.hold(vn.services, held.conversation_id, "operator", "file 1")
        free = hand_in(vn, "registration.json", folder="durian")
        settle(made)
        vn.clock.at += 5 * DAY
        assert prune.prune(vn.services, KEEP, "node") > 0
        assert roles(vn, held.messages[0]) == {"original", "canonical", "parameters"}
        assert roles(vn, free.messages[0]) == set()
        assert vn.services.store.read(lambda tx: tx.nameless_payloads()) == ()
        assert flaws(close_log({"vn": vn})["vn"]) == []
