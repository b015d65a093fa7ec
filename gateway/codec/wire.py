"""What a document looks like on the wire: one tree of groups and leaves for every engine.

An XSD (`xmlwire`), an EDI layout or a JSON shape (`layout`) all become a `WireNode` tree, so
that the table check and the compiler know only this shape.

Paths are `/`-joined names below the root, without indexes; the root's own path is "". An XML
attribute is a leaf of its own, among `attributes` of its element: path `.../Element/@unitCode`.

Records (EDI, JSON): a nested dict. A group with `repeats` is a list of dicts, another group a
dict, a leaf with `repeats` a list of values, another leaf one value. What is absent is not in
the dict. EDI values are str with the padding cut. JSON values keep their JSON type (str, int,
Decimal, bool; never float); compiled code turns them into text and back by `WireType.base`
(`text_of`, `value_of`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

Value = str | int | Decimal | bool
Record = dict[str, "Value | list[Value] | Record | list[Record]"]


class Kind(StrEnum):
    """What a node is."""

    GROUP = "group"
    LEAF = "leaf"


class Base(StrEnum):
    """The type of a leaf on the wire."""

    STRING = "string"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class WireType:
    """What a leaf may hold.

    max_length, min_length: characters, or UTF-8 bytes when `in_bytes`. confirmed: False for a
    recalled length, which only warns. pattern: an XSD pattern. values: an enumeration.
    total_digits, fraction_digits: of a decimal. charset: the VNACCS attribute (A, W, I, F)
    where there is one; engines of that format check it.
    """

    base: Base = Base.STRING
    max_length: int | None = None
    min_length: int = 0
    in_bytes: bool = False
    confirmed: bool = True
    pattern: str | None = None
    values: tuple[str, ...] = ()
    total_digits: int | None = None
    fraction_digits: int | None = None
    charset: str = ""

    def length(self, text: str) -> int:
        """Return the length of a text as this type counts it."""
        return len(text.encode()) if self.in_bytes else len(text)


@dataclass(frozen=True, slots=True)
class WireNode:
    """A group or a leaf. max: None when unbounded. mark: C, W, I or P (how well it is known).

    label: the name that people know it by, where there is one. choice: the node is one of
    several alternatives; `min` is 0 then.
    """

    name: str
    path: str
    kind: Kind
    min: int = 1
    max: int | None = 1
    type: WireType | None = None
    attributes: tuple["WireNode", ...] = ()
    children: tuple["WireNode", ...] = ()
    mark: str = "C"
    label: str = ""
    choice: bool = field(default=False)

    @property
    def repeats(self) -> bool:
        """True when the node may occur more than once."""
        return self.max != 1

    @property
    def mandatory(self) -> bool:
        """True when the node must occur inside its parent."""
        return self.min > 0

    def walk(self) -> Iterator["WireNode"]:
        """Yield every node below this one, parents first; an element before its attributes."""
        for child in self.children:
            yield child
            yield from child.attributes
            yield from child.walk()


def text_of(value: Value) -> str:
    """Return a JSON value as wire text: plain decimals, `true` and `false`."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def value_of(text: str, base: Base) -> Value:
    """Return wire text as a JSON value. ValueError when it is not of that type."""
    if base is Base.STRING:
        return text
    if base is Base.BOOLEAN and text in ("true", "false"):
        return text == "true"
    try:
        return int(text) if base is Base.INTEGER else Decimal(text)
    except ArithmeticError as error:
        raise ValueError(text) from error
