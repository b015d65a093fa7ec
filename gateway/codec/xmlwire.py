"""XML on the wire: checks a parsed document against its XSD and says all that is wrong.

lxml (libxml2) decides; only what it refuses is explained, by xmlschema, with paths in the
sender's terms (`Declaration/Consignment[2]/ID`). Both are bounded: libxml2 spends quadratic
time on documents with very many faults, so documents above `MANY` elements are judged while
parsing, up to the first fault; xmlschema is slow, so above `EXPLAINED` elements our own walk
(`xmlwalk`) explains instead.
"""

import threading
from collections.abc import Iterator
from copy import deepcopy
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, cast

import xmlschema
from lxml import etree

from gateway import safexml
from gateway.codec import xmlexplain, xmlwalk, xsd
from gateway.codec.wire import WireNode
from gateway.errors import MOST_FINDINGS, Finding, at_most

MANY = 20_000
EXPLAINED = 4_000
_SMALLEST = len("<a></a>")


class _PerThread(threading.local):
    """A compiled XPath has a lock of its own."""

    def __init__(self) -> None:
        self.count = etree.XPath("count(descendant::*)")


_local = _PerThread()


class XmlSchema:
    """One root element of one of our XSD files.

    node: its tree. tag: the root's name with namespace, as lxml writes it.
    """

    def __init__(self, file: Path, root: str, namespace: str, *, tolerant: bool = False) -> None:
        """Read the file. ValueError when it goes beyond the subset of `gateway.codec.xsd`."""
        self.node: WireNode = xsd.read(file, root)
        self.tag = f"{{{namespace}}}{root}" if namespace else root
        self.namespace = namespace
        self.tolerant = tolerant
        self._file = file
        self._place = lru_cache(maxsize=1024)(self._sender_path)
        self._fast = etree.XMLSchema(file=str(file))
        self._own = safexml.OwnOctets(self._fast)
        self._start = (f'<{root} xmlns="{namespace}">' if namespace else f"<{root}>").encode()

    @cached_property
    def _slow(self) -> xmlschema.XMLSchema10:
        return xmlschema.XMLSchema10(str(self._file), allow="local")

    def sender_path(self, path: str, indexes: tuple[int, ...] = ()) -> str:
        """Return `Declaration/Consignment[2]/ID` for (`Declaration/Consignment/ID`, (1,)).

        indexes: one per repeating element on the way, from 0; missing ones are 0.
        """
        return self._place(path, indexes)

    def _sender_path(self, path: str, indexes: tuple[int, ...]) -> str:
        node, rest, shown = self.node, list(indexes), []
        for name in path.split("/"):
            node = next((n for n in (*node.children, *node.attributes) if n.name == name), node)
            shown.append(f"{name}[{(rest.pop(0) if rest else 0) + 1}]" if node.repeats else name)
        return "/".join(shown)

    def conform(self, root: etree._Element) -> etree._Element:
        """Return the document as the table reads it.

        Strict formats: as it is, without comments and instructions. Tolerant ones: a copy in
        the schema's namespace, with the children of each element in the schema's order.
        """
        if self.tolerant:
            return _conformed(root, self.node, self.namespace)
        if next(root.iter(etree.Comment, etree.PI), None) is None:
            return root
        bare = deepcopy(root)
        etree.strip_tags(bare, etree.Comment, etree.PI)
        return bare

    def fits(self, content: bytes) -> bool:
        """True for octets of our own that fit the schema: there is no fault to explain."""
        return self._alone(content) and self._own.fit(content)

    def findings(
        self, root: etree._Element, octets: bytes | memoryview | None = None
    ) -> list[Finding]:
        """Return what is wrong with a document, at most `MOST_FINDINGS` and a note of that.

        octets: its canonical form, where it is at hand.
        """
        if root.tag != self.tag:
            found = xmlexplain.short(str(root.tag))
            return [Finding("schema-invalid", "root", "", found, self.tag)]
        few = octets is not None and len(octets) <= MANY * _SMALLEST
        if few and self._fast.validate(root):
            return []
        count = _local.count(root)
        if not few and self._valid(root, count, octets):
            return []
        explain = self._explained(root) if count <= EXPLAINED else xmlwalk.findings(root, self.node)
        found_all = list(islice(explain, MOST_FINDINGS + 1))
        return at_most(found_all) or [Finding("schema-invalid", "schema")]

    def _valid(self, root: etree._Element, count: float, octets: bytes | memoryview | None) -> bool:
        if count <= MANY:
            return self._fast.validate(root)
        if octets is None or not self._alone(octets):
            octets = etree.tostring(root, encoding="utf-8", with_tail=False)
        return safexml.valid(octets, self._fast)

    def _alone(self, octets: bytes | memoryview) -> bool:
        """True for octets that say what their namespace is, and can be read alone."""
        return bytes(octets[: len(self._start)]) == self._start

    def _explained(self, root: etree._Element) -> Iterator[Finding]:
        tree = cast("Any", root)  # xmlschema takes an lxml element, its annotation does not
        for error in self._slow.iter_errors(tree):
            yield from xmlexplain.findings(error, root, self.node)


def _conformed(element: etree._Element, node: WireNode, namespace: str) -> etree._Element:
    local = etree.QName(element).localname
    made = etree.Element(f"{{{namespace}}}{local}" if namespace else local)
    for name, value in element.attrib.items():
        made.set(name, value)
    parts = [element.text or ""]
    order = {child.name: (at, child) for at, child in enumerate(node.children)}
    children: list[tuple[int, etree._Element]] = []
    for child in element:
        parts.append(child.tail or "")
        if isinstance(child.tag, str):
            at, known = order.get(etree.QName(child).localname, (len(order), node))
            children.append((at, _conformed(child, known, namespace)))
    text = "".join(parts)
    made.text = text if not children or text.strip() else None
    made.extend(child for _, child in sorted(children, key=lambda pair: pair[0]))
    return made
