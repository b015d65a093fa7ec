"""A change of any column of the ledger that is evidence is found by the audit."""

import sqlite3
from contextlib import closing

import pytest
from flow_sides import NOW
from ledger_sides import backup, crossing, log, restore

from gateway.evidence.audit_scope import is_evidence
from gateway.flows.audit import audit
from gateway.flows.settle import settle
from gateway.flows.settle_heads import offer_head
from gateway.store.tables import METADATA

COLUMNS = [
    (table.name, column.name)
    for table in METADATA.sorted_tables
    if table.name.startswith("ledger_")
    for column in table.columns
    if is_evidence(table.name, column.name)
]


@pytest.fixture
def populated(sides, tmp_path):
    """Heads of both logs, a restoration, a day."""
    crossing(sides)
    for side in sides.values():
        log(side)
        offer_head(side.services)
    old = backup(tmp_path, "vn")
    crossing(sides)
    log(sides["vn"])
    offer_head(sides["vn"].services)
    restore(sides, tmp_path, "vn", old)
    assert offer_head(sides["vn"].services) == "restored"
    settle(sides["vn"].services, [str(NOW.date())])
    return sides


def flaws(side):
    return {flaw.rule for flaw in audit(side.services).flaws}


def flipped(value):
    if isinstance(value, bytes):
        return bytes([value[0], *value[1:-9], value[-9] ^ 1, *value[-8:]])
    if isinstance(value, int):
        return value ^ 1
    return value[:-1] + chr(ord(value[-1]) ^ 1)


def test_every_change_of_the_ledger_is_found(populated, tmp_path):
    before = flaws(populated["vn"])
    assert not {rule for rule in before if rule.startswith("ledger")}
    counts = audit(populated["vn"].services).counts
    assert counts["ledger heads"] >= 3
    assert (counts["restorations"], counts["ledger days"]) == (1, 1)
    for table, column in COLUMNS:
        with closing(sqlite3.connect(tmp_path / "vn.db", isolation_level=None)) as database:
            (value,) = database.execute(f"SELECT {column} FROM {table}").fetchone()
            change = f"UPDATE {table} SET {column} = ? WHERE {column} = ?"
            database.execute(change, (flipped(value), value))
            found = flaws(populated["vn"]) - before
            database.execute(change, (value, flipped(value)))
        assert found & {"ledger-signature", "ledger-differs"}, (table, column)
    assert flaws(populated["vn"]) == before
