"""Ask a destination whether it is there, for `gateway doctor`: nothing is delivered."""

from dataclasses import dataclass
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from gateway.flows.ports import Clock
from gateway.transport.faults import translated
from gateway.transport.link import Endpoint
from gateway.transport.tls import client_context


@dataclass(frozen=True, slots=True)
class Probe:
    """status: of GET /healthz. ahead: by how much our clock is ahead of the peer's (it says
    whole seconds), None when it does not say its time."""

    status: int
    ahead: timedelta | None


def probe(endpoint: Endpoint, clock: Clock) -> Probe:
    """Connect as a send would. CounterpartError, UnavailableError as for a send."""
    parts = urlsplit(endpoint.url)
    seconds = min(10.0, endpoint.deadline.total_seconds())
    with httpx.Client(
        verify=client_context(endpoint.anchors, endpoint.identity), trust_env=False, timeout=seconds
    ) as client:
        try:
            answer = client.get(f"{parts.scheme}://{parts.netloc}/healthz")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as fault:
            raise translated(fault, endpoint.name) from fault
    try:
        said = parsedate_to_datetime(answer.headers.get("date", "")).astimezone(UTC)
    except ValueError:
        return Probe(answer.status_code, None)
    return Probe(answer.status_code, clock() - said)
