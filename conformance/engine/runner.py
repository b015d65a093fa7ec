"""Run cases against a target, one verdict each.

1 applies   features the target does not declare: NOT_APPLICABLE
2 control   a negative case counts only when its positive control passes directly before
3 steps     in order, until one raises
4 alive     after a fault or an attack the target must still take a valid message
5 verdict   a SHOULD that fails is a warning; what cannot be decided is never a pass
"""

import asyncio
import fnmatch
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from conformance.engine import case as words
from conformance.engine import steps
from conformance.engine.building import Bench
from conformance.engine.case import Case, Instance
from conformance.engine.results import (
    FailedError,
    Note,
    Result,
    Run,
    UnavailableError,
    UndecidedError,
    Verdict,
    WeakerError,
)
from conformance.engine.session import Session
from conformance.engine.target import declares

Told = Callable[[Result], None]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which cases to run. Empty takes all. names: globs over ids and instance names."""

    names: Sequence[str] = ()
    areas: frozenset[str] = frozenset()
    clauses: frozenset[str] = frozenset()
    levels: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    def takes(self, case: Case) -> bool:
        """Tell whether a case was asked for."""
        tests = (
            not self.areas or case.area in self.areas,
            not self.levels or case.level in self.levels,
            not self.roles or case.role in self.roles,
            not self.clauses or bool(self.clauses & set(case.clauses)),
        )
        return all(tests)

    def instances(self, cases: Iterable[Case]) -> list[Instance]:
        """Return what to run, in the order of ids."""
        found = [i for case in cases if self.takes(case) for i in case.instances()]
        if not self.names:
            return found
        return [i for i in found if any(_matches(i, name) for name in self.names)]


def _matches(instance: Instance, glob: str) -> bool:
    return fnmatch.fnmatchcase(instance.case.id, glob) or instance.name == glob


async def run(
    session: Session, cases: Mapping[str, Case], choice: Choice, told: Told = lambda _: None
) -> Run:
    """Run the chosen cases. told: hears of each result as it comes."""
    target = session.target
    outcome = Run(target.name, target.profile, datetime.now(UTC), session.seed)
    for instance in choice.instances(cases.values()):
        result = await judge(session, cases, instance)
        outcome.results.append(result)
        told(result)
    outcome.ended = datetime.now(UTC)
    return outcome


async def judge(session: Session, cases: Mapping[str, Case], instance: Instance) -> Result:
    """Run one instance and say what became of it."""
    case = instance.case
    result = Result(instance.name, case.id, case.area, case.level, Verdict.PASS,
                    clauses=case.clauses)  # fmt: skip
    loop = asyncio.get_running_loop()
    began = loop.time()
    bench = Bench(session, instance.axis)
    try:
        _applies(session, case)
        if case.control:
            await _control(session, cases, case)
        await _steps(bench, case, result)
        if case.kind in "NF" and case.role == "rx":
            await _alive(session)
    except UnavailableError as why:
        result.verdict, result.reason = Verdict.NOT_APPLICABLE, str(why)
    except UndecidedError as why:
        result.verdict, result.reason = Verdict.INCONCLUSIVE, str(why)
    except WeakerError as why:
        result.verdict, result.reason = Verdict.WARN, str(why)
    except FailedError as why:
        result.verdict = Verdict.FAIL if case.level == "MUST" else Verdict.WARN
        result.reason = str(why)
    except Exception as fault:  # noqa: BLE001  a fault of the suite is never the target's
        result.verdict, result.reason = Verdict.ERROR, f"{type(fault).__name__}: {fault}"
    finally:
        await bench.close()
    result.seconds = loop.time() - began
    result.wires = _wires(bench)
    return result


ATTACKS = frozenset({"SEC", "AVL"})
"""Areas that never run against a system that works for real."""


def _applies(session: Session, case: Case) -> None:
    if session.target.environment == "production" and case.area in ATTACKS:
        raise UnavailableError("attacks are not for a production system")
    there = declares(session.target)
    if session.restarter is not None:
        there |= {"restart", "kill"}
    missing = set(case.needs) - there
    if missing:
        raise UnavailableError(f"the target does not declare: {', '.join(sorted(missing))}")


async def _control(session: Session, cases: Mapping[str, Case], case: Case) -> None:
    if case.control == words.PLAIN:
        why = await _plain(session)
    else:
        control = cases[case.control]
        bench = Bench(session, next(iter(control.instances())).axis)
        why = await _tried(bench, control.steps)
    if why:
        raise UndecidedError(f"its control `{case.control}` does not pass: {why}")


async def _plain(session: Session) -> str:
    """Send a valid message; return why it was not taken."""
    plain = (words.Build(), words.Send(), words.Verify(what="accepted"))
    return await _tried(Bench(session, {}), plain)


async def _tried(bench: Bench, todo: Sequence[words.Step]) -> str:
    try:
        for step in todo:
            await steps.perform(bench, step)
    except (FailedError, UndecidedError) as why:
        return str(why)
    finally:
        await bench.close()
    return ""


async def _steps(bench: Bench, case: Case, result: Result) -> None:
    weaker: WeakerError | None = None
    for step in case.steps:
        try:
            await steps.perform(bench, step)
        except WeakerError as why:
            weaker = why
            continue
        except (FailedError, UndecidedError) as why:
            result.notes.append(Note(steps.named(step), str(why)))
            raise
        result.notes.append(Note(steps.named(step), "as expected"))
    if weaker:
        raise weaker


async def _alive(session: Session) -> None:
    """The sender's next message is untouched, whatever came before."""
    if why := await _plain(session):
        raise FailedError(f"afterwards a valid message is not taken: {why}")


def _wires(bench: Bench) -> list[dict[str, object]]:
    """Return what went to and fro, numbered."""
    seen: list[dict[str, object]] = []
    for name, sent in bench.sent.items():
        if name == "last" and len(bench.sent) > 1:
            continue
        answers = [
            {"status": r.status, "fault": r.fault, "seconds": round(r.seconds, 4),
             "body": r.body.decode(errors="replace")}
            for r in sent.replies[:3]
        ]  # fmt: skip
        octets = sent.octets.decode(errors="replace")
        seen.append({"name": name, "sent": octets[:20000], "answers": answers})
    return seen
