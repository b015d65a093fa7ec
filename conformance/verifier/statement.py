"""DSSE statements, the CMS signature and the RFC 3161 timestamp."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc3161_client
from asn1crypto import cms, tsp
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from conformance.verifier import keys
from conformance.verifier.keys import Anchors
from conformance.verifier.verdict import Failed


@dataclass(frozen=True)
class Statement:
    """A verified DSSE statement and the parties that signed it."""

    kind: str
    payload: bytes
    parties: tuple[str, ...]
    unknown: int


def read(content: bytes) -> dict[str, Any]:
    """Read an envelope, not yet verified: payload (octets), payloadType, signatures."""
    found = json.loads(content)
    if set(found) != {"payload", "payloadType", "signatures"} or len(found["signatures"]) > 8:
        raise Failed("dsse")
    if any(set(each) != {"keyid", "sig"} for each in found["signatures"]):
        raise Failed("dsse")
    return {**found, "payload": base64.b64decode(found["payload"], validate=True)}


def verify(content: bytes, usage: str, at: datetime, anchors: Anchors) -> Statement:
    """Verify every signature of a pinned key; there must be one."""
    found = read(content)
    kind, payload = found["payloadType"].encode(), found["payload"]
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    parties = []
    for each in found["signatures"]:
        if (usage, each["keyid"]) in anchors.pins:
            pin = anchors.judge(usage, each["keyid"], at)
            _any_method(pin.der, base64.b64decode(each["sig"], validate=True), signed)
            parties.append(pin.party)
    if not parties:
        raise Failed("no-known-key")
    unknown = len(found["signatures"]) - len(parties)
    return Statement(found["payloadType"], payload, tuple(parties), unknown)


def check_spelling(content: bytes) -> None:
    """Refuse an envelope that could be written otherwise and say the same."""
    found = read(content)
    plain = {
        "payload": base64.b64encode(found["payload"]).decode(),
        "payloadType": found["payloadType"],
        "signatures": [
            {
                "keyid": each["keyid"],
                "sig": base64.b64encode(base64.b64decode(each["sig"])).decode(),
            }
            for each in found["signatures"]
        ],
    }
    if json.dumps(plain, separators=(",", ":")).encode() != content:
        raise Failed("head-form")


def _any_method(der: bytes, value: bytes, message: bytes) -> None:
    """An envelope does not say by which method a key signed."""
    for method in keys.methods_of(der):
        try:
            keys.verify(der, method, value, message)
        except Failed:
            continue
        return
    raise Failed("signature-value")


def verify_signature(
    form: str, signature: bytes, content: bytes, at: datetime, anchors: Anchors
) -> str:
    """Verify the signature over the manifest, in either form; return the party that signed."""
    if form == "cms":
        return _verify_detached(signature, content, at, anchors)
    found = verify(signature, "statement", at, anchors)
    kind = "application/vnd.bilateral-gateway.manifest+xml"
    if (found.kind, found.payload, found.unknown) != (kind, content, 0) or len(found.parties) != 1:
        raise Failed("signature-form")
    check_spelling(signature)
    return found.parties[0]


def _verify_detached(signature: bytes, content: bytes, at: datetime, anchors: Anchors) -> str:
    """Verify the detached CMS signature over the manifest; return the party that signed."""
    info = cms.ContentInfo.load(signature, strict=True)
    signer = info["content"]["signer_infos"][0]
    (certificate,) = info["content"]["certificates"]
    der, digest = certificate.chosen.dump(), signer["digest_algorithm"]["algorithm"].native
    if _spelling(signer, certificate, digest) != signature:
        raise Failed("signature-form")
    named_by = signer["sid"].chosen["issuer"].dump(), signer["sid"].chosen["serial_number"].native
    if named_by != (certificate.chosen.issuer.dump(), certificate.chosen.serial_number):
        raise Failed("signature-form")
    attributes = {each["type"].native: each["values"] for each in signer["signed_attrs"]}
    if attributes["message_digest"][0].native != hashlib.new(digest, content).digest():
        raise Failed("signature-digest")
    named: tsp.ESSCertIDv2 = attributes["signing_certificate_v2"][0]["certs"][0]
    if named["cert_hash"].native != hashlib.sha256(der).digest():
        raise Failed("signature-exporter")
    pin = anchors.judge("statement", hashlib.sha256(der).hexdigest(), at)
    covered = b"\x31" + signer["signed_attrs"].dump()[1:]
    _verify_cms(der, signer, digest, covered)
    return pin.party


def _spelling(signer: Any, certificate: Any, digest: str) -> bytes:
    """Return the only form of a signature with this content."""
    about = {name: signer[name] for name in ("sid", "signed_attrs", "signature_algorithm")}
    about |= {"version": "v1", "digest_algorithm": {"algorithm": digest}}
    about["signature"] = signer["signature"].native
    whole = {
        "version": "v1",
        "digest_algorithms": [{"algorithm": digest}],
        "encap_content_info": {"content_type": "data"},
        "certificates": [certificate],
        "signer_infos": [about],
    }
    built = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(whole)})
    return bytes(built.dump())


def _verify_cms(der: bytes, signer: Any, digest: str, covered: bytes) -> None:
    key, value = keys.public_key(der), signer["signature"].native
    name = signer["signature_algorithm"]["algorithm"].native
    hashed = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
    chosen = hashed[digest]
    try:
        if name == f"{digest}_ecdsa" and isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(value, covered, ec.ECDSA(chosen))
        elif name == "rsassa_pss":
            pss = padding.PSS(padding.MGF1(chosen), padding.PSS.DIGEST_LENGTH)
            key.verify(value, covered, pss, chosen)
        elif name == "rsassa_pkcs1v15":
            key.verify(value, covered, padding.PKCS1v15(), chosen)
        else:
            raise Failed("signature-algorithm", name)
    except InvalidSignature as fault:
        raise Failed("signature-value") from fault


def verify_stamp(token: bytes, message: bytes, stampers: Sequence[bytes]) -> None:
    """Verify a timestamp token over a message, by the authorities of tsa.pem."""
    _check_token(token)
    roots = [x509.load_der_x509_certificate(each) for each in stampers]
    body = b"\x30\x03\x02\x01\x00" + token
    length = len(body).to_bytes(4, "big").lstrip(b"\x00")
    size = bytes([len(body)]) if len(body) < 128 else bytes([0x80 | len(length)]) + length
    answer = rfc3161_client.decode_timestamp_response(b"\x30" + size + body)
    try:
        rfc3161_client.VerifierBuilder(roots=roots).build().verify_message(answer, message)
    except rfc3161_client.errors.VerificationError as fault:
        raise Failed("stamp", str(fault)[:80]) from fault


def _check_token(token: bytes) -> None:
    """What the library does not look at: versions, and that all algorithms are one story."""
    signed = cms.ContentInfo.load(token, strict=True)["content"]
    (signer,) = signed["signer_infos"]
    digest = signer["digest_algorithm"]["algorithm"].native
    said = [each["algorithm"].native for each in signed["digest_algorithms"]]
    versions = signed["version"].native, signer["version"].native
    if versions != ("v3", "v1") or said != [digest]:
        raise Failed("stamp", "form")
    serial = signer["sid"].chosen["serial_number"].native
    ders = [c.chosen.dump() for c in signed["certificates"] if c.chosen.serial_number == serial]
    attributes = {each["type"].native: each["values"] for each in signer["signed_attrs"]}
    content = signed["encap_content_info"]["content"].parsed.dump()
    if attributes["message_digest"][0].native != hashlib.new(digest, content).digest():
        raise Failed("stamp", "digest")
    _verify_cms(ders[0], signer, digest, b"\x31" + signer["signed_attrs"].dump()[1:])
