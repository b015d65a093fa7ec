"""A crossing that is recognised, piece by piece, and rule sets in the form of files.

Everything is invented. A test changes one thing of `Crossing` and asks what becomes of it.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from gateway.model.bodies import (
    ClaimRef,
    Ending,
    Inspection,
    Passage,
    Registry,
    Standing,
)
from gateway.model.evidence import Evidence, Kind, Side, SignerRef
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
    SealState,
    Validity,
    Verdict,
)
from gateway.model.manifest import Direction
from gateway.model.values import Identifier, Measure, Moment, Precision, Text, plate_of
from gateway.recognition.load import load

START = datetime(2026, 5, 12, 1, 0, tzinfo=UTC)
"""When the certificate is issued."""
NPPO = AuthorityRef(country="VN", code="PPD7", role=Role.NPPO, scheme="vn.ppd")
GACC = AuthorityRef(country="CN", code="7208", role=Role.CUSTOMS, scheme="cn.customs")
VIA = AuthorityRef(country="VN", code="15B1", role=Role.CUSTOMS, scheme="vn.customs")
LAB = AuthorityRef(country="VN", code="LAB01", role=Role.LAB)
DECLARED = (
    "This consignment complies with the Protocol on fresh fruit samples and is free from"
    " quarantine pests of concern to China. Container ZZZU1234564."
)

RULES = """
[[template]]
id = "AD/FRUIT"
lang = "en"
text = '''This consignment complies with the {protocol} and is free from
quarantine pests of concern to China. Container {container}.'''

[[rule]]
id = "VN-CN/PHYTO/081090/test"
title = "Fresh fruit, sample rule"
mode = "ACCEPT_ON_CLAIM"
rollout = "LIVE"
direction = "VN-CN"
basis = { kind = "PROTOCOL", ref = "a sample" }
effective = { start = 2026-01-01, end = 2026-12-31 }
published = 2025-12-01
scope = { hs = ["081090"], gates = ["CKHN"], origin = "VN" }
types = ["PHYTO"]
issuers = [{ country = "VN", role = "NPPO" }]
sample_min = 0.02
suspension = "DEPARTURE"

[[rule.requires]]
kind = "document"
id = "phyto"
type = "PHYTO"
min_depth = "PHYSICAL_PARTIAL"
max_age = "P14D"

[[rule.requires]]
kind = "registry"
id = "puc"
registry = "PUC"

[[rule.requires]]
kind = "registry"
id = "phc"
registry = "PHC"

[[rule.requires]]
kind = "declaration"
id = "ad"
templates = ["AD/FRUIT"]

[[rule.requires]]
kind = "laboratory"
id = "cadmium"
analyte = "7440-43-9"
by = ["CN"]
limit = { value = "0.05", unit = "mg/kg" }

[rule.tolerance]
rel = 0.005
abs_kg = 20
shrink_per_hour = 0.0003
clock = "PT15M"
tare = [{ kind = "CT", least = 0.2, most = 3 }]

