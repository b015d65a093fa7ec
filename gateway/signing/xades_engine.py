"""signxml behind our parser and our C14N, and with keys that only a Signer can use.

signxml would parse with a parser of its own, draw random ids, read the clock, and canonicalise
parts of a document in place, where lxml writes wrong namespace declarations.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidInput
from signxml.verifier import VerifyResult
from signxml.xades.xades import (
    XAdESDataObjectFormat,
    XAdESSignatureConfiguration,
    XAdESSigner,
    XAdESVerifier,
)

from gateway.safexml import c14n, parse_own
from gateway.signing.algorithms import ALGORITHMS, der_of
from gateway.signing.keys import Signer
from gateway.signing.profiles import SignatureProfile
from gateway.signing.xades_preflight import ID_NAMES, XADES

_C14N = CanonicalizationMethod.CANONICAL_XML_1_0
_DIGESTS = (
    *(DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512),
    *(DigestAlgorithm.SHA3_256, DigestAlgorithm.SHA3_384, DigestAlgorithm.SHA3_512),
)


class _OurXml:
    """What signxml does with XML, by `gateway.safexml`. Names and types are signxml's."""

    def _fromstring(self, xml_string: Any, **kwargs: Any) -> Any:
        return parse_own(xml_string)

    def _tostring(self, xml_node: Any, **kwargs: Any) -> Any:
        return c14n(xml_node)

    def _c14n(
        self, nodes: Any, algorithm: CanonicalizationMethod, inclusive_ns_prefixes: Any = None
    ) -> Any:
        if algorithm is not _C14N:
            raise InvalidInput("inclusive C14N 1.0 only")
        return c14n(nodes)


class _Verifier(_OurXml, XAdESVerifier):
    """Looks for ids where the checked shape has them, and writes the document once."""

    _whole: tuple[etree._Element | None, bytes] = (None, b"")

    def get_root(self, data: Any) -> Any:
        octets = c14n(data)
        root = parse_own(octets)
        self._whole = (root, octets)
        return root

    def _tostring(self, xml_node: Any, **kwargs: Any) -> Any:
        return self._whole[1] if xml_node is self._whole[0] else c14n(xml_node)

    def _resolve_reference(self, doc_root: Any, reference: Any, uri_resolver: Any = None) -> Any:
        uri = reference.get("URI") or ""
        if uri == "" or uri[1:] in [doc_root.get(name) for name in ID_NAMES]:
            return doc_root
        (found,) = (each for each in doc_root[-1].iter() if uri[1:] in map(each.get, ID_NAMES))
        return found


class _SigningKey:
    """A Signer with the face of a private key of `cryptography`."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._size = ALGORITHMS[signer.algorithm].size
        self.key_size = self._size * 8

    def sign(self, message: bytes, **_: object) -> bytes:
        value = self._signer.sign(message)
        return der_of(value) if self._size else value


class _Signer(_OurXml, XAdESSigner):
    """at: SigningTime. name: what the ids of the signature begin with."""

    def __init__(self, at: datetime, name: str, **options: Any) -> None:
        super().__init__(**options)
        self._at = at
        self._name = name
        self._given = 0

    def _get_token(self, length: int = 0) -> str:
        self._given += 1
        return f"-{self._name}-{self._given}"

    def add_signing_time(
        self, signed_signature_properties: Any, sig_root: Any, signing_settings: Any
    ) -> None:
        time = etree.SubElement(signed_signature_properties, f"{{{XADES}}}SigningTime")
        time.text = self._at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def verify_element(
    root: etree._Element, certificate: bytes, profile: SignatureProfile, at: datetime
) -> bytes:
    """Verify the signature of a document whose shape was checked; raises whatever signxml does.

    Return the canonical octets that the first Reference covers. at: validity of the certificate.
    """
    expected = XAdESSignatureConfiguration(
        location="./",
        signature_methods=frozenset(map(SignatureMethod, profile.methods)),
        digest_algorithms=frozenset(map(DigestAlgorithm, profile.digests)),
        verification_time=at,
        default_reference_c14n_method=_C14N,
    )
    found: list[VerifyResult] = _Verifier().verify(
        root,
        x509_cert=x509.load_der_x509_certificate(certificate),
        validate_schema=False,  # the shape is stricter than the schema
        expect_config=expected,
    )
    return found[0].signed_data


def sign_element(
    root: etree._Element, signer: Signer, chain: Sequence[bytes], at: datetime, name: str
) -> etree._Element:
    """Return a signed copy of a document, level B.

    chain: certificates (DER) above the signer's. name: makes the ids of the signature; letters
    and digits.
    """
    digest = SignatureMethod(signer.algorithm).name
    signs = _Signer(
        at,
        name,
        data_object_format=XAdESDataObjectFormat("The document that this signature stands in"),
        signature_algorithm=signer.algorithm,
        digest_algorithm=next(d for d in _DIGESTS if d.name in digest),
        c14n_algorithm=_C14N,
    )
    certificates = [x509.load_der_x509_certificate(each) for each in (signer.certificate, *chain)]
    key: Any = _SigningKey(signer)
    return signs.sign(root, key=key, cert=certificates, always_add_key_value=False)
