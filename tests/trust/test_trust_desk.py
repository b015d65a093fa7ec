"""What is known of revocation: asked, verified, kept and judged, with sources that are down,
slow, stale or lying. Real HTTP, a real store."""

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509 import ocsp
from revocation_authority import (
    AUTHORITY,
    DAY,
    HOUR,
    NOW,
    RevocationServer,
    Revoked,
    Says,
    Wish,
    crl,
    make,
    name,
    ocsp_answer,
)
from sqlalchemy import update

from gateway import store as stores
from gateway.errors import CounterpartError, TrustError
from gateway.flows.audit_statuses import status_flaws
from gateway.flows.revocation import PAUSE, StatusDesk
from gateway.signing.algorithms import ECDSA_SHA256
from gateway.signing.path import Anchors
from gateway.signing.profiles import profile
from gateway.signing.revocation import Kind, Mode, Rule, Standing, State
from gateway.signing.revocation_sources import Wanted
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage
from gateway.store.tables_revocation import revocation_source
from gateway.transport.revocation import HttpStatusSource

ROOT = make(AUTHORITY)
LEAF = make(Wish(), ROOT)
CHAIN = (LEAF.der, ROOT.der)
ENTRY = Revoked(LEAF.certificate.serial_number, NOW - DAY)
SECOND = timedelta(seconds=1)


@dataclass
class Clock:
    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def server():
    with RevocationServer() as made:
        yield made


@pytest.fixture
def opened(tmp_path):
    url = f"sqlite:///{tmp_path}/status.db"
    stores.upgrade(url)
    made = stores.open(url)
    yield made
    made.close()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def source():
    with HttpStatusSource(timedelta(seconds=1), 100_000) as made:
        yield made


@pytest.fixture
def desk(opened, source, clock):
    return StatusDesk(opened, source, clock, "here")


def lists(server, **changes) -> Rule:
    return Rule(**({"mode": Mode.REQUIRE, "crls": (server.url + "/list",)} | changes))


def responders(server, **changes) -> Rule:
    return Rule(**({"mode": Mode.REQUIRE, "ocsps": (server.url + "/ocsp",)} | changes))


def refused(desk: StatusDesk, rule: Rule, chain=CHAIN) -> tuple[str, str]:
    with pytest.raises(TrustError) as caught:
        desk.check(rule, chain)
    return caught.value.code, caught.value.findings[0].rule


def proves(attack, code, rule="", behaviour="refused; the sender may send the same octets again"):
    return pytest.mark.proves(attack=attack, code=code, rule=rule, behaviour=behaviour)


def errors(opened) -> list[str]:
    return [kept.error for kept in opened.read(lambda tx: tx.all_statuses())]


def test_a_status_is_asked_once_and_kept(desk, server):
    server.says("/list", crl(ROOT))
    rule = lists(server)
    first, again = desk.check(rule, CHAIN), desk.check(rule, CHAIN)
    assert first.standing is again.standing is Standing.GOOD
    assert (server.asked, first.contents) == (["/list"], (crl_of(server),))
    assert first.statuses[0].source == server.url + "/list"
    assert desk.status(LEAF.der, ROOT.der, rule).state is State.GOOD


def crl_of(server) -> bytes:
    return server.replies["/list"](b"")[1]


@proves(
    "a signer revoked by CRL", "certificate-revoked", "revoked-before-signing", "refused for good"
)
def test_revoked_by_a_list(desk, server):
    server.says("/list", crl(ROOT, [ENTRY]))
    assert refused(desk, lists(server)) == ("certificate-revoked", "revoked-before-signing")


@proves(
    "a signer revoked by OCSP", "certificate-revoked", "revoked-before-signing", "refused for good"
)
def test_revoked_by_an_answer(desk, server):
    says = Says(ocsp.OCSPCertStatus.REVOKED, revoked_at=NOW - DAY)
    server.says("/ocsp", ocsp_answer(LEAF, ROOT, says))
    assert refused(desk, responders(server)) == ("certificate-revoked", "revoked-before-signing")


