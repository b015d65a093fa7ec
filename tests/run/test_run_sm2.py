"""Two real gateways over mutual TLS, the Chinese one signing with SM2."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway import demo
from gateway.bootstrap import parts
from gateway.bootstrap.outside import clock
from gateway.bootstrap.signers import signers
from gateway.cli import app
from gateway.demo.sides import prepare, write_settings
from gateway.errors import UnavailableError
from gateway.safexml import parse
from gateway.settings import load
from gateway.settings.sections import CounterpartSection
from gateway.signing import sm2, sm2_libcrypto
from gateway.signing.algorithms import ECDSA_SHA256, SM2_SM3
from gateway.signing.sign import PairedSigner

SAMPLES = Path(__file__).parent.parent / "samples"
METHOD = "{http://www.w3.org/2000/09/xmldsig#}SignatureMethod"


def methods(file: Path, role: str) -> set[str]:
    """Return how the documents of a role are signed that a side stored."""
    query = (
        "SELECT payload.content FROM document JOIN payload ON payload.digest = document.digest"
        " WHERE document.role = ?"
    )
    with closing(sqlite3.connect(file)) as database:
        found = [content for (content,) in database.execute(query, (role,))]
    return {
        element.get("Algorithm", "").rpartition("#")[2]
        for content in found
        for element in parse(content).iter(METHOD)
    }


def test_a_truck_crosses_with_sm2_on_the_chinese_side(tmp_path: Path) -> None:
    shutil.copytree(SAMPLES / "electronics", tmp_path / "docs" / "electronics")
    work = tmp_path / "demo"
    assert demo.run(tmp_path / "docs", work, sm2=True) == 0
    assert methods(work / "vn" / "gateway.db", "wire") == {"sm2-sm3"}
    assert methods(work / "cn" / "gateway.db", "receipt") == {"ecdsa-sha256"}


# --- settings and command line ------------------------------------------------------------


def gateway(*arguments: str | Path, code: int = 0) -> str:
    done = CliRunner().invoke(app, [*map(str, arguments)])
    assert done.exit_code == code, done.output
    return done.stdout


def made(folder: Path, name: str, purpose: str, kind: str) -> tuple[Path, Path]:
    """Make a key by the command line; return key and certificate."""
    gateway(
        *("keys", "gen", "--purpose", purpose, "--name", name, "--country", "CN"),
        *("--organisation", "X", "--algorithm", kind, "--folder", folder),
    )
    return folder / f"{name}.key.pem", folder / f"{name}.cert.pem"


@pytest.fixture
def document(tmp_path: Path) -> Path:
    (tmp_path / "a.xml").write_bytes(b'<a xmlns="urn:a"><b>1</b></a>')
    return tmp_path / "a.xml"


@pytest.mark.parametrize("profile", ["link-sm2", "cn-sm2-2022", "cn-eport-sm2"])
def test_sign_and_verify_with_sm2(tmp_path: Path, document: Path, profile: str) -> None:
    key, certificate = made(tmp_path, "m", "message", "sm2")
    signed = tmp_path / "signed.xml"
    signing = ("sign", document, "--profile", profile, "--key", key, "--cert", certificate)
    signed.write_text(gateway(*signing))
    checking = ("verify", signed, "--profile", profile, "--cert", certificate)
    assert "sm2-sm3" in gateway(*checking)
    signed.write_text(signed.read_text().replace("<b>1", "<b>2"))
    gateway(*checking, code=1)


def test_sha1_by_the_command_line_needs_the_switch(tmp_path: Path, document: Path) -> None:
    key, certificate = made(tmp_path, "m", "message", "sm2")
    how = ("--profile", "cn-eport-sm2", "--cert", certificate)
    signed = tmp_path / "signed.xml"
    signed.write_text(gateway("sign", document, *how, "--key", key, "--legacy"))
    gateway("verify", signed, *how, "--legacy")
    gateway("verify", signed, *how, code=1)


def test_two_signatures_by_the_command_line(tmp_path: Path, document: Path) -> None:
    first = made(tmp_path, "first", "message", "ec-p256")
    second = made(tmp_path, "second", "message", "sm2")
    keys = ("--key", first[0], "--cert", first[1], "--second-key", second[0])
    signed = tmp_path / "signed.xml"
    how = ("--profile", "link-dual")
    signed.write_text(gateway("sign", document, *how, *keys, "--second-cert", second[1]))
    gateway("verify", signed, *how, "--cert", first[1], "--cert", second[1])
    gateway("verify", signed, *how, "--cert", first[1], code=1)
    gateway("sign", document, *how, *keys[:4], code=1)


def test_tls_takes_no_sm2_keys(tmp_path: Path) -> None:
    gateway(
        *("keys", "gen", "--purpose", "tls-server", "--name", "x", "--country", "CN"),
        *("--organisation", "X", "--kind", "sm2", "--folder", tmp_path),
        code=2,
    )


def section(tmp_path: Path, **stated: Any) -> CounterpartSection:
    (_, message), (_, receipt) = (made(tmp_path, n, n, "sm2") for n in ("message", "receipt"))
    pins = [{"usage": file.name.split(".")[0], "certificate": file} for file in (message, receipt)]
    return CounterpartSection.model_validate(
        {
            "url": "https://gateway.example/exchange/v1",
            "anchors": message,
            "pinned": pins,
            "trust": {"revocation": "off"},
            **stated,
        }
    )


def test_settings_say_how_each_side_signs(tmp_path: Path) -> None:
    told = section(tmp_path, signature="link-sm2", sign_as="link-ecdsa-p256")
    other = parts.counterpart("cn", told)
    assert (other.messages.profile.name, other.ours.name) == ("link-sm2", "link-ecdsa-p256")
    same = parts.counterpart("cn", told.model_copy(update={"sign_as": None}))
    assert same.ours.name == "link-sm2"


def test_the_second_key_is_a_setting(tmp_path: Path) -> None:
    _, sides = prepare(tmp_path, clock())
    write_settings(sides["cn"], sides["vn"], "https://127.0.0.1:1/")
    file = sides["cn"].settings
    text = file.read_text("utf-8").replace('sign_as = "demo"', 'sign_as = "link-dual"')
    file.write_text(text, "utf-8")
    with pytest.raises(UnavailableError) as caught:
        signers(load(file, {}).settings, clock)
    assert caught.value.findings[0].rule == "second-signature"
    for name in ("message", "receipt"):
        key, certificate = made(tmp_path, name, name, "sm2")
        text += f'[keys.{name}.second]\nkey = "{key}"\ncertificate = "{certificate}"\n'
    file.write_text(text, "utf-8")
    ours = signers(load(file, {}).settings, clock)
    for pair in (ours.message, ours.receipt):
        assert isinstance(pair, PairedSigner)
        assert (pair.algorithm, pair.second.algorithm) == (ECDSA_SHA256, SM2_SM3)
    assert not isinstance(ours.statement, PairedSigner)


def test_the_legacy_switch_is_a_setting(tmp_path: Path) -> None:
    told = section(tmp_path, signature="cn-eport-sm2", legacy_signatures=True)
    assert parts.counterpart("cn", told).messages.profile.legacy
    with pytest.raises(ValueError, match="legacy_signatures"):
        section(tmp_path / "other", signature="cn-legacy-rsa")


def test_a_gateway_without_the_library_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = section(tmp_path, signature="link-sm2")
    monkeypatch.setenv(sm2_libcrypto.LIBRARY_VARIABLE, "libnothing.so.9")
    sm2_libcrypto.library.cache_clear()
    sm2.tested.cache_clear()
    try:
        with pytest.raises(UnavailableError) as caught:
            parts.counterpart("cn", told)
        assert caught.value.findings[0].rule == "sm2-library"
    finally:
        monkeypatch.undo()
        sm2_libcrypto.library.cache_clear()
    parts.counterpart("cn", told)
