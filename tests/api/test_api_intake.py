"""Submissions as they come off the wire, well-formed and hostile."""

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.api import intake
from gateway.errors import DocumentError, GatewayError
from gateway.flows.submit import Upload

FORM = "multipart/form-data; boundary=frontier"
Part = tuple[str, str | None, bytes]


def multipart(*parts: Part, boundary: str = "frontier") -> bytes:
    """Write parts of (name, file name, content) down."""
    pieces = []
    for name, filename, content in parts:
        file = f'; filename="{filename}"' if filename is not None else ""
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        pieces.append(head.encode() + content + b"\r\n")
    return b"".join(pieces) + f"--{boundary}--\r\n".encode()


def refused(stated: str, body: bytes, limit: int = 3) -> tuple[str, str]:
    with pytest.raises(DocumentError) as caught:
        intake.read(stated, body, None, limit)
    return caught.value.code, caught.value.findings[0].rule


def test_documents_formats_and_parameters() -> None:
    body = multipart(
        ("document", "tor.edi", b"one\r\n\r\ntwo"),
        ("document", None, b"\x00\xff--frontie"),
        ("format", None, b"vn.vnaccs.tor"),
        ("format", None, b"vn.vnaccs.eda"),
        ("parameters", None, b'{"batchNumber": "4500000000001"}'),
    )
    read = intake.read(FORM, body, None, 3)
    assert read.uploads == (
        Upload("tor.edi", b"one\r\n\r\ntwo", "vn.vnaccs.tor"),
        Upload("document-2", b"\x00\xff--frontie", "vn.vnaccs.eda"),
    )
    assert read.parameters.batch_number == "4500000000001"


def test_a_raw_body_is_one_document() -> None:
    read = intake.read("application/xml; charset=utf-8", b"<a/>", "cn.mt1401", 3)
    assert read.uploads == (Upload("document-1", b"<a/>", "cn.mt1401"),)


def test_one_format_in_the_query_serves_all_documents() -> None:
    body = multipart(("document", None, b"a"), ("document", None, b"b"))
    read = intake.read(FORM, body, "vn.vnaccs.eda", 3)
    assert [upload.format for upload in read.uploads] == ["vn.vnaccs.eda"] * 2


@pytest.mark.parametrize("stated", ["", "image/png", "application/x-www-form-urlencoded", ";"])
def test_other_media_types_are_refused(stated: str) -> None:
    with pytest.raises(DocumentError) as caught:
        intake.media_type(stated)
    assert (caught.value.code, caught.value.findings[0].rule) == ("type-unknown", "media-type")


BAD_BODIES = {
    "nothing": b"",
    "no boundary at all": b"hello",
    "another boundary": multipart(("document", None, b"a"), boundary="other"),
    "cut off": multipart(("document", None, b"a"))[:-6],
    "cut in a part": multipart(("document", None, b"a" * 100))[:80],
    "bare line feeds": multipart(("document", None, b"a")).replace(b"\r\n", b"\n"),
    "no headers": b"--frontier\r\n\r\n\r\nabc\r\n--frontier--\r\n",
    "no name": b"--frontier\r\nContent-Disposition: form-data\r\n\r\na\r\n--frontier--\r\n",
    "not form-data": b"--frontier\r\nContent-Disposition: x; name=a\r\n\r\na\r\n--frontier--\r\n",
    "header without end": b"--frontier\r\nX: " + b"y" * 9000 + b"\r\n--frontier--\r\n",
    "text after the boundary": b"--frontierX\r\n\r\na\r\n--frontier--\r\n",
    "base64": (
        b'--frontier\r\nContent-Disposition: form-data; name="document"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\nYQ==\r\n--frontier--\r\n"
    ),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_damaged_multipart(name: str) -> None:
    assert refused(FORM, BAD_BODIES[name]) == ("malformed", "multipart")


@pytest.mark.parametrize(
    "stated",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "x" * 71,
        'multipart/form-data; boundary="a\x00b"',
        "multipart/form-data; boundary=[[",
    ],
)
def test_damaged_boundary(stated: str) -> None:
    assert refused(stated, multipart(("document", None, b"a"))) == ("malformed", "multipart")


