"""Authorities, running listeners, and a whole gateway behind the agencies' listener."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from edge_services import House, build, demo_keys
from edge_tls import (
    PATIENCE,
    Authority,
    Identity,
    Running,
    client_context,
    connect,
    server_tls,
)

from gateway import store as stores
from gateway.api.health import Readiness
from gateway.api.listener import Listener
from gateway.api.protocol import Bounds
from gateway.signing.demo_keys import DemoKeys


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


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> DemoKeys:
    return demo_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite store with the current schema, to copy."""
    path = tmp_path_factory.mktemp("template") / "store.db"
    stores.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def identities(pki: Pki) -> dict[str, Identity]:
    """A client certificate for each agency, and one that belongs to none."""
    names = ("customs", "other", "quarantine", "operator", "nobody")
    return {name: pki.agencies.issue(name) for name in names}


@dataclass
class Desk:
    """An agencies' listener in front of a whole gateway."""

    house: House
    running: Running
    readiness: Readiness
    pki: Pki
    identities: dict[str, Identity]
    clients: list[httpx.Client]

    def client(self, name: str = "customs", lang: str = "en") -> httpx.Client:
        context = client_context(self.pki.servers.anchors, self.identities[name])
        url = f"https://127.0.0.1:{self.running.port('agencies')}"
        headers = {"accept-language": lang}
        self.clients.append(
            httpx.Client(base_url=url, verify=context, headers=headers, timeout=PATIENCE)
        )
        return self.clients[-1]

    def raw(self, name: str = "customs") -> ssl.SSLSocket:
        context = client_context(self.pki.servers.anchors, self.identities[name])
        return connect(self.running.port("agencies"), context)


@pytest.fixture
def desk(
    tmp_path: Path,
    template: Path,
    keys: DemoKeys,
    pki: Pki,
    identities: dict[str, Identity],
    start: Started,
) -> Iterator[Desk]:
    house = build(tmp_path, template, keys, identities)
    app, readiness = house.app()
    tls = server_tls(pki.server, pki.agencies)
    running = start(Listener("agencies", app, ("127.0.0.1", 0), tls, Bounds(linger=0.2)))
    under_test = Desk(house, running, readiness, pki, identities, [])
    yield under_test
    for client in under_test.clients:
        client.close()
    running.stop()
    house.close()
