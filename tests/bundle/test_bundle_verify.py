"""A bundle verifies offline, by the gateway and by a stranger; what is changed is found."""

import base64
import subprocess
import sys
import time
import zipfile
from io import BytesIO

import pytest
from bundle_sides import INDEX, index_of, members_of, with_index
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import StateError
from gateway.evidence.bundle_manifest import MANIFEST, SIGNATURE
from gateway.flows.bundle import everything, export
from gateway.flows.bundle_check import CHECKS, verify_bundle
from gateway.model.states import MessageKind


@pytest.mark.parametrize("name", ["vn", "cn"])
def test_everything_of_a_crossing_is_proven(made, name):
    verdict = verify_bundle(made.bundles[name], made.anchors)
    assert verdict.ok
    assert verdict.exporter == name
    left = {(c.name, c.outcome.value) for c in verdict.checks if c.outcome.value != "ok"}
    # The demo trusts pins alone; what is handed on as it came has no report.
    assert left <= {("status", "absent"), *([("report", "absent")] if name == "cn" else [])}
    assert {"head", "cosignature", "stamp", "rows", "documents"} <= {c.name for c in verdict.checks}
    assert made.judged(made.bundles[name]) == (True, "")


def test_it_takes_less_than_a_second(made):
    began = time.perf_counter()
    assert verify_bundle(made.bundles["vn"], made.anchors).ok
    assert time.perf_counter() - began < 1


def test_the_bundle_holds_what_it_should(made):
    index = index_of(members_of(made.bundles["vn"]))
    roles = {(m["kind"], d["role"]) for m in index["messages"] for d in m["documents"]}
    assert {
        ("submission", "original"),
        ("outbound", "wire"),
        ("outbound", "translated"),
        ("outbound", "report"),
        ("outbound", "report-signature"),
        ("outbound", "receipt"),
        ("outbound", "commitment-salt"),
    } <= roles
    outbound = [m for m in index["messages"] if m["kind"] == "outbound"]
    assert all(m["originals"] for m in outbound)
    assert all(row["proof"] and row["index"] is not None for row in index["rows"])


def test_other_programs_open_it(made, tmp_path):
    """unzip and OpenSSL: a ZIP, and a detached CMS signature over the manifest."""
    content = made.bundles["vn"]
    with zipfile.ZipFile(BytesIO(content)) as opened:
        assert opened.testzip() is None
        assert opened.namelist()[:3] == ["mimetype", MANIFEST, SIGNATURE]
        assert opened.read("mimetype") == b"application/vnd.etsi.asic-e+zip"
        (tmp_path / "manifest").write_bytes(opened.read(MANIFEST))
        (tmp_path / "signature").write_bytes(opened.read(SIGNATURE))
    command = [
        "openssl",
        "cms",
        "-verify",
        "-binary",
        "-inform",
        "DER",
        "-in",
        tmp_path / "signature",
    ]
    options = ["-content", tmp_path / "manifest", "-noverify", "-out", tmp_path / "out"]
    subprocess.run([*command, *options, "-purpose", "any"], check=True, capture_output=True)


