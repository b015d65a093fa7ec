"""The link endpoint on a real socket: who may post, what is read, how it answers."""

import json
import ssl
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from api_desk import Pki, Started
from edge_tls import (
    PATIENCE,
    Identity,
    Reply,
    Running,
    client_context,
    connect,
    pour,
    read_reply,
    request,
    server_tls,
)
from prometheus_client import CollectorRegistry, generate_latest

from gateway.api.admission import Admission, Capacity
from gateway.api.counterpart import CounterpartApp
from gateway.api.health import OperationsApp, Readiness
from gateway.api.listener import Listener
from gateway.api.metrics import Metrics
from gateway.api.problems import FACES
from gateway.api.protocol import Bounds
from gateway.api.threads import Threads
from gateway.errors import CODES, UnavailableError
from gateway.flows.receive import Answer

XML = (b"content-type", b"application/xml; charset=utf-8")
LIMIT = 100_000


def receipt(peer: str, body: bytes) -> Answer:
    """A flow that receipts everything, and says what it was given."""
    return Answer(ok=True, content=peer.encode() + b":" + body)


@dataclass
class Link:
    """A counterpart listener under test."""

    pki: Pki
    start: Started
    capacity: Capacity = field(default_factory=Capacity)
    receive: Callable[[str, bytes], Answer] = receipt
    check: Callable[[], None] = lambda: None
    threads: Threads = field(default_factory=lambda: Threads(8))
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def open(self) -> Running:
        identities = iter(f"{number:032d}" for number in range(1, 10_000))
        readiness = self.readiness = Readiness(lambda: self.check(), self.threads)
        metrics = Metrics(self.registry)
        app = CounterpartApp(
            lambda peer, body: self.receive(peer, body),
            {self.pki.counterpart.fingerprint: "CN-GX"},
            LIMIT,
            threads=self.threads,
            admission=Admission(self.capacity),
            readiness=readiness,
            metrics=metrics,
            ids=lambda: next(identities),
        )
        tls = server_tls(self.pki.server, self.pki.counterparts)
        operations = OperationsApp(readiness, metrics, self.threads, lambda: "0")
        self.running = self.start(
            Listener("counterpart", app, ("127.0.0.1", 0), tls, Bounds(linger=0.2)),
            Listener("operations", operations, ("127.0.0.1", 0), None),
        )
        return self.running

    def connect(self, identity: Identity | None = None) -> ssl.SSLSocket:
        context = client_context(self.pki.servers.anchors, identity or self.pki.counterpart)
        return connect(self.running.port("counterpart"), context)

    def post(self, body: bytes, *headers: tuple[bytes, bytes]) -> Reply:
        with self.connect() as connection:
            connection.sendall(request(b"POST", b"/exchange/v1", body, headers or (XML,)))
            return read_reply(connection)


@pytest.fixture
def link(pki: Pki, start: Started) -> Iterator[Link]:
    under_test = Link(pki, start)
    yield under_test
    under_test.running.stop()
    assert under_test.threads.close(PATIENCE)


def test_a_receipt_leaves_as_the_flow_made_it(link: Link) -> None:
    link.open()
    reply = link.post(b"<message/>")
    assert (reply.status, reply.body) == (200, b"CN-GX:<message/>")
    assert reply.headers["content-type"] == "application/xml"
    assert reply.headers["cache-control"] == "no-store"
    assert "server" not in reply.headers


def test_a_signed_refusal_leaves_with_the_status_of_its_code(link: Link) -> None:
    link.open()
    for code in CODES:
        link.receive = lambda _peer, _body, code=code: Answer(False, b"<signed/>", code, 7.2)
        reply = link.post(b"<message/>")
        assert (reply.status, reply.body) == (FACES[code].link, b"<signed/>"), code
        assert reply.headers["retry-after"] == "8"


def test_a_permanent_refusal_names_no_time(link: Link) -> None:
    link.receive = lambda _peer, _body: Answer(False, b"<signed/>", "schema-invalid")
    link.open()
    assert "retry-after" not in link.post(b"<message/>").headers


@pytest.mark.proves(
    attack="signer or store is down",
    code="unavailable",
    behaviour="503 with Retry-After, unsigned: nothing was accepted",
)
def test_without_signer_or_store_the_sender_is_asked_to_come_again(link: Link) -> None:
    def down(_peer: str, _body: bytes) -> Answer:
        raise UnavailableError("unavailable", retry_after=30)

    link.receive = down
    link.open()
    reply = link.post(b"<message/>")
    problem = json.loads(reply.body)
    assert (reply.status, reply.headers["retry-after"]) == (503, "30")
    assert (problem["code"], problem["retriable"]) == ("unavailable", True)


@pytest.mark.proves(
    attack="a bug meets a personal value",
    code="internal",
    behaviour="an incident id leaves; answer and log hold neither value nor detail",
)
def test_a_bug_leaves_as_an_incident_without_detail(
    link: Link, capsys: pytest.CaptureFixture[str]
) -> None:
    def bug(_peer: str, _body: bytes) -> Answer:
        raise RuntimeError("passport C1234567")

    link.receive = bug
    link.open()
    reply = link.post(b"<message/>")
    problem = json.loads(reply.body)
    assert (reply.status, problem["code"]) == (500, "internal")
    assert b"passport" not in reply.body
    logged = capsys.readouterr().out
    assert problem["incident"] in logged
    assert "test_api_counterpart.py" in logged
    assert "passport" not in logged


