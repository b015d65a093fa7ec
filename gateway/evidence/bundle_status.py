"""The status of a signer's certificate at signing time, as it was stapled to the message."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, NoReturn

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.errors import Finding, TrustError
from gateway.evidence.bundle_verdict import Outcome
from gateway.signing.certificates import signed_by
from gateway.signing.revocation import State, Status
from gateway.signing.revocation_crl import crl_status, read_crl
from gateway.signing.revocation_ocsp import read_ocsp

Octets = Callable[[str], bytes | None]
"""Returns the document of a role, None when it is not in the bundle."""


def check_status(
    octets: Octets,
    prefix: str,
    signers: Sequence[bytes],
    at: datetime,
    authorities: Sequence[bytes],
) -> Outcome | None:
    """Check what the CRLs and OCSP answers say of the signers' certificates and of those above
    them.

    octets: documents of the message; prefix: of their roles. signers: DER, one or two. at: when
    it was signed.
    Absent when nothing was stapled (pins alone were agreed). TrustError, rules `status-chain`,
    `status-issuer`, `status-digest`, `status-unknown`, `status-revoked`, or as the lists and
    answers are refused.
    """
    stated, pem = octets(f"{prefix}revocation-status"), octets(f"{prefix}chain")
    if stated is None or pem is None:
        return Outcome.ABSENT
    said = _read(stated)
    every = [c.public_bytes(Encoding.DER) for c in x509.load_pem_x509_certificates(pem)]
    chains = _chains(every)
    _check_chains(chains, signers, authorities)
    asked, listed = datetime.fromisoformat(said["at"]), said["certificates"]
    pairs = [pair for chain in chains for pair in pairwise(chain)]
    if len(listed) != len(pairs):
        _refuse("status-chain")
    for number, (facts, pair) in enumerate(zip(listed, pairs, strict=True), 1):
        content = octets(f"{prefix}revocation-{number}") or b""
        if hashlib.sha256(content).hexdigest() != facts.get("digest"):
            _refuse("status-digest", str(number))
        _judge(_status(facts.get("kind"), content, *pair, asked), at)
    return None


def _read(stated: bytes) -> dict[str, Any]:
    said = msgspec.json.decode(stated, type=dict[str, Any])
    listed = said.get("certificates")
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        _refuse("status-chain")
    if not isinstance(said.get("at"), str):
        _refuse("status-chain")
    return said


def _chains(certificates: list[bytes]) -> list[list[bytes]]:
    """Part the chains of two signers: one ends where the next certificate did not issue it."""
    chains: list[list[bytes]] = []
    for der in certificates:
        if chains and signed_by(chains[-1][-1], der):
            chains[-1].append(der)
        else:
            chains.append([der])
    return chains


def _check_chains(
    chains: list[list[bytes]], signers: Sequence[bytes], authorities: Sequence[bytes]
) -> None:
    """One chain for each signer, from its certificate to an authority."""
    if sorted(chain[0] for chain in chains) != sorted(signers):
        _refuse("status-chain", "signer")
    if any(chain[-1] not in authorities for chain in chains):
        _refuse("status-issuer")


def _status(kind: Any, content: bytes, certificate: bytes, issuer: bytes, at: datetime) -> Status:
    if kind == "crl":
        return crl_status(read_crl(content, issuer, at), certificate, "")
    return read_ocsp(content, certificate, issuer, at, "")


def _judge(status: Status, at: datetime) -> None:
    if status.state is State.UNKNOWN:
        _refuse("status-unknown", status.certificate)
    if status.counts_from is not None and status.counts_from <= at:
        _refuse("status-revoked", status.certificate)


def _refuse(rule: str, found: str = "") -> NoReturn:
    code = "certificate-revoked" if rule == "status-revoked" else "revocation-unknown"
    raise TrustError(code, Finding(code, rule, "bundle", found))
