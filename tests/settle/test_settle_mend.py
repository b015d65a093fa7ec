"""Sides that disagree on purpose: withheld, denied, two contents."""

import dataclasses
import json

import msgspec
import pytest
from flow_sides import NOW
from ledger_sides import anchors_of, connect, crossing, kinds, lose

from gateway.codec import envelope
from gateway.evidence import ledger
from gateway.flows import settle_answer
from gateway.flows.ports import LinkAnswer
from gateway.flows.proof_check import verify_proof
from gateway.flows.receive import receive
from gateway.flows.settle import settle
from gateway.flows.settle_talk import stated
from gateway.model.states import MessageKind
from gateway.safexml import parse
from gateway.signing.dsse import sign_statement
from gateway.signing.profiles import profile
from gateway.signing.sign import sign_document
from gateway.signing.verify import verify_document

DAY = str(NOW.date())


def first(side, kind):
    return side.services.store.read(lambda tx: tx.search(kind=kind)).messages[0]


def content(side, message, role):
    return side.services.store.read(lambda tx: tx.content(message.id, role))


def telling(side, caller, change, deaf=None):
    """Let a side answer otherwise than it should; it still signs what it says. deaf: a kind of
    question that it does not act on."""
    services = side.services

    def post(body: bytes) -> LinkAnswer:
        payload = ledger.payload_of(body)
        if deaf is not None and isinstance(ledger.read_question(payload).ask, deaf):
            at = stated(services.clock())
            name = ledger.name_of(payload)
            said = ledger.Reply("1", services.name, caller, name, at, ledger.TellNoted("refused"))
        else:
            honest = settle_answer.answer(services, caller, body)
            said = ledger.read_reply(ledger.payload_of(honest))
            said = msgspec.structs.replace(said, tell=change(said.tell))
        signed = sign_statement(ledger.ANSWER_TYPE, ledger.write(said), [services.head_signer])
        return LinkAnswer(200, signed)

    side.wire.peers[f"{services.name}/ledger"] = post


def test_a_message_that_they_say_they_sent_and_do_not_give_is_told(sides, tmp_path):
    crossing(sides)
    lost = first(sides["cn"], MessageKind.INBOUND)
    lose(tmp_path, "cn", lost.id)

    def withhold(tell):
        if isinstance(tell, ledger.TellKept):
            return ledger.TellKept((), (lost.external_id,))
        return tell

    telling(sides["vn"], "cn", withhold)
    (day,) = settle(sides["cn"].services, [DAY]).days
    assert day.alarms == [("withheld", lost.external_id)]
    assert not day.agreed
    connect(sides["vn"], "cn")
    (day,) = settle(sides["cn"].services, [DAY]).days
    assert day.fetched == [lost.external_id]
    assert kinds(sides["cn"]) == [], "the alarm is cleared: its cause is gone"


def test_a_message_that_its_sender_denies_is_told_with_its_signature(sides, tmp_path):
    crossing(sides)
    denied = first(sides["vn"], MessageKind.OUTBOUND)
    lose(tmp_path, "vn", denied.id)

    telling(sides["vn"], "cn", lambda tell: tell, deaf=ledger.AskReturn)
    (day,) = settle(sides["cn"].services, [DAY]).days
    assert day.alarms == [("denied", denied.id)]
    (alarm,) = sides["cn"].services.store.read(lambda tx: tx.alarms())
    verdict = verify_proof(alarm.proof, anchors_of(sides))
    assert verdict.ok, verdict
    other = json.loads(alarm.proof) | {"subject": "another"}
    assert not verify_proof(json.dumps(other).encode(), anchors_of(sides)).ok


def another_content(side, message) -> bytes:
    """The same id over other content, signed by the sender's own key."""
    wire = content(side, message, "wire")
    services = side.services
    policy = sides_policy(side, services)
    verified = verify_document(parse(wire), policy, services.clock())
    stated, body = envelope.read_message(verified.element)
    changed = dataclasses.replace(stated, sequence=stated.sequence + 7)
    unsigned = envelope.build_message(changed, envelope.octets_of(body))
    return sign_document(unsigned, services.message_signer, profile("demo"))


