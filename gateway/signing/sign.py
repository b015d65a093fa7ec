"""Sign a document whose octets are canonical already: digest, SignedInfo, splice.

No tree is built. The signature is written as the canonical octets that a C14N of the signed
document would give, so that what is stored is what the other side canonicalises.
"""

import base64
import re
from dataclasses import dataclass, replace
from functools import lru_cache

from gateway.errors import Finding, TrustError
from gateway.signing.algorithms import ALGORITHMS, DIGESTS, der_of
from gateway.signing.keys import Signer
from gateway.signing.profiles import DSIG, SignatureProfile, ValueForm
from gateway.signing.rolling import settled

_ROOT = re.compile(rb'<([^\s/>]+)((?: [^\s=>]+="[^"]*")*)>')
_ATTRIBUTE = re.compile(rb' ([^\s=>]+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class PairedSigner:
    """Two keys of one party, for a profile with a second signature. To whoever needs one
    signature it is the first."""

    first: Signer
    second: Signer

    @property
    def key_id(self) -> str:
        """Hex SHA-256 of the first certificate."""
        return self.first.key_id

    @property
    def certificate(self) -> bytes:
        """The first certificate, DER."""
        return self.first.certificate

    @property
    def algorithm(self) -> str:
        """The first SignatureMethod URI."""
        return self.first.algorithm

    def sign(self, message: bytes) -> bytes:
        """Return the value of the first key alone."""
        return self.first.sign(message)


def sign_document(unsigned: bytes, signer: Signer, profile: SignatureProfile) -> bytes:
    """Return the document with an enveloped signature as the last child of its root; with a
    second one behind it, over the document and the first, where the profile asks for it.

    unsigned: the inclusive C14N of the document (ValueError when it does not begin and end
    as one). TrustError `algorithm-not-allowed` when the signer's algorithm is not one of the
    profile, or a second signature is due and it is no `PairedSigner`; UnavailableError when
    the signer cannot sign now.
    """
    if profile.second is None:
        return _signed(unsigned, signer, profile)
    if not isinstance(signer, PairedSigner):
        finding = Finding("algorithm-not-allowed", "second-signature", "signer")
        raise TrustError("algorithm-not-allowed", finding)
    once = _signed(unsigned, signer.first, replace(profile, second=None))
    return _signed(once, signer.second, profile.second)


def _signed(unsigned: bytes, signer: Signer, profile: SignatureProfile) -> bytes:
    signer = settled(signer)
    if signer.algorithm not in profile.methods:
        raise TrustError(
            "algorithm-not-allowed",
            Finding("algorithm-not-allowed", "signer", found=signer.algorithm),
        )
    root = _ROOT.match(unsigned)
    if root is None or not unsigned.endswith(b"</" + root[1] + b">"):
        raise ValueError("not a canonical document")
    digest = DIGESTS[profile.digests[0]](unsigned)
    info = _signed_info(digest, signer.algorithm, profile)
    value = signer.sign(_in_context(info, root[2]))
    if profile.value is ValueForm.DER and ALGORITHMS[signer.algorithm].size:
        value = der_of(value)
    end = len(unsigned) - len(root[1]) - 3
    return b"".join(
        (
            memoryview(unsigned)[:end],
            b'<ds:Signature xmlns:ds="',
            DSIG.encode(),
            b'"><ds:SignedInfo>',
            info,
            b"</ds:SignedInfo><ds:SignatureValue>",
            base64.b64encode(value),
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
            empty("DigestMethod", profile.digests[0]),
            "<ds:DigestValue>%s</ds:DigestValue></ds:Reference>",
        )
    ).encode()


def _in_context(info: bytes, attributes: bytes) -> bytes:
    """Return the inclusive C14N of SignedInfo below a root with these attributes: it takes
    the namespaces and the xml:* attributes of the root."""
    return b"<ds:SignedInfo%b>%b</ds:SignedInfo>" % (_inherited(attributes), info)


@lru_cache(maxsize=256)
def _inherited(attributes: bytes) -> bytes:
    namespaces = {b"xmlns:ds": DSIG.encode()}
    inherited = b""
    for name, value in _ATTRIBUTE.findall(attributes):
        if name == b"xmlns" or (name.startswith(b"xmlns:") and name != b"xmlns:ds"):
            namespaces[name] = value
        elif name.startswith(b"xml:"):
            inherited += b' %b="%b"' % (name, value)
    declared = b"".join(b' %b="%b"' % pair for pair in sorted(namespaces.items()))
    return declared + inherited


@lru_cache
def _key_info(certificate: bytes) -> bytes:
    return (
        b"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>%b</ds:X509Certificate></ds:X509Data>"
        b"</ds:KeyInfo>" % base64.b64encode(certificate)
    )
