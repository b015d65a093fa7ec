"""`gateway doctor`: what is wrong, and what to do about it."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gateway.cli import doctor_ledger, doctor_pack, doctor_timestamps, doctor_trust, talk
from gateway.cli import keys_list as key_files

if TYPE_CHECKING:
    from gateway.settings import Settings
    from gateway.settings.sections import Listen, ListenOperations

SOON = 30
"""Days: a certificate that ends sooner is a warning."""
CLOCK_SECONDS = 30
"""A clock this far from the other side's is a warning; beyond `limits.future` it fails."""


@dataclass(frozen=True, slots=True)
class Line:
    """One check. level: OK, WARN or FAIL. advice: what to do; empty when nothing."""

    check: str
    level: str
    text: str
    advice: str = ""


def doctor(
    config: talk.Config = talk.DEFAULT_CONFIG,
    offline: bool = typer.Option(False, "--offline", help="Do not call the other side."),
    as_json: talk.Json = False,
) -> None:
    """Check settings, keys, store, ports, tables and the other side; exit 1 on a FAIL."""
    lines = list(_lines(config, offline=offline))
    if as_json:
        talk.give_json([asdict(line) for line in lines])
    else:
        shown(lines)
    if any(line.level == "FAIL" for line in lines):
        raise typer.Exit(talk.Exit.REFUSED)


def shown(lines: Sequence[Line]) -> None:
    """Write checks as a table for people."""
    rows = [
        (line.level, line.check, line.text + (f"\n-> {line.advice}" if line.advice else ""))
        for line in lines
    ]
    talk.table(("", "check", "result"), rows, whole=("", "check"))


def _lines(config: Path, *, offline: bool) -> Iterator[Line]:
    from gateway.settings import SettingsError

    try:
        settings = talk.settings(config).settings
    except SettingsError as failure:
        for problem in failure.problems:
            advice = f"correct it in {problem.origin}"
            yield Line("settings", "FAIL", f"{problem.path}: {problem.text}".lstrip(": "), advice)
        return
    yield Line("settings", "OK", f"{config}: side {settings.gateway.side}")
    checks: list[Callable[[Settings], Iterator[Line]]] = [
        _keys, _tls, _certificates, _store, _ports, _tables, _parties,
    ]  # fmt: skip
    for check in checks:
        yield from check(settings)
    yield from (Line("pack", *each) for each in doctor_pack.pack(settings))
    yield from (Line(*each) for each in doctor_trust.told(settings, offline=offline))
    yield from (Line(*each) for each in doctor_ledger.told(settings))
    if not offline:
        yield from (Line(*each) for each in doctor_timestamps.told(settings))
        yield from _other_side(settings)


def _keys(settings: "Settings") -> Iterator[Line]:
    """Our keys load, fit their certificates, sign, and nobody else reads them."""
    from gateway.bootstrap.signers import signer
    from gateway.errors import GatewayError
    from gateway.flows.signers import PROBE

    for name, key in settings.keys.all_of_them().items():
        try:
            loaded = signer(settings, key, None)
            loaded.sign(PROBE)
        except GatewayError as failure:
            yield Line(name, "FAIL", str(failure), "key, certificate and password or PIN file")
            continue
        yield Line(name, "OK", loaded.algorithm.rpartition("#")[2])
        if key.key:
            yield from _private(name, key.key)
    if settings.hsm:
        yield from _private("hsm", settings.hsm.pin_file)


def _tls(settings: "Settings") -> Iterator[Line]:
    """The key of each listener, and those with which we call, load too."""
    from gateway.bootstrap.outside import secret
    from gateway.bootstrap.parts import endpoints
    from gateway.errors import GatewayError
    from gateway.transport.tls import Identity, client_context

    for name, listener in _listeners(settings):
        if not listener.key or not listener.certificate:
            continue
        try:
            password = secret(listener.password_file)
            client_context(listener.anchors, Identity(listener.certificate, listener.key, password))
        except GatewayError as failure:
            yield Line(name, "FAIL", str(failure), "key, certificate, anchors, password file")
            continue
        yield from _private(name, listener.key)
    try:
        for endpoint in endpoints(settings):
            client_context(endpoint.anchors, endpoint.identity)
    except GatewayError as failure:
        yield Line("tls client", "FAIL", str(failure), "key, certificate, anchors, password file")


def _private(check: str, key: Path) -> Iterator[Line]:
    if os.name == "posix" and key.stat().st_mode & 0o077:
        yield Line(check, "WARN", f"{key} can be read by others", f"chmod 600 {key}")


def _certificates(settings: "Settings") -> Iterator[Line]:
    """Every certificate: days left; keys of the demo in production."""
    from gateway.errors import GatewayError

    try:
        for row in key_files.described(settings):
            yield _validity(row["used-as"], row["days-left"], row["from"], row["until"])
            if row["demo"] and settings.gateway.profile == "production":
                yield Line(row["used-as"], "FAIL", "a key of the demo", "gateway keys gen")
    except GatewayError as failure:
        yield Line("certificates", "FAIL", str(failure), "is it a PEM certificate?")


def _validity(used_as: str, days: int, start: str, until: str) -> Line:
    from gateway.bootstrap.outside import clock

    name = f"certificate {used_as}"
    if start > clock().isoformat():
        return Line(name, "FAIL", f"valid only from {start}", "is the clock of this machine right?")
    if days < 0:
        return Line(name, "FAIL", f"ended {until}", "renew it, and tell who pinned it")
    if days < SOON:
        return Line(name, "WARN", f"{days} days left", "renew it, and tell who pins it")
    return Line(name, "OK", f"{days} days left")


