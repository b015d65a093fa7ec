"""Keys that take over at an instant, without a restart."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from gateway.signing.keys import Signer


@dataclass(frozen=True, slots=True)
class RollingSigner:
    """A Signer that is one key before an instant and the next from it on.

    Value and certificate must be of one key: whatever signs takes `settled(signer)` first.
    """

    present: Signer
    following: Signer
    starts: datetime
    clock: Callable[[], datetime]

    @property
    def now(self) -> Signer:
        """The signer that signs at this instant."""
        return self.following if self.clock() >= self.starts else self.present

    @property
    def key_id(self) -> str:
        """Of the key that signs now."""
        return self.now.key_id

    @property
    def certificate(self) -> bytes:
        """Of the key that signs now."""
        return self.now.certificate

    @property
    def algorithm(self) -> str:
        """Of the key that signs now."""
        return self.now.algorithm

    def sign(self, message: bytes) -> bytes:
        """Sign with the key that signs now."""
        return self.now.sign(message)


def settled(signer: Signer) -> Signer:
    """Return the one key that a signer stands for at this instant."""
    return signer.now if isinstance(signer, RollingSigner) else signer
