"""The settings file: what is wrong is said all at once, and where it comes from."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from run_peers import Authority

from gateway.settings import Loaded, Problem, SettingsError, load
from gateway.settings.template import Draft, render

NAMES = [
    "message",
    "receipt",
    "statement",
    "head",
    "pack",
    "link-server",
    "link-client",
    "agencies-server",
    "agencies-client",
    "customs",
    "operator",
]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A folder as `gateway init` leaves it; returns the settings file."""
    folder = tmp_path / "keys"
    folder.mkdir()
    for name in ("link-authority", "agencies-authority"):
        Authority(folder, f"{name}.cert")
    for name in NAMES:
        for part in ("cert", "key"):
            (folder / f"{name}.{part}.pem").write_text("not read here")
    (folder / "at-rest-1.key").write_text("not read here")
    return write(tmp_path, render(Draft("vn", "gateway-vn", "gateway-cn")))


def write(folder: Path, text: str) -> Path:
    file = folder / "gateway.toml"
    file.write_text(text, encoding="utf-8")
    return file


def uncommented(text: str, start: str, end: str) -> str:
    """Take one comment sign away from the lines between two lines."""
    before, _, rest = text.partition(start)
    block, _, after = rest.partition(end)
    lines = (re.sub("^# ?", "", line) for line in (start + block).splitlines())
    return before + "\n".join(lines) + "\n" + end + after


def with_counterpart(house: Path) -> str:
    folder = house.parent / "counterpart"
    folder.mkdir(exist_ok=True)
    for name in ("link-authority", "link-client", "message", "receipt", "head", "pack"):
        (folder / f"{name}.cert.pem").write_text("not read here")
    return uncommented(
        house.read_text(encoding="utf-8"), "# [listen.counterpart]", "# --- domestic systems"
    )


def problems(file: Path, **environ: str) -> list[Problem]:
    with pytest.raises(SettingsError) as caught:
        load(file, environ)
    return list(caught.value.problems)


def lines(file: Path, **environ: str) -> list[str]:
    return [f"{p.path}: {p.text}" for p in problems(file, **environ)]


def test_what_init_writes_loads_with_paths_beside_the_file(house: Path) -> None:
    settings = load(house, {}).settings
    assert settings.gateway.side == "vn"
    assert settings.keys.message.key == house.parent / "keys" / "message.key.pem"
    assert settings.store.url == f"sqlite:///{house.parent}/gateway.db"
    assert settings.counterpart == {}
    assert settings.listen.counterpart is None
    assert settings.worker.lease == timedelta(seconds=90)


@pytest.mark.parametrize("side", ["vn", "cn"])
@pytest.mark.parametrize("profile", ["demo", "production"])
def test_every_commented_section_of_the_template_is_valid(
    house: Path, side: str, profile: str
) -> None:
    write(house.parent, render(Draft(side, f"gateway-{side}", "other", profile)))
    text = with_counterpart(house)
    text = text.replace('\n# [register]\n# vehicles = "vehicles.csv"', "\n[register]\nvehicles='v'")
    text = uncommented(text, "[limits]", "[never]").replace("[never]", "")
    (house.parent / "v").write_text("filing\n")
    settings = load(write(house.parent, text), {}).settings
    assert list(settings.counterpart) == ["other"]
    assert settings.registers.vehicles is not None
    assert [key.id for key in settings.at_rest.key] == ["1"]
    assert settings.retention.roles == {"canonical": timedelta(days=365)}
    assert len(settings.counterpart["other"].pinned) == 4
    assert settings.listen.counterpart is not None


def test_unknown_keys_are_refused_all_at_once_with_what_was_meant(house: Path) -> None:
    text = (
        house.read_text(encoding="utf-8")
        .replace("[store]\nurl", "[store]\nulr")
        .replace("[agency.customs.deliver]", "[agency.customs.delivery]")
        .replace("[limits]", "[limits]\nwhatever = 1")
        .replace("[worker]", "[wroker]")
    )
    assert [line[:70] for line in lines(write(house.parent, text))] == [
        "store.ulr: is unknown: did you mean `url`?",
        "limits.whatever: is unknown; known are: document_bytes, answer_bytes, "[:70],
        "agency.customs.delivery: is unknown: did you mean `deliver`?",
        "wroker: is unknown: did you mean `worker`?",
    ]


def test_a_key_within_a_list_is_named_by_its_index(house: Path) -> None:
    text = with_counterpart(house).replace('usage = "receipt"', 'usages = "receipt"')
    assert lines(write(house.parent, text)) == [
        "counterpart.gateway-cn.pinned[1].usage: is missing",
        "counterpart.gateway-cn.pinned[1].usages: is unknown: did you mean `usage`?",
    ]


