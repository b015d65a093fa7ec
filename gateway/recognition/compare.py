"""The comparison vector: the claim's values against what was observed, field by field.

    EQUAL  WITHIN_TOLERANCE  EXPLAINED (by a handover, a seal event, an edition)
    MISSING_ONE  MISSING_BOTH  CONFLICT

Masses: of a claimed value a, after h hours, allowed are
[a (1 - rel - shrink h) - abs, a (1 + rel + gain) + abs]: goods may lose water, not gain it.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal

from gateway.model.evidence import Kind
from gateway.model.inspection import Conveyance, GoodsRef
from gateway.model.values import Identifier, Measure, Party
from gateway.recognition.compare_conveyance import CONVEYANCE_FIELDS
from gateway.recognition.hs import hs6
from gateway.recognition.normalise import bare, text
from gateway.recognition.ruleset import Tolerance
from gateway.recognition.stated import Stated
from gateway.recognition.units import kilograms, shown
from gateway.recognition.vector import Agreement, FieldResult, Verdict, listed, plainly
from gateway.recognition.view import View


def compare(view: View) -> tuple[FieldResult, ...]:
    """Return the vector of a claim: each field against each observation."""
    claim = view.stated
    if claim is None:
        return ()
    found: set[FieldResult] = set()
    for seen in view.observed:
        for field, (code, look) in GOODS_FIELDS.items():
            path = f".goods.{field}"
            where = (f"{claim.digest}#{claim.path}{path}", f"{seen.digest}#{seen.path}{path}")
            found.add(_result(view, field, code, look(view, claim, seen), where))
    for digest, seen_in in carriers(view):
        for field, (code, see) in CONVEYANCE_FIELDS.items():
            place = f"$.body.conveyance.{field}"
            where = (f"{claim.digest}#{place}", f"{digest}#{place}")
            found.add(_result(view, field, code, see(view, claim, seen_in), where))
    return tuple(sorted(found, key=by_place))


def by_place(result: FieldResult) -> tuple[str, ...]:
    """Return what results are sorted by: it depends on nothing but them."""
    return (result.field, *result.where, result.agreement, result.claimed, result.observed)


def carriers(view: View) -> Iterator[tuple[str, Conveyance]]:
    """Yield the conveyances that were seen: of observations and of passages."""
    for digest in sorted({seen.digest for seen in view.observed}):
        seen = next(s for s in view.observed if s.digest == digest)
        yield digest, seen.inspection.conveyance
    for kind in (Kind.DEPARTURE, Kind.ARRIVAL):
        for digest, _, body in view.sightings(kind):
            yield digest, body.conveyance


def _result(
    view: View, field: str, code: str, verdict: Verdict, where: tuple[str, ...]
) -> FieldResult:
    agreement, claimed, observed, by = verdict
    clause = f"{view.rule.id}#tolerance" if view.rule else ""
    return FieldResult(
        field=field, agreement=agreement, code=code, claimed=claimed, observed=observed,
        clause=clause, by=by, where=where,
    )  # fmt: skip


# --- goods -----------------------------------------------------------------------------------


def allowed(claimed: Decimal, hours: Decimal, tolerance: Tolerance) -> tuple[Decimal, Decimal]:
    """Return the least and the most that may be observed of a claimed mass."""
    down = min(Decimal(1), tolerance.rel + tolerance.shrink_per_hour * hours)
    least = claimed * (1 - down) - tolerance.abs_kg
    return least, claimed * (1 + tolerance.rel + tolerance.gain) + tolerance.abs_kg


def _tolerance(view: View) -> Tolerance:
    return view.rule.tolerance if view.rule else Tolerance()


def _mass(
    view: View, claim: Stated, seen: Stated, pick: Callable[[GoodsRef], Measure | None]
) -> Verdict:
    claimed, observed = kilograms(pick(claim.result.goods)), kilograms(pick(seen.result.goods))
    if claimed is None or observed is None or claimed == observed:
        return plainly(shown(claimed), shown(observed))
    gap = seen.span[1] - claim.span[0]
    hours = max(Decimal(0), Decimal(int(gap.total_seconds())) / 3600)
    least, most = allowed(claimed, hours, _tolerance(view))
    within = least <= observed <= most
    agreement = Agreement.WITHIN_TOLERANCE if within else Agreement.CONFLICT
    return agreement, shown(claimed), shown(observed), ()


def _net(view: View, claim: Stated, seen: Stated) -> Verdict:
    """Net mass; of a certificate that several vehicles share, what this one takes."""
    take = view.take
    if take is not None and take.quantity is not None:
        quantity = take.quantity
        return _mass(view, claim, seen, lambda g: quantity if g is claim.result.goods else g.net)
    return _mass(view, claim, seen, lambda goods: goods.net)


def _gross(view: View, claim: Stated, seen: Stated) -> Verdict:
    if view.claim.journey:
        return Agreement.MISSING_ONE, "", shown(kilograms(seen.result.goods.gross)), ()
    return _mass(view, claim, seen, lambda goods: goods.gross)


def _packages(view: View, claim: Stated, seen: Stated) -> Verdict:
    claimed, observed = _outer(claim.result.goods), _outer(seen.result.goods)
    if view.claim.journey:
        return Agreement.MISSING_ONE, "", _number(observed), ()
    verdict = plainly(_number(claimed), _number(observed))
    if claimed is not None and observed is not None and claimed != observed:
        within = abs(claimed - observed) <= _tolerance(view).packages
        return (Agreement.WITHIN_TOLERANCE if within else Agreement.CONFLICT, *verdict[1:])
    return verdict


def _outer(goods: GoodsRef) -> int | None:
    counts = [each.count for each in goods.packages if each.level == 1]
    return sum(counts) if counts else None


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _hs(view: View, claim: Stated, seen: Stated) -> Verdict:
    claimed, observed = hs6(claim.result.goods), hs6(seen.result.goods)
    verdict = plainly(claimed, observed)
    if verdict[0] is Agreement.CONFLICT and view.rules.tables.correlated(claimed, observed):
        return Agreement.EXPLAINED, claimed, observed, ("hs-editions",)
    return verdict


def _species(view: View, claim: Stated, seen: Stated) -> Verdict:
    species = view.rules.tables.species
    return plainly(species(claim.result.goods), species(seen.result.goods))


def _origin(_: View, claim: Stated, seen: Stated) -> Verdict:
    return plainly(text(claim.result.goods.origin), text(seen.result.goods.origin))


def _lots(_: View, claim: Stated, seen: Stated) -> Verdict:
    """Lots of an observation are some of those claimed."""
    claimed = {bare(lot) for lot in claim.result.goods.lots}
    observed = {bare(lot) for lot in seen.result.goods.lots}
    if claimed and observed and observed <= claimed:
        return Agreement.EQUAL, listed(claimed), listed(observed), ()
    return plainly(listed(claimed), listed(observed))


def _parties(_: View, claim: Stated, seen: Stated) -> Verdict:
    """Only registration numbers of one scheme can conflict; names are a hint."""
    for role in ("consignor", "consignee"):
        ours: Party | None = getattr(claim.inspection.parties, role)
        theirs: Party | None = getattr(seen.inspection.parties, role)
        for scheme, value in _ids(ours).items():
            other = _ids(theirs).get(scheme)
            if other is not None and other != value:
                return Agreement.CONFLICT, f"{role} {value}", f"{role} {other}", ()
    return Agreement.MISSING_BOTH, "", "", ()


def _ids(party: Party | None) -> dict[str, str]:
    numbers: tuple[Identifier, ...] = party.ids if party else ()
    return {each.scheme: bare(each.value) for each in numbers}


Look = Callable[[View, Stated, Stated], Verdict]
GOODS_FIELDS: dict[str, tuple[str, Look]] = {
    "net": ("QTY_NET", _net),
    "gross": ("QTY_GROSS", _gross),
    "packages": ("PKG_COUNT", _packages),
    "hs": ("HS6", _hs),
    "species": ("SPECIES", _species),
    "origin": ("ORIGIN", _origin),
    "lots": ("LOT", _lots),
    "parties": ("PARTY", _parties),
}
"""Field -> reason code of a conflict, and how it is judged."""
