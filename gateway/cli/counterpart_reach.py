"""`gateway counterpart test`: each step of the way to the other side, and what to do."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli import talk
from gateway.cli.doctor import ADVICE, Line, clock_line, shown

if TYPE_CHECKING:
    from gateway.flows.services import Counterpart
    from gateway.settings import Settings
    from gateway.transport.checkup import Answered
    from gateway.transport.link import Endpoint


def reach(
    name: Annotated[str, typer.Argument(help="Its party id; else the one there is.")] = "",
    config: talk.Config = talk.DEFAULT_CONFIG,
    as_json: talk.Json = False,
) -> None:
    """Check the way to the other side: name, port, TLS both ways, clock, and what it answers.

    It posts something that is no message: the other side refuses it, and notes that it did.
    """
    with talk.failures(as_json):
        settings = talk.settings(config).settings
        known = name or next(iter(settings.counterpart), "")
        if known not in settings.counterpart:
            raise typer.BadParameter(f"the settings have no [counterpart.{known}]")
        lines = list(_lines(settings, known))
    if as_json:
        talk.give_json([asdict(line) for line in lines])
    else:
        shown(lines)
    if any(line.level == "FAIL" for line in lines):
        raise typer.Exit(talk.Exit.REFUSED)


def _lines(settings: "Settings", name: str) -> Iterator[Line]:
    """Go on for as long as the next step can tell anything."""
    from gateway.bootstrap import packs
    from gateway.bootstrap.parts import counterpart, endpoints
    from gateway.errors import GatewayError

    section = settings.counterpart[name]
    endpoint = next(each for each in endpoints(settings) if each.name == name)
    party = counterpart(name, section, packs.stated(section))
    steps: list[Callable[[], Iterator[Line]]] = [
        lambda: _name(endpoint),
        lambda: _port(endpoint),
        lambda: _tls(endpoint),
        lambda: _clock(settings, endpoint),
        lambda: _exchange(endpoint, party),
    ]
    for step in steps:
        try:
            yield from step()
        except GatewayError as failure:
            cause = failure.findings[0]
            advice = ADVICE.get(cause.rule, "is it up, and the way to it open?")
            text = f"{failure.code}: {cause.rule} {cause.found}".rstrip()
            yield Line(f"counterpart {name}", "FAIL", text, advice)
            break
    yield from _to_us(settings, name)


def _name(endpoint: "Endpoint") -> Iterator[Line]:
    from gateway.transport.checkup import addresses, place_of

    yield Line("name", "OK", f"{place_of(endpoint)[0]}: {', '.join(addresses(endpoint))}")


def _port(endpoint: "Endpoint") -> Iterator[Line]:
    from gateway.transport.checkup import connected, place_of

    connected(endpoint)
    yield Line("port", "OK", f"{place_of(endpoint)[1]} takes connections")


def _tls(endpoint: "Endpoint") -> Iterator[Line]:
    from cryptography import x509

    from gateway.bootstrap.outside import clock
    from gateway.signing.keys import fingerprint
    from gateway.transport.checkup import shaken

    done = shaken(endpoint)
    yield Line("TLS", "OK", f"{done.version} {done.cipher}")
    read = x509.load_der_x509_certificate(done.certificate)
    days = (read.not_valid_after_utc - clock()).days
    text = f"{fingerprint(done.certificate)[:32]}, {days} days left"
    if days < 30:
        yield Line("its certificate", "WARN", text, "tell the other side to renew it")
    else:
        yield Line("its certificate", "OK", text)


def _clock(settings: "Settings", endpoint: "Endpoint") -> Iterator[Line]:
    from gateway.bootstrap.outside import clock
    from gateway.transport.probe import probe

    found = probe(endpoint, clock)
    yield Line("our certificate", "OK", f"it lets us in (HTTP {found.status})")
    if found.ahead is None:
        yield Line("clock", "WARN", "it does not say its time")
    else:
        yield clock_line(found.ahead.total_seconds(), settings.limits.future.total_seconds())


def _exchange(endpoint: "Endpoint", party: "Counterpart") -> Iterator[Line]:
    from gateway.transport.checkup import answered

    found = answered(endpoint)
    if found.media_type == "application/problem+json":
        yield _unsigned(found)
    else:
        yield _refusal(found, party)


def _unsigned(found: "Answered") -> Line:
    if found.status in (401, 403):
        advice = "it does not know our client certificate: give it our announcement"
        return Line("exchange", "FAIL", f"HTTP {found.status}: we are nobody to it", advice)
    if found.status == 503:
        advice = "it cannot sign, or its store is down: call its operator"
        return Line("exchange", "WARN", "it is unavailable now", advice)
    return Line("exchange", "FAIL", f"HTTP {found.status}, unsigned", "is the url the link's?")


def _refusal(found: "Answered", party: "Counterpart") -> Line:
    from gateway.bootstrap.outside import clock
    from gateway.codec.exchange import kind_of
    from gateway.errors import GatewayError
    from gateway.safexml import parse
    from gateway.signing.verify import verify_document

    try:
        verified = verify_document(parse(found.body), party.receipts, clock())
    except GatewayError as failure:
        cause = failure.findings[0].rule if failure.findings else failure.code
        advice = "is its receipt key pinned, and our signature profile for it right?"
        return Line("exchange", "FAIL", f"HTTP {found.status}: {failure.code} {cause}", advice)
    if kind_of(verified.element) != "Refusal":
        return Line("exchange", "FAIL", "it took what is no message", "tell the other side")
    return Line("exchange", "OK", "it refused what is no message, signed with its receipt key")


def _to_us(settings: "Settings", name: str) -> Iterator[Line]:
    """The other way round, as far as files can tell: our listener would let it in."""
    from gateway.bootstrap.parts import certificate
    from gateway.bootstrap.tls_clients import let_in

    listener = settings.listen.counterpart
    if listener is None:
        advice = "take the comment signs away from [listen.counterpart]"
        yield Line("its way to us", "WARN", "we do not listen for it", advice)
        return
    files = settings.counterpart[name].client_certificates
    if not files:
        yield Line("its way to us", "WARN", "only fingerprints are known, no certificate")
    for file in files:
        problem = let_in(certificate(file), listener.anchors)
        advice = "is its authority in the anchors of [listen.counterpart]?"
        level, text = ("FAIL", problem) if problem else ("OK", "our listener lets it in")
        yield Line("its way to us", level, text, advice if problem else "")
