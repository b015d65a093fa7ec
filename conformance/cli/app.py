"""`conformance`: run the suite, look at its cases, test the suite itself."""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from conformance.engine import case as cases
from conformance.engine.results import Result, Run, Verdict
from conformance.engine.runner import Choice
from conformance.resources import folder

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
out, talk = Console(), Console(stderr=True)

CONFORMANT, NOT, USAGE, UNREACHABLE, INTERNAL = range(5)
"""Exit codes."""

_COLOURS = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.WARN: "yellow",
    Verdict.NOT_APPLICABLE: "dim",
}

Names = Annotated[list[str] | None, typer.Option("--case", help="id or glob, may be repeated")]
Areas = Annotated[list[str] | None, typer.Option("--area", help="ENV, SIG ...")]
Json = Annotated[bool, typer.Option("--json", help="machine-readable")]
Seed = Annotated[int, typer.Option(help="the same seed builds the same documents")]


def load_cases() -> dict[str, cases.Case]:
    """Read the catalogue, or end with what is wrong with it."""
    try:
        return cases.load(folder("spec") / "cases")
    except cases.SpecificationError as fault:
        talk.print(str(fault), markup=False)
        raise typer.Exit(INTERNAL) from fault


@app.command("list")
def list_(area: Areas = None, clause: str = "", level: str = "", as_json: Json = False) -> None:
    """List the cases."""
    clauses = frozenset({clause} - {""})
    choice = Choice(areas=frozenset(area or ()), clauses=clauses, levels=frozenset({level} - {""}))
    chosen = [case for case in load_cases().values() if choice.takes(case)]
    if as_json:
        rows = [{"id": c.id, "level": c.level, "title": c.title} for c in chosen]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for case in chosen:
        out.print(f"{case.id:8} {case.level:6} {case.role:8} {case.title['en']}", markup=False)


@app.command()
def explain(name: str, lang: str = "en") -> None:
    """Say what a case is about, and what it does."""
    case = load_cases().get(name)
    if case is None:
        talk.print(f"no case {name}", markup=False)
        raise typer.Exit(USAGE)
    for text in (case.title, case.purpose, case.effect):
        out.print(text.get(lang, text["en"]), markup=False)
    out.print(f"{case.level}, clauses {', '.join(case.clauses)}", markup=False)
    for step in case.steps:
        out.print(f"  {step}", markup=False)


@app.command()
def selftest(
    mutant: Annotated[list[str] | None, typer.Option(help="only these")] = None,
    sample: Annotated[int, typer.Option(help="other cases per mutant, -1 for all")] = 8,
    seed: Seed = 1,
) -> None:
    """Does the suite see each wrong peer, and only for what is wrong with it?"""
    from conformance.peer.selftest import Plan, run

    plan = Plan(frozenset(mutant or ()), None if sample < 0 else sample, seed)
    with tempfile.TemporaryDirectory(prefix="conformance-") as home:
        told = lambda line: out.print(line, markup=False)  # noqa: E731
        outcome = asyncio.run(run(Path(home), load_cases(), plan, told))
    for result in outcome.right:
        if result.verdict not in (Verdict.PASS, Verdict.NOT_APPLICABLE):
            show(result)
    for name in outcome.fooled:
        out.print(f"{name} was taken for conformant", style="red")
    raise typer.Exit(CONFORMANT if outcome.passed else NOT)


def show(result: Result) -> None:
    """Print one result as it comes."""
    style = _COLOURS.get(result.verdict, "magenta")
    out.print(f"{result.verdict:14} {result.name}", style=style, markup=False)
    if result.reason:
        out.print(f"{'':14} {result.reason}", style="dim", markup=False)


def exit_code(whole: Run) -> int:
    """Return 0 conformant, 1 not, 3 when nobody could be asked, 4 for a fault of ours."""
    if whole.conformant:
        return CONFORMANT
    found = {result.verdict for result in whole.results}
    if Verdict.FAIL in found:
        return NOT
    if Verdict.ERROR in found:
        return INTERNAL
    return UNREACHABLE
