"""Look at a destination step by step: name, port, TLS, and what it answers. Nothing is
delivered: the one message that is posted is none, and is refused."""

import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from gateway.transport.faults import failure, translated
from gateway.transport.link import Endpoint
from gateway.transport.tls import client_context

SECONDS = 5.0
NOTHING = b'<probe xmlns="urn:bilateral-gateway:probe"/>'
"""Well-formed, and no message of any profile."""


@dataclass(frozen=True, slots=True)
class Shaken:
    """A TLS handshake. version: TLSv1.3 ... certificate: the server's, DER."""

    version: str
    cipher: str
    certificate: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back for something that is no message."""

    status: int
    media_type: str
    body: bytes


def place_of(endpoint: Endpoint) -> tuple[str, int]:
    """Return host and port."""
    parts = urlsplit(endpoint.url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def addresses(endpoint: Endpoint) -> list[str]:
    """Return the addresses of its name. CounterpartError `unreachable`."""
    host, port = place_of(endpoint)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as fault:
        raise translated(fault, endpoint.name) from fault
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def connected(endpoint: Endpoint) -> None:
    """Return when its port takes a connection. CounterpartError."""
    try:
        socket.create_connection(place_of(endpoint), SECONDS).close()
    except OSError as fault:
        raise translated(fault, endpoint.name) from fault


def shaken(endpoint: Endpoint) -> Shaken:
    """Shake hands as a send would, our certificate shown. CounterpartError, UnavailableError."""
    context = client_context(endpoint.anchors, endpoint.identity)
    place = place_of(endpoint)
    try:
        with (
            socket.create_connection(place, SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=place[0]) as secure,
        ):
            cipher = secure.cipher()
            certificate = secure.getpeercert(binary_form=True) or b""
            return Shaken(secure.version() or "", cipher[0] if cipher else "", certificate)
    except (OSError, ssl.SSLError) as fault:
        raise translated(fault, endpoint.name) from fault


def answered(endpoint: Endpoint) -> Answered:
    """Post what is no message, and return the refusal. CounterpartError, UnavailableError."""
    context = client_context(endpoint.anchors, endpoint.identity)
    headers = {"content-type": "application/xml", "accept-encoding": "identity"}
    body = bytearray()
    with httpx.Client(verify=context, trust_env=False, timeout=SECONDS) as client:
        try:
            with client.stream("POST", endpoint.url, content=NOTHING, headers=headers) as answer:
                for chunk in answer.iter_raw():
                    body += chunk
                    if len(body) > endpoint.max_answer:
                        raise failure("bad-answer", "size", endpoint.name, "")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as fault:
            raise translated(fault, endpoint.name) from fault
    media = answer.headers.get("content-type", "").partition(";")[0].strip()
    return Answered(answer.status_code, media, bytes(body))
