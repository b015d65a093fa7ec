"""Canonical documents that a mapping table can carry, made from the table and its wire tree.

Presence and number come from the wire tree (what is mandatory, how often a group occurs), the
place from the table, the value from the converter's name. Nothing here calls the converters:
a converter that is wrong both ways must not agree with itself.
"""

import csv
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from gateway.codec.paths import DISCRIMINATORS, EACH, ROOTS, Step, fields, is_struct, parse
from gateway.codec.table import Row, Table
from gateway.codec.wire import Base, Kind, WireNode, WireType
from gateway.model.manifest import Audience, CommodityCode, Direction, Function, Remark
from gateway.model.values import (
    Code,
    Communication,
    Identifier,
    Measure,
    Moment,
    Money,
    PackageQuantity,
    Plate,
    Precision,
    Text,
)

CODES = Path("mappings/codes")
ASCII = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
LATIN = ASCII + " ,.()/-"
WORDS = (
    LATIN
    + "ạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹđĐÂÊÔƠƯ"
    + "广西示例果品有限公司测试"
    + "<>&\"'="
)
PLATES = ("12C08631", "29H12345", "15C00077")
CONTAINERS = ("GWTU1000015", "GWTU2000025", "GWTU3000035", "GWTU4000045", "BULK7", "桂F9876挂")
ASCII_CONTAINERS = CONTAINERS[:5]

Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass(frozen=True)
class Limits:
    """What the wire tree does not say. together: paths that come all or none. never: paths
    that stay empty. always: paths that the model or a default needs. special: canonical
    values by path. many: the most rows of a group."""

    together: tuple[frozenset[str], ...] = ()
    never: frozenset[str] = frozenset()
    always: frozenset[str] = frozenset()
    special: Mapping[str, st.SearchStrategy[Any]] = field(default_factory=dict)
    many: int = 2


def documents(
    table: Table, root: WireNode, limits: Limits = Limits()
) -> st.SearchStrategy[tuple[Any, dict[str, str]]]:
    """Return a strategy of (canonical document, head values)."""

    @st.composite
    def made(draw: Draw) -> tuple[Any, dict[str, str]]:
        maker = _Maker(draw, table, root, limits)
        maker.group(root, ())
        tree = maker.tree
        kind = ROOTS[table.header.canonical]
        if table.header.direction and "direction" in fields(kind):
            tree.setdefault(("direction", None), Direction(table.header.direction))
        return _built(kind, tree), maker.head

    return made()


class _Maker:
    def __init__(self, draw: Draw, table: Table, root: WireNode, limits: Limits) -> None:
        self.draw = draw
        self.nodes = {node.path: node for node in root.walk()}
        self.limits = limits
        self.rows = {row.path: row for row in table.rows if row.use != "none"}
        self.parts: dict[str, list[Row]] = {}
        for row in self.rows.values():
            if row.primary:
                self.parts.setdefault(row.primary, []).append(row)
        self.tree: dict[Any, Any] = {}
        self.head: dict[str, str] = {}

    def group(self, node: WireNode, at: tuple[int, ...]) -> None:
        chosen = {
            together: self.draw(st.booleans())
            for together in self.limits.together
            if any(child.path in together for child in node.children)
        }
        children = node.children
        if any(child.choice for child in children):
            one = self.draw(st.sampled_from([c for c in children if c.choice]))
            children = tuple(c for c in children if c is one or not c.choice)
        for child in children:
            for number in range(self._times(child, chosen)):
                self.node(child, (*at, number) if child.repeats else at)

    def _times(self, node: WireNode, chosen: Mapping[frozenset[str], bool]) -> int:
        if node.path in self.limits.never:
            return 0
        for together, there in chosen.items():
            if node.path in together:
                return int(there)
        row = self.rows.get(node.path)
        needed = row is not None and row.sources[-1:] == ("refuse",)
        low = 1 if needed or node.path in self.limits.always or node.choice else node.min
        if not node.repeats:
            return low if low else int(self.draw(st.booleans()))
        most = min(node.max or self.limits.many, max(self.limits.many, low))
        return int(self.draw(st.integers(low, most)))

    def node(self, node: WireNode, at: tuple[int, ...]) -> None:
        if node.kind is Kind.GROUP:
            self.group(node, at)
        row = self.rows.get(node.path)
        if row is None or not row.canonical or not row.convert or not row.decodes:
            return
        own = node.type or WireType()
        parts = [self.nodes[part.path].type or WireType() for part in self.parts.get(row.path, [])]
        special = self.limits.special.get(row.path)
        value = self.draw(values(row.convert, own, parts) if special is None else special)
        if row.canonical.startswith("head."):
            self.head[row.canonical.removeprefix("head.")] = value
            return
        _put(self.tree, parse(row.canonical), list(at), value)


