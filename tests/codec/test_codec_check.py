"""Each way in which a table can be wrong is found, and placed in the table."""

from collections.abc import Callable
from pathlib import Path

import pytest
from codec_fixtures import DAY, FIXTURES

from gateway.codec.check import check_all, coverage, explain
from gateway.codec.formats import Formats
from gateway.errors import MappingError

Spoil = Callable[[str, str, str], Path]
CRATE = "mappings/zz.crate/2020-01-01"


def checked(folder: Path) -> list[tuple[str, str]]:
    found = check_all(None, folder / "mappings", folder / "xsd")
    return [(f.path, f.rule) for f in found]


def test_the_fixtures_are_proven() -> None:
    assert checked(FIXTURES) == []


HEAD_ROW = "Head/MessageID,head.messageId,string,,,alloc:messageId refuse,,C,"
ID_ROW = (
    "Body/ID,identifiers[cn.road-batch],identifier:cn.road-batch,,,doc param:batchNumber refuse,,C,"
)
STAMP_ROW = "Body/Stamp,,,,none,,,C,a stamp of the sender's office"
REMARK_ROW = "Body/Remark,remarks[both],remark:both,,,doc omit,,W,"
LOT_ROW = "Body/Lot,consignments[],,,,,,C,"
UNIT_ROW = "Body/Lot/Weight/@unit,,,Body/Lot/Weight,,,,C,"
SENT_ROW = (
    "Head/SentAt,issued_at,moment:yyyyMMddHHmmss:480,,,doc alloc:sendTime refuse,,C,"
    "cut to the second"
)

