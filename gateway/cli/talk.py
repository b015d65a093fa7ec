"""How commands speak: data on stdout, talk on stderr, one way to fail."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.errors import Family, Finding, GatewayError, Severity

if TYPE_CHECKING:
    from gateway.settings import Loaded, SettingsError


class Exit(IntEnum):
    """What a command returns."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    UNAVAILABLE = 3


Json = Annotated[
    bool, typer.Option("--json", help="Data as JSON on stdout, also what was refused and why.")
]
Config = Annotated[
    Path, typer.Option("--config", "-c", envvar="GATEWAY_CONFIG", help="The settings file.")
]
DEFAULT_CONFIG = Path("gateway.toml")

_ELSEWHERE = (Family.UNAVAILABLE, Family.COUNTERPART)


def say(text: str) -> None:
    """Say something to whoever watches."""
    typer.echo(text, err=True)


def give(content: bytes) -> None:
    """Write data as it is."""
    typer.echo(content, nl=False)


def give_json(value: Any) -> None:
    """Write data as JSON."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def table(
    titles: Sequence[str], rows: Sequence[Sequence[str]], *, whole: Sequence[str] = ()
) -> None:
    """Write a table that fits 80 columns, or the terminal where that is wider.

    whole: titles of columns that are never folded, so that their values can be copied.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        shown.add_column(title, overflow="fold", no_wrap=title in whole)
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    Console(highlight=False).print(shown)


def language() -> str:
    """Return vi, zh or en, as GATEWAY_LANG or LANG say."""
    from gateway import texts

    stated = os.environ.get("GATEWAY_LANG") or os.environ.get("LANG") or ""
    return texts.choose(stated.partition(".")[0].replace("_", "-"))


def settings(config: Path) -> "Loaded":
    """Load the settings file, with what the environment overrides."""
    from gateway.settings import load

    return load(config, os.environ)


def read(file: Path) -> bytes:
    """Return the bytes of a file, or of stdin for `-`; a wrong name is wrong use."""
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as fault:
        raise typer.BadParameter(f"{file}: {fault.strerror}") from None


def write_new(file: Path, content: bytes) -> None:
    """Write a result to a file that is not there yet; wrong use when it is."""
    try:
        with file.open("xb") as target:
            target.write(content)
    except OSError as fault:
        raise typer.BadParameter(f"{file}: {fault.strerror}") from None


@contextmanager
def failures(as_json: bool) -> Iterator[None]:
    """Turn every failure into words, or JSON, and an exit code."""
    from gateway.settings import SettingsError

    try:
        yield
    except GatewayError as failure:
        _tell(failure, as_json=as_json)
        elsewhere = failure.family in _ELSEWHERE and failure.code != "refused"
        raise typer.Exit(Exit.UNAVAILABLE if elsewhere else Exit.REFUSED) from None
    except SettingsError as failure:
        _tell_settings(failure, as_json=as_json)
        raise typer.Exit(Exit.USAGE) from None
    except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
        raise
    except Exception as bug:  # noqa: BLE001  its text may quote a document: it is not shown
        from gateway.bootstrap.logs import frames

        seen = frames(None, "", {"exc_info": bug})
        say(f"internal: a bug ({seen['error_type']}); please report these lines")
        say("\n".join(f"    {frame}" for frame in seen["frames"]))
        raise typer.Exit(Exit.REFUSED) from None


def _tell(failure: GatewayError, *, as_json: bool) -> None:
    from gateway import texts

    if as_json:
        give_json({"error": failure.code, "findings": findings_as_json(failure.findings)})
        return
    lang = language()
    say(f"{failure.code}: {texts.title(failure.code, lang)}")
    if failure.findings:
        tell_findings(failure.findings)
    else:
        say(texts.sentence(failure.code, lang))


def _tell_settings(failure: "SettingsError", *, as_json: bool) -> None:
    if as_json:
        found = [{"path": p.path, "text": p.text, "origin": p.origin} for p in failure.problems]
        give_json({"error": "settings", "problems": found})
        return
    for problem in failure.problems:
        say(str(problem))


def findings_as_json(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """Return findings as they are, with their words."""
    from gateway import texts

    lang = language()
    return [
        {
            "severity": str(f.severity),
            "code": f.code,
            "rule": f.rule,
            "path": f.path,
            "found": f.found,
            "expected": f.expected,
            "message": texts.explain(f, lang),
        }
        for f in findings
    ]


def tell_findings(findings: Sequence[Finding]) -> None:
    """Say findings, refusing ones first."""
    from gateway import texts

    lang = language()
    for finding in sorted(findings, key=lambda f: f.severity is Severity.WARN):
        mark = "!" if finding.severity is Severity.REFUSE else "~"
        say(f"{mark} {finding.path or '-'}  [{finding.code} {finding.rule}]")
        say(f"    {texts.explain(finding, lang)}")
