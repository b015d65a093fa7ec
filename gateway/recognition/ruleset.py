"""Rule sets: what both sides agreed, as data. Content-addressed; `load` reads and proves them.

A value that no law, protocol or agreement gives has low confidence, and a rule with such a
value cannot be LIVE. Durations are ISO 8601 (`P14D`, `PT36H`), numbers are Decimals.
"""

import re
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property, lru_cache

import msgspec

from gateway.model.evidence import digest
from gateway.model.inspection import Depth, InspectionType, Role
from gateway.model.manifest import Direction
from gateway.model.values import Canonical, Measure
from gateway.recognition.hs import Correlation, Organism, Tables

_DURATION = re.compile(
    r"^P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?)?$"
)


class Mode(StrEnum):
    """How a claim is recognised."""

    ACCEPT_ON_CLAIM = "ACCEPT_ON_CLAIM"
    REQUIRE_COUNTER_CHECK = "REQUIRE_COUNTER_CHECK"
    JOINT_INSPECTION = "JOINT_INSPECTION"
    NEVER = "NEVER"


class Rollout(StrEnum):
    """DRY_RUN says only what it would have said."""

    DRY_RUN = "DRY_RUN"
    LIVE = "LIVE"


class Confidence(StrEnum):
    """agreed: by both sides, in this set. confirmed: a published source. low: neither."""

    AGREED = "agreed"
    CONFIRMED = "confirmed"
    LOW = "low"


class Instant(StrEnum):
    """Which instant a suspension is compared with."""

    ISSUE = "ISSUE"
    DEPARTURE = "DEPARTURE"
    ARRIVAL = "ARRIVAL"


class Basis(Canonical, frozen=True, kw_only=True):
    """Where a rule comes from. kind: PROTOCOL, PILOT, TRADITIONAL_ACCESS, NATIONAL_RULE or
    JOINT_CONTROL."""

    kind: str
    ref: str
    signed: date | None = None


class Effective(Canonical, frozen=True, kw_only=True):
    """When the law applies, whole days of the importing side. Protocols end: no default."""

    start: date
    end: date


class Scope(Canonical, frozen=True, kw_only=True):
    """What a rule is for. An empty clause holds for all. hs: codes of 2, 4 or 6 digits."""

    hs: tuple[str, ...]
    eppo: tuple[str, ...] = ()
    state: str = ""
    gates: tuple[str, ...] = ()
    origin: str = ""


class IssuerClause(Canonical, frozen=True, kw_only=True):
    """Who may make the claim."""

    country: str
    role: Role
    code: str = ""


class Schedule(Canonical, frozen=True, kw_only=True):
    """One row of a treatment table; a treatment that satisfies any row suffices."""

    type: str
    agent: str = ""
    dose_min: Measure | None = None
    duration_min: Measure | None = None
    temperature_min: Measure | None = None
    temperature_max: Measure | None = None


class Requirement(Canonical, frozen=True, kw_only=True, tag_field="kind"):
    """Something a rule asks for. start, end: days on which it is asked, of the arrival."""

    id: str
    start: date | None = None
    end: date | None = None


class DocumentRequired(Requirement, frozen=True, kw_only=True, tag="document"):
    """A live document of a type. max_age: from issue to arrival."""

    type: InspectionType
    min_depth: Depth = Depth.NONE
    max_age: str = ""


class RegistryRequired(Requirement, frozen=True, kw_only=True, tag="registry"):
    """Every grower (PUC) or packer (PHC) of the document is registered, by each country of `by`."""

    registry: str
    by: tuple[str, ...] = ()


class DeclarationRequired(Requirement, frozen=True, kw_only=True, tag="declaration"):
    """One of the declarations of the set stands on the document."""

    templates: tuple[str, ...]


class LabRequired(Requirement, frozen=True, kw_only=True, tag="laboratory"):
    """A report on an analyte from a laboratory that is registered, by each country of `by`.

    limit None: not detected.
    """

    analyte: str
    by: tuple[str, ...] = ()
    limit: Measure | None = None


class TreatmentRequired(Requirement, frozen=True, kw_only=True, tag="treatment"):
    """A treatment by any row of a table."""

    schedules: tuple[Schedule, ...]


