"""Start our gateway, one side of it, as a target of the suite, and write its target file.

    python tests/conformance/our_gateway.py cn [case or area ...]

The suite plays the other side with the keys of the demo; the gateway is a process of its own.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tenacity import retry, stop_after_delay, wait_fixed

from conformance.crypto.keys import TLS, Key, Wanted, make
from conformance.peer.stage import OURS
from gateway.demo.sides import OTHER, Side, prepare, write_settings

ROOT = Path(__file__).parent.parent.parent
PAPERS = {"cn": "mt4402", "vn": "registration"}
FIRST, LONGEST, DEADLINE, HORIZON = 0.1, 0.5, 2.0, 6.0


@dataclass(frozen=True, slots=True)
class Standing:
    """A gateway that runs. file: the target file for it."""

    side: Side
    file: Path


@contextmanager
def standing(name: str, folder: Path) -> Iterator[Standing]:
    """Run one side (`vn` or `cn`) until the block ends."""
    _, sides = prepare(folder, datetime.now(UTC) - timedelta(hours=1))
    side, other = sides[name], sides[OTHER[name]]
    write_settings(side, other, "https://127.0.0.1:9/nobody")
    ours = suite_keys(folder / "suite")
    side.settings.write_text(settled(side, other, folder, ours), encoding="utf-8")
    file = folder / "target.toml"
    file.write_text(target(side, other, folder, ours), encoding="utf-8")
    side.start()
    try:
        side.wait()
        (folder / "gateway.pid").write_text(str(side.process.pid), encoding="ascii")
        yield Standing(side, file)
    finally:
        side.stop()
        ended(folder / "gateway.pid", side.process.pid)


def ended(pid: Path, ours: int) -> None:
    """End the gateway that the hook started: it is nobody's child any more."""
    if pid.exists() and (other := int(pid.read_text(encoding="ascii"))) != ours:
        os.kill(other, signal.SIGTERM)


def suite_keys(folder: Path) -> dict[str, Key]:
    """Make the keys that are wrong in some way, and an authority of the suite's own."""
    folder.mkdir()
    authority = make(Wanted("conformance authority", authority=True))
    made = {
        "authority": authority,
        "partner": make(Wanted("partner", usages=TLS, hosts=("127.0.0.1",)), authority),
        **{name: make(OURS[name]) for name in ("expired", "not-yet-valid", "wrong-usage")},
    }
    for name, key in made.items():
        key.write(folder / name)
    return made


def settled(side: Side, other: Side, folder: Path, ours: dict[str, Key]) -> str:
    """Return the demo's settings of a side, for tests: a quick schedule, all keys pinned."""
    text = side.settings.read_text(encoding="utf-8")
    peer = other.name
    text = text.replace("[gateway]\n", "[gateway]\ntest = true\n")
    old = f'anchors = "{other.keys.authorities[f"{peer}/link"]}"\n'
    start = text.index(f"[counterpart.{peer}]\n")
    head, tail = text[:start], text[start:]
    tail = tail.replace(old, f'anchors = "{folder}/suite/authority.cert.pem"\n', 1)
    tail = tail.replace('deadline = "8s"\nlease = "20s"', 'deadline = "2s"\nlease = "5s"')
    pinned = "".join(
        f'\n[[counterpart.{peer}.pinned]]\nusage = "message"\n'
        f'certificate = "{folder}/suite/{name}.cert.pem"\n'
        for name in ("expired", "not-yet-valid", "wrong-usage")
    )
    retry = f'\n[retry]\nfirst = "{FIRST}s"\nlongest = "{LONGEST}s"\nhorizon = "{HORIZON:g}s"\n'
    breaker = '\n[breaker]\nthreshold = 50\npause = "1s"\nlongest = "2s"\n'
    return head + tail + pinned + retry + breaker


