"""Listeners on real sockets with real TLS: who gets in, how long, how much, how it ends."""

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from api_desk import Pki, Started
from edge_tls import (
    LOOPS,
    PATIENCE,
    Authority,
    client_context,
    connect,
    pour,
    read_reply,
    read_to_end,
    request,
    server_tls,
)

from gateway.api.listener import Listener
from gateway.api.peers import fingerprint
from gateway.api.protocol import Bounds

LOCAL = ("127.0.0.1", 0)
App = Callable[..., Any]


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the path, the body, and who asked."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body, more = body + message["body"], message["more_body"]
    tls = {k: v for k, v in scope["extensions"]["tls"].items() if k != "client_cert_chain"}
    answer = json.dumps(
        {
            "path": scope["path"],
            "body": body.decode("latin-1"),
            "peer": fingerprint(scope),
            "tls": tls,
        }
    ).encode()
    length = b"%d" % len(answer)
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]}
    )
    await send({"type": "http.response.body", "body": answer})


def listening(pki: Pki, app: App = echo, bounds: Bounds | None = None, drain: int = 5) -> Listener:
    tls = server_tls(pki.server, pki.agencies)
    soon = replace(bounds or Bounds(), linger=0.2)
    return Listener("agencies", app, LOCAL, tls, soon, drain)


def trusted(pki: Pki) -> ssl.SSLContext:
    return client_context(pki.servers.anchors, pki.agency)


def test_the_application_learns_the_client_certificate(pki: Pki, start: Started, loop: str) -> None:
    running = start(listening(pki), loop=loop)
    with connect(running.port("agencies"), trusted(pki)) as connection:
        connection.sendall(request(b"POST", b"/a", b"hello"))
        seen = json.loads(read_reply(connection).body)
    assert seen["peer"] == pki.agency.fingerprint
    assert seen["body"] == "hello"
    assert seen["tls"] == {
        "server_cert": None,
        "client_cert_name": "CN=customs",
        "client_cert_error": None,
        "tls_version": 0x0304,
        "cipher_suite": None,
    }


def kept_out(port: int, context: ssl.SSLContext) -> bool:
    """With TLS 1.3 a client notices only when it reads: the handshake is over for it first."""
    try:
        with connect(port, context) as connection:
            connection.sendall(request(b"GET", b"/"))
            return not connection.recv(1)
    except (ssl.SSLError, ConnectionError):
        return True


@pytest.mark.proves(attack="no TLS client certificate", code="-", behaviour="no connection")
def test_without_a_client_certificate_nobody_gets_in(pki: Pki, start: Started, loop: str) -> None:
    running = start(listening(pki), loop=loop)
    assert kept_out(running.port("agencies"), client_context(pki.servers.anchors, None))


@pytest.mark.proves(
    attack="the counterpart's certificate at the agencies' listener, and the other way",
    code="-",
    behaviour="no connection: each listener has its own authorities",
)
def test_the_counterparts_certificate_never_opens_the_agencies_listener(
    pki: Pki, start: Started, loop: str
) -> None:
    link = Listener("counterpart", echo, LOCAL, server_tls(pki.server, pki.counterparts))
    running = start(link, listening(pki), loop=loop)
    counterpart = client_context(pki.servers.anchors, pki.counterpart)
    assert kept_out(running.port("agencies"), counterpart)
    assert kept_out(running.port("counterpart"), trusted(pki))
    with connect(running.port("counterpart"), counterpart) as connection:
        connection.sendall(request(b"GET", b"/mine"))
        assert read_reply(connection).status == 200


@pytest.mark.proves(
    attack="a TLS certificate of an authority with the right name and another key",
    code="-",
    behaviour="no connection",
)
def test_an_authority_of_the_same_name_with_another_key_does_not_count(
    pki: Pki, start: Started, tmp_path_factory: pytest.TempPathFactory
) -> None:
    forged = Authority(tmp_path_factory.mktemp("forged"), "agencies").issue("customs")
    running = start(listening(pki))
    assert kept_out(running.port("agencies"), client_context(pki.servers.anchors, forged))


@pytest.mark.proves(attack="an expired TLS client certificate", code="-", behaviour="no connection")
def test_an_expired_client_certificate_is_kept_out(pki: Pki, start: Started) -> None:
    expired = pki.agencies.issue("expired", expired=True)
    running = start(listening(pki))
    assert kept_out(running.port("agencies"), client_context(pki.servers.anchors, expired))


@pytest.mark.proves(attack="TLS 1.1 and older", code="-", behaviour="no connection")
def test_old_tls_versions_are_kept_out(pki: Pki, start: Started) -> None:
    running = start(listening(pki))
    old = trusted(pki)
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    assert kept_out(running.port("agencies"), old)


