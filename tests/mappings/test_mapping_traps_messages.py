"""Traps of whole messages: what they lack, answers, directions, changes. Numbers are the traps'."""

import re
from datetime import date

import pytest
from mapping_desk import SAMPLES, Desk, Record, registration, xml
from msgspec.structs import replace

from gateway.codec.check import check_all
from gateway.errors import Finding, GatewayError
from gateway.model.manifest import Function

TOR, TWO = "dragon-fruit/tor.edi", "dragon-fruit/eda-2.edi"
MT2401, MT4402 = "electronics/mt2401.xml", "electronics/mt4402.xml"
ELECTRONICS = "electronics/parameters.json"


def text(content: bytes) -> str:
    return content.decode()


# what a document lacks

UNFED = {
    *("CBA", "ADT", "AMT", "TTM", "LOM", "CTM", "SEA", "CSN"),
    *("ESN", "ALD", "TPA", "REX", "ROB", "PR"),
}
assert len(UNFED) == 14


def items(findings: list[Finding]) -> set[str]:
    """The items of TIR that findings name, without their numbers."""
    places = (re.search(r"TIR\.([A-Z]+)", f"{f.path} {f.expected}") for f in findings)
    return {place[1] for place in places if place}


def test_trap_49_a_goods_manifest_is_no_arrival_declaration(desk: Desk) -> None:
    findings = desk.refused("vn.vnaccs.tir", desk.joined(MT2401), desk.sources())
    assert {(f.code, f.rule) for f in findings} == {("rule-broken", "mandatory")}
    defaults = {"DN", "REC", "TIM"}  # they need the truck and its driver to stand on
    assert items(findings) == UNFED | {"LPN", "DF"} | defaults


def test_trap_49_with_the_truck_fourteen_items_are_missing(desk: Desk) -> None:
    document = desk.joined(MT4402, MT2401)
    encoded = desk.translate("vn.vnaccs.tir", document, desk.sources(), draft=True)
    assert encoded.draft
    mandatory = [f for f in encoded.findings if f.rule == "mandatory"]
    assert items(mandatory) == UNFED | {"DLV", "VAN"}  # the two are conditional: they warn
    (name,) = [f for f in encoded.findings if f.rule == "charset"]
    assert name.path == "TIR.DF1"
    assert "GUI-F12345" in text(encoded.content)
    assert "测试驾驶员" not in text(encoded.content)


def test_trap_49_a_vehicle_register_feeds_the_truck(desk: Desk) -> None:
    known = {
        "type": "TRUCK",
        "make": "MAU MOTOR",
        "colour": "BLUE",
        "seats": "2",
        "chassis": "MAUCHASSIS0000004",
        "engine": "MAUENGINE04",
        "circulation": "1",
    }
    given = replace(desk.parameters(ELECTRONICS), vehicle=None)
    sources = desk.sources(given, register={"7208000000458": known}.get)
    encoded = desk.translate("vn.vnaccs.tir", desk.joined(MT4402, MT2401), sources)
    assert encoded.content == desk.sample("electronics/tir.edi")


# answers


def response(*changes: tuple[str, str]) -> bytes:
    return xml("dragon-fruit/response.xml", *changes)


NAMESPACE = 'xmlns="urn:Declaration:datamodel:standard:CN:MT1401:1"'


@pytest.mark.parametrize(
    "content",
    [
        response((f" {NAMESPACE}", "")),
        response(
            ("<Manifest xmlns=", "<ns2:Manifest xmlns:ns2="),
            ("</Manifest>", "</ns2:Manifest>"),
            ("<Response>", "<ns2:Response>"),
            ("</Response>", "</ns2:Response>"),
        ),
        response(
            (
                "<MessageType>MT1401</MessageType>\n    <SenderID>EPORT</SenderID>",
                "<SenderID>EPORT</SenderID>\n    <MessageType>MT1401</MessageType>",
            )
        ),
    ],
)
def test_trap_52_answers_match_by_local_name(desk: Desk, content: bytes) -> None:
    assert desk.formats.detect(content) == "cn.response"
    plain = desk.formats.decode("cn.response", desk.sample("dragon-fruit/response.xml"))
    assert desk.formats.decode("cn.response", content).document == plain.document


