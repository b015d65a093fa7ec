"""Bilateral packs of the settings: read, judged, applied, and made into parts."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog

from gateway import resources
from gateway.bootstrap.signers import certificate, our_profile
from gateway.errors import Finding, TrustError, UnavailableError
from gateway.evidence.pack import Pack, Party, read_pack
from gateway.evidence.pack_seal import InForce, Sides, digest_of, payload, pins, tables
from gateway.flows.packs import in_force
from gateway.flows.ports import Store
from gateway.flows.services import Limits
from gateway.settings.sections import CounterpartSection, Settings
from gateway.settings.trust import PartyTrust
from gateway.signing.keys import fingerprint
from gateway.signing.profiles import DEFAULT, SignatureProfile, profile
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage

log = structlog.get_logger("gateway.pack")

AGREED_TABLES = ("cn.", "gates", "iso.", "un.", "rec20-cn", "rec21-cn")
"""Beginnings of the names of tables and lists that both sides use: those of the formats that
travel on the link. Others are domestic and no part of an agreement."""


def installed() -> dict[str, str]:
    """Return the hex SHA-256 of what is installed: `map:FORMAT/DATE` (its rows and its
    header) and `list:NAME`."""
    folder = resources.folder("mappings")
    found = {
        f"map:{rows.parent.name}/{rows.stem}": _digest(rows, rows.with_suffix(".toml"))
        for rows in sorted(folder.glob("*.*/*.csv"))
    }
    return found | {f"list:{f.stem}": _digest(f) for f in sorted(folder.glob("codes/*.csv"))}


def agreed(names: Mapping[str, str], kind: str) -> dict[str, str]:
    """Return those of a kind (`map:` or `list:`) that belong into a pack."""
    return {
        name.removeprefix(kind): digest
        for name, digest in names.items()
        if name.startswith(kind) and name.removeprefix(kind).startswith(AGREED_TABLES)
    }


def _digest(*files: Path) -> str:
    """Of one file its bytes; of two, each with its length before it."""
    contents = [file.read_bytes() for file in files]
    if len(contents) == 1:
        return hashlib.sha256(contents[0]).hexdigest()
    return hashlib.sha256(b"".join(b"%d:%b" % (len(c), c) for c in contents)).hexdigest()


def differing(pack: Pack) -> list[Finding]:
    """Return the tables that a pack names and that are not so installed."""
    return list(tables(pack, installed()))


def warn_of_tables(pack: Pack | None) -> None:
    """Say at the start that tables are not the ones agreed on: an upgrade brought others."""
    if pack is not None and (names := [finding.path for finding in differing(pack)]):
        log.warning("pack-tables-differ", version=pack.version, tables=names)


def counterpart_of(settings: Settings) -> tuple[str, CounterpartSection]:
    """Return the one counterpart; UnavailableError without one."""
    for found in settings.counterpart.items():
        return found
    raise UnavailableError("unavailable", Finding("unavailable", "no-counterpart", "counterpart"))


def sides(settings: Settings, pack: Pack | None = None) -> Sides:
    """Return whose pack keys are believed: ours, those pinned in the settings, and those of
    the pack in force."""
    name, section = counterpart_of(settings)
    them = [
        PinnedKey(certificate(pin.certificate), name, Usage.PACK, pin.not_before, pin.not_after)
        for pin in section.pinned
        if pin.usage == "pack"
    ]
    us = _our_pack_keys(settings)
    if pack is not None:
        them += _pack_keys(pack, name)
        us += _pack_keys(pack, settings.gateway.name)
    theirs = profile(section.signature, section.legacy_signatures)
    return Sides(
        settings.gateway.name,
        name,
        TrustPolicy.of(our_profile(settings) or DEFAULT, Usage.PACK, us),
        TrustPolicy.of(theirs, Usage.PACK, them),
        demo=settings.gateway.profile == "demo",
    )


def _our_pack_keys(settings: Settings) -> list[PinnedKey]:
    key = settings.keys.pack
    files = [each.certificate for each in (key, key and key.next) if each]
    return [PinnedKey(certificate(file), settings.gateway.name, Usage.PACK) for file in files]


def _pack_keys(pack: Pack, name: str) -> list[PinnedKey]:
    party = pack.party(name)
    found = pins(pack, party) if party else ()
    return [pin for pin in found if pin.usage is Usage.PACK]


def stated(section: CounterpartSection) -> Pack | None:
    """Return what the pack file of a counterpart says, without asking whether it was applied;
    None without one."""
    if section.pack is None or not section.pack.exists():
        return None
    return read_pack(payload(section.pack.read_bytes()))


def applied(settings: Settings, store: Store) -> Pack | None:
    """Return the pack in force; None when the settings name none.

    TrustError `signer-untrusted`, rule `pack-not-applied`: the file is not what `gateway pack
    apply` recorded last. The signatures were verified then: their keys may have ended since.
    """
    for name, section in settings.counterpart.items():
        if section.pack is not None:
            return _recorded(section.pack, store.read(partial(in_force, party=name)))
    return None


def _recorded(file: Path, known: InForce | None) -> Pack:
    try:
        octets = payload(file.read_bytes())
    except OSError as fault:
        finding = Finding("unavailable", "pack-file", str(file), type(fault).__name__)
        raise UnavailableError("unavailable", finding) from fault
    if known is None or digest_of(octets) != known.digest:
        expected = f"version {known.version}" if known else ""
        finding = Finding("signer-untrusted", "pack-not-applied", str(file), "", expected)
        raise TrustError("signer-untrusted", finding)
    return read_pack(octets)


def pinned(name: str, section: CounterpartSection, pack: Pack | None) -> list[PinnedKey]:
    """Return the keys of a counterpart: of the pack in force, else of the settings."""
    party = pack.party(name) if pack else None
    if pack is not None and party is not None:
        return list(pins(pack, party))
    return [
        PinnedKey(
            certificate(pin.certificate), name, Usage(pin.usage), pin.not_before, pin.not_after
        )
        for pin in section.pinned
    ]


def trust_of(section: CounterpartSection, pack: Pack | None) -> PartyTrust:
    """Return the rules beside the pins; how long two pins overlap is agreed in the pack."""
    if pack is None:
        return section.trust
    return section.trust.model_copy(update={"overlap": timedelta(seconds=pack.limits.overlap)})


def shape_of(name: str, section: CounterpartSection, pack: Pack | None) -> SignatureProfile:
    """Return how a counterpart signs."""
    if pack is not None and (party := pack.party(name)):
        return profile(party.signature, party.legacy_signatures)
    return profile(section.signature, section.legacy_signatures)


def clients(party: Party) -> frozenset[str]:
    """Return the fingerprints of the certificates with which a party connects."""
    return frozenset(
        fingerprint(each.octets) for each in party.certificates if each.usage == "tls-client"
    )


def limited(limits: Limits, pack: Pack | None) -> Limits:
    """Return the limits, with those that the pack in force states."""
    if pack is None:
        return limits
    agreed_on = pack.limits
    return replace(
        limits,
        document_bytes=agreed_on.document_bytes,
        stale_after=timedelta(seconds=agreed_on.stale_after),
        future=timedelta(seconds=agreed_on.future),
        lifetime=timedelta(seconds=agreed_on.lifetime),
    )


def write(file: Path, content: bytes) -> None:
    """Put a pack where the settings say, whole or not at all."""
    new = file.with_name(file.name + ".new")
    with new.open("wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())
    new.replace(file)
