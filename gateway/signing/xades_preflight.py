"""The shape of a XAdES signature (EN 319 132-1, level B or T), checked before any mathematics.

    ds:Signature            the only one, last child of the root; Id
      SignedInfo            inclusive C14N, one method, exactly three References:
                            the document (first), SignedProperties, KeyInfo
      SignatureValue
      KeyInfo               Id; X509Data with the signer's certificate, then those above it
      Object                the only one, with QualifyingProperties:
        SignedProperties    SigningTime, SigningCertificateV2, the format of the document
        UnsignedProperties  at most one SignatureTimeStamp

What is not in these lists is refused: a fourth Reference, a second Object, a Manifest, a
counter-signature, a policy.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree

from gateway.signing.exact import (
    algorithm_of,
    children_of,
    elements_of,
    octets_of,
    only_attributes,
    path_of,
    refuse,
)
from gateway.signing.preflight import SIGNATURE, the_signature
from gateway.signing.profiles import DSIG, ENVELOPED, SignatureProfile

XADES = "http://uri.etsi.org/01903/v1.3.2#"
SIGNED_PROPERTIES = "http://uri.etsi.org/01903#SignedProperties"
MOST_CERTIFICATES = 4
_FORMAT = ("Description", "ObjectIdentifier", "MimeType", "Encoding")
_LONGEST_TIME = 40
ID_NAMES = ("Id", "ID", "id")
_ALL_IDS = etree.XPath("//@Id | //@ID | //@id | //@xml:id")


@dataclass(frozen=True, slots=True)
class XadesParts:
    """What a well-shaped XAdES signature holds.

    certificates: DER, the signer's first. claimed: SigningTime. certificate_digest: (digest
    URI, octets) that the signed properties name the certificate with. token: of the
    SignatureTimeStamp, None at level B.
    """

    signature: etree._Element
    value: etree._Element
    method: str
    certificates: tuple[bytes, ...]
    claimed: datetime
    certificate_digest: tuple[str, bytes]
    token: bytes | None


def has_properties(root: etree._Element) -> bool:
    """Return True when some signature of a document has an Object: XAdES is meant."""
    return any(node.find(f"{{{DSIG}}}Object") is not None for node in root.iter(SIGNATURE))


def xades_parts(root: etree._Element, profile: SignatureProfile) -> XadesParts:
    """Take a XAdES signature apart.

    TrustError `signature-missing`, `signature-scope`, `algorithm-not-allowed`,
    `signature-invalid` (a value that is not base64, a time that is none).
    """
    signature = the_signature(root, 1)
    values = _ALL_IDS(root)
    if not isinstance(values, list) or len(values) != len(set(map(str, values))):
        refuse("signature-scope", "duplicate-id", "//@Id")
    only_attributes(signature, ("Id",))
    info, value, key_info, holder = children_of(
        signature, ("SignedInfo", "SignatureValue", "KeyInfo", "Object"), signature.keys()
    )
    octets_of(value, ("Id",))  # base64 of one spelling
    properties, unsigned = _qualifying(holder, signature)
    method = _signed_info(info, (root, properties, key_info), profile)
    claimed, digest = _signed_properties(properties, info, profile)
    return XadesParts(
        signature,
        value,
        method,
        _certificates(key_info),
        claimed,
        digest,
        _token(unsigned, profile) if unsigned is not None else None,
    )


def _signed_info(
    info: etree._Element,
    covered: tuple[etree._Element, etree._Element, etree._Element],
    profile: SignatureProfile,
) -> str:
    """Check the three References, whose order is document, then the others as they come."""
    only_attributes(info, ("Id",))
    c14n, method, *references = elements_of(info) if len(info) == 5 else _refuse_references(info)
    _named(info, "CanonicalizationMethod", c14n)
    _named(info, "SignatureMethod", method)
    algorithm_of(c14n, (profile.c14n,))
    uri = algorithm_of(method, profile.methods, profile.legacy_methods)
    root, properties, key_info = covered
    document, *others = references
    _reference(document, ["", *_own_ids(root)], profile, enveloped=True)
    others.sort(key=lambda each: each.get("Type") != SIGNED_PROPERTIES)
    if [each.get("Type") == SIGNED_PROPERTIES for each in others] != [True, False]:
        refuse("signature-scope", "reference", path_of(info), expected=SIGNED_PROPERTIES)
    for each, target in zip(others, (properties, key_info), strict=True):
        _reference(each, _own_ids(target), profile, enveloped=False)
    return uri


def _refuse_references(info: etree._Element) -> list[etree._Element]:
    found = str(len(info.findall(f"{{{DSIG}}}Reference")))
    refuse("signature-scope", "three-references", path_of(info), found, "3")


def _named(parent: etree._Element, name: str, element: etree._Element) -> None:
    if element.tag != f"{{{DSIG}}}{name}":
        refuse("signature-scope", "children", path_of(parent), expected=name)


def _own_ids(element: etree._Element) -> list[str]:
    return ["#" + element.get(name, "") for name in ID_NAMES if element.get(name)]


def _reference(
    reference: etree._Element, allowed: list[str], profile: SignatureProfile, *, enveloped: bool
) -> None:
    """Check one Reference: to exactly one of these places, with exactly these transforms."""
    if reference.tag != f"{{{DSIG}}}Reference":
        refuse("signature-scope", "children", path_of(reference), expected="Reference")
    only_attributes(reference, ("Id", "URI", "Type"))
    if reference.get("URI") not in allowed:
        refuse("signature-scope", "reference", f"{path_of(reference)}/@URI")
    *transforms, method, value = elements_of(reference) or [reference, reference]
    listed = [
        algorithm_of(each, profile.transforms) for part in transforms for each in elements_of(part)
    ]
    names = ["Transforms"] * len(transforms) + ["DigestMethod", "DigestValue"]
    children_of(reference, tuple(names), reference.keys())
    due = ([ENVELOPED, profile.c14n], [ENVELOPED]) if enveloped else ([profile.c14n], [])
    if listed not in due or len(transforms) > 1 or (transforms and not listed):
        refuse("signature-scope", "transforms", path_of(reference), expected=", ".join(due[0]))
    algorithm_of(method, profile.digests, profile.legacy_digests)
    octets_of(value)


def _certificates(key_info: etree._Element) -> tuple[bytes, ...]:
    (holder,) = children_of(key_info, ("X509Data",), ("Id",))
    count = len(holder)
    if not 1 <= count <= MOST_CERTIFICATES:
        expected = f"1 to {MOST_CERTIFICATES} certificates"
        refuse("signature-scope", "children", path_of(holder), str(count), expected)
    return tuple(octets_of(each) for each in children_of(holder, ("X509Certificate",) * count))


def _qualifying(
    holder: etree._Element, signature: etree._Element
) -> tuple[etree._Element, etree._Element | None]:
    """Return SignedProperties and UnsignedProperties of the one Object."""
    (qualifying,) = children_of(holder, ("QualifyingProperties",), (), XADES)
    only_attributes(qualifying, ("Target", "Id"))
    if not signature.get("Id") or qualifying.get("Target") != f"#{signature.get('Id')}":
        refuse("signature-scope", "reference", f"{path_of(qualifying)}/@Target")
    names = ("SignedProperties", "UnsignedProperties")[: max(len(qualifying), 1)]
    found = children_of(qualifying, names, qualifying.keys(), XADES)
    only_attributes(found[0], ("Id",))
    return found[0], found[1] if len(found) > 1 else None


def _signed_properties(
    properties: etree._Element, info: etree._Element, profile: SignatureProfile
) -> tuple[datetime, tuple[str, bytes]]:
    names = ("SignedSignatureProperties", "SignedDataObjectProperties")
    found = children_of(properties, names[: max(len(properties), 1)], ("Id",), XADES)
    only_attributes(found[0], ("Id",))
    time, certificate = children_of(
        found[0], ("SigningTime", "SigningCertificateV2"), found[0].keys(), XADES
    )
    if len(found) > 1:
        _data_format(found[1], info)
    (named, *_) = elements_of(certificate) or [certificate]
    children_of(certificate, ("Cert",) * max(len(certificate), 1), (), XADES)
    only = ("CertDigest", "IssuerSerialV2")[: max(len(named), 1)]
    digest, *_ = children_of(named, only, (), XADES)
    method, value = children_of(digest, ("DigestMethod", "DigestValue"))
    used = algorithm_of(method, profile.digests)
    return _instant(time), (used, octets_of(value))


def _data_format(properties: etree._Element, info: etree._Element) -> None:
    """The format of the document, which nobody uses: it may stand there, for it alone."""
    only_attributes(properties, ("Id",))
    (about,) = children_of(properties, ("DataObjectFormat",), properties.keys(), XADES)
    documents = [f"#{each.get('Id')}" for each in info.findall(f"{{{DSIG}}}Reference")[:1]]
    if about.keys() != ["ObjectReference"] or about.get("ObjectReference") not in documents:
        refuse("signature-scope", "reference", f"{path_of(about)}/@ObjectReference")
    for each in elements_of(about):
        if each.tag not in [f"{{{XADES}}}{name}" for name in _FORMAT] or len(each) or each.keys():
            refuse("signature-scope", "children", path_of(about), expected=" ".join(_FORMAT))


def _instant(element: etree._Element) -> datetime:
    """Return SigningTime, which must name its offset."""
    text = (element.text or "").strip()
    stated = _stated(text)
    if len(element) or element.keys() or stated is None:
        refuse("signature-invalid", "signing-time", path_of(element), text[:_LONGEST_TIME])
    return stated.astimezone(UTC)


def _stated(text: str) -> datetime | None:
    if len(text) <= _LONGEST_TIME:
        with suppress(ValueError):
            stated = datetime.fromisoformat(text)
            return stated if stated.tzinfo else None
    return None


def _token(unsigned: etree._Element, profile: SignatureProfile) -> bytes | None:
    """Return the octets of the one SignatureTimeStamp."""
    only_attributes(unsigned, ("Id",))
    (properties,) = children_of(unsigned, ("UnsignedSignatureProperties",), unsigned.keys(), XADES)
    only_attributes(properties, ("Id",))
    (stamp,) = children_of(properties, ("SignatureTimeStamp",), properties.keys(), XADES)
    only_attributes(stamp, ("Id",))
    *method, encapsulated = elements_of(stamp) or [stamp]
    for each in method:
        _named(stamp, "CanonicalizationMethod", each)
        algorithm_of(each, (profile.c14n,))
    if len(method) > 1 or encapsulated.tag != f"{{{XADES}}}EncapsulatedTimeStamp":
        refuse("signature-scope", "children", path_of(stamp), expected="EncapsulatedTimeStamp")
    return octets_of(encapsulated, ("Id", "Encoding"))
