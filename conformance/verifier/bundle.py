"""All checks of a bundle, in the published order."""

import base64
import hashlib
import json
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from typing import Any

from conformance.verifier import container, manifest, proofs, statement, status, xmlsig
from conformance.verifier.keys import DSIG, Anchors
from conformance.verifier.verdict import ABSENT, OK, PENDING, Check, Failed, run
from conformance.verifier.xmlsig import XP, Signed

_TYPE = "application/vnd.bilateral-gateway."
_CHECKS = {
    "outbound": ("message", "receipt", "report", "commitment", "status", "documents", "rows"),
    "inbound": ("message", "receipt", "status", "documents", "rows"),
    "domestic": ("report", "documents", "rows"),
    "submission": ("documents", "rows"),
}
_STAPLED = {
    "inbound": ("wire", "Envelope/Created", ""),
    "outbound": ("receipt", "Received", "receipt-"),
}


def verify(content: bytes, anchors: Anchors) -> list[Check]:
    """Return every check; the first four stop at the first failure."""
    members: dict[str, bytes] = {}
    checks: list[Check] = []

    def signature() -> None:
        stated = json.loads(members.get(manifest.INDEX, b""))
        at = datetime.fromisoformat(stated["at"])
        name = manifest.signature_of(members)
        octets = members[name], members[manifest.MANIFEST]
        form = "statement" if name == manifest.STATEMENT else "cms"
        if statement.verify_signature(form, *octets, at, anchors) != stated["exporter"]:
            raise Failed("signature-exporter")

    steps: list[tuple[str, Callable[[], Any]]] = [
        ("container", lambda: members.update(container.read(content))),
        ("manifest", lambda: manifest.check(members)),
        ("index", lambda: manifest.index(members) and None),
        ("signature", signature),
    ]
    for name, step in steps:
        checks.append(run(name, "", step))
        if checks[-1].outcome != OK:
            return checks
    index = manifest.index(members)
    head = _head(index, members, anchors, checks)
    for message in index["messages"]:
        checks += _Message(index, message, members, anchors, head).checks()
    return checks


def _head(
    index: dict[str, Any], members: dict[str, bytes], anchors: Anchors, checks: list[Check]
) -> dict[str, Any] | None:
    """The exporter's head, the counterpart's cosignature, the timestamp."""
    found: dict[str, Any] = {}
    part = index["head"]

    def head() -> str | None:
        if part is None:
            return PENDING
        statement.check_spelling(members[part["path"]])
        said = json.loads(statement.read(members[part["path"]])["payload"])
        at = datetime.fromisoformat(said["at"])
        verified = statement.verify(members[part["path"]], "head", at, anchors)
        good = verified.kind == _TYPE + "head+json" and said["log"] == index["exporter"]
        if not good or type(said["size"]) is not int or type(said["root"]) is not str:
            raise Failed("head-form")
        expected = (index["exporter"], index["counterpart"])
        if verified.parties not in (expected, expected[:1]) or verified.unknown:
            raise Failed("head-signer")
        bytes.fromhex(said["root"])
        found.update(said, parties=verified.parties)
        return None

    def cosignature() -> str:
        return OK if index["counterpart"] in found.get("parties", ()) else PENDING

    def stamp() -> str | None:
        if part is None or part["stamp"] is None:
            return PENDING
        first = statement.read(members[part["path"]])["signatures"][0]["sig"]
        octets = base64.b64decode(first)
        statement.verify_stamp(members[part["stamp"]], octets, anchors.stampers)
        return None

    checks.append(run("head", "", head))
    checks.append(run("cosignature", "", cosignature))
    checks.append(run("stamp", "", stamp))
    return found or None


