"""`gateway evidence export, verify, anchors, contradiction`: what leaves the house as evidence,
and what verifies it without the house."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import talk
from gateway.cli.evidence import opened

if TYPE_CHECKING:
    from gateway.evidence.bundle_anchors import BundleAnchors
    from gateway.evidence.bundle_verdict import Check, Verdict

Out = Annotated[Path, typer.Option("--out", "-o", help="Where to write; not there yet.")]


def export(
    message: Annotated[str, typer.Argument(help="The message id.")],
    out: Out,
    config: talk.Config = talk.DEFAULT_CONFIG,
) -> None:
    """Write everything that proves a message into one file that verifies offline."""
    with talk.failures(as_json=False), opened(config) as services:
        from gateway.flows.bundle import everything
        from gateway.flows.bundle import export as bundled

        content = bundled(services, message, everything)
        talk.write_new(out, content)
        talk.say(f"{out}: {len(content)} octets; it holds personal values: keep it safe")


def verify(
    file: Annotated[Path, typer.Argument(help="A bundle, or a proof of contradiction.")],
    anchors: Annotated[Path, typer.Option(help="Folder of certificates; see docs/evidence.md.")],
    as_json: talk.Json = False,
) -> None:
    """Verify a file by a folder of certificates and nothing else. Prints each check; 1 when
    one fails, with the first reason at the end."""
    content = talk.read(file)
    with talk.failures(as_json):
        from gateway.evidence.ledger_proof import is_proof
        from gateway.flows.bundle_check import verify_bundle
        from gateway.flows.proof_check import verify_proof

        known = _anchors(anchors)
        verdict = (verify_proof if is_proof(content) else verify_bundle)(content, known)
        if as_json:
            talk.give_json(_as_json(verdict))
        else:
            _show(verdict)
        if not verdict.ok:
            raise typer.Exit(talk.Exit.REFUSED)


def anchors(
    out: Annotated[Path, typer.Option("--out", "-o", help="A new folder.")],
    config: talk.Config = talk.DEFAULT_CONFIG,
) -> None:
    """Write the certificates by which our bundles verify: ours, and those pinned of the
    counterpart. Whoever verifies must hold them from somebody he trusts: compare fingerprints."""
    with talk.failures(as_json=False), opened(config) as services:
        from gateway.flows.bundle_anchors_of import anchor_files

        found = anchor_files(services)
        try:
            out.mkdir()
        except OSError as fault:
            raise typer.BadParameter(f"{out}: {fault.strerror}") from None
        for name, content in sorted(found.items()):
            talk.write_new(out / name, content)
            talk.say(f"{name}")


def contradiction(
    kind: Annotated[str, typer.Argument(help="two-heads, broken-history, two-contents, denied.")],
    subject: Annotated[str, typer.Argument(help="As `gateway settle alarms` shows it.")],
    out: Out,
    config: talk.Config = talk.DEFAULT_CONFIG,
) -> None:
    """Write the proof that a party signed two things that cannot both stand."""
    with talk.failures(as_json=False), opened(config) as services:
        from gateway.errors import Finding, StateError

        found = services.store.read(lambda tx: tx.alarms(cleared=True))
        proofs = [a.proof for a in found if (a.kind, a.subject) == (kind, subject) and a.proof]
        if not proofs:
            raise StateError("not-found", Finding("not-found", "ledger-proof", found=subject))
        talk.write_new(out, proofs[0])


def _anchors(folder: Path) -> "BundleAnchors":
    from gateway.evidence.bundle_anchors import BundleAnchors

    if not folder.is_dir():
        raise typer.BadParameter(f"{folder}: no folder")
    return BundleAnchors.of({f.name: talk.read(f) for f in sorted(folder.iterdir())})


def _show(verdict: "Verdict") -> None:
    talk.table(
        ("outcome", "check", "about", "reason"),
        [(c.outcome.value, c.name, c.subject, _reason(c)) for c in verdict.checks],
        whole=("outcome", "check"),
    )
    failed = verdict.first_failure
    if failed is not None:
        talk.say(f"FAILED: {failed.name} {failed.subject} {_reason(failed)}".replace("  ", " "))
        return
    open_checks = [c.name for c in verdict.checks if c.outcome.value != "ok"]
    talk.say(f"nothing failed{_left(open_checks)}")


def _left(names: Sequence[str]) -> str:
    return f"; pending or absent: {', '.join(dict.fromkeys(names))}" if names else ""


def _reason(check: "Check") -> str:
    return f"{check.rule} {check.found}".strip()


def _as_json(verdict: "Verdict") -> Any:
    failed = verdict.first_failure
    return {
        "ok": verdict.ok,
        "subject": verdict.subject,
        "by": verdict.exporter,
        "failed": None if failed is None else {"check": failed.name, "rule": failed.rule},
        "checks": [
            {
                "check": c.name,
                "about": c.subject,
                "outcome": c.outcome.value,
                "rule": c.rule,
                "found": c.found,
            }
            for c in verdict.checks
        ],
    }
