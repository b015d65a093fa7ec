"""A proof that a party said two things: signed statements that cannot both stand.

two-heads        two heads of one log, epoch and size, with two roots
broken-history   a question that offers a head with a proof that does not lead to it from
                 the head that its party had signed before
two-contents     two messages with one id and two digests
denied           a message that its party signed; its statement of the day; its statements
                 about the nodes on the way down to where the message would be
"""

from typing import NoReturn

import msgspec
import rfc8785

from gateway.errors import DocumentError, Finding

FORMAT = "bilateral-gateway-proof/1"
MOST = 20
"""Statements of a proof."""
KINDS = ("two-heads", "broken-history", "two-contents", "denied")


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """party: who said both. subject: a message id, or `epoch/size` of a head. statements: what
    it signed."""

    format: str
    kind: str
    party: str
    subject: str
    statements: tuple[bytes, ...]


def write_proof(kind: str, party: str, subject: str, *statements: bytes) -> bytes:
    """Return a proof as a file: JSON (RFC 8785), the statements in base64."""
    return rfc8785.dumps(msgspec.to_builtins(Proof(FORMAT, kind, party, subject, statements)))


def is_proof(content: bytes) -> bool:
    """True when a file is a proof, well made or not."""
    return content.startswith(b"{")


def read_proof(content: bytes) -> Proof:
    """Read a proof. DocumentError `malformed`, rule `proof-form`."""
    try:
        proof = msgspec.json.decode(content, type=Proof)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError):
        _refuse()
    fewest, most = (3, MOST) if proof.kind == "denied" else (2, 2)
    whole = fewest <= len(proof.statements) <= most
    if proof.format != FORMAT or proof.kind not in KINDS or not whole:
        _refuse()
    return proof


def _refuse() -> NoReturn:
    raise DocumentError("malformed", Finding("malformed", "proof-form"))
