"""A row of evidence says when each of our keys was first used, and for what.

Keys change by the settings, by a rotation at an agreed instant or by a new token; the log
shows from when on statements of a key are to be expected. The chore looks now and then.
"""

from gateway.flows.ports import Transaction
from gateway.flows.record import step
from gateway.flows.services import Services
from gateway.flows.signers import our_signers
from gateway.signing.rolling import settled


def note_keys(services: Services) -> int:
    """Record the keys that were not used before; return how many. Safe on many nodes."""
    signers = our_signers(services)
    used = {purpose: settled(signer).key_id for purpose, signer in signers.items()}
    known = services.store.read(
        lambda tx: {p for p, key in used.items() if tx.allocated("key-used", f"{p}|{key}")}
    )
    new = {purpose: key for purpose, key in used.items() if purpose not in known}
    if not new:
        return 0
    return services.store.commit(lambda tx: _note(services, tx, new))


def _note(services: Services, tx: Transaction, new: dict[str, str]) -> int:
    count = 0
    for purpose, key in new.items():
        mark = services.ids()
        if tx.allocate("key-used", f"{purpose}|{key}", mark) == mark:
            facts = {"purpose": purpose, "key": key}
            step(services, "key-used", "", services.clock(), facts).write(tx)
            count += 1
    return count
