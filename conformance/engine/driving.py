"""Steps that drive the target: make it send, watch what comes, restart it, let time pass."""

import asyncio

from conformance.engine import case as words
from conformance.engine import checks
from conformance.engine.building import Bench
from conformance.engine.results import UnavailableError


async def perform(bench: Bench, step: words.Step) -> None:
    """Do one of the steps that are not about a message of ours."""
    match step:
        case words.Pause():
            await asyncio.sleep(checks.seconds(bench, bench.text(step.seconds)))
        case words.Restart():
            await _restart(bench, step.hard)
        case _:
            raise UnavailableError(f"the step `{type(step).__name__.lower()}` needs a trigger")


async def _restart(bench: Bench, hard: bool) -> None:
    hook = bench.session.target.hook
    command = hook.kill if hard else hook.restart
    if not command:
        raise UnavailableError("no restart hook")
    process = await asyncio.create_subprocess_shell(command, cwd=bench.session.home)
    status = await process.wait()
    if status:
        raise RuntimeError(f"the restart hook ended with {status}")
