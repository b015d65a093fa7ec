"""META-INF/ASiCManifest.xml and bundle.json: what is in the bundle."""

import base64
import hashlib
import json
from typing import Any

import rfc8785

from conformance.verifier.verdict import Failed

MANIFEST, INDEX = "META-INF/ASiCManifest.xml", "bundle.json"
CMS, STATEMENT = "META-INF/signature.p7s", "META-INF/signature.json"
_SIGNATURES = {
    CMS: "application/pkcs7-signature",
    STATEMENT: "application/vnd.dsse.envelope.v1+json",
}
_FRONT = (
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<asic:ASiCManifest xmlns:asic="http://uri.etsi.org/02918/v1.2.1#" '
    'xmlns:ds="http://www.w3.org/2000/09/xmldsig#">',
)
_MEDIA = {
    "json": "application/json",
    "xml": "application/xml",
    "der": "application/pkix-cert",
    "tst": "application/vnd.etsi.timestamp-token",
    "crl": "application/pkix-crl",
    "ors": "application/ocsp-response",
}
_FIELDS: dict[str, dict[str, Any]] = {
    "index": {
        "format": str, "exporter": str, "counterpart": str, "at": str, "subject": str,
        "messages": list, "rows": list, "head": (dict, type(None)), "certificates": list,
    },
    "message": {
        "id": str, "external_id": str, "kind": str, "party": str, "document_type": str,
        "digest": str, "created": str, "documents": list, "originals": list,
    },
    "document": {
        "role": str, "digest": str, "media_type": str, "retention": str, "salt": str,
        "path": (str, type(None)),
    },
    "row": {
        "message": str, "entry": str, "salt": str, "index": (int, type(None)), "proof": list,
    },
    "head": {"path": str, "stamp": (str, type(None))},
}  # fmt: skip
_KINDS = ("submission", "outbound", "inbound", "domestic")


def check(members: dict[str, bytes]) -> None:
    """The manifest lists exactly the members, each by SHA-256."""
    signature = signature_of(members)
    listed = [(n, c) for n, c in members.items() if n not in (MANIFEST, signature)]
    named = f'<asic:SigReference URI="{signature}" MimeType="{_SIGNATURES[signature]}"/>'
    lines = [*_FRONT, named, *(_line(n, c) for n, c in listed), "</asic:ASiCManifest>", ""]
    if "\n".join(lines).encode() != members[MANIFEST]:
        stated = members[MANIFEST].decode("latin-1").split("\n")
        wrong = (n for n, c in listed if _line(n, c) not in stated)
        raise Failed("manifest-digest", next(wrong, MANIFEST))


def signature_of(members: dict[str, bytes]) -> str:
    """Return the name of the member behind the manifest, which signs it."""
    names = list(members)[:2]
    if len(names) < 2 or names[0] != MANIFEST or names[1] not in _SIGNATURES:
        raise Failed("manifest-missing", MANIFEST)
    return names[1]


def _line(name: str, content: bytes) -> str:
    media = _MEDIA.get(name.rpartition(".")[2], "application/octet-stream")
    root = ' Rootfile="true"' if name == INDEX else ""
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    return (
        f'<asic:DataObjectReference URI="{name}" MimeType="{media}"{root}>'
        '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
        f"<ds:DigestValue>{digest}</ds:DigestValue></asic:DataObjectReference>"
    )


def index(members: dict[str, bytes]) -> dict[str, Any]:
    """Read bundle.json: exactly the published fields, canonical, every member in its place."""
    found = _read(members.get(INDEX, b""))
    named = [d["path"] for m in found["messages"] for d in m["documents"]]
    if found["head"]:
        named += [found["head"]["path"], found["head"]["stamp"]]
    named = [n for n in named if n is not None] + found["certificates"]
    kept = (MANIFEST, signature_of(members), INDEX)
    if sorted(named) != sorted(n for n in members if n not in kept):
        raise Failed("index-members")
    ids = [m["id"] for m in found["messages"]]
    if found["subject"] not in ids or len(set(ids)) < len(ids):
        raise Failed("index-subject")
    if any(row["message"] not in ids for row in found["rows"]):
        raise Failed("index-rows")
    for path in found["certificates"]:
        if path != f"certificates/{hashlib.sha256(members[path]).hexdigest()}.der":
            raise Failed("index-certificate", path)
    return found


def _read(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
        canonical = rfc8785.dumps(found) == content
    except (ValueError, RecursionError) as fault:
        raise Failed("index-form") from fault
    if not canonical:
        raise Failed("index-form")
    _check_shapes(found)
    return found  # type: ignore[no-any-return]


def _check_shapes(found: Any) -> None:
    _shape("index", found)
    if found["format"] != "bilateral-gateway-bundle/1":
        raise Failed("bundle-format", found["format"][:100])
    for message in found["messages"]:
        _shape("message", message)
        _texts(message["originals"])
        if message["kind"] not in _KINDS:
            raise Failed("index-form")
        for document in message["documents"]:
            _shape("document", document)
    for row in found["rows"]:
        _shape("row", row)
        _texts(row["proof"])
    _texts(found["certificates"])
    if found["head"]:
        _shape("head", found["head"])


def _shape(name: str, value: Any) -> None:
    fields = _FIELDS[name]
    if not isinstance(value, dict) or set(value) != set(fields):
        raise Failed("index-form", name)
    for field, kind in fields.items():
        if not isinstance(value[field], kind) or isinstance(value[field], bool):
            raise Failed("index-form", field)


def _texts(values: list[Any]) -> None:
    if not all(isinstance(each, str) for each in values):
        raise Failed("index-form")
