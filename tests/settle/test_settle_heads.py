"""Heads before the counterpart: cosigned, replayed, forked, of a restored log."""

import base64
import json

import pytest
from flow_sides import policy
from ledger_sides import (
    anchors_of,
    backup,
    crossing,
    day_of,
    kinds,
    log,
    restore,
    work,
)

from gateway.errors import (
    CounterpartError,
    DocumentError,
    GatewayError,
    StateError,
    TrustError,
)
from gateway.evidence.heads import HEAD_TYPE, HeadFacts, head_payload
from gateway.evidence.ledger import (
    REQUEST_TYPE,
    AskDays,
    AskFetch,
    AskHead,
    AskHeads,
    AskNodes,
    AskReturn,
    DayMarks,
    Kept,
    Question,
    TellHead,
    TellNoted,
    payload_of,
    read_reply,
    write,
)
from gateway.flows.audit import audit
from gateway.flows.proof_check import verify_proof
from gateway.flows.settle import settle, usual_days
from gateway.flows.settle_answer import answer
from gateway.flows.settle_heads import offer_head
from gateway.flows.settle_talk import ask, stated
from gateway.model.states import MessageKind
from gateway.signing.dsse import sign_statement
from gateway.signing.trust import Usage


def heads(side, name):
    return side.services.store.read(lambda tx: tx.ledger_heads(name))


def ask_head(side, head: bytes, old: int, proof: tuple[str, ...] = ()) -> TellHead:
    services = side.services
    return ask(services, services.counterpart(), AskHead(head, old, proof)).tell


def made_up_head(side, size: int, root: bytes, epoch: int = 1) -> bytes:
    """A head that the side signs although its log says something else."""
    facts = HeadFacts(side.services.name, side.services.side, epoch, size, root, side.clock())
    return sign_statement(HEAD_TYPE, head_payload(facts), [side.services.head_signer])


def test_both_sides_keep_a_head_with_both_signatures(sides):
    crossing(sides)
    for side in sides.values():
        log(side)
        assert offer_head(side.services) == "cosigned"
        assert offer_head(side.services) == "current"
    ours, theirs = heads(sides["vn"], "vn"), heads(sides["cn"], "vn")
    assert ours == theirs
    assert ours[0].statement.count(b"keyid") == 2
    assert kinds(sides["vn"]) == kinds(sides["cn"]) == []


def test_a_log_that_grows_is_consistent(sides):
    for _ in range(3):
        crossing(sides)
        log(sides["vn"])
        assert offer_head(sides["vn"].services) == "cosigned"
        work(sides)
    assert len(heads(sides["cn"], "vn")) == 3


@pytest.mark.proves(
    attack="an old head of the log is offered again",
    code="stale",
    behaviour="answered with the newest head that both sides signed; nothing is cosigned",
)
def test_an_old_head_is_behind(sides):
    crossing(sides)
    log(sides["vn"])
    old = sides["vn"].services.store.read(lambda tx: tx.latest_head())
    crossing(sides)
    log(sides["vn"])
    assert offer_head(sides["vn"].services) == "cosigned"
    told = ask_head(sides["vn"], old.statement, 0)
    assert told.verdict == "behind"
    assert kinds(sides["cn"]) == []


@pytest.mark.proves(
    attack="two heads of one size",
    code="id-conflict",
    behaviour="the first stands; both signed heads are kept as a proof that verifies offline",
)
def test_two_heads_of_one_size_are_kept_as_proof(sides):
    crossing(sides)
    log(sides["vn"])
    assert offer_head(sides["vn"].services) == "cosigned"
    (first,) = heads(sides["cn"], "vn")
    told = ask_head(sides["vn"], made_up_head(sides["vn"], first.size, b"\x07" * 32), first.size)
    assert told == TellHead("conflict", first.statement)
    (alarm,) = sides["cn"].services.store.read(lambda tx: tx.alarms())
    assert (alarm.kind, alarm.party) == ("two-heads", "vn")
    verdict = verify_proof(alarm.proof, anchors_of(sides))
    assert verdict.ok
    assert heads(sides["cn"], "vn") == (first,)


