"""Statements on the link: each as its side signed it.

Our side signs what its agencies say with the head key, when it is first sent. A statement that
comes back to us (we were restored from a backup) is proven by our own signature.
"""

from collections.abc import Iterable

from gateway.errors import DocumentError, Finding, GatewayError, TrustError
from gateway.evidence.ledger_recognition import AskStatements, TellStatements
from gateway.flows.ports_recognition import KeptStatement
from gateway.flows.recognise import check_statement, our_side, take
from gateway.flows.recognise_agree import their_side
from gateway.flows.services import Counterpart, Services
from gateway.flows.settle_own import own_policy
from gateway.flows.settle_talk import keys_of
from gateway.flows.standing import standing_of
from gateway.model.evidence import Kind, canonical, digest, read_evidence
from gateway.signing.dsse import payload_of, sign_statement, verify_cosigned
from gateway.signing.trust import Usage

STATEMENT_TYPE = "application/vnd.bilateral-gateway.inspection-evidence+json"
MOST_STATEMENTS = 50
"""Given, or wanted, in one question."""
MOST_OCTETS = 4_000_000
"""Of statements in one question or answer; one is always given."""


def accept(services: Services, counterpart: Counterpart, envelope: bytes) -> str:
    """Take a signed statement in; return its digest. TrustError, DocumentError."""
    kind, payload = payload_of(envelope)
    statement = read_evidence(payload)
    if kind != STATEMENT_TYPE:
        finding = Finding("signature-scope", "payload-type", "", kind[:120], STATEMENT_TYPE)
        raise TrustError("signature-scope", finding)
    if statement.private or canonical(statement) != payload:
        raise DocumentError("schema-invalid", Finding("schema-invalid", "statement-form"))
    returned = statement.side is our_side(services)
    side = our_side(services) if returned else their_side(services)
    _, policy = keys_of(services, counterpart)
    if returned:
        policy = own_policy(services, counterpart, Usage.HEAD)
    verified = verify_cosigned(envelope, policy, services.clock())
    if not returned:
        standing_of(services, policy, verified)
    check_statement(services, statement, side)
    take(services, statement, counterpart.name, envelope)
    return digest(statement)


def signed(services: Services, statements: Iterable[KeptStatement]) -> list[KeptStatement]:
    """Return shared statements with their envelopes, as many as fit; ours are signed now where
    they were not. UnavailableError when we cannot sign."""
    signer, _ = keys_of(services, services.counterpart())
    ready: list[KeptStatement] = []
    room = MOST_OCTETS
    for each in statements:
        envelope = each.envelope
        if each.private or _computed(each) or len(ready) == MOST_STATEMENTS:
            continue
        if envelope is None:
            envelope = sign_statement(STATEMENT_TYPE, each.content, [signer])
            _keep(services, each.digest, envelope)
        room -= len(envelope)
        if ready and room < 0:
            break
        ready.append(_with(each, envelope))
    return ready


def _computed(kept: KeptStatement) -> bool:
    """Return True for what each side computes for itself."""
    return read_evidence(kept.content).kind is Kind.DEADLINE


def _keep(services: Services, name: str, envelope: bytes) -> None:
    services.store.commit(lambda tx: tx.set_envelope(name, envelope))


def _with(kept: KeptStatement, envelope: bytes) -> KeptStatement:
    return KeptStatement(
        kept.digest,
        kept.side,
        kept.party,
        kept.received_at,
        kept.private,
        kept.content,
        envelope,
        kept.delivered_at,
    )


def told_statements(
    services: Services, counterpart: Counterpart, asked: AskStatements
) -> TellStatements:
    """Answer: take what is given, give what is wanted."""
    if max(len(asked.given), len(asked.wanted)) > MOST_STATEMENTS:
        raise DocumentError("too-large", Finding("too-large", "settlement-size"))
    taken = tuple(_taken(services, counterpart, each) for each in asked.given)
    wanted = services.store.read(lambda tx: tx.statements(asked.wanted))
    found = [each.envelope for each in signed(services, wanted) if each.envelope]
    return TellStatements(taken, tuple(found))


def _taken(services: Services, counterpart: Counterpart, envelope: bytes) -> tuple[str, str]:
    """Return the digest and a code: of one that is not taken, as far as it can be read."""
    try:
        return accept(services, counterpart, envelope), ""
    except (DocumentError, TrustError) as failure:
        return _name(envelope), failure.code


def _name(envelope: bytes) -> str:
    try:
        return digest(read_evidence(payload_of(envelope)[1]))
    except GatewayError:
        return ""