def _put(tree: dict[Any, Any], path: tuple[Step, ...], at: list[int], value: Any) -> None:
    for step in path[:-1]:
        tree = tree.setdefault(_key(step, at), {})
    tree[_key(path[-1], at)] = value


def _key(step: Step, at: list[int]) -> tuple[str, Any]:
    return (step.name, at.pop(0) if step.select is EACH else step.select)


def _built(kind: Any, tree: Any) -> Any:
    if not isinstance(tree, dict):
        return kind(tree) if isinstance(kind, type) and issubclass(kind, Enum) else tree
    known = fields(kind)
    values: dict[str, Any] = {}
    for (name, select), inner in tree.items():
        value = _built(known[name].type, inner)
        if select is None:
            values[name] = value
            continue
        if isinstance(select, str) and is_struct(known[name].type) and isinstance(inner, dict):
            inner = {**inner, (DISCRIMINATORS[known[name].type], None): select}
            value = _built(known[name].type, inner)
        values[name] = (*values.get(name, ()), value)
    return kind(**values)


def texts(type_: WireType, alphabet: str = WORDS, most: int = 24) -> st.SearchStrategy[str]:
    """Texts that the wire type takes: no blank at the ends, its length, pattern and charset."""
    if type_.values:
        return st.sampled_from(type_.values)
    if type_.pattern:
        ascii_only = st.characters(codec="ascii")
        return st.from_regex(type_.pattern, fullmatch=True, alphabet=ascii_only)
    letters = {"A": LATIN, "I": "0123456789", "F": "0123456789"}.get(type_.charset, alphabet)
    low = max(type_.min_length, 1)
    size = type_.max_length or most
    if type_.charset == "I":
        return st.text(letters, min_size=size, max_size=size)
    if type_.charset == "W":
        size //= 3
    high = max(low, min(size, most))
    plain = st.text(letters, min_size=low, max_size=high)
    return plain.map(lambda t: "X" + t[1:-1] + "X" if len(t) > 1 else "X")


def _digits(type_: WireType, most: int) -> int:
    return min(type_.max_length or most, most)


def _decimals(type_: WireType) -> st.SearchStrategy[Decimal]:
    whole = st.integers(1, 10 ** min(5, _digits(type_, 5)) - 1)
    if type_.base is Base.INTEGER:
        return whole.map(Decimal)
    return (
        st.one_of(
            whole.map(Decimal),
            whole.map(lambda n: Decimal(n) / 8).map(lambda d: d.quantize(Decimal("0.001"))),
        )
        if _digits(type_, 9) >= 9
        else whole.map(Decimal)
    )


def code_list(name: str) -> list[dict[str, str]]:
    """Rows of a code list that go both ways and lose nothing."""
    with (CODES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return [
            row
            for row in csv.DictReader(file)
            if row["direction"] in ("", "both") and row["lossy"] in ("", "no")
        ]


def _list_title(name: str) -> str:
    lists = tomllib.loads((CODES / "lists.toml").read_text(encoding="utf-8"))
    return str(lists[name]["canonical"])


def _codes(name: str) -> st.SearchStrategy[str]:
    return st.sampled_from([row["canonical"] for row in code_list(name)])


def _moments(pattern: str, offset: int) -> st.SearchStrategy[Moment]:
    precision = {
        "yyyyMMddHHmmssSSS": Precision.MILLISECOND,
        "yyyyMMddHHmmss": Precision.SECOND,
        "yyyy-MM-dd_HH:mm:ss": Precision.SECOND,
        "iso-local": Precision.SECOND,
        "ddMMyyyy+HHmm": Precision.MINUTE,
        "iso-date+HH:mm": Precision.MINUTE,
    }.get(pattern, Precision.DAY)
    assumed = pattern.startswith("iso")
    days = st.dates(min_value=_day("2020-01-01"), max_value=_day("2035-12-31")).map(str)
    clock = st.tuples(
        st.integers(0, 23), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999)
    )

    def moment(day: str, time: tuple[int, int, int, int]) -> Moment:
        hour, minute, second, milli = time
        tail = {
            Precision.DAY: "",
            Precision.MINUTE: f"T{hour:02}:{minute:02}",
            Precision.SECOND: f"T{hour:02}:{minute:02}:{second:02}",
            Precision.MILLISECOND: f"T{hour:02}:{minute:02}:{second:02}.{milli:03}",
        }[precision]
        known = None if precision is Precision.DAY else offset
        return Moment(
            precision=precision,
            local=day + tail,
            offset=known,
            offset_assumed=assumed and known is not None,
        )

    return st.builds(moment, days, clock)