@proves(
    "one source says revoked, another one good",
    "certificate-revoked",
    "revoked-before-signing",
    "refused: no source can hide what another one says",
)
def test_one_source_is_enough_to_revoke(desk, server):
    server.says("/ocsp", ocsp_answer(LEAF, ROOT))
    server.says("/list", crl(ROOT, [ENTRY], made=NOW - 2 * HOUR))
    both = replace(lists(server), ocsps=(server.url + "/ocsp",))
    assert refused(desk, both)[0] == "certificate-revoked"


@proves(
    "an intermediate authority that was revoked",
    "certificate-revoked",
    "revoked-before-signing",
    "refused: every certificate of the path but the anchor is asked about",
)
def test_an_intermediate_is_asked_about_too(desk, server):
    between = make(replace(AUTHORITY, subject=name("between"), length=0), ROOT)
    made = make(Wish(), between)
    server.says("/list", crl(between))
    server.says("/roots", crl(ROOT))
    rule = lists(server, authority_crls=(server.url + "/roots",))
    chain = (made.der, between.der, ROOT.der)
    judged = desk.check(rule, chain)
    assert (judged.standing, len(judged.contents)) == (Standing.GOOD, 2)
    assert refused(desk, lists(server), chain) == ("revocation-unknown", "status-missing")
    server.says(
        "/roots", crl(ROOT, [Revoked(between.certificate.serial_number, NOW - DAY)], made=NOW)
    )
    desk.refresh([])
    assert refused(desk, rule, chain)[0] == "certificate-revoked"


def either(attack: str, behaviour: str):
    marks = [
        proves(attack.format(what), "revocation-unknown", "status-missing", behaviour)
        for what in ("CRL source", "OCSP responder")
    ]
    both = [
        pytest.param(rule, marks=mark)
        for rule, mark in zip((lists, responders), marks, strict=True)
    ]
    return pytest.mark.parametrize("rule_of", both)


@either("the {} is down", "refused; the sender may send the same octets again")
def test_a_source_that_is_down(desk, server, opened, clock, rule_of):
    server.close()
    assert refused(desk, rule_of(server)) == ("revocation-unknown", "status-missing")
    assert errors(opened)[0].startswith("unreachable econnrefused")


@either("the {} is slow", "refused within the deadline; it is then left alone for a while")
def test_a_source_that_is_slow(desk, server, opened, clock, rule_of):
    server.silent = True
    assert refused(desk, rule_of(server)) == ("revocation-unknown", "status-missing")
    assert errors(opened)[0].startswith("timed-out deadline")
    assert refused(desk, rule_of(server))[1] == "status-missing"
    assert len(server.asked) == 1  # the second message did not wait again
    clock.at += PAUSE + SECOND
    refused(desk, rule_of(server))
    assert len(server.asked) == 2


@proves("the source hands out a stale CRL", "revocation-unknown", "status-stale")
def test_a_source_that_is_stale(desk, server):
    server.says("/list", crl(ROOT, made=NOW - 3 * DAY, ends=NOW - DAY))
    assert refused(desk, lists(server)) == ("revocation-unknown", "status-stale")


@proves(
    "a stale CRL on which the signer is",
    "certificate-revoked",
    "revoked-before-signing",
    "refused for good: a revocation does not go stale",
)
def test_what_a_stale_list_revokes_is_revoked(desk, server):
    server.says("/list", crl(ROOT, [ENTRY], made=NOW - 3 * DAY, ends=NOW - DAY))
    assert refused(desk, lists(server))[0] == "certificate-revoked"


