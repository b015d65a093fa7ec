"""What the demo shows of a crossing: timeline, key fields side by side, translation report."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from gateway.api.views import Crossing, StatusEntry
from gateway.model.manifest import Consignment, Manifest
from gateway.model.values import Party

WIDTH = 80
_SHOWN_CLASSES = ("narrowed", "defaulted", "allocated", "left-out")
_MOST = 8
"""Lines of the report that are shown; the file holds all."""


def timeline(console: Console, crossings: Sequence[tuple[str, Crossing]]) -> None:
    """Show both sides' events in the order of time."""
    table = Table(title="Timeline", title_justify="left", width=WIDTH, box=None, pad_edge=False)
    table.add_column("time", no_wrap=True)
    table.add_column("side", no_wrap=True)
    table.add_column("message", no_wrap=True)
    table.add_column("what happened", ratio=1)
    rows = [
        (entry.at, side, _type(crossing, entry.message_id), entry.text)
        for side, crossing in crossings
        for entry in crossing.timeline
    ]
    for at, side, name, text in sorted(rows):
        table.add_row(at.strftime("%H:%M:%S.%f")[:-3], side, name, text)
    console.print(table)


def _type(crossing: Crossing, message_id: str) -> str:
    return next((m.document_type for m in crossing.messages if m.id == message_id), "")


def side_by_side(console: Console, left: tuple[str, Manifest], right: tuple[str, Manifest]) -> None:
    """Show the key fields of what was handed in and of what came out."""
    table = Table(title="Key fields", title_justify="left", width=WIDTH, box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column(left[0], ratio=1)
    table.add_column(right[0], ratio=1)
    mine, theirs = _fields(left[1]), _fields(right[1])
    for name in mine:
        if mine[name] or theirs[name]:
            table.add_row(name, mine[name] or "-", theirs[name] or "-")
    console.print(table)


def _fields(document: Manifest) -> dict[str, str]:
    goods = document.consignments
    means = document.means
    gate = document.border_gate.gate if document.border_gate else None
    offices = [
        place.office.value
        for place in (document.entry_office, document.exit_office)
        if place and place.office
    ]
    return {
        "batch": _join(i.value for i in document.identifiers if i.scheme == "cn.road-batch"),
        "gate / office": _join([*([gate.value] if gate else []), *offices]),
        "truck": _join(m.plate.raw for m in means if m.plate),
        "trailer": _join(t.plate.raw for m in means for t in m.trailers if t.plate),
        "driver": _join(c.names[0].value for m in means for c in m.crew if c.names),
        "containers": _join(e.id for e in document.equipment),
        "seals": _join(s.number for e in document.equipment for s in e.seals),
        "waybills": _join(c.contract.id.value for c in goods if c.contract and c.contract.id),
        "declarations": _join(_declaration(c) for c in goods),
        "goods": _join(
            f"{i.descriptions[0].value}" for c in goods for i in c.items if i.descriptions
        ),
        "packages": _join(
            f"{c.total_packages.count} {c.total_packages.kind}" for c in goods if c.total_packages
        ),
        "gross mass": _join(
            f"{c.gross_mass.value.normalize():f} {c.gross_mass.unit}" for c in goods if c.gross_mass
        ),
        "value": _join(
            f"{c.value.amount.normalize():f} {c.value.currency}" for c in goods if c.value
        ),
        "consignor": _join(_name(c.consignor) for c in goods),
        "consignee": _join(_name(c.consignee) for c in goods),
    }


def _join(values: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(value for value in values if value))


def _name(party: Party | None) -> str:
    return party.names[0].value if party and party.names else ""


def _declaration(waybill: Consignment) -> str:
    numbers = [p.id.value for p in waybill.previous if p.id]
    own = [i.value for i in waybill.references if i.scheme == "vn.declarant-ref"]
    return next(iter(numbers or own), "")


def report(console: Console, content: bytes) -> None:
    """Show a translation report: a count per class, then what needs a look."""
    said = json.loads(content)
    rows: list[dict[str, Any]] = [
        {**row, "format": part["format"]} for part in said["sources"] for row in part["sources"]
    ]
    counts = Counter(row["class"] for row in rows)
    fed = Counter(
        word.partition(":")[0]
        for part in said["targets"]
        for row in part["targets"]
        for word in row["sources"]
    )
    target = ", ".join(part["format"] for part in said["targets"]) or "as it is"
    console.print(f"Translation report -> {target}", style="italic")
    console.print("  source leaves: " + ", ".join(f"{n} {c}" for c, n in counts.most_common()))
    if fed:
        console.print("  target leaves: " + ", ".join(f"{n} {w}" for w, n in fed.most_common()))
    _worth(console, [row for row in rows if _worth_a_look(row)])
    for note in said["notes"]:
        console.print(f"  note: {note['code']} {note['path']} {note['text']}")


def _worth_a_look(row: dict[str, Any]) -> bool:
    constant = row.get("reason", "").startswith("constant of this message type")
    return row["class"] in _SHOWN_CLASSES and not constant


def _worth(console: Console, rows: list[dict[str, Any]]) -> None:
    table = Table(width=WIDTH, box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, max_width=28, overflow="ellipsis")
    table.add_column(ratio=1)
    order = {name: n for n, name in enumerate(_SHOWN_CLASSES)}
    rows.sort(key=lambda row: order[row["class"]])
    for row in rows[:_MOST]:
        place = f"{row['format'].rpartition('.')[2]} {row['path'].rpartition('/')[2]}"
        table.add_row(f"  {row['class']}", place, row.get("reason", ""))
    console.print(table)
    if len(rows) > _MOST:
        console.print(f"  ... and {len(rows) - _MOST} more in the report")


def statuses(console: Console, rows: Sequence[StatusEntry]) -> None:
    """Show where waybills, containers, declarations and the truck stand."""
    if not rows:
        return
    table = Table(title="Status", title_justify="left", width=WIDTH, box=None, pad_edge=False)
    for name in ("axis", "subject", "state"):
        table.add_column(name)
    for row in rows:
        table.add_row(row.axis, row.subject, f"{row.state_text} ({row.state})")
    console.print(table)
