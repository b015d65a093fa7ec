"""The counterpart tells what it decided, and asks what we did.

1 verify  its receipt is a statement of its head key, on a claim of its side's view
2 decide  the claim anew, from all that is stored here
3 sign    our receipt, a new one where the last said something else
4 compare both are kept with what came of it (gateway.flows.recognise_agree)
"""

from gateway.errors import DocumentError, Finding
from gateway.evidence.ledger import Tell
from gateway.evidence.ledger_recognition import (
    AskReceipts,
    AskStatements,
    Decided,
    TellReceipts,
)
from gateway.flows.recognise import recognition_of
from gateway.flows.recognise_agree import compared, decided_now, opened, our_receipt
from gateway.flows.recognise_statements import told_statements
from gateway.flows.services import Counterpart, Services

MOST_CLAIMS = 20
"""In one question."""


def told(services: Services, counterpart: Counterpart, asked: AskStatements | AskReceipts) -> Tell:
    """Answer a question about statements or receipts. GatewayError; UnavailableError where
    inspection results are not recognised."""
    recognition_of(services)
    if isinstance(asked, AskStatements):
        return told_statements(services, counterpart, asked)
    if len(asked.claims) > MOST_CLAIMS:
        raise DocumentError("too-large", Finding("too-large", "settlement-size"))
    return TellReceipts(tuple(_decided(services, counterpart, each) for each in asked.claims))


def _decided(services: Services, counterpart: Counterpart, theirs: Decided) -> Decided:
    receipt = opened(services, counterpart, theirs.receipt)
    row, gathered = decided_now(services, receipt.claim)
    stored = gathered.stored if gathered else ()
    if row is None:
        return Decided(b"", stored)
    mine = our_receipt(services, row)
    same = set(stored) == set(theirs.digests)
    services.store.commit(lambda tx: compared(services, tx, row, mine, theirs.receipt, same))
    return Decided(mine, stored)
