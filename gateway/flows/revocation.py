"""Revocation in the flows: what sources said, kept in the store; judged for each signer.

The request path reads what is kept. It asks a source itself only when the party's rule says
so, once, within a deadline, and not again while the source stays silent. Everything else is
fetched by a chore (`refresh`). Nothing that a source said is believed unverified, and what is
read back from the store is verified again.
"""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TypeVar

from gateway.errors import Finding, GatewayError, TrustError
from gateway.flows.ports import Clock, Store, Transaction
from gateway.flows.ports_revocation import KeptStatus, StatusSource
from gateway.flows.revocation_answers import said, verified_answer
from gateway.signing.keys import fingerprint
from gateway.signing.revocation import Kind, Mode, Rule, Standing, Status, best, judge
from gateway.signing.revocation_sources import Wanted, sources
from gateway.signing.trust import TrustPolicy

K = TypeVar("K")
V = TypeVar("V")

PAUSE = timedelta(seconds=30)
"""How long a source that was silent is not asked again on the request path."""

PATIENCE = 10.0
"""Seconds that a request waits for an answer that another one has asked for."""

LEASE = timedelta(minutes=10)
_HOLD = "revocation"
_MOST_READ = 64

MOST_ASKED = 4
"""Sources that one request may wait for."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A judgement, and what it stands on. statuses: of each certificate of the chain but the
    anchor; contents: the octets of the CRL or OCSP answer behind each, empty without one.
    stale_since: of a judgement within grace."""

    standing: Standing
    at: datetime
    chain: tuple[bytes, ...]
    statuses: tuple[Status, ...]
    contents: tuple[bytes, ...]
    stale_since: datetime | None = None


