"""A sample of the mutation run: with a guard turned off, a property must fail.

`make mutants` turns off every guard, one at a time.
"""

import subprocess
import sys
from pathlib import Path

from recognition_guards import GUARDS

HERE = Path(__file__).parent
SAMPLE = sorted(GUARDS)[5::40]


def test_a_sample_of_guards_is_needed() -> None:
    said = subprocess.run(
        [sys.executable, str(HERE / "recognition_guards.py"), *SAMPLE],
        capture_output=True,
        text=True,
        cwd=HERE.parents[1],
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert f"{len(SAMPLE)} guards turned off, 0 survive" in said.stdout


def test_every_check_and_clause_is_among_the_guards() -> None:
    from gateway.recognition import judge, requirements, select

    assert {f"check {name}" for name in judge.CHECKS} <= set(GUARDS)
    assert {f"clause {name}" for name in select.CLAUSES} <= set(GUARDS)
    assert {f"requirement {kind.__name__}" for kind in requirements.CHECKS} <= set(GUARDS)
