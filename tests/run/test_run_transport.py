"""The link against peers that misbehave, over real sockets."""

import socket
import ssl
import struct
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st
from run_peers import Act, Authority, Issued, MakePeer, read_request

from gateway.errors import CounterpartError, UnavailableError
from gateway.flows.ports import LinkAnswer
from gateway.transport.link import Endpoint, HttpLink
from gateway.transport.retry_after import seconds
from gateway.transport.tls import Identity, client_context

NOW = datetime(2026, 5, 14, 1, 30, tzinfo=UTC)
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def answer(content: bytes) -> Act:
    def act(connection: socket.socket, over: threading.Event) -> None:
        read_request(connection)
        connection.sendall(content)

    return act


def send(endpoint: Endpoint) -> LinkAnswer:
    with HttpLink([endpoint], lambda: NOW) as link:
        return link.post(endpoint.name, b"<m/>", "application/xml", {"x-test": "1"})


def failing(endpoint: Endpoint) -> tuple[str, str]:
    """Send, and return the code of the failure and the rule of its finding."""
    with pytest.raises(CounterpartError) as caught:
        send(endpoint)
    (finding,) = caught.value.findings
    assert finding.path == endpoint.name
    assert len(finding.found) <= 200
    return caught.value.code, finding.rule


def endpoint(url: str, **changes: object) -> Endpoint:
    return replace(Endpoint("cn", url, deadline=timedelta(seconds=8)), **changes)  # type: ignore[arg-type]


# answers


def test_a_good_answer_comes_back_with_status_body_and_the_request_as_given(peer: MakePeer) -> None:
    seen: list[bytes] = []

    def act(connection: socket.socket, over: threading.Event) -> None:
        seen.append(read_request(connection))
        connection.sendall(OK)

    result = send(endpoint(peer(act).url))
    assert result == LinkAnswer(200, b"ok", None)
    head = seen[0].lower()
    assert head.startswith(b"post /exchange http/1.1")
    assert b"content-type: application/xml" in head
    assert b"x-test: 1" in head
    assert head.endswith(b"<m/>")


@pytest.mark.parametrize("status", [204, 302, 400, 404, 429, 500, 503])
def test_any_status_is_returned_and_redirects_are_not_followed(peer: MakePeer, status: int) -> None:
    wire = f"HTTP/1.1 {status} X\r\nlocation: /other\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n"
    one = peer(answer(wire.encode()))
    assert send(endpoint(one.url)) == LinkAnswer(status, b"", 7.0)
    assert one.connections == 1


def test_one_client_keeps_its_connection(peer: MakePeer) -> None:
    def act(connection: socket.socket, over: threading.Event) -> None:
        for _ in range(3):
            read_request(connection)
            connection.sendall(OK)

    one = peer(act)
    with HttpLink([endpoint(one.url)], lambda: NOW) as link:
        for _ in range(3):
            assert link.post("cn", b"x", "text/plain", {}).status == 200
    assert one.connections == 1


# time


def _drip(prefix: bytes, over: threading.Event, connection: socket.socket) -> None:
    connection.sendall(prefix)
    while not over.wait(0.02):
        connection.sendall(b"x")


