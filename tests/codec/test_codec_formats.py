"""Detection, the canonical format, places in the sender's terms, JSON, projection."""

import json
from typing import Any

import pytest
from codec_fixtures import DAY, FIXTURES
from crates import crate, manifest

from gateway import safexml
from gateway.codec.formats import Formats, project
from gateway.errors import DocumentError, GatewayError
from gateway.model.manifest import BorderTransportMeans, Consignment, CrewMember, Document
from gateway.model.values import Communication, Contact, Party, Text


def parcel(**changes: Any) -> bytes:
    document = {"number": "R1", "gate": {"code": "G1"}, "goods": [{"title": "Cam"}]} | changes
    return json.dumps(document).encode()


def test_detection(formats: Formats) -> None:
    assert formats.names() == ("canonical.manifest", "zz.crate", "zz.note", "zz.parcel")
    assert formats.detect(crate()) == "zz.crate"
    assert formats.detect(b"\xef\xbb\xbf" + crate()) == "zz.crate"
    assert formats.detect_tree(safexml.parse(crate())) == "zz.crate"
    assert formats.detect(parcel()) == "zz.parcel"
    assert formats.detect(b'{"direction": "VN-CN"}') == "canonical.manifest"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<Crate/>", "type-unknown"),
        (b"<Note/>", "type-unknown"),
        (b'{"number": "1"}', "type-unknown"),
        (b"{}", "type-unknown"),
        (b"[]", "malformed"),
        (b'{"number": ', "malformed"),
        (b'{"a": "\xff"}', "type-unknown"),
        (b"", "malformed"),
        (b"hello", "malformed"),
        (b"<Crate", "malformed"),
        (b"<!DOCTYPE a><a/>", "malformed"),
        (b"SS TOR" + b" " * 400, "type-unknown"),
    ],
)
def test_undetected(formats: Formats, content: bytes, code: str) -> None:
    with pytest.raises(DocumentError) as caught:
        formats.detect(content)
    assert caught.value.code == code


def test_unknown_format(formats: Formats) -> None:
    for call in (
        lambda: formats.header("zz.none"),
        lambda: formats.decode("zz.none", b""),
        lambda: formats.encode("zz.none", manifest(), {}),
    ):
        with pytest.raises(DocumentError) as caught:
            call()
        assert caught.value.code == "type-unknown"


def test_tables_of_the_day() -> None:
    early = Formats.load(DAY.replace(year=2019), FIXTURES / "mappings", FIXTURES / "xsd")
    assert early.names() == ("canonical.manifest",)


def test_canonical_manifest_says_where_it_is_wrong(formats: Formats) -> None:
    content = b'{"direction": "VN-CN", "consignments": [{}, {"items": [{"sequence": 1, "x": 2}]}]}'
    with pytest.raises(GatewayError) as caught:
        formats.decode("canonical.manifest", content)
    (finding,) = caught.value.findings
    assert finding.code == "schema-invalid"
    assert finding.path == "$.consignments[1].items[0]"
    assert "x" in finding.expected
    with pytest.raises(GatewayError) as caught:
        formats.decode("canonical.manifest", b'{"direction": ')
    assert caught.value.code == "malformed"


def test_canonical_octets_do_not_depend_on_order(formats: Formats) -> None:
    first = formats.encode("canonical.manifest", manifest(), {})
    assert first.table == "canonical.manifest@1"
    assert first.content == formats.encode("canonical.manifest", manifest(), {}).content


@pytest.mark.parametrize(
    ("canonical", "wire"),
    [
        ("consignments[1].items[2].gross_mass", "Body/Lot[2]/Line[3]/Weight"),
        ("consignments[1].items[2].gross_mass.unit", "Body/Lot[2]/Line[3]/Weight"),
        ("consignments[0].itinerary[1]", "Body/Lot[1]/Via[2]"),
        ("consignments[0].equipment_refs[1]", "Body/Lot[1]/Box[2]"),
        ("identifiers[cn.road-batch]", "Body/ID"),
        ("identifiers[cn.waybill]", "identifiers[cn.waybill]"),
        ("consignments[3]", "Body/Lot[4]"),
        ("consignments[3].consignor", "Body/Lot[4]/Owner/Name"),
        ("lpco[0].number", "lpco[0].number"),
        ("not a path", "not a path"),
        ("", ""),
    ],
)
def test_sender_path(formats: Formats, canonical: str, wire: str) -> None:
    assert formats.sender_path("zz.crate", canonical) == wire