ROWS = [
    ("path that is not there", ID_ROW, ID_ROW.replace("Body/ID", "Body/Id"), "path"),
    ("leaf without a row", STAMP_ROW + "\n", "", "no-row"),
    ("two rows for a leaf", STAMP_ROW, f"{STAMP_ROW}\n{REMARK_ROW}", "duplicate"),
    (
        "two leaves for one value",
        "Body/Agent/Title,agent.names[0]",
        "Body/Agent/Title,remarks[both]",
        "type",
    ),
    (
        "one value decoded twice",
        "consignments[].items[].descriptions[1]",
        "consignments[].items[].descriptions[0]",
        "duplicate-canonical",
    ),
    ("canonical path", "identifiers[cn.road-batch],i", "identifierz[cn.road-batch],i", "canonical"),
    ("selector missing", "agent.names[0]", "agent.names", "canonical"),
    ("unknown discriminator", "remarks[both]", "remarks[nobody]", "canonical"),
    ("canonical outside its group", "consignments[].items[].sequence", "mode", "canonical"),
    ("unknown converter", "identifier:cn.road-batch", "identifyer:cn.road-batch", "converter"),
    ("wrong type", "text:vi,,,param:consignee.name", "string,,,param:consignee.name", "type"),
    ("converter wants parts", UNIT_ROW + "\n", "", "parts"),
    ("part of nothing", UNIT_ROW, UNIT_ROW.replace("Body/Lot/Weight,", "Body/Lot/Mass,"), "with"),
    ("no group row", LOT_ROW + "\n", "", "group-row"),
    ("group row for a single group", LOT_ROW, f"{LOT_ROW}\nBody/Agent,means[],,,,,,C,", "group"),
    ("left out without reason", "Body/Trail/*,,,,none,,,C,the sender's own steps",
     "Body/Trail/*,,,,none,,,C,", "reason"),
    ("left out and mapped", STAMP_ROW, STAMP_ROW.replace(",,,,none", ",mode,string,,none"),
     "left-out"),
    ("subtree that is mapped", "Body/Trail/*,,,,none", "Body/Trail/*,mode,string,,", "subtree"),
    ("mandatory leaf unfed", ID_ROW, ID_ROW.replace("refuse", "omit"), "unfed"),
    ("mandatory leaf not encoded", ID_ROW, ID_ROW.replace(",,,doc", ",,decode,doc"), "unfed"),
    ("mandatory leaf left out", HEAD_ROW, "Head/MessageID,,,,none,,,C,no need", "unfed"),
    ("unknown source", "param:batchNumber", "parameter:batchNumber", "source"),
    ("unknown parameter", "param:batchNumber", "param:batchNo", "source"),
    ("unknown derivation", "param:batchNumber", "derive:batchNo", "source"),
    ("source after the end", "doc omit,,W", "omit doc,,W", "source"),
    ("constant too long", "const:TE", "const:T", None),
    ("constant of an enumeration", "const:VN", "const:VN", None),
    ("narrowing without a word", SENT_ROW, SENT_ROW.replace("cut to the second", ""), "narrows"),
    ("personal and not marked", "doc const:TE,yes", "doc const:TE,", "personal"),
    ("recalled called confirmed", REMARK_ROW, REMARK_ROW.replace(",W,", ",C,"), "mark"),
    ("unknown use", STAMP_ROW, STAMP_ROW.replace(",none,", ",never,"), "use"),
    ("unknown mark", REMARK_ROW, REMARK_ROW.replace(",W,", ",X,"), "mark"),
    ("no canonical place and no word why", STAMP_ROW, "Body/Stamp,,,,,,,C,", "canonical"),
    ("cell too few", ID_ROW, ID_ROW.replace(",C,", ",C"), "cells"),
    ("columns", "path,canonical,convert", "path,canonical,converter", "columns"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "rule"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_wrong_row(spoil: Spoil, before: str, after: str, rule: str | None) -> None:
    folder = spoil(f"{CRATE}.csv", before, after)
    found = checked(folder)
    if rule is None:
        assert found == []
        return
    assert rule in {r for _, r in found}
    assert all(path.startswith(("zz.crate@2020-01-01", "zz.crate/2020-01-01")) for path, _ in found)


HEADERS = [
    ("unknown key", 'version = "1"', 'version = "1"\nspeed = 3', "header"),
    ("no root", 'root = "Crate"', "", "header-key"),
    ("no schema", 'schema = "crate.xsd"', "", "header-key"),
    ("another format", 'format = "zz.crate"', 'format = "zz.create"', "header-format"),
    ("another date", "valid_from = 2020-01-01", "valid_from = 2020-01-02", "header-date"),
    ("schema that is not there", "crate.xsd", "create.xsd", "schema"),
    ("root that is not there", 'root = "Crate"', 'root = "Crates"', "schema"),
    ("order key", "identifiers[cn.road-batch]", "identifiers", "order-key"),
    ("rule", "draft = true", 'rules = ["no-such"]', "rule"),
    ("rule of encoding", "draft = true", 'encode_rules = ["no-such"]', "rule"),
    ("transform", "draft = true", 'after_decode = ["no-such"]', "transform"),
    ("no direction", 'direction = "VN-CN"', "", "canonical-required"),
]


@pytest.mark.parametrize(
    ("before", "after", "rule"), [row[1:] for row in HEADERS], ids=[row[0] for row in HEADERS]
)
def test_wrong_header(spoil: Spoil, before: str, after: str, rule: str) -> None:
    assert rule in {r for _, r in checked(spoil(f"{CRATE}.toml", before, after))}


SCHEMAS = [
    ("not supported", "<xs:include ", "<xs:import ", "schema"),
    ("broken", "</xs:schema>", "", "schema"),
    ("leaf more", '<xs:element name="Body" type="Body"/>',
     '<xs:element name="Body" type="Body"/><xs:element name="Extra" type="Name"/>', "no-row"),
    ("leaf gone", '<xs:element name="Kind" type="Name"/>', "", "path"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "rule"), [row[1:] for row in SCHEMAS], ids=[row[0] for row in SCHEMAS]
)
def test_schema_that_does_not_fit(spoil: Spoil, before: str, after: str, rule: str) -> None:
    assert rule in {r for _, r in checked(spoil("xsd/crate.xsd", before, after))}


def test_a_constant_must_fit_its_enumeration(spoil: Spoil) -> None:
    spoil("xsd/crate-types.xsd", '<xs:pattern value="[A-Z]{2}"/>', '<xs:enumeration value="CN"/>')
    folder = spoil("xsd/crate-types.xsd", "</xs:schema>", "</xs:schema>")
    assert "const" in {r for _, r in checked(folder)}


def test_a_source_needs_a_place_that_can_be_made(spoil: Spoil) -> None:
    before = "Body/Agent/Title,agent.names[0],text:und,,,doc omit"
    after = "Body/Agent/Title,control_results[0].note,string,,,doc param:remark omit"
    found = checked(spoil(f"{CRATE}.csv", before, after))
    assert {"source", "canonical-required"} <= {r for _, r in found}


def test_all_is_found_at_once(spoil: Spoil) -> None:
    spoil(f"{CRATE}.csv", "identifier:cn.road-batch", "nothing")
    folder = spoil(f"{CRATE}.csv", "remark:both", "something")
    assert len([r for _, r in checked(folder) if r == "converter"]) == 2


def test_a_table_with_findings_is_not_loaded(spoil: Spoil) -> None:
    folder = spoil(f"{CRATE}.csv", "identifier:cn.road-batch", "nothing")
    with pytest.raises(MappingError) as caught:
        Formats.load(DAY, folder / "mappings", folder / "xsd")
    assert caught.value.findings[0].rule == "converter"


def test_only_tables_of_the_day(spoil: Spoil) -> None:
    folder = spoil(f"{CRATE}.csv", "identifier:cn.road-batch", "nothing")
    early = DAY.replace(year=2019)
    assert check_all(early, folder / "mappings", folder / "xsd") == []
    assert check_all(DAY, folder / "mappings", folder / "xsd") != []


def test_explain_and_coverage() -> None:
    rows = explain("zz.crate", DAY, FIXTURES / "mappings", FIXTURES / "xsd")
    remark = next(row for row in rows if row["path"] == "Body/Remark")
    assert (remark["times"], remark["recalled"]) == ("0..1", "at most 30")
    counts = coverage("zz.crate", DAY, FIXTURES / "mappings", FIXTURES / "xsd")
    assert counts["leaves"] == 21
    assert counts["fates"] == {"constant": 1, "left-out": 2, "mapped": 16, "part": 2}
    with pytest.raises(MappingError):
        explain("zz.none", DAY, FIXTURES / "mappings", FIXTURES / "xsd")
