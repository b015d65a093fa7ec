"""The peer's HTTP front: raw asyncio and h11, TLS with client certificates."""

import asyncio
import hashlib
import ssl
from collections.abc import Callable, Mapping

import h11

from conformance.peer.mutants import Mutants
from conformance.peer.receiver import Said

LARGEST = 10_000_000
HEADERS_WITHIN, BODY_WITHIN = 10.0, 30.0

Handler = Callable[[bytes, str], Said]


class Server:
    """Listens until `close`. parties: fingerprint of a client certificate -> party."""

    def __init__(
        self,
        handler: Handler,
        parties: Mapping[str, str],
        mutants: Mutants,
        path: str = "/exchange/v1",
    ) -> None:
        self._handler, self._parties, self._mutants, self._path = handler, parties, mutants, path
        self._server: asyncio.Server | None = None
        self.most = LARGEST

    async def start(self, context: ssl.SSLContext | None, port: int = 0) -> int:
        """Listen on loopback; return the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, ssl=context)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and let go of open connections."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        except (OSError, ssl.SSLError, TimeoutError, h11.RemoteProtocolError, EOFError):
            pass  # whoever breaks off gets no answer
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        http = h11.Connection(h11.SERVER, max_incomplete_event_size=32768)
        try:
            async with asyncio.timeout(HEADERS_WITHIN):
                request = await _event(http, reader)
            if not isinstance(request, h11.Request):
                return
            said = await self._handled(http, reader, request, self._party(writer))
        except h11.RemoteProtocolError:
            said = Said(400, b"bad request", "text/plain")
        await _write(http, writer, said)

    async def _handled(
        self,
        http: h11.Connection,
        reader: asyncio.StreamReader,
        request: h11.Request,
        party: str,
    ) -> Said:
        if not party:
            return Said(403, b"unknown client certificate", "text/plain")
        headers = {name.decode().lower(): value.decode() for name, value in request.headers}
        refused = self._head(request, headers)
        if refused:
            return refused
        async with asyncio.timeout(BODY_WITHIN):
            body = await self._body(http, reader)
        if body is None:
            return Said(413, b"too large", "text/plain")
        return self._handler(body, party)

    def _head(self, request: h11.Request, headers: Mapping[str, str]) -> Said | None:
        if request.target.decode() != self._path:
            return Said(404, b"not found", "text/plain")
        if request.method != b"POST":
            return Said(405, b"method not allowed", "text/plain")
        media = headers.get("content-type", "").partition(";")[0].strip().lower()
        if media != "application/xml" or "content-encoding" in headers:
            return Said(415, b"unsupported media type", "text/plain")
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > self.most and not self._mutants.on("MR27"):
            return Said(413, b"too large", "text/plain")
        return None

    async def _body(self, http: h11.Connection, reader: asyncio.StreamReader) -> bytes | None:
        body = bytearray()
        while True:
            event = await _event(http, reader)
            if isinstance(event, h11.Data):
                body += event.data
                if len(body) > self.most and not self._mutants.on("MR27"):
                    return None
            elif isinstance(event, h11.EndOfMessage):
                return bytes(body)
            else:
                raise EOFError

    def _party(self, writer: asyncio.StreamWriter) -> str:
        secured = writer.get_extra_info("ssl_object")
        if secured is None or self._mutants.on("MR51"):
            return next(iter(self._parties.values()), "")
        der = secured.getpeercert(binary_form=True) or b""
        return self._parties.get(hashlib.sha256(der).hexdigest(), "")


async def _event(http: h11.Connection, reader: asyncio.StreamReader) -> object:
    while True:
        event = http.next_event()
        if event is not h11.NEED_DATA:
            return event
        http.receive_data(await reader.read(65536))


async def _write(http: h11.Connection, writer: asyncio.StreamWriter, said: Said) -> None:
    headers = [
        ("Content-Type", said.media_type),
        ("Content-Length", str(len(said.body))),
        ("Connection", "close"),
    ]
    reason = b""
    response = h11.Response(status_code=said.status, headers=headers, reason=reason)
    if http.our_state is h11.ERROR:
        head = "".join(f"{name}: {value}\r\n" for name, value in headers)
        writer.write(f"HTTP/1.1 {said.status} \r\n{head}\r\n".encode() + said.body)
    else:
        writer.write(http.send(response) or b"")
        writer.write(http.send(h11.Data(data=said.body)) or b"")
        writer.write(http.send(h11.EndOfMessage()) or b"")
    await writer.drain()
