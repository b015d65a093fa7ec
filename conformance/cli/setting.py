"""`conformance init`, `doctor`, `serve`: a target file, its check, and a twin to talk to."""

import asyncio
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from conformance.cli import app as base
from conformance.engine import target as targets
from conformance.engine.session import Session
from conformance.engine.target import Target
from conformance.resources import folder
from conformance.wire.http import exchange, request

SOON = 30
"""Days before its end at which a certificate is worth a warning."""

Line = tuple[str, str, str]
"""OK, WARN or FAIL; what was looked at; what to do."""


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(init)
    app.command()(doctor)
    app.command()(serve)


def init(
    target: Annotated[Path, typer.Option(help="the file to write")] = Path("target.toml"),
) -> None:
    """Write a target file with comments. It never overwrites."""
    if target.exists():
        base.talk.print(f"{target} is there already", markup=False)
        raise typer.Exit(base.USAGE)
    text = (folder("spec") / "target.example.toml").read_text(encoding="utf-8")
    target.write_text(text, encoding="utf-8")
    base.out.print(f"{target}: fill it in, then `conformance doctor --target {target}`",
                   markup=False)  # fmt: skip


def doctor(
    target: Annotated[Path, typer.Option(help="the target file")] = Path("target.toml"),
) -> None:
    """Check the target file, its keys and the way to the target; exit 1 when a line FAILs."""
    try:
        described = targets.load(target)
    except targets.TargetError as fault:
        base.talk.print(str(fault), markup=False)
        raise typer.Exit(base.USAGE) from fault
    lines = [*_keys(described, target.parent), *asyncio.run(_way(described, target.parent))]
    for state, what, remedy in lines:
        style = {"OK": "green", "WARN": "yellow"}.get(state, "red")
        base.out.print(f"{state:5} {what}", style=style, markup=False)
        if remedy:
            base.out.print(f"      {remedy}", style="dim", markup=False)
    raise typer.Exit(base.NOT if any(state == "FAIL" for state, _, _ in lines) else base.CONFORMANT)


def _keys(target: Target, home: Path) -> Iterator[Line]:
    """Each pair can be read, belongs together and is in its dates."""
    session_keys = dict(target.keys)
    for name, pair in session_keys.items():
        try:
            key = targets.read_pair(pair, home)
        except (OSError, ValueError) as fault:
            yield "FAIL", f"keys.{name}", str(fault)
            continue
        form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        certificate = x509.load_der_x509_certificate(key.certificate)
        own = key.private.public_key().public_bytes(*form)
        if own != certificate.public_key().public_bytes(*form):
            yield "FAIL", f"keys.{name}", "the certificate is not of this key"
            continue
        yield _dates(name, certificate)


def _dates(name: str, certificate: x509.Certificate) -> Line:
    left = (certificate.not_valid_after_utc - datetime.now(UTC)).days
    if name in ("expired", "not-yet-valid"):
        return "OK", f"keys.{name}: outside of its dates, as it should be", ""
    if left < 0:
        return "FAIL", f"keys.{name}", "the certificate has expired"
    if left < SOON:
        return "WARN", f"keys.{name}: {left} days left", "renew it"
    return "OK", f"keys.{name}: {left} days left", ""


async def _way(target: Target, home: Path) -> list[Line]:
    """The target answers over TLS, wants our certificate, and its clock is ours."""
    try:
        session = Session(target, home, 1)
        place = session.place()
    except (OSError, ValueError, ssl.SSLError) as fault:
        return [("FAIL", "files of the target file", str(fault))]
    reply = await exchange(place, request(place, b"<probe/>"), target.limits.receipt)
    if reply.status == 0:
        remedy = "check address, anchors, and that the target knows our TLS certificate"
        return [("FAIL", f"{target.endpoint.url}: {reply.fault}", remedy)]
    lines: list[Line] = [("OK", f"{target.endpoint.url} answers HTTP {reply.status}", "")]
    if not target.endpoint.receipts:
        lines.append(("FAIL", "endpoint.receipts", "name the certificates that sign receipts"))
    stranger = await exchange(session.place("none"), request(place, b"<probe/>"), 5.0)
    if stranger.status == 200:
        lines.append(("WARN", "it answers without a client certificate", "see TRU-14"))
    return lines


def serve(
    home: Annotated[Path, typer.Option("--folder", help="keys and memory")] = Path("twin"),
    port: Annotated[int, typer.Option(help="0 takes a free one")] = 0,
    mutant: Annotated[list[str] | None, typer.Option(help="be wrong in this way")] = None,
) -> None:
    """Be a counterpart: the reference peer, right or wrong on demand, until interrupted. It
    writes keys for you and a target file into its folder."""
    from conformance.peer.mutants import Mutants
    from conformance.peer.stage import Keys, Stage

    async def stand() -> None:
        stage = await Stage(home, Keys.make(), Mutants(mutant or ())).open(port)
        (home / "target.toml").write_bytes(targets.written(stage.target()))
        base.out.print(f"https://127.0.0.1:{stage.port}/exchange/v1", markup=False)
        base.out.print(f"target file: {home / 'target.toml'}", markup=False)
        try:
            await asyncio.Event().wait()
        finally:
            await stage.close()

    try:
        asyncio.run(stand())
    except KeyboardInterrupt:
        base.talk.print("stopped", markup=False)
