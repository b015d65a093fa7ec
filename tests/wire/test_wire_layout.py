"""The layouts hold every item of the message tables, in order, each with one place."""

from pathlib import Path

import pytest

from gateway.codec.layout import EdiLayout, JsonLayout, edi_layout
from gateway.codec.wire import Base, Kind, WireNode


def _node(root: WireNode, path: str) -> WireNode:
    return next(node for node in root.walk() if node.path == path)


@pytest.mark.parametrize(("name", "count", "places"), [("tor", 99, 138), ("tir", 99, 138)])
def test_vehicle_layouts_have_all_items(
    name: str, count: int, places: int, request: pytest.FixtureRequest
) -> None:
    layout: EdiLayout = request.getfixturevalue(name)
    assert len(layout.items) == count
    assert len(layout.cells) == places == 86 + 4 * 13
    assert len({cell.keys for cell in layout.cells}) == places
    assert len({cell.place for cell in layout.cells}) == places


def test_goods_layout_has_all_items(eda: EdiLayout) -> None:
    assert len(eda.items) == 210
    assert len(eda.cells) == 183 + 50 * 27 == len({cell.keys for cell in eda.cells})


def test_repeats_are_row_by_row(eda: EdiLayout, tor: EdiLayout) -> None:
    first = [cell.place for cell in eda.cells[183 : 183 + 28]]
    assert first[0] == "EDA.CMD(1)"
    assert first[26:] == ["EDA.OL5(1)", "EDA.CMD(2)"]
    assert tor.cells[86 + 13].place == "TOR.CNO(2)"


def test_widths_are_bytes_and_sum_up(tor: EdiLayout, eda: EdiLayout) -> None:
    by_id = {item.id: item for item in tor.items + eda.items}
    assert (by_id["TPA"].attr, by_id["TPA"].width) == ("W", 996)
    assert (by_id["CMN"].attr, by_id["CMN"].width) == ("W", 600)
    assert (by_id["GW"].attr, by_id["GW"].width) == ("F", 10)
    whole = 400 + sum(item.width + 2 for item in tor.items)
    assert whole == 4808  # a whole message with one container
    assert all(item.attr in "AWIF" for item in by_id.values())


def test_tree_of_the_truck(tor: EdiLayout) -> None:
    crew, box = _node(tor.root, "crew"), _node(tor.root, "equipment")
    assert (crew.kind, crew.min, crew.max) == (Kind.GROUP, 1, 5)
    names = " ".join(child.name for child in crew.children)
    assert names == "DG DF DN PR DP BP ID IP DA"
    assert (box.min, box.max) == (0, 4)
    assert _node(tor.root, "equipment/seals").max == 6
    driver = _node(tor.root, "crew/DF").type
    assert driver is not None
    assert (driver.max_length, driver.in_bytes, driver.confirmed) == (70, True, True)


def test_tree_of_the_goods(eda: EdiLayout) -> None:
    assert (_node(eda.root, "lines").min, _node(eda.root, "lines").max) == (1, 50)
    assert _node(eda.root, "containers").max == 50
    sizes = {name: _node(eda.root, name).max for name in ("permits", "vanning", "lines/laws")}
    assert sizes == {"permits": 5, "vanning": 5, "lines/laws": 5}
    bases = {
        path: type_.base
        for path in ("ECN", "NO", "GW", "lines/CMN")
        if (type_ := _node(eda.root, path).type)
    }
    assert bases == {
        "ECN": Base.STRING,  # 12 digits that name a declaration, not a count
        "NO": Base.INTEGER,
        "GW": Base.DECIMAL,
        "lines/CMN": Base.STRING,
    }


def test_mandatory_items_of_an_arrival(tir: EdiLayout) -> None:
    """The 22 that the result codes call mandatory: four of them for a first entry only."""
    always = {item.id for item in tir.items if item.expected and item.slot.count("[") < 2}
    always -= {i for i in always if i[-1] in "2345" and i[:-1] in ("DF", "DN", "PR")}
    first_entry = {item.id for item in tir.items if item.when == ("KBN=9", "TIM=1", "!RDN")}
    assert " ".join(sorted(always)) == (
        "ABG ADT AMT CBA CSN CTM DF1 DN1 ESN KBN LOM LPN PR1 REC RSS SEA TIM TTM"
    )
    assert first_entry == {"ALD", "TPA", "REX", "ROB"}


def test_sender_paths(tor: EdiLayout, eda: EdiLayout, langson: JsonLayout) -> None:
    assert tor.sender_path("equipment/CNO", (2,)) == "TOR.CNO(3)"
    assert tor.sender_path("equipment/seals/SL", (0, 1)) == "TOR.SL2(1)"
    assert tor.sender_path("crew/DF", (1,)) == "TOR.DF2"
    assert eda.sender_path("lines/CMN", (1,)) == "EDA.CMN(2)"
    assert eda.sender_path("containers/C", (6,)) == "EDA.C07"
    assert eda.sender_path("KBN") == "EDA.KBN"
    goods = "registrationTransportGoods"
    place = langson.sender_path(f"{goods}/{goods}Details/weight", (0, 2))
    assert place == f"{goods}[0].{goods}Details[2].weight"
    assert langson.sender_path("gate/code") == "gate.code"


def test_registration_has_every_observed_path(langson: JsonLayout) -> None:
    """1,018 paths were observed, in and out of the envelope: 584 different ones."""
    assert len(langson.nodes) == 584 == len(langson.kinds)
    groups = {path for path, node in langson.nodes.items() if node.kind is Kind.GROUP}
    assert all(path.rpartition("/")[0] in groups | {""} for path in langson.nodes)
    assert {p for p in groups if langson.nodes[p].repeats} >= {
        "registrationTransportGoods",
        "registrationTransportGoods/registrationTransportGoodsDetails",
        "registrationTransportDetails",
        "changeVehicle/changeVehicleDetails",
        "businessVehicleRegistrationForms",
    }


def test_a_slot_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    rows = "order,id,label,mandatory,when,attr,width,slot,mark,results\n1,A,a,M,,A,1,g[x]/A,C,\n"
    (tmp_path / "vn.test.abc.csv").write_text(rows, encoding="utf-8")
    with pytest.raises(ValueError, match="slot"):
        edi_layout(tmp_path / "vn.test.abc.csv")
