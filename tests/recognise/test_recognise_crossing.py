"""A truck with dragon fruit, recognised by two gateways that each decide alone."""

from msgspec.structs import replace as change
from recognise_sides import CHECKED, codes, lose, phyto, state, talk, with_rules
from recognition_crossing import Crossing, hours, moment, registered

from gateway.flows.recognise_talk import send_statements
from gateway.model.bodies import Registry
from gateway.model.evidence import Kind, digest
from gateway.model.inspection import Verdict
from gateway.recognition.outcomes import Outcome
from gateway.recognition.receipt import read_receipt, verify_receipt
from gateway.signing.dsse import payload_of

TRUCK = Crossing()
CHECK = Crossing(check=Verdict.PASS)
NAMES = ("vn", "cn")


def both(sides):
    return [phyto(sides[name]) for name in NAMES]


def test_certificate_and_check_are_recognised_and_agreed(sides) -> None:
    state(sides, *TRUCK.evidence())
    talk(sides)
    for row in both(sides):
        assert row.outcome == Outcome.PENDING_COUNTERPART
        assert row.agreement == "AGREED", row.detail
    state(sides, CHECK.checked(Verdict.PASS))
    talk(sides)
    one, other = both(sides)
    assert one.outcome == other.outcome == Outcome.RECOGNISED, codes(one)
    assert (one.agreement, one.holds) == (other.agreement, other.holds) == ("AGREED", "RECOGNISED")
    assert (one.root, one.ruleset, one.decision) == (other.root, other.ruleset, other.decision)


def test_both_sides_keep_both_receipts_that_anybody_can_repeat(sides) -> None:
    state(sides, *CHECK.evidence())
    talk(sides)
    rules = sides["vn"].services.recognition.rules
    for name in NAMES:
        row, store = phyto(sides[name]), sides[name].services.store
        for side in ("VN", "CN"):
            chain = store.read(lambda tx, r=row, s=side: tx.receipts(r.claim, s))
            receipt = read_receipt(payload_of(chain[-1].envelope)[1])
            assert receipt.outcome is Outcome.RECOGNISED
            assert verify_receipt(receipt, CHECK.evidence(), rules).differences == ()


def test_a_statement_that_was_lost_is_found_and_mended(sides, tmp_path) -> None:
    state(sides, *CHECK.evidence())
    services = sides["vn"].services
    send_statements(services, services.counterpart())
    lost = digest(TRUCK.report())
    lose(tmp_path, "cn", lost)
    assert services.store.read(lambda tx: tx.undelivered(9)) == ()
    talk(sides)
    for name in NAMES:
        assert sides[name].services.store.read(lambda tx: tx.statement(lost)) is not None
    for row in both(sides):
        assert (row.outcome, row.agreement) == (Outcome.RECOGNISED, "AGREED")


def test_a_statement_of_our_own_that_we_lost_comes_back(sides, tmp_path) -> None:
    state(sides, *CHECK.evidence())
    talk(sides)
    lost = digest(TRUCK.report())
    lose(tmp_path, "vn", lost)
    state(sides, registered(Registry.PUC, "VN-PUC-001", days=-50))
    talk(sides)
    assert sides["vn"].services.store.read(lambda tx: tx.statement(lost)) is not None
    assert [row.agreement for row in both(sides)] == ["AGREED", "AGREED"]


def test_a_packing_house_suspended_while_the_truck_drives(sides) -> None:
    rule = ('suspension = "DEPARTURE"', 'suspension = "ARRIVAL"')
    for name in NAMES:
        sides[name] = with_rules(sides, name, CHECKED, rule)
    state(sides, *CHECK.evidence())
    talk(sides)
    assert phyto(sides["cn"]).outcome == Outcome.RECOGNISED
    suspended = registered(Registry.PHC, "VN-PHC-007", kind=Kind.SUSPEND)
    start = moment(TRUCK.at - hours(10))
    body = change(suspended.body, start=start)
    stated = moment(TRUCK.at + hours(12))
    state(sides, change(suspended, body=body, stated_at=stated, occurred_at=start))
    assert phyto(sides["vn"]).outcome == Outcome.SUSPENDED
    assert phyto(sides["vn"]).agreement == ""
    talk(sides)
    for row in both(sides):
        assert (row.outcome, row.agreement) == (Outcome.SUSPENDED, "AGREED")
        assert "FACILITY_SUSPENDED" in codes(row)


def test_rule_sets_that_differ_are_told_and_the_stricter_holds(sides) -> None:
    state(sides, *CHECK.evidence(), *CHECK.evidence())
    sides["cn"] = with_rules(sides, "cn", CHECKED, ("sample_min = 0.02", "sample_min = 0.01"))
    talk(sides)
    for name in NAMES:
        assert phyto(sides[name]).agreement == "RULESET_SKEW"
        (alarm,) = sides[name].services.store.read(lambda tx: tx.alarms())
        assert alarm.kind == "recognition-skew"


def test_a_deadline_that_passes_is_stated_and_agreed(sides) -> None:
    state(sides, *TRUCK.evidence())
    talk(sides)
    row = phyto(sides["vn"])
    assert row.due
    sides["vn"].clock.at += hours(72)
    talk(sides)
    for row in both(sides):
        assert (row.outcome, row.agreement) == (Outcome.REINSPECTION_REQUIRED, "AGREED")
        assert "DEADLINE_PASSED" in codes(row)
