"""What two gateways say to each other about their ledger (exchange profile, XP-LOG, XP-SET).

A question and its answer are DSSE statements by head keys. Binary values are base64, digests
hex. A reader takes exactly what a writer makes: canonical JSON (RFC 8785), known fields only.
"""

import base64
import hashlib
from datetime import datetime
from typing import Any, NoReturn, TypeVar

import msgspec
import rfc8785

from gateway.errors import DocumentError, Finding
from gateway.evidence.ledger_recognition import (
    AskReceipts,
    AskStatements,
    TellReceipts,
    TellStatements,
)
from gateway.evidence.settlement import Mark, Node
from gateway.evidence.strict import Strict
from gateway.signing.dsse import pre_authentication
from gateway.signing.keys import Signer
from gateway.signing.rolling import settled

REQUEST_TYPE = "application/vnd.bilateral-gateway.settlement-request+json"
ANSWER_TYPE = "application/vnd.bilateral-gateway.settlement-answer+json"
RESTORATION_TYPE = "application/vnd.bilateral-gateway.restoration+json"
MOST_DAYS = 31
MOST_HEADS = 100
MOST_IDS = 100


class Sizes(Strict, frozen=True):
    """A head by what it is over. root: hex."""

    epoch: int
    size: int
    root: str


class AskHeads(Strict, frozen=True, tag_field="type", tag="heads"):
    """Which heads of my log have you cosigned?"""


class AskHead(Strict, frozen=True, tag_field="type", tag="head"):
    """Cosign this head. old, proof: consistency with the newest one that you know."""

    head: bytes
    old: int
    proof: tuple[str, ...]


class AskRestored(Strict, frozen=True, tag_field="type", tag="restored"):
    """I was restored from a backup; here is my word on it."""

    statement: bytes


class DayMarks(Strict, frozen=True):
    """A day, as the one who says it has it. sent: messages to the other side; accepted: of it."""

    day: str
    sent: tuple[int, str]
    accepted: tuple[int, str]


class AskDays(Strict, frozen=True, tag_field="type", tag="days"):
    """Compare these days."""

    days: tuple[DayMarks, ...]


class AskNodes(Strict, frozen=True, tag_field="type", tag="nodes"):
    """What have you below these nodes? way: `sent` or `accepted`, as you see it."""

    day: str
    way: str
    prefixes: tuple[str, ...]


class AskFetch(Strict, frozen=True, tag_field="type", tag="fetch"):
    """Give me these messages. way: as you see it."""

    way: str
    ids: tuple[str, ...]


class Kept(Strict, frozen=True):
    """A message as it was signed, and its receipt where there is one."""

    id: str
    wire: bytes
    receipt: bytes | None


class AskReturn(Strict, frozen=True, tag_field="type", tag="return"):
    """You lack this message. way: as I see it: `sent` is mine, `accepted` is yours."""

    way: str
    kept: Kept


Ask = (
    AskHeads
    | AskHead
    | AskRestored
    | AskDays
    | AskNodes
    | AskFetch
    | AskReturn
    | AskStatements
    | AskReceipts
)


class TellHeads(Strict, frozen=True, tag_field="type", tag="heads"):
    """newest: with both signatures. known: the newest ones, the highest epoch first."""

    newest: bytes | None
    known: tuple[Sizes, ...]
    epoch: int


class TellHead(Strict, frozen=True, tag_field="type", tag="head"):
    """verdict: cosigned, behind (there is a larger one), or conflict. head: with both
    signatures: the one that was asked about, or the one that stands against it."""

    verdict: str
    head: bytes


class TellNoted(Strict, frozen=True, tag_field="type", tag="noted"):
    """Done; or, with a code, why not."""

    code: str = ""


class TellDays(Strict, frozen=True, tag_field="type", tag="days"):
    """The same days as the one who answers has them."""

    days: tuple[DayMarks, ...]


class TellNodes(Strict, frozen=True, tag_field="type", tag="nodes"):
    """Each node: its entries (id, digest), or the marks of its children."""

    nodes: tuple[tuple[str, tuple[tuple[str, str], ...], tuple[tuple[int, str], ...]], ...]


