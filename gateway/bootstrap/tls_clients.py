"""Would a listener let a client certificate in?"""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.bootstrap.outside import clock
from gateway.signing.certificates import signed_by


def let_in(der: bytes, anchors: Path) -> str:
    """Return why a client certificate would end in the handshake; empty when it would not.

    anchors: PEM file of the listener. A chain of more than one step is not followed.
    """
    read = x509.load_der_x509_certificate(der)
    now = clock()
    if not read.not_valid_before_utc <= now <= read.not_valid_after_utc:
        return "it is not valid now"
    if not _for_clients(read):
        return "it is not for TLS clients"
    issuers = x509.load_pem_x509_certificates(anchors.read_bytes())
    return "" if any(_issued(read, each) for each in issuers) else "no anchor issued it"


def _for_clients(read: x509.Certificate) -> bool:
    try:
        usages = read.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.CLIENT_AUTH in usages


def _issued(read: x509.Certificate, issuer: x509.Certificate) -> bool:
    return signed_by(read.public_bytes(Encoding.DER), issuer.public_bytes(Encoding.DER))