def _day(text: str) -> Any:
    return date.fromisoformat(text)


def _plates(country: bool) -> st.SearchStrategy[Plate]:
    return st.sampled_from(PLATES).map(
        lambda p: Plate(raw=p, normalised=p, country="VN" if country else None)
    )


def _party_ids(type_: WireType) -> st.SearchStrategy[Identifier]:
    tax = st.from_regex("[0-9]{10}", fullmatch=True, alphabet=st.characters(codec="ascii"))
    known = tax.map(lambda v: Identifier(scheme="vn.tax", value=v))
    if type_.charset:
        return known
    credit = st.from_regex(
        "9145[0-9]{4}TEST[0-9]{5}X", fullmatch=True, alphabet=st.characters(codec="ascii")
    )
    return known | credit.map(lambda v: Identifier(scheme="cn.uscc", value=v))


def values(convert: str, type_: WireType, parts: list[WireType]) -> st.SearchStrategy[Any]:
    """Return canonical values of a converter that a leaf of this type can hold."""
    name, _, argument = convert.partition(":")
    simple: dict[str, Callable[[], st.SearchStrategy[Any]]] = {
        "string": lambda: texts(type_),
        "text": lambda: texts(type_).map(lambda t: Text(value=t, lang=argument)),
        "int": lambda: st.integers(1, 10 ** _digits(type_, 4) - 1),
        "open": lambda: texts(type_, ASCII, 4).map(lambda t: Code(list=argument, value=t)),
        "code": lambda: _codes(argument).map(lambda v: Code(list=_list_title(argument), value=v)),
        "codestr": lambda: _codes(argument),
        "country": lambda: st.sampled_from(["VN", "CN", "LA"]),
        "identifier": lambda: texts(type_, ASCII).map(
            lambda t: Identifier(scheme=argument, value=t)
        ),
        "party-id": lambda: _party_ids(type_),
        "measure": lambda: st.builds(
            lambda v, u: Measure(value=v, unit=u), _decimals(type_), _units(argument, parts)
        ),
        "packages": lambda: st.builds(
            lambda n, k: PackageQuantity(count=n, kind=k), st.integers(1, 9999), _codes(argument)
        ),
        "money": lambda: st.builds(
            lambda a, c: Money(amount=a, currency=c),
            _decimals(type_),
            st.sampled_from(["CNY", "VND", "USD"]),
        ),
        "plate": lambda: _plates(False),
        "plate-plain": lambda: _plates(False),
        "plate-country": lambda: _plates(True),
        "plate-roman-country": lambda: _plates(True),
        "phone": lambda: texts(WireType(), "0123456789", 12).map(
            lambda t: Communication(type="TE", value=t)
        ),
        "email": lambda: texts(WireType(), ASCII, 12).map(
            lambda t: Communication(type="EM", value=t)
        ),
        "equipment-id": lambda: st.sampled_from(ASCII_CONTAINERS if type_.charset else CONTAINERS),
        "hs": lambda: st.from_regex(
            "[0-9]{8}", fullmatch=True, alphabet=st.characters(codec="ascii")
        ).map(lambda c: CommodityCode(code=c, edition=argument)),
        "function": lambda: st.just(Function.ORIGINAL),
        "direction": lambda: st.just(Direction.VN_CN),
        "remark": lambda: texts(type_).map(
            lambda t: Remark(text=Text(value=t), audience=Audience(argument))
        ),
        "size-type": lambda: st.sampled_from(["45RT", "22GP", "42UT"]).map(
            lambda v: Code(list="iso6346.size-type", value=v)
        ),
        "moment": lambda: _moments(*_moment_words(argument)),
    }
    return simple[name]()


def _moment_words(argument: str) -> tuple[str, int]:
    pattern, _, offset = argument.rpartition(":")
    return pattern, int(offset)


def _units(name: str, parts: list[WireType]) -> st.SearchStrategy[str]:
    allowed = {unit for part in parts for unit in part.values}
    units = sorted({row["canonical"] for row in code_list(name)})
    return st.sampled_from([unit for unit in units if not allowed or unit in allowed])
