"""Timestamp tokens that `openssl ts` would not make."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from asn1crypto import cms, core, tsp, x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from timestamp_authority import Pair


def token(
    leaf: Pair,
    message: bytes,
    *,
    at: datetime | None = None,
    nonce: int = 7,
    named: bytes | None = None,
    digest: str = "sha256",
    signers: int = 1,
    content_type: str = "tst_info",
    naming: bool = True,
    signed_with: str = "sha256",
) -> bytes:
    """Make a token. named: the certificate that ESSCertIDv2 names, default the leaf's; naming:
    False leaves that out. signed_with: digest of the signature; the key is RSA or EC."""
    info = tsp.TSTInfo(
        {
            "version": "v1",
            "policy": "1.2.3.4.1",
            "message_imprint": {
                "hash_algorithm": {"algorithm": digest},
                "hashed_message": hashlib.new(digest, message).digest(),
            },
            "serial_number": 9,
            "gen_time": (at or datetime.now(UTC)).replace(microsecond=0),
            "nonce": nonce,
        }
    ).dump()
    certificate = x509.Certificate.load(leaf.der)
    attributes = cms.CMSAttributes(
        [
            {"type": "content_type", "values": [content_type]},
            {"type": "message_digest", "values": [hashlib.new(signed_with, info).digest()]},
            *([_naming(named or leaf.der)] if naming else []),
        ]
    )
    signer = {
        "version": "v1",
        "sid": cms.SignerIdentifier(
            "issuer_and_serial_number",
            {"issuer": certificate.issuer, "serial_number": certificate.serial_number},
        ),
        "digest_algorithm": {"algorithm": signed_with},
        "signed_attrs": attributes,
        **_signature(leaf.key, attributes.dump(), signed_with),
    }
    inner = {"content_type": "tst_info", "content": core.ParsableOctetString(info)}
    signed = {
        "version": "v3",
        "digest_algorithms": [{"algorithm": signed_with}],
        "encap_content_info": inner,
        "certificates": [certificate],
        "signer_infos": [signer] * signers,
    }
    outer = {"content_type": "signed_data", "content": cms.SignedData(signed)}
    return bytes(cms.ContentInfo(outer).dump())


def _naming(certificate: bytes) -> Any:
    named = tsp.ESSCertIDv2({"cert_hash": hashlib.sha256(certificate).digest()})
    value = tsp.SigningCertificateV2({"certs": [named]})
    return {"type": "signing_certificate_v2", "values": [value]}


def _signature(key: Any, message: bytes, digest: str) -> dict[str, Any]:
    made = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256()}[digest]
    if isinstance(key, ec.EllipticCurvePrivateKey):
        value, kind = key.sign(message, ec.ECDSA(made)), "ecdsa"
    else:
        value, kind = key.sign(message, padding.PKCS1v15(), made), "rsa"
    return {"signature_algorithm": {"algorithm": f"{digest}_{kind}"}, "signature": value}
