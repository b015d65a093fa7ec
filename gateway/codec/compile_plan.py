"""From table and wire tree to a plan: which row is read and written where.

A scope is the document itself, or one element of a list that a group row goes through (a
repeated element holding a single value is a scope of its own too). Paths in a plan are relative
to the scope. Building a plan finds everything in a table that does not fit; it is compiled only
when nothing was found.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from gateway.codec.convert import Converter
from gateway.codec.paths import EACH, ROOTS, Path, is_struct, parse, resolve, text
from gateway.codec.table import Row, Table, table_error
from gateway.codec.wire import Kind, WireNode
from gateway.errors import Finding, GatewayError

Converters = Callable[[str], Converter]
HEAD = "head."
OWN_WORDS = ("doc", "omit", "refuse")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A row that carries a value, with its parts. number: what the trace calls it.

    nodes: the primary wire leaf, then the parts. steps: canonical path below the scope, () for
    the scope's element itself, None for a constant or a head value. constant: of a row without
    a canonical place. default: wire text when the canonical value is absent. required: absent
    is refused. asks: source words other than the document and constants. together: absent lets
    its optional group be left out.
    """

    number: int
    row: Row
    nodes: tuple[WireNode, ...]
    converter: Converter | None = None
    steps: Path | None = None
    type: Any = str
    head: str = ""
    constant: str | None = None
    default: str | None = None
    required: bool = False
    asks: tuple[str, ...] = ()

    @property
    def together(self) -> bool:
        """True when a group that needs this leaf goes without being sent."""
        return not self.required and self.default is None and self.nodes[0].mandatory

    @property
    def names(self) -> tuple[str, ...]:
        """Variable names of the wire texts in compiled code."""
        return tuple(f"x{self.number}{'abcdefgh'[n - 1] if n else ''}" for n in range(self.arity))

    @property
    def arity(self) -> int:
        """How many wire texts the row takes."""
        return len(self.nodes)


@dataclass(slots=True)
class Scope:
    """What goes along with one element of a list. number, row: None for the document.

    node: the wire group (or repeated leaf). steps: from the parent scope to the list, its last
    step selects each. element: the type of an element.
    """

    node: WireNode
    element: Any
    canonical: Path = ()
    steps: Path = ()
    number: int = -1
    row: Row | None = None
    leaves: list[Leaf] = field(default_factory=list)
    scopes: list["Scope"] = field(default_factory=list)

    def walk(self) -> Iterator["Scope"]:
        """Yield this scope and all below it."""
        yield self
        for scope in self.scopes:
            yield from scope.walk()


