"""Settle days with the counterpart: whatever one side has and the other lacks is found and
mended, or a person is told.

    1 compare  the marks of all days, in one exchange
    2 find     down the tree of a day and direction that differs (gateway.evidence.settlement)
    3 mend     ours that they lack are given back, theirs that we lack are asked for
    4 tell     what cannot be mended becomes an alarm; one whose cause is gone is cleared
    5 keep     both sides' signed marks of every day
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from gateway.errors import TrustError
from gateway.evidence import ledger
from gateway.evidence.ledger import DayMarks, TellDays, TellNodes
from gateway.evidence.settlement import Ask, Differences, Mark, Node, Tree, differences
from gateway.flows.services import Counterpart, Services
from gateway.flows.settle_alarms import attempted
from gateway.flows.settle_answer import WAYS, agree, keep_days, marks, tree_of
from gateway.flows.settle_mend import DaySettled, Mender
from gateway.flows.settle_talk import ask, bad_answer, expect, keys_of
from gateway.model.states import MessageKind, MessageState

OTHER = {"sent": "accepted", "accepted": "sent"}
LEASE = timedelta(minutes=30)
NOTHING = Mark(0, "")


@dataclass
class Settled:
    """All days, and how many questions it took."""

    counterpart: str
    days: list[DaySettled] = field(default_factory=list)
    exchanges: int = 0


def settle_now(services: Services, owner: str) -> int:
    """Settle the usual days, on one node; the worker's chore. Returns how many messages
    were mended or told of."""
    counterpart = services.counterpart()
    keys_of(services, counterpart)
    now = services.clock()
    if not services.store.commit(lambda tx: tx.hold("settle", owner, now, now + LEASE)):
        return 0
    found = attempted("settle", lambda: settle(services, usual_days(services)))
    if found is None:
        return 0
    return sum(len(d.returned) + len(d.fetched) + len(d.alarms) for d in found.days)


def usual_days(services: Services) -> list[str]:
    """Return today and as many days before as one question takes."""
    today = services.clock().date()
    return [str(today - timedelta(days=n)) for n in reversed(range(ledger.MOST_DAYS))]


def settle(services: Services, days: Sequence[str]) -> Settled:
    """Settle days; see the steps above. CounterpartError, UnavailableError."""
    counterpart = services.counterpart()
    found = Settled(counterpart.name)
    for start in range(0, len(days), ledger.MOST_DAYS):
        _settle(services, counterpart, days[start : start + ledger.MOST_DAYS], found)
    return found


def _settle(
    services: Services, counterpart: Counterpart, days: Sequence[str], found: Settled
) -> None:
    pairs = _compared(services, counterpart, days, found)
    again = []
    dead = _given_up(services, counterpart)
    for ours, theirs in pairs:
        day = DaySettled(ours.day, ours.sent[0], ours.accepted[0], agree(ours, theirs))
        if not day.agreed or ours.day in dead:
            _mend_day(services, counterpart, day, theirs, dead.get(ours.day, ()))
            found.exchanges += day.exchanges
            again += [ours.day] if day.returned or day.fetched else []
        if ours.sent[0] or ours.accepted[0] or not day.agreed:
            found.days.append(day)
    after = _compared(services, counterpart, again, found) if again else []
    agreed = {ours.day for ours, theirs in after if agree(ours, theirs)}
    for day in found.days:
        day.agreed = day.agreed or day.day in agreed


def _compared(
    services: Services, counterpart: Counterpart, days: Sequence[str], found: Settled
) -> list[tuple[DayMarks, DayMarks]]:
    """Steps 1 and 5: the marks of each day, ours and theirs."""
    blank = tuple(ledger.days_of(day, NOTHING, NOTHING) for day in days)
    ours = services.store.read(lambda tx: marks(tx, counterpart.name, blank)).days
    wanted = ledger.AskDays(ours)
    exchange = ask(services, counterpart, wanted)
    found.exchanges += 1
    told = expect(exchange, TellDays)
    if [each.day for each in told.days] != list(days):
        bad_answer("settlement-days")
    keep_days(services, counterpart.name, wanted, told, exchange.asked, exchange.answered)
    return list(zip(ours, told.days, strict=True))


def _given_up(services: Services, counterpart: Counterpart) -> dict[str, list[str]]:
    """Return the messages that we gave up, by day."""
    dead, kind, party = MessageState.DEAD, MessageKind.OUTBOUND, counterpart.name
    page = services.store.read(lambda tx: tx.search(kind=kind, party=party, state=dead, limit=500))
    found: dict[str, list[str]] = {}
    for message in page.messages:
        found.setdefault(message.day or "", []).append(message.external_id)
    return found


def _mend_day(
    services: Services,
    counterpart: Counterpart,
    day: DaySettled,
    theirs: DayMarks,
    dead: Sequence[str],
) -> None:
    """Steps 2 to 4 for one day, both ways. All is found before anything is mended: mending
    changes what the other side has."""
    found: dict[str, Differences] = {}
    told: dict[str, dict[str, bytes]] = {"sent": {}, "accepted": {}}
    try:
        for way, kind in WAYS.items():
            stated = Mark(*getattr(theirs, OTHER[way]))
            asking = _asking(services, counterpart, day.day, OTHER[way], told[way])
            tree = _tree(services, counterpart, kind, day.day)
            found[way] = differences(tree, stated, asking)
            day.exchanges += found[way].exchanges
    except TrustError:  # what is below a node is not what was signed above it
        day.changing = True
        return
    mender = Mender(services, counterpart, day, told["accepted"])
    for name in dead:
        mender.ask_for_receipt(name)
    for way, differing in found.items():
        mender.mend(way, differing)
    mender.clear()


def _tree(services: Services, counterpart: Counterpart, kind: MessageKind, day: str) -> Tree:
    return services.store.read(lambda tx: tree_of(tx, kind, counterpart.name, day))


def _asking(
    services: Services, counterpart: Counterpart, day: str, their_way: str, told: dict[str, bytes]
) -> Ask:
    """Return what asks about nodes, and keeps the signed answers by prefix."""

    def exchange(prefixes: Sequence[str]) -> list[Node]:
        wanted = ledger.AskNodes(day, their_way, tuple(prefixes))
        answered = ask(services, counterpart, wanted)
        nodes = [ledger.node_told(each) for each in expect(answered, TellNodes).nodes]
        told.update({node.prefix: answered.answered for node in nodes})
        return nodes

    return exchange
