"""A bilateral pack is taken, in one commit; and which one is in force.

    1 bind      version -> digest, for good: one version never has two contents
    2 follow    it is the latest: each version names the one that took its place
    3 record    a row of evidence with version and digest

The file that the settings name is only a copy: a pack that was not recorded, or after which
another one came, is not used.
"""

from datetime import datetime

from gateway.errors import Finding, TrustError
from gateway.evidence.pack import Pack
from gateway.evidence.pack_seal import InForce
from gateway.evidence.rows import SALT_SIZE, row
from gateway.flows.ports import Randomness, Store, Transaction

BOUND = "pack"
"""Scope of what is allocated: peer and version to the digest of the pack."""

_NEXT = "pack-next"


def in_force(tx: Transaction, party: str) -> InForce | None:
    """Return the pack with a counterpart that was applied last."""
    version = _latest(tx, party)
    digest = tx.allocated(BOUND, f"{party}|{version}")
    return InForce(version, digest) if version and digest else None


def _latest(tx: Transaction, party: str) -> int:
    version = 0
    while following := tx.allocated(_NEXT, f"{party}|{version}"):
        version = int(following)
    return version


def take(
    store: Store, party: str, pack: Pack, digest: str, now: datetime, randomness: Randomness
) -> bool:
    """Record a pack that was judged good as the one in force; False when it was already.

    TrustError `stale` (rule `pack-older`) or `id-conflict` (rule `pack-version`) when another
    process took another one meanwhile.
    """
    salt = randomness(SALT_SIZE)
    facts = {"peer": party, "version": pack.version, "digest": digest}
    evidence = row("pack-applied", now, facts, salt)

    def work(tx: Transaction) -> bool:
        latest = _latest(tx, party)
        if pack.version < latest:
            _refuse("stale", "pack-older", pack.version, latest)
        if tx.allocate(BOUND, f"{party}|{pack.version}", digest) != digest:
            _refuse("id-conflict", "pack-version", pack.version, latest)
        if pack.version == latest:
            return False
        tx.allocate(_NEXT, f"{party}|{latest}", str(pack.version))
        tx.append_evidence("", evidence.entry, evidence.salt, evidence.leaf)
        return True

    return store.commit(work)


def _refuse(code: str, rule: str, found: int, latest: int) -> None:
    raise TrustError(code, Finding(code, rule, "version", str(found), f"{latest} is in force"))
