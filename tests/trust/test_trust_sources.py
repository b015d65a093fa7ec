"""CRLs and OCSP answers: read, verified, and lies of every kind."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from hypothesis import given, settings
from hypothesis import strategies as st
from revocation_authority import (
    AUTHORITY,
    DAY,
    HOUR,
    NOW,
    Revoked,
    Says,
    Wish,
    crl,
    delegate,
    make,
    name,
    ocsp_answer,
    sm2_crl,
    sm2_ocsp_answer,
    uri,
)

from gateway.errors import TrustError
from gateway.signing import issue
from gateway.signing.issue import KeyKind, Purpose, Subject
from gateway.signing.keys import fingerprint
from gateway.signing.revocation import Kind, Rule, State
from gateway.signing.revocation_crl import crl_status, read_crl
from gateway.signing.revocation_ocsp import ocsp_request, read_ocsp
from gateway.signing.revocation_sources import sources

LIST = "http://authority.example/list.crl"
ROOT = make(AUTHORITY)
OTHER = make(AUTHORITY)  # the same name, another key
STRANGER = make(replace(AUTHORITY, subject=name("stranger")))
LEAF = make(Wish(), ROOT)
SECOND_LEAF = make(Wish(), ROOT)
RESPONDER = delegate(ROOT)
AWAY = timedelta(minutes=5, seconds=1)


def proves(attack, rule, behaviour="not believed; the last answer that verified stays"):
    return pytest.mark.proves(
        attack=attack, code="revocation-unknown", rule=rule, behaviour=behaviour
    )


def lie(attack: str, rule: str, content: bytes):
    return pytest.param(content, rule, marks=proves(attack, rule), id=attack)


def status_of(content: bytes, made=LEAF, issuer=ROOT):
    return crl_status(read_crl(content, issuer.der, NOW), made.der, LIST)


def test_a_list_says_who_is_revoked_when_and_why():
    serial = LEAF.certificate.serial_number
    entry = Revoked(serial, NOW - DAY, x509.ReasonFlags.key_compromise, NOW - 3 * DAY)
    found = status_of(crl(ROOT, [entry]))
    assert (found.state, found.reason) == (State.REVOKED, "keyCompromise")
    assert (found.revoked_at, found.invalid_since) == (NOW - DAY, NOW - 3 * DAY)
    assert found.counts_from == NOW - 3 * DAY
    assert (found.this_update, found.next_update) == (NOW - HOUR, NOW + DAY)
    assert (found.certificate, found.issuer) == (fingerprint(LEAF.der), fingerprint(ROOT.der))
    assert status_of(crl(ROOT, [entry]), SECOND_LEAF).state is State.GOOD
    assert found.as_facts()["revokedAt"] == "2026-05-13T01:15:12Z"
    assert "invalidSince" not in status_of(crl(ROOT)).as_facts()


def point(**changes) -> x509.IssuingDistributionPoint:
    given = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**(given | changes))


UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        lie("a CRL of another authority", "crl-issuer", crl(STRANGER)),
        lie("a CRL signed by another key under the authority's name", "crl-signature", crl(OTHER)),
        lie("a CRL from the future", "status-future", crl(ROOT, made=NOW + AWAY)),
        lie(
            "a delta CRL",
            "crl-extension",
            crl(ROOT, extra=[(x509.DeltaCRLIndicator(1), True)]),
        ),
        lie(
            "an indirect CRL",
            "crl-extension",
            crl(ROOT, extra=[(point(indirect_crl=True), True)]),
        ),
        lie(
            "a CRL of some reasons only",
            "crl-extension",
            crl(
                ROOT,
                extra=[(point(only_some_reasons=frozenset({x509.ReasonFlags.superseded})), True)],
            ),
        ),
        lie(
            "a CRL with an unknown critical extension",
            "crl-extension",
            crl(ROOT, extra=[(UNKNOWN, True)]),
        ),
        lie("a CRL that is a web page", "crl-form", b"<html>sign in</html>"),
        lie("a CRL that was cut off", "crl-form", crl(ROOT)[:-1]),
    ],
)
def test_a_list_that_lies_is_refused(content, rule):
    with pytest.raises(TrustError) as caught:
        status_of(content)
    assert (caught.value.code, caught.value.findings[0].rule) == ("revocation-unknown", rule)


def test_an_issuer_that_may_not_sign_lists_is_refused():
    wish = replace(AUTHORITY, cert_sign=False, digital_signature=True)
    with pytest.raises(TrustError, match="crl-signature"):
        read_crl(crl(made := make(wish)), made.der, NOW)


def test_a_clock_may_be_a_little_ahead_and_an_end_may_be_missing():
    ahead = timedelta(minutes=5)
    assert status_of(crl(ROOT, made=NOW + ahead)).state is State.GOOD
    assert status_of(crl(ROOT, ends=None)).next_update is None


@pytest.mark.parametrize(
    ("scope", "certificate", "state"),
    [
        (point(only_contains_user_certs=True), LEAF, State.GOOD),
        (point(only_contains_ca_certs=True), LEAF, State.UNKNOWN),
        (point(full_name=[uri("http://authority.example/other.crl")]), LEAF, State.UNKNOWN),
        (point(full_name=[uri(LIST)]), make(replace(Wish(), crl=LIST), ROOT), State.GOOD),
        (point(full_name=[uri(LIST + "2")]), make(replace(Wish(), crl=LIST), ROOT), State.UNKNOWN),
        (
            point(only_contains_user_certs=True),
            make(replace(AUTHORITY, subject=name("m")), ROOT),
            State.UNKNOWN,
        ),
        (
            point(only_contains_ca_certs=True),
            make(replace(AUTHORITY, subject=name("m")), ROOT),
            State.GOOD,
        ),
    ],
)
@proves(
    "a CRL of another part of the authority's certificates",
    "status-unknown",
    "it says nothing of this certificate: refused",
)
def test_a_list_of_other_certificates_says_nothing(scope, certificate, state):
    content = crl(ROOT, extra=[(scope, True)])
    assert status_of(content, certificate).state is state


def test_a_list_of_an_sm2_authority_is_verified():
    who = Subject("CN", "Example customs", "", "root")
    root = issue.authority(who, NOW - DAY, 90, kind=KeyKind.SM2)
    made = issue.leaf(who, Purpose.MESSAGE, NOW - DAY, 90, issuer=root, kind=KeyKind.SM2)
    entry = Revoked(made.certificate.serial_number, NOW - HOUR)
    content = sm2_crl(root, [entry])
    assert status_of(content, made, root).state is State.REVOKED
    other = issue.authority(who, NOW - DAY, 90, kind=KeyKind.SM2)
    with pytest.raises(TrustError, match="crl-signature"):
        status_of(content, made, other)
    with pytest.raises(TrustError, match="crl-signature"):
        status_of(crl(root, signer=KEY), made, root)


def test_an_answer_of_an_sm2_authority_is_verified():
    who = Subject("CN", "Example customs", "", "root")
    root = issue.authority(who, NOW - DAY, 90, kind=KeyKind.SM2)
    made = issue.leaf(who, Purpose.MESSAGE, NOW - DAY, 90, issuer=root, kind=KeyKind.SM2)
    says = Says(ocsp.OCSPCertStatus.REVOKED, revoked_at=NOW - DAY)
    content = sm2_ocsp_answer(made, root, says)
    assert answered(content, made, root).state is State.REVOKED
    with pytest.raises(TrustError, match="ocsp-signature"):
        answered(content[:-1] + bytes([content[-1] ^ 1]), made, root)
    asked = ocsp.load_der_ocsp_request(ocsp_request(made.der, root.der))
    assert asked.serial_number == made.certificate.serial_number


def answered(content: bytes, made=LEAF, issuer=ROOT):
    return read_ocsp(content, made.der, issuer.der, NOW, "http://responder.example/")


@pytest.mark.parametrize("responder", [None, RESPONDER])
@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256()])
def test_an_answer_says_good(responder, algorithm):
    found = answered(ocsp_answer(LEAF, ROOT, Says(algorithm=algorithm), responder))
    assert (found.state, found.kind) == (State.GOOD, Kind.OCSP)
    assert (found.this_update, found.next_update) == (NOW - HOUR, NOW + DAY)


def test_an_answer_says_revoked_or_unknown():
    revoked = Says(
        ocsp.OCSPCertStatus.REVOKED,
        revoked_at=NOW - DAY,
        reason=x509.ReasonFlags.affiliation_changed,
    )
    found = answered(ocsp_answer(LEAF, ROOT, revoked, RESPONDER))
    assert (found.state, found.revoked_at) == (State.REVOKED, NOW - DAY)
    assert found.reason == "affiliationChanged"
    unknown = Says(ocsp.OCSPCertStatus.UNKNOWN, ends=None)
    assert answered(ocsp_answer(LEAF, ROOT, unknown)).state is State.UNKNOWN


ERROR = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
SMUGGLED = make(replace(Wish(), extra=((x509.OCSPNoCheck(), False),)), ROOT)


def octets(answer: ocsp.OCSPResponse) -> bytes:
    return answer.public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        lie(
            "an OCSP answer about another certificate",
            "ocsp-serial",
            ocsp_answer(SECOND_LEAF, ROOT),
        ),
        lie(
            "an OCSP answer about another authority's certificate of that number",
            "ocsp-serial",
            ocsp_answer(make(replace(Wish(), serial=LEAF.certificate.serial_number), OTHER), OTHER),
        ),
        lie(
            "an OCSP answer whose signature does not verify",
            "ocsp-signature",
            ocsp_answer(LEAF, ROOT)[:-1] + b"\x00",
        ),
        lie(
            "an OCSP responder of another authority",
            "ocsp-responder",
            ocsp_answer(LEAF, ROOT, responder=delegate(OTHER)),
        ),
        lie(
            "an OCSP responder that signed itself",
            "ocsp-responder",
            ocsp_answer(
                LEAF,
                ROOT,
                responder=make(replace(Wish(), usages=(x509.ExtendedKeyUsageOID.OCSP_SIGNING,))),
            ),
        ),
        lie(
            "another party's certificate as OCSP responder",
            "ocsp-responder",
            ocsp_answer(LEAF, ROOT, responder=SMUGGLED),
        ),
        lie(
            "an expired OCSP responder",
            "ocsp-responder",
            ocsp_answer(LEAF, ROOT, responder=delegate(ROOT, end=NOW - HOUR)),
        ),
        lie(
            "an OCSP responder that could be revoked itself",
            "ocsp-responder",
            ocsp_answer(LEAF, ROOT, responder=delegate(ROOT, extra=())),
        ),
        lie(
            "an OCSP answer from the future",
            "status-future",
            ocsp_answer(LEAF, ROOT, Says(made=NOW + AWAY)),
        ),
        lie("an OCSP responder that answers with an error", "ocsp-refused", octets(ERROR)),
        lie("an OCSP answer that is a web page", "ocsp-form", b"<html></html>"),
        lie("an OCSP answer that was cut off", "ocsp-form", ocsp_answer(LEAF, ROOT)[:-1]),
    ],
)
def test_an_answer_that_lies_is_refused(content, rule):
    with pytest.raises(TrustError) as caught:
        answered(content)
    assert (caught.value.code, caught.value.findings[0].rule) == ("revocation-unknown", rule)


def test_the_question_names_the_certificate():
    asked = ocsp.load_der_ocsp_request(ocsp_request(LEAF.der, ROOT.der))
    plain = ocsp.OCSPRequestBuilder()
    same = plain.add_certificate(LEAF.certificate, ROOT.certificate, hashes.SHA1()).build()
    assert asked.public_bytes(Encoding.DER) == same.public_bytes(Encoding.DER)


LISTED = crl(ROOT, [Revoked(LEAF.certificate.serial_number, NOW - DAY)])
SAID = ocsp_answer(LEAF, ROOT, responder=RESPONDER)


@settings(max_examples=100)
@given(at=st.integers(0, 10_000), octet=st.integers(0, 255))
def test_a_changed_octet_is_never_believed(at, octet):
    """It is refused, or it is the very same answer (an octet outside of what is signed)."""
    for content, read in ((LISTED, status_of), (SAID, answered)):
        changed = bytearray(content)
        changed[at % len(content)] = octet
        try:
            found = read(bytes(changed))
        except TrustError:
            continue
        good = read(content)
        assert replace(found, digest="") == replace(good, digest="")


@settings(max_examples=100)
@given(content=st.binary(max_size=200))
def test_any_octets_are_refused_as_a_status(content):
    for read in (status_of, answered):
        with pytest.raises(TrustError):
            read(content)


def test_sources_are_those_agreed_and_those_named():
    between = make(replace(AUTHORITY, subject=name("between"), crl="http://a/root.crl"), ROOT)
    made = make(replace(Wish(), crl="http://a/x.crl", ocsp="http://a/ocsp"), between)
    chain = (made.der, between.der, ROOT.der)
    agreed = Rule(
        crls=("http://b/x.crl",), ocsps=("http://b/ocsp",), authority_crls=("http://b/r.crl",)
    )
    found = sources(chain, agreed)
    assert [(w.kind, w.url, w.agreed) for w in found] == [
        (Kind.CRL, "http://b/x.crl", True),
        (Kind.OCSP, "http://b/ocsp", True),
        (Kind.CRL, "http://b/r.crl", True),
    ]
    assert [w.subject for w in found] == [
        fingerprint(between.der),
        fingerprint(made.der),
        fingerprint(ROOT.der),
    ]
    named = sources(chain, Rule(from_certificates=True))
    assert [(w.url, w.agreed) for w in named] == [
        ("http://a/x.crl", False),
        ("http://a/ocsp", False),
        ("http://a/root.crl", False),
    ]
    assert sources(chain[:1], agreed) == ()
