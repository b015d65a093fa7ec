"""Layouts of VNACCS messages (EDI) and the shape of JSON documents, read from data files.

`mappings/layouts/<format>.csv` holds one row per item or property. The row order of an EDI
layout is the order on the wire; its `slot` says where an item sits in the decoded record:

    KBN                          a value at the top
    crew[2]/DF                   the item DF2: the second of a family
    equipment[*4]/CNO            a block repeated up to 4 times, row by row
    equipment[*4]/seals[1]/SL    a family inside a repeated block

`mandatory`: M always; R asked for by a result code of VNACCS when `when` holds (warns on
decode, refuses on encode); W the same, but the condition is only partly known (warns); E must
be empty when `when` holds; O output of customs, not for a sender (warns); C otherwise.
`when`: all of the terms `ID` (filled), `!ID` (empty), `ID=VALUE`. `results`: the result code of
VNACCS for a kind of error (`charset=S0024`). Widths are bytes of UTF-8.

Both kinds offer `root`, the `WireNode` tree that table check and compiler read. The header of
an EDI message is not part of it.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from gateway.codec.wire import Base, Kind, WireNode, WireType

_STEP = re.compile(r"^(\w+)\[(\*?)(\d+)\]$")
_IDENTIFIER_WIDTH = 11  # an I item of 11 or 12 digits is a number of a document, not a count


@dataclass(frozen=True, slots=True)
class Step:
    """One group on the way to an item. star: a block of `number` rows, else the number-th."""

    name: str
    star: bool
    number: int


@dataclass(frozen=True, slots=True)
class Item:
    """One row of an EDI layout. width: bytes."""

    id: str
    label: str
    mandatory: str
    when: tuple[str, ...]
    attr: str
    width: int
    steps: tuple[Step, ...]
    slot: str
    mark: str
    results: dict[str, str]

    @property
    def identifier(self) -> bool:
        """True for digits that name a document: leading zeros belong to them."""
        return self.attr == "I" and self.width >= _IDENTIFIER_WIDTH

    @property
    def expected(self) -> bool:
        """True when a new registration must fill it, whatever else it says."""
        return self.mandatory == "M" or (self.mandatory == "R" and set(self.when) <= {"KBN=9"})


Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One place on the wire: an item in one row. row: 0 outside a repeated block, else from 1.

    key: (item id, row). keys: the way through the record. place: the sender's name for it
    (`TOR.CNO(3)`).
    """

    item: Item
    row: int
    key: tuple[str, int]
    keys: Key
    place: str


@dataclass(frozen=True, slots=True)
class EdiLayout:
    """A VNACCS message.

    cells: every place in wire order. ruled: those that `mandatory` says something about.
    groups: the item that names a row of a group.
    """

    name: str
    procedure: str
    items: tuple[Item, ...]
    root: WireNode
    cells: tuple[Cell, ...]
    ruled: tuple[Cell, ...] = field(repr=False)
    by_keys: dict[Key, Cell] = field(repr=False)
    groups: dict[Key, Cell] = field(repr=False)

    def sender_path(self, path: str, indexes: tuple[int, ...] = ()) -> str:
        """Return the sender's name of a path: (`equipment/CNO`, (2,)) is `TOR.CNO(3)`.

        indexes: one per repeating group on the way, from 0; missing ones are 0.
        """
        keys: list[str | int] = []
        rest = list(indexes)
        for name in path.split("/")[:-1]:
            keys += [name, rest.pop(0) if rest else 0]
        cell = self.by_keys.get((*keys, path.rsplit("/", 1)[-1]))
        return cell.place if cell else f"{self.procedure}.{path}"


@dataclass(frozen=True, slots=True)
class JsonLayout:
    """A JSON document. nodes: by path. kinds: path -> string, int, number, bool, datetime,
    uuid, any (what it holds is not known), object, array."""

    name: str
    root: WireNode
    nodes: dict[str, WireNode] = field(repr=False)
    kinds: dict[str, str] = field(repr=False)

    def sender_path(self, path: str, indexes: tuple[int, ...] = ()) -> str:
        """Return `goods[0].weight` for (`goods/weight`, (0,)). indexes: of the arrays."""
        node, rest, text = self.root, list(indexes), ""
        for name in path.split("/"):
            node = next((c for c in node.children if c.name == name), node)
            text += f".{name}" if text else name
            if node.kind is Kind.GROUP and node.repeats:
                text += f"[{rest.pop(0) if rest else 0}]"
        return text


def edi_layout(path: Path) -> EdiLayout:
    """Read the layout of a VNACCS message. Its procedure code ends the file's name."""
    name = path.stem
    procedure = name.rsplit(".", 1)[-1].upper()
    items = tuple(_item(row) for row in _rows(path))
    cells = tuple(_cells(procedure, items))
    groups: dict[Key, Cell] = {}
    for cell in sorted(cells, key=lambda cell: "sequence" not in cell.item.results):
        for end in range(2, len(cell.keys), 2):
            groups.setdefault(cell.keys[:end], cell)
    by_keys = {cell.keys: cell for cell in cells}
    root = WireNode("", "", Kind.GROUP, children=_edi_children(list(items), "", 0))
    ruled = tuple(cell for cell in cells if cell.item.mandatory != "C")
    return EdiLayout(name, procedure, items, root, cells, ruled, by_keys, groups)


