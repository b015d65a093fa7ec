"""Generates the decoder of a table: one straight-line function per scope.

Each function reads the wire texts (`x12`), notes them in the trace and converts them (`v12`),
then builds the canonical value. Names end in the row's line in the table. Anything unusual
(an absent value that must be there, a constant that differs) calls a function of
`compile_run`, and a ConversionError ends the quick run: a second, collecting one finds all.
"""

from enum import Enum

from gateway.codec.compile_plan import Leaf, Plan, Scope
from gateway.codec.compile_read import RecordReader, XmlReader
from gateway.codec.compile_source import Source, plain
from gateway.codec.compile_tree import Place, function, grow, place_text
from gateway.codec.paths import DISCRIMINATORS, Selector, fields
from gateway.codec.wire import Kind


class Decoder:
    """Writes the decoder of one plan into a Source."""

    def __init__(self, plan: Plan, source: Source) -> None:
        self.plan = plan
        self.source = source
        self.xml = plan.table.header.engine == "xml"
        self.sure: set[int] = set()

    def write(self) -> None:
        """Write the functions of all scopes, inner ones first; the last is `decode`."""
        for scope in reversed(list(self.plan.root.walk())):
            if scope.node.kind is Kind.GROUP and (scope.row is None or scope.row.decodes):
                self._function(scope)

    def _function(self, scope: Scope) -> None:
        root = scope.row is None
        head = "def decode(e, head, t):" if root else f"def {function('decode', scope)}(e, t):"
        with self.source.block(head):
            self._read(scope)
            for leaf in scope.leaves:
                if leaf.row.decodes:
                    self._convert(scope, leaf)
            for inner in scope.scopes:
                if inner.node.kind is Kind.LEAF and inner.row is not None and inner.row.decodes:
                    self._convert_each(inner)
            self._build(scope)
        self.source.line()
        self.source.line()

    # reading
    def _read(self, scope: Scope) -> None:
        texts = [n for leaf in scope.leaves if leaf.row.decodes for n in leaf.names]
        if texts:
            self.source.line(" = ".join(texts) + ' = ""')
        for inner in scope.scopes:
            self.source.line(f"l{inner.number} = []")
        reader = XmlReader if self.xml else RecordReader
        reader(self.source, scope, self.plan.left).group(scope.node, "e")

    # converting
    def _convert(self, scope: Scope, leaf: Leaf) -> None:
        line = self.source.line
        where = place_text(scope, leaf)
        line(f"# {leaf.row.path} -> {where}" if where else f"# {leaf.row.path}, constant")
        texts = ", ".join(leaf.names)
        value = f"v{leaf.number}"
        if leaf.constant is None:
            line(f"{value} = None")
        with self.source.block(f"if {' or '.join(leaf.names)}:"):
            line(f"t += ({leaf.number}, {texts})")
            if leaf.constant is not None:
                with self.source.block(f"if {texts} != {leaf.constant!r}:"):
                    line(f"unlike({leaf.number}, t)")
            elif leaf.head:
                line(f"head[{leaf.head!r}] = {_converted(leaf)}")
            else:
                line(f"{value} = {_converted(leaf)}")

    def _convert_each(self, scope: Scope) -> None:
        leaf = scope.leaves[0]
        values = f"v{leaf.number}"
        self.source.line(f"# {leaf.row.path} -> {place_text(scope, leaf)}")
        self.source.line(f"{values} = []")
        with self.source.block(f"for x in l{scope.number}:"):
            self.source.line(f"t += ({leaf.number}, x)")
            self.source.line(f"{values}.append(d{leaf.number}(x))")

    # building
    def _build(self, scope: Scope) -> None:
        whole = next((leaf for leaf in scope.leaves if leaf.steps == ()), None)
        if whole is not None:
            self._return(f"v{whole.number}")
            return
        place = grow(scope, decoding=True)
        arguments = [self._argument(child, name) for name, child in place.children.items()]
        arguments += self._given(scope, place)
        self._lacking(place)
        self._return(f"{scope.element.__name__}({', '.join(arguments)})")

    def _return(self, value: str) -> None:
        self.source.line(f"return {value}")

    def _given(self, scope: Scope, place: Place) -> list[str]:
        """Return the direction, where the kind of document fixes it and no row fills it."""
        missing = [f.name for f in fields(scope.element).values() if f.required]
        if "direction" not in missing or "direction" in place.children:
            return []
        return [f"direction=Direction({self.plan.table.header.direction!r})"]

    def _argument(self, place: Place, name: str) -> str:
        value = self._value(place)
        known = place.field
        defaults = known is not None and not known.many and known.default is not None
        if known is not None and defaults and not self._certain(place):
            value = f"{value} if {value} is not None else {_shown(known.default)}"
        return f"{name}={value}"

    def _value(self, place: Place) -> str:
        """Write what makes the value of a place; return the expression for it."""
        if place.scope is not None:
            prefix = "v" if place.scope.node.kind is Kind.LEAF else "l"
            return f"tuple({prefix}{place.scope.number})"
        if place.items:
            ordered = sorted(place.items.items(), key=_order)
            elements = [self._value(item) for _, item in ordered]
            shown = ", ".join(elements)
            unsure = [
                e for e, (_, i) in zip(elements, ordered, strict=True) if not self._certain(i)
            ]
            whole = " and ".join(f"{element} is not None" for element in unsure)
            if len(elements) == 1:
                return f"({shown},) if {whole} else ()" if whole else f"({shown},)"
            return f"({shown}) if {whole} else present({shown})" if whole else f"({shown})"
        if place.children:
            return self._struct(place)
        return f"v{place.leaves[0].number}"

    def _struct(self, place: Place) -> str:
        number = next(place.below()).number
        name = f"{plain(place.type.__name__).lower()}_{number}"
        arguments = [self._argument(child, field) for field, child in place.children.items()]
        arguments += _discriminating(place)
        made = f"{name} = {place.type.__name__}({', '.join(arguments)})"
        if self._certain(place):
            self._lacking(place)
            self.source.line(made)
            return name
        self.source.line(f"{name} = None")
        with self.source.block(f"if {' or '.join(_presence(place))}:"):
            self._lacking(place)
            self.source.line(made)
        return name

    def _certain(self, place: Place) -> bool:
        """True when something at a place is there wherever the scope's element is."""
        if place.scope is not None:
            return False
        inner = (*place.items.values(), *place.children.values())
        return any(leaf.number in self.sure for leaf in place.leaves) or any(
            self._certain(child) for child in inner
        )

    def _lacking(self, place: Place) -> None:
        """Refuse a value without a field that the model requires."""
        for name, child in place.children.items():
            needed = fields(place.type)[name].required and child.scope is None
            if needed and not self._certain(child):
                present = " or ".join(_presence(child))
                with self.source.block(f"if not ({present}):"):
                    self._lacks(next(child.below()).number)

    def _lacks(self, number: int) -> None:
        self.source.line(f"lack({number}, t)")


