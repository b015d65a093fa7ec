"""A bit flipped in any column of any table that is evidence is found and named."""

import contextlib
import random
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from evidence_world import close_log, closing, exchange, flaws, two_sides, vault_of
from flow_sides import Side

from gateway import store as stores
from gateway.evidence.audit_scope import NOT_EVIDENCE, is_evidence
from gateway.store.tables import METADATA

ROWS = 3
"""Rows of each column that are changed, one after the other."""

COLUMNS = [
    (table.name, column.name) for table in METADATA.sorted_tables for column in table.columns
]
ELSEWHERE = ("ledger_", "recognition_")
"""Tables of the mutual ledger (tests/settle) and of recognition (tests/recognise)."""
PROVEN = [pair for pair in COLUMNS if is_evidence(*pair) and not pair[0].startswith(ELSEWHERE)]


@dataclass
class Victim:
    """A side whose database file may be changed behind its back."""

    side: Side
    file: Path


@pytest.fixture(scope="module")
def populated(tmp_path_factory, keys, formats, tsa) -> Iterator[Side]:
    folder = tmp_path_factory.mktemp("populated")
    with closing(two_sides(folder, keys, formats, {}, vault=True)) as made:
        exchange(made)
        yield close_log(made, tsa)["vn"]


@pytest.fixture(scope="module")
def victim(populated, tmp_path_factory) -> Iterator[Victim]:
    file = tmp_path_factory.mktemp("victim") / "vn.db"
    source = populated.services.store
    original = Path(str(source.read(lambda tx: tx.connection.engine.url.database)))
    with sqlite3.connect(original) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(original, file)
    with sqlite3.connect(file) as connection:  # who can write files can drop triggers
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in names.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
    connection.close()
    with stores.open(f"sqlite:///{file}", vault=vault_of(populated)) as opened:
        side = replace(populated, services=replace(populated.services, store=opened))
        assert flaws(side) == []
        yield Victim(side, file)


def flips(value: object, chance: random.Random) -> Iterator[object]:
    """Yield the value with one bit changed, another one each time."""
    while True:
        if isinstance(value, bytes):
            octets = bytearray(value)
            octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)
            yield bytes(octets)
        elif isinstance(value, int):
            yield value ^ (1 << chance.randrange(16))
        else:
            assert isinstance(value, str)
            at = chance.randrange(len(value))
            yield value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]


def test_every_column_is_evidence_or_says_why_not() -> None:
    names = {table for table, _ in COLUMNS} | {".".join(pair) for pair in COLUMNS}
    assert set(NOT_EVIDENCE) <= names
    assert len(PROVEN) > 50
    assert all(len(reason) > 10 for reason in NOT_EVIDENCE.values())


@pytest.mark.proves(
    attack="A bit is flipped in any column of the database that is evidence",
    code="-",
    behaviour="`gateway evidence audit` names the row and ends with 1",
)
@pytest.mark.parametrize(("table", "column"), PROVEN, ids=lambda name: name)
def test_a_flipped_bit_is_found(victim: Victim, table: str, column: str) -> None:
    chance = random.Random(f"{table}.{column}")
    key = [c.name for c in METADATA.tables[table].primary_key]
    place = " AND ".join(f'"{name}" = ?' for name in key)
    with sqlite3.connect(victim.file) as connection:
        chosen = ", ".join(f'"{name}"' for name in (*key, column))
        rows = connection.execute(
            f'SELECT {chosen} FROM "{table}" '
            f'WHERE "{column}" IS NOT NULL AND length("{column}") > 0'
        ).fetchall()
    connection.close()
    assert rows, "no row shows it"
    for *at, value in chance.sample(rows, min(ROWS, len(rows))):
        write = f'UPDATE "{table}" SET "{column}" = ? WHERE {place}'
        for other in flips(value, chance):
            with contextlib.suppress(sqlite3.IntegrityError):  # it is another row's key
                execute(victim.file, write, [other, *at])
                break
        there = [other if name == column else v for name, v in zip(key, at, strict=True)]
        found = flaws(victim.side)
        execute(victim.file, write, [value, *there])
        assert found, f"{value!r} -> {other!r}"
    assert flaws(victim.side) == []


def execute(file: Path, statement: str, values: list[object]) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        assert connection.execute(statement, values).rowcount == 1
    finally:
        connection.close()