class TellKept(Strict, frozen=True, tag_field="type", tag="kept"):
    """found: as many as fit; ask again for the rest. unknown: never heard of."""

    found: tuple[Kept, ...]
    unknown: tuple[str, ...]


Tell = (
    TellHeads
    | TellHead
    | TellNoted
    | TellDays
    | TellNodes
    | TellKept
    | TellStatements
    | TellReceipts
)


class Question(Strict, frozen=True):
    """sender, recipient: parties. id: new for each. at: ISO 8601, UTC."""

    profile: str
    sender: str
    recipient: str
    id: str
    at: str
    ask: Ask


class Reply(Strict, frozen=True):
    """request: hex SHA-256 of the question's payload, which it answers."""

    profile: str
    sender: str
    recipient: str
    request: str
    at: str
    tell: Tell


class Restored(Strict, frozen=True):
    """A side's word that it was restored. epoch: that it begins. lost: the newest head that it
    had signed and no longer has the log of; kept: the newest one that its log still has, size
    0 when there is none."""

    log: str
    epoch: int
    at: str
    lost: Sizes
    kept: Sizes


T = TypeVar("T", Question, Reply, Restored)


def write(value: Question | Reply | Restored) -> bytes:
    """Return the payload of a statement."""
    return rfc8785.dumps(msgspec.to_builtins(value))


def read_question(payload: bytes) -> Question:
    """Read a question. DocumentError `schema-invalid`, rule `settlement-form`."""
    return _read(payload, Question)


def read_reply(payload: bytes) -> Reply:
    """Read a reply; DocumentError as `read_question`."""
    return _read(payload, Reply)


def read_restored(payload: bytes) -> Restored:
    """Read a restoration; DocumentError as `read_question`."""
    return _read(payload, Restored)


def _read(payload: bytes, kind: type[T]) -> T:
    try:
        value = msgspec.json.decode(payload, type=kind)
        same = write(value) == payload
        aware = datetime.fromisoformat(value.at).tzinfo is not None
    except (msgspec.MsgspecError, rfc8785.CanonicalizationError, ValueError, RecursionError):
        _refuse()
    if not same or not aware:
        _refuse()
    return value


def name_of(payload: bytes) -> str:
    """Return the name by which a reply names its question."""
    return hashlib.sha256(payload).hexdigest()


def days_of(day: str, sent: Mark, accepted: Mark) -> DayMarks:
    """Return the marks of a day."""
    return DayMarks(day, (sent.count, sent.digest), (accepted.count, accepted.digest))


def node_as_told(node: Node) -> Any:
    """Return a node as it travels."""
    return node.prefix, node.entries, tuple((c.count, c.digest) for c in node.children)


def node_told(told: Any) -> Node:
    """Return a node that came."""
    prefix, entries, children = told
    return Node(prefix, entries, tuple(Mark(*child) for child in children))


def payload_of(statement: bytes) -> bytes:
    """Return the payload of a DSSE envelope that was verified before. DocumentError
    `schema-invalid` for what is no envelope."""
    return _opened(statement)[1]


def cosigned(statement: bytes, signer: Signer) -> bytes:
    """Return a DSSE envelope with one more signature. UnavailableError when the signer cannot
    sign now; DocumentError `schema-invalid` for what is no envelope."""
    envelope, payload = _opened(statement)
    key = settled(signer)
    value = key.sign(pre_authentication(envelope["payloadType"], payload))
    more = {"keyid": key.key_id, "sig": base64.b64encode(value).decode()}
    return msgspec.json.encode({**envelope, "signatures": [*envelope["signatures"], more]})


def _opened(statement: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        envelope = msgspec.json.decode(statement, type=dict[str, Any])
        payload = base64.b64decode(envelope["payload"], validate=True)
        whole = isinstance(envelope["payloadType"], str) and isinstance(
            envelope["signatures"], list
        )
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError):
        _refuse()
    if not whole:
        _refuse()
    return envelope, payload


def _refuse() -> NoReturn:
    finding = Finding("schema-invalid", "settlement-form", "payload")
    raise DocumentError("schema-invalid", finding)
