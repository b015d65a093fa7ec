"""Timestamp tokens that `openssl ts` would not make."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from asn1crypto import cms, core, tsp, x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
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
) -> bytes:
    """Make a token. named: the certificate that ESSCertIDv2 names, default the leaf's."""
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
            {"type": "message_digest", "values": [hashlib.sha256(info).digest()]},
            {"type": "signing_certificate_v2", "values": [_naming(named or leaf.der)]},
        ]
    )
    signer = {
        "version": "v1",
        "sid": cms.SignerIdentifier(
            "issuer_and_serial_number",
            {"issuer": certificate.issuer, "serial_number": certificate.serial_number},
        ),
        "digest_algorithm": {"algorithm": "sha256"},
        "signed_attrs": attributes,
        "signature_algorithm": {"algorithm": "sha256_ecdsa"},
        "signature": leaf.key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256())),
    }
    inner = {"content_type": "tst_info", "content": core.ParsableOctetString(info)}
    signed = {
        "version": "v3",
        "digest_algorithms": [{"algorithm": "sha256"}],
        "encap_content_info": inner,
        "certificates": [certificate],
        "signer_infos": [signer] * signers,
    }
    outer = {"content_type": "signed_data", "content": cms.SignedData(signed)}
    return bytes(cms.ContentInfo(outer).dump())


def _naming(certificate: bytes) -> Any:
    named = tsp.ESSCertIDv2({"cert_hash": hashlib.sha256(certificate).digest()})
    return tsp.SigningCertificateV2({"certs": [named]})