def test_too_many_parts_are_refused_before_they_are_cut() -> None:
    many = multipart(*[("document", None, b"")] * 5_000)
    began = time.perf_counter()
    assert refused(FORM, many) == ("malformed", "parts")
    assert time.perf_counter() - began < 1.0


def test_a_body_full_of_almost_boundaries_is_read_quickly() -> None:
    hostile = b"\r\n--frontie" * 900_000
    began = time.perf_counter()
    read = intake.read(FORM, multipart(("document", None, hostile)), None, 3)
    assert read.uploads[0].content == hostile
    assert time.perf_counter() - began < 1.0


def test_unknown_part() -> None:
    body = multipart(("document", None, b"a"), ("dokument", None, b"b"))
    assert refused(FORM, body) == ("malformed", "part-name")


def test_formats_that_do_not_match_the_documents() -> None:
    body = multipart(("document", None, b"a"), ("document", None, b"b"), ("format", None, b"f"))
    assert refused(FORM, body) == ("malformed", "format-count")


def test_two_parameters() -> None:
    body = multipart(("parameters", None, b"{}"), ("parameters", None, b"{}"))
    assert refused(FORM, body) == ("malformed", "parts")


@pytest.mark.parametrize(
    ("content", "code", "rule"),
    [
        (b"", "malformed", "parameters"),
        (b"{", "malformed", "parameters"),
        (b"\xff", "malformed", "parameters"),
        (b"[" * 100_000, "schema-invalid", "parameters"),
        (b"[]", "schema-invalid", "parameters"),
        (b'{"batch_number": "1"}', "schema-invalid", "parameters"),
        (b'{"batchNumber": 1}', "schema-invalid", "parameters"),
        (b'{"waybills": [{"declaration": "1"}]}', "schema-invalid", "parameters"),
        (b'{"remark": "' + b"x" * 300_000 + b'"}', "too-large", "size"),
    ],
)
def test_parameters_of_the_wrong_shape(content: bytes, code: str, rule: str) -> None:
    with pytest.raises(DocumentError) as caught:
        intake.read_parameters(content)
    assert (caught.value.code, caught.value.findings[0].rule) == (code, rule)


def test_a_finding_in_parameters_names_the_place() -> None:
    with pytest.raises(DocumentError) as caught:
        intake.read_parameters(b'{"waybills": [{"declaration": "1", "id": 2}]}')
    assert caught.value.findings[0].path == "parameters.waybills[0].id"


@pytest.mark.parametrize("number", ['"1e999999999"', '"-1e-999999999"', '"Infinity"', '"NaN"'])
def test_a_number_that_would_fill_memory_is_refused(number: str) -> None:
    content = (
        '{"packing": [{"declaration": "1", "line": 1, "packages": {"count": 1, "kind": "CT"},'
        ' "grossMass": {"value": ' + number + ', "unit": "KGM"}}]}'
    )
    with pytest.raises(DocumentError) as caught:
        intake.read_parameters(content.encode())
    assert caught.value.code == "schema-invalid"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("C:\\folder\\a.xml", "a.xml"), ("../../etc/passwd", "passwd"), ("a\x01b", "a?b")],
)
def test_a_file_name_is_only_a_name(sent: str, kept: str) -> None:
    assert intake._printable(sent) == kept


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400), st.text(st.characters(max_codepoint=255), max_size=80))
def test_any_bytes_are_read_or_refused_by_name(body: bytes, stated: str) -> None:
    for content_type in (FORM, stated, f"multipart/form-data; boundary={stated}"):
        with contextlib.suppress(GatewayError):
            intake.read(content_type, body, None, 3)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4))
def test_what_was_put_in_comes_out(contents: list[bytes]) -> None:
    parts: list[Part] = [("document", None, content) for content in contents]
    if any(b"\r\n--frontier" in b"\r\n" + content for content in contents):
        return
    read = intake.read(FORM, multipart(*parts), None, 4)
    assert [upload.content for upload in read.uploads] == contents
