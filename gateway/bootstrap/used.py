"""Every certificate that the settings name, and whether it is one of the demo."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from gateway import resources
from gateway.bootstrap.parts import certificate
from gateway.errors import Finding, TrustError, UnavailableError
from gateway.evidence.pack import Pack
from gateway.settings import Settings
from gateway.signing.trust import is_demo


@dataclass(frozen=True, slots=True)
class Used:
    """A certificate's file and what it is used as. source: where its private key is: `file`,
    `hsm:LABEL`, or empty for a certificate of somebody else."""

    used_as: str
    file: Path
    source: str = ""


def certificates(settings: Settings) -> list[Used]:
    """Return every certificate of the settings, but anchors."""
    return [*_ours(settings), *_listeners(settings), *_counterparts(settings), *_agencies(settings)]


def _ours(settings: Settings) -> Iterator[Used]:
    for name, key in settings.keys.all_of_them().items():
        yield Used(name, key.certificate, key.place if key.in_token else "file")


def _listeners(settings: Settings) -> Iterator[Used]:
    for name in ("counterpart", "agencies", "operations"):
        listener = getattr(settings.listen, name)
        if listener is not None and listener.certificate is not None:
            yield Used(f"listen.{name}", listener.certificate, "file")


def _counterparts(settings: Settings) -> Iterator[Used]:
    for name, section in settings.counterpart.items():
        if section.certificate:
            yield Used(f"counterpart.{name}", section.certificate, "file")
        for pin in section.pinned:
            yield Used(f"counterpart.{name} {pin.usage}", pin.certificate)
        for file in section.client_certificates:
            yield Used(f"counterpart.{name} client", file)


def _agencies(settings: Settings) -> Iterator[Used]:
    for name, agency in settings.agency.items():
        for file in agency.certificates:
            yield Used(f"agency.{name}", file)
        for form in agency.signed:
            for pinned in form.pinned:
                yield Used(f"agency.{name} {form.signature}", pinned.certificate)
        if agency.deliver and agency.deliver.to and agency.deliver.to.certificate:
            yield Used(f"agency.{name} delivery", agency.deliver.to.certificate, "file")


def ends(settings: Settings, pack: Pack | None) -> dict[str, datetime]:
    """Return when each certificate ends, and the pack in force; a file that cannot be read is
    left out."""
    found = {} if pack is None else {"pack": pack.valid_to}
    for each in certificates(settings):
        with suppress(UnavailableError):
            end = x509.load_der_x509_certificate(certificate(each.file)).not_valid_after_utc
            found[each.used_as] = min(end, found.get(each.used_as, end))
    return found


def is_of_the_demo(file: Path, der: bytes) -> bool:
    """Return whether a certificate was made for the demo, or lies among its keys."""
    if file.is_relative_to(resources.folder("keys_example").absolute()):
        return True
    return is_demo(x509.load_der_x509_certificate(der))


def refuse_demo_keys(settings: Settings) -> None:
    """Return when no key of the demo is used outside the demo: ours, TLS, or of others.

    TrustError `signer-untrusted`, rule `demo-key`, for each of them.
    """
    if settings.gateway.profile == "demo":
        return
    found = [
        Finding("signer-untrusted", "demo-key", each.used_as, str(each.file))
        for each in certificates(settings)
        if is_of_the_demo(each.file, certificate(each.file))
    ]
    if found:
        raise TrustError("signer-untrusted", *found)
