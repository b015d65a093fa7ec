"""Findings from the problems of a run: with the place, the rule and what was expected.

A problem of decoding is placed in the sender's own terms. One of encoding is placed in the
canonical document (the flow knows whose document it came from, and can ask for the place
there); what is expected names the place in the target. No value of a personal row is shown.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice

from gateway.codec.compile_plan import HEAD, Entry, Plan
from gateway.codec.compile_trace import Problem, Trace, placed
from gateway.codec.paths import parse, with_indexes
from gateway.codec.xmlexplain import wanted
from gateway.errors import MOST_FINDINGS, Finding, Severity

Placer = Callable[[str, tuple[int, ...]], str]
"""Writes a wire path with indexes as the sender of that format would."""

_CODES = {
    "unlike": ("schema-invalid", "constant"),
    "lack": ("schema-invalid", "belongs-together"),
    "miss": ("rule-broken", "mandatory"),
    "many": ("rule-broken", "repeat"),
    "long": ("too-long-for-target", "length"),
    "recalled": ("too-long-for-target", "recalled-length"),
    "form": ("rule-broken", "form"),
    "character": ("schema-invalid", "character"),
    "left": ("rule-broken", "group-left-out"),
}
_FOLLOWING = frozenset({"lack", "miss", "form"})
_WARNINGS = frozenset({"recalled", "left"})


def of_decoding(trace: Trace, plan: Plan, place: Placer) -> Iterator[Finding]:
    """Yield the findings of a decoding, in the order in which they were met."""
    for problem, found in islice(_first(trace, plan), MOST_FINDINGS + 1):
        entry = plan.entries[problem.number]
        yield _finding(problem, entry, place(entry.row.path, found), "")


def of_encoding(
    trace: Trace, plan: Plan, place: Placer, *, draft: bool
) -> Iterator[tuple[Finding, str]]:
    """Yield each finding of an encoding, and its place in the target.

    draft: what must be there and is not only warns.
    """
    for problem, found in islice(_first(trace, plan), MOST_FINDINGS + 1):
        entry = plan.entries[problem.number]
        target = place(entry.row.path, found)
        where = canonical_place(entry, found) or target
        finding = _finding(problem, entry, where, f"{plan.table.header.format} {target}")
        if draft and problem.kind == "miss":
            finding = _softened(finding)
        yield finding, target


def _first(trace: Trace, plan: Plan) -> Iterator[tuple[Problem, tuple[int, ...]]]:
    """Yield each problem and where it stood, but not what follows from a refused value."""
    refused = set()
    for problem, found in placed(trace, plan.entries):
        if problem.cause is not None:
            refused.add((problem.number, found))
        if problem.kind not in _FOLLOWING or (problem.number, found) not in refused:
            yield problem, found


def canonical_place(entry: Entry, found: tuple[int, ...]) -> str:
    """Write where a row's value stands in the canonical document, with indexes."""
    return _canonical(entry.row.canonical, found)


@lru_cache(maxsize=1024)
def _canonical(path: str, found: tuple[int, ...]) -> str:
    if not path or path.startswith(HEAD):
        return path
    return with_indexes(parse(path), found)


def _finding(problem: Problem, entry: Entry, where: str, target: str) -> Finding:
    if problem.cause is not None:
        cause = problem.cause
        found = "" if entry.row.personal else cause.found
        expected = _joined(cause.expected, target)
        return Finding(cause.code, cause.rule, where, found, expected)
    code, rule = _CODES[problem.kind]
    severity = Severity.WARN if problem.kind in _WARNINGS else Severity.REFUSE
    expected = _joined(_expected(problem, entry), target)
    return Finding(code, rule, where, problem.detail, expected, severity)


def _expected(problem: Problem, entry: Entry) -> str:
    words = {
        "unlike": entry.row.constant or "",
        "lack": "all or none of what belongs together",
        "miss": " or ".join(w for w in entry.row.sources if w != "refuse") or "a value",
        "many": f"at most {entry.node.max}",
        "character": "characters that XML can hold",
    }
    if entry.node.type is not None:
        most = entry.node.type.max_length
        words["recalled"] = f"at most {most} (recalled, not confirmed)"
        words["long"] = words["form"] = wanted(entry.node.type)
    return words.get(problem.kind, "")


def _joined(expected: str, target: str) -> str:
    return f"{expected} ({target})" if expected and target else expected or target


def _softened(finding: Finding) -> Finding:
    return Finding(
        finding.code, finding.rule, finding.path, finding.found, finding.expected, Severity.WARN
    )
