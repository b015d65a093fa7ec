"""Does the suite see what is wrong? Each mutant must fail the cases that name it, no other.

1 right    the reference peer passes every case
2 odd      peers that are no peers are never conformant
3 kill     each mutant: the cases that name it fail, a sample of the others does not change
"""

import random
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from conformance.engine import runner
from conformance.engine.case import Case
from conformance.engine.results import Result, Verdict
from conformance.engine.runner import Choice
from conformance.engine.session import Session
from conformance.peer import odd
from conformance.peer.mutants import RECEIVER, SENDER, Mutants
from conformance.peer.server import Handler
from conformance.peer.stage import Keys, Stage

_RECEIVING = Choice(levels=frozenset({"MUST"}), roles=frozenset({"rx"}))
FAILING = frozenset({Verdict.FAIL, Verdict.WARN, Verdict.INCONCLUSIVE})
Verdicts = Mapping[str, frozenset[Verdict]]
Told = Callable[[str], None]


@dataclass(slots=True)
class Killed:
    """What became of one mutant. survived: cases that name it and did not fail. disturbed:
    other cases whose verdict changed."""

    mutant: str
    survived: tuple[str, ...] = ()
    disturbed: tuple[str, ...] = ()
    ran: int = 0


@dataclass(slots=True)
class SelfTest:
    """The whole outcome."""

    right: list[Result] = field(default_factory=list)
    fooled: list[str] = field(default_factory=list)
    kills: list[Killed] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """True when the suite saw everything and nothing else."""
        wrong = [r for r in self.right if r.verdict not in (Verdict.PASS, Verdict.NOT_APPLICABLE)]
        kills = [kill for kill in self.kills if kill.survived or kill.disturbed]
        return bool(self.right) and not (wrong or self.fooled or kills)


@dataclass(frozen=True, slots=True)
class Plan:
    """mutants: which, empty takes all. sample: other cases per mutant; None takes all."""

    mutants: frozenset[str] = frozenset()
    sample: int | None = 8
    seed: int = 1
    odd: bool = True


async def run(home: Path, cases: Mapping[str, Case], plan: Plan, told: Told) -> SelfTest:
    """Run the self-test in a folder. told: hears of each step."""
    keys = Keys.make()
    outcome = SelfTest()
    async with _stage(home / "right", keys) as session:
        whole = await runner.run(session, cases, Choice())
    outcome.right = whole.results
    told(f"reference peer: {_counted(outcome.right)}")
    if plan.odd:
        outcome.fooled = await _odd(home, keys, cases, told)
    right = _verdicts(outcome.right)
    draw = random.Random(plan.seed)  # noqa: S311  a sample
    for mutant in (*RECEIVER, *SENDER):
        if plan.mutants and mutant not in plan.mutants:
            continue
        named = [case for case in cases.values() if mutant in case.mutants]
        others = [case for case in cases.values() if mutant not in case.mutants]
        if plan.sample is not None:
            others = draw.sample(others, min(plan.sample, len(others)))
        if named:
            kill = await _kill(home, keys, mutant, (named, others, cases), right)
            outcome.kills.append(kill)
            told(_told(kill))
    return outcome


async def _kill(
    home: Path,
    keys: Keys,
    mutant: str,
    work: tuple[list[Case], list[Case], Mapping[str, Case]],
    right: Verdicts,
) -> Killed:
    named, others, cases = work
    results: list[Result] = []
    async with _stage(home / mutant, keys, Mutants({mutant})) as session:
        for case in (*named, *others):
            for instance in case.instances():
                results.append(await runner.judge(session, cases, instance))
    seen = _verdicts(results)
    applied = [c.id for c in named if seen[c.id] != {Verdict.NOT_APPLICABLE}]
    survived = tuple(name for name in applied if not seen[name] & FAILING)
    disturbed = tuple(case.id for case in others if seen[case.id] != right[case.id])
    return Killed(mutant, survived, disturbed, len(results))


async def _odd(home: Path, keys: Keys, cases: Mapping[str, Case], told: Told) -> list[str]:
    """Return the names of those that were taken for conformant."""
    peers: dict[str, Handler] = {
        "yes-man": odd.yes_man(keys.receipt),
        "no-man": odd.no_man(keys.receipt),
        "parrot": odd.parrot,
    }
    fooled = []
    for name, handler in peers.items():
        async with _stage(home / name, keys, handler=handler) as session:
            whole = await runner.run(
                session, cases, Choice(levels=frozenset({"MUST"}), roles=frozenset({"rx"}))
            )
        told(f"{name}: {_counted(whole.results)}")
        if whole.conformant:
            fooled.append(name)
    return fooled


@asynccontextmanager
async def _stage(
    home: Path, keys: Keys, mutants: Mutants | None = None, handler: Handler | None = None
) -> AsyncIterator[Session]:
    stage = Stage(home, keys, mutants or Mutants(), handler)
    await stage.open()
    try:
        session = Session(stage.target(), home, 1)
        session.restarter = stage.restart
        yield session
    finally:
        await stage.close()


def _verdicts(results: Iterable[Result]) -> Verdicts:
    found: dict[str, set[Verdict]] = {}
    for result in results:
        found.setdefault(result.case, set()).add(result.verdict)
    return {name: frozenset(verdicts) for name, verdicts in found.items()}


def _counted(results: list[Result]) -> str:
    counts = {verdict: sum(r.verdict is verdict for r in results) for verdict in Verdict}
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)


def _told(kill: Killed) -> str:
    if not kill.survived and not kill.disturbed:
        return f"{kill.mutant}: killed ({kill.ran} runs)"
    survived = f" not seen by {', '.join(kill.survived)}" if kill.survived else ""
    disturbed = f" disturbs {', '.join(kill.disturbed)}" if kill.disturbed else ""
    return f"{kill.mutant}:{survived}{disturbed}"
