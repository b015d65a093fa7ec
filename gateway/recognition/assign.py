"""Who belongs to whom: the best assignment of a component, exact up to a limit."""

from collections.abc import Mapping, Sequence

Edge = tuple[int, int]


def assign(edges: Mapping[Edge, int], most_exact: int) -> dict[int, int]:
    """Return other -> anchor, each used once, with the largest sum of weights.

    Weights are positive. Ties fall to the smaller positions, which are in the order of
    digests. Above the limit of nodes: greedy by weight, then positions.
    """
    anchors = sorted({anchor for anchor, _ in edges})
    others = sorted({other for _, other in edges})
    if len(others) == 1 or len(anchors) == 1 or len(anchors) + len(others) > most_exact:
        return _greedy(edges)
    rows = [[edges.get((anchor, other), 0) for anchor in anchors] for other in others]
    chosen = hungarian(rows)
    return {
        others[row]: anchors[column]
        for row, column in enumerate(chosen)
        if column is not None and rows[row][column] > 0
    }


def _greedy(edges: Mapping[Edge, int]) -> dict[int, int]:
    taken: set[int] = set()
    found: dict[int, int] = {}
    for (anchor, other), _ in sorted(edges.items(), key=lambda each: (-each[1], each[0])):
        if anchor not in taken and other not in found:
            taken.add(anchor)
            found[other] = anchor
    return found


def hungarian(weights: Sequence[Sequence[int]]) -> list[int | None]:
    """Return a column for each row so that the sum of weights is largest.

    Integers, so that it is exact. Kuhn-Munkres with potentials, O(rows^2 x columns); columns
    of weight 0 stand for "none", one for each row.
    """
    rows, columns = len(weights), len(weights[0])
    cost = [[-w for w in row] + [0] * rows for row in weights]
    width = columns + rows
    up, down = [0] * (rows + 1), [0] * (width + 1)
    owner, way = [0] * (width + 1), [0] * (width + 1)
    for row in range(1, rows + 1):
        _augment(row, cost, (up, down, owner, way), width)
    found: list[int | None] = [None] * rows
    for column in range(1, columns + 1):
        if owner[column]:
            found[owner[column] - 1] = column - 1
    return found


def _augment(
    row: int,
    cost: Sequence[Sequence[int]],
    state: tuple[list[int], list[int], list[int], list[int]],
    width: int,
) -> None:
    """Find a column for one more row, moving others along the cheapest path."""
    up, down, owner, way = state
    owner[0] = row
    at = 0
    least = [1 << 60] * (width + 1)
    used = [False] * (width + 1)
    while owner[at] != 0:
        used[at] = True
        line, base = cost[owner[at] - 1], up[owner[at]]
        free = [column for column in range(1, width + 1) if not used[column]]
        for column in free:
            reduced = line[column - 1] - base - down[column]
            if reduced < least[column]:
                least[column], way[column] = reduced, at
        best = min(free, key=least.__getitem__)
        _shift(least[best], used, state, least)
        at = best
    while at:
        owner[at] = owner[way[at]]
        at = way[at]


def _shift(
    delta: int,
    used: Sequence[bool],
    state: tuple[list[int], list[int], list[int], list[int]],
    least: list[int],
) -> None:
    """Move the potentials so that one more edge is tight."""
    up, down, owner, _ = state
    for column, is_used in enumerate(used):
        if is_used:
            up[owner[column]] += delta
            down[column] -= delta
        else:
            least[column] -= delta