@proves(
    "the source goes down after it was good", "-", behaviour="taken while the kept status is fresh"
)
@proves("the source stays down until its status is stale", "revocation-unknown", "status-stale")
@proves(
    "the source stays down, under `grace`", "-", behaviour="taken within the agreed age; recorded"
)
def test_a_source_that_goes_away(desk, server, clock):
    server.says("/list", crl(ROOT))
    grace = lists(server, mode=Mode.GRACE, grace=DAY)
    assert desk.check(lists(server), CHAIN).standing is Standing.GOOD
    server.replies.clear()
    clock.at = NOW + DAY
    assert desk.check(lists(server), CHAIN).standing is Standing.GOOD
    clock.at = NOW + DAY + SECOND
    assert refused(desk, lists(server)) == ("revocation-unknown", "status-stale")
    judged = desk.check(grace, CHAIN)
    assert (judged.standing, judged.contents[0] != b"") == (Standing.GRACE, True)
    clock.at = NOW + 2 * DAY + SECOND
    assert refused(desk, grace) == ("revocation-unknown", "status-stale")


LIES = {
    "a CRL that another authority signed": (
        crl(make(replace(AUTHORITY, subject=name("x")))),
        "crl-issuer",
    ),
    "a CRL that somebody else signed in the authority's name": (
        crl(make(AUTHORITY)),
        "crl-signature",
    ),
    "a CRL from the future": (crl(ROOT, made=NOW + HOUR), "status-future"),
    "a web page in place of a CRL": (b"<html>please sign in</html>", "crl-form"),
}


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(
            lie,
            marks=proves(
                f"the source hands out {lie}",
                "revocation-unknown",
                rule,
                "refused, or judged by the last answer that verified; doctor names the fault",
            ),
        )
        for lie, (_, rule) in LIES.items()
    ],
)
def test_a_source_that_lies_changes_nothing(desk, server, opened, clock, lie):
    content, rule = LIES[lie]
    server.says("/list", content)
    assert refused(desk, lists(server)) == ("revocation-unknown", "status-missing")
    assert f" {rule}" in errors(opened)[0]
    server.says("/list", crl(ROOT))
    clock.at += PAUSE + SECOND
    assert desk.check(lists(server), CHAIN).standing is Standing.GOOD
    server.says("/list", content)
    assert desk.refresh([]) == 0
    assert f" {rule}" in errors(opened)[0]
    assert desk.check(lists(server), CHAIN).standing is Standing.GOOD


@proves(
    "the source hands out an older CRL, from before a revocation",
    "certificate-revoked",
    "revoked-before-signing",
    "refused: the younger list stays",
)
def test_a_source_cannot_go_back_in_time(desk, server, opened):
    server.says("/list", crl(ROOT, [ENTRY]))
    assert refused(desk, lists(server))[0] == "certificate-revoked"
    server.says("/list", crl(ROOT, made=NOW - 2 * HOUR))
    assert desk.refresh([]) == 0
    assert errors(opened) == ["status-older"]
    assert refused(desk, lists(server))[0] == "certificate-revoked"


@proves(
    "a kept CRL was changed in the database",
    "revocation-unknown",
    "status-missing",
    "it is verified again when it is read: it counts for nothing",
)
def test_a_kept_status_that_was_tampered_with(opened, source, clock, server):
    server.says("/list", crl(ROOT, [ENTRY]))
    rule = lists(server, fetch=False)
    wanted = Wanted(Kind.CRL, *_subject(), server.url + "/list", LEAF.der, ROOT.der, True)
    opened.commit(lambda tx: tx.want_status(wanted))
    assert StatusDesk(opened, source, clock, "here").refresh([]) == 1
    kept = opened.read(lambda tx: tx.all_statuses())[0]
    forged = crl_of(server).replace(
        LEAF.certificate.serial_number.to_bytes(20, "big").lstrip(b"\0"), b"\x01" * 20
    )
    opened.commit(lambda tx: tx.keep_status(kept, forged))
    elsewhere = StatusDesk(opened, source, clock, "there")
    assert refused(elsewhere, rule) == ("revocation-unknown", "status-missing")


def _subject() -> tuple[str]:
    from gateway.signing.keys import fingerprint

    return (fingerprint(ROOT.der),)


def test_off_the_request_path_only(desk, server):
    server.says("/list", crl(ROOT))
    rule = lists(server, fetch=False)
    assert refused(desk, rule) == ("revocation-unknown", "status-missing")
    assert server.asked == []
    assert desk.refresh([]) == 1  # what a message wanted is asked for
    assert desk.check(rule, CHAIN).standing is Standing.GOOD


