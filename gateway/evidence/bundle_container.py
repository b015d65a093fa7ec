"""The container of a bundle: a ZIP file that has exactly one spelling.

The members are stored, not compressed; dates, flags, attributes and extra fields are fixed.
So a container is its members: reading ends with writing them again and comparing, and there
is no octet in it in which anything could hide (docs/evidence.md, section 2).
"""

import re
import struct
import zlib
from collections.abc import Mapping
from typing import NoReturn

from gateway.errors import DocumentError, Finding

MIMETYPE = b"application/vnd.etsi.asic-e+zip"
MOST_BYTES = 256_000_000
MOST_MEMBERS = 5_000
LONGEST_NAME = 200

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_VERSION = 10  # of the ZIP specification: no feature beyond it is used
_DATE = 0x21  # 1980-01-01, the first day that ZIP knows
_WIDE16, _WIDE32 = 0xFFFF, 0xFFFFFFFF  # what ZIP64 puts in the place of a number
_SYMLINK = 0xA000


def write_container(members: Mapping[str, bytes]) -> bytes:
    """Return the container of the members, in their order, `mimetype` put first.

    ValueError when it could not be read again: names, count, size.
    """
    everything = {"mimetype": MIMETYPE, **members}
    if len(everything) > MOST_MEMBERS or not all(map(_is_name, everything)):
        raise ValueError("member names or their number")
    content = _written(everything)
    if len(content) > MOST_BYTES:
        raise ValueError("too large")
    return content


def read_container(content: bytes) -> dict[str, bytes]:
    """Return the members without `mimetype`, in their order.

    DocumentError `malformed` or `too-large` with the rule `container-size`, `-cut`, `-zip64`,
    `-count`, `-encrypted`, `-compressed`, `-name`, `-symlink`, `-duplicate`, `-overlap`,
    `-damaged`, `-mimetype` or `-form`.
    """
    if len(content) > MOST_BYTES:
        _refuse("size", str(len(content)), code="too-large")
    members: dict[str, bytes] = {}
    seen: set[str] = set()
    end = 0
    for name, start, size, checksum in _listed(content):
        if name.casefold() in seen:
            _refuse("duplicate", name)
        seen.add(name.casefold())
        offset = start + _LOCAL.size + len(name)
        if start != end or offset + size > len(content):
            _refuse("overlap", name)
        end = offset + size
        members[name] = content[offset:end]
        if zlib.crc32(members[name]) != checksum:
            _refuse("damaged", name)
    if next(iter(members), "") != "mimetype" or members["mimetype"] != MIMETYPE:
        _refuse("mimetype")
    if _written(members) != content:
        _refuse("form")
    del members["mimetype"]
    return members


def _listed(content: bytes) -> list[tuple[str, int, int, int]]:
    """Read the central directory: (name, offset, size, CRC-32) of each member."""
    place = len(content) - _END.size
    if place < 0 or content[place : place + 4] != b"PK\x05\x06":
        _refuse("cut")
    _, disk, first, here, count, size, start, _ = _END.unpack_from(content, place)
    if _WIDE16 in (disk, first, here, count) or _WIDE32 in (size, start):
        _refuse("zip64")
    if count > MOST_MEMBERS:
        _refuse("count", str(count))
    if start + size != place:
        _refuse("cut")
    found = []
    for _ in range(count):
        if start + _CENTRAL.size > place:
            _refuse("cut")
        found.append(_entry(content, start))
        start += _CENTRAL.size + len(found[-1][0])
    return found


def _entry(content: bytes, place: int) -> tuple[str, int, int, int]:
    fields = _CENTRAL.unpack_from(content, place)
    flags, method, checksum, packed, size, length, extra = fields[3], fields[4], *fields[7:12]
    offset = fields[16]
    raw = content[place + _CENTRAL.size : place + _CENTRAL.size + length]
    name = raw.decode("latin-1")
    if flags & 1:
        _refuse("encrypted", name)
    if method:
        _refuse("compressed", name)
    if _WIDE32 in (packed, size, offset) or extra:
        _refuse("zip64", name)
    if fields[15] >> 16 & 0xF000 == _SYMLINK:
        _refuse("symlink", name)
    if not _is_name(name):
        _refuse("name", name)
    return name, offset, size, checksum


def _is_name(name: str) -> bool:
    return len(name) <= LONGEST_NAME and _NAME.fullmatch(name) is not None


def _written(members: Mapping[str, bytes]) -> bytes:
    bodies, directory, offset = [], [], 0
    for name, member in members.items():
        raw, checksum, size = name.encode("latin-1"), zlib.crc32(member), len(member)
        numbers = (checksum, size, size, len(raw), 0)
        local = _LOCAL.pack(b"PK\x03\x04", _VERSION, 0, 0, 0, _DATE, *numbers)
        bodies += [local, raw, member]
        central = (b"PK\x01\x02", _VERSION, _VERSION, 0, 0, 0, _DATE, *numbers, 0, 0, 0, 0, offset)
        directory += [_CENTRAL.pack(*central), raw]
        offset += len(local) + len(raw) + size
    listed = b"".join(directory)
    count = len(members)
    end = _END.pack(b"PK\x05\x06", 0, 0, count, count, len(listed), offset, 0)
    return b"".join((*bodies, listed, end))


def _refuse(rule: str, found: str = "", code: str = "malformed") -> NoReturn:
    raise DocumentError(code, Finding(code, f"container-{rule}", "", found[:LONGEST_NAME]))
