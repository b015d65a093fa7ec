"""The ledger's path on the counterpart listener: its own media type and size, the same doors."""

import json

import pytest
from api_desk import Pki, Started
from edge_tls import PATIENCE, client_context, connect, read_reply, request, server_tls
from prometheus_client import CollectorRegistry

from gateway.api.admission import Admission, Capacity
from gateway.api.counterpart import LEDGER_PATH, CounterpartApp
from gateway.api.health import Readiness
from gateway.api.listener import Listener
from gateway.api.metrics import Metrics
from gateway.api.protocol import Bounds
from gateway.api.threads import Threads
from gateway.errors import Finding, TrustError
from gateway.flows.receive import Answer
from gateway.flows.settle_talk import MEDIA_TYPE

LIMIT = 1000
STATEMENT = (b"content-type", MEDIA_TYPE.encode())
XML = (b"content-type", b"application/xml")


def settle(peer: str, body: bytes) -> bytes:
    if body == b"refused":
        raise TrustError("stale", Finding("stale", "settlement-time", "at", "long ago"))
    return peer.encode() + b":" + body


@pytest.fixture
def post(pki: Pki, start: Started):
    threads = Threads(2)
    identities = iter(f"{number:032d}" for number in range(1, 1000))
    app = CounterpartApp(
        lambda peer, body: Answer(ok=True, content=b"<receipt/>"),
        {pki.counterpart.fingerprint: "CN-GX"},
        LIMIT,
        threads=threads,
        admission=Admission(Capacity()),
        readiness=Readiness(lambda: None, threads),
        metrics=Metrics(CollectorRegistry()),
        ids=lambda: next(identities),
        settle=settle,
    )
    tls = server_tls(pki.server, pki.counterparts)
    running = start(Listener("counterpart", app, ("127.0.0.1", 0), tls, Bounds(linger=0.2)))

    def asked(body: bytes, media=STATEMENT, path: str = LEDGER_PATH, method: bytes = b"POST"):
        context = client_context(pki.servers.anchors, pki.counterpart)
        with connect(running.port("counterpart"), context) as line:
            line.sendall(request(method, path.encode(), body, [media]))
            return read_reply(line)

    yield asked
    running.stop()
    assert threads.close(PATIENCE)


def test_a_question_is_answered_in_its_own_media_type(post) -> None:
    reply = post(b"asked")
    assert (reply.status, reply.body) == (200, b"CN-GX:asked")
    assert reply.headers["content-type"] == MEDIA_TYPE


def test_what_is_refused_is_a_problem_and_no_statement(post) -> None:
    reply = post(b"refused")
    assert (reply.status, json.loads(reply.body)["code"]) == (422, "stale")
    assert reply.headers["content-type"] == "application/problem+json"


def test_each_path_takes_its_own_media_type(post) -> None:
    assert post(b"asked", XML).status == 422
    assert post(b"<m/>", STATEMENT, "/exchange/v1").status == 422
    assert post(b"<m/>", XML, "/exchange/v1").status == 200


def test_a_statement_may_be_larger_than_a_message_but_not_endless(post) -> None:
    assert post(b"x" * (2 * LIMIT)).status == 200
    assert post(b"x" * (2 * LIMIT + 1)).status == 413


def test_it_is_asked_by_post_alone(post) -> None:
    reply = post(b"", method=b"GET")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    assert post(b"", path=LEDGER_PATH + "/").status == 404
