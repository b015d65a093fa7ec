"""RFC 3161 over HTTP: ask time-stamping authorities, in turn, until one has stamped."""

from collections.abc import Sequence

from gateway.errors import CounterpartError, Finding, GatewayError, TrustError, UnavailableError
from gateway.flows.ports import Clock, Link, Randomness
from gateway.signing import timestamp
from gateway.transport.faults import failure

_QUERY = "application/timestamp-query"
_NONCE_OCTETS = 8


class HttpTimestamps:
    """The `TimestampAuthority` that asks over a link; each request has that link's total
    deadline and size cap. Nothing it returns is unverified."""

    def __init__(
        self,
        link: Link,
        authorities: Sequence[str],
        anchors: Sequence[bytes],
        randomness: Randomness,
        clock: Clock,
    ) -> None:
        """authorities: destinations of the link, asked in this order. anchors: certificates
        (DER) that issue to them."""
        self._link = link
        self._authorities = tuple(authorities)
        self._anchors = tuple(anchors)
        self._randomness = randomness
        self._clock = clock

    def stamp(self, message: bytes) -> bytes:
        """Return a verified token over a message.

        When no authority has stamped: UnavailableError when one was down or slow (a later try
        can succeed), else what the last one did: CounterpartError `bad-answer` (no 200),
        TrustError `timestamp-invalid`. The findings are those of all of them.
        """
        failures: list[GatewayError] = []
        for authority in self._authorities:
            try:
                return self._ask(authority, message)
            except (CounterpartError, TrustError) as failed:
                failures.append(failed)
        raise _none_of(failures)

    def _ask(self, authority: str, message: bytes) -> bytes:
        nonce = int.from_bytes(self._randomness(_NONCE_OCTETS), "big")
        asked = timestamp.request(message, nonce)
        answer = self._link.post(authority, asked, _QUERY, {})
        if answer.status != 200:
            raise failure("bad-answer", "status", authority, str(answer.status))
        token = timestamp.token_of(answer.body)
        timestamp.verify(token, message, self._anchors, self._clock(), nonce)
        return token


def _none_of(failures: Sequence[GatewayError]) -> GatewayError:
    findings = [finding for failed in failures for finding in failed.findings]
    if any(failed.code != "bad-answer" and failed.retriable for failed in failures):
        return UnavailableError("unavailable", *findings)
    if not failures:
        return UnavailableError("unavailable", Finding("unavailable", "not-configured"))
    last = failures[-1]
    return type(last)(last.code, *findings)