@pytest.mark.parametrize(
    "content",
    [
        xml(MT2401, (' xmlns="urn:Declaration:datamodel:standard:CN:MT2401:1"', "")),
        xml(
            MT2401,
            (
                "<DeclarationOfficeID>7208</DeclarationOfficeID>\n    <ID>5100260518001</ID>",
                "<ID>5100260518001</ID>\n    <DeclarationOfficeID>7208</DeclarationOfficeID>",
            ),
        ),
    ],
)
def test_trap_52_manifests_are_strict(desk: Desk, content: bytes) -> None:
    with pytest.raises(GatewayError):
        desk.formats.decode("cn.mt2401", content)


def test_trap_64_an_unlisted_code_is_kept_for_the_status_to_report(desk: Desk) -> None:
    content = response(("<StatementCode>01<", "<StatementCode>1<"))
    document = desk.formats.decode("cn.response", content).document
    assert [w.statement.code.raw for w in document.waybills] == ["1", None]


def test_trap_66_a_raw_ampersand_is_not_well_formed(desk: Desk) -> None:
    change = ("<documentType>EDA<", "<documentType>BNN&PTNT0300002<")
    (finding,) = desk.refuses(xml("dragon-fruit/answer-99.xml", change))
    assert finding.code == "malformed"


def test_trap_66_an_escaped_ampersand_stays_escaped(desk: Desk) -> None:
    change = ("<documentType>EDA<", "<documentType>BNN&amp;PTNT0300002<")
    decoded = desk.formats.decode("vn.vnsw.answer", xml("dragon-fruit/answer-99.xml", change))
    assert decoded.document.document_type == "BNN&PTNT0300002"
    again = desk.formats.encode("vn.vnsw.answer", decoded.document, {}).content
    assert b"<documentType>BNN&amp;PTNT0300002</documentType>" in again


# direction and change


def test_trap_79_an_import_leg_does_not_go_to_china(desk: Desk) -> None:
    def change(record: Record) -> None:
        record["type"] = 0

    (finding,) = desk.refuses(registration(change))
    assert (finding.code, finding.rule, finding.path) == ("rule-broken", "direction", "type")


@pytest.mark.parametrize("function", [Function.REPLACE, Function.CANCEL])
def test_trap_83_a_change_waits_for_the_reason(desk: Desk, function: Function) -> None:
    document = replace(desk.joined(TOR, TWO), function=function)
    findings = desk.refused("cn.mt1401", document, desk.sources())
    assert ("not-mapped", "original-only") in [(f.code, f.rule) for f in findings]


def test_transshipment_is_refused_and_not_overlooked(desk: Desk) -> None:
    def change(record: Record) -> None:
        record["registrationTransportDetails"][0]["isChangeVehicle"] = True

    (finding,) = desk.refuses(registration(change))
    assert finding.path == "registrationTransportDetails[0].isChangeVehicle"


def test_every_sample_is_detected(desk: Desk) -> None:
    found = {
        str(file.relative_to(SAMPLES)): desk.formats.detect(file.read_bytes())
        for file in SAMPLES.glob("*/*.*")
        if file.suffix in (".edi", ".xml", ".json") and file.name != "parameters.json"
    }
    assert found == {
        "dragon-fruit/tor.edi": "vn.vnaccs.tor",
        "dragon-fruit/eda-1.edi": "vn.vnaccs.eda",
        "dragon-fruit/eda-2.edi": "vn.vnaccs.eda",
        "dragon-fruit/mt1401.xml": "cn.mt1401",
        "dragon-fruit/mt4401.xml": "cn.mt4401",
        "dragon-fruit/response.xml": "cn.response",
        "dragon-fruit/answer-99.xml": "vn.vnsw.answer",
        "dragon-fruit/answer-00.xml": "vn.vnsw.answer",
        "durian/registration.json": "vn.langson.registration",
        "durian/mt1401.xml": "cn.mt1401",
        "durian/mt4401.xml": "cn.mt4401",
        "electronics/mt2401.xml": "cn.mt2401",
        "electronics/mt4402.xml": "cn.mt4402",
        "electronics/tir.edi": "vn.vnaccs.tir",
    }


def test_tables_are_proven() -> None:
    assert check_all() == []
    assert check_all(date(2026, 11, 24)) == []