def json_layout(path: Path) -> JsonLayout:
    """Read the shape of a JSON document."""
    rows = _rows(path)
    kinds = {row["path"]: row["type"] for row in rows}
    below: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        below.setdefault(row["path"].rpartition("/")[0], []).append(row)
    root = WireNode("", "", Kind.GROUP, children=_json_children(below, ""))
    nodes = {node.path: node for node in root.walk()}
    return JsonLayout(path.stem, root, nodes, kinds)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _item(row: dict[str, str]) -> Item:
    *groups, _leaf = row["slot"].split("/")
    steps = []
    for group in groups:
        match = _STEP.match(group)
        if match is None:
            raise ValueError(f"layout slot {row['slot']!r} of item {row['id']}")
        steps.append(Step(match[1], bool(match[2]), int(match[3])))
    results = dict(pair.split("=", 1) for pair in row["results"].split())
    return Item(
        id=row["id"],
        label=row["label"],
        mandatory=row["mandatory"],
        when=tuple(row["when"].split()),
        attr=row["attr"],
        width=int(row["width"]),
        steps=tuple(steps),
        slot=row["slot"],
        mark=row["mark"],
        results=results,
    )


def _cells(procedure: str, items: tuple[Item, ...]) -> Iterator[Cell]:
    """Lay the items out as they stand on the wire: a repeated block goes row by row."""
    for block, members in groupby(items, key=_block):
        rows = tuple(members)
        for row in range(1, block.number + 1) if block else (0,):
            for item in rows:
                yield _cell(procedure, item, row)


def _block(item: Item) -> Step | None:
    return item.steps[0] if item.steps and item.steps[0].star else None


def _cell(procedure: str, item: Item, row: int) -> Cell:
    keys: list[str | int] = []
    for step in item.steps:
        keys += [step.name, (row if step.star else step.number) - 1]
    place = f"{procedure}.{item.id}" + (f"({row})" if row else "")
    return Cell(item, row, (item.id, row), (*keys, item.slot.rsplit("/", 1)[-1]), place)


def _edi_children(items: list[Item], path: str, depth: int) -> tuple[WireNode, ...]:
    """Make the nodes below `path`; a family is one group, its first member stands for it."""
    named: dict[str, list[Item]] = {}
    for item in items:
        inner = depth < len(item.steps)
        name = item.steps[depth].name if inner else item.slot.rsplit("/", 1)[-1]
        named.setdefault(name, []).append(item)
    below = f"{path}/" if path else ""
    return tuple(_edi_node(members, below + name, depth) for name, members in named.items())


def _edi_node(items: list[Item], path: str, depth: int) -> WireNode:
    name, first = path.rsplit("/", 1)[-1], items[0]
    if depth == len(first.steps):
        least, type_ = int(first.expected), _edi_type(first)
        return WireNode(
            name, path, Kind.LEAF, least, type=type_, mark=first.mark, label=first.label
        )
    alike = [i for i in items if i.steps[depth].star or i.steps[depth].number == 1]
    children = _edi_children(alike, path, depth + 1)
    least = int(any(child.mandatory for child in children))
    most = max(item.steps[depth].number for item in items)
    return WireNode(name, path, Kind.GROUP, least, most, children=children, mark=first.mark)


def _edi_type(item: Item) -> WireType:
    base = {"I": Base.INTEGER, "F": Base.DECIMAL}.get(item.attr, Base.STRING)
    return WireType(
        base=Base.STRING if item.identifier else base,
        max_length=item.width,
        in_bytes=True,
        confirmed=item.mark == "C",
        charset=item.attr,
    )


_JSON_BASE = {"int": Base.INTEGER, "number": Base.DECIMAL, "bool": Base.BOOLEAN}


def _json_children(rows: dict[str, list[dict[str, str]]], path: str) -> tuple[WireNode, ...]:
    return tuple(_json_node(rows, row) for row in rows.get(path, ()))


def _json_node(rows: dict[str, list[dict[str, str]]], row: dict[str, str]) -> WireNode:
    path, kind, least = row["path"], row["type"], int(row["min"])
    name, mark = path.rsplit("/", 1)[-1], row["mark"]
    most = None if row["max"] == "*" else int(row["max"])
    if kind in ("object", "array"):
        children = _json_children(rows, path)
        return WireNode(name, path, Kind.GROUP, least, most, children=children, mark=mark)
    type_ = WireType(base=_JSON_BASE.get(kind, Base.STRING), confirmed=mark == "C")
    return WireNode(name, path, Kind.LEAF, least, most, type=type_, mark=mark)
