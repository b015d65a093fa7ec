"""What the tests of signature forms share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from timestamp_authority import TimestampServer


@pytest.fixture(scope="session")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimestampServer]:
    with TimestampServer(tmp_path_factory.mktemp("tsa")) as server:
        yield server


@pytest.fixture
def restored(tsa: TimestampServer) -> Iterator[TimestampServer]:
    """The authority, for tests that let it answer otherwise."""
    yield tsa
    tsa.reply = tsa.stamp


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
