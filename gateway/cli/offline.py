"""What translation and encoding need when there is no server: tables, values, numbers."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli import talk

if TYPE_CHECKING:
    from gateway.codec.formats import Decoded, Formats
    from gateway.flows.translate import Setting

Values = Annotated[
    list[str],
    typer.Option(
        "--set", metavar="NAME=VALUE", help="A value of the counterpart's profile (senderId ...)."
    ),
]
Params = Annotated[
    Path | None, typer.Option("--params", help="Submission parameters, a JSON file.")
]
OptionalConfig = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Take profile, disclosure and registers from there."),
]
EVERYTHING = frozenset({"crew", "contact", "communications"})
"""Personal subtrees: without a settings file nothing leaves this machine, so all may show."""


@dataclass
class Memory:
    """Numbers that are bound for as long as the command runs."""

    bound: dict[tuple[str, str], str] = field(default_factory=dict)
    counters: Counter[str] = field(default_factory=Counter)

    def allocate(self, scope: str, key: str, value: str) -> str:
        """Bind a value to a key; return the value that was bound first."""
        return self.bound.setdefault((scope, key), value)

    def allocated(self, scope: str, key: str) -> str | None:
        """Return what is bound to a key."""
        return self.bound.get((scope, key))

    def count(self, name: str, floor: int = 1) -> int:
        """Return the next number of a counter."""
        self.counters[name] = max(self.counters[name] + 1, floor)
        return self.counters[name]


def tables() -> "Formats":
    """Load the tables that hold today."""
    from gateway.bootstrap.outside import clock
    from gateway.codec.formats import Formats

    return Formats.load(clock().date())


def setting(
    formats: "Formats", values: Sequence[str], config: Path | None, *, draft: bool
) -> "Setting":
    """Make what a translation needs: the counterpart of a settings file, then --set."""
    from gateway import resources
    from gateway.bootstrap.outside import clock, randomness
    from gateway.codec.gates import Gates
    from gateway.evidence.rows import SALT_SIZE
    from gateway.flows.numbers import allocate
    from gateway.flows.translate import Setting

    profile, disclose, register = _configured(config)
    profile = {**profile, **pairs(values)}
    ledger = Memory()

    def number(target: str, what: str, key: str) -> str | None:
        return allocate(clock, ledger, profile, (target, what, key))

    return Setting(
        formats=formats,
        gates=Gates.load(resources.folder("mappings"), clock().date()),
        profile=profile,
        register=register.get,
        allocate=number,
        disclose=disclose,
        salt=randomness(SALT_SIZE),
        draft=draft,
    )


def _configured(
    config: Path | None,
) -> tuple[Mapping[str, str], frozenset[str], Mapping[str, Mapping[str, str]]]:
    if config is None:
        talk.say("no settings file: identities are those of mappings/profile.example.toml")
        return _example(), EVERYTHING, {}
    from gateway.bootstrap.parts import vehicles

    settings = talk.settings(config).settings
    register = vehicles(settings.registers.vehicles)
    for section in settings.counterpart.values():
        return section.profile, section.disclose, register
    return {}, EVERYTHING, register


def _example() -> dict[str, str]:
    """Return the profile that stands for a counterpart when nobody is configured."""
    import tomllib

    from gateway import resources

    file = resources.folder("mappings") / "profile.example.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def pairs(values: Sequence[str]) -> dict[str, str]:
    """Read NAME=VALUE words; others are wrong use."""
    found: dict[str, str] = {}
    for word in values:
        name, equals, value = word.partition("=")
        if not name or not equals:
            raise typer.BadParameter(f"{word}: NAME=VALUE is expected")
        found[name] = value
    return found


def decoded(formats: "Formats", files: Sequence[Path], stated: Sequence[str]) -> "list[Decoded]":
    """Decode files, vehicles first. GatewayError with the findings of all of them.

    stated: their formats in the same order, or nothing: detected.
    """
    from dataclasses import replace

    from gateway.errors import Finding, GatewayError, refusal

    if stated and len(stated) != len(files):
        raise typer.BadParameter("give --from once for each file, or not at all")
    documents: list[Decoded] = []
    findings: list[Finding] = []
    for number, file in enumerate(files):
        content = talk.read(file)
        try:
            name = stated[number] if stated else formats.detect(content)
            documents.append(formats.decode(name, content))
        except GatewayError as failure:
            found = failure.findings or (Finding(failure.code, failure.code),)
            place = f"{file.name}: " if len(files) > 1 else ""
            findings += [replace(f, path=place + f.path) for f in found]
    if refused := refusal(findings):
        raise refused
    documents.sort(key=lambda d: formats.header(d.format).roles != ("vehicle",))
    return documents


def by_class(report: Mapping[str, object]) -> dict[str, int]:
    """Count the source rows of a report by what became of them."""
    counts: dict[str, int] = defaultdict(int)
    parts = report["sources"]
    for part in parts if isinstance(parts, list) else []:
        for row in part.get("sources", ()):
            counts[row["class"]] += 1
    return dict(counts)
