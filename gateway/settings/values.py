"""Kinds of values in the settings file."""

import ipaddress
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")


def _duration(value: object) -> object:
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError('a duration like "500ms", "30s", "5m", "24h" or "7d" is expected')
    return timedelta(seconds=float(match[1]) * _UNITS[match[2]])


def _beside(path: Path, info: ValidationInfo) -> Path:
    """Return a path of the settings file as an absolute one; it must be a file.

    Context: {"folder": where the settings file is}.
    """
    absolute = Path((info.context or {}).get("folder", "."), path.expanduser()).absolute()
    if not absolute.is_file():
        raise ValueError(f"there is no file {absolute}")
    return absolute


def _placed_file(path: Path, info: ValidationInfo) -> Path:
    """As `_beside`, for a file that may not be there yet."""
    return Path((info.context or {}).get("folder", "."), path.expanduser()).absolute()


def _address(host: str) -> str:
    """A name could be several addresses, or another one tomorrow."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        raise ValueError("an IP address is expected, such as 127.0.0.1, 0.0.0.0 or ::") from None


def _placed(url: str, info: ValidationInfo) -> str:
    """Return the URL of an SQLite file beside the settings file with its whole path."""
    scheme, name = "sqlite:///", url.removeprefix("sqlite:///")
    if not url.startswith(scheme) or name.startswith("/"):
        return url
    return scheme + str(Path((info.context or {}).get("folder", "."), name).absolute())


def _fingerprint(value: str) -> str:
    plain = value.replace(":", "").lower()
    if not re.fullmatch(r"[0-9a-f]{64}", plain):
        raise ValueError("a SHA-256 fingerprint of 64 hexadecimal digits is expected")
    return plain


Duration = Annotated[timedelta, BeforeValidator(_duration)]
File = Annotated[Path, AfterValidator(_beside)]
FutureFile = Annotated[Path, AfterValidator(_placed_file)]
Fingerprint = Annotated[str, AfterValidator(_fingerprint)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
Port = Annotated[int, Field(ge=0, le=65535)]
StoreUrl = Annotated[str, AfterValidator(_placed)]
Address = Annotated[str, AfterValidator(_address)]
Positive = Annotated[int, Field(gt=0)]


def is_loopback(host: str) -> bool:
    """Return True for an address, or the name, of this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Section(BaseModel):
    """A table of the file: frozen, and a key that it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
