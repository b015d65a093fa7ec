"""`gateway keys`: our keys, and those we believe."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import talk

if TYPE_CHECKING:
    from gateway.settings import Settings
    from gateway.signing.issue import Issued

keys = typer.Typer(help="Keys and certificates.", no_args_is_help=True)

PURPOSES = ("message", "receipt", "statement", "head", "pack", "tls-server", "tls-client")


@keys.callback()
def _group() -> None:
    """Keys and certificates."""


@keys.command("list")
def list_keys(config: talk.Config = talk.DEFAULT_CONFIG, as_json: talk.Json = False) -> None:
    """List the certificates of the settings: fingerprint and days left.

    Compare fingerprints with the other side by another way than the files came.
    """
    with talk.failures(as_json):
        found = described(talk.settings(config).settings)
    if as_json:
        talk.give_json(found)
        return
    rows = [
        (each["used-as"], _halves(each["fingerprint"]), each["until"][:10], str(each["days-left"]))
        for each in found
    ]
    talk.table(("used as", "SHA-256 fingerprint", "until", "days"), rows)


def _halves(fingerprint: str) -> str:
    return f"{fingerprint[:32]}\n{fingerprint[32:]}"


def certificates(settings: "Settings") -> list[tuple[str, Path]]:
    """Return (what it is used as, file) of every certificate of the settings, but anchors."""
    found = []
    for purpose, key in settings.keys.named().items():
        found.append((f"keys.{purpose}", key.certificate))
        if key.next:
            found.append((f"keys.{purpose}.next", key.next.certificate))
    for name in ("counterpart", "agencies", "operations"):
        listener = getattr(settings.listen, name)
        if listener is not None and listener.certificate is not None:
            found.append((f"listen.{name}", listener.certificate))
    for name, section in settings.counterpart.items():
        if section.certificate:
            found.append((f"counterpart.{name}", section.certificate))
        found += [(f"counterpart.{name} {pin.usage}", pin.certificate) for pin in section.pinned]
        found += [(f"counterpart.{name} client", file) for file in section.client_certificates]
    for name, agency in settings.agency.items():
        found += [(f"agency.{name}", file) for file in agency.certificates]
    return found


def described(settings: "Settings") -> list[dict[str, Any]]:
    """Describe every certificate: its fingerprint and validity; never the whole of it, which
    may hold a person's identity number."""
    from cryptography import x509

    from gateway.bootstrap.outside import clock
    from gateway.bootstrap.parts import certificate
    from gateway.signing.keys import fingerprint

    rows = []
    for used_as, file in sorted(certificates(settings)):
        der = certificate(file)
        read = x509.load_der_x509_certificate(der)
        rows.append(
            {
                "used-as": used_as,
                "fingerprint": fingerprint(der),
                "from": read.not_valid_before_utc.isoformat(),
                "until": read.not_valid_after_utc.isoformat(),
                "days-left": (read.not_valid_after_utc - clock()).days,
                "file": str(file),
            }
        )
    return rows


@keys.command("gen")
def generate(
    purpose: Annotated[str, typer.Option(help=", ".join(PURPOSES))],
    name: Annotated[str, typer.Option(help="Common name, and the name of the files.")],
    country: Annotated[str, typer.Option(help="Two letters.")],
    organisation: Annotated[str, typer.Option(help="Whose key it is.")],
    folder: Annotated[Path, typer.Option(help="Where the files go.")] = Path("keys"),
    host: Annotated[list[str], typer.Option(help="Names and addresses of a tls-server.")] = [],  # noqa: B006  typer copies it
    issuer: Annotated[
        Path | None, typer.Option(help="Certificate of an authority; self-signed without.")
    ] = None,
    issuer_key: Annotated[Path | None, typer.Option(help="Key of that authority.")] = None,
    kind: Annotated[
        str, typer.Option("--kind", "--algorithm", help="ec-p256, rsa-3072 or sm2.")
    ] = "ec-p256",
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days of validity.")] = 730,
    password_file: Annotated[Path | None, typer.Option(help="Encrypts the key.")] = None,
    as_json: talk.Json = False,
) -> None:
    """Make a key and its certificate for one purpose; nothing is overwritten."""
    with talk.failures(as_json):
        from gateway.bootstrap.outside import clock, secret
        from gateway.signing import issue

        if purpose not in PURPOSES or kind not in list(issue.KeyKind):
            raise typer.BadParameter("unknown --purpose or --kind")
        if kind == issue.KeyKind.SM2 and purpose.startswith("tls-"):
            raise typer.BadParameter("TLS takes no SM2 keys here: ec-p256 or rsa-3072")
        password = secret(password_file)
        made = issue.leaf(
            issue.Subject(country, organisation, "", name),
            issue.Purpose(purpose),
            clock(),
            days,
            issuer=authority(issuer, issuer_key, password),
            kind=issue.KeyKind(kind),
            hosts=host,
        )
        files = write(made, folder / name, password)
    if as_json:
        talk.give_json({"key": str(files[0]), "certificate": str(files[1])})
    else:
        talk.say(f"{files[0]}\n{files[1]}")


def authority(
    certificate: Path | None, key: Path | None, password: bytes | None
) -> "Issued | None":
    """Load an authority that issues, or return None for none."""
    from cryptography import x509

    from gateway.signing.issue import Issued
    from gateway.signing.keys import load_key

    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise typer.BadParameter("--issuer and --issuer-key go together")
    try:
        private = load_key(talk.read(key), password)
        return Issued(private, x509.load_pem_x509_certificate(talk.read(certificate)))
    except (ValueError, TypeError):
        raise typer.BadParameter(f"{key}, {certificate}: no key, or the wrong password") from None


def write(made: "Issued", path: Path, password: bytes | None) -> tuple[Path, Path]:
    """Write NAME.key.pem (only its owner reads it) and NAME.cert.pem; never over another."""
    from gateway.signing.keys import write_key

    path.parent.mkdir(parents=True, exist_ok=True)
    key = path.with_name(f"{path.name}.key.pem")
    certificate = path.with_name(f"{path.name}.cert.pem")
    try:
        write_key(made.key, key, password)
    except FileExistsError:
        raise typer.BadParameter(f"{key} is there already") from None
    talk.write_new(certificate, made.pem)
    return key, certificate
