"""Commands about the catalogue itself: `coverage`."""

import json
from dataclasses import asdict

import typer

from conformance.cli import app as base
from conformance.engine import coverage as clauses
from conformance.resources import folder


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(coverage)


def coverage(as_json: base.Json = False) -> None:
    """Show clauses and their cases; exit 1 when a MUST has neither case nor reason."""
    listed = clauses.read(folder("spec") / "clauses.csv")
    found = clauses.measure(listed, base.load_cases())
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=1))
    else:
        for clause in listed.values():
            cases = " ".join(found.covered.get(clause.id, ())) or clause.reason or "-"
            base.out.print(f"{clause.id:12} {clause.level:6} {cases}", markup=False)
        for title, names in (("no case", found.bare), ("unknown clause", found.unknown),
                             ("reason is stale", found.idle)):  # fmt: skip
            if names:
                base.out.print(f"{title}: {' '.join(names)}", style="red", markup=False)
    raise typer.Exit(base.CONFORMANT if found.whole else base.NOT)
