"""Keys of an agency and what the gateway knows of them; openssl as the other side."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.errors import Finding, TrustError
from gateway.signing.issue import Issued, KeyKind, Purpose, Subject, authority, leaf
from gateway.signing.keys import KeySigner, key_signer
from gateway.signing.profiles import profile
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage

NOW = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=30)
"""When the tests verify. openssl and stock signers write the time at which a test runs, which
can be minutes after this module was read: their signatures must not lie ahead of it."""
CA = authority(Subject("VN", "Test", "", "test authority"), NOW - timedelta(days=400), 800)


@dataclass(frozen=True)
class Agency:
    """A key of an agency."""

    issued: Issued

    def signer(self, method: str | None = None) -> KeySigner:
        return key_signer(self.issued.key, self.issued.der, method)

    def policy(self, name: str, *, legacy: bool = False, **pin: Any) -> TrustPolicy:
        pins = [PinnedKey(self.issued.der, "agency", Usage.MESSAGE, **pin)]
        return TrustPolicy.of(profile(name, legacy), Usage.MESSAGE, pins)

    def files(self, folder: Path) -> tuple[Path, Path]:
        """Write certificate and key as PEM files."""
        certificate, key = folder / "agency.pem", folder / "agency.key"
        certificate.write_bytes(self.issued.pem)
        private = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        key.write_bytes(self.issued.key.private_bytes(*private))
        return certificate, key


def agency(
    kind: KeyKind = KeyKind.P256, *, days: int = 365, start: datetime | None = None
) -> Agency:
    begins = start or NOW - timedelta(days=30)
    subject = Subject("VN", "Test", "", "agency")
    issuer = None if kind is KeyKind.SM2 else CA
    return Agency(leaf(subject, Purpose.MESSAGE, begins, days, issuer=issuer, kind=kind))


def openssl(folder: Path, *words: str | Path) -> bytes:
    """Run openssl in a folder; CalledProcessError when it fails."""
    command = ["openssl", *map(str, words)]
    return subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout


def refusal(work: Callable[[], object]) -> Finding:
    """Return the first finding of what must be refused."""
    with pytest.raises(TrustError) as caught:
        work()
    assert caught.value.findings
    return caught.value.findings[0]
