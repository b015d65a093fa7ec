"""What a table must prove beyond fitting its wire tree: each check yields findings.

A check takes a plan; `CHECKS` names them all, in the order in which they are reported.
"""

from collections import Counter
from collections.abc import Callable, Iterator

from gateway.codec import rules, transform
from gateway.codec.compile_plan import OWN_WORDS, Leaf, Plan, Scope
from gateway.codec.compile_table import leaves
from gateway.codec.compile_tree import Place, clashes, grow
from gateway.codec.paths import DISCRIMINATORS, ROOTS, Path, fields, is_struct, parse, resolve
from gateway.codec.paths import text as path_text
from gateway.codec.sources import known
from gateway.codec.table import Row, table_error
from gateway.codec.wire import Kind, WireNode
from gateway.errors import Finding
from gateway.model.manifest import CrewMember
from gateway.model.values import Communication, Contact


def _about(plan: Plan, row: Row, rule: str, found: str = "", expected: str = "") -> Finding:
    return table_error(f"{plan.table.id}:{row.line} {row.path}", rule, found, expected)


def header(plan: Plan) -> Iterator[Finding]:
    """Named transforms and rules exist; the order key leads somewhere."""
    head = plan.table.header
    for name in (*head.after_decode, *head.before_encode):
        if not transform.known(name):
            yield table_error(plan.table.id, "transform", name, "a known transform")
    for name in (*head.rules, *head.encode_rules):
        if not rules.known(name):
            yield table_error(plan.table.id, "rule", name, "a known rule")
    if head.order_key:
        try:
            resolve(ROOTS[head.canonical], parse(head.order_key))
        except ValueError as error:
            yield table_error(plan.table.id, "order-key", str(error))


def coverage(plan: Plan) -> Iterator[Finding]:
    """Every wire leaf has exactly one row per direction, or stands in a subtree left out."""
    covered = [row.path + "/" for row in plan.table.rows if row.subtree]
    for verb, counts in (("decode", _paths(plan, "decodes")), ("encode", _paths(plan, "encodes"))):
        for row in plan.table.rows:
            if counts[row.path] > 1 and getattr(row, f"{verb}s"):
                yield _about(plan, row, "duplicate", f"{counts[row.path]} rows to {verb}", "one")
    with_rows = Counter(row.path for row in plan.table.rows)
    for node in plan.node.walk():
        below = any(f"{node.path}/".startswith(path) for path in covered)
        if node.kind is Kind.LEAF and not below and not with_rows[node.path]:
            yield table_error(f"{plan.table.id} {node.path}", "no-row", "", "a row, or use=none")


def _paths(plan: Plan, direction: str) -> Counter[str]:
    return Counter(row.path for row in plan.table.rows if getattr(row, direction))


def left_out(plan: Plan) -> Iterator[Finding]:
    """What is left out has a reason and no canonical place; `/*` is only for that."""
    nodes = {node.path for node in plan.node.walk()}
    for row in plan.table.rows:
        if row.use == "none" and not row.reason:
            yield _about(plan, row, "reason", "absent", "why it is left out")
        if row.use == "none" and (row.canonical or row.convert or row.primary):
            yield _about(plan, row, "left-out", row.canonical, "no canonical place, no converter")
        if row.use == "none" and row.path not in nodes:
            yield _about(plan, row, "path", row.path, f"a path of {plan.table.header.format}")
        if row.subtree and row.use != "none":
            yield _about(plan, row, "subtree", row.use, "use=none")


def clash(plan: Plan) -> Iterator[Finding]:
    """Decoding fills no canonical place twice."""
    for scope in plan.root.walk():
        for path, leaf in clashes(grow(scope, decoding=True)):
            place = ".".join(filter(None, (path_text(scope.canonical), path)))
            yield _about(plan, leaf.row, "duplicate-canonical", place, "one row to decode it")


def required(plan: Plan) -> Iterator[Finding]:
    """What the model requires of a value is decoded with it."""
    for scope in plan.root.walk():
        if not any(leaf.steps == () for leaf in scope.leaves) and is_struct(scope.element):
            given = {"direction"} if plan.table.header.direction else set()
            yield from _required(plan, grow(scope, decoding=True), scope.row, given)


def _required(plan: Plan, place: Place, row: Row | None, given: set[str]) -> Iterator[Finding]:
    if place.children:
        own = {DISCRIMINATORS[place.type]} if place.key else given
        for name, its in fields(place.type).items():
            if its.required and name not in place.children and name not in own:
                where = f"{plan.table.id}{f':{row.line} {row.path}' if row else ''}"
                yield table_error(where, "canonical-required", "", f"{place.type.__name__}.{name}")
    for child in (*place.children.values(), *place.items.values()):
        if not child.leaves and child.scope is None:
            yield from _required(plan, child, next(child.below()).row, set())


def fed(plan: Plan) -> Iterator[Finding]:
    """Every mandatory leaf has something to say on encode, or refuses."""
    by_path = {node.path: leaf for leaf in leaves(plan) if leaf.row.encodes for node in leaf.nodes}
    scopes = {s.node.path: s for s in plan.root.walk() if s.row is None or s.row.encodes}
    yield from _fed(plan, plan.node, by_path, scopes, certain=True)


