"""What doctor says of time-stamping authorities: each is asked for one timestamp."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.settings import Settings

_MESSAGE = b"gateway doctor"


def told(settings: "Settings") -> Iterator[tuple[str, str, str, str]]:
    """Yield check, level, text, advice for each authority of [timestamps]."""
    from gateway.bootstrap.outside import clock, randomness
    from gateway.bootstrap.parts import certificate
    from gateway.bootstrap.timestamps import endpoints
    from gateway.errors import GatewayError
    from gateway.signing import timestamp
    from gateway.transport.link import HttpLink
    from gateway.transport.timestamps import HttpTimestamps

    for endpoint in endpoints(settings):
        try:
            anchors = [certificate(file) for file in settings.timestamps.anchors]
            with HttpLink([endpoint], clock) as link:
                authority = HttpTimestamps(link, [endpoint.name], anchors, randomness, clock)
                token = authority.stamp(_MESSAGE)
            stamp = timestamp.verify(token, _MESSAGE, anchors)
        except GatewayError as failure:
            advice = "its URL, the way there, and anchors in [timestamps]"
            yield endpoint.name, "FAIL", str(failure), advice
            continue
        ahead = (stamp.time - clock()).total_seconds()
        yield endpoint.name, "OK", f"stamped; its clock and ours differ by {ahead:+.0f} s", ""
