"""Merkle tree arithmetic of RFC 9162 section 2.1, SHA-256. Pure.

Proofs are made from complete subtrees only: `node(level, index)` is the hash over the leaves
`index << level` up to `(index + 1) << level`; level 0 holds the leaf hashes. Such a hash never
changes once its leaves are there, so it is stored once and serves every later size.
"""

import hashlib
from collections.abc import Callable, Sequence

SIZE = 32
"""Bytes of a hash."""

EMPTY = hashlib.sha256().digest()
"""The root of a tree without leaves (RFC 9162 2.1.1)."""

Nodes = Callable[[int, int], bytes]
"""(level, index) -> hash of that complete subtree."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf (RFC 9162 2.1.1: 0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node (RFC 9162 2.1.1: 0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over these leaf hashes."""
    nodes: dict[tuple[int, int], bytes] = {}

    def node(level: int, index: int) -> bytes:
        return nodes[level, index]

    for index, leaf in enumerate(leaves):
        nodes.update({(level, at): value for level, at, value in grown(index, leaf, node)})
    return subtree(0, len(leaves), node)


def grown(index: int, leaf: bytes, node: Nodes) -> list[tuple[int, int, bytes]]:
    """Return (level, index, hash) of the subtrees that leaf number `index` completes, itself
    first. node: the subtrees that the leaves before it completed."""
    made = [(0, index, leaf)]
    level, value = 0, leaf
    while index & 1:
        value = node_hash(node(level, index - 1), value)
        level, index = level + 1, index >> 1
        made.append((level, index, value))
    return made


def subtree(start: int, end: int, node: Nodes) -> bytes:
    """Return the hash over the leaves `start` up to `end`, as it stands in a tree that ends at
    `end` or has it as a subtree (`start` is a multiple of the next power of two of the span).

    `subtree(0, size, node)` is the root at any size; EMPTY for no leaf.
    """
    if start == end:
        return EMPTY
    span = end - start
    if span & (span - 1) == 0:
        level = span.bit_length() - 1
        return node(level, start >> level)
    middle = start + _split(span)
    return node_hash(subtree(start, middle, node), subtree(middle, end, node))


def inclusion(index: int, size: int, node: Nodes) -> tuple[bytes, ...]:
    """Return the proof that leaf `index` is in the tree of `size` leaves (RFC 9162 2.1.3.1).

    ValueError unless 0 <= index < size.
    """
    if not 0 <= index < size:
        raise ValueError("a proof of inclusion is for a leaf that the tree has")
    start, end = 0, size
    proof: list[bytes] = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(subtree(middle, end, node))
            end = middle
        else:
            proof.append(subtree(start, middle, node))
            start = middle
    return tuple(reversed(proof))


def consistency(old: int, new: int, node: Nodes) -> tuple[bytes, ...]:
    """Return the proof that the tree of `old` leaves begins the tree of `new` leaves
    (RFC 9162 2.1.4.1). Empty when they are the same, or when `old` is 0.

    ValueError unless 0 <= old <= new.
    """
    if not 0 <= old <= new:
        raise ValueError("a proof of consistency goes from an older tree to a newer one")
    if old in (0, new):
        return ()
    start, end = 0, new
    proof: list[bytes] = []
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(subtree(middle, end, node))
            end = middle
        else:
            proof.append(subtree(start, middle, node))
            start = middle
    if start:  # the old root itself is known to the verifier
        proof.append(subtree(start, end, node))
    return tuple(reversed(proof))


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], tree_root: bytes
) -> bool:
    """True when the proof leads from the leaf hash to the root (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size or not _hashes(leaf, tree_root, *proof):
        return False
    at, last, value = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            value = node_hash(sibling, value)
            at, last = _climbed(at, last)
        else:
            value = node_hash(value, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and value == tree_root


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """True when the proof leads from the older root to the newer one (RFC 9162 2.1.4.2).

    Every tree is consistent with itself and with the empty one, by an empty proof.
    """
    if not 0 <= old <= new or not _hashes(old_root, new_root, *proof):
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY
    # An old tree that is one complete subtree starts its own path (RFC 9162 2.1.4.2, step 1).
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    return bool(path) and _roots(old, new, path) == (old_root, new_root)


def _roots(old: int, new: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Recompute the older and the newer root from a path; None when its length is wrong."""
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    older = newer = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if at & 1 or at == last:
            older, newer = node_hash(sibling, older), node_hash(sibling, newer)
            at, last = _climbed(at, last)
        else:
            newer = node_hash(newer, sibling)
        at, last = at >> 1, last >> 1
    return (older, newer) if last == 0 else None


def _climbed(at: int, last: int) -> tuple[int, int]:
    """Pass over the levels at which the last node has no sibling on its right."""
    while at and not at & 1:
        at, last = at >> 1, last >> 1
    return at, last


def _split(span: int) -> int:
    """Return the largest power of two that is smaller than `span` (> 1)."""
    return 1 << ((span - 1).bit_length() - 1)


def _hashes(*values: bytes) -> bool:
    return all(len(value) == SIZE for value in values)
