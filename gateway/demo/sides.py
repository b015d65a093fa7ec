"""The two gateways of the demo: keys, settings, processes."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from gateway import resources
from gateway.api.client import Client
from gateway.demo.customs import PROFILE, SUBMITS, TAKES
from gateway.errors import Finding, GatewayError, UnavailableError
from gateway.signing.demo_keys import SM2_KEYS, DemoKeys, generate

START = 60.0
"""Seconds that a gateway may take to start."""

STOP = 20.0
"""Seconds that it may take to stop before it is killed."""

OTHER = {"vn": "cn", "cn": "vn"}


@dataclass(frozen=True, slots=True)
class Ports:
    """Where one side listens on loopback."""

    counterpart: int
    agencies: int
    operations: int


@dataclass
class Side:
    """One gateway in a process of its own. signature: the profile that it signs with."""

    name: str
    folder: Path
    ports: Ports
    keys: DemoKeys
    signature: str
    process: "subprocess.Popen[bytes] | None" = None
    _clients: list[Client] = field(default_factory=list)

    @property
    def settings(self) -> Path:
        """Its settings file."""
        return self.folder / "gateway.toml"

    @property
    def log(self) -> Path:
        """Where it writes its log."""
        return self.folder / "gateway.log"

    def client(self) -> Client:
        """Return a client that calls as this side's customs system."""
        files = self.keys.leaves[f"{self.name}/customs"]
        anchors = self.keys.authorities[f"{self.name}/agencies"]
        context = ssl.create_default_context(cafile=str(anchors))
        context.load_cert_chain(files.certificate, files.key)
        made = Client(f"https://127.0.0.1:{self.ports.agencies}", context)
        self._clients.append(made)
        return made

    def start(self) -> None:
        """Start the process; its log goes to a file."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  our own interpreter and module
                [sys.executable, "-m", "gateway", "serve", "--config", str(self.settings)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            )

    def wait(self) -> None:
        """Return when the agencies' interface answers. UnavailableError when it does not."""
        end = time.monotonic() + START
        client = self.client()
        while time.monotonic() < end:
            if self.process is None or self.process.poll() is not None:
                break
            try:
                client.messages(limit=1)
            except GatewayError:
                time.sleep(0.1)
            else:
                return
        raise UnavailableError("unavailable", self._last_words())

    def _last_words(self) -> Finding:
        """Say what the log ends with."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        said = " / ".join(line.strip() for line in lines[-4:])[:400]
        return Finding("unavailable", "did-not-start", str(self.log), said)

    def stop(self) -> None:
        """Drain and end the process."""
        for client in self._clients:
            client.close()
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def prepare(workspace: Path, at: datetime, sm2: bool = False) -> tuple[DemoKeys, dict[str, Side]]:
    """Make keys and folders of both sides; settings come when the subscribers listen.

    sm2: the Chinese side signs with SM2.
    """
    keys = generate(workspace / "keys", at, None, kinds=SM2_KEYS if sm2 else {})
    free = _free_ports(6)
    sides = {}
    for number, name in enumerate(("vn", "cn")):
        folder = workspace / name
        folder.mkdir(parents=True)
        signs = "demo-sm2" if sm2 and name == "cn" else "demo"
        sides[name] = Side(name, folder, Ports(*free[number * 3 : number * 3 + 3]), keys, signs)
    return keys, sides


def _free_ports(count: int) -> list[int]:
    """Ask the system for ports that are free now."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


def write_settings(side: Side, other: Side, subscriber: str) -> None:
    """Write the settings file of a side. subscriber: the address of its customs system."""
    name, peer = side.name, other.name
    pairs = {purpose: _pair(side.keys, f"{name}/{purpose}") for purpose in _PAIRS}
    profile = "\n".join(f'{key} = "{value}"' for key, value in PROFILE[name].items())
    text = _FILE.format(
        name=name,
        peer=peer,
        theirs=other.signature,
        ours=side.signature,
        counterpart_port=side.ports.counterpart,
        agencies_port=side.ports.agencies,
        operations_port=side.ports.operations,
        peer_port=other.ports.counterpart,
        link_anchors=side.keys.authorities[f"{peer}/link"],
        agency_anchors=side.keys.authorities[f"{name}/agencies"],
        peer_client=side.keys.leaves[f"{peer}/link-client"].certificate,
        peer_message=side.keys.leaves[f"{peer}/message"].certificate,
        peer_receipt=side.keys.leaves[f"{peer}/receipt"].certificate,
        peer_head=side.keys.leaves[f"{peer}/head"].certificate,
        peer_pack=side.keys.leaves[f"{peer}/pack"].certificate,
        customs=side.keys.leaves[f"{name}/customs"].certificate,
        operator=side.keys.leaves[f"{name}/operator"].certificate,
        submits=SUBMITS[name],
        rules=resources.folder("mappings") / "recognition" / "demo",
        takes=TAKES[name],
        subscriber=subscriber,
        profile=profile,
        customs_keys=_pair(side.keys, f"{name}/customs"),
        **{purpose.replace("-", "_"): pair for purpose, pair in pairs.items()},
    )
    side.settings.write_text(text, encoding="utf-8")


_PAIRS = (
    "message", "receipt", "statement", "head", "pack", "link-server", "link-client",
    "agencies-server", "agencies-client",
)  # fmt: skip


def _pair(keys: DemoKeys, name: str) -> str:
    files = keys.leaves[name]
    return f'key = "{files.key}"\ncertificate = "{files.certificate}"'


_FILE = """\
# One side of the demo. `gateway init` writes such a file with comments.
[gateway]
side = "{name}"
name = "{name}"
profile = "demo"

[store]
url = "sqlite:///gateway.db"

[listen.counterpart]
port = {counterpart_port}
{link_server}
anchors = "{link_anchors}"

[listen.agencies]
port = {agencies_port}
{agencies_server}
anchors = "{agency_anchors}"

[listen.operations]
port = {operations_port}

[keys.message]
{message}

[keys.receipt]
{receipt}

[keys.statement]
{statement}

[keys.head]
{head}

[keys.pack]
{pack}

[counterpart.{peer}]
url = "https://127.0.0.1:{peer_port}/exchange/v1"
anchors = "{link_anchors}"
{link_client}
client_certificates = ["{peer_client}"]
signature = "{theirs}"
sign_as = "{ours}"
disclose = ["crew.names", "crew.filing", "communications", "contact"]

[[counterpart.{peer}.pinned]]
usage = "message"
certificate = "{peer_message}"

[[counterpart.{peer}.pinned]]
usage = "receipt"
certificate = "{peer_receipt}"

[[counterpart.{peer}.pinned]]
usage = "head"
certificate = "{peer_head}"

[[counterpart.{peer}.pinned]]
usage = "pack"
certificate = "{peer_pack}"

[counterpart.{peer}.trust]
revocation = "off"

[counterpart.{peer}.profile]
{profile}

[agency.customs]
role = "customs"
certificates = ["{customs}"]
formats = {submits}
disclose = ["crew", "communications", "contact"]

[agency.customs.deliver]
documents = {takes}

[agency.customs.deliver.to]
url = "{subscriber}"
anchors = "{agency_anchors}"
{agencies_client}

[evidence]
head_every = "1s"

[settlement]
heads_every = "2s"

[recognition]
rules = "{rules}"
allow_unsigned = true
every = "1s"

[worker]
deadline = "8s"
lease = "20s"

[agency.operator]
role = "operator"
certificates = ["{operator}"]

[client]
url = "https://127.0.0.1:{agencies_port}"
anchors = "{agency_anchors}"
{customs_keys}
"""
