"""Which pack is in force is bound in the store, in one commit, and only goes up."""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway import store as stores
from gateway.errors import TrustError
from gateway.evidence.pack_seal import InForce
from gateway.flows.packs import in_force, take

NOW = datetime(2026, 5, 14, tzinfo=UTC)


class Numbered:
    """As much of a pack as `take` looks at."""

    def __init__(self, version: int) -> None:
        self.version = version


@pytest.fixture
def store(tmp_path: Path) -> Iterator[stores.Store]:
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    stores.upgrade(url)
    with stores.open(url) as opened:
        yield opened


def taken(store: stores.Store, version: int, digest: str, party: str = "cn") -> bool:
    made: Any = Numbered(version)
    return take(store, party, made, digest, NOW, os.urandom)


def now(store: stores.Store, party: str = "cn") -> InForce | None:
    return store.read(lambda tx: in_force(tx, party))


def rows(store: stores.Store) -> list[int]:
    kept = store.read(lambda tx: tx.evidence_of(""))
    return [json.loads(row.entry)["version"] for row in kept]


def test_versions_rise_and_may_leave_some_out(store: stores.Store) -> None:
    assert now(store) is None
    for version in (2, 3, 9):
        assert taken(store, version, f"d{version}")
        assert now(store) == InForce(version, f"d{version}")
    assert now(store, "la") is None
    assert rows(store) == [2, 3, 9]


def test_taking_one_again_changes_nothing(store: stores.Store) -> None:
    assert taken(store, 4, "d4")
    assert not taken(store, 4, "d4")
    assert rows(store) == [4]


@pytest.mark.parametrize(
    ("version", "digest", "code", "rule"),
    [
        (3, "d3", "stale", "pack-older"),
        (1, "new", "stale", "pack-older"),
        (4, "other", "id-conflict", "pack-version"),
    ],
)
def test_there_is_no_way_back(
    store: stores.Store, version: int, digest: str, code: str, rule: str
) -> None:
    taken(store, 3, "d3")
    taken(store, 4, "d4")
    with pytest.raises(TrustError) as caught:
        taken(store, version, digest)
    assert (caught.value.code, caught.value.findings[0].rule) == (code, rule)
    assert now(store) == InForce(4, "d4")
    assert rows(store) == [3, 4]


def test_two_at_once_leave_one_in_force(store: stores.Store) -> None:
    def one(number: int) -> str:
        try:
            taken(store, 7, f"d{number}")
        except TrustError as refused:
            return refused.findings[0].rule
        return f"d{number}"

    with ThreadPoolExecutor(8) as pool:
        found = sorted(pool.map(one, range(8)))
    assert found[1:] == ["pack-version"] * 7
    assert now(store) == InForce(7, found[0])
    assert rows(store) == [7]
