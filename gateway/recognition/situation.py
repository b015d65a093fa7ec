"""A pool of statements, sorted once, and what of it counts for a claim."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from gateway.model.bodies import ClaimRef, Inspection, Registry, Standing
from gateway.model.evidence import Evidence, Kind, digest
from gateway.recognition.cases import Case, cases, claims
from gateway.recognition.hs import hs6
from gateway.recognition.lineage import Pool
from gateway.recognition.normalise import bare, span
from gateway.recognition.registry import Registries, registries
from gateway.recognition.requirements import PASSING
from gateway.recognition.ruleset import RuleSet
from gateway.recognition.stated import PastCheck
from gateway.recognition.view import View


@dataclass(frozen=True)
class Situation:
    """A pool of statements, sorted into cases and registries once."""

    pool: Pool

    @classmethod
    def of(cls, statements: Iterable[Evidence]) -> "Situation":
        """Make a situation of statements in any order, with doubles."""
        named = {digest(each): each for each in statements}
        return cls({name: named[name] for name in sorted(named)})

    @cached_property
    def shared(self) -> "Situation":
        """Without private statements."""
        return Situation({d: e for d, e in self.pool.items() if not e.private})

    @cached_property
    def common(self) -> Pool:
        """What any case may depend on: registry statements and checks."""
        checks = {check.digest for found in self.checks.values() for check in found}
        return {
            name: each
            for name, each in self.pool.items()
            if isinstance(each.body, Standing) or name in checks
        }

    def around(self, case: Case, name: str, more: Evidence) -> "Situation":
        """Return the situation of one case with one more statement."""
        return Situation({**self.common, **case.pool, name: more})

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """All cases."""
        return cases(self.pool)

    @cached_property
    def claims(self) -> tuple[ClaimRef, ...]:
        """All claims of all cases."""
        return tuple(claim for case in self.cases for claim in claims(case))

    @cached_property
    def registries(self) -> Registries:
        """What registries say."""
        return registries(self.pool.items())

    @cached_property
    def checks(self) -> dict[str, list[PastCheck]]:
        """All checks of one side of the other's goods, by packer."""
        found: dict[str, list[PastCheck]] = {}
        for name, each in self.pool.items():
            for check in _checks(name, each):
                for packer in check.packers:
                    found.setdefault(packer, []).append(check)
        return found

    @cached_property
    def names(self) -> dict[str, Case]:
        """Cases by id and alias."""
        return {name: case for case in self.cases for name in case.names}

    def case_of(self, claim: ClaimRef) -> Case | None:
        """Return the case that a claim names by its id or an alias."""
        return self.names.get(claim.case) or self.names.get(bare(claim.case))

    def views(self, case: Case, claim: ClaimRef, rules: RuleSet, at: datetime) -> tuple[View, ...]:
        """Return what a claim is judged on: once for each live document, once where none is."""
        first = View(case, claim, self.registries, self.checks, rules, at)
        others = (
            View(case, claim, self.registries, self.checks, rules, at, number)
            for number in range(1, len(first.live))
        )
        return (first, *others)


def relevant(situation: Situation, view: View) -> dict[str, Evidence]:
    """Return all statements that the decision depends on: the root is over these."""
    found = dict(view.case.pool)
    for entry in _entries(view):
        for said in situation.registries.get(entry, ()):
            found[said.digest] = situation.pool[said.digest]
    if view.rule and (
        view.rule.reinspection.reduced is not None or view.rule.reinspection.tightened
    ):
        found.update({check.digest: situation.pool[check.digest] for check in view.past})
    return found


def _entries(view: View) -> set[tuple[Registry, str]]:
    """Return all registry entries that some statement of the case names."""
    found: set[tuple[Registry, str]] = set()
    for each in view.case.pool.values():
        found.add((Registry.ISSUER, bare(each.issuer.code)))
        if each.signer is not None:
            found.add((Registry.KEY, bare(each.signer.key)))
        if isinstance(each.body, Inspection):
            found |= {(Registry.PUC, bare(code)) for code in each.body.parties.growers}
            found |= {(Registry.PHC, bare(code)) for code in each.body.parties.packers}
            found |= {(Registry.LAB, bare(r.lab.code)) for r in each.body.results if r.lab}
    found |= {(Registry.COMMODITY, code) for code in view.codes}
    found |= {(Registry.GATE, gate) for gate in view.gates}
    found |= {(Registry.ROUTE, bare(f"{view.direction}/{gate}")) for gate in view.gates}
    return found


def _checks(name: str, statement: Evidence) -> Iterable[PastCheck]:
    if statement.kind is not Kind.COUNTER_CHECK or not isinstance(statement.body, Inspection):
        return
    packers = frozenset(bare(code) for code in statement.body.parties.packers)
    at = span(statement.occurred_at, statement.issuer.country)[1]
    for each in statement.body.results:
        if packers and (code := hs6(each.goods)):
            yield PastCheck(name, at, statement.side, packers, code, each.verdict in PASSING)
