"""What the verifier of a bundle believes: a folder of certificates, and nothing else.

PARTY-USAGE.pem   certificates that a party signs with; usage: message, receipt,
                  statement, head. One file may hold several, old and new.
authorities.pem   who issued them: for their revocation lists and OCSP answers
tsa.pem           authorities of time-stamping authorities
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NoReturn

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.errors import DocumentError, Finding
from gateway.signing.algorithms import ALGORITHMS, RSA_SHA1, RSA_SHA256, SHA256, SM3
from gateway.signing.profiles import DEFAULT, DSIG, KeyInfo, SignatureProfile
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage

_METHODS = tuple(uri for uri in ALGORITHMS if uri != RSA_SHA1)
_LINK = replace(DEFAULT, name="bundle", methods=_METHODS, digests=(SHA256, SM3), demo=True)
_PKCS1 = replace(_LINK, methods=(RSA_SHA256,))
USAGES = (Usage.MESSAGE, Usage.RECEIPT, Usage.STATEMENT, Usage.HEAD)


@dataclass(frozen=True)
class BundleAnchors:
    """pinned: all certificates that parties sign with. authorities, stampers: DER."""

    pinned: tuple[PinnedKey, ...]
    authorities: tuple[bytes, ...] = ()
    stampers: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, files: Mapping[str, bytes]) -> "BundleAnchors":
        """Make them of files by name. DocumentError `malformed`, rule `anchor-file`."""
        pinned: list[PinnedKey] = []
        others: dict[str, tuple[bytes, ...]] = {}
        for name, content in sorted(files.items()):
            stem = name.removesuffix(".pem")
            party, _, usage = stem.rpartition("-")
            if stem in ("authorities", "tsa"):
                others[stem] = _certificates(name, content)
            elif stem != name and party and usage in USAGES:
                keys = _certificates(name, content)
                pinned += [PinnedKey(der, party, Usage(usage)) for der in keys]
            else:
                _refuse(name)
        return cls(tuple(pinned), others.get("authorities", ()), others.get("tsa", ()))

    @cached_property
    def _by_usage(self) -> dict[tuple[Usage, SignatureProfile], TrustPolicy]:
        return {}

    def policy(self, usage: Usage, shape: SignatureProfile = _LINK) -> TrustPolicy:
        """Return the policy of a usage, for all parties."""
        key = (usage, shape)
        if key not in self._by_usage:
            keys = [pin for pin in self.pinned if pin.usage is usage]
            self._by_usage[key] = TrustPolicy.of(shape, usage, keys)
        return self._by_usage[key]

    def statements(self, usage: Usage) -> tuple[TrustPolicy, TrustPolicy]:
        """Return the policies that a statement may be verified by: a DSSE envelope does not
        say whether an RSA key signed by PSS or by PKCS#1."""
        return self.policy(usage), self.policy(usage, _PKCS1)


def shape_of(methods: int, transforms: int) -> SignatureProfile:
    """Return the shape of a signature by the numbers of its signatures and transforms."""
    shape = _LINK
    if transforms == 1:
        shape = replace(_LINK, key_info=KeyInfo.NAMED, transforms=(DSIG + "enveloped-signature",))
    return replace(shape, second=shape) if methods == 2 else shape


def _certificates(name: str, content: bytes) -> tuple[bytes, ...]:
    try:
        found = x509.load_pem_x509_certificates(content)
        return tuple(each.public_bytes(Encoding.DER) for each in found)
    except ValueError:
        _refuse(name)


def _refuse(name: str) -> NoReturn:
    raise DocumentError("malformed", Finding("malformed", "anchor-file", name[:200]))
