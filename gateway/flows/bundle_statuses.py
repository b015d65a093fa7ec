"""The stapled statuses of signers' certificates, for a bundle."""

from gateway.evidence.bundle import Proven, Status
from gateway.flows.ports import Transaction


def stapled(
    tx: Transaction, rows: tuple[Proven, ...], members: dict[str, bytes]
) -> tuple[tuple[Status, ...], tuple[bytes, ...]]:
    """Put the CRLs and OCSP answers in that the rows name; return their descriptions, and the
    certificates of who issued them."""
    return (), ()
