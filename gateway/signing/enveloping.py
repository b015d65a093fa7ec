"""Enveloping signatures: the document stands inside (SAS121, INV101 of the special areas).

    Signature               the root; no namespace (a schema location may stand on it)
      SignedInfo            inclusive C14N, one method, one Reference to the Object
      SignatureValue
      KeyInfo               KeyName: the number of the certificate, which is pinned
      Object                the only one; Id; in it one element, the document

The shape of the elements is confirmed; that the Reference is `#` and the Id of the Object is our
reading: no signed sample is public.
"""

import base64
import hashlib
from datetime import datetime

from lxml import etree

from gateway.errors import Finding, GatewayError, TrustError
from gateway.safexml import c14n, parse_own
from gateway.signing.algorithms import ALGORITHMS, DIGESTS, der_of
from gateway.signing.bare_keys import certificate_of, number_of
from gateway.signing.exact import (
    algorithm_of,
    children_of,
    elements_of,
    octets_of,
    only_attributes,
    path_of,
    refuse,
)
from gateway.signing.keys import Signer
from gateway.signing.opened import Opened, Proof
from gateway.signing.preflight import Parts
from gateway.signing.profiles import SignatureProfile, ValueForm
from gateway.signing.rolling import settled
from gateway.signing.trust import TrustPolicy
from gateway.signing.verify import check_value

_SCHEMA = "{http://www.w3.org/2001/XMLSchema-instance}noNamespaceSchemaLocation"
_ALL_IDS = etree.XPath("//@Id | //@ID | //@id | //@xml:id")
_ANY_SIGNATURE = etree.XPath("//*[local-name() = 'Signature']")


def open_enveloping(root: etree._Element, policy: TrustPolicy, at: datetime) -> Opened:
    """Verify an enveloping signature; the content is the canonical document in its Object.

    at: now; nothing in the shape states a time. TrustError `signature-scope`,
    `algorithm-not-allowed`, `signature-invalid`, and those of `certificate_of` and
    `TrustPolicy.signer`.
    """
    try:
        return _open(root, policy, at)
    except GatewayError:
        raise
    except Exception as unexpected:  # whatever it is, it is no valid signature
        finding = Finding("signature-invalid", "unexpected", "", type(unexpected).__name__)
        raise TrustError("signature-invalid", finding) from unexpected


def _open(root: etree._Element, policy: TrustPolicy, at: datetime) -> Opened:
    profile = policy.profile
    _check_alone(root)
    only_attributes(root, (_SCHEMA,))
    info, value, key_info, holder = children_of(
        root, ("SignedInfo", "SignatureValue", "KeyInfo", "Object"), root.keys(), ""
    )
    (name,) = children_of(key_info, ("KeyName",), (), "")
    only_attributes(name, ())
    content = _held(holder)
    method, digest_method, digest = _signed_info(info, holder, profile)
    certificate = certificate_of(policy, name.text or "", path_of(name))
    parts = Parts(root, info, method, digest_method, digest, octets_of(value), certificate)
    key = policy.signer(certificate, at, method)
    check_value(parts, key, profile)
    if DIGESTS[digest_method](c14n(holder)) != digest:
        refuse("signature-invalid", "digest", path_of(holder))
    octets = c14n(content)
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


def _check_alone(root: etree._Element) -> None:
    """The root is the only thing of that name, whatever its namespace; ids stand once."""
    found = _ANY_SIGNATURE(root)
    if root.tag != "Signature" or not isinstance(found, list):
        refuse("signature-missing", "signature-missing", "/", str(root.tag)[:80], "Signature")
    if len(found) != 1:
        refuse("signature-scope", "one-signature", found=str(len(found)), expected="1")
    values = _ALL_IDS(root)
    if not isinstance(values, list) or len(values) != len(set(map(str, values))):
        refuse("signature-scope", "duplicate-id", "//@Id")
    if root.getprevious() is not None or root.getnext() is not None:
        refuse("signature-scope", "markup-outside-root", "/")
    for node in root.iter(etree.Comment, etree.ProcessingInstruction):
        refuse("signature-scope", "comment", f"line {node.sourceline}")


def _held(holder: etree._Element) -> etree._Element:
    """Return the one element in the Object."""
    held = elements_of(holder)
    if len(held) != 1 or holder.keys() != ["Id"] or not holder.get("Id"):
        refuse("signature-scope", "children", path_of(holder), expected="Id, one element")
    return held[0]


def _signed_info(
    info: etree._Element, holder: etree._Element, profile: SignatureProfile
) -> tuple[str, str, bytes]:
    """Return the method, and the digest of the one Reference and how it was made."""
    c14n_method, method, reference = children_of(
        info, ("CanonicalizationMethod", "SignatureMethod", "Reference"), (), ""
    )
    algorithm_of(c14n_method, (profile.c14n,))
    used = algorithm_of(method, profile.methods, profile.legacy_methods)
    names = ("Transforms", "DigestMethod", "DigestValue")[3 - min(max(len(reference), 2), 3) :]
    *transforms, digest, value = children_of(reference, names, ("URI",), "")
    if reference.get("URI") != f"#{holder.get('Id')}":
        refuse("signature-scope", "reference", f"{path_of(reference)}/@URI", expected="#Id")
    listed = [
        algorithm_of(each, (profile.c14n,)) for part in transforms for each in elements_of(part)
    ]
    if listed != [profile.c14n] * len(transforms):
        refuse("signature-scope", "transforms", path_of(reference), expected=profile.c14n)
    made = algorithm_of(digest, profile.digests, profile.legacy_digests)
    return used, made, octets_of(value)


def sign_enveloping(document: bytes, signer: Signer, profile: SignatureProfile, name: str) -> bytes:
    """Return a canonical document inside a signature.

    document: canonical octets, without a namespace. name: Id of the Object, letters and digits.
    TrustError `algorithm-not-allowed`; UnavailableError when the signer cannot sign now.
    """
    signer = settled(signer)
    if signer.algorithm not in profile.methods:
        refuse("algorithm-not-allowed", "signer", "signer", signer.algorithm)
    holder = b'<Object Id="%b">%b</Object>' % (name.encode(), document)
    digest = base64.b64encode(DIGESTS[profile.digests[0]](c14n(parse_own(holder))))
    form = {
        b"c14n": profile.c14n.encode(),
        b"method": signer.algorithm.encode(),
        b"name": name.encode(),
        b"digest": profile.digests[0].encode(),
        b"value": digest,
    }
    info = _SIGNED_INFO % form
    value = signer.sign(info)
    if profile.value is ValueForm.DER and ALGORITHMS[signer.algorithm].size:
        value = der_of(value)
    number = number_of(signer.certificate).encode()
    return _SIGNATURE % (info, base64.b64encode(value), number, holder)


_SIGNED_INFO = (
    b'<SignedInfo><CanonicalizationMethod Algorithm="%(c14n)b"></CanonicalizationMethod>'
    b'<SignatureMethod Algorithm="%(method)b"></SignatureMethod><Reference URI="#%(name)b">'
    b'<Transforms><Transform Algorithm="%(c14n)b"></Transform></Transforms>'
    b'<DigestMethod Algorithm="%(digest)b"></DigestMethod><DigestValue>%(value)b</DigestValue>'
    b"</Reference></SignedInfo>"
)
_SIGNATURE = (
    b"<Signature>%b<SignatureValue>%b</SignatureValue><KeyInfo><KeyName>%b</KeyName></KeyInfo>"
    b"%b</Signature>"
)
