"""A bit flipped on PostgreSQL: columns of each table are sampled, as SQLite has them all."""

from collections.abc import Iterator

import psycopg
import pytest
from evidence_world import close_log, closing, exchange, flaws, two_sides
from postgres import postgres_database

SAMPLED = [
    ("payload", "digest", "content", "payload-digest"),
    ("evidence", "id", "entry", "evidence-leaf"),
    ("evidence", "id", "salt", "evidence-leaf"),
    ("evidence", "id", "leaf", "evidence-leaf"),
    ("log_leaf", "seq", "leaf", "log-leaf"),
    ("log_node", "idx", "hash", "log-node"),
    ("log_head", "size", "root", "head-root"),
    ("log_head", "size", "token", "head-timestamp"),
    ("document", "role", "salt", "document-differs"),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory, keys, formats, tsa, server_url) -> Iterator[tuple[object, str]]:
    folder = tmp_path_factory.mktemp("server")
    with (
        postgres_database(server_url) as url,
        closing(two_sides(folder, keys, formats, {"vn": url})) as made,
    ):
        exchange(made)
        side = close_log(made, tsa)["vn"]
        with psycopg.connect(url, autocommit=True) as connection:
            for table in {name for name, *_ in SAMPLED}:
                connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        yield side, url


def test_an_honest_store_has_no_flaw(store):
    assert flaws(store[0]) == []


@pytest.mark.parametrize(("table", "key", "column", "rule"), SAMPLED)
def test_a_flipped_bit_is_found_and_named(store, table, key, column, rule):
    side, url = store
    with psycopg.connect(url, autocommit=True) as connection:
        at, value = connection.execute(
            f"SELECT {key}, {column} FROM {table} WHERE {column} IS NOT NULL "
            f"AND length({column}) > 0 ORDER BY {key} LIMIT 1"
        ).fetchone()
        change = f"UPDATE {table} SET {column} = %s WHERE {key} = %s AND {column} = %s"
        other = bytes([value[0] ^ 64, *value[1:]])
        assert connection.execute(change, (other, at, value)).rowcount == 1
        found = flaws(side)
        connection.execute(change, (value, at, other))
    assert rule in {name for name, _ in found}


@pytest.mark.proves(
    attack="A row of evidence is deleted, triggers and all",
    code="-",
    behaviour="The log has a leaf without its row; `gateway evidence audit` names it",
)
def test_a_deleted_row_of_evidence_is_found(store):
    side, url = store
    with psycopg.connect(url) as connection:
        connection.execute("DELETE FROM evidence WHERE id = (SELECT min(id) FROM evidence)")
        connection.commit()
    rules = {name for name, _ in flaws(side)}
    assert "evidence-lost" in rules
