"""What a claim is judged on: the statements of its case, in their roles."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import cached_property

from gateway.model.bodies import (
    ClaimRef,
    Handover,
    Inspection,
    Passage,
    Registry,
    SealEvent,
    Take,
)
from gateway.model.evidence import Evidence, Kind, Side
from gateway.model.inspection import Conveyance, InspectionResult
from gateway.model.manifest import Direction
from gateway.recognition import normalise
from gateway.recognition.cases import Case, identifiers
from gateway.recognition.hs import hs6
from gateway.recognition.lineage import CLAIMING, Document, documents, equivocal
from gateway.recognition.normalise import DocId, Span, bare, span
from gateway.recognition.registry import Registries, State, standing
from gateway.recognition.ruleset import Rule, RuleSet, duration
from gateway.recognition.select import Facts, Selected, select
from gateway.recognition.stated import PastCheck, Stated, may_check, may_claim

OBSERVING = frozenset((Kind.COUNTER_CHECK, Kind.WEIGH, Kind.NII, Kind.LAB))
_EXPORTER = {Direction.VN_CN: Side.VN, Direction.CN_VN: Side.CN}
_DIRECTION = {side: direction for direction, side in _EXPORTER.items()}


class View:
    """One claim of a case, at an instant, under a rule set. Everything is found when asked."""

    def __init__(
        self,
        case: Case,
        claim: ClaimRef,
        known: Registries,
        checks: Iterable[PastCheck],
        rules: RuleSet,
        at: datetime,
        choice: int = 0,
    ) -> None:
        self.case, self.claim, self.known, self.checks = case, claim, known, checks
        self.rules, self.at, self.choice = rules, at, choice

    # --- documents -----------------------------------------------------------------------

    @cached_property
    def documents(self) -> dict[DocId, Document]:
        """All documents of the case."""
        return documents(self.case.pool)

    @cached_property
    def equivocal(self) -> frozenset[str]:
        """Statements of one version with two contents."""
        pool = self.case.pool
        return frozenset(d for each in self.documents.values() for d in equivocal(each, pool))

    @cached_property
    def claiming(self) -> tuple[Stated, ...]:
        """What makes the claim, dead or alive: the highest versions, of the exporting side.

        A document of somebody who may not claim counts only where there is no other.
        """
        own = [
            s
            for s in self._effective(CLAIMING)
            if self._is_claim(s) and s.evidence.side is self.exporter
        ]
        proper = [s for s in own if may_claim(s.evidence.issuer, s.result.type)]
        return tuple(proper or own)

    @cached_property
    def exporter(self) -> Side | None:
        """The side whose claim it is: by the stated direction, else who makes the claim."""
        if len(self.directions) == 1:
            return _EXPORTER[next(iter(self.directions))]
        sides = {s.evidence.side for s in self._effective(CLAIMING) if self._is_claim(s)}
        return sides.pop() if len(sides) == 1 else None

    @cached_property
    def directions(self) -> frozenset[Direction]:
        """All directions that the case names."""
        bodies = (each.body for each in self.case.pool.values())
        stated = (b.direction for b in bodies if isinstance(b, Inspection | Passage))
        return frozenset(d for d in stated if d is not None)

    @property
    def direction(self) -> Direction | None:
        """Which way the goods move."""
        return _DIRECTION[self.exporter] if self.exporter else None

    @cached_property
    def live(self) -> tuple[Stated, ...]:
        """What makes the claim and is not dead."""
        return tuple(s for s in self.claiming if not self.ends(s) and self.trusted(s))

    @property
    def stated(self) -> Stated | None:
        """The claim. Of several live documents the chosen one: each is judged in its turn."""
        return self.live[self.choice] if self.live else None

    @cached_property
    def former(self) -> tuple[tuple[str, Document], ...]:
        """Documents that made the claim in any version: number and document."""
        found: dict[str, Document] = {}
        for document in self.documents.values():
            for digest in sorted(d for each in document.versions.values() for d in each):
                statement = self.case.pool[digest]
                body = statement.body
                results = body.results if isinstance(body, Inspection) else ()
                claims = statement.kind in CLAIMING and any(map(self._answers, results))
                if claims and statement.doc:
                    found[statement.doc.number] = document
        return tuple(sorted(found.items(), key=lambda each: each[0]))

    def ends(self, stated: Stated) -> dict[str, set[str]]:
        """Return what ended the document of a result: reason code -> digests."""
        return self.documents[self._doc(stated)].ends

    def trusted(self, stated: Stated) -> bool:
        """Return False when the key was compromised before it signed."""
        signer = stated.evidence.signer
        if signer is None:
            return True
        window = span(stated.evidence.stated_at, stated.evidence.issuer.country)
        return self.state(Registry.KEY, signer.key, window)[0] is not State.SUSPENDED

    def _doc(self, stated: Stated) -> DocId:
        assert stated.evidence.doc is not None  # noqa: S101  an inspection is a document
        return normalise.doc(stated.evidence.doc)

    def _is_claim(self, stated: Stated) -> bool:
        return self._answers(stated.result)

    def _answers(self, result: InspectionResult) -> bool:
        return (result.line, result.type) == (self.claim.line, self.claim.type)

    def _effective(self, kinds: frozenset[Kind]) -> Iterator[Stated]:
        """Yield the results of the highest versions that are of this journey."""
        for document in self.documents.values():
            digest = document.effective()
            if digest is None or self.case.pool[digest].kind not in kinds:
                continue
            statement = self.case.pool[digest]
            body = statement.body
            if isinstance(body, Inspection) and self._travels(statement, body.conveyance):
                for number, result in enumerate(body.results):
                    yield Stated(digest, statement, body, result, f"$.body.results[{number}]")

    # --- what else was seen --------------------------------------------------------------

    @cached_property
    def observed(self) -> tuple[Stated, ...]:
        """Checks, weighings, images and laboratory reports about this line, alive.

        Also what the other side issues for the line. One line in the case: any line number. A
        laboratory speaks of lots, not of lines.
        """
        lines = {s.result.line for s in self._effective(CLAIMING)}
        seen = [
            s
            for s in self._effective(OBSERVING | CLAIMING)
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
        own = [s for s in self._effective(CLAIMING) if s.evidence.side is self.exporter]
        lines = [s for s in own if s.result.line == self.claim.line and not self.ends(s)]
        return tuple(s for s in (*lines, *self.observed) if self.trusted(s))

    def passages(self, kind: Kind) -> list[tuple[str, Evidence, Passage]]:
        """Return departures, arrivals or releases of this journey."""
        return [
            (digest, each, each.body)
            for digest, each in self.case.pool.items()
            if each.kind is kind and isinstance(each.body, Passage)
            if not self.claim.journey or bare(each.body.journey) == self.claim.journey
        ]

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
        own = self._doc(self.stated)
        found = [
            take
            for kind in (Kind.RELEASE, Kind.ARRIVAL, Kind.DEPARTURE)
            for _, _, body in self.passages(kind)
            for take in body.takes
            if normalise.doc(take.doc) == own and take.line == self.claim.line
        ]
        return found[0] if found else None

    def _travels(self, statement: Evidence, conveyance: Conveyance) -> bool:
        """Return False for what names another journey, or another journey's vehicle."""
        if not self.claim.journey or statement.kind in CLAIMING:
            return True
        named = {value for scheme, value in identifiers(statement) if scheme == "journey"}
        if named:
            return self.claim.journey in named
        plates = {normalise.plate(each) for each in conveyance.plates}
        return not (plates & self._foreign_plates)

    @cached_property
    def _foreign_plates(self) -> set[str]:
        """Plates of the other journeys that are not of this one too."""
        own: set[str] = set()
        foreign: set[str] = set()
        for each in self.case.pool.values():
            if isinstance(each.body, Passage):
                plates = {normalise.plate(p) for p in each.body.conveyance.plates}
                mine = bare(each.body.journey) == self.claim.journey
                (own if mine else foreign).update(plates)
        return foreign - own

    # --- registries and the rule ---------------------------------------------------------

    def state(
        self, registry: Registry, id_: str, window: Span, hs: str = ""
    ) -> tuple[State, tuple[str, ...]]:
        """Return what a registry says of an entry within a window."""
        return standing(self.known, registry, id_, window, hs)

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
        found = [
            check
            for check in self.checks
            if check.packers & packers and check.hs in self.codes and check.at <= start
            if check.side is not self.exporter and check.digest not in self.case.pool
        ]
        return tuple(sorted(found, key=lambda check: (check.at, check.good, check.digest)))

    @property
    def clock(self) -> timedelta:
        """How far the clocks of the two sides may be apart."""
        return duration(self.rule.tolerance.clock) if self.rule else timedelta()

    @cached_property
    def rule(self) -> Rule | None:
        """The rule to judge by: one that is LIVE, else what a dry run would say."""
        return self.selected.rule or self.selected.dry
