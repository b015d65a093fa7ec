"""`gateway keys gen` and `csr`: new keys, in files or in the token of [hsm]."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import talk

if TYPE_CHECKING:
    from gateway.signing.issue import Issued

keys = typer.Typer(help="Keys and certificates.", no_args_is_help=True)

PURPOSES = ("message", "receipt", "statement", "head", "pack", "tls-server", "tls-client")


@keys.callback()
def _group() -> None:
    """Keys and certificates."""


Purpose = Annotated[str, typer.Option(help=", ".join(PURPOSES))]
Name = Annotated[str, typer.Option(help="Common name, and the name of the files.")]
Country = Annotated[str, typer.Option(help="Two letters.")]
Organisation = Annotated[str, typer.Option(help="Whose key it is.")]
Folder = Annotated[Path, typer.Option(help="Where the files go.")]
Hosts = Annotated[list[str], typer.Option("--host", help="Names and addresses of a tls-server.")]
Kind = Annotated[str, typer.Option("--kind", "--algorithm", help="ec-p256, rsa-3072 or sm2.")]
PasswordFile = Annotated[Path | None, typer.Option(help="Encrypts the key.")]
Label = Annotated[
    str | None, typer.Option(help="Make the key in the token of [hsm], under this label.")
]


@keys.command("gen")
def generate(
    purpose: Purpose,
    name: Name,
    country: Country,
    organisation: Organisation,
    folder: Folder = Path("keys"),
    host: Hosts = [],  # noqa: B006  typer copies it
    issuer: Annotated[
        Path | None, typer.Option(help="Certificate of an authority; self-signed without.")
    ] = None,
    issuer_key: Annotated[Path | None, typer.Option(help="Key of that authority.")] = None,
    kind: Kind = "ec-p256",
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days of validity.")] = 730,
    password_file: PasswordFile = None,
    label: Label = None,
    config: talk.Config = talk.DEFAULT_CONFIG,
    as_json: talk.Json = False,
) -> None:
    """Make a key and its certificate for one purpose; nothing is overwritten."""
    with talk.failures(as_json):
        from gateway.bootstrap.outside import clock, secret
        from gateway.signing import issue

        _check(purpose, kind, label)
        password = secret(password_file)
        key = _in_token(config, label, kind) if label else None
        made = issue.leaf(
            issue.Subject(country, organisation, "", name),
            issue.Purpose(purpose),
            clock(),
            days,
            issuer=authority(issuer, issuer_key, password),
            kind=issue.KeyKind(kind),
            hosts=host,
            key=key,
        )
        files = write(made, folder / name, password, in_file=label is None)
    if as_json:
        talk.give_json({"key": files[0] and str(files[0]), "certificate": str(files[1])})
    else:
        talk.say("\n".join(str(file) for file in files if file))


@keys.command("csr")
def request(
    purpose: Purpose,
    name: Name,
    country: Country,
    organisation: Organisation,
    folder: Folder = Path("keys"),
    host: Hosts = [],  # noqa: B006  typer copies it
    kind: Kind = "ec-p256",
    key: Annotated[Path | None, typer.Option(help="Ask for this key; a new one without.")] = None,
    password_file: PasswordFile = None,
    label: Label = None,
    config: talk.Config = talk.DEFAULT_CONFIG,
    as_json: talk.Json = False,
) -> None:
    """Ask an authority for a certificate (PKCS#10), for a new key, a file's or a token's."""
    with talk.failures(as_json):
        from cryptography.hazmat.primitives.serialization import Encoding

        from gateway.bootstrap.outside import secret
        from gateway.signing import issue

        _check(purpose, kind, label)
        private = _key_for(config, label, kind, key, secret(password_file))
        subject = issue.Subject(country, organisation, "", name)
        made = issue.request(subject, issue.Purpose(purpose), private, host)
        folder.mkdir(parents=True, exist_ok=True)
        written = None
        if key is None and label is None:
            written = _write_key(private, folder / f"{name}.key.pem", secret(password_file))
        file = folder / f"{name}.csr.pem"
        talk.write_new(file, made.public_bytes(Encoding.PEM))
    if as_json:
        talk.give_json({"request": str(file), "key": written and str(written)})
    else:
        talk.say(f"{file}: put the certificate that comes back beside it as {name}.cert.pem")


def _check(purpose: str, kind: str, label: str | None) -> None:
    from gateway.signing import issue

    if purpose not in PURPOSES or kind not in list(issue.KeyKind):
        raise typer.BadParameter("unknown --purpose or --kind")
    if purpose.startswith("tls-") and (kind == issue.KeyKind.SM2 or label):
        raise typer.BadParameter("TLS takes keys of files here, ec-p256 or rsa-3072")


def _in_token(config: Path, label: str, kind: str) -> Any:
    from gateway.bootstrap.rotation import token_key
    from gateway.signing.issue import KeyKind

    return token_key(talk.settings(config).settings, label, KeyKind(kind))


def _key_for(
    config: Path, label: str | None, kind: str, file: Path | None, password: bytes | None
) -> Any:
    from gateway.signing.issue import KeyKind, new_key
    from gateway.signing.keys import load_key

    if label is not None:
        return _in_token(config, label, kind)
    if file is None:
        return new_key(KeyKind(kind))
    try:
        return load_key(talk.read(file), password)
    except (ValueError, TypeError):
        raise typer.BadParameter(f"{file}: no key, or the wrong password") from None


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


def write(
    made: "Issued", path: Path, password: bytes | None, *, in_file: bool = True
) -> tuple[Path | None, Path]:
    """Write NAME.key.pem (only its owner reads it) and NAME.cert.pem; never over another.
    in_file: False for a key that stays in its token."""
    path.parent.mkdir(parents=True, exist_ok=True)
    certificate = path.with_name(f"{path.name}.cert.pem")
    key = None
    if in_file:
        key = _write_key(made.key, path.with_name(f"{path.name}.key.pem"), password)
    talk.write_new(certificate, made.pem)
    return key, certificate


def _write_key(key: Any, file: Path, password: bytes | None) -> Path:
    from gateway.signing.keys import write_key

    try:
        write_key(key, file, password)
    except FileExistsError:
        raise typer.BadParameter(f"{file} is there already") from None
    return file
