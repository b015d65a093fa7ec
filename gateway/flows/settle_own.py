"""What we signed ourselves, verified like anybody's: after a restoration it comes back from
the counterpart, and only our own key tells that it was ours."""

from collections.abc import Iterator

from gateway.flows.services import Counterpart, Services
from gateway.signing.keys import Signer
from gateway.signing.rolling import RollingSigner
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage


def own_policy(services: Services, counterpart: Counterpart, usage: Usage) -> TrustPolicy:
    """Return whose signatures are ours, for messages, receipts or heads."""
    signers = {
        Usage.MESSAGE: services.message_signer,
        Usage.RECEIPT: services.receipt_signer,
        Usage.HEAD: services.head_signer,
    }
    signer = signers[usage]
    certificates = list(certificates_of(signer)) if signer is not None else []
    if usage is Usage.HEAD:
        certificates += services.earlier_heads
    keys = [PinnedKey(der, services.name, usage) for der in certificates]
    return TrustPolicy.of(counterpart.ours, usage, keys)


def certificates_of(signer: Signer) -> Iterator[bytes]:
    """Yield the certificates that a signer signs with, now and next."""
    if isinstance(signer, RollingSigner):
        yield from certificates_of(signer.present)
        yield from certificates_of(signer.following)
    else:
        yield signer.certificate
