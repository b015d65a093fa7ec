"""One side on PostgreSQL, the other on SQLite: heads, days, what was lost."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from flow_sides import NAMES, NOW, Clock, Wire
from ledger_sides import OTHER, connect, crossing, kinds, log, make_sides
from postgres import postgres_database, postgres_server

from gateway import store
from gateway.flows.audit import audit
from gateway.flows.settle import settle, usual_days
from gateway.flows.settle_heads import offer_head
from gateway.model.states import MessageKind

DAY = str(NOW.date())


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres_server() as url:
        yield url


@pytest.fixture(params=["vn", "cn"])
def mixed(request, tmp_path, keys, formats, server) -> Iterator[tuple[dict, str, str]]:
    """The sides, which of them is on PostgreSQL, and its URL."""
    name = request.param
    sides = make_sides(tmp_path, keys, formats, Clock(), Wire())
    with postgres_database(server) as url:
        store.upgrade(url)
        sides[name].services.store.close()
        services = replace(sides[name].services, store=store.open(url))
        sides[name] = replace(sides[name], services=services)
        connect(sides[name], NAMES[OTHER[name]])
        yield sides, name, url
        for side in sides.values():
            side.services.store.close()


def test_a_ledger_between_two_kinds_of_database(mixed):
    sides, name, url = mixed
    crossing(sides)
    for side in sides.values():
        log(side)
        assert offer_head(side.services) == "cosigned"
    for side in sides.values():
        (day,) = settle(side.services, usual_days(side.services)).days
        assert (day.day, day.agreed) == (DAY, True)
    kind = {"vn": MessageKind.OUTBOUND, "cn": MessageKind.INBOUND}[name]
    services = sides[name].services
    lost = services.store.read(lambda tx: tx.search(kind=kind)).messages[0]
    with psycopg.connect(url) as database:
        for table in ("event", "message_key", "document", "task"):
            database.execute(f"DELETE FROM {table} WHERE message_id = %s", (lost.id,))
        database.execute("DELETE FROM message WHERE id = %s", (lost.id,))
    (day,) = settle(sides[OTHER[name]].services, [DAY]).days
    assert day.returned == [lost.external_id]
    assert day.agreed
    assert kinds(sides["vn"]) == kinds(sides["cn"]) == []
    found = {flaw.rule for flaw in audit(services).flaws}
    assert not {rule for rule in found if rule.startswith("ledger")}
