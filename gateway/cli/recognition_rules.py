"""`gateway recognition diff-rulesets` and `sign-rules`: rule sets as files."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import talk
from gateway.cli.recognition_files import read_rules


def diff_rulesets(
    old: Annotated[Path, typer.Argument(help="Folder of a rule set.")],
    new: Annotated[Path, typer.Argument(help="Folder of another.")],
    as_json: talk.Json = False,
) -> None:
    """Show what differs, rule by rule and value by value. Exit 0: equal; 1: they differ."""
    from gateway.recognition.agree import diff_rules

    with talk.failures(as_json):
        left, right = (read_rules(each, [], allow_unsigned=True) for each in (old, new))
        changes = diff_rules(left, right)
    if as_json:
        rows = [{"path": c.path, "old": c.old, "new": c.new} for c in changes]
        talk.give_json({"old": left.digest, "new": right.digest, "changes": rows})
    else:
        talk.table(["place", "old", "new"], [[c.path, c.old, c.new] for c in changes])
    if changes:
        raise typer.Exit(talk.Exit.REFUSED)


def sign_rules(
    folder: Annotated[Path, typer.Argument(help="Folder of a rule set.")],
    key: Annotated[Path, typer.Option(help="Our key for statements, PKCS#8 PEM.")],
    cert: Annotated[Path, typer.Option(help="Its certificate, PEM.")],
    password_file: Annotated[Path | None, typer.Option(help="Opens the key.")] = None,
    onto: Annotated[
        Path | None, typer.Option(help="An envelope of the same rules that the other side signed.")
    ] = None,
    as_json: talk.Json = False,
) -> None:
    """Sign a rule set: the envelope on stdout, to be kept as ruleset.dsse.json in its folder.

    The second side signs --onto the envelope of the first: both signatures stand in one.
    """
    from gateway.bootstrap.outside import secret
    from gateway.recognition.load import cosign_rules, sign_rules
    from gateway.signing.keys import load_signer
    from gateway.signing.profiles import profile

    with talk.failures(as_json):
        rules = read_rules(folder, [], allow_unsigned=True)
        method = profile("link-ecdsa-p256").methods[0]
        signer = load_signer(key, cert, secret(password_file), method)
        signed = sign_rules(rules, [signer])
        if onto is not None:
            signed = cosign_rules(talk.read(onto), signed)
    talk.give(signed)
