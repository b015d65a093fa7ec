"""The XSD subset: what is read, and that nothing beyond it is overlooked."""

from pathlib import Path

import pytest

from gateway.codec import xsd
from gateway.codec.wire import Base, Kind, WireNode

START = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified">'
GROUP = "<xs:complexType><xs:sequence>{}</xs:sequence></xs:complexType>"


def read(tmp_path: Path, inside: str, globals_: str = "") -> WireNode:
    file = tmp_path / "s.xsd"
    element = f'<xs:element name="R">{GROUP.format(inside)}</xs:element>'
    file.write_text(f"{START}{element}{globals_}</xs:schema>", encoding="utf-8")
    return xsd.read(file, "R")


def test_occurrence_and_types(tmp_path: Path) -> None:
    node = read(
        tmp_path,
        '<xs:element name="A" type="xs:int" minOccurs="0" maxOccurs="unbounded"/>'
        '<xs:element name="B" type="xs:boolean"/>'
        '<xs:element name="C"/>',
    )
    a, b, c = node.children
    assert (a.path, a.min, a.max, a.repeats) == ("A", 0, None, True)
    assert a.type is not None
    assert a.type.base is Base.INTEGER
    assert b.type is not None
    assert b.type.base is Base.BOOLEAN
    assert c.type is not None
    assert c.type.base is Base.STRING
    assert (node.path, node.kind) == ("", Kind.GROUP)


def test_references_choices_and_attributes(tmp_path: Path) -> None:
    node = read(
        tmp_path,
        '<xs:choice><xs:element ref="X"/><xs:element name="Y" type="T"/></xs:choice>',
        '<xs:element name="X" type="xs:decimal"/>'
        '<xs:complexType name="T"><xs:sequence><xs:element name="Z" type="xs:string"/>'
        '</xs:sequence><xs:attribute name="id" type="xs:string" use="required"/>'
        "</xs:complexType>",
    )
    x, y = node.children
    assert [n.choice for n in (x, y)] == [True, True]
    assert not x.mandatory
    assert x.type is not None
    assert x.type.base is Base.DECIMAL
    assert [n.path for n in node.walk()] == ["X", "Y", "Y/@id", "Y/Z"]
    assert y.attributes[0].mandatory


def test_facets_and_recalled_lengths(tmp_path: Path) -> None:
    node = read(
        tmp_path,
        '<xs:element name="A" type="Short"><xs:annotation><xs:appinfo>mark=I</xs:appinfo>'
        '</xs:annotation></xs:element><xs:element name="B" type="Fixed"/>',
        '<xs:simpleType name="Short"><xs:annotation><xs:appinfo>recalled-length=17 mark=W'
        '</xs:appinfo></xs:annotation><xs:restriction base="xs:string"/></xs:simpleType>'
        '<xs:simpleType name="Fixed"><xs:restriction base="Base"><xs:length value="4"/>'
        '<xs:enumeration value="RD06"/><xs:enumeration value="RD09"/></xs:restriction>'
        '</xs:simpleType><xs:simpleType name="Base"><xs:restriction base="xs:token">'
        '<xs:pattern value="RD[0-9]{2}"/></xs:restriction></xs:simpleType>',
    )
    a, b = (n.type for n in node.children)
    assert a is not None
    assert b is not None
    assert (a.max_length, a.confirmed, node.children[0].mark) == (17, False, "I")
    assert (b.min_length, b.max_length, b.confirmed) == (4, 4, True)
    assert b.values == ("RD06", "RD09")
    assert b.pattern == "RD[0-9]{2}"


@pytest.mark.parametrize(
    ("inside", "globals_"),
    [
        ("<xs:any/>", ""),
        ('<xs:sequence maxOccurs="2"><xs:element name="A" type="xs:string"/></xs:sequence>', ""),
        ('<xs:element name="A" type="xs:hexBinary"/>', ""),
        ('<xs:element name="A" type="U"/>',
         '<xs:simpleType name="U"><xs:union memberTypes="xs:int xs:string"/></xs:simpleType>'),
        ('<xs:element name="A" type="U"/>', '<xs:simpleType name="U"><xs:restriction '
         'base="xs:string"><xs:assertion test="1"/></xs:restriction></xs:simpleType>'),
        ("", '<xs:group name="G"><xs:sequence/></xs:group>'),
    ],
)  # fmt: skip
def test_beyond_the_subset(tmp_path: Path, inside: str, globals_: str) -> None:
    with pytest.raises(ValueError, match=r"not supported|must be a restriction"):
        read(tmp_path, inside, globals_)


def test_no_such_root(tmp_path: Path) -> None:
    read(tmp_path, "")
    with pytest.raises(ValueError, match="no element Q"):
        xsd.read(tmp_path / "s.xsd", "Q")
