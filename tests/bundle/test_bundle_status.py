"""The status of a signer at signing time, as stapled: two readers, one verdict."""

import hashlib
import json
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from revocation_authority import (
    AUTHORITY,
    NOW,
    Revoked,
    Says,
    Wish,
    crl,
    delegate,
    make,
    ocsp_answer,
    sm2_crl,
    sm2_ocsp_answer,
)

from conformance.verifier import keys, status
from conformance.verifier.verdict import Failed
from gateway.errors import GatewayError
from gateway.evidence.bundle_status import check_status
from gateway.signing import issue
from gateway.signing.issue import KeyKind, Purpose, Subject

HOUR = timedelta(hours=1)
ROOT = make(AUTHORITY)
LEAF = make(Wish(), ROOT)
SERIAL = LEAF.certificate.serial_number


def stapled(kind: str, content: bytes, chain=(LEAF, ROOT)) -> dict[str, bytes]:
    facts = {"kind": kind, "digest": hashlib.sha256(content).hexdigest()}
    said = {"standing": "good", "at": NOW.isoformat(), "certificates": [facts]}
    pem = b"".join(each.certificate.public_bytes(Encoding.PEM) for each in chain)
    return {
        "revocation-status": json.dumps(said).encode(),
        "revocation-1": content,
        "chain": pem,
    }


def judged(papers: dict[str, bytes], root=ROOT, signer=LEAF, at=NOW) -> str:
    """Return ok, absent or failed; both readers must say the same."""
    try:
        outcome = check_status(papers.get, "", [signer.der], at, [root.der])
        ours = "ok" if outcome is None else outcome.value
    except (GatewayError, ValueError):
        ours = "failed"
    anchors = keys.Anchors({}, (root.der,), ())
    try:
        theirs = status.check(papers.get, "", [signer.der], at, anchors)
    except (Failed, ValueError):
        theirs = "failed"
    assert ours == theirs
    return ours


GOOD = stapled("crl", crl(ROOT))
COMPROMISED = x509.ReasonFlags.key_compromise
REVOKED = ocsp.OCSPCertStatus.REVOKED
CASES = {
    "a list without it": (GOOD, "ok"),
    "an answer: good": (stapled("ocsp", ocsp_answer(LEAF, ROOT)), "ok"),
    "an answer of a delegate": (
        stapled("ocsp", ocsp_answer(LEAF, ROOT, responder=delegate(ROOT))),
        "ok",
    ),
    "nothing stapled": ({}, "absent"),
    "revoked before": (stapled("crl", crl(ROOT, [Revoked(SERIAL, NOW - HOUR)])), "failed"),
    "revoked after": (stapled("crl", crl(ROOT, [Revoked(SERIAL, NOW + HOUR)])), "ok"),
    "stolen before, revoked after": (
        stapled("crl", crl(ROOT, [Revoked(SERIAL, NOW + HOUR, COMPROMISED, NOW - HOUR)])),
        "failed",
    ),
    "an answer: revoked before": (
        stapled("ocsp", ocsp_answer(LEAF, ROOT, Says(REVOKED, revoked_at=NOW - HOUR))),
        "failed",
    ),
    "an answer: unknown": (
        stapled("ocsp", ocsp_answer(LEAF, ROOT, Says(ocsp.OCSPCertStatus.UNKNOWN))),
        "failed",
    ),
    "a list of another's key": (stapled("crl", crl(ROOT, signer=make(Wish()).key)), "failed"),
    "a list of the future": (stapled("crl", crl(ROOT, made=NOW + HOUR)), "failed"),
    "an answer about another": (stapled("ocsp", ocsp_answer(make(Wish(), ROOT), ROOT)), "failed"),
    "an answer by nobody": (
        stapled("ocsp", ocsp_answer(LEAF, ROOT, responder=make(Wish(), ROOT))),
        "failed",
    ),
    "another list than was recorded": ({**GOOD, "revocation-1": crl(ROOT)}, "failed"),
    "no list": ({**GOOD, "revocation-1": b""}, "failed"),
    "another signer's chain": (stapled("crl", crl(ROOT), (make(Wish(), ROOT), ROOT)), "failed"),
    "a chain that does not hold": (stapled("crl", crl(ROOT), (LEAF, make(AUTHORITY))), "failed"),
    "no certificates": ({**GOOD, "chain": b""}, "failed"),
    "not JSON": ({**GOOD, "revocation-status": b"{"}, "failed"),
    "nobody asked": (
        {**GOOD, "revocation-status": b'{"at":"2026-05-14T00:00:00Z","certificates":[]}'},
        "failed",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_both_readers_judge_alike(case):
    papers, expected = CASES[case]
    assert judged(papers) == expected


def test_an_authority_that_is_no_anchor_counts_for_nothing():
    assert judged(GOOD, root=make(AUTHORITY)) == "failed"


def test_an_authority_with_sm2():
    who = Subject("CN", "Example customs", "", "root")
    root = issue.authority(who, NOW - 24 * HOUR, 90, kind=KeyKind.SM2)
    leaf = issue.leaf(who, Purpose.MESSAGE, NOW - 24 * HOUR, 90, issuer=root, kind=KeyKind.SM2)
    for kind, content in (("crl", sm2_crl(root)), ("ocsp", sm2_ocsp_answer(leaf, root))):
        assert judged(stapled(kind, content, (leaf, root)), root, leaf) == "ok"
    number = leaf.certificate.serial_number
    revoked = stapled("crl", sm2_crl(root, [Revoked(number, NOW - HOUR)]), (leaf, root))
    assert judged(revoked, root, leaf) == "failed"
