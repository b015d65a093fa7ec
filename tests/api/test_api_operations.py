"""The operations' listener: alive, ready, and figures that say what is stuck."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from api_desk import Started
from edge_services import SAMPLES, House, build
from edge_tls import PATIENCE, Identity

from gateway.api.health import OperationsApp, Readiness
from gateway.api.intake import read_parameters
from gateway.api.listener import Listener
from gateway.api.metrics import Backlog, Metrics
from gateway.flows.submit import Upload, submit
from gateway.signing.demo_keys import DemoKeys

FRUIT = SAMPLES / "dragon-fruit"


@pytest.fixture
def house(
    tmp_path: Path, template: Path, keys: DemoKeys, identities: dict[str, Identity]
) -> Iterator[House]:
    made = build(tmp_path, template, keys, identities)
    yield made
    made.close()


@pytest.fixture
def client(house: House, start: Started) -> Iterator[httpx.Client]:
    house.registry.register(Backlog(house.store, house.services.clock))
    readiness = Readiness(house.store.check, house.threads)
    app = OperationsApp(readiness, Metrics(house.registry), house.threads, house.services.ids)
    running = start(Listener("operations", app, ("127.0.0.1", 0), None))
    with httpx.Client(base_url=f"http://127.0.0.1:{running.port('operations')}") as asking:
        yield asking
    running.stop()


def test_what_waits_shows_per_destination(house: House, client: httpx.Client) -> None:
    names = ("tor.edi", "eda-1.edi", "eda-2.edi")
    uploads = [Upload(name, (FRUIT / name).read_bytes()) for name in names]
    stated = read_parameters((FRUIT / "parameters.json").read_bytes())
    submit(house.services, house.services.agencies["customs"], uploads, stated)
    reply = client.get("/metrics", timeout=PATIENCE)
    assert reply.headers["content-type"].startswith("text/plain; version=")
    figures = reply.text
    assert 'gateway_backlog_tasks{destination="counterpart"} 2.0' in figures
    assert 'gateway_dead_tasks{destination="counterpart"} 0.0' in figures
    assert 'gateway_backlog_oldest_seconds{destination="counterpart"}' in figures


def test_alive_and_ready(house: House, client: httpx.Client) -> None:
    assert [client.get(path).status_code for path in ("/healthz", "/readyz")] == [200, 200]
    house.store.close()
    assert [client.get(path).status_code for path in ("/healthz", "/readyz")] == [200, 503]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("POST", "/metrics", 405), ("GET", "/v1/messages", 404)],
)
def test_nothing_else_is_there(client: httpx.Client, method: str, path: str, status: int) -> None:
    reply = client.request(method, path)
    assert (reply.status_code, reply.json()["type"]) == (status, "about:blank")
