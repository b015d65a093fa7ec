"""What a bundle says of its members: `bundle.json`, in canonical JSON (RFC 8785).

docs/evidence.md is the published format; a test holds both together.
"""

from typing import Literal, NoReturn

import msgspec
import rfc8785

from gateway.errors import DocumentError, Finding

FORMAT = "bilateral-gateway-bundle/1"


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No field but those that are named."""


class Part(_Strict, frozen=True):
    """A document of a message. salt: hex, of its commitment in the log. path: None when the
    document is not here: withheld from whom the bundle is for, or pruned by retention."""

    role: str
    digest: str
    media_type: str
    retention: str
    salt: str
    path: str | None


class Item(_Strict, frozen=True):
    """A message. external_id: the sender's id. originals: the submissions whose originals the
    commitment of an outbound message is over, in order; empty when they are not here."""

    id: str
    external_id: str
    kind: Literal["submission", "outbound", "inbound", "domestic"]
    party: str
    document_type: str
    digest: str
    created: str
    documents: tuple[Part, ...]
    originals: tuple[str, ...]


class Proven(_Strict, frozen=True):
    """A row of evidence and its inclusion proof (hex) in the tree of the head. index: None
    when the log had not taken it yet."""

    message: str
    entry: str
    salt: str
    index: int | None
    proof: tuple[str, ...]


class HeadPart(_Strict, frozen=True):
    """The head of the log: a DSSE statement, and a timestamp token over the value of its
    first signature."""

    path: str
    stamp: str | None


class Index(_Strict, frozen=True):
    """The whole. exporter: who made and signed the bundle; subject: the message that was
    asked for; messages: it, and those of the same conversation."""

    format: str
    exporter: str
    counterpart: str
    at: str
    subject: str
    messages: tuple[Item, ...]
    rows: tuple[Proven, ...]
    head: HeadPart | None
    certificates: tuple[str, ...]


def write_index(index: Index) -> bytes:
    """Return the octets of an index."""
    return rfc8785.dumps(msgspec.to_builtins(index))


def read_index(content: bytes) -> Index:
    """Read an index. DocumentError `malformed`, rule `index-form` (not this structure, or not
    in its one spelling), `version-unsupported` for another format."""
    try:
        index = msgspec.json.decode(content, type=Index)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        _refuse("malformed", "index-form")
    if index.format != FORMAT:
        _refuse("version-unsupported", "bundle-format", index.format[:100])
    try:
        same = write_index(index) == content
    except rfc8785.CanonicalizationError:
        same = False
    if not same:
        _refuse("malformed", "index-form")
    return index


def paths_of(index: Index) -> list[str]:
    """Return every path that an index names."""
    found = [part.path for item in index.messages for part in item.documents]
    if index.head:
        found += [index.head.path, index.head.stamp]
    return [path for path in found if path is not None] + list(index.certificates)


def _refuse(code: str, rule: str, found: str = "") -> NoReturn:
    raise DocumentError(code, Finding(code, rule, "bundle.json", found))
