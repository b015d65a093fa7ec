"""A row of evidence: what was accepted, sent, received, refused or decided.

Acceptance appends rows; it never waits for the tree that is built over them. A leaf is
salted, so that a row that was pruned or left out cannot be guessed from its hash.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import rfc8785

from gateway.merkle import leaf_hash

SALT_SIZE = 32
"""Bytes of a salt: as many as the digest it protects."""


@dataclass(frozen=True, slots=True)
class Row:
    """entry: canonical JSON (RFC 8785). leaf: RFC 9162 leaf hash of salt || entry."""

    entry: bytes
    salt: bytes
    leaf: bytes


def row(kind: str, at: datetime, facts: Mapping[str, str | int], salt: bytes) -> Row:
    """Make a row.

    kind: submitted, queued, signed, receipted, accepted, refused, distributed, expired,
    supplemented, resent. facts: ids, digests and codes; never personal
    values.
    """
    entry = rfc8785.dumps({"kind": kind, "at": at.isoformat(), **facts})
    return Row(entry, salt, leaf_hash(salt + entry))


def commitment(salt: bytes, originals: tuple[bytes, ...]) -> str:
    """Commit to the agency's original documents without disclosing anything of them.

    SHA-256(salt || original) for one document; for several, SHA-256(salt || SHA-256(first)
    || SHA-256(second) ...), in the order in which they joined. Hex.
    """
    if len(originals) == 1:
        return hashlib.sha256(salt + originals[0]).hexdigest()
    digests = b"".join(hashlib.sha256(original).digest() for original in originals)
    return hashlib.sha256(salt + digests).hexdigest()
