"""Who is at the other end: the fingerprint of the TLS client certificate."""

import hashlib
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=4096)
def _digest(pem: str) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def fingerprint(scope: Mapping[str, Any]) -> str | None:
    """Return the hex SHA-256 of the peer's certificate (DER), None without one.

    Only the handshake counts: no header can name a certificate.
    """
    chain = scope.get("extensions", {}).get("tls", {}).get("client_cert_chain", ())
    return _digest(chain[0]) if chain else None
