"""Failures that are known, each with a reason and an end.

A file of `[[expected]]` tables. What is listed and fails does not spoil the run; what is
listed and passes, has expired, or names nothing that ran does: the list must stay true.
"""

import fnmatch
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import msgspec

from conformance.engine.results import BLOCKING, Run, Verdict


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """case: glob over instance names. expires: the first day on which it counts no more."""

    case: str
    reason: str
    expires: date
    ticket: str = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    expected: tuple[Expected, ...] = ()


def read(path: Path) -> tuple[Expected, ...]:
    """Read a list. OSError; msgspec.ValidationError, msgspec.DecodeError for a wrong one."""
    return msgspec.toml.decode(path.read_bytes(), type=_File).expected


def settle(run: Run, expected: Sequence[Expected], today: date) -> list[str]:
    """Mark what was expected to fail as SKIPPED by agreement, and return what is wrong with
    the list. A run with anything wrong is not conformant."""
    wrong = [
        f"{each.case}: expired on {each.expires}" for each in expected if each.expires <= today
    ]
    for each in expected:
        hit = [r for r in run.results if fnmatch.fnmatchcase(r.name, each.case)]
        failed = [r for r in hit if r.verdict in BLOCKING]
        if not hit:
            wrong.append(f"{each.case}: names nothing that ran")
        elif not failed:
            wrong.append(f"{each.case}: passes, remove the line")
        elif each.expires > today:
            for result in failed:
                result.verdict = Verdict.EXPECTED
                result.reason = f"expected until {each.expires}: {each.reason}. {result.reason}"
    run.wrong += wrong
    return wrong
