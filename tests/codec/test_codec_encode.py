"""Encoding: what is refused, what only warns, what a group needs, canonical octets."""

import msgspec
import pytest
from crates import ITEM, LOT_VALUE, crate, kilograms, manifest, owner, remark, vi

from gateway import safexml
from gateway.codec.formats import Encoded, Formats
from gateway.errors import Finding, GatewayError, MappingError, Severity
from gateway.model.manifest import Direction, Manifest
from gateway.model.values import Measure, Party

HEAD = {"messageId": "M1"}
replace = msgspec.structs.replace


def encode(formats: Formats, document: Manifest, **options: bool) -> Encoded:
    return formats.encode("zz.crate", document, HEAD, **options)


def refused(formats: Formats, document: Manifest) -> list[Finding]:
    with pytest.raises(GatewayError) as caught:
        encode(formats, document)
    return list(caught.value.findings)


def lot(**changes: object) -> tuple[object, ...]:
    return (replace(LOT_VALUE, **changes),)


def test_plain_document(formats: Formats) -> None:
    encoded = encode(formats, manifest())
    assert encoded.content == crate()
    assert (encoded.media_type, encoded.draft) == ("application/xml", False)


def test_text_is_escaped_as_canonical_xml(formats: Formats) -> None:
    nasty = "a\tb\r\nc\"'<script>]]>&amp;𝄞"
    content = encode(formats, manifest(remarks=(remark(nasty),))).content
    root = safexml.parse(content)
    assert safexml.c14n(root) == content
    assert root.findtext("{*}Body/{*}Remark") == nasty


@pytest.mark.parametrize("bad", ["\x00", "\x08", "\x1f", "\ufffe", "\ud800"])
def test_characters_that_xml_cannot_hold(formats: Formats, bad: str) -> None:
    (finding,) = refused(formats, manifest(remarks=(remark(f"a{bad}"),)))
    assert (finding.code, finding.rule) == ("schema-invalid", "character")
    assert finding.path == "remarks[both]"
    assert finding.found == f"U+{ord(bad):04X}"


def test_everything_missing_is_named(formats: Formats) -> None:
    document = manifest(identifiers=(), issued_at=None, consignments=lot(gross_mass=None, items=()))
    with pytest.raises(GatewayError) as caught:
        formats.encode("zz.crate", document, {})
    found = {(f.path, f.rule) for f in caught.value.findings}
    assert found == {
        ("head.messageId", "mandatory"),
        ("issued_at", "mandatory"),
        ("identifiers[cn.road-batch]", "mandatory"),
        ("consignments[0].gross_mass", "mandatory"),
        ("consignments[0].items", "mandatory"),
    }
    batch = next(f for f in caught.value.findings if f.path.startswith("identifiers"))
    assert batch.code == "rule-broken"
    assert batch.expected == "doc or param:batchNumber (zz.crate Body/ID)"


def test_too_long_is_never_cut(formats: Formats) -> None:
    items = (ITEM, replace(ITEM, descriptions=(vi("x" * 41),)))
    (finding,) = refused(formats, manifest(consignments=lot(items=items)))
    assert finding.code == "too-long-for-target"
    assert finding.path == "consignments[0].items[1].descriptions[0]"
    assert "Body/Lot[1]/Line[2]/Goods/Text" in finding.expected
    assert finding.found == "41"


def test_recalled_length_only_warns(formats: Formats) -> None:
    encoded = encode(formats, manifest(remarks=(remark("x" * 31),)))
    (finding,) = encoded.findings
    assert finding.severity is Severity.WARN
    assert (finding.code, finding.rule) == ("too-long-for-target", "recalled-length")


def test_too_many(formats: Formats) -> None:
    (finding,) = refused(formats, manifest(consignments=lot(items=(ITEM,) * 4)))
    assert (finding.code, finding.rule, finding.found) == ("rule-broken", "repeat", "4")
    assert finding.expected.startswith("at most 3")


def test_form_of_the_target(formats: Formats) -> None:
    items = (ITEM, replace(ITEM, sequence=100_000))
    heavy = kilograms("12345678901234567")
    found = refused(formats, manifest(consignments=lot(gross_mass=heavy, items=items)))
    assert {(f.path, f.rule) for f in found} == {
        ("consignments[0].gross_mass", "form"),
        ("consignments[0].items[1].sequence", "form"),
    }


def test_all_conversion_faults_come_at_once(formats: Formats) -> None:
    pounds = Measure(value=kilograms("1").value, unit="ZZZ")
    items = (replace(ITEM, gross_mass=pounds), ITEM, replace(ITEM, gross_mass=pounds))
    found = refused(formats, manifest(consignments=lot(gross_mass=pounds, items=items)))
    assert {f.code for f in found} == {"code-unknown"}
    assert {f.path for f in found} == {
        "consignments[0].gross_mass",
        "consignments[0].items[0].gross_mass",
        "consignments[0].items[2].gross_mass",
    }


def test_optional_group_goes_without_what_it_needs(formats: Formats) -> None:
    document = manifest(agent=Party(names=(vi("Chỉ có tên"),)))
    encoded = encode(formats, document)
    assert b"Agent" not in encoded.content
    (finding,) = encoded.findings
    assert (finding.rule, finding.severity) == ("group-left-out", Severity.WARN)
    assert finding.path == "agent.ids[cn.sender]"


def test_constant_fills_only_a_group_that_is_there(formats: Formats) -> None:
    encoded = encode(formats, manifest(consignments=lot(consignor=owner("N", "123"))))
    assert b"<Reach><Number>123</Number><Type>TE</Type></Reach>" in encoded.content
    assert b"Reach" not in encode(formats, manifest(consignments=lot(consignor=owner("N")))).content


def test_default_of_a_list(formats: Formats) -> None:
    encoded = encode(formats, manifest(consignments=lot(itinerary=())))
    assert encoded.content == crate()
    assert encoded.trace.defaulted == [12]


def test_draft_warns_of_what_is_unfed(formats: Formats) -> None:
    encoded = encode(formats, manifest(identifiers=()), draft=True)
    assert encoded.draft
    assert [(f.path, f.severity) for f in encoded.findings] == [
        ("identifiers[cn.road-batch]", Severity.WARN)
    ]
    whole = encode(formats, manifest(), draft=True)
    assert not whole.draft


def test_no_draft_where_the_table_has_none(formats: Formats) -> None:
    document = Manifest(direction=Direction.CN_VN)
    with pytest.raises(GatewayError):
        formats.encode("zz.parcel", document, {}, draft=True)


def test_other_direction(formats: Formats) -> None:
    found = refused(formats, manifest(direction=Direction.CN_VN))
    assert ("rule-broken", "direction") in {(f.code, f.rule) for f in found}


def test_narrowing_is_noted(formats: Formats) -> None:
    exact = manifest().issued_at
    assert exact is not None
    finer = replace(exact, precision="millisecond", local=exact.local + ".125")
    assert encode(formats, manifest()).trace.narrowed == []
    assert encode(formats, manifest(issued_at=finer)).trace.narrowed == [4]


def test_check_output(formats: Formats) -> None:
    formats.check_output("zz.crate", crate())
    with pytest.raises(MappingError) as caught:
        formats.check_output("zz.crate", crate(lots=""))
    assert caught.value.findings[0].path == "zz.crate Body/Lot"
