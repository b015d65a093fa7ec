"""The Lang Son registration: its shape, its envelope, and JSON that is no registration."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.codec import jsonwire
from gateway.codec.layout import JsonLayout
from gateway.codec.wire import Kind, WireNode
from gateway.errors import CODES, DocumentError, Finding, Severity

GOODS, VEHICLES = "registrationTransportGoods", "registrationTransportDetails"


def registration(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "numberOfDeclaration": "2026051400001",
        "type": 1,
        "gate": {"code": "CKHN", "name": "Hữu Nghị"},
        GOODS: [
            {
                "companyName": "Công ty TNHH Mẫu",
                "usingNumberHQ": True,
                "weight": 19200,
                "supplierName": None,
                "registrationTransportGoodsDetails": [
                    {"nameProduct": "Sầu riêng", "quantityDetail": 1200, "weight": 19200}
                ],
            }
        ],
        VEHICLES: [{"licencePlate": "29H-123.45", "feeRate": 1.5, "numberSealHQ": ""}],
    }
    return document | changes


def octets(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def refusals(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [(f.code, f.rule, f.path) for f in findings if f.severity is Severity.REFUSE]


def test_reads_a_registration(langson: JsonLayout) -> None:
    record, findings = jsonwire.decode(langson, octets(registration()))
    assert findings == []
    assert record["type"] == 1
    assert record["gate"] == {"code": "CKHN", "name": "Hữu Nghị"}
    assert record[GOODS] == [
        {
            "companyName": "Công ty TNHH Mẫu",
            "usingNumberHQ": True,
            "weight": 19200,
            "registrationTransportGoodsDetails": [
                {"nameProduct": "Sầu riêng", "quantityDetail": 1200, "weight": 19200}
            ],
        }
    ]
    assert record[VEHICLES] == [{"licencePlate": "29H-123.45", "feeRate": Decimal("1.5")}]


def test_reads_a_registration_in_the_envelope(langson: JsonLayout) -> None:
    bare, _ = jsonwire.decode(langson, octets(registration()))
    envelope = {"result": 1, "code": "00", "message": "OK", "error": None, "data": registration()}
    record, findings = jsonwire.decode(langson, octets(envelope))
    assert findings == []
    assert record == bare
    assert jsonwire.names(octets(envelope)) == jsonwire.names(octets(registration()))
    _, findings = jsonwire.decode(langson, octets(envelope | {"code": "99", "more": 1}))
    assert refusals(findings) == [
        ("rule-broken", "envelope-code", "code"),
        ("schema-invalid", "unknown-field", "more"),
    ]
    broken = envelope | {"data": registration(type="1")}
    _, findings = jsonwire.decode(langson, octets(broken))
    assert refusals(findings) == [("schema-invalid", "type", "data.type")]


def test_numbers_are_exact(langson: JsonLayout) -> None:
    content = octets(registration()).replace(b"1.5", b"0.10000000000000000001")
    record, findings = jsonwire.decode(langson, content)
    assert findings == []
    rate: Any = record[VEHICLES]
    assert rate[0]["feeRate"] == Decimal("0.10000000000000000001")
    written, _ = jsonwire.encode(langson, record)
    assert b'"feeRate":0.10000000000000000001' in written


def test_a_mass_with_decimals_is_read_and_not_written_as_a_whole_number(
    langson: JsonLayout,
) -> None:
    """Trap 82: no rounding where the platform was seen to take whole numbers only."""
    document = registration()
    document[GOODS][0]["weight"] = 6200.5
    record, findings = jsonwire.decode(langson, octets(document))
    assert [(f.rule, f.path, f.severity) for f in findings] == [
        ("type", f"{GOODS}[0].weight", Severity.WARN)
    ]
    _, findings = jsonwire.encode(langson, record)
    assert refusals(findings) == [("rule-broken", "type", f"{GOODS}[0].weight")]


@pytest.mark.parametrize(
    ("changes", "rule", "path"),
    [
        ({"type": "1"}, "type", "type"),
        ({"type": True}, "type", "type"),
        ({"type": None}, "mandatory", "type"),
        ({"numberOfDeclaration": 2026051400001}, "type", "numberOfDeclaration"),
        ({"gate": []}, "type", "gate"),
        ({"gate": {"name": "x"}}, "mandatory", "gate.code"),
        ({GOODS: {}}, "type", GOODS),
        ({GOODS: []}, "mandatory", GOODS),
        ({GOODS: [1]}, "type", f"{GOODS}[0]"),
        ({VEHICLES: [{}]}, "mandatory", f"{VEHICLES}[0].licencePlate"),
        ({"isFinish": "false"}, "type", "isFinish"),
        ({"company": {"name": {"vi": "x"}}}, "type", "company.name"),
        ({"batchNumber": "1"}, "unknown-field", "batchNumber"),
        ({"gate": {"code": "CKHN", "extra": 1}}, "unknown-field", "gate.extra"),
        ({"company": {"name": "a\u0000b"}}, "charset", "company.name"),
        ({"company": {"name": "a\ud800b"}}, "charset", "company.name"),
    ],
)
def test_wrong_shapes(changes: dict[str, Any], rule: str, path: str, langson: JsonLayout) -> None:
    content = json.dumps(registration(**changes)).encode()
    _, findings = jsonwire.decode(langson, content)
    assert ("schema-invalid", rule, path) in refusals(findings)


def test_all_findings_at_once_and_no_text_of_the_document(langson: JsonLayout) -> None:
    document = registration(type="EXPORT", gate={}, more=1)
    document[VEHICLES][0]["driverName"] = {"first": "NGUYEN", "last": "MAU"}
    _, findings = jsonwire.decode(langson, octets(document))
    assert set(refusals(findings)) == {
        ("schema-invalid", "type", "type"),
        ("schema-invalid", "mandatory", "gate.code"),
        ("schema-invalid", "unknown-field", "more"),
        ("schema-invalid", "type", f"{VEHICLES}[0].driverName"),
    }
    assert "NGUYEN" not in str(findings)
    assert "EXPORT" not in str(findings)


@pytest.mark.parametrize(
    ("content", "code", "rule"),
    [
        (b"", "malformed", "json"),
        (b"{", "malformed", "json"),
        (b'{"type":1} x', "malformed", "json"),
        (b'{"type":1,}', "malformed", "json"),
        (b"\xef\xbb\xbf{}", "malformed", "json"),
        (b'{"type":1,"type":0}', "malformed", "duplicate-name"),
        (b'{"gate":{"code":"a","code":"b"}}', "malformed", "duplicate-name"),
        (b'{"type":NaN}', "malformed", "number"),
        (b'{"type":-Infinity}', "malformed", "number"),
        (b'{"type":1e999999999}', "malformed", "number"),
        (b'{"type":' + b"9" * 5000 + b"}", "malformed", "number"),
        (b"[" * 100_000, "malformed", "depth"),
        (b'{"storageGoods":' + b"[" * 900 + b"]" * 900 + b"}", "malformed", "depth"),
        (b'{"type":"\xff"}', "encoding-unsupported", "utf-8"),
        ('{"type":1}'.encode("utf-16"), "encoding-unsupported", "utf-8"),
        (b"[" + b"{}," * 300_000 + b"{}]", "too-large", "values"),
        (b"[]", "schema-invalid", "type"),
        (b"null", "schema-invalid", "type"),
        (b'"registration"', "schema-invalid", "type"),
    ],
)
def test_hostile_octets(content: bytes, code: str, rule: str, langson: JsonLayout) -> None:
    record, findings = jsonwire.decode(langson, content)
    assert (code, rule) in [(c, r) for c, r, _ in refusals(findings)]
    assert record == {}


@pytest.mark.parametrize(
    "content",
    [b"", b"[1]", b"{", b'{"a":\xff}', b'{"a":' + b"[" * 200_000, b'{"code":1,"data":[]}'],
)
def test_names_of_hostile_octets(content: bytes) -> None:
    with pytest.raises(DocumentError) as caught:
        jsonwire.names(content)
    assert caught.value.code == "malformed"


def test_names_of_a_flood() -> None:
    with pytest.raises(DocumentError) as caught:
        jsonwire.names(b"{" + b",".join(b'"k%d":1' % n for n in range(300_000)) + b"}")
    assert caught.value.code == "too-large"


def test_a_document_is_told_a_hundred_things(langson: JsonLayout) -> None:
    many = {f"k{n}": n for n in range(1000)}
    _, findings = jsonwire.decode(langson, octets(registration(**many)))
    assert [f.rule for f in findings] == ["unknown-field"] * 100 + ["more"]


def test_what_is_not_known_is_kept_as_text(langson: JsonLayout) -> None:
    """Where only null was ever seen, anything may stand: it is left out later, and counted."""
    unknown = {
        "storageGoods": [{"a": 1.50, "b": [True, None, "x"]}],
        "gate": {"code": "TT", "ctgArea": 7},
    }
    record, findings = jsonwire.decode(langson, octets(registration(**unknown)))
    assert findings == []
    assert record["storageGoods"] == '[{"a":1.5,"b":[true,null,"x"]}]'
    assert record["gate"] == {"code": "TT", "ctgArea": 7}


def test_writing_needs_what_the_shape_needs(langson: JsonLayout) -> None:
    _, findings = jsonwire.encode(langson, {"gate": {}, "extra": "x", "type": "1"})
    assert set(refusals(findings)) == {
        ("not-mapped", "slot", "extra"),
        ("rule-broken", "type", "type"),
        ("rule-broken", "mandatory", "gate.code"),
        ("rule-broken", "mandatory", GOODS),
        ("rule-broken", "mandatory", VEHICLES),
    }


_TEXT = st.text(
    st.characters(
        codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"
    ),
    min_size=1,
    max_size=12,
)
_LEAVES: dict[str, st.SearchStrategy[Any]] = {
    "int": st.integers(-(10**12), 10**12),
    "number": st.one_of(st.integers(0, 10**6), st.decimals(-(10**6), 10**6, places=3).map(Decimal)),
    "bool": st.booleans(),
    "any": _TEXT,
}


def _values(layout: JsonLayout, node: WireNode) -> st.SearchStrategy[Any]:
    if node.kind is Kind.LEAF:
        return _LEAVES.get(layout.kinds[node.path], _TEXT)
    needed = {c.name: _values(layout, c) for c in node.children if c.mandatory}
    free = [c for c in node.children if not c.mandatory]
    some = st.lists(st.sampled_from(free), max_size=6, unique_by=lambda c: c.name)
    optional = some.flatmap(
        lambda cs: st.fixed_dictionaries({c.name: _values(layout, c) for c in cs})
    )
    whole = st.tuples(st.fixed_dictionaries(needed), optional).map(lambda pair: pair[0] | pair[1])
    if not node.repeats:
        return whole
    return st.lists(whole, min_size=1, max_size=3)


def _pruned(value: Any) -> Any:
    """An empty object is not written: it says nothing."""
    if isinstance(value, dict):
        return {k: p for k, v in value.items() if (p := _pruned(v)) not in ({}, [])}
    if isinstance(value, list):
        return [_pruned(each) for each in value]
    return value


def test_what_is_written_is_read(langson: JsonLayout) -> None:
    @settings(max_examples=60, deadline=None)
    @given(_values(langson, langson.root))
    def holds(record: dict[str, Any]) -> None:
        content, findings = jsonwire.encode(langson, record)
        assert findings == []
        assert json.loads(content)
        back, findings = jsonwire.decode(langson, content)
        assert refusals(findings) == []
        assert _pruned(back) == _pruned(record)
        assert jsonwire.encode(langson, back)[0] == content

    holds()


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_no_octets_break_the_reader(langson: JsonLayout, data: st.DataObject) -> None:
    content = bytearray(octets(registration()))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        piece = data.draw(
            st.sampled_from([b"", b"{", b"}", b"[", b'"', b"\\u0000", b"\xc3", b"1e9"])
        )
        content[at : at + data.draw(st.integers(0, 3))] = piece
    _, findings = jsonwire.decode(langson, bytes(content))
    for finding in findings:
        assert finding.code in CODES
        assert len(finding.found) <= 120
