"""Two gateways in processes of their own, over mutual TLS: a head is cosigned by the worker,
days are settled by the command line, a bundle verifies by both verifiers, with nothing but the
folder of certificates."""

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.demo.sides import prepare, write_settings

SAMPLES = Path(__file__).parent.parent / "samples" / "dragon-fruit"
PATIENCE = 60.0


def gateway(folder: Path, *words: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "gateway", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout + (done.stderr if done.returncode else "")


def asked(folder: Path, *words: str):
    """Run a command that answers with JSON."""
    code, said = gateway(folder, *words, "--json")
    assert code in (0, 1), said
    return code, json.loads(said)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    workspace = tmp_path_factory.mktemp("two")
    _, sides = prepare(workspace, datetime.now(UTC))
    for name, other in (("vn", "cn"), ("cn", "vn")):
        write_settings(sides[name], sides[other], "http://127.0.0.1:9/nowhere")
    try:
        for side in sides.values():
            side.start()
        for side in sides.values():
            side.wait()
        yield sides
    finally:
        for side in sides.values():
            side.stop()


def handed_in(side) -> str:
    names = ("tor.edi", "eda-1.edi", "eda-2.edi")
    documents = [(name, (SAMPLES / name).read_bytes()) for name in names]
    stated = (SAMPLES / "parameters.json").read_bytes()
    done = side.client().submit(documents, parameters=stated)
    return done.messages[0].id


def test_settled_exported_and_verified(running, tmp_path):
    vn = running["vn"]
    message = handed_in(vn)
    file, anchors = tmp_path / "b.asice", tmp_path / "anchors"
    assert gateway(vn.folder, "evidence", "anchors", "-o", str(anchors))[0] == 0
    end, checks = time.monotonic() + PATIENCE, {}
    while time.monotonic() < end:
        file.unlink(missing_ok=True)
        assert gateway(vn.folder, "evidence", "export", message, "-o", str(file))[0] == 0
        code, said = asked(vn.folder, "evidence", "verify", str(file), "--anchors", str(anchors))
        checks = {(c["check"], c["outcome"]) for c in said["checks"]}
        assert code == 0, said
        if not {c for c in checks if c[1] == "pending"} - {("stamp", "pending")}:
            break
    assert {("cosignature", "ok"), ("rows", "ok"), ("receipt", "ok")} <= checks
    stranger = [sys.executable, "-m", "conformance.verifier", str(file), "--anchors", str(anchors)]
    done = subprocess.run(stranger, capture_output=True, text=True)
    assert done.stdout.endswith("OK\n"), done.stdout + done.stderr
    for name in ("vn", "cn"):
        code, found = asked(running[name].folder, "settle")
        assert (code, found["alarms"]) == (0, [])
        assert [(d["agreed"], d["sent"] + d["accepted"]) for d in found["days"]] == [(True, 2)]
    broken = bytearray(file.read_bytes())
    broken[len(broken) // 2] ^= 1
    file.write_bytes(broken)
    code, said = asked(vn.folder, "evidence", "verify", str(file), "--anchors", str(anchors))
    assert code == 1
    assert said["failed"] is not None
    assert gateway(vn.folder, "settle", "alarms")[0] == 0
