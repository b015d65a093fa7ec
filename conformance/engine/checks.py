"""What a `verify` step can judge. Each check raises what it finds; silence is a pass.

A check is named in cases and versioned with the suite: its meaning never changes.
"""

import re
from collections.abc import Callable

from conformance.engine import checks_answers, checks_sending
from conformance.engine.building import Bench
from conformance.engine.case import Verify
from conformance.engine.results import FailedError, UndecidedError, WeakerError
from conformance.engine.session import Exchange
from conformance.wire import answers
from conformance.wire.answers import Answer, Refusal
from conformance.wire.http import Reply

Check = Callable[[Bench, Verify], None]

LEAKS = re.compile(
    r"Traceback|File \"|line \d+, in |/(usr|home|opt|var|root|srv)/|site-packages|\.py\b|"
    r"sqlalchemy|psycopg|SELECT .* FROM|INSERT INTO|lxml|libxml|java\.|at [a-z.]+\(|"
    r"(uvicorn|openssl|python|fastapi)[/ ]\d",
    re.IGNORECASE,
)
"""Signs of what is inside (XP-SEC-005)."""


def exchange(bench: Bench, step: Verify) -> Exchange:
    """Return what the step is about. LookupError: the case never sent it."""
    return bench.sent[step.of]


def read(bench: Bench, reply: Reply) -> Answer | None:
    """Return the receipt or refusal in an answer, None when there is neither.

    UndecidedError when nobody answered. Whether it is signed, bound and valid is the
    business of the cases about receipts and errors: a case is about one thing.
    """
    if reply.status == 0:
        raise UndecidedError(f"no answer: {reply.fault}")
    return answers.read(reply.body, bench.session.receipt_pins, bench.session.now())


def accepted(bench: Bench, step: Verify) -> None:
    """Every copy was taken: HTTP 200, and no refusal."""
    for reply in exchange(bench, step).replies:
        found = read(bench, reply)
        if found and found.refusal:
            raise FailedError(f"refused: {said(found.refusal)}")
        if reply.status != 200:
            raise FailedError(f"HTTP {reply.status}, expected a receipt")


def refused(bench: Bench, step: Verify) -> None:
    """No copy got a receipt, and each refusal has one of the codes; `allow` lists weaker
    ones."""
    weaker = ""
    for reply in exchange(bench, step).replies:
        found = read(bench, reply)
        if found is None:
            continue  # that errors are documents is the business of ERR-01
        if found.refusal is None:
            raise FailedError("it was accepted")
        code = found.refusal.code
        if code in step.allow:
            weaker = f"refused with {code}, better is {' or '.join(step.codes)}"
        elif code not in step.codes:
            wanted = " or ".join(step.codes)
            raise FailedError(f"refused with {said(found.refusal)}, expected {wanted}")
        _names_it(step, found.refusal)
    if weaker:
        raise WeakerError(weaker)


def _names_it(step: Verify, refusal: Refusal) -> None:
    """The finding that the case asks for is among those that were reported."""
    if not step.rule and not step.path:
        return
    for finding in refusal.findings:
        if step.rule in ("", finding.rule) and step.path in finding.path:
            return
    said = ", ".join(f"{f.rule} at {f.path}" for f in refusal.findings) or "no finding"
    raise FailedError(f"no finding {step.rule} {step.path}: {said}")


def turned_away(bench: Bench, step: Verify) -> None:
    """Refused before it was read: no connection, or an unsigned answer of one of `codes`
    (HTTP statuses). A receipt fails."""
    for reply in exchange(bench, step).replies:
        if reply.status == 0:
            if reply.fault == "timed-out":
                raise FailedError("it was left hanging")
            continue
        found = read(bench, reply)
        if found and found.receipt:
            raise FailedError("it was accepted")
        if step.codes and str(reply.status) not in step.codes:
            raise FailedError(f"HTTP {reply.status}, expected {' or '.join(step.codes)}")


def same_receipt(bench: Bench, step: Verify) -> None:
    """All answers to this message, and to `other`, are the same octets (XP-DUP-003)."""
    replies = list(exchange(bench, step).replies)
    if step.other:
        replies += bench.sent[step.other].replies
    for reply in replies:
        read(bench, reply)
    if len({reply.body for reply in replies}) != 1:
        raise FailedError("the same message got different receipts")


def no_leak(bench: Bench, step: Verify) -> None:
    """No answer shows paths, stack traces, queries or versions."""
    for reply in exchange(bench, step).replies:
        shown = reply.body.decode(errors="replace") + " ".join(
            f"{name}: {value}" for name, value in reply.headers.items()
        )
        if leak := LEAKS.search(shown):
            raise FailedError(f"the answer shows {leak[0]!r}")


def within(bench: Bench, step: Verify) -> None:
    """Every answer came within a declared limit (`T1`) or so many seconds."""
    limit = seconds(bench, step.within)
    for reply in exchange(bench, step).replies:
        if reply.seconds > limit:
            raise FailedError(f"{reply.seconds:.2f} s, the limit is {limit:g} s")


def seconds(bench: Bench, stated: str, attempts: int = 1) -> float:
    """Return a time as cases state it: a number, a declared limit by its name, or a limit
    and some more (`deadline+10`). `schedule`: what the declared schedule needs for so many
    attempts."""
    limits = bench.session.target.limits
    named = {
        "T1": limits.receipt,
        "T2": limits.response,
        "deadline": limits.deadline,
        "give_up": limits.give_up,
        "schedule": limits.slack
        + sum(min(limits.first * 2**n, limits.longest) for n in range(attempts - 1)),
    }
    return sum(named[part] if part in named else float(part) for part in stated.split("+"))


def said(refusal: Refusal) -> str:
    """Return a refusal in a few words."""
    rules = ", ".join(f"{finding.rule} {finding.path}" for finding in refusal.findings[:3])
    return f"{refusal.code} ({rules})" if rules else refusal.code


def registry() -> dict[str, Check]:
    """Return the checks by the name that cases use."""
    own: tuple[Check, ...] = (accepted, refused, turned_away, same_receipt, no_leak, within)
    named = {check.__name__.replace("_", "-"): check for check in own}
    return {**named, **checks_answers.CHECKS, **checks_sending.CHECKS}
