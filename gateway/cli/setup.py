"""`gateway init`: a settings file with comments, and keys for it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli import keys as key_files
from gateway.cli import talk

if TYPE_CHECKING:
    from gateway.signing.issue import Issued

_LEAVES = (
    # file, purpose, authority (None: self-signed, to be pinned)
    ("message", "message", None),
    ("receipt", "receipt", None),
    ("statement", "statement", None),
    ("head", "head", None),
    ("pack", "pack", None),
    ("link-server", "tls-server", "link-authority"),
    ("link-client", "tls-client", "link-authority"),
    ("agencies-server", "tls-server", "agencies-authority"),
    ("agencies-client", "tls-client", "agencies-authority"),
    ("customs", "tls-client", "agencies-authority"),
    ("operator", "tls-client", "agencies-authority"),
)
_AUTHORITIES = ("link-authority", "agencies-authority")
_DAYS = 730
_LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class _Owner:
    side: str
    name: str
    profile: str


def init(
    side: Annotated[str, typer.Option(help="vn or cn.")],
    folder: Annotated[Path, typer.Option(help="Where the files go.", file_okay=False)] = Path(),
    name: Annotated[str, typer.Option(help="Our party id on the link.")] = "",
    peer: Annotated[str, typer.Option(help="The other side's party id.")] = "",
    profile: Annotated[str, typer.Option(help="production or demo.")] = "production",
    host: Annotated[list[str], typer.Option(help="More names or addresses of our servers.")] = [],  # noqa: B006  typer copies it
    password_file: Annotated[
        Path | None, typer.Option(help="Encrypts all keys; its first line is the password.")
    ] = None,
    as_json: talk.Json = False,
) -> None:
    """Write gateway.toml with comments, and keys. It asks nothing and overwrites nothing."""
    if side not in ("vn", "cn") or profile not in ("production", "demo"):
        raise typer.BadParameter("--side is vn or cn, --profile is production or demo")
    file, keys = folder / "gateway.toml", folder / "keys"
    for taken in (file, keys):
        if taken.exists():
            raise typer.BadParameter(f"{taken} is there already; nothing was changed")
    with talk.failures(as_json):
        from gateway.bootstrap.outside import randomness, secret
        from gateway.cli.evidence import write_wrapping_key
        from gateway.settings.template import Draft, render
        from gateway.signing.wrapping import KEY_SIZE

        other = "cn" if side == "vn" else "vn"
        owner = _Owner(side, name or f"gateway-{side}", profile)
        _make_keys(owner, keys, [*_LOCAL, *host], secret(password_file))
        write_wrapping_key(keys / "at-rest-1.key", randomness(KEY_SIZE))
        stated = str(password_file.absolute()) if password_file else ""
        text = render(
            Draft(side, owner.name, peer or f"gateway-{other}", profile, password_file=stated)
        )
        talk.write_new(file, text.encode("utf-8"))
    if as_json:
        talk.give_json({"settings": str(file), "keys": str(keys)})
        return
    talk.say(f"{file} and keys in {keys}/ are written. What to do next:")
    talk.say(f"  gateway db upgrade -c {file}   # not needed for SQLite")
    talk.say(f"  gateway doctor -c {file}")
    talk.say(f"  gateway serve -c {file}")
    talk.say("To speak with the other side, follow the three steps in the file.")


def _make_keys(owner: _Owner, folder: Path, hosts: list[str], password: bytes | None) -> None:
    """Make authorities, then the leaves that they issue. The authorities' keys are kept:
    `gateway keys gen --issuer ...` makes certificates for more agencies."""
    from gateway.bootstrap.outside import clock
    from gateway.signing import issue
    from gateway.signing.trust import DEMO_UNIT

    unit = DEMO_UNIT if owner.profile == "demo" else ""
    now = clock()

    def subject(what: str) -> issue.Subject:
        return issue.Subject(owner.side.upper(), owner.name, unit, f"{owner.name} {what}")

    issuers: dict[str, Issued] = {}
    for what in _AUTHORITIES:
        issuers[what] = issue.authority(subject(what), now, _DAYS)
        key_files.write(issuers[what], folder / what, password)
    for what, purpose, authority in _LEAVES:
        made = issue.leaf(
            subject(what),
            issue.Purpose(purpose),
            now,
            _DAYS,
            issuer=issuers[authority] if authority else None,
            hosts=hosts if purpose == "tls-server" else (),
        )
        key_files.write(made, folder / what, password)
