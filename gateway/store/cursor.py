"""The cursor of a page: opaque to callers, checked when it comes back."""

import base64
import binascii
import hashlib
from datetime import datetime

from gateway.errors import DocumentError, Finding
from gateway.store.columns import instant, microseconds

_CHECK = 6  # octets of SHA-256: finds what was cut or mistyped; a cursor grants nothing


def write(created: datetime, message_id: str) -> str:
    """Return the cursor for what stands after this message."""
    place = f"{microseconds(created)}:{message_id}".encode()
    return base64.urlsafe_b64encode(_check(place) + place).decode()


def read(cursor: str) -> tuple[datetime, str]:
    """Return (created, id) of a cursor that `write` made.

    DocumentError `rule-broken` for any other text.
    """
    try:
        octets = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
        place = octets[_CHECK:]
        since, _, message_id = place.decode().partition(":")
        created = instant(int(since))
    except (ValueError, OverflowError, binascii.Error) as error:
        raise _unknown() from error
    if write(created, message_id) != cursor:
        raise _unknown()
    return created, message_id


def _check(place: bytes) -> bytes:
    return hashlib.sha256(place).digest()[:_CHECK]


def _unknown() -> DocumentError:
    return DocumentError("rule-broken", Finding("rule-broken", "page-cursor", path="after"))
