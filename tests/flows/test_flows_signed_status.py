"""Status of the certificate at signing time: what an agency signed before and after its
certificate was revoked, with and without a timestamp."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from flow_sides import NOW, SAMPLES, Side
from revocation_authority import (
    AUTHORITY,
    HOUR,
    RevocationServer,
    Revoked,
    Wish,
    crl,
    make,
)
from timestamp_authority import STAMPING, pair
from token_maker import token

from gateway.errors import TrustError
from gateway.flows.intake import Upload
from gateway.flows.revocation import StatusDesk
from gateway.flows.services import SignedForm
from gateway.flows.submit import submit
from gateway.model.parameters import Parameters
from gateway.safexml import parse
from gateway.signing.keys import key_signer
from gateway.signing.path import Anchors
from gateway.signing.profiles import profile
from gateway.signing.revocation import Mode, Rule
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage
from gateway.signing.xades import sign_xades
from gateway.transport.revocation import HttpStatusSource

ROOT = make(AUTHORITY)
LEAF = make(Wish(), ROOT)
SIGNER = key_signer(LEAF.key, LEAF.der)
AROUND = (NOW - datetime.now(UTC)).days
TSA_ROOT = pair("timestamp root", days=(AROUND - 60, AROUND + 60))
TSA = pair("timestamps", TSA_ROOT, usage=STAMPING, days=(AROUND - 60, AROUND + 60))
DOCUMENT = (SAMPLES / "electronics" / "mt2401.xml").read_bytes()
REVOKED_AT = NOW - HOUR


@dataclass
class Stamps:
    """A time-stamping authority with a clock of its own."""

    at: datetime

    def stamp(self, message: bytes) -> bytes:
        return token(TSA, message, at=self.at)


@pytest.fixture
def server() -> Iterator[RevocationServer]:
    with RevocationServer() as made:
        made.says("/list", crl(ROOT, [Revoked(LEAF.certificate.serial_number, REVOKED_AT)]))
        yield made


@pytest.fixture
def cn(sides: dict[str, Side], server: RevocationServer) -> Iterator[Side]:
    """The Chinese side; its customs system signs XAdES, and revocation is asked."""
    side = sides["cn"]
    anchors = Anchors("customs", (ROOT.der,), (), ())
    rule = Rule(mode=Mode.REQUIRE, crls=(server.url + "/list",))
    pins = [PinnedKey(LEAF.der, "customs", Usage.MESSAGE)]
    policy = TrustPolicy.of(profile("vn-2025"), Usage.MESSAGE, pins, anchors, rule)
    customs = replace(side.services.agencies["customs"], signed=(SignedForm(policy),))
    with HttpStatusSource(timedelta(seconds=1), 100_000) as source:
        side.services = replace(
            side.services,
            agencies={"customs": customs},
            timestamp_anchors=(TSA_ROOT.der,),
            revocation=StatusDesk(side.services.store, source, side.clock, "here"),
        )
        yield side


def signed(at: datetime, stamped: datetime | None = None) -> bytes:
    authority = Stamps(stamped) if stamped else None
    return sign_xades(parse(DOCUMENT), SIGNER, at, "t", authority=authority)


def hand_in(side: Side, octets: bytes) -> str:
    agency = side.services.agencies["customs"]
    (message,) = submit(side.services, agency, [Upload("d", octets)], Parameters()).messages
    return message


def refusal(side: Side, octets: bytes) -> tuple[str, str]:
    with pytest.raises(TrustError) as caught:
        hand_in(side, octets)
    return caught.value.code, caught.value.findings[0].rule


def status_of(side: Side, message: str) -> dict[str, object]:
    kept = side.services.store.read(lambda tx: tx.content(message, "revocation-status"))
    assert kept is not None
    return msgspec.json.decode(kept, type=dict[str, object])


@pytest.mark.proves(
    attack="an agency's certificate is revoked after a signature that is timestamped",
    code="-",
    behaviour="Accepted, and recorded as revoked later: the timestamp proves the order.",
)
def test_stamped_before_the_revocation(cn: Side) -> None:
    message = hand_in(cn, signed(NOW - 2 * HOUR, NOW - 2 * HOUR))
    assert status_of(cn, message)["standing"] == "revoked-later"
    roles = {d.role for d in cn.services.store.read(lambda tx: tx.documents(message))}
    assert {"original", "signed", "chain", "revocation-status", "revocation-1"} <= roles


@pytest.mark.proves(
    attack="an agency signs with a certificate that is revoked already, timestamp included",
    code="certificate-revoked",
    rule="revoked-before-signing",
    behaviour="Refused.",
)
def test_stamped_after_the_revocation(cn: Side) -> None:
    octets = signed(NOW - 2 * HOUR, NOW - HOUR / 2)
    assert refusal(cn, octets) == ("certificate-revoked", "revoked-before-signing")


@pytest.mark.proves(
    attack="whoever stole an agency's key dates a signature back before the revocation",
    code="certificate-revoked",
    rule="revoked-signing-unproven",
    behaviour="Refused: the stated time alone proves nothing once the certificate is revoked.",
)
def test_dated_back_before_the_revocation(cn: Side) -> None:
    octets = signed(NOW - 2 * HOUR)
    assert refusal(cn, octets) == ("certificate-revoked", "revoked-signing-unproven")


def test_a_good_certificate(cn: Side, server: RevocationServer) -> None:
    server.says("/list", crl(ROOT))
    assert status_of(cn, hand_in(cn, signed(NOW)))["standing"] == "good"


@pytest.mark.proves(
    attack="the revocation source of an agency is down",
    code="revocation-unknown",
    behaviour="Refused for now; the agency may hand in the same octets again.",
)
def test_nobody_knows(cn: Side, server: RevocationServer) -> None:
    server.says("/list", b"nothing of the kind")
    with pytest.raises(TrustError) as caught:
        hand_in(cn, signed(NOW))
    assert (caught.value.code, caught.value.retriable) == ("revocation-unknown", True)
