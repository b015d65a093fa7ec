"""Which halves belong together: the declared order of rules, ambiguity shown and never picked.

    1 batch, join-ref   the same batch number, or the same agreed reference: binds any halves
      branch            branches of one divided declaration
      header-key        the same free header text, of one truck, where nothing speaks against it
    2 link              the same declaration number; a document that names truck and goods, with
                        a common container or plate, and day
    3 container         a common container, gate and day
    4 plate             the same plate, gate and day, only with one candidate on each side

Gates of one code list must agree where both halves state one. Day: the truck leaves on the
planned day of the goods or at most `window_days` after it; rules 3 and 4 need both days, the
others only warn. The result does not depend on the order in which the halves came.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from gateway.codec import join_pairs as pairs
from gateway.codec.join_facts import Half
from gateway.errors import Finding, Severity

MOST = 64
"""Halves that one decision looks at: a join is for one crossing."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a half belongs to.

    state: join, wait, ambiguous or conflict. rule: the name of the rule that matched.
    message_ids: the other halves: of the set (join, conflict), the possible ones (ambiguous),
    or near ones that an operator may look at (wait). reason: why it waits: no-candidate,
    outside-window, near-plate, several-candidates, too-many-candidates. findings: what
    contradicts (conflict), else warnings.
    """

    state: Literal["join", "wait", "ambiguous", "conflict"]
    rule: str = ""
    message_ids: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    reason: str = ""


def decide(newcomer: Half, candidates: Sequence[Half], *, window_days: int) -> Decision:
    """Return what a half belongs to.

    candidates: the waiting halves that share a key of `join_facts.SEARCHED` with it, and the
    other halves of their sets. Halves of a set that is closed are no candidates. More than
    `MOST` are for an operator.
    """
    halves = {half.message_id: half for half in (newcomer, *candidates)}
    if len(halves) > MOST:
        others = tuple(sorted(halves.keys() - {newcomer.message_id}))
        return Decision("ambiguous", "", others, reason="too-many-candidates")
    return arrange(tuple(halves.values()), window_days)[newcomer.message_id]


def arrange(halves: Sequence[Half], window_days: int) -> dict[str, Decision]:
    """Return the decision for each of the halves, by message id."""
    arrangement = _Arrangement(halves, window_days)
    for name, fits in _BINDING:
        arrangement.bind(name, fits)
    arrangement.match(pairs.header_fits, pairs.header_rivals, "header-key")
    arrangement.match(pairs.link_fits, pairs.link_rivals, "link")
    arrangement.match(pairs.container_fits, pairs.container_rivals, "container")
    arrangement.match(pairs.plate_fits, pairs.plate_rivals, "plate")
    return {half.message_id: arrangement.decision(half) for half in arrangement.halves}


_BINDING: tuple[tuple[str, pairs.Fits], ...] = (
    ("batch", pairs.explicit("batch")),
    ("join-ref", pairs.explicit("join-ref")),
    ("branch", pairs.branch_fits),
    ("link", pairs.declaration_fits),
)


class _Arrangement:
    """Sets of halves while the rules are applied one after another."""

    def __init__(self, halves: Iterable[Half], window_days: int) -> None:
        self.halves = sorted(halves, key=lambda half: half.message_id)
        self.window_days = window_days
        self.couples = [pairs.truck_first(a, b) for a, b in combinations(self.halves, 2)]
        self.set_of = {half.message_id: frozenset((half.message_id,)) for half in self.halves}
        self.rule: dict[str, str] = {}
        self.rivals: dict[str, set[str]] = {}
        self.doubt: dict[str, str] = {}

    def bind(self, name: str, fits: pairs.Fits) -> None:
        """Unite all pairs that an explicit rule binds."""
        for pair in self.couples:
            if fits(pair, self.window_days):
                self._unite(pair, name)

    def match(self, fits: pairs.Fits, rivals: pairs.Rivals, name: str) -> None:
        """Unite the pairs that have no rivals and show the others; all are judged before any
        is united. What an earlier rule united stays so."""
        agreed = [
            p for p in self.couples if fits(p, self.window_days) and not pairs.gates_differ(p)
        ]
        settled, shown = set(self.rule), set(self.rivals)
        open_pairs = [p for p in agreed if not self._same_set(*p) and not _ids(p) & shown]
        clear = []
        for pair in open_pairs:
            if others := rivals(pair, agreed, self._same_set):
                self._show(_ids(pair) | others, settled, name)
            else:
                clear.append(pair)
        while doubtful := [p for p in clear if _ids(p) & set(self.rivals)]:
            clear = [p for p in clear if p not in doubtful]
            for pair in doubtful:
                self._show(_ids(pair), settled, name)
        for pair in clear:
            self._unite(pair, name)

    def decision(self, half: Half) -> Decision:
        """Return what became of a half."""
        own = half.message_id
        if own in self.rivals:
            rivals = tuple(sorted(self.rivals[own]))
            return Decision("ambiguous", self.doubt[own], rivals, reason="several-candidates")
        others = tuple(sorted(self.set_of[own] - {own}))
        if not others:
            return self._alone(half)
        findings = tuple(
            finding
            for pair in self.couples
            if _ids(pair) <= self.set_of[own]
            for finding in pairs.contradictions(pair, self.window_days)
        )
        broken = any(finding.severity is Severity.REFUSE for finding in findings)
        return Decision("conflict" if broken else "join", self.rule[own], others, findings)

    def _alone(self, half: Half) -> Decision:
        """Say why a half waits: what would nearly have fitted."""
        free = [pair for pair in self.couples if half in pair and self._free(pair)]
        boxes = [p for p in free if pairs.container_fits(p, self.window_days)]
        plates = [p for p in free if pairs.plate_fits(p, self.window_days) and p not in boxes]
        wrong = [p for p in (*boxes, *plates) if pairs.gates_differ(p)]
        if wrong:
            findings = tuple(pairs.gate_conflict(pair) for pair in wrong)
            rule = "container" if wrong[0] in boxes else "plate"
            return Decision("conflict", rule, _others(half, wrong), findings)
        late = [p for p in free if pairs.outside_window(p, self.window_days)]
        if late:
            findings = tuple(pairs.date_conflict(pair, self.window_days) for pair in late)
            return Decision("wait", "", _others(half, late), findings, "outside-window")
        near = [p for p in free if pairs.near_plates(p)]
        return Decision(
            "wait", "", _others(half, near), reason="near-plate" if near else "no-candidate"
        )

    def _free(self, pair: pairs.Pair) -> bool:
        return all(len(self.set_of[half.message_id]) == 1 for half in pair) and not (
            _ids(pair) & set(self.rivals)
        )

    def _same_set(self, one: Half, other: Half) -> bool:
        return other.message_id in self.set_of[one.message_id]

    def _unite(self, pair: pairs.Pair, name: str) -> None:
        for own in _ids(pair):
            self.rule.setdefault(own, name)
        together = self.set_of[pair[0].message_id] | self.set_of[pair[1].message_id]
        for own in together:
            self.set_of[own] = together

    def _show(self, ids: set[str], settled: set[str], name: str) -> None:
        for own in ids - settled:
            self.doubt.setdefault(own, name)
            self.rivals.setdefault(own, set()).update(ids - {own})


def _ids(pair: pairs.Pair) -> set[str]:
    return {pair[0].message_id, pair[1].message_id}


def _others(half: Half, couples: Iterable[pairs.Pair]) -> tuple[str, ...]:
    return tuple(sorted(set().union(*map(_ids, couples)) - {half.message_id}))
