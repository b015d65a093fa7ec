"""Cases are data: what a case file may say, and how it is read.

One TOML file a case, `spec/cases/<area>/<id>.toml`. Unknown keys are refused. The step words
are closed: a case holds no code.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

import msgspec

Text = dict[str, str]
"""By language: en, vi, zh, all three."""


PLAIN = "plain"
"""The control that most negative cases have: a valid message of no particular kind."""


LONGEST_SHOWN = 40


class _Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do"):
    """A step. `do` names it."""


class Build(_Step, frozen=True, tag="build"):
    """Make a message. document: a fixture; "" is the first type that the target takes. like:
    start from a message sent under that name.

    set, drop: fields of the envelope. attributes: of the root. patch: body values by path
    (local names, `A/B[2]/C`). Values may hold `{axis}`, `@id` (a new id), `@batch`,
    `@now+10m`, `@other-test` (the wrong test indicator), `@of:NAME:Field`.
    """

    document: str = ""
    like: str = ""
    set: dict[str, str] = {}
    drop: tuple[str, ...] = ()
    patch: dict[str, str] = {}
    attributes: dict[str, str] = {}
    extras: str = ""
    prefix: str | None = None
    namespace: str | None = None
    declaration: str | None = None
    body: str | None = None


class Sign(_Step, frozen=True, tag="sign"):
    """Sign what was built. key: a key of the target file or one made for the run (`stranger`,
    `expired`, ...). layout: fields of crypto.shapes.Layout that differ from the profile.
    unsigned: send it without a signature."""

    key: str = "message"
    layout: dict[str, str | bool | int | tuple[str, ...]] = {}
    unsigned: bool = False


class Corrupt(_Step, frozen=True, tag="corrupt"):
    """Change the octets after signing, by a named operator of wire.corrupt."""

    how: str
    at: str = ""
    by: str = ""


class Send(_Step, frozen=True, tag="send"):
    """Post the message. name: what later steps call it. parallel: copies at once. times:
    copies one after the other. tls: how the connection is made (`stranger`, `none`, ...)."""

    name: str = "last"
    parallel: int = 1
    times: int = 1
    tls: str = ""
    method: str = "POST"
    path: str = ""
    headers: dict[str, str] = {}
    raw: str = ""
    chunked: bool = False


class Verify(_Step, frozen=True, tag="verify"):
    """Judge. what: a check of engine.checks. of: the message it is about. codes: refusals
    that pass; allow: weaker ones that warn. Other words belong to single checks."""

    what: str
    of: str = "last"
    codes: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    rule: str = ""
    path: str = ""
    other: str = ""
    count: int = 0
    within: str = ""
    text: str = ""


class Serve(_Step, frozen=True, tag="serve"):
    """Say how the simulated partner behaves for the next requests, in order; the last one
    goes on. Words of partner.behaviours."""

    behaviours: tuple[str, ...]


class Trigger(_Step, frozen=True, tag="trigger"):
    """Make the target send. name: what later steps call the message. batch: the batch number
    to send about; messages of one batch are of one order key."""

    name: str = "last"
    document: str = "any"
    count: int = 1
    batch: str = ""


class Await(_Step, frozen=True, tag="await"):
    """Wait at the partner until a triggered message came `attempts` times. silence: see that
    it comes no oftener, for all of the time."""

    name: str = "last"
    attempts: int = 1
    within: str = "T1"
    silence: bool = False


class Query(_Step, frozen=True, tag="query"):
    """Ask the target's query interface where a triggered message stands. until: states at
    which the asking ends early."""

    of: str = "last"
    name: str = "state"
    until: tuple[str, ...] = ()
    within: str = "T1"


class Restart(_Step, frozen=True, tag="restart"):
    """Restart the target through its hook. hard: kill it."""

    hard: bool = False


class Pause(_Step, frozen=True, tag="clock"):
    """Let time pass: a declared limit (`T1`) or seconds."""

    seconds: str


Step = Build | Sign | Corrupt | Send | Verify | Serve | Trigger | Await | Query | Restart | Pause


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One template of the catalogue.

    id: never given away again. kind: P positive, N negative, F fault or race, M measured.
    control: the positive case that must pass directly before, or `plain`: any valid message.
    needs: features that a target must declare, else the case does not apply. axes: the case
    runs once per combination.
    effect: what can happen at the border when a target fails it. mutants: wrong peers that
    must fail it.
    """

    id: str
    level: Literal["MUST", "SHOULD", "MAY"]
    role: Literal["rx", "tx", "both", "doc", "api-rest", "api-grpc", "trn"]
    kind: Literal["P", "N", "F", "M"]
    clauses: tuple[str, ...]
    mutants: tuple[str, ...]
    since: str
    title: Text
    purpose: Text
    effect: Text
    steps: tuple[Step, ...]
    status: Literal["draft", "candidate", "certified"] = "candidate"
    control: str = ""
    needs: tuple[str, ...] = ()
    axes: dict[str, tuple[str, ...]] = {}
    profiles: tuple[str, ...] = ()

    @property
    def area(self) -> str:
        """The first part of the id."""
        return self.id.partition("-")[0]

    def instances(self) -> Iterator["Instance"]:
        """Return the case once per combination of its axes."""
        for values in product(*self.axes.values()):
            yield Instance(self, dict(zip(self.axes, values, strict=True)))


@dataclass(frozen=True, slots=True)
class Instance:
    """A case with one value for each of its axes."""

    case: Case
    axis: Mapping[str, str]

    @property
    def name(self) -> str:
        """`SCH-04[field=GrossWeight]`: how reports and the command line call it."""
        if not self.axis:
            return self.case.id
        return f"{self.case.id}[{','.join(map(_short, self.axis.values()))}]"


def _short(value: str) -> str:
    """A value that still can be read in a line: the length tells long ones apart."""
    return value if len(value) <= LONGEST_SHOWN else f"{value[:20]}...({len(value)})"


class SpecificationError(Exception):
    """A case file is wrong. It says which and why."""


def load(folder: Path) -> dict[str, Case]:
    """Read all cases below a folder, by id. SpecificationError with every fault."""
    cases: dict[str, Case] = {}
    faults: list[str] = []
    for path in sorted(folder.glob("*/*.toml")):
        try:
            case = msgspec.toml.decode(path.read_bytes(), type=Case)
        except (msgspec.DecodeError, msgspec.ValidationError) as fault:
            faults.append(f"{path.name}: {fault}")
            continue
        faults += _faults(case, path)
        cases[case.id] = case
    faults += [
        f"{case.id}: its control {case.control} is no positive case"
        for case in cases.values()
        if case.control not in ("", PLAIN)
        and (case.control not in cases or cases[case.control].kind != "P")
    ]
    if faults:
        raise SpecificationError("\n".join(faults))
    return cases


def _faults(case: Case, path: Path) -> list[str]:
    found = []
    if path.stem != case.id or path.parent.name != case.area.lower():
        found.append(f"{path.name}: holds {case.id}, in {path.parent.name}")
    if case.kind == "N" and case.role == "rx" and not case.control:
        found.append(f"{case.id}: a negative case needs a control")
    for name in ("title", "purpose", "effect"):
        if set(getattr(case, name)) != {"en", "vi", "zh"}:
            found.append(f"{case.id}: {name} needs en, vi and zh")
    if not case.mutants or not case.clauses:
        found.append(f"{case.id}: names no mutant or no clause")
    return found
