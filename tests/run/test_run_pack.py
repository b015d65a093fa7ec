"""The ceremony of a bilateral pack, by the commands of the operations manual, on two sides."""

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from run_process import exchanged
from typer.testing import CliRunner

from gateway.bootstrap import parts
from gateway.bootstrap.gateway import Gateway
from gateway.cli import app
from gateway.errors import GatewayError
from gateway.evidence.pack_seal import payload
from gateway.settings import load
from gateway.signing.trust import Usage

OTHER = {"vn": "cn", "cn": "vn"}
CALENDARS = """
[[calendars]]
gate = "Huu Nghi"
zone = "Asia/Ho_Chi_Minh"
hours = [{ days = [1, 2, 3, 4, 5, 6, 7], opens = "07:00", closes = "22:00" }]
holidays = [{ date = "2027-02-06", name = "Tet", hours = [] }]
"""


def gateway(*words: object, code: int = 0, **environ: str) -> Any:
    result = CliRunner().invoke(app, [str(word) for word in words], env=environ)
    assert result.exit_code == code, result.output
    return result


@dataclass
class Houses:
    """Two sides that gave each other their certificates, and a table between them."""

    folder: Path

    def file(self, side: str) -> Path:
        return self.folder / side / "gateway.toml"

    def run(self, side: str, *words: object, code: int = 0, **environ: str) -> Any:
        return gateway(*words, "-c", self.file(side), code=code, **environ)

    def draft(self, name: str, **options: object) -> Path:
        """Side vn writes down what it knows."""
        out = self.folder / name
        keys = self.folder / "vn" / "keys"
        stated: dict[str, object] = {
            "url": "https://gateway.example/exchange/v1",
            "anchors": keys / "link-authority.cert.pem",
            "valid-to": day(300),
            "calendars": self.folder / "calendars.toml",
        } | options
        words = [each for name_, value in stated.items() for each in (f"--{name_}", value)]
        self.run("vn", "pack", "draft", "--out", out, *words)
        return out

    def signed(self, draft: Path, *sides: str) -> Path:
        """Sign it on one side after the other."""
        file = draft
        for side in sides:
            out = self.folder / f"{draft.stem}.{side}.json"
            self.run(side, "pack", "sign", file, "--out", out)
            file = out
        return file

    def both(self, name: str, **options: object) -> Path:
        return self.signed(self.draft(name, **options), "vn", "cn")


def day(ahead: int) -> str:
    return (datetime.now(UTC) + timedelta(days=ahead)).strftime("%Y-%m-%d")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("houses")
    for side in OTHER:
        gateway("init", "--side", side, "--folder", folder / side)
    for side, other in OTHER.items():
        exchanged(folder / side, folder / other)
        file = folder / side / "gateway.toml"
        text = file.read_text(encoding="utf-8")
        text = text.replace("accept_bare = false", 'accept_bare = false\npack = "pack.json"')
        file.write_text(text, encoding="utf-8")
    (folder / "calendars.toml").write_text(CALENDARS)
    return folder


@pytest.fixture
def houses(made: Path, tmp_path: Path) -> Houses:
    shutil.copytree(made, tmp_path / "h")
    return Houses(tmp_path / "h")


