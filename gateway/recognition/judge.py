"""All checks of a claim. Each looks at the view and yields reasons; none stops another.

That is what makes the outcome free of order: it is the most severe of all reasons.
"""

from collections.abc import Callable, Iterator

from gateway.recognition import checks_document, checks_goods, checks_rule
from gateway.recognition.outcomes import Reason
from gateway.recognition.view import View

Check = Callable[[View], Iterator[Reason]]

CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        checks_document.revoked,
        checks_document.equivocal,
        checks_document.contradicted,
        checks_document.verdict,
        checks_document.expired,
        checks_document.dates,
        checks_document.several,
        checks_goods.differing,
        checks_goods.for_cause,
        checks_goods.overdrawn,
        checks_rule.covered,
        checks_rule.suspended,
        checks_rule.asked,
        checks_rule.counter_checked,
        checks_rule.drawn,
        checks_rule.conditions,
    )
}
"""All checks, by name. Their order means nothing."""


def judged(view: View) -> list[Reason]:
    """Return all reasons against a claim."""
    return [found for check in CHECKS.values() for found in check(view)]
