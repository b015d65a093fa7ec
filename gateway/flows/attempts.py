"""One attempt at a task: what its failure means for the message."""

from collections.abc import Callable
from datetime import datetime

from gateway.errors import Finding, GatewayError
from gateway.evidence.rows import SALT_SIZE, row
from gateway.flows import retry
from gateway.flows.ports import Event, Randomness, Task, Transaction
from gateway.flows.record import step
from gateway.flows.retry import Dead, Done, Outcome, Retry
from gateway.flows.services import Services
from gateway.model.states import MessageState


def attempt(services: Services, task: Task, work: Callable[[Services, Task], None]) -> Outcome:
    """Run a step of a task; turn its failure into the next try or the end."""
    try:
        work(services, task)
    except GatewayError as failure:
        outcome = retry.decide(
            failure,
            attempts=task.attempts,
            first_at=task.first_at,
            now=services.clock(),
            chance=retry.fraction(services.randomness),
            schedule=services.schedule,
        )
        _note_failure(services, task, outcome)
        return outcome
    return Done()


def _note_failure(services: Services, task: Task, outcome: Outcome) -> None:
    """Put the failure into the timeline; given up, the message is dead or refused."""
    if isinstance(outcome, Done):
        return
    failure = outcome.error
    now = services.clock()
    detail = {"code": failure.code, "attempt": str(task.attempts + 1)}
    detail |= {f"finding-{n}": _line(f) for n, f in enumerate(failure.findings[:20], 1)}
    if isinstance(outcome, Retry):
        services.store.commit(lambda tx: tx.add_event(task.message_id, Event(now, "retry", detail)))
        return
    refused = failure.code == "refused"
    event = ("refused-by-counterpart" if refused else "dead", detail)
    state = MessageState.REFUSED if refused else MessageState.DEAD
    given_up = step(services, "given-up", task.message_id, now, state=state, event=event)
    services.store.commit(given_up.write)


def _line(finding: Finding) -> str:
    return " ".join(part for part in (finding.code, finding.rule, finding.path) if part)


def note_crash(
    tx: Transaction, task: Task, outcome: Retry | Dead, now: datetime, randomness: Randomness
) -> None:
    """Put a fault of ours into the timeline; the flow itself did not get to it."""
    incident = " ".join(finding.found for finding in outcome.error.findings)
    attempt = str(task.attempts + 1)
    detail = {"code": outcome.error.code, "attempt": attempt, "incident": incident}
    if isinstance(outcome, Retry):
        tx.add_event(task.message_id, Event(now, "retry", detail))
        return
    facts = {
        "message": task.message_id,
        "state": MessageState.DEAD.value,
        "event": {"code": "dead", "detail": detail},
    }
    kept = row("given-up", now, facts, randomness(SALT_SIZE))
    tx.set_state(task.message_id, MessageState.DEAD)
    tx.add_event(task.message_id, Event(now, "dead", detail))
    tx.append_evidence(task.message_id, kept.entry, kept.salt, kept.leaf)
