"""`gateway evidence`: audit, heads, proofs, legal holds, payloads under a new key."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import talk

if TYPE_CHECKING:
    from gateway.evidence.audit import Flaw
    from gateway.flows.ports_log import Head
    from gateway.flows.services import Services

evidence = typer.Typer(help="The log of evidence.", no_args_is_help=True)

Conversation = Annotated[str, typer.Argument(help="The conversation id.")]
By = Annotated[str, typer.Option(help="Who orders it: an office, not a person's name.")]


@evidence.callback()
def _group() -> None:
    """The log of evidence, beside a running gateway or without one."""


@evidence.command("audit")
def audit(config: talk.Config = talk.DEFAULT_CONFIG, as_json: talk.Json = False) -> None:
    """Recompute everything that is stored and hold it against evidence; 1 when anything is
    not as it was written."""
    with talk.failures(as_json), opened(config) as services:
        from gateway.flows.audit import audit as run

        found = run(services)
        if as_json:
            flaws = [_as_json(flaw) for flaw in found.flaws]
            talk.give_json({"at": found.at, "counts": found.counts, "flaws": flaws})
        else:
            talk.table(("what", "count"), [(k, str(v)) for k, v in found.counts.items()])
            for flaw in found.flaws:
                talk.say(_words(flaw))
            talk.say("all is as it was written" if not found.flaws else "THIS STORE WAS CHANGED")
        if found.flaws:
            raise typer.Exit(talk.Exit.REFUSED)


@evidence.command("head")
def head(
    size: Annotated[int | None, typer.Option(min=1, help="Of this size; else the newest.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the signed statement here.")] = None,
    config: talk.Config = talk.DEFAULT_CONFIG,
    as_json: talk.Json = False,
) -> None:
    """Show a signed head of the log and how far the log is."""
    with talk.failures(as_json), opened(config) as services:
        from gateway.errors import Finding, StateError

        found = services.store.read(
            lambda tx: tx.latest_head() if size is None else tx.head_at(size)
        )
        if found is None:
            raise StateError("not-found", Finding("not-found", "log-head", found=str(size or "")))
        if out is not None:
            talk.write_new(out, found.statement)
        leaves, waiting = services.store.read(lambda tx: (tx.log_size(), tx.untaken_evidence()))
        shown = _head(found) | {"leaves": leaves, "waiting": waiting}
        if as_json:
            talk.give_json(shown)
        else:
            talk.table(("what", "value"), [(k, str(v)) for k, v in shown.items()])


@evidence.command("proof")
def proof(
    message: Annotated[str | None, typer.Argument(help="Prove the rows of this message.")] = None,
    old: Annotated[int | None, typer.Option(min=0, help="Prove that this size ...")] = None,
    new: Annotated[int | None, typer.Option(min=0, help="... begins this one.")] = None,
    config: talk.Config = talk.DEFAULT_CONFIG,
) -> None:
    """Write proofs (RFC 9162) as JSON: inclusion of a message's rows, or consistency of two
    sizes."""
    if (message is None) == (old is None or new is None):
        raise typer.BadParameter("a message id, or --old and --new")
    with talk.failures(as_json=True), opened(config) as services:
        from gateway.flows import heads

        if message is not None:
            talk.give_json([_inclusion(*each) for each in heads.inclusions(services, message)])
        elif old is not None and new is not None:
            found = heads.consistency(services, old, new)
            path = [value.hex() for value in found.path]
            talk.give_json({"old": old, "new": new, "path": path})


@evidence.command("redact")
def redact(
    message: Annotated[str, typer.Argument(help="The message id.")],
    hide: Annotated[
        list[str], typer.Option("--hide", help="A subtree to leave out: /crew, /crew/0/name.")
    ] = [],  # noqa: B006  typer copies it
    config: talk.Config = talk.DEFAULT_CONFIG,
) -> None:
    """Write a copy of a message's canonical document that shows the rest and proves it."""
    with talk.failures(as_json=True), opened(config) as services:
        from gateway.flows import redact as copies

        talk.give(copies.redacted(services, message, hide))


@evidence.command("show-redacted")
def show_redacted(
    file: Annotated[Path, typer.Argument(help="A copy that `redact` wrote; - for stdin.")],
    certificate: Annotated[Path, typer.Option(help="Of the head key of whose log it is, PEM.")],
    as_json: talk.Json = False,
) -> None:
    """Check a redacted copy, offline, and show what it proves."""
    content, pem = talk.read(file), talk.read(certificate)
    with talk.failures(as_json):
        from gateway.bootstrap import clock
        from gateway.flows import redact as copies
        from gateway.flows.audit_log import head_policy
        from gateway.signing.keys import load_certificate

        shown = copies.open_copy(content, head_policy([load_certificate(pem)]), clock())
        if as_json:
            talk.give_json(dict(shown))
        else:
            talk.table(("path", "value"), [(path, str(value)) for path, value in shown.items()])


