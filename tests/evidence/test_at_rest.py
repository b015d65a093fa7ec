"""Payloads at rest, on both databases: what lies there, who can open it, new keys."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from evidence_world import close_log, closing, exchange, flaws, hand_in, two_sides, vault_of
from postgres import postgres_database
from sqlalchemy import select

from gateway import store as stores
from gateway.errors import UnavailableError
from gateway.flows import prune
from gateway.store.tables import payload
from gateway.store.tables_log import data_key
from gateway.store.vault import Vault

PERSONAL = ("NGUYEN VAN MAU", "TRAN VAN MAU", "C0000001", "0771-0000001", "PHO MAU")
NEW_KEY = bytes(range(32, 64))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store.db"
    else:
        with postgres_database(request.getfixturevalue("server_url")) as made:
            yield made


@pytest.fixture
def sealed(tmp_path, keys, formats, url):
    with closing(two_sides(tmp_path, keys, formats, {"vn": url}, vault=True)) as made:
        yield made


@pytest.fixture
def clear(tmp_path, keys, formats, url):
    with closing(two_sides(tmp_path, keys, formats, {"vn": url})) as made:
        yield made


@contextlib.contextmanager
def opened(side, url: str, vault: Vault | None):
    """The store again, as another process would open it."""
    with stores.open(url, vault=vault) as store:
        yield replace(side, services=replace(side.services, store=store))


def rows_of(side) -> list:
    columns = select(payload.c.digest, payload.c.key_id, payload.c.content)
    return side.services.store.read(lambda tx: tx.connection.execute(columns).all())


def data_keys(side) -> list[tuple[str, str]]:
    columns = select(data_key.c.id, data_key.c.wrapper).order_by(data_key.c.created)
    found = side.services.store.read(lambda tx: tx.connection.execute(columns).all())
    return [tuple(row) for row in found]


def original(side, message_id: str) -> bytes:
    return side.services.store.read(lambda tx: tx.content(message_id, "original"))


def assert_closed(side) -> None:
    for row in rows_of(side):
        assert row.key_id is not None
        assert not any(value.encode() in row.content for value in PERSONAL)


def test_what_lies_there_is_closed_and_comes_back(sealed, url):
    vn = sealed["vn"]
    done = exchange(sealed)
    assert_closed(vn)
    assert b"NGUYEN VAN MAU" in original(vn, done.messages[0])
    with opened(vn, url, vault_of(vn)) as again:
        again.services.store.check()
        assert original(again, done.messages[0]) == original(vn, done.messages[0])
    assert len(data_keys(vn)) == 1, "processes share the data key"


def test_no_personal_value_lies_in_the_file(tmp_path, keys, formats):
    with closing(two_sides(tmp_path, keys, formats, {}, vault=True)) as sides:
        exchange(sides)
        octets = b"".join(file.read_bytes() for file in tmp_path.glob("*.db*"))
    for value in PERSONAL:
        assert value.encode() not in octets, value


@pytest.mark.proves(
    attack="The database is read by somebody without the key at rest",
    code="unavailable",
    rule="at-rest-key",
    behaviour="Payloads are AES-256-GCM; the gateway names the key that is missing",
)
def test_without_the_key_it_is_unavailable_and_the_key_is_named(sealed, url):
    vn = sealed["vn"]
    done = hand_in(vn, "tor.edi")
    for vault, named in (
        (None, data_keys(vn)[0][0]),
        (vault_of(vn, {"other": NEW_KEY}), "wrap-1"),
        (vault_of(vn, {"wrap-1": NEW_KEY}), "wrap-1"),
    ):
        with opened(vn, url, vault) as other, pytest.raises(UnavailableError) as caught:
            original(other, done.messages[0])
        assert [(f.rule, f.found) for f in caught.value.findings] == [("at-rest-key", named)]
    with (
        opened(vn, url, vault_of(vn, {"other": NEW_KEY})) as other,
        pytest.raises(UnavailableError),
    ):
        other.services.store.check()


@pytest.mark.proves(
    attack="An encrypted payload is changed, or put in another one's place",
    code="unavailable",
    rule="payload-damaged",
    behaviour="It does not open; the audit names it",
)
def test_a_changed_or_swapped_ciphertext_does_not_open(sealed):
    vn = sealed["vn"]
    done = hand_in(vn, "tor.edi")
    documents = vn.services.store.read(lambda tx: tx.documents(done.messages[0]))
    digests = {d.role: d.digest for d in documents}
    rows = {row.digest: row for row in rows_of(vn)}
    own, other = rows[digests["original"]], rows[digests["parameters"]]
    for content in (own.content[:-1] + bytes([own.content[-1] ^ 1]), other.content, b"", b"short"):
        change(vn, own.digest, content)
        with pytest.raises(UnavailableError) as caught:
            original(vn, done.messages[0])
        assert caught.value.findings[0].rule == "payload-damaged"
        assert ("payload-damaged", f"payload {own.digest}") in flaws(vn)
    change(vn, own.digest, own.content)
    assert b"NGUYEN VAN MAU" in original(vn, done.messages[0])


def change(side, digest: str, content: bytes) -> None:
    statement = payload.update().where(payload.c.digest == digest).values(content=content)
    side.services.store.commit(lambda tx: tx.connection.execute(statement))


def test_two_equal_payloads_and_two_keys_are_told_apart_by_their_nonces(sealed):
    hand_in(sealed["vn"], "tor.edi")
    nonces = [bytes(row.content[:12]) for row in rows_of(sealed["vn"])]
    assert len(set(nonces)) == len(nonces) > 2


def test_payloads_in_clear_are_closed_by_rekey_and_stay_readable_before(clear, url):
    vn = clear["vn"]
    done = hand_in(vn, "tor.edi")
    assert {row.key_id for row in rows_of(vn)} == {None}
    with opened(vn, url, vault_of(vn)) as again:
        again.services.store.check()
        assert b"NGUYEN VAN MAU" in original(again, done.messages[0])
        hand_in(again, "eda-1.edi")
        assert {row.key_id for row in rows_of(vn)} > {None}
        count = prune.rekey(again.services)
        assert count == len(rows_of(vn))
        assert_closed(vn)
        assert b"NGUYEN VAN MAU" in original(again, done.messages[0])


def test_rekey_without_a_key_says_so(clear):
    with pytest.raises(UnavailableError) as caught:
        prune.rekey(clear["vn"].services)
    assert caught.value.findings[0].rule == "at-rest-key"


def test_a_new_wrapping_key_and_running_nodes(sealed, url):
    """The node that runs meanwhile goes over to the new data key at once; the old data key
    goes with the first rekey that no transaction can have begun before."""
    vn = sealed["vn"]
    done = hand_in(vn, "tor.edi")
    both = {"wrap-2": NEW_KEY, "wrap-1": bytes(range(32))}
    with opened(vn, url, vault_of(vn, both)) as new:
        assert prune.rekey(new.services) == len(rows_of(vn))
        (old_key, old_wrapper), (new_key, new_wrapper) = data_keys(vn)
        assert (old_wrapper, new_wrapper) == ("wrap-1", "wrap-2")
        assert {row.key_id for row in rows_of(new)} == {new_key}
        with opened(vn, url, vault_of(vn, both)) as running:
            later = hand_in(running, "eda-1.edi")
            assert {row.key_id for row in rows_of(new)} == {new_key}
        vn.clock.at += timedelta(hours=2)
        prune.rekey(new.services)
        assert old_key not in dict(data_keys(new))
    with opened(vn, url, vault_of(vn, {"wrap-2": NEW_KEY})) as without_old:
        without_old.services.store.check()
        assert b"NGUYEN VAN MAU" in original(without_old, done.messages[0])
        assert original(without_old, later.messages[0])
        assert flaws(close_log({"vn": without_old})["vn"]) == []


def test_a_node_that_lacks_the_newest_wrapping_key_accepts_nothing(sealed, url):
    """It must not go on under the old key, which is about to go."""
    vn = sealed["vn"]
    with opened(vn, url, vault_of(vn, {"wrap-2": NEW_KEY, "wrap-1": bytes(range(32))})) as new:
        prune.rekey(new.services)
        with pytest.raises(UnavailableError) as caught:
            hand_in(vn, "tor.edi")
        assert [(f.rule, f.found) for f in caught.value.findings] == [("at-rest-key", "wrap-2")]


def test_a_lost_data_key_is_found_by_the_audit(sealed, url):
    vn = sealed["vn"]
    hand_in(vn, "tor.edi")
    with opened(vn, url, vault_of(vn, {"other": NEW_KEY})) as other:
        rules = {rule for rule, _ in flaws(other)}
    assert "at-rest-key" in rules


def test_a_key_of_another_size_is_refused(sealed):
    with pytest.raises(ValueError, match="32"):
        vault_of(sealed["vn"], {"short": b"123"})
