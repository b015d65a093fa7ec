"""TLS keys, certificates and anchors change while listeners and clients run: real sockets."""

import asyncio
import hashlib
import http.client
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvloop

from gateway.api.asgi import Receive, Scope, Send, answer
from gateway.api.listener import Listener
from gateway.bootstrap.tls_files import TlsFiles, listener_tls, of_destination, of_listener
from gateway.errors import CounterpartError
from gateway.settings.sections import Listen
from gateway.signing.issue import Issued, Purpose, Subject, authority, leaf
from gateway.signing.keys import write_key
from gateway.transport.link import Endpoint, HttpLink
from gateway.transport.tls import Identity

SUBJECT = Subject("VN", "Test", "", "test")
START = datetime.now(UTC) - timedelta(hours=1)


def issuer(name: str) -> Issued:
    return authority(Subject("VN", "Test", "", name), START, 2)


@dataclass
class Files:
    """A key, its certificate and anchors, which tests replace in place."""

    folder: Path
    purpose: Purpose
    marks: int = field(default=0)

    @property
    def certificate(self) -> Path:
        return self.folder / f"{self.purpose}.cert.pem"

    @property
    def key(self) -> Path:
        return self.folder / f"{self.purpose}.key.pem"

    @property
    def anchors(self) -> Path:
        return self.folder / f"{self.purpose}.anchors.pem"

    def renew(self, by: Issued) -> str:
        """Write another certificate and key; return the fingerprint."""
        hosts = ["127.0.0.1"] if self.purpose is Purpose.TLS_SERVER else []
        made = leaf(SUBJECT, self.purpose, START, 2, issuer=by, hosts=hosts)
        self.key.unlink(missing_ok=True)
        write_key(made.key, self.key, None)
        self.write(self.certificate, made.pem)
        return hashlib.sha256(made.der).hexdigest()

    def write(self, file: Path, content: bytes) -> None:
        """Replace a file as operators do, with a time of its own."""
        new = file.with_suffix(".new")
        new.write_bytes(content)
        new.replace(file)
        self.marks += 1
        later = file.stat().st_mtime_ns + self.marks * 1_000_000
        os.utime(file, ns=(later, later))


@dataclass
class Held:
    """A request that the application holds until it is let go."""

    inside: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)


