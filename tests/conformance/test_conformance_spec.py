"""The catalogue: it can be read, cites clauses that exist, leaves no MUST without a case."""

import csv
from pathlib import Path

import pytest
from clause_list import clauses, listed

from conformance.engine import case as cases
from conformance.engine import coverage
from conformance.engine.checks import registry
from conformance.peer.mutants import RECEIVER, SENDER
from conformance.resources import folder

CATALOGUE = cases.load(folder("spec") / "cases")
MUTANTS = {*RECEIVER, *SENDER}


def test_the_list_of_clauses_is_that_of_the_profile():
    assert {name: level for name, (level, _) in listed().items()} == clauses()


def test_every_must_has_a_case_or_a_reason():
    found = coverage.measure(coverage.read(folder("spec") / "clauses.csv"), CATALOGUE)
    assert found.whole, (found.bare, found.unknown, found.idle)


@pytest.mark.parametrize("case", CATALOGUE.values(), ids=lambda case: case.id)
def test_what_a_case_names_exists(case):
    checks = registry()
    for step in case.steps:
        if isinstance(step, cases.Verify):
            assert step.what in checks
    names = [instance.name for instance in case.instances()]
    assert len(set(names)) == len(names)
    assert all(len(text) > 1 for text in (*case.title.values(), *case.purpose.values()))


def test_every_mutant_of_the_peers_has_a_case():
    named = {mutant for case in CATALOGUE.values() for mutant in case.mutants}
    assert named >= MUTANTS


def test_what_is_left_out_says_why_and_is_left_out():
    with (folder("spec") / "left-out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["id"] for row in rows}.isdisjoint(CATALOGUE)
    assert all(row["reason"] for row in rows)


def test_a_file_with_an_unknown_key_is_refused(tmp_path: Path):
    area = tmp_path / "env"
    area.mkdir()
    good = (folder("spec") / "cases" / "env" / "ENV-01.toml").read_text("utf-8")
    (area / "ENV-01.toml").write_text(good + 'surprise = "x"\n', encoding="utf-8")
    with pytest.raises(cases.SpecificationError, match="surprise"):
        cases.load(tmp_path)


def test_a_negative_case_without_a_control_is_refused(tmp_path: Path):
    area = tmp_path / "env"
    area.mkdir()
    text = (folder("spec") / "cases" / "env" / "ENV-08.toml").read_text("utf-8")
    (area / "ENV-08.toml").write_text(text.replace('control = "plain"\n', ""), encoding="utf-8")
    with pytest.raises(cases.SpecificationError, match="control"):
        cases.load(tmp_path)
