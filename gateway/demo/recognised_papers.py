"""What is stated of the demo's trucks. Everything is invented."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from gateway.model.bodies import Body, Inspection, Passage, Registry, Standing
from gateway.model.evidence import Evidence, Kind, Side, canonical
from gateway.model.inspection import (
    AuthorityRef,
    Conveyance,
    Declaration,
    Depth,
    DocKey,
    GoodsRef,
    InspectionResult,
    InspectionType,
    LabReport,
    Observation,
    Package,
    Parties,
    Role,
    Verdict,
)
from gateway.model.manifest import Direction
from gateway.model.values import Identifier, Measure, Moment, Precision, Text, plate_of

NPPO = AuthorityRef(country="VN", code="PPD7", role=Role.NPPO, scheme="vn.ppd")
VIA = AuthorityRef(country="VN", code="15B1", role=Role.CUSTOMS, scheme="vn.customs")
LAB = AuthorityRef(country="VN", code="LAB01", role=Role.LAB)
GACC = AuthorityRef(country="CN", code="7208", role=Role.CUSTOMS, scheme="cn.customs")
GROWER = "VN-PUC-001"
DECLARED = (
    "This consignment complies with the Protocol on demonstration fruit and is free from"
    " quarantine pests of concern to China."
)


@dataclass(frozen=True, slots=True)
class Truck:
    """A truck with fruit. lab: a report of cadmium goes with it."""

    plate: str
    number: str
    hs: str
    species: str
    packer: str
    lab: bool = False

    def exported(self, now: datetime) -> list[bytes]:
        """Return what the exporting side says: registries, certificate, report, departure."""
        issued = now - timedelta(hours=5)
        long_ago = now - timedelta(days=100)
        found = [
            _standing(Kind.REINSTATE, Registry.PUC, GROWER, NPPO, long_ago, long_ago),
            _standing(Kind.REINSTATE, Registry.PHC, self.packer, NPPO, long_ago, long_ago),
            _stated(Kind.ISSUE, self._certified(issued), NPPO, issued, doc=self._doc),
            _stated(
                Kind.DEPARTURE, self._passage(), VIA, now - timedelta(hours=4), about=(self._doc,)
            ),
        ]
        if self.lab:
            at = issued - timedelta(hours=10)
            found.append(_stated(Kind.LAB, _reported(at), LAB, at,
                                 doc=DocKey(issuer=LAB, type="LAB", number=f"R-{self.number}"),
                                 about=(self._doc,)))  # fmt: skip
        return found

    def imported(self, now: datetime, *, checked: bool) -> list[bytes]:
        """Return what the importing side says: arrival, its check, laboratories it knows."""
        long_ago = now - timedelta(days=100)
        found = [
            _standing(Kind.REINSTATE, Registry.LAB, "LAB01", GACC, long_ago, long_ago),
            _stated(
                Kind.ARRIVAL, self._passage(), GACC, now - timedelta(hours=2), about=(self._doc,)
            ),
        ]
        if checked:
            key = DocKey(issuer=GACC, type="CHK", number=f"C-{self.number}")
            body = Inspection(
                results=(self._result(InspectionType.PHYTO, "17950"),),
                conveyance=self._conveyance,
                parties=Parties(packers=(self.packer,)),
            )
            at = now - timedelta(hours=1)
            found.append(_stated(Kind.COUNTER_CHECK, body, GACC, at, doc=key, about=(self._doc,)))
        return found

    def suspended(self, start: datetime, at: datetime) -> bytes:
        """Return the word that the packing house is suspended."""
        return _standing(Kind.SUSPEND, Registry.PHC, self.packer, NPPO, start, at)

    @property
    def _doc(self) -> DocKey:
        return DocKey(issuer=NPPO, type="851", number=self.number)

    @property
    def _conveyance(self) -> Conveyance:
        return Conveyance(plates=(plate_of(self.plate, "VN"),), gate="CKHN", mode="3")

    def _passage(self) -> Passage:
        return Passage(
            journey=f"J-{self.number}",
            place="CKHN",
            direction=Direction.VN_CN,
            conveyance=self._conveyance,
        )

    def _result(self, kind: InspectionType, net: str) -> InspectionResult:
        goods = GoodsRef(
            hs=self.hs,
            hs_edition="2022",
            scientific_name=self.species,
            state="FRESH",
            origin="VN",
            net=_measure(net),
            packages=(Package(kind="CT", count=1000),),
            lots=("L1",),
        )
        return InspectionResult(
            type=kind, verdict=Verdict.PASS, depth=Depth.PHYSICAL_PARTIAL, goods=goods
        )

    def _certified(self, at: datetime) -> Inspection:
        done = _moment(at - timedelta(hours=3), "VN")
        result = self._result(InspectionType.PHYTO, "18000")
        return Inspection(
            results=(InspectionResult(
                type=result.type, verdict=result.verdict, depth=result.depth, performed_at=done,
                inspector=Role.NPPO, goods=result.goods,
            ),),
            direction=Direction.VN_CN,
            conveyance=self._conveyance,
            parties=Parties(growers=(GROWER,), packers=(self.packer,)),
            declarations=(Declaration(text=Text(value=DECLARED, lang="en")),),
            identifiers=(Identifier(scheme="ucr", value=f"UCR-{self.number}"),),
        )  # fmt: skip


def _reported(at: datetime) -> Inspection:
    seen = Observation(kind="CONTAMINANT", code="7440-43-9", measured=_measure("0.02", "mg/kg"))
    lab = LabReport(
        code="LAB01", report="R1", lots=("L1",), sampled_at=_moment(at - timedelta(hours=20), "VN")
    )
    result = InspectionResult(
        type=InspectionType.LAB,
        verdict=Verdict.PASS,
        depth=Depth.LABORATORY,
        observations=(seen,),
        lab=lab,
        performed_at=_moment(at, "VN"),
    )
    return Inspection(results=(result,))


def _standing(
    kind: Kind, registry: Registry, name: str, by: AuthorityRef, start: datetime, at: datetime
) -> bytes:
    body = Standing(registry=registry, id=name, start=_moment(start, by.country))
    return _stated(kind, body, by, at)


def _stated(
    kind: Kind,
    body: Body,
    by: AuthorityRef,
    at: datetime,
    doc: DocKey | None = None,
    about: tuple[DocKey, ...] = (),
) -> bytes:
    moment = _moment(at, by.country)
    return canonical(
        Evidence(
            kind=kind,
            side=Side(by.country),
            issuer=by,
            occurred_at=moment,
            stated_at=moment,
            body=body,
            doc=doc,
            about=about,
        )
    )


def _measure(value: str, unit: str = "KGM") -> Measure:
    return Measure(value=Decimal(value), unit=unit)


def _moment(at: datetime, country: str) -> Moment:
    offset = 420 if country == "VN" else 480
    local = (at + timedelta(minutes=offset)).replace(tzinfo=None)
    text = local.isoformat(timespec="seconds")
    return Moment(precision=Precision.SECOND, local=text, offset=offset)