def _converted(leaf: Leaf) -> str:
    """Return the expression of a leaf's value, in place where a converter cannot refuse."""
    if (
        leaf.converter is not None
        and leaf.converter.reads
        and leaf.type is leaf.converter.canonical
    ):
        return leaf.converter.reads.format(x=leaf.names[0])
    return f"d{leaf.number}({', '.join(leaf.names)})"


def _discriminating(place: Place) -> list[str]:
    if not place.key:
        return []
    name = DISCRIMINATORS[place.type]
    kind = fields(place.type)[name].type
    return [f"{name}={_shown(kind(place.key) if issubclass(kind, Enum) else place.key)}"]


def _shown(value: object) -> str:
    """Write a default or a discriminator as Python."""
    return f"{type(value).__name__}({value.value!r})" if isinstance(value, Enum) else repr(value)


def _order(pair: tuple[Selector, Place]) -> tuple[int, int]:
    select = pair[0]
    return (0, select) if isinstance(select, int) else (1, next(pair[1].below()).number)


def _presence(place: Place) -> list[str]:
    """Return conditions, one of which holds when there is anything at a place."""
    if place.scope is not None:
        return [f"{'v' if place.scope.node.kind is Kind.LEAF else 'l'}{place.scope.number}"]
    inner = [*place.items.values(), *place.children.values()]
    if inner:
        return [condition for child in inner for condition in _presence(child)]
    return [f"v{place.leaves[0].number} is not None"]
