"""Real processes: what `init` writes runs, two of them exchange, a stop drains."""

import json
import signal
import socket
import sqlite3
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from run_process import Process, exchanged
from typer.testing import CliRunner

from gateway.cli import app

TRUCK = Path(__file__).parent.parent / "samples" / "dragon-fruit"
ANY_PORT = {
    f"GATEWAY__LISTEN__{name}__PORT": "0" for name in ("COUNTERPART", "AGENCIES", "OPERATIONS")
}
PROFILE = {
    "senderId": "7208990000001_DXPESW0000000001",
    "receiverId": "EPORT",
    "procedureCode": "RD06",
    "representative": "示例物流",
}


def gateway(*words: object, code: int = 0, **environ: str) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words], env=environ)
    assert result.exit_code == code, result.output
    return result.stdout_bytes.decode()


Start = Callable[..., Process]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start processes that end with the test."""
    started: list[Process] = []

    def make(*words: object, **environ: str) -> Process:
        started.append(Process(tuple(str(word) for word in words), environ))
        return started[-1]

    yield make
    for each in started:
        each.end(signal.SIGKILL)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    gateway("init", "--side", "vn", "--folder", tmp_path / "vn")
    return tmp_path / "vn" / "gateway.toml"


def without_counterpart(environ: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if "COUNTERPART" not in name}


def client(ports: dict[str, int]) -> dict[str, str]:
    return {"GATEWAY__CLIENT__URL": f"https://127.0.0.1:{ports['agencies']}"}


def test_what_init_writes_serves_and_a_stop_drains(house: Path, start: Start) -> None:
    process = start("serve", "-c", house, **without_counterpart(ANY_PORT))
    ports = process.wait_for("serving")["ports"]
    with urllib.request.urlopen(f"http://127.0.0.1:{ports['operations']}/readyz") as answer:
        assert answer.status == 200
    (message_id,) = gateway(
        "message", "submit", TRUCK / "tor.edi", "-c", house, "--key", "k-1", **client(ports)
    ).split()
    shown = json.loads(
        gateway("message", "show", message_id, "-c", house, "--json", **client(ports))
    )
    assert shown["state"] == "waiting"
    assert message_id in gateway("message", "list", "-c", house, **client(ports))
    original = gateway(
        "message", "show", message_id, "--document", "original", "-c", house, **client(ports)
    )
    assert original.encode() == (TRUCK / "tor.edi").read_bytes()
    assert process.end() == 0
    assert process.lines[-1]["event"] == "stopped"
    gateway("message", "list", "-c", house, code=3, **client(ports))


def test_refusals_of_the_server_reach_the_command_line(house: Path, start: Start) -> None:
    process = start("serve", "-c", house, **without_counterpart(ANY_PORT))
    environ = client(process.wait_for("serving")["ports"])
    words = ["message", "submit", str(TRUCK / "mt1401.xml"), "-c", str(house), "--json"]
    refused = json.loads(gateway(*words, code=1, **environ))
    assert refused["error"] == "forbidden"
    gateway("message", "show", "no-such-message", "-c", house, code=1, **environ)
    gateway("message", "resend", "no-such-message", "-c", house, code=1, **environ)


def test_a_port_that_is_taken_is_exit_3_and_named(house: Path, start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        environ = without_counterpart(ANY_PORT) | {"GATEWAY__LISTEN__AGENCIES__PORT": port}
        process = start("serve", "-c", house, **environ)
        assert process.process.wait(60) == 3
        process.end()
    assert any("listen.agencies" in line.get("text", "") for line in process.lines)


def test_a_worker_alone_stops_when_told(house: Path, start: Start) -> None:
    process = start("worker", "-c", house)
    process.wait_for("worker-started")
    assert process.end(signal.SIGINT) == 0
    assert "worker-stopped" in [line["event"] for line in process.lines]


# two sides


@pytest.fixture
def houses(tmp_path: Path) -> dict[str, Path]:
    """Two sides that followed the steps of their settings files."""
    sides = {"vn": "cn", "cn": "vn"}
    for side in sides:
        gateway("init", "--side", side, "--folder", tmp_path / side)
    for side, other in sides.items():
        exchanged(tmp_path / side, tmp_path / other)
    return {side: tmp_path / side / "gateway.toml" for side in sides}


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return str(held.getsockname()[1])


def counterpart(other: str, port: str) -> dict[str, str]:
    section = f"GATEWAY__COUNTERPART__GATEWAY_{other.upper()}"
    profile = {f"{section}__PROFILE__{name.upper()}": v for name, v in PROFILE.items()}
    return {f"{section}__URL": f"https://127.0.0.1:{port}/exchange/v1", **profile}


def test_two_sides_made_by_init_exchange_a_crossing(
    houses: dict[str, Path], start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ports = {side: free_port() for side in houses}
    environ = {
        side: ANY_PORT
        | {"GATEWAY__LISTEN__COUNTERPART__PORT": ports[side], "GATEWAY__EVIDENCE__HEAD_EVERY": "1s"}
        | counterpart(other, ports[other])
        for side, other in (("vn", "cn"), ("cn", "vn"))
    }
    cn = start("serve", "-c", houses["cn"], **environ["cn"])
    cn_ports = cn.wait_for("serving")["ports"]
    vn = start("serve", "--no-worker", "-c", houses["vn"], **environ["vn"])
    vn_ports = vn.wait_for("serving")["ports"]
    assert doctor(houses["vn"], environ["vn"]) == {"counterpart gateway-cn": "OK", "clock": "OK"}

    submitted = gateway(
        "message", "submit", *(TRUCK / name for name in ("tor.edi", "eda-1.edi", "eda-2.edi")),
        "--params", TRUCK / "parameters.json", "-c", houses["vn"], **client(vn_ports),
    ).split()  # fmt: skip
    assert len(submitted) == 3
    worker = start("worker", "-c", houses["vn"], **environ["vn"])
    for _ in range(2):  # MT1401 and MT4401
        worker.wait_for("task", kind="send", outcome="done")
    cn.wait_for("task", kind="distribute", outcome="done")
    for process in (cn, worker):
        process.wait_for("chore", chore="heads")

    sent = messages(houses["vn"], "outbound", vn_ports, operator=True)
    assert [message["document_type"] for message in sent] == ["cn.mt4401", "cn.mt1401"]
    assert worker.end() == 0
    assert vn.end() == 0
    assert cn.end() == 0
    assert cn_ports["counterpart"] == int(ports["cn"])
    assert_nothing_personal(cn.lines + vn.lines + worker.lines)
    assert_audited(houses, environ)


def doctor(house: Path, environ: dict[str, str]) -> dict[str, str]:
    """Return what doctor says of the other side."""
    found = json.loads(gateway("doctor", "-c", house, "--json", **environ))
    return {
        line["check"]: line["level"]
        for line in found
        if line["check"] == "clock" or line["check"].startswith("counterpart ")
    }


def messages(
    house: Path, kind: str, ports: dict[str, int], *, operator: bool
) -> list[dict[str, Any]]:
    keys = house.parent / "keys"
    identity = {
        "GATEWAY__CLIENT__CERTIFICATE": str(keys / "operator.cert.pem"),
        "GATEWAY__CLIENT__KEY": str(keys / "operator.key.pem"),
    }
    environ = client(ports) | (identity if operator else {})
    listed = gateway("message", "list", "--kind", kind, "-c", house, "--json", **environ)
    found: list[dict[str, Any]] = json.loads(listed)["messages"]
    return found


def assert_audited(houses: dict[str, Path], environ: dict[str, dict[str, str]]) -> None:
    """Both logs were built meanwhile, and all is as it was written, until it is not."""
    for side, house in houses.items():
        found = json.loads(gateway("evidence", "audit", "-c", house, "--json", **environ[side]))
        assert found["flaws"] == []
        assert found["counts"]["heads"] > 0
        head = json.loads(gateway("evidence", "head", "-c", house, "--json", **environ[side]))
        assert head["timestamp"] == "unasked"
    with sqlite3.connect(houses["vn"].parent / "gateway.db") as connection:
        connection.execute("UPDATE message SET test = 1 - test WHERE kind = 'outbound'")
    connection.close()
    said = gateway("evidence", "audit", "-c", houses["vn"], "--json", code=1, **environ["vn"])
    assert {flaw["rule"] for flaw in json.loads(said)["flaws"]} == {"message-differs"}


def assert_nothing_personal(lines: list[dict[str, Any]]) -> None:
    from gateway.bootstrap.outside import clock
    from gateway.codec.formats import Formats

    content = (TRUCK / "tor.edi").read_bytes()
    crew = Formats.load(clock().date()).decode("vn.vnaccs.tor", content).document.means[0].crew
    written = json.dumps(lines, ensure_ascii=False)
    for member in crew:
        for value in (*(n.value for n in member.names), *(d.number for d in member.documents)):
            assert value not in written
