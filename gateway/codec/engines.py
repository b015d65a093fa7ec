"""The wire side of a format: octets to what compiled code reads, and back.

Each engine has the same six members; none knows the table's rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lxml import etree

from gateway import safexml
from gateway.codec import edi, jsonwire
from gateway.codec.layout import EdiLayout, JsonLayout, edi_layout, json_layout
from gateway.codec.table import Header
from gateway.codec.wire import WireNode
from gateway.codec.xmlwire import XmlSchema
from gateway.errors import Finding

Octets = bytes | memoryview
_MANY = 2000
UNREADABLE = (ValueError, LookupError, OSError, etree.LxmlError)
"""What `make` raises for a schema or layout that cannot be read."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What the octets look like, found out once per detection. Absent parts are None."""

    root: etree._Element | None = None
    procedure: str | None = None
    keys: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """A document on its way to the compiled code; usable when no finding refuses.

    octets: the canonical form of an XML document, where it is at hand.
    """

    wire: Any
    findings: list[Finding] = field(default_factory=list)
    head: dict[str, str] = field(default_factory=dict)
    octets: Octets | None = None


class Engine(Protocol):
    """What a format needs of its wire."""

    @property
    def node(self) -> WireNode:
        """The wire tree."""
        ...

    def detects(self, probe: Probe) -> bool:
        """True when the octets look like this format."""
        ...

    def read(self, content: bytes) -> Read:
        """Read octets. GatewayError when nothing of them can be read."""
        ...

    def recheck(self, content: bytes) -> list[Finding]:
        """Return what is wrong with octets that `write` has made."""
        ...

    def write(self, output: Any, head: Mapping[str, str]) -> tuple[bytes, list[Finding]]:
        """Write what compiled code made."""
        ...

    def place(self, path: str, indexes: tuple[int, ...]) -> str:
        """Return a wire path in the sender's terms."""
        ...


def probe(content: bytes) -> Probe:
    """Look at octets. DocumentError when they look like XML or JSON and cannot be parsed."""
    if found := edi.procedure(content):
        return Probe(procedure=found)
    start = content[:256].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<") or not start.startswith((b"{", b"[")):
        return Probe(root=safexml.parse(content))
    return Probe(keys=jsonwire.names(content))


class XmlEngine:
    """XML with one of our XSD files."""

    def __init__(self, header: Header, xsd: Path) -> None:
        """Read the schema."""
        self.header = header
        self.schema = XmlSchema(
            xsd / header.schema, header.root, header.namespace, tolerant=header.tolerant
        )

    @property
    def node(self) -> WireNode:
        """The wire tree."""
        return self.schema.node

    def detects(self, probe: Probe) -> bool:
        """True for the root's name and namespace, and one of the paths in `holds`."""
        if probe.root is None:
            return False
        name = etree.QName(probe.root)
        here = name.localname == self.header.root and (
            self.header.tolerant or (name.namespace or "") == self.header.namespace
        )
        root, holds = probe.root, self.header.holds
        return here and (not holds or any(_holds(root, path) for path in holds))

    def read(self, content: bytes) -> Read:
        """Parse and check against the schema."""
        return self.read_tree(safexml.parse(content))

    def read_tree(self, root: etree._Element, octets: Octets | None = None) -> Read:
        """Check a parsed document against the schema. octets: its canonical form."""
        conformed = self.schema.conform(root)
        octets = octets if conformed is root else None
        return Read(conformed, self.schema.findings(conformed, octets), octets=octets)

    def recheck(self, content: bytes) -> list[Finding]:
        """Parse and check against the schema; what we wrote is neither hostile nor tolerant."""
        if self.schema.fits(content):
            return []
        return self.schema.findings(safexml.parse_own(content))

    def write(self, output: Any, head: Mapping[str, str]) -> tuple[bytes, list[Finding]]:
        """Encode the pieces of text, which are canonical already. One by one: most hold one
        octet for a character, the whole would hold more. Many are used up on the way, so that a
        large document is not there twice."""
        pieces: list[str] = output
        if len(pieces) <= _MANY:
            return b"".join([piece.encode("utf-8", "replace") for piece in pieces]), []
        octets = bytearray()
        for at, piece in enumerate(pieces):
            octets += piece.encode("utf-8", "replace")
            pieces[at] = ""
        return bytes(octets), []

    def place(self, path: str, indexes: tuple[int, ...]) -> str:
        """Return `Declaration/Consignment[2]/ID`."""
        return self.schema.sender_path(path, indexes)


class EdiEngine:
    """A VNACCS message with its layout."""

    def __init__(self, header: Header, layouts: Path) -> None:
        """Read the layout."""
        self.header = header
        self.layout: EdiLayout = edi_layout(layouts / header.layout)

    @property
    def node(self) -> WireNode:
        """The wire tree."""
        return self.layout.root

    def detects(self, probe: Probe) -> bool:
        """True for the procedure code."""
        return probe.procedure == self.header.procedure

    def read(self, content: bytes) -> Read:
        """Read the items; the header's own fields are the head."""
        record, findings = edi.decode(self.layout, content)
        header = record.pop("_header", {})
        head = {k: v for k, v in header.items() if isinstance(v, str)}  # type: ignore[union-attr]
        return Read(record, findings, head)

    def recheck(self, content: bytes) -> list[Finding]:
        """Read what was written."""
        return self.read(content).findings

    def write(self, output: Any, head: Mapping[str, str]) -> tuple[bytes, list[Finding]]:
        """Write the items."""
        return edi.encode(self.layout, output, head)

    def place(self, path: str, indexes: tuple[int, ...]) -> str:
        """Return `TOR.CNO(3)`."""
        return self.layout.sender_path(path, indexes)


class JsonEngine:
    """A JSON document with its shape."""

    def __init__(self, header: Header, layouts: Path) -> None:
        """Read the shape."""
        self.header = header
        self.layout: JsonLayout = json_layout(layouts / header.layout)

    @property
    def node(self) -> WireNode:
        """The wire tree."""
        return self.layout.root

    def detects(self, probe: Probe) -> bool:
        """True when all of the top-level keys are there."""
        return probe.keys is not None and probe.keys >= set(self.header.keys)

    def read(self, content: bytes) -> Read:
        """Read and check the shape."""
        record, findings = jsonwire.decode(self.layout, content)
        return Read(record, findings)

    def recheck(self, content: bytes) -> list[Finding]:
        """Read what was written."""
        return self.read(content).findings

    def write(self, output: Any, head: Mapping[str, str]) -> tuple[bytes, list[Finding]]:
        """Write the document."""
        return jsonwire.encode(self.layout, output)

    def place(self, path: str, indexes: tuple[int, ...]) -> str:
        """Return `goods[0].weight`."""
        return self.layout.sender_path(path, indexes)


def make(header: Header, mappings: Path, xsd: Path) -> Engine:
    """Make the engine that a table's header asks for. Raises one of `UNREADABLE`."""
    if header.engine == "xml":
        return XmlEngine(header, xsd)
    kind = EdiEngine if header.engine == "edi" else JsonEngine
    return kind(header, mappings / "layouts")


def _holds(root: etree._Element, path: str) -> bool:
    """True when there are elements of these local names, one in the other."""
    element = root
    for name in path.split("/"):
        found = next((c for c in element.iterchildren("{*}" + name)), None)
        if found is None:
            return False
        element = found
    return True
