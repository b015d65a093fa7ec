"""docs/exchange-profile.md: its example verifies, its clauses are numbered once, and its numbers
are those of the code."""

import hashlib
import re
from dataclasses import fields
from datetime import timedelta

import pytest
import signxml
import xmlschema
import xmlsec
from cryptography import x509
from exchange_example import ENVELOPE, FOLDER, PROFILE, ROOT, body, shown
from lxml import etree

from gateway.api.problems import FACES
from gateway.codec.envelope import (
    Opaque,
    build_message,
    octets_of,
    read_message,
    read_receipt,
    read_refusal,
)
from gateway.errors import CODES, TrustError
from gateway.flows.retry import Schedule
from gateway.flows.services import Limits as LinkLimits
from gateway.safexml import DEFAULT, c14n, parse
from gateway.signing import diagnose, trust
from gateway.signing.keys import load_certificate
from gateway.signing.profiles import PROFILES, Shape, profile
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage
from gateway.signing.verify import Verified, verify_document

TEXT = PROFILE.read_text(encoding="utf-8")
SIGNED = {"message.xml": "vn-message", "receipt.xml": "cn-receipt", "refusal.xml": "cn-receipt"}
AGAIN = "run: python tests/signing/exchange_example.py"


def read(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def verified(name: str) -> Verified:
    party, _, usage = SIGNED[name].partition("-")
    der = load_certificate(read(f"{SIGNED[name]}.cert.pem"))
    pins = [PinnedKey(der, party, Usage(usage))]
    policy = TrustPolicy.of(profile("demo"), Usage(usage), pins)
    return verify_document(parse(read(name)), policy, ENVELOPE.created)


@pytest.mark.parametrize("name", SIGNED)
def test_the_example_verifies_here_and_elsewhere(name: str) -> None:
    assert c14n(verified(name).element)
    certificate = x509.load_pem_x509_certificate(read(f"{SIGNED[name]}.cert.pem"))
    shape = signxml.SignatureConfiguration(location="./")
    assert signxml.XMLVerifier().verify(read(name), x509_cert=certificate, expect_config=shape)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(
        read(f"{SIGNED[name]}.cert.pem"), xmlsec.KeyFormat.CERT_PEM
    )
    root = etree.fromstring(read(name))
    context.verify(xmlsec.tree.find_node(root, xmlsec.Node.SIGNATURE))


def test_the_example_is_what_the_code_writes() -> None:
    unsigned = read("message.unsigned.xml")
    assert build_message(ENVELOPE, body()) == unsigned, AGAIN
    envelope, content = read_message(verified("message.xml").element)
    assert envelope == ENVELOPE
    assert not isinstance(content, Opaque)
    assert octets_of(content) == body()
    assert c14n(verified("message.xml").element) == unsigned


def test_the_example_states_its_digest() -> None:
    digest = hashlib.sha256(read("message.unsigned.xml")).hexdigest()
    assert verified("message.xml").digest == digest
    assert read_receipt(verified("receipt.xml").element).digest == digest
    assert read_refusal(verified("refusal.xml").element).digest == digest
    info = parse(read("message.xml")).find(".//{http://www.w3.org/2000/09/xmldsig#}SignedInfo")
    assert info is not None
    assert c14n(info) == read("message.signedinfo.xml")


def test_the_example_is_valid() -> None:
    schema = xmlschema.XMLSchema10(ROOT / "xsd" / "exchange" / "exchange.xsd")
    for name in SIGNED:
        schema.validate(parse(read(name)))


def test_nobody_takes_the_keys_of_the_example_for_real() -> None:
    der = load_certificate(read("vn-message.cert.pem"))
    pins = [PinnedKey(der, "vn", Usage.MESSAGE)]
    policy = TrustPolicy.of(profile("link-ecdsa-p256"), Usage.MESSAGE, pins)
    with pytest.raises(TrustError, match="demo-key"):
        verify_document(parse(read("message.xml")), policy, ENVELOPE.created)


def test_the_text_shows_the_files() -> None:
    assert shown(TEXT) == TEXT, AGAIN


def test_each_clause_is_stated_once() -> None:
    stated = re.findall(r"^\| (XP-[A-Z]+-\d{3}) \|", TEXT, re.MULTILINE)
    assert len(stated) == len(set(stated)) > 100
    for family in ["ENV", "SIG", "RCP", "ERR", "DUP", "RTY", "ORD", "LIM", "CLK", "VER", "BAR"]:
        assert f"XP-{family}-001" in stated


def test_each_clause_that_is_named_is_stated() -> None:
    stated = set(re.findall(r"^\| (XP-[A-Z]+-\d{3}) \|", TEXT, re.MULTILINE))
    schema = (ROOT / "xsd" / "exchange" / "exchange.xsd").read_text(encoding="utf-8")
    code = [file.read_text(encoding="utf-8") for file in (ROOT / "gateway").rglob("*.py")]
    for text in (TEXT, schema, *code):
        assert set(re.findall(r"XP-[A-Z]+-\d{3}", text)) <= stated


def clause(name: str) -> str:
    found = re.search(rf"^\| {name} \| (.*) \|$", TEXT, re.MULTILINE)
    assert found
    return found[1]


def test_the_table_of_codes_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| (\d{3}) \| ([^|]+) \|", TEXT, re.MULTILINE)
    told = {
        code: int(status)
        for status, codes in rows
        for code in re.findall(r"[a-z]+(?:-[a-z]+)*", re.sub(r"\([^)]*\)", "", codes))
    }
    ours = {
        # what only our own agencies ever see is no part of the link
        "not-mapped", "too-long-for-target", "not-found", "precondition-failed", "key-reused",
        "unreachable", "timed-out", "bad-answer", "receipt-missing", "receipt-invalid", "refused",
    }  # fmt: skip
    assert set(told) == set(CODES) - ours
    assert {code: FACES[code].link for code in told} == told


def test_the_numbers_are_those_of_the_code() -> None:
    link, schedule = LinkLimits(), Schedule()
    assert f"{link.document_bytes:,} octets" in clause("XP-LIM-001")
    assert link.stale_after == timedelta(days=30)
    assert "30 days" in clause("XP-DUP-006")
    assert link.future == timedelta(minutes=5)
    assert "5 minutes" in clause("XP-DUP-007")
    assert (schedule.first, schedule.longest) == (timedelta(seconds=2), timedelta(minutes=15))
    assert "2 seconds" in clause("XP-RTY-003")
    assert "15 minutes" in clause("XP-RTY-003")
    assert schedule.jitter == 0.5
    assert schedule.horizon == timedelta(days=7)
    assert "7 days" in clause("XP-RTY-005")
    caps = clause("XP-LIM-003")
    for number in (DEFAULT.depth, DEFAULT.attributes, DEFAULT.namespaces, DEFAULT.markup):
        assert f"{number:,} " in caps
    assert len(fields(DEFAULT)) == 6


def test_algorithms_causes_and_usages_are_those_of_the_code() -> None:
    for entry in (each for each in PROFILES.values() if each.shape is Shape.ENVELOPED):
        methods = clause("XP-SIG-007") + clause("XP-SIG-015")
        assert f"**{entry.name}**" in methods or entry.demo
        assert all(method in methods for method in entry.every_method)
        assert all(each in TEXT for each in (entry.c14n, *entry.digests, *entry.transforms))
        assert all(each in TEXT for each in (*entry.legacy_methods, *entry.legacy_digests))
    for cause in diagnose.CAUSES:
        assert f"`{cause}`" in clause("XP-SIG-013")
    first, *_ = (oid.dotted_string for oid in trust.USAGE_OIDS.values())
    assert f"`{first}` message" in clause("XP-TRU-003")
    assert trust.DEMO_UNIT in clause("XP-TRU-006")
