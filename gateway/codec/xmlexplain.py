"""Turns what xmlschema found into findings with our paths and the words of our tree.

`found` holds names, counts and lengths only: a value could be personal.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import xmlschema
from lxml import etree
from xmlschema.validators import facets

from gateway.codec.wire import Kind, WireNode, WireType
from gateway.errors import Finding

_NAME_LENGTH = 64
_RULES: tuple[tuple[type, str], ...] = (
    (facets.XsdPatternFacets, "pattern"),
    (facets.XsdEnumerationFacets, "enumeration"),
    (facets.XsdMaxLengthFacet, "max-length"),
    (facets.XsdMinLengthFacet, "min-length"),
    (facets.XsdLengthFacet, "length"),
    (facets.XsdTotalDigitsFacet, "total-digits"),
    (facets.XsdFractionDigitsFacet, "fraction-digits"),
)


def short(name: str) -> str:
    """Cut a name that a sender chose."""
    return name if len(name) <= _NAME_LENGTH else name[:_NAME_LENGTH] + "…"


def findings(
    error: xmlschema.XMLSchemaValidationError, root: etree._Element, node: WireNode
) -> Iterator[Finding]:
    """Yield the findings that one error of xmlschema stands for."""
    failed: object = error.elem  # typed as an ElementTree element, which we never give
    element = failed if isinstance(failed, etree._Element) else root
    path, known = place(element, root, node)
    if isinstance(error, xmlschema.XMLSchemaChildrenValidationError) and known is not None:
        yield from children(element, path, known)
        return
    attribute = _attribute(error)
    if attribute:
        path = f"{path}/@{short(attribute)}"
        known = _named(known.attributes if known else (), f"@{attribute}")
    yield Finding("schema-invalid", _rule(error), path, _found(element, attribute), _wanted(known))


def place(
    element: etree._Element, root: etree._Element, node: WireNode
) -> tuple[str, WireNode | None]:
    """Return an element's path below the root and its node, None for one that we do not know."""
    chain = [element, *element.iterancestors()]
    below = chain[: chain.index(root)] if root in chain else []
    known: WireNode | None = node
    steps = []
    for step in reversed(below):
        name = local(step)
        known = _named(known.children if known else (), name)
        repeats = known is None or known.repeats
        before = len(list(step.itersiblings(str(step.tag), preceding=True)))
        steps.append(f"{short(name)}[{before + 1}]" if repeats else name)
    return "/".join(steps), known


def local(element: etree._Element) -> str:
    """Return an element's name without its namespace."""
    return etree.QName(element).localname


def children(element: etree._Element, path: str, node: WireNode) -> Iterator[Finding]:
    """Compare what an element holds with what it may hold: xmlschema names only the first."""
    names = [local(child) for child in element if isinstance(child.tag, str)]
    counts = Counter(names)
    wrong = list(_wrong(counts, names, node))
    for name, rule, expected in wrong:
        found = str(counts[name]) if rule == "repeats" else ("absent" if not counts[name] else "")
        yield Finding("schema-invalid", rule, f"{path}/{short(name)}".lstrip("/"), found, expected)
    if not wrong:
        expected = ", ".join(child.name for child in node.children)
        yield Finding("schema-invalid", "content", path, "", expected)


def _wrong(
    counts: Counter[str], names: list[str], node: WireNode
) -> Iterator[tuple[str, str, str]]:
    known = {child.name for child in node.children}
    for name in counts.keys() - known:
        yield name, "unexpected", ""
    for child in node.children:
        if counts[child.name] < child.min:
            yield child.name, "missing", f"at least {child.min}"
        if child.max is not None and counts[child.name] > child.max:
            yield child.name, "repeats", f"at most {child.max}"
    yield from _misplaced([name for name in names if name in known], node)


def _misplaced(names: list[str], node: WireNode) -> Iterator[tuple[str, str, str]]:
    order = [child.name for child in node.children]
    for before, after in pairwise(names):
        if order.index(after) < order.index(before):
            yield after, "order", f"before {before}"
            return


def _attribute(error: xmlschema.XMLSchemaValidationError) -> str:
    """Return the attribute that an error speaks of; xmlschema tells it only in its words."""
    reason = error.reason or ""
    for before, after in (
        ("attribute ", "="),
        ("missing required attribute '", "'"),
        ("'", "' at"),
    ):
        if reason.startswith(before) and after in reason[len(before) :]:
            return reason[len(before) :].split(after, 1)[0]
    return ""


def _rule(error: xmlschema.XMLSchemaValidationError) -> str:
    reason = error.reason or ""
    if reason.startswith("missing required attribute"):
        return "missing"
    if "attribute not allowed" in reason:
        return "unexpected"
    if "character data" in reason or "child elements" in reason:
        return "content"
    return next((rule for kind, rule in _RULES if isinstance(error.validator, kind)), "type")


def _named(nodes: tuple[WireNode, ...], name: str) -> WireNode | None:
    return next((node for node in nodes if node.name == name), None)


def _found(element: etree._Element, attribute: str) -> str:
    value = element.get(attribute) if attribute else element.text
    return "absent" if value is None else f"{len(value)} characters"


def _wanted(node: WireNode | None) -> str:
    if node is None:
        return ""
    return wanted(node.type) if node.type else ("elements" if node.kind is Kind.GROUP else "")


def wanted(type_: WireType) -> str:
    """Say in a few words what a leaf may hold."""
    words = [str(type_.base)]
    if type_.values:
        words.append("one of " + " ".join(type_.values[:20]))
    if type_.pattern:
        words.append(f"pattern {type_.pattern}")
    unit = "bytes" if type_.in_bytes else "characters"
    if type_.max_length is not None and type_.confirmed:
        words.append(f"at most {type_.max_length} {unit}")
    if type_.total_digits is not None:
        words.append(f"at most {type_.total_digits} digits, {type_.fraction_digits or 0} decimals")
    return ", ".join(words)