@pytest.mark.proves(
    attack="the counterpart's answer drips",
    code="timed-out",
    behaviour="cut at the deadline of the whole exchange",
)
@pytest.mark.parametrize(
    "prefix",
    [b"", b"HTTP/1.1 200 OK\r\nx-slow: ", b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n"],
    ids=["status-line", "header", "body"],
)
def test_a_dripping_answer_does_not_pass_the_deadline(peer: MakePeer, prefix: bytes) -> None:
    def act(connection: socket.socket, over: threading.Event) -> None:
        read_request(connection)
        _drip(prefix, over, connection)

    slow = endpoint(peer(act).url, deadline=timedelta(seconds=0.4))
    before = time.monotonic()
    assert failing(slow)[0] in {"timed-out", "bad-answer"}
    assert time.monotonic() - before < 3


@pytest.mark.proves(
    attack="the counterpart takes a message and says nothing",
    code="timed-out",
    behaviour="the outcome is unknown: sent again, the same octets",
    rule="deadline",
)
def test_a_peer_that_says_nothing_times_out(peer: MakePeer) -> None:
    silent = peer(lambda connection, over: over.wait(10))
    before = time.monotonic()
    assert failing(endpoint(silent.url, deadline=timedelta(seconds=0.3))) == (
        "timed-out",
        "deadline",
    )
    assert time.monotonic() - before < 3


def test_a_peer_that_does_not_read_times_out(peer: MakePeer) -> None:
    deaf = peer(lambda connection, over: over.wait(10))
    with (
        HttpLink([endpoint(deaf.url, deadline=timedelta(seconds=0.4))], lambda: NOW) as link,
        pytest.raises(CounterpartError, match="timed-out"),
    ):
        link.post("cn", b"x" * 30_000_000, "application/xml", {})


def test_a_tls_handshake_that_never_ends_times_out(peer: MakePeer, authority: Authority) -> None:
    silent = peer(lambda connection, over: over.wait(10))
    url = silent.url.replace("http:", "https:")
    slow = endpoint(url, anchors=authority.anchors, deadline=timedelta(seconds=0.3))
    assert failing(slow) == ("timed-out", "connect")


def test_after_sends_that_were_cut_the_destination_still_works(peer: MakePeer) -> None:
    def act(connection: socket.socket, over: threading.Event) -> None:
        if b"slow" in read_request(connection):
            over.wait(10)
        connection.sendall(OK)

    one = endpoint(peer(act).url, connections=2, deadline=timedelta(seconds=0.5))
    with HttpLink([one], lambda: NOW) as link:
        for _ in range(3):  # more than there are connections
            with pytest.raises(CounterpartError, match="timed-out"):
                link.post("cn", b"slow", "text/plain", {})
        assert link.post("cn", b"fast", "text/plain", {}).body == b"ok"


# broken answers


def _reset(connection: socket.socket, over: threading.Event) -> None:
    read_request(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (_reset, "unreachable"),
        (answer(b""), "bad-answer"),
        (answer(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort"), "bad-answer"),
        (answer(b"SSH-2.0-OpenSSH_9.2\r\n"), "bad-answer"),
        (answer(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"), "bad-answer"),
        (answer(b"HTTP/1.1 200 OK\r\ncontent-length: -4\r\n\r\n"), "bad-answer"),
    ],
    ids=["reset", "closed", "truncated", "garbage", "bad-chunk", "bad-length"],
)
def test_broken_answers_have_their_code_and_are_not_sent_again(
    peer: MakePeer, act: Act, code: str
) -> None:
    broken = peer(act)
    assert failing(endpoint(broken.url))[0] == code
    assert broken.connections == 1


def _flood(connection: socket.socket, over: threading.Event) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while not over.is_set():
        connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")


@pytest.mark.proves(
    attack="an answer without end", code="bad-answer", behaviour="dropped at the limit", rule="size"
)
def test_a_huge_answer_is_refused_while_reading(peer: MakePeer) -> None:
    assert failing(endpoint(peer(_flood).url, max_answer=200_000)) == ("bad-answer", "size")


def test_an_answer_of_the_agreed_size_passes_and_one_byte_more_does_not(peer: MakePeer) -> None:
    def sized(size: int) -> bytes:
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size

    fits = endpoint(peer(answer(sized(1000))).url, max_answer=1000)
    assert len(send(fits).body) == 1000
    exceeds = endpoint(peer(answer(sized(1001))).url, max_answer=1000)
    assert failing(exceeds) == ("bad-answer", "size")


@pytest.mark.proves(
    attack="a compressed answer (zip bomb)",
    code="bad-answer",
    behaviour="dropped unread",
    rule="content-encoding",
)
def test_a_compressed_answer_is_refused(peer: MakePeer) -> None:
    wire = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nxx"
    assert failing(endpoint(peer(answer(wire)).url)) == ("bad-answer", "content-encoding")


# no connection


def test_a_closed_port_is_unreachable_and_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert failing(endpoint(f"http://127.0.0.1:{port}/")) == ("unreachable", "econnrefused")


def test_connecting_is_tried_again_until_the_peer_is_there() -> None:
    """The peer starts to listen only after the first connection was refused."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    refused = threading.Event()

    def late() -> None:
        refused.wait(5)
        with socket.create_server(("127.0.0.1", port)) as listener:
            connection, _ = listener.accept()
            read_request(connection)
            connection.sendall(OK)
            connection.close()

    server = threading.Thread(target=late)
    server.start()
    with HttpLink([endpoint(f"http://127.0.0.1:{port}/")], lambda: NOW) as link:
        client = link._callers["cn"].client
        first = client._transport.handle_async_request

        async def noted(request: httpx.Request) -> httpx.Response:
            try:
                return await first(request)
            except httpx.ConnectError:
                refused.set()
                raise

        client._transport.handle_async_request = noted  # type: ignore[method-assign]
        assert link.post("cn", b"x", "text/plain", {}).body == b"ok"
    server.join()


def test_a_name_that_does_not_exist_is_named() -> None:
    assert failing(endpoint("http://gateway.invalid/")) == ("unreachable", "name-unknown")


def test_a_destination_nobody_configured_is_unreachable() -> None:
    with (
        HttpLink([], lambda: NOW) as link,
        pytest.raises(CounterpartError, match="not-configured"),
    ):
        link.post("nowhere", b"", "text/plain", {})


def test_closing_ends_a_send_and_later_ones_are_refused(peer: MakePeer) -> None:
    started = threading.Event()

    def act(connection: socket.socket, over: threading.Event) -> None:
        read_request(connection)
        started.set()
        over.wait(10)

    link = HttpLink([endpoint(peer(act).url)], lambda: NOW)
    failures: list[CounterpartError] = []

    def run() -> None:
        try:
            link.post("cn", b"x", "text/plain", {})
        except CounterpartError as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    started.wait(5)
    link.close()
    thread.join()
    link.close()  # once more does nothing
    assert [f.findings[0].rule for f in failures] == ["closing"]
    with pytest.raises(CounterpartError, match="closing"):
        link.post("cn", b"x", "text/plain", {})


# TLS


def _server_tls(issued: Issued, anchors: Path | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    if anchors:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(anchors)
    return context


def test_mutual_tls_with_the_right_parties_works(peer: MakePeer, authority: Authority) -> None:
    one = peer(answer(OK), _server_tls(authority.issue("server"), authority.anchors))
    us = authority.issue("client")
    there = endpoint(one.url, anchors=authority.anchors, identity=Identity(us.certificate, us.key))
    assert send(there).body == b"ok"


@pytest.mark.parametrize("fault", ["unknown-authority", "expired", "wrong-name"])
def test_a_certificate_that_does_not_fit_is_named_and_tried_once(
    peer: MakePeer, authority: Authority, stranger: Authority, fault: str
) -> None:
    issued = {
        "unknown-authority": lambda: stranger.issue("server"),
        "expired": lambda: authority.issue("expired", days=(-20, -2)),
        "wrong-name": lambda: authority.issue("elsewhere", host="other.example"),
    }[fault]()
    one = peer(answer(OK), _server_tls(issued))
    assert failing(endpoint(one.url, anchors=authority.anchors)) == (
        "unreachable",
        "tls-certificate",
    )
    assert one.connections == 1


def test_a_peer_that_refuses_our_certificate_is_unreachable(
    peer: MakePeer, authority: Authority, stranger: Authority
) -> None:
    one = peer(answer(OK), _server_tls(authority.issue("server"), authority.anchors))
    us = stranger.issue("client")
    there = endpoint(one.url, anchors=authority.anchors, identity=Identity(us.certificate, us.key))
    assert failing(there)[0] == "unreachable"


def test_a_peer_that_speaks_no_tls_is_unreachable(peer: MakePeer, authority: Authority) -> None:
    def act(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(10)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    url = peer(act).url.replace("http:", "https:")
    assert failing(endpoint(url, anchors=authority.anchors)) == ("unreachable", "tls")


def test_tls_1_1_is_not_spoken(authority: Authority) -> None:
    context = client_context(authority.anchors, None)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED


def test_files_that_do_not_load_are_the_operators_case(
    authority: Authority, tmp_path: Path
) -> None:
    one, other = authority.issue("one"), authority.issue("other")
    for anchors, identity in (
        (tmp_path / "none.pem", None),
        (authority.anchors, Identity(one.certificate, other.key)),
        (authority.anchors, Identity(tmp_path / "none.pem", one.key)),
    ):
        with pytest.raises(UnavailableError) as caught:
            client_context(anchors, identity)
        assert caught.value.findings[0].rule == "tls-files"


# the table of httpx's errors


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (httpx.ConnectError("x"), "unreachable"),
        (httpx.ReadError("x"), "unreachable"),
        (httpx.WriteError("x"), "unreachable"),
        (httpx.CloseError("x"), "unreachable"),
        (httpx.ProxyError("x"), "unreachable"),
        (httpx.UnsupportedProtocol("x"), "unreachable"),
        (httpx.LocalProtocolError("x"), "unreachable"),
        (httpx.TooManyRedirects("x"), "unreachable"),
        (httpx.InvalidURL("x"), "unreachable"),
        (OSError("x"), "unreachable"),
        (httpx.ConnectTimeout("x"), "timed-out"),
        (httpx.ReadTimeout("x"), "timed-out"),
        (httpx.WriteTimeout("x"), "timed-out"),
        (httpx.PoolTimeout("x"), "timed-out"),
        (TimeoutError(), "timed-out"),
        (httpx.RemoteProtocolError("x"), "bad-answer"),
        (httpx.DecodingError("x"), "bad-answer"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_every_error_of_the_client_is_translated(fault: Exception, code: str) -> None:
    with respx.mock:
        route = respx.post("http://cn.example/").mock(side_effect=fault)
        assert failing(endpoint("http://cn.example/"))[0] == code
        assert route.call_count == (3 if isinstance(fault, httpx.ConnectError) else 1)


# Retry-After


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        ("120", 120.0),
        (" 5 ", 5.0),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("9" * 40, None),
        ("Thu, 14 May 2026 01:31:30 GMT", 90.0),
        ("Thu, 14 May 2026 01:00:00 GMT", 0.0),
        ("Thursday, 14-May-26 01:31:30 GMT", 90.0),
        ("Thu May 14 01:31:30 2026", 90.0),
        ("Thu, 99 May 2026 01:31:30 GMT", None),
    ],
)
def test_retry_after(value: str | None, expected: float | None) -> None:
    assert seconds(value, NOW) == expected


@given(st.text(max_size=60))
def test_retry_after_takes_whatever_comes(value: str) -> None:
    result = seconds(value, NOW)
    assert result is None or result >= 0
