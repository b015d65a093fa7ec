"""Decoding XML: values, all findings at once, places in the sender's terms, tolerance."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from crates import HEAD, LINE, LOT, NAMESPACE, crate, manifest, remark

from gateway import safexml
from gateway.codec.formats import Formats
from gateway.errors import DocumentError, Finding, GatewayError


def findings(formats: Formats, content: bytes, name: str = "zz.crate") -> list[Finding]:
    with pytest.raises(GatewayError) as caught:
        formats.decode(name, content)
    return list(caught.value.findings)


def places(formats: Formats, content: bytes) -> set[tuple[str, str]]:
    return {(f.path, f.rule) for f in findings(formats, content)}


def test_plain_document(formats: Formats) -> None:
    decoded = formats.decode("zz.crate", crate())
    assert decoded.document == manifest()
    assert decoded.head == {"messageId": "M1"}
    assert decoded.table == "zz.crate@2020-01-01"


def test_all_schema_faults_come_at_once(formats: Formats) -> None:
    bad_line = '<Line><No>x</No><Goods><Text></Text></Goods><Weight unit="LBR">1</Weight></Line>'
    lots = LOT + f"<Lot><Weight>1e3</Weight><Via>vn</Via>{LINE}{bad_line}</Lot>"
    found = places(formats, crate(before="<Nonsense/>", lots=lots))
    assert ("Body/Nonsense", "unexpected") in found
    assert ("Body/Lot[2]/Weight", "type") in found
    assert ("Body/Lot[2]/Weight/@unit", "missing") in found
    assert ("Body/Lot[2]/Via[1]", "pattern") in found
    assert ("Body/Lot[2]/Line[2]/No", "type") in found
    assert ("Body/Lot[2]/Line[2]/Goods/Text", "min-length") in found
    assert ("Body/Lot[2]/Line[2]/Weight/@unit", "enumeration") in found


def test_several_missing_children_are_all_named(formats: Formats) -> None:
    found = places(formats, crate(head="<Head/>"))
    for name in ("MessageID", "Kind", "SentAt"):
        assert (f"Head/{name}", "missing") in found


def test_order_and_repeats(formats: Formats) -> None:
    lots = f"<Lot>{LINE}<Weight unit='KGM'>1</Weight></Lot>" + LOT.replace(LINE, LINE * 4)
    found = places(formats, crate(lots=lots))
    assert ("Body/Lot[1]/Weight", "order") in found
    assert ("Body/Lot[2]/Line", "repeats") in found


def test_all_conversion_faults_come_at_once(formats: Formats) -> None:
    head = HEAD.replace("20260514083000", "20261314083000")
    reach = "<Reach><Number>1</Number><Type>XX</Type></Reach>"
    lot = LOT.replace("<Line>", f"<Owner><Name>N</Name>{reach * 2}</Owner><Line>", 1)
    found = places(formats, crate(head=head, lots=LOT + lot))
    assert ("Head/SentAt", "date") in found
    paths = {path for path, _ in found}
    assert "Body/Lot[2]/Owner/Reach[1]/Type" in paths
    assert "Body/Lot[2]/Owner/Reach[2]/Type" in paths
    assert len(found) == 3


def test_another_constant_refuses(formats: Formats) -> None:
    (finding,) = findings(formats, crate(head=HEAD.replace("CRATE", "BARREL")))
    assert (finding.code, finding.rule, finding.path) == (
        "schema-invalid", "constant", "Head/Kind",
    )  # fmt: skip
    assert finding.expected == "CRATE"


def test_other_root_and_namespace(formats: Formats) -> None:
    (finding,) = findings(formats, b"<Crate/>")
    assert finding.rule == "root"
    # a global element of the schema that is not the root is no document either
    assert findings(formats, f'<Body xmlns="{NAMESPACE}"/>'.encode())[0].rule == "root"


def test_findings_are_capped_and_say_so(formats: Formats) -> None:
    lines = "<Line><No>x</No><Goods><Text>a</Text></Goods></Line>"
    lots = f'<Lot><Weight unit="KGM">1</Weight>{lines}</Lot>' * 150
    found = findings(formats, crate(lots=lots))
    assert len(found) == 101
    assert found[-1].rule == "more"


def test_very_many_faults_are_explained_in_time(formats: Formats) -> None:
    # libxml2 would spend minutes on these: its errors carry a place that it counts from the start
    lots = f'<Lot><Weight unit="KGM">1</Weight><Via>VN</Via>{"<Via>x</Via>" * 100_000}{LINE}</Lot>'
    found = findings(formats, crate(lots=lots))
    assert len(found) == 101
    assert (found[0].path, found[0].rule) == ("Body/Lot[1]/Via[2]", "pattern")
    assert found[-1].rule == "more"


def test_very_many_refused_values_end_in_time(formats: Formats) -> None:
    reach = "<Owner><Name>N</Name><Reach><Number>1</Number><Type>XX</Type></Reach></Owner>"
    found = findings(formats, crate(lots=LOT.replace("<Line>", reach + "<Line>", 1) * 20_000))
    assert len(found) == 101
    assert found[0].path == "Body/Lot[1]/Owner/Reach[1]/Type"
    assert found[-1].rule == "more"


FAULTS = {
    "unknown child": ("<Via>VN</Via>", "<Via>VN</Via><Odd/>", "Odd", "unexpected"),
    "missing child": ("<Via>VN</Via>" + LINE, "<Via>VN</Via>", "Line", "missing"),
    "too many": (LINE, LINE * 4, "Line", "repeats"),
    "order": (f"<Via>VN</Via>{LINE}", f"{LINE}<Via>VN</Via>", "Via", "order"),
    "pattern": ("<Via>VN", "<Via>vn", "Via[1]", "pattern"),
    "number": ("<No>1", "<No>1.5", "Line[1]/No", "type"),
    "digits": ("<No>1", "<No>123456", "Line[1]/No", "total-digits"),
    "decimals": (">5<", ">5.1234567<", "Weight", "fraction-digits"),
    "length": ("Cam", "x" * 41, "Line[1]/Goods/Text", "max-length"),
    "empty": ("Cam", "", "Line[1]/Goods/Text", "min-length"),
    "unknown attribute": ('<Weight unit="KGM"', '<Weight unit="KGM" odd="1"', "Weight/@odd",
                          "unexpected"),
    "missing attribute": ('<Weight unit="KGM"', "<Weight", "Weight/@unit", "missing"),
    "enumeration": ('unit="KGM"', 'unit="LBR"', "Weight/@unit", "enumeration"),
    "text between": ("<Goods>", "<Goods>x", "Line[1]/Goods", "content"),
    "child in a leaf": ("Cam", "<b/>", "Line[1]/Goods/Text", "content"),
}  # fmt: skip


@pytest.mark.parametrize("many", [0, 2_000], ids=["xmlschema", "own walk"])
@pytest.mark.parametrize(("before", "after", "place", "rule"), FAULTS.values(), ids=list(FAULTS))
def test_small_and_large_documents_are_explained_alike(
    formats: Formats, many: int, before: str, after: str, place: str, rule: str
) -> None:
    assert before in LOT
    lots = LOT * many + LOT.replace(before, after, 1)
    found = places(formats, crate(lots=lots))
    path, broken = f"Body/Lot[{many + 1}]/{place}", {r for _, r in found}
    assert path in {p for p, _ in found}
    # the walk calls too many decimals too many digits
    assert rule in broken or (rule == "fraction-digits" and "total-digits" in broken)


def test_large_valid_document(formats: Formats) -> None:
    decoded = formats.decode("zz.crate", crate(lots=LOT * 2_000))
    assert len(decoded.document.consignments) == 2_000


def test_found_shows_no_value(formats: Formats) -> None:
    (finding,) = findings(formats, crate(lots=LOT.replace("<Via>VN", "<Via>SECRET")))
    assert "SECRET" not in finding.found + finding.expected + finding.path


def test_comments_do_not_cut_values(formats: Formats) -> None:
    content = crate(lots=LOT.replace("Cam", "C<!-- x -->a<?y z?>m"), before="<!-- -->")
    root = safexml.parse(content)
    decoded = formats.decode_tree("zz.crate", root)
    assert decoded.document.consignments[0].items[0].descriptions[0].value == "Cam"
    assert b"<!--" in safexml.etree.tostring(root)  # the given tree stays as it is


@pytest.mark.parametrize("wrap", ["<![CDATA[{}]]>", "{}"])
def test_text_forms(formats: Formats, wrap: str) -> None:
    content = crate(before=f"<Remark>{wrap.format('a b')}</Remark>")
    assert formats.decode("zz.crate", content).document == manifest(remarks=(remark("a b"),))


NOTE = (
    "<At>20260514083000</At><Answer><Code>01</Code><Lot><Code>03</Code><ID>L1</ID></Lot></Answer>"
)


@pytest.mark.parametrize(
    "content",
    [
        f"<Note>{NOTE}</Note>",
        f'<Note xmlns="urn:any">{NOTE}</Note>',
        f'<n:Note xmlns:n="urn:any">{NOTE}</n:Note>',
        f"<Note>\n <!-- c --> {NOTE}\n</Note>",
        "<Note><Answer><Lot><ID>L1</ID><Code>03</Code></Lot><Code>01</Code></Answer>"
        "<At>20260514083000</At></Note>",
    ],
)
def test_tolerant_reading(formats: Formats, content: str) -> None:
    assert formats.detect(content.encode()) == "zz.note"
    document = formats.decode("zz.note", content.encode()).document
    assert document.waybills[0].id == "L1"
    assert document.waybills[0].statement.code.value == "03"


def test_stray_text_is_not_dropped_by_tolerance(formats: Formats) -> None:
    content = f"<Note>{NOTE.replace('<Answer>', '<Answer>stray')}</Note>".encode()
    (finding,) = findings(formats, content, "zz.note")
    assert (finding.rule, finding.path) == ("content", "Answer")


def test_tolerant_reading_is_not_careless(formats: Formats) -> None:
    content = f"<Note>{NOTE.replace('<ID>', '<Extra/><ID>')}</Note>".encode()
    (finding,) = findings(formats, content, "zz.note")
    assert (finding.rule, finding.path) == ("unexpected", "Answer/Lot[1]/Extra")


@pytest.mark.parametrize("lots", [1, 2_000])
def test_a_document_inside_another(formats: Formats, lots: int) -> None:
    inside = crate(lots=LOT * lots).decode()
    root = safexml.parse(f'<e:Body xmlns:e="urn:e">\n {inside}\n</e:Body>'.encode())
    decoded = formats.decode_tree("zz.crate", root[0])
    assert len(decoded.document.consignments) == lots
    spoilt = safexml.parse(f"<Body>{inside.replace('>VN<', '>vn<', 1)} </Body>".encode())
    with pytest.raises(DocumentError) as caught:
        formats.decode_tree("zz.crate", spoilt[0])
    assert [f.path for f in caught.value.findings] == ["Body/Lot[1]/Via[1]"]


def test_what_is_left_out_is_traced(formats: Formats) -> None:
    after = "<Stamp>S</Stamp><Trail><Step>a</Step></Trail><Trail><Step>b</Step></Trail>"
    trace = formats.decode("zz.crate", crate(after=after)).trace
    assert sorted(trace.left.values()) == [["S"], ["a", "b"]]


def test_decode_tree_wants_xml(formats: Formats) -> None:
    with pytest.raises(DocumentError) as caught:
        formats.decode_tree("zz.parcel", safexml.parse(b"<a/>"))
    assert caught.value.code == "type-unknown"


def test_threads_do_not_disturb_each_other(formats: Formats) -> None:
    good, bad = crate(), crate(lots=LOT.replace("<Via>VN", "<Via>x"))

    def judge(number: int) -> bool:
        content = bad if number % 3 == 0 else good
        try:
            return formats.decode("zz.crate", content).document == manifest()
        except DocumentError as error:
            return [f.path for f in error.findings] != ["Body/Lot[1]/Via[1]"]

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(judge, range(300)))
    assert outcomes == [number % 3 != 0 for number in range(300)]
