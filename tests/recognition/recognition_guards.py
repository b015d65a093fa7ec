"""Guards of recognition that a mutation run turns off, one at a time.

`python tests/recognition/recognition_guards.py [name ...]` (`make mutants`) runs the properties
and worlds once for each guard in a process of its own; every run must fail. Product code knows
nothing of this: a guard is a function, or an entry of a table, that is replaced.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from datetime import UTC, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path

HERE = Path(__file__).parent
FILES = (
    "test_recognition_worlds.py",
    "test_recognition_link.py",
    "test_recognition_receipts.py",
    "test_recognition_rules.py",
    "test_recognition_invariants.py",
)

from gateway.recognition import (  # noqa: E402
    adjudicate,
    agree,
    cases,
    checks_document,
    checks_rule,
    compare,
    compare_conveyance,
    conveyance,
    draw,
    fold,
    judge,
    ledger,
    lineage,
    load,
    normalise,
    receipt,
    registry,
    requirements,
    select,
    situation,
    stated,
    units,
    view,
)
from gateway.recognition.outcomes import Outcome  # noqa: E402


def yes(*_: object, **__: object) -> bool:
    return True


def no(*_: object, **__: object) -> bool:
    return False


def nothing(*_: object) -> Iterator[object]:
    return iter(())


def replace(module: object, name: str, other: object) -> Callable[[], None]:
    """Return what replaces a function wherever it was imported to."""

    def apply() -> None:
        old = getattr(module, name)
        for each in list(sys.modules.values()):
            if getattr(each, "__name__", "").startswith("gateway.recognition"):
                for attribute, value in list(vars(each).items()):
                    if value is old:
                        setattr(each, attribute, other)
        setattr(module, name, other)

    return apply


def entry(table: dict, key: object, other: object) -> Callable[[], None]:
    def apply() -> None:
        table[key] = other

    return apply


def without_latest(said, window):
    """Take the last word of all, whenever it starts."""
    return sorted(said, key=lambda each: (each.start, each.bad, each.digest))[-1:]


def before_window_only(said, window):
    """Do not look into the window."""
    ordered = sorted(said, key=lambda each: (each.start, each.bad, each.digest))
    return [each for each in ordered if each.start <= window[0]][-1:]


def merged_private(shared, case, claim, hidden, rules, at):
    """See private statements as nothing."""


def first_come(pool, doc, line):
    return sorted(REAL_DEMANDS(pool, doc, line), key=lambda d: d.digest)


def unlimited(supply, wanted):
    return REAL_ALLOT(Decimal(10) ** 12, wanted)


def all_pool(situation_, view_):
    return dict(situation_.pool)


def case_only(situation_, view_):
    return dict(view_.case.pool)


def latest_version_wins(document, pool):
    """Judge only the highest version: a later one launders."""
    highest = document.versions.get(max(document.versions, default=0), set())
    found = REAL_EQUIVOCAL(document, pool)
    return found & highest


def any_offset(moment, country=""):
    naive = moment.naive()
    return naive.replace(tzinfo=UTC), naive.replace(tzinfo=UTC) + timedelta()


REAL_DEMANDS, REAL_ALLOT = ledger.demands, ledger.allot
REAL_EQUIVOCAL = lineage.equivocal

GUARDS: dict[str, Callable[[], None]] = {
    **{f"check {name}": entry(judge.CHECKS, name, nothing) for name in judge.CHECKS},
    **{f"clause {name}": entry(select.CLAUSES, name, yes) for name in select.CLAUSES},
    **{
        f"compare {name}": entry(
            compare.GOODS_FIELDS, name, (code, lambda *_: (compare.Agreement.EQUAL, "", "", ()))
        )
        for name, (code, _) in compare.GOODS_FIELDS.items()
        if name != "gross"  # nothing here weighs gross masses twice
    },
    **{
        f"compare {name}": entry(
            compare_conveyance.CONVEYANCE_FIELDS,
            name,
            (code, lambda *_: (compare.Agreement.EQUAL, "", "", ())),
        )
        for name, (code, _) in compare_conveyance.CONVEYANCE_FIELDS.items()
    },
    **{
        f"requirement {kind.__name__}": entry(requirements.CHECKS, kind, nothing)
        for kind in requirements.CHECKS
    },
    "only the issuer withdraws": replace(lineage, "may_withdraw", yes),
    "withdrawals count": replace(lineage, "may_withdraw", no),
    "only the other side rejects": replace(lineage, "may_reject", yes),
    "rejections count": replace(lineage, "may_reject", no),
    "replacements count": replace(lineage, "replaces", no),
    "replacing needs another number": replace(
        lineage, "replaces", lambda s: s.supersedes is not None
    ),
    "two contents are seen": replace(lineage, "equivocal", lambda *_: frozenset()),
    "no version launders another": replace(lineage, "equivocal", latest_version_wins),
    "content is not its writing": replace(lineage, "content", id),
    "suspensions count from their start": replace(registry, "held", without_latest),
    "the whole window counts": replace(registry, "held", before_window_only),
    "only officials check": replace(stated, "may_check", yes),
    "only the service claims": replace(stated, "may_claim", yes),
    "stolen keys": replace(view.View, "trusted", yes),
    "every live document is judged": replace(
        situation.Situation, "views", lambda self, *given: (REAL_VIEWS(self, *given)[0],)
    ),
    "private evidence restricts": replace(fold, "_with", merged_private),
    "root over what counts": replace(situation, "relevant", all_pool),
    "root over registries too": replace(situation, "relevant", case_only),
    "only officials register": replace(registry, "may_register", yes),
    "silence is on record": replace(checks_rule, "lost_by_other", yes),
    "the counterpart has a deadline": replace(checks_rule, "counter_check_due", lambda *_: None),
    "four eyes": replace(adjudicate, "four_eyes", yes),
    "both sides": replace(adjudicate, "both_sides", yes),
    "bound to evidence": replace(adjudicate, "fresh", yes),
    "validity of an adjudication": replace(adjudicate, "in_force", yes),
    "stricter persists": replace(adjudicate, "stricter", no),
    "a withdrawal cannot be lifted": entry(adjudicate.MOVES, Outcome.REVOKED, "two officers"),
    "a newer version is needed": entry(adjudicate.MOVES, Outcome.EQUIVOCAL, "both sides"),
    "commitments bind": replace(draw, "commitment", lambda secret: "same"),
    "reveals are in time": replace(draw, "in_time", lambda own, due: own.secret is not None),
    "earlier trucks first": replace(ledger, "demands", first_come),
    "the ceiling": replace(ledger, "allot", unlimited),
    "the band of masses": replace(
        compare, "allowed", lambda *_: (Decimal(0), Decimal(10) ** 9)
    ),
    "only officials take seals off": replace(
        conveyance, "OFFICIAL", frozenset(("CU", "AC", "CA"))
    ),
    "a chain starts at the claim": replace(
        conveyance, "_closure", lambda start, edges: ({c for e in edges for c in e[2]}, ("x",))
    ),
    "laboratories are registered": replace(requirements, "recognised_lab", yes),
    "lots are covered": replace(requirements, "covers_lots", yes),
    "limits": replace(requirements, "within", yes),
    "age": replace(requirements, "young", yes),
    "schedules": replace(requirements, "treated", yes),
    "wordings": replace(requirements, "declared", yes),
    "counter-checks confirm": replace(checks_rule, "confirms", yes),
    "ties": replace(select, "ties", lambda rules: []),
    "rules are proven": replace(load, "proven", lambda rules: rules),
    "check digits": replace(normalise, "bad_check_digit", no),
    "offsets": replace(normalise, "span", any_offset),
    "plates are normalised": replace(normalise, "plate", lambda stated_: stated_.raw),
    "seals are normalised": replace(normalise, "seal", str),
    "containers are normalised": replace(normalise, "container", str),
    "numbers are normalised": replace(
        normalise,
        "doc",
        lambda k: (k.issuer.country, k.issuer.code, k.type, k.number),
    ),
    "units": replace(units, "amount", lambda measure: (measure.value, measure.unit)),
    "same question": replace(checks_document, "same_question", yes),
    "human unlinks": replace(cases, "holds", yes),
    "receipts are repeated": replace(
        receipt, "verify_receipt", lambda r, e, s: receipt.Verified(None, ())
    ),
    "roots are compared": replace(agree, "agree", lambda a, b: agree.Comparison(
        agree.Agreed.AGREED, a.outcome)),
}  # fmt: skip
REAL_VIEWS = situation.Situation.views


CONTROL = "nothing turned off"
ERROR = "no test failed, but pytest ended with"


def failing(name: str) -> str:
    """Return the first test that fails without a guard, or nothing. Runs in this process."""
    import pytest

    if name != CONTROL:
        GUARDS[name]()
    said = StringIO()
    with redirect_stdout(said):
        quiet = ["-x", "-q", "--no-header", "--tb=no", "-W", "ignore"]
        quiet += ["-k", "not hard_day and not of_guards"]
        plain = ["-p", "no:cacheprovider", "-p", "no:xdist"]
        code = pytest.main([*quiet, *plain, *(str(HERE / file) for file in FILES)])
    lines = [line for line in said.getvalue().splitlines() if line.startswith("FAILED")]
    if code == 0:
        return ""
    return lines[0].partition("::")[2].partition(" - ")[0] if lines else f"{ERROR} {int(code)}"


def survives(name: str) -> tuple[bool, str]:
    """Run one mutant in a process of its own: whether it survives, and what killed it."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 2)
        os.environ["CI"] = "1"
        try:
            os.write(write, failing(name).encode()[:1000])
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        killer = pipe.read().decode()
    os.waitpid(child, 0)
    return not killer, killer


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(names: list[str]) -> int:
    """Run mutants; exit with 1 when one survives, or when the tests fail by themselves.

    The control, a run with all guards on, is left out for chosen names.
    """
    if not names:
        survived, killer = survives(CONTROL)
        if not survived:
            say(f"the tests fail with all guards on: {killer}")
            return 1
    survivors = []
    for name in names or sorted(GUARDS):
        survived, killer = survives(name)
        survived = survived or killer.startswith(ERROR)
        survivors += [name] if survived else []
        say(f"{'SURVIVES' if survived else 'killed':<9} {name:<36} {killer}")
    say(f"{len(names or GUARDS)} guards turned off, {len(survivors)} survive")
    return int(bool(survivors))


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    raise SystemExit(main(sys.argv[1:]))
