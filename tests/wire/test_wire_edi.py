"""VNACCS EDI: what is read, what is refused, and where the finding points."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.codec import edi
from gateway.codec.layout import EdiLayout
from gateway.errors import Finding, Severity

Make = Callable[..., bytes]
Values = dict[tuple[str, int], str]


def refusals(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [(f.code, f.rule, f.path) for f in findings if f.severity is Severity.REFUSE]


def warnings(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(f.rule, f.path) for f in findings if f.severity is Severity.WARN]


def replaced(lines: bytes, number: int, item: bytes) -> bytes:
    """Put other octets in the place of an item (1 is the first) and mend the length field."""
    parts = lines[400:].split(b"\r\n")
    parts[number - 1] = item
    return relengthed(lines[:400] + b"\r\n".join(parts))


def relengthed(content: bytes) -> bytes:
    return content[:392] + f"{len(content):06}".encode() + content[398:]


def at(layout: EdiLayout, place: str) -> int:
    return next(n for n, cell in enumerate(layout.cells, 1) if cell.place == place)


def test_reads_a_truck(tor: EdiLayout, truck: Values, message: Make) -> None:
    content = message(tor, truck, data="T0000120260514083000000001", key="GW0001")
    record, findings = edi.decode(tor, content)
    assert findings == []
    assert record["LPN"] == "29H-123.45"
    assert record["crew"] == [
        {"DF": "NGUYEN VAN MAU", "DN": "VN", "PR": "P", "DP": "C0000000"},
    ]
    assert record["equipment"] == [
        {
            "CNO": "GWTU0000010",
            "seals": [{"SL": "VN00123456"}, {"SL": "GPS0007788"}],
            "EFS": "5",
            "SIZ": "45",
            "TYP": "RT",
            "DLV": "01",
            "COW": "2",
            "VAN": "4",
        }
    ]
    assert record["_header"] == {
        "procedure": "TOR",
        "dataInfo": "T0000120260514083000000001",
        "inputInfo": "GW0001",
    }
    assert b"ABCDE001" in content
    assert "ABCDE001" not in str(record)  # the user id stays behind


def test_reads_octets_written_by_hand(tor: EdiLayout) -> None:
    body = b"9\r\n            \r\n1\r\n \r\nVNHUGT\r\n14052026\r\n2330\r\n"
    text = "SS TOR".ljust(219) + "T0000120260514083000000009" + "001E"
    text = (text.ljust(253) + "KEY-7").ljust(364) + "1"
    content = f"{text:<392}{400 + len(body):06}\r\n".encode() + body
    record, findings = edi.decode(tor, content)
    assert refusals(findings) == []
    assert {k: v for k, v in record.items() if k != "_header"} == {
        "KBN": "9", "TON": "1", "ABG": "VNHUGT", "EDT": "14052026", "EMT": "2330",
    }  # fmt: skip
    written, _ = edi.encode(tor, record, {"dataInfo": text[219:245], "inputInfo": "KEY-7"})
    assert written == content


def test_reads_goods(eda: EdiLayout, goods: Values, message: Make) -> None:
    record, findings = edi.decode(eda, message(eda, goods))
    assert findings == []
    assert record["EPN"] == "CÔNG TY TNHH THANH LONG MẪU"
    assert record["containers"] == [{"C": "GWTU0000010"}]
    assert record["permits"] == [{"SS": "KD01", "SN": "TEST-1"}]
    assert record["lines"] == [
        {"CMD": "08109092", "CMN": "Quả thanh long tươi", "QN1": "9000", "QT1": "KGM"},
        {
            "CMD": "08106000",
            "CMN": "Sầu riêng tươi",
            "QN1": "9000",
            "QT1": "KGM",
            "laws": [{"OL": "MO"}, {"OL": "QA"}],
        },
    ]


def test_trap_01_w_width_is_bytes(tor: EdiLayout, truck: Values, message: Make) -> None:
    full = "越" * 332  # 996 bytes
    record, findings = edi.decode(tor, message(tor, truck | {("TPA", 0): full}))
    assert findings == []
    assert record["TPA"] == full
    _, findings = edi.decode(tor, message(tor, truck | {("TPA", 0): full + "越"}))
    assert refusals(findings) == [("rule-broken", "width", "TOR.TPA")]
    assert (findings[0].found, findings[0].expected) == ("999 bytes", "996 bytes")


def test_trap_02_w_keeps_to_a_third_of_its_characters_when_written(
    eda: EdiLayout, goods: Values, message: Make
) -> None:
    record, findings = edi.decode(eda, message(eda, goods | {("EPN", 0): "A" * 300}))
    assert refusals(findings) == []
    assert record["EPN"] == "A" * 300
    _, findings = edi.encode(eda, record, {})
    assert refusals(findings) == [("too-long-for-target", "width", "EDA.EPN")]
    assert (findings[0].found, findings[0].expected) == (
        "300 characters",
        "at most 100 characters",
    )
    written, findings = edi.encode(eda, record, {}, bytes_only=True)
    assert refusals(findings) == []
    assert edi.decode(eda, written)[0]["EPN"] == "A" * 300


def test_trap_04_width_counts_the_wire_bytes_of_decomposed_text(
    eda: EdiLayout, goods: Values, message: Make
) -> None:
    decomposed = "A\u0302\u0301" * 60  # one letter each, 5 bytes: 300
    record, findings = edi.decode(eda, message(eda, goods | {("EPN", 0): decomposed}))
    assert refusals(findings) == []
    assert record["EPN"] == decomposed  # as on the wire; converters make NFC of it
    _, findings = edi.decode(eda, message(eda, goods | {("EPN", 0): decomposed + "A\u0302"}))
    assert refusals(findings) == [("rule-broken", "width", "EDA.EPN")]


@pytest.mark.parametrize(
    "text", ["Nguyen", "NGUYỄN", "MẪU", "A$B", "A_B", "A^B", "桂F12345", "A\tB"]
)
def test_trap_05_characters_outside_attribute_a(
    text: str, tor: EdiLayout, truck: Values, message: Make
) -> None:
    content = message(tor, truck)
    width = 70
    raw = text.encode().ljust(width)
    _, findings = edi.decode(tor, replaced(content, at(tor, "TOR.DF1"), raw))
    assert refusals(findings) == [("schema-invalid", "charset", "TOR.DF1")]
    assert findings[0].found.startswith("U+")
    assert text not in findings[0].found + findings[0].expected
    assert "S0024" in findings[0].expected
    record, _ = edi.decode(tor, content)
    record["crew"] = [{"DF": text, "DN": "VN", "PR": "P"}]
    written, findings = edi.encode(tor, record, {})
    assert refusals(findings) == [("rule-broken", "charset", "TOR.DF1")]
    assert text.encode() not in written  # a draft leaves the item blank


def test_attribute_a_takes_all_it_may(tor: EdiLayout, truck: Values, message: Make) -> None:
    allowed = "".join(chr(c) for c in range(0x21, 0x5E) if chr(c) != "$")
    record, findings = edi.decode(tor, message(tor, truck | {("KIJ", 0): allowed}))
    assert findings == []
    assert record["KIJ"] == allowed


@pytest.mark.parametrize("text", ["ab\x1bc", "a\x85b", "ｱﾝ"])
def test_characters_outside_attribute_w(
    text: str, tor: EdiLayout, truck: Values, message: Make
) -> None:
    _, findings = edi.decode(tor, message(tor, truck | {("TPA", 0): text}))
    assert refusals(findings) == [("schema-invalid", "charset", "TOR.TPA")]


def test_trap_26_a_gap_is_reported_and_closed(tor: EdiLayout, truck: Values, message: Make) -> None:
    moved = {(k, 2 if row else 0): v for (k, row), v in truck.items()}
    record, findings = edi.decode(tor, message(tor, moved))
    assert refusals(findings) == []
    assert warnings(findings) == [("sequence", "TOR.CNO(1)")]
    boxes: Any = record["equipment"]
    assert [box["CNO"] for box in boxes] == ["GWTU0000010"]


def test_trap_26_gaps_in_families(
    eda: EdiLayout, tor: EdiLayout, goods: Values, truck: Values, message: Make
) -> None:
    _, findings = edi.decode(eda, message(eda, goods | {("C03", 0): "GWTU0000026"}))
    assert warnings(findings) == [("sequence", "EDA.C02")]
    assert "S1137" in findings[0].expected
    more = {("DF3", 0): "TRAN VAN MAU", ("DN3", 0): "VN", ("PR3", 0): "P"}
    _, findings = edi.decode(tor, message(tor, truck | more))
    assert warnings(findings) == [("sequence", "TOR.DF2")]
    _, findings = edi.decode(tor, message(tor, truck | {("SL5", 1): "X"}))
    assert warnings(findings) == [("sequence", "TOR.SL3(1)")]


def test_trap_27_trailing_empties(tor: EdiLayout, truck: Values, message: Make) -> None:
    few = {k: v for k, v in truck.items() if k[0] in ("KBN", "ABG", "EDT", "EMT", "NOD", "DF1")}
    short, _ = edi.decode(tor, message(tor, few))
    whole, _ = edi.decode(tor, message(tor, few, whole=True))
    assert short == whole
    extra = relengthed(message(tor, truck, whole=True) + b"            \r\n")
    _, findings = edi.decode(tor, extra)
    assert refusals(findings) == [("schema-invalid", "items", "TOR(139)")]
    assert (findings[0].found, findings[0].expected) == ("139 items", "at most 138")


def test_trap_28_only_the_very_end_may_be_cut(eda: EdiLayout, goods: Values, message: Make) -> None:
    content = message(eda, goods)
    assert refusals(edi.decode(eda, content)[1]) == []  # OL3..OL5 of the last line are not there
    parts = content[400:].split(b"\r\n")
    whole_row = at(eda, "EDA.OL5(1)")
    for place in ("EDA.COC(1)", "EDA.TXA(1)", "EDA.QN2(1)", "EDA.TXN(1)", "EDA.OL5(1)"):
        number = at(eda, place)
        assert number <= whole_row
        cut = relengthed(content[:400] + b"\r\n".join(parts[: number - 1] + parts[number:]))
        found = refusals(edi.decode(eda, cut)[1])
        assert found, place
        assert all(rule in ("width", "number", "charset", "mandatory") for _, rule, _ in found)


def test_trap_29_lengths_and_line_ends(tor: EdiLayout, truck: Values, message: Make) -> None:
    content = message(tor, truck)
    for off in (-1, 1):
        wrong = content[:392] + f"{len(content) + off:06}".encode() + content[398:]
        _, findings = edi.decode(tor, wrong)
        assert refusals(findings) == [("malformed", "length", "header.length")]
        assert findings[0].expected == f"{len(content):06}"
        assert findings[0].found == f"{len(content) + off:06}"
    _, findings = edi.decode(tor, content[:-2])
    assert ("malformed", "line-end", "last item") in refusals(findings)
    _, findings = edi.decode(tor, relengthed(content.replace(b"\r\n", b"\n")))
    assert refusals(findings) == [("malformed", "line-end", "header")]
    _, findings = edi.decode(tor, content[:400] + content[400:].replace(b"\r\n", b"\n"))
    assert ("malformed", "line-end", "TOR.KBN") in refusals(findings)


@pytest.mark.parametrize("size", [397, 399])
def test_trap_29_header_of_another_length(
    size: int, tor: EdiLayout, truck: Values, message: Make
) -> None:
    content = message(tor, truck)
    head = content[:size] if size < 398 else content[:398] + b" "
    _, findings = edi.decode(tor, head + content[398:])
    assert refusals(findings) == [("malformed", "header-length", "header")]
    assert findings[0].found == f"{size} bytes"
    assert findings[0].expected == "398 bytes and CR LF"


@pytest.mark.parametrize("size", [0, 5, 100, 398, 400])
def test_cut_messages(size: int, tor: EdiLayout, truck: Values, message: Make) -> None:
    _, findings = edi.decode(tor, message(tor, truck)[:size])
    assert {code for code, _, _ in refusals(findings)} == {"malformed"}


def test_cut_messages_are_still_seen_as_vnaccs(
    tor: EdiLayout, truck: Values, message: Make
) -> None:
    content = message(tor, truck)
    assert edi.procedure(content) == "TOR"
    assert edi.procedure(content[:120]) == "TOR"
    assert edi.procedure(b"\xef\xbb\xbf" + content) == "TOR"
    assert edi.procedure(b"<Manifest/>") is None
    assert edi.procedure(b"SS ,,,,,") is None


@pytest.mark.parametrize(
    ("item", "raw", "kept", "rule"),
    [
        ("SEA", b"  2", "2", None),
        ("SEA", b"002", "002", "leading-zeros"),
        ("SEA", b" 2 ", None, "number"),
        ("SEA", b"2  ", None, "number"),
        ("SEA", b"1.5", None, "number"),
        ("SEA", b" -2", None, "negative"),
        ("SEA", b" +2", None, "number"),
    ],
)
def test_trap_30_integers(
    item: str, raw: bytes, kept: str | None, rule: str | None,
    tor: EdiLayout, truck: Values, message: Make,
) -> None:  # fmt: skip
    content = replaced(message(tor, truck), at(tor, f"TOR.{item}"), raw)
    record, findings = edi.decode(tor, content)
    assert [f.rule for f in findings] == ([rule] if rule else [])
    if kept is not None:
        assert refusals(findings) == []
        assert record[item] == kept
    else:
        assert len(refusals(findings)) == 1


@pytest.mark.parametrize(
    ("raw", "rule", "code"),
    [
        (b"   1,200.5", "number", "schema-invalid"),
        (b"       1e3", "number", "schema-invalid"),
        (b"        1.", "number", "schema-invalid"),
        (b"     1.2.3", "number", "schema-invalid"),
        ("１２".encode(), "number", "schema-invalid"),
        (b"        -1", "negative", "rule-broken"),
        (b"     -1.50", "negative", "rule-broken"),
    ],
)
def test_trap_30_decimals(
    raw: bytes, rule: str, code: str, eda: EdiLayout, goods: Values, message: Make
) -> None:
    content = replaced(message(eda, goods), at(eda, "EDA.GW"), raw.rjust(10))
    _, findings = edi.decode(eda, content)
    assert (code, rule, "EDA.GW") in refusals(findings)


def test_trap_30_decimal_without_a_whole_part(eda: EdiLayout, goods: Values, message: Make) -> None:
    record, findings = edi.decode(
        eda, replaced(message(eda, goods), at(eda, "EDA.GW"), b"        .5")
    )
    assert refusals(findings) == []
    assert warnings(findings) == [("leading-zeros", "EDA.GW")]
    assert findings[0].expected == "0.5"
    assert record["GW"] == ".5"


def test_trap_36_numbers_of_documents_keep_their_zeros(
    eda: EdiLayout, goods: Values, message: Make
) -> None:
    numbers = {("ECN", 0): "000123456789", ("FIC", 0): "000123456780"}
    record, findings = edi.decode(eda, message(eda, goods | numbers))
    assert findings == []
    assert record["ECN"] == "000123456789"
    written, findings = edi.encode(eda, record, {})
    assert findings == []
    assert edi.decode(eda, written)[0]["ECN"] == "000123456789"


def test_a_shifted_name_is_never_shown(tor: EdiLayout, truck: Values, message: Make) -> None:
    content = replaced(message(tor, truck), at(tor, "TOR.SEA"), b"NGUYEN VAN MAU")
    _, findings = edi.decode(tor, content)
    assert {rule for _, rule, _ in refusals(findings)} == {"width", "number"}
    assert "NGUYEN" not in str(findings)


def test_one_byte_too_few(tor: EdiLayout, truck: Values, message: Make) -> None:
    content = replaced(message(tor, truck), at(tor, "TOR.ABG"), b"VNHUG")
    _, findings = edi.decode(tor, content)
    assert refusals(findings) == [("schema-invalid", "width", "TOR.ABG")]
    assert (findings[0].found, findings[0].expected) == ("5 bytes", "6 bytes")


def test_all_findings_at_once(tor: EdiLayout, truck: Values, message: Make) -> None:
    broken = message(tor, truck | {("KBN", 0): ""})
    broken = replaced(broken, at(tor, "TOR.DF1"), b"nguyen".ljust(70))
    broken = replaced(broken, at(tor, "TOR.SEA"), b" x ")
    broken = broken[:392] + b"000001" + broken[398:]
    _, findings = edi.decode(tor, broken)
    assert refusals(findings) == [
        ("malformed", "length", "header.length"),
        ("schema-invalid", "charset", "TOR.DF1"),
        ("schema-invalid", "number", "TOR.SEA"),
        ("schema-invalid", "mandatory", "TOR.KBN"),
    ]


def test_another_procedure(tor: EdiLayout, eda: EdiLayout, goods: Values, message: Make) -> None:
    _, findings = edi.decode(tor, message(eda, goods))
    assert ("schema-invalid", "procedure", "header.procedure") in refusals(findings)


def test_other_encodings(tor: EdiLayout, truck: Values, message: Make) -> None:
    content = message(tor, truck | {("TPA", 0): "HÀ NỘI"})
    _, findings = edi.decode(tor, content.decode().encode("utf-16"))
    assert refusals(findings) == [("encoding-unsupported", "utf-8", "")]
    _, findings = edi.decode(tor, content.replace("À".encode(), b"\xc0"))
    assert refusals(findings) == [("encoding-unsupported", "utf-8", "")]
    _, findings = edi.decode(tor, b"\xef\xbb\xbf" + content)
    assert refusals(findings) == [("malformed", "byte-order-mark", "")]


def test_what_result_codes_ask_for_only_warns_when_read(
    tor: EdiLayout, tir: EdiLayout, truck: Values, message: Make
) -> None:
    first = truck | {("TIM", 0): "1", ("CBA", 0): ""}
    _, findings = edi.decode(tor, message(tor, first))
    assert refusals(findings) == []
    assert warnings(findings) == [
        ("mandatory", f"TOR.{item}") for item in ("CBA", "ALD", "TPA", "REX", "ROB")
    ]
    again = first | {("CBA", 0): "0", ("RDN", 0): "100000000001"}
    assert edi.decode(tor, message(tor, again))[1] == []
    record, _ = edi.decode(tor, message(tor, first))
    _, findings = edi.encode(tir, {k: v for k, v in record.items() if k not in ("EDT", "EMT")}, {})
    missing = {path for _, rule, path in refusals(findings) if rule == "mandatory"}
    assert missing == {f"TIR.{i}" for i in ("CBA", "ADT", "AMT", "ALD", "TPA", "REX", "ROB")}


def test_must_be_empty_and_output_only(
    tor: EdiLayout, eda: EdiLayout, truck: Values, goods: Values, message: Make
) -> None:
    _, findings = edi.decode(tor, message(tor, truck | {("AND", 0): "100000000001"}))
    assert warnings(findings) == [("must-be-empty", "TOR.AND")]
    _, findings = edi.decode(eda, message(eda, goods | {("T01", 0): "x", ("D01", 0): "14052026"}))
    assert warnings(findings) == [("output-only", "EDA.D01"), ("output-only", "EDA.T01")]


def test_trap_25_five_containers(tor: EdiLayout, truck: Values, message: Make) -> None:
    record, _ = edi.decode(tor, message(tor, truck))
    boxes: Any = record["equipment"]
    record["equipment"] = boxes * 5
    _, findings = edi.encode(tor, record, {})
    assert set(refusals(findings)) == {("rule-broken", "repeat", "TOR.CNO")}
    assert findings[0].expected == "at most 4"


def test_a_name_that_the_layout_lacks(tor: EdiLayout) -> None:
    _, findings = edi.encode(tor, {"KBN": "1", "XYZ": "1", "crew": [{"QQ": "1"}]}, {})
    assert [f.path for f in findings if f.code == "not-mapped"] == ["XYZ", "crew/QQ"]


def test_head_values_that_do_not_fit(tor: EdiLayout, truck: Values, message: Make) -> None:
    record, _ = edi.decode(tor, message(tor, truck))
    content, findings = edi.encode(tor, record, {"dataInfo": "1" * 27, "inputInfo": "é"})
    assert [(f.rule, f.path) for f in findings] == [
        ("header", "header.dataInfo"),
        ("header", "header.inputInfo"),
    ]
    assert content[398:400] == b"\r\n"
