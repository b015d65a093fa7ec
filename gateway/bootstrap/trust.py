"""Settings become the rules of trust: authorities, revocation, windows of keys."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.errors import Finding, UnavailableError
from gateway.flows.chores import Chore
from gateway.flows.revocation import StatusDesk
from gateway.flows.services import Services
from gateway.settings.sections import Settings
from gateway.settings.trust import PartyTrust
from gateway.signing.path import Anchors
from gateway.signing.revocation import Mode, Rule
from gateway.signing.trust import PinnedKey, TrustPolicy
from gateway.signing.windows import longest_overlap
from gateway.transport.revocation import HttpStatusSource


def anchors(party: str, stated: PartyTrust) -> Anchors | None:
    """Return the authorities of a party, None without. UnavailableError."""
    if not stated.anchors:
        return None
    roots, intermediates = (_certificates(each) for each in (stated.anchors, stated.intermediates))
    return Anchors(party, roots, intermediates, stated.names)


def rule(stated: PartyTrust) -> Rule:
    """Return how revocation is asked for a party."""
    made = Rule(
        mode=Mode(stated.revocation),
        max_age=stated.max_age,
        crls=stated.crls,
        ocsps=stated.ocsps,
        authority_crls=stated.authority_crls,
        from_certificates=stated.from_certificates,
        fetch=stated.fetch,
    )
    return made if stated.grace is None else replace(made, grace=stated.grace)


def check_windows(place: str, pins: Sequence[PinnedKey], stated: PartyTrust) -> None:
    """Refuse pins of one usage that are good side by side for longer than agreed:
    UnavailableError, rule `pin-overlap`."""
    shared, usage = longest_overlap(pins)
    if shared > stated.overlap:
        found = f"{usage}: {shared.days} days"
        finding = Finding(
            "unavailable", "pin-overlap", place, found, f"at most {stated.overlap.days} days"
        )
        raise UnavailableError("unavailable", finding)


def with_statuses(services: Services, settings: Settings, opened: ExitStack) -> Services:
    """Return the services with what knows the status of certificates, when any party's rule
    asks for one. opened: closes what asks the sources."""
    if all(policy.revocation.mode is Mode.OFF for policy in policies(services)):
        return services
    source = HttpStatusSource(settings.trust.deadline, settings.trust.max_bytes)
    desk = StatusDesk(services.store, opened.enter_context(source), services.clock, services.ids())
    return replace(services, revocation=desk)


def chores(services: Services, settings: Settings) -> list[Chore]:
    """Return the asking of revocation sources off the request path, when any is asked."""
    if services.revocation is None:
        return []
    ask = partial(_refresh, services.revocation, policies(services))
    return [Chore("revocation", settings.trust.refresh, ask)]


def _refresh(desk: StatusDesk, known: list[TrustPolicy]) -> int:
    desk.forget(known)
    return desk.refresh(known)


def policies(services: Services) -> list[TrustPolicy]:
    """Return every policy of every party."""
    found = [(c.messages, c.receipts, c.heads) for c in services.counterparts.values()]
    agencies = [form.policy for agency in services.agencies.values() for form in agency.signed]
    return [policy for three in found for policy in three if policy is not None] + agencies


def _certificates(files: Sequence[Path]) -> tuple[bytes, ...]:
    return tuple(der for file in files for der in _read(file))


def _read(file: Path) -> list[bytes]:
    try:
        found = x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError) as fault:
        finding = Finding("unavailable", "file", str(file), found=type(fault).__name__)
        raise UnavailableError("unavailable", finding) from fault
    return [certificate.public_bytes(Encoding.DER) for certificate in found]
