"""Redaction that keeps the seal provable: salted digests of each field.

The seal is the root of a Merkle tree (RFC 9162) over one leaf per field of a canonical
document: leaf = leaf hash of salt || path || 0x00 || value, where path is an RFC 6901 pointer
and value the field's RFC 8785 JSON. Fields are leaves of the JSON (text, numbers, truth
values, null, empty lists and objects), in the order of their paths. A redacted copy shows
some fields with their salts and, for the others, leaf hashes only: it proves that what it
shows stood at these paths, and how many fields it hides; it tells nothing of their paths or
values, as each has a salt of its own.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import rfc8785

from gateway.errors import DocumentError, Finding
from gateway.merkle import leaf_hash, root

SALT_SIZE = 32
MOST_FIELDS = 100_000
DEPTH = 64


@dataclass(frozen=True, slots=True)
class Shown:
    """A field that a copy shows. path: RFC 6901 pointer. value: RFC 8785 JSON."""

    path: str
    value: bytes
    salt: bytes


@dataclass(frozen=True, slots=True)
class Redacted:
    """A copy: per field, in order, what is shown of it, or its leaf hash."""

    fields: tuple[Shown | bytes, ...]


def seal(document: bytes, secret: bytes) -> bytes:
    """Return the seal of a JSON document: what evidence keeps of it.

    secret: 32 random octets that the owner keeps; the salts come from them.
    DocumentError `malformed` or `too-large`.
    """
    return root([_leaf(path, value, _salt(secret, path)) for path, value in _fields(document)])


def redact(document: bytes, secret: bytes, hide: Iterable[str]) -> Redacted:
    """Return a copy without the subtrees at these pointers ("/crew/0/name", "/crew").

    DocumentError `reference-unknown` for a pointer that the document does not have: a typing
    mistake must not leave a value in.
    """
    pointers = tuple(hide)
    unused = set(pointers)
    fields: list[Shown | bytes] = []
    for path, value in _fields(document):
        salt = _salt(secret, path)
        hiding = {pointer for pointer in pointers if _within(path, pointer)}
        unused -= hiding
        fields.append(_leaf(path, value, salt) if hiding else Shown(path, value, salt))
    if unused:
        missing = Finding("reference-unknown", "redact-path", sorted(unused)[0])
        raise DocumentError("reference-unknown", missing)
    return Redacted(tuple(fields))


def verify(copy: Redacted, sealed: bytes) -> Mapping[str, Any]:
    """Return the fields that a copy shows, by path, once it leads to the seal.

    DocumentError `rule-broken`, rule `redact-seal`, when it does not, or shows a path twice or
    out of order.
    """
    shown = [field for field in copy.fields if isinstance(field, Shown)]
    paths = [field.path for field in shown]
    leaves = [
        _leaf(field.path, field.value, field.salt) if isinstance(field, Shown) else field
        for field in copy.fields
    ]
    sane = all(len(leaf) == hashlib.sha256().digest_size for leaf in leaves)
    salted = all(len(field.salt) == SALT_SIZE for field in shown)
    ordered = all(_order(a) < _order(b) for a, b in pairwise(paths))
    if not (sane and salted and ordered and hmac.compare_digest(root(leaves), sealed)):
        raise DocumentError("rule-broken", Finding("rule-broken", "redact-seal"))
    return {field.path: _value(field.value) for field in shown}


def _fields(document: bytes) -> list[tuple[str, bytes]]:
    try:
        value = json.loads(document)
        found = list(_walk("", value, DEPTH))
        fields = [(path, rfc8785.dumps(each)) for path, each in found]
    except (ValueError, RecursionError, rfc8785.CanonicalizationError) as fault:
        raise DocumentError("malformed", Finding("malformed", "json")) from fault
    if len(fields) > MOST_FIELDS:
        raise DocumentError("too-large", Finding("too-large", "redact-fields"))
    return sorted(fields, key=lambda field: _order(field[0]))


def _walk(path: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield (pointer, value) of the leaves of a JSON value."""
    if not depth:
        raise ValueError("too deep")
    parts: Sequence[tuple[str, Any]] = ()
    if isinstance(value, dict):
        parts = [(_escaped(name), each) for name, each in value.items()]
    elif isinstance(value, list):
        parts = [(str(index), each) for index, each in enumerate(value)]
    if not parts:
        yield path, value
    for name, each in parts:
        yield from _walk(f"{path}/{name}", each, depth - 1)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _order(path: str) -> bytes:
    return path.encode("utf-8", "surrogatepass")


def _within(path: str, pointer: str) -> bool:
    return path == pointer or path.startswith(f"{pointer}/")


def _salt(secret: bytes, path: str) -> bytes:
    """A salt per field, that only who has the secret can make (HMAC-SHA256)."""
    return hmac.digest(secret, b"field\x00" + _order(path), "sha256")


def _leaf(path: str, value: bytes, salt: bytes) -> bytes:
    return leaf_hash(salt + _order(path) + b"\x00" + value)


def _value(value: bytes) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise DocumentError("rule-broken", Finding("rule-broken", "redact-seal")) from None
