"""What a claim is judged on: the statements of its case, in their roles."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property

from gateway.model.bodies import (
    ClaimRef,
    Handover,
    Passage,
    Registry,
    SealEvent,
    Take,
)
from gateway.model.evidence import Evidence, Kind
from gateway.recognition import normalise
from gateway.recognition.cases import Case
from gateway.recognition.hs import hs6
from gateway.recognition.lineage import CLAIMING
from gateway.recognition.normalise import Span, bare, span
from gateway.recognition.papers import Papers
from gateway.recognition.registry import Registries, State, standing
from gateway.recognition.ruleset import Rule, RuleSet, duration
from gateway.recognition.select import Facts, Selected, select
from gateway.recognition.stated import PastCheck, Stated, may_check, official

OBSERVING = frozenset((Kind.COUNTER_CHECK, Kind.WEIGH, Kind.NII, Kind.LAB))


class View(Papers):
    """One claim of a case, at an instant, under a rule set."""

    def __init__(
        self,
        case: Case,
        claim: ClaimRef,
        known: Registries,
        checks: Mapping[str, Sequence[PastCheck]],
        rules: RuleSet,
        at: datetime,
        choice: int = 0,
    ) -> None:
        super().__init__(case, claim)
        self.known, self.checks = known, checks
        self.rules, self.at, self.choice = rules, at, choice

    @cached_property
    def live(self) -> tuple[Stated, ...]:
        """What makes the claim and is not dead."""
        return tuple(s for s in self.claiming if not self.ends(s) and self.trusted(s))

    @property
    def stated(self) -> Stated | None:
        """The claim. Of several live documents the chosen one: each is judged in its turn."""
        return self.live[self.choice] if self.live else None

    def trusted(self, stated: Stated) -> bool:
        """Return False when the key was compromised before it signed."""
        signer = stated.evidence.signer
        if signer is None:
            return True
        window = span(stated.evidence.stated_at, stated.evidence.issuer.country)
        return self.state(Registry.KEY, signer.key, window)[0] is not State.SUSPENDED

    # --- what else was seen --------------------------------------------------------------

    @cached_property
    def observed(self) -> tuple[Stated, ...]:
        """Checks, weighings, images and laboratory reports about this line, alive.

        Also what the other side issues for the line. One line in the case: any line number. A
        laboratory speaks of lots, not of lines.
        """
        lines = {s.result.line for s in self.effective(CLAIMING)}
        seen = [
            s
            for s in self.effective(OBSERVING | CLAIMING)
            if (s.evidence.kind in OBSERVING or s.evidence.side is not self.exporter)
            and not self.ends(s)
            and may_check(s.evidence)
            and (len(lines) < 2 or s.result.line == self.claim.line or s.result.lab is not None)
        ]
        return tuple(sorted(seen, key=lambda s: (s.digest, s.path)))

    @cached_property
    def others(self) -> tuple[Stated, ...]:
        """What the other side observed."""
        return tuple(s for s in self.observed if s.evidence.side is not self.exporter)

    @cached_property
    def companions(self) -> tuple[Stated, ...]:
        """Live results of the exporting side about the line, of any type, the claim's own too."""
        own = [s for s in self.effective(CLAIMING) if s.evidence.side is self.exporter]
        lines = [s for s in own if s.result.line == self.claim.line and not self.ends(s)]
        return tuple(s for s in (*lines, *self.observed) if self.trusted(s))

    def sightings(self, kind: Kind) -> list[tuple[str, Evidence, Passage]]:
        """Return departures, arrivals or releases of this journey, whoever states them."""
        return [
            (digest, each, each.body)
            for digest, each in self.case.pool.items()
            if each.kind is kind and isinstance(each.body, Passage)
            if not self.claim.journey or bare(each.body.journey) == self.claim.journey
        ]

    def passages(self, kind: Kind) -> list[tuple[str, Evidence, Passage]]:
        """Return departures, arrivals or releases of this journey, as officials state them."""
        return [each for each in self.sightings(kind) if official(each[1])]

    @cached_property
    def departure(self) -> Span | None:
        """When the goods left: of several statements the earliest to the latest instant."""
        return self._when(Kind.DEPARTURE)

    @cached_property
    def arrival(self) -> Span | None:
        """When the goods came to the gate."""
        return self._when(Kind.ARRIVAL)

    def _when(self, kind: Kind) -> Span | None:
        spans = [span(e.occurred_at, e.issuer.country) for _, e, _ in self.passages(kind)]
        return (min(s[0] for s in spans), max(s[1] for s in spans)) if spans else None

    @cached_property
    def handovers(self) -> tuple[tuple[str, Handover], ...]:
        """Handovers of the case."""
        pool = self.case.pool.items()
        return tuple((d, e.body) for d, e in pool if isinstance(e.body, Handover))

    @cached_property
    def seal_events(self) -> tuple[tuple[str, SealEvent], ...]:
        """Seal events of the case."""
        pool = self.case.pool.items()
        return tuple((d, e.body) for d, e in pool if isinstance(e.body, SealEvent))

    @cached_property
    def take(self) -> Take | None:
        """What this journey takes of the claim's line, when it says so."""
        if self.stated is None:
            return None
        own = self.doc_of(self.stated)
        found = [
            take
            for kind in (Kind.RELEASE, Kind.ARRIVAL, Kind.DEPARTURE)
            for _, _, body in self.passages(kind)
            for take in body.takes
            if normalise.doc(take.doc) == own and take.line == self.claim.line
        ]
        return found[0] if found else None

    # --- registries and the rule ---------------------------------------------------------

    def state(
        self,
        registry: Registry,
        id_: str,
        window: Span,
        codes: Iterable[str] = (),
        by: Iterable[str] = (),
    ) -> tuple[State, tuple[str, ...]]:
        """Return what a registry says of an entry within a window."""
        return standing(self.known, registry, id_, window, codes, by)

    @cached_property
    def codes(self) -> frozenset[str]:
        """The claim's tariff code, and what it was or is in another edition."""
        if self.stated is None:
            return frozenset()
        own = hs6(self.stated.result.goods)
        moved = {right for left, right in self.rules.tables.moved if left == own}
        return frozenset({own, *moved} - {""})

    @cached_property
    def gates(self) -> frozenset[str]:
        """All gates that statements of this journey name."""
        found = {body.place for kind in (Kind.DEPARTURE, Kind.ARRIVAL)
                 for _, _, body in self.passages(kind)}  # fmt: skip
        found |= {s.inspection.conveyance.gate for s in (*self.live, *self.observed)}
        return frozenset(bare(gate) for gate in found if gate)

    @cached_property
    def selected(self) -> Selected:
        """The rule for the claim."""
        if self.stated is None:
            return Selected()
        goods = self.stated.result.goods
        return select(
            self.rules,
            Facts(
                direction=self.direction,
                type=self.claim.type,
                hs=self.codes,
                eppo=self.rules.tables.species(goods),
                state=goods.state,
                gates=self.gates,
                origin=goods.origin,
                issuer=self.stated.evidence.issuer,
                at=self.at,
            ),
        )

    @cached_property
    def history(self) -> tuple[bool, ...]:
        """The other side's earlier checks of this packer's goods, earliest first."""
        return tuple(check.good for check in self.past)

    @cached_property
    def past(self) -> tuple[PastCheck, ...]:
        """Checks that count: before this claim was made, of another case."""
        if self.stated is None:
            return ()
        packers = {bare(code) for code in self.stated.inspection.parties.packers}
        start = span(self.stated.evidence.occurred_at, self.stated.evidence.issuer.country)[0]
        found = {
            check
            for packer in packers
            for check in self.checks.get(packer, ())
            if check.hs in self.codes and check.at <= start
            if check.side is not self.exporter and check.digest not in self.case.pool
        }
        return tuple(sorted(found, key=lambda check: (check.at, check.good, check.digest)))

    @property
    def clock(self) -> timedelta:
        """How far the clocks of the two sides may be apart."""
        return duration(self.rule.tolerance.clock) if self.rule else timedelta()

    @cached_property
    def rule(self) -> Rule | None:
        """The rule to judge by: one that is LIVE, else what a dry run would say."""
        return self.selected.rule or self.selected.dry
