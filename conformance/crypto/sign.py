"""Sign a message, in the shape of the profile or in any other that a case asks for."""

import base64

from lxml import etree

from conformance.crypto import schemes
from conformance.crypto.keys import Key
from conformance.crypto.shapes import DSIG, PROFILE, Layout
from conformance.crypto.trees import SIGNATURE, canonical, parse


def sign(content: bytes, key: Key, layout: Layout = PROFILE) -> bytes:
    """Append an enveloped signature as the last child of the root and return the document."""
    root = parse(content)
    over = canonical(root)
    signature = etree.fromstring(_signature(over, key, layout))
    root.append(signature)
    # What is signed are the octets of SignedInfo in this document, prefixes in scope and all.
    settled = parse(etree.tostring(root, encoding="UTF-8"))
    placed = settled.find(SIGNATURE)
    assert placed is not None
    message = canonical(placed[0])
    value = base64.b64encode(schemes.sign(key.private, message, layout)).decode()
    placed[1].text = value
    return etree.tostring(settled, encoding="UTF-8")


def _signature(over: bytes, key: Key, layout: Layout) -> str:
    method = layout.method or schemes.method_of(key.private)
    digest = base64.b64encode(schemes.digest(layout.digest, over)).decode()
    transforms = "".join(f'<ds:Transform Algorithm="{uri}"/>' for uri in layout.transforms)
    reference = (
        f'<ds:Reference URI="{layout.uri}"><ds:Transforms>{transforms}</ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{layout.digest}"/>'
        f"<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>"
    )
    certificate = base64.b64encode(key.certificate).decode()
    certificates = f"<ds:X509Certificate>{certificate}</ds:X509Certificate>" * layout.certificates
    name = f"<ds:KeyName>{layout.key_name}</ds:KeyName>" if layout.key_name else ""
    return (
        f'<ds:Signature xmlns:ds="{DSIG}"><ds:SignedInfo>'
        f'<ds:CanonicalizationMethod Algorithm="{layout.c14n}"/>'
        f'<ds:SignatureMethod Algorithm="{method}"/>{reference * layout.references}'
        "</ds:SignedInfo><ds:SignatureValue/>"
        f"<ds:KeyInfo>{name}<ds:X509Data>{certificates}</ds:X509Data></ds:KeyInfo>"
        f"{layout.objects}</ds:Signature>"
    )
