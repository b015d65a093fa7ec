"""The log: a row's place in the tree (RFC 9162), a document's place in a row."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from conformance.verifier.verdict import ABSENT, OK, PENDING, Failed


def included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """RFC 9162, 2.1.3.2."""
    if not 0 <= index < size:
        return False
    first, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0 or len(step) != 32:
            return False
        if first & 1 or first == last:
            found = hashlib.sha256(b"\x01" + step + found).digest()
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\x01" + found + step).digest()
        first, last = first >> 1, last >> 1
    return last == 0 and found == root


def rows(message: dict[str, Any], kept: list[dict[str, Any]], head: dict[str, Any] | None) -> str:
    """The rows of a message say what it is, and are in the head's tree."""
    outcome = OK if kept and head else PENDING
    for row in kept:
        entry = json.loads(row["entry"])
        if entry.get("message", message["id"]) not in (message["id"], message["external_id"]):
            raise Failed("row-fact", "message")
        signed = entry.get("kind") in ("signed", "accepted", "receipted")
        if signed and entry.get("digest") != message["digest"]:
            raise Failed("row-fact", "digest")
        if head is None or row["index"] is None:
            outcome = PENDING
            continue
        salted = bytes.fromhex(row["salt"]) + row["entry"].encode()
        leaf = hashlib.sha256(b"\x00" + salted).digest()
        proof = [bytes.fromhex(each) for each in row["proof"]]
        if not included(leaf, row["index"], head["size"], proof, bytes.fromhex(head["root"])):
            raise Failed("row-proof", str(row["index"]))
    return outcome


def documents(
    message: dict[str, Any], kept: list[dict[str, Any]], members: dict[str, bytes]
) -> str:
    """Every document has its digest, and the latest row that names its role commits to it."""
    named: dict[str, str] = {}
    for row in kept:
        named.update(json.loads(row["entry"]).get("documents", {}))
    outcome = OK
    for part in message["documents"]:
        path = part["path"]
        if path is not None and hashlib.sha256(members[path]).hexdigest() != part["digest"]:
            raise Failed("document-digest", path)
        if part["role"] not in named:
            outcome = ABSENT
        elif part["salt"]:
            said = f"{part['digest']} {part['media_type']} {part['retention']}".encode()
            mark = hashlib.sha256(bytes.fromhex(part["salt"]) + said).hexdigest()
            if mark != named[part["role"]]:
                raise Failed("document-commitment", part["role"])
    return outcome
