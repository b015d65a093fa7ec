"""Linking: which statements that name each other nowhere are about the same goods.

    records -> blocks -> pairs -> scores -> assignment of each component -> bands

Everything is computed anew from the whole open window; nothing depends on an order of arrival.
A link is a statement itself, the same on both sides. Persons come first: what they linked
stays, what they parted is never linked again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.model.bodies import Handover, Link
from gateway.model.evidence import Evidence, Kind, Side
from gateway.model.inspection import AuthorityRef, Role
from gateway.model.values import Moment, Precision
from gateway.recognition import cases
from gateway.recognition.assign import assign
from gateway.recognition.conveyance import carriers
from gateway.recognition.lineage import Pool
from gateway.recognition.link_model import LinkModel
from gateway.recognition.link_records import Record, candidates, record
from gateway.recognition.normalise import camera, span
from gateway.recognition.score import CORROBORATING, possible, score
from gateway.recognition.stated import official

_HOPS = 3
"""Most changes of conveyance in a chain."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two statements and what speaks for them. why (of a doubt): score, lead, number-alone."""

    left: str
    right: str
    score: int
    lead: int
    features: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Linked:
    """links: machine links. doubts: for a person. dropped: blocks that were too large."""

    links: tuple[Pair, ...]
    doubts: tuple[Pair, ...]
    dropped: int


Scored = Mapping[tuple[int, int], tuple[int, tuple[str, ...]]]


def link(pool: Pool, model: LinkModel) -> Linked:
    """Link the statements of a window. Only pairs that persons said nothing of are judged."""
    records = [r for d, e in pool.items() if (r := record(d, e)) is not None]
    records = _followed(records, pool)
    pairs, ordered, dropped = candidates(records, model.most_block)
    said = _said(pool)
    scored: dict[tuple[int, int], tuple[int, tuple[str, ...]]] = {}
    for one, two in pairs:
        anchor, other = ordered[one], ordered[two]
        if (anchor.digest, other.digest) in said or not possible(anchor, other, model):
            continue
        found = score(anchor, other, model)
        if found[0] >= model.low:
            scored[one, two] = found
    links, doubts = _decided(scored, ordered, model)
    return Linked(tuple(sorted(links, key=_key)), tuple(sorted(doubts, key=_key)), dropped)


def _key(pair: Pair) -> tuple[str, str]:
    return pair.left, pair.right


def _said(pool: Pool) -> set[tuple[str, str]]:
    """Return the pairs, both ways, that persons linked or parted."""
    found: set[tuple[str, str]] = set()
    for each in pool.values():
        if isinstance(each.body, Link) and each.body.by == "person" and official(each):
            found |= {(each.body.left, each.body.right), (each.body.right, each.body.left)}
    return found


def _decided(
    scored: Scored, ordered: list[Record], model: LinkModel
) -> tuple[list[Pair], list[Pair]]:
    """Assign each component of each category, then judge score, lead and corroboration."""
    links: list[Pair] = []
    doubts: list[Pair] = []
    for part in _components(scored, ordered):
        chosen = assign({pair: scored[pair][0] for pair in part}, model.most_exact)
        best = _best_two(part, scored)
        for other, anchor in sorted(chosen.items()):
            pair = _judged((anchor, other), scored, best, ordered, model)
            (doubts if pair.why else links).append(pair)
    return links, doubts


def _components(scored: Scored, ordered: list[Record]) -> list[list[tuple[int, int]]]:
    """Return the pairs of each component; categories are apart."""
    groups = cases.Groups()
    for one, two in scored:
        groups.join((one, ordered[two].category), (two,))
    found: dict[object, list[tuple[int, int]]] = {}
    for one, two in sorted(scored):
        found.setdefault(groups.find((two,)), []).append((one, two))
    return list(found.values())


Best = dict[tuple[str, int], list[int]]


def _best_two(part: Iterable[tuple[int, int]], scored: Scored) -> Best:
    """Return the two highest scores of each anchor and of each other."""
    best: Best = {}
    for pair in part:
        for node in (("anchor", pair[0]), ("other", pair[1])):
            top = best.setdefault(node, [])
            top.append(scored[pair][0])
            top.sort(reverse=True)
            del top[2:]
    return best


def _judged(
    pair: tuple[int, int], scored: Scored, best: Best, ordered: list[Record], model: LinkModel
) -> Pair:
    total, agreed = scored[pair]
    rivals = [_second(best["anchor", pair[0]], total), _second(best["other", pair[1]], total)]
    lead = total - max(rivals)
    why = ""
    if total < model.high:
        why = "score"
    elif lead < model.lead:
        why = "lead"
    elif not corroborated(agreed):
        why = "number-alone"
    return Pair(ordered[pair[0]].digest, ordered[pair[1]].digest, total, lead, agreed, why)


def _second(top: list[int], own: int) -> int:
    """Return the best score that is not the pair's own; 0 when it has no rival."""
    others = list(top)
    if own in others:
        others.remove(own)
    return max(others, default=0)


def corroborated(agreed: Iterable[str]) -> bool:
    """Return False when nothing but the number, trader, facility or time agrees."""
    return not CORROBORATING.isdisjoint(agreed)


def _followed(records: list[Record], pool: Pool) -> list[Record]:
    """Add to each record the plates that its goods came from, where handovers say so."""
    from dataclasses import replace

    steps = _steps(pool)
    if not steps:
        return records
    found: list[Record] = []
    for each in records:
        plates, reached = set(each.plates), set(each.plates)
        for _ in range(_HOPS if not each.anchor else 0):
            reached = {
                before
                for name in reached
                for before, at in steps.get(name, ())
                if 0 <= each.at - at <= 720
            } - plates
            plates |= reached
        found.append(replace(each, plates=frozenset(plates)) if plates != each.plates else each)
    return found


def _steps(pool: Pool) -> dict[str, list[tuple[str, int]]]:
    """Return carrier -> carriers that it took goods from, and when, in minutes since 1970."""
    steps: dict[str, list[tuple[str, int]]] = {}
    for each in pool.values():
        if isinstance(each.body, Handover):
            at = int(span(each.occurred_at, each.issuer.country)[0].timestamp()) // 60
            for after in carriers(each.body.after, "plates"):
                for before in carriers(each.body.before, "plates"):
                    steps.setdefault(camera(after), []).append((camera(before), at))
    return steps


MACHINE = AuthorityRef(country="XX", code="GATEWAY", role=Role.OPERATOR, scheme="gateway")
"""Who states what both sides compute alike: links and deadlines, unsigned."""


def link_statement(pair: Pair, pool: Pool, model: LinkModel) -> Evidence:
    """Return the statement of a machine link: the same wherever it is computed."""
    members = (pool[pair.left], pool[pair.right])
    latest = max(span(each.stated_at, each.issuer.country)[1] for each in members)
    return Evidence(
        kind=Kind.LINK,
        side=Side(members[0].side),
        issuer=MACHINE,
        occurred_at=_utc(latest),
        stated_at=_utc(latest),
        body=Link(
            left=pair.left,
            right=pair.right,
            by="machine",
            score=pair.score,
            features=pair.features,
            model=model.version,
        ),
    )


def _utc(at: datetime) -> Moment:
    text = at.replace(tzinfo=None).isoformat(timespec="seconds")
    return Moment(precision=Precision.SECOND, local=text, offset=0)
