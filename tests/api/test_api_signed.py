"""An agency whose documents are signed, over TLS: the signed text as the body, or a part."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from api_desk import Desk, Pki, Started
from edge_services import SAMPLES, build
from edge_tls import Identity, server_tls

from gateway.api.listener import Bounds, Listener
from gateway.flows.services import SignedForm
from gateway.signing.algorithms import RSA_SHA256
from gateway.signing.demo_keys import DemoKeys
from gateway.signing.issue import KeyKind, Purpose, Subject, leaf
from gateway.signing.keys import key_signer
from gateway.signing.profiles import profile
from gateway.signing.smime import sign_smime
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage

TOR = (SAMPLES / "dragon-fruit" / "tor.edi").read_bytes()
START = datetime.now(UTC) - timedelta(days=1)
ISSUED = leaf(Subject("VN", "T", "", "c"), Purpose.MESSAGE, START, 90, kind=KeyKind.RSA3072)


def smime() -> tuple[str, bytes]:
    """Return a signed TOR: its Content-Type, and its body."""
    signer = key_signer(ISSUED.key, ISSUED.der, RSA_SHA256)
    whole = sign_smime(TOR, signer, datetime.now(UTC), "=_boundary")
    head, _, body = whole.partition(b"\r\n\r\n")
    return head.decode().partition("Content-Type: ")[2], body


@pytest.fixture
def signed_desk(
    tmp_path: Path,
    template: Path,
    keys: DemoKeys,
    pki: Pki,
    identities: dict[str, Identity],
    start: Started,
) -> Iterator[Desk]:
    """A desk whose customs system signs everything."""
    house = build(tmp_path, template, keys, identities)
    pins = [PinnedKey(ISSUED.der, "customs", Usage.MESSAGE)]
    form = SignedForm(TrustPolicy.of(profile("vnaccs-smime"), Usage.MESSAGE, pins))
    told = replace(house.services.agencies["customs"], signed=(form,))
    agencies = {**house.services.agencies, "customs": told}
    house = replace(house, services=replace(house.services, agencies=agencies))
    app, readiness = house.app()
    tls = server_tls(pki.server, pki.agencies)
    running = start(Listener("agencies", app, ("127.0.0.1", 0), tls, Bounds(linger=0.2)))
    under_test = Desk(house, running, readiness, pki, identities, [])
    yield under_test
    for client in under_test.clients:
        client.close()
    running.stop()
    house.close()


def test_multipart_signed_is_the_body(signed_desk: Desk) -> None:
    """As the terminals of VNACCS post: the boundary stands in the header of HTTP."""
    client = signed_desk.client()
    media, body = smime()
    reply = client.post("/v1/messages", content=body, headers={"content-type": media})
    assert reply.status_code == 202, reply.text
    message = client.get(reply.headers["location"]).json()
    assert message["document_type"] == "vn.vnaccs.tor"
    kept = client.get(reply.headers["location"] + "/documents/original")
    assert kept.headers["content-type"].startswith("multipart/signed")
    assert kept.content == b"Content-Type: " + media.encode() + b"\r\n\r\n" + body


def test_a_signed_text_is_a_part(signed_desk: Desk) -> None:
    client = signed_desk.client()
    media, body = smime()
    whole = b"Content-Type: " + media.encode() + b"\r\n\r\n" + body
    part = [("document", ("tor.eml", whole, "application/octet-stream"))]
    assert client.post("/v1/messages", files=part).status_code == 202


def problem(reply: httpx.Response) -> tuple[int, str, str]:
    document = reply.json()
    return reply.status_code, document["code"], document["findings"][0]["rule"]


def test_what_is_wrong_is_named(signed_desk: Desk) -> None:
    client = signed_desk.client()
    media, body = smime()
    plain = client.post("/v1/messages", content=TOR, headers={"content-type": "text/plain"})
    assert problem(plain)[1] == "signature-missing"
    other = body.replace(b"TOR", b"TOX", 1)
    changed = client.post("/v1/messages", content=other, headers={"content-type": media})
    assert problem(changed)[1:] == ("signature-invalid", "cms-digest")
    bare = client.post("/v1/messages", content=body, headers={"content-type": "multipart/signed"})
    assert problem(bare)[1:] == ("signature-scope", "mime-type")
