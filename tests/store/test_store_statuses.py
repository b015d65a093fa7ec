"""Answers of revocation sources are kept alike on both databases."""

from dataclasses import replace
from datetime import timedelta

from store_sample import NOW

from gateway.flows.ports_revocation import KeptStatus
from gateway.signing.revocation import Kind
from gateway.signing.revocation_sources import Wanted

LIST = Wanted(Kind.CRL, "issuer", "http://a/list", b"leaf", b"issuer", True)
ANSWER = Wanted(Kind.OCSP, "leaf", "http://a/ocsp", b"leaf", b"issuer", False)
KEPT = KeptStatus(LIST, "d1", NOW, NOW + timedelta(days=1), NOW + timedelta(seconds=1))


def test_a_source_is_wanted_once_and_keeps_its_answer(store):
    for wanted in (LIST, ANSWER, replace(LIST, agreed=False)):
        store.commit(lambda tx, wanted=wanted: tx.want_status(wanted))
    assert store.read(lambda tx: tx.all_statuses()) == (KeptStatus(LIST), KeptStatus(ANSWER))
    assert store.commit(lambda tx: tx.keep_status(KEPT, b"octets"))
    of_list = [(Kind.CRL, "issuer"), (Kind.OCSP, "other")]
    assert store.read(lambda tx: tx.statuses(of_list)) == (KEPT,)
    place = (Kind.CRL, "issuer", "http://a/list")
    assert store.read(lambda tx: tx.status_content(*place)) == b"octets"
    assert store.read(lambda tx: tx.status_content(Kind.OCSP, "leaf", "http://a/ocsp")) is None


def test_an_older_answer_never_takes_the_place_of_a_younger_one(store):
    store.commit(lambda tx: tx.want_status(LIST))
    assert store.commit(lambda tx: tx.keep_status(KEPT, b"one"))
    older = replace(KEPT, digest="d0", this_update=NOW - timedelta(microseconds=1))
    assert not store.commit(lambda tx: tx.keep_status(older, b"zero"))
    younger = replace(KEPT, digest="d2", this_update=NOW + timedelta(seconds=1), next_update=None)
    assert store.commit(lambda tx: tx.keep_status(younger, b"two"))
    assert store.read(lambda tx: tx.all_statuses()) == (younger,)


def test_a_failure_is_noted_beside_the_last_answer(store):
    store.commit(lambda tx: tx.want_status(LIST))
    store.commit(lambda tx: tx.keep_status(KEPT, b"one"))
    store.commit(lambda tx: tx.note_status_failure(LIST, NOW, "unreachable"))
    failed = replace(KEPT, failed_at=NOW, error="unreachable")
    assert store.read(lambda tx: tx.all_statuses()) == (failed,)
    store.commit(lambda tx: tx.keep_status(KEPT, b"one"))
    assert store.read(lambda tx: tx.all_statuses()) == (KEPT,)


def test_what_is_not_wanted_is_not_kept(store):
    assert not store.commit(lambda tx: tx.keep_status(KEPT, b"one"))
    assert store.read(lambda tx: tx.statuses([(Kind.CRL, "issuer")])) == ()
