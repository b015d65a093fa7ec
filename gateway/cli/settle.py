"""`gateway settle`: compare days with the counterpart, and what that raised."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import talk
from gateway.cli.evidence import opened

if TYPE_CHECKING:
    from gateway.flows.ports_ledger import Alarm
    from gateway.flows.settle import Settled

settle = typer.Typer(
    help="The ledger that is kept with the counterpart.", invoke_without_command=True
)


@settle.callback()
def run(
    context: typer.Context,
    day: Annotated[
        list[str], typer.Option(help="ISO day, UTC, of the messages' Created; the last 31 without.")
    ] = [],  # noqa: B006  typer copies it
    config: talk.Config = talk.DEFAULT_CONFIG,
    as_json: talk.Json = False,
) -> None:
    """Offer our newest head, then compare days with the counterpart: what one side has and the
    other lacks is mended, or raised. 1 when a day does not agree or an alarm stands."""
    if context.invoked_subcommand is not None:
        return
    days = [_day(each) for each in day]
    with talk.failures(as_json), opened(config) as services:
        from gateway.flows.settle import settle as settled
        from gateway.flows.settle import usual_days
        from gateway.flows.settle_heads import offer_head

        head = offer_head(services)
        found = settled(services, days or usual_days(services))
        alarms = services.store.read(lambda tx: tx.alarms())
        if as_json:
            talk.give_json(_as_json(found, head, alarms))
        else:
            _show(found, head, alarms)
        if alarms or not all(each.agreed or each.under_way for each in found.days):
            raise typer.Exit(talk.Exit.REFUSED)


@settle.command("alarms")
def alarms(
    every: Annotated[bool, typer.Option("--all", help="Also those that were cleared.")] = False,
    config: talk.Config = talk.DEFAULT_CONFIG,
    as_json: talk.Json = False,
) -> None:
    """List the alarms of settlement that stand; docs/operations.md says what each wants."""
    with talk.failures(as_json), opened(config) as services:
        found = services.store.read(lambda tx: tx.alarms(cleared=every))
        if as_json:
            talk.give_json([_alarm(each) for each in found])
        else:
            _show_alarms(found)


@settle.command("clear")
def clear(
    kind: Annotated[str, typer.Argument(help="As `gateway settle alarms` shows it.")],
    party: Annotated[str, typer.Argument(help="The same.")],
    subject: Annotated[str, typer.Argument(help="The same.")],
    config: talk.Config = talk.DEFAULT_CONFIG,
) -> None:
    """Say that an alarm was looked into. Its proof, where it has one, stays."""
    with talk.failures(as_json=False), opened(config) as services:
        from gateway.errors import Finding, StateError

        now = services.clock()
        if not services.store.commit(lambda tx: tx.clear_alarm(kind, party, subject, now)):
            raise StateError("not-found", Finding("not-found", "ledger-alarm", found=subject))


def _day(text: str) -> str:
    from datetime import date

    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise typer.BadParameter(f"{text}: no day like 2026-05-14") from None


def _show(found: "Settled", head: str, alarms: "tuple[Alarm, ...]") -> None:
    talk.say(f"head: {head}; {found.exchanges} questions about messages")
    rows = [
        (
            each.day,
            str(each.sent),
            str(each.accepted),
            "yes" if each.agreed else "changing" if each.changing else "no",
            str(len(each.returned)),
            str(len(each.fetched)),
            str(len(each.under_way)),
        )
        for each in found.days
    ]
    titles = ("day", "sent", "accepted", "agreed", "given back", "fetched", "under way")
    talk.table(titles, rows, whole=("day",))
    if alarms:
        _show_alarms(alarms)


def _show_alarms(found: "tuple[Alarm, ...]") -> None:
    rows = [
        (
            each.kind,
            each.party,
            each.subject,
            each.at.strftime("%Y-%m-%d %H:%M"),
            " ".join(f"{name}={value}" for name, value in each.detail.items()),
            "yes" if each.proof else "",
        )
        for each in found
    ]
    talk.table(("kind", "party", "subject", "since", "detail", "proof"), rows, whole=("kind",))


def _alarm(alarm: "Alarm") -> Any:
    return {
        "kind": alarm.kind,
        "party": alarm.party,
        "subject": alarm.subject,
        "at": alarm.at,
        "detail": dict(alarm.detail),
        "proof": alarm.proof is not None,
        "cleared": alarm.cleared,
    }


def _as_json(found: "Settled", head: str, alarms: "tuple[Alarm, ...]") -> Any:
    return {
        "counterpart": found.counterpart,
        "head": head,
        "exchanges": found.exchanges,
        "days": [
            {
                "day": each.day,
                "sent": each.sent,
                "accepted": each.accepted,
                "agreed": each.agreed,
                "changing": each.changing,
                "givenBack": each.returned,
                "fetched": each.fetched,
                "underWay": each.under_way,
                "alarms": [{"kind": kind, "message": name} for kind, name in each.alarms],
            }
            for each in found.days
        ],
        "alarms": [_alarm(each) for each in alarms],
    }