class StatusDesk:
    """Knows the status of certificates. Safe for many threads."""

    def __init__(self, store: Store, source: StatusSource, clock: Clock, owner: str) -> None:
        """owner: this node's name, for the lease of `refresh`."""
        self._store = store
        self._source = source
        self._clock = clock
        self._owner = owner
        self._read_before: dict[tuple[str, str, str, str], Status] = {}
        self._contents: dict[str, bytes] = {}
        self._asking: dict[tuple[Kind, str, str], threading.Event] = {}
        self._lock = threading.Lock()

    def check(
        self,
        rule: Rule,
        chain: tuple[bytes, ...],
        *,
        claimed: datetime | None = None,
        proven: datetime | None = None,
    ) -> Judged | None:
        """Judge the signer whose path this is; None when revocation is not asked.

        claimed, proven: when it was signed, see `judge`. TrustError `certificate-revoked`,
        `revocation-unknown` (also rule `issuer-unknown`: nobody could be asked).
        """
        if rule.mode is Mode.OFF:
            return None
        if len(chain) < 2:
            finding = Finding("revocation-unknown", "issuer-unknown", "ds:Signature")
            raise TrustError("revocation-unknown", finding)
        wanted = sources(chain, rule)
        try:
            return self._judge(rule, chain, wanted, claimed, proven)
        except TrustError as failed:
            if failed.code != "revocation-unknown":
                raise
            if not self._ask_now(rule, wanted):
                raise _later(failed) from failed
        return self._judge(rule, chain, wanted, claimed, proven)

    def status(self, certificate: bytes, issuer: bytes, rule: Rule) -> Status:
        """Return what is known now of a certificate, from what is kept."""
        wanted = sources((certificate, issuer), rule)
        return self._status(certificate, issuer, wanted, self._kept(wanted))[0]

    def refresh(self, policies: Iterable[TrustPolicy]) -> int:
        """Ask every source that the policies want, and those wanted before; return how many
        answered. One node at a time does it."""
        now = self._clock()
        chains = [
            (key.chain, policy.revocation) for policy in policies for key in policy.pinned_keys()
        ]
        asked = [rule for rule in chains if rule[1].mode is not Mode.OFF]
        wanted = [each for chain, rule in asked for each in sources(chain, rule)]

        def begin(tx: Transaction) -> tuple[KeptStatus, ...]:
            if not tx.hold(_HOLD, self._owner, now, now + LEASE):
                return ()
            _want(tx, wanted)
            return tx.all_statuses()

        return sum(self._ask(kept.wanted) for kept in self._store.commit(begin))

    def forget(self, policies: Iterable[TrustPolicy]) -> int:
        """Drop the sources that no rule allows any more; return how many."""
        rules = [policy.revocation for policy in policies]

        def work(tx: Transaction) -> int:
            gone = [
                kept.wanted for kept in tx.all_statuses() if not _is_allowed(kept.wanted, rules)
            ]
            for each in gone:
                tx.forget_status(each)
            return len(gone)

        return self._store.commit(work)

    def _judge(
        self,
        rule: Rule,
        chain: tuple[bytes, ...],
        wanted: Sequence[Wanted],
        claimed: datetime | None,
        proven: datetime | None,
    ) -> Judged:
        now, rows = self._clock(), self._kept(wanted)
        found = [self._status(each, issuer, wanted, rows) for each, issuer in pairwise(chain)]
        standings = {
            judge(status, rule, now, proven=proven, claimed=claimed) for status, _ in found
        }
        worst = next(s for s in (*_WORST_FIRST, Standing.GOOD) if s in standings)
        statuses = tuple(status for status, _ in found)
        ends = [end for each in statuses if (end := each.stale_from(rule)) and end < now]
        since = min(ends, default=None) if worst is Standing.GRACE else None
        return Judged(worst, now, chain, statuses, tuple(octets for _, octets in found), since)

    def _kept(self, wanted: Sequence[Wanted]) -> tuple[KeptStatus, ...]:
        """Read what is kept of these sources; what is not wanted now is left out."""
        urls = {_key(each) for each in wanted}
        subjects = sorted({(each.kind, each.subject) for each in wanted})
        if not subjects:
            return ()
        rows = self._store.read(lambda tx: tx.statuses(subjects))
        return tuple(row for row in rows if row.digest and _key(row.wanted) in urls)

    def _status(
        self,
        certificate: bytes,
        issuer: bytes,
        wanted: Sequence[Wanted],
        rows: Sequence[KeptStatus],
    ) -> tuple[Status, bytes]:
        """Return the status to go by and the octets that say so."""
        subjects = {(Kind.CRL, fingerprint(issuer)), (Kind.OCSP, fingerprint(certificate))}
        mine = [row for row in rows if (row.wanted.kind, row.wanted.subject) in subjects]
        read = [self._read(row, certificate, issuer) for row in mine]
        known = [each for each in read if each is not None]
        chosen = best([status for status, _ in known], fingerprint(certificate))
        return chosen, next((octets for status, octets in known if status is chosen), b"")

    def _read(
        self, row: KeptStatus, certificate: bytes, issuer: bytes
    ) -> tuple[Status, bytes] | None:
        """Verify a kept answer again, once in this process for each certificate; None when it
        is not what was kept."""
        place, octets = row.wanted, self._octets(row)
        name = (row.digest, place.url, fingerprint(certificate), fingerprint(issuer))
        known = self._read_before.get(name)
        if known is None:
            try:
                known = said(place, octets, certificate, issuer, self._clock())
            except TrustError:
                return None
            _remember(self._read_before, name, known)
        return known, octets

    def _octets(self, row: KeptStatus) -> bytes:
        known = self._contents.get(row.digest)
        if known is None:
            found = self._store.read(lambda tx: tx.status_content(*_key(row.wanted)))
            known = found or b""
            _remember(self._contents, row.digest, known)
        return known

    def _ask_now(self, rule: Rule, wanted: Sequence[Wanted]) -> bool:
        """Make sources known, and ask those whose answer is missing or stale, unless they were
        asked a moment ago; True when one has answered."""
        subjects = sorted({(each.kind, each.subject) for each in wanted})
        rows = self._store.read(lambda tx: tx.statuses(subjects)) if subjects else ()
        known = {_key(row.wanted): row for row in rows}
        if new := [each for each in wanted if _key(each) not in known]:
            self._store.commit(lambda tx: _want(tx, new))
        if not rule.fetch:
            return False
        now = self._clock()
        due = [each for each in wanted if _is_due(known.get(_key(each)), rule, now)]
        return any([self._ask(each) for each in due[:MOST_ASKED]])  # noqa: C419  all of them

    def _ask(self, wanted: Wanted) -> bool:
        """Ask a source, verify and keep its answer. Who comes while it is being asked waits
        for that answer."""
        key, done = _key(wanted), threading.Event()
        with self._lock:
            running = self._asking.setdefault(key, done)
        if running is not done:
            return running.wait(PATIENCE)
        try:
            return self._keep(wanted)
        finally:
            with self._lock:
                del self._asking[key]
            done.set()

    def _keep(self, wanted: Wanted) -> bool:
        try:
            octets = self._source.ask(wanted)
            kept = verified_answer(wanted, octets, self._clock())
        except GatewayError as failed:
            at, error = self._clock(), _cause(failed)
            self._store.commit(lambda tx: tx.note_status_failure(wanted, at, error))
            return False
        if self._store.commit(lambda tx: tx.keep_status(kept, octets)):
            return True
        at = self._clock()
        self._store.commit(lambda tx: tx.note_status_failure(wanted, at, "status-older"))
        return False


_WORST_FIRST = (Standing.REVOKED_LATER, Standing.GRACE)


def _key(wanted: Wanted) -> tuple[Kind, str, str]:
    return wanted.kind, wanted.subject, wanted.url


def _remember(known: dict[K, V], name: K, value: V) -> None:
    if len(known) >= _MOST_READ:
        known.clear()
    known[name] = value


def _later(failed: TrustError) -> TrustError:
    """Before the pause is over no source would be asked again."""
    return TrustError(failed.code, *failed.findings, retry_after=PAUSE.total_seconds())


def _is_allowed(wanted: Wanted, rules: Sequence[Rule]) -> bool:
    if not wanted.agreed:
        return any(rule.from_certificates for rule in rules)
    return any(
        wanted.url in urls
        for rule in rules
        for urls in (rule.crls, rule.ocsps, rule.authority_crls)
    )


def _want(tx: Transaction, wanted: Sequence[Wanted]) -> None:
    for each in wanted:
        tx.want_status(each)


def _is_due(row: KeptStatus | None, rule: Rule, now: datetime) -> bool:
    """Whether a source is worth asking on the request path."""
    if row is None:
        return True
    tries = [at for at in (row.fetched_at, row.failed_at) if at is not None]
    if tries and max(tries) > now - PAUSE:
        return False
    if row.this_update is None or row.this_update + rule.max_age < now:
        return True
    return row.next_update is not None and row.next_update < now


def _cause(failed: GatewayError) -> str:
    finding = failed.findings[0] if failed.findings else None
    return f"{failed.code} {finding.rule} {finding.found}".strip()[:200] if finding else failed.code
