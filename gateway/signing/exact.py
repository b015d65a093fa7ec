"""Readers of exact shapes: an element has these children and attributes, and nothing else.

Every shape of a signature is read with them; what a list does not name is refused.
"""

import base64
import binascii
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import NoReturn

from lxml import etree

from gateway.errors import Finding, TrustError
from gateway.signing.profiles import DSIG

WHITE = " \t\r\n"


def children_of(
    element: etree._Element,
    names: tuple[str, ...],
    attributes: Sequence[str] = (),
    space: str = DSIG,
) -> list[etree._Element]:
    """Return the child elements, which must be exactly these names of a namespace, in this
    order. attributes: exactly these, in this order."""
    children = elements_of(element)
    if [child.tag for child in children] != _qualified(names, space):
        refuse("signature-scope", "children", path_of(element), expected=" ".join(names))
    if list(element.keys()) != list(attributes):
        refuse("signature-scope", "attributes", path_of(element), expected=" ".join(attributes))
    return children


@lru_cache(maxsize=64)
def _qualified(names: tuple[str, ...], space: str) -> list[str]:
    return [f"{{{space}}}{name}" if space else name for name in names]


def elements_of(element: etree._Element) -> list[etree._Element]:
    """Return the children; there may be whitespace between them, but no text."""
    children = list(element)
    for text in (element.text, *[child.tail for child in children]):
        if text and text.strip(WHITE):
            refuse("signature-scope", "text", path_of(element))
    return children


def only_attributes(element: etree._Element, allowed: Collection[str]) -> None:
    """Refuse attributes that are not among these."""
    if set(element.keys()) - set(allowed):
        refuse("signature-scope", "attributes", path_of(element), expected=" ".join(allowed))


def algorithm_of(
    element: etree._Element, allowed: Sequence[str], switched: Sequence[str] = ()
) -> str:
    """Return the Algorithm of an empty element that has nothing else. switched: allowed only
    with the legacy switch, which is off."""
    name = element.get("Algorithm", "")
    if name not in allowed:
        rule = "legacy-switch" if name in switched else "algorithm"
        expected = ", ".join(allowed)
        refuse("algorithm-not-allowed", rule, path_of(element), name[:100], expected)
    if len(element) or (element.text or "").strip(WHITE) or element.keys() != ["Algorithm"]:
        refuse("signature-scope", "children", path_of(element))
    return name


def octets_of(element: etree._Element, attributes: Collection[str] = ()) -> bytes:
    """Return what a leaf says in base64, in its one canonical spelling but for whitespace.
    attributes: which it may have."""
    if len(element) or set(element.keys()) - set(attributes):
        refuse("signature-scope", "children", path_of(element))
    text = "".join((element.text or "").split())
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        octets = b""
    if not octets or base64.b64encode(octets).decode() != text:
        refuse("signature-invalid", "base64", path_of(element))
    return octets


def path_of(element: etree._Element) -> str:
    """Return the place of an element, for findings."""
    names = [str(each.tag) for each in (element, *element.iterancestors())][::-1]
    return "/".join(name.replace(f"{{{DSIG}}}", "ds:").rpartition("}")[2] for name in names)


def refuse(
    code: str, rule: str, path: str = "ds:Signature", found: str = "", expected: str = ""
) -> NoReturn:
    """Raise a TrustError with one finding."""
    raise TrustError(code, Finding(code, rule, path, found, expected))
