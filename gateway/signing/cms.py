"""CMS SignedData (RFC 5652), taken apart and verified: one signer, signed attributes.

asn1crypto reads, `cryptography` computes. What is believed of the certificate inside is not
decided here: callers ask a `TrustPolicy`, or the anchors of timestamps.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from asn1crypto import cms, core
from cryptography.exceptions import InvalidSignature

from gateway.errors import Finding, GatewayError, TrustError
from gateway.signing.cms_der import check_der
from gateway.signing.cms_schemes import Scheme, scheme_of, verify_value

LARGEST = 256 * 1024
"""Octets of a SignedData: a signature and its chain have some 10 kB."""
MOST_CERTIFICATES = 8
DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"


@dataclass(frozen=True, slots=True)
class SignedParts:
    """What a SignedData with one signer holds.

    content: encapsulated, None when detached. certificates: all that came along, DER.
    certificate: the signer's. digest: name of the hash. attributes: the signed ones by OID,
    each with its one value. signed: the octets that the signature value is over.
    """

    content_type: str
    content: bytes | None
    certificates: tuple[bytes, ...]
    certificate: bytes
    digest: str
    scheme: Scheme
    attributes: Mapping[str, Any]
    signed: bytes
    value: bytes


def take_apart(octets: bytes, code: str = "signature-invalid") -> SignedParts:
    """Read a ContentInfo of the type SignedData.

    code: of the TrustError; rules of `check_der`, `cms` (not this structure), `cms-signers`
    (not exactly one), `cms-certificate` (the signer's is not there, or too many are),
    `cms-attributes` (one is missing, twice there, or without exactly one value),
    `cms-algorithm` (unknown, or digest and signature disagree).
    """
    check_der(octets, code, LARGEST)
    try:
        return _parts(octets, code)
    except GatewayError:
        raise
    except Exception as fault:  # asn1crypto reads lazily and raises many kinds
        finding = Finding(code, "cms", "SignedData", found=type(fault).__name__)
        raise TrustError(code, finding) from fault


def verify_parts(
    parts: SignedParts, content: bytes, key: Any, code: str = "signature-invalid"
) -> None:
    """Verify content and value with the signer's key (of `cryptography`).

    TrustError, rules `cms-content-type`, `cms-digest` (the content is another one),
    `cms-value`.
    """
    if parts.attributes[CONTENT_TYPE].dotted != parts.content_type:
        _refuse(code, "cms-content-type", parts.attributes[CONTENT_TYPE].dotted)
    if hashlib.new(parts.digest, content).digest() != parts.attributes[MESSAGE_DIGEST].native:
        _refuse(code, "cms-digest", expected=parts.digest)
    try:
        verify_value(key, parts.scheme, parts.value, parts.signed)
    except InvalidSignature as fault:
        raise TrustError(code, Finding(code, "cms-value", "SignerInfo")) from fault


def _parts(octets: bytes, code: str) -> SignedParts:
    outer = cms.ContentInfo.load(octets, strict=True)
    if outer["content_type"].dotted != SIGNED_DATA:
        _refuse(code, "cms", outer["content_type"].dotted, SIGNED_DATA)
    signed = outer["content"]
    if len(signed["signer_infos"]) != 1:
        _refuse(code, "cms-signers", str(len(signed["signer_infos"])), "1")
    signer = signed["signer_infos"][0]
    versions = (signed["version"].native, signer["version"].native)
    if versions not in (("v1", "v1"), ("v3", "v1")):
        _refuse(code, "cms", f"versions {versions}")
    certificates = _certificates(signed, code)
    inner = signed["encap_content_info"]
    digest = signer["digest_algorithm"]["algorithm"].native
    return SignedParts(
        content_type=inner["content_type"].dotted,
        content=_content(inner["content"]),
        certificates=tuple(each.dump() for each in certificates),
        certificate=_signers(signer["sid"], certificates, code),
        digest=digest,
        scheme=scheme_of(signer["signature_algorithm"], digest, code),
        attributes=_attributes(signer["signed_attrs"], code),
        signed=b"\x31" + signer["signed_attrs"].dump()[1:],  # SET OF instead of [0]
        value=signer["signature"].native,
    )


def _content(field: Any) -> bytes | None:
    """Return the octets of the OCTET STRING, not what they decode to."""
    return None if isinstance(field, core.Void) else bytes(field)


def _certificates(signed: Any, code: str) -> list[Any]:
    found = signed["certificates"]
    listed = [] if isinstance(found, core.Void) else list(found)
    if len(listed) > MOST_CERTIFICATES or any(each.name != "certificate" for each in listed):
        _refuse(code, "cms-certificate", str(len(listed)), f"at most {MOST_CERTIFICATES}")
    return [each.chosen for each in listed]


def _signers(identifier: Any, certificates: list[Any], code: str) -> bytes:
    """Return the one certificate that the signer names by issuer and serial number."""
    if identifier.name != "issuer_and_serial_number":
        _refuse(code, "cms-certificate", identifier.name, "issuer_and_serial_number")
    issuer, serial = identifier.chosen["issuer"], identifier.chosen["serial_number"].native
    fits = [
        each
        for each in certificates
        if each.serial_number == serial and each.issuer.dump() == issuer.dump()
    ]
    if len(fits) != 1:
        _refuse(code, "cms-certificate", str(len(fits)), "1")
    return bytes(fits[0].dump())


def _attributes(attributes: Any, code: str) -> dict[str, Any]:
    if isinstance(attributes, core.Void):
        _refuse(code, "cms-attributes", expected="signed attributes")
    found: dict[str, Any] = {}
    for each in attributes:
        name = each["type"].dotted
        if name in found or len(each["values"]) != 1:
            _refuse(code, "cms-attributes", name)
        found[name] = each["values"][0]
    if missing := {CONTENT_TYPE, MESSAGE_DIGEST} - found.keys():
        _refuse(code, "cms-attributes", expected=min(missing))
    return found


def _refuse(code: str, rule: str, found: str = "", expected: str = "") -> NoReturn:
    raise TrustError(code, Finding(code, rule, "SignedData", found, expected))
