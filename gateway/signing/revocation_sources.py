"""Where the status of a path's certificates is to be had."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from gateway.signing.keys import fingerprint
from gateway.signing.path import extension
from gateway.signing.revocation import Kind, Rule


@dataclass(frozen=True, slots=True)
class Wanted:
    """A source to be asked. subject: hex SHA-256 of what its answer is about, of the issuer's
    certificate for a CRL (one list for all), of the certificate itself for OCSP. agreed: the
    URL was agreed with the party; otherwise it stands in a valid certificate."""

    kind: Kind
    subject: str
    url: str
    certificate: bytes
    issuer: bytes
    agreed: bool


@lru_cache(maxsize=256)
def sources(chain: tuple[bytes, ...], rule: Rule) -> tuple[Wanted, ...]:
    """Return what to ask about every certificate of a path but the anchor, each once."""
    wanted: dict[tuple[Kind, str, str], Wanted] = {}
    for depth, (certificate, issuer) in enumerate(pairwise(chain)):
        for each in _of_pair(certificate, issuer, rule, depth):
            wanted.setdefault((each.kind, each.subject, each.url), each)
    return tuple(wanted.values())


def _of_pair(certificate: bytes, issuer: bytes, rule: Rule, depth: int) -> Iterator[Wanted]:
    lists = rule.crls if depth == 0 else rule.authority_crls
    responders = rule.ocsps if depth == 0 else ()
    named = named_sources(certificate) if rule.from_certificates else ((), ())
    for urls, agreed in ((lists, True), (named[0], False)):
        for url in urls:
            yield Wanted(Kind.CRL, fingerprint(issuer), url, certificate, issuer, agreed)
    for urls, agreed in ((responders, True), (named[1], False)):
        for url in urls:
            yield Wanted(Kind.OCSP, fingerprint(certificate), url, certificate, issuer, agreed)


def named_sources(certificate: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the CRL and OCSP URLs that a certificate names."""
    read = x509.load_der_x509_certificate(certificate)
    points = extension(read, x509.CRLDistributionPoints)
    access = extension(read, x509.AuthorityInformationAccess)
    crls = [name.value for point in points or () for name in point.full_name or () if _is_uri(name)]
    ocsps = [
        each.access_location.value
        for each in access or ()
        if each.access_method == AuthorityInformationAccessOID.OCSP
        and _is_uri(each.access_location)
    ]
    return tuple(map(str, crls)), tuple(map(str, ocsps))


def _is_uri(name: x509.GeneralName) -> bool:
    return isinstance(name, x509.UniformResourceIdentifier)
