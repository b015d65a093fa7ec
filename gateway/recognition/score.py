"""How strongly two statements speak of the same goods, in hundredths of a bit."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from gateway.recognition.link_model import LinkModel
from gateway.recognition.link_records import Record

_LOOKALIKE = str.maketrans("OBIL", "0811")
"""What cameras and clerks mix up."""

CORROBORATING = frozenset(("container", "plate", "seal", "hs", "mass"))
"""Of these one must agree beside the certificate number."""

NEVER = -1_000_000


def possible(anchor: Record, other: Record, model: LinkModel) -> bool:
    """Return False for pairs that can never be about the same goods."""
    gap = other.at - anchor.at
    return not (
        (anchor.direction and other.direction and anchor.direction != other.direction)
        or (anchor.mode and other.mode and anchor.mode != other.mode)
        or (anchor.ucr and other.ucr and anchor.ucr != other.ucr)
        or (
            anchor.number == other.number
            and other.number
            and other.issuer
            and anchor.issuer != other.issuer
        )
        or gap < -model.clock_hours * 60
        or gap > model.window_hours * 60
    )


def score(anchor: Record, other: Record, model: LinkModel) -> tuple[int, tuple[str, ...]]:
    """Return the weight of a pair, and the fields that agree."""
    weights, total = model.weights, 0
    agreed: list[str] = []
    for field, level in levels(anchor, other):
        total += weights[field][level]
        if level == 0:
            agreed.append(field)
    return total, tuple(agreed)


def levels(anchor: Record, other: Record) -> list[tuple[str, int]]:
    """Return the level of each field that both state: 0 equal, 1 near, 2 different."""
    found = [
        (name, judge(ours, theirs))
        for name, (judge, pick) in _FIELDS.items()
        if (ours := pick(anchor)) and (theirs := pick(other))
    ]
    gap = abs(other.at - anchor.at)
    found.append(("time", 0 if gap <= 720 else 1 if gap <= 2160 else 2))
    return found


def _text(left: str, right: str) -> int:
    return 0 if left == right else 1 if near(left, right) else 2


def _sets(left: frozenset[str], right: frozenset[str]) -> int:
    if not left.isdisjoint(right):
        return 0
    return 1 if any(near(a, b) for a in left for b in right) else 2


def _codes(left: frozenset[str], right: frozenset[str]) -> int:
    if not left.isdisjoint(right):
        return 0
    return 2 if {code[:4] for code in left}.isdisjoint(code[:4] for code in right) else 1


def _masses(left: int, right: int) -> int:
    gap = abs(left - right) * 1000
    return 0 if gap <= 5 * left else 1 if gap <= 20 * left else 2


def near(left: str, right: str) -> bool:
    """Return True for one letter more, less, other or swapped, or what looks alike."""
    if abs(len(left) - len(right)) > 1:
        return False
    a, b = left.translate(_LOOKALIKE), right.translate(_LOOKALIKE)
    if a == b:
        return True
    half = len(a) // 2 - 1
    if a[:half] != b[:half] and a[-half:] != b[-half:]:  # one change is in one half
        return False
    return _one_change(a, b)


def _one_change(a: str, b: str) -> bool:
    """Return True for one letter more, less, other, or two neighbours swapped."""
    start = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), None)
    if start is None:
        return True
    same_length = len(a) == len(b)
    a, b = a[start:], b[start:]
    if same_length:
        return a[1:] == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
    return a[1:] == b or a == b[1:]


def _common(left: frozenset[str], right: frozenset[str]) -> int:
    return 2 if left.isdisjoint(right) else 0


_FIELDS: dict[str, tuple[Callable[[Any, Any], int], Callable[[Record], Any]]] = {
    "number": (_text, attrgetter("number")),
    "container": (_sets, attrgetter("containers")),
    "plate": (_sets, attrgetter("plates")),
    "seal": (_sets, attrgetter("seals")),
    "hs": (_codes, attrgetter("hs")),
    "mass": (_masses, attrgetter("mass")),
    "trader": (_common, attrgetter("traders")),
    "facility": (_common, attrgetter("facilities")),
}
"""Field -> how two values are judged, and where they are."""
