"""One key of each kind, made once."""

import pytest
from signing_parties import Party, party

from gateway.signing.issue import KeyKind


@pytest.fixture(scope="session")
def parties() -> dict[str, Party]:
    return {
        "link-ecdsa-p256": party("link-ecdsa-p256", KeyKind.P256),
        "link-rsa-pss": party("link-rsa-pss", KeyKind.RSA3072),
        "link-rsa-pkcs1": party("link-rsa-pkcs1", KeyKind.RSA3072),
    }


@pytest.fixture(scope="session")
def vn(parties: dict[str, Party]) -> Party:
    return parties["link-ecdsa-p256"]
