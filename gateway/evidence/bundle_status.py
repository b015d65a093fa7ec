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
    octets: Octets, prefix: str, signer: bytes, at: datetime, authorities: Sequence[bytes]
) -> Outcome | None:
    """Check what the CRLs and OCSP answers say of the signer's certificate and of those above
    it.

    octets: documents of the message; prefix: of their roles. signer: DER. at: when it signed.
    Absent when nothing was stapled (pins alone were agreed). TrustError, rules `status-chain`,
    `status-issuer`, `status-digest`, `status-unknown`, `status-revoked`, or as the lists and
    answers are refused.
    """
    stated, pem = octets(f"{prefix}revocation-status"), octets(f"{prefix}chain")
    if stated is None or pem is None:
        return Outcome.ABSENT
    said = _read(stated)
    chain = [c.public_bytes(Encoding.DER) for c in x509.load_pem_x509_certificates(pem)]
    _check_chain(chain, signer, authorities)
    asked, listed = datetime.fromisoformat(said["at"]), said["certificates"]
    if len(listed) != len(chain) - 1:
        _refuse("status-chain")
    for number, facts in enumerate(listed):
        content = octets(f"{prefix}revocation-{number + 1}") or b""
        if hashlib.sha256(content).hexdigest() != facts.get("digest"):
            _refuse("status-digest", str(number + 1))
        pair = chain[number], chain[number + 1]
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


def _check_chain(chain: list[bytes], signer: bytes, authorities: Sequence[bytes]) -> None:
    if chain[0] != signer:
        _refuse("status-chain", "signer")
    if not all(signed_by(der, issuer) for der, issuer in pairwise(chain)):
        _refuse("status-chain", "signature")
    if chain[-1] not in authorities:
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