def test_a_proof_of_one_head_twice_proves_nothing(sides):
    crossing(sides)
    log(sides["vn"])
    offer_head(sides["vn"].services)
    (first,) = heads(sides["cn"], "vn")
    ask_head(sides["vn"], made_up_head(sides["vn"], first.size, b"\x07" * 32), first.size)
    (alarm,) = sides["cn"].services.store.read(lambda tx: tx.alarms())
    proof = json.loads(alarm.proof)
    for change in (
        {"statements": [proof["statements"][0]] * 2},
        {"party": "cn"},
        {"kind": "two-contents"},
        {"subject": "1/1"},
        {"kind": "broken-history"},
        {"statements": [proof["statements"][0], base64.b64encode(b"{}").decode()]},
    ):
        broken = json.dumps({**proof, **change}, sort_keys=True, separators=(",", ":")).encode()
        assert not verify_proof(broken, anchors_of(sides)).ok, change


@pytest.mark.proves(
    attack="a log that does not continue the head that both sides signed",
    code="id-conflict",
    behaviour="not cosigned; the signed offer, with the proof that does not lead there, is kept",
)
def test_a_rewritten_history_is_kept_as_proof(sides):
    crossing(sides)
    log(sides["vn"])
    assert offer_head(sides["vn"].services) == "cosigned"
    (first,) = heads(sides["cn"], "vn")
    forged = made_up_head(sides["vn"], first.size + 5, b"\x09" * 32)
    told = ask_head(sides["vn"], forged, first.size, ("00" * 32,) * 3)
    assert told.verdict == "conflict"
    (alarm,) = sides["cn"].services.store.read(lambda tx: tx.alarms())
    assert alarm.kind == "broken-history"
    assert verify_proof(alarm.proof, anchors_of(sides)).ok


def test_an_honest_offer_is_no_proof(sides):
    """A question whose proof does lead from the first head to the second proves nothing."""
    from gateway.evidence.ledger_proof import write_proof

    crossing(sides)
    log(sides["vn"])
    offer_head(sides["vn"].services)
    (first,) = heads(sides["cn"], "vn")
    crossing(sides)
    log(sides["vn"])
    sides["vn"].wire.sent.clear()
    offer_head(sides["vn"].services)
    question = next(body for to, body in reversed(sides["vn"].wire.sent) if to == "cn/ledger")
    proof = write_proof("broken-history", "vn", str(first.size), first.statement, question)
    assert not verify_proof(proof, anchors_of(sides)).ok


@pytest.mark.parametrize("name", ["vn", "cn"])
@pytest.mark.proves(
    attack="a side is restored from an old backup",
    code="precondition-failed",
    behaviour="it finds out by itself, declares it signed, goes on in a new epoch and is caught "
    "up by the other side; nobody is accused",
)
def test_a_restored_side_is_recognised_and_caught_up(sides, tmp_path, name):
    other = {"vn": "cn", "cn": "vn"}[name]
    crossing(sides)
    for side in sides.values():
        log(side)
        offer_head(side.services)
    old = backup(tmp_path, name)
    crossing(sides)
    for side in sides.values():
        log(side)
        assert offer_head(side.services) == "cosigned"
    lost = heads(sides[name], name)[0]
    sent = sides["vn"].services.store.read(
        lambda tx: tx.entries(MessageKind.OUTBOUND, "cn", day_of(sides["vn"]))
    )
    restore(sides, tmp_path, name, old)
    restored, witness = sides[name], sides[other]
    assert offer_head(restored.services) == "restored"
    assert restored.services.store.read(lambda tx: tx.epoch(name)) == 2
    assert witness.services.store.read(lambda tx: tx.epoch(name)) == 2
    found = settle(restored.services, usual_days(restored.services))
    assert all(day.agreed and not day.alarms for day in found.days)
    assert sum(len(day.fetched) for day in found.days) == 2
    for _ in range(2):  # the log grows again past what was lost, on another history
        crossing(sides)
        log(restored)
        assert offer_head(restored.services) == "cosigned"
    newest = heads(witness, name)[0]
    assert (newest.epoch, newest.size > lost.size) == (2, True)
    work(sides)
    entries = sides["vn"].services.store.read(
        lambda tx: tx.entries(MessageKind.OUTBOUND, "cn", day_of(sides["vn"]))
    )
    assert {e.message_id for e in sent} <= {e.message_id for e in entries}
    assert {kind for kind, _ in kinds(restored) + kinds(witness)} == {"restored"}
    assert audit(restored.services).flaws == audit(witness.services).flaws == []


