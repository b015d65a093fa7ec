"""A real gateway whose keys are in a token: what its neighbours see while it is away, and
`gateway counterpart test` from the other side."""

import http.client
import json
import re
import shutil
import signal
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from run_process import Process, exchanged
from softhsm import MODULE, PIN, soft_hsm
from typer.testing import CliRunner

from gateway.cli import app

LABEL = "outage"
PATIENCE = 30.0
ANY_PORT = {f"GATEWAY__LISTEN__{name}__PORT": "0" for name in ("AGENCIES", "OPERATIONS")}


def gateway(*words: object, code: int | None = 0, **environ: str) -> Any:
    result = CliRunner().invoke(app, [str(word) for word in words], env=environ)
    assert code is None or result.exit_code == code, result.output
    return result


@dataclass
class Town:
    """Side cn runs with its receipt key in a token; side vn calls it."""

    folder: Path
    port: int
    process: Process
    operations: int

    def file(self, side: str) -> Path:
        return self.folder / side / "gateway.toml"

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/exchange/v1"

    def tested(self, **environ: str) -> dict[str, dict[str, str]]:
        """Return what `gateway counterpart test` of side vn says."""
        stated = {"GATEWAY__COUNTERPART__GATEWAY_CN__URL": self.url} | environ
        words = ("counterpart", "test", "-c", self.file("vn"), "--json")
        found = json.loads(gateway(*words, code=None, **stated).stdout)
        return {line["check"]: line for line in found}

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, Any, bytes]:
        """Speak to the counterpart's listener as side vn."""
        keys = self.folder / "vn" / "keys"
        anchors = self.folder / "cn" / "keys" / "link-authority.cert.pem"
        context = ssl.create_default_context(cafile=str(anchors))
        context.load_cert_chain(keys / "link-client.cert.pem", keys / "link-client.key.pem")
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context)
        try:
            connection.request(method, path, body, {"content-type": "application/xml"})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def operator(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.operations}{path}") as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    other = {"vn": "cn", "cn": "vn"}
    for side in other:
        gateway("init", "--side", side, "--folder", folder / side)
    soft_hsm().new(LABEL)
    in_token(folder / "cn")
    for side in other:
        exchanged(folder / side, folder / other[side])
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    stated = {"GATEWAY__LISTEN__COUNTERPART__PORT": str(port)} | ANY_PORT
    process = Process(("serve", "-c", str(folder / "cn" / "gateway.toml")), stated)
    try:
        ports = process.wait_for("serving")["ports"]
        yield Town(folder, port, process, ports["operations"])
    finally:
        process.end(signal.SIGKILL)


def in_token(folder: Path) -> None:
    """Move the receipt key of a side into the token, as the operations manual does."""
    file = folder / "gateway.toml"
    (folder / "hsm.pin").write_text(PIN + "\n")
    hsm = f'\n[hsm]\nmodule = "{MODULE}"\ntoken = "{LABEL}"\npin_file = "hsm.pin"\n'
    file.write_text(file.read_text(encoding="utf-8") + hsm, encoding="utf-8")
    gateway(
        "keys", "gen", "--purpose", "receipt", "--name", "receipt-hsm", "--country", "CN",
        "--organisation", "gateway-cn", "--folder", folder / "keys", "--label", "receipt",
        "-c", file,
    )  # fmt: skip
    text = file.read_text(encoding="utf-8")
    text = text.replace('key = "keys/receipt.key.pem"', 'label = "receipt"')
    text = text.replace('"keys/receipt.cert.pem"', '"keys/receipt-hsm.cert.pem"')
    file.write_text(text, encoding="utf-8")
    shutil.copy(folder / "keys/receipt-hsm.cert.pem", folder / "keys/receipt.cert.pem")


def until(holds: Callable[[], bool]) -> None:
    """Ask again and again, for a while."""
    end, pause = time.monotonic() + PATIENCE, threading.Event()
    while not holds():
        assert time.monotonic() < end, "it did not become so"
        pause.wait(0.2)


