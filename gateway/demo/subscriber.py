"""A domestic system in the demo: an HTTPS server that takes documents and keeps them.

It stands for the software of an agency. The gateway must present its client certificate.
"""

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LIMIT = 20_000_000
"""Bytes of a document that a subscriber takes."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A document that the gateway handed over."""

    document_type: str
    message_id: str
    conversation_id: str
    content: bytes


class Subscriber:
    """Takes documents until `stop`; `wait_for` blocks until one fits."""

    def __init__(self, folder: Path, certificate: Path, key: Path, anchors: Path) -> None:
        """folder: where the documents are kept, for people to look at."""
        self._folder = folder
        self._taken: list[Taken] = []
        self._changed = threading.Condition()
        folder.mkdir(parents=True, exist_ok=True)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._take))
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(anchors)
        context.verify_mode = ssl.CERT_REQUIRED
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where the gateway posts."""
        return f"https://127.0.0.1:{self._server.server_address[1]}/documents"

    def stop(self) -> None:
        """Close the socket and end the thread."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait_for(self, fits: Callable[[Taken], bool], seconds: float) -> Taken:
        """Return the first document that fits. TimeoutError after `seconds`."""
        with self._changed:
            found = self._changed.wait_for(lambda: self._first(fits), seconds)
        if found is None:
            raise TimeoutError("the document did not come")
        return found

    def _first(self, fits: Callable[[Taken], bool]) -> Taken | None:
        return next((taken for taken in self._taken if fits(taken)), None)

    def _take(self, taken: Taken) -> None:
        name = f"{len(self._taken) + 1:02d}-{taken.document_type}"
        (self._folder / name).write_bytes(taken.content)
        with self._changed:
            self._taken.append(taken)
            self._changed.notify_all()


def _handler(take: Callable[[Taken], None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """POST of one document."""

        def do_POST(self) -> None:
            """Keep the document, then say so."""
            length = int(self.headers.get("Content-Length", "0"))
            if not 0 < length <= LIMIT:
                self.send_error(413)
                return
            content = self.rfile.read(length)
            take(
                Taken(
                    self.headers.get("Gateway-Document-Type", ""),
                    self.headers.get("Gateway-Message-Id", ""),
                    self.headers.get("Gateway-Conversation-Id", ""),
                    content,
                )
            )
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the demo tells the story."""

    return Handler
