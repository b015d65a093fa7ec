"""Audit what is kept of revocation sources. It is a copy of what authorities signed, verified
again whenever it is read; here all of it is."""

import hashlib
from datetime import datetime

from gateway.errors import TrustError
from gateway.evidence.audit import Flaw
from gateway.flows.ports import Transaction
from gateway.flows.ports_revocation import KeptStatus
from gateway.flows.revocation_answers import verified_answer
from gateway.signing.keys import fingerprint
from gateway.signing.revocation import Kind


def status_flaws(tx: Transaction, now: datetime) -> tuple[int, list[Flaw]]:
    """Return how many answers are kept, and what is wrong with any: the octets, the digest,
    the times, or whom it is about."""
    kept = tx.all_statuses()
    return len(kept), [flaw for row in kept if (flaw := _flaw(tx, row, now)) is not None]


def _flaw(tx: Transaction, row: KeptStatus, now: datetime) -> Flaw | None:
    wanted = row.wanted
    place = f"revocation {wanted.kind} {wanted.url}"
    about = wanted.issuer if wanted.kind is Kind.CRL else wanted.certificate
    if fingerprint(about) != wanted.subject:
        return Flaw("status-subject", place)
    content = tx.status_content(wanted.kind, wanted.subject, wanted.url)
    if content is None and not row.digest:
        return None
    found = _differs(row, content or b"", now)
    return Flaw("status-kept", place, found) if found else None


def _differs(row: KeptStatus, content: bytes, now: datetime) -> str:
    """Return how octets differ from what is said of them; empty when they do not."""
    if hashlib.sha256(content).hexdigest() != row.digest:
        return "the octets are not those of the digest"
    try:
        read = verified_answer(row.wanted, content, now)
    except TrustError as failed:
        return failed.findings[0].rule
    same = (read.this_update, read.next_update) == (row.this_update, row.next_update)
    return "" if same else "the times are not those of the answer"
