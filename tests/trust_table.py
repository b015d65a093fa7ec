"""docs/trust.md: which attack or fault is answered how, and which tests prove it.

A test says what it proves with a marker; several may be stacked or stand on one parameter:

    @pytest.mark.proves(attack="a DOCTYPE", code="malformed", rule="doctype",
                        behaviour="refused while reading, before any entity is looked at")

`make trust-table` runs the marked tests and writes the table, if all of them passed. The house
test compares the file with the markers that are there.
"""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.errors import CODES
from gateway.texts import RULES

FILE = Path(__file__).parent.parent / "docs" / "trust.md"
COMMAND = "make trust-table"
NO_CODE = "-"
"""Stands for a code where nothing is refused."""

HEAD = """\
# What is attacked or fails, and what the gateway does

Written by `make trust-table` from the tests that prove each row, after they passed; do not edit.
A test says what it proves with the marker `proves`. **code** is what goes back or is recorded,
with the rule of the finding behind it; `-` where nothing is refused. What an operator does about
each is in `docs/operations.md`, what both sides agreed on in `docs/exchange-profile.md`.
"""

PARTS = {
    "hostile": "Hostile input",
    "signing": "Signatures",
    "forms": "Other forms of signatures, timestamps",
    "trust": "Certificates, parties, revocation",
    "keys": "Keys, tokens and packs",
    "evidence": "The evidence log",
    "settle": "The mutual ledger",
    "bundle": "Evidence bundles",
    "api": "The listeners",
    "flows": "Messages",
    "faults": "Faults",
    "run": "Running processes",
}
"""Folder of tests -> heading, in this order; further folders follow under their own name."""


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """What one marker of one test says. part: the folder of the test."""

    part: str
    attack: str
    code: str
    rule: str
    behaviour: str
    test: str


def rows(items: list[pytest.Item]) -> list[Row]:
    """Return what tests prove; UsageError for a marker that is not as agreed."""
    marks = [(item.nodeid, mark) for item in items for mark in item.iter_markers("proves")]
    return [row(test.partition("[")[0], mark) for test, mark in marks]


def row(place: str, mark: pytest.Mark) -> Row:
    """Read a marker of the test `tests/FOLDER/file.py::name`."""
    said = dict(mark.kwargs)
    texts = [said.pop(name, None) for name in ("attack", "code", "behaviour")]
    rule = said.pop("rule", "")
    given = all(isinstance(text, str) and text.strip() for text in [*texts, rule or "-"])
    if mark.args or said or not given:
        raise pytest.UsageError(f"{place}: proves(attack=, code=, behaviour=[, rule=]) is the form")
    attack, code, behaviour = map(str, texts)
    if code != NO_CODE and code not in CODES:
        raise pytest.UsageError(f"{place}: {code} is no code of gateway.errors ({NO_CODE}: none)")
    if rule and rule not in RULES:
        raise pytest.UsageError(f"{place}: {rule} is no rule of gateway/texts/rules.csv")
    return Row(Path(place.partition("::")[0]).parts[1], attack, code, rule, behaviour, place)


def render(found: list[Row]) -> str:
    """Return the text of docs/trust.md."""
    parts: dict[str, dict[tuple[str, ...], set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in found:
        key = (row.attack, row.code, row.rule, row.behaviour)
        parts[row.part][key].add(row.test.removeprefix("tests/"))
    named = [part for part in PARTS if part in parts]
    named += sorted(set(parts) - set(PARTS))
    return HEAD + "".join(_part(PARTS.get(part, part), parts[part]) for part in named)


def _part(heading: str, table: dict[tuple[str, ...], set[str]]) -> str:
    lines = [f"\n## {heading}\n", "| attack or fault | code | behaviour | proved by |"]
    lines.append("|---|---|---|---|")
    for (attack, code, rule, behaviour), tests in sorted(table.items()):
        named = "-" if code == NO_CODE else f"`{code}`"
        named += f" `{rule}`" if rule else ""
        cells = [attack, named, behaviour, "<br>".join(f"`{test}`" for test in sorted(tests))]
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


PROPERTY = "proves"
"""Of a test's report: so the rows reach the process that writes the table, whichever ran it."""


class Table:
    """Watches a run and writes the table in the end, if each marked test passed."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what a test that ran and passed proves."""
        if not report.passed:
            self.failed.add(report.nodeid)
        elif report.when == "call":
            said = [value for name, value in report.user_properties if name == PROPERTY]
            self.rows += [Row(*value) for value in said]

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, exitstatus: int
    ) -> None:
        """Write the file, or say why not."""
        if exitstatus or self.failed or not self.rows:
            terminalreporter.write_line(f"{FILE.name} is not written: not every test passed")
            return
        FILE.write_text(render(self.rows), encoding="utf-8")
        terminalreporter.write_line(f"{FILE.name}: {len(set(self.rows))} rows and tests")
