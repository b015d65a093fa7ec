"""`gateway pack`: the bilateral pack, from the draft to the one in force."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import talk

if TYPE_CHECKING:
    from gateway.evidence.pack import Pack
    from gateway.evidence.pack_diff import Change

pack = typer.Typer(help="The bilateral pack: what both sides signed.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="A pack: a draft (JSON), or signed (DSSE).")]
Lang = Annotated[str, typer.Option("--lang", help="vi, zh or en; else GATEWAY_LANG or LANG.")]
Instant = typer.Option(formats=["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"], help="UTC.")


@pack.callback()
def _group() -> None:
    """The bilateral pack: endpoints, certificates, profiles, tables, limits, calendars."""


@pack.command("draft")
def draft(
    out: Annotated[Path, typer.Option(help="Where the draft goes.")],
    url: Annotated[str, typer.Option(help="Where the other side reaches us: https://...")],
    anchors: Annotated[Path, typer.Option(help="PEM: authorities of our TLS server.")],
    valid_to: Annotated[datetime, Instant],
    valid_from: Annotated[datetime | None, Instant] = None,
    version: Annotated[int | None, typer.Option(min=1, help="Else the next one.")] = None,
    calendars: Annotated[Path | None, typer.Option(help="TOML: hours and holidays.")] = None,
    config: talk.Config = talk.DEFAULT_CONFIG,
    as_json: talk.Json = False,
) -> None:
    """Write down what the settings say today, for both sides to look at."""
    with talk.failures(as_json):
        from gateway.bootstrap import pack_desk, pack_draft
        from gateway.bootstrap.outside import clock
        from gateway.evidence.pack import write_pack

        settings = talk.settings(config).settings
        before, known = pack_desk.current(settings)
        now = clock()
        stated = pack_draft.Stated(
            version or (known.version + 1 if known else 1),
            _utc(valid_from or now.replace(microsecond=0)),
            _utc(valid_to),
            url,
            anchors,
            calendars,
        )
        made = pack_draft.draft(settings, stated, now, before)
        talk.write_new(out, write_pack(made))
    if as_json:
        talk.give_json({"draft": str(out), "version": made.version})
    else:
        talk.say(f"{out}: version {made.version}; look at it (gateway pack show), then sign it")


@pack.command("sign")
def sign(
    file: File,
    out: Annotated[Path, typer.Option(help="Where the signed pack goes.")],
    config: talk.Config = talk.DEFAULT_CONFIG,
    lang: Lang = "",
    as_json: talk.Json = False,
) -> None:
    """Sign a draft, or what the other side signed, with our pack key; say what it changes."""
    with talk.failures(as_json):
        from gateway.bootstrap import pack_desk

        content = talk.read(file)
        signed, proposed = pack_desk.signed(talk.settings(config).settings, content)
        changes = _differences(proposed.before, proposed.pack)
        talk.write_new(out, signed)
    if as_json:
        said = _as_json(changes, lang)
        talk.give_json({"signed": str(out), "digest": proposed.digest, "changes": said})
        return
    _show(changes, lang)
    talk.say(f"{out}: version {proposed.pack.version}, SHA-256 {proposed.digest}")
    talk.say("Compare this digest with the other side by another way than the file goes.")


@pack.command("show")
def show(file: File, config: talk.Config = talk.DEFAULT_CONFIG, as_json: talk.Json = False) -> None:
    """Show what a pack says and who signed it. Nothing is believed of it."""
    with talk.failures(as_json):
        from gateway.bootstrap import pack_desk

        content = talk.read(file)
        proposed, digest = pack_desk.read(content)
        signed = pack_desk.signatures(talk.settings(config).settings, content)
        changes = _differences(None, proposed)
    if as_json:
        import msgspec

        said = msgspec.to_builtins(proposed)
        talk.give_json({"pack": said, "digest": digest, "signatures": signed})
        return
    talk.say(f"SHA-256 {digest}")
    for party, verdict in signed.items():
        talk.say(f"signature of {party}: {verdict}")
    talk.table(("", "value"), [(f"{c.kind} {c.of}".strip(), c.after) for c in changes])


@pack.command("check")
def check(
    file: File, config: talk.Config = talk.DEFAULT_CONFIG, as_json: talk.Json = False
) -> None:
    """Say whether we would take a pack now, and where our settings do not agree with it."""
    with talk.failures(as_json):
        from gateway.bootstrap import pack_desk, pack_draft

        settings = talk.settings(config).settings
        proposed = pack_desk.judged(settings, talk.read(file))
        warnings = pack_draft.disagreements(settings, proposed.pack)
    version, known = proposed.pack.version, proposed.known
    if as_json:
        findings = talk.findings_as_json(warnings)
        talk.give_json({"version": version, "digest": proposed.digest, "findings": findings})
        return
    there = f"version {known.version} is in force" if known else "none is in force"
    talk.say(f"version {version} can be taken ({there}); SHA-256 {proposed.digest}")
    talk.tell_findings(warnings)


@pack.command("diff")
def diff(
    file: File,
    newer: Annotated[Path | None, typer.Argument(help="Compare it with this one.")] = None,
    config: talk.Config = talk.DEFAULT_CONFIG,
    lang: Lang = "",
    as_json: talk.Json = False,
) -> None:
    """Say what a pack would change: against the one in force, or between two files."""
    with talk.failures(as_json):
        from gateway.bootstrap import pack_desk

        proposed, _ = pack_desk.read(talk.read(newer or file))
        if newer is None:
            before, _ = pack_desk.current(talk.settings(config).settings)
        else:
            before, _ = pack_desk.read(talk.read(file))
        changes = _differences(before, proposed)
    if as_json:
        talk.give_json(_as_json(changes, lang))
    else:
        _show(changes, lang)


@pack.command("apply")
def apply(
    file: File,
    yes: Annotated[bool, typer.Option("--yes", help="Take it; else say what changes.")] = False,
    config: talk.Config = talk.DEFAULT_CONFIG,
    lang: Lang = "",
    as_json: talk.Json = False,
) -> None:
    """Say what a pack changes and, with --yes, take it; restart the gateway then."""
    with talk.failures(as_json):
        from gateway.bootstrap import pack_desk, pack_draft

        settings, content = talk.settings(config).settings, talk.read(file)
        proposed = pack_desk.judged(settings, content)
        changes = _differences(proposed.before, proposed.pack)
        warnings = pack_draft.disagreements(settings, proposed.pack)
        if yes:
            pack_desk.apply(settings, proposed, content)
    if as_json:
        said = {"applied": yes, "digest": proposed.digest, "changes": _as_json(changes, lang)}
        talk.give_json({**said, "findings": talk.findings_as_json(warnings)})
    else:
        _show(changes, lang)
        talk.tell_findings(warnings)
        end = "taken; restart the gateway" if yes else "nothing was changed; add --yes to take it"
        talk.say(f"version {proposed.pack.version}: {end}")
    if not yes:
        raise typer.Exit(talk.Exit.REFUSED)


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC)


def _differences(before: "Pack | None", after: "Pack") -> "tuple[Change, ...]":
    from gateway.evidence.pack_diff import diff

    return diff(before, after)


def _as_json(changes: "Iterable[Change]", lang: str) -> list[dict[str, Any]]:
    from gateway import texts

    chosen = _language(lang)
    return [
        {
            "change": each.kind,
            "text": texts.change(each.kind, chosen),
            "of": each.of,
            "before": each.before,
            "after": each.after,
        }
        for each in changes
    ]


def _show(changes: "tuple[Change, ...]", lang: str) -> None:
    from gateway import texts

    chosen = _language(lang)
    if not changes:
        talk.say(texts.label("nothing-changes", chosen))
        return
    titles = [texts.label(name, chosen) for name in ("what", "of", "before", "after")]
    rows = [(texts.change(c.kind, chosen), c.of, c.before, c.after) for c in changes]
    talk.table(titles, rows)


def _language(lang: str) -> str:
    from gateway import texts

    if lang and lang not in texts.LANGUAGES:
        raise typer.BadParameter(f"--lang is one of: {', '.join(texts.LANGUAGES)}")
    return lang or talk.language()
