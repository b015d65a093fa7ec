"""A second implementation of XML signatures: python-xmlsec, on libxmlsec1."""

from collections.abc import Mapping

import xmlsec
from lxml import etree

from conformance.crypto.trees import SIGNATURE, parse
from conformance.crypto.verify import Pin


def second_opinion(content: bytes, pins: Mapping[str, Pin]) -> str:
    """Return "" when the signature verifies with a pinned certificate, else why not."""
    root = parse(content)
    signature = root.find(SIGNATURE)
    if signature is None:
        return "no signature"
    why = "no pinned certificate"
    for pin in pins.values():
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(pin.certificate, xmlsec.constants.KeyDataFormatCertDer)
        try:
            context.verify(signature)
        except (xmlsec.Error, etree.LxmlError) as fault:
            why = str(fault)[:200] or type(fault).__name__
            continue
        return ""
    return why
