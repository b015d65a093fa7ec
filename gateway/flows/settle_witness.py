"""The counterpart offers a head of its log: we check it against those before, and cosign.

    1 verify     its head key signed it, and it is of its log and epoch
    2 known      the same head gets the stored cosignature; another root is kept as proof
    3 base       the newest head of the epoch, or what a restoration kept
    4 consistent the proof leads from the base to the head; what does not is kept as proof
    5 cosign     sign, store, answer

Of two heads that cannot both stand the first one stands.
"""

from dataclasses import dataclass
from typing import NoReturn

from gateway.errors import Finding, StateError, TrustError
from gateway.evidence.heads import HEAD_TYPE, HeadFacts, read_head
from gateway.evidence.ledger import (
    MOST_HEADS,
    RESTORATION_TYPE,
    AskHead,
    AskRestored,
    Sizes,
    TellHead,
    TellHeads,
    TellNoted,
    cosigned,
    payload_of,
    read_restored,
)
from gateway.evidence.ledger_proof import write_proof
from gateway.flows.ports import Transaction
from gateway.flows.ports_ledger import LedgerHead, Restoration
from gateway.flows.services import Counterpart, Services
from gateway.flows.settle_alarms import BROKEN_HISTORY, RESTORED, TWO_HEADS, raise_alarm
from gateway.flows.settle_talk import keys_of
from gateway.merkle import verify_consistency
from gateway.signing.dsse import verify_cosigned


@dataclass(frozen=True, slots=True)
class Base:
    """What a new head must be consistent with. statement: None where there is none yet."""

    size: int
    root: bytes
    statement: bytes | None


def known_heads(services: Services, counterpart: Counterpart) -> TellHeads:
    """Tell which heads of its log we have cosigned."""

    def work(tx: Transaction) -> TellHeads:
        known = tx.ledger_heads(counterpart.name, MOST_HEADS)
        sizes = tuple(sizes_of(head) for head in known)
        return TellHeads(known[0].statement if known else None, sizes, tx.epoch(counterpart.name))

    return services.store.read(work)


def witness(
    services: Services, counterpart: Counterpart, asked: AskHead, question: bytes
) -> TellHead:
    """Judge a head; see the steps above. question: the signed statement that offers it.

    TrustError, DocumentError (not a head of its log), StateError `precondition-failed` (rules
    `ledger-epoch`, `ledger-base`: it does not know what we know; it asks and comes again).
    """
    signer, heads = keys_of(services, counterpart)
    statement = verify_cosigned(asked.head, heads, services.clock())
    facts = read_head(statement.payload)
    if statement.payload_type != HEAD_TYPE or facts.log != counterpart.name:
        raise TrustError("party-mismatch", Finding("party-mismatch", "ledger-log", found=facts.log))
    same, newest, base = services.store.read(lambda tx: _before(tx, facts))
    if same is not None:
        if same.root == facts.root:
            return TellHead("cosigned", same.statement)
        return _two_heads(services, counterpart, asked.head, same)
    if newest is not None and facts.size < base.size:
        return TellHead("behind", newest.statement)
    if asked.old != base.size:
        _stop("ledger-base", str(base.size))
    if not _leads(base, facts, asked.proof):
        return _broken(services, counterpart, question, asked, base)
    signed = cosigned(asked.head, signer)
    head = LedgerHead(facts.log, facts.epoch, facts.size, facts.root, facts.at, signed)
    services.store.commit(lambda tx: tx.keep_head(head))
    stands = services.store.read(lambda tx: tx.ledger_head(facts.log, facts.epoch, facts.size))
    if stands is None or stands.root != facts.root:
        _stop("ledger-base", str(base.size))
    return TellHead("cosigned", stands.statement)


