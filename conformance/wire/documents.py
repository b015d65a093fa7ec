"""Fixtures: business documents that every case starts from, and patches by path."""

import re
from pathlib import Path

from lxml import etree

from conformance.crypto.trees import Element, parse

_STEP = re.compile(r"([^\[\]]+)(?:\[(\d+)\])?")


def read(folder: Path, name: str) -> bytes:
    """Return a fixture's octets. FileNotFoundError."""
    return (folder / f"{name}.xml").read_bytes()


def patched(content: bytes, changes: dict[str, str]) -> bytes:
    """Return a document with other values.

    changes: path by local names from below the root, `A/B[2]/C`, to the new text; a path
    that starts with `-` drops the element; with `+` repeats it. LookupError for a path that
    the document does not have: a case that changes nothing would show nothing.
    """
    root = parse(content)
    for path, value in changes.items():
        found = _find(root, path.lstrip("+-"))
        parent = found.getparent()
        assert parent is not None
        if path.startswith("-"):
            parent.remove(found)
        elif path.startswith("+"):
            found.addnext(etree.fromstring(etree.tostring(found, with_tail=False)))
        else:
            found.text = value
    return etree.tostring(root, encoding="UTF-8")


def _find(root: Element, path: str) -> Element:
    here = root
    for step in path.split("/"):
        match = _STEP.fullmatch(step)
        name, number = (match[1], int(match[2] or 1)) if match else (step, 1)
        there = [c for c in here if isinstance(c.tag, str) and etree.QName(c).localname == name]
        if len(there) < number:
            raise LookupError(path)
        here = there[number - 1]
    return here


def value(content: bytes, path: str) -> str:
    """Return the text at a path, "" when there is none."""
    try:
        return _find(parse(content), path).text or ""
    except LookupError:
        return ""


def without_declaration(content: bytes) -> str:
    """Return a document as text that can stand in a body."""
    return etree.tostring(parse(content), encoding="unicode")
