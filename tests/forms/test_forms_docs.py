"""docs/agency-signatures.md says what the code does: rows, numbers, rules, clauses."""

import re
from pathlib import Path

from gateway import texts
from gateway.errors import CODES
from gateway.settings.agencies import SignedDocuments
from gateway.signing import bare, cms, timestamp, xades_preflight
from gateway.signing.opened import AHEAD
from gateway.signing.profiles import LINK_PROFILES, PROFILES, profile
from gateway.signing.smime_mime import OUTER_HEADERS, SIGNED_HEADERS

TEXT = (Path(__file__).parents[2] / "docs" / "agency-signatures.md").read_text(encoding="utf-8")
CLAUSE = re.compile(r"^\| (AS-[A-Z]{3}-\d{3}) \| (.+) \|$", re.MULTILINE)
CLAUSES = dict(CLAUSE.findall(TEXT))


def test_clauses_are_numbered_once_and_in_order() -> None:
    names = [name for name, _ in CLAUSE.findall(TEXT)]
    assert len(names) == len(CLAUSES) > 30
    for family in {name[:6] for name in names}:
        numbers = [int(name[-3:]) for name in names if name.startswith(family)]
        assert numbers == list(range(1, len(numbers) + 1)), family


def test_every_form_has_its_place() -> None:
    for name in set(PROFILES) - set(LINK_PROFILES):
        assert f"**{name}**" in TEXT or f"## {name}" in TEXT, name


def test_rules_and_codes_exist() -> None:
    words = set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", TEXT))
    known = {*texts.RULES, *CODES, *PROFILES}
    assert {
        word for word in words if word.startswith(("mime-", "smime-", "der-", "revoked-"))
    } <= known
    for word in ("signed-form", "signing-time", "signature-scope", "timestamp-invalid"):
        assert word in words & known


def test_numbers_are_those_of_the_code() -> None:
    assert profile("vn-2025").oldest == SignedDocuments.model_fields["oldest"].default
    assert profile("vn-2025").oldest.total_seconds() == 24 * 3600
    assert "24 hours" in CLAUSES["AS-ALL-005"]
    assert f"{AHEAD.seconds // 60} minutes ahead" in CLAUSES["AS-ALL-005"]
    assert f"{cms.LARGEST // 1024} KiB" in CLAUSES["AS-SMM-005"]
    assert f"{timestamp.LARGEST // 1024} KiB" in CLAUSES["AS-TSP-001"]
    assert f"1 to {xades_preflight.MOST_CERTIFICATES} certificates" in CLAUSES["AS-XAD-004"]
    assert f"{bare.LONGEST_VALUE} characters" in CLAUSES["AS-CHN-004"]


def test_headers_are_those_of_the_code() -> None:
    outer, inner = CLAUSES["AS-SMM-003"].split(" outside;")
    assert {w.lower() for w in re.findall(r"`([\w-]+)`", outer)} == OUTER_HEADERS
    inner = inner.partition(" in the parts")[0]
    assert {w.lower() for w in re.findall(r"`([\w-]+)`", inner)} == SIGNED_HEADERS