def test_plain_http_is_only_for_loopback() -> None:
    with pytest.raises(ValueError, match="loopback"):
        Listener("operations", echo, ("0.0.0.0", 0), None)


def test_bytes_that_are_not_tls_get_no_answer(pki: Pki, start: Started, loop: str) -> None:
    running = start(listening(pki), loop=loop)
    with socket.create_connection(("127.0.0.1", running.port("agencies")), PATIENCE) as plain:
        plain.sendall(request(b"GET", b"/"))
        assert b"HTTP/1.1 200" not in plain.recv(4096)


@pytest.mark.proves(
    attack="a request head that drips (slowloris)",
    code="-",
    behaviour="408 after the deadline of the whole head",
)
def test_a_slow_head_is_cut_although_it_drips(pki: Pki, start: Started, loop: str) -> None:
    running = start(listening(pki, bounds=Bounds(head=0.4)), loop=loop)
    with connect(running.port("agencies"), trusted(pki)) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\nx: ")
        got = drip(connection)
    assert got.startswith(b"HTTP/1.1 408 ")
    assert json.loads(got.partition(b"\r\n\r\n")[2])["status"] == 408


def drip(connection: ssl.SSLSocket) -> bytes:
    """Send a byte whenever the server stays silent; return what it says in the end."""
    connection.settimeout(0.05)
    got = b""
    for _ in range(400):
        try:
            chunk = connection.recv(4096)
        except TimeoutError:
            connection.sendall(b"a")
            continue
        if not chunk:
            return got
        got += chunk
    raise AssertionError("the server never lost patience")


@pytest.mark.proves(
    attack="a request body that drips",
    code="-",
    behaviour="408 after the deadline of the whole body",
)
def test_a_slow_body_is_cut_and_the_application_hears_of_it(
    pki: Pki, start: Started, loop: str
) -> None:
    gone = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] == "http.request":
            pass
        gone.set()

    running = start(listening(pki, app, Bounds(body=0.4)), loop=loop)
    with connect(running.port("agencies"), trusted(pki)) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nab")
        got = drip(connection)
    assert got.startswith(b"HTTP/1.1 408 ")
    assert gone.wait(PATIENCE)


@pytest.mark.parametrize("first", [b"", b"\r\n\r\n"])
def test_a_silent_connection_is_closed_without_a_word(
    pki: Pki, start: Started, loop: str, first: bytes
) -> None:
    running = start(listening(pki, bounds=Bounds(head=0.3)), loop=loop)
    with connect(running.port("agencies"), trusted(pki)) as connection:
        connection.sendall(first)
        assert read_to_end(connection) == b""


def test_blank_lines_after_an_answer_do_not_hold_the_connection(
    pki: Pki, start: Started, loop: str
) -> None:
    running = start(listening(pki, bounds=Bounds(head=0.3, idle=60)), loop=loop)
    with connect(running.port("agencies"), trusted(pki)) as connection:
        connection.sendall(request(b"GET", b"/"))
        assert read_reply(connection).status == 200
        connection.sendall(b"\r\n")
        assert read_to_end(connection) == b""


def test_an_idle_connection_is_closed(pki: Pki, start: Started, loop: str) -> None:
    running = start(listening(pki, bounds=Bounds(idle=0.3)), loop=loop)
    with connect(running.port("agencies"), trusted(pki)) as connection:
        connection.sendall(request(b"GET", b"/"))
        assert read_reply(connection).status == 200
        assert read_to_end(connection) == b""


@pytest.mark.proves(attack="a request head without end", code="-", behaviour="431 at the limit")
def test_a_head_without_end_is_refused(pki: Pki, start: Started, loop: str) -> None:
    running = start(listening(pki), loop=loop)
    with connect(running.port("agencies"), trusted(pki)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        got = pour(connection, b"x: " + b"y" * 8_000 + b"\r\n", 2_000)
    assert got.startswith(b"HTTP/1.1 431 ")


def test_trailers_without_end_are_cut(pki: Pki, start: Started, loop: str) -> None:
    bounds = Bounds(request_bytes=300_000)
    running = start(listening(pki, bounds=bounds), loop=loop)
    with connect(running.port("agencies"), trusted(pki)) as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
        )
        got = pour(connection, b"x: " + b"y" * 8_000 + b"\r\n", 4_000)
    assert got.startswith(b"HTTP/1.1 413 ")


