"""A small certification authority that revokes: certificates of any shape, CRLs, OCSP answers,
and an HTTP server that hands them out, or not. For any test."""

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from gateway.signing.algorithms import der_of
from gateway.signing.issue import Issued
from gateway.signing.trust import USAGE_OIDS, Usage

NOW = datetime(2026, 5, 14, 1, 15, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
OCSP_SIGNING = ExtendedKeyUsageOID.OCSP_SIGNING


def name(common: str, organisation: str = "Example customs", country: str = "CN") -> x509.Name:
    pairs = (
        (NameOID.COUNTRY_NAME, country),
        (NameOID.ORGANIZATION_NAME, organisation),
        (NameOID.COMMON_NAME, common),
    )
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs])


def uri(url: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(url)


@dataclass(frozen=True)
class Wish:
    """What a certificate is to be like. usages: extended key usages, None for no extension.
    length: path length of an authority. extra: further (extension, critical)."""

    subject: x509.Name = field(default_factory=lambda: name("message"))
    start: datetime = NOW - 10 * DAY
    end: datetime = NOW + 100 * DAY
    usages: tuple[x509.ObjectIdentifier, ...] | None = (USAGE_OIDS[Usage.MESSAGE],)
    digital_signature: bool = True
    key_usage: bool = True
    ca: bool = False
    cert_sign: bool | None = None
    length: int | None = None
    crl: str = ""
    ocsp: str = ""
    extra: tuple[tuple[x509.ExtensionType, bool], ...] = ()
    serial: int = 0


AUTHORITY = Wish(subject=name("root"), usages=None, ca=True, digital_signature=False, length=1)


def make(wish: Wish, issuer: "Issued | None" = None, key: Any = None) -> Issued:
    """Make a key and a certificate; without an issuer it is self-signed."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    above = issuer or Issued(key, None)  # type: ignore[arg-type]
    builder = (
        x509.CertificateBuilder()
        .subject_name(wish.subject)
        .issuer_name(issuer.certificate.subject if issuer else wish.subject)
        .public_key(key.public_key())
        .serial_number(wish.serial or x509.random_serial_number())
        .not_valid_before(wish.start)
        .not_valid_after(wish.end)
    )
    for value, critical in _extensions(wish, key, above.key):
        builder = builder.add_extension(value, critical)
    return Issued(key, builder.sign(above.key, hashes.SHA256()))


def _extensions(wish: Wish, key: Any, above: Any) -> list[tuple[x509.ExtensionType, bool]]:
    cert_sign = wish.ca if wish.cert_sign is None else wish.cert_sign
    found: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(wish.ca, wish.length if wish.ca else None), True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(above.public_key()), False),
    ]
    if wish.key_usage:
        usage = x509.KeyUsage(
            wish.digital_signature, False, False, False, False, cert_sign, cert_sign, False, False
        )
        found.append((usage, True))
    if wish.usages is not None:
        found.append((x509.ExtendedKeyUsage(wish.usages), False))
    if wish.crl:
        point = x509.DistributionPoint([uri(wish.crl)], None, None, None)
        found.append((x509.CRLDistributionPoints([point]), False))
    if wish.ocsp:
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, uri(wish.ocsp))
        found.append((x509.AuthorityInformationAccess([access]), False))
    return [*found, *wish.extra]


@dataclass(frozen=True)
class Revoked:
    """An entry of a CRL."""

    serial: int
    at: datetime
    reason: x509.ReasonFlags | None = None
    since: datetime | None = None

    def entry(self) -> x509.RevokedCertificate:
        builder = x509.RevokedCertificateBuilder().serial_number(self.serial)
        builder = builder.revocation_date(self.at)
        if self.reason:
            builder = builder.add_extension(x509.CRLReason(self.reason), critical=False)
        if self.since:
            builder = builder.add_extension(x509.InvalidityDate(self.since), critical=False)
        return builder.build()


def crl(
    issuer: Issued,
    revoked: Sequence[Revoked] = (),
    made: datetime = NOW - HOUR,
    ends: datetime | None = NOW + DAY,
    extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
    signer: Any = None,
) -> bytes:
    """Return a CRL (DER). signer: a key that is not the issuer's."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(made)
        .next_update(ends or made + DAY)
    )
    for each in revoked:
        builder = builder.add_revoked_certificate(each.entry())
    for value, critical in extra:
        builder = builder.add_extension(value, critical)
    done = builder.sign(signer or issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)
    return done if ends else _without_end(done, signer or issuer.key)


