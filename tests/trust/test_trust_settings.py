"""Settings of trust: what fits together, what they become, what doctor says of them."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from revocation_authority import (
    AUTHORITY,
    DAY,
    HOUR,
    RevocationServer,
    Revoked,
    Wish,
    crl,
    make,
    name,
)
from typer.testing import CliRunner

from gateway.api.metrics_revocation import RevocationSources
from gateway.bootstrap import trust
from gateway.bootstrap.gateway import Gateway
from gateway.cli import app
from gateway.cli.doctor_trust import told
from gateway.errors import TrustError, UnavailableError
from gateway.settings import Settings, SettingsError, load
from gateway.signing.algorithms import ECDSA_SHA256
from gateway.signing.keys import key_signer
from gateway.signing.profiles import profile as profile_of
from gateway.signing.revocation import Kind, Mode, Standing
from gateway.signing.revocation_sources import Wanted
from gateway.signing.sign import sign_document
from gateway.signing.trust import USAGE_OIDS, PinnedKey, Usage
from gateway.signing.windows import longest_overlap

NOW = datetime.now(UTC).replace(microsecond=0)
VALID = {"start": NOW - 10 * DAY, "end": NOW + 200 * DAY}
ROOT = make(replace(AUTHORITY, **VALID))
MESSAGE = make(replace(Wish(), **VALID), ROOT)
OF_RECEIPTS = (USAGE_OIDS[Usage.RECEIPT],)
RECEIPT = make(replace(Wish(), subject=name("receipt"), usages=OF_RECEIPTS, **VALID), ROOT)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("house")
    done = CliRunner().invoke(app, ["init", "--side", "vn", "--folder", str(folder)])
    assert done.exit_code == 0
    return folder


@pytest.fixture
def server():
    with RevocationServer() as each:
        each.says("/list", crl(ROOT, made=NOW - HOUR, ends=NOW + DAY))
        yield each


@pytest.fixture
def house(made, server):
    folder: Path = made / "counterpart"
    folder.mkdir(exist_ok=True)
    for what, issued in (("root", ROOT), ("message", MESSAGE), ("receipt", RECEIPT)):
        (folder / f"{what}.pem").write_bytes(issued.pem)
    return made


def text_of(house: Path, stated: str, pinned: tuple[str, ...] = ("message", "receipt")) -> str:
    base = (house / "gateway.toml").read_text(encoding="utf-8")
    pins = "".join(
        f'[[counterpart.cn.pinned]]\nusage = "{usage}"\ncertificate = "counterpart/{usage}.pem"\n'
        for usage in pinned
    )
    head = '[counterpart.cn]\nurl = "https://127.0.0.1:1/exchange/v1"\n'
    return f"{base}\n{head}{pins}[counterpart.cn.trust]\n{stated}\n"


def settings(
    house: Path, stated: str, pinned: tuple[str, ...] = ("message", "receipt")
) -> Settings:
    file = house / "with-counterpart.toml"
    file.write_text(text_of(house, stated, pinned), encoding="utf-8")
    return load(file, {}).settings


ASKED = 'anchors = ["counterpart/root.pem"]\ncrls = ["{url}/list"]\n'


@pytest.mark.parametrize(
    ("stated", "problem"),
    [
        ("", "nobody could be asked"),
        ('revocation = "grace"', "go together"),
        ('grace = "1h"\nrevocation = "off"', "go together"),
        ('names = ["CN=x"]\nrevocation = "off"', "need anchors"),
        ('anchors = ["counterpart/root.pem"]', "needs crls, ocsps or from_certificates"),
        (
            'anchors = ["counterpart/root.pem"]\nnames = ["CN=x"]\nrevocation = "off"',
            "for pins alone",
        ),
        ('revocation = "off"\ncrls = ["http://a/x"]', "asks no sources"),
        ('revocation = "maybe"', "should be"),
        ('anchors = ["counterpart/root.pem"]\ncrls = ["ftp://a/x"]', "pattern"),
        ('anchors = ["counterpart/none.pem"]', "there is no file"),
        ('anchors = ["counterpart/root.pem"]\nnames = ["nonsense"]', "binds nobody"),
        (
            'anchors = ["counterpart/root.pem"]\nrevocation = "grace"\ngrace = "8d"',
            "less than or equal",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(house, stated, problem):
    with pytest.raises(SettingsError) as caught:
        settings(house, stated)
    assert problem in str(caught.value)
    assert "counterpart.cn.trust" in str(caught.value)


def test_with_names_no_pin_is_needed(house, server):
    stated = ASKED.format(url=server.url) + 'names = ["O=Example customs,C=CN"]\n'
    read = settings(house, stated, ())
    assert read.counterpart["cn"].trust.revocation == "require"
    with pytest.raises(SettingsError, match="no certificate is pinned"):
        settings(house, ASKED.format(url=server.url), ())


def test_a_gateway_asks_its_sources_and_believes_the_authority(house, server):
    stated = ASKED.format(url=server.url) + 'names = ["O=Example customs,C=CN"]\n'
    read = settings(house, stated, ())
    gateway = Gateway(read, listening=False, working=False)
    try:
        desk = gateway.services.revocation
        policy = gateway.services.counterparts["cn"].messages
        key = policy.signer(MESSAGE.der, NOW, ECDSA_SHA256)
        assert (key.party, policy.revocation.mode) == ("cn", Mode.REQUIRE)
        assert desk.check(policy.revocation, key.chain).standing is Standing.GOOD
        (chore,) = trust.chores(gateway.services, read)
        assert (chore.name, chore.every) == ("revocation", timedelta(minutes=15))
        serial = MESSAGE.certificate.serial_number
        server.says("/list", crl(ROOT, [Revoked(serial, NOW - HOUR)], made=NOW, ends=NOW + DAY))
        gone = Wanted(Kind.CRL, "x", "http://gone.example/", MESSAGE.der, ROOT.der, agreed=True)
        gateway.store.commit(lambda tx: tx.want_status(gone))
        assert chore.run() == 1
        kept = gateway.store.read(lambda tx: tx.all_statuses())
        assert [each.wanted.url for each in kept] == [server.url + "/list"]
        with pytest.raises(TrustError, match="certificate-revoked"):
            desk.check(policy.revocation, key.chain)
        assert figures(gateway)["gateway_revocation_source_up"] == 1.0
    finally:
        gateway.close()


def figures(gateway: Gateway) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(RevocationSources(gateway.store, gateway.services.clock))
    lines = generate_latest(registry).decode().splitlines()
    values = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    return {labels.partition("{")[0]: float(value) for labels, _, value in values}


def test_without_revocation_nothing_is_asked(house):
    gateway = Gateway(settings(house, 'revocation = "off"'), listening=False, working=False)
    try:
        assert gateway.services.revocation is None
        assert trust.chores(gateway.services, gateway.settings) == []
    finally:
        gateway.close()


def lines(house, stated, *, offline, pinned=("message", "receipt")) -> list[tuple[str, str, str]]:
    read = settings(house, stated, pinned)
    return [(check, level, text) for check, level, text, _ in told(read, offline=offline)]


def test_doctor_shows_paths_and_asks_a_source_that_has_not_answered(house, server):
    server.says("/fresh", crl(ROOT, made=NOW - HOUR, ends=NOW + DAY))
    stated = f'anchors = ["counterpart/root.pem"]\ncrls = ["{server.url}/fresh"]\n'
    found = lines(house, stated, offline=False)
    assert [(check, level) for check, level, _ in found] == [
        ("trust cn message", "OK"),
        ("trust cn receipt", "OK"),
        (f"crl {server.url}/fresh", "OK"),
    ]
    assert "a path of 2 certificates" in found[0][2]
    assert "hours ago" in found[2][2]
    assert lines(house, stated, offline=True)[2][1:] == ("WARN", "has not answered yet")


def test_doctor_names_what_is_wrong_with_a_source(house, server):
    stated = f'anchors = ["counterpart/root.pem"]\ncrls = ["{server.url}/broken"]\n'
    assert lines(house, stated, offline=False)[2][1:] == ("FAIL", "bad-answer: answer HTTP 404")
    server.says("/broken", crl(ROOT, made=NOW - 3 * DAY, ends=NOW - DAY))
    assert "its successor was due" in lines(house, stated, offline=False)[2][2]
    server.says("/broken", crl(make(replace(AUTHORITY, subject=name("stranger")))))
    assert "crl-issuer" in lines(house, stated, offline=False)[2][2]


def test_doctor_names_a_pin_without_a_path_and_an_authority_that_ends(house, server):
    soon = make(replace(AUTHORITY, subject=name("soon"), start=NOW - DAY, end=NOW + 9 * DAY))
    (house / "counterpart" / "root.pem").write_bytes(soon.pem)
    found = lines(house, ASKED.format(url=server.url), offline=True)
    assert found[0][:2] == ("trust cn", "WARN")
    assert "an authority ends" in found[0][2]
    assert found[1][:2] == ("trust cn message", "FAIL")
    assert "chain-incomplete" in found[1][2]


def test_doctor_says_that_revocation_is_off(house):
    assert lines(house, 'revocation = "off"', offline=True) == [
        ("trust cn", "OK", "revocation is off: to revoke a certificate, take its pin away")
    ]


def test_doctor_on_the_command_line_has_the_lines(house, server):
    settings(house, ASKED.format(url=server.url))
    file = house / "with-counterpart.toml"
    done = CliRunner().invoke(app, ["doctor", "-c", str(file), "--offline", "--json"])
    checks = {line["check"]: line["level"] for line in json.loads(done.stdout)}
    assert checks["trust cn message"] == "OK"


# windows of pins


def pin(start: int | None = None, end: int | None = None, usage=Usage.MESSAGE) -> PinnedKey:
    return PinnedKey(
        MESSAGE.der,
        "cn",
        usage,
        None if start is None else NOW + start * DAY,
        None if end is None else NOW + end * DAY,
    )


@pytest.mark.parametrize(
    ("pins", "days"),
    [
        ((), 0),
        ((pin(),), 0),
        ((pin(), pin()), 210),
        ((pin(end=30), pin(start=10)), 20),
        ((pin(end=10), pin(start=30)), 0),
        ((pin(end=30), pin(start=10, usage=Usage.RECEIPT)), 0),
        ((pin(end=30), pin(start=10), pin(start=25)), 175),
    ],
)
def test_the_longest_overlap_of_two_pins_of_one_usage(pins, days):
    assert longest_overlap(pins)[0] == days * DAY


@pytest.mark.proves(
    attack="an old key that stays pinned beside the new one for longer than agreed",
    code="unavailable",
    rule="pin-overlap",
    behaviour="the gateway does not start, and doctor says why",
)
def test_an_overlap_that_is_too_long_is_refused_at_the_start(house):
    other = make(replace(Wish(), **VALID), ROOT)
    (house / "counterpart" / "new.pem").write_bytes(other.pem)
    more = '[[counterpart.cn.pinned]]\nusage = "message"\ncertificate = "counterpart/new.pem"\n'
    file = house / "two.toml"
    base = text_of(house, 'revocation = "off"\noverlap = "90d"')
    file.write_text(base.replace("[counterpart.cn.trust]", more + "{when}\n[counterpart.cn.trust]"))
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("{when}", ""), encoding="utf-8")
    with pytest.raises(UnavailableError) as caught:
        Gateway(load(file, {}).settings, listening=False, working=False)
    assert caught.value.findings[0].rule == "pin-overlap"
    late = f"not_before = {NOW + 150 * DAY:%Y-%m-%dT%H:%M:%SZ}"
    file.write_text(text.replace("{when}", late), encoding="utf-8")
    Gateway(load(file, {}).settings, listening=False, working=False).close()


def test_verify_on_the_command_line_believes_the_authorities_of_the_settings(house, server):
    stated = ASKED.format(url=server.url) + 'names = ["O=Example customs,C=CN"]\n'
    settings(house, stated, ())
    profile = profile_of("link-ecdsa-p256")
    signed = sign_document(b"<a></a>", key_signer(MESSAGE.key, MESSAGE.der), profile)
    file = house / "signed.xml"
    file.write_bytes(signed)
    config = str(house / "with-counterpart.toml")
    options = ["verify", str(file), "-c", config, "--profile", "link-ecdsa-p256", "--json"]
    found = json.loads(CliRunner().invoke(app, options).stdout)
    assert (found["party"], found["revocation"]) == ("cn", "not asked")
    stranger = make(replace(Wish(), subject=name("message", "Other"), **VALID), ROOT)
    file.write_bytes(sign_document(b"<a></a>", key_signer(stranger.key, stranger.der), profile))
    assert CliRunner().invoke(app, options).exit_code == 1
