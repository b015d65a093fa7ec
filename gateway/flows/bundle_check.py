"""Verify a bundle, offline, by a folder of certificates alone.

    1 container  one spelling, no tricks
    2 manifest   names every member by its digest
    3 index      bundle.json; every member has its place in it
    4 signature  the exporter's, over the manifest
    5 head       the exporter's log, the counterpart's cosignature, the timestamp
    6 messages   each: signature, receipt, report, commitment, documents, rows

The first four must hold before anything else is looked at. docs/evidence.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NoReturn

from gateway.errors import DocumentError, Finding, TrustError
from gateway.evidence import bundle_proofs as proofs
from gateway.evidence.bundle import Index, Item, read_index
from gateway.evidence.bundle import paths_of as paths_in
from gateway.evidence.bundle_anchors import BundleAnchors
from gateway.evidence.bundle_container import read_container
from gateway.evidence.bundle_manifest import (
    INDEX,
    MANIFEST,
    MANIFEST_TYPE,
    SIGNATURE,
    STATEMENT,
    check_manifest,
    check_spelling,
    signature_of,
)
from gateway.evidence.bundle_proofs import HeadFacts
from gateway.evidence.bundle_verdict import Check, Outcome, Verdict, run
from gateway.flows import bundle_messages as messages
from gateway.signing import certificates, cms
from gateway.signing.cms_sign import SCHEMES
from gateway.signing.keys import fingerprint
from gateway.signing.trust import Usage

CHECKS: Mapping[str, tuple[str, ...]] = {
    "outbound": ("message", "receipt", "report", "commitment", "status", "documents", "rows"),
    "inbound": ("message", "receipt", "status", "documents", "rows"),
    "domestic": ("report", "documents", "rows"),
    "submission": ("documents", "rows"),
}
"""What is checked of a message, by its kind."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A bundle that is whole: what the further checks work on."""

    index: Index
    members: Mapping[str, bytes]
    anchors: BundleAnchors


def verify_bundle(content: bytes, anchors: BundleAnchors) -> Verdict:
    """Verify a bundle; see the steps above. It raises nothing that the bundle could cause."""
    checks: list[Check] = []
    members: dict[str, bytes] = {}

    def opened() -> None:
        members.update(read_container(content))

    def holds(name: str, work: Callable[[], None]) -> bool:
        checks.append(run(name, "", work))
        return checks[-1].outcome is Outcome.OK

    whole = (
        holds("container", opened)
        and holds("manifest", partial(check_manifest, members))
        and holds("index", partial(_check_index, members))
        and holds("signature", partial(_check_signature, members, anchors))
    )
    if not whole:
        return Verdict(tuple(checks))
    bundle = Opened(read_index(members[INDEX]), members, anchors)
    head = _check_head(bundle, checks)
    for item in bundle.index.messages:
        checks += _check_message(bundle, item, head)
    return Verdict(tuple(checks), bundle.index.subject, bundle.index.exporter)


def _check_signature(members: Mapping[str, bytes], anchors: BundleAnchors) -> None:
    """It is the exporter's, by its key for statements."""
    if signature_of(members) == STATEMENT:
        _check_statement(members, anchors)
        return
    signature, manifest = members[SIGNATURE], members[MANIFEST]
    parts = cms.take_apart(signature)
    cms.verify_parts(parts, manifest, certificates.public_key(parts.certificate))
    check_spelling(signature, parts)
    index = read_index(members.get(INDEX, b""))
    uri = next((uri for uri, scheme in SCHEMES.items() if scheme == parts.scheme), "")
    policy = anchors.policy(Usage.STATEMENT)
    key = policy.key(fingerprint(parts.certificate), datetime.fromisoformat(index.at), uri)
    if key.party != index.exporter:
        _refuse("signature-exporter", SIGNATURE, key.party)


def _check_statement(members: Mapping[str, bytes], anchors: BundleAnchors) -> None:
    """The signature as a statement: one, by the exporter, over this manifest."""
    content = members[STATEMENT]
    index = read_index(members.get(INDEX, b""))
    at = datetime.fromisoformat(index.at)
    said = proofs.verified(content, anchors, Usage.STATEMENT, at)
    plain = proofs.is_plain(content, said)
    if said.payload_type != MANIFEST_TYPE or said.payload != members[MANIFEST] or not plain:
        _refuse("signature-form", STATEMENT, said.payload_type)
    if said.parties != (index.exporter,):
        _refuse("signature-exporter", STATEMENT, " ".join(said.parties))


def _check_index(members: Mapping[str, bytes]) -> None:
    """The index is well spelt, names every member once, and its subject."""
    index = read_index(members.get(INDEX, b""))
    named = sorted(paths_in(index))
    kept = (MANIFEST, signature_of(members), INDEX)
    there = sorted(name for name in members if name not in kept)
    if named != there:
        odd = next(iter(set(named) ^ set(there)), "a member named twice")
        raise DocumentError("malformed", Finding("malformed", "index-members", odd))
    ids = [item.id for item in index.messages]
    if index.subject not in ids or len(set(ids)) != len(ids):
        raise DocumentError("malformed", Finding("malformed", "index-subject", "bundle.json"))
    if strange := {row.message for row in index.rows} - set(ids):
        raise DocumentError("malformed", Finding("malformed", "index-rows", min(strange)))
    for path in index.certificates:
        if path != f"certificates/{fingerprint(members[path])}.der":
            raise DocumentError("malformed", Finding("malformed", "index-certificate", path))


def _check_head(bundle: Opened, checks: list[Check]) -> HeadFacts | None:
    """Step 5; return what the head says when it can be believed."""
    stated, found = bundle.index.head, []

    def head() -> Outcome | None:
        if stated is None:
            return Outcome.PENDING
        found.append(proofs.head_facts(bundle.members[stated.path], bundle.index, bundle.anchors))
        return None

    def cosignature() -> Outcome | None:
        signed = found and bundle.index.counterpart in found[0].parties
        return None if signed else Outcome.PENDING

    def stamp() -> Outcome | None:
        if stated is None or stated.stamp is None:
            return Outcome.PENDING
        head_octets, token = bundle.members[stated.path], bundle.members[stated.stamp]
        proofs.check_stamp(head_octets, token, bundle.anchors)
        return None

    checks.append(run("head", "", head))
    checks.append(run("cosignature", "", cosignature))
    checks.append(run("stamp", "", stamp))
    return found[0] if found else None


def _check_message(bundle: Opened, item: Item, head: HeadFacts | None) -> list[Check]:
    rows = [row for row in bundle.index.rows if row.message == item.id]
    check = messages.Messages(bundle.index, bundle.members, bundle.anchors, item)
    named: dict[str, Callable[[], Outcome | None]] = {
        "message": check.message,
        "receipt": check.receipt,
        "report": check.report,
        "commitment": check.commitment,
        "status": check.status,
        "documents": partial(proofs.check_documents, item, rows, bundle.members),
        "rows": partial(proofs.check_rows, item, rows, head),
    }
    return [run(name, item.id, named[name]) for name in CHECKS[item.kind]]


def _refuse(rule: str, path: str, found: str) -> NoReturn:
    raise TrustError("signer-untrusted", Finding("signer-untrusted", rule, path, found))
