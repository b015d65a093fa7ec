"""The formats of one day, and the desk that translates samples with them."""

import pytest
from mapping_desk import DAY, Desk

from gateway.codec.formats import Formats


@pytest.fixture(scope="session")
def formats() -> Formats:
    return Formats.load(DAY)


@pytest.fixture(scope="session")
def desk(formats: Formats) -> Desk:
    return Desk(formats)
