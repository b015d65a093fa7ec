"""The two authorities of the tests: one for the counterpart, one for the agencies."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from edge_tls import Authority, Identity, Running

from gateway.api.listener import Listener


@dataclass(frozen=True)
class Pki:
    """Authorities and the certificates that tests connect with."""

    servers: Authority
    counterparts: Authority
    agencies: Authority
    server: Identity
    counterpart: Identity
    agency: Identity


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    folder: Path = tmp_path_factory.mktemp("pki")
    servers, counterparts, agencies = (
        Authority(folder, name) for name in ("servers", "counterparts", "agencies")
    )
    return Pki(
        servers,
        counterparts,
        agencies,
        servers.issue("gateway"),
        counterparts.issue("cn"),
        agencies.issue("customs"),
    )


@dataclass
class Started:
    """Starts listeners, and stops them at the end of the test."""

    running: list[Running]

    def __call__(self, *listeners: Listener, loop: str = "uvloop") -> Running:
        self.running.append(Running(listeners, loop))
        return self.running[-1]


@pytest.fixture
def start() -> Iterator[Started]:
    started = Started([])
    yield started
    for running in started.running:
        running.stop()
