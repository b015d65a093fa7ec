"""What agencies sign, and who stamps: from the settings to parts that work."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from timestamp_authority import TimestampServer
from typer.testing import CliRunner

from gateway.bootstrap import parts, timestamps
from gateway.bootstrap.outside import clock, new_id, randomness
from gateway.cli import app
from gateway.errors import UnavailableError
from gateway.flows.services import Services
from gateway.settings import Settings, SettingsError, load
from gateway.signing import timestamp
from gateway.signing.issue import KeyKind, Purpose, Subject, leaf
from gateway.signing.profiles import LINK_PROFILES, PROFILES, Shape
from gateway.transport.link import HttpLink

SIGNED = """
[[agency.customs.signed]]
signature = "vnaccs-smime"
formats = ["vn.vnaccs.eda"]
legacy = true
oldest = "2h"
trust = {{ revocation = "off" }}
[[agency.customs.signed.pinned]]
certificate = "{certificate}"
not_after = 2030-01-01T00:00:00Z

[[agency.customs.signed]]
signature = "vn-2025"
trust = {{ revocation = "off" }}
[[agency.customs.signed.pinned]]
certificate = "{certificate}"
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    done = CliRunner().invoke(app, ["init", "--side", "vn", "--folder", str(tmp_path)])
    assert done.exit_code == 0
    return tmp_path / "gateway.toml"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    start = clock() - timedelta(days=1)
    made = leaf(Subject("VN", "T", "", "c"), Purpose.MESSAGE, start, 90, kind=KeyKind.RSA3072)
    (tmp_path / "signing.pem").write_bytes(made.pem)
    return tmp_path / "signing.pem"


def told(house: Path, *sections: str) -> Settings:
    with house.open("a", encoding="utf-8") as file:
        file.write("".join(sections))
    return load(house, {}).settings


def services(settings: Settings, link: HttpLink) -> Services:
    return parts.services_of(
        settings,
        None,  # type: ignore[arg-type]  no store is asked
        link,
        clock=clock,
        ids=new_id,
        randomness=randomness,
    )


def test_two_forms_of_one_agency(house: Path, certificate: Path) -> None:
    settings = told(house, SIGNED.format(certificate=certificate.name))
    with HttpLink([], clock) as link:
        customs = services(settings, link).agencies["customs"]
    eda, tor = customs.form_of("vn.vnaccs.eda"), customs.form_of("vn.vnaccs.tor")
    assert eda
    assert tor
    assert (eda.policy.profile.shape, tor.policy.profile.shape) == (Shape.SMIME, Shape.XADES)
    assert (eda.policy.profile.legacy, tor.policy.profile.legacy) == (True, False)
    assert (eda.policy.profile.oldest, tor.policy.profile.oldest) == (
        timedelta(hours=2),
        timedelta(days=1),
    )
    (pin,) = eda.policy.pinned.values()
    assert (pin.party, pin.not_after.year if pin.not_after else 0) == ("customs", 2030)


def problems(house: Path, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        told(house, text)
    return "; ".join(problem.text for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("vnaccs-smime", "no-such", "signature must be one of"),
        ("vnaccs-smime", "cn-legacy-rsa", ""),
        ('trust = {{ revocation = "off" }}', "", "nobody could be asked"),
        (
            '[[agency.customs.signed.pinned]]\ncertificate = "{certificate}"',
            "",
            "nobody could sign",
        ),
        ('oldest = "2h"', 'oldest = "0s"', "greater than"),
        ('oldest = "2h"', "stamped = true", "stamped is for XAdES"),
    ],
)
def test_settings_that_say_nothing_useful(
    house: Path, certificate: Path, old: str, new: str, said: str
) -> None:
    text = SIGNED.replace(old, new).format(certificate=certificate.name)
    if said:
        assert said in problems(house, text)
    else:
        assert told(house, text)  # with legacy = true it is something


def block(house: Path, start: str, end: str) -> str:
    """Return a commented part of the settings file, without its comment signs."""
    text = house.read_text(encoding="utf-8")
    part = text[text.index(start) : text.index(end, text.index(start))]
    return re.sub("^# ?", "", part, flags=re.MULTILINE)