def test_sender_path_of_a_format_without_table(formats: Formats) -> None:
    assert formats.sender_path("canonical.manifest", "lpco[0]") == "lpco[0]"


def test_json_values_keep_their_type(formats: Formats) -> None:
    goods = [{"title": "Cam", "weight": 19200.5, "unit": "KGM", "checked": False}]
    decoded = formats.decode("zz.parcel", parcel(goods=goods, leg=12, secret={"a": [1, "x"]}))
    mass = decoded.document.consignments[0].gross_mass
    assert str(mass.value) == "19200.5"
    assert decoded.document.means[0].seats == 12
    assert list(decoded.trace.left.values()) == [['{"a":[1,"x"]}']]
    again = json.loads(formats.encode("zz.parcel", decoded.document, {}).content)
    assert again == {
        "number": "R1", "leg": 12, "gate": {"code": "G1"}, "goods": goods,
    }  # fmt: skip


def test_json_faults_come_at_once(formats: Formats) -> None:
    goods = [{"title": "a", "weight": "x", "unit": "KGM"}, {"weight": 1}, {"title": "c", "no": 1}]
    with pytest.raises(GatewayError) as caught:
        formats.decode("zz.parcel", parcel(goods=goods))
    places = [f.path for f in caught.value.findings]
    assert len(places) >= 3
    assert any("[1]" in place for place in places)
    assert any("[2]" in place for place in places)


def test_source_is_shown(formats: Formats) -> None:
    source = formats.source("zz.crate")
    assert "def decode(e, head, t):" in source
    assert "# Body/Lot/Weight -> consignments[].gross_mass" in source


PERSON = CrewMember(
    role="driver",
    names=(Text(value="NGUYEN VAN MAU"),),
    documents=(Document(number="P0000001"),),
    communications=(Communication(type="TE", value="0900000000"),),
)
REACHED = Party(
    names=(Text(value="Công ty Mẫu"),),
    communications=(Communication(type="TE", value="0900000001"),),
    contact=Contact(names=(Text(value="TRAN THI MAU"),)),
)
WITH_PEOPLE = manifest(
    means=(BorderTransportMeans(crew=(PERSON,), owner=REACHED, make="ISUZU"),),
    consignments=(Consignment(consignor=REACHED, undg_contact=REACHED.contact),),
)


def test_nothing_personal_is_left() -> None:
    shown = project(WITH_PEOPLE, frozenset())
    assert shown.means[0].crew == ()
    assert shown.means[0].make == "ISUZU"
    consignor = shown.consignments[0].consignor
    assert consignor == Party(names=REACHED.names)
    assert shown.consignments[0].undg_contact is None


@pytest.mark.parametrize(
    ("disclose", "kept"),
    [
        ("crew", PERSON),
        ("crew.names", CrewMember(role="driver", names=PERSON.names)),
        ("crew.documents", CrewMember(role="driver", documents=PERSON.documents)),
    ],
)
def test_crew_by_field(disclose: str, kept: CrewMember) -> None:
    assert project(WITH_PEOPLE, frozenset({disclose})).means[0].crew == (kept,)


def test_parties_by_kind() -> None:
    shown = project(WITH_PEOPLE, frozenset({"communications"}))
    assert shown.consignments[0].consignor == Party(
        names=REACHED.names, communications=REACHED.communications
    )
    shown = project(WITH_PEOPLE, frozenset({"contact", "communications", "crew"}))
    assert shown is WITH_PEOPLE


def test_a_document_without_persons_stays_as_it_is() -> None:
    document = manifest()
    assert project(document, frozenset()) is document
