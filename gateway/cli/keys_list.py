"""`gateway keys list`: every certificate of the settings, ours and those we believe."""

from typing import TYPE_CHECKING, Any

from gateway.cli import talk

if TYPE_CHECKING:
    from gateway.bootstrap.used import Used
    from gateway.settings import Settings


def list_keys(config: talk.Config = talk.DEFAULT_CONFIG, as_json: talk.Json = False) -> None:
    """List the certificates of the settings: fingerprint, days left, where the key is.

    Compare fingerprints with the other side by another way than the files came.
    """
    with talk.failures(as_json):
        found = described(talk.settings(config).settings)
    if as_json:
        talk.give_json(found)
        return
    rows = [(_what(each), _halves(each["fingerprint"]), _until(each)) for each in found]
    talk.table(("used as", "SHA-256 fingerprint", "until"), rows)


def _what(each: dict[str, Any]) -> str:
    place = f", {each['source']}" if each["source"] else ""
    demo = ", DEMO" if each["demo"] else ""
    return f"{each['used-as']}\n  {each['algorithm']}{place}{demo}"


def _until(each: dict[str, Any]) -> str:
    return f"{each['until'][:10]}\n{each['days-left']} days"


def _halves(fingerprint: str) -> str:
    return f"{fingerprint[:32]}\n{fingerprint[32:]}"


def described(settings: "Settings") -> list[dict[str, Any]]:
    """Describe every certificate: its fingerprint and validity; never the whole of it, which
    may hold a person's identity number."""
    from gateway.bootstrap.used import certificates

    return [_described(each) for each in sorted(certificates(settings), key=lambda u: u.used_as)]


def _described(each: "Used") -> dict[str, Any]:
    from cryptography import x509

    from gateway.bootstrap.outside import clock
    from gateway.bootstrap.parts import certificate
    from gateway.bootstrap.used import is_of_the_demo
    from gateway.signing.keys import fingerprint

    der = certificate(each.file)
    read = x509.load_der_x509_certificate(der)
    return {
        "used-as": each.used_as,
        "algorithm": _algorithm(der),
        "fingerprint": fingerprint(der),
        "from": read.not_valid_before_utc.isoformat(),
        "until": read.not_valid_after_utc.isoformat(),
        "days-left": (read.not_valid_after_utc - clock()).days,
        "source": each.source,
        "demo": is_of_the_demo(each.file, der),
        "file": str(each.file),
    }


def _algorithm(der: bytes) -> str:
    from gateway.signing.certificates import public_key
    from gateway.signing.sm2 import Sm2PublicKey

    try:
        key = public_key(der)
    except ValueError:
        return "unknown"
    if isinstance(key, Sm2PublicKey):
        return "SM2"
    curve = getattr(key, "curve", None)
    return curve.name if curve is not None else f"RSA {getattr(key, 'key_size', '')}".strip()
