"""When two halves fit together, what stands against it, and who else could fit.

The first half of a pair is the one that speaks for the truck. The order of the rules stands in
`join_match`.
"""

from collections.abc import Callable, Iterator, Sequence

from gateway.codec.join_facts import GOODS, LINK, VEHICLE, Half, day_of, values
from gateway.errors import Finding, Severity

Pair = tuple[Half, Half]
Fits = Callable[[Pair, int], bool]
United = Callable[[Half, Half], bool]
Rivals = Callable[[Pair, Sequence[Pair], United], set[str]]


def shared(pair: Pair, kind: str) -> frozenset[str]:
    """Return the values of a kind that both halves state."""
    return values(pair[0], kind) & values(pair[1], kind)


def _differ(pair: Pair, kind: str) -> bool:
    """Return whether both state values of a kind and none in common."""
    ours, theirs = values(pair[0], kind), values(pair[1], kind)
    return bool(ours and theirs) and not ours & theirs


def gates_differ(pair: Pair) -> bool:
    """Return whether both state a gate of one code list, and not the same."""
    ours, theirs = values(pair[0], "gate"), values(pair[1], "gate")
    lists = {gate.partition("/")[0] for gate in ours} & {gate.partition("/")[0] for gate in theirs}
    return any(
        {gate for gate in ours if gate.startswith(f"{name}/")}.isdisjoint(theirs) for name in lists
    )


def _in_window(pair: Pair, window_days: int) -> bool | None:
    """Return whether the days fit, None when one is not stated."""
    truck, goods = pair
    leaves, planned = day_of(truck), day_of(goods)
    if leaves is None or planned is None:
        return None
    return 0 <= (leaves - planned).days <= window_days


def _apart(pair: Pair) -> bool:
    """Return whether explicit numbers say that two halves are of different crossings."""
    return _differ(pair, "batch")


def explicit(name: str) -> Fits:
    """Make the rule that halves with a key of a kind in common belong together."""
    return lambda pair, window_days: bool(shared(pair, name))


def header_fits(pair: Pair, window_days: int) -> bool:
    """The free header text is the same, and nothing that both state speaks against it."""
    return (
        bool(shared(pair, "header-key"))
        and complementary(pair)
        and not _differ(pair, "plate")
        and not _differ(pair, "container")
        and _in_window(pair, window_days) is not False
    )


def branch_fits(pair: Pair, window_days: int) -> bool:
    """Both are branches of one divided declaration."""
    return bool(shared(pair, "divided")) and not _apart(pair)


def declaration_fits(pair: Pair, window_days: int) -> bool:
    """Both name one export declaration by its number."""
    return bool(shared(pair, "declaration")) and not _apart(pair)


def link_fits(pair: Pair, window_days: int) -> bool:
    """One of them names truck and goods, they share a container or plate, and the day fits."""
    if LINK not in {half.role for half in pair} or _apart(pair):
        return False
    near = _in_window(pair, window_days) is True
    return near and bool(shared(pair, "container") or shared(pair, "plate"))


def complementary(pair: Pair) -> bool:
    """Return whether one half can have what the other lacks."""
    return pair[0].role != pair[1].role and not _apart(pair)


def container_fits(pair: Pair, window_days: int) -> bool:
    """They share a container, and the day fits."""
    return (
        complementary(pair)
        and _in_window(pair, window_days) is True
        and bool(shared(pair, "container"))
    )


def plate_fits(pair: Pair, window_days: int) -> bool:
    """They share a plate, the day fits, and no containers speak against it."""
    return (
        complementary(pair)
        and _in_window(pair, window_days) is True
        and bool(shared(pair, "plate"))
        and not _differ(pair, "container")
    )


def _same_claim(pair: Pair, fitting: Sequence[Pair], united: United, kind: str) -> set[str]:
    """Return other trucks that claim the same container (plate) for the same goods."""
    truck, goods = pair
    claimed = shared(pair, kind)
    return {
        other.message_id
        for other, theirs in fitting
        if theirs is goods and not united(other, truck) and claimed & values(other, kind)
    }


def header_rivals(pair: Pair, fitting: Sequence[Pair], united: United) -> set[str]:
    """Other trucks with the same header text: many systems put the same one everywhere."""
    return _same_claim(pair, fitting, united, "header-key")


def link_rivals(pair: Pair, fitting: Sequence[Pair], united: United) -> set[str]:
    """Other trucks that claim the same container, or the same plate where none is shared."""
    kind = "container" if shared(pair, "container") else "plate"
    return _same_claim(pair, fitting, united, kind)


def container_rivals(pair: Pair, fitting: Sequence[Pair], united: United) -> set[str]:
    """A container stands on one truck; that several declarations list it is normal."""
    return _same_claim(pair, fitting, united, "container")


def plate_rivals(pair: Pair, fitting: Sequence[Pair], united: United) -> set[str]:
    """The plate alone joins one truck with one declaration, or with what is united already."""
    truck, goods = pair
    declarations = {
        theirs.message_id
        for other, theirs in fitting
        if other is truck and not united(theirs, goods)
    }
    return declarations | _same_claim(pair, fitting, united, "plate")


def truck_first(a: Half, b: Half) -> Pair:
    """Order a pair so that the one that speaks for the truck stands first."""
    rank = {VEHICLE: 0, LINK: 1, GOODS: 2}
    return (a, b) if rank[a.role] <= rank[b.role] else (b, a)


def gate_conflict(pair: Pair) -> Finding:
    """Make the finding that two halves name different gates."""
    ours, theirs = (", ".join(sorted(values(half, "gate"))) for half in pair)
    expected = f"{ours}, as in {pair[0].message_id}"
    return Finding("rule-broken", "join-gate", pair[1].message_id, theirs, expected)


def date_conflict(pair: Pair, window_days: int) -> Finding:
    """Make the warning that the truck does not leave in the window of the goods."""
    truck, goods = pair
    expected = f"{goods.day} of {goods.message_id}, or up to {window_days} days later"
    found = truck.day or ""
    return Finding(
        "rule-broken", "join-date", truck.message_id, found, expected, severity=Severity.WARN
    )


def contradictions(pair: Pair, window_days: int) -> Iterator[Finding]:
    """Yield what speaks against two halves of one set."""
    if gates_differ(pair):
        yield gate_conflict(pair)
    if _apart(pair):
        ours, theirs = (", ".join(sorted(values(half, "batch"))) for half in pair)
        expected = f"{ours}, as in {pair[0].message_id}"
        yield Finding("rule-broken", "join-batch", pair[1].message_id, theirs, expected)
    if pair[0].role != pair[1].role and _in_window(pair, window_days) is False:
        yield date_conflict(pair, window_days)


def outside_window(pair: Pair, window_days: int) -> bool:
    """Return whether only the day speaks against a container or plate in common."""
    if not complementary(pair) or _in_window(pair, window_days) is not False:
        return False
    return bool(shared(pair, "container") or shared(pair, "plate"))


def near_plates(pair: Pair) -> bool:
    """Return whether the plates differ only in O and 0, or I and 1 (never a reason to join)."""
    alike = complementary(pair) and bool(shared(pair, "plate-like"))
    return alike and not shared(pair, "plate")
