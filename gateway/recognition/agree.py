"""Comparing the receipts of two sides: agreed, or exactly what differs.

evidence  rules  result    meaning
equal     equal  equal     AGREED            countersign
differs   any    any       MISSING_EVIDENCE  exchange digests, send, decide anew
equal     differ any       RULESET_SKEW      name the first rule; the stricter holds
equal     equal  differs   DIVERGENT         software fault: freeze; the stricter holds
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from gateway.model.evidence import Evidence, digest
from gateway.recognition.load import file_key
from gateway.recognition.outcomes import Outcome, meet
from gateway.recognition.receipt import Receipt
from gateway.recognition.ruleset import Rule, RuleSet


class Agreed(StrEnum):
    """How two receipts stand to each other. NOT_COMPARABLE: of other instants or folds."""

    AGREED = "AGREED"
    MISSING_EVIDENCE = "MISSING_EVIDENCE"
    RULESET_SKEW = "RULESET_SKEW"
    DIVERGENT = "DIVERGENT"
    NOT_COMPARABLE = "NOT_COMPARABLE"


@dataclass(frozen=True, slots=True)
class Comparison:
    """holds: the outcome meanwhile. detail: what differs."""

    result: Agreed
    holds: Outcome
    detail: str = ""


def agree(ours: Receipt, theirs: Receipt) -> Comparison:
    """Compare the receipts of the two sides on one claim at one instant."""
    holds = meet(ours.outcome, theirs.outcome)
    if ours.at != theirs.at or ours.fold != theirs.fold:
        return Comparison(Agreed.NOT_COMPARABLE, holds, f"{ours.at} {theirs.at}")
    if ours.root != theirs.root:
        return Comparison(Agreed.MISSING_EVIDENCE, holds, f"{ours.root} {theirs.root}")
    if ours.ruleset != theirs.ruleset:
        return Comparison(Agreed.RULESET_SKEW, holds, f"{ours.ruleset} {theirs.ruleset}")
    if ours.proof != theirs.proof or ours.outcome is not theirs.outcome:
        return Comparison(Agreed.DIVERGENT, holds, f"{ours.proof} {theirs.proof}")
    return Comparison(Agreed.AGREED, holds)


def missing(ours: Iterable[str], theirs: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the digests that we lack and those that they lack."""
    own, other = set(ours), set(theirs)
    return tuple(sorted(other - own)), tuple(sorted(own - other))


def asked_for(statement: Evidence, wanted: str) -> bool:
    """Return True when a statement is the one asked for, and may be sent."""
    return not statement.private and digest(statement) == wanted


@dataclass(frozen=True, slots=True)
class Change:
    """One difference of two rule sets. path: rule id and place. "" for what is not there."""

    path: str
    old: str
    new: str


def diff_rules(old: RuleSet, new: RuleSet) -> tuple[Change, ...]:
    """Return what differs, rule by rule, value by value; the first is the first in order."""
    found: list[Change] = []
    for name in sorted(old.by_id.keys() | new.by_id.keys()):
        found += _rule_changes(name, old.by_id.get(name), new.by_id.get(name))
    for part in ("templates", "correlations", "organisms"):
        before, after = _plain(getattr(old, part)), _plain(getattr(new, part))
        found += [Change(part, _text(each), "") for each in before if each not in after]
        found += [Change(part, "", _text(each)) for each in after if each not in before]
    return tuple(found)


def _rule_changes(name: str, old: Rule | None, new: Rule | None) -> list[Change]:
    if old is None or new is None:
        return [Change(name, old.title if old else "", new.title if new else "")]
    return _changes(name, _plain(old), _plain(new))


def _changes(path: str, old: Any, new: Any) -> list[Change]:
    """Return the differences of two trees of builtins."""
    if old == new:
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        names = sorted(old.keys() | new.keys())
        return [c for n in names for c in _changes(f"{path}.{file_key(n)}", old.get(n), new.get(n))]
    if isinstance(old, list) and isinstance(new, list) and _named(old) and _named(new):
        return _changes(path, {e["id"]: e for e in old}, {e["id"]: e for e in new})
    return [Change(path, _text(old), _text(new))]


def _named(values: list[Any]) -> bool:
    return all(isinstance(each, dict) and "id" in each for each in values)


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
