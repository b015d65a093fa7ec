"""A row of evidence: what was accepted, sent, received, refused or decided.

Acceptance appends rows; it never waits for the tree that is built over them. A leaf is
salted, so that a row that was left out of a proof cannot be guessed from its hash. What a
row says of a document is salted again, with a salt that goes when the document goes.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.merkle import leaf_hash

SALT_SIZE = 32
"""Bytes of a salt: as many as the digest it protects."""


@dataclass(frozen=True, slots=True)
class Row:
    """entry: canonical JSON (RFC 8785). leaf: RFC 9162 leaf hash of salt || entry."""

    entry: bytes
    salt: bytes
    leaf: bytes


def row(kind: str, at: datetime, facts: Mapping[str, Any], salt: bytes) -> Row:
    """Make a row.

    kind: submitted, queued, signed, receipted, accepted, refused, distributed, expired,
    supplemented, resent ... facts: ids, digests and codes (text, whole numbers, lists and
    objects of them); never personal values.
    """
    entry = canonical({"kind": kind, "at": at.isoformat(), **facts})
    return Row(entry, salt, leaf_of(entry, salt))


def leaf_of(entry: bytes, salt: bytes) -> bytes:
    """Return the leaf hash of a row."""
    return leaf_hash(salt + entry)


def canonical(value: Mapping[str, Any]) -> bytes:
    """Return RFC 8785 JSON of ASCII names with text, whole numbers below 2^53, truth values,
    lists and objects: for these the standard library writes what RFC 8785 asks for."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def document_mark(salt: bytes, digest: str, media_type: str, retention: str) -> str:
    """Return what a row says of a document: hex SHA-256(salt || "digest media-type retention").

    digest: hex SHA-256 of its bytes.
    """
    return hashlib.sha256(salt + f"{digest} {media_type} {retention}".encode()).hexdigest()


def keys_mark(salt: bytes, keys: Sequence[tuple[str, str]]) -> str:
    """Return what a row says of a message's search keys: hex SHA-256(salt || canonical JSON of
    {"keys": sorted pairs}). salt: that of its canonical document."""
    pairs = [list(pair) for pair in sorted(keys)]
    return hashlib.sha256(salt + canonical({"keys": pairs})).hexdigest()


def commitment(salt: bytes, originals: tuple[bytes, ...]) -> str:
    """Commit to the agency's original documents without disclosing anything of them.

    SHA-256(salt || original) for one document; for several, SHA-256(salt || SHA-256(first)
    || SHA-256(second) ...), in the order in which they joined. Hex.
    """
    if len(originals) == 1:
        return hashlib.sha256(salt + originals[0]).hexdigest()
    digests = b"".join(hashlib.sha256(original).digest() for original in originals)
    return hashlib.sha256(salt + digests).hexdigest()