class TemperatureRequired(Requirement, frozen=True, kw_only=True, tag="temperature"):
    """A temperature log whose highest value is not above."""

    highest: Measure


AnyRequirement = (
    DocumentRequired
    | RegistryRequired
    | DeclarationRequired
    | LabRequired
    | TreatmentRequired
    | TemperatureRequired
)


class Tare(Canonical, frozen=True, kw_only=True):
    """Plausible tare of one package of a Rec 21 kind, kilograms."""

    kind: str
    least: Decimal
    most: Decimal


class Tolerance(Canonical, frozen=True, kw_only=True):
    """How far values may differ. All are shares of the claimed value, but abs_kg and clock.

    net and gross share the band; shrink: per hour, downwards only. ceiling: of the ledger.
    """

    rel: Decimal = Decimal(0)
    abs_kg: Decimal = Decimal(0)
    shrink_per_hour: Decimal = Decimal(0)
    gain: Decimal = Decimal(0)
    ceiling: Decimal = Decimal(0)
    packages: int = 0
    clock: str = "PT0M"
    tare: tuple[Tare, ...] = ()


class Reinspection(Canonical, frozen=True, kw_only=True):
    """How often lots are drawn. reduced after so many clean lots; tightened after a failed one.

    reveal: after the arrival, the time to reveal the secret of the draw.
    """

    frequency: Decimal = Decimal(0)
    reduced: Decimal | None = None
    clean_lots: int = 0
    tightened: Decimal | None = None
    reveal: str = "PT1H"
    for_cause: tuple[str, ...] = ("SEAL_CONDITION",)


class CounterCheck(Canonical, frozen=True, kw_only=True):
    """The other side's check, where the mode asks for it. deadline: after the arrival."""

    min_depth: Depth = Depth.DOCUMENTARY
    deadline: str = "PT6H"


class Because(Canonical, frozen=True, kw_only=True):
    """Where a value comes from."""

    source: str
    confidence: Confidence


class Rule(Canonical, frozen=True, kw_only=True):
    """One rule. because: path of a value, or its beginning -> source and confidence."""

    id: str
    title: str
    mode: Mode
    direction: Direction
    basis: Basis
    effective: Effective
    published: date
    scope: Scope
    types: tuple[InspectionType, ...]
    issuers: tuple[IssuerClause, ...]
    because: dict[str, Because]
    rollout: Rollout = Rollout.DRY_RUN
    requires: tuple[AnyRequirement, ...] = ()
    tolerance: Tolerance = Tolerance()
    sample_min: Decimal | None = None
    reinspection: Reinspection = Reinspection()
    counter_check: CounterCheck = CounterCheck()
    suspension: Instant = Instant.DEPARTURE
    conditions: tuple[str, ...] = ()


class Template(Canonical, frozen=True, kw_only=True):
    """The wording of an additional declaration in one language; `{name}` is a slot."""

    id: str
    lang: str
    text: str


class RuleSet(Canonical, frozen=True, kw_only=True, dict=True, gc=True):
    """All that a decision depends on besides evidence and instant."""

    id: str
    version: str
    published: date
    rules: tuple[Rule, ...]
    templates: tuple[Template, ...] = ()
    correlations: tuple[Correlation, ...] = ()
    organisms: tuple[Organism, ...] = ()

    @cached_property
    def digest(self) -> str:
        """The name of the set, which every decision cites."""
        return digest(self)

    @cached_property
    def tables(self) -> Tables:
        """Correlations and organisms, for looking up."""
        return Tables.of(self.correlations, self.organisms)

    @cached_property
    def by_id(self) -> dict[str, Rule]:
        """Rules by id."""
        return {rule.id: rule for rule in self.rules}


@lru_cache(1024)
def duration(text: str) -> timedelta:
    """Read `P14D`, `PT36H`, `P1DT12H30M`, `P2W`. ValueError for anything else."""
    found = _DURATION.match(text)
    if not found or not any(found.groups()):
        raise ValueError(f"no duration: {text}")
    return timedelta(**{name: int(value) for name, value in found.groupdict().items() if value})


def same(left: Canonical, right: Canonical) -> bool:
    """Return True when two values are one in content."""
    return bool(msgspec.to_builtins(left) == msgspec.to_builtins(right))
