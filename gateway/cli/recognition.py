"""`gateway recognition`: outcomes from files, without a server."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import recognition_rules, talk
from gateway.cli.recognition_files import read_evidence_folder, read_rules

if TYPE_CHECKING:
    from gateway.recognition.fold import Decision
    from gateway.recognition.situation import Situation

recognition = typer.Typer(
    help="Mutual recognition of inspection results, offline: statements, rules, an instant.",
    no_args_is_help=True,
)

recognition.command("diff-rulesets")(recognition_rules.diff_rulesets)
recognition.command("sign-rules")(recognition_rules.sign_rules)

Rules = Annotated[Path, typer.Option("--rules", help="Folder of a rule set.")]
Evidence = Annotated[Path, typer.Option("--evidence", help="Folder of statements, *.json.")]
At = Annotated[
    datetime,
    typer.Option(formats=["%Y-%m-%dT%H:%M:%SZ"], help="The instant of a shared event, UTC."),
]
Certs = Annotated[
    list[Path], typer.Option("--cert", help="A side's certificate, PEM; each must have signed.")
]
Unsigned = Annotated[
    bool, typer.Option("--allow-unsigned", help="Take a rule set that nobody signed: to try out.")
]
Lang = Annotated[str | None, typer.Option("--lang", help="vi, zh or en; default: GATEWAY_LANG.")]
Claim = Annotated[str | None, typer.Option("--claim", help="Only claims whose name contains this.")]


@recognition.command("decide")
def decide(
    rules: Rules,
    evidence: Evidence,
    at: At,
    cert: Certs = [],  # noqa: B006  typer copies it
    allow_unsigned: Unsigned = False,
    claim: Claim = None,
    lang: Lang = None,
    as_json: talk.Json = False,
) -> None:
    """Decide every claim. Exit 0: all recognised; 1: some are not."""
    decisions = _decisions(rules, evidence, at, cert, allow_unsigned, claim, as_json)
    if as_json:
        talk.give_json({"decisions": [_as_json(each) for each in decisions]})
    else:
        talk.table(*_table(decisions, _language(lang)))
    _leave(decisions)


@recognition.command("explain")
def explain(
    rules: Rules,
    evidence: Evidence,
    at: At,
    cert: Certs = [],  # noqa: B006
    allow_unsigned: Unsigned = False,
    claim: Claim = None,
    lang: Lang = None,
    as_json: talk.Json = False,
) -> None:
    """Say why each claim is worth what it is, what to do, and who can. Exit as `decide`."""
    from gateway.recognition.explain import explained

    decisions = _decisions(rules, evidence, at, cert, allow_unsigned, claim, as_json)
    words = [explained(each, _language(lang)) for each in decisions]
    if as_json:
        talk.give_json({"claims": [w.as_json() for w in words]})
    else:
        for each in words:
            typer.echo(each.as_text())
    _leave(decisions)


@recognition.command("replay")
def replay(
    rules: Rules,
    evidence: Evidence,
    cert: Certs = [],  # noqa: B006
    allow_unsigned: Unsigned = False,
    claim: Claim = None,
    lang: Lang = None,
    as_json: talk.Json = False,
) -> None:
    """Decide at the instant of every statement, in order, and show what changed.

    At each instant only what was stated by then counts.
    """
    from gateway.recognition.whatif import replayed

    with talk.failures(as_json):
        known = read_rules(rules, cert, allow_unsigned=allow_unsigned)
        steps = replayed(read_evidence_folder(evidence), known)
    steps = [step for step in steps if claim is None or claim in str(step.claim)]
    if as_json:
        talk.give_json({"steps": [_as_json(each) for each in steps]})
        return
    language = _language(lang)
    rows = [[each.at, str(each.claim), _outcome(each, language), _codes(each)] for each in steps]
    talk.table(["at", "claim", "outcome", "reasons"], rows)


@recognition.command("whatif")
def whatif(
    rules: Rules,
    evidence: Evidence,
    at: At,
    other_rules: Annotated[
        Path | None, typer.Option(help="Folder of the rules that would hold instead.")
    ] = None,
    more: Annotated[Path | None, typer.Option(help="Folder of statements that would come.")] = None,
    cert: Certs = [],  # noqa: B006
    allow_unsigned: Unsigned = False,
    lang: Lang = None,
    as_json: talk.Json = False,
) -> None:
    """Show which claims other rules, or more statements, would change."""
    from gateway.recognition.whatif import what_if

    if other_rules is None and more is None:
        raise typer.BadParameter("give --other-rules or --more")
    with talk.failures(as_json):
        known = read_rules(rules, cert, allow_unsigned=allow_unsigned)
        other = read_rules(other_rules, cert, allow_unsigned=True) if other_rules else None
        added = read_evidence_folder(more).pool.values() if more else ()
        situation = read_evidence_folder(evidence)
        effects = what_if(situation, known, _utc(at), other_rules=other, more=added)
    changed = [effect for effect in effects if effect.changed]
    if as_json:
        pairs = [
            {"claim": str(e.claim), "before": _as_json(e.before), "after": _as_json(e.after)}
            for e in changed
        ]
        talk.give_json({"claims": len(effects), "changed": pairs})
        return
    words = _language(lang)
    rows = [
        [str(e.claim), _outcome(e.before, words), _outcome(e.after, words), _codes(e.after)]
        for e in changed
    ]
    talk.table(["claim", "now", "then", "reasons then"], rows)
    talk.say(f"{len(changed)} of {len(effects)} claims would change")


@recognition.command("verify-receipt")
def verify_receipt(
    receipt: Annotated[Path, typer.Argument(help="A receipt: DSSE, or its payload.")],
    rules: Rules,
    evidence: Evidence,
    cert: Certs = [],  # noqa: B006
    allow_unsigned: Unsigned = False,
    lang: Lang = None,
    as_json: talk.Json = False,
) -> None:
    """Repeat the decision of a receipt from its evidence and rules. Exit 0: right bit for bit.

    A signed receipt needs the signer's certificate; without --cert its signature is not judged.
    """
    from gateway.cli.recognition_files import read_receipt_file
    from gateway.recognition import receipt as receipts
    from gateway.recognition.explain import explained

    with talk.failures(as_json):
        known = read_rules(rules, cert, allow_unsigned=allow_unsigned)
        stated, signed = read_receipt_file(receipt, cert)
        situation = read_evidence_folder(evidence)
        verified = receipts.verify_receipt(stated, situation.pool.values(), known)
    found = {
        "verified": not verified.differences,
        "signed": signed,
        "outcome": str(stated.outcome),
        "differences": list(verified.differences),
    }
    if as_json:
        talk.give_json(found)
    else:
        for name, value in found.items():
            typer.echo(f"{name}: {', '.join(value) if isinstance(value, list) else value}")
        if verified.decision is not None:
            typer.echo(explained(verified.decision, _language(lang)).as_text())
    if verified.differences:
        raise typer.Exit(talk.Exit.REFUSED)


@recognition.command("receipt")
def receipt(
    rules: Rules,
    evidence: Evidence,
    at: At,
    claim: Annotated[str, typer.Option("--claim", help="A claim, as `decide` names it.")],
    side: Annotated[str, typer.Option(help="Whose receipt: VN or CN.")],
    previous: Annotated[str, typer.Option(help="Digest of the receipt before this one.")] = "",
    cert: Certs = [],  # noqa: B006
    allow_unsigned: Unsigned = False,
) -> None:
    """Write the payload of a receipt on one claim (RFC 8785) to stdout."""
    from gateway.model.evidence import Side, canonical
    from gateway.recognition.receipt import make_receipt

    if side not in list(Side):
        raise typer.BadParameter("--side is VN or CN")
    decisions = _decisions(rules, evidence, at, cert, allow_unsigned, claim, False)
    exact = [each for each in decisions if str(each.claim) == claim]
    if len(exact) != 1:
        raise typer.BadParameter(f"{claim}: no such claim")
    talk.give(canonical(make_receipt(exact[0], Side(side), previous)) + b"\n")


def _decisions(
    rules: Path,
    evidence: Path,
    at: datetime,
    cert: list[Path],
    allow_unsigned: bool,
    claim: str | None,
    as_json: bool,
) -> "list[Decision]":
    from gateway.recognition.fold import decide_all

    with talk.failures(as_json):
        known = read_rules(rules, cert, allow_unsigned=allow_unsigned)
        situation: Situation = read_evidence_folder(evidence)
        decisions = decide_all(situation, known, _utc(at))
    return [each for each in decisions if claim is None or claim in str(each.claim)]


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC)


def _language(stated: str | None) -> str:
    from gateway import texts

    if stated is not None and stated not in texts.LANGUAGES:
        raise typer.BadParameter("--lang is vi, zh or en")
    return stated or talk.language()


def _table(decisions: "Iterable[Decision]", lang: str) -> tuple[list[str], list[list[str]]]:
    rows = [[str(d.claim), _outcome(d, lang), _codes(d), d.deadline] for d in decisions]
    return ["claim", "outcome", "reasons", "due"], rows


def _outcome(decision: "Decision", lang: str) -> str:
    from gateway import texts

    words = texts.outcome(decision.local or decision.outcome, lang)
    return f"{words} *" if decision.overlays or decision.local else words


def _codes(decision: "Decision") -> str:
    return ", ".join(dict.fromkeys(each.code for each in decision.reasons))


def _as_json(decision: "Decision") -> dict[str, Any]:
    import msgspec

    from gateway.recognition.fold import proof

    found: dict[str, Any] = msgspec.to_builtins(decision)
    return {**found, "claimName": str(decision.claim), "proof": proof(decision)}


def _leave(decisions: "Iterable[Decision]") -> None:
    """Exit with 1 when a claim is not recognised."""
    from gateway.recognition.outcomes import RECOGNISING

    if any((each.local or each.outcome) not in RECOGNISING for each in decisions):
        raise typer.Exit(talk.Exit.REFUSED)
