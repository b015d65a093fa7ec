"""Our log before the counterpart: offer its newest head to be cosigned.

    1 ask      which heads of ours the counterpart has cosigned
    2 compare  with our log: it lacks what we signed once we were restored from a backup
    3 declare  a restoration: our signed word, and a new epoch
    4 offer    the newest head, with the proof that it continues the one that is known
    5 keep     the head with both signatures

It is asked before it is offered, so a restored side finds out by itself, and never signs
against what it signed before.
"""

from datetime import timedelta

from gateway.errors import CounterpartError, GatewayError
from gateway.evidence.heads import HeadFacts, read_head
from gateway.evidence.ledger import (
    RESTORATION_TYPE,
    AskHead,
    AskHeads,
    AskRestored,
    Restored,
    Sizes,
    TellHead,
    TellHeads,
    TellNoted,
    payload_of,
    read_restored,
    write,
)
from gateway.flows.ports import Transaction
from gateway.flows.ports_ledger import LedgerHead, Restoration
from gateway.flows.ports_log import Head
from gateway.flows.record import step
from gateway.flows.services import Counterpart, Services
from gateway.flows.settle_alarms import RESTORED, TWO_HEADS, attempted, raise_alarm
from gateway.flows.settle_own import own_policy
from gateway.flows.settle_talk import ask, bad_answer, expect, keys_of, stated
from gateway.merkle import consistency, subtree
from gateway.signing.dsse import sign_statement, verify_cosigned
from gateway.signing.trust import Usage

LEASE = timedelta(minutes=2)


def offer_now(services: Services, owner: str) -> int:
    """Offer the newest head, on one node; the worker's chore. Returns 1 when it was cosigned."""
    now = services.clock()
    if not services.store.commit(lambda tx: tx.hold("offer-head", owner, now, now + LEASE)):
        return 0
    return int(attempted("offer-head", lambda: offer_head(services)) == "cosigned")


def offer_head(services: Services) -> str:
    """Have our newest head cosigned; see the steps above.

    Returns what became of it: `cosigned`, `current` (it was), `none` (there is none yet),
    `restored` (declared; a head of the new epoch comes next), `behind` or `conflict` (the
    counterpart has another one). CounterpartError, UnavailableError.
    """
    counterpart = services.counterpart()
    keys_of(services, counterpart)
    told = expect(ask(services, counterpart, AskHeads()), TellHeads)
    newest = _known(services, counterpart, told)
    if newest is not None and not _is_ours(services, newest):
        _declare(services, newest, told)
    if _say_restored(services, counterpart, told.epoch):
        told = expect(ask(services, counterpart, AskHeads()), TellHeads)
        newest = _known(services, counterpart, told)
    return _offer(services, counterpart, newest)


def _known(services: Services, counterpart: Counterpart, told: TellHeads) -> HeadFacts | None:
    """Verify the newest head that the counterpart knows, keep it, and see whether it forgot
    one that it had cosigned."""
    facts = None
    if told.newest is not None:
        facts = _keep(services, counterpart, told.newest)
    ours = services.store.read(lambda tx: tx.ledger_heads(services.name, 1))
    if ours and (facts is None or (facts.epoch, facts.size) < (ours[0].epoch, ours[0].size)):
        detail = {"knows": str(facts.size if facts else 0), "cosigned": str(ours[0].size)}
        subject = f"{ours[0].epoch}/{ours[0].size}"
        raise_alarm(services, RESTORED, counterpart.name, subject, detail)
    return facts


def _keep(services: Services, counterpart: Counterpart, statement: bytes) -> HeadFacts:
    """Verify a head of ours with both signatures, by when it was made, and keep it."""
    _, theirs = keys_of(services, counterpart)
    try:
        facts = read_head(payload_of(statement))
        mine = own_policy(services, counterpart, Usage.HEAD)
        signed = verify_cosigned(statement, mine, facts.at).parties
        cosigned = verify_cosigned(statement, theirs, facts.at).parties
    except GatewayError as failure:
        raise CounterpartError("bad-answer", *failure.findings) from failure
    if facts.log != services.name or not signed or counterpart.name not in cosigned:
        bad_answer("ledger-log", facts.log)
    head = LedgerHead(facts.log, facts.epoch, facts.size, facts.root, facts.at, statement)
    if not services.store.read(lambda tx: tx.ledger_head(head.log, head.epoch, head.size)):
        services.store.commit(lambda tx: tx.keep_head(head))
    return facts


