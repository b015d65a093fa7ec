"""The join of halves: which documents speak of one crossing, and when a set is complete.

`half_of` says what a document offers, `decide` whom it joins (the order of the rules stands in
`gateway.codec.join_match`), `closed` whether anything is still missing. What the halves say is
put together by `gateway.codec.merge`.
"""

from collections.abc import Sequence

from gateway.codec.join_facts import HalfFacts, half_of
from gateway.codec.join_match import Decision, arrange, decide
from gateway.codec.rules_crossing import is_empty
from gateway.model.manifest import Consignment, Manifest
from gateway.model.parameters import Parameters

__all__ = ["Decision", "HalfFacts", "arrange", "closed", "decide", "half_of"]


def closed(parts: Sequence[tuple[str, Manifest]], parameters: Parameters) -> str | None:
    """Return None when a set is complete, else the reason that it waits.

    parts: (role, document). The reasons: expected-halves, vehicle-missing, goods-missing,
    branch-missing, container-without-truck, container-without-goods.
    """
    expected = parameters.expected_halves
    if expected is not None and len(parts) < expected:
        return "expected-halves"
    roles = {role for role, _ in parts}
    if "link" not in roles:
        for role in ("vehicle", "goods"):
            if role not in roles:
                return f"{role}-missing"
    if any(_branches_missing(waybill, parts) for _, d in parts for waybill in d.consignments):
        return "branch-missing"
    return _uncovered(parts, parameters)


def _branches_missing(waybill: Consignment, parts: Sequence[tuple[str, Manifest]]) -> bool:
    for previous in waybill.previous:
        if previous.first is None or not previous.branches:
            continue
        present = {
            p.branch
            for _, document in parts
            for c in document.consignments
            for p in c.previous
            if p.first == previous.first
        }
        if not set(range(1, previous.branches + 1)) <= present:
            return True
    return False


def _uncovered(parts: Sequence[tuple[str, Manifest]], parameters: Parameters) -> str | None:
    """Containers tie goods and trucks: each side's must be on the other."""
    if parameters.partial or any(role == "link" for role, _ in parts):
        return None
    on_trucks = {e.id for role, d in parts if role == "vehicle" for e in d.equipment}
    with_goods = {ref for _, d in parts for c in d.consignments for ref in c.equipment_refs}
    full = {e.id for role, d in parts if role == "vehicle" for e in d.equipment if not is_empty(e)}
    if on_trucks and with_goods - on_trucks:
        return "container-without-truck"
    if full - with_goods and parameters.expected_halves is None:
        return "container-without-goods"
    return None
