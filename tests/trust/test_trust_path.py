"""From a certificate to an authority: what holds, and what each thing that does not is called."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from revocation_authority import AUTHORITY, DAY, NOW, Wish, make, name, uri

from gateway.errors import TrustError
from gateway.signing import issue
from gateway.signing.algorithms import ECDSA_SHA256
from gateway.signing.issue import Issued, KeyKind, Purpose, Subject
from gateway.signing.keys import fingerprint
from gateway.signing.path import Anchors, check_name, find_path, is_named
from gateway.signing.profiles import profile
from gateway.signing.revocation import Mode, Rule
from gateway.signing.trust import USAGE_OIDS, PinnedKey, TrustPolicy, Usage

OURS = ("O=Example customs,C=CN",)
ROOT = make(AUTHORITY)
BETWEEN = make(replace(AUTHORITY, subject=name("between"), length=0), ROOT)
REQUIRED = Rule(Mode.REQUIRE, crls=("http://127.0.0.1/list.crl",))


def anchors(*roots: Issued, between: tuple[Issued, ...] = (), names=OURS) -> Anchors:
    ders = tuple(each.der for each in roots or (ROOT,))
    return Anchors("cn", ders, tuple(each.der for each in between), names)


def policy(trusted: Anchors, pins: tuple[PinnedKey, ...] = (), usage=Usage.MESSAGE) -> TrustPolicy:
    return TrustPolicy.of(profile("link-ecdsa-p256"), usage, pins, trusted, REQUIRED)


def verdict(made: Issued, trusted: Anchors, at=NOW, usage=Usage.MESSAGE) -> tuple[str, str]:
    try:
        key = policy(trusted, usage=usage).signer(made.der, at, ECDSA_SHA256)
    except TrustError as failed:
        named = "Example" in str(failed.findings)
        return failed.code, "names a person" if named else failed.findings[0].rule
    return "", key.party


def test_a_named_certificate_of_an_anchor_is_the_partys():
    made = make(Wish(), ROOT)
    key = policy(anchors()).signer(made.der, NOW, ECDSA_SHA256)
    assert (key.party, key.chain) == ("cn", (made.der, ROOT.der))


def test_an_intermediate_that_is_known_leads_to_the_anchor():
    made = make(Wish(), BETWEEN)
    assert find_path(made.der, anchors(between=(BETWEEN,))).chain == (
        made.der,
        BETWEEN.der,
        ROOT.der,
    )


def test_an_intermediate_may_be_the_anchor():
    made = make(Wish(), BETWEEN)
    assert find_path(made.der, anchors(BETWEEN)).chain == (made.der, BETWEEN.der)


def proves(attack, code, rule, behaviour="refused before any mathematics over the document"):
    return pytest.mark.proves(attack=attack, code=code, rule=rule, behaviour=behaviour)


def refused(attack: str, code: str, rule: str, made: Issued, trusted: Anchors | None = None):
    given = (made, trusted or anchors(), code, rule)
    return pytest.param(*given, marks=proves(attack, code, rule), id=attack)


def of(issuer: Issued = ROOT, **changes) -> Issued:
    return make(replace(Wish(), **changes), issuer)


LINK = USAGE_OIDS[Usage.RECEIPT]
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
OLD = make(replace(AUTHORITY, end=NOW - DAY, start=NOW - 9 * DAY))
DEEP = [ROOT]
for number in range(3):
    DEEP.append(make(replace(AUTHORITY, subject=name(f"d{number}"), length=9), DEEP[-1]))
LONG_ROOT = make(replace(AUTHORITY, length=None))
LONG = make(replace(AUTHORITY, subject=name("long"), length=None), LONG_ROOT)
LONGER = make(replace(AUTHORITY, subject=name("longer"), length=None), LONG)
LONGEST = make(replace(AUTHORITY, subject=name("longest"), length=None), LONGER)
NOT_CA = make(replace(Wish(), subject=name("no authority")), ROOT)
NO_SIGNING = make(
    replace(AUTHORITY, subject=name("may not"), cert_sign=False, digital_signature=True), ROOT
)
TOO_DEEP = make(replace(AUTHORITY, subject=name("too deep"), length=0), BETWEEN)
CONSTRAINED = make(
    replace(
        AUTHORITY,
        subject=name("constrained"),
        extra=((x509.NameConstraints([x509.DNSName("example.cn")], None), True),),
    ),
    ROOT,
)
STRANGE = make(replace(AUTHORITY, subject=name("strange"), extra=((UNKNOWN, True),)), ROOT)
PRETENDER = make(AUTHORITY)  # the root's name, another key


@pytest.mark.parametrize(
    ("made", "trusted", "code", "rule"),
    [
        refused("a self-signed certificate", "signer-untrusted", "self-signed", make(Wish())),
        refused(
            "a leaf-only chain: the intermediate is not known",
            "signer-untrusted",
            "chain-incomplete",
            of(BETWEEN),
        ),
        refused(
            "a certificate of an authority that nobody agreed on",
            "signer-untrusted",
            "chain-incomplete",
            of(make(replace(AUTHORITY, subject=name("stranger")))),
        ),
        refused(
            "an authority with the agreed name and another key",
            "signer-untrusted",
            "chain-signature",
            of(PRETENDER),
        ),
        refused(
            "another party's certificate under the same authority",
            "party-mismatch",
            "certificate-name",
            of(subject=name("message", "Other customs")),
        ),
        refused(
            "a name that holds the party's name and another one",
            "party-mismatch",
            "certificate-name",
            of(
                subject=x509.Name(
                    [
                        *name("message"),
                        x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Other customs"),
                    ]
                )
            ),
        ),
        refused(
            "a certificate of another usage of the link",
            "signer-untrusted",
            "key-usage",
            of(usages=(LINK,)),
        ),
        refused(
            "a TLS certificate of the same authority",
            "signer-untrusted",
            "key-usage",
            of(usages=(ExtendedKeyUsageOID.SERVER_AUTH,)),
        ),
        refused(
            "a code-signing certificate of the same authority",
            "signer-untrusted",
            "key-usage",
            of(usages=(ExtendedKeyUsageOID.CODE_SIGNING,)),
        ),
        refused(
            "an unpinned certificate without usages",
            "signer-untrusted",
            "key-usage",
            of(usages=None),
        ),
        refused(
            "a key usage without digitalSignature",
            "signer-untrusted",
            "key-usage",
            of(digital_signature=False),
        ),
        refused(
            "an unpinned certificate without key usage",
            "signer-untrusted",
            "key-usage",
            of(key_usage=False),
        ),
        refused(
            "a leaf that issues certificates",
            "signer-untrusted",
            "chain-authority",
            of(NOT_CA),
            anchors(between=(NOT_CA,)),
        ),
        refused(
            "an authority without keyCertSign",
            "signer-untrusted",
            "chain-authority",
            of(NO_SIGNING),
            anchors(between=(NO_SIGNING,)),
        ),
        refused(
            "more authorities than a path length allows",
            "signer-untrusted",
            "chain-depth",
            of(TOO_DEEP),
            anchors(between=(BETWEEN, TOO_DEEP)),
        ),
        refused(
            "a path of more than three authorities",
            "signer-untrusted",
            "chain-depth",
            of(LONGEST),
            anchors(LONG_ROOT, between=(LONG, LONGER, LONGEST)),
        ),
        refused(
            "a critical extension that nobody knows",
            "signer-untrusted",
            "chain-extension",
            of(extra=((UNKNOWN, True),)),
        ),
        refused(
            "a critical extension of an authority that nobody knows",
            "signer-untrusted",
            "chain-extension",
            of(STRANGE),
            anchors(between=(STRANGE,)),
        ),
        refused(
            "a name outside of what its authority may issue",
            "signer-untrusted",
            "chain",
            of(
                CONSTRAINED,
                extra=((x509.SubjectAlternativeName([x509.DNSName("example.vn")]), False),),
            ),
            anchors(between=(CONSTRAINED,)),
        ),
        refused(
            "an expired certificate",
            "certificate-expired",
            "expired",
            of(end=NOW - timedelta(seconds=1)),
        ),
        refused(
            "a certificate that is not yet valid",
            "certificate-expired",
            "not-yet-valid",
            of(start=NOW + 2 * DAY),
        ),
        refused(
            "a certificate that becomes valid within a day: a clock is wrong",
            "certificate-expired",
            "clock",
            of(start=NOW + timedelta(minutes=2)),
        ),
        refused(
            "an authority that has expired",
            "certificate-expired",
            "chain-expired",
            of(OLD),
            anchors(OLD),
        ),
    ],
)
def test_what_does_not_hold_is_named(made, trusted, code, rule):
    assert verdict(made, trusted) == (code, rule)


def test_what_holds_was_not_refused_for_another_reason():
    """The good counterparts of the list above."""
    constrained = of(
        CONSTRAINED, extra=((x509.SubjectAlternativeName([x509.DNSName("a.example.cn")]), False),)
    )
    assert verdict(constrained, anchors(between=(CONSTRAINED,))) == ("", "cn")
    assert verdict(of(LONGER), anchors(LONG_ROOT, between=(LONG, LONGER))) == ("", "cn")
    assert verdict(of(extra=((UNKNOWN, False),)), anchors()) == ("", "cn")
    assert verdict(of(end=NOW), anchors()) == ("", "cn")
    assert verdict(of(usages=(LINK,)), anchors(), usage=Usage.RECEIPT) == ("", "cn")


def test_authorities_that_are_never_valid_together_are_named():
    late = make(replace(AUTHORITY, start=NOW, end=NOW + DAY))
    early = replace(AUTHORITY, subject=name("early"), start=NOW - 9 * DAY, end=NOW - 8 * DAY)
    between = make(early, late)
    made = of(between)
    assert verdict(made, anchors(late, between=(between,)))[1] == "chain-time"


def test_of_two_authorities_with_one_name_the_one_that_signed_is_taken():
    """An authority that renewed its key."""
    assert verdict(of(ROOT), anchors(PRETENDER, ROOT)) == ("", "cn")
    assert verdict(of(PRETENDER), anchors(PRETENDER, ROOT)) == ("", "cn")


def test_rsa_authorities_are_known_and_small_keys_are_not():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    root = make(AUTHORITY, key=key)
    assert verdict(of(root), anchors(root)) == ("", "cn")
    small = make(AUTHORITY, key=rsa.generate_private_key(public_exponent=65537, key_size=1024))
    assert verdict(of(small), anchors(small)) == ("signer-untrusted", "chain")


def test_octets_that_are_no_certificate_are_refused():
    with pytest.raises(TrustError) as caught:
        policy(anchors()).signer(b"\x30\x03\x02\x01\x01", NOW, ECDSA_SHA256)
    assert caught.value.findings[0].rule == "certificate-form"


def test_without_names_anchors_trust_nobody():
    made = make(Wish(), ROOT)
    trusted = anchors(names=())
    assert verdict(made, trusted) == ("signer-untrusted", "not-pinned")
    pinned = policy(trusted, (PinnedKey(made.der, "cn", Usage.MESSAGE),))
    assert pinned.key(fingerprint(made.der), NOW, ECDSA_SHA256).chain == (made.der, ROOT.der)


def test_a_pin_of_an_unknown_authority_stands_alone():
    made = make(Wish())
    pinned = policy(anchors(), (PinnedKey(made.der, "cn", Usage.MESSAGE),))
    assert pinned.signer(made.der, NOW, ECDSA_SHA256).chain == (made.der,)


def test_authorities_are_never_believed_without_asking_for_revocation():
    with pytest.raises(ValueError, match="pinned certificates only"):
        TrustPolicy.of(profile("link-ecdsa-p256"), Usage.MESSAGE, (), anchors())


def test_the_policy_forgets_before_it_grows():
    trusted = policy(anchors())
    many = [make(replace(Wish(), serial=number + 1), ROOT) for number in range(40)]
    for made in many * 2:
        assert trusted.signer(made.der, NOW, ECDSA_SHA256).party == "cn"


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("CN=message,O=Example customs,C=CN",), True),
        (("CN=message",), True),
        (("CN=other", "CN=message"), True),
        (("CN=Message",), False),
        (("CN=message,OU=x",), False),
        (("dns:gateway.example.cn",), True),
        (("dns:example.cn",), False),
        (("uri:urn:party:cn",), True),
        (("email:urn:party:cn",), False),
        ((), False),
    ],
)
def test_names_bind_exactly(names, found):
    alternative = x509.SubjectAlternativeName(
        [x509.DNSName("gateway.example.cn"), uri("urn:party:cn")]
    )
    made = of(extra=((alternative, False),))
    assert is_named(made.der, names) is found


@pytest.mark.parametrize("text", ["", "dns:", "nonsense", "=x", "CN"])
def test_a_name_that_binds_nobody_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        check_name(text)


def sm2_chain(**changes) -> tuple[Issued, Issued, Issued]:
    who = Subject("CN", "Example customs", "", "root")
    start = NOW - DAY
    root = issue.authority(who, start, 90, kind=KeyKind.SM2, path_length=1)
    middle = Subject("CN", "Example customs", "", "between")
    between = issue.authority(middle, start, 90, issuer=root, kind=KeyKind.SM2, **changes)
    own = Subject("CN", "Example customs", "", "message")
    made = issue.leaf(own, Purpose.MESSAGE, start, 90, issuer=between, kind=KeyKind.SM2)
    return root, between, made


def test_an_sm2_chain_is_walked():
    root, between, made = sm2_chain()
    path = find_path(made.der, anchors(root, between=(between,)))
    assert path.chain == (made.der, between.der, root.der)
    with pytest.raises(TrustError) as caught:
        find_path(made.der, anchors(sm2_chain()[0], between=(between,)))
    assert caught.value.findings[0].rule == "chain-signature"