def _without_end(done: bytes, key: Any) -> bytes:
    """The builder insists on a next update, the standard's older lists have none."""
    read = asn1_crl.CertificateList.load(done)
    body = read["tbs_cert_list"]
    body["next_update"] = None
    read["signature"] = key.sign(body.dump(force=True), ec.ECDSA(hashes.SHA256()))
    return bytes(read.dump(force=True))


def sm2_crl(issuer: Issued, revoked: Sequence[Revoked] = ()) -> bytes:
    """Return a CRL of an SM2 authority: made with a key that stands in, then signed anew."""
    stand_in = ec.generate_private_key(ec.SECP256R1())
    read = asn1_crl.CertificateList.load(crl(issuer, revoked, signer=stand_in))
    for place in (read["tbs_cert_list"]["signature"], read["signature_algorithm"]):
        place["algorithm"] = "1.2.156.10197.1.501"
    body = read["tbs_cert_list"].dump(force=True)
    read["signature"] = der_of(issuer.key.sign(body))
    return bytes(read.dump(force=True))


def sm2_ocsp_answer(certificate: Issued, issuer: Issued, says: "Says | None" = None) -> bytes:
    """Return an OCSP answer of an SM2 authority: of an ECDSA one in its place, signed anew."""
    stand_in = make(replace(AUTHORITY, subject=issuer.certificate.subject))
    number = certificate.certificate.serial_number
    leaf = make(replace(Wish(), serial=number), stand_in)
    read = asn1_ocsp.OCSPResponse.load(ocsp_answer(leaf, stand_in, says))
    basic = read["response_bytes"]["response"].parsed
    data = basic["tbs_response_data"]
    key = hashlib.sha1(_key_bits(issuer)).digest()
    data["responses"][0]["cert_id"]["issuer_key_hash"] = key
    data["responder_id"] = asn1_ocsp.ResponderId(name="by_key", value=key)
    basic["signature_algorithm"]["algorithm"] = "1.2.156.10197.1.501"
    basic["signature"] = der_of(issuer.key.sign(data.dump(force=True)))
    read["response_bytes"]["response"] = basic
    return bytes(read.dump(force=True))


def _key_bits(issuer: Issued) -> bytes:
    read = asn1_x509.Certificate.load(issuer.der)["tbs_certificate"]
    return bytes(read["subject_public_key_info"]["public_key"].contents[1:])


@dataclass(frozen=True)
class Says:
    """What an OCSP answer says."""

    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD
    made: datetime = NOW - HOUR
    ends: datetime | None = NOW + DAY
    revoked_at: datetime | None = None
    reason: x509.ReasonFlags | None = None
    algorithm: hashes.HashAlgorithm = field(default_factory=hashes.SHA1)


def ocsp_answer(
    certificate: Issued,
    issuer: Issued,
    says: Says | None = None,
    responder: Issued | None = None,
) -> bytes:
    """Return an OCSP answer (DER). responder: a delegate."""
    says, by = says or Says(), responder or issuer
    builder = ocsp.OCSPResponseBuilder().add_response(
        certificate.certificate,
        issuer.certificate,
        says.algorithm,
        says.status,
        says.made,
        says.ends,
        says.revoked_at,
        says.reason,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, by.certificate)
    if responder:
        builder = builder.certificates([responder.certificate])
    done = builder.sign(by.key, hashes.SHA256())
    return done.public_bytes(Encoding.DER)


def delegate(issuer: Issued, **changes: Any) -> Issued:
    """Return an OCSP responder that the issuer made."""
    wish = Wish(
        subject=name("responder"), usages=(OCSP_SIGNING,), extra=((x509.OCSPNoCheck(), False),)
    )
    return make(replace(wish, **changes), issuer)


Reply = Callable[[bytes], tuple[int, bytes]]


class RevocationServer:
    """Answers at `url`; what it says at a path is in `replies`. `silent`: it takes requests
    and says nothing until it is closed."""

    def __init__(self) -> None:
        self.replies: dict[str, Reply] = {}
        self.asked: list[str] = []
        self.silent = False
        self.location = ""
        self._closing = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server._answer(self, b"")

            def do_POST(self) -> None:
                server._answer(self, self.rfile.read(int(self.headers["content-length"])))

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def says(self, path: str, content: bytes, status: int = 200) -> str:
        """Set what it says at a path; return the URL."""
        self.replies[path] = lambda _: (status, content)
        return self.url + path

    def _answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        self.asked.append(request.path)
        if self.silent:
            self._closing.wait(30)
            return
        status, content = self.replies.get(request.path, lambda _: (404, b""))(body)
        request.send_response(status)
        if self.location:
            request.send_header("location", self.location)
        request.send_header("content-length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def close(self) -> None:
        self._closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def __enter__(self) -> "RevocationServer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
