"""What the runner decides before it sends anything."""

import asyncio
from pathlib import Path

import msgspec

from conformance.engine import case as cases
from conformance.engine import runner
from conformance.engine.results import Verdict
from conformance.engine.session import Session
from conformance.peer.mutants import Mutants
from conformance.peer.stage import Keys, Stage
from conformance.resources import folder

CATALOGUE = cases.load(folder("spec") / "cases")


def test_a_production_system_is_not_attacked(tmp_path: Path):
    async def work():
        stage = await Stage(tmp_path, Keys.make(), Mutants()).open()
        try:
            real = msgspec.structs.replace(stage.target(), environment="production")
            choice = runner.Choice(names=("SEC-03", "RCP-01"))
            return await runner.run(Session(real, tmp_path, 1), CATALOGUE, choice)
        finally:
            await stage.close()

    whole = asyncio.run(work())
    seen = {result.case: result.verdict for result in whole.results}
    assert seen == {"SEC-03": Verdict.NOT_APPLICABLE, "RCP-01": Verdict.PASS}