HELD = Held()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Take the whole body, then answer; one of 4 octets is held before."""
    size = 0
    while True:
        event = await receive()
        size += len(event.get("body", b""))
        if not event.get("more_body"):
            break
    if size == len(b"hold"):
        HELD.inside.set()
        await asyncio.to_thread(HELD.go.wait, 20)
    await answer(send, 200, b"%d" % size, b"text/plain")


class Served:
    """A listener in a thread, and what watches its files."""

    def __init__(self, folder: Path) -> None:
        self.ours, self.theirs = issuer("ours"), issuer("theirs")
        self.server, self.client = (
            Files(folder, Purpose.TLS_SERVER),
            Files(folder, Purpose.TLS_CLIENT),
        )
        self.fingerprint = self.server.renew(self.ours)
        self.client.renew(self.theirs)
        self.server.anchors.write_bytes(self.theirs.pem)
        self.client.anchors.write_bytes(self.ours.pem)
        section = Listen.model_construct(
            host="127.0.0.1", port=0, certificate=self.server.certificate,
            key=self.server.key, anchors=self.server.anchors, password_file=None,
        )  # fmt: skip
        self.listener = Listener("counterpart", app, ("127.0.0.1", 0), listener_tls(section))
        watched = of_listener(self.listener, section)
        assert watched is not None
        self.files = TlsFiles([watched])
        begun = threading.Event()

        async def main() -> None:
            asyncio.get_running_loop().call_later(0, begun.set)
            await self.listener.serve()

        self._thread = threading.Thread(
            target=lambda: asyncio.Runner(loop_factory=uvloop.new_event_loop).run(main())
        )
        self._thread.start()
        assert begun.wait(20)

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.client.anchors))
        context.load_cert_chain(self.client.certificate, self.client.key)
        return context

    def connect(self, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", self.listener.port), timeout=20)
        return (context or self.context()).wrap_socket(plain, server_hostname="127.0.0.1")

    def shown(self) -> str:
        """Return the fingerprint of the certificate that a new connection is shown."""
        with self.connect() as connection:
            self.ask(connection, b"x")
            return hashlib.sha256(connection.getpeercert(binary_form=True) or b"").hexdigest()

    def ask(self, connection: ssl.SSLSocket, body: bytes) -> bytes:
        self.send_head(connection, len(body))
        connection.sendall(body)
        return self.read(connection)

    def send_head(self, connection: ssl.SSLSocket, size: int) -> None:
        head = f"POST / HTTP/1.1\r\nhost: test\r\ncontent-length: {size}\r\n\r\n"
        connection.sendall(head.encode())

    def read(self, connection: ssl.SSLSocket) -> bytes:
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.read()

    def close(self) -> None:
        self.listener._loop.call_soon_threadsafe(self.listener.stop)  # type: ignore[union-attr]
        self._thread.join(20)
        assert not self._thread.is_alive()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    yield made
    made.close()


def test_a_new_certificate_is_shown_and_open_connections_go_on(served: Served) -> None:
    assert served.shown() == served.fingerprint
    with served.connect() as flying, served.connect() as idle:
        served.send_head(flying, 6)
        flying.sendall(b"abc")
        renewed = served.server.renew(served.ours)
        assert served.files.poll() == 1
        assert served.files.poll() == 0
        assert served.shown() == renewed != served.fingerprint
        flying.sendall(b"def")
        assert served.read(flying) == b"6"
        assert served.ask(idle, b"still here") == b"10"


def test_new_anchors_let_others_in_and_the_former_no_more(served: Served) -> None:
    before = served.context()
    others = issuer("others")
    served.server.write(served.server.anchors, others.pem)
    assert served.files.poll() == 1
    with pytest.raises((ssl.SSLError, ConnectionError)), served.connect(before) as refused:
        served.ask(refused, b"x")
    served.client.renew(others)
    assert served.shown() == served.fingerprint


@pytest.mark.parametrize("bad", ["certificate", "key", "anchors"])
@pytest.mark.proves(
    attack="a TLS file is replaced by one that does not load or does not fit",
    code="-",
    behaviour="the listener goes on with the old files and says so; a good file is taken later",
)
def test_a_bad_file_keeps_the_old_one_and_says_so(served: Served, bad: str) -> None:
    good = getattr(served.server, bad).read_bytes()
    served.server.write(getattr(served.server, bad), b"not a certificate\n")
    assert served.files.poll() == 0
    assert list(served.files.refused) == ["listen.counterpart"]
    assert served.shown() == served.fingerprint
    served.server.write(getattr(served.server, bad), good)
    assert served.files.poll() == 1
    assert served.files.refused == {}


def test_a_half_finished_rotation_is_taken_when_it_is_whole(served: Served) -> None:
    old = served.server.key.read_bytes()
    renewed = served.server.renew(served.ours)
    new = served.server.key.read_bytes()
    served.server.write(served.server.key, old)  # the certificate is there, its key not yet
    assert served.files.poll() == 0
    assert served.shown() == served.fingerprint
    served.server.write(served.server.key, new)
    assert served.files.poll() == 1
    assert served.shown() == renewed


def test_a_hang_up_signal_takes_all_anew(served: Served) -> None:
    assert served.files.reload() == 1
    assert served.shown() == served.fingerprint


def test_a_missing_file_is_refused_not_fatal(served: Served) -> None:
    served.server.key.unlink()
    assert served.files.poll() == 0
    assert served.shown() == served.fingerprint


# the outbound client


def link_of(served: Served) -> tuple[HttpLink, Callable[[], Endpoint]]:
    def endpoint() -> Endpoint:
        client = served.client
        return Endpoint(
            "cn",
            f"https://127.0.0.1:{served.listener.port}/",
            client.anchors,
            Identity(client.certificate, client.key),
            deadline=timedelta(seconds=20),
        )

    return HttpLink([endpoint()], lambda: datetime.now(UTC)), endpoint


def test_the_client_takes_new_files_and_what_it_sends_is_not_cut_off(served: Served) -> None:
    link, endpoint = link_of(served)
    with link:
        files = TlsFiles([of_destination(link, endpoint(), lambda: [endpoint()])])
        assert link.post("cn", b"abc", "text/plain", {}).body == b"3"
        others = issuer("others")
        served.server.write(served.server.anchors, served.theirs.pem + others.pem)
        assert served.files.poll() == 1
        bodies: list[bytes] = []
        sending = threading.Thread(
            target=lambda: bodies.append(link.post("cn", b"hold", "text/plain", {}).body)
        )
        sending.start()
        assert HELD.inside.wait(20)
        served.client.renew(others)
        assert files.poll() == 1
        served.server.write(served.server.anchors, others.pem)
        assert served.files.poll() == 1
        assert link.post("cn", b"abcde", "text/plain", {}).body == b"5"
        HELD.go.set()
        sending.join(20)
        assert bodies == [b"4"]


def test_the_client_keeps_its_files_when_the_new_ones_are_bad(served: Served) -> None:
    link, endpoint = link_of(served)
    with link:
        files = TlsFiles([of_destination(link, endpoint(), lambda: [endpoint()])])
        served.client.write(served.client.anchors, b"nothing")
        assert files.poll() == 0
        assert list(files.refused) == ["cn"]
        assert link.post("cn", b"abc", "text/plain", {}).body == b"3"
        served.client.write(served.client.anchors, issuer("strangers").pem)
        assert files.poll() == 1
        with pytest.raises(CounterpartError, match="tls-certificate"):
            link.post("cn", b"abc", "text/plain", {})


def test_a_closed_link_takes_nothing_more(served: Served) -> None:
    link, endpoint = link_of(served)
    link.close()
    link.use(endpoint())
    with pytest.raises(CounterpartError, match="closing"):
        link.post("cn", b"abc", "text/plain", {})
