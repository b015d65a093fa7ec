"""Checks of what the target sent to the simulated partner, and of what its queries say."""

from collections.abc import Callable, Mapping

from conformance.engine.building import Bench
from conformance.engine.case import Verify

CHECKS: Mapping[str, Callable[[Bench, Verify], None]] = {}
"""By the name that cases use."""
