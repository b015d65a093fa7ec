"""The suite judged by its own self-test, sampled: `make selftest` runs it whole."""

import asyncio
from pathlib import Path

import pytest

from conformance.engine import case as cases
from conformance.engine import runner
from conformance.engine.results import Verdict
from conformance.engine.session import Session
from conformance.peer import odd, selftest
from conformance.peer.mutants import Mutants
from conformance.peer.stage import Keys, Stage
from conformance.resources import folder

CATALOGUE = cases.load(folder("spec") / "cases")
SENDING = {"MS01", "MS06", "MS08", "MS15", "MS17"}


def of_role(role: str) -> dict[str, cases.Case]:
    return {name: case for name, case in CATALOGUE.items() if case.role == role}


def run(home: Path, chosen: dict[str, cases.Case], plan: selftest.Plan) -> selftest.SelfTest:
    return asyncio.run(selftest.run(home, chosen, plan, lambda _: None))


def test_every_wrong_receiver_is_seen_and_only_for_what_is_wrong(tmp_path: Path):
    outcome = run(tmp_path, of_role("rx"), selftest.Plan(sample=2))
    assert [r.name for r in outcome.right if r.verdict is not Verdict.PASS] == []
    assert outcome.fooled == []
    assert [k for k in outcome.kills if k.survived or k.disturbed] == []
    assert outcome.passed


def test_wrong_senders_are_seen(tmp_path: Path):
    named = {n: c for n, c in of_role("tx").items() if SENDING & set(c.mutants)}
    quick = {
        n: c for n, c in named.items() if n in {"SIG-23", "RCP-10", "RCP-09", "SCH-10", "TIM-07"}
    }
    plan = selftest.Plan(frozenset(SENDING), sample=1, odd=False)
    outcome = run(tmp_path, quick, plan)
    assert {kill.mutant for kill in outcome.kills} == SENDING
    assert outcome.passed, outcome.kills


def judged(home: Path, handler) -> tuple[bool, set[Verdict]]:
    """Run three cases against a peer that answers with a handler."""

    async def work():
        stage = await Stage(home, Keys.make(), Mutants(), handler).open()
        try:
            session = Session(stage.target(), home, 1)
            choice = runner.Choice(names=("RCP-01", "RCP-02", "ENV-08"))
            return await runner.run(session, CATALOGUE, choice)
        finally:
            await stage.close()

    whole = asyncio.run(work())
    return whole.conformant, {result.verdict for result in whole.results}


def test_a_parrot_is_not_conformant(tmp_path: Path):
    assert judged(tmp_path, odd.parrot)[0] is False


def test_a_peer_that_falls_over_is_undecided_and_not_conformant(tmp_path: Path):
    def falls_over(content: bytes, party: str):
        raise OSError

    conformant, verdicts = judged(tmp_path, falls_over)
    assert not conformant
    assert verdicts == {Verdict.INCONCLUSIVE, Verdict.FAIL} or verdicts == {Verdict.INCONCLUSIVE}


def test_nothing_run_is_never_conformant(tmp_path: Path):
    async def work():
        stage = await Stage(tmp_path, Keys.make(), Mutants()).open()
        try:
            session = Session(stage.target(), tmp_path, 1)
            return await runner.run(session, CATALOGUE, runner.Choice(names=("NO-SUCH",)))
        finally:
            await stage.close()

    whole = asyncio.run(work())
    assert whole.results == []
    assert not whole.conformant


@pytest.mark.parametrize("seed", [3, 4])
def test_one_seed_builds_one_set_of_numbers(tmp_path: Path, seed: int):
    async def numbers():
        stage = await Stage(tmp_path, Keys.make(), Mutants()).open()
        try:
            session = Session(stage.target(), tmp_path, seed)
            return [session.message_id(), session.batch(), session.digits(17)]
        finally:
            await stage.close()

    assert asyncio.run(numbers()) == asyncio.run(numbers())
