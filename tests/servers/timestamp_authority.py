"""A time-stamping authority: `openssl ts` behind a small HTTP server. For any test."""

import subprocess
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# No `certs`: the authority's certificates would then not stand in DER order.
_CONFIGURATION = """\
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ess_cert_id_alg = sha256
accuracy = secs:1
"""
STAMPING = (ExtendedKeyUsageOID.TIME_STAMPING,)


@dataclass(frozen=True)
class Pair:
    """A key and its certificate."""

    key: Any
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


def pair(
    name: str,
    issuer: Pair | None = None,
    *,
    usage: Iterable[x509.ObjectIdentifier] = (),
    critical: bool = True,
    days: tuple[int, int] = (-30, 30),
    authority: bool = False,
    key: Any = None,
) -> Pair:
    """Make an authority (no issuer, or as asked) or a leaf. days: validity, from now."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(authority or issuer is None, None), critical=True)
    )
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=critical)
    return Pair(key, builder.sign(issuer.key if issuer else key, hashes.SHA256()))


class TimestampServer:
    """Answers at `url` until it is closed. anchor: DER, what the authority stands below.

    reply: set it to answer otherwise: query -> (status, content).
    """

    def __init__(self, folder: Path, *, leaf: Pair | None = None, root: Pair | None = None) -> None:
        self.root = root or pair("timestamp root")
        self.leaf = leaf or pair("timestamps", self.root, usage=STAMPING)
        self.folder = folder
        self.asked: list[bytes] = []
        self.reply: Callable[[bytes], tuple[int, bytes]] = self.stamp
        folder.mkdir(parents=True, exist_ok=True)
        private = self.leaf.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / "tsa.key").write_bytes(private)
        (folder / "tsa.pem").write_bytes(self.leaf.pem)
        self.anchor_file = folder / "root.pem"
        self.anchor_file.write_bytes(self.root.pem)
        (folder / "serial").write_text("01\n")
        (folder / "ts.cnf").write_text(_CONFIGURATION.format(folder=folder))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def anchor(self) -> bytes:
        return self.root.der

    def stamp(self, query: bytes) -> tuple[int, bytes]:
        """Answer as `openssl ts` does."""
        file = self.folder / f"{threading.get_ident()}.tsq"
        file.write_bytes(query)
        command = ["openssl", "ts", "-reply", "-config", self.folder / "ts.cnf"]
        done = subprocess.run([*command, "-queryfile", file], capture_output=True, check=True)
        return 200, done.stdout

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> "TimestampServer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _handler(authority: TimestampServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["content-length"]))
            authority.asked.append(query)
            status, content = authority.reply(query)
            self.send_response(status)
            self.send_header("content-type", "application/timestamp-reply")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