def test_a_witness_that_was_restored_is_recognised(sides, tmp_path):
    """It forgot a head that it had cosigned: we hold its signature, and go on from before."""
    crossing(sides)
    log(sides["vn"])
    offer_head(sides["vn"].services)
    old = backup(tmp_path, "cn")
    crossing(sides)
    log(sides["vn"])
    offer_head(sides["vn"].services)
    restore(sides, tmp_path, "cn", old)
    assert offer_head(sides["vn"].services) == "cosigned"
    assert kinds(sides["vn"]) == [("restored", "cn")]
    assert len(heads(sides["cn"], "vn")) == 2


def test_a_restoration_that_hides_more_than_it_says_is_not_believed(sides):
    """What is said to be lost must be the newest head that both signed."""
    from gateway.evidence.ledger import RESTORATION_TYPE, AskRestored, Restored, Sizes, TellNoted

    crossing(sides)
    log(sides["vn"])
    offer_head(sides["vn"].services)
    (head,) = heads(sides["cn"], "vn")
    services = sides["vn"].services
    true = Sizes(1, head.size, head.root.hex())
    for lost, kept in (
        (Sizes(1, head.size - 1, head.root.hex()), Sizes(0, 0, "")),
        (true, Sizes(1, head.size - 1, "00" * 32)),
        (Sizes(1, head.size, "00" * 32), Sizes(0, 0, "")),
    ):
        word = Restored("vn", 2, stated(services.clock()), lost, kept)
        statement = sign_statement(RESTORATION_TYPE, write(word), [services.head_signer])
        told = ask(services, services.counterpart(), AskRestored(statement)).tell
        assert told == TellNoted("conflict")
    assert sides["cn"].services.store.read(lambda tx: tx.epoch("vn")) == 1


def question(side, **changes) -> bytes:
    services = side.services
    said = {
        "profile": "1",
        "sender": services.name,
        "recipient": services.counterpart().name,
        "id": services.ids(),
        "at": stated(services.clock()),
        "ask": AskHeads(),
    }
    signer = changes.pop("signer", services.head_signer)
    kind = changes.pop("kind", REQUEST_TYPE)
    return sign_statement(kind, write(Question(**(said | changes))), [signer])


HOSTILE = {
    "another recipient": ({"recipient": "xx"}, "party-mismatch"),
    "another sender": ({"sender": "cn"}, "party-mismatch"),
    "another profile": ({"profile": "2"}, "party-mismatch"),
    "old": ({"at": "2026-05-14T00:00:00.000Z"}, "stale"),
    "ahead": ({"at": "2026-05-14T09:00:00.000Z"}, "future-dated"),
    "another type": ({"kind": "application/vnd.bilateral-gateway.head+json"}, "party-mismatch"),
    "without a zone": ({"at": "2026-05-14T01:15:12.345"}, "schema-invalid"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_question_that_is_not_ours_now_is_not_answered(sides, name):
    changes, code = HOSTILE[name]
    with pytest.raises(GatewayError) as caught:
        answer(sides["cn"].services, "vn", question(sides["vn"], **changes))
    assert caught.value.code == code


@pytest.mark.parametrize("usage", ["message_signer", "receipt_signer", "statement_signer"])
def test_only_the_head_key_asks(sides, usage):
    asked = question(sides["vn"], signer=getattr(sides["vn"].services, usage))
    with pytest.raises(TrustError) as caught:
        answer(sides["cn"].services, "vn", asked)
    assert caught.value.code == "signature-missing"


def test_an_answer_to_another_question_tells_nothing(sides):
    """A recorded answer is genuine, and still no answer to this question."""
    recorded = answer(sides["cn"].services, "vn", question(sides["vn"]))
    post = sides["vn"].wire.peers["cn/ledger"]
    sides["vn"].wire.peers["cn/ledger"] = lambda body: type(post(body))(200, recorded)
    with pytest.raises(CounterpartError) as caught:
        offer_head(sides["vn"].services)
    assert caught.value.code == "bad-answer"
    assert caught.value.findings[0].rule == "settlement-binding"


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b"<html/>", b"[" * 10_000])
def test_noise_is_no_answer_and_no_question(sides, body):
    sides["vn"].wire.peers["cn/ledger"] = lambda _: __import__(
        "gateway.flows.ports", fromlist=["LinkAnswer"]
    ).LinkAnswer(200, body)
    with pytest.raises(CounterpartError):
        offer_head(sides["vn"].services)
    with pytest.raises(TrustError):
        answer(sides["cn"].services, "vn", body)


