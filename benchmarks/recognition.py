"""A generated day of crossings that is hard to link, and what recognition costs.

The hard mix: shuttle trucks that share plates all day, 40 % of seals missing, 12 % of the
certificate numbers missing and 5 % mistyped, some plates misread, masses that shrink.
"""

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from benchmarks.measure import Ratio
from gateway.model.bodies import Inspection, Passage
from gateway.model.evidence import Evidence, Kind, Side, digest
from gateway.model.inspection import (
    AuthorityRef,
    Conveyance,
    Depth,
    DocKey,
    GoodsRef,
    InspectionResult,
    InspectionType,
    Parties,
    Role,
    SealState,
    Verdict,
)
from gateway.model.manifest import Direction
from gateway.model.values import Identifier, Measure, Moment, Precision, plate_of
from gateway.recognition.fold import decide
from gateway.recognition.link import Linked, link
from gateway.recognition.link_model import LinkModel, read_model
from gateway.recognition.load import load
from gateway.recognition.situation import Situation
from gateway.resources import folder

START = datetime(2026, 5, 1, 0, 0, tzinfo=UTC)
NPPO = AuthorityRef(country="VN", code="PPD7", role=Role.NPPO)
GACC = AuthorityRef(country="CN", code="7208", role=Role.CUSTOMS)
FRUIT = ("081060", "081090", "080711", "080390", "080450")
LETTERS = "ABCDEFGHKLMNPRSTUVXYZ0123456789"


def moment(at: datetime, offset: int) -> Moment:
    local = (at + timedelta(minutes=offset)).replace(tzinfo=None)
    return Moment(
        precision=Precision.MINUTE, local=local.isoformat(timespec="minutes"), offset=offset
    )


def mistyped(text: str, dice: random.Random) -> str:
    """Return a text with one letter wrong, or two swapped."""
    at = dice.randrange(len(text) - 1)
    if dice.random() < 0.3 and text[at] != text[at + 1]:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    other = dice.choice([c for c in LETTERS if c != text[at]])
    return text[:at] + other + text[at + 1 :]


@dataclass(frozen=True)
class Traffic:
    """Statements of both sides, and which belong together: other's digest -> anchor's."""

    pool: dict[str, Evidence]
    truth: dict[str, str]


