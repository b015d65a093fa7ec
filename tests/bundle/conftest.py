"""One crossing, exported by both sides, for all tests of bundles."""

from collections.abc import Iterator

import pytest
from bundle_sides import Made, make
from flow_sides import NOW, Clock, Wire
from ledger_sides import make_sides
from timestamp_authority import TimestampServer

from gateway.codec.formats import Formats
from gateway.signing import demo_keys


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("bundles")
    keys = demo_keys.generate(tmp_path_factory.mktemp("keys"), NOW, None)
    sides = make_sides(folder, keys, Formats.load(NOW.date()), Clock(), Wire())
    anchors = folder / "anchors"
    anchors.mkdir()
    with TimestampServer(folder / "tsa") as server:
        yield make(sides, anchors, server)
    for side in sides.values():
        side.services.store.close()
