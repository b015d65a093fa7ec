"""`gateway keys rotate`, `retire` and `announce`: a key is renewed in the open."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli import talk

if TYPE_CHECKING:
    from gateway.settings import Settings
    from gateway.settings.keys import OurKey

Purpose = Annotated[str, typer.Argument(help="message, receipt, statement, head or pack.")]
Out = Annotated[Path, typer.Option(help="Where the announcement for the other side goes.")]


def rotate(
    purpose: Purpose,
    at: Annotated[
        datetime,
        typer.Option(formats=["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"], help="When it takes over, UTC."),
    ],
    out: Out,
    overlap: Annotated[
        int, typer.Option(min=1, help="Days for which the former key is still believed.")
    ] = 30,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days of validity.")] = 730,
    label: Annotated[str | None, typer.Option(help="In the token of [hsm], so called.")] = None,
    config: talk.Config = talk.DEFAULT_CONFIG,
    as_json: talk.Json = False,
) -> None:
    """Make the next key beside the present one, note it in the settings, and announce it.

    Restart once before that instant; at it the gateway signs with the next key by itself.
    """
    with talk.failures(as_json):
        from gateway.bootstrap import rewrite, rotation
        from gateway.bootstrap.outside import clock
        from gateway.settings.edit import appended

        settings, now = talk.settings(config).settings, clock()
        key, starts = _key(settings, purpose), at.replace(tzinfo=UTC)
        if key.next is not None:
            raise typer.BadParameter(f"keys.{purpose} has a next key: gateway keys retire first")
        if starts <= now:
            raise typer.BadParameter("--at must be ahead: the other side has to pin it before")
        _check_overlap(settings, overlap)
        wanted = rotation.Renewal(purpose, starts, days, timedelta(overlap), label)
        try:
            values = rotation.renewed(settings, wanted, now)
        except FileExistsError as there:
            raise typer.BadParameter(f"{there} is there already") from None
        changed = rewrite.rewritten(
            config, os.environ, lambda text: appended(text, f"keys.{purpose}.next", values)
        )
        talk.write_new(out, rotation.announced(changed, now, purposes={purpose: wanted.overlap}))
    if as_json:
        talk.give_json({"announcement": str(out), "certificate": str(values["certificate"])})
        return
    talk.say(f"{values['certificate']}: signs from {starts.isoformat()}")
    talk.say(f"1. Give {out} to the other side (gateway counterpart add NAME --announcement ...),")
    talk.say("   and compare the fingerprint (gateway keys list) by another way.")
    talk.say("2. Restart the gateway before that instant.")
    talk.say(f"3. {overlap} days after it: gateway keys retire {purpose}")


def retire(
    purpose: Purpose,
    out: Out,
    leaked: Annotated[
        bool, typer.Option("--leaked", help="Now, whatever was agreed: the key is known to others.")
    ] = False,
    config: talk.Config = talk.DEFAULT_CONFIG,
    as_json: talk.Json = False,
) -> None:
    """End the former key after a rotation: the next one takes its place in the settings."""
    with talk.failures(as_json):
        from gateway.bootstrap import rewrite, rotation
        from gateway.bootstrap.outside import clock

        settings, now = talk.settings(config).settings, clock()
        former = _key(settings, purpose)
        if former.next is None:
            raise typer.BadParameter(f"keys.{purpose} has no next key: gateway keys rotate first")
        if former.next.starts > now and not leaked:
            raise typer.BadParameter(f"the next key starts {former.next.starts.isoformat()}")
        changed = rewrite.rewritten(
            config, os.environ, lambda text: _with_next(text, purpose, former)
        )
        talk.write_new(out, rotation.announced(changed, now, purposes={purpose: timedelta()}))
    if as_json:
        talk.give_json({"announcement": str(out), "former": former.place})
        return
    talk.say(f"{former.place}: retired; destroy it, and keep {former.certificate}")
    talk.say(f"Give {out} to the other side, which takes the pin of the former key away.")
    if purpose == "head":
        file = former.certificate
        talk.say(f'[evidence] earlier_heads must name it: earlier_heads = ["{file}", ...]')
    talk.say("Restart the gateway.")


def announce(
    out: Out,
    url: Annotated[str, typer.Option(help="Where the other side reaches us: https://...")],
    anchors: Annotated[Path, typer.Option(help="PEM: authorities of our TLS server.")],
    client: Annotated[Path, typer.Option(help="PEM: the certificate with which we connect.")],
    config: talk.Config = talk.DEFAULT_CONFIG,
    as_json: talk.Json = False,
) -> None:
    """Write down, signed, all that the other side needs to know of us."""
    with talk.failures(as_json):
        from gateway.bootstrap import rotation
        from gateway.bootstrap.outside import clock

        settings = talk.settings(config).settings
        named = {purpose: timedelta(30) for purpose in settings.keys.named()}
        content = rotation.announced(
            settings, clock(), purposes=named, url=url, anchors=anchors, client=client
        )
        talk.write_new(out, content)
    if as_json:
        talk.give_json({"announcement": str(out)})
    else:
        talk.say(f"{out}: for the other side: gateway counterpart add NAME --announcement {out}")
        talk.say("It compares our fingerprints (gateway keys list) by another way.")


def _key(settings: "Settings", purpose: str) -> "OurKey":
    found = settings.keys.named().get(purpose)
    if found is None:
        raise typer.BadParameter(f"the settings have no [keys.{purpose}]")
    return found


def _check_overlap(settings: "Settings", overlap: int) -> None:
    from gateway.bootstrap import packs

    for section in settings.counterpart.values():
        agreed = packs.trust_of(section, packs.stated(section)).overlap
        if timedelta(overlap) > agreed:
            raise typer.BadParameter(f"--overlap: at most {agreed.days} days are agreed")


def _with_next(text: str, purpose: str, former: "OurKey") -> str:
    from gateway.settings.edit import changed, without

    following = former.next
    if following is None:
        return text
    names = ("certificate", "key", "password_file", "label", "id")
    values = {name: getattr(following, name) for name in names}
    return changed(without(text, f"keys.{purpose}.next"), f"keys.{purpose}", values)
