"""The translation report: a fate for every source leaf, a source for every target leaf."""

import hmac
import json
from typing import Any

import msgspec
import rfc8785
from codec_fixtures import DAY
from crates import LINE, LOT, crate, manifest, owner, remark
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.codec import report
from gateway.codec.formats import Formats
from gateway.codec.notes import Note
from gateway.codec.supply import Supplied
from gateway.model.manifest import BorderTransportMeans, CrewMember, Direction, Manifest
from gateway.model.values import Text

SALT = bytes(32)


def parcel(**changes: Any) -> bytes:
    document = {"number": "R1", "gate": {"code": "G1"}, "goods": [{"title": "Cam"}]} | changes
    return json.dumps(document).encode()


def fates(made: report.Report) -> dict[str, str]:
    return {row.path: row.class_ for part in made.sources for row in part.sources}


def origins(made: report.Report) -> dict[str, tuple[str, ...]]:
    return {row.path: row.sources for part in made.targets for row in part.targets}


def test_every_leaf_has_a_fate(formats: Formats) -> None:
    reach = "<Owner><Name>N</Name><Reach><Number>0912</Number><Type>TE</Type></Reach></Owner>"
    lot = LOT.replace("<Line>", reach + "<Line>", 1).replace(">5<", ">5.50<", 1)
    content = crate(before="<Remark>r</Remark>", lots=lot, after="<Stamp>S</Stamp>")
    decoded = formats.decode("zz.crate", content)
    encoded = formats.encode("zz.crate", decoded.document, decoded.head)
    made = report.build([decoded], None, [encoded], salt=SALT)
    found = fates(made)
    assert found["Body/ID"] == "carried"
    assert found["Body/Lot/Weight"] == "converted"  # 5.50 comes out as 5.5
    assert found["Body/Stamp"] == "left-out"
    assert found["Head/Kind"] == "left-out"
    stamp = next(r for r in made.sources[0].sources if r.path == "Body/Stamp")
    assert stamp.reason == "a stamp of the sender's office"
    assert origins(made)["Head/Kind"] == ("const",)
    weight = next(r for r in made.targets[0].targets if r.path == "Body/Lot/Weight")
    assert [name.partition("@")[0] for name in weight.lists] == ["rec20-cn"]
    assert origins(made)["Body/ID"] == ("doc",)


def test_what_the_target_has_no_place_for_stays_canonical(formats: Formats) -> None:
    decoded = formats.decode("zz.crate", crate(before="<Remark>r</Remark>"))
    document = manifest(direction="CN-VN", remarks=(remark("r"),))
    parcels = formats.decode("zz.parcel", parcel())
    encoded = formats.encode("zz.parcel", parcels.document, {})
    made = report.build([decoded], None, [encoded], salt=SALT)
    assert document.remarks
    assert fates(made)["Body/Remark"] == "canonical"
    assert fates(made)["Body/Lot/Weight"] == "canonical"  # no weight was sent


def test_origins_are_named(formats: Formats) -> None:
    decoded = formats.decode("zz.crate", crate())
    encoded = formats.encode("zz.crate", decoded.document, decoded.head)
    supplied = Supplied(
        decoded.document,
        origins={"identifiers[cn.road-batch]": "param:batchNumber", "head.messageId": "alloc:x"},
    )
    made = report.build([decoded], supplied, [encoded], salt=SALT)
    assert origins(made)["Body/ID"] == ("param:batchNumber",)
    assert origins(made)["Head/MessageID"] == ("alloc:x",)
    assert fates(made)["Body/ID"] == "canonical"  # what was sent is the parameter


def test_a_derivation_links_what_it_reads(formats: Formats) -> None:
    decoded = formats.decode("zz.crate", crate(before="<Remark>r</Remark>"))
    encoded = formats.encode("zz.crate", manifest(), {"messageId": "M"})
    supplied = Supplied(decoded.document, origins={"issued_at": "derive:x"})
    made = report.build(
        [decoded], supplied, [encoded], salt=SALT, reads={"derive:x": ["remarks[both]"]}
    )
    row = next(r for r in made.sources[0].sources if r.path == "Body/Remark")
    assert row.class_ == "derived"
    assert [d.path for d in row.to] == ["Head/SentAt"]


def test_narrowing_is_named(formats: Formats) -> None:
    decoded = formats.decode("zz.crate", crate())
    sent = msgspec.structs.replace(
        decoded.document.issued_at, precision="millisecond", local="2026-05-14T08:30:00.125"
    )
    document = msgspec.structs.replace(decoded.document, issued_at=sent)
    encoded = formats.encode("zz.crate", document, decoded.head)
    made = report.build([decoded], None, [encoded], salt=SALT)
    assert fates(made)["Head/SentAt"] == "narrowed"
    assert next(r for r in made.targets[0].targets if r.path == "Head/SentAt").narrowed == 1


def test_counts_and_digests(formats: Formats) -> None:
    lot = LOT.replace(LINE, LINE.replace("Cam", "Bưởi") + LINE.replace("Cam", "Cam"))
    decoded = formats.decode("zz.crate", crate(lots=lot))
    made = report.build([decoded], None, [], salt=SALT)
    row = next(r for r in made.sources[0].sources if r.path == "Body/Lot/Line/Goods/Text")
    texts = ["Bưởi".encode(), b"Cam"]
    message = b"".join(len(t).to_bytes(4, "big") + t for t in texts)
    assert row.count == 2
    assert row.digest == hmac.digest(SALT, message, "sha256").hex()
    again = report.build([decoded], None, [], salt=b"other")
    assert row.digest != again.sources[0].sources[0].digest


def test_no_value_is_in_the_report(formats: Formats) -> None:
    document = manifest(remarks=(remark("GEHEIM"),))
    lots = (msgspec.structs.replace(document.consignments[0], consignor=owner("GEHEIM", "GEHEIM")),)
    encoded = formats.encode(
        "zz.crate", manifest(remarks=document.remarks, consignments=lots), {"messageId": "GEHEIM"}
    )
    decoded = formats.decode("zz.crate", encoded.content)
    octets = report.build([decoded], None, [encoded], salt=SALT).to_bytes()
    assert b"GEHEIM" not in octets
    assert b"Body/Remark" in octets


@given(text=st.text(), salt=st.binary(min_size=1))
@settings(max_examples=50, deadline=None)
def test_octets_are_canonical_json(formats: Formats, text: str, salt: bytes) -> None:
    text = text.encode("utf-8", "replace").decode()
    decoded = formats.decode("zz.crate", crate())
    encoded = formats.encode("zz.crate", decoded.document, decoded.head)
    notes = [Note("joined", text, text)]
    octets = report.build([decoded], None, [encoded], salt=salt, notes=notes).to_bytes()
    assert octets == rfc8785.dumps(json.loads(octets))


def test_what_a_draft_leaves_blank_is_not_said_to_be_sent() -> None:
    real = Formats.load(DAY)
    driver = CrewMember(names=(Text(value="测试驾驶员"),), nationality="CN")
    document = Manifest(direction=Direction.CN_VN, means=(BorderTransportMeans(crew=(driver,)),))
    encoded = real.encode("vn.vnaccs.tir", document, {}, draft=True)
    assert encoded.draft
    assert "测试".encode() not in encoded.content
    made = report.build([], None, [encoded], salt=SALT)
    assert "crew/DF" not in origins(made)
    assert origins(made)["crew/DN"] == ("doc",)
    assert made.targets[0].draft
