"""DER, checked before any library reads it: definite, shortest lengths and nothing behind.

Libraries for ASN.1 accept BER, in which one value has many spellings: two readers may then
see two contents. What is signed has one spelling here.
"""

from typing import NoReturn

from gateway.errors import Finding, TrustError

DEEPEST = 32
"""Levels of nesting; certificates and CMS need some fifteen."""
_CONSTRUCTED = 0x20
_LONG = 0x80


def check_der(octets: bytes, code: str, most: int) -> None:
    """Refuse octets that are not exactly one DER value of at most `most` octets.

    TrustError with the code given; rules `der-size`, `der-truncated`, `der-trailing`,
    `der-indefinite-length`, `der-length` (not the shortest form), `der-tag`, `der-depth`.
    """
    if not 2 <= len(octets) <= most:
        _refuse(code, "der-size", found=str(len(octets)), expected=f"2 to {most} octets")
    end = _value(octets, 0, len(octets), code, 0)
    if end != len(octets):
        _refuse(code, "der-trailing", found=f"{len(octets) - end} octets")


def sequence(content: bytes) -> bytes:
    """Return the DER SEQUENCE around values that are DER already."""
    size = len(content)
    if size < _LONG:
        return bytes((0x30, size)) + content
    stated = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((0x30, _LONG + len(stated))) + stated + content


def _value(octets: bytes, start: int, limit: int, code: str, depth: int) -> int:
    """Check the value at `start` and return where it ends."""
    if depth > DEEPEST:
        _refuse(code, "der-depth", start)
    if start + 2 > limit:
        _refuse(code, "der-truncated", start)
    tag = octets[start]
    if tag & 0x1F == 0x1F:
        _refuse(code, "der-tag", start)  # no structure that is read here has such tags
    size, at = _length(octets, start + 1, limit, code)
    end = at + size
    if end > limit:
        _refuse(code, "der-truncated", start)
    if tag & _CONSTRUCTED:
        while at < end:
            at = _value(octets, at, end, code, depth + 1)
    return end


def _length(octets: bytes, at: int, limit: int, code: str) -> tuple[int, int]:
    """Return the length that is stated at `at`, and where the content begins."""
    first = octets[at]
    if first < _LONG:
        return first, at + 1
    if first == _LONG:
        _refuse(code, "der-indefinite-length", at)
    count = first - _LONG
    stated = octets[at + 1 : at + 1 + count]
    if count > 4 or at + 1 + count > limit:
        _refuse(code, "der-truncated", at)
    size = int.from_bytes(stated, "big")
    if stated[0] == 0 or size < _LONG:
        _refuse(code, "der-length", at)
    return size, at + 1 + count


def _refuse(code: str, rule: str, offset: int = 0, found: str = "", expected: str = "") -> NoReturn:
    raise TrustError(code, Finding(code, rule, f"offset {offset}", found, expected))
