"""docs/trust.md says what the tests prove, no more and no less."""

import subprocess
import sys
from pathlib import Path

import pytest
from trust_table import COMMAND, FILE, row

ROOT = Path(__file__).parent.parent.parent


def test_the_table_of_attacks_is_that_of_the_tests():
    options = ("-q", "--collect-only", "-p", "no:cacheprovider", "-m", "proves")
    command = [sys.executable, "-m", "pytest", *options, "--trust-table", "show"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert shown.returncode == 0, shown.stdout[-2000:]
    table = shown.stdout.split("\f")[1]
    assert FILE.read_text(encoding="utf-8") == table, f"stale: run `{COMMAND}`"


@pytest.mark.parametrize(
    "said",
    [
        {"attack": "a", "code": "signature-invalid"},
        {"attack": "a", "code": "no-such-code", "behaviour": "b"},
        {"attack": "a", "code": "-", "behaviour": "b", "rule": "no-such-rule"},
        {"attack": "a", "code": "-", "behaviour": "b", "colour": "c"},
        {"attack": " ", "code": "-", "behaviour": "b"},
        {"attack": "a", "code": "-", "behaviour": 1},
    ],
)
def test_a_marker_that_is_not_as_agreed_ends_the_run(said):
    good = {"attack": "a", "code": "stale", "behaviour": "b", "rule": "created"}
    place = "tests/trust/test_it.py::test_it"
    assert row(place, pytest.mark.proves(**good).mark).part == "trust"
    with pytest.raises(pytest.UsageError):
        row(place, pytest.mark.proves(**said).mark)
