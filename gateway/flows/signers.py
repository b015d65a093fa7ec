"""Whether our keys can sign now: for readiness, metrics and doctor."""

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta

from gateway.errors import Finding, UnavailableError
from gateway.flows.ports import Clock
from gateway.flows.services import Services
from gateway.signing.keys import Signer
from gateway.signing.rolling import settled

PROBE = b"bilateral-gateway: can this key sign?\n"
"""What is signed to find out. It is neither a SignedInfo nor the encoding of a statement, so
that its signature says nothing."""

EVERY = timedelta(seconds=5)
"""How long an answer counts: a scrape or a health check costs no signature of its own."""


def our_signers(services: Services) -> dict[str, Signer]:
    """Return the signers that are configured, by purpose."""
    named = {
        "message": services.message_signer,
        "receipt": services.receipt_signer,
        "statement": services.statement_signer,
        "head": services.head_signer,
        "pack": services.pack_signer,
    }
    return {purpose: signer for purpose, signer in named.items() if signer is not None}


class SignerWatch:
    """Asks each key for a signature, at most every few seconds. Safe for many threads."""

    def __init__(self, signers: Mapping[str, Signer], clock: Clock) -> None:
        self._signers = signers
        self._clock = clock
        self._lock = threading.Lock()
        self._asked: datetime | None = None
        self._down: Mapping[str, Finding] = {}

    @property
    def purposes(self) -> tuple[str, ...]:
        """Purposes of the keys that are watched."""
        return tuple(self._signers)

    def down(self) -> Mapping[str, Finding]:
        """Return the purposes whose key cannot sign, each with the reason. While another
        thread asks, what was known before: a token that hangs takes one thread, not all."""
        if self._lock.acquire(blocking=False):
            try:
                self._ask()
            finally:
                self._lock.release()
        return self._down

    def _ask(self) -> None:
        now = self._clock()
        if self._asked is None or not now - EVERY < self._asked <= now:
            self._down = dict(_failing(self._signers))
            self._asked = self._clock()


def _failing(signers: Mapping[str, Signer]) -> Mapping[str, Finding]:
    found = {}
    for purpose, signer in signers.items():
        try:
            settled(signer).sign(PROBE)
        except UnavailableError as failure:
            found[purpose] = next(iter(failure.findings), Finding("unavailable", "signer"))
    return found
