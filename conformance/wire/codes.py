"""The registry of codes (XP-ERR-004 and its table), as a stranger reads the profile."""

from collections.abc import Mapping

_BY_FAMILY = {
    "document": (
        "malformed too-large schema-invalid type-unknown version-unsupported "
        "encoding-unsupported code-unknown code-outdated rule-broken reference-unknown "
        "wrong-recipient"
    ),
    "mapping": "not-mapped too-long-for-target",
    "trust": (
        "signature-missing signature-invalid signature-scope algorithm-not-allowed "
        "signer-untrusted party-mismatch certificate-expired certificate-revoked "
        "revocation-unknown timestamp-invalid stale future-dated id-conflict"
    ),
    "access": "unauthenticated forbidden rate-limited",
    "state": "not-found conflict out-of-order precondition-failed key-reused in-flight",
    "unavailable": "unavailable",
    "internal": "internal",
}

FAMILIES: Mapping[str, str] = {
    code: family for family, codes in _BY_FAMILY.items() for code in codes.split()
}
"""Family by code."""

_RETRIABLE = frozenset(
    ["rate-limited", "unavailable", "revocation-unknown", "out-of-order", "in-flight", "internal"]
)

STATUSES: Mapping[str, int] = {
    "malformed": 400, "too-large": 413, "signer-untrusted": 403, "party-mismatch": 403,
    "certificate-expired": 403, "certificate-revoked": 403, "id-conflict": 409, "conflict": 409,
    "forbidden": 403, "unauthenticated": 403, "rate-limited": 429, "unavailable": 503,
    "revocation-unknown": 503, "out-of-order": 503, "in-flight": 503, "internal": 500,
}  # fmt: skip
"""HTTP status of a signed refusal (XP-ERR-011) where it is not 422."""


def retriable(code: str) -> bool:
    """Tell whether the same octets can succeed later (XP-ERR-004)."""
    return code in _RETRIABLE
