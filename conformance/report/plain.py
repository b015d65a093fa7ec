"""Reports for machines: JSON, JUnit XML, GITB TAR XML, badge, summary, in-toto statement."""

import json
from collections import Counter
from collections.abc import Mapping
from html import escape
from typing import Any

from conformance import VERSION
from conformance.engine.case import Case
from conformance.engine.results import Result, Run, Verdict
from conformance.wire.instants import written

PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"
STATEMENT = "https://in-toto.io/Statement/v1"

_TAR = {
    Verdict.PASS: "SUCCESS",
    Verdict.WARN: "WARNING",
    Verdict.FAIL: "FAILURE",
    Verdict.ERROR: "FAILURE",
}


def as_json(run: Run, cases: Mapping[str, Case]) -> bytes:
    """Return the whole run; texts of the cases are in it, so that it stands alone."""
    report = {
        "suite": VERSION,
        "target": run.target,
        "profile": run.profile,
        "seed": run.seed,
        "began": written(run.began),
        "ended": written(run.ended or run.began),
        "conformant": run.conformant,
        "counts": run.counts(),
        "results": [_result(result, cases[result.case]) for result in run.results],
    }
    return json.dumps(report, ensure_ascii=False, indent=1, sort_keys=True).encode()


def _result(result: Result, case: Case) -> dict[str, Any]:
    return {
        "name": result.name,
        "case": result.case,
        "area": result.area,
        "level": result.level,
        "verdict": str(result.verdict),
        "reason": result.reason,
        "seconds": round(result.seconds, 4),
        "clauses": list(result.clauses),
        "title": case.title,
        "purpose": case.purpose,
        "effect": case.effect,
        "notes": [{"step": note.step, "text": note.text} for note in result.notes],
        "wires": result.wires,
    }


def as_junit(run: Run) -> bytes:
    """Return JUnit XML: INCONCLUSIVE and ERROR are errors, what does not apply is skipped."""
    counts = Counter(result.verdict for result in run.results)
    failures = counts[Verdict.FAIL]
    errors = counts[Verdict.ERROR] + counts[Verdict.INCONCLUSIVE]
    skipped = counts[Verdict.NOT_APPLICABLE] + counts[Verdict.SKIPPED]
    head = (
        f'<testsuite name="{escape(run.target)}" tests="{len(run.results)}" '
        f'failures="{failures}" errors="{errors}" skipped="{skipped}">'
    )
    lines = [_junit(result) for result in run.results]
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}{"".join(lines)}</testsuite>\n'.encode()


def _junit(result: Result) -> str:
    reason = escape(f"{result.verdict}: {result.reason}")
    inside = ""
    match result.verdict:
        case Verdict.FAIL:
            inside = f'<failure message="{reason}"/>'
        case Verdict.ERROR | Verdict.INCONCLUSIVE | Verdict.REVIEW:
            inside = f'<error message="{reason}"/>'
        case Verdict.NOT_APPLICABLE | Verdict.SKIPPED | Verdict.EXPECTED:
            inside = f'<skipped message="{reason}"/>'
        case Verdict.WARN:
            inside = f'<properties><property name="warning" value="{reason}"/></properties>'
        case Verdict.PASS:
            pass
    return (
        f'<testcase classname="{result.area}" name="{escape(result.name)}" '
        f'time="{result.seconds:.3f}">{inside}</testcase>'
    )


def as_tar(run: Run) -> bytes:
    """Return a GITB test report (TAR)."""
    whole = "SUCCESS" if run.conformant else "FAILURE"
    counts = Counter(_TAR.get(result.verdict, "UNDEFINED") for result in run.results)
    items = "".join(_tar(result) for result in run.results)
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<TestStepReport xmlns="http://www.gitb.com/tr/v1/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="TAR">'
        f"<date>{written(run.began)}</date><result>{whole}</result>"
        f"<counters><nrOfAssertions>{counts['SUCCESS']}</nrOfAssertions>"
        f"<nrOfErrors>{counts['FAILURE']}</nrOfErrors>"
        f"<nrOfWarnings>{counts['WARNING']}</nrOfWarnings></counters>"
        f"<reports>{items}</reports></TestStepReport>\n"
    )
    return text.encode()


def _tar(result: Result) -> str:
    kind = {Verdict.PASS: "info", Verdict.WARN: "warning", Verdict.FAIL: "error",
            Verdict.ERROR: "error"}.get(result.verdict, "info")  # fmt: skip
    words = escape(f"{result.name}: {result.verdict} {result.reason}".strip(), quote=False)
    return (
        f'<{kind} xsi:type="BAR"><description>{words}</description>'
        f"<assertionID>{escape(result.name, quote=False)}</assertionID></{kind}>"
    )


def as_badge(run: Run) -> bytes:
    """Return a small SVG."""
    word, colour = ("conformant", "#2e7d32") if run.conformant else ("not conformant", "#b3261e")
    left, right = f"{run.profile} {VERSION}", word
    first, second = 8 * len(left) + 12, 8 * len(right) + 12
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{first + second}" height="22" '
        f'role="img" aria-label="{escape(left)}: {right}">'
        f'<rect width="{first}" height="22" fill="#444"/>'
        f'<rect x="{first}" width="{second}" height="22" fill="{colour}"/>'
        '<g fill="#fff" font-family="sans-serif" font-size="13" text-anchor="middle">'
        f'<text x="{first // 2}" y="15">{escape(left)}</text>'
        f'<text x="{first + second // 2}" y="15">{right}</text></g></svg>\n'
    )
    return text.encode()


def as_summary(run: Run) -> bytes:
    """Return a few lines of Markdown."""
    verdict = "conformant" if run.conformant else "not conformant"
    lines = [f"## {run.target}: {verdict}", "", f"Profile {run.profile}, suite {VERSION}.", ""]
    lines += [f"* {name}: {count}" for name, count in run.counts().items() if count]
    failed = [r for r in run.results if r.verdict in (Verdict.FAIL, Verdict.WARN)]
    if failed:
        lines += ["", "| case | level | verdict | why |", "|---|---|---|---|"]
        lines += [_row(result) for result in failed]
    return ("\n".join(lines) + "\n").encode()


def _row(result: Result) -> str:
    reason = result.reason.replace("|", "\\|").replace("\n", " ")
    return f"| {result.name} | {result.level} | {result.verdict} | {reason} |"


def as_statement(run: Run, digests: Mapping[str, str]) -> bytes:
    """Return an in-toto statement about the run. digests: SHA-256 of the report files."""
    by = {v: [r.name for r in run.results if r.verdict is v] for v in Verdict}
    result = "PASSED" if run.conformant else "FAILED"
    if run.conformant and by[Verdict.WARN]:
        result = "WARNED"
    statement = {
        "_type": STATEMENT,
        "subject": [{"name": run.target, "digest": {"sha256": digests["report.json"]}}],
        "predicateType": PREDICATE,
        "predicate": {
            "result": result,
            "configuration": [
                {"name": name, "digest": {"sha256": digest}} for name, digest in digests.items()
            ],
            "passedTests": by[Verdict.PASS],
            "warnedTests": by[Verdict.WARN],
            "failedTests": by[Verdict.FAIL],
        },
    }
    return json.dumps(statement, indent=1, sort_keys=True).encode()
