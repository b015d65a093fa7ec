"""Fixtures of the flow tests; what they are made of is in flow_sides.py."""

from collections.abc import Iterator

import pytest
from flow_sides import NAMES, NOW, Clock, Side, Wire, peer, side_of

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
    clock, wire = Clock(), Wire()
    made = {
        name: side_of(name, other, keys, formats, clock, wire, tmp_path / f"{name}.db")
        for name, other in (("vn", "cn"), ("cn", "vn"))
    }
    for name, other in (("vn", "cn"), ("cn", "vn")):
        wire.peers[name] = peer(made[name].services, NAMES[other])
    yield made
    for side in made.values():
        side.services.store.close()
