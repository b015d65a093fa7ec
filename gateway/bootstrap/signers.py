"""Our keys become signers."""

from dataclasses import dataclass

from gateway.bootstrap.outside import secret
from gateway.errors import Finding, UnavailableError
from gateway.settings.keys import SigningKey
from gateway.settings.sections import Settings
from gateway.signing.keys import Signer, load_signer
from gateway.signing.profiles import profile


@dataclass(frozen=True, slots=True)
class Signers:
    """One signer a purpose. head, pack: None when no such key is configured."""

    message: Signer
    receipt: Signer
    statement: Signer
    head: Signer | None
    pack: Signer | None


def signers(settings: Settings) -> Signers:
    """Load our keys for the method that the counterpart's profile asks for.

    UnavailableError when a file cannot be read or used.
    """
    keys = settings.keys
    section = next(iter(settings.counterpart.values()), None)
    method = profile(section.signature).methods[0] if section else None
    return Signers(
        message=signer(settings, keys.message, method),
        receipt=signer(settings, keys.receipt, method),
        statement=signer(settings, keys.statement, method),
        head=signer(settings, keys.head, method) if keys.head else None,
        pack=signer(settings, keys.pack, method) if keys.pack else None,
    )


def signer(settings: Settings, key: SigningKey, method: str | None) -> Signer:
    """Load one of our keys. method: a SignatureMethod URI; None: the first that fits."""
    if key.key is None:
        finding = Finding("unavailable", "hsm", key.place, found=str(settings.hsm))
        raise UnavailableError("unavailable", finding)
    return load_signer(key.key, key.certificate, secret(key.password_file), method)