[rule.because]
effective = { source = "agreed for tests", confidence = "agreed" }
scope = { source = "agreed for tests", confidence = "agreed" }
mode = { source = "agreed for tests", confidence = "agreed" }
requires = { source = "agreed for tests", confidence = "agreed" }
tolerance = { source = "agreed for tests", confidence = "agreed" }
sample_min = { source = "agreed for tests", confidence = "agreed" }
suspension = { source = "agreed for tests", confidence = "agreed" }
reinspection = { source = "agreed for tests", confidence = "agreed" }
counter_check = { source = "agreed for tests", confidence = "agreed" }
conditions = { source = "agreed for tests", confidence = "agreed" }
"""
SET = 'id = "tests"\nversion = "1"\npublished = 2025-12-01\n'
ORGANISMS = (
    "name,eppo\nHylocereus undatus,HCRUN\nSelenicereus undatus,HCRUN\nDurio zibethinus,DURZI\n"
)
EDITIONS = "old_edition,old,new_edition,new\n2017,081091,2022,081090\n"


def rule_set(*changes: tuple[str, str], more: str = ""):
    """Return the rules after textual changes; `more` is a second file."""
    text = RULES
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    files = {
        "set.toml": SET,
        "rules.toml": text,
        "organisms.csv": ORGANISMS,
        "hs-editions.csv": EDITIONS,
    }
    if more:
        files["more.toml"] = more
    return load({name: content.encode() for name, content in files.items()})


def moment(at: datetime, offset: int = 420) -> Moment:
    local = (at + timedelta(minutes=offset)).replace(tzinfo=None)
    return Moment(
        precision=Precision.SECOND, local=local.isoformat(timespec="seconds"), offset=offset
    )


def kg(value: str | int, unit: str = "KGM") -> Measure:
    return Measure(value=Decimal(value), unit=unit)


def key(number: str, issuer: AuthorityRef = NPPO, type_: str = "851") -> DocKey:
    return DocKey(issuer=issuer, type=type_, number=number)


def statement(kind: Kind, body, issuer: AuthorityRef, at: datetime, **more) -> Evidence:
    offset = 420 if issuer.country == "VN" else 480
    when = moment(at, offset)
    return Evidence(
        kind=kind, side=Side(issuer.country), issuer=issuer,
        occurred_at=more.pop("occurred_at", when), stated_at=more.pop("stated_at", when),
        body=body, signer=more.pop("signer", SignerRef(key=f"key-{issuer.country}")), **more,
    )  # fmt: skip


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


GOODS = GoodsRef(
    hs="0810.90.92", hs_edition="2022", scientific_name="Hylocereus undatus (Haw.) Britton & Rose",
    state="FRESH", origin="VN", net=kg(18000), gross=kg(19000),
    packages=(Package(kind="CT", count=1000),), lots=("L1",),
)  # fmt: skip
PHYTO = InspectionResult(
    type=InspectionType.PHYTO, verdict=Verdict.PASS, depth=Depth.PHYSICAL_PARTIAL,
    performed_at=moment(START - hours(3)), inspector=Role.NPPO, goods=GOODS,
)  # fmt: skip
TRUCK = Conveyance(
    plates=(plate_of("12C-123.45", "VN"),), containers=("ZZZU 123456-4",), gate="CKHN",
    seals=(SealState(number="VN 000123"),), mode="3",
)  # fmt: skip
BODY = Inspection(
    results=(PHYTO,), direction=Direction.VN_CN, conveyance=TRUCK,
    parties=Parties(growers=("VN-PUC-001",), packers=("VN-PHC-007",)),
    declarations=(Declaration(text=Text(value=DECLARED, lang="en")),),
    identifiers=(Identifier(scheme="ucr", value="UCR-2026-0001"),),
    validity=Validity(not_after=moment(START + timedelta(days=20))),
)  # fmt: skip


def registered(
    registry: Registry,
    id_: str,
    issuer: AuthorityRef = NPPO,
    days: float = -100,
    kind=Kind.REINSTATE,
) -> Evidence:
    start = moment(START + timedelta(days=days))
    return statement(
        kind, Standing(registry=registry, id=id_, start=start), issuer, START + timedelta(days=days)
    )


@dataclass(frozen=True)
class Crossing:
    """A crossing; `evidence()` is all of it. Nothing here depends on an order."""

    number: str = "25VN0001"
    body: Inspection = BODY
    cadmium: str = "0.02"
    seen_net: str = "17950"
    seen: Conveyance = TRUCK
    check: Verdict | None = None
    check_at: float = 30
    departs: float = 6
    arrives: float = 24
    more: tuple[Evidence, ...] = ()
    without: frozenset[str] = field(default_factory=frozenset)

    @property
    def doc(self) -> DocKey:
        return key(self.number)

    @property
    def certificate(self) -> Evidence:
        return statement(Kind.ISSUE, self.body, NPPO, START, doc=self.doc)

    @property
    def at(self) -> datetime:
        return START + hours(self.arrives)

    @property
    def claim(self) -> ClaimRef:
        return ClaimRef(case="UCR-2026-0001", type=InspectionType.PHYTO)

    def report(self) -> Evidence:
        found = Observation(
            kind="CONTAMINANT", code="7440-43-9", measured=kg(self.cadmium, "mg/kg")
        )
        lab = LabReport(
            code="LAB01", report="R1", lots=("L1",), sampled_at=moment(START - hours(40))
        )
        result = InspectionResult(
            type=InspectionType.LAB, verdict=Verdict.PASS, depth=Depth.LABORATORY,
            observations=(found,), lab=lab, performed_at=moment(START - hours(20)),
        )  # fmt: skip
        return statement(
            Kind.LAB, Inspection(results=(result,)), LAB, START - hours(20),
            doc=key("R1", LAB, "LAB"), about=(self.doc,),
        )  # fmt: skip

    def passage(self, kind: Kind, after: float, **more) -> Evidence:
        issuer = VIA if kind is Kind.DEPARTURE else GACC
        body = Passage(
            journey=more.pop("journey", "J1"), place="CKHN", direction=Direction.VN_CN,
            conveyance=more.pop("seen", self.seen), takes=more.pop("takes", ()),
        )  # fmt: skip
        return statement(kind, body, issuer, START + hours(after), about=(self.doc,))

    def checked(self, verdict: Verdict, after: float | None = None, **goods) -> Evidence:
        seen = replace_goods(GOODS, net=kg(self.seen_net), gross=None, **goods)
        result = InspectionResult(
            type=InspectionType.PHYSICAL, verdict=verdict, depth=Depth.PHYSICAL_FULL, goods=seen
        )
        body = Inspection(results=(result,), conveyance=replace_seen(self.seen),
                          parties=Parties(packers=("VN-PHC-007",)))  # fmt: skip
        return statement(
            Kind.COUNTER_CHECK, body, GACC, START + hours(after or self.check_at),
            doc=key(f"C-{self.number}", GACC, "CHK"), about=(self.doc,),
        )  # fmt: skip

    def weighed(self) -> Evidence:
        result = InspectionResult(
            type=InspectionType.WEIGHT, verdict=Verdict.PASS, depth=Depth.INSTRUMENTAL,
            goods=GoodsRef(net=kg(self.seen_net)),
        )  # fmt: skip
        return statement(
            Kind.WEIGH, Inspection(results=(result,)), GACC, START + hours(self.arrives),
            doc=key(f"W-{self.number}", GACC, "WGT"), about=(self.doc,),
        )  # fmt: skip

    def parts(self) -> dict[str, Evidence]:
        found = {
            "certificate": self.certificate,
            "lab": self.report(),
            "departure": self.passage(Kind.DEPARTURE, self.departs),
            "arrival": self.passage(Kind.ARRIVAL, self.arrives),
            "weighed": self.weighed(),
            "puc": registered(Registry.PUC, "VN-PUC-001"),
            "phc": registered(Registry.PHC, "VN-PHC-007"),
            "lab-known": registered(Registry.LAB, "LAB01", GACC),
        }
        if self.check is not None:
            found["check"] = self.checked(self.check)
        return found

    def evidence(self) -> list[Evidence]:
        kept = [each for name, each in self.parts().items() if name not in self.without]
        return [*kept, *self.more]

    def plus(self, *more: Evidence) -> "Crossing":
        return replace(self, more=(*self.more, *more))

    def minus(self, *names: str) -> "Crossing":
        return replace(self, without=self.without | set(names))

    def withdrawn(self, after: float = 1) -> Evidence:
        return statement(Kind.WITHDRAW, Ending(), NPPO, START + hours(after), doc=self.doc)


def replace_goods(goods: GoodsRef, **changes) -> GoodsRef:
    import msgspec

    return msgspec.structs.replace(goods, **changes)


def replace_seen(seen: Conveyance) -> Conveyance:
    import msgspec

    return msgspec.structs.replace(seen, seals=())
