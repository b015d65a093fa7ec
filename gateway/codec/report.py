"""The translation report: what became of every source leaf, and where every target leaf is from.

It holds paths, classes, counts and salted digests, never a value: personal values stay in the
payload store alone. A digest is HMAC-SHA-256(salt, texts of the row), each text preceded by its
length in four octets, in document order.

Classes of a source row: carried (the same text), converted (another text of the same value),
narrowed (the target says less), derived (only through a derivation), canonical (kept in the
canonical document; the target has no place for it), left-out (with the reason).
"""

import hmac
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gateway.codec.compile_plan import Plan
from gateway.codec.formats import Decoded, Encoded
from gateway.codec.notes import Note
from gateway.codec.report_links import Line, Links, lines
from gateway.codec.supply import Supplied


class Destination(msgspec.Struct, frozen=True):
    """Where a source row went."""

    format: str
    path: str


class SourceRow(msgspec.Struct, frozen=True, rename={"class_": "class"}, omit_defaults=True):
    """What became of a source leaf. row: table and line. reason: why, or the table's note."""

    row: str
    path: str
    class_: str
    count: int
    digest: str
    canonical: str = ""
    reason: str = ""
    to: tuple[Destination, ...] = ()


class TargetRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a target leaf is from. sources: words of the table. origin: source rows.

    lists: code lists with their versions (`rec21-cn@2018`).
    """

    row: str
    path: str
    sources: tuple[str, ...]
    count: int
    digest: str
    canonical: str = ""
    lists: tuple[str, ...] = ()
    narrowed: int = 0
    reason: str = ""
    origin: tuple[Destination, ...] = ()


class Part(msgspec.Struct, frozen=True, omit_defaults=True):
    """The rows of one document. digest: of the table's files."""

    format: str
    table: str
    digest: str
    sources: tuple[SourceRow, ...] = ()
    targets: tuple[TargetRow, ...] = ()
    draft: bool = False


class Remark(msgspec.Struct, frozen=True):
    """A note: a rule that matched, a collapse, a default."""

    code: str
    path: str
    text: str


class Report(msgspec.Struct, frozen=True):
    """The whole report."""

    version: str
    sources: tuple[Part, ...]
    targets: tuple[Part, ...]
    notes: tuple[Remark, ...]

    def to_bytes(self) -> bytes:
        """Return RFC 8785 canonical JSON: all names are ASCII and no number is a float."""
        return msgspec.json.encode(self, order="sorted")


def build(
    decoded: Sequence[Decoded],
    supplied: Supplied | None,
    encoded: Sequence[Encoded],
    *,
    salt: bytes,
    notes: Sequence[Note] = (),
    reads: Mapping[str, Sequence[str]] | None = None,
) -> Report:
    """Make the report of one translation.

    reads: canonical paths that a derived source word (`gate:cnOffice`) reads.
    """
    origins = supplied.origins if supplied else {}
    sources = [(d, lines(d.format, d.trace, {})) for d in decoded]
    targets = [(e, lines(e.format, e.trace, origins)) for e in encoded]
    all_targets = [line for _, lines in targets for line in lines]
    links = Links([lines for _, lines in sources], all_targets, reads or {})
    remarks = [*(n for d in decoded for n in d.notes), *(n for e in encoded for n in e.notes)]
    return Report(
        "1",
        tuple(_source_part(d, lines, links, salt) for d, lines in sources),
        tuple(_target_part(e, lines, links, salt) for e, lines in targets),
        tuple(Remark(n.code, n.path, n.text) for n in [*remarks, *notes]),
    )


def digest(salt: bytes, texts: Sequence[tuple[str, ...]]) -> str:
    """Return the salted digest of a row's texts, hex."""
    octets = [text.encode() for occurrence in texts for text in occurrence]
    message = b"".join(len(o).to_bytes(4, "big") + o for o in octets)
    return hmac.digest(salt, message, "sha256").hex()


def _source_part(document: Decoded, lines: list[Line], links: Links, salt: bytes) -> Part:
    plan = document.trace.plan
    rows = [_source_row(document.table, line, links, salt) for line in lines]
    if plan is not None:
        rows += _left_rows(document, plan, salt)
    return Part(document.format, document.table, plan.table.digest if plan else "", tuple(rows))


def _source_row(table: str, line: Line, links: Links, salt: bytes) -> SourceRow:
    row = line.entry.row
    class_, targets = links.classify(line)
    if row.constant is not None:
        class_, targets = "left-out", []
    reason = "constant of this message type" if row.constant is not None else row.reason
    return SourceRow(
        row=f"{table}:{line.number}",
        path=row.path,
        class_=class_,
        count=len(line.texts),
        digest=digest(salt, line.texts),
        canonical=row.canonical,
        reason=reason,
        to=tuple(Destination(t.format, t.entry.row.path) for t in targets),
    )


def _left_rows(document: Decoded, plan: Plan, salt: bytes) -> list[SourceRow]:
    left = {row.line: row for row in plan.left.values()}
    return [
        SourceRow(
            row=f"{document.table}:{number}",
            path=left[number].path,
            class_="left-out",
            count=len(texts),
            digest=digest(salt, [(text,) for text in texts]),
            reason=left[number].reason,
        )
        for number, texts in sorted(document.trace.left.items())
        if texts
    ]


def _target_part(document: Encoded, lines: list[Line], links: Links, salt: bytes) -> Part:
    plan = document.trace.plan
    versions = plan.lists if plan else {}
    rows = tuple(_target_row(document.table, line, links, salt, versions) for line in lines)
    table = plan.table.digest if plan else ""
    return Part(document.format, document.table, table, targets=rows, draft=document.draft)


def _target_row(
    table: str, line: Line, links: Links, salt: bytes, versions: Mapping[str, str]
) -> TargetRow:
    row, leaf = line.entry.row, line.entry.leaf
    words: Any = ["const"] if row.constant is not None else line.words
    converter = leaf.converter if leaf else None
    origin = {Destination(s.format, s.entry.row.path): None for s in links.origin.get(id(line), [])}
    return TargetRow(
        row=f"{table}:{line.number}",
        path=row.path,
        sources=tuple(sorted(set(words))),
        count=len(line.texts),
        digest=digest(salt, line.texts),
        canonical=row.canonical,
        lists=tuple(f"{n}@{versions[n]}" for n in converter.lists) if converter else (),
        narrowed=line.narrowed,
        reason=row.reason,
        origin=tuple(origin),
    )
