"""Checks and why they fail."""

from collections.abc import Callable
from dataclasses import dataclass

OK, FAILED, PENDING, ABSENT = "ok", "failed", "pending", "absent"


class Failed(Exception):  # noqa: N818  a finding about a bundle, not an error of this program
    """A check failed. rule: its name in docs/evidence.md."""

    def __init__(self, rule: str, found: str = "") -> None:
        super().__init__(rule)
        self.rule, self.found = rule, found


@dataclass(frozen=True)
class Check:
    """One check and its outcome: ok, failed, pending or absent."""

    name: str
    subject: str
    outcome: str
    rule: str = ""
    found: str = ""


def run(name: str, subject: str, work: Callable[[], str | None]) -> Check:
    """Run a check. Whatever a bundle makes it raise is a failure of the bundle."""
    try:
        outcome = work()
    except Failed as failure:
        return Check(name, subject, FAILED, failure.rule, failure.found)
    except Exception as fault:  # noqa: BLE001  libraries raise many kinds on hostile octets
        return Check(name, subject, FAILED, "unexpected", type(fault).__name__)
    return Check(name, subject, outcome or OK)
