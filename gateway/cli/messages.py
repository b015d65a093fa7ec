"""`gateway message`: submit, list, show and resend, through the agencies' interface."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import talk

if TYPE_CHECKING:
    from gateway.api.client import Client
    from gateway.api.views import MessageDetail, MessageSummary

message = typer.Typer(help="Messages, as an agency sees them.", no_args_is_help=True)

MessageId = Annotated[str, typer.Argument(help="The message id.")]
Wait = Annotated[
    int, typer.Option(min=0, max=30, help="Seconds to wait until nothing is under way.")
]


@message.callback()
def _group() -> None:
    """Messages, as an agency sees them. Who we are stands in [client] of the settings."""


@message.command("submit")
def submit(
    files: Annotated[list[Path], typer.Argument(help="Documents of one crossing.")],
    params: Annotated[Path | None, typer.Option(help="Submission parameters, JSON.")] = None,
    stated: Annotated[
        list[str], typer.Option("--from", help="Format of each file; detected without.")
    ] = [],  # noqa: B006  typer copies it
    key: Annotated[
        str | None, typer.Option(help="Idempotency-Key: the same again gets the same answer.")
    ] = None,
    wait: Wait = 0,
    config: talk.Config = talk.DEFAULT_CONFIG,
    as_json: talk.Json = False,
) -> None:
    """Hand in documents; their message ids on stdout."""
    documents = [(file.name, talk.read(file)) for file in files]
    parameters = talk.read(params) if params else None
    with talk.failures(as_json), _client(config) as client:
        done = client.submit(documents, formats=stated, parameters=parameters, key=key, wait=wait)
    if as_json:
        talk.give_json(done.model_dump(mode="json"))
        return
    talk.say(f"{done.state}: {done.state_text}; crossing {done.conversation_id}")
    for each in done.messages:
        typer.echo(each.id)


@message.command("list")
def list_messages(
    kind: Annotated[
        str | None, typer.Option(help="submission, outbound, inbound or domestic.")
    ] = None,
    state: Annotated[str | None, typer.Option(help="waiting, queued, dead ...")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    after: Annotated[str | None, typer.Option(help="The cursor of the page before.")] = None,
    config: talk.Config = talk.DEFAULT_CONFIG,
    as_json: talk.Json = False,
) -> None:
    """List messages, newest first."""
    with talk.failures(as_json), _client(config) as client:
        page = client.messages(kind=kind, state=state, after=after, limit=limit)
    if as_json:
        talk.give_json(page.model_dump(mode="json"))
        return
    lines = [_line(each) for each in page.messages]
    talk.table(("id", "when", "document", "state"), lines, whole=("id", "when"))
    if page.next:
        talk.say(f"more: --after {page.next}")


def _line(each: "MessageSummary") -> tuple[str, ...]:
    when = each.created.strftime("%m-%d %H:%M:%S")
    return each.id, when, f"{each.document_type} {each.kind}", each.state


@message.command("show")
def show(
    message_id: MessageId,
    document: Annotated[
        str | None, typer.Option(help="Print this document: original, translated, report ...")
    ] = None,
    wait: Wait = 0,
    config: talk.Config = talk.DEFAULT_CONFIG,
    as_json: talk.Json = False,
) -> None:
    """Show a message: its timeline, its documents, what is pending."""
    with talk.failures(as_json), _client(config) as client:
        if document is not None:
            talk.give(client.document(message_id, document))
            return
        _show(client.message(message_id, wait=wait), as_json=as_json)


@message.command("resend")
def resend(
    message_id: MessageId,
    config: talk.Config = talk.DEFAULT_CONFIG,
    as_json: talk.Json = False,
) -> None:
    """Queue a message again that was given up; the stored bytes are sent."""
    with talk.failures(as_json), _client(config) as client:
        _show(client.resend(message_id), as_json=as_json)


def _show(detail: "MessageDetail", *, as_json: bool) -> None:
    if as_json:
        talk.give_json(detail.model_dump(mode="json"))
        return
    facts: list[tuple[str, Any]] = [
        ("message", detail.id),
        ("document", f"{detail.document_type} {detail.function} v{detail.document_version}"),
        ("party", f"{detail.party} ({detail.kind})"),
        ("crossing", detail.conversation_id),
        ("state", f"{detail.state}: {detail.state_text}"),
        *((key.kind, key.value) for key in detail.keys),
    ]
    talk.table(("", ""), facts)
    typer.echo()
    lines = [(e.at.strftime("%m-%d %H:%M:%S.%f")[:-3], e.code, _words(e)) for e in detail.timeline]
    talk.table(("when", "event", "what"), lines)
    typer.echo()
    talk.table(
        ("document", "bytes", "media type"),
        [(d.role, str(d.size), d.media_type) for d in detail.documents],
    )
    for each in detail.pending:
        typer.echo(f"pending: {each.kind} to {each.destination}, attempts {each.attempts}")


def _words(entry: Any) -> str:
    detail = ", ".join(f"{name} {value}" for name, value in entry.detail.items())
    return f"{entry.text} ({detail})" if detail else str(entry.text)


def _client(config: Path) -> "Client":
    from gateway.api.client import Client
    from gateway.bootstrap.parts import identity
    from gateway.settings import Problem, SettingsError
    from gateway.transport.tls import client_context

    loaded = talk.settings(config)
    section = loaded.settings.client
    if section is None:
        raise SettingsError(Problem("client", "is missing: who are we, and where", str(config)))
    tls = client_context(section.anchors, identity(section))
    return Client(section.url, tls, lang=talk.language())
