"""Certificates, running listeners and raw clients for the tests of the edge."""

import asyncio
import hashlib
import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.api.listener import Listener, Tls, run

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
PATIENCE = 20.0  # seconds after which a test that waits has failed


@dataclass(frozen=True)
class Identity:
    """A certificate with its key, as files."""

    certificate: Path
    key: Path

    @property
    def fingerprint(self) -> str:
        pem = self.certificate.read_text()
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


class Authority:
    """A small certification authority in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.anchors = folder / f"{name}-ca.pem"
        usage = x509.BasicConstraints(ca=True, path_length=0)
        made = self._certificate(self._name, self._key, (usage, True))
        self.anchors.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, expired: bool = False) -> Identity:
        """Issue a certificate for TLS, both ways, on 127.0.0.1."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        names = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
        made = self._certificate(
            subject, key, (x509.ExtendedKeyUsage(purposes), False), (names, False), expired=expired
        )
        identity = Identity(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        identity.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        identity.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return identity

    def _certificate(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        *extensions: tuple[x509.ExtensionType, bool],
        expired: bool = False,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        days = (-3, -1) if expired else (-1, 2)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=days[0]))
            .not_valid_after(now + timedelta(days=days[1]))
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self._key, hashes.SHA256())


class Running:
    """Listeners that serve in a thread with an event loop of its own."""

    def __init__(self, listeners: Sequence[Listener], loop: str = "uvloop") -> None:
        self.listeners = {listener.name: listener for listener in listeners}
        self._loop_factory = LOOPS[loop]
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._main)
        self._thread.start()
        assert self._begun.wait(PATIENCE)

    def port(self, name: str) -> int:
        return self.listeners[name].port

    def begin_stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)

    def wait_stopped(self) -> None:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def stop(self) -> None:
        if self._thread.is_alive():
            self.begin_stop()
        self.wait_stopped()

    def _main(self) -> None:
        with asyncio.Runner(loop_factory=self._loop_factory) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._loop.call_soon(self._begun.set)
        await run(list(self.listeners.values()), self._stop)


def server_tls(server: Identity, clients: Authority) -> Tls:
    return Tls(server.certificate, server.key, clients.anchors)


def client_context(anchors: Path, identity: Identity | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(anchors))
    if identity is not None:
        context.load_cert_chain(identity.certificate, identity.key)
    return context


def connect(port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    """Open a TLS connection whose reads and writes fail after a while."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(plain, server_hostname="127.0.0.1")


@dataclass(frozen=True)
class Reply:
    """An answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes


def read_reply(connection: ssl.SSLSocket) -> Reply:
    """Read one answer."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Reply(response.status, headers, response.read())


def read_to_end(connection: ssl.SSLSocket) -> bytes:
    """Read until the server closes, kindly or not."""
    got = b""
    try:
        while chunk := connection.recv(65_536):
            got += chunk
    except (ssl.SSLError, ConnectionError):
        pass
    return got


def pour(connection: ssl.SSLSocket, chunk: bytes, times: int) -> bytes:
    """Send until the server closes, or all is sent; return its answer."""
    try:
        for _ in range(times):
            connection.sendall(chunk)
    except (ssl.SSLError, ConnectionError):
        pass
    return read_to_end(connection)


def request(
    method: bytes, path: bytes, body: bytes = b"", headers: Sequence[tuple[bytes, bytes]] = ()
) -> bytes:
    """Write a request down."""
    fields = [(b"host", b"127.0.0.1"), *headers, (b"content-length", b"%d" % len(body))]
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in fields)
    return method + b" " + path + b" HTTP/1.1\r\n" + lines + b"\r\n" + body
