"""The counterpart asks about the ledger.

1 verify  the question is a statement of the counterpart's head key, not revoked
2 bind    from the counterpart to us, now: an old question is not answered again
3 do      heads, restorations, days, nodes, messages; statements and receipts of recognition
4 sign    the answer names the question
"""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.errors import (
    DocumentError,
    Finding,
    GatewayError,
    TrustError,
    UnavailableError,
)
from gateway.evidence import ledger
from gateway.evidence.ledger import ANSWER_TYPE, REQUEST_TYPE, Kept, Question, Reply, Tell
from gateway.evidence.ledger_recognition import AskReceipts, AskStatements
from gateway.evidence.settlement import DEEPEST, MOST_NODES, Tree
from gateway.flows import recognise_answer, settle_witness
from gateway.flows.ports import Transaction
from gateway.flows.ports_ledger import Day
from gateway.flows.services import PROFILE_VERSION, Counterpart, Services
from gateway.flows.settle_recover import recover_inbound, recover_outbound
from gateway.flows.settle_talk import check_fresh, keys_of, stated
from gateway.flows.standing import standing_of
from gateway.model.states import MessageKind
from gateway.signing.dsse import sign_statement, verify_cosigned

WAYS: Mapping[str, MessageKind] = {"sent": MessageKind.OUTBOUND, "accepted": MessageKind.INBOUND}
MOST_OCTETS = 8_000_000
"""Of messages in one answer; one message is always given."""


def answer(services: Services, peer: str, question: bytes) -> bytes:
    """Answer a question; see the steps above. peer: the counterpart's name, from its TLS
    certificate. GatewayError when it is not answered; UnavailableError when we cannot sign."""
    counterpart = services.counterparts[peer]
    signer, heads = keys_of(services, counterpart)
    now = services.clock()
    statement = verify_cosigned(question, heads, now)
    standing_of(services, heads, statement)
    asked = ledger.read_question(statement.payload)
    _check_parties(services, counterpart, statement.payload_type, asked)
    check_fresh(services, asked.at, now)
    tell = _done(services, counterpart, asked, question)
    request = ledger.name_of(statement.payload)
    reply = Reply(PROFILE_VERSION, services.name, peer, request, stated(services.clock()), tell)
    answered = sign_statement(ANSWER_TYPE, ledger.write(reply), [signer])
    if isinstance(asked.ask, ledger.AskDays) and isinstance(tell, ledger.TellDays):
        keep_days(services, peer, asked.ask, tell, question, answered)
    return answered


def _check_parties(
    services: Services, counterpart: Counterpart, payload_type: str, asked: Question
) -> None:
    found = (asked.sender, asked.recipient, asked.profile, payload_type)
    if found != (counterpart.name, services.name, PROFILE_VERSION, REQUEST_TYPE):
        finding = Finding("party-mismatch", "settlement-binding", "question", " ".join(found)[:200])
        raise TrustError("party-mismatch", finding)


def _done(services: Services, counterpart: Counterpart, asked: Question, signed: bytes) -> Tell:
    """Step 3: about the log, about inspected goods, or about messages."""
    match asked.ask:
        case ledger.AskHeads():
            return settle_witness.known_heads(services, counterpart)
        case ledger.AskHead():
            return settle_witness.witness(services, counterpart, asked.ask, signed)
        case ledger.AskRestored():
            return settle_witness.note_restored(services, counterpart, asked.ask)
        case ledger.AskReturn() | AskStatements() | AskReceipts():
            return _taken(services, counterpart, asked.ask)
        case _:
            return services.store.read(lambda tx: _told(tx, counterpart.name, asked.ask))


def _taken(
    services: Services,
    counterpart: Counterpart,
    asked: ledger.AskReturn | AskStatements | AskReceipts,
) -> Tell:
    """What is given to us: a message, or statements and receipts of recognition."""
    if isinstance(asked, ledger.AskReturn):
        return _returned(services, counterpart, asked.way, asked.kept)
    return recognise_answer.told(services, counterpart, asked)


