"""`gateway map check`: proves the mapping tables against schemas, layouts, model and code lists.

Findings are placed in the table: `cn.mt1401@2018-06-01:12 Declaration/ID`.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from gateway import resources
from gateway.codec import engines
from gateway.codec.check_rows import CHECKS
from gateway.codec.compile_plan import Converters, Plan, build
from gateway.codec.convert import converter
from gateway.codec.table import Row, Table, files, load, load_all, table_error
from gateway.codec.wire import Kind, WireNode
from gateway.codec.xmlexplain import wanted
from gateway.errors import Finding, MappingError


def check_all(
    at: date | None = None,
    mappings: Path | None = None,
    xsd: Path | None = None,
    converters: Converters | None = None,
) -> list[Finding]:
    """Check every table; with a day, only those that hold then. Empty when all is proven.

    A table of another day is checked with the code lists of the day from which it holds.
    converters: by expression, for tables that bring their own.
    """
    mappings = mappings or resources.folder("mappings")
    xsd = xsd or resources.folder("xsd")
    findings: list[Finding] = []
    for table in _tables(at, mappings, findings):
        day = at or table.header.valid_from
        made = converters or partial(converter, at=day)
        findings += _checked(table, mappings, xsd, made)
    return findings


def _tables(at: date | None, mappings: Path, findings: list[Finding]) -> list[Table]:
    tables = []
    for file in files(mappings):
        try:
            tables.append(load(file))
        except MappingError as error:
            findings += error.findings
    if at is None:
        return tables
    newest = {t.id for t in load_all(mappings, at).values()} if not findings else set()
    return [t for t in tables if t.id in newest or findings]


def _checked(table: Table, mappings: Path, xsd: Path, converters: Converters) -> Iterator[Finding]:
    try:
        engine = engines.make(table.header, mappings, xsd)
    except engines.UNREADABLE as error:
        yield table_error(table.id, "schema", str(error))
        return
    plan, findings = build(table, engine.node, converters)
    yield from findings
    for check in CHECKS:
        yield from check(plan)


def _plan(name: str, at: date, mappings: Path | None, xsd: Path | None) -> Plan:
    mappings = mappings or resources.folder("mappings")
    tables = load_all(mappings, at)
    if name not in tables:
        raise MappingError("not-mapped", table_error(name, "format", "", " ".join(tables)))
    engine = engines.make(tables[name].header, mappings, xsd or resources.folder("xsd"))
    return build(tables[name], engine.node, partial(converter, at=at))[0]


def explain(
    name: str, at: date, mappings: Path | None = None, xsd: Path | None = None
) -> list[dict[str, str]]:
    """Return a format's rows with what the wire asks of each, in the order of the table.

    MappingError `not-mapped` when there is no such table on that day.
    """
    plan = _plan(name, at, mappings, xsd)
    nodes = {node.path: node for node in plan.node.walk()}
    return [_explained(row, nodes.get(row.path)) for row in plan.table.rows]


def _explained(row: Row, node: WireNode | None) -> dict[str, str]:
    times = "" if node is None else f"{node.min}..{'n' if node.max is None else node.max}"
    type_ = node.type if node else None
    recalled = type_ is not None and not type_.confirmed
    return {
        "line": str(row.line),
        "path": row.path + ("/*" if row.subtree else ""),
        "times": times,
        "wire": wanted(type_) if type_ else "",
        "recalled": f"at most {type_.max_length}" if type_ and recalled else "",
        "canonical": row.canonical,
        "convert": row.convert,
        "with": row.primary,
        "use": row.use,
        "sources": " ".join(row.sources),
        "personal": "yes" if row.personal else "",
        "mark": row.mark,
        "reason": row.reason,
    }


def coverage(
    name: str, at: date, mappings: Path | None = None, xsd: Path | None = None
) -> dict[str, Any]:
    """Return counts: wire leaves, and how many are mapped, constant, parts, left out; marks.

    MappingError `not-mapped` when there is no such table on that day.
    """
    plan = _plan(name, at, mappings, xsd)
    rows = {row.path: row for row in plan.table.rows}
    subtrees = [row.path + "/" for row in plan.table.rows if row.subtree]
    fates: Counter[str] = Counter()
    for node in plan.node.walk():
        if node.kind is Kind.LEAF:
            below = any(node.path.startswith(path) for path in subtrees)
            row = rows.get(node.path)
            fates["left-out" if below else _fate(row)] += 1
    return {
        "table": plan.table.id,
        "leaves": sum(fates.values()),
        "fates": dict(sorted(fates.items())),
        "marks": dict(sorted(Counter(row.mark for row in plan.table.rows).items())),
        "personal": sum(row.personal for row in plan.table.rows),
    }


def _fate(row: Row | None) -> str:
    if row is None:
        return "no-row"
    if row.use == "none":
        return "left-out"
    if row.constant is not None:
        return "constant"
    return "part" if row.primary else "mapped"