def test_a_pack_is_drafted_signed_by_both_compared_and_taken(houses: Houses) -> None:
    draft = houses.draft("draft.json")
    shown = json.loads(houses.run("cn", "pack", "show", draft, "--json").stdout)
    assert shown["signatures"] == {}
    assert shown["pack"]["calendars"][0]["gate"] == "Huu Nghi"
    half = houses.signed(draft, "vn")
    refused = houses.run("cn", "pack", "check", half, "--json", code=1)
    assert json.loads(refused.stdout)["findings"][0]["rule"] == "pack-one-sided"
    whole = houses.folder / "pack.json"
    said = json.loads(houses.run("cn", "pack", "sign", half, "--out", whole, "--json").stdout)
    digests = {said["digest"]}
    for side in OTHER:
        shown = json.loads(houses.run(side, "pack", "show", whole, "--json").stdout)
        assert shown["signatures"] == {"gateway-vn": "good", "gateway-cn": "good"}
        found = json.loads(houses.run(side, "pack", "check", whole, "--json").stdout)
        digests.add(found["digest"])
        only_said = houses.run(side, "pack", "apply", whole, code=1)
        assert "add --yes" in only_said.stderr
        assert not (houses.file(side).parent / "pack.json").exists()
        applied = json.loads(houses.run(side, "pack", "apply", whole, "--yes", "--json").stdout)
        assert applied["applied"]
        assert (houses.file(side).parent / "pack.json").read_bytes() == whole.read_bytes()
        again = houses.run(side, "pack", "apply", whole, "--yes")
        assert "Nothing changes" in again.stderr
    assert len(digests) == 1


def test_what_runs_goes_by_the_pack_in_force(houses: Houses) -> None:
    whole = houses.both("draft.json")
    text = houses.file("cn").read_text(encoding="utf-8")
    houses.file("cn").write_text(
        text.replace("# document_bytes = 10000000", "document_bytes = 77"), encoding="utf-8"
    )
    houses.run("cn", "pack", "apply", whole, "--yes")
    settings = load(houses.file("cn"), {}).settings
    gateway_ = Gateway(settings, listening=False, working=False)
    try:
        services = gateway_.services
        assert services.pack is not None
        assert services.limits.document_bytes == services.pack.limits.document_bytes == 10_000_000
        pins = services.counterparts["gateway-vn"].messages.pinned.values()
        assert {pin.not_after for pin in pins} == {services.pack.valid_to}
        assert {pin.usage for pin in pins} == set(Usage)
        clients = parts.peers(settings, services.pack)
        assert clients == parts.peers(settings)
        rows = services.store.read(lambda tx: tx.evidence_of(""))
        assert [json.loads(row.entry)["kind"] for row in rows] == ["pack-applied"]
    finally:
        gateway_.close()


@pytest.mark.proves(
    attack="the pack file on disk is replaced, also by an older one that both sides signed",
    code="signer-untrusted",
    rule="pack-not-applied",
    behaviour="the gateway does not start; nothing but `gateway pack apply` changes what counts",
)
def test_a_pack_file_that_was_not_applied_last_stops_the_start(houses: Houses) -> None:
    first, second = houses.both("one.json"), houses.draft("two.json", version=2)
    houses.run("cn", "pack", "apply", first, "--yes")
    houses.run("vn", "pack", "apply", first, "--yes")
    text = second.read_text(encoding="utf-8").replace(
        '"documentBytes":10000000', '"documentBytes":9'
    )
    second.write_text(text, encoding="utf-8")
    newer = houses.signed(second, "vn", "cn")
    changes = json.loads(houses.run("cn", "pack", "diff", newer, "--json").stdout)
    assert {"version", "limit"} <= {change["change"] for change in changes}
    houses.run("cn", "pack", "apply", newer, "--yes")
    file = houses.file("cn").parent / "pack.json"
    settings = load(houses.file("cn"), {}).settings

    def start() -> str:
        with pytest.raises(GatewayError) as caught:
            Gateway(settings, listening=False, working=False)
        return caught.value.findings[0].rule

    file.write_bytes(first.read_bytes())
    assert start() == "pack-not-applied"
    back = json.loads(houses.run("cn", "pack", "apply", first, "--yes", "--json", code=1).stdout)
    assert back["findings"][0]["rule"] == "pack-older"
    file.unlink()
    assert start() == "pack-file"
    houses.run("cn", "pack", "apply", newer, "--yes")  # a file that was lost is put back
    Gateway(settings, listening=False, working=False).close()


