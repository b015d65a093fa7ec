"""Detached CMS SignedData (RFC 5652) of one of our signers, with the attributes of CAdES-B:
content type, message digest, signing time, and the certificate by its digest."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from asn1crypto import algos, cms, core, tsp, x509

from gateway.errors import Finding, TrustError
from gateway.signing.algorithms import (
    ALGORITHMS,
    ECDSA_SHA256,
    ECDSA_SHA384,
    ECDSA_SHA512,
    RSA_PSS_SHA256,
    RSA_PSS_SHA384,
    RSA_PSS_SHA512,
    RSA_SHA256,
    RSA_SHA384,
    RSA_SHA512,
    der_of,
)
from gateway.signing.cms_schemes import ECDSA, HASHES, PKCS1, PSS, Scheme
from gateway.signing.keys import Signer
from gateway.signing.rolling import settled

SCHEMES: dict[str, Scheme] = {
    ECDSA_SHA256: Scheme(ECDSA, "sha256"),
    ECDSA_SHA384: Scheme(ECDSA, "sha384"),
    ECDSA_SHA512: Scheme(ECDSA, "sha512"),
    RSA_PSS_SHA256: Scheme(PSS, "sha256"),
    RSA_PSS_SHA384: Scheme(PSS, "sha384"),
    RSA_PSS_SHA512: Scheme(PSS, "sha512"),
    RSA_SHA256: Scheme(PKCS1, "sha256"),
    RSA_SHA384: Scheme(PKCS1, "sha384"),
    RSA_SHA512: Scheme(PKCS1, "sha512"),
}
"""What CMS calls a signature method."""


def sign_detached(
    content: bytes, signer: Signer, at: datetime, chain: Sequence[bytes] = ()
) -> bytes:
    """Return a ContentInfo (DER) over content that is not inside.

    at: the signing time that is stated, to the second. chain: certificates (DER) to send along
    behind the signer's. TrustError `algorithm-not-allowed` for a method without a name in CMS;
    UnavailableError when the signer cannot sign now.
    """
    signer = settled(signer)
    scheme = SCHEMES.get(signer.algorithm)
    if scheme is None:
        refused = Finding("algorithm-not-allowed", "signer", found=signer.algorithm)
        raise TrustError("algorithm-not-allowed", refused)
    attributes = _attributes(content, scheme.digest, signer.certificate, at)
    value = signer.sign(attributes.dump())
    certificate = x509.Certificate.load(signer.certificate)
    about = {
        "version": "v1",
        "sid": cms.SignerIdentifier(
            "issuer_and_serial_number",
            {"issuer": certificate.issuer, "serial_number": certificate.serial_number},
        ),
        "digest_algorithm": {"algorithm": scheme.digest},
        "signed_attrs": attributes,
        "signature_algorithm": _algorithm(scheme),
        "signature": der_of(value) if ALGORITHMS[signer.algorithm].size else value,
    }
    signed = {
        "version": "v1",
        "digest_algorithms": [{"algorithm": scheme.digest}],
        "encap_content_info": {"content_type": "data"},
        "certificates": [certificate, *map(x509.Certificate.load, chain)],
        "signer_infos": [about],
    }
    wrapped = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed)})
    return bytes(wrapped.dump())


def _attributes(content: bytes, digest: str, certificate: bytes, at: datetime) -> Any:
    named = tsp.ESSCertIDv2({"cert_hash": hashlib.sha256(certificate).digest()})
    time = core.UTCTime if 1950 <= at.year < 2050 else core.GeneralizedTime
    whole = at.replace(microsecond=0)
    return cms.CMSAttributes(
        [
            {"type": "content_type", "values": ["data"]},
            {"type": "signing_time", "values": [cms.Time(value=time(whole), name=_kind(time))]},
            {"type": "message_digest", "values": [hashlib.new(digest, content).digest()]},
            {
                "type": "signing_certificate_v2",
                "values": [tsp.SigningCertificateV2({"certs": [named]})],
            },
        ]
    )


def _kind(time: type) -> str:
    return "utc_time" if time is core.UTCTime else "general_time"


def _algorithm(scheme: Scheme) -> Any:
    if scheme.kind == ECDSA:
        return algos.SignedDigestAlgorithm({"algorithm": f"{scheme.digest}_ecdsa"})
    if scheme.kind == PKCS1:
        return algos.SignedDigestAlgorithm({"algorithm": PKCS1, "parameters": core.Null()})
    hashed = {"algorithm": scheme.digest}
    parameters = {
        "hash_algorithm": hashed,
        "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": hashed},
        "salt_length": HASHES[scheme.digest].digest_size,
    }
    return algos.SignedDigestAlgorithm({"algorithm": PSS, "parameters": parameters})
