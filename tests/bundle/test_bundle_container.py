"""Tricks with ZIP files: each is refused by name, by both verifiers."""

import io
import struct
import zipfile

import pytest
from bundle_sides import zipped

from conformance.verifier import container as stranger
from conformance.verifier.verdict import Failed
from gateway.errors import DocumentError
from gateway.evidence import bundle_container
from gateway.evidence.bundle_container import MIMETYPE, read_container, write_container

FIRST = (b"mimetype", MIMETYPE)


def rules(content: bytes) -> tuple[str, str]:
    with pytest.raises(DocumentError) as ours:
        read_container(content)
    with pytest.raises(Failed) as theirs:
        stranger.read(content)
    return ours.value.findings[0].rule, theirs.value.rule


def bomb() -> bytes:
    """A well-made ZIP of a few kilobytes that would unpack to a hundred megabytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(zipfile.ZipInfo("mimetype", (1980, 1, 1, 0, 0, 0)), MIMETYPE)
        with opened.open("a", "w") as member:
            for _ in range(100):
                member.write(b"\x00" * 1_000_000)
    return target.getvalue()


def patched(content: bytes, place: int, form: str, value: int) -> bytes:
    changed = bytearray(content)
    struct.pack_into(form, changed, place if place >= 0 else len(content) + place, value)
    return bytes(changed)


GOOD = write_container({"a": b"1", "b/c.xml": b"<x/>"})
OVERLAPPING = zipped([FIRST, (b"a", b"1" * 50), (b"b", b"2" * 50)])
TRICKS = {
    "a bomb": (bomb(), "compressed"),
    "an absolute name": (zipped([FIRST, (b"/etc/passwd", b"x")]), "name"),
    "a way up": (zipped([FIRST, (b"a/../../b", b"x")]), "name"),
    "dots alone": (zipped([FIRST, (b"..", b"x")]), "name"),
    "a hidden file": (zipped([FIRST, (b"a/.ssh", b"x")]), "name"),
    "a drive": (zipped([FIRST, (b"C:x", b"x")]), "name"),
    "a backslash": (zipped([FIRST, (b"a\\b", b"x")]), "name"),
    "a NUL": (zipped([FIRST, (b"a\x00b", b"x")]), "name"),
    "a folder": (zipped([FIRST, (b"a/", b"")]), "name"),
    "no name": (zipped([FIRST, (b"", b"x")]), "name"),
    "a long name": (zipped([FIRST, (b"a" * 201, b"x")]), "name"),
    "another alphabet": (zipped([FIRST, ("é".encode(), b"x")]), "name"),
    "one name twice": (zipped([FIRST, (b"a", b"1"), (b"a", b"2")]), "duplicate"),
    "one name but for case": (zipped([FIRST, (b"a", b"1"), (b"A", b"2")]), "duplicate"),
    "a symbolic link": (zipped([FIRST, (b"a", b"/etc")], attributes=0o120777 << 16), "symlink"),
    "encrypted": (zipped([FIRST, (b"a", b"1")], flags=1), "encrypted"),
    "overlapping members": (zipped([FIRST, (b"a", b"1")], offset=0), "overlap"),
    "a member beyond the end": (zipped([FIRST, (b"a", b"1")], size=2**31), "overlap"),
    "ZIP64 in a member": (zipped([FIRST, (b"a", b"1")], size=2**32 - 1), "zip64"),
    "ZIP64 at the end": (patched(GOOD, -10, "<I", 2**32 - 1), "zip64"),
    "too many members": (patched(GOOD, -12, "<H", 6000), "count"),
    "another count": (patched(GOOD, -12, "<H", 4), "cut"),
    "no end": (GOOD[:-1], "cut"),
    "nothing": (b"", "cut"),
    "something before it": (b"#!/bin/sh\n" + GOOD, "cut"),
    "something behind it": (GOOD + b"PK\x05\x06" + b"\x00" * 18, "cut"),
    "no mimetype": (zipped([(b"a", b"1")]), "mimetype"),
    "mimetype not first": (zipped([(b"a", b"1"), FIRST]), "mimetype"),
    "another mimetype": (zipped([(b"mimetype", b"application/zip")]), "mimetype"),
    "a flag": (zipped([FIRST, (b"a", b"1")], flags=0x800), "form"),
    "another attribute": (zipped([FIRST, (b"a", b"1")], attributes=1), "form"),
    "a damaged member": (GOOD.replace(b"<x/>", b"<y/>"), "damaged"),
}


@pytest.mark.parametrize("name", TRICKS)
@pytest.mark.proves(
    attack="a ZIP bomb, a way out of the folder, a symbolic link, ZIP64, overlapping or doubled "
    "members, a wrong mimetype",
    code="malformed",
    behaviour="refused before anything is unpacked, each by a rule of its own",
)
def test_a_trick_is_refused_by_name(name):
    content, rule = TRICKS[name]
    ours, theirs = rules(content)
    assert ours == theirs == f"container-{rule}"


def test_a_huge_file_is_refused_before_it_is_looked_at(monkeypatch):
    monkeypatch.setattr(bundle_container, "MOST_BYTES", 100)
    with pytest.raises(DocumentError) as caught:
        read_container(GOOD)
    assert caught.value.code == "too-large"


def test_what_could_not_be_read_is_not_written():
    for members in ({"../a": b""}, {"a" * 201: b""}, {f"m{n}": b"" for n in range(5000)}):
        with pytest.raises(ValueError, match="member names"):
            write_container(members)


def test_what_is_written_is_read():
    assert read_container(GOOD) == stranger.read(GOOD) == {"a": b"1", "b/c.xml": b"<x/>"}
