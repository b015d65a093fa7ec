"""The log over rows of evidence, and proofs from it. Pure: nodes are looked up by the caller."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.merkle import Nodes, consistency, grown, inclusion, verify_inclusion


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Proof that a row is a leaf of the log: anybody who has the head can check it.

    index: number of the leaf. size, root: of the head. path: RFC 9162 2.1.3.1.
    """

    index: int
    size: int
    root: bytes
    path: tuple[bytes, ...]

    def holds(self, leaf: bytes) -> bool:
        """True when the path leads from the leaf hash to the root."""
        return verify_inclusion(leaf, self.index, self.size, self.path, self.root)


@dataclass(frozen=True, slots=True)
class Consistency:
    """Proof that the log at size `old` begins the log at size `new` (RFC 9162 2.1.4.1)."""

    old: int
    new: int
    path: tuple[bytes, ...]


def grow(size: int, leaves: Sequence[bytes], node: Nodes) -> list[tuple[int, int, bytes]]:
    """Return the nodes (level, index, hash), level 1 and up, that leaves after `size` complete.

    node: the subtrees of the log as it is.
    """
    made: dict[tuple[int, int], bytes] = {}

    def known(level: int, index: int) -> bytes:
        found = made.get((level, index))
        return node(level, index) if found is None else found

    for place, leaf in enumerate(leaves, size):
        made.update({(level, at): value for level, at, value in grown(place, leaf, known)})
    return [(level, at, value) for (level, at), value in made.items() if level]


def places(make: Callable[[Nodes], object]) -> list[tuple[int, int]]:
    """Return which subtrees (level, index) a proof looks up, so that a store can be asked for
    all of them at once."""
    asked: list[tuple[int, int]] = []

    def noted(level: int, index: int) -> bytes:
        asked.append((level, index))
        return b""

    make(noted)
    return asked


def prove_inclusion(index: int, size: int, root: bytes, node: Nodes) -> Inclusion:
    """Return the proof for leaf `index` under a head; ValueError when the head lacks it."""
    return Inclusion(index, size, root, inclusion(index, size, node))


def prove_consistency(old: int, new: int, node: Nodes) -> Consistency:
    """Return the proof between two sizes; ValueError unless old <= new."""
    return Consistency(old, new, consistency(old, new, node))
