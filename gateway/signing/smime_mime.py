"""multipart/signed (RFC 1847, RFC 2046), read strictly: two parts, no more, no other way to
read it.

Lines end with CRLF, headers and parameters stand once, the boundary stands alone on its three
lines, and the first part is the only text that anybody goes on with. What a mail program would
tolerate is refused: two readers must not see two messages.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import NoReturn

from gateway.errors import Finding, TrustError

MOST_HEADER = 4096
"""Octets of the headers of an entity."""
MOST_PREAMBLE = 200
MULTIPART = "multipart/signed"
PROTOCOLS = ("application/x-pkcs7-signature", "application/pkcs7-signature")
SIGNED_HEADERS = frozenset({"content-type", "content-transfer-encoding", "content-disposition"})
OUTER_HEADERS = frozenset({"mime-version", "content-type", "content-length"})
_TEXT_ENCODINGS = ("", "7bit", "8bit", "binary")
_START = re.compile(rb"(?i)(?:mime-version|content-type|content-length)[ \t]*:")
_FIELD = re.compile(rb"([!-9;-~]+):[ \t]*((?:[^\r\n\0]|\r\n[ \t])*)\r\n")
_TOKEN = r"[^\s()<>@,;:\\\"/\[\]?=]+"  # noqa: S105  RFC 2045 5.1, no secret
_TYPE = re.compile(rf"({_TOKEN}/{_TOKEN})\s*")
_PARAMETER = re.compile(rf';\s*({_TOKEN})=(?:({_TOKEN})|"([^"\\\r\n]*)")\s*')
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")


@dataclass(frozen=True, slots=True)
class Field:
    """A Content-Type: the type in lower case, and its parameters."""

    media_type: str
    parameters: dict[str, str]


@dataclass(frozen=True, slots=True)
class SignedMime:
    """What a multipart/signed holds.

    signed: the octets of the first part, its headers included: these the signature covers.
    content: its body. charset: as stated, in lower case. signature: DER. micalg: in lower case.
    """

    signed: bytes
    content: bytes
    charset: str
    signature: bytes
    micalg: str


def read_signed(octets: bytes) -> SignedMime:
    """Take a multipart/signed apart.

    TrustError `signature-missing` (no MIME, or another type), else `signature-scope`: rules
    `mime-header`, `mime-line-end`, `mime-type`, `mime-boundary`, `mime-parts`, `mime-nested`,
    `mime-encoding`, `mime-charset`, `base64`.
    """
    if not looks_like_mime(octets):
        _refuse("signature-missing", expected=MULTIPART, code="signature-missing")
    headers, start = _headers(octets, OUTER_HEADERS)
    stated = content_type(headers)
    if stated.media_type != MULTIPART:
        _refuse("mime-type", stated.media_type, MULTIPART, "signature-missing")
    boundary = _outer(stated)
    first, second = _parts(octets, start, boundary)
    body, charset = _text(first)
    return SignedMime(first, body, charset, _signature(second), stated.parameters["micalg"].lower())


def looks_like_mime(octets: bytes) -> bool:
    """Return True for what begins with a header of MIME."""
    return _START.match(octets) is not None


def content_type(headers: dict[str, str]) -> Field:
    """Return the Content-Type; rule `mime-type` when it is missing or not as RFC 2045 says."""
    text = headers.get("content-type", "")
    found = _TYPE.match(text)
    if found is None:
        _refuse("mime-type", text[:80])
    parameters: dict[str, str] = {}
    at = found.end()
    while at < len(text):
        each = _PARAMETER.match(text, at)
        if each is None or each[1].lower() in parameters:
            _refuse("mime-type", text[:80])
        parameters[each[1].lower()] = each[2] or each[3] or ""
        at = each.end()
    return Field(found[1].lower(), parameters)


def _outer(stated: Field) -> str:
    """Return the boundary, when the parameters are exactly the three that are due."""
    if stated.parameters.keys() != {"protocol", "micalg", "boundary"}:
        _refuse("mime-type", ", ".join(sorted(stated.parameters)), "protocol, micalg, boundary")
    if stated.parameters["protocol"].lower() not in PROTOCOLS:
        _refuse("mime-type", stated.parameters["protocol"], PROTOCOLS[0])
    if not _BOUNDARY.fullmatch(stated.parameters["boundary"]):
        _refuse("mime-boundary", "1 to 70 characters")
    return stated.parameters["boundary"]


def _headers(octets: bytes, allowed: frozenset[str]) -> tuple[dict[str, str], int]:
    """Return the headers, names in lower case, and where the body begins."""
    end = octets.find(b"\r\n\r\n", 0, MOST_HEADER) + 2
    if end < 2:
        bare = b"\n\n" in octets[:MOST_HEADER]
        _refuse("mime-line-end" if bare else "mime-header", expected="CRLF CRLF")
    found: dict[str, str] = {}
    at = 0
    while at < end:
        field = _FIELD.match(octets, at, end)
        if field is None:
            bare = b"\n" in octets[at:end].replace(b"\r\n", b"")
            _refuse("mime-line-end" if bare else "mime-header")
        name = field[1].decode("ascii").lower()
        if name in found or name not in allowed:
            _refuse("mime-header", name[:40], ", ".join(sorted(allowed)))
        try:
            found[name] = field[2].replace(b"\r\n", b"").strip().decode("ascii")
        except UnicodeDecodeError:
            _refuse("mime-header", name[:40], "ASCII")
        at = field.end()
    return found, end + 2


def _parts(octets: bytes, start: int, boundary: str) -> tuple[bytes, bytes]:
    """Cut at the lines of the boundary: open, open, close, and nothing but white space after.

    A line that begins as the boundary but goes on otherwise is refused: readers differ on it.
    """
    line = b"\r\n--" + boundary.encode("ascii")
    found = re.compile(re.escape(line)).finditer(octets, start - 2)
    places = [each.start() for each in found]
    if len(places) != 3:
        _refuse("mime-parts", str(len(places)), "2 parts")
    before = octets[start : max(places[0], start)]
    if len(before) > MOST_PREAMBLE or not before.isascii():
        _refuse("mime-parts", expected=f"at most {MOST_PREAMBLE} octets before the first part")
    first, second, close = (place + len(line) + 2 for place in places)
    ends = (b"\r\n", b"\r\n", b"--")
    for place, end in zip(places, ends, strict=True):
        if not octets.startswith(end, place + len(line)):
            _refuse("mime-boundary", expected="the boundary alone on its line")
    if octets[close:].strip(b"\r\n"):
        _refuse("mime-parts", expected="nothing behind the last boundary")
    return octets[first : places[1]], octets[second : places[2]]


def _text(part: bytes) -> tuple[bytes, str]:
    """Return the body of the first part, which is plain text in canonical form."""
    if b"\n" in part.replace(b"\r\n", b"") or b"\r" in part.replace(b"\r\n", b""):
        _refuse("mime-line-end", expected="CRLF")
    headers, start = _headers(part, SIGNED_HEADERS)
    stated = content_type(headers)
    if stated.media_type.startswith(("multipart/", "message/")):
        _refuse("mime-nested", stated.media_type, "text/plain")
    if stated.media_type != "text/plain" or stated.parameters.keys() - {"charset"}:
        _refuse("mime-type", stated.media_type, "text/plain; charset=UTF-8")
    if headers.get("content-transfer-encoding", "").lower() not in _TEXT_ENCODINGS:
        _refuse("mime-encoding", headers["content-transfer-encoding"][:40], "8bit")
    charset = stated.parameters.get("charset", "us-ascii").lower()
    body = part[start:]
    if charset not in ("utf-8", "us-ascii") or (charset == "us-ascii" and not body.isascii()):
        _refuse("mime-charset", charset[:40], "utf-8")
    return body, charset


def _signature(part: bytes) -> bytes:
    headers, start = _headers(part, SIGNED_HEADERS)
    stated = content_type(headers)
    if stated.media_type not in PROTOCOLS or stated.parameters.keys() - {"name", "smime-type"}:
        _refuse("mime-type", stated.media_type, PROTOCOLS[0])
    if headers.get("content-transfer-encoding", "").lower() != "base64":
        _refuse("mime-encoding", headers.get("content-transfer-encoding", "")[:40], "base64")
    text = b"".join(part[start:].split())  # unsigned: openssl, too, ends its lines with LF here
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        octets = b""
    if not octets or base64.b64encode(octets) != text:
        _refuse("base64")
    return octets


def _refuse(
    rule: str, found: str = "", expected: str = "", code: str = "signature-scope"
) -> NoReturn:
    raise TrustError(code, Finding(code, rule, "multipart/signed", found, expected))
