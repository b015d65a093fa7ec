"""The peer's own agency interface: hand in, ask. The least that a trigger and a query need.

POST /v1/messages answers 202 with the ids of the link messages; GET /v1/messages/{id} says
where one stands. In clear, on loopback: it is no part of the exchange profile.
"""

import asyncio
import json
from collections.abc import Callable

import h11

from conformance.peer.outbox import Outbox

Submit = Callable[[bytes], list[str]]


class Domestic:
    """Listens on loopback until `close`."""

    def __init__(self, submit: Submit, outbox: Outbox) -> None:
        self._submit, self._outbox = submit, outbox
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> int:
        """Listen; return the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            http = h11.Connection(h11.SERVER)
            request, body = await _read(http, reader)
            status, said = self._answer(request, body)
            octets = json.dumps(said).encode()
            headers = [("Content-Type", "application/json"), ("Content-Length", str(len(octets)))]
            for event in (h11.Response(status_code=status, headers=headers),
                          h11.Data(data=octets), h11.EndOfMessage()):  # fmt: skip
                writer.write(http.send(event) or b"")
            await writer.drain()
        except (OSError, EOFError, h11.RemoteProtocolError):
            pass  # whoever breaks off gets no answer
        finally:
            writer.close()

    def _answer(self, request: h11.Request, body: bytes) -> tuple[int, dict[str, object]]:
        target = request.target.decode()
        if request.method == b"POST" and target == "/v1/messages":
            return 202, {"messages": [{"id": name} for name in self._submit(body)]}
        message = self._outbox.get(target.rpartition("/")[2])
        if request.method != b"GET" or message is None:
            return 404, {}
        return 200, {"id": message.message_id, "state": message.state, "reason": message.reason}


async def _read(http: h11.Connection, reader: asyncio.StreamReader) -> tuple[h11.Request, bytes]:
    request, body = None, bytearray()
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and request is not None:
            return request, bytes(body)
        else:
            raise EOFError