def sides_policy(side, services):
    from gateway.flows.settle_own import own_policy
    from gateway.signing.trust import Usage

    return own_policy(services, services.counterpart(), Usage.MESSAGE)


@pytest.mark.proves(
    attack="two contents under one message id",
    code="id-conflict",
    behaviour="refused, the first stands; both signed messages are kept as a proof that verifies "
    "offline",
)
def test_two_contents_under_one_id_are_kept_as_proof(sides):
    crossing(sides)
    message = first(sides["vn"], MessageKind.OUTBOUND)
    answer = receive(sides["cn"].services, "vn", another_content(sides["vn"], message))
    assert (answer.ok, answer.code) == (False, "id-conflict")
    (alarm,) = sides["cn"].services.store.read(lambda tx: tx.alarms())
    assert (alarm.kind, alarm.party, alarm.subject) == ("two-contents", "vn", message.id)
    assert verify_proof(alarm.proof, anchors_of(sides)).ok
    proof = json.loads(alarm.proof)
    same = {**proof, "statements": [proof["statements"][0]] * 2}
    assert not verify_proof(json.dumps(same).encode(), anchors_of(sides)).ok


def test_two_contents_are_found_by_settlement_too(sides, tmp_path):
    """One side accepted one content, the sender's store has the other."""
    crossing(sides)
    message = first(sides["vn"], MessageKind.OUTBOUND)
    other = another_content(sides["vn"], message)
    lost = first(sides["cn"], MessageKind.INBOUND)
    known = sides["cn"].services.store.read(
        lambda tx: tx.known(MessageKind.INBOUND, "vn", message.id)
    )
    lose(tmp_path, "cn", known.id)
    assert receive(sides["cn"].services, "vn", other).ok
    (day,) = settle(sides["cn"].services, [DAY]).days
    assert day.alarms == [("two-contents", message.id)]
    assert kinds(sides["cn"]) == [("two-contents", "vn")]
    (alarm,) = sides["cn"].services.store.read(lambda tx: tx.alarms())
    assert verify_proof(alarm.proof, anchors_of(sides)).ok
    assert lost


def test_a_forged_message_is_not_taken_back(sides, tmp_path):
    """The peer gives as ours what our key never signed, with its own good receipt."""
    crossing(sides)
    lost = first(sides["vn"], MessageKind.OUTBOUND)
    kept = first(sides["cn"], MessageKind.INBOUND)
    receipt = content(sides["cn"], kept, "receipt")
    forged = content(sides["cn"], kept, "wire").replace(b"<xp:To>cn", b"<xp:To>xn", 1)
    lose(tmp_path, "vn", lost.id)

    def forge(tell):
        if isinstance(tell, ledger.TellKept):
            return ledger.TellKept((ledger.Kept(kept.external_id, forged, receipt),), ())
        return tell

    telling(sides["cn"], "vn", forge)
    (day,) = settle(sides["vn"].services, [DAY]).days
    assert not day.fetched
    assert {kind for kind, _ in day.alarms} == {"unsettled"}


def test_a_receipt_that_is_not_ours_gives_no_right_to_come_late(sides, tmp_path):
    """The sender makes up a receipt with its own key for a message that was never accepted."""
    crossing(sides)
    message = first(sides["vn"], MessageKind.OUTBOUND)
    inbound = sides["cn"].services.store.read(
        lambda tx: tx.known(MessageKind.INBOUND, "vn", message.id)
    )
    lose(tmp_path, "cn", inbound.id)
    unsigned = envelope.build_receipt(envelope.Receipt(message.id, message.digest, "cn", "vn", NOW))
    forged = sign_document(unsigned, sides["vn"].services.receipt_signer, profile("demo"))
    wanted = ledger.Kept(message.id, content(sides["vn"], message, "wire"), forged)
    told = settle_answer._returned(
        sides["cn"].services, sides["cn"].services.counterpart(), "sent", wanted
    )
    assert told == ledger.TellNoted("signer-untrusted")
