"""Checks of what the target sent to the simulated partner, and of what its queries say."""

import re
from collections.abc import Callable, Mapping
from itertools import pairwise

from lxml import etree

from conformance.crypto.second import second_opinion
from conformance.crypto.trees import parse
from conformance.crypto.verify import verify
from conformance.engine.building import Bench
from conformance.engine.case import Verify
from conformance.engine.results import FailedError
from conformance.engine.watching import Watch
from conformance.partner.server import Arrival, said
from conformance.wire import schemas
from conformance.wire.instants import read

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


def _groups(bench: Bench, step: Verify) -> list[list[Arrival]]:
    """Return what came whole, apart by document type."""
    watch: Watch = bench.watch
    groups = [[a for a in group if a.complete] for group in watch.by_type(step.of)]
    if not any(groups):
        raise FailedError("nothing came")
    return [group for group in groups if group]


def _arrivals(bench: Bench, step: Verify) -> list[Arrival]:
    return [arrival for group in _groups(bench, step) for arrival in group]


def same_octets(bench: Bench, step: Verify) -> None:
    """Every attempt sent the same octets (XP-RTY-001)."""
    for group in _groups(bench, step):
        if len({arrival.body for arrival in group}) != 1:
            raise FailedError("the attempts differ")


def attempts(bench: Bench, step: Verify) -> None:
    """There were exactly `count` attempts of each message."""
    for group in _groups(bench, step):
        if len(group) != step.count:
            raise FailedError(f"{len(group)} attempts, expected {step.count}")


def pauses_grow(bench: Bench, step: Verify) -> None:
    """The pauses between attempts are no shorter than half of the declared schedule
    (XP-RTY-003)."""
    limits = bench.session.target.limits
    for group in _groups(bench, step):
        for number, (one, next_) in enumerate(pairwise(group)):
            least = min(limits.first * 2**number, limits.longest) / 2
            if next_.at - one.at < least * 0.9:
                pause = f"{next_.at - one.at:.2f} s"
                raise FailedError(f"pause {number + 1} is {pause}, least {least:g} s")


def pause_at_least(bench: Bench, step: Verify) -> None:
    """The first pause is at least so many seconds (`within`; XP-RTY-004)."""
    found = _groups(bench, step)[0]
    pause = found[1].at - found[0].at if len(found) > 1 else 0.0
    if pause < float(step.within):
        raise FailedError(f"it came again after {pause:.2f} s, asked for {step.within}")


def state(bench: Bench, step: Verify) -> None:
    """The target's query says one of `codes`."""
    found = bench.watch.states.get(step.of, "")
    if found not in step.codes:
        raise FailedError(f"the target says `{found}`, expected {' or '.join(step.codes)}")


def not_state(bench: Bench, step: Verify) -> None:
    """The target's query says none of `codes`."""
    found = bench.watch.states.get(step.of, "")
    if found in step.codes:
        raise FailedError(f"the target says `{found}`")


def nothing_sent(bench: Bench, step: Verify) -> None:
    """No octet of a message reached the partner."""
    watch: Watch = bench.watch
    if watch.partner.arrivals:
        raise FailedError(f"{len(watch.partner.arrivals)} requests came")


def sent_valid(bench: Bench, step: Verify) -> None:
    """What came is valid against the schemas of the exchange and of its document
    (XP-ENV-018)."""
    for arrival in _arrivals(bench, step):
        root = parse(arrival.body)
        found = schemas.problems(schemas.exchange(), root)
        kind, body = said(arrival, "DocumentType"), root[1][0]
        if kind in schemas.DOCUMENTS and etree.QName(body).localname != "Opaque":
            alone = parse(etree.tostring(body, with_tail=False))
            found += schemas.problems(schemas.document(kind), alone)
        if found:
            raise FailedError(found[0])


def sent_signed(bench: Bench, step: Verify) -> None:
    """What came is signed with a pinned message key (XP-SIG-001)."""
    session = bench.session
    for arrival in _arrivals(bench, step):
        judged = verify(parse(arrival.body), session.message_pins, "message", session.now())
        if judged.code:
            raise FailedError(f"{judged.code} ({judged.reason})")


def in_order(bench: Bench, step: Verify) -> None:
    """Messages of one order key came by their `Sequence` (XP-ORD-001)."""
    watch: Watch = bench.watch
    settled = {0}
    for arrival in watch.of(step.of):
        number = int(said(arrival, "Sequence") or 0)
        if number - 1 not in settled:
            raise FailedError(f"message {number} came before {number - 1} had its receipt")
        if arrival.behaviour == "ok":
            settled.add(number)


def sent_signed_xmlsec(bench: Bench, step: Verify) -> None:
    """A second implementation, python-xmlsec, verifies what came, with the key of the pinned
    certificate that it carries."""
    for arrival in _arrivals(bench, step):
        if why := second_opinion(arrival.body, bench.session.message_pins):
            raise FailedError(f"python-xmlsec: {why}")


def one_address(bench: Bench, step: Verify) -> None:
    """Every request went to the agreed address, none where a redirect pointed."""
    watch: Watch = bench.watch
    targets = {arrival.target for arrival in watch.partner.arrivals}
    if len(targets) != 1:
        raise FailedError(f"requests went to {', '.join(sorted(targets))}")


def ids_unique(bench: Bench, step: Verify) -> None:
    """Messages that differ have ids that differ, a retry keeps its id, and ids keep the
    syntax (XP-ENV-003, XP-RTY-001)."""
    watch: Watch = bench.watch
    bodies: dict[str, set[bytes]] = {}
    ids: dict[tuple[str, ...], set[str]] = {}
    for arrival in watch.partner.arrivals:
        name = said(arrival, "MessageID")
        bodies.setdefault(name, set()).add(arrival.body)
        document = tuple(said(arrival, n) for n in ("OrderKey", "DocumentType", "Sequence"))
        ids.setdefault(document, set()).add(name)
    for name, different in bodies.items():
        if len(different) > 1 or not ID.fullmatch(name):
            raise FailedError(f"{name or 'no id'} stands for {len(different)} messages")
    if any(len(names) > 1 for names in ids.values()):
        raise FailedError("a retry came under another id")


def created_now(bench: Bench, step: Verify) -> None:
    """`Created` lies within so many seconds of the suite's clock (XP-CLK-001)."""
    for arrival in _arrivals(bench, step):
        away = abs((read(said(arrival, "Created")) - bench.session.now()).total_seconds())
        if away > float(step.within):
            raise FailedError(f"Created is {away:.0f} s away from the suite's clock")


def no_personal_address(bench: Bench, step: Verify) -> None:
    """Addresses and header fields hold no value of the message (XP-TRP-004)."""
    watch: Watch = bench.watch
    for arrival in watch.partner.arrivals:
        shown = arrival.target + " ".join(arrival.headers.values())
        root = parse(arrival.body)
        values = {(node.text or "").strip() for node in root.iter() if isinstance(node.tag, str)}
        for told in sorted(v for v in values if len(v) >= 6 and v in shown):
            raise FailedError(f"an address or header holds `{told}`")


CHECKS: Mapping[str, Callable[[Bench, Verify], None]] = {
    check.__name__.replace("_", "-"): check
    for check in (
        same_octets, attempts, pauses_grow, pause_at_least, state, not_state, nothing_sent,
        sent_valid, sent_signed, sent_signed_xmlsec, in_order, one_address, ids_unique,
        created_now, no_personal_address,
    )
}  # fmt: skip
"""By the name that cases use."""
