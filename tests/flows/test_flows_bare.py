"""GACC documents without our envelope (XP-BAR)."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from flow_sides import Side
from test_flows_crossing import agency, dragon_fruit, response_to, settle, taken, upload

from gateway.codec.envelope import read_receipt
from gateway.flows import query
from gateway.flows.receive import receive
from gateway.safexml import c14n, parse
from gateway.signing.profiles import profile
from gateway.signing.sign import sign_document
from gateway.signing.verify import verify_document


@pytest.fixture
def bare(sides) -> Side:
    """The vn side, which takes bare documents of its counterpart."""
    vn = sides["vn"]
    counterpart = replace(vn.services.counterpart(), accept_bare=True)
    vn.services = replace(vn.services, counterparts={"cn": counterpart})
    vn.clock.at += timedelta(days=6)
    return vn


def signed(sides, content: bytes) -> bytes:
    return sign_document(c14n(parse(content)), sides["cn"].services.message_signer, profile("demo"))


def inbound(side: Side) -> list:
    page = query.search(side.services, agency(side, "operator"))
    return [m for m in page.messages if m.kind == "inbound"]


def test_a_bare_manifest_is_taken_once(sides, bare):
    content = signed(sides, upload("electronics", "mt2401.xml").content)
    first, again = receive(bare.services, "cn", content), receive(bare.services, "cn", content)
    assert first.ok
    assert first.content == again.content
    (message,) = inbound(bare)
    assert message.document_type == "cn.mt2401"
    assert message.order_key == "5100260518001"
    assert message.external_id.startswith("CN_MT2401_1p0_")


def test_bare_documents_are_refused_where_that_is_not_agreed(sides):
    content = signed(sides, upload("electronics", "mt2401.xml").content)
    answer = receive(sides["vn"].services, "cn", content)
    assert answer.code == "type-unknown"
    assert inbound(sides["vn"]) == []


def test_several_bare_responses_to_one_request_are_told_apart(sides, bare):
    dragon_fruit(sides)
    (mt1401,) = taken(sides, "cn.mt1401")
    first = response_to(mt1401).content
    later = re.sub(rb"<SendTime>\d{17}", b"<SendTime>20260514094003123", first)
    for content in (first, later, first):
        assert receive(bare.services, "cn", signed(sides, content)).ok
    settle(sides)
    responses = [m for m in inbound(bare) if m.document_type == "cn.response"]
    assert len(responses) == 2
    assert len(taken(sides, "vn.vnsw.answer")) == 2


def test_a_bare_response_without_an_id_is_matched_by_batch_and_waybills(sides, bare):
    dragon_fruit(sides)
    (mt1401,) = taken(sides, "cn.mt1401")
    content = re.sub(rb"<MessageID>[^<]*</MessageID>", b"", response_to(mt1401).content)
    answer = receive(bare.services, "cn", signed(sides, content))
    assert answer.ok
    policy = sides["cn"].services.counterpart().receipts
    receipt = read_receipt(verify_document(parse(answer.content), policy, bare.clock()).element)
    assert receipt.message_id.startswith("EPORT||11|20260514093003123|")
    settle(sides)
    assert len(taken(sides, "vn.vnsw.answer")) == 2


def test_another_sender_than_the_profile_names_is_refused(sides, bare):
    counterpart = replace(bare.services.counterpart(), profile={"bareSender": "7208990000099"})
    bare.services = replace(bare.services, counterparts={"cn": counterpart})
    content = signed(sides, upload("electronics", "mt2401.xml").content)
    assert receive(bare.services, "cn", content).code == "party-mismatch"
