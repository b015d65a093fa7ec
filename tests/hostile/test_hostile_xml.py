"""Hostile documents: each has its code, in time and in bounded memory.

Each attack is built when the test runs (`hostile_recipes`).
"""

import json
import resource
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hostile_recipes import ATTACKS, HEAVY_BUT_LEGAL, MEGABYTE
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway import safexml_counts
from gateway.errors import DocumentError
from gateway.safexml import DEFAULT, Limits, c14n, parse

SECONDS = 1.0


def refused(content: bytes, limits: Limits = DEFAULT) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        parse(content, limits)
    return caught.value


def outcome(content: bytes) -> etree._Element | None:
    """Return the root, or None for a refusal; nothing else may come out."""
    try:
        return parse(content)
    except DocumentError as failure:
        if not failure.findings:
            raise
        return None


def proven(name: str) -> object:
    _, code, rule = ATTACKS[name]
    behaviour = "refused while reading: no entity, no C14N, no signature is looked at"
    mark = pytest.mark.proves(attack=f"XML: {name}", code=code, rule=rule, behaviour=behaviour)
    return pytest.param(name, marks=mark)


@pytest.mark.parametrize("name", [proven(name) for name in ATTACKS])
def test_an_attack_has_its_code_in_time(name: str) -> None:
    recipe, code, rule = ATTACKS[name]
    content = recipe()
    started = time.process_time()
    failure = refused(content)
    assert time.process_time() - started < SECONDS
    assert (failure.code, failure.findings[0].rule) == (code, rule)
    assert len(failure.findings[0].found) < 100


@pytest.mark.parametrize("name", HEAVY_BUT_LEGAL)
def test_what_is_within_the_limits_stays_cheap(name: str) -> None:
    content = HEAVY_BUT_LEGAL[name]()
    started = time.process_time()
    root = parse(content)
    assert c14n(root)
    assert time.process_time() - started < 2 * SECONDS


def test_the_last_octet_that_is_allowed() -> None:
    limits = Limits(max_bytes=7)
    assert parse(b"<a></a>", limits).tag == "a"
    assert refused(b"<a> </a>", limits).findings[0].expected == "7"


WORST = ("a million elements", "200,000 attributes", "quadratic blow-up", "a text of 10 MB")
WORST_LEGAL = ("as many elements as may be", "64 attributes each", "namespaces on siblings")

CHILD = """
import json, sys
sys.path.insert(0, sys.argv[1])
from hostile_recipes import ATTACKS, HEAVY_BUT_LEGAL
from gateway import safexml_counts
from gateway.errors import DocumentError
from gateway.safexml import parse
recipe = ATTACKS[sys.argv[2]][0] if sys.argv[2] in ATTACKS else HEAVY_BUT_LEGAL[sys.argv[2]]
content = recipe()
try:
    code = "" if parse(content) is not None else "nothing"
except DocumentError as failure:
    code = failure.code
with open("/proc/self/status") as status:
    peak = next(line for line in status if line.startswith("VmHWM"))
print(json.dumps({"code": code, "peak": int(peak.split()[1])}))
"""


@pytest.mark.parametrize("name", [*WORST, *WORST_LEGAL])
def test_the_worst_stay_below_200_megabytes(name: str) -> None:
    """The peak of a process of its own, with the interpreter and the document itself."""
    here = __file__.rpartition("/")[0]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, here, name], capture_output=True, check=True, timeout=60
    )
    seen = json.loads(done.stdout)
    assert seen["code"] == (ATTACKS[name][1] if name in ATTACKS else "")
    assert seen["peak"] < 200 * 1024


def resident() -> int:
    with open("/proc/self/statm") as pages:
        return int(pages.read().split()[1]) * resource.getpagesize()


def test_a_flood_of_new_names_does_not_fill_the_memory() -> None:
    """libxml2 never forgets a name as long as the thread lives that parsed it."""

    def flood(round_: int, count: int) -> bytes:
        names = b"".join(b"<r%dn%020d/>" % (round_, i) for i in range(count))
        return b"<r>" + names + b"</r>"

    def run_large() -> None:
        parse(flood(0, 200_000))
        before = resident()
        for round_ in range(1, 12):
            parse(flood(round_, 200_000))
        grown.append(resident() - before)

    def run() -> None:
        for round_ in range(400):
            parse(flood(round_, 3_000))
        before = resident()
        for round_ in range(400, 1_400):
            parse(flood(round_, 3_000))
        grown.append(resident() - before)

    grown: list[int] = []
    for work in (run, run_large):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert max(grown) < 40 * MEGABYTE


