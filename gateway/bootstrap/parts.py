"""Settings become the parts that flows work with."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

from gateway import resources
from gateway.bootstrap import evidence, packs, timestamps, trust
from gateway.bootstrap.outside import secret
from gateway.bootstrap.signers import signers
from gateway.codec.formats import Formats
from gateway.codec.gates import Gates
from gateway.errors import Finding, UnavailableError
from gateway.evidence.pack import Pack
from gateway.flows.ports import Clock, IdMaker, Link, Randomness, Store
from gateway.flows.retry import Breaker, Schedule
from gateway.flows.routes import Routes
from gateway.flows.services import (
    Agency,
    Counterpart,
    Delivery,
    Limits,
    Services,
    SignedForm,
)
from gateway.settings.agencies import SignedDocuments
from gateway.settings.sections import (
    AgencySection,
    Client,
    CounterpartSection,
    Settings,
    StoreSection,
)
from gateway.signing.algorithms import check_ready
from gateway.signing.keys import fingerprint, load_certificate
from gateway.signing.profiles import profile
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage
from gateway.transport.link import Endpoint
from gateway.transport.tls import Identity

T = TypeVar("T")


def services_of(
    settings: Settings,
    store: Store,
    link: Link,
    *,
    clock: Clock,
    ids: IdMaker,
    randomness: Randomness,
) -> Services:
    """Load keys, tables and registers. UnavailableError, MappingError with all findings."""
    house, ours = settings.gateway, signers(settings, clock)
    today = clock().date()
    mappings = resources.folder("mappings")
    pack = packs.applied(settings, store)
    packs.warn_of_tables(pack)
    counterparts = {n: counterpart(n, each, pack) for n, each in settings.counterpart.items()}
    anchors = tuple(certificate(file) for file in settings.timestamps.anchors)
    return Services(
        side=house.side,
        name=house.name,
        store=store,
        link=link,
        formats=Formats.load(today, mappings),
        gates=Gates.load(mappings, today),
        routes=Routes.load(mappings),
        clock=clock,
        ids=ids,
        randomness=randomness,
        message_signer=ours.message,
        receipt_signer=ours.receipt,
        statement_signer=ours.statement,
        head_signer=ours.head,
        pack_signer=ours.pack,
        counterparts=counterparts,
        agencies={
            n: agency(n, section, demo=house.profile == "demo")
            for n, section in settings.agency.items()
        },
        register=vehicles(settings.registers.vehicles),
        schedule=schedule(settings),
        limits=packs.limited(limits(settings), pack),
        pack=pack,
        test=house.test,
        timestamps=timestamps.authority(settings, link, clock, randomness, anchors),
        timestamp_anchors=anchors,
        pace=evidence.pace(settings),
        sealed_types=settings.evidence.sealed,
        earlier_heads=tuple(certificate(file) for file in settings.evidence.earlier_heads),
    )


def certificate(file: Path) -> bytes:
    """Return the DER of a PEM certificate file. UnavailableError."""
    return _read(file, lambda: load_certificate(file.read_bytes()))


def fingerprints(files: Sequence[Path], stated: Sequence[str]) -> frozenset[str]:
    """Return hex SHA-256 of certificates, of files and as stated."""
    return frozenset([*stated, *(fingerprint(certificate(file)) for file in files)])


def counterpart(name: str, section: CounterpartSection, pack: Pack | None = None) -> Counterpart:
    """Make a counterpart: whom it signs as, what may cross. pack: the one in force.
    UnavailableError, also when its signatures need a library that is not there."""
    pinned = packs.pinned(name, section, pack)
    trust.check_windows(f"counterpart.{name}.pinned", pinned, packs.trust_of(section, pack))
    shape = packs.shape_of(name, section, pack)
    ours = profile(section.sign_as or section.signature, section.legacy_signatures)
    check_ready((*shape.every_method, *ours.every_method))
    authorities, asked = trust.anchors(name, section.trust), trust.rule(section.trust)

    def policy(usage: Usage) -> TrustPolicy:
        return TrustPolicy.of(shape, usage, pinned, authorities, asked)

    return Counterpart(
        name=name,
        destination=name,
        messages=policy(Usage.MESSAGE),
        receipts=policy(Usage.RECEIPT),
        profile=section.profile,
        disclose=section.disclose,
        accept_bare=section.accept_bare,
        sign_as=ours,
        heads=policy(Usage.HEAD) if _pins_heads(pinned) else None,
    )


def _pins_heads(pinned: Sequence[PinnedKey]) -> bool:
    """Without such a key the counterpart has no part in the mutual ledger."""
    return any(pin.usage is Usage.HEAD for pin in pinned)


def agency(name: str, section: AgencySection, *, demo: bool = False) -> Agency:
    """Make an agency: how it is known, what it may submit and signs, where it takes documents.
    demo: keys of the demo may sign."""
    deliver = section.deliver
    return Agency(
        name=name,
        role=section.role,
        formats=section.formats,
        fingerprints=fingerprints(section.certificates, section.fingerprints),
        deliver=Delivery(destination_of(name) if deliver.to else None, deliver.documents)
        if deliver
        else None,
        disclose=section.disclose,
        signed=tuple(signed_form(name, stated, demo=demo) for stated in section.signed),
    )


def signed_form(name: str, stated: SignedDocuments, *, demo: bool) -> SignedForm:
    """Make what is believed of signatures of an agency."""
    pins = [
        PinnedKey(certificate(p.certificate), name, Usage.MESSAGE, p.not_before, p.not_after)
        for p in stated.pinned
    ]
    trust.check_windows(f"agency.{name}.signed.pinned", pins, stated.trust)
    shape = profile(stated.signature, stated.legacy)
    demo = shape.demo or demo
    shape = replace(shape, oldest=stated.oldest, stamped=stated.stamped, demo=demo)
    check_ready(shape.methods)
    authorities, asked = trust.anchors(name, stated.trust), trust.rule(stated.trust)
    policy = TrustPolicy.of(shape, Usage.MESSAGE, pins, authorities, asked)
    return SignedForm(policy, stated.formats)


def destination_of(agency_name: str) -> str:
    """Return the name of an agency's system in the link and in the queue."""
    return f"agency:{agency_name}"