@dataclass(frozen=True, slots=True)
class Entry:
    """What a number in a trace means. chain: numbers of the enclosing scopes, outermost first.

    arity: wire texts that follow the number; a scope has none. repeats: it counts its rows.
    """

    row: Row
    node: WireNode
    arity: int
    chain: tuple[int, ...]
    repeats: bool
    leaf: Leaf | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A table that fits its wire tree. entries: by number.

    left: rows whose wire values decoding leaves out, by wire path (of a whole subtree, too).
    lists: versions of the code lists that its converters use, by name.
    """

    table: Table
    node: WireNode
    root: Scope
    entries: dict[int, Entry]
    left: dict[str, Row]
    lists: dict[str, str] = field(default_factory=dict)


def build(table: Table, node: WireNode, converters: Converters) -> tuple[Plan, list[Finding]]:
    """Plan a table; the plan may be compiled only when there are no findings."""
    builder = _Builder(table, node, converters)
    builder.run()
    plan = Plan(table, node, builder.root, builder.entries, _left(table))
    return plan, builder.findings


def _left(table: Table) -> dict[str, Row]:
    read = {row.path for row in table.rows if row.decodes}
    unread = (row for row in table.rows if not row.decodes and row.path not in read)
    return {row.path: row for row in unread}


class _Builder:
    def __init__(self, table: Table, node: WireNode, converters: Converters) -> None:
        self.table = table
        self.converters = converters
        self.nodes = {n.path: n for n in node.walk()}
        self.findings: list[Finding] = []
        self.root = Scope(node, ROOTS[table.header.canonical])
        self.scopes: dict[str, Scope] = {"": self.root}
        self.entries: dict[int, Entry] = {}

    def wrong(self, row: Row, rule: str, found: str = "", expected: str = "") -> None:
        """Add a finding about a row."""
        where = f"{self.table.id}:{row.line} {row.path}"
        self.findings.append(table_error(where, rule, found, expected))

    def run(self) -> None:
        known = [row for row in self.table.rows if row.use != "none" and self._known(row)]
        for row in known:
            if self._is_group(row):
                self._scope(row)
        parts: dict[str, list[Row]] = {}
        for row in known:
            if row.primary:
                parts.setdefault(row.primary, []).append(row)
        for row in known:
            if not row.primary and not (self._is_group(row) and self._kind(row) is Kind.GROUP):
                self._leaf(row, parts.pop(row.path, []))
        for row in (row for left in parts.values() for row in left):
            self.wrong(row, "with", row.primary, "the path of a row that carries a value")

    def _known(self, row: Row) -> bool:
        if row.path in self.nodes:
            return True
        self.wrong(row, "path", expected=f"a path of {self.table.header.format}")
        return False

    def _kind(self, row: Row) -> Kind:
        return self.nodes[row.path].kind

    def _is_group(self, row: Row) -> bool:
        node = self.nodes[row.path]
        return node.kind is Kind.GROUP or (node.repeats and not row.primary)

    def _scope_of(self, path: str) -> Scope | None:
        """Return the scope of what stands at a path, None below a repeated group without one."""
        while path:
            if path in self.scopes:
                return self.scopes[path]
            path = path.rpartition("/")[0]
            if path in self.nodes and self.nodes[path].repeats and path not in self.scopes:
                return None
        return self.root

    def _scope(self, row: Row) -> None:
        node = self.nodes[row.path]
        parent = self._scope_of(row.path.rpartition("/")[0])
        placed = self._place(row, parent)
        if parent is None or placed is None:
            return
        steps, kind = placed
        if not node.repeats or not steps or steps[-1].select is not EACH:
            self.wrong(row, "group", row.canonical, "a repeated group and a path ending in []")
            return
        scope = Scope(node, kind, parent.canonical + steps, steps, row.line, row)
        parent.scopes.append(scope)
        self.scopes[row.path] = scope
        if node.kind is Kind.GROUP:
            chain = self._chain(row.path.rpartition("/")[0])
            self.entries[row.line] = Entry(row, node, 0, chain, True)

    def _chain(self, path: str) -> tuple[int, ...]:
        steps = path.split("/")
        above = ("/".join(steps[: end + 1]) for end in range(len(steps)))
        return tuple(self.scopes[p].number for p in above if p in self.scopes and p)

    def _place(self, row: Row, scope: Scope | None) -> tuple[Path, Any] | None:
        """Return the canonical path below the scope and its type."""
        if scope is None:
            self.wrong(row, "group-row", expected="a row for the repeated group that holds it")
            return None
        try:
            path = parse(row.canonical)
            kind = resolve(self.root.element, path)
        except ValueError as error:
            self.wrong(row, "canonical", str(error))
            return None
        own = path[: len(scope.canonical)]
        below = path[len(scope.canonical) :]
        if own != scope.canonical or any(s.select is EACH for s in below[:-1]):
            self.wrong(row, "canonical", row.canonical, f"a path below {text(scope.canonical)}")
            return None
        return below, kind

    def _leaf(self, row: Row, parts: list[Row]) -> None:
        node = self.nodes[row.path]
        scope = self._scope_of(row.path)
        own = self.scopes.get(row.path)  # a repeated leaf is a scope of its own
        nodes = (node, *(self.nodes[part.path] for part in parts))
        leaf = self._made(row, nodes, scope)
        if leaf is None or scope is None:
            return
        for part in parts:
            if self._scope_of(part.path) is not scope:
                self.wrong(part, "with", row.path, "a row of the same group")
        scope.leaves.append(leaf)
        chain = self._chain(row.path.rpartition("/")[0])
        self.entries[row.line] = Entry(row, node, leaf.arity, chain, own is not None, leaf)

    def _made(self, row: Row, nodes: tuple[WireNode, ...], scope: Scope | None) -> Leaf | None:
        words = row.sources or ("doc", "refuse" if nodes[0].mandatory else "omit")
        default = next((w[6:] for w in words if w.startswith("const:")), None)
        required = words[-1] == "refuse"
        asks = tuple(w for w in words if w not in OWN_WORDS and not w.startswith("const:"))
        if row.constant is not None:
            return Leaf(row.line, row, nodes, constant=row.constant)
        converter = self._converter(row, len(nodes))
        if converter is None:
            return None
        if row.canonical.startswith(HEAD):
            head = row.canonical.removeprefix(HEAD)
            return Leaf(
                row.line, row, nodes, converter, None, str, head, None, default, required, asks
            )
        placed = self._place(row, scope)
        if placed is None:
            return None
        steps, kind = placed
        if steps and steps[-1].select is EACH:
            self.wrong(row, "canonical", row.canonical, "a repeated leaf for a path ending in []")
        elif not _takes(kind, converter.canonical):
            found = getattr(converter.canonical, "__name__", str(converter.canonical))
            self.wrong(row, "type", found, getattr(kind, "__name__", str(kind)))
        return Leaf(row.line, row, nodes, converter, steps, kind, "", None, default, required, asks)

    def _converter(self, row: Row, parts: int) -> Converter | None:
        if not row.canonical:
            self.wrong(row, "canonical", "", "a canonical path, `with`, a const: or use=none")
            return None
        try:
            converter = self.converters(row.convert)
        except GatewayError as error:
            self.wrong(row, "converter", row.convert, str(error))
            return None
        if converter.parts != parts:
            self.wrong(row, "parts", f"{parts} wire leaves", f"{converter.parts} for {row.convert}")
            return None
        return converter


def _takes(kind: Any, given: Any) -> bool:
    """True when a field of type `kind` can hold what a converter makes."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return given in (kind, str)
    return kind is given or (is_struct(kind) and is_struct(given) and issubclass(given, kind))
