"""Leases by name, on both databases."""

import pytest
from store_program import all_at_once, start
from store_sample import at

from gateway.flows.ports import Transaction
from gateway.store import Store


def hold(store: Store, owner: str, now: float, until: float, name: str = "chore") -> bool:
    return store.commit(lambda tx: tx.hold(name, owner, at(now), at(until)))


def test_one_owner_at_a_time_until_the_time_is_over(store: Store) -> None:
    assert hold(store, "a", 0, 60)
    assert not hold(store, "b", 1, 61)
    assert hold(store, "a", 30, 90), "its owner renews it"
    assert not hold(store, "b", 89, 149)
    assert hold(store, "b", 90, 150)
    assert not hold(store, "a", 91, 151)


def test_names_are_apart_and_a_lease_can_be_given_back(store: Store) -> None:
    assert hold(store, "a", 0, 60)
    assert hold(store, "b", 0, 60, name="another")
    assert hold(store, "a", 5, 5)
    assert hold(store, "b", 5, 65)


def test_a_lost_transaction_holds_nothing(store: Store) -> None:
    def work(tx: Transaction) -> None:
        tx.hold("chore", "a", at(0), at(60))
        raise LookupError

    with pytest.raises(LookupError):
        store.commit(work)
    assert hold(store, "b", 1, 61)


def test_of_many_processes_one_gets_it(url: str) -> None:
    told = all_at_once([start("hold", url, owner) for owner in "abcd"])
    assert sorted(told) == ["False", "False", "False", "True"]
