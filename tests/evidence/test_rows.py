"""Rows of evidence: their form, their salts, and that each thing that happens has one."""

import hashlib
import json
from dataclasses import replace

import pytest
import rfc8785
from evidence_world import exchange, hand_in, settle
from flow_sides import NOW, peer
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import DocumentError
from gateway.evidence.audit import read_entry, row_flaws
from gateway.evidence.rows import canonical, document_mark, keys_mark, row
from gateway.flows import waiting
from gateway.flows.keys_used import note_keys
from gateway.model.parameters import Parameters

SALT = bytes(range(32))
names = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=6)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
values = st.recursive(
    texts | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(names, values, max_size=5))
def test_what_is_written_is_rfc_8785(value):
    octets = canonical(value)
    assert octets == rfc8785.dumps(value)
    assert read_entry(octets) == value


def test_a_row_is_salted_and_holds_together():
    made = row("accepted", NOW, {"message": "m", "digest": "00"}, SALT)
    assert made.leaf == hashlib.sha256(b"\x00" + SALT + made.entry).digest()
    assert row_flaws(1, "m", made.entry, made.salt, made.leaf) == []
    other = row("accepted", NOW, {"message": "m", "digest": "00"}, bytes(32))
    assert (other.entry, other.leaf != made.leaf) == (made.entry, True)
    assert [f.rule for f in row_flaws(1, "x", *dataparts(made))] == ["evidence-owner"]
    spaced = made.entry.replace(b",", b", ")
    leaf = hashlib.sha256(b"\x00" + SALT + spaced).digest()
    assert [f.rule for f in row_flaws(1, "m", spaced, SALT, leaf)] == ["evidence-entry"]


def dataparts(made) -> tuple[bytes, bytes, bytes]:
    return made.entry, made.salt, made.leaf


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=40))
def test_any_octets_are_judged_not_raised(octets):
    said = read_entry(octets)
    assert said is None or canonical(said) == octets


def test_marks_depend_on_every_part():
    marks = {
        document_mark(SALT, "aa", "text/xml", "document"),
        document_mark(bytes(32), "aa", "text/xml", "document"),
        document_mark(SALT, "ab", "text/xml", "document"),
        document_mark(SALT, "aa", "text/plain", "document"),
        document_mark(SALT, "aa", "text/xml", "report"),
    }
    assert len(marks) == 5
    assert document_mark(SALT, "aa", "text/xml", "document") == (
        hashlib.sha256(SALT + b"aa text/xml document").hexdigest()
    )
    keys = [("plate", "12C-08631"), ("batch", "5100260514001")]
    assert keys_mark(SALT, keys) == keys_mark(SALT, keys[::-1]) != keys_mark(SALT, keys[:1])


def kinds(side) -> list[str]:
    rows = side.services.store.read(lambda tx: tx.scan_evidence(0, 10_000))
    return [json.loads(each.entry)["kind"] for each in rows]


def test_each_thing_that_happens_in_an_exchange_has_its_row(sides):
    exchange(sides)
    assert set(kinds(sides["vn"])) == {
        "submitted", "united", "translated", "queued", "signed", "receipted", "waiting",
        "accepted", "distributed", "sealed", "passed-on", "answered", "delivered", "refused",
        "held",
    }  # fmt: skip
    assert {"accepted", "forwarded", "queued", "signed", "receipted", "delivered"} <= set(
        kinds(sides["cn"])
    )


def test_every_state_of_every_message_is_the_last_that_a_row_says(sides):
    exchange(sides)
    for side in sides.values():
        store = side.services.store
        for name in store.read(lambda tx: tx.scan_messages("", 1000)):
            said = [json.loads(r.entry) for r in store.read(lambda tx, m=name: tx.evidence_of(m))]
            states = [each["state"] for each in said if "state" in each]
            assert states[-1] == store.read(lambda tx, m=name: tx.message(m)).state


def test_a_signed_refusal_of_the_counterpart_is_kept(sides):
    """Also one that can be retried; each has a row, the newest is kept."""
    done = hand_in(sides["vn"], "tor.edi", "eda-1.edi", "eda-2.edi")
    testing = replace(sides["cn"].services, test=True)
    sides["vn"].wire.peers["cn"] = peer(testing, "vn")
    settle(sides)
    store = sides["vn"].services.store
    messages = store.read(lambda tx: tx.conversation(done.conversation_id))
    refused = [m for m in messages if m.state == "refused"]
    assert len(refused) == 2
    for message in refused:
        content = store.read(lambda tx, m=message.id: tx.content(m, "refusal"))
        assert content is not None
        assert b"rule-broken" in content
        said = [json.loads(r.entry) for r in store.read(lambda tx, m=message.id: tx.evidence_of(m))]
        assert [e["code"] for e in said if e["kind"] == "refusal-received"] == ["rule-broken"]
    assert "refused" in kinds(sides["cn"])


def test_a_refused_supplement_leaves_its_row_and_nothing_else(sides):
    with pytest.raises(DocumentError):
        waiting.supplement(sides["vn"].services, "customs", "no such crossing", Parameters())
    assert kinds(sides["vn"]) == ["refused"]


def test_the_first_use_of_each_key_has_its_row(sides):
    services = sides["vn"].services
    assert note_keys(services) == 5
    assert note_keys(services) == 0
    changed = replace(services, head_signer=services.pack_signer)
    assert note_keys(changed) == 1
    assert note_keys(changed) == note_keys(services) == 0
    rows = services.store.read(lambda tx: tx.evidence_of(""))
    said = [(e["purpose"], e["key"]) for e in (json.loads(r.entry) for r in rows)]
    assert said[-1] == ("head", services.pack_signer.key_id)
