"""TLS of a client: who we are, and whom we believe."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import Finding, UnavailableError


@dataclass(frozen=True, slots=True)
class Identity:
    """Our certificate (PEM, leaf first) and its key for one destination."""

    certificate: Path
    key: Path
    password: bytes | None = None


def client_context(anchors: Path | None, identity: Identity | None) -> ssl.SSLContext:
    """Return a context of TLS 1.2 or later that checks the chain and the host name.

    anchors: PEM file of the only authorities that are believed; None: the system's.
    UnavailableError when a file cannot be read or a key does not fit its certificate.
    """
    try:
        context = ssl.create_default_context(
            ssl.Purpose.SERVER_AUTH, cafile=str(anchors) if anchors else None
        )
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if identity:
            # A function: without a password OpenSSL would ask for one on the terminal.
            context.load_cert_chain(
                identity.certificate, identity.key, lambda: identity.password or b""
            )
    except (OSError, ssl.SSLError) as fault:
        where = str(identity.certificate if identity else anchors)
        finding = Finding("unavailable", "tls-files", where, found=str(fault)[:200])
        raise UnavailableError("unavailable", finding) from fault
    return context
