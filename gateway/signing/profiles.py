"""Signature profiles: what a counterpart may send, as data.

A profile is the exact shape of a signature. Whatever it does not list is refused. Further
shapes (other algorithms, KeyName, XAdES) are further rows and, where they need it, a Signer.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.errors import Finding, TrustError
from gateway.signing.algorithms import ECDSA_SHA256, RSA_PSS_SHA256, RSA_SHA256, SHA256

DSIG = "http://www.w3.org/2000/09/xmldsig#"
INCLUSIVE_C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = DSIG + "enveloped-signature"


@dataclass(frozen=True, slots=True)
class SignatureProfile:
    """The shape of a whole-document enveloped signature.

    methods: SignatureMethod URIs that are accepted, the first is the one we sign with.
    transforms: exactly these, in this order. demo: keys of the demo are trusted.
    """

    name: str
    methods: tuple[str, ...]
    digest: str = SHA256
    c14n: str = INCLUSIVE_C14N
    transforms: tuple[str, ...] = (ENVELOPED, INCLUSIVE_C14N)
    demo: bool = False


DEFAULT = SignatureProfile("link-ecdsa-p256", (ECDSA_SHA256,))

PROFILES: Mapping[str, SignatureProfile] = {
    entry.name: entry
    for entry in (
        DEFAULT,
        SignatureProfile("link-rsa-pss", (RSA_PSS_SHA256,)),
        SignatureProfile("link-rsa-pkcs1", (RSA_SHA256,)),
        SignatureProfile("demo", (ECDSA_SHA256,), demo=True),
    )
}


def profile(name: str) -> SignatureProfile:
    """Return the profile of that name; TrustError `algorithm-not-allowed` for an unknown one."""
    found = PROFILES.get(name)
    if found is None:
        known = ", ".join(sorted(PROFILES))
        raise TrustError(
            "algorithm-not-allowed",
            Finding("algorithm-not-allowed", "profile", found=name, expected=known),
        )
    return found
