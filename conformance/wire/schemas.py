"""The published schemas: of the exchange, and of the documents that travel."""

from collections.abc import Mapping
from functools import cache

from lxml import etree

from conformance.crypto.trees import Element
from conformance.resources import folder

DOCUMENTS: Mapping[str, str] = {
    "cn.mt1401": "cn/mt1401.xsd",
    "cn.mt2401": "cn/mt2401.xsd",
    "cn.mt4401": "cn/mt4401.xsd",
    "cn.mt4402": "cn/mt4402.xsd",
    "cn.response": "cn/response.xsd",
}
"""Schema files of document types, below `xsd`."""


@cache
def exchange() -> etree.XMLSchema:
    """The schema of messages, receipts and refusals."""
    return etree.XMLSchema(etree.parse(str(folder("xsd") / "exchange" / "exchange.xsd")))


@cache
def document(kind: str) -> etree.XMLSchema:
    """The schema of a document type; KeyError for one that has none here."""
    return etree.XMLSchema(etree.parse(str(folder("xsd") / DOCUMENTS[kind])))


def problems(schema: etree.XMLSchema, root: Element) -> tuple[str, ...]:
    """Return where a document breaks a schema."""
    if schema.validate(root):
        return ()
    return tuple(f"line {entry.line}: {entry.message}" for entry in schema.error_log)
