"""`gateway sign` and `verify`: signatures, without a server."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import forms, talk

if TYPE_CHECKING:
    from gateway.signing.keys import Signer
    from gateway.signing.profiles import SignatureProfile
    from gateway.signing.trust import PinnedKey, TrustPolicy

File = Annotated[Path, typer.Argument(help="A document; - is stdin.")]
Profile = Annotated[
    str, typer.Option("--profile", help="A signature profile, such as link-ecdsa-p256 or demo.")
]
Legacy = Annotated[bool, typer.Option("--legacy", help="The legacy switch: SHA-1 where it is due.")]
Config = Annotated[Path | None, typer.Option("--config", "-c", help="Take keys from there.")]


def sign(
    file: File,
    profile: Profile = "link-ecdsa-p256",
    key: Annotated[Path | None, typer.Option(help="Private key, PKCS#8 PEM.")] = None,
    cert: Annotated[Path | None, typer.Option(help="Its certificate, PEM.")] = None,
    password_file: Annotated[Path | None, typer.Option(help="Opens the keys.")] = None,
    second_key: Annotated[Path | None, typer.Option(help="For a second signature.")] = None,
    second_cert: Annotated[Path | None, typer.Option(help="Its certificate, PEM.")] = None,
    legacy: Legacy = False,
    config: Config = None,
    tsa: forms.Tsa = None,
    tsa_anchor: forms.Anchors = [],  # noqa: B006  typer copies it
    as_json: talk.Json = False,
) -> None:
    """Sign a document in the form of a profile: an enveloped signature of the link, XAdES
    (vn-2025), S/MIME (vnaccs-smime) and others; the signed octets on stdout.

    With --config and no --key it signs with our message key.
    """
    with talk.failures(as_json):
        from gateway.safexml import c14n, parse
        from gateway.signing.profiles import LINK_PROFILES
        from gateway.signing.profiles import profile as profile_of
        from gateway.signing.sign import PairedSigner, sign_document

        shape = profile_of(profile, legacy)
        signer = _signer(config, key, cert, password_file, shape)
        if second_key and shape.second:
            second = _signer(None, second_key, second_cert, password_file, shape.second)
            signer = PairedSigner(signer, second)
        content = talk.read(file)
        if profile in LINK_PROFILES:
            signed = sign_document(c14n(parse(content)), signer, shape)
        else:
            with forms.authority_at(tsa, tsa_anchor) as authority:
                signed = forms.sign_form(content, signer, shape, authority)
    if as_json:
        talk.give_json({"key": signer.key_id, "content": signed.decode("utf-8")})
    else:
        talk.give(signed)


def _signer(
    config: Path | None,
    key: Path | None,
    cert: Path | None,
    password_file: Path | None,
    shape: "SignatureProfile",
) -> "Signer":
    from gateway.bootstrap import signers
    from gateway.bootstrap.outside import secret
    from gateway.signing.keys import load_signer

    if config is not None and key is None:
        settings = talk.settings(config).settings
        return signers.signer(settings, settings.keys.message, shape)
    if key is None or cert is None:
        raise typer.BadParameter("give --key and --cert, or --config")
    method = signers.method_for(cert, shape)
    return load_signer(key, cert, secret(password_file), method, shape.user_id)


def verify(
    file: File,
    profile: Profile,
    cert: Annotated[
        list[Path], typer.Option("--cert", help="A certificate that is trusted, PEM.")
    ] = [],  # noqa: B006  typer copies it
    legacy: Legacy = False,
    config: Config = None,
    usage: Annotated[
        str, typer.Option(help="message, receipt, statement, head, pack.")
    ] = "message",
    at: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%dT%H:%M:%SZ"], help="Judge as of this instant (UTC)."),
    ] = None,
    tsa_anchor: forms.Anchors = [],  # noqa: B006  typer copies it
    output: forms.Output = None,
    as_json: talk.Json = False,
) -> None:
    """Verify a signed document (XML, S/MIME, or a DSSE statement): what was verified, or why not.

    Only the certificates given, those pinned in the settings, and those that their authorities
    vouch for are trusted; one that a document brings along is not. Nobody is asked whether a
    certificate was revoked: the gateway does that when a message comes.
    """
    with talk.failures(as_json):
        from datetime import UTC

        from gateway.bootstrap.outside import clock

        when = at.replace(tzinfo=UTC) if at else clock()
        from gateway.signing.profiles import LINK_PROFILES

        policy = _policy(profile, legacy, cert, config, usage)
        if profile in LINK_PROFILES:
            found = _verified(talk.read(file), policy, when)
        else:
            anchors = forms.certificates([*tsa_anchor, *_anchors(config)])
            found = forms.verify_form(talk.read(file), policy, when, anchors, output)
    if as_json:
        talk.give_json(found)
        return
    for name, value in found.items():
        typer.echo(f"{name}: {value}")


def _anchors(config: Path | None) -> tuple[Path, ...]:
    return talk.settings(config).settings.timestamps.anchors if config else ()


def _policy(
    profile: str, legacy: bool, certs: list[Path], config: Path | None, usage: str
) -> "TrustPolicy":
    from gateway.bootstrap.parts import certificate, counterpart
    from gateway.signing.profiles import profile as profile_of
    from gateway.signing.revocation import PIN_ONLY
    from gateway.signing.trust import PinnedKey, TrustPolicy, Usage

    if usage not in list(Usage):
        raise typer.BadParameter(f"--usage must be one of: {', '.join(Usage)}")
    wanted, shape = Usage(usage), profile_of(profile, legacy)
    one = " + ".join(file.name for file in certs) if shape.second else ""
    pinned = [PinnedKey(certificate(file), one or file.name, wanted) for file in certs]
    anchors, rule = None, PIN_ONLY
    if config is not None:
        for name, section in talk.settings(config).settings.counterpart.items():
            known = counterpart(name, section).messages
            pinned += known.pinned.values()
            anchors, rule = known.anchors, known.revocation
        pinned += _agency_pins(config, shape)
    return TrustPolicy.of(shape, wanted, pinned, anchors, rule)


def _agency_pins(config: Path, shape: "SignatureProfile") -> list["PinnedKey"]:
    """Return who signs for our agencies in this form."""
    from gateway.bootstrap.parts import signed_form

    sections = talk.settings(config).settings.agency
    return [
        pin
        for name, section in sections.items()
        for stated in section.signed
        if stated.signature == shape.name
        for pin in signed_form(name, stated, demo=shape.demo).policy.pinned.values()
    ]


def _verified(content: bytes, policy: "TrustPolicy", when: datetime) -> dict[str, Any]:
    if content.lstrip()[:1] == b"{":
        from gateway.signing.dsse import verify_statement

        kind, payload = verify_statement(content, policy, when)
        return {"verified": True, "payload-type": kind, "bytes": len(payload)}
    from gateway.codec.exchange import kind_of
    from gateway.safexml import parse
    from gateway.signing.verify import verify_document

    done = verify_document(parse(content), policy, when)
    return {
        "verified": True,
        "document": kind_of(done.element) or done.element.tag,
        "party": done.party,
        "key": done.fingerprint,
        "algorithm": done.algorithm,
        "digest": done.digest,
        "revocation": "not asked",
    }