def target(side: Side, other: Side, folder: Path, ours: dict[str, Key]) -> str:
    """Return the target file."""
    us, they = other.name, side.name
    leaves, authorities = side.keys.leaves, side.keys.authorities
    documents = {"cn": '["cn.mt4401", "cn.mt1401"]', "vn": '["cn.mt4402"]'}[they]

    def pair(name: str) -> str:
        files = leaves[name]
        return f'key = "{files.key}"\ncertificate = "{files.certificate}"'

    def own(name: str) -> str:
        stem = folder / "suite" / name
        return f'key = "{stem}.key.pem"\ncertificate = "{stem}.cert.pem"'

    keys = {"message": pair(f"{us}/message"), "receipt": pair(f"{us}/receipt"),
            "tls": pair(f"{us}/link-client"), "authority": own("authority")}  # fmt: skip
    keys |= {name: own(name) for name in ("expired", "not-yet-valid", "wrong-usage")}
    papers = paper(they, folder)
    tables = "\n".join(f"[keys.{name}]\n{text}\n" for name, text in keys.items())
    restart = f"{sys.executable} {Path(__file__)} again {folder}"
    return (
        textwrap.dedent(f"""\
        name = "our gateway, side {they}"
        party = "{they}"
        we = "{us}"
        test_indicator = true
        documents = {documents}
        features = ["extension", "no-bare", "short-horizon", "versions"]

        [endpoint]
        url = "https://127.0.0.1:{side.ports.counterpart}/exchange/v1"
        anchors = "{authorities[f"{they}/link"]}"
        receipts = ["{leaves[f"{they}/receipt"].certificate}"]
        messages = ["{leaves[f"{they}/message"].certificate}"]

        [limits]
        receipt = 5.0
        deadline = {DEADLINE}
        first = {FIRST}
        longest = {LONGEST}
        give_up = {HORIZON}

        [partner]
        port = {other.ports.counterpart}
        anchors = "{authorities[f"{they}/link"]}"
        [partner.server]
        """)
        + own("partner")
        + textwrap.dedent(f"""

        [trigger]
        kind = "rest"
        url = "https://127.0.0.1:{side.ports.agencies}/v1/messages"
        anchors = "{authorities[f"{they}/agencies"]}"
        documents = {{any = {papers}}}
        [trigger.client]
        """)
        + pair(f"{they}/customs")
        + textwrap.dedent(f"""

        [query]
        kind = "rest"
        url = "https://127.0.0.1:{side.ports.agencies}/v1/messages"
        anchors = "{authorities[f"{they}/agencies"]}"
        [query.client]
        """)
        + pair(f"{they}/operator")
        + f"""

[hook]
restart = "{restart}"
kill = "{restart}"

{tables}"""
    )


def paper(name: str, folder: Path) -> list[str]:
    """Write what the side's customs hands in; `@batch@` in it becomes the case's number."""
    if name == "cn":
        text = (ROOT / "conformance/fixtures/mt4402.xml").read_text(encoding="utf-8")
        text = text.replace("5100260518001", "@batch@")
        text = text.replace("_20260518071500004<", "_@batch@000@number@<")
        made = folder / "mt4402.xml"
        made.write_text(text, encoding="utf-8")
        return [str(made)]
    samples = ROOT / "tests/samples/durian"
    registration = json.loads((samples / "registration.json").read_text(encoding="utf-8"))
    registration["numberOfDeclaration"] = "2026051@last-6@"
    for goods in registration["registrationTransportGoods"]:
        goods["numberHQ"] = "3@last-11@"
    parameters = json.loads((samples / "parameters.json").read_text(encoding="utf-8"))
    parameters["batchNumber"] = "@batch@"
    parameters["waybills"] = [{"declaration": "1", "id": "VN@last-12@"}]
    one, two = folder / "registration.json", folder / "parameters.json"
    one.write_text(json.dumps(registration), encoding="utf-8")
    two.write_text(json.dumps(parameters), encoding="utf-8")
    return [str(one), str(two)]


def again(folder: Path) -> None:
    """Kill the gateway and start it anew: the suite's hook."""
    name = next(part for part in ("vn", "cn") if (folder / part / "gateway.toml").exists())
    settings = folder / name / "gateway.toml"
    port = tomllib.loads(settings.read_text("utf-8"))["listen"]["counterpart"]["port"]
    pid = folder / "gateway.pid"
    os.kill(int(pid.read_text(encoding="ascii")), signal.SIGKILL)
    gone(port)
    with (folder / name / "gateway.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve", "--config", str(settings)],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    pid.write_text(str(process.pid), encoding="ascii")
    listening(port)


@retry(stop=stop_after_delay(20), wait=wait_fixed(0.02), reraise=True)
def gone(port: int) -> None:
    """Return when nobody listens there any more."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except ConnectionRefusedError:
        return
    raise TimeoutError(port)


@retry(stop=stop_after_delay(60), wait=wait_fixed(0.1), reraise=True)
def listening(port: int) -> None:
    """Return when somebody listens there."""
    socket.create_connection(("127.0.0.1", port), 1).close()


def main() -> None:
    if sys.argv[1] == "again":
        again(Path(sys.argv[2]))
        return
    with tempfile.TemporaryDirectory() as home, standing(sys.argv[1], Path(home)) as gateway:
        command = [sys.executable, "-m", "conformance", "run", "--target", str(gateway.file)]
        done = subprocess.run([*command, *sys.argv[2:]], check=False, cwd=ROOT)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
