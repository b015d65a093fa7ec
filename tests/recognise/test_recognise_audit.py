"""A change of any column of recognition that is evidence is found by the audit."""

import sqlite3
from contextlib import closing

from recognise_sides import state, talk
from recognition_crossing import Crossing

from gateway.evidence.audit_scope import is_evidence
from gateway.flows.audit import audit
from gateway.model.inspection import Verdict
from gateway.store.tables import METADATA

COLUMNS = [
    (table.name, column.name)
    for table in METADATA.sorted_tables
    if table.name.startswith("recognition_")
    for column in table.columns
    if is_evidence(table.name, column.name)
]


def flaws(side):
    return {flaw.rule for flaw in audit(side.services).flaws}


def flipped(value):
    if isinstance(value, bytes):
        return bytes([*value[:-9], value[-9] ^ 1, *value[-8:]])
    if isinstance(value, int):
        return value ^ 1
    return value[:-1] + chr(ord(value[-1]) ^ 1)


def test_every_change_of_recognition_is_found(sides, tmp_path) -> None:
    state(sides, *Crossing().evidence())
    talk(sides)
    state(sides, Crossing().checked(Verdict.PASS))
    talk(sides)
    before = flaws(sides["vn"])
    assert before == set()
    counts = audit(sides["vn"].services).counts
    assert (counts["statements"], counts["recognition receipts"]) == (9, 5)
    assert len(COLUMNS) == 10
    for table, column in COLUMNS:
        with closing(sqlite3.connect(tmp_path / "vn.db", isolation_level=None)) as database:
            key = "rowid" if table == "recognition_statement" else "number, claim, side"
            (value,) = database.execute(
                f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY {key} LIMIT 1"
            ).fetchone()
            if isinstance(value, int) and column == "number":
                value = database.execute(f"SELECT max({column}) FROM {table}").fetchone()[0]
                other = value + 1
            else:
                other = flipped(value)
            change = f"UPDATE {table} SET {column} = ? WHERE {column} = ?"
            database.execute(change, (other, value))
            found = flaws(sides["vn"])
            database.execute(change, (value, other))
        assert found & {"recognition-signature", "recognition-differs"}, (table, column)
    assert flaws(sides["vn"]) == set()
