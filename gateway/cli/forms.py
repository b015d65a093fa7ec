"""`gateway sign` and `verify` of the forms that are not those of the link: S/MIME, XAdES,
enveloping, bare and detached."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from gateway.signing.keys import Signer
    from gateway.signing.profiles import SignatureProfile
    from gateway.signing.timestamp import TimestampAuthority
    from gateway.signing.trust import TrustPolicy

Anchors = Annotated[
    list[Path],
    typer.Option("--tsa-anchor", help="Issues to a time-stamping authority that is believed, PEM."),
]
Tsa = Annotated[
    str | None, typer.Option("--tsa", help="Ask this time-stamping authority (URL): XAdES-T.")
]
Output = Annotated[Path | None, typer.Option("--output", help="Write what was signed there.")]


def sign_form(
    content: bytes,
    signer: "Signer",
    shape: "SignatureProfile",
    authority: "TimestampAuthority | None",
) -> bytes:
    """Return a document signed in the form of a profile, now."""
    from gateway.bootstrap.outside import clock, randomness
    from gateway.safexml import c14n, parse
    from gateway.signing.bare import sign_bare
    from gateway.signing.detached import sign_detached_value
    from gateway.signing.enveloping import sign_enveloping
    from gateway.signing.profiles import Shape
    from gateway.signing.smime import sign_smime
    from gateway.signing.xades import sign_xades

    name, at = randomness(16).hex(), clock()
    match shape.shape:
        case Shape.SMIME:
            return sign_smime(_canonical(content), signer, at, f"=_{name}")
        case Shape.XADES:
            return sign_xades(parse(content), signer, at, name, authority=authority)
        case Shape.ENVELOPING:
            return sign_enveloping(c14n(parse(content)), signer, shape, f"o{name}")
        case Shape.BARE:
            return sign_bare(parse(content), signer, shape, at)
        case _:
            header = parse(b"<Header></Header>")
            return sign_detached_value(content, header, signer, shape)


def _canonical(content: bytes) -> bytes:
    """Return a text whose lines end with CRLF; wrong use for what is no UTF-8 text."""
    text = content.replace(b"\r\n", b"\n")
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        raise typer.BadParameter("UTF-8 text is expected") from None
    if b"\r" in text:
        raise typer.BadParameter("lines end with CR alone")
    return text.replace(b"\n", b"\r\n")


@contextmanager
def authority_at(url: str | None, anchors: Sequence[Path]) -> Iterator["TimestampAuthority | None"]:
    """Give the time-stamping authority at a URL; only tokens below the anchors count."""
    if url is None:
        yield None
        return
    if not anchors:
        raise typer.BadParameter("--tsa needs --tsa-anchor")
    from gateway.bootstrap.outside import clock, randomness
    from gateway.transport.link import Endpoint, HttpLink
    from gateway.transport.timestamps import HttpTimestamps

    with HttpLink([Endpoint("timestamps", url)], clock) as link:
        yield HttpTimestamps(link, ["timestamps"], certificates(anchors), randomness, clock)


def certificates(files: Sequence[Path]) -> tuple[bytes, ...]:
    """Return the DER of PEM files."""
    from gateway.bootstrap.parts import certificate

    return tuple(certificate(file) for file in files)


def verify_form(
    content: bytes,
    policy: "TrustPolicy",
    when: datetime,
    anchors: Sequence[bytes],
    output: Path | None,
) -> dict[str, Any]:
    """Verify a document in the form of the policy's profile; say what was verified."""
    from gateway.signing.forms import open_signed

    done = open_signed(content, policy, when, anchors)
    if output is not None:
        output.write_bytes(done.content)
    return {
        "verified": True,
        "profile": policy.profile.name,
        "party": done.party,
        "key": done.fingerprint,
        "algorithm": done.algorithm,
        "signed-at": done.signed_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "signing-time": done.proof.value,
        "digest": done.digest,
        "bytes": len(done.content),
    }