@pytest.mark.proves(
    attack="a TLS client certificate of the right authority that nobody registered",
    code="unauthenticated",
    behaviour="403 before anything is read",
    rule="client-certificate",
)
def test_a_certificate_of_the_right_authority_that_nobody_registered(link: Link) -> None:
    link.open()
    stranger = link.pki.counterparts.issue("stranger")
    with link.connect(stranger) as connection:
        connection.sendall(request(b"POST", b"/exchange/v1", b"<message/>", [XML]))
        reply = read_reply(connection)
    problem = json.loads(reply.body)
    assert (reply.status, problem["code"]) == (403, "unauthenticated")
    assert problem["findings"][0]["rule"] == "client-certificate"


@pytest.mark.proves(
    attack="a header that claims a client certificate",
    code="unauthenticated",
    behaviour="only the handshake counts",
    rule="client-certificate",
)
def test_no_header_names_a_certificate(link: Link) -> None:
    link.open()
    stranger = link.pki.counterparts.issue("stranger")
    forged = [
        XML,
        (b"x-forwarded-client-cert", link.pki.counterpart.fingerprint.encode()),
        (b"x-client-cert", link.pki.counterpart.certificate.read_bytes().replace(b"\n", b" ")),
        (b"x-forwarded-for", b"127.0.0.1"),
    ]
    with link.connect(stranger) as connection:
        connection.sendall(request(b"POST", b"/exchange/v1", b"<message/>", forged))
        assert read_reply(connection).status == 403


@pytest.mark.parametrize(
    ("stated", "status"),
    [
        (b"application/xml", 200),
        (b"APPLICATION/XML;charset=UTF-8", 200),
        (b'application/xml; charset="utf-8"', 200),
        (b"text/xml", 422),
        (b"application/xml; charset=gb18030", 422),
        (b"application/json", 422),
        (b"multipart/form-data; boundary=x", 422),
        (b"", 422),
    ],
)
def test_media_types(link: Link, stated: bytes, status: int) -> None:
    link.open()
    assert link.post(b"<message/>", (b"content-type", stated)).status == status


@pytest.mark.proves(
    attack="a compressed body (zip bomb)", code="encoding-unsupported", behaviour="refused unread"
)
def test_a_compressed_body_is_refused_before_it_is_read(link: Link) -> None:
    link.open()
    reply = link.post(b"\x1f\x8b", XML, (b"content-encoding", b"gzip"))
    assert (reply.status, json.loads(reply.body)["code"]) == (422, "encoding-unsupported")


@pytest.mark.parametrize("size", [0, 1, LIMIT - 1, LIMIT])
def test_up_to_the_limit_everything_is_taken(link: Link, size: int) -> None:
    link.open()
    assert link.post(b"x" * size).body == b"CN-GX:" + b"x" * size


@pytest.mark.proves(
    attack="a body that says it is over the limit",
    code="too-large",
    behaviour="413, unread; the connection is closed",
)
def test_a_stated_length_over_the_limit_is_refused_unread(link: Link) -> None:
    link.open()
    head = request(b"POST", b"/exchange/v1", b"", [XML])
    with link.connect() as connection:
        connection.sendall(head.replace(b"content-length: 0", b"content-length: 100001"))
        reply = read_reply(connection)
    assert (reply.status, json.loads(reply.body)["code"]) == (413, "too-large")
    assert reply.headers["connection"] == "close"


@pytest.mark.proves(
    attack="a body without end",
    code="too-large",
    behaviour="413 at the limit, in constant memory; the flow never sees it",
)
def test_a_body_without_end_is_refused_in_constant_memory(link: Link) -> None:
    link.receive = never
    link.open()
    chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    with link.connect() as connection:
        connection.sendall(
            b"POST /exchange/v1 HTTP/1.1\r\nhost: x\r\ncontent-type: application/xml\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        tracemalloc.start()
        got = pour(connection, chunk, 800)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert got.startswith(b"HTTP/1.1 413 ")
    assert peak < 4_000_000


def never(_peer: str, _body: bytes) -> Answer:
    raise AssertionError("the flow must not see this")


def test_a_body_that_breaks_off_never_reaches_the_flow(link: Link) -> None:
    seen: list[bytes] = []
    link.receive = lambda _peer, body: seen.append(body) or Answer(True, b"ok")
    link.open()
    with link.connect() as connection:
        whole = request(b"POST", b"/exchange/v1", b"<message/>", [XML])
        connection.sendall(whole[:-4])
    assert link.post(b"<next/>").status == 200
    assert seen == [b"<next/>"]


@dataclass
class Gate:
    """A flow that waits until it is opened."""

    inside: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    opened: threading.Event = field(default_factory=threading.Event)

    def __call__(self, _peer: str, body: bytes) -> Answer:
        self.inside.release()
        assert self.opened.wait(PATIENCE)
        return Answer(True, body)


@pytest.mark.parametrize(
    ("capacity", "status", "code"),
    [
        (Capacity(requests=2, per_peer=9), 503, "unavailable"),
        (Capacity(requests=9, per_peer=2), 429, "rate-limited"),
        (Capacity(octets=25), 503, "unavailable"),
    ],
)
def test_admission_is_bounded(link: Link, capacity: Capacity, status: int, code: str) -> None:
    gate = link.receive = Gate()
    link.capacity = capacity
    link.open()
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(link.post, b"0123456789") for _ in range(2)]
        for _ in running:
            assert gate.inside.acquire(timeout=PATIENCE)
        refused = link.post(b"0123456789")
        gate.opened.set()
        assert [each.result().status for each in running] == [200, 200]
    assert (refused.status, json.loads(refused.body)["code"]) == (status, code)
    assert int(refused.headers["retry-after"]) >= 1
    assert link.post(b"0123456789").status == 200


