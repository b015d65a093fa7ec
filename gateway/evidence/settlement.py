"""What two sides have of one day, compared without listing it (exchange profile, XP-SET).

The messages of a day and direction are the leaves of a tree of sixteen: a leaf's place is
the SHA-256 of its message id. A node's digest is over its children's, so the day's digest,
once signed, binds all answers about what is below it; and one message that differs is found
by going down one branch.

    entry       id LF digest LF
    at most 16  SHA-256(0x00 || the entries, in the order of their places)
    more        SHA-256(0x01 || for each of the 16 children: count (8 octets) || digest)
"""

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from gateway.errors import Finding, TrustError

FEW = 16
"""Entries that are listed instead of divided."""
MOST_NODES = 64
"""Nodes of one question."""
DEEPEST = 16
"""Hexadecimal digits of a prefix: 2^64 places are enough for any day."""
_DIGITS = "0123456789abcdef"


@dataclass(frozen=True, slots=True)
class Mark:
    """How many entries are below a node, and their digest (hex)."""

    count: int
    digest: str


Pair = tuple[str, str]
"""A message id and the digest (hex) of what was signed."""


@dataclass(frozen=True, slots=True)
class Node:
    """What a side says of a node: its entries, or the marks of its children."""

    prefix: str
    entries: tuple[Pair, ...] = ()
    children: tuple[Mark, ...] = ()


Ask = Callable[[Sequence[str]], Sequence[Node]]
"""Asks the other side about nodes by prefix; one call is one exchange."""


@dataclass
class Differences:
    """What differs. exchanges: how many questions it took."""

    only_here: list[Pair] = field(default_factory=list)
    only_there: list[Pair] = field(default_factory=list)
    contents: list[tuple[str, str, str]] = field(default_factory=list)
    """(message id, our digest, theirs)."""
    exchanges: int = 0


class Tree:
    """The messages of a day and direction, as one side has them."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        """pairs: each message id once, in any order."""
        placed = sorted((place_of(pair[0]), pair) for pair in pairs)
        self._places = [place for place, _ in placed]
        self._pairs = [pair for _, pair in placed]
        self._marks: dict[str, Mark] = {}

    def mark(self, prefix: str = "") -> Mark:
        """Return the mark of a node."""
        if prefix not in self._marks:
            pairs = self._below(prefix)
            if len(pairs) <= FEW or len(prefix) == DEEPEST:
                digest = digest_of_entries(pairs)
            else:
                digest = digest_of_children(self.children(prefix))
            self._marks[prefix] = Mark(len(pairs), digest)
        return self._marks[prefix]

    def children(self, prefix: str) -> tuple[Mark, ...]:
        """Return the marks of the sixteen nodes below a node."""
        return tuple(self.mark(prefix + digit) for digit in _DIGITS)

    def node(self, prefix: str) -> Node:
        """Return what this side says of a node."""
        pairs = self._below(prefix)
        if len(pairs) <= FEW or len(prefix) == DEEPEST:
            return Node(prefix, entries=tuple(pairs))
        return Node(prefix, children=self.children(prefix))

    def _below(self, prefix: str) -> list[Pair]:
        start = bisect_left(self._places, prefix)
        end = bisect_left(self._places, prefix + "g")  # g is behind every digit
        return self._pairs[start:end]


def differences(mine: Tree, theirs: Mark, ask: Ask) -> Differences:
    """Find what differs from what the other side has signed for the day.

    theirs: the mark of the other side's root. TrustError `signature-scope`, rule
    `settlement-answer`, for an answer that is not about what was asked, or does not have the
    digest that was stated before.
    """
    found = Differences()
    open_nodes = [] if mine.mark() == theirs else [("", theirs)]
    while open_nodes:
        asked, open_nodes = open_nodes[:MOST_NODES], open_nodes[MOST_NODES:]
        answers = ask([prefix for prefix, _ in asked])
        found.exchanges += 1
        if [answer.prefix for answer in answers] != [prefix for prefix, _ in asked]:
            _refuse("prefix")
        for answer, (_, stated) in zip(answers, asked, strict=True):
            check_node(answer, stated)
            open_nodes += _compare(mine, answer, found)
    return found


def _compare(mine: Tree, answer: Node, found: Differences) -> list[tuple[str, Mark]]:
    """Note what differs in a listed node; return the children that differ of another."""
    if answer.children:
        pairs = zip(_DIGITS, answer.children, strict=True)
        below = [(answer.prefix + digit, mark) for digit, mark in pairs]
        return [(prefix, mark) for prefix, mark in below if mine.mark(prefix) != mark]
    ours = dict(mine._below(answer.prefix))
    theirs = dict(answer.entries)
    found.only_here += [pair for pair in ours.items() if pair[0] not in theirs]
    found.only_there += [pair for pair in theirs.items() if pair[0] not in ours]
    found.contents += [
        (name, digest, theirs[name])
        for name, digest in ours.items()
        if theirs.get(name, digest) != digest
    ]
    return []


def check_node(node: Node, stated: Mark) -> None:
    """Raise unless a node has the mark that was stated for it; TrustError as `differences`."""
    if node.children:
        count, digest = sum(c.count for c in node.children), digest_of_children(node.children)
        whole = len(node.children) == len(_DIGITS) and len(node.prefix) < DEEPEST and count > FEW
    else:
        places = [place_of(name) for name, _ in node.entries]
        count, digest = len(node.entries), digest_of_entries(node.entries)
        ordered = places == sorted(set(places))
        whole = ordered and all(place.startswith(node.prefix) for place in places)
    if not whole or Mark(count, digest) != stated:
        _refuse("digest", node.prefix)


def left_out(name: str, stated: Mark, path: Sequence[Node]) -> bool:
    """True when the nodes lead from the stated root down to where a message would be, and it
    is not there. TrustError as `differences`."""
    place, prefix = place_of(name), ""
    for node in path:
        if node.prefix != prefix:
            _refuse("prefix", node.prefix)
        check_node(node, stated)
        if not node.children:
            return name not in dict(node.entries)
        stated = node.children[_DIGITS.index(place[len(prefix)])]
        prefix = place[: len(prefix) + 1]
    return False


def place_of(name: str) -> str:
    """Return where a message stands in the tree: the hex SHA-256 of its id."""
    return hashlib.sha256(name.encode()).hexdigest()


def digest_of_entries(pairs: Sequence[Pair]) -> str:
    """Return the digest of a node whose entries are listed."""
    text = "".join(f"{name}\n{digest}\n" for name, digest in pairs)
    return hashlib.sha256(b"\x00" + text.encode()).hexdigest()


def digest_of_children(children: Sequence[Mark]) -> str:
    """Return the digest of a node that is divided."""
    marks = b"".join(c.count.to_bytes(8, "big") + bytes.fromhex(c.digest) for c in children)
    return hashlib.sha256(b"\x01" + marks).hexdigest()


def _refuse(what: str, found: str = "") -> NoReturn:
    finding = Finding("signature-scope", "settlement-answer", what, found)
    raise TrustError("signature-scope", finding)