def test_packs_that_are_not_for_now_are_refused_by_name(houses: Houses) -> None:
    later = houses.both("later.json", **{"valid-from": day(3)})
    found = houses.run("vn", "pack", "apply", later, "--yes", "--json", code=1)
    assert json.loads(found.stdout)["findings"][0]["rule"] == "pack-not-yet"
    draft = houses.draft("other.json")
    text = draft.read_text(encoding="utf-8").replace('"name":"gateway-vn"', '"name":"gateway-la"')
    other = houses.folder / "la.json"
    other.write_text(text, encoding="utf-8")
    found = houses.run("vn", "pack", "sign", other, "--out", "x", "--json", code=1)
    assert json.loads(found.stdout)["findings"][0]["rule"] == "pack-not-ours"


def test_the_changes_are_said_in_three_languages(houses: Houses) -> None:
    draft = houses.draft("draft.json")
    words = {
        lang: houses.run("vn", "pack", "diff", draft, "--lang", lang, COLUMNS="200").stdout
        for lang in ("vi", "zh", "en")
    }
    assert "Chứng thư" in words["vi"]
    assert "证书" in words["zh"]
    assert "Certificate" in words["en"]
    houses.run("vn", "pack", "diff", draft, "--lang", "xx", code=2)
    changed = houses.folder / "changed.json"
    text = draft.read_text(encoding="utf-8").replace('"opens":"07:00"', '"opens":"06:00"')
    changed.write_text(text, encoding="utf-8")
    between = json.loads(houses.run("vn", "pack", "diff", draft, changed, "--json").stdout)
    assert [change["change"] for change in between] == ["hours"]


def test_our_own_settings_that_differ_from_a_pack_are_named(houses: Houses) -> None:
    whole = houses.both("draft.json")
    keys = houses.folder / "vn" / "keys"
    gateway(
        "keys", "gen", "--purpose", "message", "--name", "message-2", "--country", "VN",
        "--organisation", "gateway-vn", "--folder", keys,
    )  # fmt: skip
    text = houses.file("vn").read_text(encoding="utf-8")
    for part in ("key", "cert"):
        text = text.replace(f'"keys/message.{part}.pem"', f'"keys/message-2.{part}.pem"')
    houses.file("vn").write_text(text, encoding="utf-8")
    found = json.loads(houses.run("vn", "pack", "check", whole, "--json").stdout)["findings"]
    assert {(f["rule"], f["path"]) for f in found} == {("pack-differs", "keys.message")}


def test_a_draft_without_calendars_or_with_bad_ones(houses: Houses) -> None:
    bad = houses.folder / "bad.toml"
    bad.write_text('[[calendars]]\ngate = "x"\n')
    anchors = houses.folder / "vn/keys/link-authority.cert.pem"
    words = ["--url", "https://a.example/x", "--anchors", anchors]
    out = houses.folder / "d.json"
    more = ["--valid-to", day(9), "--calendars", bad, "--json"]
    failed = houses.run("vn", "pack", "draft", "--out", out, *words, *more, code=1)
    assert json.loads(failed.stdout)["findings"][0]["rule"] == "pack-calendars"
    houses.run("vn", "pack", "draft", "--out", out, *words, "--valid-to", day(9))
    assert b'"calendars":[]' in out.read_bytes()


def test_a_pack_survives_the_rotation_of_the_key_that_signed_it(houses: Houses) -> None:
    """The signatures were verified when it was applied: that a key ended since is no matter."""
    whole = houses.both("draft.json")
    houses.run("cn", "pack", "apply", whole, "--yes")
    assert payload(whole.read_bytes())
    keys = houses.folder / "cn" / "keys"
    gateway(
        "keys", "gen", "--purpose", "pack", "--name", "pack-2", "--country", "CN",
        "--organisation", "gateway-cn", "--folder", keys,
    )  # fmt: skip
    text = houses.file("cn").read_text(encoding="utf-8")
    for part in ("key", "cert"):
        text = text.replace(f'"keys/pack.{part}.pem"', f'"keys/pack-2.{part}.pem"')
    houses.file("cn").write_text(text, encoding="utf-8")
    Gateway(load(houses.file("cn"), {}).settings, listening=False, working=False).close()
