"""Sign the report of a document that was made for an agency.

    1 load    the report, and whether it is signed already
    2 sign    a DSSE statement, as the report of a link message has one
    3 store   the statement and its row of evidence

The worker does it, apart from the hand-over: an agency never waits for a key.
"""

from gateway.errors import Finding, StateError
from gateway.flows.attempts import attempt
from gateway.flows.deliver import REPORT_TYPE
from gateway.flows.ports import Task, Transaction
from gateway.flows.record import Paper, step
from gateway.flows.retry import Outcome
from gateway.flows.services import Services
from gateway.signing.dsse import sign_statement


def seal(services: Services, task: Task) -> Outcome:
    """Sign the report of a domestic message; see the steps above. A second run changes
    nothing."""
    return attempt(services, task, _seal)


def _seal(services: Services, task: Task) -> None:
    name = task.message_id
    report, signed = services.store.read(
        lambda tx: (tx.content(name, "report"), tx.content(name, "report-signature"))
    )
    if report is None:
        raise StateError("not-found", Finding("not-found", "message", name))
    if signed is not None:
        return
    statement = sign_statement(REPORT_TYPE, report, [services.statement_signer])
    papers = [Paper("report-signature", statement, "application/json", "report")]
    sealed = step(services, "sealed", name, services.clock(), papers=papers)

    def store(tx: Transaction) -> None:
        if tx.content(name, "report-signature") is None:
            sealed.write(tx)

    services.store.commit(store)
