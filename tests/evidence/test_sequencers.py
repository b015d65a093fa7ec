"""Many nodes sequence at once, on both databases: the log never forks and loses nothing."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from evidence_world import closing, flaws, two_sides
from flow_sides import NOW
from postgres import postgres_database

from gateway import store as stores
from gateway.errors import InternalError, UnavailableError
from gateway.flows import heads, sequence
from gateway.flows.record import step

NODES = 4
EACH = 60


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store.db"
    else:
        with postgres_database(request.getfixturevalue("server_url")) as made:
            yield made


@dataclass
class LeapingClock:
    """Each look is beyond every lease: no node is ever kept out by one."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        self.at += timedelta(hours=1)
        return self.at


@pytest.mark.proves(
    attack="Several nodes build the log at once, and no lease holds",
    code="-",
    behaviour="Each waits for the other's commit; no leaf is lost, doubled or forked",
)
def test_many_sequencers_whose_leases_never_hold(tmp_path, keys, formats, url):
    with closing(two_sides(tmp_path, keys, formats, {"vn": url})) as sides:
        vn = sides["vn"]
        failures: list[BaseException] = []
        ready = threading.Barrier(NODES)

        def node(number: int) -> None:
            with stores.open(url) as store:
                services = replace(vn.services, store=store, clock=LeapingClock())
                ready.wait()
                try:
                    for count in range(EACH):
                        facts = {"n": number, "count": count}
                        noted = step(services, "refused", "", services.clock(), facts)
                        store.commit(noted.write)
                        if count % 3 == number % 3:
                            sequence.sequence(services, f"node {number}")
                except BaseException as fault:  # noqa: BLE001 - the test names it
                    failures.append(fault)

        threads = [threading.Thread(target=node, args=(n,)) for n in range(NODES)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        vn.clock.at += timedelta(days=30)
        sequence.sequence(vn.services, "last")
        assert vn.services.store.read(lambda tx: tx.log_size()) == NODES * EACH
        assert heads.make_head(vn.services, "last") == 1
        assert flaws(vn) == []


def test_a_fork_is_refused_by_the_tables(sides):
    """Also by a sequencer that ignores the lease: the number of a leaf is taken once."""
    services = sides["vn"].services
    noted = step(services, "refused", "", services.clock(), {"n": 1})
    services.store.commit(noted.write)
    sequence.sequence(services, "node")
    with pytest.raises(InternalError):
        services.store.commit(lambda tx: tx.extend_log([(0, 1, b"x" * 32)], []))
    assert flaws(sides["vn"]) == []


def test_rows_of_older_code_are_taken_too(sides):
    """Older code knows nothing of the log: a trigger queues what it appends."""
    services = sides["vn"].services
    old = "INSERT INTO evidence (message_id, entry, salt, leaf) VALUES ('', ?, ?, ?)"
    made = step(services, "refused", "", services.clock(), {"n": 1}).row
    services.store.commit(
        lambda tx: tx.connection.exec_driver_sql(old, (made.entry, made.salt, made.leaf))
    )
    assert sequence.sequence(services, "node") == 1
    assert heads.make_head(services, "node") == 1
    assert flaws(sides["vn"]) == []


@pytest.mark.proves(
    attack="The log cannot be extended",
    code="-",
    behaviour="Messages are accepted as before; their rows wait",
)
def test_acceptance_does_not_wait_for_the_log(sides):
    """A row that cannot be sequenced stops the log, not the house."""
    services = sides["vn"].services
    noted = step(services, "refused", "", services.clock(), {"n": 1})
    services.store.commit(noted.write)

    def broken(tx) -> None:
        tx.connection.exec_driver_sql("DROP TABLE log_leaf")

    services.store.commit(broken)
    with pytest.raises((UnavailableError, InternalError)):
        sequence.sequence(services, "node")
    services.store.commit(step(services, "refused", "", services.clock(), {"n": 2}).write)
    assert services.store.read(lambda tx: tx.untaken_evidence()) == 2