def test_a_hundred_senders_at_once_get_their_own_answers(link: Link) -> None:
    link.open()

    def conversation(number: int) -> bool:
        with link.connect() as connection:
            for turn in range(5):
                body = f"<m sender='{number}' turn='{turn}'>{'x' * number * 17}</m>".encode()
                connection.sendall(request(b"POST", b"/exchange/v1", body, [XML]))
                if read_reply(connection).body != b"CN-GX:" + body:
                    return False
        return True

    with ThreadPoolExecutor(100) as pool:
        assert all(pool.map(conversation, range(100)))


def test_a_stop_finishes_the_message_that_runs(link: Link) -> None:
    gate = link.receive = Gate()
    link.open()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(link.post, b"<message/>")
        assert gate.inside.acquire(timeout=PATIENCE)
        link.running.begin_stop()
        gate.opened.set()
        assert (running.result().status, running.result().body) == (200, b"<message/>")
    link.running.wait_stopped()


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        (b"GET", b"/exchange/v1", 405, "POST"),
        (b"PUT", b"/exchange/v1", 405, "POST"),
        (b"POST", b"/exchange/v2", 404, None),
        (b"POST", b"/healthz", 405, "GET, HEAD"),
        (b"GET", b"/v1/messages", 404, None),
        (b"GET", b"/metrics", 404, None),
        (b"GET", b"/healthz", 200, None),
        (b"GET", b"/readyz", 200, None),
    ],
)
def test_paths_and_methods(
    link: Link, method: bytes, path: bytes, status: int, allow: str | None
) -> None:
    link.open()
    with link.connect() as connection:
        connection.sendall(request(method, path))
        reply = read_reply(connection)
    assert (reply.status, reply.headers.get("allow")) == (status, allow)


def ask(link: Link, path: bytes) -> Reply:
    with link.connect() as connection:
        connection.sendall(request(b"GET", path))
        return read_reply(connection)


def test_not_ready_while_the_store_is_down_but_alive(link: Link) -> None:
    def down() -> None:
        raise UnavailableError("unavailable")

    link.check = down
    link.open()
    assert (ask(link, b"/healthz").status, ask(link, b"/readyz").status) == (200, 503)


def test_not_ready_while_draining(link: Link) -> None:
    link.open()
    link.readiness.draining = True
    reply = ask(link, b"/readyz")
    assert (reply.status, json.loads(reply.body)["code"]) == (503, "unavailable")


def test_answers_and_refusals_are_counted(link: Link) -> None:
    link.open()
    link.post(b"<message/>")
    link.post(b"<message/>", (b"content-type", b"image/png"))
    link.running.stop()
    figures = generate_latest(link.registry).decode()
    assert 'gateway_answer_seconds_count{listener="counterpart",status="200"} 1.0' in figures
    assert 'gateway_answer_seconds_count{listener="counterpart",status="422"} 1.0' in figures
    assert 'gateway_refusals_total{code="type-unknown",listener="counterpart"} 1.0' in figures
    assert 'gateway_requests_held{listener="counterpart"} 0.0' in figures


def test_a_trace_is_continued_and_decides_nothing(link: Link) -> None:
    link.open()
    trace = b"0af7651916cd43dd8448eb211c80319c"
    bad = (b"content-type", b"image/png")
    known = link.post(b"x", bad, (b"traceparent", b"00-" + trace + b"-b7ad6b7169203331-01"))
    assert json.loads(known.body)["trace_id"] == trace.decode()
    forged = link.post(b"x", bad, (b"traceparent", b"00-" + b"0" * 32 + b"-b7ad6b7169203331-01"))
    assert json.loads(forged.body)["trace_id"] != "0" * 32


def test_a_message_taken_on_a_stale_status_is_counted(link: Link) -> None:
    link.receive = lambda peer, body: Answer(ok=True, content=body, grace=body == b"<stale/>")
    link.open()
    link.post(b"<stale/>")
    link.post(b"<fresh/>")
    link.running.stop()
    figures = generate_latest(link.registry).decode()
    assert 'gateway_revocation_grace_total{listener="counterpart"} 1.0' in figures
