"""Bounded admission: how much of a listener's work is held at once, and by whom.

What is refused here was not read and not begun; the caller is told when to come again.
"""

from dataclasses import dataclass
from types import TracebackType

from gateway.errors import AccessError, UnavailableError

RETRY_AFTER = 1.0


@dataclass(frozen=True, slots=True)
class Capacity:
    """requests: held at once, running or waiting for a thread. octets: of their bodies
    together. per_peer: requests of one peer."""

    requests: int = 256
    octets: int = 128_000_000
    per_peer: int = 128


class Admission:
    """The door of one listener. Used from the event loop only."""

    def __init__(self, capacity: Capacity) -> None:
        self.capacity = capacity
        self.requests = 0
        self.octets = 0
        self._peers: dict[str, int] = {}

    def enter(self, peer: str) -> "Ticket":
        """Let a request in. AccessError `rate-limited` when the peer has its share already,
        UnavailableError when the house is full."""
        inside = self._peers.get(peer, 0)
        if inside >= self.capacity.per_peer:
            raise AccessError("rate-limited", retry_after=RETRY_AFTER)
        if self.requests >= self.capacity.requests:
            raise UnavailableError("unavailable", retry_after=RETRY_AFTER)
        self.requests += 1
        self._peers[peer] = inside + 1
        return Ticket(self, peer)

    def leave(self, ticket: "Ticket") -> None:
        """Give back what a request held."""
        self.requests -= 1
        self.octets -= ticket.octets
        self._peers[ticket.peer] -= 1
        if not self._peers[ticket.peer]:
            del self._peers[ticket.peer]


class Ticket:
    """A request inside, with the bytes that it holds."""

    __slots__ = ("_admission", "octets", "peer")

    def __init__(self, admission: Admission, peer: str) -> None:
        self._admission = admission
        self.peer = peer
        self.octets = 0

    def hold(self, octets: int) -> None:
        """Count bytes that were read. UnavailableError when bodies fill their share of
        memory."""
        self.octets += octets
        self._admission.octets += octets
        if self._admission.octets > self._admission.capacity.octets:
            raise UnavailableError("unavailable", retry_after=RETRY_AFTER)

    def __enter__(self) -> "Ticket":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._admission.leave(self)
