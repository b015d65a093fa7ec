"""`gateway translate`: documents of one crossing into another format, without a server."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import offline, talk

if TYPE_CHECKING:
    from gateway.flows.translate import Made

_SUFFIXES = {"application/xml": ".xml", "application/json": ".json"}


def translate(
    files: Annotated[list[Path], typer.Argument(help="Documents of one crossing; - is stdin.")],
    to: Annotated[str, typer.Option("--to", help="The format to make, such as cn.mt1401.")],
    stated: Annotated[
        list[str], typer.Option("--from", help="Format of each file; detected without.")
    ] = [],  # noqa: B006  typer copies it
    params: offline.Params = None,
    values: offline.Values = [],  # noqa: B006
    config: offline.OptionalConfig = None,
    report: Annotated[
        Path | None, typer.Option(help="Write the translation report there (a new file).")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="A folder for the documents: one truck, one document.", file_okay=False),
    ] = None,
    draft: Annotated[
        bool,
        typer.Option(help="Where the table allows it, leave unfed leaves empty, and say so."),
    ] = True,
    as_json: talk.Json = False,
) -> None:
    """Translate documents: the result on stdout, findings on stderr, exit 1 when refused."""
    with talk.failures(as_json):
        from gateway.api.intake import read_parameters
        from gateway.flows.translate import translate as run
        from gateway.model.parameters import Parameters

        formats = offline.tables()
        formats.header(to)
        stated_parameters = read_parameters(talk.read(params)) if params else Parameters()
        halves = offline.decoded(formats, files, stated)
        setting = offline.setting(formats, values, config, draft=draft)
        made = run(setting, halves, [stated_parameters], [to])
    if report is not None:
        talk.write_new(report, _reports(made))
    if as_json:
        talk.give_json([_as_json(each) for each in made])
    else:
        _hand_over(made, out)
        for each in made:
            _summary(each)


def _hand_over(made: "Sequence[Made]", out: Path | None) -> None:
    if out is None:
        if len(made) != 1:
            raise typer.BadParameter(f"{len(made)} documents come of this: give --out FOLDER")
        talk.give(made[0].encoded.content)
        return
    out.mkdir(parents=True, exist_ok=True)
    for number, each in enumerate(made, start=1):
        suffix = _SUFFIXES.get(each.encoded.media_type, ".edi")
        file = out / f"{each.encoded.format}-{number}{suffix}"
        talk.write_new(file, each.encoded.content)
        talk.say(str(file))


def _reports(made: "Sequence[Made]") -> bytes:
    if len(made) == 1:
        return made[0].report
    return b"[" + b",".join(each.report for each in made) + b"]"


def _as_json(made: "Made") -> dict[str, Any]:
    return {
        "format": made.encoded.format,
        "table": made.encoded.table,
        "draft": made.encoded.draft,
        "content": made.encoded.content.decode("utf-8"),
        "findings": talk.findings_as_json(made.encoded.findings),
        "report": json.loads(made.report),
    }


def _summary(made: "Made") -> None:
    encoded = made.encoded
    talk.tell_findings(encoded.findings)
    counts = offline.by_class(json.loads(made.report))
    classes = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    state = " (DRAFT: mandatory leaves are unfed)" if encoded.draft else ""
    talk.say(f"{encoded.table}{state}: {len(encoded.content)} bytes; source rows: {classes}")
