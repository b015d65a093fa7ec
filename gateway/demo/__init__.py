"""Two gateways on this machine, three trucks, and two whose inspections are recognised."""

import shutil
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from rich.console import Console

from gateway.bootstrap.outside import clock
from gateway.codec.formats import Formats
from gateway.demo.chapters import Chapter, chapters
from gateway.demo.proof import prove
from gateway.demo.recognised import recognise
from gateway.demo.show import WIDTH
from gateway.demo.sides import OTHER, Side, prepare, write_settings
from gateway.demo.story import Stage, StoryError, tell
from gateway.demo.subscriber import Subscriber
from gateway.errors import GatewayError
from gateway.resources import folder

WORKSPACE = Path(".demo")


def run(docs: Path | None = None, workspace: Path = WORKSPACE, sm2: bool = False) -> int:
    """Play the chapters of a folder (our samples when None); return the exit status.

    sm2: the Chinese side signs with SM2, the Vietnamese one with ECDSA.
    The workspace is made anew and stays afterwards, for people to look at. No process stays.
    """
    console = Console(width=WIDTH, highlight=False)
    workspace = workspace.resolve()
    try:
        told = chapters(docs or folder("tests/samples"))
        with ExitStack() as stack:
            _play(console, stack, workspace, told, clock(), sm2)
    except (GatewayError, StoryError, TimeoutError) as failure:
        _failed(console, failure, workspace)
        return 1
    _further(console, workspace, docs)
    return 0


def _play(
    console: Console,
    stack: ExitStack,
    workspace: Path,
    told: tuple[Chapter, ...],
    at: datetime,
    sm2: bool,
) -> None:
    shutil.rmtree(workspace, ignore_errors=True)
    console.print("[1/3] generating demo keys for both sides ...")
    keys, sides = prepare(workspace, at, sm2)
    subscribers = {
        name: _subscriber(stack, side, keys.leaves[f"{name}/subscriber-server"].certificate)
        for name, side in sides.items()
    }
    for name, side in sides.items():
        write_settings(side, sides[OTHER[name]], subscribers[name].url)
    console.print("[2/3] starting two gateways (vn, cn) on loopback with mutual TLS ...")
    for side in sides.values():
        stack.callback(side.stop)
        side.start()
    for side in sides.values():
        side.wait()
    clients = {name: side.client() for name, side in sides.items()}
    stage = Stage(console, Formats.load(at.date()), clients, subscribers)
    sent: list[str] = []
    for number, chapter in enumerate(told, 1):
        console.print(f"[3/3] crossing {number} of {len(told)}")
        sent.append(tell(stage, chapter))
    recognise(console, clients, at)
    first = told[0].plan.side
    prove(console, sides[first], clients[first], sent[0], workspace / "evidence")


def _subscriber(stack: ExitStack, side: Side, certificate: Path) -> Subscriber:
    files = side.keys.leaves[f"{side.name}/subscriber-server"]
    anchors = side.keys.authorities[f"{side.name}/agencies"]
    subscriber = Subscriber(side.folder / "customs-system", certificate, files.key, anchors)
    stack.callback(subscriber.stop)
    return subscriber


def _failed(console: Console, failure: Exception, workspace: Path) -> None:
    console.print(f"FAILED: {failure}", style="bold red")
    for finding in getattr(failure, "findings", ()):
        where = f"{finding.code} {finding.rule} {finding.path}"
        console.print(f"  {where} found: {finding.found} expected: {finding.expected}")
    console.print(f"Logs: {workspace}/vn/gateway.log, {workspace}/cn/gateway.log")


def _further(console: Console, workspace: Path, docs: Path | None) -> None:
    console.print("All crossings ended as they should; both gateways are stopped.", style="bold")
    console.print(f"Look further in {_short(workspace)}:")
    console.print("  vn/gateway.db  cn/gateway.db   what each side stored")
    console.print("  vn/customs-system/  cn/customs-system/   what each customs system took")
    console.print("  evidence/   gateway evidence verify message.asice --anchors anchors")
    console.print("  vn/gateway.toml   run it again: gateway serve --config .demo/vn/gateway.toml")
    if docs is None:
        console.print("Your own documents: make demo DOCS=folder (docs/mapping-guide.md)")


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
