"""Certificates on the whole way of a message: who is believed, what was revoked, what is kept."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from flow_sides import NOW, peer
from revocation_authority import (
    AUTHORITY,
    DAY,
    HOUR,
    RevocationServer,
    Revoked,
    Wish,
    crl,
    make,
    name,
)
from test_flows_crossing import hand_in, states
from test_flows_faults import inbound, link_message, verdict

from gateway.flows.receive import receive
from gateway.flows.revocation import PAUSE, StatusDesk
from gateway.signing.keys import key_signer
from gateway.signing.path import Anchors
from gateway.signing.profiles import profile
from gateway.signing.revocation import Mode, Rule
from gateway.signing.trust import USAGE_OIDS, PinnedKey, TrustPolicy, Usage
from gateway.transport.revocation import HttpStatusSource

ROOT = make(AUTHORITY)
MESSAGE = make(Wish(), ROOT)
RECEIPT = make(replace(Wish(), subject=name("receipt"), usages=(USAGE_OIDS[Usage.RECEIPT],)), ROOT)
NAMES = ("O=Example customs,C=CN",)


@pytest.fixture
def server():
    with RevocationServer() as made:
        yield made


@pytest.fixture
def believed(sides, server):
    """cn signs with certificates of an authority; vn believes the authority and asks its list."""
    server.says("/list", crl(ROOT))
    believe(sides, Rule(Mode.REQUIRE, crls=(server.url + "/list",)))
    sign_as(sides, MESSAGE)
    with HttpStatusSource(timedelta(seconds=1), 100_000) as source:
        vn = sides["vn"]
        desk = StatusDesk(vn.services.store, source, vn.clock, "vn")
        vn.services = replace(vn.services, revocation=desk)
        yield sides


def believe(sides, rule: Rule) -> None:
    vn = sides["vn"]
    anchors = Anchors("cn", (ROOT.der,), names=NAMES)
    trusted = [
        TrustPolicy.of(profile("link-ecdsa-p256"), usage, (), anchors, rule)
        for usage in (Usage.MESSAGE, Usage.RECEIPT)
    ]
    known = replace(vn.services.counterparts["cn"], messages=trusted[0], receipts=trusted[1])
    vn.services = replace(vn.services, counterparts={"cn": known})


def sign_as(sides, made) -> None:
    cn = sides["cn"]
    cn.services = replace(cn.services, message_signer=key_signer(made.key, made.der))


def revoke(server, whose, at=NOW - DAY, **options) -> None:
    entry = Revoked(whose.certificate.serial_number, at)
    server.says("/list", crl(ROOT, [entry], **options))


def of_inbound(sides, read):
    (message,) = inbound(sides)
    return sides["vn"].services.store.read(lambda tx: read(tx, message.id))


def proves(attack, code, rule="", behaviour="signed refusal; nothing stored but a row of evidence"):
    return pytest.mark.proves(attack=attack, code=code, rule=rule, behaviour=behaviour)


def test_what_was_gone_by_is_kept_with_the_message(believed):
    assert verdict(believed, link_message(believed))[0] == "receipt"
    kept = of_inbound(
        believed,
        lambda tx, mid: {d.role: tx.content(mid, d.role) for d in tx.documents(mid)},
    )
    said = json.loads(kept["revocation-status"])
    (status,) = said["certificates"]
    assert (said["standing"], status["state"], status["kind"]) == ("good", "good", "crl")
    assert hashlib.sha256(kept["revocation-1"]).hexdigest() == status["digest"]
    assert status["certificate"] == hashlib.sha256(MESSAGE.der).hexdigest()
    assert kept["chain"] == MESSAGE.pem + ROOT.pem
    rows = of_inbound(believed, lambda tx, mid: tx.evidence_of(mid))
    assert "revocation-1" in json.loads(rows[0].entry)["documents"]


@proves("a message of a signer that is revoked", "certificate-revoked", "revoked-before-signing")
def test_a_revoked_signer_is_refused(believed, server):
    revoke(server, MESSAGE)
    code, refused = verdict(believed, link_message(believed))
    assert (code, refused.findings[0].rule) == ("certificate-revoked", "revoked-before-signing")
    assert not refused.retriable
    assert inbound(believed) == []


@proves(
    "a message dated before its signer's revocation that comes after it",
    "certificate-revoked",
    "revoked-signing-unproven",
)
def test_a_signer_revoked_after_the_date_that_it_wrote(believed, server):
    content = link_message(believed)
    clock = believed["vn"].clock
    clock.at += 2 * HOUR
    revoke(server, MESSAGE, at=NOW + HOUR, made=NOW + HOUR)
    code, refused = verdict(believed, content)
    assert (code, refused.findings[0].rule) == ("certificate-revoked", "revoked-signing-unproven")


@proves(
    "a message that was accepted comes again after its signer was revoked",
    "-",
    behaviour="gets its stored receipt: it was signed before, as our own record proves",
)
def test_what_was_accepted_before_the_revocation_stays_accepted(believed, server):
    content = link_message(believed)
    first = receive(believed["vn"].services, "cn", content)
    revoke(server, MESSAGE)
    believed["vn"].services.revocation.refresh([])
    again = receive(believed["vn"].services, "cn", content)
    assert (again.ok, again.content) == (True, first.content)
    assert verdict(believed, link_message(believed))[0] == "certificate-revoked"


@proves(
    "the source of revocation is down while a message comes",
    "revocation-unknown",
    "status-missing",
    "signed refusal that can be retried; the same octets are taken once the source is back",
)
def test_the_same_octets_are_taken_once_the_source_is_back(believed, server):
    server.replies.clear()
    content = link_message(believed)
    code, refused = verdict(believed, content)
    assert (code, refused.retriable, inbound(believed)) == ("revocation-unknown", True, [])
    assert refused.retry_after == PAUSE.total_seconds()
    server.says("/list", crl(ROOT))
    believed["vn"].clock.at += PAUSE
    assert verdict(believed, content)[0] == "receipt"


@proves(
    "the status of the signer is stale, under `grace`",
    "-",
    behaviour="taken; timeline, evidence and metric say so",
)
def test_grace_is_recorded(believed, server):
    server.says("/list", crl(ROOT, made=NOW - 2 * DAY, ends=NOW - HOUR))
    rule = Rule(Mode.GRACE, grace=DAY, crls=(server.url + "/list",))
    believe(believed, replace(rule, mode=Mode.REQUIRE))
    assert verdict(believed, link_message(believed))[0] == "revocation-unknown"
    believe(believed, rule)
    answer = receive(believed["vn"].services, "cn", link_message(believed))
    assert (answer.ok, answer.grace) == (True, True)
    events = of_inbound(believed, lambda tx, mid: tx.events(mid))
    (grace,) = [event for event in events if event.code == "revocation-grace"]
    assert grace.detail == {
        "sources": server.url + "/list",
        "stale-since": "2026-05-14T00:15:12Z",
    }
    rows = of_inbound(believed, lambda tx, mid: tx.evidence_of(mid))
    assert [json.loads(row.entry)["kind"] for row in rows] == ["accepted", "revocation-grace"]


@pytest.mark.parametrize(
    ("made", "code", "rule"),
    [
        pytest.param(
            made, code, rule, marks=proves(f"a message signed with {what}", code, rule), id=what
        )
        for what, made, code, rule in (
            ("a self-signed certificate", make(Wish()), "signer-untrusted", "self-signed"),
            (
                "another party's certificate of the same authority",
                make(replace(Wish(), subject=name("message", "Other customs")), ROOT),
                "party-mismatch",
                "certificate-name",
            ),
            ("the party's receipt key", RECEIPT, "signer-untrusted", "key-usage"),
            (
                "an expired certificate",
                make(replace(Wish(), end=NOW - HOUR), ROOT),
                "certificate-expired",
                "expired",
            ),
            (
                "a certificate that is not yet valid",
                make(replace(Wish(), start=NOW + 2 * DAY), ROOT),
                "certificate-expired",
                "not-yet-valid",
            ),
        )
    ],
)
def test_a_signer_that_is_not_believed(believed, made, code, rule):
    sign_as(believed, made)
    found, refused = verdict(believed, link_message(believed))
    assert (found, refused.findings[0].rule) == (code, rule)
    assert inbound(believed) == []


@proves(
    "envelope, signing key and TLS client of different parties",
    "party-mismatch",
    "sender",
    "signed refusal that names all three",
)
def test_sender_signer_and_client_are_one(sides):
    vn = sides["vn"]
    pins = [PinnedKey(MESSAGE.der, "la", Usage.MESSAGE)]
    known = replace(
        vn.services.counterparts["cn"],
        messages=TrustPolicy.of(profile("link-ecdsa-p256"), Usage.MESSAGE, pins),
    )
    vn.services = replace(vn.services, counterparts={"cn": known})
    sign_as(sides, MESSAGE)
    for sender in ("cn", "la", "vn"):
        code, refused = verdict(sides, link_message(sides, sender=sender))
        assert (code, refused.findings[0].rule) == ("party-mismatch", "sender")
        assert refused.findings[0].found == f"sender {sender}, signer la, TLS client cn"


@proves(
    "a message signed with the old key after its window",
    "signer-untrusted",
    "pin-window",
    "signed refusal; inside the overlap both keys are good",
)
def test_old_and_new_key_in_and_after_the_overlap(sides):
    new = make(Wish(), ROOT)
    vn, end = sides["vn"], NOW + 10 * DAY
    pins = [
        PinnedKey(MESSAGE.der, "cn", Usage.MESSAGE, not_after=end),
        PinnedKey(new.der, "cn", Usage.MESSAGE, not_before=end - 5 * DAY),
    ]
    known = replace(
        vn.services.counterparts["cn"],
        messages=TrustPolicy.of(profile("link-ecdsa-p256"), Usage.MESSAGE, pins),
    )
    vn.services = replace(vn.services, counterparts={"cn": known})

    versions = count(1)

    def says(made, at) -> str:
        vn.clock.at = at
        sign_as(sides, made)
        content = link_message(sides, document_version=next(versions))
        code, answer = verdict(sides, content)
        return code if code == "receipt" else answer.findings[0].rule

    assert [says(MESSAGE, NOW), says(new, NOW)] == ["receipt", "pin-window"]
    assert [says(MESSAGE, end - DAY), says(new, end - DAY)] == ["receipt", "receipt"]
    assert [says(MESSAGE, end), says(new, end)] == ["pin-window", "receipt"]


@proves(
    "a receipt signed by a revoked key",
    "receipt-invalid",
    behaviour="no receipt: the message stays queued and is sent again",
)
def test_a_receipt_of_a_revoked_signer_is_none(believed, server):
    cn, vn = believed["cn"], believed["vn"]
    cn.services = replace(cn.services, receipt_signer=key_signer(RECEIPT.key, RECEIPT.der))
    cn.wire.peers["cn"] = peer(cn.services, "vn")
    revoke(server, RECEIPT)
    done = hand_in(vn, "dragon-fruit", "tor.edi", "eda-1.edi", "eda-2.edi")
    vn.work()
    assert "receipted" not in states(vn, done.conversation_id).values()
    server.says("/list", crl(ROOT, made=NOW))
    vn.services.revocation.refresh([])
    vn.clock.at += HOUR
    vn.work()
    assert "receipted" in states(vn, done.conversation_id).values()
