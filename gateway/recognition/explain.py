"""A decision in words: why, what to do, who can. In three languages."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from gateway import texts
from gateway.recognition.fold import Decision
from gateway.recognition.outcomes import REASONS, Reason
from gateway.recognition.vector import Agreement, FieldResult


@dataclass(frozen=True, slots=True)
class Said:
    """One reason in words. act: what to do. who: who can."""

    code: str
    outcome: str
    text: str
    act: str
    who: str
    clause: str
    where: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """A decision in words."""

    decision: Decision
    outcome: str
    reasons: tuple[Said, ...]
    overlays: tuple[str, ...]
    labels: tuple[str, str]

    def as_json(self) -> dict[str, Any]:
        """Return it as builtins."""
        decision = self.decision
        return {
            "claim": str(decision.claim),
            "at": decision.at,
            "outcome": decision.outcome,
            "text": self.outcome,
            "rule": decision.rule,
            "ruleset": decision.ruleset,
            "root": decision.root,
            "would": decision.would,
            "deadline": decision.deadline,
            "overlays": list(self.overlays),
            "reasons": [
                {name: getattr(each, name) for name in Said.__slots__} for each in self.reasons
            ],
        }

    def as_text(self) -> str:
        """Return it as lines for a person."""
        decision, (act, who) = self.decision, self.labels
        lines = [f"{decision.claim}  {decision.at}", f"  {self.outcome} [{decision.outcome}]"]
        if decision.rule:
            lines.append(f"  {decision.rule}")
        if decision.would is not None:
            lines.append(f"  -> {decision.would}")
        lines += [f"  * {words}" for words in self.overlays]
        for each in self.reasons:
            lines += [
                f"  - {each.text} [{each.code}]",
                f"      {act}: {each.act} ({who}: {each.who})",
            ]
            if each.clause:
                lines.append(f"      {each.clause}")
        return "\n".join(lines)


def explained(decision: Decision, lang: str) -> Explained:
    """Return a decision in a language: vi, zh or en."""
    return Explained(
        decision=decision,
        outcome=texts.outcome(decision.outcome, lang),
        reasons=_merged(_said(each, lang) for each in decision.reasons),
        overlays=tuple(texts.outcome(f"overlay:{each}", lang) for each in decision.overlays),
        labels=(texts.outcome("remedy:label", lang), texts.outcome("actor:label", lang)),
    )


def _merged(said: Iterable[Said]) -> tuple[Said, ...]:
    """Return reasons with the same words as one, with all places."""
    found: dict[tuple[str, str], Said] = {}
    for each in said:
        key = (each.text, each.clause)
        before = found.get(key)
        where = (*before.where, *each.where) if before else each.where
        found[key] = replace(each, where=tuple(dict.fromkeys(where)))
    return tuple(found.values())


def _said(given: Reason, lang: str) -> Said:
    values = {"subject": given.subject, "claimed": given.claimed, "observed": given.observed}
    return Said(
        code=given.code,
        outcome=given.outcome,
        text=texts.reason(given.code, lang, **values),
        act=texts.remedy(given.code, lang),
        who=texts.outcome(f"actor:{REASONS[given.code][1]}", lang),
        clause=given.clause,
        where=given.where,
    )


def differing(decision: Decision) -> tuple[FieldResult, ...]:
    """Return the fields that were compared on both sides: for a table of the comparison."""
    missing = (Agreement.MISSING_ONE, Agreement.MISSING_BOTH)
    return tuple(each for each in decision.vector if each.agreement not in missing)
