"""`canonical.manifest`: the canonical document itself, as JSON. It needs no table."""

from collections.abc import Set
from datetime import date

import msgspec

from gateway.codec.table import Header
from gateway.errors import DocumentError, Finding
from gateway.model.manifest import Manifest
from gateway.model.values import Canonical

NAME = "canonical.manifest"
TABLE = "canonical.manifest@1"
HEADER = Header(
    format=NAME,
    title="Canonical manifest",
    engine="canonical",
    canonical="manifest",
    version="1",
    valid_from=date(2018, 1, 1),
    roles=("link",),
)
_decoder = msgspec.json.Decoder(Manifest)
_encoder = msgspec.json.Encoder(order="deterministic")


def detects(keys: Set[str] | None) -> bool:
    """True for top-level keys that are all fields of a manifest, the mandatory one included."""
    return keys is not None and "direction" in keys and keys <= _keys()


def _keys() -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(Manifest)}


def decode(content: bytes) -> Manifest:
    """Read a manifest. DocumentError: `malformed`, or `schema-invalid` with the path."""
    try:
        return _decoder.decode(content)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at ")
        finding = Finding("schema-invalid", "schema", path.strip("`"), "", reason)
        raise DocumentError("schema-invalid", finding) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        finding = Finding("malformed", "json", "", "", str(error))
        raise DocumentError("malformed", finding) from error


def encode(document: Canonical) -> bytes:
    """Write a manifest; equal documents give equal octets."""
    return _encoder.encode(document)