def test_what_policies_want_is_asked_before_any_message(desk, server):
    server.says("/list", crl(ROOT))
    server.says("/ocsp", ocsp_answer(LEAF, ROOT))
    pins = [PinnedKey(LEAF.der, "cn", Usage.MESSAGE)]
    rule = replace(lists(server, fetch=False), ocsps=(server.url + "/ocsp",))
    trusted = TrustPolicy.of(
        profile("link-ecdsa-p256"), Usage.MESSAGE, pins, Anchors("cn", (ROOT.der,)), rule
    )
    assert desk.refresh([trusted, trusted]) == 2
    key = trusted.signer(LEAF.der, NOW, ECDSA_SHA256)
    assert desk.check(rule, key.chain).standing is Standing.GOOD
    assert sorted(server.asked) == ["/list", "/ocsp"]


def test_one_node_at_a_time_refreshes(opened, source, clock, server):
    server.says("/list", crl(ROOT))
    here, there = (StatusDesk(opened, source, clock, each) for each in ("here", "there"))
    refused(here, lists(server, fetch=False))
    assert (here.refresh([]), there.refresh([]), here.refresh([])) == (1, 0, 1)


def test_what_no_rule_allows_any_more_is_forgotten(desk, server, opened):
    server.says("/list", crl(ROOT))
    server.says("/ocsp", ocsp_answer(LEAF, ROOT))
    named = Wanted(Kind.CRL, "x", "http://a/x", LEAF.der, ROOT.der, agreed=False)
    opened.commit(lambda tx: tx.want_status(named))
    for rule in (lists(server), responders(server)):
        desk.check(rule, CHAIN)

    def left(rule: Rule) -> set[str]:
        shape = profile("link-ecdsa-p256")
        desk.forget([TrustPolicy.of(shape, Usage.MESSAGE, (), None, rule)])
        return {kept.wanted.url for kept in opened.read(lambda tx: tx.all_statuses())}

    following = lists(server, from_certificates=True)
    both = replace(following, ocsps=(server.url + "/ocsp",))
    assert left(both) == {"http://a/x", server.url + "/list", server.url + "/ocsp"}
    assert left(following) == {"http://a/x", server.url + "/list"}
    assert left(lists(server)) == {server.url + "/list"}
    assert left(responders(server)) == set()


def test_a_source_that_is_no_longer_agreed_is_not_heard(desk, server):
    server.says("/list", crl(ROOT))
    server.says("/ocsp", ocsp_answer(LEAF, ROOT))
    assert desk.check(lists(server), CHAIN).standing is Standing.GOOD
    assert desk.check(responders(server), CHAIN).statuses[0].kind is Kind.OCSP
    server.says("/old", crl(ROOT, [ENTRY]))
    assert refused(desk, lists(server, crls=(server.url + "/old",)))[0] == "certificate-revoked"
    assert desk.check(lists(server), CHAIN).standing is Standing.GOOD


@proves(
    "a pinned certificate whose issuer is not known, and revocation is required",
    "revocation-unknown",
    "issuer-unknown",
)
def test_without_an_issuer_nobody_can_be_asked(desk, server):
    assert refused(desk, lists(server), CHAIN[:1]) == ("revocation-unknown", "issuer-unknown")
    assert desk.check(Rule(Mode.OFF), CHAIN[:1]) is None


# the transport


def ask(source, url, kind=Kind.CRL, agreed=True) -> bytes:
    return source.ask(Wanted(kind, "", url, LEAF.der, ROOT.der, agreed))


def unasked(source, url, **options) -> tuple[str, str]:
    with pytest.raises(CounterpartError) as caught:
        ask(source, url, **options)
    return caught.value.code, caught.value.findings[0].rule


