"""Three invented formats, so that the engine is tested apart from the real tables."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from codec_fixtures import DAY, FIXTURES

from gateway.codec.formats import Formats


@pytest.fixture(scope="session")
def formats() -> Formats:
    return Formats.load(DAY, FIXTURES / "mappings", FIXTURES / "xsd")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the fixtures that a test may spoil."""
    shutil.copytree(FIXTURES, tmp_path / "fixtures")
    return tmp_path / "fixtures"


@pytest.fixture
def spoil(copy: Path) -> Callable[[str, str, str], Path]:
    """Replace text in one file of the copy; the text must be there."""

    def spoiled(file: str, before: str, after: str) -> Path:
        path = copy / file
        content = path.read_text(encoding="utf-8")
        assert before in content
        path.write_text(content.replace(before, after, 1), encoding="utf-8")
        return copy

    return spoiled
