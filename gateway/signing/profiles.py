"""Signature profiles: what a counterpart may send, as data.

A profile is the exact shape of a signature. Whatever it does not list is refused. A further
counterpart is a further row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import NoReturn

from gateway.errors import Finding, TrustError
from gateway.signing.algorithms import (
    ECDSA_SHA3_256,
    ECDSA_SHA3_384,
    ECDSA_SHA3_512,
    ECDSA_SHA256,
    ECDSA_SHA384,
    ECDSA_SHA512,
    RSA_PSS_SHA3_256,
    RSA_PSS_SHA3_384,
    RSA_PSS_SHA3_512,
    RSA_PSS_SHA256,
    RSA_PSS_SHA384,
    RSA_PSS_SHA512,
    RSA_SHA1,
    RSA_SHA256,
    RSA_SHA384,
    RSA_SHA512,
    SHA1,
    SHA3_256,
    SHA3_384,
    SHA3_512,
    SHA256,
    SHA384,
    SHA512,
    SM2_SM3,
    SM2_SM3_EPORT,
    SM3,
)
from gateway.signing.sm2_curve import USER_ID

DSIG = "http://www.w3.org/2000/09/xmldsig#"
INCLUSIVE_C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = DSIG + "enveloped-signature"


class Shape(StrEnum):
    """Where a signature stands and what belongs to it."""

    ENVELOPED = "enveloped"
    XADES = "xades"
    ENVELOPING = "enveloping"
    DETACHED = "detached"
    BARE = "bare"
    SMIME = "smime"


class KeyInfo(StrEnum):
    """How a signature names its key: X509Data with the certificate; KeyName MAY stand before
    it (what it says is not used: it is not signed)."""

    X509 = "x509"
    NAMED = "key-name-x509"


class ValueForm(StrEnum):
    """How a pair r, s travels: r || s, or a DER SEQUENCE."""

    RAW = "raw"
    DER = "der"


@dataclass(frozen=True, slots=True)
class SignatureProfile:
    """The shape of a signature.

    methods, digests: URIs that are accepted; the first is the one we sign with.
    legacy_methods, legacy_digests: accepted as well, and first, once the switch `legacy` is
    on: `profile(name, legacy=True)`. transforms: exactly these, in this order. user_id: of SM2.
    demo: keys of the demo are trusted. second: a second signature stands behind the first one
    (see `dual`). oldest: how old a signing time without a timestamp may be. stamped: of
    XAdES, without a timestamp it is refused. plain: of XAdES, the
    shapes without signed properties that are accepted in its place.
    """

    name: str
    methods: tuple[str, ...]
    shape: Shape = Shape.ENVELOPED
    key_info: KeyInfo = KeyInfo.X509
    value: ValueForm = ValueForm.RAW
    user_id: bytes = USER_ID
    digests: tuple[str, ...] = (SHA256,)
    c14n: str = INCLUSIVE_C14N
    transforms: tuple[str, ...] = (ENVELOPED, INCLUSIVE_C14N)
    legacy_methods: tuple[str, ...] = ()
    legacy_digests: tuple[str, ...] = ()
    legacy: bool = False
    demo: bool = False
    second: "SignatureProfile | None" = None
    oldest: timedelta = timedelta(days=1)
    stamped: bool = False
    plain: tuple["SignatureProfile", ...] = ()

    @property
    def every_method(self) -> tuple[str, ...]:
        """The methods of the signature and of the second one."""
        return self.methods + (self.second.methods if self.second else ())

    def part(self, method: str) -> "SignatureProfile":
        """Return the signature, this or the second one, that a method belongs to."""
        return self.second if self.second and method in self.second.methods else self


DEFAULT = SignatureProfile("link-ecdsa-p256", (ECDSA_SHA256,))
_LINK_PSS = SignatureProfile("link-rsa-pss", (RSA_PSS_SHA256,))
_SM2 = SignatureProfile("link-sm2", (SM2_SM3,), digests=(SM3,))
_EPORT = SignatureProfile(
    "cn-eport-sm2",
    (SM2_SM3_EPORT,),
    key_info=KeyInfo.NAMED,
    transforms=(ENVELOPED,),
    legacy_digests=(SHA1,),
)
_PKCS1 = (RSA_SHA256, RSA_SHA384, RSA_SHA512)
_PSS = (RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512)
_ECDSA = (ECDSA_SHA256, ECDSA_SHA384, ECDSA_SHA512)
_SHA3 = (
    *(RSA_PSS_SHA3_256, RSA_PSS_SHA3_384, RSA_PSS_SHA3_512),
    *(ECDSA_SHA3_256, ECDSA_SHA3_384, ECDSA_SHA3_512),
)
_VN_PLAIN = SignatureProfile(
    "vn-plain",
    (*_PSS, *_ECDSA, *_PKCS1, *_SHA3),
    digests=(SHA256, SHA384, SHA512, SHA3_256, SHA3_384, SHA3_512),
)
_VN_2025 = replace(
    _VN_PLAIN,
    name="vn-2025",
    shape=Shape.XADES,
    plain=(_VN_PLAIN, replace(_VN_PLAIN, transforms=(ENVELOPED,))),
)

PROFILES: Mapping[str, SignatureProfile] = {
    entry.name: entry
    for entry in (
        DEFAULT,
        _LINK_PSS,
        SignatureProfile("link-rsa-pkcs1", (RSA_SHA256,)),
        _SM2,
        replace(DEFAULT, name="link-dual", second=_SM2),
        replace(_LINK_PSS, name="link-dual-rsa", second=_SM2),
        SignatureProfile("demo", (ECDSA_SHA256,), demo=True),
        replace(_SM2, name="demo-sm2", demo=True),
        _EPORT,
        replace(_EPORT, name="cn-sm2-2022", methods=(SM2_SM3,), digests=(SM3,), legacy_digests=()),
        replace(
            _EPORT,
            name="cn-legacy-rsa",
            methods=(),
            digests=(),
            legacy_methods=(RSA_SHA1,),
            legacy_digests=(SHA1,),
        ),
        SignatureProfile(
            "vnaccs-smime",
            (*_PKCS1, *_PSS, *_ECDSA),
            shape=Shape.SMIME,
            legacy_methods=(RSA_SHA1,),
            digests=(),
        ),
        _VN_2025,
        SignatureProfile(
            "vn-customs-detached",
            (*_PKCS1, *_ECDSA),
            shape=Shape.DETACHED,
            legacy_methods=(RSA_SHA1,),
            digests=(),
        ),
        replace(
            _EPORT, name="cn-sas-enveloping", shape=Shape.ENVELOPING, legacy_methods=(RSA_SHA1,)
        ),
        replace(
            _EPORT,
            name="cn-sas-enveloping-2022",
            shape=Shape.ENVELOPING,
            methods=(SM2_SM3,),
            digests=(SM3,),
            legacy_digests=(),
        ),
        replace(
            _EPORT, name="cn-decsign", shape=Shape.BARE, legacy_methods=(RSA_SHA1,), digests=()
        ),
    )
}
"""By name, with the legacy switch off."""

LINK_PROFILES: Mapping[str, SignatureProfile] = {
    name: entry for name, entry in PROFILES.items() if entry.shape is Shape.ENVELOPED
}
"""Those that messages of the link can have; the others are forms of agencies' documents."""


def profile(name: str, legacy: bool = False) -> SignatureProfile:
    """Return the profile of that name. legacy: the switch is on.

    TrustError `algorithm-not-allowed`: rule `profile` for an unknown name, `legacy-switch` for
    a profile that is nothing without the switch.
    """
    found = PROFILES.get(name)
    if found is None:
        _refuse("profile", name, ", ".join(sorted(PROFILES)))
    if legacy:
        found = replace(
            found,
            methods=found.legacy_methods + found.methods,
            digests=found.legacy_digests + found.digests,
            legacy_methods=(),
            legacy_digests=(),
            legacy=True,
        )
    if not found.methods:
        _refuse("legacy-switch", name, "legacy")
    return found


def _refuse(rule: str, found: str, expected: str) -> NoReturn:
    finding = Finding("algorithm-not-allowed", rule, "profile", found, expected)
    raise TrustError("algorithm-not-allowed", finding)
