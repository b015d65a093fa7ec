"""Reads our own XSD files into a `WireNode` tree.

Only the subset that xsd/ uses is understood; anything else is a ValueError, so that a schema
can never say more than the table check sees: one global root element per table, named or
inline types, `sequence` (nested ones too) and `choice` of elements, simpleContent with
attributes, attributes, `include`, restrictions of built-in simple types by length, minLength,
maxLength, pattern, enumeration, totalDigits, fractionDigits and number bounds.

A length that is only recalled must not refuse, so it stands beside the type, not in it, as
`key=value` words in an appinfo of the element, attribute or simple type:

    <xs:annotation><xs:appinfo>recalled-length=17 mark=W</xs:appinfo></xs:annotation>
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from lxml import etree

from gateway import safexml
from gateway.codec.wire import Base, Kind, WireNode, WireType
from gateway.errors import DocumentError

XS = "{http://www.w3.org/2001/XMLSchema}"
_INTEGERS = {
    "integer", "nonNegativeInteger", "positiveInteger", "int", "short", "long",
    "unsignedInt", "unsignedShort",
}  # fmt: skip
_STRINGS = {"string", "normalizedString", "token", "date", "dateTime", "base64Binary", "anyURI"}
_COUNTS = {
    "length": ("min_length", "max_length"),
    "minLength": ("min_length",),
    "maxLength": ("max_length",),
    "totalDigits": ("total_digits",),
    "fractionDigits": ("fraction_digits",),
}
_IGNORED = {"minInclusive", "maxInclusive", "minExclusive", "maxExclusive", "whiteSpace"}


@dataclass
class _Reader:
    """The global definitions of one schema and what it includes."""

    elements: dict[str, etree._Element] = field(default_factory=dict)
    types: dict[str, etree._Element] = field(default_factory=dict)

    def include(self, file: Path) -> None:
        try:
            schema = safexml.parse(file.read_bytes())
        except DocumentError as error:
            raise ValueError(f"{file.name}: {error}") from error
        for child in schema.iterchildren(etree.Element):
            name = child.get("name", "")
            match _local(child):
                case "include":
                    self.include(file.parent / child.get("schemaLocation", ""))
                case "element":
                    self.elements[name] = child
                case "simpleType" | "complexType":
                    self.types[name] = child
                case "annotation":
                    pass
                case other:
                    raise ValueError(f"{file.name}: xs:{other} is not supported")

    def element(self, element: etree._Element, parent: str, root: bool = False) -> WireNode:
        ref = element.get("ref")
        declared = self.elements[_unprefixed(ref)] if ref else element
        name = declared.get("name", "")
        path = "" if root else f"{parent}/{name}".removeprefix("/")
        low, high = _occurs(element)
        node = WireNode(name, path, Kind.LEAF, low, high, mark=_words(declared).get("mark", "C"))
        definition = self._definition(declared)
        if isinstance(definition, WireType):
            return replace(node, type=_recalled(definition, declared))
        return self._complex(node, definition, declared)

    def _definition(self, declared: etree._Element) -> "etree._Element | WireType":
        """Return the complex type of an element, or its simple type as a WireType."""
        name = declared.get("type")
        if name is None:
            inner = declared.find(f"{XS}complexType")
            return inner if inner is not None else self._simple(declared.find(f"{XS}simpleType"))
        known = self.types.get(_unprefixed(name))
        if known is not None and _local(known) == "complexType":
            return known
        return self._named(name)

    def _complex(
        self, node: WireNode, definition: etree._Element, declared: etree._Element
    ) -> WireNode:
        content = definition.find(f"{XS}simpleContent/{XS}extension")
        if content is not None:
            type_ = _recalled(self._named(content.get("base", "")), declared)
            return replace(node, type=type_, attributes=tuple(self._attributes(content, node)))
        children = tuple(self._particles(definition, node.path))
        attributes = tuple(self._attributes(definition, node))
        return replace(node, kind=Kind.GROUP, attributes=attributes, children=children)

    def _particles(self, parent: etree._Element, path: str) -> Iterator[WireNode]:
        for child in parent.iterchildren(etree.Element):
            match _local(child):
                case "sequence":
                    if _occurs(child) != (1, 1):
                        raise ValueError(f"{path}: a repeated sequence is not supported")
                    yield from self._particles(child, path)
                case "choice":
                    for node in self._particles(child, path):
                        yield replace(node, min=0, choice=True)
                case "element":
                    yield self.element(child, path)
                case "attribute" | "annotation":
                    pass
                case other:
                    raise ValueError(f"{path}: xs:{other} is not supported")

    def _attributes(self, parent: etree._Element, node: WireNode) -> Iterator[WireNode]:
        for child in parent.iterchildren(f"{XS}attribute"):
            name = "@" + child.get("name", "")
            simple = child.find(f"{XS}simpleType")
            type_ = self._simple(simple) if simple is not None else self._named(child.get("type"))
            low = int(child.get("use") == "required")
            path = f"{node.path}/{name}".removeprefix("/")
            yield WireNode(name, path, Kind.LEAF, low, 1, type=_recalled(type_, child))

    def _named(self, name: str | None) -> WireType:
        local = _unprefixed(name or "xs:string")
        known = self.types.get(local)
        if known is not None:
            return self._simple(known)
        if local in _INTEGERS:
            return WireType(Base.INTEGER)
        if local in _STRINGS:
            return WireType(Base.STRING)
        bases = {"decimal": Base.DECIMAL, "boolean": Base.BOOLEAN}
        if local not in bases:
            raise ValueError(f"type {name} is not supported")
        return WireType(bases[local])

    def _simple(self, definition: etree._Element | None) -> WireType:
        if definition is None:
            return WireType()
        restriction = definition.find(f"{XS}restriction")
        if restriction is None:
            raise ValueError("a simple type must be a restriction")
        found = self._named(restriction.get("base"))
        for facet in restriction.iterchildren(etree.Element):
            found = _restricted(found, _local(facet), facet.get("value", ""))
        return _recalled(found, definition)


def read(file: Path, root: str) -> WireNode:
    """Return the tree of the global element `root` of a schema file.

    ValueError when the file uses what is not in the subset, or has no such element.
    """
    reader = _Reader()
    reader.include(file)
    if root not in reader.elements:
        raise ValueError(f"{file.name} has no element {root}")
    return reader.element(reader.elements[root], "", root=True)


def _restricted(known: WireType, facet: str, value: str) -> WireType:
    if facet in _COUNTS:
        return replace(known, **{name: int(value) for name in _COUNTS[facet]})  # type: ignore[arg-type]
    if facet == "pattern":
        return replace(known, pattern=value)
    if facet == "enumeration":
        return replace(known, values=(*known.values, value))
    if facet not in _IGNORED:
        raise ValueError(f"facet {facet} is not supported")
    return known


def _recalled(known: WireType, declared: etree._Element) -> WireType:
    length = _words(declared).get("recalled-length")
    return replace(known, max_length=int(length), confirmed=False) if length else known


def _words(declared: etree._Element) -> dict[str, str]:
    text = declared.findtext(f"{XS}annotation/{XS}appinfo") or ""
    return dict(word.split("=", 1) for word in text.split())


def _occurs(element: etree._Element) -> tuple[int, int | None]:
    most = element.get("maxOccurs", "1")
    return int(element.get("minOccurs", "1")), None if most == "unbounded" else int(most)


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def _unprefixed(name: str) -> str:
    return name.rpartition(":")[2]
