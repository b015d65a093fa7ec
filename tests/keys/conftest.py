"""Tokens of SoftHSM, one key of each kind in them."""

import pytest
from softhsm import SoftHsm, soft_hsm


@pytest.fixture(scope="session")
def hsm() -> SoftHsm:
    return soft_hsm()


@pytest.fixture
def label(hsm: SoftHsm, request: pytest.FixtureRequest) -> str:
    """Make a token of its own for a test."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**9}"
    hsm.new(name)
    return name