def _fed(
    plan: Plan,
    node: WireNode,
    by_path: dict[str, Leaf],
    scopes: dict[str, Scope],
    *,
    certain: bool,
) -> Iterator[Finding]:
    """certain: the group is always sent."""
    for child in (*node.attributes, *node.children):
        if child.kind is Kind.GROUP or child.repeats:
            if child.repeats and child.mandatory and child.path not in scopes:
                yield table_error(f"{plan.table.id} {child.path}", "unfed", "", "a group row")
            if not child.repeats or child.path in scopes:
                inside = child.mandatory and (certain or child.repeats)
                yield from _fed(plan, child, by_path, scopes, certain=inside)
        elif child.mandatory:
            yield from _fed_leaf(plan, node, child, by_path, certain=certain)


def _fed_leaf(
    plan: Plan, group: WireNode, node: WireNode, by_path: dict[str, Leaf], *, certain: bool
) -> Iterator[Finding]:
    leaf = by_path.get(node.path)
    where = f"{plan.table.id} {node.path}"
    if leaf is None:
        beside = any(n.path in by_path for n in (group, *group.walk()))
        if certain or beside:
            yield table_error(where, "unfed", "no row to encode", "a source, or refuse")
        return
    silent = leaf.together and leaf.constant is None and node is leaf.nodes[0]
    if certain and silent and plan.table.header.engine != "edi":
        where = f"{plan.table.id}:{leaf.row.line} {node.path}"
        yield table_error(where, "unfed", "omit", "const: or refuse at the end of sources")


def sources(plan: Plan) -> Iterator[Finding]:
    """Source words are known and can be used where they stand."""
    for row in plan.table.rows:
        for at, word in enumerate(row.sources):
            own = word in OWN_WORDS or word.startswith("const:")
            if not own and not known(word):
                yield _about(plan, row, "source", word, "a known source")
            if word in ("omit", "refuse") and at != len(row.sources) - 1:
                yield _about(plan, row, "source", word, "as the last word")
        if row.sources and row.use in ("none", "decode"):
            yield _about(plan, row, "source", " ".join(row.sources), "none where nothing is sent")
    for leaf in leaves(plan):
        yield from _placeable(plan, leaf)
        if leaf.default is not None and leaf.arity > 1:
            yield _about(plan, leaf.row, "const", leaf.default, "a row without parts")


def _placeable(plan: Plan, leaf: Leaf) -> Iterator[Finding]:
    """A source can only fill what can be made without knowing anything else."""
    if not leaf.asks or not leaf.steps:
        return
    for end in range(1, len(leaf.steps)):
        kind = _type_at(plan, leaf, leaf.steps[:end])
        own = DISCRIMINATORS.get(kind, "")
        if any(f.required and f.name != own for f in fields(kind).values()):
            yield _about(plan, leaf.row, "source", kind.__name__, "a place that can be made empty")


def _type_at(plan: Plan, leaf: Leaf, steps: Path) -> type:
    scope = next(s for s in plan.root.walk() if leaf in s.leaves)
    kind: type = resolve(scope.element, steps)
    return kind


def narrowing(plan: Plan) -> Iterator[Finding]:
    """A row whose converter may narrow says so, and why that is right."""
    for leaf in leaves(plan):
        narrows = leaf.converter is not None and leaf.converter.narrows and leaf.row.encodes
        if narrows and not leaf.row.reason:
            yield _about(plan, leaf.row, "narrows", leaf.row.convert, "a reason")


def personal(plan: Plan) -> Iterator[Finding]:
    """What is personal in the canonical document is marked so in the table."""
    for scope in plan.root.walk():
        for leaf in scope.leaves:
            if leaf.steps is None or leaf.row.personal:
                continue
            path = scope.canonical + leaf.steps
            kinds = [resolve(plan.root.element, path[: end + 1]) for end in range(len(path))]
            if any(kind in (CrewMember, Contact, Communication) for kind in kinds):
                yield _about(plan, leaf.row, "personal", "", "yes")


def constants(plan: Plan) -> Iterator[Finding]:
    """A constant fits the type of its wire leaf."""
    for leaf in leaves(plan):
        value = leaf.constant if leaf.constant is not None else leaf.default
        type_ = leaf.nodes[0].type
        if value is None or type_ is None:
            continue
        if type_.max_length is not None and type_.length(value) > type_.max_length:
            yield _about(plan, leaf.row, "const", value, f"at most {type_.max_length}")
        if type_.values and value not in type_.values:
            yield _about(plan, leaf.row, "const", value, " ".join(type_.values))


def marks(plan: Plan) -> Iterator[Finding]:
    """A row does not call confirmed what its schema only recalls."""
    for leaf in leaves(plan):
        type_ = leaf.nodes[0].type
        recalled = type_ is not None and type_.max_length is not None and not type_.confirmed
        if recalled and leaf.row.mark == "C":
            yield _about(plan, leaf.row, "mark", "C", "W: the length is only recalled")


CHECKS: tuple[Callable[[Plan], Iterator[Finding]], ...] = (
    header, coverage, left_out, clash, required, fed, sources, narrowing, personal, constants,
    marks,
)  # fmt: skip
