"""What doctor says of authorities, paths and revocation."""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.flows.ports_revocation import KeptStatus
    from gateway.settings import Settings
    from gateway.settings.trust import PartyTrust
    from gateway.signing.path import Anchors
    from gateway.signing.revocation_sources import Wanted
    from gateway.signing.trust import TrustPolicy

Told = tuple[str, str, str, str]
"""check, level (OK, WARN, FAIL), text, advice."""

SOON = 30
"""Days: an authority that ends sooner is a warning."""


def told(settings: "Settings", *, offline: bool) -> Iterator[Told]:
    """Check the authorities of each party, the path of each pin, and the age of what the
    revocation sources said; without `offline` a source that never answered is asked."""
    from gateway.errors import GatewayError

    for name, stated, policies in _parties(settings):
        yield from _authorities(name, stated)
        for policy in policies:
            yield from _paths(name, policy)
    try:
        yield from _sources(settings, offline=offline)
    except GatewayError as failure:
        yield "revocation", "WARN", str(failure), "the store has the answers: see its line"


def _parties(settings: "Settings") -> "Iterator[tuple[str, PartyTrust, list[TrustPolicy]]]":
    """Yield what can be made of the settings; what cannot is in another line of doctor."""
    from gateway.bootstrap.parts import agency, counterpart
    from gateway.errors import GatewayError

    for name, section in settings.counterpart.items():
        try:
            made = counterpart(name, section)
        except (GatewayError, ValueError):
            continue
        yield f"trust {name}", section.trust, [made.messages, made.receipts]
    for name, known in settings.agency.items():
        try:
            forms = agency(name, known, demo=True).signed
        except (GatewayError, ValueError):
            continue
        for stated, form in zip(known.signed, forms, strict=True):
            yield f"trust {name}", stated.trust, [form.policy]


def _authorities(name: str, stated: "PartyTrust") -> Iterator[Told]:
    from cryptography import x509

    from gateway.bootstrap.outside import clock
    from gateway.bootstrap.trust import anchors

    if stated.revocation == "off":
        text = "revocation is off: to revoke a certificate, take its pin away"
        yield name, "OK", text, ""
    found: Anchors | None = anchors(name, stated)
    for der in (*found.roots, *found.intermediates) if found else ():
        ends = x509.load_der_x509_certificate(der).not_valid_after_utc
        left = (ends - clock()).days
        if left < SOON:
            level = "FAIL" if left < 0 else "WARN"
            text = f"an authority ends {ends.date()} ({left} days left)"
            yield name, level, text, "get its next certificate into anchors or intermediates"


def _paths(name: str, policy: "TrustPolicy") -> Iterator[Told]:
    """A pin is good without a path, but then nobody can be asked whether it was revoked."""
    from gateway.errors import TrustError
    from gateway.signing.path import find_path
    from gateway.signing.revocation import Mode

    if policy.anchors is None:
        return
    for key in policy.pinned_keys():
        check = f"{name} {policy.usage}"
        try:
            find_path(key.chain[0], policy.anchors)
        except TrustError as failure:
            level = "WARN" if policy.revocation.mode is Mode.OFF else "FAIL"
            text = f"{key.fingerprint[:16]}: no path to its anchors: {failure.findings[0].rule}"
            yield check, level, text, "are its authorities in anchors and intermediates?"
        else:
            yield (
                check,
                "OK",
                f"{key.fingerprint[:16]}: a path of {len(key.chain)} certificates",
                "",
            )


def _sources(settings: "Settings", *, offline: bool) -> Iterator[Told]:
    from gateway import store
    from gateway.bootstrap import evidence
    from gateway.bootstrap.outside import clock
    from gateway.bootstrap.parts import store_url

    wanted = _wanted(settings)
    if not wanted:
        return
    url = store_url(settings.store)
    with store.open(url, wait=3.0, vault=evidence.vault(settings)) as opened:
        kept = {_place(row.wanted): row for row in opened.read(lambda tx: tx.all_statuses())}
    for each in wanted:
        row = kept.get(_place(each))
        if row is None or not row.digest:
            yield _unheard(settings, each, row, offline=offline)
        else:
            yield _heard(row, clock())


def _wanted(settings: "Settings") -> "list[Wanted]":
    from gateway.signing.revocation import Mode
    from gateway.signing.revocation_sources import sources

    found = {
        _place(each): each
        for _, _, policies in _parties(settings)
        for policy in policies
        if policy.revocation.mode is not Mode.OFF
        for chain in _chains(policy)
        for each in sources(chain, policy.revocation)
    }
    return list(found.values())


def _chains(policy: "TrustPolicy") -> Iterator[tuple[bytes, ...]]:
    """Yield the paths of the pins; of a party that is known by names alone there is none yet."""
    for key in policy.pinned_keys():
        if any(pairwise(key.chain)):
            yield key.chain


def _place(wanted: "Wanted") -> tuple[str, str, str]:
    return wanted.kind.value, wanted.subject, wanted.url


def _unheard(
    settings: "Settings", wanted: "Wanted", row: "KeptStatus | None", *, offline: bool
) -> Told:
    from gateway.bootstrap.outside import clock
    from gateway.errors import GatewayError
    from gateway.flows.revocation_answers import verified_answer
    from gateway.transport.revocation import HttpStatusSource

    name = f"{wanted.kind} {wanted.url}"
    if offline:
        last = f": {row.error}" if row and row.error else ""
        return name, "WARN", f"has not answered yet{last}", "gateway doctor, without --offline"
    trust = settings.trust
    with HttpStatusSource(trust.deadline, trust.max_bytes) as source:
        try:
            answer = verified_answer(wanted, source.ask(wanted), clock())
        except GatewayError as failure:
            cause = failure.findings[0]
            text = f"{failure.code}: {cause.rule} {cause.found}".rstrip()
            return name, "FAIL", text, "is the URL right, and the way to it open?"
    return _heard(answer, clock())


def _heard(row: "KeptStatus", now: datetime) -> Told:
    name = f"{row.wanted.kind} {row.wanted.url}"
    age = now - row.this_update if row.this_update else None
    text = f"made {age.total_seconds() / 3600:.1f} hours ago" if age is not None else "undated"
    if row.next_update is not None and row.next_update < now:
        text = f"{text}, its successor was due {row.next_update:%Y-%m-%d %H:%M} UTC"
        return name, "FAIL", f"{text} {row.error}".rstrip(), "call the authority"
    if row.error:
        return (
            name,
            "WARN",
            f"{text}; the last try failed: {row.error}",
            "watch it; call the authority",
        )
    return name, "OK", text, ""