def endpoints(settings: Settings) -> list[Endpoint]:
    """Return where we post to: the counterpart, and the systems of agencies."""
    found = [_endpoint(settings, name, section) for name, section in settings.counterpart.items()]
    for name, section in settings.agency.items():
        if section.deliver and section.deliver.to:
            found.append(_endpoint(settings, destination_of(name), section.deliver.to))
    return found


def _endpoint(settings: Settings, name: str, client: Client) -> Endpoint:
    return Endpoint(
        name=name,
        url=client.url,
        anchors=client.anchors,
        identity=identity(client),
        deadline=settings.worker.deadline,
        max_answer=settings.limits.answer_bytes,
        connections=2 * settings.worker.places,
    )


def identity(client: Client) -> Identity | None:
    """Return who we are to somebody."""
    if client.certificate is None or client.key is None:
        return None
    return Identity(client.certificate, client.key, secret(client.password_file))


def peers(settings: Settings, pack: Pack | None = None) -> Mapping[str, str]:
    """Return which client certificate (hex SHA-256) is which counterpart. pack: in force."""
    return {
        known: name
        for name, section in settings.counterpart.items()
        for known in _clients(name, section, pack)
    }


def _clients(name: str, section: CounterpartSection, pack: Pack | None) -> frozenset[str]:
    if pack is not None and (party := pack.party(name)):
        return packs.clients(party)
    return fingerprints(section.client_certificates, section.fingerprints)


def limits(settings: Settings) -> Limits:
    """Return the bounds of the exchange profile."""
    stated = settings.limits
    return Limits(
        document_bytes=stated.document_bytes,
        uploads=stated.uploads,
        stale_after=stated.stale_after,
        future=stated.future,
        lifetime=stated.lifetime,
        half_waits=stated.half_waits,
        window_days=stated.window_days,
    )


def schedule(settings: Settings) -> Schedule:
    """Return the retry schedule."""
    stated = settings.retry
    return Schedule(
        first=stated.first, longest=stated.longest, jitter=stated.jitter, horizon=stated.horizon
    )


def breaker(settings: Settings) -> Breaker:
    """Return when a destination is left alone."""
    stated = settings.breaker
    return Breaker(threshold=stated.threshold, pause=stated.pause, longest=stated.longest)


def store_url(section: StoreSection) -> str:
    """Return the database URL with its password. UnavailableError when that has no file."""
    password = secret(section.password_file)
    if password is None:
        return section.url
    parts = urlsplit(section.url)
    user, at, host = parts.netloc.rpartition("@")
    signed_in = f"{user.split(':')[0]}:{quote(password.decode(), safe='')}{at}{host}"
    return urlunsplit(parts._replace(netloc=signed_in if at else parts.netloc))


def vehicles(file: Path | None) -> Mapping[str, Mapping[str, str]]:
    """Read the vehicle register: a row for each vehicle, by its filing number."""
    if file is None:
        return {}

    def read() -> Mapping[str, Mapping[str, str]]:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = [{k: v or "" for k, v in row.items() if k} for row in csv.DictReader(lines)]
        return {row["filing"]: row for row in rows}

    return _read(file, read)


def _read(file: Path, read: Callable[[], T]) -> T:
    try:
        return read()
    except (OSError, ValueError, KeyError, csv.Error) as fault:
        finding = Finding("unavailable", "file", str(file), found=type(fault).__name__)
        raise UnavailableError("unavailable", finding) from fault
