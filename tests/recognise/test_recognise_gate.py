"""A gate asks; linking finds what names nothing; a fault is frozen and told."""

from dataclasses import replace

from msgspec.structs import replace as change
from recognise_sides import QUARANTINE, phyto, state, talk
from recognition_crossing import GACC, START, Crossing, hours, statement

from gateway.evidence.ledger_recognition import AskReceipts, Decided
from gateway.flows.recognise import recognition_of
from gateway.flows.recognise_agree import judged
from gateway.flows.recognise_answer import told
from gateway.flows.recognise_ask import claims_by
from gateway.model.bodies import Passage
from gateway.model.evidence import Kind
from gateway.model.inspection import Verdict
from gateway.model.manifest import Direction
from gateway.recognition.agree import Agreed
from gateway.recognition.outcomes import Outcome
from gateway.recognition.receipt import read_receipt, sign_receipt
from gateway.signing.dsse import payload_of

TRUCK = Crossing(check=Verdict.PASS)


def asked(side, kind: str = "plate", value: str = "12C-12345"):
    found = claims_by(side.services, QUARANTINE, kind, value)
    return {str(view.decision.claim).rpartition("/")[2]: view for view in found}


def test_a_gate_gets_what_both_agreed_on_with_both_receipts(sides) -> None:
    state(sides, *TRUCK.evidence())
    talk(sides)
    for name in ("vn", "cn"):
        view = asked(sides[name])["PHYTO"]
        assert (view.holds, view.agreement) == (Outcome.RECOGNISED, "AGREED")
        assert {side for side, _ in view.receipts} == {"VN", "CN"}
        assert all(payload_of(envelope) for _, envelope in view.receipts)


def test_what_expires_while_the_truck_is_awaited_does_not_hold(sides) -> None:
    waiting = replace(TRUCK, check=None, without=frozenset({"arrival", "weighed"}))
    state(sides, *waiting.evidence())
    talk(sides)
    sides["vn"].clock.at += hours(24 * 40)
    view = asked(sides["vn"])["PHYTO"]
    assert (view.decision.outcome, view.agreement) == (Outcome.REINSPECTION_REQUIRED, "AGREED")
    assert view.holds is Outcome.EXPIRED


def test_an_arrival_that_names_no_document_is_linked_on_both_sides(sides) -> None:
    lone = statement(
        Kind.ARRIVAL,
        Passage(
            journey="E-GATE-77", place="CKHN", direction=Direction.VN_CN, conveyance=TRUCK.seen
        ),
        GACC,
        START + hours(24),
    )
    without = replace(TRUCK, without=frozenset({"arrival"}), more=(lone,))
    state(sides, *without.evidence())
    talk(sides)
    for name in ("vn", "cn"):
        row = phyto(sides[name])
        assert (row.outcome, row.agreement) == (Outcome.RECOGNISED, "AGREED")
    one, two = (asked(sides[name])["PHYTO"].decision for name in ("vn", "cn"))
    assert one == two


def test_a_receipt_that_cannot_be_is_a_fault_and_the_stricter_holds(sides) -> None:
    state(sides, *TRUCK.evidence())
    talk(sides)
    vn, cn = sides["vn"].services, sides["cn"].services
    row = phyto(sides["vn"])
    (*_, last) = vn.store.read(lambda tx: tx.receipts(row.claim, "CN"))
    honest = read_receipt(payload_of(last.envelope)[1])
    false = change(honest, outcome=Outcome.DISCREPANT, previous="0" * 64)
    signed = sign_receipt(false, [cn.head_signer])
    digests = asked_digests(sides)
    told(vn, vn.counterpart(), AskReceipts((Decided(signed, digests),)))
    row = phyto(sides["vn"])
    assert (row.agreement, row.holds) == ("DIVERGENT", Outcome.DISCREPANT)
    (alarm,) = vn.store.read(lambda tx: tx.alarms())
    assert alarm.kind == "recognition-divergent"
    assert signed in (alarm.proof or b"")
    assert vn.store.read(lambda tx: tx.open_claims(9)) == (), "frozen"
    assert asked(sides["vn"])["PHYTO"].holds is Outcome.DISCREPANT


def asked_digests(sides) -> tuple[str, ...]:
    """All that the Chinese side has: what its question would name."""
    rows = sides["cn"].services.store.read(lambda tx: tx.recognition_rows())[0]
    return tuple(row.digest for row in rows)


def test_equal_statements_with_other_roots_are_a_fault(sides) -> None:
    state(sides, *TRUCK.evidence())
    talk(sides)
    (row,) = sides["vn"].services.store.read(
        lambda tx: tx.receipts(phyto(sides["vn"]).claim, "VN")
    )[-1:]
    mine = read_receipt(payload_of(row.envelope)[1])
    other = change(mine, root="0" * 64)
    assert judged(mine, other, same=True).result is Agreed.DIVERGENT
    assert judged(mine, other, same=False).result is Agreed.MISSING_EVIDENCE
    assert recognition_of(sides["vn"].services).rules.digest == mine.ruleset
