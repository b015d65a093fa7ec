"""`gateway evidence` on a store with an exchange behind it, and redacted copies."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from evidence_world import OTHER, close_log, hand_in, settle
from flow_sides import NOW
from typer.testing import CliRunner

from gateway import store as stores
from gateway.cli import app
from gateway.errors import DocumentError, GatewayError, StateError, TrustError
from gateway.evidence.audit import read_entry
from gateway.evidence.rows import leaf_of
from gateway.flows import redact
from gateway.flows.audit_log import head_policy
from gateway.merkle import verify_consistency, verify_inclusion
from gateway.signing.profiles import profile

PERSONAL = ("NGUYEN VAN MAU", "TRAN VAN MAU", "C0000001", "C0000002")


def gateway(*words: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result.stdout_bytes.decode()


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Path:
    """A gateway made by `init` with some rows in its log."""
    folder = tmp_path_factory.mktemp("house")
    gateway("init", "--side", "vn", "--folder", folder)
    file = folder / "gateway.toml"
    gateway("db", "upgrade", "-c", file)
    return file


@pytest.fixture
def lived_in(house, sides):
    """The house takes over the store of a side that has crossed a truck."""
    done = hand_in(sides["vn"], "tor.edi", "eda-1.edi", "eda-2.edi")
    settle(sides)
    for name in OTHER:
        sides[name].services.store.close()
    database = f"sqlite:///{house.parent / 'gateway.db'}"
    source = Path(sides["vn"].services.store._writer.url.database)
    for old in house.parent.glob("gateway.db*"):
        old.unlink()
    (house.parent / "gateway.db").write_bytes(source.read_bytes())
    with stores.open(database) as store:
        side = replace(sides["vn"], services=replace(sides["vn"].services, store=store))
        closed = close_log({"vn": side})["vn"]
        head = closed.services.store.read(lambda tx: tx.latest_head())
    return done, head


def test_heads_and_proofs_in_words_and_json(house, lived_in, tmp_path):
    done, head = lived_in
    shown = json.loads(gateway("evidence", "head", "-c", house, "--json", "--out", tmp_path / "h"))
    assert (shown["size"], shown["root"]) == (head.size, head.root.hex())
    assert (tmp_path / "h").read_bytes() == head.statement
    assert "root" in gateway("evidence", "head", "-c", house)
    found = json.loads(gateway("evidence", "proof", done.messages[0], "-c", house))
    assert len(found) > 1
    with stores.open(f"sqlite:///{house.parent / 'gateway.db'}") as store:
        rows = {r.id: r for r in store.read(lambda tx: tx.evidence_of(done.messages[0]))}
    for each in found:
        proof, row = each["proof"], rows[each["row"]]
        path = [bytes.fromhex(value) for value in proof["path"]]
        leaf = leaf_of(row.entry, row.salt)
        assert verify_inclusion(leaf, proof["index"], proof["size"], path, head.root)
    old = json.loads(gateway("evidence", "proof", "--old", 3, "--new", head.size, "-c", house))
    from gateway.merkle import subtree

    with stores.open(f"sqlite:///{house.parent / 'gateway.db'}") as store:
        third = store.read(lambda tx: subtree(0, 3, tx.log_node))
    path = [bytes.fromhex(value) for value in old["path"]]
    assert verify_consistency(3, head.size, third, head.root, path)
    gateway("evidence", "proof", "-c", house, code=2)
    gateway("evidence", "head", "--size", 1, "-c", house, code=1)
    gateway("evidence", "proof", "--old", 3, "--new", head.size + 1, "-c", house, code=1)


def test_holds(house, lived_in):
    done, _ = lived_in
    words = ("-c", house, "--by", "legal")
    gateway("evidence", "hold", done.conversation_id, *words, "--reason", "file 7")
    (held,) = json.loads(gateway("evidence", "holds", "-c", house, "--json"))
    assert (held["conversation"], held["by"], held["reason"]) == (
        done.conversation_id,
        "legal",
        "file 7",
    )
    assert "file 7" in gateway("evidence", "holds", "-c", house)
    gateway("evidence", "lift", done.conversation_id, *words)
    assert json.loads(gateway("evidence", "holds", "-c", house, "--json")) == []
    gateway("evidence", "lift", done.conversation_id, *words, code=1)
    gateway("evidence", "hold", "unknown", *words, "--reason", "x", code=1)


def test_keys_at_rest_are_made_used_and_changed(house, lived_in):
    """What `init` made is there; the store that was taken over lies in clear, until `rekey`."""
    key, other = (house.parent / "keys" / f"{name}.key" for name in ("at-rest-1", "at-rest-2"))
    assert key.stat().st_mode & 0o077 == 0
    words = key.read_text()
    key.write_text("not a key\n")
    gateway("evidence", "rekey", "-c", house, code=3)
    key.write_text(words)
    first = json.loads(gateway("evidence", "rekey", "-c", house, "--json"))
    assert first["payloads"] > 10
    gateway("evidence", "new-key", "--out", key, code=2)
    gateway("evidence", "new-key", code=2)
    gateway("evidence", "new-key", "--out", other)
    assert len(bytes.fromhex(other.read_text().strip())) == 32
    assert other.stat().st_mode & 0o077 == 0
    text = house.read_text(encoding="utf-8")
    newest = '[[at_rest.key]]\nid = "2"\nfile = "keys/at-rest-2.key"\n\n[[at_rest.key]]'
    both = text.replace("[[at_rest.key]]", newest, 1)
    house.write_text(both, encoding="utf-8")
    assert json.loads(gateway("evidence", "rekey", "-c", house, "--json")) == first
    house.write_text(text, encoding="utf-8")
    gateway("evidence", "holds", "-c", house, code=3)  # the new key is missing
    house.write_text(both, encoding="utf-8")


# redacted copies


@pytest.fixture
def sealed(sides):
    """A truck crosses on sides that seal the fields of what they hand in."""
    for name in OTHER:
        services = replace(sides[name].services, sealed_types=frozenset({"vn.vnaccs.tor"}))
        sides[name] = replace(sides[name], services=services)
    done = hand_in(sides["vn"], "tor.edi")
    side = close_log({"vn": sides["vn"]})["vn"]
    return side, done.messages[0]


def policy(side, which: str = "head_signer"):
    return head_policy([getattr(side.services, which).certificate], profile("demo"))


@pytest.mark.proves(
    attack="A redacted copy is made to say something else",
    code="rule-broken",
    rule="redact-seal",
    behaviour="What it shows must lead to the seal in the log; a changed field does not",
)
def test_a_redacted_copy_proves_what_it_shows_and_only_that(sealed):
    side, message = sealed
    copy = redact.redacted(side.services, message, ["/means/0/crew"])
    for value in PERSONAL:
        assert value.encode() not in copy
    shown = redact.open_copy(copy, policy(side), NOW)
    assert any("12C" in str(value) for value in shown.values()), "the plate is shown"
    whole = redact.open_copy(redact.redacted(side.services, message, []), policy(side), NOW)
    assert set(shown.items()) < set(whole.items())
    assert PERSONAL[0] in whole.values()
    said = json.loads(copy)
    for at, field in enumerate(said["fields"]):
        worse = json.loads(copy)
        if len(field) == 3:
            worse["fields"][at][1] = '"another"'
        else:
            worse["fields"][at][0] = worse["fields"][at - 1][-1]
        with pytest.raises(DocumentError):
            redact.open_copy(json.dumps(worse).encode(), policy(side), NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"entry": "{}"},
        {"entry": "["},
        {"salt": ""},
        {"index": 999},
        {"path": []},
        {"head": ""},
        {"fields": []},
        {"fields": [["a", "b"]]},
        {"more": 1},
    ],
    ids=str,
)
def test_a_copy_that_was_changed_elsewhere_is_refused(sealed, change):
    side, message = sealed
    copy = json.loads(redact.redacted(side.services, message, [])) | change
    with pytest.raises(GatewayError):
        redact.open_copy(json.dumps(copy).encode(), policy(side), NOW)


def test_the_head_of_a_copy_must_be_of_the_log_that_was_named(sealed):
    side, message = sealed
    copy = redact.redacted(side.services, message, [])
    with pytest.raises(TrustError):
        redact.open_copy(copy, policy(side, "receipt_signer"), NOW)


def test_without_seal_or_head_there_is_no_copy(sides):
    done = hand_in(sides["vn"], "tor.edi")
    with pytest.raises(StateError):
        redact.redacted(sides["vn"].services, done.messages[0], [])
    side = close_log({"vn": sides["vn"]})["vn"]
    with pytest.raises(StateError):
        redact.redacted(side.services, done.messages[0], [])


def test_seals_stand_in_the_first_row_of_a_message(sealed):
    side, message = sealed
    rows = side.services.store.read(lambda tx: tx.evidence_of(message))
    said = [read_entry(row.entry) or {} for row in rows]
    assert [len(each.get("seal", "")) for each in said][:1] == [64]


def test_copies_by_the_command_line(sealed, house, tmp_path, sides):
    side, message = sealed
    copy = redact.redacted(side.services, message, ["/means/0/crew"])
    (tmp_path / "copy.json").write_bytes(copy)
    der = side.services.head_signer.certificate
    pem = x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
    (tmp_path / "head.pem").write_bytes(pem)
    # A demo key is no key of a real log, whoever shows it.
    said = gateway(
        "evidence", "show-redacted", tmp_path / "copy.json",
        "--certificate", tmp_path / "head.pem", "--json", code=1,
    )  # fmt: skip
    assert json.loads(said)["error"] == "signer-untrusted"
    gateway("evidence", "redact", "unknown", "-c", house, code=1)
