"""All formats at one day: detect, decode, supply, encode. What flows, CLI and bench call.

    decoding   octets -> engine (parse, schema or layout) -> compiled table -> transforms -> rules
    encoding   document -> transforms -> rules -> compiled table -> engine -> octets

Nothing is half done: either there is a result, or a GatewayError with all findings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from lxml import etree

from gateway import resources, safexml
from gateway.codec import codelist, engines, passthrough, rules, transform
from gateway.codec.compile_plan import build
from gateway.codec.compile_table import Compiled, compile_plan, leaves
from gateway.codec.compile_trace import Trace, replay
from gateway.codec.convert import converter
from gateway.codec.engines import Engine, Probe, Read, XmlEngine
from gateway.codec.notes import Note
from gateway.codec.problems import of_decoding, of_encoding
from gateway.codec.project import project
from gateway.codec.sender import SenderPaths
from gateway.codec.supply import Sources, Supplied, supply
from gateway.codec.table import Header, Table, load_all, table_error
from gateway.errors import DocumentError, Finding, MappingError, Severity, at_most, refusal
from gateway.model.manifest import Manifest
from gateway.model.values import Canonical

UNFED = ("mandatory", "charset")
"""Rules of findings that make a draft: an item is blank and must be filled by hand."""

__all__ = ["Decoded", "Encoded", "Formats", "Sources", "Supplied", "project"]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded document. table: its id (`cn.mt1401@2018-06-01`). findings: warnings only.

    head: values of the message that are no part of the business content.
    """

    format: str
    table: str
    document: Any
    head: dict[str, str]
    findings: tuple[Finding, ...]
    trace: Trace
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Encoded:
    """An encoded document. draft: mandatory leaves are unfed, and named among the findings."""

    format: str
    table: str
    content: bytes
    media_type: str
    findings: tuple[Finding, ...]
    trace: Trace
    draft: bool = False
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Format:
    """One format, ready to run."""

    table: Table
    engine: Engine
    compiled: Compiled
    paths: SenderPaths


class Formats:
    """The formats whose tables hold on one day. Immutable; safe to share among threads."""

    def __init__(self, formats: Mapping[str, Format]) -> None:
        """Use `load`."""
        self._formats = dict(formats)

    @classmethod
    def load(cls, at: date, mappings: Path | None = None, xsd: Path | None = None) -> "Formats":
        """Read and compile all tables that hold on the day. MappingError with all findings."""
        mappings = mappings or resources.folder("mappings")
        xsd = xsd or resources.folder("xsd")
        findings: list[Finding] = []
        formats = {}
        for name, table in load_all(mappings, at).items():
            made = _format(table, mappings, xsd, at, findings)
            if made is not None:
                formats[name] = made
        if findings:
            raise MappingError("not-mapped", *findings)
        return cls(formats)

    def names(self) -> tuple[str, ...]:
        """Return the names of all formats, sorted."""
        return tuple(sorted([*self._formats, passthrough.NAME]))

    def header(self, name: str) -> Header:
        """Return what holds for a format's table. DocumentError `type-unknown`."""
        return passthrough.HEADER if name == passthrough.NAME else self._format(name).table.header

    def source(self, name: str) -> str:
        """Return the generated code of a format, for people."""
        return self._format(name).compiled.source

    def detect(self, content: bytes) -> str:
        """Return the format of a document. DocumentError `type-unknown`, or what parsing says."""
        return self._detected(engines.probe(content))

    def detect_tree(self, root: etree._Element) -> str:
        """Return the format of a parsed XML document. DocumentError `type-unknown`."""
        return self._detected(Probe(root=root))

    def decode(self, name: str, content: bytes) -> Decoded:
        """Decode a document. GatewayError with all findings when one refuses."""
        if name == passthrough.NAME:
            return _passed(content)
        made = self._format(name)
        return _decoded(made, made.engine.read(content))

    def decode_tree(
        self,
        name: str,
        root: etree._Element,
        octets: bytes | memoryview | None = None,
        *,
        spend: bool = False,
    ) -> Decoded:
        """Decode an XML document that is parsed already.

        octets: the inclusive C14N of the root, where it is at hand: it is quicker to read.
        spend: the tree of a large document may be emptied, for its memory. Otherwise the tree
        stays as it is.
        """
        made = self._format(name)
        if not isinstance(made.engine, XmlEngine):
            raise DocumentError("type-unknown", Finding("type-unknown", "engine", "", name, "XML"))
        read = made.engine.read_tree(root, octets)
        if spend and read.octets is not None and len(read.octets) > safexml.LARGE:
            _raise(read.findings)
            root.clear()
            safexml.give_back()
            read = replace(read, wire=partial(safexml.parse_own, read.octets))
        return _decoded(made, read)

    def supply(self, name: str, document: Manifest, sources: Sources) -> Supplied:
        """Complete a document for a target with what no document holds.

        GatewayError when a source gives what the target cannot take. What stays absent though
        it is mandatory is a matter of `encode`.
        """
        if name == passthrough.NAME:
            return Supplied(document)
        supplied = supply(self._format(name).compiled.plan, document, sources)
        _raise(list(supplied.findings))
        return supplied

    def encode(
        self, name: str, document: Canonical, head: Mapping[str, str], *, draft: bool = False
    ) -> Encoded:
        """Encode a document. GatewayError with all findings when one refuses.

        draft: where the table allows it, unfed mandatory leaves only warn. Findings are placed
        in the canonical document; what they expect names the place in the target.
        """
        if name == passthrough.NAME:
            content = passthrough.encode(document)
            return Encoded(name, passthrough.TABLE, content, "application/json", (), Trace())
        return _encoded(self._format(name), document, head, draft=draft)

    def check_output(self, name: str, content: bytes) -> None:
        """Confirm that an encoded document fits its own schema. MappingError when it does not."""
        findings = self._format(name).engine.recheck(content)
        wrong = [f for f in findings if f.severity is Severity.REFUSE]
        if wrong:
            found = (table_error(f"{name} {f.path}", f.rule, f.found, f.expected) for f in wrong)
            raise MappingError("not-mapped", *found)

    def sender_path(self, name: str, canonical_path: str) -> str:
        """Return where a canonical path stands in a document of this format.

        `consignments[0].items[2].gross_mass` -> `EDA.GW`, `Declaration/Consignment[1]/...`. A
        path without a place there is returned as it is.
        """
        known = self._formats.get(name)
        return known.paths.find(canonical_path) if known else canonical_path

    def _format(self, name: str) -> Format:
        try:
            return self._formats[name]
        except KeyError:
            finding = Finding("type-unknown", "format", "", name, " ".join(self.names()))
            raise DocumentError("type-unknown", finding) from None

    def _detected(self, probe: Probe) -> str:
        if passthrough.detects(probe.keys):
            return passthrough.NAME
        found = [f for f in self._formats.values() if f.engine.detects(probe)]
        narrow = [f for f in found if f.table.header.holds] or found
        strict = [f for f in narrow if not f.table.header.tolerant] or narrow
        if len(strict) == 1:
            return strict[0].table.header.format
        shown = " ".join(f.table.header.format for f in strict) or "no known type"
        raise DocumentError("type-unknown", Finding("type-unknown", "detection", "", shown))


