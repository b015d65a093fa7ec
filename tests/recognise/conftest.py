"""Two sides that recognise."""

from collections.abc import Iterator

import pytest
from flow_sides import NOW, Clock, Side, Wire
from recognise_sides import CHECKED, two_gateways

from gateway.codec.formats import Formats
from gateway.signing import demo_keys


@pytest.fixture(scope="session")
def formats() -> Formats:
    return Formats.load(NOW.date())


@pytest.fixture(scope="session")
def keys(tmp_path_factory) -> demo_keys.DemoKeys:
    return demo_keys.generate(tmp_path_factory.mktemp("keys"), NOW, None)


@pytest.fixture
def sides(tmp_path, keys, formats) -> Iterator[dict[str, Side]]:
    made = two_gateways(tmp_path, keys, formats, Clock(), Wire(), CHECKED)
    yield made
    for side in made.values():
        side.services.store.close()
