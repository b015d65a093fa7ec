"""Ask revocation sources over HTTP, and only those that may be asked.

A URL comes from the agreement with a party, or from a certificate. A certificate must not make
us knock at doors of our own house: its URLs are followed to public addresses and the usual
ports only, and the address that was checked is the one that is connected to. No redirect is
followed, no answer is longer than agreed, and the deadline covers all of it, the name look-up
included.
"""

import asyncio
import ipaddress
import socket
import threading
from concurrent.futures import CancelledError, Future
from datetime import timedelta
from types import TracebackType

import httpx

from gateway.errors import CounterpartError
from gateway.signing.revocation import Kind
from gateway.signing.revocation_ocsp import ocsp_request
from gateway.signing.revocation_sources import Wanted
from gateway.transport.faults import failure, translated
from gateway.transport.tls import client_context

_PORTS = {"http": 80, "https": 443}
_MOST_AT_ONCE = 16
_HANDED_OUT = ipaddress.IPv6Network("2000::/3")


class HttpStatusSource:
    """Implements `gateway.flows.ports_revocation.StatusSource`. Safe for many threads."""

    def __init__(self, deadline: timedelta, max_bytes: int) -> None:
        """deadline: of one question as a whole. max_bytes: of an answer."""
        self._deadline = deadline.total_seconds()
        self._max_bytes = max_bytes
        self._client = httpx.AsyncClient(
            verify=client_context(None, None),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(None, connect=self._deadline / 2),
            limits=httpx.Limits(max_connections=_MOST_AT_ONCE, max_keepalive_connections=0),
            headers={"user-agent": "bilateral-gateway", "accept-encoding": "identity"},
        )
        self._closing = threading.Lock()
        self._closed = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="status", daemon=True)
        self._thread.start()

    def ask(self, wanted: Wanted) -> bytes:
        """Return the octets of a CRL or an OCSP answer, unverified, within the deadline.

        CounterpartError `unreachable`, `timed-out` or `bad-answer` (status, size, a URL that
        may not be asked: rule `url-forbidden`).
        """
        asking = self._start(wanted)
        try:
            return asking.result()
        except CancelledError as end:
            raise failure("unreachable", "closing", wanted.url, "") from end
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError, ValueError) as fault:
            raise translated(fault, wanted.url) from fault

    def _start(self, wanted: Wanted) -> Future[bytes]:
        with self._closing:
            if self._closed:
                raise failure("unreachable", "closing", wanted.url, "")
            return asyncio.run_coroutine_threadsafe(self._bounded(wanted), self._loop)

    async def _bounded(self, wanted: Wanted) -> bytes:
        async with asyncio.timeout(self._deadline):
            return await self._ask(wanted)

    async def _ask(self, wanted: Wanted) -> bytes:
        url = _readable(wanted)
        headers = {"host": url.netloc.decode("ascii")}
        extensions = {"sni_hostname": url.host} if url.scheme == "https" else {}
        if not wanted.agreed:
            url = url.copy_with(host=await self._public_address(url))
        method, content = "GET", None
        if wanted.kind is Kind.OCSP:
            method, content = "POST", ocsp_request(wanted.certificate, wanted.issuer)
            headers["content-type"] = "application/ocsp-request"
        async with self._client.stream(
            method, url, content=content, headers=headers, extensions=extensions
        ) as answer:
            if answer.status_code != 200:
                raise failure("bad-answer", "answer", wanted.url, f"HTTP {answer.status_code}")
            return await self._read(answer, wanted.url)

    async def _public_address(self, url: httpx.URL) -> str:
        """Return an address of the host to connect to; all that it has must be public."""
        found = await self._loop.getaddrinfo(
            url.host, url.port or _PORTS[url.scheme], type=socket.SOCK_STREAM
        )
        addresses = [str(entry[4][0]) for entry in found]
        for each in addresses:
            if not _is_public(ipaddress.ip_address(each.partition("%")[0])):
                raise failure("bad-answer", "url-forbidden", str(url), each)
        return addresses[0]

    async def _read(self, answer: httpx.Response, url: str) -> bytes:
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            raise failure("bad-answer", "content-encoding", url, "compressed")
        content = bytearray()
        async for chunk in answer.aiter_raw():
            content += chunk
            if len(content) > self._max_bytes:
                raise failure("bad-answer", "size", url, f"more than {self._max_bytes} bytes")
        return bytes(content)

    def close(self) -> None:
        """Cancel what is being asked and close the connections."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        running = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._client.aclose()
        await asyncio.sleep(0)  # an aborted connection is gone one turn of the loop later

    def __enter__(self) -> "HttpStatusSource":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Of IPv6 only what is handed out (2000::/3), but for 6to4, which hides an IPv4 address; the
    translated ones (64:ff9b::/96, ::/96) lie outside of it."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        if address not in _HANDED_OUT or address.sixtofour is not None:
            return False
    return address.is_global and not address.is_multicast


def _readable(wanted: Wanted) -> httpx.URL:
    """Return the URL; one of a certificate has an ordinary port and no user."""
    url = httpx.URL(wanted.url)
    allowed = url.scheme in _PORTS and bool(url.host)
    if not wanted.agreed:
        allowed = allowed and url.port in (None, _PORTS[url.scheme]) and not url.userinfo
    if not allowed:
        raise _forbidden(wanted.url)
    return url


def _forbidden(url: str) -> CounterpartError:
    return failure("bad-answer", "url-forbidden", url, "")
