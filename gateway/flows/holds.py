"""Legal holds: nothing of a held conversation is pruned.

An order is kept as a row of evidence and as a row that pruning looks at; the audit holds the
two together. When a message of a held conversation moves to another one, that one is held too.
"""

from gateway.errors import Finding, StateError
from gateway.flows.ports import Transaction
from gateway.flows.ports_log import LegalHold
from gateway.flows.record import step
from gateway.flows.services import Services


def hold(services: Services, conversation_id: str, by: str, reason: str) -> None:
    """Keep all documents of a conversation. StateError `not-found` for an unknown one."""
    now = services.clock()
    facts = {"conversation": conversation_id, "by": by, "reason": reason}
    held = step(services, "held", "", now, facts)

    def work(tx: Transaction) -> None:
        if not tx.conversation(conversation_id):
            raise StateError("not-found", Finding("not-found", "crossing", conversation_id))
        tx.put_legal_hold(LegalHold(conversation_id, now, by, reason))
        held.write(tx)

    services.store.commit(work)


def lift(services: Services, conversation_id: str, by: str) -> None:
    """End a hold. StateError `not-found` when there is none."""
    facts = {"conversation": conversation_id, "by": by}
    lifted = step(services, "hold-lifted", "", services.clock(), facts)

    def work(tx: Transaction) -> None:
        if not tx.lift_legal_hold(conversation_id):
            raise StateError("not-found", Finding("not-found", "legal-hold", conversation_id))
        lifted.write(tx)

    services.store.commit(work)


def follow(services: Services, tx: Transaction, old: str, new: str) -> None:
    """Hold a conversation into which a message of a held one moves, by the same order."""
    held = {each.conversation_id: each for each in tx.legal_holds()}
    if old not in held or new in held:
        return
    now, order = services.clock(), held[old]
    facts = {"conversation": new, "by": order.by, "reason": order.reason, "from": old}
    tx.put_legal_hold(LegalHold(new, now, order.by, order.reason))
    step(services, "held", "", now, facts).write(tx)
