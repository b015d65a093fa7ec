"""Signature profiles, preflight, verify, sign, DSSE, keys."""
