"""The closed vocabulary: what each step word does."""

from conformance.engine import case as words
from conformance.engine import checks, driving, sending
from conformance.engine.building import Bench


async def perform(bench: Bench, step: words.Step) -> None:
    """Do one step. It raises what it finds (engine.results)."""
    match step:
        case words.Build():
            bench.build(step)
        case words.Sign():
            bench.sign(step)
        case words.Corrupt():
            bench.corrupt(step)
        case words.Send():
            await sending.send(bench, step)
        case words.Verify():
            checks.registry()[step.what](bench, step)
        case _:
            await driving.perform(bench, step)


def named(step: words.Step) -> str:
    """Return a step as a report names it."""
    word = type(step).__struct_config__.tag
    detail = step.what if isinstance(step, words.Verify) else ""
    return f"{word} {detail}".strip()
