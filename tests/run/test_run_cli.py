"""The command line: data on stdout, talk on stderr, exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from run_peers import Authority
from typer.testing import CliRunner, Result

from gateway.cli import app

SAMPLES = Path(__file__).parent.parent / "samples"
TRUCK = SAMPLES / "dragon-fruit"
TRUCK_FILES = [str(TRUCK / name) for name in ("eda-1.edi", "tor.edi", "eda-2.edi")]
SENDER = [
    "--set=senderId=7208990000001_DXPESW0000000001",
    "--set=receiverId=EPORT",
    "--set=representative=示例物流",
]
TRANSLATE = ["translate", "--to", "cn.mt1401", *TRUCK_FILES, *SENDER]


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GATEWAY_LANG", "en")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)


def gateway(*words: object, code: int = 0, content: bytes | None = None) -> Result:
    result = CliRunner().invoke(app, [str(word) for word in words], input=content)
    assert result.exit_code == code, result.output
    return result


# translate


def test_translate_gives_the_document_alone_on_stdout() -> None:
    result = gateway(*TRANSLATE, "--params", TRUCK / "parameters.json")
    assert result.stdout.startswith("<Manifest xmlns=")
    assert result.stdout.endswith("</Manifest>")
    assert "5100260514001" in result.stdout
    assert "cn.mt1401@2018-06-01" in result.stderr
    assert "carried" in result.stderr


def test_translate_refuses_with_all_findings_and_exit_1() -> None:
    result = gateway(*TRANSLATE, code=1)
    assert result.stdout == ""
    assert "rule-broken" in result.stderr
    assert "param:procedureCode" in result.stderr
    assert "batchNumber" in result.stderr


def test_translate_json_holds_document_findings_and_report() -> None:
    result = gateway(*TRANSLATE, "--params", TRUCK / "parameters.json", "--json")
    (made,) = json.loads(result.stdout)
    assert made["format"] == "cn.mt1401"
    assert not made["draft"]
    assert made["content"].startswith("<Manifest")
    assert made["report"]["targets"][0]["format"] == "cn.mt1401"
    assert made["report"]["sources"][0]["format"] == "vn.vnaccs.tor"  # vehicles first
    refused = json.loads(gateway(*TRANSLATE, "--json", code=1).stdout)
    assert refused["error"] == "rule-broken"
    assert len(refused["findings"]) > 1


def test_translate_writes_the_report_to_a_new_file_only(tmp_path: Path) -> None:
    words = [*TRANSLATE, "--params", TRUCK / "parameters.json", "--report", "report.json"]
    gateway(*words)
    assert json.loads((tmp_path / "report.json").read_bytes())["version"] == "1"
    assert "exists" in gateway(*words, code=2).stderr


def test_translate_makes_a_marked_draft_unless_told_not_to() -> None:
    words = ["translate", "--to", "vn.vnaccs.tir", *(
        SAMPLES / "electronics" / name for name in ("mt2401.xml", "mt4402.xml")
    )]  # fmt: skip
    assert "mandatory" in gateway(*words, "--no-draft", code=1).stderr
    result = gateway(*words)
    assert "DRAFT" in result.stderr
    assert len(result.stdout) > 400


def test_translate_out_writes_one_file_a_document(tmp_path: Path) -> None:
    gateway(*TRANSLATE, "--params", TRUCK / "parameters.json", "--out", "made")
    (file,) = (tmp_path / "made").iterdir()
    assert file.name == "cn.mt1401-1.xml"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["translate"], 2),
        (["translate", "--to", "cn.mt1401", "no-such-file"], 2),
        (["translate", "--to", "cn.mt9999", TRUCK_FILES[0]], 1),
        (["translate", "--to", "cn.mt1401", TRUCK_FILES[0], "--set", "senderId"], 2),
        (["translate", "--to", "cn.mt1401", *TRUCK_FILES, "--from", "vn.vnaccs.tor"], 2),
        (["decode", "--from", "cn.mt1401", TRUCK_FILES[0]], 1),
        (["no-such-command"], 2),
        (["verify", str(TRUCK / "mt1401.xml"), "--profile", "no-such-profile"], 1),
        (["verify", str(TRUCK / "mt1401.xml"), "--profile", "demo", "--usage", "x"], 2),
        (["message", "list", "--config", "no-such-file"], 2),
        (["serve", "--config", "no-such-file"], 2),
        (["db", "upgrade", "--config", "no-such-file"], 2),
        (["keys", "gen", "--purpose", "x", "--name", "n", "--country", "VN",
          "--organisation", "o"], 2),
    ],
)  # fmt: skip
def test_exit_codes_of_wrong_use_and_refusals(words: list[str], code: int) -> None:
    assert gateway(*words, code=code).stdout == ""


# decode, encode, describe


def test_decode_then_encode_gives_the_same_document(tmp_path: Path) -> None:
    decoded = gateway("decode", "--json", TRUCK / "mt1401.xml").stdout
    (tmp_path / "decoded.json").write_text(decoded, encoding="utf-8")
    encoded = gateway("encode", "--to", "cn.mt1401", "decoded.json").stdout
    again = gateway("decode", "--json", "-", content=encoded.encode()).stdout
    assert json.loads(again) == json.loads(decoded)


def test_decode_prints_canonical_json_that_encode_takes_too(tmp_path: Path) -> None:
    plain = gateway("decode", TRUCK / "mt1401.xml").stdout
    assert json.loads(plain)["direction"] == "VN-CN"
    encoded = gateway("encode", "--to", "cn.mt1401", "-", *SENDER, content=plain.encode()).stdout
    assert encoded.startswith("<Manifest")


def test_encode_takes_a_response_and_an_answer_too() -> None:
    for name, target in (("response.xml", "cn.response"), ("answer-99.xml", "vn.vnsw.answer")):
        decoded = gateway("decode", "--json", TRUCK / name).stdout
        assert gateway("encode", "--to", target, "-", content=decoded.encode()).stdout


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"{", "malformed"), (b"[]", "schema-invalid"), (b'{"direction":"XX"}', "schema-invalid"),
     (b'{"document":{},"head":{"a":1}}', "schema-invalid"), (b"\xff", "malformed"),
     (b"", "malformed")],
)  # fmt: skip
def test_encode_refuses_what_is_no_canonical_document(content: bytes, code: str) -> None:
    result = gateway("encode", "--to", "cn.mt1401", "-", "--json", content=content, code=1)
    assert json.loads(result.stdout)["error"] == code


@pytest.mark.parametrize("content", [b"", b"<", b"{}", b"\x00" * 400, "纸".encode("gb18030")])
def test_decode_refuses_anything_else_with_its_findings(content: bytes) -> None:
    found = json.loads(gateway("decode", "-", "--json", content=content, code=1).stdout)
    assert found["error"]
    assert found["findings"]


def test_describe_masks_personal_values_unless_told() -> None:
    masked = gateway("describe", TRUCK / "tor.edi").stdout
    shown = gateway("describe", TRUCK / "tor.edi", "--unmasked").stdout
    rows = json.loads(gateway("describe", TRUCK / "tor.edi", "--unmasked", "--json").stdout)["rows"]
    (name, *_) = [row["value"] for row in rows if row["path"] == "crew/DF"]
    first = name.split()[0]
    assert "***" in masked
    assert first in shown
    assert first not in masked
    assert max(map(len, masked.splitlines())) <= 80


def test_describe_masks_a_canonical_manifest_too() -> None:
    plain = gateway("decode", TRUCK / "tor.edi").stdout
    crew = json.loads(plain)["means"][0]["crew"][0]["names"][0]["value"]
    masked = gateway("describe", "-", "--json", content=plain.encode()).stdout
    shown = gateway("describe", "-", "--json", "--unmasked", content=plain.encode()).stdout
    assert crew in shown
    assert crew not in masked


# init, keys, sign, verify


@pytest.fixture
def house(tmp_path: Path) -> Path:
    gateway("init", "--side", "vn", "--folder", "vn")
    return tmp_path / "vn" / "gateway.toml"


def test_init_asks_nothing_and_overwrites_nothing(house: Path) -> None:
    before = house.read_bytes()
    assert "there already" in gateway("init", "--side", "vn", "--folder", "vn", code=2).stderr
    assert house.read_bytes() == before
    assert b"# Settings of a gateway" in before
    for key in (house.parent / "keys").glob("*.key.pem"):
        assert key.stat().st_mode & 0o077 == 0


def test_init_encrypts_keys_when_given_a_password(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("correct horse\n")
    gateway("init", "--side", "cn", "--folder", "cn", "--password-file", "secret")
    key = (tmp_path / "cn" / "keys" / "message.key.pem").read_bytes()
    assert b"ENCRYPTED" in key
    lines = json.loads(gateway("doctor", "-c", "cn/gateway.toml", "--offline", "--json").stdout)
    assert {line["level"] for line in lines if line["check"].startswith("keys.")} == {"OK"}


def test_keys_list_shows_every_fingerprint_within_80_columns(house: Path) -> None:
    text = gateway("keys", "list", "-c", house).stdout
    rows = json.loads(gateway("keys", "list", "-c", house, "--json").stdout)
    assert {row["used-as"] for row in rows} >= {"keys.message", "agency.customs"}
    assert all(row["fingerprint"][:32] in text for row in rows)
    assert max(map(len, text.splitlines())) <= 80


def test_keys_gen_makes_a_leaf_of_our_authority_once(house: Path) -> None:
    authority = house.parent / "keys" / "agencies-authority"
    words = [
        "keys", "gen", "--purpose", "tls-client", "--name", "quarantine", "--country", "VN",
        "--organisation", "Quarantine", "--folder", "more",
        "--issuer", f"{authority}.cert.pem", "--issuer-key", f"{authority}.key.pem",
    ]  # fmt: skip
    made = json.loads(gateway(*words, "--json").stdout)
    assert Path(made["certificate"]).is_file()
    assert "there already" in gateway(*words, code=2).stderr


def test_what_sign_signs_verify_verifies(house: Path, tmp_path: Path) -> None:
    document = b"<a xmlns='urn:x'>\n  <b>1</b></a>"
    signed = gateway("sign", "-", "-c", house, content=document).stdout
    cert = house.parent / "keys" / "message.cert.pem"
    words = ["verify", "-", "--profile", "link-ecdsa-p256"]
    found = json.loads(gateway(*words, "--cert", cert, "--json", content=signed.encode()).stdout)
    assert found["verified"]
    assert found["party"] == cert.name
    told = gateway(*words, "--cert", cert, content=signed.encode()).stdout
    assert "verified: True" in told
    tampered = signed.replace("<b>1</b>", "<b>2</b>")
    refused = gateway(*words, "--cert", cert, content=tampered.encode(), code=1)
    assert refused.stderr.startswith("signature-invalid")
    receipt = house.parent / "keys" / "receipt.cert.pem"
    stranger = gateway(*words, "--cert", receipt, "--json", content=signed.encode(), code=1)
    assert json.loads(stranger.stdout)["findings"][0]["rule"] == "not-pinned"
    late = gateway(
        *words, "--cert", cert, "--at", "2199-01-01T00:00:00Z", content=signed.encode(), code=1
    )
    assert "certificate-expired" in late.stderr


def test_verify_reads_statements_too(house: Path) -> None:
    from gateway.signing.dsse import sign_statement
    from gateway.signing.keys import load_signer

    keys = house.parent / "keys"
    signer = load_signer(keys / "statement.key.pem", keys / "statement.cert.pem", None)
    statement = sign_statement("text/plain", b"hello", [signer])
    words = ["verify", "-", "--profile", "link-ecdsa-p256", "--usage", "statement", "--json"]
    cert = keys / "statement.cert.pem"
    found = json.loads(gateway(*words, "--cert", cert, content=statement).stdout)
    assert found["payload-type"] == "text/plain"


# doctor


def lines_of(house: Path, code: int = 0) -> dict[str, dict[str, str]]:
    found = json.loads(gateway("doctor", "-c", house, "--json", code=code).stdout)
    return {line["check"]: line for line in found}


def test_doctor_is_content_with_what_init_and_upgrade_made(house: Path) -> None:
    assert lines_of(house)["store"]["level"] == "WARN"
    gateway("db", "upgrade", "-c", house)
    lines = lines_of(house)
    assert lines["store"]["level"] == "OK"
    assert lines["counterpart"]["level"] == "WARN"
    assert lines["mapping tables"]["level"] == "OK"
    text = gateway("doctor", "-c", house).stdout
    assert max(map(len, text.splitlines())) <= 80


def test_doctor_says_which_key_is_wrong_and_what_to_do(house: Path) -> None:
    keys = house.parent / "keys"
    (keys / "receipt.key.pem").write_bytes((keys / "message.key.pem").read_bytes())
    (keys / "message.key.pem").chmod(0o644)
    text = house.read_text(encoding="utf-8").replace('"vn.vnaccs.tor"', '"vn.vnaccs.tro"')
    house.write_text(text, encoding="utf-8")
    found = json.loads(gateway("doctor", "-c", house, "--json", code=1).stdout)
    wrong = {(line["check"], line["level"]) for line in found if line["level"] != "OK"}
    assert ("keys.receipt", "FAIL") in wrong
    assert ("keys.message", "WARN") in wrong
    (meant,) = [line for line in found if "vn.vnaccs.tro" in line["text"]]
    assert meant["advice"] == "did you mean vn.vnaccs.tor?"


def test_doctor_without_settings_says_how_to_get_some() -> None:
    assert "gateway init" in gateway("doctor", "-c", "no-such-file", code=1).stdout


def test_doctor_shows_every_problem_of_the_settings(house: Path) -> None:
    text = house.read_text(encoding="utf-8").replace("[store]\nurl", "[store]\nulr")
    house.write_text(text.replace("port = 8445", "port = 99999"), encoding="utf-8")
    found = json.loads(gateway("doctor", "-c", house, "--json", code=1).stdout)
    assert [line["level"] for line in found] == ["FAIL", "FAIL"]
    assert "did you mean `url`?" in found[0]["text"] + found[1]["text"]


def test_doctor_warns_of_certificates_that_end_soon(house: Path, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "short")
    for name, days in (("customs", 3), ("operator", -1)):
        issued = authority.issue(name, days=(-2, days))
        target = house.parent / "keys" / f"{name}.cert.pem"
        target.write_bytes(issued.certificate.read_bytes())
    lines = lines_of(house, code=1)
    assert lines["certificate agency.customs"]["level"] == "WARN"
    assert lines["certificate agency.operator"]["level"] == "FAIL"


def test_doctor_refuses_demo_keys_in_production(house: Path) -> None:
    gateway("init", "--side", "vn", "--folder", "demo", "--profile", "demo")
    demo = house.parent.parent / "demo" / "keys" / "customs.cert.pem"
    (house.parent / "keys" / "customs.cert.pem").write_bytes(demo.read_bytes())
    found = json.loads(gateway("doctor", "-c", house, "--json", code=1).stdout)
    assert ("agency.customs", "FAIL") in {(line["check"], line["level"]) for line in found}


# map, and the process itself


def test_map_check_proves_the_tables() -> None:
    assert json.loads(gateway("map", "check", "--json").stdout) == {"findings": []}


def test_a_bug_is_said_without_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.codec.formats import Formats

    def broken(*_: object) -> None:
        raise RuntimeError("passport C1234567")

    monkeypatch.setattr(Formats, "load", broken)
    result = gateway("decode", TRUCK_FILES[0], code=1)
    assert "RuntimeError" in result.stderr
    assert "test_run_cli.py" in result.stderr
    assert "C1234567" not in result.output


def run(*words: object, **environ: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "gateway", *map(str, words)],
        capture_output=True,
        timeout=60,
        env={"PATH": "/usr/bin:/bin", **environ},
        check=False,
    )


def test_the_process_returns_the_same_codes_and_keeps_its_streams_apart() -> None:
    done = run(*TRANSLATE, "--params", TRUCK / "parameters.json")
    assert (done.returncode, done.stdout[:9]) == (0, b"<Manifest")
    refused = run(*TRANSLATE)
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert run("decode", "no-such-file").returncode == 2
    assert run("--help").returncode == 0


def test_words_follow_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    for lang, word in (("vi_VN.UTF-8", "quy tắc"), ("zh-CN", "规则"), ("C", "rule")):
        monkeypatch.setenv("GATEWAY_LANG", lang)
        assert word in gateway(*TRANSLATE, code=1).stderr.lower()


def test_help_does_not_load_the_heavy_modules() -> None:
    code = (
        "import sys, gateway.cli\n"
        "heavy = {'lxml', 'sqlalchemy', 'fastapi', 'httpx', 'cryptography', 'pydantic', 'rich'}\n"
        "sys.exit(' '.join(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.stderr.strip() == b""
