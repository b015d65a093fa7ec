"""Checks of the goods: what differs, what is implausible, what is taken twice."""

from collections.abc import Iterator
from decimal import Decimal

from gateway.model.inspection import GoodsRef, Verdict
from gateway.recognition import ledger, normalise
from gateway.recognition.checks_document import same_question
from gateway.recognition.compare import carriers, compare
from gateway.recognition.outcomes import Reason, reason
from gateway.recognition.ruleset import Tare
from gateway.recognition.stated import Stated
from gateway.recognition.units import kilograms, shown
from gateway.recognition.vector import Agreement
from gateway.recognition.view import View


def differing(view: View) -> Iterator[Reason]:
    """Fields that conflict beyond tolerance, and what the claim contradicts in itself."""
    claim = view.stated
    if claim is None:
        return
    for result in compare(view):
        if result.agreement is Agreement.CONFLICT:
            yield result.reason()
    if len(view.directions) > 1:
        yield reason("ROUTE", ", ".join(sorted(view.directions)))
    for number in claim.inspection.conveyance.containers:
        if normalise.bad_check_digit(number):
            where = (f"{claim.digest}#$.body.conveyance.containers",)
            yield reason("CONTAINER_CHECK_DIGIT", number, where=where)
    yield from _masses(view, claim)


def _masses(view: View, claim: Stated) -> Iterator[Reason]:
    """Net is positive, gross not below it, and the tare of a package plausible."""
    goods = claim.result.goods
    net, gross = kilograms(goods.net), kilograms(goods.gross)
    where = (claim.at("goods"),)
    if net is not None and net <= 0:
        yield reason("QTY_NET", "net", shown(net), "> 0", where=where)
    if net is None or gross is None:
        return
    if gross < net:
        yield reason("QTY_GROSS", "gross below net", shown(gross), shown(net), where=where)
    for row in view.rule.tolerance.tare if view.rule else ():
        if (tare := _tare(goods, net, gross, row)) is not None:
            band = f"{shown(row.least)} to {shown(row.most)}"
            yield reason("TARE_IMPLAUSIBLE", row.kind, shown(tare), band, where=where)


def _tare(goods: GoodsRef, net: Decimal, gross: Decimal, row: Tare) -> Decimal | None:
    """Return the tare of one package when it is not plausible."""
    outer = [each for each in goods.packages if each.level == 1]
    count = sum(each.count for each in outer)
    if not count or any(each.kind != row.kind for each in outer):
        return None
    tare = (gross - net) / count
    return None if row.least <= tare <= row.most else tare.quantize(Decimal("0.001"))


def for_cause(view: View) -> Iterator[Reason]:
    """What is seen at the gate asks for a second look."""
    causes = view.rule.reinspection.for_cause if view.rule else ("SEAL_CONDITION",)
    if "SEAL_CONDITION" in causes:
        for digest, seen in carriers(view):
            for each in seen.seals:
                if each.condition != 1:
                    where = (f"{digest}#$.body.conveyance.seals",)
                    found = str(each.condition)
                    yield reason("SEAL_CONDITION", each.number, "1", found, where=where)
    for each_ in view.others:
        if each_.result.verdict is Verdict.FAIL and not same_question(view, each_):
            yield reason("FOR_CAUSE", str(each_.result.type), where=(each_.at("verdict"),))


def overdrawn(view: View) -> Iterator[Reason]:
    """What is taken from the certificate is no more than it certifies."""
    claim = view.stated
    if claim is None or claim.evidence.doc is None:
        return
    net = kilograms(claim.result.goods.net)
    if net is None:
        return
    ceiling = view.rule.tolerance.ceiling if view.rule else Decimal(0)
    wanted = ledger.demands(view.case.pool, normalise.doc(claim.evidence.doc), claim.result.line)
    for each in ledger.allot(net * (1 + ceiling), wanted):
        mine = not view.claim.journey or each.demand.journey == view.claim.journey
        if mine and each.granted < each.wanted:
            code = "QTY_PARTIAL" if each.granted > 0 else "QTY_OVERDRAWN"
            yield reason(code, each.demand.journey, shown(each.granted), shown(each.wanted),
                         where=(each.demand.digest, claim.digest))  # fmt: skip
