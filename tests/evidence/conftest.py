"""Fixtures of the evidence tests; what they are made of is in evidence_world.py."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from evidence_world import closing, two_sides
from flow_sides import NOW, Side
from postgres import postgres_server
from timestamp_authority import TimestampServer

from gateway.codec.formats import Formats
from gateway.signing import demo_keys


@pytest.fixture(scope="session")
def formats() -> Formats:
    return Formats.load(NOW.date())


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> demo_keys.DemoKeys:
    return demo_keys.generate(tmp_path_factory.mktemp("keys"), NOW, None)


@pytest.fixture(scope="session")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimestampServer]:
    with TimestampServer(tmp_path_factory.mktemp("tsa")) as server:
        yield server


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    with postgres_server() as url:
        yield url


@pytest.fixture
def sides(tmp_path: Path, keys: demo_keys.DemoKeys, formats: Formats) -> Iterator[dict[str, Side]]:
    with closing(two_sides(tmp_path, keys, formats, {})) as made:
        yield made