def _store(settings: "Settings") -> Iterator[Line]:
    from gateway import store
    from gateway.bootstrap.evidence import vault
    from gateway.bootstrap.parts import store_url
    from gateway.errors import GatewayError

    shown = settings.store.url.rpartition("@")[2]
    try:
        safe = vault(settings)
        with store.open(store_url(settings.store), wait=3.0, vault=safe) as opened:
            opened.check()
            backlog = opened.read(lambda tx: tx.backlog())
    except GatewayError as failure:
        old = any(f.rule == "schema-old" for f in failure.findings)
        if old and settings.store.url.startswith("sqlite:"):
            yield Line("store", "WARN", f"{shown}: {failure}", "`gateway serve` will upgrade it")
        else:
            advice = "is it up? then: gateway db upgrade"
            yield Line("store", "FAIL", f"{shown}: {failure}", advice)
        return
    yield Line("store", "OK", shown)
    if not settings.at_rest.key:
        advice = "gateway evidence new-key, [[at_rest.key]], gateway evidence rekey"
        yield Line("store", "WARN", "payloads lie in clear", advice)
    for destination, (_, _, dead) in backlog.items():
        if dead:
            advice = "gateway message list --state dead; then message resend"
            yield Line("store", "WARN", f"{dead} tasks to {destination} were given up", advice)


def _listeners(settings: "Settings") -> "list[tuple[str, Listen | ListenOperations]]":
    named = (
        ("listen.counterpart", settings.listen.counterpart),
        ("listen.agencies", settings.listen.agencies),
        ("listen.operations", settings.listen.operations),
    )
    return [(name, listener) for name, listener in named if listener is not None]


def _ports(settings: "Settings") -> Iterator[Line]:
    import socket

    for name, listener in _listeners(settings):
        place = f"{listener.host}:{listener.port}"
        family = socket.AF_INET6 if ":" in listener.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind((listener.host, listener.port))
            except OSError as fault:
                advice = "if that is not the gateway itself, choose another port"
                yield Line(name, "WARN", f"{place}: {fault.strerror}", advice)
                continue
        yield Line(name, "OK", f"{place} is free")


def _tables(settings: "Settings") -> Iterator[Line]:
    """The mapping tables load, and the settings name formats that exist."""
    import difflib

    from gateway.cli.offline import tables
    from gateway.errors import GatewayError

    try:
        known = tables().names()
    except GatewayError as failure:
        yield Line("mapping tables", "FAIL", str(failure), "gateway map check")
        return
    yield Line("mapping tables", "OK", f"{len(known)} formats")
    for name, agency in settings.agency.items():
        documents = agency.deliver.documents if agency.deliver else frozenset()
        for unknown in sorted((agency.formats | documents) - set(known)):
            near = difflib.get_close_matches(unknown, known, n=1)
            advice = f"did you mean {near[0]}?" if near else f"known are: {', '.join(known)}"
            yield Line(f"agency.{name}", "FAIL", f"{unknown} is no format", advice)


def _parties(settings: "Settings") -> Iterator[Line]:
    from gateway.bootstrap.parts import agency, counterpart, peers, vehicles
    from gateway.errors import GatewayError

    try:
        for name, section in settings.counterpart.items():
            counterpart(name, section)
        for name, known in settings.agency.items():
            agency(name, known)
        vehicles(settings.registers.vehicles)
        connecting = peers(settings)
    except (GatewayError, ValueError) as failure:
        yield Line("parties", "FAIL", str(failure), "certificates and the vehicle register")
        return
    if not settings.counterpart:
        advice = "follow the three steps in the settings file"
        yield Line("counterpart", "WARN", "no counterpart yet: nothing can be exchanged", advice)
    elif settings.listen.counterpart and not connecting:
        advice = "client_certificates or fingerprints of [counterpart.NAME]"
        yield Line("counterpart", "WARN", "it cannot connect: no certificate is known", advice)


def _other_side(settings: "Settings") -> Iterator[Line]:
    """The counterpart answers, and its clock and ours agree."""
    from gateway.bootstrap.outside import clock
    from gateway.bootstrap.parts import endpoints
    from gateway.errors import GatewayError
    from gateway.transport.probe import probe

    try:
        called = [e for e in endpoints(settings) if e.name in settings.counterpart]
    except GatewayError:
        return  # said already
    for endpoint in called:
        name = f"counterpart {endpoint.name}"
        try:
            found = probe(endpoint, clock)
        except GatewayError as failure:
            cause = failure.findings[0]
            advice = ADVICE.get(cause.rule, "is it up, and the way to it open?")
            yield Line(name, "FAIL", f"{failure.code}: {cause.rule} {cause.found}", advice)
            continue
        yield Line(name, "OK", f"answers (HTTP {found.status})")
        if found.ahead is not None:
            yield clock_line(found.ahead.total_seconds(), settings.limits.future.total_seconds())


ADVICE = {
    "tls-certificate": "are its anchors, our clock and the host name in its certificate right?",
    "tls": "does it know our client certificate?",
    "name-unknown": "is the host name in the url right?",
    "econnrefused": "nothing listens there: is the port right, is it running?",
    "connect": "no answer: is a firewall between?",
}


def clock_line(ahead: float, most: float) -> Line:
    """Judge by how many seconds our clock is ahead of the other side's."""
    text = f"ours is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the other side's"
    if abs(ahead) > most:
        return Line("clock", "FAIL", text, "messages would be refused as future-dated: set up NTP")
    if abs(ahead) > CLOCK_SECONDS:
        return Line("clock", "WARN", text, "set up NTP")
    return Line("clock", "OK", "agrees with the other side's")
