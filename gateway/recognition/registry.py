"""Registries as dated statements: who is registered, and since when who is suspended.

The state at an instant is that of the statement with the latest start not after it; of two at
one instant a suspension wins. Each authority speaks for itself: a facility is in order when
some authority registered it and none has suspended it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.model.bodies import Registry, Standing
from gateway.model.evidence import Evidence, Kind
from gateway.recognition.normalise import Span, bare, span, text
from gateway.recognition.stated import official

Entry = tuple[Registry, str]
"""A registry, and what is in it, comparable."""


class State(StrEnum):
    """What a registry says."""

    UNKNOWN = "UNKNOWN"
    GOOD = "GOOD"
    SUSPENDED = "SUSPENDED"


@dataclass(frozen=True, slots=True)
class Said:
    """A statement about an entry. start: of a suspension the first instant, else the last."""

    start: datetime
    bad: bool
    digest: str
    country: str
    scope: tuple[str, ...]


Registries = dict[Entry, list[Said]]


def registries(statements: Iterable[tuple[str, Evidence]]) -> Registries:
    """Return the statements about each entry."""
    found: Registries = {}
    for digest, each in statements:
        if isinstance(each.body, Standing) and may_register(each, each.body):
            bad = each.kind is Kind.SUSPEND
            first, last = span(each.body.start, each.issuer.country)
            scope = tuple(bare(code) for code in each.body.scope)
            said = Said(first if bad else last, bad, digest, each.issuer.country, scope)
            found.setdefault((each.body.registry, bare(each.body.id)), []).append(said)
    return found


def may_register(statement: Evidence, body: Standing) -> bool:
    """Only officials keep registries; that a key is compromised anybody may say."""
    return official(statement) or (body.registry is Registry.KEY and statement.kind is Kind.SUSPEND)


def standing(
    known: Registries,
    registry: Registry,
    id_: str,
    window: Span,
    codes: Iterable[str] = (),
    by: Iterable[str] = (),
) -> tuple[State, tuple[str, ...]]:
    """Return the state of an entry within an interval, and the statements that make it.

    Suspended at any instant of the interval is suspended. codes: of the goods; a standing of
    another scope does not count. by: countries of which each must have registered it.
    """
    goods = frozenset(codes)
    said = [each for each in known.get((registry, bare(id_)), ()) if in_scope(each, goods)]
    holding = [
        each
        for country in {s.country for s in said}
        for each in held([s for s in said if s.country == country], window)
    ]
    for state, bad in ((State.SUSPENDED, True), (State.GOOD, False)):
        agreed = bad or {text(country) for country in by} <= {
            text(each.country) for each in holding if not each.bad
        }
        if agreed and (where := sorted(each.digest for each in holding if each.bad is bad)):
            return state, tuple(where)
    return State.UNKNOWN, ()


def in_scope(said: Said, codes: frozenset[str]) -> bool:
    """Return True when a statement speaks of such goods, in any edition of the tariff."""
    pairs = ((code, wanted) for code in codes for wanted in said.scope)
    return not said.scope or not codes or any(code.startswith(wanted) for code, wanted in pairs)


def held(said: Iterable[Said], window: Span) -> list[Said]:
    """Return what holds at the beginning of a window, and what changes within it."""
    changes = sorted(said, key=lambda each: (each.start, each.bad, each.digest))
    before = [each for each in changes if each.start <= window[0]]
    return before[-1:] + [each for each in changes if window[0] < each.start <= window[1]]
