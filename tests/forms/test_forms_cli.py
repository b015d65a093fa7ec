"""`gateway sign` and `verify` in every form, on files, as an officer would."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from form_parties import agency
from timestamp_authority import TimestampServer
from typer.testing import CliRunner

from gateway.cli import app
from gateway.signing.issue import KeyKind
from gateway.signing.keys import write_key

EDI = "SS TOR\r\nLạng Sơn\r\n".encode()
XML = b'<a xmlns="urn:a"><b>1</b></a>'
PACKAGE = b"<Package><b>1</b></Package>"
DECLARATION = (
    b'<DecMessage xmlns="http://www.chinaport.gov.cn/dec"><DecSign><Sign/><SignDate/>'
    b"<Certificate/><b>1</b></DecSign></DecMessage>"
)
FORMS = [
    ("vnaccs-smime", KeyKind.RSA3072, EDI, b"SS TOR", b"SS TOX"),
    ("vnaccs-smime", KeyKind.P256, EDI, b"SS TOR", b"SS TOX"),
    ("vn-2025", KeyKind.RSA3072, XML, b"<b>1", b"<b>2"),
    ("vn-2025", KeyKind.P256, XML, b"<b>1", b"<b>2"),
    ("vn-customs-detached", KeyKind.RSA3072, XML, b"<Content>", b"<Content>AAAA"),
    ("cn-sas-enveloping", KeyKind.SM2, PACKAGE, b"<b>1", b"<b>2"),
    ("cn-sas-enveloping-2022", KeyKind.SM2, PACKAGE, b"<b>1", b"<b>2"),
    ("cn-decsign", KeyKind.SM2, DECLARATION, b"<b>1", b"<b>2"),
]


def gateway(*words: str | Path, code: int = 0) -> str:
    done = CliRunner().invoke(app, [*map(str, words)])
    assert done.exit_code == code, done.output
    return done.stdout


@pytest.fixture
def keys(tmp_path: Path) -> Callable[[KeyKind], tuple[Path, Path]]:
    def made(kind: KeyKind) -> tuple[Path, Path]:
        party = agency(kind)
        key, certificate = tmp_path / f"{kind}.key", tmp_path / f"{kind}.pem"
        write_key(party.issued.key, key, None)
        certificate.write_bytes(party.issued.pem)
        return key, certificate

    return made


@pytest.mark.parametrize(("profile", "kind", "content", "old", "new"), FORMS)
def test_sign_and_verify(
    tmp_path: Path,
    keys: Callable[[KeyKind], tuple[Path, Path]],
    profile: str,
    kind: KeyKind,
    content: bytes,
    old: bytes,
    new: bytes,
) -> None:
    key, certificate = keys(kind)
    file, signed, taken = tmp_path / "file", tmp_path / "signed", tmp_path / "taken"
    file.write_bytes(content)
    done = CliRunner().invoke(
        app,
        ["sign", str(file), "--profile", profile, "--key", str(key), "--cert", str(certificate)],
    )
    assert done.exit_code == 0, done.output
    signed.write_bytes(done.stdout_bytes)
    words = ("verify", signed, "--profile", profile, "--cert", certificate)
    told = gateway(*words, "--output", taken)
    assert "verified: True" in told
    assert f"profile: {profile}" in told
    assert b"1" in taken.read_bytes() or taken.read_bytes() == EDI
    found = json.loads(gateway(*words, "--json"))
    assert found["party"] == certificate.name
    assert old in signed.read_bytes()
    signed.write_bytes(signed.read_bytes().replace(old, new, 1))
    refused = json.loads(gateway(*words, "--json", code=1))
    assert refused["findings"][0]["code"] == "signature-invalid"
    assert refused["findings"][0]["rule"]


def test_a_timestamp_by_the_command_line(
    tmp_path: Path, keys: Callable[[KeyKind], tuple[Path, Path]], tsa: TimestampServer
) -> None:
    key, certificate = keys(KeyKind.P256)
    (tmp_path / "a.xml").write_bytes(XML)
    anchor = ("--tsa-anchor", tsa.anchor_file)
    words = (
        "sign",
        tmp_path / "a.xml",
        "--profile",
        "vn-2025",
        "--key",
        key,
        "--cert",
        certificate,
    )
    (tmp_path / "b.xml").write_text(gateway(*words, "--tsa", tsa.url, *anchor))
    check = ("verify", tmp_path / "b.xml", "--profile", "vn-2025", "--cert", certificate)
    assert "signing-time: timestamp" in gateway(*check, *anchor)
    late = ("--at", "2199-01-01T00:00:00Z")
    assert "signing-time: timestamp" in gateway(*check, *anchor, *late)
    assert "timestamp-authority" in gateway(*check, "--json", code=1)
    gateway(*words, "--tsa", tsa.url, code=2)


def test_text_that_is_none(tmp_path: Path, keys: Callable[[KeyKind], tuple[Path, Path]]) -> None:
    key, certificate = keys(KeyKind.P256)
    for content in (b"\xff\xfe", b"a\rb"):
        (tmp_path / "a").write_bytes(content)
        words = ("sign", tmp_path / "a", "--profile", "vnaccs-smime", "--key", key)
        gateway(*words, "--cert", certificate, code=2)