def test_the_commented_sections_are_valid(house: Path, certificate: Path, tmp_path: Path) -> None:
    for name in ("customs-signing.pem", "timestamp-root.pem"):
        (tmp_path / name).write_bytes(certificate.read_bytes())
    signed = block(house, "# [[agency.customs.signed]]", "[agency.customs.deliver]")
    stamps = block(house, "# [timestamps]", "# [register]")
    settings = told(house, "\n", signed, stamps)
    (form,) = settings.agency["customs"].signed
    assert (form.signature, len(form.pinned)) == ("vnaccs-smime", 1)
    assert list(settings.timestamps.authority) == ["first"]


def test_a_profile_that_is_nothing_without_the_switch(house: Path, certificate: Path) -> None:
    text = SIGNED.replace("vnaccs-smime", "cn-legacy-rsa").replace("legacy = true\n", "")
    assert "needs legacy = true" in problems(house, text.format(certificate=certificate.name))


@pytest.mark.parametrize("name", sorted(set(PROFILES) - set(LINK_PROFILES)))
def test_the_link_takes_the_forms_of_the_link_alone(
    house: Path, certificate: Path, name: str
) -> None:
    text = f"""
[counterpart.cn]
url = "https://gateway.example/exchange/v1"
signature = "{name}"
trust = {{ revocation = "off" }}
[[counterpart.cn.pinned]]
usage = "message"
certificate = "{certificate.name}"
[[counterpart.cn.pinned]]
usage = "receipt"
certificate = "{certificate.name}"
"""
    assert "signature must be one of" in problems(house, text)


def test_the_authority_of_the_settings_stamps(house: Path, tmp_path: Path) -> None:
    with TimestampServer(tmp_path / "tsa") as server:
        settings = told(
            house,
            f'\n[timestamps]\nanchors = ["tsa/root.pem"]\ndeadline = "5s"\n'
            f'[timestamps.authority.first]\nurl = "{server.url}"\n',
        )
        (endpoint,) = timestamps.endpoints(settings)
        assert (endpoint.deadline, endpoint.max_answer) == (timedelta(seconds=5), 65536)
        with HttpLink([endpoint], clock) as link:
            made = services(settings, link)
            assert made.timestamps is not None
            token = made.timestamps.stamp(b"message")
    assert timestamp.verify(token, b"message", made.timestamp_anchors).policy == "1.2.3.4.1"


def lines_of(house: Path) -> dict[str, tuple[str, str]]:
    done = CliRunner().invoke(app, ["doctor", "-c", str(house), "--json"])
    return {line["check"]: (line["level"], line["text"]) for line in json.loads(done.stdout)}


def test_doctor_asks_for_a_timestamp(house: Path, tmp_path: Path) -> None:
    with TimestampServer(tmp_path / "tsa") as server:
        told(
            house,
            f'\n[timestamps]\nanchors = ["tsa/root.pem"]\n'
            f'[timestamps.authority.first]\nurl = "{server.url}"\n',
        )
        level, text = lines_of(house)["timestamps/first"]
        assert (level, text.startswith("stamped; ")) == ("OK", True)
    level, text = lines_of(house)["timestamps/first"]
    assert (level, "econnrefused" in text) == ("FAIL", True)


def test_doctor_knows_who_signs_for_an_agency(house: Path, certificate: Path) -> None:
    told(house, SIGNED.format(certificate=certificate.name))
    found = lines_of(house)
    assert {"certificate agency.customs vnaccs-smime", "certificate agency.customs vn-2025"} <= (
        found.keys()
    )


def test_without_an_authority_nobody_stamps(house: Path) -> None:
    with HttpLink([], clock) as link:
        assert services(load(house, {}).settings, link).timestamps is None


def test_an_anchor_that_is_no_certificate(house: Path, tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("nothing")
    settings = told(house, '\n[timestamps]\nanchors = ["x.pem"]\n')
    with HttpLink([], clock) as link, pytest.raises(UnavailableError):
        services(settings, link)
