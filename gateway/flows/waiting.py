"""Sets of halves that wait: parameters that an agency adds later, and deadlines."""

import msgspec

from gateway.codec.merge import merge_parameters
from gateway.errors import DocumentError, Finding, GatewayError
from gateway.flows.gather import advance, meet_again, stated_parameters, vehicle_first
from gateway.flows.ports import Half, Transaction
from gateway.flows.record import Paper, step
from gateway.flows.services import Services
from gateway.model.parameters import Parameters
from gateway.model.states import MessageState

EXPIRED_AT_ONCE = 200
"""Halves that one run of `expire` moves."""


def supplement(
    services: Services, agency: str, conversation_id: str, parameters: Parameters
) -> MessageState:
    """Add parameters to a crossing (a draft that lacks items, a set that waits) and try again.

    What was made before stays; the new documents supersede it in the conversation. A refusal
    leaves its row of evidence and nothing else.
    """
    try:
        return _supplement(services, agency, conversation_id, parameters)
    except GatewayError as failure:
        if not failure.retriable:
            facts = {"agency": agency, "conversation": conversation_id, "code": failure.code}
            refused = step(services, "refused", "", services.clock(), facts)
            services.store.commit(refused.write)
        raise


def _supplement(
    services: Services, agency: str, conversation_id: str, parameters: Parameters
) -> MessageState:
    now = services.clock()

    def work(tx: Transaction) -> MessageState:
        halves = tx.halves_of(conversation_id)
        if not halves:
            missing = Finding("reference-unknown", "crossing", conversation_id)
            raise DocumentError("reference-unknown", missing)
        first = min(halves, key=vehicle_first)
        merged, findings = merge_parameters([parameters, _without(tx, first, parameters)])
        if findings:
            raise DocumentError("rule-broken", *findings)
        stated = msgspec.json.encode(merged)
        step(
            services,
            "supplemented",
            first.message_id,
            now,
            {"agency": agency},
            papers=[Paper("parameters", stated, "application/json")],
            event=("supplemented", {"by": agency}),
        ).write(tx)
        if len(halves) == 1:
            return meet_again(services, tx, first, merged)
        return advance(services, tx, first, "")

    return services.store.commit(work)


def _without(tx: Transaction, half: Half, newer: Parameters) -> Parameters:
    """Return what was stated before, without what the newer parameters state again."""
    empty = Parameters()
    changes = {
        name: getattr(empty, name)
        for name in Parameters.__struct_fields__
        if getattr(newer, name) != getattr(empty, name)
    }
    return msgspec.structs.replace(stated_parameters(tx, half), **changes)


def expire(services: Services) -> int:
    """Mark the halves whose deadline has passed; a late other half opens them again."""
    now = services.clock()

    def work(tx: Transaction) -> int:
        overdue = tx.overdue_halves(now, EXPIRED_AT_ONCE)
        for half in overdue:
            tx.set_half(half.message_id, state="expired", set_id=half.set_id)
            step(
                services,
                "expired",
                half.message_id,
                now,
                state=MessageState.EXPIRED,
                event=("waiting-expired", {}),
            ).write(tx)
        return len(overdue)

    return services.store.commit(work)
