"""Rules of the house that no linter holds."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
MOST_LINES = 400


def tracked(*patterns: str) -> list[Path]:
    said = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, check=True, text=True
    )
    return [ROOT / name for name in said.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.mark.parametrize("file", tracked("gateway/*.py"), ids=str)
def test_modules_are_small(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_requirements_are_pinned_by_hash():
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text(encoding="utf-8")
        pinned = [line for line in text.splitlines() if "==" in line]
        assert pinned
        assert all(line.endswith("\\") for line in pinned)
        assert "index-url" not in text
