"""Chains of conveyances: a change of vehicle, unit, container or seal that was recorded.

Goods go from a truck to a guided vehicle, from tractor to tractor, from body to body. A plate
that a chain of handovers leads to is no conflict; one without a handover is.
"""

from collections.abc import Iterable, Sequence

from gateway.model.bodies import Handover, SealEvent
from gateway.model.inspection import Conveyance, SealState
from gateway.recognition import normalise
from gateway.recognition.normalise import bare

OFFICIAL = frozenset(("CU", "AC"))
"""Who may take a seal off: customs, quarantine agency (UNECE sealing parties)."""


def carriers(conveyance: Conveyance, what: str) -> set[str]:
    """Return plates with trailers and units, or containers."""
    if what == "containers":
        return {normalise.container(each) for each in conveyance.containers}
    plates = {normalise.plate(each) for each in (*conveyance.plates, *conveyance.trailers)}
    return plates | {bare(unit) for unit in conveyance.units}


def chained(
    handovers: Sequence[tuple[str, Handover]], what: str, start: Iterable[str]
) -> tuple[set[str], tuple[str, ...]]:
    """Return all carriers that handovers lead to from some, and the handovers that do."""
    return _closure(
        start, [(d, carriers(h.before, what), carriers(h.after, what)) for d, h in handovers]
    )


def seal_key(seal: SealState) -> str:
    """Return the comparable number; the maker is compared apart, where both sides state it."""
    return normalise.seal(seal.number)


def seals_after(
    events: Sequence[tuple[str, SealEvent]],
    handovers: Sequence[tuple[str, Handover]],
    start: Iterable[str],
) -> tuple[set[str], tuple[str, ...]]:
    """Return all seals that replacements by officials and handovers lead to, and by what."""
    edges = [
        (digest, {seal_key(event.seal)}, {seal_key(s) for s in (event.replaced_by,) if s})
        for digest, event in events
        if event.by in OFFICIAL
    ]
    edges += [
        (digest, {seal_key(s) for s in h.before.seals}, {seal_key(s) for s in h.after.seals})
        for digest, h in handovers
    ]
    return _closure(start, edges)


def _closure(
    start: Iterable[str], edges: Sequence[tuple[str, set[str], set[str]]]
) -> tuple[set[str], tuple[str, ...]]:
    """Return what can be reached, and over which edges."""
    reached, used = set(start), set[str]()
    grew = True
    while grew:
        grew = False
        for digest, before, after in edges:
            if digest not in used and before & reached:
                used.add(digest)
                reached |= after
                grew = True
    return reached, tuple(sorted(used))
