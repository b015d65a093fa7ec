"""`conformance diff`, `bundle`, `verify-bundle`: what becomes of the reports of a run."""

import json
from pathlib import Path
from typing import Annotated

import typer

from conformance.cli import app as base
from conformance.crypto.keys import read, read_certificate
from conformance.report import bundle as bundles

Certificate = Annotated[Path, typer.Option("--cert", help="the tester's certificate, PEM")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(diff)
    app.command()(bundle)
    app.command("verify-bundle")(verify_bundle)


def diff(one: Path, two: Path) -> None:
    """Show what changed between two report.json; exit 1 when something got worse."""
    before, after = _verdicts(one), _verdicts(two)
    worse = False
    for name in sorted(set(before) | set(after)):
        old, new = before.get(name, "-"), after.get(name, "-")
        if old != new:
            worse |= old == "PASS"
            base.out.print(f"{name:40} {old} -> {new}", markup=False)
    raise typer.Exit(base.NOT if worse else base.CONFORMANT)


def _verdicts(path: Path) -> dict[str, str]:
    try:
        report = json.loads(path.read_bytes())
        return {result["name"]: result["verdict"] for result in report["results"]}
    except (OSError, ValueError, KeyError, TypeError) as fault:
        base.talk.print(f"{path}: {fault}", markup=False)
        raise typer.Exit(base.USAGE) from fault


def bundle(
    reports: Path,
    out: Annotated[Path, typer.Option("--out", "-o")],
    key: Annotated[Path, typer.Option(help="the tester's key, PEM")],
    cert: Certificate,
) -> None:
    """Pack a folder of reports into one file and sign it with the tester's key (P-256)."""
    try:
        bundles.write(reports, read(key, cert), out)
    except (OSError, ValueError) as fault:
        base.talk.print(str(fault), markup=False)
        raise typer.Exit(base.USAGE) from fault
    base.out.print(str(out), markup=False)


def verify_bundle(file: Path, cert: Certificate) -> None:
    """Verify such a file by the tester's certificate alone; exit 1 when it proves nothing."""
    try:
        names = bundles.verify(file, read_certificate(cert))
    except bundles.BundleError as why:
        base.out.print(f"NOT PROVEN: {why}", markup=False)
        raise typer.Exit(base.NOT) from why
    except (OSError, ValueError) as fault:
        base.talk.print(str(fault), markup=False)
        raise typer.Exit(base.USAGE) from fault
    base.out.print(f"proven: {', '.join(names)}", markup=False)
