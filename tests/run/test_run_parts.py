"""Settings become parts: secrets, the vehicle register, parties, endpoints."""

from pathlib import Path

import pytest
from run_peers import Authority
from typer.testing import CliRunner

from gateway.bootstrap import parts
from gateway.bootstrap.gateway import Gateway
from gateway.bootstrap.outside import clock, new_id, randomness, secret
from gateway.cli import app
from gateway.errors import UnavailableError
from gateway.settings import Settings, load
from gateway.settings.sections import StoreSection


@pytest.fixture
def house(tmp_path: Path) -> Path:
    done = CliRunner().invoke(app, ["init", "--side", "vn", "--folder", str(tmp_path)])
    assert done.exit_code == 0
    return tmp_path / "gateway.toml"


def settings(house: Path, **changes: str) -> Settings:
    text = house.read_text(encoding="utf-8")
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    house.write_text(text, encoding="utf-8")
    return load(house, {}).settings


def test_a_secret_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"correct horse\r\nanything\n")
    assert secret(file) == b"correct horse"
    assert secret(None) is None
    with pytest.raises(UnavailableError, match="secret-file"):
        secret(tmp_path / "none")


def test_the_database_password_comes_from_its_file_and_is_quoted(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("p@ss/word")
    section = StoreSection.model_validate(
        {"url": "postgresql://gateway@db.example/gateway?sslmode=require", "password_file": file}
    )
    assert parts.store_url(section) == (
        "postgresql://gateway:p%40ss%2Fword@db.example/gateway?sslmode=require"
    )


def test_the_vehicle_register_is_read_by_filing_number(tmp_path: Path) -> None:
    file = tmp_path / "vehicles.csv"
    file.write_text("\ufefffiling,make,colour\n7208,HINO,white\n7209,,\n", encoding="utf-8")
    register = parts.vehicles(file)
    assert register["7208"]["make"] == "HINO"
    assert register["7209"]["make"] == ""
    assert parts.vehicles(None) == {}


@pytest.mark.parametrize("content", [b"plate\n1\n", b"filing\n\xff\n"])
def test_a_register_that_cannot_be_read_is_the_operators_case(
    tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "vehicles.csv"
    file.write_bytes(content)
    with pytest.raises(UnavailableError) as caught:
        parts.vehicles(file)
    assert caught.value.findings[0].path == str(file)


def test_an_agency_that_takes_documents_is_a_destination_of_its_own(house: Path) -> None:
    read = settings(house, **{
        "# [agency.customs.deliver.to]\n# url": "[agency.customs.deliver.to]\nurl",
        '# anchors = "customs-authority.pem"': 'anchors = "keys/agencies-authority.cert.pem"',
        '# certificate = "keys/agencies-client': 'certificate = "keys/agencies-client',
        '# key = "keys/agencies-client': 'key = "keys/agencies-client',
    })  # fmt: skip
    (endpoint,) = parts.endpoints(read)
    agency = parts.agency("customs", read.agency["customs"])
    assert agency.deliver is not None
    assert endpoint.name == agency.deliver.destination == "agency:customs"
    assert endpoint.identity is not None
    assert len(agency.fingerprints) == 1


def test_an_agency_that_fetches_has_no_destination(house: Path) -> None:
    read = settings(house)
    assert parts.endpoints(read) == []
    agency = parts.agency("customs", read.agency["customs"])
    assert agency.deliver is not None
    assert agency.deliver.destination is None


def test_a_certificate_that_is_none_is_named(house: Path) -> None:
    file = house.parent / "keys" / "customs.cert.pem"
    file.write_text("no certificate")
    with pytest.raises(UnavailableError) as caught:
        parts.agency("customs", settings(house).agency["customs"])
    assert caught.value.findings[0].path == str(file)


def test_a_gateway_whose_keys_do_not_load_leaves_nothing_open(
    house: Path, authority: Authority
) -> None:
    other = authority.issue("other")
    (house.parent / "keys" / "receipt.key.pem").write_bytes(other.key.read_bytes())
    with pytest.raises(UnavailableError, match="key-certificate-pair"):
        Gateway(settings(house), listening=True, working=True)


def test_ids_sort_by_time_and_randomness_has_its_size() -> None:
    ids = [new_id() for _ in range(100)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 100
    assert len(randomness(32)) == 32
    assert clock().tzinfo is not None