@pytest.mark.proves(
    attack="ambiguous or broken HTTP (request smuggling)",
    code="-",
    behaviour="refused, and the connection closed",
)
@pytest.mark.parametrize(
    "bad",
    [
        b"NONSENSE\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost : x\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_not_http_is_refused(pki: Pki, start: Started, bad: bytes) -> None:
    running = start(listening(pki))
    with connect(running.port("agencies"), trusted(pki)) as connection:
        connection.sendall(bad)
        got = read_to_end(connection)
    assert got.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in got


def test_pipelined_requests_are_answered_in_order(pki: Pki, start: Started, loop: str) -> None:
    running = start(listening(pki), loop=loop)
    with connect(running.port("agencies"), trusted(pki)) as connection:
        paths = [f"/{number}".encode() for number in range(20)]
        connection.sendall(b"".join(request(b"POST", path, path) for path in paths))
        seen = [json.loads(read_reply(connection).body) for _ in paths]
    assert [(each["path"], each["body"]) for each in seen] == [
        (path.decode(), path.decode()) for path in paths
    ]


def test_a_half_closed_client_does_not_hold_the_server(pki: Pki, start: Started, loop: str) -> None:
    running = start(listening(pki, drain=60), loop=loop)
    raw = socket.create_connection(("127.0.0.1", running.port("agencies")), PATIENCE)
    with trusted(pki).wrap_socket(raw, server_hostname="127.0.0.1") as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nab")
        connection.shutdown(socket.SHUT_WR)
        assert b"200 OK" not in read_to_end(connection)
        running.stop()


def test_a_client_that_does_not_read_is_cut(pki: Pki, start: Started, loop: str) -> None:
    ended = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(400):
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
        ended.set()

    running = start(listening(pki, app, Bounds(write=0.4)), loop=loop)
    with connect(running.port("agencies"), trusted(pki)) as connection:
        connection.sendall(request(b"GET", b"/"))
        assert ended.wait(PATIENCE)
        assert len(read_to_end(connection)) < 40_000_000


@pytest.mark.proves(
    attack="more connections than agreed", code="-", behaviour="turned away; those inside go on"
)
def test_connections_beyond_the_bound_are_turned_away(pki: Pki, start: Started, loop: str) -> None:
    running = start(listening(pki, bounds=Bounds(connections=2)), loop=loop)
    port, context = running.port("agencies"), trusted(pki)
    with connect(port, context) as one, connect(port, context) as two:
        for connection in (one, two):
            connection.sendall(request(b"GET", b"/"))
            assert read_reply(connection).status == 200
        assert kept_out(port, context)
        two.sendall(request(b"GET", b"/"))
        assert read_reply(two).status == 200


class Held:
    """An application that answers when it is let go."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.release = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.entered.set()
        await asyncio.get_running_loop().run_in_executor(None, self.release.wait, PATIENCE)
        await echo(scope, receive, send)


def test_a_stop_finishes_what_runs_and_takes_nothing_new(
    pki: Pki, start: Started, loop: str
) -> None:
    held = Held()
    running = start(listening(pki, held, drain=30), loop=loop)
    port, context = running.port("agencies"), trusted(pki)
    idle, busy = connect(port, context), connect(port, context)
    with idle, busy:
        busy.sendall(request(b"POST", b"/busy", b"work"))
        assert held.entered.wait(PATIENCE)
        running.begin_stop()
        assert read_to_end(idle) == b""
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port), PATIENCE)
        held.release.set()
        reply = read_reply(busy)
    assert (reply.status, json.loads(reply.body)["body"]) == (200, "work")
    assert reply.headers["connection"] == "close"
    running.wait_stopped()


def test_a_stop_does_not_wait_for_ever(pki: Pki, start: Started, loop: str) -> None:
    held = Held()
    running = start(listening(pki, held, drain=1), loop=loop)
    with connect(running.port("agencies"), trusted(pki)) as connection:
        connection.sendall(request(b"GET", b"/"))
        assert held.entered.wait(PATIENCE)
        running.begin_stop()
        read_to_end(connection)
        held.release.set()
        running.wait_stopped()


def test_a_half_sent_request_does_not_hold_the_stop(pki: Pki, start: Started, loop: str) -> None:
    running = start(listening(pki, drain=60), loop=loop)
    with connect(running.port("agencies"), trusted(pki)) as connection:
        connection.sendall(b"POST / HT")
        running.begin_stop()
        assert read_to_end(connection) == b""
        running.wait_stopped()


def test_the_last_listener_answers_while_the_others_drain(pki: Pki, start: Started) -> None:
    held = Held()
    operations = Listener("operations", plain_ok, LOCAL, None)
    running = start(listening(pki, held, drain=30), operations)
    with connect(running.port("agencies"), trusted(pki)) as busy:
        busy.sendall(request(b"GET", b"/"))
        assert held.entered.wait(PATIENCE)
        running.begin_stop()
        with socket.create_connection(("127.0.0.1", running.port("operations")), PATIENCE) as peek:
            peek.sendall(request(b"GET", b"/"))
            assert peek.recv(15) == b"HTTP/1.1 200 OK"
        held.release.set()
        assert read_reply(busy).status == 200
    running.wait_stopped()


async def plain_ok(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})