class _Message:
    """The checks of one message."""

    def __init__(
        self,
        index: dict[str, Any],
        message: dict[str, Any],
        members: dict[str, bytes],
        anchors: Anchors,
        head: dict[str, Any] | None,
    ) -> None:
        self.index, self.message, self.members = index, message, members
        self.anchors, self.head, self.kind = anchors, head, message["kind"]
        parties = index["exporter"], index["counterpart"]
        self.sender, self.recipient = parties if self.kind == "outbound" else parties[::-1]
        self.rows = [row for row in index["rows"] if row["message"] == message["id"]]

    def checks(self) -> list[Check]:
        """Run them all, in order."""
        named = {
            "message": self.signed,
            "receipt": self.receipt,
            "report": self.report,
            "commitment": self.commitment,
            "status": self.status,
            "documents": lambda: proofs.documents(self.message, self.rows, self.members),
            "rows": lambda: proofs.rows(self.message, self.rows, self.head),
        }
        return [run(name, self.message["id"], named[name]) for name in _CHECKS[self.kind]]

    def octets(self, role: str, message: dict[str, Any] | None = None) -> bytes | None:
        """Return a document of the message."""
        parts = (message or self.message)["documents"]
        path = next((part["path"] for part in parts if part["role"] == role), None)
        return None if path is None else self.members[path]

    def verified(self, content: bytes, when: str, usage: str) -> Signed:
        """Verify a signed document at the time that it states."""
        root = xmlsig.parse(content)
        at = xmlsig.time_of(root, when, self.message["created"])
        return xmlsig.verify(root, usage, at, self.anchors)

    def signed(self) -> str | None:
        """Signer, digest, id, parties, body."""
        wire = self.octets("wire")
        if wire is None:
            return ABSENT
        found = self.verified(wire, "Envelope/Created", "message")
        if found.pin.party != self.sender or found.digest != self.message["digest"]:
            raise Failed("message-digest", found.pin.party)
        if found.root.tag != XP + "Message":
            return None
        said = {name: found.root.findtext(f"{XP}Envelope/{XP}{name}") for name in _NAMES}
        if list(said.values()) != [self.message["external_id"], self.sender, self.recipient]:
            raise Failed("message-parties")
        self._body(found.root)
        return None

    def _body(self, root: Any) -> None:
        kept = self.octets("translated" if self.kind == "outbound" else "original")
        (body,) = root.find(f"{XP}Body")
        if kept is None:
            return
        if body.tag == XP + "Opaque":
            same = base64.b64decode(body.text or "") == kept
        else:
            same = xmlsig.canonical(deepcopy(body)) == xmlsig.canonical(xmlsig.parse(kept))
        if not same:
            raise Failed("message-body")

    def receipt(self) -> str | None:
        """Signer, parties, and what it is bound to."""
        content = self.octets("receipt")
        if content is None:
            return ABSENT
        found = self.verified(content, "Received", "receipt")
        said = [found.root.findtext(XP + name) for name in ("From", "To", "MessageID", "Digest")]
        if [*said[:2], found.pin.party] != [self.recipient, self.sender, self.recipient]:
            raise Failed("receipt-parties")
        if found.root.tag != XP + "Receipt":
            raise Failed("receipt-parties")
        if said[2:] != [self.message["external_id"], self.message["digest"]]:
            raise Failed("receipt-binding")
        return None

    def report(self) -> str | None:
        """The signed report is the report."""
        content, signed = self.octets("report"), self.octets("report-signature")
        if content is None or signed is None:
            return ABSENT
        at = datetime.fromisoformat(self.message["created"])
        found = statement.verify(signed, "statement", at, self.anchors)
        if found.kind != _TYPE + "report+json" or self.index["exporter"] not in found.parties:
            raise Failed("report-signer")
        if found.payload != content:
            raise Failed("report-content")
        return None

    def commitment(self) -> str | None:
        """The envelope commits to the originals, and to the parameters behind them."""
        by_id = {each["id"]: each for each in self.index["messages"]}
        found = [
            self.octets("original", by_id[name]) if name in by_id else None
            for name in self.message["originals"]
        ]
        salt, stated = self.octets("commitment-salt"), self.octets("commitment")
        if not found or None in found or salt is None or stated is None:
            return ABSENT
        found += [self.octets("parameters")] if self.octets("parameters") is not None else []
        parts = [each for each in found if each is not None]
        if len(parts) > 1:
            parts = [hashlib.sha256(each).digest() for each in parts]
        if hashlib.sha256(salt + b"".join(parts)).hexdigest().encode() != stated:
            raise Failed("commitment")
        root = xmlsig.parse(self.octets("wire") or b"<none/>")
        if root.findtext(f"{XP}Envelope/{XP}Commitment") not in (None, stated.decode()):
            raise Failed("commitment")
        return None

    def status(self) -> str:
        """The counterpart's certificate when it signed."""
        role, when, prefix = _STAPLED[self.kind]
        content = self.octets(role)
        if content is None:
            return ABSENT
        root = xmlsig.parse(content)
        steps = ("Signature", "KeyInfo", "X509Data", "X509Certificate")
        path = "/".join(f"{{{DSIG}}}{step}" for step in steps)
        texts = ["".join((each.text or "").split()) for each in root.iterfind(path)]
        at = xmlsig.time_of(root, when, self.message["created"])
        signers = [base64.b64decode(text) for text in texts]
        return status.check(self.octets, prefix, signers, at, self.anchors)


_NAMES = ("MessageID", "From", "To")
