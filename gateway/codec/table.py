"""Mapping tables: `mappings/<format>/<valid_from>.toml` and `.csv`, read into plain values.

Header (TOML), all keys that exist:

    format, title          the format's name (its folder) and a title for people
    engine                 "xml" | "edi" | "json"
    schema                 xml: file under xsd/     layout: edi, json: file under mappings/layouts/
    namespace, root        xml: of the root element ("" = no namespace)
    tolerant               xml: match by local name in any or no namespace and in any order
    holds                  xml: list of paths below the root, one of which must be there for the
                           format to be detected (tells apart formats with one root element)
    procedure              edi: procedure code that names the format (detection and encoding)
    keys                   json: top-level keys that must all be there to detect the format
    canonical              "manifest" | "response" | "answer"
    version                of the message type, as in its header
    valid_from, valid_to   dates; the newest table whose dates fit is used
    direction              "VN-CN" | "CN-VN" when the document kind fixes it
    roles                  vehicle | goods | link
    order_key              canonical path of the value that orders messages
    message_name           the counterpart's own name of the type
    after_decode           named transforms, run on what was decoded
    before_encode          named transforms, run before encoding
    rules                  named checks of the canonical document, decoded or to be encoded
    encode_rules           those that only hold for a document to be encoded
    draft                  may be encoded as a marked draft with mandatory leaves unfed
    unknown                json: "refuse" (default) | "report": fields that the layout lacks

Rows (CSV): path, canonical, convert, with, use, sources, personal, mark, reason. What they
mean stands in docs/mapping-guide.md; `Row` repeats it in short.
"""

import csv
import hashlib
import io
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import msgspec

from gateway.errors import Finding, MappingError

COLUMNS = (
    "path", "canonical", "convert", "with", "use", "sources", "personal", "mark", "reason",
)  # fmt: skip
USES = ("both", "decode", "encode", "none")
MEDIA_TYPES = {
    "xml": "application/xml",
    "edi": "text/plain; charset=UTF-8",
    "json": "application/json",
    "canonical": "application/json",
}


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for the whole table; see the head of this module."""

    format: str
    title: str
    engine: Literal["xml", "edi", "json", "canonical"]
    canonical: Literal["manifest", "response", "answer"]
    version: str
    valid_from: date
    valid_to: date | None = None
    schema: str = ""
    layout: str = ""
    namespace: str = ""
    root: str = ""
    tolerant: bool = False
    holds: tuple[str, ...] = ()
    procedure: str = ""
    keys: tuple[str, ...] = ()
    direction: Literal["VN-CN", "CN-VN"] | None = None
    roles: tuple[Literal["vehicle", "goods", "link"], ...] = ()
    order_key: str | None = None
    message_name: str | None = None
    after_decode: tuple[str, ...] = ()
    before_encode: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    encode_rules: tuple[str, ...] = ()
    draft: bool = False
    unknown: Literal["refuse", "report"] = "refuse"

    @property
    def media_type(self) -> str:
        """The media type of an encoded document."""
        return MEDIA_TYPES[self.engine]


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    line: in the CSV file, 1-based. path: wire path (`subtree`: with everything below it).
    canonical: path in the canonical document, or `head.X`, or "". convert: converter
    expression. primary: wire path of the row whose value this one is a part of (column
    `with`). use: both | decode | encode | none. sources: words tried in order on encode.
    """

    line: int
    path: str
    canonical: str = ""
    convert: str = ""
    primary: str = ""
    use: str = "both"
    sources: tuple[str, ...] = ()
    personal: bool = False
    mark: str = ""
    reason: str = ""
    subtree: bool = False

    @property
    def decodes(self) -> bool:
        """True when decoding reads this row."""
        return self.use in ("both", "decode")

    @property
    def encodes(self) -> bool:
        """True when encoding writes this row."""
        return self.use in ("both", "encode")

    @property
    def constant(self) -> str | None:
        """The constant of a row that has no canonical place."""
        if self.canonical or self.primary:
            return None
        return next((w[6:] for w in self.sources if w.startswith("const:")), None)


@dataclass(frozen=True, slots=True)
class Table:
    """A table as written. digest: hex SHA-256 over both files."""

    header: Header
    rows: tuple[Row, ...]
    digest: str

    @property
    def id(self) -> str:
        """Name and validity date, `cn.mt1401@2018-06-01`."""
        return f"{self.header.format}@{self.header.valid_from.isoformat()}"


