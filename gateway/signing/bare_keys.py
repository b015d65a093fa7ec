"""Keys of signatures that name neither a certificate nor a method: by number, and by kind."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from gateway.errors import Finding, TrustError
from gateway.signing.algorithms import ALGORITHMS, raw_of
from gateway.signing.exact import refuse
from gateway.signing.profiles import SignatureProfile, ValueForm
from gateway.signing.trust import TrustedKey, TrustPolicy

_LONGEST_NUMBER = 40


def number_of(certificate: bytes) -> str:
    """Return the serial number of a certificate (DER) as the e-port writes it: hexadecimal of
    whole octets, in lower case."""
    digits = f"{x509.load_der_x509_certificate(certificate).serial_number:x}"
    return digits.zfill(len(digits) + len(digits) % 2)


def certificate_of(policy: TrustPolicy, number: str, path: str) -> bytes:
    """Return the pinned certificate (DER) with a serial number. TrustError `signer-untrusted`,
    rule `certificate-number`, when there is not exactly one."""
    plain, pinned = number.strip().lower().lstrip("0"), policy.pinned_keys()
    found = [key.chain[0] for key in pinned if number_of(key.chain[0]).lstrip("0") == plain]
    if len(found) != 1 or not plain or len(plain) > _LONGEST_NUMBER:
        refuse("signer-untrusted", "certificate-number", path, number.strip()[:_LONGEST_NUMBER])
    return found[0]


def methods_of(certificate: bytes, policy: TrustPolicy) -> tuple[str, ...]:
    """Return the methods of the profile that fit the key of a certificate; its first, if none
    does, so that the policy can say what is wrong."""
    pinned = policy.pinned_keys()
    key = next((key for key in pinned if key.chain[0] == certificate), None)
    methods = policy.profile.methods
    fits = tuple(uri for uri in methods if key and ALGORITHMS[uri].fits(key.public_key))
    return fits or methods[:1]


def check_bare(
    value: bytes, message: bytes, key: TrustedKey, methods: tuple[str, ...], shape: SignatureProfile
) -> str:
    """Verify a value over a message by the first of some methods that it is good for; return
    that. TrustError `signature-invalid`; its first rule is `der-value` for a DER value where
    r || s is due."""
    for method in methods:
        if _verifies(method, key, _as_due(method, value, shape), message, shape):
            return method
    findings = [Finding("signature-invalid", "signature-value")]
    if any(_verifies(m, key, _raw(m, value), message, shape) for m in methods):
        findings.insert(0, Finding("signature-invalid", "der-value"))
    raise TrustError("signature-invalid", *findings)


def _as_due(method: str, value: bytes, shape: SignatureProfile) -> bytes:
    return _raw(method, value) if shape.value is ValueForm.DER else value


def _raw(method: str, value: bytes) -> bytes:
    """Return r || s of a DER value; nothing when it is none."""
    try:
        return raw_of(value, ALGORITHMS[method].size) if ALGORITHMS[method].size else value
    except ValueError:
        return b""


def _verifies(
    method: str, key: TrustedKey, value: bytes, message: bytes, shape: SignatureProfile
) -> bool:
    try:
        ALGORITHMS[method].verify(key.public_key, value, message, shape.user_id)
    except (InvalidSignature, ValueError):
        return False
    return True
