"""Fixtures of the interface tests; they are made in api_desk.py."""

from api_desk import desk, identities, keys, pki, start, template

__all__ = ["desk", "identities", "keys", "pki", "start", "template"]
