"""Canonical documents and their value types: frozen values, no I/O."""
