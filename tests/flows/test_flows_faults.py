"""What the link answers to what should not be, and what happens when a part is away."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flow_sides import Clock, Side
from msgspec.structs import replace as replace_struct
from test_flows_crossing import (
    agency,
    dragon_fruit,
    hand_in,
    parameters,
    settle,
    states,
    taken,
    upload,
)

from gateway.codec import envelope
from gateway.codec.envelope import Envelope
from gateway.errors import UnavailableError
from gateway.flows import query, waiting
from gateway.flows.ports import LinkAnswer
from gateway.flows.receive import receive
from gateway.flows.submit import submit
from gateway.model.parameters import Parameters
from gateway.safexml import c14n, parse
from gateway.signing.profiles import profile
from gateway.signing.sign import sign_document
from gateway.signing.verify import verify_document


class AwaySigner:
    """A key that is elsewhere and cannot be reached."""

    def __init__(self, real) -> None:
        self.key_id, self.certificate, self.algorithm = (
            real.key_id,
            real.certificate,
            real.algorithm,
        )

    def sign(self, message: bytes) -> bytes:
        raise UnavailableError("unavailable", retry_after=5)


def link_message(sides, **changes) -> bytes:
    """A message from cn to vn as its gateway would make it, with a changed envelope."""
    cn: Side = sides["cn"]
    now = cn.clock()
    stated = Envelope(
        message_id=cn.services.ids(),
        conversation_id=cn.services.ids(),
        ref_to=None,
        sender="cn",
        recipient="vn",
        document_type="cn.mt2401",
        document_type_version="1.0",
        function="original",
        document_version=1,
        order_key="5100260518001",
        sequence=1,
        created=now,
        expires=now + timedelta(days=8),
        test=False,
        commitment="0" * 64,
    )
    body = changes.pop("body", None) or c14n(parse(upload("electronics", "mt2401.xml").content))
    unsigned = envelope.build_message(replace(stated, **changes), body)
    return sign_document(unsigned, cn.services.message_signer, profile("demo"))


def verdict(sides, content: bytes) -> tuple[str, object]:
    """Return the code of the signed refusal, or 'receipt', and the answer read back."""
    vn = sides["vn"]
    answer = receive(vn.services, "cn", content)
    policy = sides["cn"].services.counterparts["vn"].receipts
    verified = verify_document(parse(answer.content), policy, vn.clock())
    if answer.ok:
        return "receipt", envelope.read_receipt(verified.element)
    refused = envelope.read_refusal(verified.element)
    assert refused.code == answer.code
    return refused.code, refused


def inbound(sides) -> list:
    vn = sides["vn"]
    page = query.search(vn.services, agency(vn, "operator"))
    return [m for m in page.messages if m.kind == "inbound"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"recipient": "xx"}, "wrong-recipient"),
        ({"sender": "vn"}, "party-mismatch"),
        ({"test": True}, "rule-broken"),
        ({"document_type": "cn.mt1401"}, "type-unknown"),
        ({"document_type_version": "9.9"}, "version-unsupported"),
        ({"order_key": "5100260518999"}, "rule-broken"),
        ({"profile_version": "2"}, "version-unsupported"),
    ],
)
def test_what_is_not_agreed_is_refused_signed_and_stored_nowhere(sides, changes, code):
    assert verdict(sides, link_message(sides, **changes))[0] == code
    assert inbound(sides) == []


def test_all_findings_of_a_document_come_back_in_the_refusal(sides):
    body = c14n(parse(upload("electronics", "mt2401.xml").content))
    body = body.replace(b"<CurrentCode>RD09</CurrentCode>", b"<CurrentCode>RD0999</CurrentCode>")
    body = body.replace(b'unitCode="MTQ"', b'unitCode="XXX"')
    code, refused = verdict(sides, link_message(sides, body=body))
    assert code == "schema-invalid"
    assert len(refused.findings) >= 2
    assert all(finding.path for finding in refused.findings)


@pytest.mark.proves(
    attack="a message dated in the future",
    code="future-dated",
    behaviour="signed refusal",
    rule="created",
)
@pytest.mark.proves(
    attack="a message that is older than agreed",
    code="stale",
    behaviour="signed refusal; a known message gets its stored receipt at any age",
    rule="created",
)
def test_old_and_future_messages_are_refused_but_known_ones_never(sides):
    clock: Clock = sides["vn"].clock
    now = clock()
    late = {"created": now - timedelta(days=31), "expires": now + timedelta(days=1)}
    assert verdict(sides, link_message(sides, **late))[0] == "stale"
    ahead = {"created": now + timedelta(minutes=6), "expires": now + timedelta(days=8)}
    assert verdict(sides, link_message(sides, **ahead))[0] == "future-dated"
    known = link_message(sides)
    first = receive(sides["vn"].services, "cn", known)
    clock.at += timedelta(days=40)
    again = receive(sides["vn"].services, "cn", known)
    assert again.ok
    assert again.content == first.content


@pytest.mark.proves(
    attack="two contents under one message id",
    code="id-conflict",
    behaviour="signed refusal; the first stays",
    rule="digest",
)
def test_one_id_with_two_contents_is_a_conflict(sides):
    first = link_message(sides, message_id="m-1")
    other = link_message(sides, message_id="m-1", sequence=2)
    assert verdict(sides, first)[0] == "receipt"
    assert verdict(sides, other)[0] == "id-conflict"
    assert len(inbound(sides)) == 1


def test_a_gap_is_visible_in_the_receipt(sides):
    _, receipt = verdict(sides, link_message(sides, sequence=3))
    assert receipt.sequence_gap == (1, 2)


@pytest.mark.proves(
    attack="a refused message id comes again with a right document",
    code="-",
    behaviour="judged anew: a refusal consumes nothing",
)
def test_a_refused_id_is_not_consumed(sides):
    wrong = link_message(sides, message_id="m-2", order_key="5100260518999")
    assert verdict(sides, wrong)[0] == "rule-broken"
    assert verdict(sides, link_message(sides, message_id="m-2"))[0] == "receipt"


@pytest.mark.proves(
    attack="one octet of a message is changed on the way",
    code="signature-invalid",
    behaviour="signed refusal",
)
def test_a_changed_octet_is_no_valid_message(sides):
    changed = link_message(sides).replace(b"7300", b"7301", 1)
    assert verdict(sides, changed)[0] == "signature-invalid"


@pytest.mark.proves(
    attack="the receipt key cannot be reached",
    code="unavailable",
    behaviour="503 with Retry-After; nothing is accepted; it recovers by itself",
)
def test_without_a_receipt_key_nothing_is_accepted_and_it_recovers(sides):
    vn = sides["vn"]
    real = vn.services
    away = replace(real, receipt_signer=AwaySigner(real.receipt_signer))
    content = link_message(sides)
    with pytest.raises(UnavailableError) as unavailable:
        receive(away, "cn", content)
    assert unavailable.value.retry_after == 5
    assert inbound(sides) == []
    assert receive(real, "cn", content).ok


@pytest.mark.proves(
    attack="the message key cannot be reached",
    code="-",
    behaviour="submissions commit, and are signed and sent when it is back",
)
def test_without_a_message_key_submissions_commit_and_are_sent_later(sides):
    vn = sides["vn"]
    real = vn.services
    vn.services = replace(real, message_signer=AwaySigner(real.message_signer))
    done = hand_in(vn, "durian", "registration.json")
    settle(sides)
    assert done.state == "translated"
    assert taken(sides, "cn.mt1401") == []
    vn.services = real
    vn.clock.at += timedelta(minutes=20)
    settle(sides)
    vn.clock.at += timedelta(minutes=20)
    settle(sides)
    assert len(taken(sides, "cn.mt1401")) == 1


@pytest.mark.proves(
    attack="HTTP 200, or a proxy's page, without a signed receipt",
    code="receipt-missing",
    behaviour="no receipt: the message stays queued and is sent again",
)
@pytest.mark.parametrize(
    "answer",
    [
        LinkAnswer(200, b""),
        LinkAnswer(200, b"<html>ok</html>"),
        LinkAnswer(502, b"Bad gateway"),
        LinkAnswer(503, b"", 30.0),
    ],
)
def test_http_200_is_no_receipt(sides, answer):
    wire = sides["vn"].wire
    real = wire.peers["cn"]
    wire.peers["cn"] = lambda body: answer
    done = hand_in(sides["vn"], "durian", "registration.json")
    sides["vn"].work()
    assert states(sides["vn"], done.conversation_id)["outbound:cn.mt1401"] == "queued"
    wire.peers["cn"] = real
    sides["vn"].clock.at += timedelta(minutes=20)
    settle(sides)
    sides["vn"].clock.at += timedelta(minutes=20)
    settle(sides)
    assert states(sides["vn"], done.conversation_id)["outbound:cn.mt1401"] == "receipted"


@pytest.mark.proves(
    attack="a valid receipt for another message",
    code="receipt-invalid",
    behaviour="no receipt: the message stays queued and is sent again",
    rule="binding",
)
def test_a_receipt_for_another_message_is_no_receipt(sides):
    wire = sides["vn"].wire
    real, kept = wire.peers["cn"], []

    def swapped(body: bytes) -> LinkAnswer:
        kept.append(real(body))
        return kept[0]

    wire.peers["cn"] = swapped
    done = hand_in(sides["vn"], "durian", "registration.json")
    sides["vn"].work()
    found = states(sides["vn"], done.conversation_id)
    assert found["outbound:cn.mt1401"] == "receipted"
    assert found["outbound:cn.mt4401"] == "queued"


def test_a_signed_refusal_ends_the_message_and_is_shown(sides):
    wire = sides["vn"].wire
    services = replace(sides["cn"].services, test=True)
    wire.peers["cn"] = lambda body: LinkAnswer(422, receive(services, "vn", body).content)
    done = hand_in(sides["vn"], "durian", "registration.json")
    settle(sides)
    found = states(sides["vn"], done.conversation_id)
    assert found["outbound:cn.mt1401"] == "refused"
    assert found["outbound:cn.mt4401"] == "refused"


@pytest.mark.proves(
    attack="a domestic table cannot take a valid message",
    code="-",
    behaviour="the counterpart has its receipt; the message waits for the operator",
)
def test_a_fault_in_a_domestic_table_never_refuses_the_counterpart(sides):
    vn = sides["vn"]
    cn = sides["cn"]
    for name in ("mt2401.xml", "mt4402.xml"):
        content = upload("electronics", name)
        content = replace(content, content=content.content.replace("桂".encode(), "龘".encode()))
        submit(cn.services, agency(cn), [content], Parameters())
    settle(sides)
    page = query.search(cn.services, agency(cn, "operator"))
    assert {str(m.state) for m in page.messages if m.kind == "outbound"} == {"receipted"}
    found = {m.document_type: str(m.state) for m in inbound(sides)}
    assert found["cn.mt4402"] == "dead"
    assert vn.services.store.read(lambda tx: tx.backlog())["internal"][2] == 1


def test_a_waiting_half_expires_and_a_late_one_opens_it_again(sides):
    vn = sides["vn"]
    early = hand_in(vn, "dragon-fruit", "tor.edi", "eda-1.edi")
    vn.clock.at += timedelta(hours=25)
    assert waiting.expire(vn.services) == 2
    assert set(states(vn, early.conversation_id).values()) == {"expired"}
    assert hand_in(vn, "dragon-fruit", "eda-2.edi").state == "translated"


def test_messages_of_one_batch_are_sent_in_order(sides):
    dragon_fruit(sides)
    sent = [body for to, body in sides["vn"].wire.sent if to == "cn"]
    order = [parse(body).findtext(".//{*}Envelope/{*}Sequence") for body in sent]
    assert order == ["1", "2"]


def test_an_ambiguous_half_is_shown_and_decided_by_a_reference(sides):
    """Two trucks with one container on one day fit one declaration (TRAPS 10)."""
    vn = sides["vn"]
    tor = upload("dragon-fruit", "tor.edi")
    twin = replace(tor, content=tor.content.replace(b"GW-DF-0001", b"GW-DF-0002"))
    goods = upload("dragon-fruit", "eda-2.edi")
    blank = goods.content[:253] + b" " * 10 + goods.content[263:]
    goods = replace(goods, content=blank.replace(b"GW-DF-0001-B", b"GW-ZZ-0009-B"))
    given = parameters("dragon-fruit")
    alone = Parameters(
        batch_number=given.batch_number, procedure_code=given.procedure_code,
        loading_at=given.loading_at, vehicle=given.vehicle, driver=given.driver,
        freight_payment=given.freight_payment,
    )  # fmt: skip
    for truck in (tor, twin):
        assert submit(vn.services, agency(vn), [truck], Parameters()).state == "waiting"
    done = submit(vn.services, agency(vn), [goods], Parameters())
    assert done.state == "waiting"
    view = query.status(vn.services, agency(vn), done.messages[0])
    assert view.events[-1].detail["reason"] == "ambiguous"
    decided = replace_struct(alone, join_ref="GW-DF-0002")
    state = waiting.supplement(vn.services, "customs", done.conversation_id, decided)
    view = query.status(vn.services, agency(vn), done.messages[0])
    assert state == "translated", view.events[-1]
    settle(sides)
    assert len(taken(sides, "cn.mt4401")) == 1


def test_two_messages_with_one_version_of_one_document_do_not_both_count(sides):
    assert verdict(sides, link_message(sides))[0] == "receipt"
    assert verdict(sides, link_message(sides, sequence=2))[0] == "conflict"
    assert len(inbound(sides)) == 1
