"""The documents of a case as one claim sees them: versions, ends, who claims."""

from collections.abc import Iterator
from functools import cached_property

from gateway.model.bodies import ClaimRef, Inspection, Passage
from gateway.model.evidence import Evidence, Kind, Side
from gateway.model.inspection import Conveyance, InspectionResult
from gateway.model.manifest import Direction
from gateway.recognition import normalise
from gateway.recognition.cases import Case, identifiers
from gateway.recognition.lineage import CLAIMING, Document, documents, equivocal
from gateway.recognition.normalise import DocId, bare
from gateway.recognition.stated import Stated, may_claim

_EXPORTER = {Direction.VN_CN: Side.VN, Direction.CN_VN: Side.CN}
_DIRECTION = {side: direction for direction, side in _EXPORTER.items()}


class Papers:
    """The documents of a case, seen from one claim. Everything is found when asked."""

    def __init__(self, case: Case, claim: ClaimRef) -> None:
        self.case, self.claim = case, claim

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
            for s in self.effective(CLAIMING)
            if self._is_claim(s) and s.evidence.side is self.exporter
        ]
        proper = [s for s in own if may_claim(s.evidence.issuer, s.result.type)]
        return tuple(proper or own)

    @cached_property
    def exporter(self) -> Side | None:
        """The side whose claim it is: by the stated direction, else who makes the claim."""
        if len(self.directions) == 1:
            return _EXPORTER[next(iter(self.directions))]
        sides = {s.evidence.side for s in self.effective(CLAIMING) if self._is_claim(s)}
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
        return self.documents[self.doc_of(stated)].ends

    def doc_of(self, stated: Stated) -> DocId:
        """Return which document a result stands in."""
        assert stated.evidence.doc is not None  # noqa: S101  an inspection is a document
        return normalise.doc(stated.evidence.doc)

    def _is_claim(self, stated: Stated) -> bool:
        return self._answers(stated.result)

    def _answers(self, result: InspectionResult) -> bool:
        return (result.line, result.type) == (self.claim.line, self.claim.type)

    def effective(self, kinds: frozenset[Kind]) -> Iterator[Stated]:
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
