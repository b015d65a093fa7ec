"""A detached value beside the document: the envelope of the older customs XML of Viet Nam.

    Envelope                the root, no namespace
      Header                not signed, and not believed
      Body                  exactly:
        Content             base64 of the document's octets: these the signature covers
        Signature           exactly: data (the value, base64), fileCert (the certificate, base64)

This form is recalled, not confirmed; it is a profile of its own so that nobody takes it for
another one. It names no method: it is the first of the profile that the value is good for.
"""

import base64
import hashlib
from datetime import datetime

from lxml import etree

from gateway.errors import Finding, GatewayError, TrustError
from gateway.safexml import c14n
from gateway.signing.algorithms import ALGORITHMS, der_of
from gateway.signing.bare_keys import check_bare, methods_of
from gateway.signing.exact import children_of, octets_of, refuse
from gateway.signing.keys import Signer
from gateway.signing.opened import Opened, Proof
from gateway.signing.profiles import SignatureProfile, ValueForm
from gateway.signing.rolling import settled
from gateway.signing.trust import TrustPolicy

_ANY_SIGNATURE = etree.XPath("//*[local-name() = 'Signature']")


def open_detached(root: etree._Element, policy: TrustPolicy, at: datetime) -> Opened:
    """Verify the value beside a document; the content is the document's octets.

    at: now; nothing that is signed states a time. TrustError `signature-missing`,
    `signature-scope`, `signature-invalid`, and those of `TrustPolicy.signer`.
    """
    try:
        return _open(root, policy, at)
    except GatewayError:
        raise
    except Exception as unexpected:  # whatever it is, it is no valid signature
        finding = Finding("signature-invalid", "unexpected", "", type(unexpected).__name__)
        raise TrustError("signature-invalid", finding) from unexpected


def _open(root: etree._Element, policy: TrustPolicy, at: datetime) -> Opened:
    found = _ANY_SIGNATURE(root)
    if root.tag != "Envelope" or not isinstance(found, list) or not found:
        refuse("signature-missing", "signature-missing", "Envelope/Body/Signature")
    if len(found) != 1:
        refuse("signature-scope", "one-signature", found=str(len(found)), expected="1")
    _, body = children_of(root, ("Header", "Body"), (), "")
    content, signature = children_of(body, ("Content", "Signature"), (), "")
    value, certificate = children_of(signature, ("data", "fileCert"), (), "")
    octets, der = octets_of(content), octets_of(certificate)
    methods = methods_of(der, policy)
    key = policy.signer(der, at, methods[0])
    method = check_bare(octets_of(value), octets, key, methods, policy.profile)
    return Opened(
        octets,
        key.party,
        key.fingerprint,
        key.chain,
        method,
        hashlib.sha256(octets).hexdigest(),
        at,
        Proof.RECEIVED,
    )


def sign_detached_value(
    document: bytes, header: etree._Element, signer: Signer, profile: SignatureProfile
) -> bytes:
    """Return an Envelope around a document. header: the Header element; it is taken over.

    TrustError `algorithm-not-allowed`; UnavailableError when the signer cannot sign now.
    """
    signer = settled(signer)
    if signer.algorithm not in profile.methods:
        refuse("algorithm-not-allowed", "signer", "signer", signer.algorithm)
    value = signer.sign(document)
    if profile.value is ValueForm.DER and ALGORITHMS[signer.algorithm].size:
        value = der_of(value)
    root = etree.Element("Envelope")
    root.append(header)
    body = etree.SubElement(root, "Body")
    etree.SubElement(body, "Content").text = base64.b64encode(document).decode()
    signature = etree.SubElement(body, "Signature")
    etree.SubElement(signature, "data").text = base64.b64encode(value).decode()
    etree.SubElement(signature, "fileCert").text = base64.b64encode(signer.certificate).decode()
    return c14n(root)
