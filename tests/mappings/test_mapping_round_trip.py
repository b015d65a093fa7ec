"""Round trips of every table: document -> wire -> document, and wire -> document -> wire."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lawful import lawful
from mapping_desk import DAY, MAPPINGS, XSD
from table_documents import Limits, documents

from gateway import safexml
from gateway.codec import edi, engines, jsonwire, report, transform
from gateway.codec.formats import Formats
from gateway.codec.layout import edi_layout, json_layout
from gateway.codec.table import load_all
from gateway.codec.wire import Base, Kind, WireNode
from gateway.model.manifest import Manifest

TABLES = load_all(MAPPINGS, DAY)
# Without shrinking: a document of this size shrinks for minutes, and its first form is clear.
ROUNDS = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
FORMATS = Formats.load(DAY)

ROUTE = "Declaration/Consignment/BorderTransportMeans"
VEHICLES = "registrationTransportDetails"
TRUCK = Limits(
    always=frozenset({"equipment/CNO", "equipment/seals/SL", "crew/DN", "PEV", "RSS"}),
    never=frozenset({"AND"}),
    together=(
        frozenset({"crew/BP", "crew/ID", "crew/IP"}),
        frozenset({"OMT", "ONT", "ONA"}),
        frozenset({"BPP", "ISD", "IAG"}),
    ),
)
LIMITS = {
    "cn.mt1401": Limits(always=frozenset({ROUTE})),  # an absent route becomes VN
    "vn.vnaccs.tor": TRUCK,
    "vn.vnaccs.tir": TRUCK,
    "vn.langson.registration": Limits(
        special={f"{VEHICLES}/numberOfContainer": st.sampled_from(["GWTU1000015", "GWTU2000025"])}
    ),
}


def carried(name: str) -> st.SearchStrategy[tuple[Any, dict[str, str]]]:
    table = TABLES[name]
    node = engines.make(table.header, MAPPINGS, XSD).node
    return documents(table, node, LIMITS.get(name, Limits())).map(
        lambda made: (_settled(name, made[0]), made[1])
    )


def _settled(name: str, document: Any) -> Any:
    """Bring a made document into the form in which decoding leaves one."""
    if not isinstance(document, Manifest):
        return document
    return transform.apply(TABLES[name].header.after_decode, lawful(document))[0]


@pytest.mark.parametrize("name", sorted(TABLES))
def test_document_survives_the_wire(name: str) -> None:
    @settings(ROUNDS, max_examples=60)
    @given(made=carried(name))
    def survives(made: tuple[Any, dict[str, str]]) -> None:
        document, head = made
        encoded = FORMATS.encode(name, document, head)
        decoded = FORMATS.decode(name, encoded.content)
        assert decoded.document == document
        if TABLES[name].header.engine == "xml":
            assert safexml.c14n(safexml.parse(encoded.content)) == encoded.content
        assert {k: v for k, v in decoded.head.items() if k in head} == head
        again = FORMATS.encode(name, decoded.document, head)
        assert again.content == encoded.content

    survives()


# wire -> document -> wire: what comes back lacks exactly what the report says was left out

LEFT = {"I": "7", "F": "7", "A": "X", "W": "X"}


def _left_paths(name: str, node: WireNode) -> Iterator[WireNode]:
    """The leaves that a table leaves out and a sender may fill, once per group."""
    rows = [row for row in TABLES[name].rows if row.use == "none"]
    whole = {row.path for row in rows if not row.subtree}
    below = tuple(f"{row.path}/" for row in rows if row.subtree)
    for child in node.walk():
        if child.kind is Kind.LEAF and (
            child.path in whole or child.path.startswith(below or "\0")
        ):
            yield child


def _filled(record: dict[str, Any], node: WireNode, value: Any) -> None:
    """Put a value at a leaf's path, in the first element of each group on the way."""
    *groups, leaf = node.path.split("/")
    for name in groups:
        inner = record.setdefault(name, {})
        if isinstance(inner, list):
            inner = inner[0]
        record = inner
    record[leaf] = value


@settings(ROUNDS, max_examples=40)
@given(data=st.data())
@pytest.mark.parametrize("name", ["vn.vnaccs.tor", "vn.vnaccs.eda"])
def test_edi_survives_but_for_what_is_left_out(name: str, data: st.DataObject) -> None:
    document, head = data.draw(carried(name))
    layout = edi_layout(MAPPINGS / "layouts" / TABLES[name].header.layout)
    record, _ = edi.decode(layout, FORMATS.encode(name, document, head).content)
    kept = [node for node in _left_paths(name, layout.root) if "/" not in node.path]
    added = data.draw(st.lists(st.sampled_from(kept), unique_by=lambda node: node.path))
    for node in added:
        size = node.type.max_length if node.type and node.type.charset == "I" else 1
        digits = bool(node.type and node.type.base is not Base.STRING) or (size or 1) > 4
        record[node.path] = (
            "7" * (size or 1) if digits else LEFT[node.type.charset if node.type else "A"]
        )
    full, refused = edi.encode(layout, record, {}, bytes_only=True)
    assert [f for f in refused if f.rule == "width"] == []
    decoded = FORMATS.decode(name, full)
    back = FORMATS.encode(name, decoded.document, head)
    again, _ = edi.decode(layout, back.content)
    left = {row.path for row in _report(decoded, back) if row.class_ == "left-out"}
    assert left == {node.path for node in added}
    gone = {"_header", *left}
    assert {k: v for k, v in again.items() if k not in gone} == {
        k: v for k, v in record.items() if k not in gone
    }


def _report(decoded: Any, encoded: Any) -> tuple[report.SourceRow, ...]:
    return report.build([decoded], None, [encoded], salt=b"salt").sources[0].sources


@settings(ROUNDS, max_examples=40)
@given(data=st.data())
def test_json_survives_but_for_what_is_left_out(data: st.DataObject) -> None:
    name = "vn.langson.registration"
    document, head = data.draw(carried(name))
    layout = json_layout(MAPPINGS / "layouts" / TABLES[name].header.layout)
    record, _ = jsonwire.decode(layout, FORMATS.encode(name, document, head).content)
    plain = {"string": "x", "int": 7, "bool": True, "uuid": "00000000-0000-4000-8000-000000000001"}
    kept = [
        node
        for node in _left_paths(name, layout.root)
        if layout.kinds[node.path] in plain
        and node.path.count("/") < 2
        and not node.path.startswith(("changeVehicle", "paymentOf", "businessVehicle"))
    ]
    added = data.draw(st.lists(st.sampled_from(kept), unique_by=lambda node: node.path, max_size=9))
    for node in added:
        _filled(record, node, plain[layout.kinds[node.path]])
    full, refused = jsonwire.encode(layout, record)
    assert refused == []
    decoded = FORMATS.decode(name, full)
    back = FORMATS.encode(name, decoded.document, head)
    rows = _report(decoded, back)
    left = {row.path for row in rows if row.class_ == "left-out"}
    repeated = {f"{VEHICLES}/nomalizanameLicencePlate"}  # written, and read from licencePlate
    constant = {"isChangeVehicle", f"{VEHICLES}/isChangeVehicle"}
    whole = {row.path for row in TABLES[name].rows if row.subtree}  # reported as one row
    wanted = {next((w for w in whole if n.path.startswith(f"{w}/")), n.path) for n in added}
    assert left - constant - repeated == wanted
    assert all(row.reason for row in rows if row.class_ == "left-out")
