"""Keys are made, asked for, rotated and retired; a counterpart is added and renewed."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from softhsm import MODULE, PIN, soft_hsm
from typer.testing import CliRunner

from gateway.bootstrap import parts
from gateway.bootstrap.gateway import Gateway
from gateway.bootstrap.signers import signers
from gateway.cli import app
from gateway.errors import TrustError
from gateway.settings import Settings, load
from gateway.signing.dsse import payload_of, sign_statement
from gateway.signing.keys import fingerprint, load_certificate, load_signer
from gateway.signing.rolling import settled
from gateway.signing.trust import USAGE_OIDS, Usage

NAMED = ("--country", "VN", "--organisation", "gateway-vn")


def gateway(*words: object, code: int = 0, **environ: str) -> Any:
    result = CliRunner().invoke(app, [str(word) for word in words], env=environ)
    assert result.exit_code == code, result.output
    return result


def said(*words: object, code: int = 0) -> Any:
    return json.loads(gateway(*words, "--json", code=code).stdout)


def ahead(**time: int) -> str:
    return (datetime.now(UTC) + timedelta(**time)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("houses")
    for side in ("vn", "cn"):
        gateway("init", "--side", side, "--folder", folder / side)
    return folder


@pytest.fixture
def houses(fresh: Path, tmp_path: Path) -> Path:
    """Two sides that do not know each other yet."""
    shutil.copytree(fresh, tmp_path / "h")
    return tmp_path / "h"


def announce(houses: Path, side: str, name: str = "first.json") -> Path:
    keys, out = houses / side / "keys", houses / f"{side}-{name}"
    gateway(
        "keys", "announce", "--out", out, "--url", f"https://{side}.example/exchange/v1",
        "--anchors", keys / "link-authority.cert.pem", "--client", keys / "link-client.cert.pem",
        "-c", houses / side / "gateway.toml",
    )  # fmt: skip
    return out


def acquainted(houses: Path, side: str = "cn", other: str = "vn") -> Path:
    """Let a side add the other one; returns its settings file."""
    file = houses / side / "gateway.toml"
    keys = houses / side / "keys"
    gateway(
        "counterpart", "add", f"gateway-{other}", "--announcement", announce(houses, other),
        "--client-certificate", keys / "link-client.cert.pem", "--client-key",
        keys / "link-client.key.pem", "--yes", "-c", file,
    )  # fmt: skip
    return file


def settings_of(file: Path) -> Settings:
    return load(file, {}).settings


# gen, csr, list


@pytest.mark.parametrize("kind", ["ec-p256", "rsa-3072", "sm2"])
def test_a_request_asks_for_the_usage_of_the_link(tmp_path: Path, kind: str) -> None:
    words = ["--purpose", "head", "--name", "head-2", *NAMED, "--folder", tmp_path, "--kind", kind]
    made = said("keys", "csr", *words)
    request = x509.load_pem_x509_csr(Path(made["request"]).read_bytes())
    asked = request.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(asked) == [USAGE_OIDS[Usage.HEAD]]
    assert b"PRIVATE KEY" in Path(made["key"]).read_bytes()
    if kind != "sm2":
        assert request.is_signature_valid
    again = said("keys", "csr", *words[:2], "--name", "again", *words[4:], "--key", made["key"])
    assert again["key"] is None
    gateway("keys", "csr", *words, code=2)  # nothing is overwritten


def test_a_server_asks_for_its_names(tmp_path: Path) -> None:
    words = ["--purpose", "tls-server", "--name", "s", *NAMED, "--folder", tmp_path]
    made = said("keys", "csr", *words, "--host", "gateway.example", "--host", "127.0.0.1")
    request = x509.load_pem_x509_csr(Path(made["request"]).read_bytes())
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["gateway.example"]


def test_keys_are_listed_with_where_they_are(houses: Path) -> None:
    rows = {row["used-as"]: row for row in said("keys", "list", "-c", houses / "vn/gateway.toml")}
    assert rows["keys.pack"]["source"] == "file"
    assert rows["keys.pack"]["algorithm"] == "secp256r1"
    assert rows["agency.customs"]["source"] == ""
    assert not any(row["demo"] for row in rows.values())
    assert 720 < rows["keys.head"]["days-left"] <= 730


@pytest.mark.proves(
    attack="a key of the demo is used outside the demo: ours, of TLS, or of another party",
    code="signer-untrusted",
    rule="demo-key",
    behaviour="the gateway does not start, and names each",
)
@pytest.mark.parametrize("used", ["keys/head", "keys/pack", "keys/agencies-server"])
def test_keys_of_the_demo_stop_the_start_outside_the_demo(
    houses: Path, tmp_path: Path, used: str
) -> None:
    gateway("init", "--side", "vn", "--folder", tmp_path / "demo", "--profile", "demo")
    file = houses / "vn" / "gateway.toml"
    for part in ("key", "cert"):
        demo = tmp_path / "demo" / f"{used}.{part}.pem"
        (houses / "vn" / f"{used}.{part}.pem").write_bytes(demo.read_bytes())
    with pytest.raises(TrustError) as caught:
        Gateway(settings_of(file), listening=False, working=False)
    assert {finding.rule for finding in caught.value.findings} == {"demo-key"}
    assert any(row["demo"] for row in said("keys", "list", "-c", file))
    levels = {
        line["check"]: line["level"]
        for line in said("doctor", "-c", file, "--offline", code=1)
        if line["text"] == "a key of the demo"
    }
    assert set(levels.values()) == {"FAIL"}


# a counterpart is added


def test_a_counterpart_is_added_from_its_announcement_once_compared(houses: Path) -> None:
    file, content = houses / "cn" / "gateway.toml", announce(houses, "vn")
    before = file.read_text()
    words = ["counterpart", "add", "gateway-vn", "--announcement", content, "-c", file]
    only_shown = gateway(*words, code=1)
    assert "NOTHING VOUCHES" in only_shown.stderr
    assert file.read_text() == before
    content.unlink()
    acquainted(houses)
    section = settings_of(file).counterpart["gateway-vn"]
    assert section.url == "https://vn.example/exchange/v1"
    usages = {"message", "receipt", "statement", "head", "pack"}
    assert {pin.usage for pin in section.pinned} == usages
    for pin in section.pinned:
        ours = houses / "vn" / "keys" / f"{pin.usage}.cert.pem"
        assert pin.certificate.read_bytes() == ours.read_bytes()
    assert len(parts.peers(settings_of(file))) == 1
    (listed,) = said("counterpart", "list", "-c", file)
    assert {key["usage"] for key in listed["keys"]} == usages


def test_an_announcement_of_another_party_or_a_changed_one_is_refused(houses: Path) -> None:
    file, content = houses / "cn" / "gateway.toml", announce(houses, "vn")
    words = ["counterpart", "add", "gateway-la", "--announcement", content, "-c", file, "--yes"]
    assert said(*words, code=1)["error"] == "party-mismatch"
    bad = houses / "bad.json"
    bad.write_bytes(content.read_bytes().replace(b'"sig":"', b'"sig":"AAAA'))
    words = ["counterpart", "add", "gateway-vn", "--announcement", bad, "-c", file, "--yes"]
    assert said(*words, code=1)["error"] == "signature-invalid"
    bad.write_bytes(b"{}")
    assert said(*words, code=1)["error"] == "signature-invalid"


def test_a_counterpart_is_added_from_single_files(houses: Path) -> None:
    file, keys = houses / "cn" / "gateway.toml", houses / "vn" / "keys"
    ours = houses / "cn" / "keys" / "link-client"
    words = [
        "counterpart", "add", "gateway-vn", "--url", "https://vn.example/exchange/v1",
        "--anchors", keys / "link-authority.cert.pem", "--client-certificate",
        f"{ours}.cert.pem", "--client-key", f"{ours}.key.pem", "--yes", "-c", file,
    ]  # fmt: skip
    pins = [f"{u}={keys / u}.cert.pem" for u in ("message", "receipt", "pack")]
    pinned = [word for pin in pins for word in ("--pin", pin)]
    gateway(*words, *pinned, code=2)  # with what does it connect?
    pinned += ["--pin", f"tls-client={keys / 'link-client.cert.pem'}"]
    wrong = [*pinned, "--pin", f"tls={keys / 'head.cert.pem'}"]
    assert said(*words, *wrong, code=1)["findings"][0]["rule"] == "announcement"
    assert "NOTHING VOUCHES" in gateway(*words, *pinned).stderr
    section = settings_of(file).counterpart["gateway-vn"]
    assert {pin.usage for pin in section.pinned} == {"message", "receipt", "pack"}
    assert len(parts.peers(settings_of(file))) == 1
    gateway(*words, *pinned, code=2)  # it is there: renewals are signed


# rotation


def rotated(houses: Path, purpose: str, *more: object) -> Path:
    out = houses / f"rotate-{purpose}.json"
    file = houses / "vn" / "gateway.toml"
    gateway("keys", "rotate", purpose, "--at", ahead(days=2), "--out", out, "-c", file, *more)
    return out


@pytest.mark.parametrize("purpose", ["message", "receipt", "statement", "head", "pack"])
def test_a_key_is_rotated_announced_pinned_switched_and_retired(houses: Path, purpose: str) -> None:
    theirs = acquainted(houses)
    file = houses / "vn" / "gateway.toml"
    former = settings_of(file).keys.named()[purpose]
    out = rotated(houses, purpose)
    settings = settings_of(file)
    following = settings.keys.named()[purpose].next
    assert following is not None
    now = datetime.now(UTC)
    at = {"now": now, "then": following.starts}
    found = {
        when: settled(getattr(signers(settings, lambda t=time: t), purpose)).key_id
        for when, time in at.items()
    }
    assert found == {"now": mark(former.certificate), "then": mark(following.certificate)}
    words = ["counterpart", "add", "gateway-vn", "--announcement", out, "-c", theirs, "--yes"]
    assert "signed with its pinned pack key" in gateway(*words).stderr
    pins = {
        fingerprint(load_certificate(pin.certificate.read_bytes())): pin
        for pin in settings_of(theirs).counterpart["gateway-vn"].pinned
        if pin.usage == purpose
    }
    assert set(pins) == set(found.values())
    assert pins[found["now"]].not_after == following.starts + timedelta(days=30)
    early = pins[found["then"]].not_before
    assert early is not None
    assert early <= following.starts
    gateway("keys", "rotate", purpose, "--at", ahead(days=9), "--out", "x", "-c", file, code=2)
    ended = houses / "retire.json"
    gateway("keys", "retire", purpose, "--out", ended, "-c", file, code=2)  # not yet
    gateway("keys", "retire", purpose, "--out", ended, "--leaked", "-c", file)
    present = settings_of(file).keys.named()[purpose]
    assert mark(present.certificate) == found["then"]
    assert present.next is None
    words = ["counterpart", "add", "gateway-vn", "--announcement", ended, "-c", theirs, "--yes"]
    if purpose == "pack":  # the next key is not believed before its time: not even by itself
        assert said(*words, code=1)["findings"][0]["rule"] == "pin-window"
        return
    gateway(*words)
    left = [
        mark(pin.certificate)
        for pin in settings_of(theirs).counterpart["gateway-vn"].pinned
        if pin.usage == purpose
    ]
    assert left == [found["then"]]


def mark(certificate: Path) -> str:
    return fingerprint(load_certificate(certificate.read_bytes()))


@pytest.mark.proves(
    attack="an announcement of keys that another key than the pinned pack key signed",
    code="signature-missing",
    behaviour="refused: nothing is pinned",
)
def test_a_renewal_that_the_pinned_pack_key_did_not_sign_is_refused(houses: Path) -> None:
    theirs = acquainted(houses)
    out = rotated(houses, "message")
    before = theirs.read_text()
    message = houses / "vn" / "keys" / "message"
    forger = load_signer(Path(f"{message}.key.pem"), Path(f"{message}.cert.pem"), None)
    forged = houses / "forged.json"
    forged.write_bytes(sign_statement(*payload_of(out.read_bytes()), [forger]))
    words = ["counterpart", "add", "gateway-vn", "--announcement", forged, "-c", theirs, "--yes"]
    assert said(*words, code=1)["error"] == "signature-missing"
    assert theirs.read_text() == before


def test_an_overlap_that_was_not_agreed_is_refused(houses: Path) -> None:
    acquainted(houses, "vn", "cn")
    file = houses / "vn" / "gateway.toml"
    words = ["keys", "rotate", "message", "--at", ahead(days=2), "--out", houses / "x.json"]
    refused = gateway(*words, "--overlap", 91, "-c", file, code=2)
    assert "90 days are agreed" in refused.stderr.replace("\n", " ").replace("│", "")
    assert settings_of(file).keys.message.next is None


def test_a_settings_file_that_cannot_be_changed_is_left_alone(houses: Path) -> None:
    file = houses / "vn" / "gateway.toml"
    rotated(houses, "message")
    text = file.read_text().replace("[keys.message.next]", "[keys.message.'next']")
    file.write_text(text)
    assert settings_of(file).keys.message.next is not None
    words = ["keys", "retire", "message", "--leaked", "--out", houses / "r.json", "-c", file]
    assert said(*words, code=1)["findings"][0]["rule"] == "settings-edit"
    assert file.read_text() == text


# in a token


@pytest.fixture
def with_hsm(houses: Path, request: pytest.FixtureRequest) -> Path:
    """Give side vn a token; returns its settings file."""
    label = f"k{abs(hash(request.node.nodeid)) % 10**9}"
    soft_hsm().new(label)
    file = houses / "vn" / "gateway.toml"
    (file.parent / "hsm.pin").write_text(PIN + "\n")
    text = f'\n[hsm]\nmodule = "{MODULE}"\ntoken = "{label}"\npin_file = "hsm.pin"\n'
    file.write_text(file.read_text() + text)
    return file


def test_keys_are_made_and_asked_for_in_the_token(with_hsm: Path) -> None:
    keys = with_hsm.parent / "keys"
    common = [*NAMED, "--folder", keys, "-c", with_hsm]
    for kind in ("ec-p256", "rsa-3072"):
        words = ["--purpose", "message", "--name", kind, "--label", kind, "--kind", kind]
        made = said("keys", "gen", *words, *common)
        assert made["key"] is None
        certificate = Path(made["certificate"])
        read = x509.load_pem_x509_certificate(certificate.read_bytes())
        read.verify_directly_issued_by(read)
        asked = ["--purpose", "message", "--name", f"{kind}-2", "--label", f"{kind}-2"]
        made = said("keys", "csr", *asked, "--kind", kind, *common)
        request = x509.load_pem_x509_csr(Path(made["request"]).read_bytes())
        assert request.is_signature_valid
    twice = ["--purpose", "message", "--name", "x", "--label", "ec-p256", *common]
    assert said("keys", "gen", *twice, code=1)["error"] == "conflict"
    gateway("keys", "gen", *twice, "--kind", "sm2", code=3)
    tls = ["--purpose", "tls-client", "--name", "t", "--label", "t", *common]
    gateway("keys", "gen", *tls, code=2)


def test_a_rotation_moves_a_key_into_the_token(with_hsm: Path, houses: Path) -> None:
    out = rotated(houses, "message", "--label", "message-2027")
    settings = settings_of(with_hsm)
    following = settings.keys.message.next
    assert following is not None
    assert following.in_token
    signer = signers(settings, lambda: following.starts).message
    assert settled(signer).sign(b"x")
    assert len(json.loads(payload_of(out.read_bytes())[1])["certificates"]) == 2
    rows = {row["used-as"]: row for row in said("keys", "list", "-c", with_hsm)}
    assert rows["keys.message.next"]["source"] == "hsm:message-2027:"


def test_a_key_in_a_token_that_no_section_names_is_refused(with_hsm: Path) -> None:
    text = with_hsm.read_text()
    for purpose in ("message", "head"):
        without_hsm = text.partition("[hsm]")[0]
        label = f'key = "keys/{purpose}.key.pem"'
        with_hsm.write_text(without_hsm.replace(label, 'label = "x"'))
        refused = gateway("keys", "list", "-c", with_hsm, code=2)
        assert f"keys.{purpose} is in a token" in refused.stderr
    with_hsm.write_text(
        text.replace('key = "keys/head.key.pem"', 'key = "keys/head.key.pem"\nid = "01"')
    )
    assert "give either key" in gateway("keys", "list", "-c", with_hsm, code=2).stderr


def test_doctor_looks_at_the_next_key_and_at_who_reads_the_pin(
    with_hsm: Path, houses: Path
) -> None:
    rotated(houses, "head", "--label", "head-2028")
    (with_hsm.parent / "hsm.pin").chmod(0o644)
    result = CliRunner().invoke(app, ["doctor", "-c", str(with_hsm), "--offline", "--json"])
    lines = {line["check"]: line for line in json.loads(result.stdout)}
    assert lines["keys.head.next"]["level"] == "OK"
    assert (lines["hsm"]["level"], lines["hsm"]["advice"][:9]) == ("WARN", "chmod 600")


def test_doctor_says_that_a_token_is_away(with_hsm: Path, houses: Path) -> None:
    rotated(houses, "head", "--label", "head-2027")
    gateway("keys", "retire", "head", "--out", houses / "r.json", "--leaked", "-c", with_hsm)

    def head() -> dict[str, str]:
        result = CliRunner().invoke(app, ["doctor", "-c", str(with_hsm), "--offline", "--json"])
        return next(line for line in json.loads(result.stdout) if line["check"] == "keys.head")

    assert head()["level"] == "OK"
    label = settings_of(with_hsm).hsm
    assert label is not None
    soft_hsm().take_away(label.token)
    found = head()
    soft_hsm().put_back(label.token)
    assert (found["level"], "hsm" in found["text"]) == ("FAIL", True)
