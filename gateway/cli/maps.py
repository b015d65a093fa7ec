"""`gateway map`: the mapping tables."""

from datetime import datetime
from typing import Annotated

import typer

from gateway.cli import talk

maps = typer.Typer(help="The mapping tables.", no_args_is_help=True)


@maps.callback()
def _group() -> None:
    """The mapping tables."""


@maps.command("check")
def check(
    at: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only tables of this day.")
    ] = None,
    as_json: talk.Json = False,
) -> None:
    """Prove the tables against schemas, layouts, the model and the code lists."""
    from gateway.codec.check import check_all

    findings = check_all(at.date() if at else None)
    if as_json:
        talk.give_json({"findings": talk.findings_as_json(findings)})
    else:
        talk.tell_findings(findings)
        talk.say(f"{len(findings)} findings" if findings else "mapping tables: proven")
    if findings:
        raise typer.Exit(talk.Exit.REFUSED)