def test_the_way_to_the_other_side_is_shown_step_by_step(town: Town) -> None:
    found = town.tested()
    steps = ["name", "port", "TLS", "its certificate", "our certificate", "clock", "exchange"]
    assert list(found) == [*steps, "its way to us"]
    assert {line["level"] for line in found.values()} == {"OK"}
    assert found["TLS"]["text"].startswith("TLSv1.3")


def test_each_fault_on_the_way_is_named_with_what_to_do(town: Town) -> None:
    section = "GATEWAY__COUNTERPART__GATEWAY_CN"
    keys = town.folder / "vn" / "keys"
    faults: list[tuple[str, str, dict[str, str]]] = [
        ("name-unknown", "host name", {"URL": "https://no.such.host.invalid/exchange/v1"}),
        ("econnrefused", "port", {"URL": "https://127.0.0.1:1/exchange/v1"}),
        ("tls-certificate", "anchors", {"ANCHORS": str(keys / "agencies-authority.cert.pem")}),
    ]
    for rule, advice, change in faults:
        found = town.tested(**{f"{section}__{name}": value for name, value in change.items()})
        line = found["counterpart gateway-cn"]
        assert line["level"] == "FAIL"
        assert rule in line["text"]
        assert advice in line["advice"]


def test_a_client_certificate_that_it_does_not_know_is_told(town: Town) -> None:
    keys = town.folder / "vn" / "keys"
    authority = keys / "link-authority"
    gateway(
        "keys", "gen", "--purpose", "tls-client", "--name", "stranger", "--country", "VN",
        "--organisation", "gateway-vn", "--folder", keys,
        "--issuer", f"{authority}.cert.pem", "--issuer-key", f"{authority}.key.pem",
    )  # fmt: skip
    section = "GATEWAY__COUNTERPART__GATEWAY_CN"
    found = town.tested(**{
        f"{section}__CERTIFICATE": str(keys / "stranger.cert.pem"),
        f"{section}__KEY": str(keys / "stranger.key.pem"),
    })  # fmt: skip
    assert found["exchange"]["level"] == "FAIL"
    assert "announcement" in found["exchange"]["advice"]


def test_a_receipt_key_that_is_not_pinned_is_told(town: Town) -> None:
    pinned = town.folder / "vn" / "counterpart" / "receipt.cert.pem"
    right = pinned.read_bytes()
    pinned.write_bytes((town.folder / "cn" / "keys" / "statement.cert.pem").read_bytes())
    try:
        assert "receipt key" in town.tested()["exchange"]["advice"]
    finally:
        pinned.write_bytes(right)


def test_a_certificate_of_theirs_that_we_would_not_let_in_is_told(town: Town) -> None:
    theirs = town.folder / "vn" / "counterpart" / "link-client.cert.pem"
    right = theirs.read_bytes()
    keys = town.folder / "cn" / "keys"
    expected = {"link-server": "not for TLS clients", "customs": "no anchor issued it"}
    try:
        for name, words in expected.items():
            theirs.write_bytes((keys / f"{name}.cert.pem").read_bytes())
            assert words in town.tested()["its way to us"]["text"]
    finally:
        theirs.write_bytes(right)


