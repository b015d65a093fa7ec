"""A throw-away PKI, and a peer that answers as it is told, byte by byte."""

import re
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


@dataclass(frozen=True)
class Issued:
    """PEM files of a certificate and its key."""

    certificate: Path
    key: Path


@dataclass
class Authority:
    """A certificate authority in a folder."""

    folder: Path
    name: str
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def __post_init__(self) -> None:
        self.certificate = self._signed(_name(self.name), self.key, authority=True, days=(-1, 30))
        self.anchors = self.folder / f"{self.name}.pem"
        self.anchors.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, host: str = "127.0.0.1", days: tuple[int, int] = (-1, 30)) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed(_name(name), key, authority=False, days=days, host=host)
        issued = Issued(self.folder / f"{name}.crt.pem", self.folder / f"{name}.key.pem")
        issued.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        issued.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return issued

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        *,
        authority: bool,
        days: tuple[int, int],
        host: str | None = None,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(_name(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=days[0] - 30))
            .not_valid_after(now + timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if host:
            names = (
                [x509.IPAddress(ip_address(host))] if host[0].isdigit() else [x509.DNSName(host)]
            )
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())


Act = Callable[[socket.socket, threading.Event], None]


class Peer:
    """Accepts connections and does `act` with each; `connections` counts them."""

    def __init__(self, act: Act, tls: ssl.SSLContext | None = None) -> None:
        self._act, self._tls = act, tls
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}/exchange"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self._over.is_set():
                connection.close()
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        try:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            self._act(connection, self._over)
        except OSError:
            pass  # the other side went away, which is what many tests are about
        finally:
            connection.close()

    def close(self) -> None:
        self._over.set()
        socket.create_connection(("127.0.0.1", self.port)).close()  # wakes accept()
        self._listener.close()
        for thread in self._threads:
            thread.join()


MakePeer = Callable[..., Peer]


def _some(connection: socket.socket) -> bytes:
    """Receive something. ConnectionError when the other side is gone."""
    octets = connection.recv(65536)
    if not octets:
        raise ConnectionError
    return octets


def read_request(connection: socket.socket) -> bytes:
    """Read one whole request."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _some(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head.lower())
    while len(body) < (int(length[1]) if length else 0):
        body += _some(connection)
    return head + b"\r\n\r\n" + body