def _format(
    table: Table, mappings: Path, xsd: Path, at: date, findings: list[Finding]
) -> Format | None:
    try:
        engine = engines.make(table.header, mappings, xsd)
    except engines.UNREADABLE as error:
        findings.append(table_error(table.id, "schema", str(error)))
        return None
    plan, wrong = build(table, engine.node, partial(converter, at=at))
    findings += wrong
    if wrong:
        return None
    used = {name for leaf in leaves(plan) if leaf.converter for name in leaf.converter.lists}
    plan = replace(plan, lists={name: codelist.load(name, at).header.version for name in used})
    return Format(table, engine, compile_plan(plan), SenderPaths(plan, engine.place))


def _passed(content: bytes) -> Decoded:
    document = passthrough.decode(content)
    return Decoded(passthrough.NAME, passthrough.TABLE, document, {}, (), Trace())


def _raise(findings: list[Finding]) -> tuple[Finding, ...]:
    """Refuse when a finding refuses, with as many as are told; return the warnings."""
    findings = at_most(findings)
    if error := refusal(findings):
        raise error
    return tuple(findings)


def _decoded(made: Format, read: Read) -> Decoded:
    header = made.table.header
    _raise(read.findings)
    document, head, trace = made.compiled.decode(read.wire, read.octets)
    met = of_decoding(trace, made.compiled.plan, made.engine.place)
    warnings = _raise([*read.findings, *met])
    notes: list[Note] = []
    if isinstance(document, Manifest):
        document, notes = transform.apply(header.after_decode, document)
        found = [*_direction(header, document), *rules.run(header.rules, document)]
        placed = [replace(f, path=made.paths.find(f.path)) for f in at_most(found)]
        warnings = _raise([*warnings, *placed])
    return Decoded(
        header.format, made.table.id, document, read.head | head, warnings, trace, tuple(notes)
    )


def _direction(header: Header, document: Manifest) -> list[Finding]:
    if header.direction is None or document.direction == header.direction:
        return []
    found = document.direction.value
    return [Finding("rule-broken", "direction", "direction", found, header.direction)]


def _encoded(made: Format, document: Canonical, head: Mapping[str, str], *, draft: bool) -> Encoded:
    header = made.table.header
    draft = draft and header.draft
    notes: list[Note] = []
    findings: list[Finding] = []
    if isinstance(document, Manifest):
        document, notes = transform.apply(header.before_encode, document)
        findings += _direction(header, document)
        findings += rules.run((*header.rules, *header.encode_rules), document)
    output, trace = made.compiled.encode(document, head)
    met = list(of_encoding(trace, made.compiled.plan, made.engine.place, draft=draft))
    content, written = made.engine.write(output, head)
    if draft:
        _note_blanks(made, trace, {f.path for f in written if f.rule in UNFED})
    places = {place for _, place in met}
    findings += [finding for finding, _ in met]
    findings += [_softer(f, draft=draft) for f in written if f.path not in places]
    warnings = _raise(findings)
    unfed = draft and (
        any(f.rule in UNFED for f, _ in met)
        or any(f.rule in UNFED and f.severity is Severity.REFUSE for f in written)
    )
    return Encoded(
        header.format, made.table.id, content, header.media_type, warnings, trace, unfed,
        tuple(notes),
    )  # fmt: skip


def _note_blanks(made: Format, trace: Trace, places: set[str]) -> None:
    """Note what the engine left blank, so that the report does not say that it was sent."""
    entries = made.compiled.plan.entries
    for number, indexes, _ in replay(trace, entries) if places else ():
        if made.engine.place(entries[number].row.path, indexes) in places:
            trace.blank.add((number, indexes))


def _softer(finding: Finding, *, draft: bool) -> Finding:
    """What a draft lacks, or cannot write in the target's characters, only warns."""
    unfed = draft and finding.rule in UNFED
    return replace(finding, severity=Severity.WARN) if unfed else finding