def table_error(where: str, rule: str, found: str = "", expected: str = "") -> Finding:
    """Make a finding about a table."""
    return Finding("not-mapped", rule, where, found, expected)


def files(mappings: Path) -> Iterator[Path]:
    """Yield the header file of every table, sorted by format and date."""
    for folder in sorted(p for p in mappings.iterdir() if p.is_dir()):
        yield from sorted(folder.glob("????-??-??.toml"))


def load(header_file: Path) -> Table:
    """Read one table. MappingError `not-mapped` with all findings when it is not well made."""
    raw_header = header_file.read_bytes()
    rows_file = header_file.with_suffix(".csv")
    where = f"{header_file.parent.name}/{header_file.stem}"
    if not rows_file.is_file():
        raise MappingError("not-mapped", table_error(where, "rows-file", "absent", rows_file.name))
    raw_rows = rows_file.read_bytes()
    header = _header(raw_header, where)
    findings = list(_misnamed(header, header_file, where))
    rows = _rows(raw_rows.decode("utf-8"), where, findings)
    if findings:
        raise MappingError("not-mapped", *findings)
    digest = hashlib.sha256(raw_header + b"\0" + raw_rows).hexdigest()
    return Table(header, rows, digest)


def valid_at(header: Header, at: date) -> bool:
    """True when the table holds on this day."""
    return header.valid_from <= at and (header.valid_to is None or at <= header.valid_to)


def load_all(mappings: Path, at: date) -> dict[str, Table]:
    """Read, per format, the newest table that holds on the day."""
    chosen: dict[str, Table] = {}
    for file in files(mappings):
        if date.fromisoformat(file.stem) > at:
            continue
        table = load(file)
        if valid_at(table.header, at):
            chosen[table.header.format] = table
    return chosen


def _header(raw: bytes, where: str) -> Header:
    try:
        return msgspec.convert(tomllib.loads(raw.decode("utf-8")), Header)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        finding = table_error(where, "header", str(error))
        raise MappingError("not-mapped", finding) from error


def _misnamed(header: Header, file: Path, where: str) -> Iterator[Finding]:
    if header.format != file.parent.name:
        yield table_error(where, "header-format", header.format, file.parent.name)
    if header.valid_from.isoformat() != file.stem:
        yield table_error(where, "header-date", header.valid_from.isoformat(), file.stem)
    needed = "schema" if header.engine == "xml" else "layout"
    if not getattr(header, needed):
        yield table_error(where, "header-key", "absent", needed)
    if header.engine == "xml" and not header.root:
        yield table_error(where, "header-key", "absent", "root")


def _rows(text: str, where: str, findings: list[Finding]) -> tuple[Row, ...]:
    reader = csv.DictReader(io.StringIO(text))
    if tuple(reader.fieldnames or ()) != COLUMNS:
        found = ",".join(reader.fieldnames or ())
        findings.append(table_error(where, "columns", found, ",".join(COLUMNS)))
        return ()
    rows = []
    for cells in reader:
        place = f"{where}:{reader.line_num}"
        if None in cells or None in cells.values():
            findings.append(table_error(place, "cells", expected=f"{len(COLUMNS)} cells"))
            continue
        rows.append(_row(cells, reader.line_num, place, findings))
    return tuple(rows)


def _row(cells: dict[str, str], line: int, place: str, findings: list[Finding]) -> Row:
    cells = {name: cell.strip() for name, cell in cells.items()}
    use = cells["use"] or "both"
    for column, allowed, found in (
        ("use", USES, use),
        ("personal", ("", "yes"), cells["personal"]),
        ("mark", ("C", "W", "I", "P"), cells["mark"]),
    ):
        if found not in allowed:
            findings.append(table_error(place, column, found, " ".join(allowed)))
    subtree = cells["path"].endswith("/*")
    return Row(
        line=line,
        path=cells["path"].removesuffix("/*"),
        canonical=cells["canonical"],
        convert=cells["convert"],
        primary=cells["with"],
        use=use,
        sources=tuple(cells["sources"].split()),
        personal=cells["personal"] == "yes",
        mark=cells["mark"],
        reason=cells["reason"],
        subtree=subtree,
    )
