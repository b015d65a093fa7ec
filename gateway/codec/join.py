"""The join of halves: which documents speak of one crossing.

The rules, in their order; the first that finds something decides:

    join-ref   an explicit reference, agreed with the submitting systems
    batch      the road batch number (MT2401 with MT4402)
    link       a declaration number that both name
    container  a common container, the same gate, a date in the window
    plate      the plate, the same gate, a date in the window: only if exactly one on each side

Several candidates are shown and never picked. A half that contradicts is a finding.
What the halves say is put together by `gateway.codec.merge`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, Protocol

from gateway.errors import Finding
from gateway.model.manifest import Consignment, Manifest
from gateway.model.parameters import Parameters
from gateway.model.values import Identifier, plate_of

Keys = tuple[tuple[str, str], ...]
EXPLICIT = ("join-ref", "batch", "declaration")
"""Key kinds whose equality is enough; the report calls `declaration` the rule `link`."""

_NEVER_A_QUERY = "gate"


class HalfLike(Protocol):
    """What the join needs of a half (`gateway.flows.ports.Half` has it)."""

    @property
    def message_id(self) -> str:
        """The message that brought it."""
        ...

    @property
    def role(self) -> str:
        """vehicle | goods | link."""
        ...

    @property
    def set_id(self) -> str:
        """The set that it belongs to so far."""
        ...

    @property
    def day(self) -> str | None:
        """ISO day of the departure."""
        ...

    @property
    def keys(self) -> Keys:
        """What it may be joined by."""
        ...


@dataclass(frozen=True, slots=True)
class HalfFacts:
    """What a document offers to a join."""

    role: str
    day: str | None
    keys: Keys

    @property
    def asked(self) -> Keys:
        """The keys worth asking a store for: a gate alone joins nobody."""
        return tuple(key for key in self.keys if key[0] != _NEVER_A_QUERY)


@dataclass(frozen=True, slots=True)
class Decision:
    """join: with the halves in `message_ids`. wait: for somebody. ambiguous: `message_ids` all
    fit. conflict: `findings` say what contradicts."""

    state: Literal["join", "wait", "ambiguous", "conflict"]
    rule: str = ""
    message_ids: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def half_of(document: Manifest, parameters: Parameters, roles: Sequence[str]) -> HalfFacts:
    """Return what a decoded document offers. roles: of its mapping table."""
    day = document.exit_at.local[:10] if document.exit_at else None
    keys = dict.fromkeys((kind, value) for kind, value in _keys(document, parameters) if value)
    return HalfFacts(roles[0] if roles else "", day, tuple(keys))


def _keys(document: Manifest, parameters: Parameters) -> Iterator[tuple[str, str]]:
    if parameters.join_ref:
        yield "join-ref", parameters.join_ref
    yield from _of_scheme(document.identifiers, "vn.declarant-ref", "join-ref")
    yield from _of_scheme(document.identifiers, "cn.road-batch", "batch")
    if document.border_gate and document.border_gate.gate:
        yield "gate", document.border_gate.gate.value
    for means in document.means:
        if means.plate:
            yield "plate", means.plate.normalised
    for equipment in document.equipment:
        yield "container", equipment.id
    for waybill in document.consignments:
        yield from _goods_keys(waybill)


def _goods_keys(waybill: Consignment) -> Iterator[tuple[str, str]]:
    yield from _of_scheme(waybill.references, "vn.declarant-ref", "join-ref")
    for reference in waybill.references:
        if reference.scheme == "vn.planned-vehicle":
            yield "plate", plate_of(reference.value).normalised
    for previous in waybill.previous:
        if previous.id:
            yield "declaration", previous.id.value


def _of_scheme(
    identifiers: Iterable[Identifier], scheme: str, kind: str
) -> Iterator[tuple[str, str]]:
    yield from ((kind, i.value) for i in identifiers if i.scheme == scheme)


def decide(newcomer: HalfLike, candidates: Sequence[HalfLike], *, window_days: int) -> Decision:
    """Say whom a half joins. candidates: other open halves that share a key with it.

    The answer does not depend on the order of the candidates.
    """
    others = [c for c in candidates if c.message_id != newcomer.message_id]
    for kind in EXPLICIT:
        fits = [c for c in others if _shared(newcomer, c, kind)]
        if fits:
            return _joined("link" if kind == "declaration" else kind, newcomer, fits)
    near = [c for c in others if _near(newcomer, c, window_days)]
    opposite = [c for c in near if c.role != newcomer.role]
    if fits := [c for c in opposite if _shared(newcomer, c, "container")]:
        return _by_container(newcomer, fits, near)
    if fits := [c for c in opposite if _shared(newcomer, c, "plate")]:
        return _by_plate(newcomer, fits, near)
    return Decision("wait")


def _joined(rule: str, newcomer: HalfLike, fits: list[HalfLike]) -> Decision:
    """Join, unless a gate contradicts."""
    ids = tuple(sorted(c.message_id for c in fits))
    stated = _values(newcomer, "gate")
    for other in fits:
        contrary = _values(other, "gate")
        if stated and contrary and not stated & contrary:
            found, expected = " ".join(sorted(stated)), " ".join(sorted(contrary))
            finding = Finding("rule-broken", "join-gate", "border_gate.gate", found, expected)
            return Decision("conflict", rule, ids, (finding,))
    return Decision("join", rule, ids)


def _by_container(newcomer: HalfLike, fits: list[HalfLike], near: list[HalfLike]) -> Decision:
    """One container on two vehicles in one window cannot be told apart."""
    vehicles = [h for h in (newcomer, *near) if h.role == "vehicle"]
    claimed = [
        v
        for v in vehicles
        if any(_shared(v, w, "container") for w in vehicles if w.message_id != v.message_id)
    ]
    touched = {v.message_id for v in claimed} & {newcomer.message_id, *(c.message_id for c in fits)}
    if touched:
        return Decision("ambiguous", "container", tuple(sorted(v.message_id for v in claimed)))
    return _joined("container", newcomer, fits)


def _by_plate(newcomer: HalfLike, fits: list[HalfLike], near: list[HalfLike]) -> Decision:
    rivals = [c for c in near if c.role == newcomer.role and _shared(newcomer, c, "plate")]
    if len(fits) > 1 or rivals:
        ids = sorted(c.message_id for c in (*fits, *rivals))
        return Decision("ambiguous", "plate", tuple(ids))
    return _joined("plate", newcomer, fits)


def _values(half: HalfLike, kind: str) -> set[str]:
    return {value for name, value in half.keys if name == kind}


def _shared(a: HalfLike, b: HalfLike, kind: str) -> set[str]:
    return _values(a, kind) & _values(b, kind)


def _near(a: HalfLike, b: HalfLike, window_days: int) -> bool:
    """The same gate where both say one, and the departure within the window.

    A goods document says the planned day: planned <= departure <= planned + window.
    """
    gates = _values(a, "gate"), _values(b, "gate")
    if all(gates) and not gates[0] & gates[1]:
        return False
    if a.day is None or b.day is None:
        return False
    days = {half.role: date.fromisoformat(half.day) for half in (a, b) if half.day}
    if len(days) == 1:
        return a.day == b.day or abs(
            date.fromisoformat(a.day) - date.fromisoformat(b.day)
        ) <= timedelta(days=window_days)
    planned = days.get("goods", days.get("link"))
    leaves = days.get("vehicle", days.get("link"))
    if planned is None or leaves is None:
        return False
    return planned <= leaves <= planned + timedelta(days=window_days)


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
    full = {
        e.id
        for role, d in parts
        if role == "vehicle"
        for e in d.equipment
        if e.fullness is None or e.fullness.value != "4"
    }
    if on_trucks and with_goods - on_trucks:
        return "container-without-truck"
    if with_goods and full - with_goods and parameters.expected_halves is None:
        return "container-without-goods"
    return None