def test_missing_values_files_and_bad_values_come_together(house: Path) -> None:
    (house.parent / "keys" / "receipt.key.pem").unlink()
    text = (
        house.read_text(encoding="utf-8")
        .replace('side = "vn"', 'side = "us"')
        .replace("port = 8443", "port = 99999")
        .replace('role = "operator"', "")
        .replace("[retry]", '[retry]\nfirst = "soon"')
    )
    found = lines(write(house.parent, text))
    missing = house.parent / "keys" / "receipt.key.pem"
    assert found == [
        "gateway.side: should be 'vn' or 'cn'",
        "listen.agencies.port: should be less than or equal to 65535",
        f"keys.receipt.key: there is no file {missing}",
        'retry.first: a duration like "500ms", "30s", "5m", "24h" or "7d" is expected',
        "agency.operator.role: is missing",
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("[worker]", '[worker]\nlease = "40s"'), "lease must be longer than twice the deadline"),
        (('"127.0.0.1"\nport = 8445', '"0.0.0.0"\nport = 8445'), "only a loopback address"),
        (("port = 8445", 'port = 8445\nkey = "keys/operator.key.pem"'), "TLS needs all three"),
        (("https://gateway.example", "http://gateway.example"), "url must be https://"),
        (('key = "keys/link-client.key.pem"', ""), "certificate and key go together"),
        (('signature = "link-ecdsa-p256"', 'signature = "sha1"'), "signature must be one of"),
        (('signature = "link-ecdsa-p256"', 'signature = "demo"'), "demo keys in production"),
        (('usage = "receipt"', 'usage = "statement"'), "no certificate is pinned for: receipt"),
        (('certificates = ["keys/operator.cert.pem"]', ""), "needs certificates or fingerprints"),
        (('"keys/receipt.key.pem"', '"keys/message.key.pem"'), "need a key each"),
        (("[agency.operator]", '[agency."../x"]'), "should match pattern"),
        (("[agency.operator]", '[agency.operator]\nfingerprints = ["ab"]'), "64 hexadecimal"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    house: Path, change: tuple[str, str], expected: str
) -> None:
    text = with_counterpart(house)
    assert change[0] in text
    (line,) = lines(write(house.parent, text.replace(*change)))
    assert expected in line


def test_two_counterparts_are_refused(house: Path) -> None:
    text = with_counterpart(house)
    start, end = text.index("[counterpart.gateway-cn]"), text.index("# --- domestic systems")
    text += text[start:end].replace("gateway-cn", "gateway-la")
    assert "version 1 has one counterpart" in problems(write(house.parent, text))[0].text


# the environment


def test_the_environment_overrides_and_origins_are_known(house: Path) -> None:
    write(house.parent, with_counterpart(house))
    loaded: Loaded = load(
        house,
        {
            "GATEWAY__LISTEN__AGENCIES__PORT": "9443",
            "GATEWAY__COUNTERPART__GATEWAY_CN__ACCEPT_BARE": "true",
            "GATEWAY__COUNTERPART__GATEWAY_CN__DISCLOSE": '["crew.names"]',
            "GATEWAY__COUNTERPART__GATEWAY_CN__PROFILE__SENDERID": "1234567890123",
            "GATEWAY__WORKER__DEADLINE": "10s",
            "PATH": "/bin",
        },
    )
    settings = loaded.settings
    assert settings.listen.agencies is not None
    assert settings.listen.agencies.port == 9443
    assert settings.counterpart["gateway-cn"].accept_bare
    assert settings.counterpart["gateway-cn"].disclose == {"crew.names"}
    assert settings.counterpart["gateway-cn"].profile["senderId"] == "1234567890123"
    assert settings.worker.deadline == timedelta(seconds=10)
    assert loaded.origin("listen.agencies.port") == "environment GATEWAY__LISTEN__AGENCIES__PORT"
    assert loaded.origin("gateway.side") == str(house)
    assert loaded.origin("worker.poll") == "default"


def test_a_wrong_variable_is_named_as_the_origin(house: Path) -> None:
    found = problems(
        house,
        GATEWAY__LISTEN__AGENCIES__PROT="1",
        GATEWAY__LISTEN__AGENCIES__PORT="many",
        GATEWAY__GATEWAY__SIDE__X="1",
        GATEWAY__AGENCY__CUSTOMS__FORMATS="[broken",
    )
    assert {(p.path, p.origin) for p in found} == {
        ("listen.agencies.prot", "environment GATEWAY__LISTEN__AGENCIES__PROT"),
        ("listen.agencies.port", "environment GATEWAY__LISTEN__AGENCIES__PORT"),
        ("gateway.side", "environment GATEWAY__GATEWAY__SIDE__X"),
        ("agency.customs.formats", "environment GATEWAY__AGENCY__CUSTOMS__FORMATS"),
    }
    assert any("did you mean `port`" in p.text for p in found)


def test_a_variable_that_is_no_toml_is_refused_though_the_file_is_right(house: Path) -> None:
    (problem,) = problems(house, GATEWAY__AGENCY__CUSTOMS__FORMATS="[broken")
    assert problem.path == "agency.customs.formats"


# the file itself


def test_a_file_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path / "gateway.toml")
    assert "gateway init" in str(problem)


@pytest.mark.parametrize("content", [b"[gateway\n", b"\xff\xfe", b"a = 1\na = 2\n"])
def test_a_file_that_is_not_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "gateway.toml"
    file.write_bytes(content)
    (problem,) = problems(file)
    assert "gateway.toml" in problem.text


def test_settings_do_not_change(house: Path) -> None:
    settings = load(house, {}).settings
    with pytest.raises(ValueError, match="frozen"):
        settings.gateway.side = "cn"  # type: ignore[misc]
