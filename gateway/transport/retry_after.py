"""The Retry-After field (RFC 9110, section 10.2.3)."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_DIGITS = 9  # a longer number of seconds is no wish, but an attack on arithmetic


def seconds(value: str | None, now: datetime) -> float | None:
    """Return the pause that a Retry-After value asks for, in seconds, never negative.

    Takes both forms, delay seconds and HTTP date; None for no value and for one that is
    neither: a broken wish is no wish.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:_DIGITS]) if len(text) <= _DIGITS else None
    return _until(text, now)


def _until(text: str, now: datetime) -> float | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError, IndexError):
        return None
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())