def test_a_doctype_that_slipped_through_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parsed document is asked again: the look at the octets is not all there is."""
    monkeypatch.setattr(safexml_counts, "_check_prolog", lambda content: None)
    assert refused(b"<!DOCTYPE a><a/>").findings[0].rule == "doctype"


def test_comments_are_no_part_of_the_canonical_form() -> None:
    assert c14n(parse(b"<!-- x --><a><!-- y -->b</a>")) == b"<a>b</a>"


def test_a_part_is_canonical_by_itself() -> None:
    """Namespaces and xml:* attributes are handed down; the wrong `xmlns=""` of lxml is not."""
    root = parse(
        b'<a xmlns="urn:a" xml:lang="vi" xml:space="preserve"><b xml:lang="zh"><c/></b></a>'
    )
    assert c14n(root[0][0]) == b'<c xmlns="urn:a" xml:lang="zh" xml:space="preserve"></c>'


def test_a_relative_namespace_has_no_canonical_form() -> None:
    with pytest.raises(DocumentError, match="relative-namespace"):
        c14n(parse(b'<a xmlns="u"/>'))


def test_the_next_document_is_untouched() -> None:
    for recipe, _, _ in ATTACKS.values():
        content = recipe()
        if len(content) < MEGABYTE:
            refused(content)
            assert parse(b"<a>x</a>").text == "x"


def test_each_thread_has_its_own_parser() -> None:
    def work(number: int) -> bool:
        content = b"<a>%d</a>" % number
        large = b"<a><b>%d</b>%b</a>" % (number, b"<c/>" * 300_000)
        small = all(parse(content).text == str(number) for _ in range(200))
        return small and parse(large[: len(large)], Limits(markup=400_000))[0].text == str(number)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(16)))


def test_no_file_and_no_network_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    """xi:include, schemaLocation and stylesheets are text to us."""
    content = (
        b'<?xml-stylesheet href="http://127.0.0.1:9/x.xsl"?>'
        b'<a xmlns:xi="http://www.w3.org/2001/XInclude" '
        b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        b'xsi:schemaLocation="urn:x http://127.0.0.1:9/x.xsd">'
        b'<xi:include href="file:///etc/passwd" parse="text"/></a>'
    )
    root = parse(content)
    assert root[0].tag == "{http://www.w3.org/2001/XInclude}include"
    assert b"root:" not in etree.tostring(root)


@settings(max_examples=300, deadline=None)
@given(content=st.binary(max_size=80) | st.text(max_size=40).map(lambda t: f"<a>{t}</a>".encode()))
def test_any_octets_parse_or_are_refused(content: bytes) -> None:
    root = outcome(content)
    if root is not None:
        content.decode("utf-8")
        assert parse(etree.tostring(root, encoding="utf-8")).tag == root.tag


@settings(max_examples=200, deadline=None)
@given(octets=st.binary(min_size=1, max_size=8))
def test_only_valid_utf8_passes(octets: bytes) -> None:
    content = b"<a>" + octets + b"</a>"
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        assert refused(content).code in ("malformed", "encoding-unsupported")
    else:
        legal = all(c in "\t\n\r" or "\x20" <= c <= "\ufffd" or c >= "\U00010000" for c in text)
        if legal and not set(octets) & set(b"<&]"):
            assert parse(content).text == text[3:-4].replace("\r\n", "\n").replace("\r", "\n")


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, 400), octet=st.integers(0, 255))
def test_one_changed_octet_never_escapes(at: int, octet: int) -> None:
    document = (
        '<?xml version="1.0" encoding="UTF-8"?><!-- c --><m:a xmlns:m="urn:x" k="1">'
        "<m:b>thanh long 火龙果 &amp; <![CDATA[<x>]]></m:b><?p i?></m:a>"
    ).encode()
    changed = bytearray(document)
    changed[at % len(changed)] = octet
    root = outcome(bytes(changed))
    assert root is None or root.tag is not None