@pytest.mark.proves(
    attack="no signer while the counterpart sends",
    code="unavailable",
    behaviour="nothing is accepted and nothing stored; the sender is told when to come again, "
    "and its retry is accepted once the signer is back",
)
def test_while_the_token_is_away_the_link_says_unavailable_and_recovers(town: Town) -> None:
    nothing = b"<probe/>"
    assert town.ask("POST", "/exchange/v1", nothing)[0] == 422
    assert town.operator("/readyz") == (200, "ok\n")
    assert 'gateway_signer_up{purpose="receipt"} 1.0' in town.operator("/metrics")[1]
    soft_hsm().take_away(LABEL)
    try:
        status, headers, body = town.ask("POST", "/exchange/v1", nothing)
        assert (status, json.loads(body)["code"]) == (503, "unavailable")
        assert int(headers["retry-after"]) > 0
        until(lambda: town.ask("GET", "/readyz")[0] == 503)
        assert town.operator("/readyz") == (200, "ok\nkeys.receipt cannot sign now\n")
        figures = town.operator("/metrics")[1]
        assert 'gateway_signer_up{purpose="receipt"} 0.0' in figures
        assert 'gateway_signer_up{purpose="message"} 1.0' in figures
        assert town.tested()["exchange"]["level"] == "WARN"
        assert town.ask("GET", "/healthz")[0] == 200
    finally:
        soft_hsm().put_back(LABEL)
    until(lambda: town.ask("POST", "/exchange/v1", nothing)[0] == 422)
    until(lambda: town.ask("GET", "/readyz")[0] == 200)
    assert town.process.process.poll() is None


def test_figures_say_how_long_certificates_are_good(town: Town) -> None:
    figures = dict(
        line.rsplit(" ", 1)
        for line in town.operator("/metrics")[1].splitlines()
        if line.startswith("gateway_certificate_days_left{")
    )
    found = {re.sub(r'.*used_as="(.*)"}', r"\1", name): float(d) for name, d in figures.items()}
    assert {"keys.receipt", "listen.counterpart", "counterpart.gateway-vn message"} <= set(found)
    assert all(729 < days <= 730 for days in found.values())
    assert "gateway_tls_files_refused{" not in town.operator("/metrics")[1]


def test_a_hang_up_takes_renewed_tls_files_without_a_restart(town: Town) -> None:
    keys = town.folder / "cn" / "keys"
    before = town.tested()["its certificate"]["text"]
    for part in ("key", "cert"):
        (keys / f"link-server.{part}.pem").rename(keys / f"former.{part}.pem")
    gateway(
        "keys", "gen", "--purpose", "tls-server", "--name", "link-server", "--country", "CN",
        "--organisation", "gateway-cn", "--folder", keys, "--host", "127.0.0.1",
        "--issuer", keys / "link-authority.cert.pem",
        "--issuer-key", keys / "link-authority.key.pem",
    )  # fmt: skip
    town.process.process.send_signal(signal.SIGHUP)
    town.process.wait_for("tls-files-taken", used_by="listen.counterpart")
    (keys / "link-client.cert.pem").write_text("not a certificate")
    town.process.process.send_signal(signal.SIGHUP)
    town.process.wait_for("tls-files-refused", used_by="gateway-vn")
    refused = 'gateway_tls_files_refused{used_by="gateway-vn"} 1.0'
    assert refused in town.operator("/metrics")[1]
    assert town.tested()["its certificate"]["text"] != before


@pytest.mark.parametrize(
    ("words", "begun"), [(("serve", "--no-worker"), "serving"), (("worker",), "worker-started")]
)
def test_every_kind_of_process_takes_tls_files_that_changed(
    town: Town, words: tuple[str, ...], begun: str
) -> None:
    """With a worker's chore or without, and when told to."""
    anchors = town.folder / "vn" / "counterpart" / "link-authority.cert.pem"
    stated = {"GATEWAY__WORKER__LOOK_AT_TLS": "100ms", **ANY_PORT}
    stated["GATEWAY__LISTEN__COUNTERPART__PORT"] = "0"
    process = Process((*words, "-c", str(town.file("vn"))), stated)
    try:
        process.wait_for(begun)
        new = anchors.with_suffix(".new")
        new.write_bytes(anchors.read_bytes() + b"\n")
        new.replace(anchors)
        process.wait_for("tls-files-taken", used_by="gateway-cn")
        count = sum(line.get("event") == "tls-files-taken" for line in process.lines)
        process.process.send_signal(signal.SIGHUP)
        until(lambda: sum(line.get("event") == "tls-files-taken" for line in process.lines) > count)
    finally:
        assert process.end() == 0
