"""Structs of which exactly one form is read."""

import msgspec


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=False):
    """No field but those that are named."""
