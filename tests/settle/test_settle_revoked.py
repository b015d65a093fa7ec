"""A head key that was revoked: its questions and its answers count for nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flow_sides import NOW
from revocation_authority import AUTHORITY, DAY, RevocationServer, Revoked, Wish, crl, make, name

from gateway.errors import CounterpartError
from gateway.evidence.ledger import AskHeads, TellHeads
from gateway.flows.revocation import StatusDesk
from gateway.flows.settle_talk import ask, expect
from gateway.signing.keys import key_signer
from gateway.signing.path import Anchors
from gateway.signing.profiles import profile
from gateway.signing.revocation import Mode, Rule
from gateway.signing.trust import USAGE_OIDS, PinnedKey, TrustPolicy, Usage
from gateway.transport.revocation import HttpStatusSource

ROOT = make(AUTHORITY)
HEAD = make(replace(Wish(), subject=name("head"), usages=(USAGE_OIDS[Usage.HEAD],)), ROOT)


@pytest.fixture
def server():
    with RevocationServer() as made:
        made.says("/list", crl(ROOT))
        yield made


@pytest.fixture
def asked(sides, server):
    """cn signs heads with a key of an authority; vn asks the authority's list."""
    vn, cn = sides["vn"].services, sides["cn"].services
    object.__setattr__(cn, "head_signer", key_signer(HEAD.key, HEAD.der))
    pins = [PinnedKey(HEAD.der, "cn", Usage.HEAD)]
    rule = Rule(Mode.REQUIRE, crls=(server.url + "/list",))
    anchors = Anchors("cn", (ROOT.der,))
    heads = TrustPolicy.of(profile("demo"), Usage.HEAD, pins, anchors, rule)
    known = replace(vn.counterparts["cn"], heads=heads)
    object.__setattr__(vn, "counterparts", {"cn": known})
    with HttpStatusSource(timedelta(seconds=1), 100_000) as source:
        desk = StatusDesk(vn.store, source, sides["vn"].clock, "vn")
        object.__setattr__(vn, "revocation", desk)
        yield sides


def revoke(server) -> None:
    entry = Revoked(HEAD.certificate.serial_number, NOW - DAY)
    server.says("/list", crl(ROOT, [entry], made=NOW))


def heads_of(asker):
    services = asker.services
    return expect(ask(services, services.counterpart(), AskHeads()), TellHeads)


@pytest.mark.proves(
    attack="an answer about the ledger, signed by a revoked head key",
    code="bad-answer",
    rule="revoked-before-signing",
    behaviour="it tells nothing: nothing is compared and nothing is cosigned",
)
def test_an_answer_of_a_revoked_head_key_tells_nothing(asked, server):
    heads_of(asked["vn"])
    revoke(server)
    asked["vn"].services.revocation.refresh([])
    with pytest.raises(CounterpartError) as caught:
        heads_of(asked["vn"])
    assert caught.value.code == "bad-answer"
    assert caught.value.findings[0].rule == "revoked-before-signing"


@pytest.mark.proves(
    attack="a question about the ledger, signed by a revoked head key",
    code="certificate-revoked",
    behaviour="refused: it learns nothing",
)
def test_a_question_of_a_revoked_head_key_is_refused(asked, server):
    heads_of(asked["cn"])
    revoke(server)
    asked["vn"].services.revocation.refresh([])
    with pytest.raises(CounterpartError):
        heads_of(asked["cn"])
