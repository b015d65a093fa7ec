"""Who is who in a message: the envelope's sender, the signer and the TLS client are one party,
and we are the recipient."""

from gateway.codec.envelope import Envelope
from gateway.errors import DocumentError, Finding, TrustError
from gateway.flows.services import PROFILE_VERSION, Counterpart, Services


def check_parties(
    services: Services, counterpart: Counterpart, signer: str, stated: Envelope
) -> None:
    """Bind a verified message to its parties and to this gateway.

    counterpart: whose TLS client certificate it came by. signer: the party of the signing key.
    TrustError `party-mismatch` (rule `sender`; what was found names all three), DocumentError
    `wrong-recipient`, `version-unsupported`, `rule-broken` (rule `test-indicator`).
    """
    if not stated.sender == signer == counterpart.name:
        found = f"sender {stated.sender}, signer {signer}, TLS client {counterpart.name}"
        finding = Finding("party-mismatch", "sender", "Envelope/From", found, "one party")
        raise TrustError("party-mismatch", finding)
    _same("wrong-recipient", "recipient", "To", stated.recipient, services.name)
    _same(
        "version-unsupported",
        "profile-version",
        "ProfileVersion",
        stated.profile_version,
        PROFILE_VERSION,
    )
    _same("rule-broken", "test-indicator", "TestIndicator", str(stated.test), str(services.test))


def _same(code: str, rule: str, element: str, found: str, expected: str) -> None:
    if found != expected:
        raise DocumentError(code, Finding(code, rule, f"Envelope/{element}", found, expected))
