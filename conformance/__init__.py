"""The conformance suite: does an endpoint keep the exchange profile? It knows no gateway."""

VERSION = "2026.1"
"""Version of the suite and of its profiles."""
