"""Whatever fits a VNACCS message comes back, and whatever comes in never breaks the reader."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.codec import edi
from gateway.codec.layout import Cell, EdiLayout
from gateway.errors import CODES, MOST_FINDINGS, Finding, Severity

_QUICK = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_A = "".join(chr(c) for c in range(0x20, 0x5E) if chr(c) != "$")
_W = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="".join(
    chr(c) for c in range(0xFF61, 0xFFA0)
))  # fmt: skip


def _texts(cell: Cell) -> st.SearchStrategy[str]:
    """Texts that an item may hold, without padding."""
    width = cell.item.width
    if cell.item.attr == "I":
        return st.integers(0, 10 ** min(width, 15) - 1).map(str)
    if cell.item.attr == "F":
        return st.decimals(0, 10**6, places=2).map(lambda d: format(d, "f"))
    letters = st.sampled_from(_A) if cell.item.attr == "A" else _W
    most = width if cell.item.attr == "A" else width // 3
    texts = st.text(letters, min_size=1, max_size=min(most, 40)).map(lambda t: t.rstrip(" "))
    return texts.filter(lambda t: bool(t) and len(t.encode()) <= width)


@st.composite
def records(draw: st.DrawFn, layout: EdiLayout) -> dict[str, Any]:
    """A record without gaps: some flat items, some rows of each group."""
    record: dict[str, Any] = {}
    for cell in layout.cells:
        *groups, leaf = cell.keys
        node: dict[str, Any] | None = record
        for name, index in zip(groups[::2], groups[1::2], strict=True):
            rows = node.setdefault(str(name), []) if node is not None else []
            if index == len(rows) and (index == 0 or rows[-1]) and draw(st.integers(0, 3)):
                rows.append({})
            node = rows[index] if index < len(rows) else None
        if node is not None and (draw(st.booleans()) or cell.item.mandatory == "M" or not node):
            node[str(leaf)] = draw(_texts(cell))
    return {k: v for k, v in _pruned(record).items() if v}


def _pruned(node: dict[str, Any]) -> dict[str, Any]:
    """Without empty rows, which cannot be written."""
    return {
        name: [row for row in map(_pruned, value) if row] if isinstance(value, list) else value
        for name, value in node.items()
        if value != []
    }


def _other(findings: list[Finding]) -> list[Finding]:
    """Findings beside the rules between items, which random values break."""
    rules = ("mandatory", "must-be-empty", "output-only", "leading-zeros")
    return [f for f in findings if f.rule not in rules]


@pytest.mark.parametrize("name", ["tor", "tir"])
def test_what_is_written_is_read(name: str, request: pytest.FixtureRequest) -> None:
    layout: EdiLayout = request.getfixturevalue(name)

    @_QUICK
    @given(records(layout))
    def holds(record: dict[str, Any]) -> None:
        content, findings = edi.encode(layout, record, {"inputInfo": "K"})
        assert _other(findings) == []
        back, findings = edi.decode(layout, content)
        assert _other(findings) == []
        header = back.pop("_header")
        assert header == {"procedure": layout.procedure, "inputInfo": "K"}
        assert back == record
        assert edi.encode(layout, back, {"inputInfo": "K"})[0] == content

    holds()


def test_goods_that_are_written_are_read(eda: EdiLayout) -> None:
    lines = {cell.item.id: _texts(cell) for cell in eda.cells if cell.row == 1}
    line = st.fixed_dictionaries({k: lines[k] for k in ("CMD", "CMN", "QN1", "QT1")})

    @settings(_QUICK, max_examples=30)
    @given(st.lists(line, min_size=1, max_size=50), st.integers(0, 50))
    def holds(rows: list[dict[str, str]], boxes: int) -> None:
        record: dict[str, Any] = {"MTC": "4", "lines": rows}
        if boxes:
            record["containers"] = [{"C": f"GWTU{n:07}"} for n in range(boxes)]
        content, _ = edi.encode(eda, record, {})
        assert int(content[392:398]) == len(content)
        back, findings = edi.decode(eda, content)
        assert [f for f in _other(findings) if f.severity is Severity.REFUSE] == []
        back.pop("_header")
        assert back == record

    holds()


@_QUICK
@given(st.data())
def test_no_octets_break_the_reader(tor: EdiLayout, truck: Any, message: Any, data: Any) -> None:
    content = bytearray(message(tor, truck))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(content) - 1))
        piece = data.draw(
            st.sampled_from([b"", b"\n", b"\r\n", b"\xff", b"\x00", b"$", b"9", b"  "])
        )
        content[at : at + data.draw(st.integers(0, 3))] = piece
    for octets in (bytes(content), bytes(content[: data.draw(st.integers(0, len(content)))])):
        record, findings = edi.decode(tor, octets)
        assert isinstance(record, dict)
        for finding in findings:
            assert finding.code in CODES
            assert finding.rule
            assert len(finding.found) <= 80


@_QUICK
@given(st.binary(max_size=600))
def test_no_random_octets_break_the_reader(eda: EdiLayout, content: bytes) -> None:
    _, findings = edi.decode(eda, content)
    assert any(f.severity is Severity.REFUSE for f in findings)


def test_a_flood_of_items_is_one_finding(tor: EdiLayout) -> None:
    content = b"SS TOR".ljust(392) + b"999999\r\n" + b"\r\n" * 1_000_000
    _, findings = edi.decode(tor, content)
    assert next(f for f in findings if f.rule == "items").found == "1000000 items"
    assert len(findings) == MOST_FINDINGS + 1
    assert findings[-1].rule == "more"


def test_many_warnings_refuse_nothing(eda: EdiLayout, goods: Any, message: Any) -> None:
    line = {"CMD": "08109092", "CMN": "X", "QN1": "09", "QT1": "KGM", "QN2": "09", "QT2": "KGM"}
    lines = {(item, row): text for row in range(1, 51) for item, text in line.items()}
    lines |= {("BPR", row): "01" for row in range(1, 51)}
    record, findings = edi.decode(eda, message(eda, {**goods, **lines}))
    assert len(record["lines"]) == 50
    assert len(findings) == MOST_FINDINGS + 1
    assert {f.severity for f in findings} == {Severity.WARN}
