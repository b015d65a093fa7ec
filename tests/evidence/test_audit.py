"""The audit of a store with a real exchange behind it."""

from evidence_world import close_log, exchange, flaws

from gateway.flows.audit import audit


def test_an_honest_store_has_no_flaw(sides, tsa):
    exchange(sides)
    sides = close_log(sides, tsa)
    for side in sides.values():
        found = audit(side.services)
        assert found.flaws == []
        assert found.counts["heads"] == 1
        assert found.counts["leaves"] == found.counts["rows"] > 5
        assert found.counts["messages"] > 3
    assert flaws(sides["vn"]) == []
