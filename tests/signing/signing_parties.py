"""Keys, policies and an independent signer (python-xmlsec) for the signing tests."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import xmlsec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from lxml import etree

from gateway.errors import TrustError
from gateway.safexml import parse
from gateway.signing.issue import Issued, KeyKind, Purpose, Subject, leaf
from gateway.signing.keys import KeySigner, key_signer
from gateway.signing.profiles import INCLUSIVE_C14N, SignatureProfile, profile
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage
from gateway.signing.verify import Verified, verify_document

NOW = datetime(2026, 5, 14, 1, 30, tzinfo=UTC)
DS = "http://www.w3.org/2000/09/xmldsig#"
DOCUMENT = (
    b'<m:Message xmlns:m="urn:test" xmlns:z="urn:z" Id="m1" z:a="1"><m:Head><m:From>vn</m:From>'
    b"</m:Head><Body>\xe7\x81\xab\xe9\xbe\x99\xe6\x9e\x9c &amp; thanh long\n</Body></m:Message>"
)


@dataclass(frozen=True)
class Party:
    """A key of a party, and what a counterpart knows of it."""

    issued: Issued
    signer: KeySigner
    profile: SignatureProfile
    policy: TrustPolicy

    def verify(self, content: bytes, at: datetime = NOW) -> Verified:
        return verify_document(parse(content), self.policy, at)

    def refusal(self, content: bytes, at: datetime = NOW) -> TrustError:
        """Verify what must be refused and return the refusal."""
        with pytest.raises(TrustError) as caught:
            self.verify(content, at)
        return caught.value


def issue(purpose: Purpose = Purpose.MESSAGE, **options: Any) -> Issued:
    start = options.pop("start", NOW - timedelta(days=30))
    unit = options.pop("unit", "")
    days = options.pop("days", 365)
    return leaf(Subject("VN", "Test", unit, "vn message"), purpose, start, days, **options)


def party(name: str, kind: KeyKind) -> Party:
    chosen = profile(name)
    issued = issue(kind=kind)
    pins = [PinnedKey(issued.der, "vn", Usage.MESSAGE)]
    return Party(
        issued,
        key_signer(issued.key, issued.der, chosen.methods[0]),
        chosen,
        TrustPolicy.of(chosen, Usage.MESSAGE, pins),
    )


Build = Callable[[Any], None]


def xmlsec_sign(
    content: bytes,
    issued: Issued,
    *,
    uri: str = "",
    c14n: str = INCLUSIVE_C14N,
    method: Any = xmlsec.Transform.ECDSA_SHA256,
    digest: Any = xmlsec.Transform.SHA256,
    transforms: tuple[str, ...] = (DS + "enveloped-signature", INCLUSIVE_C14N),
    extra: Build | None = None,
    key: Any = None,
) -> bytes:
    """Sign with python-xmlsec; every part of the shape can be bent."""
    root = etree.fromstring(content)
    node = xmlsec.template.create(root, xmlsec.Transform.C14N, method, ns="ds")
    root.append(node)
    _one(node, "ds:SignedInfo/ds:CanonicalizationMethod").set("Algorithm", c14n)
    reference = xmlsec.template.add_reference(node, digest, uri=uri)
    for transform in transforms:
        xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
        _one(reference, "(.//ds:Transform)[last()]").set("Algorithm", transform)
    xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(node))
    xmlsec.template.x509_data_add_certificate(_one(node, "ds:KeyInfo/ds:X509Data"))
    if extra:
        extra(node)
    context = xmlsec.SignatureContext()
    if root.get("Id"):
        context.register_id(root, "Id")
    context.key = key or xmlsec_key(issued)
    context.sign(node)
    return etree.tostring(root, encoding="utf-8")


def _one(element: Any, path: str) -> Any:
    """Find by XPath: `find` does not see every node that xmlsec made."""
    (found,) = element.xpath(path, namespaces={"ds": DS})
    return found


def private_pem(issued: Issued) -> bytes:
    plain = NoEncryption()
    return bytes(issued.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, plain))


def xmlsec_key(issued: Issued) -> Any:
    key = xmlsec.Key.from_memory(private_pem(issued), xmlsec.KeyFormat.PEM)
    key.load_cert_from_memory(issued.pem, xmlsec.KeyFormat.CERT_PEM)
    return key


def xmlsec_verify(content: bytes, issued: Issued) -> None:
    root = etree.fromstring(content)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(issued.pem, xmlsec.KeyFormat.CERT_PEM)
    context.verify(xmlsec.tree.find_node(root, xmlsec.Node.SIGNATURE))