def test_a_head_of_another_log_or_epoch_is_not_cosigned(sides, keys):
    crossing(sides)
    log(sides["cn"])
    theirs = sides["cn"].services.store.read(lambda tx: tx.latest_head())
    for head in (theirs.statement, made_up_head(sides["vn"], 5, b"\x01" * 32, epoch=2)):
        with pytest.raises(CounterpartError):
            ask_head(sides["vn"], head, 0)
    assert policy(keys, "cn", Usage.HEAD)
    assert heads(sides["cn"], "vn") == ()


def test_a_head_without_the_right_base_is_asked_again(sides):
    from gateway.flows.settle_witness import witness

    crossing(sides)
    log(sides["vn"])
    head = sides["vn"].services.store.read(lambda tx: tx.latest_head())
    services = sides["cn"].services
    with pytest.raises(StateError) as caught:
        witness(services, services.counterpart(), AskHead(head.statement, 3, ()), b"")
    assert caught.value.findings[0].rule == "ledger-base"


TOO_MUCH = {
    "days": (AskDays(tuple(DayMarks(f"2026-01-{n:02}", (0, ""), (0, "")) for n in range(32))), 31),
    "nodes": (AskNodes("2026-05-14", "sent", ("a",) * 65), 64),
    "ids": (AskFetch("sent", tuple(map(str, range(101)))), 100),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_a_question_that_asks_for_too_much_is_refused(sides, name):
    wanted, most = TOO_MUCH[name]
    with pytest.raises(DocumentError) as caught:
        answer(sides["cn"].services, "vn", question(sides["vn"], ask=wanted))
    assert caught.value.code == "too-large"
    assert caught.value.findings[0].expected == str(most)


@pytest.mark.parametrize(
    "wanted",
    [
        AskNodes("2026-05-14", "sideways", ("",)),
        AskNodes("2026-05-14", "sent", ("x",)),
        AskNodes("2026-05-14", "sent", ("0" * 17,)),
        AskFetch("", ("a",)),
        AskReturn("", Kept("a", b"", None)),
    ],
)
def test_a_question_without_sense_is_refused(sides, wanted):
    with pytest.raises(DocumentError) as caught:
        answer(sides["cn"].services, "vn", question(sides["vn"], ask=wanted))
    assert caught.value.code == "schema-invalid"


def test_days_and_ids_that_nobody_has_are_answered(sides):
    """Nonsense that is well formed costs nothing and tells nothing."""
    for wanted in (
        AskNodes("9999-99-99", "sent", ("", "f" * 16)),
        AskFetch("accepted", ("../../etc/passwd", "' OR 1=1 --", "")),
    ):
        assert answer(sides["cn"].services, "vn", question(sides["vn"], ask=wanted))


@pytest.mark.parametrize("field", ["wire", "receipt"])
def test_what_is_given_back_must_be_what_it_says(sides, field):
    noise = {"wire": b"<x/>", "receipt": b"<x/>"} | {field: b"\xff"}
    told = answer(
        sides["cn"].services,
        "vn",
        question(sides["vn"], ask=AskReturn("sent", Kept("a", noise["wire"], noise["receipt"]))),
    )
    tell = read_reply(payload_of(told)).tell
    assert isinstance(tell, TellNoted)
    assert tell.code