def _told(tx: Transaction, peer: str, asked: ledger.Ask) -> Tell:
    match asked:
        case ledger.AskDays(days):
            _at_most(len(days), ledger.MOST_DAYS)
            return marks(tx, peer, days)
        case ledger.AskNodes(day, way, prefixes):
            _check_prefixes(prefixes)
            tree = tree_of(tx, _kind(way), peer, day)
            nodes = tuple(ledger.node_as_told(tree.node(each)) for each in prefixes)
            return ledger.TellNodes(nodes)
        case ledger.AskFetch(way, ids):
            _at_most(len(ids), ledger.MOST_IDS)
            return _fetched(tx, peer, way, ids)
        case _:
            raise DocumentError("schema-invalid", Finding("schema-invalid", "settlement-form"))


def tree_of(tx: Transaction, kind: MessageKind, peer: str, day: str) -> Tree:
    """Return the messages of a day and direction as a tree."""
    return Tree([(entry.message_id, entry.digest) for entry in tx.entries(kind, peer, day)])


def marks(tx: Transaction, peer: str, days: tuple[ledger.DayMarks, ...]) -> ledger.TellDays:
    """Return the marks of these days as we have them."""

    def mark(day: str, kind: MessageKind) -> Any:
        return tree_of(tx, kind, peer, day).mark()

    return ledger.TellDays(
        tuple(
            ledger.days_of(
                each.day, mark(each.day, MessageKind.OUTBOUND), mark(each.day, MessageKind.INBOUND)
            )
            for each in days
        )
    )


def keep_days(
    services: Services,
    peer: str,
    ask: ledger.AskDays,
    tell: ledger.TellDays,
    asked: bytes,
    answered: bytes,
) -> None:
    """Store how the days compare: both sides keep both statements."""
    now = services.clock()

    def work(tx: Transaction) -> None:
        for theirs, ours in zip(ask.days, tell.days, strict=True):
            if theirs.sent[0] or theirs.accepted[0] or ours.sent[0] or ours.accepted[0]:
                agreed = agree(theirs, ours)
                tx.keep_day(Day(peer, theirs.day, now, agreed, asked, answered))

    services.store.commit(work)


def agree(one: ledger.DayMarks, other: ledger.DayMarks) -> bool:
    """True when what one side sent is what the other accepted, both ways."""
    return one.sent == other.accepted and one.accepted == other.sent


def _fetched(tx: Transaction, peer: str, way: str, ids: tuple[str, ...]) -> ledger.TellKept:
    found: list[Kept] = []
    unknown: list[str] = []
    room = MOST_OCTETS
    for name in ids:
        message = tx.known(_kind(way), peer, name)
        if message is None:
            unknown.append(name)
            continue
        wire, receipt = tx.content(message.id, "wire"), tx.content(message.id, "receipt")
        room -= len(wire or b"")
        if wire is not None and (room > 0 or not found):
            found.append(Kept(name, wire, receipt))
    return ledger.TellKept(tuple(found), tuple(unknown))


def _returned(services: Services, counterpart: Counterpart, way: str, kept: Kept) -> Tell:
    """What the counterpart sent, we accept; what it accepted, we sent. A refusal is told."""
    recover: Callable[[Services, Counterpart, Kept], None]
    recover = recover_inbound if _kind(way) is MessageKind.OUTBOUND else recover_outbound
    try:
        recover(services, counterpart, kept)
    except UnavailableError:
        raise
    except GatewayError as failure:
        return ledger.TellNoted(failure.code)
    return ledger.TellNoted()


def _kind(way: str) -> MessageKind:
    if way not in WAYS:
        raise DocumentError("schema-invalid", Finding("schema-invalid", "settlement-form", "way"))
    return WAYS[way]


def _check_prefixes(prefixes: tuple[str, ...]) -> None:
    _at_most(len(prefixes), MOST_NODES)
    if any(len(each) > DEEPEST or each.strip("0123456789abcdef") for each in prefixes):
        finding = Finding("schema-invalid", "settlement-form", "prefixes")
        raise DocumentError("schema-invalid", finding)


def _at_most(count: int, most: int) -> None:
    if count > most:
        finding = Finding("too-large", "settlement-size", "ask", str(count), str(most))
        raise DocumentError("too-large", finding)
