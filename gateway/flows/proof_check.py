"""Verify a proof that a party said two things that cannot both stand: offline, by anchors.

1 form      a proof, with two statements
2 signed    both by the party that is named
3 contrary  they cannot both stand
"""

from datetime import datetime
from functools import partial
from typing import NoReturn

from gateway.codec import envelope
from gateway.codec.exchange import QUALIFIED
from gateway.errors import Finding, TrustError
from gateway.evidence import ledger
from gateway.evidence.bundle_anchors import BundleAnchors, shape_of
from gateway.evidence.bundle_proofs import verified
from gateway.evidence.bundle_verdict import Check, Outcome, Verdict, run
from gateway.evidence.heads import HEAD_TYPE, HeadFacts, read_head
from gateway.evidence.ledger_proof import Proof, read_proof
from gateway.evidence.settlement import Mark, Node, left_out, place_of
from gateway.merkle import verify_consistency
from gateway.safexml import parse
from gateway.signing.dsse import Statement
from gateway.signing.profiles import DSIG
from gateway.signing.trust import Usage
from gateway.signing.verify import verify_document


def verify_proof(content: bytes, anchors: BundleAnchors) -> Verdict:
    """Verify a proof; see the steps above. It raises nothing that the file could cause."""
    checks: list[Check] = [run("form", "", partial(_form, content))]
    if checks[0].outcome is not Outcome.OK:
        return Verdict(tuple(checks))
    proof = read_proof(content)
    kinds = {
        "two-heads": _two_heads,
        "broken-history": _broken_history,
        "two-contents": _two_contents,
        "denied": _denied,
    }
    checks.append(run(proof.kind, proof.subject, partial(kinds[proof.kind], proof, anchors)))
    return Verdict(tuple(checks), proof.subject, proof.party)


def _form(content: bytes) -> None:
    read_proof(content)


def _two_heads(proof: Proof, anchors: BundleAnchors) -> None:
    """One log, epoch and size; two roots."""
    first, second = (_head(proof, each, anchors) for each in proof.statements)
    same = (first.log, first.epoch, first.size) == (second.log, second.epoch, second.size)
    if not same or first.root == second.root or proof.subject != f"{first.epoch}/{first.size}":
        _refuse("proof-contrary")


def _head(proof: Proof, statement: bytes, anchors: BundleAnchors) -> HeadFacts:
    facts = read_head(ledger.payload_of(statement))
    said = verified(statement, anchors, Usage.HEAD, facts.at)
    if said.payload_type != HEAD_TYPE or facts.log != proof.party:
        _refuse("proof-signer")
    _check_signer(proof, said)
    return facts


def _broken_history(proof: Proof, anchors: BundleAnchors) -> None:
    """The party offers a head with a proof that does not lead from its first head to it."""
    first = _head(proof, proof.statements[0], anchors)
    question = ledger.read_question(ledger.payload_of(proof.statements[1]))
    at = datetime.fromisoformat(question.at)
    said = verified(proof.statements[1], anchors, Usage.HEAD, at)
    _check_signer(proof, said)
    asked = question.ask
    whole = said.payload_type == ledger.REQUEST_TYPE and question.sender == proof.party
    if not whole or not isinstance(asked, ledger.AskHead) or asked.old != first.size:
        _refuse("proof-contrary")
    second = _head(proof, asked.head, anchors)
    if second.epoch != first.epoch or second.size <= first.size:
        _refuse("proof-contrary")
    path = tuple(bytes.fromhex(each) for each in asked.proof)
    if verify_consistency(first.size, second.size, first.root, second.root, path):
        _refuse("proof-contrary")


def _two_contents(proof: Proof, anchors: BundleAnchors) -> None:
    """One message id, two digests."""
    first, second = (_message(proof, each, anchors) for each in proof.statements)
    if first[0] != second[0] or first[0] != proof.subject or first[1] == second[1]:
        _refuse("proof-contrary")


def _message(proof: Proof, wire: bytes, anchors: BundleAnchors) -> tuple[str, str, str]:
    """Return id, digest and day of a message that the party signed."""
    root = parse(wire)
    created = root.findtext(f"{QUALIFIED}Envelope/{QUALIFIED}Created") or ""
    shape = shape_of(
        len(root.findall(f"{{{DSIG}}}Signature")), len(root.findall(f".//{{{DSIG}}}Transform"))
    )
    policy = anchors.policy(Usage.MESSAGE, shape)
    found = verify_document(root, policy, datetime.fromisoformat(created))
    stated, _ = envelope.read_message(found.element)
    if found.party != proof.party or stated.sender != proof.party:
        _refuse("proof-signer", found.party)
    return stated.message_id, found.digest, str(stated.created.date())


def _denied(proof: Proof, anchors: BundleAnchors) -> None:
    """The party signed a message, and what it sent that day, down to where it would be."""
    name, _, day = _message(proof, proof.statements[0], anchors)
    told = [_told(proof, each, anchors) for each in proof.statements[1:]]
    if not isinstance(told[0], ledger.TellDays) or name != proof.subject:
        _refuse("proof-contrary")
    stated = next((Mark(*each.sent) for each in told[0].days if each.day == day), None)
    path: list[Node] = []
    for tell in told[1:]:
        if not isinstance(tell, ledger.TellNodes):
            _refuse("proof-contrary")
        prefix = place_of(name)[: len(path)]
        nodes = [ledger.node_told(each) for each in tell.nodes]
        path += [node for node in nodes if node.prefix == prefix][:1]
    if stated is None or not left_out(name, stated, path):
        _refuse("proof-contrary")


def _told(proof: Proof, statement: bytes, anchors: BundleAnchors) -> ledger.Tell:
    """Verify an answer of the party, and return what it tells."""
    reply = ledger.read_reply(ledger.payload_of(statement))
    said = verified(statement, anchors, Usage.HEAD, datetime.fromisoformat(reply.at))
    if said.payload_type != ledger.ANSWER_TYPE or reply.sender != proof.party:
        _refuse("proof-signer")
    _check_signer(proof, said)
    return reply.tell


def _check_signer(proof: Proof, said: Statement) -> None:
    if proof.party not in said.parties:
        _refuse("proof-signer", " ".join(said.parties))


def _refuse(rule: str, found: str = "") -> NoReturn:
    raise TrustError("signature-scope", Finding("signature-scope", rule, "proof", found))
