"""The folder of certificates by which bundles of this gateway verify."""

from collections.abc import Iterator, Mapping

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.evidence.bundle_anchors import USAGES
from gateway.flows.services import Counterpart, Services
from gateway.flows.settle_own import certificates_of
from gateway.signing.trust import TrustPolicy, Usage


def anchor_files(services: Services) -> Mapping[str, bytes]:
    """Return PEM files by name, as docs/evidence.md says."""
    found: dict[str, list[bytes]] = {}
    for party, usage, der in _signers(services):
        found.setdefault(f"{party}-{usage.value}.pem", []).append(der)
    authorities = [der for c in services.counterparts.values() for der in _authorities(c)]
    for name, ders in (("authorities.pem", authorities), ("tsa.pem", services.timestamp_anchors)):
        if ders:
            found[name] = list(ders)
    return {name: b"".join(map(_pem, dict.fromkeys(ders))) for name, ders in found.items()}


def _signers(services: Services) -> Iterator[tuple[str, Usage, bytes]]:
    ours = {
        Usage.MESSAGE: services.message_signer,
        Usage.RECEIPT: services.receipt_signer,
        Usage.STATEMENT: services.statement_signer,
        Usage.HEAD: services.head_signer,
    }
    for usage, signer in ours.items():
        for der in certificates_of(signer) if signer is not None else ():
            yield services.name, usage, der
    for counterpart in services.counterparts.values():
        for policy in _policies(counterpart):
            for pin in policy.pinned.values():
                if pin.usage is policy.usage and pin.usage in USAGES:
                    yield counterpart.name, pin.usage, pin.certificate


def _policies(counterpart: Counterpart) -> Iterator[TrustPolicy]:
    yield counterpart.messages
    yield counterpart.receipts
    if counterpart.heads is not None:
        yield counterpart.heads


def _authorities(counterpart: Counterpart) -> Iterator[bytes]:
    for policy in _policies(counterpart):
        if policy.anchors is not None:
            yield from policy.anchors.roots


def _pem(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
