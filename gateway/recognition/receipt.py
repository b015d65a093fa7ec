"""Receipts: what a side decided, signed and chained, and the proof that anybody can repeat."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

import msgspec

from gateway.errors import Finding, TrustError
from gateway.model.bodies import ClaimRef
from gateway.model.evidence import Evidence, Side, canonical, digest
from gateway.model.values import Canonical
from gateway.recognition.fold import FOLD, Decision, decide, proof
from gateway.recognition.outcomes import Outcome
from gateway.recognition.ruleset import RuleSet
from gateway.recognition.situation import Situation
from gateway.signing.dsse import sign_statement, verify_cosigned
from gateway.signing.keys import Signer
from gateway.signing.trust import TrustPolicy

PAYLOAD_TYPE = "application/vnd.bilateral-gateway.recognition-receipt+json"


class Receipt(Canonical, frozen=True, kw_only=True):
    """What one side decided. previous: digest of its receipt before this one on the claim.

    proof: of the decision. root: over the evidence. withheld: commitments of private evidence
    for which this side holds the claim lower, without saying to what.
    """

    side: Side
    claim: ClaimRef
    at: str
    outcome: Outcome
    reasons: tuple[str, ...]
    ruleset: str
    root: str
    proof: str
    conditions: tuple[str, ...] = ()
    fold: str = FOLD
    previous: str = ""
    withheld: tuple[str, ...] = ()


def make_receipt(decision: Decision, side: Side, previous: str = "") -> Receipt:
    """Return the receipt of a decision. previous: digest of the last one on this claim."""
    return Receipt(
        side=side,
        claim=decision.claim,
        at=decision.at,
        outcome=decision.outcome,
        reasons=tuple(dict.fromkeys(each.code for each in decision.reasons)),
        ruleset=decision.ruleset,
        root=decision.root,
        proof=proof(decision),
        conditions=decision.conditions,
        fold=decision.fold,
        previous=previous,
        withheld=decision.withheld,
    )


def sign_receipt(receipt: Receipt, signers: Sequence[Signer]) -> bytes:
    """Return the DSSE envelope of a receipt; a countersigned one has both signers."""
    return sign_statement(PAYLOAD_TYPE, canonical(receipt), signers)


def open_receipt(
    envelope: bytes, policy: TrustPolicy, at: datetime, parties: Iterable[str] = ()
) -> Receipt:
    """Return a verified receipt. parties: whose signatures it must have. TrustError otherwise."""
    statement = verify_cosigned(envelope, policy, at)
    if statement.payload_type != PAYLOAD_TYPE:
        _refuse("payload-type", statement.payload_type, PAYLOAD_TYPE)
    if missing := set(parties) - set(statement.parties):
        _refuse("both-sides", ", ".join(statement.parties), ", ".join(sorted(missing)))
    return read_receipt(statement.payload)


def read_receipt(payload: bytes) -> Receipt:
    """Read the payload of a receipt. TrustError `signature-invalid` for anything else."""
    try:
        return msgspec.json.decode(payload, type=Receipt)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise TrustError(
            "signature-invalid", Finding("signature-invalid", "recognition-receipt")
        ) from None


def _refuse(rule: str, found: str, expected: str) -> NoReturn:
    raise TrustError(
        "signature-scope", Finding("signature-scope", rule, "", found[:120], expected[:120])
    )


def broken_link(chain: Sequence[Receipt]) -> int | None:
    """Return the position of the first receipt that does not follow on the one before it."""
    before = ""
    for number, receipt in enumerate(chain):
        if receipt.previous != before or receipt.side is not chain[0].side:
            return number
        before = digest(receipt)
    return None


@dataclass(frozen=True, slots=True)
class Verified:
    """What a replay gives. differences: names of what is not as the receipt says."""

    decision: Decision | None
    differences: tuple[str, ...]


def verify_receipt(receipt: Receipt, evidence: Iterable[Evidence], rules: RuleSet) -> Verified:
    """Repeat a decision from statements and rules, without database and network.

    differences: claim, ruleset, root, outcome, reasons, conditions, proof, fold; none when the
    receipt is right bit for bit.
    """
    at = instant(receipt.at)
    if at is None:
        return Verified(None, ("at",))
    if receipt.fold != FOLD:
        return Verified(None, ("fold",))
    try:
        decision = decide(receipt.claim, Situation.of(evidence), rules, at)
    except LookupError:
        return Verified(None, ("claim",))
    again = make_receipt(decision, receipt.side, receipt.previous)
    names = ("claim", "at", "ruleset", "root", "outcome", "reasons", "conditions", "proof")
    differ = tuple(name for name in names if getattr(again, name) != getattr(receipt, name))
    return Verified(decision, differ)


def instant(text: str) -> datetime | None:
    """Read the instant of a receipt or decision; None when it is none."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
