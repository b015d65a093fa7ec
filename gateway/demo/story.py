"""Pass one chapter through both gateways, over the public REST interface, and show it.

1 submit     the documents, as the side's customs system would
2 deliver    until the other side's customs system has what it wants
3 answer     the other side's customs response, if the chapter has one
4 complete   what no document held, stated by the receiving side
5 show       timeline, key fields, reports, statuses
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rich.console import Console

from gateway.api.client import Client
from gateway.api.views import Crossing, MessageSummary
from gateway.codec.formats import Formats
from gateway.codec.merge import merge
from gateway.demo import show
from gateway.demo.chapters import Chapter
from gateway.demo.sides import OTHER
from gateway.demo.subscriber import Subscriber, Taken
from gateway.errors import GatewayError
from gateway.model.manifest import Manifest

PATIENCE = 60.0
"""Seconds that one step may take."""

PAUSE = 0.2
_OPEN = ("queued", "waiting", "accepted")
_MESSAGE_ID = re.compile(rb"<MessageID>([^<]+)</MessageID>")


@dataclass(frozen=True, slots=True)
class Stage:
    """What the chapters play on: a client and a subscriber per side."""

    console: Console
    formats: Formats
    clients: Mapping[str, Client]
    subscribers: Mapping[str, Subscriber]


class StoryError(Exception):
    """A step did not end as the chapter says."""


def tell(stage: Stage, chapter: Chapter) -> str:
    """Play a chapter; return the id of its first link message. StoryError or GatewayError
    says what failed."""
    side = chapter.plan.side
    client, other = stage.clients[side], stage.clients[OTHER[side]]
    for title in chapter.titles:
        stage.console.print(title, style="bold")
    names = ", ".join(name for name, _ in chapter.documents)
    done = client.submit(chapter.documents, parameters=chapter.parameters)
    conversation = client.message(done.messages[-1].id).conversation_id
    stage.console.print(f"  {side} customs handed in {names}: {done.state_text}")
    crossing = _settled(client, conversation)
    theirs = _arrived(other, crossing)
    if chapter.response is not None:
        _respond(stage, chapter.response, other, crossing)
        crossing = _until(
            lambda: client.crossing(conversation), lambda c: bool(c.statuses), "no status came"
        )
        crossing = _settled(client, conversation)
    if chapter.complete is not None:
        other.add_parameters(theirs.conversation_id, chapter.complete)
        theirs = _settled(other, theirs.conversation_id)
    mine = _settled(client, conversation)
    _show(stage, chapter, (client, mine), (other, _fresh(other, theirs)))
    return next(m.id for m in mine.messages if m.kind == "outbound")


def _fresh(client: Client, crossing: Crossing) -> Crossing:
    return _settled(client, crossing.conversation_id)


def _until(ask: Callable[[], Crossing], fits: Callable[[Crossing], bool], failure: str) -> Crossing:
    """Ask until the answer fits."""
    end = time.monotonic() + PATIENCE
    while True:
        crossing = ask()
        if fits(crossing):
            return crossing
        if time.monotonic() > end:
            raise StoryError(failure)
        time.sleep(PAUSE)


def _settled(client: Client, conversation: str) -> Crossing:
    """Wait until nothing of a crossing is under way; refuse what ended badly."""
    crossing = _until(
        lambda: client.crossing(conversation),
        lambda c: all(m.state not in _OPEN for m in c.messages),
        "the crossing did not settle in time",
    )
    for message in crossing.messages:
        if message.state in ("dead", "refused", "expired"):
            raise StoryError(f"{message.document_type}: {message.state_text} ({message.id})")
    return crossing


def _arrived(other: Client, crossing: Crossing) -> Crossing:
    """Find the crossing on the other side by its batch number."""
    sent = {m.document_type for m in crossing.messages if m.kind == "outbound"}
    batch = _key(crossing, "batch")

    def ask() -> Crossing:
        found = other.crossings("batch", batch).crossings
        newest = [c for c in found if sent <= {m.document_type for m in c.messages}]
        return newest[0] if newest else Crossing.model_construct(messages=[], timeline=[])

    arrived = _until(ask, lambda c: bool(c.messages), "the other side did not get the documents")
    return _settled(other, arrived.conversation_id)


def _key(crossing: Crossing, kind: str) -> str:
    found = (k.value for m in crossing.messages for k in m.keys if k.kind == kind)
    value = next(found, None)
    if value is None:
        raise StoryError(f"no {kind} in the crossing")
    return value


def _respond(stage: Stage, template: bytes, other: Client, crossing: Crossing) -> None:
    """The other side's customs answers what its own system took."""
    request = next(m for m in crossing.messages if m.document_type == "cn.mt1401")
    taken = stage.subscribers["cn"].wait_for(lambda t: _is_of(t, request), PATIENCE)
    found = _MESSAGE_ID.search(taken.content)
    if found is None:
        raise StoryError("the manifest has no message id")
    echoed = b"<MessageID>" + found.group(1) + b"</MessageID>"
    other.submit([("response.xml", _MESSAGE_ID.sub(echoed, template, count=1))])
    stage.console.print("  cn customs answered: one waybill accepted, one rejected")


def _is_of(taken: Taken, request: MessageSummary) -> bool:
    batch = next((k.value for k in request.keys if k.kind == "batch"), "")
    return taken.document_type == "cn.mt1401" and f"<ID>{batch}</ID>".encode() in taken.content


def _show(
    stage: Stage, chapter: Chapter, mine: tuple[Client, Crossing], theirs: tuple[Client, Crossing]
) -> None:
    console = stage.console
    side = chapter.plan.side
    show.timeline(console, [(side, mine[1]), (OTHER[side], theirs[1])])
    left = _whole(stage, mine, "submission", "original")
    made = _whole(
        stage, *((theirs, "domestic") if chapter.complete else (mine, "outbound")), "translated"
    )
    if left and made:
        show.side_by_side(console, left, made)
    client, crossing = theirs if chapter.complete else mine
    kind = "domestic" if chapter.complete else "outbound"
    for message in crossing.messages:
        if message.kind == kind and message.document_type != "canonical.manifest":
            _report(console, client, message)
    show.statuses(console, mine[1].statuses)
    console.print()


def _report(console: Console, client: Client, message: MessageSummary) -> None:
    try:
        content = client.document(message.id, "report")
    except GatewayError:
        return
    show.report(console, content)


def _whole(
    stage: Stage, of: tuple[Client, Crossing], kind: str, role: str
) -> tuple[str, Manifest] | None:
    """Decode the documents of a kind from their octets, and put them together: what is shown
    is what the documents say, not what the gateway knows beside them."""
    client, crossing = of
    chosen = [m for m in crossing.messages if m.kind == kind and m.document_type in _MANIFESTS]
    latest = {m.id if kind == "submission" else m.document_type: m for m in chosen}
    documents = [
        stage.formats.decode(m.document_type, client.document(m.id, role)).document
        for m in latest.values()
    ]
    if not documents:
        return None
    names = dict.fromkeys(m.document_type.rpartition(".")[2].upper() for m in latest.values())
    return " + ".join(names), merge(documents).manifest


_MANIFESTS = frozenset(
    {
        "vn.vnaccs.tor",
        "vn.vnaccs.eda",
        "vn.vnaccs.tir",
        "vn.langson.registration",
        "cn.mt1401",
        "cn.mt4401",
        "cn.mt2401",
        "cn.mt4402",
    }
)
