"""Cases: which statements are about the same goods, by explicit reference and by links.

Statements are joined when they name one document, one UCR or one journey, or when a LINK
joins them. An UNLINK by an official beats every machine link of the pair; of persons the later
word holds. The id of a case is its UCR, else its smallest digest; every other is an alias.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway.model.bodies import (
    Adjudication,
    ClaimRef,
    Deadline,
    DrawStep,
    Handover,
    Inspection,
    Link,
    Passage,
    SealEvent,
    Standing,
)
from gateway.model.evidence import Evidence, Kind
from gateway.recognition.lineage import CLAIMING, Pool
from gateway.recognition.normalise import bare, doc, span
from gateway.recognition.stated import official


@dataclass(frozen=True, slots=True)
class Case:
    """Statements about the same goods. names: id and aliases."""

    id: str
    names: frozenset[str]
    pool: Pool


class Groups:
    """Union-find over names of any kind."""

    def __init__(self) -> None:
        self._up: dict[object, object] = {}

    def find(self, name: object) -> object:
        """Return the name that stands for the group."""
        root = name
        while (above := self._up.get(root, root)) != root:
            root = above
        while (above := self._up.get(name, name)) != root:
            self._up[name] = root
            name = above
        return root

    def join(self, left: object, right: object) -> None:
        """Make two groups one."""
        self._up[self.find(left)] = self.find(right)


def cases(pool: Pool) -> tuple[Case, ...]:
    """Return all cases, in the order of their ids. Registry statements are in none."""
    groups = Groups()
    members = {d: e for d, e in pool.items() if not isinstance(e.body, Standing)}
    for digest, each in members.items():
        for name in anchors(each):
            groups.join(digest, name)
    for left, right in linked(members):
        groups.join(left, right)
    _attach(members, groups)
    found: dict[object, dict[str, Evidence]] = {}
    for digest in sorted(members):
        found.setdefault(groups.find(digest), {})[digest] = members[digest]
    return tuple(sorted((_case(each) for each in found.values()), key=lambda case: case.id))


def _attach(members: Pool, groups: Groups) -> None:
    """Join links and what refers to a claim by name with the statements they speak of."""
    for digest, each in members.items():
        if isinstance(each.body, Link):
            groups.join(digest, each.body.left if each.body.left in members else each.body.right)
        elif isinstance(each.body, Adjudication | Deadline | DrawStep):
            name = each.body.claim.case
            groups.join(digest, name if name in members else ("ucr", bare(name)))


def anchors(statement: Evidence) -> Iterator[object]:
    """Yield what a statement names explicitly: documents, UCR, journeys."""
    body = statement.body
    named = [statement.doc, statement.supersedes, *statement.about]
    if isinstance(body, Passage):
        named += [take.doc for take in body.takes]
        yield ("journey", statement.side, bare(body.journey))
    for key in named:
        if key is not None:
            yield doc(key)
    for scheme, value in identifiers(statement):
        if scheme == "ucr":
            yield ("ucr", value)


def identifiers(statement: Evidence) -> list[tuple[str, str]]:
    """Return scheme and comparable value of the identifiers that a statement gives."""
    body = statement.body
    if isinstance(body, Inspection | Passage | SealEvent):
        return [(each.scheme, bare(each.value)) for each in body.identifiers]
    return []


def linked(members: Pool) -> list[tuple[str, str]]:
    """Return the pairs that are linked, after what persons said."""
    said: dict[tuple[str, str], list[Evidence]] = {}
    for each in members.values():
        if isinstance(each.body, Link) and {each.body.left, each.body.right} <= members.keys():
            low, high = sorted((each.body.left, each.body.right))
            said.setdefault((low, high), []).append(each)
    return [pair for pair, words in said.items() if holds(words)]


def holds(words: Iterable[Evidence]) -> bool:
    """Return True when the words about one pair come to LINK."""
    words = list(words)
    persons = [w for w in words if isinstance(w.body, Link) and w.body.by == "person"]
    heard = [w for w in persons if official(w)]
    if not heard:
        return any(w.kind is Kind.LINK for w in words if w not in persons)
    # Of one instant the UNLINK is the last.
    last = max(heard, key=lambda w: (span(w.stated_at, w.issuer.country), w.kind is Kind.UNLINK))
    return last.kind is Kind.LINK


def _case(members: dict[str, Evidence]) -> Case:
    ucrs = sorted({v for each in members.values() for s, v in identifiers(each) if s == "ucr"})
    solid = [d for d, e in members.items() if isinstance(e.body, Inspection | Passage | Handover)]
    first = min(solid or members)
    return Case(ucrs[0] if ucrs else first, frozenset((*ucrs, *members)), members)


def journeys(case: Case) -> tuple[str, ...]:
    """Return the journeys of a case that take goods by explicit reference."""
    return tuple(
        sorted(
            {
                bare(each.body.journey)
                for each in case.pool.values()
                if isinstance(each.body, Passage) and each.body.takes
            }
        )
    )


def claims(case: Case) -> tuple[ClaimRef, ...]:
    """Return the claims of a case: goods line x inspection type, for each of several journeys."""
    parts = {
        (result.line, result.type)
        for each in case.pool.values()
        if each.kind in CLAIMING and isinstance(each.body, Inspection) and not each.private
        for result in each.body.results
    }
    several = journeys(case)
    split = several if len(several) > 1 else ("",)
    return tuple(
        ClaimRef(case=case.id, journey=journey, line=line, type=type_)
        for journey in split
        for line, type_ in sorted(parts)
    )


def names_claim(ref: ClaimRef, claim: ClaimRef, case: Case) -> bool:
    """Return True when a reference means a claim: by any alias, and all journeys by none."""
    return (
        (ref.case in case.names or bare(ref.case) in case.names)
        and (ref.line, ref.type) == (claim.line, claim.type)
        and (not ref.journey or ref.journey == claim.journey)
    )
