"""The ZIP file: one spelling, so that every octet of it is accounted for."""

import re
import struct
import zlib

from conformance.verifier.verdict import Failed

MIMETYPE = b"application/vnd.etsi.asic-e+zip"
_MOST_BYTES, _MOST_MEMBERS, _LONGEST = 256_000_000, 5_000, 200
_NAME = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*")


def read(content: bytes) -> dict[str, bytes]:
    """Return all members but `mimetype`, in order; Failed `container-...`."""
    if len(content) > _MOST_BYTES:
        raise Failed("container-size")
    members = _members(content, *_end(content))
    if next(iter(members), None) != "mimetype" or members.pop("mimetype") != MIMETYPE:
        raise Failed("container-mimetype")
    if _spelling({"mimetype": MIMETYPE, **members}) != content:
        raise Failed("container-form")
    return members


def _members(content: bytes, directory: int, count: int) -> dict[str, bytes]:
    """Follow the directory; the members must lie one behind the other."""
    members: dict[str, bytes] = {}
    known: set[str] = set()
    at, here = directory, 0
    for _ in range(count):
        entry = content[at : at + 46]
        if len(entry) < 46 or entry[:4] != b"PK\x01\x02":
            raise Failed("container-cut")
        name = _name(content, at, entry)
        if name.lower() in known:
            raise Failed("container-duplicate", name)
        known.add(name.lower())
        checksum, size, start = *struct.unpack("<I4xI", entry[16:28]), _u32(entry, 42)
        body = here + 30 + len(name)
        if start != here or body + size > directory:
            raise Failed("container-overlap", name)
        members[name] = content[body : body + size]
        if zlib.crc32(members[name]) != checksum:
            raise Failed("container-damaged", name)
        at, here = at + 46 + len(name), body + size
    return members


def _end(content: bytes) -> tuple[int, int]:
    """Return where the directory starts, and how many members it lists."""
    end = content[-22:]
    if len(end) < 22 or end[:4] != b"PK\x05\x06":
        raise Failed("container-cut")
    numbers = struct.unpack("<4H2I", end[4:20])
    if 0xFFFF in numbers[:4] or 0xFFFFFFFF in numbers[4:]:
        raise Failed("container-zip64")
    if numbers[3] > _MOST_MEMBERS:
        raise Failed("container-count", str(numbers[3]))
    if numbers[4] + numbers[5] != len(content) - 22:
        raise Failed("container-cut")
    return numbers[5], numbers[3]


def _name(content: bytes, at: int, entry: bytes) -> str:
    """Check one entry of the directory and return its name."""
    flags, method = struct.unpack("<2H", entry[8:12])
    length, extra = struct.unpack("<2H", entry[28:32])
    raw = content[at + 46 : at + 46 + length]
    name = raw.decode("latin-1")
    if flags & 1:
        raise Failed("container-encrypted", name)
    if method != 0:
        raise Failed("container-compressed", name)
    if extra or 0xFFFFFFFF in (_u32(entry, 20), _u32(entry, 24), _u32(entry, 42)):
        raise Failed("container-zip64", name)
    if (_u32(entry, 38) >> 16) & 0xF000 == 0xA000:
        raise Failed("container-symlink", name)
    if len(raw) > _LONGEST or not _NAME.fullmatch(raw):
        raise Failed("container-name", name[:_LONGEST])
    return name


def _u32(octets: bytes, place: int) -> int:
    return int.from_bytes(octets[place : place + 4], "little")


def _spelling(members: dict[str, bytes]) -> bytes:
    """Return the one spelling of a container with these members."""
    front, back = bytearray(), bytearray()
    for name, body in members.items():
        middle = struct.pack(
            "<5H3I2H", 10, 0, 0, 0, 0x21, zlib.crc32(body), len(body), len(body), len(name), 0
        )
        back += b"PK\x01\x02" + struct.pack("<H", 10) + middle
        back += struct.pack("<3H2I", 0, 0, 0, 0, len(front)) + name.encode()
        front += b"PK\x03\x04" + middle + name.encode() + body
    count = len(members)
    numbers = struct.pack("<4H2IH", 0, 0, count, count, len(back), len(front), 0)
    return bytes(front + back + b"PK\x05\x06" + numbers)
