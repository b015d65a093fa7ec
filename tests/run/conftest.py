"""Fixtures of the tests of transport, worker, settings and command line."""

import ssl
from collections.abc import Iterator

import pytest
from run_peers import Act, Authority, MakePeer, Peer


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki"), "test-authority")


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki"), "unknown-authority")


@pytest.fixture
def peer() -> Iterator[MakePeer]:
    """Make peers that are closed at the end of the test."""
    peers: list[Peer] = []

    def make(act: Act, tls: ssl.SSLContext | None = None) -> Peer:
        peers.append(Peer(act, tls))
        return peers[-1]

    yield make
    for each in peers:
        each.close()
