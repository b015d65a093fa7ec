"""A truck crosses: both gateways, the join, the receipts, the response, the answers."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from flow_sides import NOW, policy

from gateway.errors import DocumentError
from gateway.flows import deliver, query, seal, waiting
from gateway.flows.ports import Task
from gateway.flows.retry import Done
from gateway.flows.submit import Upload, submit
from gateway.model.parameters import Parameters
from gateway.model.states import MessageKind, TaskKind
from gateway.signing.dsse import verify_statement
from gateway.signing.trust import Usage

SAMPLES = Path(__file__).parent.parent / "samples"
ORIGINALS = ("tor.edi", "eda-1.edi", "eda-2.edi")


def upload(folder: str, name: str) -> Upload:
    return Upload(name, (SAMPLES / folder / name).read_bytes())


def parameters(folder: str) -> Parameters:
    content = (SAMPLES / folder / "parameters.json").read_bytes()
    return msgspec.json.decode(content, type=Parameters)


def agency(side, name="customs"):
    return side.services.agencies[name]


def hand_in(side, folder: str, *names: str, key: str | None = None):
    uploads = [upload(folder, name) for name in names]
    return submit(side.services, agency(side), uploads, parameters(folder), key)


def states(side, conversation: str) -> dict[str, str]:
    view = query.crossing(side.services, agency(side), conversation)
    return {f"{m.kind}:{m.document_type}": str(m.state) for m in view.messages}


def settle(sides) -> None:
    while sides["vn"].work() + sides["cn"].work():
        pass


def taken(sides, document_type: str) -> list[bytes]:
    return [
        body
        for _, body, headers in sides["vn"].wire.taken
        if headers["Gateway-Document-Type"] == document_type
    ]


def response_to(mt1401: bytes) -> Upload:
    """The Chinese customs answer: it echoes the id of the message that it answers."""
    own_id = re.search(rb"<MessageID>([^<]+)</MessageID>", mt1401).group(1)
    text = (SAMPLES / "dragon-fruit" / "response.xml").read_bytes()
    return Upload("response.xml", re.sub(rb"(<MessageID>)[^<]+", rb"\1" + own_id, text))


def dragon_fruit(sides):
    done = hand_in(sides["vn"], "dragon-fruit", "tor.edi", "eda-1.edi", "eda-2.edi")
    settle(sides)
    return done


def test_a_dragon_fruit_truck_crosses(sides):
    done = dragon_fruit(sides)
    assert done.state == "translated"
    assert states(sides["vn"], done.conversation_id) == {
        "submission:vn.vnaccs.tor": "translated",
        "submission:vn.vnaccs.eda": "translated",
        "outbound:cn.mt1401": "receipted",
        "outbound:cn.mt4401": "receipted",
    }
    (mt1401,), (mt4401,) = taken(sides, "cn.mt1401"), taken(sides, "cn.mt4401")
    assert mt1401.count(b"<Consignment>") == 2
    assert b"<ID>5100260514001</ID>" in mt1401
    assert b"<ID>5100260514001</ID>" in mt4401
    assert b"<Name>12C08631</Name>" in mt4401


def test_halves_that_come_one_by_one_meet(sides):
    for name in ("eda-2.edi", "tor.edi"):
        assert hand_in(sides["vn"], "dragon-fruit", name).state == "waiting"
        settle(sides)
        assert taken(sides, "cn.mt1401") == []
    assert hand_in(sides["vn"], "dragon-fruit", "eda-1.edi").state == "translated"
    settle(sides)
    (mt1401,) = taken(sides, "cn.mt1401")
    assert mt1401.count(b"<Consignment>") == 2


def test_the_response_becomes_one_answer_per_declaration(sides):
    done = dragon_fruit(sides)
    (mt1401,) = taken(sides, "cn.mt1401")
    submit(sides["cn"].services, agency(sides["cn"]), [response_to(mt1401)], Parameters())
    settle(sides)
    answers = {
        re.search(rb"<reference>([^<]+)", a).group(1): a for a in taken(sides, "vn.vnsw.answer")
    }
    assert sorted(answers) == [b"GW-DF-0001-A", b"GW-DF-0001-B"]
    assert b"<function>99</function>" in answers[b"GW-DF-0001-A"]
    assert b"<function>00</function>" in answers[b"GW-DF-0001-B"]
    assert b"<ErrorCode>CC020_03</ErrorCode>" in answers[b"GW-DF-0001-B"]
    view = query.crossing(sides["vn"].services, agency(sides["vn"]), done.conversation_id)
    assert {(s.axis, s.subject): s.state for s in view.statuses} == {
        ("waybill", "VN260514000101"): "accepted",
        ("waybill", "VN260514000102"): "rejected",
        ("declaration", "GW-DF-0001-A"): "accepted",
        ("declaration", "GW-DF-0001-B"): "rejected",
        ("truck", "5100260514001"): "rejected",
    }


def test_the_same_response_again_gives_no_second_answer(sides):
    dragon_fruit(sides)
    (mt1401,) = taken(sides, "cn.mt1401")
    for _ in range(2):
        submit(sides["cn"].services, agency(sides["cn"]), [response_to(mt1401)], Parameters())
        settle(sides)
    assert len(taken(sides, "vn.vnsw.answer")) == 2


def test_a_durian_truck_from_the_lang_son_registration(sides):
    done = hand_in(sides["vn"], "durian", "registration.json")
    settle(sides)
    assert done.state == "translated"
    assert len(taken(sides, "cn.mt1401")) == len(taken(sides, "cn.mt4401")) == 1


def test_an_electronics_truck_comes_as_a_draft_and_is_completed(sides):
    for name in ("mt2401.xml", "mt4402.xml"):
        submit(
            sides["cn"].services, agency(sides["cn"]), [upload("electronics", name)], Parameters()
        )
    settle(sides)
    (draft,) = taken(sides, "vn.vnaccs.tir")
    assert b"MAU MOTOR" not in draft
    vn = sides["vn"]
    page = query.search(vn.services, agency(vn), key=("batch", "5100260518001"))
    conversation = page.messages[0].conversation_id
    waiting.supplement(vn.services, "customs", conversation, parameters("electronics"))
    settle(sides)
    complete = taken(sides, "vn.vnaccs.tir")[-1]
    assert b"MAU MOTOR" in complete
    assert b"GUI-F12345" in complete


def test_a_retry_after_a_lost_answer_delivers_once(sides):
    sides["vn"].wire.lose_answers = 1
    done = hand_in(sides["vn"], "dragon-fruit", "tor.edi", "eda-1.edi", "eda-2.edi")
    settle(sides)
    sides["vn"].clock.at += __import__("datetime").timedelta(minutes=5)
    settle(sides)
    bodies = [body for to, body in sides["vn"].wire.sent if to == "cn"]
    assert len(bodies) == 3
    assert bodies[0] in bodies[1:]
    assert len(taken(sides, "cn.mt1401")) == 1
    assert states(sides["vn"], done.conversation_id)["outbound:cn.mt1401"] == "receipted"


def test_the_same_idempotency_key_gets_the_first_answer(sides):
    names = ("tor.edi", "eda-1.edi", "eda-2.edi")
    first = hand_in(sides["vn"], "dragon-fruit", *names, key="k1")
    again = hand_in(sides["vn"], "dragon-fruit", *names, key="k1")
    assert again.messages == first.messages
    assert again.replayed


def test_a_refused_document_leaves_nothing_and_consumes_nothing(sides):
    content = (SAMPLES / "dragon-fruit" / "eda-1.edi").read_bytes()
    broken = Upload("eda.edi", content.replace(b"VNHUGT", b"VNXXXX"))
    with pytest.raises(DocumentError) as refused:
        submit(sides["vn"].services, agency(sides["vn"]), [broken], Parameters())
    assert refused.value.code == "code-unknown"
    assert query.search(sides["vn"].services, agency(sides["vn"])).messages == ()


@pytest.mark.parametrize("secret", ["C1234567", "IGV LANE", "Ghi chú nội bộ", "PHO MAU"])
def test_what_is_private_never_leaves(sides, secret):
    dragon_fruit(sides)
    for _, body in sides["vn"].wire.sent:
        assert secret.encode() not in body


def test_a_response_that_fits_nothing_is_parked_and_can_be_tried_again(sides):
    vn = sides["vn"]
    stray = response_to(b"<MessageID>CN_MT1401_1p0_7208990000001_20200101000000000</MessageID>")
    stray = Upload("r.xml", stray.content.replace(b"5100260514001", b"5100260514999"))
    submit(sides["cn"].services, agency(sides["cn"]), [stray], Parameters())
    settle(sides)
    (parked,) = query.search(vn.services, agency(vn, "operator"), kind=MessageKind.INBOUND).messages
    assert parked.state == "dead"
    assert taken(sides, "vn.vnsw.answer") == []
    assert query.resend(vn.services, agency(vn, "operator"), parked.id) == 1
    settle(sides)
    (again,) = query.search(vn.services, agency(vn, "operator"), kind=MessageKind.INBOUND).messages
    assert again.state == "dead"
    codes = [e.code for e in query.status(vn.services, agency(vn, "operator"), parked.id).events]
    assert codes.count("dead") == 2


def test_documents_are_handed_over_as_what_they_are(sides):
    posted = []
    post = sides["cn"].wire.post

    def seen(destination, body, media_type, headers):
        posted.append((destination, headers.get("Gateway-Document-Type"), media_type))
        return post(destination, body, media_type, headers)

    sides["cn"].wire.post = seen
    dragon_fruit(sides)
    assert ("cn-customs", "cn.mt1401", "application/xml") in posted


def test_the_vehicle_register_fills_what_no_chinese_document_holds(sides):
    vn = sides["vn"]
    (filing,) = re.findall(
        rb"<BorderTransportMeans>.*?<ID>([^<]+)</ID>", upload("electronics", "mt4402.xml").content,
        re.DOTALL,
    )  # fmt: skip
    vehicle = {"type": "TRUCK", "make": "MAU REGISTER", "colour": "RED", "seats": "2"}
    vn.services = replace(vn.services, register={filing.decode(): vehicle})
    for name in ("mt2401.xml", "mt4402.xml"):
        submit(
            sides["cn"].services, agency(sides["cn"]), [upload("electronics", name)], Parameters()
        )
    settle(sides)
    (draft,) = taken(sides, "vn.vnaccs.tir")
    assert b"MAU REGISTER" in draft
    assert b"RED" in draft


def domestic(side) -> list:
    tx = side.services.store.read
    return tx(lambda t: t.search(kind=MessageKind.DOMESTIC)).messages


def test_the_report_of_each_document_made_for_an_agency_is_signed(sides, keys):
    dragon_fruit(sides)
    (mt1401,) = taken(sides, "cn.mt1401")
    submit(sides["cn"].services, agency(sides["cn"]), [response_to(mt1401)], Parameters())
    settle(sides)
    read = sides["vn"].services.store.read
    made = domestic(sides["vn"])
    assert [m.document_type for m in made] == ["vn.vnsw.answer"] * 2
    trusted = policy(keys, "vn", Usage.STATEMENT)
    for message in made:
        report = read(lambda tx, m=message: tx.content(m.id, "report"))
        statement = read(lambda tx, m=message: tx.content(m.id, "report-signature"))
        assert verify_statement(statement, trusted, NOW) == (deliver.REPORT_TYPE, report)


def test_sealing_again_changes_nothing(sides):
    dragon_fruit(sides)
    (mt1401,) = taken(sides, "cn.mt1401")
    submit(sides["cn"].services, agency(sides["cn"]), [response_to(mt1401)], Parameters())
    settle(sides)
    vn = sides["vn"].services
    message = domestic(sides["vn"])[0].id
    before = vn.store.read(lambda tx: tx.content(message, "report-signature"))
    again = Task(0, TaskKind.SEAL, message, "internal", message, 1, vn.clock())
    assert seal.seal(vn, again) == Done()
    assert vn.store.read(lambda tx: tx.content(message, "report-signature")) == before


def test_the_commitment_covers_the_originals_and_what_was_stated(sides):
    done = dragon_fruit(sides)
    read = sides["vn"].services.store.read
    (message,) = [
        m
        for m in read(lambda tx: tx.conversation(done.conversation_id))
        if m.document_type == "cn.mt1401"
    ]
    originals = [(SAMPLES / "dragon-fruit" / n).read_bytes() for n in ORIGINALS]
    stated = read(lambda tx: tx.content(message.id, "parameters"))
    assert msgspec.json.decode(stated, type=Parameters) == parameters("dragon-fruit")
    salt = read(lambda tx: tx.content(message.id, "commitment-salt"))
    digests = b"".join(hashlib.sha256(part).digest() for part in (*originals, stated))
    committed = hashlib.sha256(salt + digests).hexdigest()
    wire = read(lambda tx: tx.content(message.id, "wire"))
    assert committed.encode() in wire
