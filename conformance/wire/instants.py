"""Times as the exchange profile writes them (XP-CLK-002)."""

import re
from datetime import UTC, datetime, timedelta

_SHIFT = re.compile(r"([+-])(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def written(at: datetime) -> str:
    """Return `YYYY-MM-DDThh:mm:ss.sssZ`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def read(text: str) -> datetime:
    """Return the aware instant; ValueError when it is not written so."""
    if not text.endswith("Z"):
        raise ValueError(text)
    return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)


def shifted(at: datetime, shifts: str) -> datetime:
    """Return an instant moved by shifts such as `+10m`, `-31d+5m`; ValueError for others."""
    parts = _SHIFT.findall(shifts)
    if "".join("".join(part) for part in parts) != shifts:
        raise ValueError(shifts)
    for sign, number, unit in parts:
        step = timedelta(**{_UNITS[unit]: int(number)})
        at = at + step if sign == "+" else at - step
    return at