def _is_ours(services: Services, newest: HeadFacts) -> bool:
    """True when our log still has what we signed: the head of this epoch, or one of an epoch
    that ended by our own word."""

    def work(tx: Transaction) -> bool:
        if newest.epoch < tx.epoch(services.name):
            return True
        whole = newest.epoch == tx.epoch(services.name) and newest.size <= tx.log_size()
        return whole and subtree(0, newest.size, tx.log_node) == newest.root

    return services.store.read(work)


def _declare(services: Services, lost: HeadFacts, told: TellHeads) -> None:
    """Sign our word that we were restored. It is a row of the log, too, so that the log grows
    and its next head is of the new epoch."""
    signer, _ = keys_of(services, services.counterpart())
    now = services.clock()

    def kept(tx: Transaction) -> Sizes:
        size = tx.log_size()
        for head in sorted(told.known, key=lambda h: -h.size):
            if 0 < head.size <= size and subtree(0, head.size, tx.log_node).hex() == head.root:
                return head
        return Sizes(0, 0, "")

    sizes = services.store.read(kept)
    lost_sizes = Sizes(lost.epoch, lost.size, lost.root.hex())
    epoch = max(lost.epoch, services.store.read(lambda tx: tx.epoch(services.name))) + 1
    word = Restored(services.name, epoch, stated(now), lost_sizes, sizes)
    statement = sign_statement(RESTORATION_TYPE, write(word), [signer])
    facts = {"epoch": epoch, "lost": lost.size, "kept": sizes.size}
    noted = step(services, "restored", "", now, facts)

    def work(tx: Transaction) -> None:
        if tx.keep_restoration(Restoration(services.name, epoch, now, statement)):
            noted.write(tx)

    services.store.commit(work)
    detail = {"lost": str(lost.size), "kept": str(sizes.size)}
    raise_alarm(services, RESTORED, services.name, f"epoch {epoch}", detail)


def _say_restored(services: Services, counterpart: Counterpart, known: int) -> bool:
    """Tell of the restorations that the counterpart has not noted; True when there were any."""
    words = services.store.read(lambda tx: tx.restorations(services.name))
    unknown = [word for word in words if word.epoch > known]
    for word in reversed(unknown):
        told = expect(ask(services, counterpart, AskRestored(word.statement)), TellNoted)
        if told.code:
            bad_answer("ledger-restoration", told.code)
    return bool(unknown)


def _offer(services: Services, counterpart: Counterpart, newest: HeadFacts | None) -> str:
    """Step 4."""

    def work(tx: Transaction) -> tuple[Head | None, AskHead | None]:
        head = tx.latest_head()
        epoch = tx.epoch(services.name)
        if head is None or read_head(payload_of(head.statement)).epoch != epoch:
            return None, None
        old = _base(services, tx, newest, epoch)
        if head.size <= old:
            return head, None
        path = consistency(old, head.size, tx.log_node) if old else ()
        return head, AskHead(head.statement, old, tuple(each.hex() for each in path))

    head, wanted = services.store.read(work)
    if wanted is None:
        if head is None and services.store.read(lambda tx: tx.epoch(services.name)) > 1:
            return "restored"
        return "none" if head is None else "current"
    told = expect(ask(services, counterpart, wanted), TellHead)
    facts = _keep(services, counterpart, told.head)
    if told.verdict == "cosigned" and head is not None and facts.root == head.root:
        return "cosigned"
    if told.verdict == "conflict":
        raise_alarm(services, TWO_HEADS, services.name, f"{facts.epoch}/{facts.size}")
    return told.verdict


def _base(services: Services, tx: Transaction, newest: HeadFacts | None, epoch: int) -> int:
    """Return the size of the head that the counterpart will compare with."""
    if newest is not None and newest.epoch == epoch:
        return newest.size
    words = tx.restorations(services.name)
    return read_restored(payload_of(words[0].statement)).kept.size if words else 0
