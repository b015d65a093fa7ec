"""Envelope, receipt and refusal: written canonically, read strictly."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway import texts
from gateway.codec import exchange
from gateway.codec.envelope import (
    AttachmentRef,
    Envelope,
    Extension,
    Opaque,
    Receipt,
    Refusal,
    build_message,
    build_receipt,
    build_refusal,
    digest_of,
    octets_of,
    read_message,
    read_receipt,
    read_refusal,
)
from gateway.errors import CODES, DocumentError, Finding, Severity
from gateway.safexml import c14n, parse

NOW = datetime(2026, 5, 14, 1, 30, 0, 125000, tzinfo=UTC)
BODY = '<Manifest xmlns="urn:m"><Head>火龙果 &amp; <b xmlns="">x</b></Head></Manifest>'.encode()
MINIMAL = Envelope(
    message_id="019e2459-7c00-7000-8000-000000000001",
    conversation_id="c-1",
    ref_to=None,
    sender="vn",
    recipient="cn",
    document_type="cn.mt1401",
    document_type_version="1.0",
    function="original",
    document_version=1,
    order_key="5100260514001",
    sequence=1,
    created=NOW,
    expires=NOW + timedelta(days=7),
    test=False,
    commitment="a" * 64,
)
MAXIMAL = replace(
    MINIMAL,
    ref_to="CN_MT1401_1p0_7208990000001_20260514091512345",
    function="replace",
    document_version=999_999,
    sequence=9_999_999_999,
    test=True,
    attachments=(
        AttachmentRef("b" * 64, "application/pdf", 999_999_999_999, 'giấy "phép" 证书.pdf'),
        AttachmentRef("c" * 64, "text/plain; charset=utf-8", 0, "b.txt"),
    ),
    extensions=(Extension("priority", must_understand=False, value="perishable\r\n<&"),),
)


def read(content: bytes) -> tuple[Envelope, bytes]:
    envelope, body = read_message(parse(content))
    return envelope, body.content if isinstance(body, Opaque) else octets_of(body)


def refusal(content: bytes) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        read_message(parse(content))
    return caught.value


@pytest.mark.parametrize("envelope", [MINIMAL, MAXIMAL], ids=["minimal", "maximal"])
@pytest.mark.parametrize("body", [BODY, Opaque("application/octet-stream", b"\x00<\xff" * 9)])
def test_a_message_comes_back(envelope: Envelope, body: bytes | Opaque) -> None:
    content = build_message(envelope, body)
    assert c14n(parse(content)) == content
    octets = body.content if isinstance(body, Opaque) else body
    assert read(content) == (envelope, octets)


def test_white_space_around_the_body_is_no_part_of_it() -> None:
    content = build_message(MINIMAL, BODY)
    spaced = content.replace(b"<xp:Body>", b"<xp:Body>\n ").replace(b"</xp:Body>", b"\n</xp:Body>")
    assert read(spaced) == (MINIMAL, BODY)


def test_the_body_stands_in_the_message_as_it_is() -> None:
    assert BODY in build_message(MINIMAL, BODY)
    assert len(digest_of(build_message(MINIMAL, BODY))) == 64


@pytest.mark.parametrize("body", [b"", b"<?xml version='1.0'?><a></a>", b"text"])
def test_only_canonical_xml_goes_in_as_it_is(body: bytes) -> None:
    with pytest.raises(ValueError, match="canonical"):
        build_message(MINIMAL, body)


_XML = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp", "Cf", "Co", "Cn")),
    min_size=1,
    max_size=20,
)
_ID = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._:\-]{0,63}\Z")
_MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@settings(max_examples=60, deadline=None)
@given(
    message_id=_ID,
    ref_to=st.none() | _ID,
    order_key=_XML,
    created=_MOMENTS,
    sequence=st.integers(1, 10**10 - 1),
    name=_XML,
    value=st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=50),
    content=st.binary(max_size=50),
)
def test_any_message_is_written_canonically_and_comes_back(
    message_id: str,
    ref_to: str | None,
    order_key: str,
    created: datetime,
    sequence: int,
    name: str,
    value: str,
    content: bytes,
) -> None:
    moment = created.replace(microsecond=created.microsecond // 1000 * 1000)
    envelope = replace(
        MINIMAL,
        message_id=message_id,
        ref_to=ref_to,
        order_key=order_key,
        sequence=sequence,
        created=moment,
        expires=moment + timedelta(seconds=1),
        attachments=(
            AttachmentRef("d" * 64, "a/b", 1, name.replace("/", "").replace("\\", "") or "n"),
        ),
        extensions=(
            Extension(
                "x", must_understand=False, value=value.replace("\ufffe", "").replace("\uffff", "")
            ),
        ),
    )
    written = build_message(envelope, Opaque("a/b", content))
    assert c14n(parse(written)) == written
    assert read(written) == (envelope, content)


def leaves(kind: str) -> list[str]:
    envelope = etree.fromstring(build_message(MAXIMAL, BODY))[0]
    return [etree.QName(child).localname for child in envelope if kind in (child.text or "")]


@pytest.mark.parametrize(
    "name", [n for n in leaves("") if n not in ("RefToID", "Attachment", "Extension")]
)
def test_each_missing_header_is_refused_with_its_place(name: str) -> None:
    content = re.sub(rf"<xp:{name}[ >].*?</xp:{name}>".encode(), b"", build_message(MINIMAL, BODY))
    failure = refusal(content)
    assert failure.code == "schema-invalid"
    assert failure.findings[0].path.startswith("Envelope")
    assert name in failure.findings[0].expected


WRONG = {
    "MessageID": ["", "x" * 65, "a/b", "..\\x", "-a", "a b", "a\u202eb", "а"],
    "ConversationID": ["", "x" * 65],
    "From": ["VN", "", "vn/", "x" * 64],
    "DocumentType": ["mt1401", "CN.MT1401", "cn.", "cn.x" + "y" * 64],
    "Function": ["", "update", "Original"],
    "DocumentVersion": ["0", "01", "-1", "1.0", "1000000"],
    "OrderKey": ["", "a b", "x" * 129, "a\u200fb"],
    "Sequence": ["0", "+1", "1e3", "10000000000"],
    "Created": [
        "2026-05-14T08:30:00",
        "2026-05-14T08:30:00+07:00",
        "2026-05-14T24:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-05-14T23:59:60Z",
        "2026-05-14",
        "2026-05-14T01:30:00.1Z",
    ],
    "TestIndicator": ["1", "TRUE", ""],
    "Commitment": ["", "A" * 64, "a" * 63],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in WRONG.items() for v in values])
def test_a_wrong_value_is_refused_with_its_place(name: str, value: str) -> None:
    pattern = rf"(<xp:{name}>).*?(</xp:{name}>)".encode()
    content = re.sub(pattern, lambda m: m[1] + value.encode() + m[2], build_message(MINIMAL, BODY))
    failure = refusal(content)
    assert failure.code == "schema-invalid"
    assert failure.findings[0].path == f"Envelope/{name}"


def test_all_findings_come_at_once() -> None:
    content = build_message(MINIMAL, BODY)
    for old, new in ((b">vn<", b">VN<"), (b">original<", b">new<"), (b">false<", b">no<")):
        content = content.replace(old, new)
    paths = [finding.path for finding in refusal(content).findings]
    assert paths == ["Envelope/From", "Envelope/Function", "Envelope/TestIndicator"]


def test_other_prefixes_are_the_same_message() -> None:
    content = build_message(MAXIMAL, BODY)
    default = content.replace(b"xp:", b"").replace(b":xp=", b"=")
    assert default.startswith(b'<Message xmlns="urn:bilateral-gateway:exchange:1">')
    assert read(default)[0] == MAXIMAL
    wrong = default.replace(b">vn<", b">VN<")
    assert [finding.path for finding in refusal(wrong).findings] == ["Envelope/From"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"ProfileVersion>1<", b"ProfileVersion>99<"),
        (b"ProfileVersion>1<", b"ProfileVersion>2<"),
        (b"exchange:1", b"exchange:2"),
    ],
)
def test_another_version_is_refused_with_the_versions_that_are_spoken(
    old: bytes, new: bytes
) -> None:
    failure = refusal(build_message(MINIMAL, BODY).replace(old, new))
    assert failure.code == "version-unsupported"
    assert failure.findings[0].expected == "1"


def test_an_unknown_header_that_must_be_understood_is_refused() -> None:
    must = (Extension("embargo", must_understand=True, value=""),)
    failure = refusal(build_message(replace(MINIMAL, extensions=must), BODY))
    assert (failure.code, failure.findings[0].found) == ("version-unsupported", "embargo")


def test_a_message_expires_after_it_was_made() -> None:
    failure = refusal(build_message(replace(MINIMAL, expires=NOW), BODY))
    assert (failure.code, failure.findings[0].path) == ("rule-broken", "Envelope/Expires")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (BODY, b""),
        (BODY, BODY + BODY),
        (BODY, BODY + b"text"),
        (BODY, b"<xp:Envelope></xp:Envelope>"),
        (BODY, b'<xp:Opaque mediaType="a/b">AA=</xp:Opaque>'),
        (BODY, b'<xp:Opaque mediaType="a/b">AB==</xp:Opaque>'),
        (BODY, b'<xp:Opaque mediaType="a/b">\nAA==</xp:Opaque>'),
        (BODY, b"<xp:Opaque>AA==</xp:Opaque>"),
        (b"</xp:Message>", b"<xp:More></xp:More></xp:Message>"),
        (b"<xp:Body>", b"<xp:Body xp:a='1'>"),
        (b"<xp:From>", b"<xp:From>x</xp:From><xp:From>"),
    ],
)
def test_any_other_shape_is_refused(old: bytes, new: bytes) -> None:
    assert refusal(build_message(MINIMAL, BODY).replace(old, new)).code == "schema-invalid"


def test_another_document_is_no_message() -> None:
    for content in (b"<a></a>", BODY, build_receipt(Receipt("x", "a" * 64, "vn", "cn", NOW))):
        assert refusal(content).code == "type-unknown"
    assert exchange.kind_of(parse(BODY)) is None
    assert exchange.kind_of(parse(build_message(MINIMAL, BODY))) == "Message"


def test_an_envelope_without_end_is_refused_soon() -> None:
    endless = b"<xp:Extension></xp:Extension>" * 100_000 + b"</xp:Envelope>"
    failure = refusal(build_message(MINIMAL, BODY).replace(b"</xp:Envelope>", endless))
    assert failure.findings[0].expected == "at most 1000 elements"


@pytest.mark.parametrize("gap", [(), (2, 3, 9)])
def test_a_receipt_comes_back(gap: tuple[int, ...]) -> None:
    receipt = Receipt("a|b|11|x", "a" * 64, "cn", "vn", NOW, gap)
    content = build_receipt(receipt)
    assert c14n(parse(content)) == content
    assert read_receipt(parse(content)) == receipt


def test_a_receipt_lists_no_more_than_a_hundred_gaps() -> None:
    receipt = Receipt("x", "a" * 64, "cn", "vn", NOW, tuple(range(1, 200)))
    assert len(read_receipt(parse(build_receipt(receipt))).sequence_gap) == 100


@pytest.mark.parametrize("code", CODES)
def test_a_refusal_with_any_code_comes_back(code: str) -> None:
    findings = (
        Finding(code, "width", "Envelope/From", "found", "expected"),
        Finding(code, "check-digit", "x", severity=Severity.WARN),
    )
    stated = Refusal("m", "a" * 64, "cn", "vn", NOW, code, findings, 4.0, CODES[code][1])
    content = build_refusal(stated)
    assert c14n(parse(content)) == content
    assert read_refusal(parse(content)) == stated
    for lang in texts.LANGUAGES:
        assert f'<xp:Text lang="{lang}">'.encode() in content


@settings(max_examples=60, deadline=None)
@given(found=st.text(max_size=700), path=st.text(max_size=100))
def test_whatever_was_found_can_be_told(found: str, path: str) -> None:
    stated = Refusal(
        "", "", "cn", "vn", NOW, "malformed", (Finding("malformed", "r", path, found),)
    )
    content = build_refusal(stated)
    assert c14n(parse(content)) == content
    again = read_refusal(parse(content))
    assert (again.message_id, again.digest, again.retry_after) == ("", "", None)
    assert len(again.findings[0].found) <= 500


def test_more_findings_than_the_schema_allows_are_cut() -> None:
    many = tuple(Finding("malformed", "r", str(n)) for n in range(500))
    stated = Refusal("", "", "cn", "vn", NOW, "malformed", many)
    assert len(read_refusal(parse(build_refusal(stated))).findings) == 100


def test_a_refusal_never_passes_the_size_of_an_answer() -> None:
    many = tuple(
        Finding("malformed", '"' * 500, '"' * 500, "火" * 500, "&" * 500) for _ in range(100)
    )
    content = build_refusal(Refusal("", "", "cn", "vn", NOW, "malformed", many))
    assert len(content) < 1_048_576
    assert 0 < len(read_refusal(parse(content)).findings) < 100


@pytest.mark.parametrize(("retriable", "known"), [("true", "unavailable"), ("false", "refused")])
def test_a_code_of_a_later_version_is_read_by_its_flag(retriable: str, known: str) -> None:
    content = build_refusal(Refusal("", "", "cn", "vn", NOW, "malformed"))
    content = content.replace(b"<xp:Code>malformed", b"<xp:Code>new-code")
    content = content.replace(b"Retriable>false", f"Retriable>{retriable}".encode())
    stated = read_refusal(parse(content))
    assert (stated.code, stated.findings[0].found) == (known, "new-code")