def _before(tx: Transaction, facts: HeadFacts) -> tuple[LedgerHead | None, LedgerHead | None, Base]:
    """Steps 2 and 3: the head of the same size, the newest one, and the base."""
    if facts.epoch != tx.epoch(facts.log):
        _stop("ledger-epoch", str(tx.epoch(facts.log)))
    same = tx.ledger_head(facts.log, facts.epoch, facts.size)
    newest = next(iter(tx.ledger_heads(facts.log, 1)), None)
    if newest is not None and newest.epoch == facts.epoch:
        return same, newest, Base(newest.size, newest.root, newest.statement)
    restored = next(iter(tx.restorations(facts.log)), None)
    if restored is None:
        return same, newest, Base(0, b"", None)
    kept = read_restored(payload_of(restored.statement)).kept
    head = tx.ledger_head(facts.log, kept.epoch, kept.size)
    return same, newest, Base(kept.size, bytes.fromhex(kept.root), head.statement if head else None)


def _leads(base: Base, facts: HeadFacts, proof: tuple[str, ...]) -> bool:
    if base.size == 0:
        return facts.size > 0
    try:
        path = [bytes.fromhex(each) for each in proof]
    except ValueError:
        return False
    return verify_consistency(base.size, facts.size, base.root, facts.root, path)


def _two_heads(
    services: Services, counterpart: Counterpart, offered: bytes, first: LedgerHead
) -> TellHead:
    subject = f"{first.epoch}/{first.size}"
    proof = write_proof(TWO_HEADS, counterpart.name, subject, first.statement, offered)
    raise_alarm(services, TWO_HEADS, counterpart.name, subject, proof=proof)
    return TellHead("conflict", first.statement)


def _broken(
    services: Services, counterpart: Counterpart, question: bytes, asked: AskHead, base: Base
) -> TellHead:
    """The question itself is the proof: its signer says that this proof leads to this head."""
    first = base.statement or asked.head
    subject = f"{base.size}"
    proof = write_proof(BROKEN_HISTORY, counterpart.name, subject, first, question)
    raise_alarm(services, BROKEN_HISTORY, counterpart.name, subject, proof=proof)
    return TellHead("conflict", first)


def note_restored(services: Services, counterpart: Counterpart, asked: AskRestored) -> TellNoted:
    """The counterpart says that it was restored from a backup: keep its word, and let its log
    begin a new epoch after the head that it kept. It is no accusation, but a person is told.

    What it says it lost must be the newest head that we know: somebody who would rewrite more
    than he says is not believed.
    """
    _, heads = keys_of(services, counterpart)
    statement = verify_cosigned(asked.statement, heads, services.clock())
    word = read_restored(statement.payload)
    if statement.payload_type != RESTORATION_TYPE or word.log != counterpart.name:
        raise TrustError("party-mismatch", Finding("party-mismatch", "ledger-log", found=word.log))

    def work(tx: Transaction) -> str:
        present = tx.epoch(word.log)
        if any(each.epoch == word.epoch for each in tx.restorations(word.log)):
            return ""
        newest = next(iter(tx.ledger_heads(word.log, 1)), None)
        kept = tx.ledger_head(word.log, word.kept.epoch, word.kept.size)
        fits = word.kept.size == 0 or (kept is not None and kept.root.hex() == word.kept.root)
        if newest is None or sizes_of(newest) != word.lost or not fits or word.epoch <= present:
            return "conflict"
        at = services.clock()
        tx.keep_restoration(Restoration(word.log, word.epoch, at, asked.statement))
        return ""

    code = services.store.commit(work)
    if not code:
        detail = {"lost": str(word.lost.size), "kept": str(word.kept.size)}
        raise_alarm(services, RESTORED, word.log, f"epoch {word.epoch}", detail)
    return TellNoted(code)


def sizes_of(head: LedgerHead) -> Sizes:
    """Return a head by what it is over."""
    return Sizes(head.epoch, head.size, head.root.hex())


def _stop(rule: str, expected: str) -> NoReturn:
    finding = Finding("precondition-failed", rule, "head", expected=expected)
    raise StateError("precondition-failed", finding)