@proves(
    "a certificate names a revocation URL inside our house (SSRF)",
    "bad-answer",
    "url-forbidden",
    "never asked: URLs of certificates lead to public addresses and usual ports only",
)
@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/list",
        "http://localhost/list",
        "http://10.0.0.1/list",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/list",
        "http://[::ffff:127.0.0.1]/list",
        "http://[::ffff:10.0.0.1]/list",
        "http://[2002:7f00:1::]/list",
        "http://[64:ff9b::7f00:1]/list",
        "http://[::7f00:1]/list",
        "http://0.0.0.0/list",
        "http://224.0.0.1/list",
        "http://example.com:22/list",
        "http://user@example.com/list",
        "ftp://example.com/list",
        "file:///etc/passwd",
        "http:///list",
    ],
)
def test_a_certificate_cannot_send_us_anywhere(source, url):
    assert unasked(source, url, agreed=False) == ("bad-answer", "url-forbidden")


def test_the_server_itself_is_never_reached_by_a_certificates_url(source, server):
    server.says("/list", b"x")
    assert unasked(source, server.url + "/list", agreed=False)[1] == "url-forbidden"
    assert server.asked == []
    assert ask(source, server.url + "/list") == b"x"


@proves("a revocation source answers with too much", "bad-answer", "size", "dropped while reading")
def test_an_answer_is_not_read_beyond_the_limit(source, server):
    assert unasked(source, server.says("/list", b"x" * 100_001)) == ("bad-answer", "size")


@proves("a revocation source redirects", "bad-answer", "answer", "not followed")
def test_a_redirect_is_not_followed(source, server):
    server.location = "http://127.0.0.1:9/"
    assert unasked(source, server.says("/list", b"", 302)) == ("bad-answer", "answer")


def test_an_unreadable_url_is_forbidden(source):
    assert unasked(source, "http://[/")[0] in ("bad-answer", "unreachable")
    assert unasked(source, "gopher://example.com/")[1] == "url-forbidden"


def test_after_the_end_nothing_is_asked(server):
    source = HttpStatusSource(timedelta(seconds=1), 10)
    source.close()
    source.close()
    assert unasked(source, server.url)[1] == "closing"


def test_the_question_reaches_the_responder(source, server):
    seen = []
    server.replies["/ocsp"] = lambda body: (seen.append(body), (200, b"y"))[1]
    assert ask(source, server.url + "/ocsp", Kind.OCSP) == b"y"
    asked = ocsp.load_der_ocsp_request(seen[0])
    assert asked.serial_number == x509.load_der_x509_certificate(LEAF.der).serial_number


def test_many_messages_at_once_ask_once_and_wait_for_the_answer(desk, server):
    inside = threading.Event()

    def reply(_: bytes) -> tuple[int, bytes]:
        inside.wait(10)
        return 200, crl(ROOT)

    server.replies["/list"] = reply
    rule = lists(server)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(desk.check, rule, CHAIN) for _ in range(8)]
        wait(asked, timeout=0.2)
        inside.set()
        assert {each.result().standing for each in asked} == {Standing.GOOD}
    assert len(server.asked) <= 2  # one may have come just after the first was done


# the audit of what is kept


@pytest.mark.proves(
    attack="a bit of a kept CRL, its digest, its times or its owner is flipped",
    code="-",
    rule="status-kept",
    behaviour="`gateway evidence audit` names the source; messages are judged as without it",
)
@pytest.mark.parametrize(
    "change",
    ["content", "digest", "this_update", "next_update", "subject", "issuer", "none"],
)
def test_the_audit_reads_what_is_kept_again(desk, server, opened, change):
    server.says("/list", crl(ROOT))
    desk.check(lists(server), CHAIN)
    values = {
        "content": crl_of(server)[:-1] + b"\x00",
        "digest": "0" * 64,
        "this_update": NOW - 2 * HOUR,
        "next_update": None,
        "subject": "0" * 64,
        "issuer": LEAF.der,
    }

    def work(tx):
        if change in values:
            tx.connection.execute(update(revocation_source).values({change: values[change]}))

    opened.commit(work)
    count, flaws = opened.read(lambda tx: status_flaws(tx, NOW))
    assert count == 1
    named = "status-subject" if change in ("subject", "issuer") else "status-kept"
    assert [flaw.rule for flaw in flaws] == ([] if change == "none" else [named])
