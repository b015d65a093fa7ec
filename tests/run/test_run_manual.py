"""The commands of the operations manual for keys, tokens, counterparts and packs: each is run,
in its order, on a machine as the manual supposes it."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from softhsm import MODULE, soft_hsm
from typer.testing import CliRunner

from gateway.cli import app

MANUAL = Path(__file__).parents[2] / "docs" / "operations.md"
SECTIONS = ("The other side", "Keys", "A key device (HSM)", "The bilateral pack")


def section(title: str) -> str:
    text = MANUAL.read_text(encoding="utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def blocks(title: str, language: str = "sh") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", section(title), re.MULTILINE | re.DOTALL)


def commands(title: str) -> Iterator[list[str]]:
    """Yield the commands of a section; an instant that is over by now is put ahead."""
    for block in blocks(title):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            yield [re.sub(r"^2027-01-15", ahead(5), word) for word in words]


def ahead(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%d")


def gateway(*words: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, f"{words}: {result.output}"
    return result.stdout


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("houses")
    for side in ("vn", "cn"):
        gateway("init", "--side", side, "--folder", folder / side)
    return folder


@pytest.fixture
def houses(fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Both sides; the operator stands in the folder of side vn."""
    shutil.copytree(fresh, tmp_path / "h")
    monkeypatch.chdir(tmp_path / "h" / "vn")
    return tmp_path / "h"


def announce(folder: Path, side: str) -> Path:
    keys, out = folder / side / "keys", folder / f"gateway-{side}.json"
    gateway(
        "keys", "announce", "--out", out, "--url", f"https://127.0.0.1:1/{side}",
        "--anchors", keys / "link-authority.cert.pem", "--client", keys / "link-client.cert.pem",
        "-c", folder / side / "gateway.toml",
    )  # fmt: skip
    return out


def acquaint(houses: Path, side: str, other: str) -> None:
    keys = houses / side / "keys"
    gateway(
        "counterpart", "add", f"gateway-{other}", "--announcement", announce(houses, other),
        "--client-certificate", keys / "link-client.cert.pem",
        "--client-key", keys / "link-client.key.pem",
        "--yes", "-c", houses / side / "gateway.toml",
    )  # fmt: skip


def test_every_section_has_commands() -> None:
    for title in SECTIONS:
        assert list(commands(title)), title


def test_the_other_side(houses: Path) -> None:
    shutil.copy(announce(houses, "cn"), "gateway-cn.json")
    expected = {"test": 1}  # nothing runs there
    for words in commands("The other side"):
        assert words[0] == "gateway"
        only_shown = words[1:3] == ["counterpart", "add"] and "--yes" not in words
        gateway(*words[1:], code=1 if only_shown else expected.get(words[2], 0))


def test_keys(houses: Path) -> None:
    acquaint(houses, "vn", "cn")
    acquaint(houses, "cn", "vn")
    for words in commands("Keys"):
        if words[0] == "mv":
            shutil.move(words[1], words[2])
            continue
        if words[1:3] == ["keys", "retire"]:
            start_has_passed()
        gateway(*words[1:])
    theirs = houses / "cn" / "gateway.toml"
    for file in ("message-2027.json", "message-retired.json"):
        gateway("counterpart", "add", "gateway-vn", "--announcement", file, "--yes", "-c", theirs)
    listed = json.loads(gateway("keys", "list", "--json"))
    (ours,) = (row for row in listed if row["used-as"] == "keys.message")
    (they,) = json.loads(gateway("counterpart", "list", "-c", theirs, "--json"))
    pinned = [key["fingerprint"] for key in they["keys"] if key["usage"] == "message"]
    assert pinned == [ours["fingerprint"]]


def start_has_passed() -> None:
    """Let the instant of the rotation be over."""
    file = Path("gateway.toml")
    text = re.sub(r"^starts = .*$", "starts = 2026-01-01T00:00:00Z", file.read_text(), flags=re.M)
    file.write_text(text)


def test_a_key_device(houses: Path) -> None:
    soft_hsm()
    (stated,) = blocks("A key device (HSM)", "toml")
    assert str(MODULE) in stated
    Path("hsm.pin").write_text("1234\n")
    file = Path("gateway.toml")
    file.write_text(file.read_text(encoding="utf-8") + "\n" + stated, encoding="utf-8")
    for words in commands("A key device (HSM)"):
        if words[0] == "softhsm2-util":
            subprocess.run(words, check=True, capture_output=True)
            continue
        code = 1 if words[1:] == ["doctor", "--offline"] else 0
        result = CliRunner().invoke(app, words[1:])
        assert result.exit_code in (0, code), result.output
    receipt = re.sub(
        r'(\[keys\.receipt\]\n)key = ".*"\n.*\n',
        r'\1label = "receipt"\ncertificate = "keys/receipt-hsm.cert.pem"\n',
        file.read_text(encoding="utf-8"),
    )
    file.write_text(receipt, encoding="utf-8")
    found = json.loads(gateway("keys", "list", "--json"))
    places = {row["used-as"]: row["source"] for row in found}
    assert places["keys.receipt"] == "hsm:receipt:"
    assert places["keys.message.next"] == "hsm:message-2027:"
    lines = json.loads(CliRunner().invoke(app, ["doctor", "--offline", "--json"]).stdout)
    assert {line["check"]: line["level"] for line in lines}["keys.receipt"] == "OK"


def test_the_bilateral_pack(houses: Path) -> None:
    acquaint(houses, "vn", "cn")
    acquaint(houses, "cn", "vn")
    file = Path("gateway.toml")
    text = file.read_text(encoding="utf-8")
    header = "[counterpart.gateway-cn]\n"
    file.write_text(text.replace(header, f'{header}pack = "pack.json"\n'), encoding="utf-8")
    (calendars,) = blocks("The bilateral pack", "toml")
    Path("calendars.toml").write_text(calendars, encoding="utf-8")
    theirs = houses / "cn" / "gateway.toml"
    for words in commands("The bilateral pack"):
        if words[1:4] == ["pack", "show", "pack-2027.json"]:
            gateway("pack", "sign", "half.json", "--out", "pack-2027.json", "-c", theirs)
        gateway(*words[1:])
    lines = json.loads(CliRunner().invoke(app, ["doctor", "--offline", "--json"]).stdout)
    pack = [line for line in lines if line["check"] == "pack"]
    assert pack[0]["text"].startswith("version 1, ")
