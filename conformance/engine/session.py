"""What the steps of a case share: the target, our keys, what was sent and came back."""

import itertools
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from conformance.crypto.keys import USAGES, Key, Wanted, make, read_certificate
from conformance.crypto.verify import Pin
from conformance.engine.results import UnavailableError
from conformance.engine.target import Target, read_pair
from conformance.resources import folder
from conformance.wire.http import Place, Reply, client_context
from conformance.wire.message import Draft

DAY = timedelta(days=1)


@dataclass(slots=True)
class Exchange:
    """A message that was sent, and its answers."""

    draft: Draft
    octets: bytes
    digest: str
    replies: list[Reply] = field(default_factory=list)

    @property
    def message_id(self) -> str:
        """The id in its envelope."""
        return self.draft.fields.get("MessageID", "")


Restarter = Callable[[bool], Awaitable[None]]
"""Restarts a target that runs in this process. True: without letting it end what it does."""


class Session:
    """One run against one target. Ids and batch numbers come from a reserved range and the
    seed, so that two runs with one seed build the same octets but for the time."""

    def __init__(self, target: Target, home: Path, seed: int) -> None:
        """home: the folder of the target file. OSError, ValueError for keys that are wrong."""
        self.target, self.home, self.seed = target, home, seed
        self.random = random.Random(seed)  # noqa: S311  names, not secrets
        self.run = f"{seed:06d}"
        self._numbers = itertools.count(1)
        self._keys: dict[str, Key] = {}
        self.restarter: Restarter | None = None
        self.fixtures = folder("fixtures")
        self.receipt_pins = self._pins(target.endpoint.receipts, "receipt")
        self.message_pins = self._pins(target.endpoint.messages, "message")

    def _pins(self, files: tuple[str, ...], usage: str) -> Mapping[str, Pin]:
        found = {}
        for file in files:
            der = read_certificate(self.home / file)
            found[Key(None, der).fingerprint] = Pin(der, self.target.party, usage)
        return found

    def now(self) -> datetime:
        """The suite's clock."""
        return datetime.now(UTC)

    def number(self) -> int:
        """Return a number that this run has not used."""
        return next(self._numbers)

    def message_id(self) -> str:
        """Return a new message id; it shows that the suite made it."""
        tail = f"{self.random.getrandbits(64):016x}"
        return f"conformance-{self.run}-{self.number():05d}-{tail}"

    def batch(self) -> str:
        """Return a new batch number, 13 digits, of the range kept for tests (99...)."""
        return "99" + self.digits(11)

    def digits(self, count: int) -> str:
        """Return so many digits that this run has not used."""
        drawn = self.random.randrange(10 ** (count - 5))
        return f"{drawn:0{count - 5}d}{self.number() % 100_000:05d}"

    def key(self, purpose: str) -> Key:
        """Return a key: of the target file, or made for this run (`stranger`, ...)."""
        if purpose not in self._keys:
            pair = self.target.keys.get(purpose)
            self._keys[purpose] = read_pair(pair, self.home) if pair else _made(purpose)
        return self._keys[purpose]

    def place(self, tls: str = "", path: str = "") -> Place:
        """Return where to post. tls: `` our client certificate, `none` no certificate,
        `stranger` one nobody knows, `plain` no TLS at all."""
        endpoint = self.target.endpoint
        anchors = str(self.home / endpoint.anchors) if endpoint.anchors else None
        pair = self.target.keys["tls"]
        certificate, key = str(self.home / pair.certificate), str(self.home / pair.key)
        context = None
        if endpoint.url.startswith("https") and tls != "plain":
            if tls == "none":
                context = client_context(anchors, None, None)
            elif tls == "stranger":
                context = self._stranger(anchors)
            else:
                context = client_context(anchors, certificate, key)
        place = Place.of(endpoint.url, context)
        if tls == "plain":
            place = replace(place, context=None)
        return replace(place, path=path) if path else place

    def _stranger(self, anchors: str | None) -> Any:
        made = make(Wanted("stranger", usages=("1.3.6.1.5.5.7.3.2",)))
        stem = self.home / f".stranger-{self.run}-{self.number()}"
        key, certificate = made.write(stem)
        try:
            return client_context(anchors, str(certificate), str(key))
        finally:
            key.unlink()
            certificate.unlink()


_MADE: Mapping[str, Wanted] = {
    "stranger": Wanted("stranger", usages=(USAGES["message"],)),
    "stranger-receipt": Wanted("stranger", usages=(USAGES["receipt"],)),
    "stranger-rsa": Wanted("stranger", usages=(USAGES["message"],), rsa_bits=2048),
}
"""Keys that no target knows; they need nothing of the target file."""


def _made(purpose: str) -> Key:
    wanted = _MADE.get(purpose)
    if wanted is None:
        raise UnavailableError(f"the target file has no key `{purpose}`")
    return make(wanted)
