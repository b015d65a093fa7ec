"""Read a submission off the wire: multipart/form-data, or one document as the raw body.

Everything stays in memory, within bounds: personal data never touches a temporary file.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from python_multipart.multipart import parse_options_header

from gateway.errors import DocumentError, Finding
from gateway.flows.intake import SMIME_TYPE, Upload
from gateway.model.parameters import Parameters

MULTIPART = "multipart/form-data"
RAW = frozenset(
    {
        "application/xml",
        "text/xml",
        "application/json",
        "text/plain",
        "application/octet-stream",
        "application/edifact",
        SMIME_TYPE,
    }
)
PARAMETERS_BYTES = 262_144
_FORMAT_CHARACTERS = 100
_HEADER_BYTES = 4_096  # of one part
_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
_DIGITS = 24  # of a decimal in parameters, exponent included


@dataclass(frozen=True, slots=True)
class Intake:
    """What was sent."""

    uploads: tuple[Upload, ...]
    parameters: Parameters


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    filename: str
    content: bytes


def media_type(stated: str | None) -> str:
    """Return the media type of a submission. DocumentError `type-unknown` for others."""
    media = (stated or "").partition(";")[0].strip().lower()
    if media != MULTIPART and media not in RAW:
        raise DocumentError(
            "type-unknown",
            Finding(
                "type-unknown",
                "media-type",
                "header Content-Type",
                found=media[:80],
                expected=", ".join([MULTIPART, *sorted(RAW)]),
            ),
        )
    return media


def read(stated: str, body: bytes, format_name: str | None, limit: int) -> Intake:
    """Read a whole body. limit: documents in one submission. DocumentError."""
    media = media_type(stated)
    if media == SMIME_TYPE:  # its boundary stands in our header: together they are the document
        body = b"Content-Type: %b\r\n\r\n%b" % (stated.encode("latin-1", "replace"), body)
    if media != MULTIPART:
        return Intake((Upload("document-1", body, format_name),), Parameters())
    parts = _split(stated, body, 2 * limit + 1)
    documents = [part for part in parts if part.name == "document"]
    formats = [part.content for part in parts if part.name == "format"]
    stated_parameters = [part.content for part in parts if part.name == "parameters"]
    _check_names(parts)
    if formats and len(formats) != len(documents):
        raise _malformed("format-count", "format", str(len(formats)), str(len(documents)))
    if len(stated_parameters) > 1:
        raise _malformed("parts", "parameters", str(len(stated_parameters)), "at most 1")
    return Intake(
        _uploads(documents, formats, format_name),
        read_parameters(stated_parameters[0]) if stated_parameters else Parameters(),
    )


def read_parameters(content: bytes) -> Parameters:
    """Read submission parameters (JSON). DocumentError `malformed`, `schema-invalid` or
    `too-large`."""
    if len(content) > PARAMETERS_BYTES:
        expected = f"at most {PARAMETERS_BYTES} bytes"
        raise DocumentError(
            "too-large",
            Finding("too-large", "size", "parameters", str(len(content)), expected),
        )
    try:
        parameters = msgspec.json.decode(content, type=Parameters)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `")
        path = f"parameters{where.rstrip('`').removeprefix('$')}"
        raise DocumentError(
            "schema-invalid", Finding("schema-invalid", "parameters", path, found=what[:200])
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _malformed("parameters", "parameters", str(error)[:200]) from error
    _check_decimals(parameters)
    return parameters


def _check_decimals(parameters: Parameters) -> None:
    """Refuse `1e999999999`: five characters that become a gigabyte once written out."""
    for number, packing in enumerate(parameters.packing):
        _, digits, exponent = packing.gross_mass.value.as_tuple()
        if not isinstance(exponent, int) or len(digits) + abs(exponent) > _DIGITS:
            path = f"parameters.packing[{number}].grossMass.value"
            raise DocumentError(
                "schema-invalid",
                Finding("schema-invalid", "decimal", path, expected=f"at most {_DIGITS} digits"),
            )


def _uploads(
    documents: Sequence[_Part], formats: Sequence[bytes], format_name: str | None
) -> tuple[Upload, ...]:
    names: list[str | None] = [_format_name(each) for each in formats]
    names = names or [format_name] * len(documents)
    return tuple(
        Upload(part.filename or f"document-{number}", part.content, name)
        for number, (part, name) in enumerate(zip(documents, names, strict=True), start=1)
    )


def _format_name(content: bytes) -> str:
    return content[:_FORMAT_CHARACTERS].decode("utf-8", "replace").strip()


def _check_names(parts: Sequence[_Part]) -> None:
    for part in parts:
        if part.name not in ("document", "format", "parameters"):
            expected = "document, format, parameters"
            raise _malformed("part-name", "multipart", part.name[:80], expected)


def _split(stated: str, body: bytes, limit: int) -> list[_Part]:
    """Cut a multipart body at its boundary (RFC 2046 5.1.1, RFC 7578). What stands before
    the first one is passed over. The content of a part is copied once, nothing else is."""
    boundary = parse_options_header(stated)[1].get(b"boundary", b"")
    if not _BOUNDARY.fullmatch(boundary):
        raise _malformed("multipart", "header Content-Type", expected="boundary=...")
    delimiter = b"\r\n--" + boundary
    if (count := body.count(delimiter)) > limit:
        raise _malformed("parts", "multipart", str(count), f"at most {limit}")
    parts: list[_Part] = []
    at = 0 if body.startswith(delimiter[2:]) else body.find(delimiter) + 2
    at += len(delimiter) - 2
    while body[at : at + 2] != b"--":
        end = body.find(delimiter, at)
        if end < 0:
            raise _malformed("multipart", "multipart", expected="closing boundary")
        parts.append(_part(body, at, end))
        at = end + len(delimiter)
    return parts


def _part(body: bytes, start: int, end: int) -> _Part:
    """Read one part: what stands between two delimiters."""
    line = body.find(b"\r\n", start, end)
    blank = body.find(b"\r\n\r\n", line, min(end, line + _HEADER_BYTES)) if line >= 0 else -1
    if blank < 0 or body[start:line].strip(b" \t"):
        raise _malformed("multipart", "multipart", expected="part headers, blank line, content")
    fields = {}
    for row in body[line:blank].split(b"\r\n")[1:]:
        key, _, value = row.partition(b":")
        fields[key.strip().lower()] = value.strip()
    coding = fields.get(b"content-transfer-encoding", b"binary").lower()
    if coding not in (b"binary", b"8bit", b"7bit"):
        raise _malformed("multipart", "multipart", coding.decode("latin-1")[:40], "binary")
    disposition, options = parse_options_header(fields.get(b"content-disposition", b""))
    if disposition != b"form-data" or b"name" not in options:
        raise _malformed("multipart", "multipart", expected="Content-Disposition: form-data; name")
    filename = options.get(b"filename", b"").decode("utf-8", "replace")
    name = options[b"name"].decode("utf-8", "replace")
    return _Part(name, _printable(filename), body[blank + 4 : end])


def _printable(name: str) -> str:
    """Keep a file name fit to be shown: no path, no control characters, not too long."""
    last = re.split(r"[/\\]", name)[-1][:100]
    return "".join(c if c.isprintable() else "?" for c in last)


def _malformed(rule: str, path: str, found: str = "", expected: str = "") -> DocumentError:
    return DocumentError("malformed", Finding("malformed", rule, path, found, expected))


OPENAPI = {
    "required": True,
    "content": {
        MULTIPART: {
            "schema": {
                "type": "object",
                "required": ["document"],
                "properties": {
                    "document": {
                        "type": "array",
                        "minItems": 1,
                        "items": {"type": "string", "format": "binary"},
                        "description": "A document each, as it comes from the domestic system.",
                    },
                    "format": {
                        "type": "array",
                        "items": {"type": "string"},
                        "description": "One for each document, in order; detected without.",
                    },
                    "parameters": {"$ref": "#/components/schemas/Parameters"},
                },
            },
            "encoding": {"parameters": {"contentType": "application/json"}},
        },
        **{media: {"schema": {"type": "string", "format": "binary"}} for media in sorted(RAW)},
    },
}
"""How the body of a submission is described in OpenAPI."""

OPENAPI_PARAMETERS = {
    "required": True,
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Parameters"}}},
}
"""How parameters alone are described in OpenAPI."""
