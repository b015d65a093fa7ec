"""Time-stamping authorities, from the settings."""

from collections.abc import Sequence

from gateway.flows.ports import Clock, Link, Randomness
from gateway.settings.sections import Settings
from gateway.signing.timestamp import LARGEST, TimestampAuthority
from gateway.transport.link import Endpoint
from gateway.transport.timestamps import HttpTimestamps


def endpoints(settings: Settings) -> list[Endpoint]:
    """Return where timestamps are asked for."""
    stated = settings.timestamps
    return [
        Endpoint(
            _destination(name),
            authority.url,
            anchors=authority.anchors,
            deadline=stated.deadline,
            max_answer=LARGEST,
        )
        for name, authority in stated.authority.items()
    ]


def authority(
    settings: Settings,
    link: Link,
    clock: Clock,
    randomness: Randomness,
    anchors: Sequence[bytes],
) -> TimestampAuthority | None:
    """Return who stamps for us; None when nobody is configured. anchors: of
    [timestamps], DER."""
    names = [_destination(name) for name in settings.timestamps.authority]
    if not names:
        return None
    return HttpTimestamps(link, names, anchors, randomness, clock)


def _destination(name: str) -> str:
    return f"timestamps/{name}"
