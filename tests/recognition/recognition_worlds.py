"""One world for each reason: what differs from the crossing that is recognised, and the answer.

`WORLDS` maps a name to a world; together they reach all fourteen outcomes and every reason.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace as change
from recognition_crossing import (
    BODY,
    GACC,
    GOODS,
    NPPO,
    PHYTO,
    START,
    TRUCK,
    VIA,
    Crossing,
    hours,
    key,
    kg,
    moment,
    registered,
    rule_set,
    statement,
)  # fmt: skip

from gateway.model.bodies import (
    Adjudication,
    ClaimRef,
    DrawStep,
    Ending,
    Handover,
    Inspection,
    Passage,
    Registry,
    SealEvent,
    Take,
)  # fmt: skip
from gateway.model.evidence import Evidence, Kind
from gateway.model.inspection import (
    AuthorityRef,
    Conveyance,
    Declaration,
    Depth,
    InspectionResult,
    InspectionType,
    Observation,
    Package,
    Parties,
    Role,
    Sample,
    SealState,
    Treatment,
    Validity,
    Verdict,
)  # fmt: skip
from gateway.model.manifest import Direction
from gateway.model.values import Identifier, Party, Text, plate_of
from gateway.recognition.draw import commitment, picked
from gateway.recognition.fold import Situation, evidence_root
from gateway.recognition.lineage import Pool
from gateway.recognition.outcomes import Outcome

BASE = Crossing()
CLAIM = BASE.claim


@dataclass(frozen=True)
class World:
    """Evidence, rules, instant; the outcome, and a reason that must be among the reasons."""

    crossing: Crossing
    outcome: Outcome
    reason: str = ""
    rules: tuple[tuple[str, str], ...] = ()
    claim: ClaimRef = CLAIM
    at: datetime | None = None

    @property
    def instant(self) -> datetime:
        return self.at or self.crossing.at


def body(**changes) -> Crossing:
    """Return the crossing with another certificate."""
    return Crossing(body=change(BODY, **changes))


def result(**changes) -> Crossing:
    return body(results=(change(PHYTO, **changes),))


def goods(**changes) -> Crossing:
    return result(goods=change(GOODS, **changes))


def seen(**changes) -> Crossing:
    return Crossing(seen=change(TRUCK, **changes))


def checked(verdict: Verdict = Verdict.PASS, **changes) -> Crossing:
    """Return the crossing with a check by the other side that saw other goods."""
    return BASE.plus(BASE.checked(verdict, 30, **changes))


def amended(version: int = 2, **changes) -> Evidence:
    return statement(
        Kind.AMEND, change(BODY, **changes), NPPO, START + hours(1), doc=BASE.doc, version=version
    )


def second(number: str = "25VN0002", hs: str = GOODS.hs, **more) -> Evidence:
    kind = Kind.REPLACE if "supersedes" in more else Kind.ISSUE
    body_ = change(BODY, results=(change(PHYTO, goods=change(GOODS, hs=hs)),))
    return statement(kind, body_, NPPO, START + hours(2), doc=key(number), **more)


def suspended(
    registry: Registry, id_: str, days: float = 0, issuer: AuthorityRef = GACC
) -> Evidence:
    return registered(registry, id_, issuer, days=days, kind=Kind.SUSPEND)


def handover(before: Conveyance, after: Conveyance) -> Evidence:
    return statement(
        Kind.HANDOVER, Handover(before=before, after=after, place="CKHN"), VIA,
        START + hours(20), about=(BASE.doc,),
    )  # fmt: skip


GUIDED = change(TRUCK, plates=(plate_of("IGV-07", "CN"),), units=("IGV-07",))
RESEALED = change(TRUCK, seals=(SealState(number="CN 000999"),))


def seal_cut(by: str = "CU") -> Evidence:
    event = SealEvent(event="replaced", seal=SealState(number="Seal No. VN000123"),
                      replaced_by=SealState(number="CN000999"), by=by, place="CKHN")  # fmt: skip
    return statement(Kind.SEAL_EVENT, event, VIA, START + hours(5), about=(BASE.doc,))


def journey(
    name: str, quantity: str | None, after: float, kind: Kind = Kind.ARRIVAL, plate: str = ""
) -> Evidence:
    conveyance = change(TRUCK, plates=(plate_of(plate),)) if plate else TRUCK
    take = Take(doc=BASE.doc, quantity=kg(quantity) if quantity else None)
    return BASE.passage(kind, after, journey=name, takes=(take,), seen=conveyance)


def shared_certificate(*more: Evidence) -> Crossing:
    """Two trucks on one certificate; no goods on the scales."""
    plain = Crossing(body=change(BODY, conveyance=Conveyance(gate="CKHN")))
    return plain.minus("arrival", "weighed", "departure").plus(*more)


def on(name: str) -> ClaimRef:
    return change(CLAIM, journey=name)


OFFICERS = (
    AuthorityRef(country="VN", code="OFF-1", role=Role.NPPO),
    AuthorityRef(country="CN", code="OFF-2", role=Role.CUSTOMS),
)


def root_of(crossing: Crossing, rules, claim: ClaimRef = CLAIM) -> str:
    """Return the root that officers would see: without adjudications."""
    from gateway.recognition.fold import decide

    situation = Situation.of(crossing.evidence())
    decision = decide(claim, situation, rules, crossing.at)
    pool: Pool = situation.pool
    return evidence_root(d for d in decision.evidence if pool[d].kind is not Kind.ADJUDICATE)


def adjudicated(
    crossing: Crossing,
    outcome: str,
    *resolves: str,
    officers=OFFICERS,
    rules=(),
    root: str = "",
    **more,
) -> Crossing:
    body_ = Adjudication(
        claim=more.pop("claim", CLAIM), outcome=outcome, officers=officers, resolves=resolves,
        root=root or root_of(crossing, rule_set(*rules)), **more,
    )  # fmt: skip
    return crossing.plus(statement(Kind.ADJUDICATE, body_, NPPO, START + hours(40)))


def dice(wanted: bool, frequency: str = "0.5", **more) -> Crossing:
    """Return a crossing whose draw comes out as wanted."""
    claim = str(CLAIM)
    vn = b"\x01" * 16
    for number in range(256):
        cn = bytes([number]) * 16
        if picked(vn, cn, claim, Decimal(frequency)) is wanted:
            return BASE.plus(*throws(vn, cn, **more))
    raise AssertionError("no such draw")


def throws(vn: bytes, cn: bytes, reveal_vn: bool = True, reveal_cn: bool = True) -> list[Evidence]:
    found = []
    for issuer, secret, reveals in ((NPPO, vn, reveal_vn), (GACC, cn, reveal_cn)):
        step = DrawStep(claim=CLAIM, value=commitment(secret))
        found.append(statement(Kind.COMMIT, step, issuer, START + hours(3)))
        if reveals:
            shown = DrawStep(claim=CLAIM, value=secret.hex())
            found.append(statement(Kind.REVEAL, shown, issuer, START + hours(24.5)))
    return found


WHEN = 'suspension = "DEPARTURE"'
HALF = ((WHEN, f"reinspection = {{ frequency = 0.5 }}\n{WHEN}"),)
EVERY = ((WHEN, f"reinspection = {{ frequency = 1 }}\n{WHEN}"),)
COUNTER = (("ACCEPT_ON_CLAIM", "REQUIRE_COUNTER_CHECK"),)
CONDITIONS = ((WHEN, f'conditions = ["seal intact until the market"]\n{WHEN}'),)
TREATED = (
    (
        "[rule.tolerance]",
        '[[rule.requires]]\nkind = "treatment"\nid = "mb"\n'
        'schedules = [{ type = "FUMIGATION", agent = "methyl bromide",'
        ' dose_min = { value = "32", unit = "g/m3" },'
        ' duration_min = { value = "2", unit = "HUR" } }, { type = "COLD",'
        ' temperature_max = { value = "2.77", unit = "CEL" },'
        ' duration_min = { value = "4", unit = "DAY" } }]\n'
        "[rule.tolerance]",
    ),
)
LOGGED = (
    (
        "[rule.tolerance]",
        '[[rule.requires]]\nkind = "temperature"\nid = "log"\n'
        'highest = { value = "-18", unit = "CEL" }\n[rule.tolerance]',
    ),
)


def treatment(dose: str, unit: str = "g/m3", duration: str = "120", units: str = "MIN") -> Crossing:
    done = Treatment(type="fumigation", agent="Methyl  Bromide", dose=kg(dose, unit),
                     duration=kg(duration, units))  # fmt: skip
    return result(treatments=(done,))


def log(highest: str, unit: str = "CEL") -> Crossing:
    found = Observation(kind="QUANTITY", code="TEMPERATURE", measured=kg(highest, unit))
    made = InspectionResult(
        type=InspectionType.TEMPERATURE, verdict=Verdict.PASS, observations=(found,)
    )
    return body(results=(PHYTO, made))


def lots(*names: str) -> Crossing:
    return goods(lots=names)


OPERATOR = AuthorityRef(country="CN", code="X2", role=Role.OPERATOR)
OTHER_NPPO = AuthorityRef(country="VN", code="X1", role=Role.OPERATOR)
NII = InspectionResult(type=InspectionType.NII_XRAY, verdict=Verdict.FAIL, depth=Depth.INSTRUMENTAL)


def scanned() -> Evidence:
    return statement(Kind.NII, Inspection(results=(NII,)), GACC, START + hours(25),
                     doc=key("N1", GACC, "NII"), about=(BASE.doc,))  # fmt: skip


def party(number: str) -> Parties:
    ids = (Identifier(scheme="cn.uscc", value=number),)
    return Parties(consignee=Party(ids=ids), growers=("VN-PUC-001",), packers=("VN-PHC-007",))


def other_party() -> Crossing:
    check = change(BASE.checked(Verdict.PASS, 30).body, parties=party("91450000B"))
    return body(parties=party("91450000A")).plus(
        statement(
            Kind.COUNTER_CHECK,
            check,
            GACC,
            START + hours(30),
            doc=key("C9", GACC, "CHK"),
            about=(BASE.doc,),
        )
    )


WORLDS: dict[str, World] = {
    # the happy ones
    "recognised": World(BASE, Outcome.RECOGNISED),
    "recognised, checked": World(Crossing(check=Verdict.PASS), Outcome.RECOGNISED),
    "handed over to a guided vehicle": World(
        Crossing(seen=GUIDED).plus(handover(TRUCK, GUIDED)), Outcome.RECOGNISED
    ),
    "seal replaced by customs": World(Crossing(seen=RESEALED).plus(seal_cut()), Outcome.RECOGNISED),
    "edition of the tariff": World(checked(hs="0810.91"), Outcome.RECOGNISED),
    "treated": World(treatment("32.0"), Outcome.RECOGNISED, rules=TREATED),
    "frozen": World(log("-20"), Outcome.RECOGNISED, rules=LOGGED),
    "not drawn": World(dice(False), Outcome.RECOGNISED, rules=HALF),
    "counter-checked": World(Crossing(check=Verdict.PASS), Outcome.RECOGNISED, rules=COUNTER),
    "with conditions": World(BASE, Outcome.RECOGNISED_WITH_CONDITIONS, "CONDITION", CONDITIONS),
    "with remarks": World(
        result(verdict=Verdict.PASS_WITH_REMARKS), Outcome.RECOGNISED_WITH_CONDITIONS, "REMARKS"
    ),
    "adjudicated": World(
        adjudicated(seen(plates=(plate_of("12C-999.99"),)), "RECOGNISED", "PLATE"),
        Outcome.RECOGNISED,
        "ADJUDICATED",
    ),
    # the document
    "withdrawn": World(BASE.plus(BASE.withdrawn()), Outcome.REVOKED, "STATUS_WITHDRAWN"),
    "withdrawn, then amended": World(
        BASE.plus(BASE.withdrawn(), amended()), Outcome.REVOKED, "STATUS_WITHDRAWN"
    ),
    "rejected": World(
        BASE.plus(
            statement(Kind.REJECT, Ending(status="41"), GACC, START + hours(25), doc=BASE.doc)
        ),
        Outcome.REVOKED,
        "STATUS_REJECTED",
    ),
    "replaced, the new one withdrawn": World(
        BASE.plus(
            second(supersedes=BASE.doc),
            statement(Kind.WITHDRAW, Ending(), NPPO, START + hours(3), doc=key("25VN0002")),
        ),
        Outcome.REVOKED,
        "STATUS_REPLACED",
    ),
    "key compromised": World(
        BASE.plus(suspended(Registry.KEY, "key-VN", -1, NPPO)), Outcome.REVOKED, "KEY_COMPROMISED"
    ),
    "two contents": World(
        BASE.plus(amended(1, conveyance=Conveyance())), Outcome.EQUIVOCAL, "VERSION_CONFLICT"
    ),
    "two contents, then a new version": World(
        BASE.plus(amended(1, conveyance=Conveyance()), amended(2)),
        Outcome.EQUIVOCAL,
        "VERSION_CONFLICT",
    ),
    "two live documents": World(BASE.plus(second()), Outcome.DISCREPANT, "SEVERAL_LIVE_DOCUMENTS"),
    "two live documents, one of other goods": World(
        BASE.plus(second(hs="0805.10")), Outcome.NOT_COVERED, "RULE_MISSING"
    ),
    "two live documents, the other one of other goods": World(
        goods(hs="0805.10").plus(second()), Outcome.NOT_COVERED, "RULE_MISSING"
    ),
    "departed before it was issued": World(Crossing(departs=-5), Outcome.DISCREPANT, "DATE_ORDER"),
    "not yet valid": World(
        body(validity=Validity(not_before=moment(START + timedelta(days=3)))),
        Outcome.DISCREPANT,
        "DATE_ORDER",
    ),
    "validity passed": World(
        body(validity=Validity(not_after=moment(START + hours(10)))), Outcome.EXPIRED, "VALIDITY"
    ),
    "departed too late": World(
        Crossing(body=change(BODY, validity=Validity(days_to_departure=1)), departs=30, arrives=40),
        Outcome.EXPIRED,
        "VALIDITY",
    ),
    "too old": World(Crossing(departs=300, arrives=400, check_at=410), Outcome.EXPIRED, "AGE"),
    # the other side
    "contradicted": World(
        Crossing(check=Verdict.FAIL), Outcome.CONTRADICTED, "COUNTER_CHECK_DIFFERS"
    ),
    "contradicted the other way": World(
        result(verdict=Verdict.FAIL).plus(BASE.checked(Verdict.PASS)),
        Outcome.CONTRADICTED,
        "COUNTER_CHECK_DIFFERS",
    ),
    "did not pass": World(result(verdict=Verdict.FAIL), Outcome.DISCREPANT, "VERDICT"),
    "no conclusion": World(
        result(verdict=Verdict.INCONCLUSIVE), Outcome.PENDING_EVIDENCE, "INCONCLUSIVE"
    ),
    "counterpart silent": World(
        BASE, Outcome.PENDING_COUNTERPART, "COUNTER_CHECK_MISSING", COUNTER
    ),
    "counterpart too late": World(
        BASE, Outcome.REINSPECTION_REQUIRED, "DEADLINE_PASSED", COUNTER, at=START + hours(31)
    ),
    "image looks wrong": World(BASE.plus(scanned()), Outcome.REINSPECTION_REQUIRED, "FOR_CAUSE"),
    "seal damaged": World(
        seen(seals=(SealState(number="VN000123", condition=2),)),
        Outcome.REINSPECTION_REQUIRED,
        "SEAL_CONDITION",
    ),
    # registries
    "packer suspended before departure": World(
        BASE.plus(suspended(Registry.PHC, "VN PHC 007")), Outcome.SUSPENDED, "FACILITY_SUSPENDED"
    ),
    "grower suspended by its own side": World(
        BASE.plus(suspended(Registry.PUC, "VN-PUC-001", 0, NPPO)),
        Outcome.SUSPENDED,
        "FACILITY_SUSPENDED",
    ),
    "suspended for these goods": World(
        BASE.plus(suspended(Registry.COMMODITY, "081090")), Outcome.SUSPENDED, "COMMODITY_SUSPENDED"
    ),
    "packer suspended while it drives": World(
        BASE.plus(suspended(Registry.PHC, "VN-PHC-007", 0.5)), Outcome.RECOGNISED
    ),
    "packer suspended, and nobody says when it departed": World(
        BASE.minus("departure").plus(suspended(Registry.PHC, "VN-PHC-007", 0.5)),
        Outcome.SUSPENDED,
        "FACILITY_SUSPENDED",
    ),
    "packer suspended and reinstated on the way": World(
        BASE.minus("departure").plus(
            suspended(Registry.PHC, "VN-PHC-007", 0.5),
            registered(Registry.PHC, "VN-PHC-007", GACC, days=0.75),
        ),
        Outcome.SUSPENDED,
        "FACILITY_SUSPENDED",
    ),
    "laboratory suspended": World(
        BASE.plus(suspended(Registry.LAB, "LAB01", -5)), Outcome.SUSPENDED, "LAB_SUSPENDED"
    ),
    "issuer suspended": World(
        BASE.plus(suspended(Registry.ISSUER, "PPD7", -5)), Outcome.SUSPENDED, "ISSUER_SUSPENDED"
    ),
    "gate suspended": World(
        BASE.plus(suspended(Registry.GATE, "CKHN")), Outcome.SUSPENDED, "ROUTE_SUSPENDED"
    ),
    "packer unknown": World(BASE.minus("phc"), Outcome.PENDING_EVIDENCE, "FACILITY_UNKNOWN"),
    "registered by an operator only": World(
        BASE.minus("phc").plus(registered(Registry.PHC, "VN-PHC-007", OTHER_NPPO)),
        Outcome.PENDING_EVIDENCE,
        "FACILITY_UNKNOWN",
    ),
    "suspended by an operator": World(
        BASE.plus(suspended(Registry.PHC, "VN-PHC-007", 0, OTHER_NPPO)), Outcome.RECOGNISED
    ),
    "laboratory known to its own side only": World(
        BASE.minus("lab-known").plus(registered(Registry.LAB, "LAB01")),
        Outcome.PENDING_EVIDENCE,
        "LAB_NOT_RECOGNISED",
    ),
    "packer not known to the other side": World(
        BASE,
        Outcome.PENDING_EVIDENCE,
        "FACILITY_UNKNOWN",
        (('registry = "PHC"', 'registry = "PHC"\nby = ["VN", "CN"]'),),
    ),
    # the rule
    "no rule": World(goods(hs="0805.10"), Outcome.NOT_COVERED, "RULE_MISSING"),
    "rule ended": World(
        BASE, Outcome.NOT_COVERED, "RULE_ENDED", (("end = 2026-12-31", "end = 2026-05-01"),)
    ),
    "rule not yet published": World(
        BASE, Outcome.NOT_COVERED, "RULE_ENDED", (("2025-12-01", "2026-06-01"),)
    ),
    "dry run": World(BASE, Outcome.NOT_COVERED, "RULE_DRY_RUN", (('"LIVE"', '"DRY_RUN"'),)),
    "never": World(BASE, Outcome.NOT_COVERED, "RULE_NEVER", (("ACCEPT_ON_CLAIM", "NEVER"),)),
    "other gate": World(
        BASE, Outcome.NOT_COVERED, "GATE", (('gates = ["CKHN"]', 'gates = ["TT"]'),)
    ),
    "other issuer": World(
        BASE, Outcome.NOT_COVERED, "ISSUER_ROLE", (('role = "NPPO"', 'role = "VET"'),)
    ),
    "other origin": World(goods(origin="LA"), Outcome.NOT_COVERED, "RULE_MISSING"),
    "other organism": World(
        BASE,
        Outcome.NOT_COVERED,
        "RULE_MISSING",
        (('origin = "VN"', 'origin = "VN", eppo = ["DURZI"]'),),
    ),
    "other state": World(
        BASE,
        Outcome.NOT_COVERED,
        "RULE_MISSING",
        (('origin = "VN"', 'origin = "VN", state = "FROZEN"'),),
    ),
    "other type": World(
        BASE, Outcome.NOT_COVERED, "RULE_MISSING", (('types = ["PHYTO"]', 'types = ["VET"]'),)
    ),
    "other direction": World(
        BASE, Outcome.NOT_COVERED, "RULE_MISSING", (('direction = "VN-CN"', 'direction = "CN-VN"'),)
    ),
    # the goods
    "too light": World(Crossing(seen_net="16000"), Outcome.DISCREPANT, "QTY_NET"),
    "too heavy": World(Crossing(seen_net="18200"), Outcome.DISCREPANT, "QTY_NET"),
    "no mass at all": World(goods(net=kg(0)), Outcome.DISCREPANT, "QTY_NET"),
    "gross below net": World(goods(gross=kg(17000)), Outcome.DISCREPANT, "QTY_GROSS"),
    "tare of a piano": World(goods(gross=kg(28000)), Outcome.DISCREPANT, "TARE_IMPLAUSIBLE"),
    "packages": World(
        checked(packages=(Package(kind="CT", count=990),)), Outcome.DISCREPANT, "PKG_COUNT"
    ),
    "tariff code": World(checked(hs="080540"), Outcome.DISCREPANT, "HS6"),
    "species": World(
        checked(scientific_name="Durio zibethinus L.", eppo=""), Outcome.DISCREPANT, "SPECIES"
    ),
    "origin": World(checked(origin="TH"), Outcome.DISCREPANT, "ORIGIN"),
    "lots": World(checked(lots=("L9",)), Outcome.DISCREPANT, "LOT"),
    "direction": World(
        BASE.plus(
            statement(
                Kind.ARRIVAL,
                Passage(journey="J1", direction=Direction.CN_VN),
                GACC,
                START + hours(24),
                about=(BASE.doc,),
            )
        ),
        Outcome.DISCREPANT,
        "ROUTE",
    ),
    "container": World(seen(containers=("ZZZU7654321",)), Outcome.DISCREPANT, "CONTAINER"),
    "check digit": World(
        Crossing(
            body=change(BODY, conveyance=change(TRUCK, containers=("ZZZU1234560",))),
            seen=change(TRUCK, containers=()),
        ),
        Outcome.DISCREPANT,
        "CONTAINER_CHECK_DIGIT",
    ),
    "plate": World(seen(plates=(plate_of("12C-999.99"),)), Outcome.DISCREPANT, "PLATE"),
    "handed over to another one": World(
        Crossing(seen=change(TRUCK, plates=(plate_of("桂F99999"),))).plus(handover(TRUCK, GUIDED)),
        Outcome.DISCREPANT,
        "PLATE",
    ),
    "on a guided vehicle that another truck was unloaded to": World(
        Crossing(seen=GUIDED).plus(handover(change(TRUCK, plates=(plate_of("99H-1"),)), GUIDED)),
        Outcome.DISCREPANT,
        "PLATE",
    ),
    "seal": World(Crossing(seen=RESEALED), Outcome.DISCREPANT, "SEAL_SET"),
    "seal of another maker": World(
        Crossing(
            body=change(
                BODY, conveyance=change(TRUCK, seals=(SealState(number="VN000123", maker="A"),))
            ),
            seen=change(TRUCK, seals=(SealState(number="VN000123", maker="B"),)),
        ),
        Outcome.DISCREPANT,
        "SEAL_SET",
    ),
    "seal cut by the carrier": World(
        Crossing(seen=RESEALED).plus(seal_cut("CA")), Outcome.DISCREPANT, "SEAL_SET"
    ),
    "consignee": World(other_party(), Outcome.DISCREPANT, "PARTY"),
    # what the rule asks
    "nothing but an amendment of another line": World(
        body(results=(change(PHYTO, line=1), change(PHYTO, line=2))),
        Outcome.RECOGNISED,
        claim=change(CLAIM, line=2),
    ),
    "another document asked": World(
        BASE,
        Outcome.PENDING_EVIDENCE,
        "DOCUMENT_MISSING",
        (('type = "PHYTO"\nmin', 'type = "VET"\nmin'),),
    ),
    "no packer": World(
        body(parties=Parties(growers=("VN-PUC-001",))),
        Outcome.PENDING_EVIDENCE,
        "FACILITY_NOT_STATED",
    ),
    "no declaration": World(body(declarations=()), Outcome.PENDING_EVIDENCE, "DECLARATION_MISSING"),
    "other words": World(
        body(
            declarations=(
                Declaration(text=Text(value="All is well.", lang="en"), template="AD/FRUIT"),
            )
        ),
        Outcome.PENDING_EVIDENCE,
        "DECLARATION_TEXT",
    ),
    "not treated": World(BASE, Outcome.PENDING_EVIDENCE, "TREATMENT_MISSING", TREATED),
    "treated too little": World(
        treatment("31.9"), Outcome.DISCREPANT, "TREATMENT_SCHEDULE", TREATED
    ),
    "treated too short": World(
        treatment("32", duration="119"), Outcome.DISCREPANT, "TREATMENT_SCHEDULE", TREATED
    ),
    "too warm": World(log("-17.5"), Outcome.DISCREPANT, "TEMP_LOG", LOGGED),
    "no report": World(BASE.minus("lab"), Outcome.PENDING_EVIDENCE, "LAB_MISSING"),
    "laboratory unknown": World(
        BASE.minus("lab-known"), Outcome.PENDING_EVIDENCE, "LAB_NOT_RECOGNISED"
    ),
    "other lot": World(lots("L1", "L2"), Outcome.PENDING_EVIDENCE, "LAB_LOT"),
    "cadmium": World(Crossing(cadmium="0.051"), Outcome.DISCREPANT, "ANALYTE_LIMIT"),
    "documents only": World(result(depth=Depth.DOCUMENTARY), Outcome.DISCREPANT, "DEPTH"),
    "sampled too little": World(
        result(sample=Sample(units=1000, sampled=19)), Outcome.DISCREPANT, "SAMPLE_FRACTION"
    ),
    # sampling and the ledger
    "every lot": World(BASE, Outcome.SELECTED_FOR_SAMPLING, "DRAWN", EVERY),
    "drawn": World(dice(True), Outcome.SELECTED_FOR_SAMPLING, "DRAWN", HALF),
    "drawn and checked": World(
        dice(True).plus(BASE.checked(Verdict.PASS)), Outcome.RECOGNISED, rules=HALF
    ),
    "exporter hides its secret": World(
        dice(False, reveal_vn=False),
        Outcome.SELECTED_FOR_SAMPLING,
        "REVEAL_MISSING",
        HALF,
        at=START + hours(26),
    ),
    "importer hides its secret": World(
        dice(True, reveal_cn=False), Outcome.PENDING_COUNTERPART, "DRAW_PENDING", HALF
    ),
    "first of two trucks": World(
        shared_certificate(journey("J1", "10000", 24), journey("J2", "10000", 30)),
        Outcome.RECOGNISED,
        claim=on("J1"),
    ),
    "second of two trucks": World(
        shared_certificate(journey("J1", "10000", 24), journey("J2", "10000", 30)),
        Outcome.PARTIALLY_RECOGNISED,
        "QTY_PARTIAL",
        claim=on("J2"),
    ),
    "second truck, nothing left": World(
        shared_certificate(journey("J1", None, 24), journey("J2", "10000", 30)),
        Outcome.DISCREPANT,
        "QTY_OVERDRAWN",
        claim=on("J2"),
    ),
    "released is not taken away": World(
        shared_certificate(
            journey("J1", "10000", 24),
            journey("J2", "10000", 30),
            journey("J2", "10000", 31, Kind.RELEASE),
        ),
        Outcome.PARTIALLY_RECOGNISED,
        "QTY_PARTIAL",
        claim=on("J1"),
    ),
    # persons
    "one officer twice": World(
        adjudicated(
            seen(plates=(plate_of("12C-999.99"),)),
            "RECOGNISED",
            "PLATE",
            officers=(OFFICERS[0], OFFICERS[0]),
        ),
        Outcome.DISCREPANT,
        "PLATE",
    ),
    "officers cannot lift a withdrawal": World(
        adjudicated(BASE.plus(BASE.withdrawn()), "RECOGNISED", "STATUS_WITHDRAWN"),
        Outcome.REVOKED,
        "STATUS_WITHDRAWN",
    ),
    "officers of one side cannot lift a contradiction": World(
        adjudicated(
            Crossing(check=Verdict.FAIL),
            "RECOGNISED",
            "COUNTER_CHECK_DIFFERS",
            officers=(OFFICERS[0], change(OFFICERS[0], code="OFF-3")),
        ),
        Outcome.CONTRADICTED,
        "COUNTER_CHECK_DIFFERS",
    ),
    "officers of both sides lift a contradiction": World(
        adjudicated(Crossing(check=Verdict.FAIL), "RECOGNISED", "COUNTER_CHECK_DIFFERS"),
        Outcome.RECOGNISED,
        "ADJUDICATED",
    ),
    "two contents need a new version too": World(
        adjudicated(
            BASE.plus(amended(1, conveyance=Conveyance())), "RECOGNISED", "VERSION_CONFLICT"
        ),
        Outcome.EQUIVOCAL,
        "VERSION_CONFLICT",
    ),
    "two contents clarified": World(
        adjudicated(
            BASE.plus(amended(1, conveyance=Conveyance()), amended(2)),
            "RECOGNISED",
            "VERSION_CONFLICT",
        ),
        Outcome.RECOGNISED,
        "ADJUDICATED",
    ),
    "officers saw other evidence": World(
        adjudicated(seen(plates=(plate_of("12C-999.99"),)), "RECOGNISED", "PLATE", root="0" * 64),
        Outcome.DISCREPANT,
        "PLATE",
    ),
    "officers make it stricter, unseen": World(
        adjudicated(BASE, "REINSPECTION_REQUIRED", root="0" * 64),
        Outcome.REINSPECTION_REQUIRED,
        "ADJUDICATED",
    ),
    "adjudication no longer in force": World(
        adjudicated(
            seen(plates=(plate_of("12C-999.99"),)),
            "RECOGNISED",
            "PLATE",
            not_after=moment(START + hours(2)),
        ),
        Outcome.DISCREPANT,
        "PLATE",
    ),
    # who may say what
    "withdrawn by somebody else": World(
        BASE.plus(statement(Kind.WITHDRAW, Ending(), OTHER_NPPO, START + hours(1), doc=BASE.doc)),
        Outcome.RECOGNISED,
    ),
    "rejected by its own side": World(
        BASE.plus(statement(Kind.REJECT, Ending(status="41"), VIA, START + hours(1), doc=BASE.doc)),
        Outcome.RECOGNISED,
    ),
    "replaced by somebody else": World(
        BASE.plus(
            statement(
                Kind.REPLACE,
                change(BODY, identifiers=()),
                OTHER_NPPO,
                START + hours(2),
                doc=key("Z1", OTHER_NPPO),
                supersedes=BASE.doc,
            )
        ),
        Outcome.RECOGNISED,
    ),
    "an operator's arrival does not keep it fresh": World(
        Crossing(departs=300, arrives=400, check_at=410)
        .minus("arrival")
        .plus(change(BASE.passage(Kind.ARRIVAL, 24), issuer=OPERATOR)),
        Outcome.EXPIRED,
        "AGE",
        at=START + hours(400),
    ),
    "an operator releases nothing": World(
        shared_certificate(
            journey("J1", "10000", 24),
            journey("J2", "10000", 30),
            change(
                journey("J2", "10000", 31, Kind.RELEASE), issuer=change(GACC, role=Role.OPERATOR)
            ),
        ),
        Outcome.RECOGNISED,
        claim=on("J1"),
    ),
    "checked by an operator": World(
        BASE.plus(change(BASE.checked(Verdict.FAIL), issuer=change(GACC, role=Role.OPERATOR))),
        Outcome.RECOGNISED,
    ),
    "certified by an operator": World(
        Crossing(body=change(BODY, identifiers=BODY.identifiers))
        .minus("certificate")
        .plus(change(BASE.certificate, issuer=OTHER_NPPO)),
        Outcome.NOT_COVERED,
        "ISSUER_ROLE",
    ),
    "it replaces itself": World(
        BASE.plus(
            statement(
                Kind.REPLACE,
                BODY,
                NPPO,
                START + hours(2),
                doc=BASE.doc,
                version=2,
                supersedes=BASE.doc,
            )
        ),
        Outcome.RECOGNISED,
    ),
    "check signed with a stolen key": World(
        Crossing(check=Verdict.PASS).plus(suspended(Registry.KEY, "key-CN", -1)),
        Outcome.PENDING_COUNTERPART,
        "COUNTER_CHECK_MISSING",
        COUNTER,
    ),
}