@evidence.command("hold")
def hold(
    conversation: Conversation,
    by: By,
    reason: Annotated[str, typer.Option(help="A file number; never a person's name.")],
    config: talk.Config = talk.DEFAULT_CONFIG,
    as_json: talk.Json = False,
) -> None:
    """Keep all documents of a conversation, whatever [retention] says."""
    with talk.failures(as_json), opened(config) as services:
        from gateway.flows import holds as orders

        orders.hold(services, conversation, by, reason)
    talk.say(f"{conversation} is held")


@evidence.command("lift")
def lift(
    conversation: Conversation,
    by: By,
    config: talk.Config = talk.DEFAULT_CONFIG,
    as_json: talk.Json = False,
) -> None:
    """End the hold on a conversation."""
    with talk.failures(as_json), opened(config) as services:
        from gateway.flows import holds as orders

        orders.lift(services, conversation, by)
    talk.say(f"{conversation} is no longer held")


@evidence.command("holds")
def holds(config: talk.Config = talk.DEFAULT_CONFIG, as_json: talk.Json = False) -> None:
    """List the holds that stand."""
    with talk.failures(as_json), opened(config) as services:
        found = services.store.read(lambda tx: tx.legal_holds())
    rows = [(h.conversation_id, h.at.isoformat(timespec="seconds"), h.by, h.reason) for h in found]
    names = ("conversation", "at", "by", "reason")
    if as_json:
        talk.give_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        talk.table(names, rows, whole=("conversation",))


@evidence.command("new-key")
def new_key(
    out: Annotated[Path | None, typer.Option(help="Write a key to this new file.")] = None,
    label: Annotated[str | None, typer.Option(help="Make it in the token of [hsm].")] = None,
    config: talk.Config = talk.DEFAULT_CONFIG,
    as_json: talk.Json = False,
) -> None:
    """Make a key for [[at_rest.key]], in a file or in the token."""
    if (out is None) == (label is None):
        raise typer.BadParameter("--out or --label")
    with talk.failures(as_json):
        from gateway.bootstrap import evidence as parts
        from gateway.bootstrap import randomness

        if out is not None:
            write_wrapping_key(out, randomness(32))
        elif label is not None:
            parts.make_wrapping_key(talk.settings(config).settings, label)
    talk.say("name it in [[at_rest.key]], and keep a copy apart: without it documents are lost")


def write_wrapping_key(file: Path, key: bytes) -> None:
    """Write a key for [[at_rest.key]] that only its owner can read; it never overwrites."""
    try:
        file.touch(mode=0o600, exist_ok=False)
        file.write_text(f"{key.hex()}\n", encoding="ascii")
    except OSError as fault:
        raise typer.BadParameter(f"{file}: {fault.strerror}") from None


@evidence.command("rekey")
def rekey(config: talk.Config = talk.DEFAULT_CONFIG, as_json: talk.Json = False) -> None:
    """Encrypt all payloads with a new data key under the first [[at_rest.key]]."""
    with talk.failures(as_json), opened(config) as services:
        from gateway.flows import prune

        count = prune.rekey(services)
    if as_json:
        talk.give_json({"payloads": count})
    else:
        talk.say(f"{count} payloads are under the new key")


@contextmanager
def opened(config: Path) -> "Iterator[Services]":
    """Open the gateway of a settings file without listeners and worker."""
    from gateway.bootstrap import Gateway

    gateway = Gateway(talk.settings(config).settings, listening=False, working=False)
    try:
        yield gateway.services
    finally:
        gateway.close()


def _head(head: "Head") -> dict[str, Any]:
    return {
        "size": head.size,
        "root": head.root.hex(),
        "at": head.at.isoformat(),
        "timestamp": head.state,
        "stamped at": head.stamped_at.isoformat() if head.stamped_at else "",
    }


def _inclusion(row: int, found: Any) -> dict[str, Any]:
    if found is None:
        return {"row": row, "proof": None}
    path = [value.hex() for value in found.path]
    root = found.root.hex()
    return {
        "row": row,
        "proof": {"index": found.index, "size": found.size, "root": root, "path": path},
    }


def _as_json(flaw: "Flaw") -> dict[str, str]:
    names = ("rule", "place", "found", "expected")
    return {name: getattr(flaw, name) for name in names if getattr(flaw, name)}


def _words(flaw: "Flaw") -> str:
    from gateway import texts

    detail = ", ".join(part for part in (flaw.found, flaw.expected) if part)
    text = texts.sentence(flaw.rule, talk.language())
    return f"{flaw.place}: {text}" + (f" ({detail})" if detail else "")
