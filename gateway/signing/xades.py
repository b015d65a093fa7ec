"""XAdES of vn-2025 (EN 319 132-1): level B, and T with a timestamp over the signature value.

1 shape       `xades_preflight`: three References, one Object, nothing else
2 certificate the signed properties name the one in KeyInfo
3 time        of the timestamp, if there is one; else SigningTime, while it is young
4 trust       the certificate is pinned for this party and usage, valid at that time
5 signature   value and digests, by signxml
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from lxml import etree
from signxml.exceptions import InvalidDigest, InvalidSignature

from gateway.errors import Finding, GatewayError, TrustError
from gateway.safexml import c14n
from gateway.signing import timestamp, verify
from gateway.signing.algorithms import DIGESTS
from gateway.signing.exact import refuse
from gateway.signing.form_causes import xades_cause
from gateway.signing.keys import Signer
from gateway.signing.opened import Opened, Proof, claimed_time
from gateway.signing.profiles import DSIG, INCLUSIVE_C14N, SignatureProfile
from gateway.signing.rolling import settled
from gateway.signing.timestamp import TimestampAuthority
from gateway.signing.trust import TrustedKey, TrustPolicy
from gateway.signing.xades_engine import sign_element, verify_element
from gateway.signing.xades_preflight import XADES, XadesParts, has_properties, xades_parts


def open_xades(
    root: etree._Element, policy: TrustPolicy, at: datetime, anchors: Sequence[bytes] = ()
) -> Opened:
    """Verify a XAdES signature over a whole document.

    at: now. anchors: of timestamps (DER). A signature without properties is verified as one of
    the profile's plain shapes, unless a timestamp is due. The tree is taken over; go on with
    `Opened.content`. TrustError with the codes of `xades_parts`, `timestamp.verify`,
    `claimed_time`, `TrustPolicy.signer`; `signature-invalid`.
    """
    if policy.profile.plain and not policy.profile.stamped and not has_properties(root):
        return _open_plain(root, policy, at)
    try:
        return _open(root, policy, at, anchors)
    except GatewayError:
        raise
    except Exception as unexpected:  # whatever it is, it is no valid signature
        name = type(unexpected).__name__
        finding = Finding("signature-invalid", "unexpected", "ds:Signature", found=name)
        raise TrustError("signature-invalid", finding) from unexpected


def _open(
    root: etree._Element, policy: TrustPolicy, at: datetime, anchors: Sequence[bytes]
) -> Opened:
    parts = xades_parts(root, policy.profile)
    uri, digest = parts.certificate_digest
    if DIGESTS[uri](parts.certificates[0]) != digest:
        refuse("signature-invalid", "certificate-digest", "xades:SigningCertificateV2")
    when, proof = _time(parts, policy.profile, at, anchors)
    key = policy.signer(parts.certificates[0], when, parts.method)
    content = _covered(root, parts, key, policy.profile, when)
    return Opened(
        content,
        key.party,
        key.fingerprint,
        key.chain,
        parts.method,
        hashlib.sha256(content).hexdigest(),
        when,
        proof,
        parts.token or b"",
    )


def _covered(
    root: etree._Element,
    parts: XadesParts,
    key: TrustedKey,
    profile: SignatureProfile,
    at: datetime,
) -> bytes:
    """Return the canonical document that the signature is good for; else say why it is not."""
    try:
        return verify_element(root, parts.certificates[0], profile, at)
    except (InvalidDigest, InvalidSignature) as invalid:
        rule = "digest" if isinstance(invalid, InvalidDigest) else "signature-value"
        cause = xades_cause(root, parts, key, profile, rule)
        first = Finding("signature-invalid", rule, "ds:Signature")
        raise TrustError("signature-invalid", *([cause] if cause else []), first) from invalid


def _time(
    parts: XadesParts, profile: SignatureProfile, at: datetime, anchors: Sequence[bytes]
) -> tuple[datetime, Proof]:
    if parts.token is None:
        if profile.stamped:
            refuse("timestamp-invalid", "timestamp-missing", "xades:UnsignedProperties")
        return claimed_time(parts.claimed, at, profile.oldest), Proof.CLAIMED
    stamp = timestamp.verify(parts.token, c14n(parts.value), anchors, at)
    return stamp.time, Proof.TIMESTAMP


def _open_plain(root: etree._Element, policy: TrustPolicy, at: datetime) -> Opened:
    """Older senders sign without properties, and some without naming the C14N: same digest."""
    listed = [each.get("Algorithm") for each in root.iter(f"{{{DSIG}}}Transform")]
    fits = [shape for shape in policy.profile.plain if list(shape.transforms) == listed]
    shape = (fits or policy.profile.plain)[0]
    done = verify.verify_document(root, replace(policy, profile=shape), at)
    return Opened(
        c14n(done.element),
        done.party,
        done.fingerprint,
        done.chains[0],
        done.algorithm,
        done.digest,
        at,
        Proof.RECEIVED,
    )


def sign_xades(
    root: etree._Element,
    signer: Signer,
    at: datetime,
    name: str,
    chain: Sequence[bytes] = (),
    authority: TimestampAuthority | None = None,
) -> bytes:
    """Return a document with a XAdES signature as the last child of its root, canonical.

    at: SigningTime. name: makes the ids of the signature, letters and digits; no id of the
    document may begin with `SignXML`. chain: certificates (DER) above the signer's. authority:
    stamps the value (level T); None: level B. TrustError `algorithm-not-allowed`;
    UnavailableError when the signer cannot sign, GatewayError when the authority cannot stamp.
    """
    signed = sign_element(root, settled(signer), chain, at, name)
    if authority is not None:
        _add_stamp(signed[-1], authority)
    return c14n(signed)


def _add_stamp(signature: etree._Element, authority: TimestampAuthority) -> None:
    """Add a SignatureTimeStamp over the canonical SignatureValue (EN 319 132-1, 5.3)."""
    (value,) = signature.iterchildren(f"{{{DSIG}}}SignatureValue")
    token = authority.stamp(c14n(value))
    (qualifying,) = signature.iter(f"{{{XADES}}}QualifyingProperties")
    unsigned = etree.SubElement(qualifying, f"{{{XADES}}}UnsignedProperties")
    properties = etree.SubElement(unsigned, f"{{{XADES}}}UnsignedSignatureProperties")
    stamp = etree.SubElement(properties, f"{{{XADES}}}SignatureTimeStamp")
    method = etree.SubElement(stamp, f"{{{DSIG}}}CanonicalizationMethod")
    method.set("Algorithm", INCLUSIVE_C14N)
    encapsulated = etree.SubElement(stamp, f"{{{XADES}}}EncapsulatedTimeStamp")
    encapsulated.text = base64.b64encode(token).decode()