def test_the_stranger_runs_alone(made, tmp_path):
    """In a process of its own, without the gateway in it."""
    file, folder = tmp_path / "b.asice", tmp_path / "anchors"
    file.write_bytes(made.bundles["cn"])
    folder.mkdir()
    for pin in made.stranger.pins.values():
        pem = base64.encodebytes(pin.der)
        text = b"-----BEGIN CERTIFICATE-----\n" + pem + b"-----END CERTIFICATE-----\n"
        (folder / f"{pin.party}-{pin.usage}.pem").write_bytes(text)
    program = (
        "import sys, runpy; sys.argv = ['v', *sys.argv[1:]];\n"
        "try: runpy.run_module('conformance.verifier', run_name='__main__')\n"
        "finally: print(sorted(m for m in sys.modules if m.startswith('gateway')))"
    )
    command = [sys.executable, "-c", program, str(file), "--anchors", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1, "no tsa.pem: the timestamp stands below nothing"
    assert "FAILED: stamp" in done.stdout
    assert done.stdout.endswith("[]\n"), done.stderr


def test_an_unknown_message_has_no_bundle(made):
    with pytest.raises(StateError):
        export(made.sides["vn"].services, "nothing", everything)


def test_what_may_not_be_seen_is_withheld_and_the_rest_still_verifies(made):
    services = made.sides["vn"].services
    found = services.store.read(lambda tx: tx.search(kind=MessageKind.OUTBOUND)).messages[0]
    hidden = {"original", "canonical", "parameters", "commitment-salt"}
    content = export(services, found.id, lambda _, role: role not in hidden)
    verdict = verify_bundle(content, made.anchors)
    assert verdict.ok
    assert ("commitment", "absent") in {(c.name, c.outcome.value) for c in verdict.checks}
    assert made.judged(content) == (True, "")
    assert not any(f"/{role}." in name for name in members_of(content) for role in hidden)


@settings(max_examples=100)
@given(data=st.data())
@pytest.mark.proves(
    attack="a bit of a bundle is flipped, in any member or in the ZIP itself",
    code="malformed",
    behaviour="the first check that fails is named; the gateway's and the stand-alone verifier "
    "agree on it",
)
def test_a_flipped_bit_is_found(made, data):
    whole = made.bundles["vn"]
    for place in data.draw(st.lists(st.integers(0, len(whole) * 8 - 1), min_size=20, max_size=20)):
        content = bytearray(whole)
        content[place // 8] ^= 1 << place % 8
        assert not made.judged(bytes(content))[0]


def test_a_flipped_bit_in_every_member_is_found(made):
    """Every member is evidence: none may change, and no octet between them."""
    content = made.bundles["vn"]
    for name, member in members_of(content).items():
        place = content.index(member)
        for offset in {0, len(member) // 2, len(member) - 1}:
            changed = bytearray(content)
            changed[place + offset] ^= 0x10
            assert not made.judged(bytes(changed))[0], name


@settings(max_examples=60)
@given(data=st.data())
def test_a_cut_or_longer_bundle_is_refused(made, data):
    content = made.bundles["cn"]
    cut = data.draw(st.integers(0, len(content) - 1))
    assert made.judged(content[:cut])[0] is False
    assert made.judged(content + b"\x00" * data.draw(st.integers(1, 9)))[0] is False


@settings(max_examples=50)
@given(data=st.data())
@pytest.mark.proves(
    attack="the exporter changes what is in a bundle and signs it again",
    code="signature-invalid",
    behaviour="signatures, receipts, commitments and the log inside show it; the check is named",
)
def test_a_change_that_the_exporter_signs_is_found(made, data):
    """Any bit of any member but the index: signed, committed to in the log, or a certificate."""
    members = members_of(made.bundles["vn"])
    names = [n for n in members if n not in (MANIFEST, SIGNATURE, INDEX)]
    for name in data.draw(st.lists(st.sampled_from(names), min_size=3, max_size=3)):
        changed = bytearray(members[name])
        place = data.draw(st.integers(0, len(changed) * 8 - 1))
        changed[place // 8] ^= 1 << place % 8
        ok, _ = made.judged(made.signed_again("vn", {**members, name: bytes(changed)}))
        assert not ok, name


CHANGES = {
    "another digest of a message": ("messages", "digest", "0" * 64),
    "another id": ("messages", "external_id", "another"),
    "another kind": ("messages", "kind", "inbound"),
    "another party in a row": ("rows", "entry", '{"kind":"accepted","message":"x"}'),
    "another salt": ("rows", "salt", "00" * 32),
    "another index": ("rows", "index", 0),
    "no proof": ("rows", "proof", []),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_the_index_is_found(made, name):
    table, field, value = CHANGES[name]
    members = members_of(made.bundles["vn"])
    index = index_of(members)
    each = index[table][-1]
    each[field] = value if each[field] != value else 1
    content = made.signed_again("vn", with_index(members, index))
    assert made.judged(content)[0] is False


@pytest.mark.parametrize(
    "change",
    [
        lambda i: i | {"extra": 1},
        lambda i: i | {"format": "bilateral-gateway-bundle/2"},
        lambda i: i | {"subject": "nothing"},
        lambda i: i | {"messages": []},
        lambda i: i | {"messages": i["messages"] * 2},
        lambda i: i | {"rows": [{**i["rows"][0], "message": "nothing"}]},
        lambda i: i | {"certificates": i["certificates"][1:]},
        lambda i: i | {"certificates": [*i["certificates"], "nothing"]},
        lambda i: i | {"head": {"path": "nothing", "stamp": None}},
        lambda i: i | {"at": "2126-01-01T00:00:00Z"},
        lambda i: i | {"at": "yesterday"},
        lambda i: i | {"exporter": "cn"},
        lambda i: i | {"head": None},
    ],
)
def test_an_index_that_is_not_as_published_is_refused(made, change):
    members = members_of(made.bundles["vn"])
    content = made.signed_again("vn", with_index(members, change(index_of(members))))
    assert made.judged(content)[0] is False


def test_an_index_in_another_spelling_is_refused(made):
    members = members_of(made.bundles["vn"])
    content = made.signed_again("vn", {**members, INDEX: members[INDEX] + b" "})
    assert made.judged(content) == (False, "index")


def test_another_exporter_cannot_sign_for_us(made):
    members = members_of(made.bundles["vn"])
    assert made.judged(made.signed_again("cn", members)) == (False, "signature")


def test_the_head_of_the_other_log_proves_nothing_here(made):
    vn, cn = members_of(made.bundles["vn"]), members_of(made.bundles["cn"])
    content = made.signed_again("vn", {**vn, "head/head.json": cn["head/head.json"]})
    assert made.judged(content)[0] is False


def test_every_kind_of_message_has_its_checks():
    assert set(CHECKS) == {kind.value for kind in MessageKind}


@pytest.mark.parametrize("name", ["head/head.json", "head/head.tst"])
def test_what_the_log_does_not_commit_to_has_no_spare_bit(made, name):
    """The head and its timestamp are in no row: each of their bits must count by itself."""
    members = members_of(made.bundles["vn"])
    for place in range(0, len(members[name]) * 8, 97):
        changed = bytearray(members[name])
        changed[place // 8] ^= 1 << place % 8
        ok, check = made.judged(made.signed_again("vn", {**members, name: bytes(changed)}))
        assert not ok, place
        assert check in ("head", "stamp")
