"""kill -9 of both gateways, again and again, while documents are handed in and sent.

Whatever an agency got an acknowledgement for arrives at the other side, once.
"""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from postgres import postgres_database, postgres_server
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from gateway import store as stores
from gateway.api.client import Client
from gateway.demo.sides import Side, prepare, write_settings
from gateway.demo.subscriber import Subscriber
from gateway.errors import GatewayError, UnavailableError

SAMPLES = Path(__file__).parent.parent / "samples" / "durian"
ROUNDS = {"sqlite": 16, "postgresql": 6}
EACH = 4
"""Documents of a round; both gateways are killed after the first acknowledgement."""

EMBEDDED = 'url = "sqlite:///gateway.db"'
NOW = datetime.now(UTC)


@pytest.fixture(params=ROUNDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def sides(tmp_path: Path, kind: str) -> Iterator[dict[str, Side]]:
    with ExitStack() as stack:
        server_url = stack.enter_context(postgres_server()) if kind == "postgresql" else None
        keys, made = prepare(tmp_path, NOW - timedelta(hours=1))
        for name, other in (("vn", "cn"), ("cn", "vn")):
            server = keys.leaves[f"{name}/subscriber-server"]
            anchors = keys.authorities[f"{name}/agencies"]
            taker = Subscriber(tmp_path / f"{name}-taken", server.certificate, server.key, anchors)
            stack.callback(taker.stop)
            write_settings(made[name], made[other], taker.url)
            if server_url:
                use_server(made[name], stack.enter_context(postgres_database(server_url)))
        for side in made.values():
            stack.callback(side.stop)
            side.start()
        for side in made.values():
            side.wait()
        yield made


def use_server(side: Side, url: str) -> None:
    """Let a side keep all it has in a database of the server."""
    text = side.settings.read_text(encoding="utf-8")
    assert text.count(EMBEDDED) == 1
    side.settings.write_text(text.replace(EMBEDDED, f'url = "{url}"'), encoding="utf-8")
    stores.upgrade(url)


def document(number: int) -> tuple[bytes, bytes]:
    """A registration and its parameters that no other has the numbers of."""
    registration = json.loads((SAMPLES / "registration.json").read_text(encoding="utf-8"))
    registration["numberOfDeclaration"] = f"2026051{number:06d}"
    for goods in registration["registrationTransportGoods"]:
        goods["numberHQ"] = f"3000{number:08d}"
    for vehicle in registration["registrationTransportDetails"]:
        vehicle["licencePlate"] = f"12C-{number:03d}.99"
        vehicle.pop("nomalizanameLicencePlate", None)
    parameters = json.loads((SAMPLES / "parameters.json").read_text(encoding="utf-8"))
    parameters["batchNumber"] = f"51002605{number:05d}"
    parameters["waybills"] = [{"declaration": "1", "id": f"VN{number:012d}"}]
    return json.dumps(registration).encode(), json.dumps(parameters).encode()


def kill(side: Side) -> None:
    side.process.kill()
    side.process.wait()


def patiently(seconds: float = 60.0) -> Retrying:
    return Retrying(
        retry=retry_if_exception_type(GatewayError),
        stop=stop_after_delay(seconds),
        wait=wait_fixed(0.2),
        reraise=True,
    )


def hand_in(client: Client, number: int, acknowledged: threading.Event) -> str:
    """Hand in a document until it is acknowledged, always under its one key."""
    content, parameters = document(number)
    for attempt in patiently():
        with attempt:
            done = client.submit(
                [("registration.json", content)], parameters=parameters, key=f"kill-{number}"
            )
    acknowledged.set()
    return done.messages[0].id


def restart(sides: dict[str, Side]) -> None:
    for side in sides.values():
        side.start()
    for side in sides.values():
        side.wait()


@pytest.mark.proves(
    attack="both gateways are killed while messages run, again and again",
    code="-",
    behaviour="what was acknowledged arrives, each once",
)
def test_what_was_acknowledged_arrives_once(sides: dict[str, Side], kind: str) -> None:
    client, rounds = sides["vn"].client(), ROUNDS[kind]
    accepted: list[str] = []
    for number in range(rounds):
        acknowledged = threading.Event()
        with ThreadPoolExecutor(EACH) as pool:
            jobs = [
                pool.submit(hand_in, client, number * EACH + n, acknowledged) for n in range(EACH)
            ]
            assert acknowledged.wait(60)
            for side in sides.values():
                kill(side)
            restart(sides)
            accepted += [job.result() for job in jobs]
    assert len(set(accepted)) == rounds * EACH

    expected = sorted(link for message in accepted for link in settled(client, message))
    arrived = handed_on(sides["cn"].client(), len(expected))
    assert sorted((m.document_type, m.order_key) for m in arrived) == expected
    assert len(set(expected)) == 2 * rounds * EACH


def handed_on(client: Client, count: int) -> list:
    """Wait until the other side's customs has as many documents; return them all."""
    for attempt in patiently(120.0):
        with attempt:
            found = everything(client, "domestic")
            if len(found) < count or any(m.state != "delivered" for m in found):
                raise UnavailableError("unavailable")
    return found


def settled(client: Client, message_id: str) -> list[tuple[str, str]]:
    """Wait until a submission's link messages are receipted; return type and order key."""
    conversation = client.message(message_id).conversation_id
    for attempt in patiently(120.0):
        with attempt:
            messages = client.crossing(conversation).messages
            links = [m for m in messages if m.kind == "outbound"]
            if len(links) != 2 or any(m.state != "receipted" for m in links):
                raise UnavailableError("unavailable")
    return [(m.document_type, m.order_key or "") for m in links]


def everything(client: Client, kind: str) -> list:
    """Page through all messages of a kind."""
    found, after = [], None
    while True:
        page = client.messages(kind=kind, after=after, limit=200)
        found += page.messages
        after = page.next
        if after is None:
            return found
