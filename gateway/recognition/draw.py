"""The sampling draw that neither side can bend, and how often lots are drawn.

Each side commits to a secret (SHA-256) when the claim is linked and reveals it at the gate.
HMAC-SHA-256 with both secrets, VN first, over the claim as the exporting side named it in its
commitment, read as a share of 2^256, is less than the frequency: drawn.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from gateway.model.bodies import DrawStep
from gateway.model.evidence import Evidence, Kind, Side
from gateway.recognition.normalise import span
from gateway.recognition.ruleset import Reinspection

MOST_SECRET = 128
"""Longest secret, hex digits; the shortest has half as many as a SHA-256: 32."""


@dataclass(frozen=True, slots=True)
class Hand:
    """What one side put into the draw. secret: None until it is revealed as committed."""

    committed: bool
    claim: str
    secret: bytes | None
    revealed: datetime | None


def commitment(secret: bytes) -> str:
    """Return what is committed for a secret."""
    return hashlib.sha256(secret).hexdigest()


def picked(secret_vn: bytes, secret_cn: bytes, claim: str, frequency: Decimal) -> bool:
    """Return True when the lot is drawn."""
    drawn = hmac.new(secret_vn + secret_cn, claim.encode(), hashlib.sha256).digest()
    return Fraction(int.from_bytes(drawn), 1 << 256) < Fraction(frequency)


def hand(steps: Iterable[Evidence], side: Side) -> Hand:
    """Return what a side put in. Two commitments are none: it could choose among them."""
    own = [s for s in steps if s.side is side and isinstance(s.body, DrawStep)]
    commits = {(_value(s), str(s.body.claim)) for s in own
               if s.kind is Kind.COMMIT and isinstance(s.body, DrawStep)}  # fmt: skip
    if len({value for value, _ in commits}) != 1:
        return Hand(committed=False, claim="", secret=None, revealed=None)
    value, claim = min(commits)
    reveals = [(s, secret) for s in own if s.kind is Kind.REVEAL
               if (secret := _secret(s)) is not None and commitment(secret) == value]  # fmt: skip
    if not reveals:
        return Hand(committed=True, claim=claim, secret=None, revealed=None)
    first = min(span(s.stated_at, s.issuer.country)[0] for s, _ in reveals)
    return Hand(committed=True, claim=claim, secret=reveals[0][1], revealed=first)


def _value(step: Evidence) -> str:
    return step.body.value.lower() if isinstance(step.body, DrawStep) else ""


def _secret(step: Evidence) -> bytes | None:
    value = _value(step)
    if not 32 <= len(value) <= MOST_SECRET:
        return None
    try:
        return bytes.fromhex(value)
    except ValueError:
        return None


def in_time(own: Hand, due: datetime | None) -> bool:
    """Return True when a side revealed by the due instant."""
    return own.secret is not None and (
        due is None or (own.revealed is not None and own.revealed <= due)
    )


def due_of(arrival: datetime | None, reveal: timedelta) -> datetime | None:
    """Return until when a secret must be revealed."""
    return arrival + reveal if arrival else None


def frequency(rule: Reinspection, history: Sequence[bool]) -> Decimal:
    """Return the share of lots that are drawn, after the checks of the facility so far.

    history: earliest first, True for a clean lot. Tightened after a failed lot, until as many
    lots as the reduction needs were clean; reduced after as many without a failed one.
    """
    clean = 0
    for good in reversed(history):
        if not good:
            break
        clean += 1
    enough = clean >= max(1, rule.clean_lots)
    if clean < len(history) and not enough and rule.tightened is not None:
        return rule.tightened
    return rule.reduced if rule.reduced is not None and enough else rule.frequency
