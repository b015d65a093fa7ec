"""The manifest of a bundle and the signature over it (ETSI EN 319 162-1, ASiC-E with CAdES).

The manifest names every other member by its digest, in the members' order, and has one
spelling; the signature is a detached CMS signature (CAdES-B) over its octets.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import NoReturn

from asn1crypto import cms

from gateway.errors import DocumentError, Finding, TrustError
from gateway.signing.cms import SignedParts

MANIFEST = "META-INF/ASiCManifest.xml"
SIGNATURE = "META-INF/signature.p7s"
STATEMENT = "META-INF/signature.json"
"""The signature as a DSSE statement: of a key that CMS has no name for (SM2)."""
SIGNATURES = {
    SIGNATURE: "application/pkcs7-signature",
    STATEMENT: "application/vnd.dsse.envelope.v1+json",
}
MANIFEST_TYPE = "application/vnd.bilateral-gateway.manifest+xml"
"""DSSE payload type of a manifest."""
INDEX = "bundle.json"

_OPEN = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<asic:ASiCManifest xmlns:asic="http://uri.etsi.org/02918/v1.2.1#" '
    'xmlns:ds="http://www.w3.org/2000/09/xmldsig#">\n'
    '<asic:SigReference URI="{name}" MimeType="{media}"/>\n'
)
_OBJECT = (
    '<asic:DataObjectReference URI="{name}" MimeType="{media}"{root}>'
    '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
    "<ds:DigestValue>{digest}</ds:DigestValue></asic:DataObjectReference>\n"
)
_CLOSE = "</asic:ASiCManifest>\n"
_MEDIA = {
    "json": "application/json",
    "xml": "application/xml",
    "der": "application/pkix-cert",
    "tst": "application/vnd.etsi.timestamp-token",
    "crl": "application/pkix-crl",
    "ors": "application/ocsp-response",
}
OCTETS = "application/octet-stream"


def manifest_of(members: Mapping[str, bytes], signature: str = SIGNATURE) -> bytes:
    """Return the manifest of all members but itself and the signature, whose name is given."""
    listed = (
        _OBJECT.format(
            name=name,
            media=_MEDIA.get(name.rpartition(".")[2], OCTETS),
            root=' Rootfile="true"' if name == INDEX else "",
            digest=base64.b64encode(hashlib.sha256(content).digest()).decode(),
        )
        for name, content in members.items()
        if name not in (MANIFEST, signature)
    )
    opening = _OPEN.format(name=signature, media=SIGNATURES[signature])
    return "".join((opening, *listed, _CLOSE)).encode("ascii")


def signature_of(members: Mapping[str, bytes]) -> str:
    """Return the name of the member behind the manifest; DocumentError as `check_manifest`."""
    names = list(members)[:2]
    if len(names) < 2 or names[0] != MANIFEST or names[1] not in SIGNATURES:
        _refuse("manifest-missing", MANIFEST)
    return names[1]


def check_manifest(members: Mapping[str, bytes]) -> None:
    """Raise unless the manifest is there, first, with the signature behind it, and names the
    members as they are. DocumentError `malformed`, rule `manifest-missing` or
    `manifest-digest` (the first member that differs is named)."""
    signature = signature_of(members)
    stated = members[MANIFEST].split(b"\n")
    expected = manifest_of(members, signature).split(b"\n")
    if stated == expected:
        return
    pairs = zip(stated, expected, strict=False)
    place = next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(stated), len(expected)))
    names = [name for name in members if name not in (MANIFEST, signature)]
    behind = place - _OPEN.count("\n")
    _refuse("manifest-digest", names[behind] if 0 <= behind < len(names) else MANIFEST)


def check_spelling(signature: bytes, parts: SignedParts) -> None:
    """Raise unless a signature has no octet beside what its signature covers and its one
    certificate: TrustError `signature-invalid`, rule `signature-form`."""
    signer = cms.ContentInfo.load(signature)["content"]["signer_infos"][0]
    plain = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [{"algorithm": parts.digest}],
            "encap_content_info": {"content_type": "data"},
            "certificates": [cms.CertificateChoices.load(parts.certificate)],
            "signer_infos": [
                {
                    "version": "v1",
                    "sid": signer["sid"],
                    "digest_algorithm": {"algorithm": parts.digest},
                    "signed_attrs": signer["signed_attrs"],
                    "signature_algorithm": signer["signature_algorithm"],
                    "signature": parts.value,
                }
            ],
        }
    )
    if cms.ContentInfo({"content_type": "signed_data", "content": plain}).dump() != signature:
        raise TrustError(
            "signature-invalid", Finding("signature-invalid", "signature-form", SIGNATURE)
        )


def _refuse(rule: str, path: str) -> NoReturn:
    raise DocumentError("malformed", Finding("malformed", rule, path))
