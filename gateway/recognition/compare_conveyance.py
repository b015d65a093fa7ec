"""Plates, containers and seals: equal, or led to by handovers and seal events."""

from collections.abc import Callable, Iterable

from gateway.model.inspection import Conveyance, SealState
from gateway.recognition import normalise
from gateway.recognition.conveyance import OFFICIAL, chained, seal_key, seals_after
from gateway.recognition.normalise import bare
from gateway.recognition.stated import Stated
from gateway.recognition.vector import Agreement, Verdict, listed, plainly
from gateway.recognition.view import View


def _plates(view: View, claim: Stated, seen: Conveyance) -> Verdict:
    """A plate may differ where a handover leads from the claimed conveyance to it."""
    claimed = {normalise.plate(each) for each in claim.inspection.conveyance.plates}
    observed = {normalise.plate(each) for each in seen.plates}
    observed = {_as_claimed(plate, claimed) for plate in observed}
    return _carried(view, "plates", claimed, observed)


def _as_claimed(plate: str, claimed: Iterable[str]) -> str:
    """Return the claimed plate that a camera read without its Han character."""
    same = (each for each in claimed if normalise.camera(each) == plate)
    return plate if plate in claimed else next(same, plate)


def _containers(view: View, claim: Stated, seen: Conveyance) -> Verdict:
    claimed = {normalise.container(each) for each in claim.inspection.conveyance.containers}
    observed = {normalise.container(each) for each in seen.containers}
    return _carried(view, "containers", claimed, observed)


def _carried(view: View, what: str, claimed: set[str], observed: set[str]) -> Verdict:
    if not claimed or not observed or observed <= claimed:
        return plainly(listed(claimed), listed(claimed if observed else observed))
    reached, by = chained(view.handovers, what, claimed)
    agreement = Agreement.EXPLAINED if observed <= reached else Agreement.CONFLICT
    return agreement, listed(claimed), listed(observed), by if observed <= reached else ()


def _seals(view: View, claim: Stated, seen: Conveyance) -> Verdict:
    """Sets are equal, unless seal events and handovers explain the change."""
    stated = claim.inspection.conveyance.seals
    claimed, observed = _seal_set(stated), _seal_set(seen.seals)
    if not claimed or not observed or claimed == observed:
        verdict = plainly(listed(claimed), listed(observed))
        return (Agreement.CONFLICT, *verdict[1:]) if _makers_differ(stated, seen.seals) else verdict
    reached, by = seals_after(view.seal_events, view.handovers, claimed)
    explained = bool(by) and observed <= reached and _gone(view, claimed - observed)
    agreement = Agreement.EXPLAINED if explained else Agreement.CONFLICT
    return agreement, listed(claimed), listed(observed), by if explained else ()


def _makers_differ(left: Iterable[SealState], right: Iterable[SealState]) -> bool:
    """Return True when one number is of two makers: numbers of two makers may be equal."""
    makers = {seal_key(each): bare(each.maker) for each in left if each.maker}
    return any(makers.get(seal_key(s), bare(s.maker)) != bare(s.maker) for s in right if s.maker)


def _gone(view: View, seals: set[str]) -> bool:
    """Return True when each of the seals was taken off by somebody who may."""
    events = {seal_key(event.seal) for _, event in view.seal_events if event.by in OFFICIAL}
    handed = {seal_key(seal) for _, body in view.handovers for seal in body.before.seals}
    return seals <= events | handed


def _seal_set(seals: Iterable[SealState]) -> set[str]:
    return {seal_key(each) for each in seals}


See = Callable[[View, Stated, Conveyance], Verdict]
CONVEYANCE_FIELDS: dict[str, tuple[str, See]] = {
    "plates": ("PLATE", _plates),
    "containers": ("CONTAINER", _containers),
    "seals": ("SEAL_SET", _seals),
}
"""Field -> reason code of a conflict, and how it is judged."""
