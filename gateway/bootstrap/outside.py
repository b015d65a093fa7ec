"""What comes from outside the program: the time, ids, randomness, secrets."""

import os
from datetime import UTC, datetime
from pathlib import Path

import uuid_utils

from gateway.errors import Finding, UnavailableError


def clock() -> datetime:
    """Return the time now, UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """Return a new UUIDv7: ids sort by the time they were made."""
    return str(uuid_utils.uuid7())


def randomness(size: int) -> bytes:
    """Return so many bytes of the system's randomness."""
    return os.urandom(size)


def secret(file: Path | None) -> bytes | None:
    """Return the first line of a secret's file, None for no file.

    UnavailableError when it cannot be read.
    """
    if file is None:
        return None
    try:
        return file.read_bytes().split(b"\n", 1)[0].rstrip(b"\r")
    except OSError as fault:
        finding = Finding("unavailable", "secret-file", str(file), found=type(fault).__name__)
        raise UnavailableError("unavailable", finding) from fault
