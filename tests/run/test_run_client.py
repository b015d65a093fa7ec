"""The typed client and doctor's probe against a server that answers as it is told."""

import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from run_peers import Act, Authority, MakePeer, Peer, read_request

from gateway.api.client import Client
from gateway.errors import CounterpartError, GatewayError, UnavailableError
from gateway.transport.link import Endpoint
from gateway.transport.probe import probe

NOW = datetime(2026, 5, 14, 1, 30, tzinfo=UTC)


def answering(status: str, body: bytes, *headers: str) -> tuple[Act, list[bytes]]:
    """Make a server that answers every request the same way, and notes what it got."""
    seen: list[bytes] = []
    head = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers]
    wire = "\r\n".join(head).encode() + b"\r\n\r\n" + body

    def act(connection: socket.socket, over: threading.Event) -> None:
        seen.append(read_request(connection))
        connection.sendall(wire)

    return act, seen


def failing(peer: Peer, call: Callable[[Client], object]) -> GatewayError:
    url = f"http://127.0.0.1:{peer.port}"
    with Client(url, None) as client, pytest.raises(GatewayError) as caught:
        call(client)
    return caught.value


def test_a_problem_document_becomes_the_failure_it_names(peer: MakePeer) -> None:
    problem = (
        b'{"type":"/problems/rule-broken","title":"t","status":422,"detail":"d",'
        b'"code":"rule-broken","family":"document","retriable":false,"trace_id":"x",'
        b'"findings":[{"path":"EDA.GW","rule":"sum","code":"rule-broken","found":"1",'
        b'"expected":"2","severity":"refuse","message":"m","messages":{}}]}'
    )
    act, _ = answering("422 X", problem)
    failure = failing(peer(act), lambda client: client.message("m"))
    assert failure.code == "rule-broken"
    assert [(f.path, f.rule, f.found, f.expected) for f in failure.findings] == [
        ("EDA.GW", "sum", "1", "2")
    ]


def test_an_internal_failure_keeps_its_incident(peer: MakePeer) -> None:
    problem = (
        b'{"type":"t","title":"t","status":500,"detail":"d","code":"internal",'
        b'"retriable":true,"trace_id":"x","incident":"i-7"}'
    )
    act, _ = answering("500 X", problem)
    failure = failing(peer(act), lambda client: client.resend("m"))
    assert [f.found for f in failure.findings] == ["i-7"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("502 Bad Gateway", b"<html>proxy</html>"),
        ("404 Not Found", b'{"code":"no-such-code"}'),
        ("200 OK", b"not json"),
        ("200 OK", b'{"messages": 1}'),
        ("204 No Content", b""),
    ],
)
def test_what_is_no_answer_of_ours_is_a_bad_answer(
    peer: MakePeer, status: str, body: bytes
) -> None:
    act, _ = answering(status, body)
    failure = failing(peer(act), lambda client: client.messages(state="dead"))
    assert isinstance(failure, CounterpartError)
    assert failure.code == "bad-answer"


def test_nobody_there_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with Client(url, None) as client:
        for call in (
            lambda: client.crossings("plate", "29H-1"),
            lambda: client.crossing("c"),
            lambda: client.document("m", "report"),
            lambda: client.submit([("a.edi", b"x")]),
        ):
            with pytest.raises(UnavailableError) as caught:
                call()
            assert caught.value.findings[0].rule == "connect"


def test_a_submission_carries_documents_formats_parameters_key_and_wish(peer: MakePeer) -> None:
    act, seen = answering(
        "202 Accepted",
        b'{"messages":[{"id":"m","href":"/v1/messages/m"}],"conversation_id":"c",'
        b'"state":"waiting","state_text":"w","replayed":false}',
    )
    with Client(f"http://127.0.0.1:{peer(act).port}", None, lang="vi") as client:
        done = client.submit(
            [("a.edi", b"AAA"), ("b.edi", b"BBB")],
            formats=["vn.vnaccs.tor", "vn.vnaccs.eda"],
            parameters=b'{"joinRef":"R"}',
            key="k-1",
            wait=5,
        )
    assert done.messages[0].id == "m"
    (request,) = seen
    for part in (b"AAA", b"BBB", b"vn.vnaccs.eda", b'{"joinRef":"R"}', b"prefer: wait=5",
                 b"idempotency-key: k-1", b"accept-language: vi"):  # fmt: skip
        assert part in request


# doctor's probe


def test_probe_says_status_and_how_far_the_clocks_are_apart(peer: MakePeer) -> None:
    act, seen = answering("200 OK", b"ok", "date: Thu, 14 May 2026 01:29:00 GMT")
    endpoint = Endpoint("cn", f"http://127.0.0.1:{peer(act).port}/exchange/v1")
    found = probe(endpoint, lambda: NOW)
    assert (found.status, found.ahead) == (200, timedelta(seconds=60))
    assert seen[0].startswith(b"GET /healthz ")


def test_probe_of_a_peer_without_a_date(peer: MakePeer) -> None:
    act, _ = answering("503 X", b"")
    endpoint = Endpoint("cn", f"http://127.0.0.1:{peer(act).port}/")
    assert probe(endpoint, lambda: NOW).ahead is None


def test_probe_names_what_is_wrong(peer: MakePeer, authority: Authority) -> None:
    def in_clear(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.recv(65536)  # the other side's hello; then it hangs up

    one = peer(in_clear)
    speaking_tls = Endpoint("cn", f"https://127.0.0.1:{one.port}/", anchors=authority.anchors)
    with pytest.raises(CounterpartError) as caught:
        probe(speaking_tls, lambda: NOW)
    assert caught.value.findings[0].rule == "tls"
    with pytest.raises(CounterpartError, match="name-unknown"):
        probe(replace(speaking_tls, url="http://gateway.invalid/"), lambda: NOW)
