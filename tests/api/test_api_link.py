"""A counterpart posts signed messages to the real receive flow over mutual TLS."""

import hashlib
import json
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from api_desk import Pki, Started
from edge_services import SAMPLES, House, build, signer, trust
from edge_tls import Identity, Reply, client_context, connect, read_reply, request, server_tls

from gateway.api.admission import Admission, Capacity
from gateway.api.counterpart import CounterpartApp
from gateway.api.health import Readiness
from gateway.api.listener import Listener
from gateway.api.metrics import Metrics
from gateway.api.protocol import Bounds
from gateway.codec.envelope import Envelope, build_message, read_receipt, read_refusal
from gateway.flows.receive import receive
from gateway.model.states import MessageKind
from gateway.safexml import c14n, parse
from gateway.signing.demo_keys import DemoKeys
from gateway.signing.profiles import profile
from gateway.signing.sign import sign_document
from gateway.signing.trust import Usage
from gateway.signing.verify import verify_document

MANIFEST = c14n(parse((SAMPLES / "electronics" / "mt2401.xml").read_bytes()))
BATCH = "5100260518001"  # as the sample names it
XML = (b"content-type", b"application/xml; charset=utf-8")


def envelope(number: int) -> Envelope:
    now = datetime.now(UTC).replace(microsecond=0)
    return Envelope(
        message_id=f"CN-{number:06d}",
        conversation_id=f"C-{number:06d}",
        ref_to=None,
        sender="cn-gateway",
        recipient="vn-gateway",
        document_type="cn.mt2401",
        document_type_version="1.0",
        function="original" if number == 1 else "replace",
        document_version=number,
        order_key=BATCH,
        sequence=number,
        created=now,
        expires=now + timedelta(days=7),
        test=True,
        commitment=hashlib.sha256(b"salt" + MANIFEST).hexdigest(),
    )


@dataclass
class Border:
    """The counterpart's side of the link."""

    house: House
    pki: Pki
    port: int

    def signed(self, stated: Envelope) -> bytes:
        unsigned = build_message(stated, MANIFEST)
        return sign_document(unsigned, signer(self.house.keys, "cn/message"), profile("demo"))

    def post(self, message: bytes) -> Reply:
        with self.connect() as connection:
            connection.sendall(request(b"POST", b"/exchange/v1", message, [XML]))
            return read_reply(connection)

    def connect(self) -> ssl.SSLSocket:
        return connect(self.port, client_context(self.pki.servers.anchors, self.pki.counterpart))

    def verified(self, answer: bytes):
        policy = trust(self.house.keys, "vn", Usage.RECEIPT)
        return verify_document(parse(answer), policy, datetime.now(UTC)).element


@pytest.fixture
def border(
    tmp_path: Path,
    template: Path,
    keys: DemoKeys,
    pki: Pki,
    identities: dict[str, Identity],
    start: Started,
) -> Iterator[Border]:
    house = build(tmp_path, template, keys, identities)
    app = CounterpartApp(
        partial(receive, house.services),
        {pki.counterpart.fingerprint: "cn-gateway"},
        house.services.limits.document_bytes,
        threads=house.threads,
        admission=Admission(Capacity()),
        readiness=Readiness(house.store.check, house.threads),
        metrics=Metrics(house.registry),
        ids=house.services.ids,
    )
    tls = server_tls(pki.server, pki.counterparts)
    running = start(Listener("counterpart", app, ("127.0.0.1", 0), tls, Bounds(linger=0.2)))
    yield Border(house, pki, running.port("counterpart"))
    running.stop()
    house.close()


def test_a_signed_message_gets_a_signed_receipt_and_a_repeat_the_same_one(border: Border) -> None:
    message = border.signed(envelope(1))
    first, again = border.post(message), border.post(message)
    assert first.status == 200, first.body
    assert first.headers["content-type"] == "application/xml"
    receipt = read_receipt(border.verified(first.body))
    assert (receipt.message_id, receipt.sender) == ("CN-000001", "vn-gateway")
    assert (again.status, again.body) == (200, first.body)
    stored = border.house.store.read(
        lambda tx: tx.known(MessageKind.INBOUND, "cn-gateway", "CN-000001")
    )
    assert stored is not None
    assert stored.digest == receipt.digest


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        (lambda m: m.replace(b"CN-000001", b"CN-000009"), 422, "signature-invalid"),
        (lambda m: m[:-40], 400, "malformed"),
        (lambda _: b"", 400, "malformed"),
        (lambda _: MANIFEST, 422, "signature-missing"),
        (lambda m: b"<!DOCTYPE x>" + m, 400, "malformed"),
    ],
)
def test_what_cannot_be_believed_gets_a_signed_refusal(
    border: Border, change: object, status: int, code: str
) -> None:
    reply = border.post(change(border.signed(envelope(1))))  # type: ignore[operator]
    assert reply.status == status, reply.body
    refusal = read_refusal(border.verified(reply.body))
    assert (refusal.code, bool(refusal.findings)) == (code, True)
    assert border.post(border.signed(envelope(2))).status == 200


@pytest.mark.parametrize(
    ("field", "value", "status", "code"),
    [
        ("sender", "cn-other", 403, "party-mismatch"),
        ("recipient", "vn-other", 422, "wrong-recipient"),
        ("document_type", "cn.mt9999", 422, "type-unknown"),
        ("created", datetime.now(UTC) + timedelta(hours=1), 422, "future-dated"),
        ("order_key", "5100999999999", 422, "rule-broken"),
    ],
)
def test_what_is_not_as_agreed_gets_a_signed_refusal(
    border: Border, field: str, value: object, status: int, code: str
) -> None:
    reply = border.post(border.signed(replace(envelope(1), **{field: value})))  # type: ignore[arg-type]
    assert reply.status == status, reply.body
    assert read_refusal(border.verified(reply.body)).code == code


def test_the_same_id_with_other_content_is_a_conflict(border: Border) -> None:
    assert border.post(border.signed(envelope(1))).status == 200
    other = replace(envelope(1), conversation_id="C-2")
    reply = border.post(border.signed(other))
    assert (reply.status, read_refusal(border.verified(reply.body)).code) == (409, "id-conflict")


def test_many_messages_at_once_get_their_own_receipts(border: Border) -> None:
    messages = [border.signed(envelope(number)) for number in range(1, 33)]
    with ThreadPoolExecutor(32) as pool:
        replies = list(pool.map(border.post, messages))
    named = [read_receipt(border.verified(reply.body)).message_id for reply in replies]
    assert named == [f"CN-{number:06d}" for number in range(1, 33)]


def test_without_the_store_nothing_is_promised(border: Border) -> None:
    border.house.store.close()
    reply = border.post(border.signed(envelope(1)))
    assert (reply.status, json.loads(reply.body)["code"]) == (503, "unavailable")
    assert int(reply.headers["retry-after"]) >= 1
