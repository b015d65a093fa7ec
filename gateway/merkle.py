"""Merkle tree arithmetic of RFC 9162 section 2.1, SHA-256. Pure."""

import hashlib


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf (RFC 9162 2.1.1: 0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node (RFC 9162 2.1.1: 0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()
