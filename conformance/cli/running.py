"""`conformance run`: against a target file, or against the reference peer."""

import asyncio
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from conformance.cli import app as base
from conformance.engine import expected, runner
from conformance.engine import target as targets
from conformance.engine.results import Result, Run
from conformance.engine.runner import Choice
from conformance.engine.session import Session


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(run)


def run(
    target: Annotated[Path, typer.Option(help="the target file")] = Path("target.toml"),
    demo: Annotated[bool, typer.Option(help="run against the reference peer")] = False,
    case: base.Names = None,
    area: base.Areas = None,
    clause: Annotated[list[str] | None, typer.Option(help="XP-ENV-008 ...")] = None,
    level: Annotated[list[str] | None, typer.Option(help="MUST, SHOULD, MAY")] = None,
    role: Annotated[list[str] | None, typer.Option(help="rx, tx ...")] = None,
    out: Annotated[Path | None, typer.Option(help="folder for the reports")] = None,
    seed: base.Seed = 1,
) -> None:
    """Run cases and say whether the target is conformant. Exit 0 conformant, 1 not, 2 usage,
    3 unreachable or undecided, 4 a fault of the suite."""
    choice = Choice(
        names=tuple(case or ()),
        areas=frozenset(area or ()),
        clauses=frozenset(clause or ()),
        levels=frozenset(level or ()),
        roles=frozenset(role or ()),
    )
    if demo:
        whole = asyncio.run(_demo(choice, seed))
    else:
        whole = asyncio.run(_against(target, choice, seed))
    _summary(whole)
    if out is not None:
        from conformance.report import write

        write(whole, base.load_cases(), out)
        base.talk.print(f"reports: {out}", markup=False)
    raise typer.Exit(base.exit_code(whole))


async def _demo(choice: Choice, seed: int) -> Run:
    from conformance.peer.mutants import Mutants
    from conformance.peer.stage import Keys, Stage

    with tempfile.TemporaryDirectory(prefix="conformance-") as home:
        stage = await Stage(Path(home), Keys.make(), Mutants()).open()
        try:
            session = Session(stage.target(), Path(home), seed)
            session.restarter = stage.restart
            return await runner.run(session, base.load_cases(), choice, base.show)
        finally:
            await stage.close()


async def _against(path: Path, choice: Choice, seed: int) -> Run:
    try:
        described = targets.load(path)
        session = Session(described, path.parent, seed)
    except (targets.TargetError, OSError, ValueError) as fault:
        base.talk.print(str(fault), markup=False)
        raise typer.Exit(base.USAGE) from fault
    told: Callable[[Result], None] = base.show
    whole = await runner.run(session, base.load_cases(), choice, told)
    if described.expected_failures:
        known = _known(path.parent / described.expected_failures)
        for line in expected.settle(whole, known, datetime.now(UTC).date()):
            base.out.print(f"expected failures: {line}", style="red", markup=False)
    return whole


def _known(path: Path) -> tuple[expected.Expected, ...]:
    try:
        return expected.read(path)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError) as fault:
        base.talk.print(f"{path}: {fault}", markup=False)
        raise typer.Exit(base.USAGE) from fault


def _summary(whole: Run) -> None:
    counts = ", ".join(f"{count} {name}" for name, count in whole.counts().items() if count)
    verdict = "CONFORMANT" if whole.conformant else "NOT CONFORMANT"
    base.out.print(f"{whole.target}: {verdict} ({counts or 'no case ran'})", markup=False)
