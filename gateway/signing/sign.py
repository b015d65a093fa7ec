"""Sign a document whose octets are canonical already: digest, SignedInfo, splice.

No tree is built. The signature is written as the canonical octets that a C14N of the signed
document would give, so that what is stored is what the other side canonicalises.
"""

import base64
import hashlib
import re
from functools import lru_cache

from gateway.errors import Finding, TrustError
from gateway.signing.keys import Signer
from gateway.signing.profiles import DSIG, SignatureProfile

_ROOT = re.compile(rb'<([^\s/>]+)((?: [^\s=>]+="[^"]*")*)>')
_ATTRIBUTE = re.compile(rb' ([^\s=>]+)="([^"]*)"')


def sign_document(unsigned: bytes, signer: Signer, profile: SignatureProfile) -> bytes:
    """Return the document with an enveloped signature as the last child of its root.

    unsigned: the inclusive C14N of the document (ValueError when it does not begin and end
    as one). TrustError `algorithm-not-allowed` when the signer's algorithm is not one of the
    profile; UnavailableError when the signer cannot sign now.
    """
    if signer.algorithm not in profile.methods:
        raise TrustError(
            "algorithm-not-allowed",
            Finding("algorithm-not-allowed", "signer", found=signer.algorithm),
        )
    root = _ROOT.match(unsigned)
    if root is None or not unsigned.endswith(b"</" + root[1] + b">"):
        raise ValueError("not a canonical document")
    info = _signed_info(hashlib.sha256(unsigned).digest(), signer.algorithm, profile)
    value = base64.b64encode(signer.sign(_in_context(info, root[2])))
    end = len(unsigned) - len(root[1]) - 3
    return b"".join(
        (
            memoryview(unsigned)[:end],
            b'<ds:Signature xmlns:ds="',
            DSIG.encode(),
            b'"><ds:SignedInfo>',
            info,
            b"</ds:SignedInfo><ds:SignatureValue>",
            value,
            b"</ds:SignatureValue>",
            _key_info(signer.certificate),
            b"</ds:Signature>",
            memoryview(unsigned)[end:],
        )
    )


def _signed_info(digest: bytes, method: str, profile: SignatureProfile) -> bytes:
    """Return the content of SignedInfo."""
    return _signed_info_form(method, profile) % base64.b64encode(digest)


@lru_cache
def _signed_info_form(method: str, profile: SignatureProfile) -> bytes:
    def empty(name: str, algorithm: str) -> str:
        return f'<ds:{name} Algorithm="{algorithm}"></ds:{name}>'

    transforms = "".join(empty("Transform", each) for each in profile.transforms)
    return "".join(
        (
            empty("CanonicalizationMethod", profile.c14n),
            empty("SignatureMethod", method),
            f'<ds:Reference URI=""><ds:Transforms>{transforms}</ds:Transforms>',
            empty("DigestMethod", profile.digest),
            "<ds:DigestValue>%s</ds:DigestValue></ds:Reference>",
        )
    ).encode()


def _in_context(info: bytes, attributes: bytes) -> bytes:
    """Return the inclusive C14N of SignedInfo below a root with these attributes: it takes
    the namespaces and the xml:* attributes of the root."""
    namespaces = {b"xmlns:ds": DSIG.encode()}
    inherited = b""
    for name, value in _ATTRIBUTE.findall(attributes):
        if name == b"xmlns" or (name.startswith(b"xmlns:") and name != b"xmlns:ds"):
            namespaces[name] = value
        elif name.startswith(b"xml:"):
            inherited += b' %b="%b"' % (name, value)
    declared = b"".join(b' %b="%b"' % pair for pair in sorted(namespaces.items()))
    return b"<ds:SignedInfo%b%b>%b</ds:SignedInfo>" % (declared, inherited, info)


@lru_cache
def _key_info(certificate: bytes) -> bytes:
    return (
        b"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>%b</ds:X509Certificate></ds:X509Data>"
        b"</ds:KeyInfo>" % base64.b64encode(certificate)
    )
