"""XML trees of the suite: parsing that resolves nothing, and canonical octets."""

from lxml import etree

from conformance.crypto.shapes import DSIG

SIGNATURE = f"{{{DSIG}}}Signature"
Element = etree._Element


def parse(content: bytes) -> Element:
    """Parse an answer or a message. ValueError when it is not well formed or has a DOCTYPE."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_blank_text=False,
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as fault:
        raise ValueError(str(fault)) from fault
    if root.getroottree().docinfo.doctype:
        raise ValueError("DOCTYPE")
    return root


def canonical(element: Element) -> bytes:
    """Return inclusive C14N 1.0 of an element as it stands in its document.

    A copy is parsed anew: lxml writes a spurious xmlns="" for some elements otherwise. The
    namespaces in scope come along.
    """
    if element.getparent() is None:
        return etree.tostring(element, method="c14n")
    alone = etree.fromstring(etree.tostring(element, with_tail=False))
    return etree.tostring(alone, method="c14n")


def unsigned(root: Element) -> bytes:
    """Return what the signature covers: the document without its signature (XP-SIG-010)."""
    signature = root.find(SIGNATURE)
    if signature is None:
        return canonical(root)
    copy = parse(etree.tostring(root))
    found = copy.find(SIGNATURE)
    assert found is not None
    _remove(found)
    return canonical(copy)


def _remove(element: Element) -> None:
    """Take an element out; what follows it stays (the enveloped transform of XMLDSig)."""
    parent, before, tail = element.getparent(), element.getprevious(), element.tail or ""
    assert parent is not None
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    parent.remove(element)


def text(element: Element, path: str) -> str:
    """Return the text of a child by local name, "" when it is not there."""
    for child in element.iter():
        if isinstance(child.tag, str) and etree.QName(child).localname == path:
            return child.text or ""
    return ""