def traffic(crossings: int, seed: int = 1, per_day: int = 1000) -> Traffic:
    """Return that many crossings: a certificate, and an arrival or a check by the other side."""
    dice = random.Random(seed)
    shuttles = [f"12C{dice.randrange(10000, 99999)}" for _ in range(max(4, per_day // 12))]
    traders = [f"{dice.randrange(10**9, 10**10)}" for _ in range(60)]
    pool: dict[str, Evidence] = {}
    truth: dict[str, str] = {}
    for number in range(crossings):
        at = START + timedelta(days=number / per_day)
        anchor, other = _crossing(number, at, shuttles, traders, dice)
        names = digest(anchor), digest(other)
        pool |= zip(names, (anchor, other), strict=True)
        truth[names[1]] = names[0]
    return Traffic(dict(sorted(pool.items())), truth)


def _crossing(number, at, shuttles, traders, dice) -> tuple[Evidence, Evidence]:
    shuttle = dice.random() < 0.6
    plate = (
        dice.choice(shuttles)
        if shuttle
        else f"{dice.randrange(11, 99)}H{dice.randrange(10000, 99999)}"
    )
    seal = f"VN{dice.randrange(10**6):07d}"
    box = f"ZZZU{dice.randrange(10**6):06d}0"
    net = dice.randrange(8_000, 24_000)
    certificate = f"{26000000 + number * 37 % 900000:08d}{dice.choice('ABCD')}"
    hs, trader = dice.choice(FRUIT), dice.choice(traders)
    boxed = dice.random() < 0.5
    parties = Parties(packers=(f"VN-PHC-{dice.randrange(40):03d}",))
    goods = GoodsRef(hs=hs, net=Measure(value=Decimal(net), unit="KGM"))
    body = Inspection(
        results=(InspectionResult(type=InspectionType.PHYTO, verdict=Verdict.PASS, goods=goods),),
        direction=Direction.VN_CN,
        conveyance=_carried(plate, box if boxed else "", seal if dice.random() >= 0.4 else ""),
        parties=parties,
        identifiers=(Identifier(scheme="vn.tax", value=trader),),
    )
    key = DocKey(issuer=NPPO, type="851", number=certificate)
    anchor = _stated(Kind.ISSUE, Side.VN, NPPO, at, body, 420, doc=key)
    later = at + timedelta(hours=dice.choice((2, 3, 4, 6, 9, 14, 26)), minutes=dice.randrange(60))
    seen = str(net) if dice.random() < 0.2 else str(round(net * (1 - dice.random() * 0.012)))
    read = plate if dice.random() > 0.02 else mistyped(plate, dice)
    typed = _typed(certificate, dice)
    carried = _carried(read, box if boxed else "", seal if dice.random() >= 0.4 else "")
    checked = GoodsRef(hs=hs, net=Measure(value=Decimal(seen), unit="KGM"))
    identifiers = (
        *typed,
        *((Identifier(scheme="vn.tax", value=trader),) if dice.random() < 0.7 else ()),
    )
    seen_body = Inspection(
        results=(InspectionResult(type=InspectionType.PHYSICAL, verdict=Verdict.PASS,
                                  depth=Depth.PHYSICAL_PARTIAL, goods=checked),),
        direction=Direction.VN_CN, conveyance=carried, identifiers=identifiers,
        parties=parties if dice.random() < 0.5 else Parties(),
    )  # fmt: skip
    number_ = DocKey(issuer=GACC, type="CHK", number=f"K{number:07d}")
    return anchor, _stated(Kind.COUNTER_CHECK, Side.CN, GACC, later, seen_body, 480, doc=number_)


def _typed(certificate: str, dice: random.Random) -> tuple[Identifier, ...]:
    chance = dice.random()
    if chance < 0.12:
        return ()
    value = mistyped(certificate, dice) if chance < 0.17 else certificate
    return (Identifier(scheme="certificate", value=value),)


def _carried(plate: str, box: str, seal: str) -> Conveyance:
    return Conveyance(
        plates=(plate_of(plate),),
        containers=(box,) if box else (),
        seals=(SealState(number=seal),) if seal else (),
        mode="3",
    )


def _stated(kind, side, issuer, at, body, offset, **more) -> Evidence:
    when = moment(at, offset)
    return Evidence(
        kind=kind, side=side, issuer=issuer, occurred_at=when, stated_at=when, body=body, **more
    )


def model() -> LinkModel:
    """Return the table of linking that ships."""
    return read_model((folder("mappings") / "recognition" / "link-model.toml").read_bytes())


def judged(found: Linked, truth: dict[str, str]) -> tuple[float, int, int]:
    """Return recall, number of false pairs and number of doubts."""
    right = sum(truth.get(pair.right) == pair.left for pair in found.links)
    return right / len(truth), len(found.links) - right, len(found.doubts)


def records_per_second(crossings: int = 3000, rounds: int = 3) -> float:
    """Return how many statements of the hard mix are linked per second, on one core."""
    made, table = traffic(crossings), model()
    best = min(_timed(lambda: link(made.pool, table)) for _ in range(rounds))
    return len(made.pool) / best


def fold_milliseconds(statements: int = 50, rounds: int = 40) -> float:
    """Return the time of one decision on a claim with that many statements, median."""
    made = traffic(1)
    rules = load({"set.toml": b'id = "none"\nversion = "1"\npublished = 2026-01-01\n'})
    (anchor,) = set(made.truth.values())
    certificate = made.pool[anchor]
    more = [
        _stated(Kind.ARRIVAL, Side.CN, GACC, START + timedelta(hours=1, minutes=number),
                Passage(journey="J1", conveyance=_carried("12C12345", "", f"S{number}")), 480,
                about=(certificate.doc,))
        for number in range(statements - 1)
    ]  # fmt: skip
    pool = Situation.of([certificate, *more]).pool
    (claim,) = Situation(pool).claims
    times = sorted(
        _timed(lambda: decide(claim, Situation(pool), rules, START + timedelta(hours=5)))
        for _ in range(rounds)
    )
    return times[len(times) // 2] * 1000


def costs(rounds: int = 5) -> tuple[Ratio, Ratio]:
    """Return 4,000 records a second over linking, and the fold over 5 ms; CPU time, one core."""
    made, table = traffic(2000), model()
    linked = sorted(_timed(lambda: link(made.pool, table)) for _ in range(rounds))
    shares = [spent * 4000 / len(made.pool) for spent in linked]
    folded = sorted(fold_milliseconds() / 5 for _ in range(rounds))
    return tuple(Ratio(each[rounds // 2], each[0], each[-1]) for each in (shares, folded))


def _timed(work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    for seed in range(1, 4):
        made = traffic(3000, seed)
        print("recall, false pairs, doubts:", judged(link(made.pool, model()), made.truth))
    print(f"records per second: {records_per_second():.0f}")
    print(f"fold of 50 statements: {fold_milliseconds():.2f} ms")
