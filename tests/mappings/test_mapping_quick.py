"""The quick code of every XML table does what the whole code does, or leaves it to that."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_desk import SAMPLES
from quick_alterations import altered, altered_octets
from test_mapping_round_trip import FORMATS, ROUNDS, TABLES, carried

from gateway import safexml
from gateway.codec.compile_trace import Trace, placed, replay

SAMPLE = SAMPLES / "electronics" / "mt2401.xml"
READ = ("cn.mt1401", "cn.mt2401", "cn.mt4401", "cn.mt4402", "cn.response")
WRITTEN = (*READ, "vn.vnsw.answer")


def _said(trace: Trace) -> tuple[Any, ...]:
    """What a report and the findings are made of."""
    entries = trace.plan.entries if trace.plan else {}
    met = [(p.kind, p.number, p.detail, str(p.cause), at) for p, at in placed(trace, entries)]
    rows = sorted(map(repr, replay(trace, entries)))
    return rows, sorted(met), sorted(trace.narrowed), sorted(trace.defaulted), trace.left


def _whole(name: str) -> tuple[Any, Any]:
    """Return a table's compiled code, with and without the quick code."""
    compiled = FORMATS._format(name).compiled
    return compiled, replace(compiled, _quick=None, _put=None)


def test_every_xml_table_is_known_here() -> None:
    xml = {name for name, table in TABLES.items() if table.header.engine == "xml"}
    assert xml == set(WRITTEN)
    assert {n for n in xml if FORMATS._format(n).compiled._quick is not None} == set(READ)
    assert {n for n in xml if FORMATS._format(n).compiled._put is not None} == set(WRITTEN)


@pytest.mark.parametrize("name", READ)
def test_reading_octets_is_reading_the_tree(name: str) -> None:
    quick, whole = _whole(name)

    @settings(ROUNDS, max_examples=40)
    @given(made=carried(name), data=st.data())
    def same(made: tuple[Any, dict[str, str]], data: st.DataObject) -> None:
        octets = FORMATS.encode(name, *made).content
        taken = quick._usual(quick._quick, octets.decode())
        assert taken is not None, "the usual document is not taken"
        tree = whole.decode(safexml.parse(octets))
        assert taken[:2] == tree[:2]
        assert _said(taken[2]) == _said(tree[2])
        odd = altered_octets(octets.decode(), data.draw)
        taken = quick._usual(quick._quick, odd)
        tree = whole.decode(safexml.parse(odd.encode()))
        if taken is not None:
            assert taken[:2] == tree[:2]
            assert _said(taken[2]) == _said(tree[2])
            assert tree[2].problems == []

    same()


@pytest.mark.parametrize("name", WRITTEN)
def test_writing_quickly_is_writing(name: str) -> None:
    quick, whole = _whole(name)

    @settings(ROUNDS, max_examples=50)
    @given(made=carried(name), data=st.data())
    def same(made: tuple[Any, dict[str, str]], data: st.DataObject) -> None:
        document, head = made
        for each in (document, altered(document, data.draw)):
            one, left = quick.encode(each, head)
            other, right = whole.encode(each, head)
            assert _said(left) == _said(right)
            assert "".join(one) == "".join(other)

    same()


def test_the_usual_document_is_written_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    quick, _ = _whole("cn.mt2401")
    decoded = FORMATS.decode("cn.mt2401", SAMPLE.read_bytes())
    written = quick.encode(decoded.document, decoded.head)[0]
    names = quick._put.__globals__
    for name in [n for n in names if n == "encode" or n.startswith("encode_")]:
        monkeypatch.delitem(names, name)  # the whole code is not there
    assert quick.encode(decoded.document, decoded.head)[0] == written


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.replace("><", ">\n<", 1),
        lambda s: s.replace("<Declaration>", "<Declaration><!-- -->"),
        lambda s: s.replace("</Declaration>", "<Extra></Extra></Declaration>"),
        lambda s: s + " ",
        lambda s: s.replace('xmlns="', 'xmlns:a="urn:a" xmlns="', 1),
        lambda s: s.replace("<Head>", '<Head xmlns="urn:other">', 1),
    ],
)
def test_other_octets_are_left_to_the_tree(change: Any) -> None:
    quick, _ = _whole("cn.mt2401")
    octets = safexml.c14n(safexml.parse(SAMPLE.read_bytes())).decode()
    octets = re.sub(r">\s+<", "><", octets)
    assert quick._usual(quick._quick, octets) is not None
    assert change(octets) != octets
    assert quick._usual(quick._quick, change(octets)) is None


@pytest.mark.parametrize("name", READ)
def test_checking_our_octets_is_checking_their_tree(name: str) -> None:
    engine = FORMATS._format(name).engine

    @settings(ROUNDS, max_examples=60)
    @given(made=carried(name), data=st.data())
    def same(made: tuple[Any, dict[str, str]], data: st.DataObject) -> None:
        octets = FORMATS.encode(name, *made).content
        assert engine.schema.fits(octets)
        for odd in (altered_octets(octets.decode(), data.draw), _cut(octets.decode(), data.draw)):
            told = engine.schema.findings(safexml.parse_own(odd.encode()))
            assert engine.schema.fits(odd.encode()) == (told == [])
        assert engine.schema.fits(octets)

    same()


def _cut(octets: str, draw: Any) -> str:
    """Take one element without children out, or put it there twice."""
    found = list(re.finditer(r"<([A-Za-z]+)[^<>]*>[^<]*</\1>", octets))
    taken = draw(st.sampled_from(found))
    return (
        octets[: taken.start()] + draw(st.sampled_from(["", taken[0] * 2])) + octets[taken.end() :]
    )


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"<",
        b'<Manifest xmlns="urn:Declaration:datamodel:standard:CN:MT2401:1">',
        b'<Manifest xmlns="urn:Declaration:datamodel:standard:CN:MT1401:1"></Manifest>',
        b'<Other xmlns="urn:Declaration:datamodel:standard:CN:MT2401:1"></Other>',
        b"<Manifest></Manifest>",
    ],
)
def test_other_octets_do_not_fit(octets: bytes) -> None:
    assert not FORMATS._format("cn.mt2401").engine.schema.fits(octets)
