"""`gateway counterpart`: who the other side is, and whether we reach each other."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import talk

if TYPE_CHECKING:
    from gateway.bootstrap.acquaint import Stated
    from gateway.evidence.announcement import Announcement
    from gateway.settings import Settings

counterpart = typer.Typer(help="The other side.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Its party id on the link.")]


@counterpart.callback()
def _group() -> None:
    """The other side: who it is, and whether we reach each other."""


@counterpart.command("add")
def add(
    name: Name,
    announcement: Annotated[
        Path | None, typer.Option(help="What it gave: an announcement (keys announce) or a pack.")
    ] = None,
    url: Annotated[str, typer.Option(help="Without an announcement: https://...")] = "",
    anchors: Annotated[Path | None, typer.Option(help="... authorities of its TLS server.")] = None,
    pin: Annotated[
        list[str], typer.Option(help="... USAGE=FILE: message, receipt, head, pack, tls-client.")
    ] = [],  # noqa: B006  typer copies it
    signature: Annotated[str, typer.Option(help="... how it signs.")] = "link-ecdsa-p256",
    folder: Annotated[Path, typer.Option(help="Where its certificates go.")] = Path("counterpart"),
    client_certificate: Annotated[Path, typer.Option(help="With which we connect to it.")] = Path(
        "keys/link-client.cert.pem"
    ),
    client_key: Annotated[Path, typer.Option(help="Its key.")] = Path("keys/link-client.key.pem"),
    password_file: Annotated[Path | None, typer.Option(help="Opens that key.")] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="The fingerprints were compared: write it.")
    ] = False,
    config: talk.Config = talk.DEFAULT_CONFIG,
    as_json: talk.Json = False,
) -> None:
    """Show what a counterpart announced and, with --yes, write it into the settings.

    A new counterpart gets a section; for one that is there, the pins of the announced keys are
    renewed, and its pinned pack key must have signed.
    """
    with talk.failures(as_json):
        from gateway.bootstrap import acquaint, rewrite
        from gateway.bootstrap.outside import clock

        settings = talk.settings(config).settings
        section = settings.counterpart.get(name)
        if announcement is not None:
            said = acquaint.read(talk.read(announcement), name, section, clock())
        elif section is not None:
            raise typer.BadParameter(f"{name} is there: its renewals need --announcement")
        else:
            stated = _stated(url, anchors, pin, signature)
            side = "cn" if settings.gateway.side == "vn" else "vn"
            said = acquaint.from_files(name, side, stated, clock())
        if yes:
            beside = config.absolute().parent
            client = acquaint.Client(client_certificate, client_key, password_file)

            def change(text: str) -> str:
                if section is not None:
                    return acquaint.renewed(text, said, beside / folder, section)
                return acquaint.introduced(text, said, beside / folder, client)

            rewrite.rewritten(config, os.environ, change)
    _tell(said, known=section is not None, written=yes, as_json=as_json)
    if not yes:
        raise typer.Exit(talk.Exit.REFUSED)


def _stated(url: str, anchors: Path | None, pins: list[str], signature: str) -> "Stated":
    from gateway.bootstrap.acquaint import Stated

    if not url or anchors is None or not pins:
        raise typer.BadParameter("give --announcement, or --url, --anchors and --pin")
    files = {usage: Path(file) for usage, _, file in (each.partition("=") for each in pins)}
    for needed in ("message", "receipt", "tls-client"):
        if needed not in files:
            raise typer.BadParameter(f"--pin {needed}=FILE is missing")
    for file in (anchors, *files.values()):
        talk.read(file)
    return Stated(url, anchors, files, signature)


def _tell(said: "Announcement", *, known: bool, written: bool, as_json: bool) -> None:
    rows = [
        {
            "usage": each.usage,
            "fingerprint": each.fingerprint,
            "from": each.not_before.isoformat() if each.not_before else "",
            "until": each.not_after.isoformat() if each.not_after else "",
        }
        for each in said.certificates
    ]
    if as_json:
        talk.give_json({"party": said.party, "written": written, "certificates": rows})
        return
    shown = [
        (r["usage"], f"{r['fingerprint'][:32]}\n{r['fingerprint'][32:]}", r["from"], r["until"])
        for r in rows
    ]
    titles = ("usage", "SHA-256 fingerprint", "from", "until")
    talk.table(titles, shown)
    if known:
        talk.say("signed with its pinned pack key")
    else:
        talk.say("NOTHING VOUCHES FOR THIS FILE: compare the fingerprints by another way")
    if written:
        talk.say("written; the former settings stay as .old. Restart the gateway.")
        talk.say("then: gateway counterpart test " + said.party)
    else:
        talk.say("nothing was changed; add --yes once they were compared")


@counterpart.command("list")
def list_counterparts(
    config: talk.Config = talk.DEFAULT_CONFIG, as_json: talk.Json = False
) -> None:
    """List the counterparts, whom we believe as them, and until when."""
    with talk.failures(as_json):
        found = _described(talk.settings(config).settings)
    if as_json:
        talk.give_json(found)
        return
    for each in found:
        talk.say(f"{each['name']}  {each['url']}  signs {each['signature']}")
        talk.say(f"pack: {each['pack'] or 'none'}")
        rows = [
            (key["usage"], key["fingerprint"][:32], key["from"] or "", key["until"] or "")
            for key in each["keys"]
        ]
        talk.table(("usage", "SHA-256 fingerprint", "from", "until"), rows)


def _described(settings: "Settings") -> list[dict[str, Any]]:
    from gateway.bootstrap import packs
    from gateway.signing.keys import fingerprint

    found = []
    for name, section in settings.counterpart.items():
        pack = packs.stated(section)
        keys = [
            {
                "usage": pin.usage.value,
                "fingerprint": fingerprint(pin.certificate),
                "from": pin.not_before and pin.not_before.isoformat(),
                "until": pin.not_after and pin.not_after.isoformat(),
            }
            for pin in packs.pinned(name, section, pack)
        ]
        until = f"version {pack.version} until {pack.valid_to.isoformat()}" if pack else None
        signature = packs.shape_of(name, section, pack).name
        found.append(
            {"name": name, "url": section.url, "signature": signature, "pack": until, "keys": keys}
        )
    return found
