"""The statements that count for a case, read from the store.

    core       what is joined outright: a document, a UCR, a journey, a word about either
    around     what linking has to look at: the blocks of the core, along handovers
    standing   what registries say of everything that is named
    checks     past checks of the same packing houses, for the frequency of the next

A function of the statements that are stored, so both gateways read the same of the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.flows.ports import Transaction
from gateway.flows.ports_recognition import Key
from gateway.flows.recognition_keys import WHOLE, blocking, entries, joining, packers
from gateway.model.bodies import Adjudication, Deadline, DrawStep, Handover, Link
from gateway.model.evidence import Evidence, read_evidence
from gateway.recognition.cases import identifiers
from gateway.recognition.lineage import CLAIMING
from gateway.recognition.link import Linked, link, link_statement
from gateway.recognition.link_model import LinkModel
from gateway.recognition.normalise import bare
from gateway.recognition.situation import Situation

MOST = 10_000
"""Statements of one claim: a key that more have joins nothing."""
_HANDOVERS = 3


@dataclass(frozen=True)
class Gathered:
    """situation: with links. stored: digests of the shared statements that it is made of.
    core: digests of the case's own. doubts: for a person."""

    situation: Situation
    stored: tuple[str, ...]
    core: frozenset[str]
    linked: Linked


Pool = dict[str, Evidence]


def gather(tx: Transaction, start: Iterable[str], model: LinkModel) -> Gathered:
    """Read everything that counts for the case of some statements."""
    core = core_of(tx, start)
    around = _around(tx, core, model.most_block)
    pool = {**core, **around}
    shared = {digest: each for digest, each in pool.items() if not each.private}
    linked = link(shared, model)
    links = needed(shared, linked, model)
    pool |= _standing(tx, pool) | _checks(tx, pool)
    stored = tuple(sorted(digest for digest, each in pool.items() if not each.private))
    situation = Situation.of([*pool.values(), *links])
    return Gathered(situation, stored, frozenset(core), linked)


def needed(pool: Mapping[str, Evidence], linked: Linked, model: LinkModel) -> list[Evidence]:
    """Return the links that join what nothing else joins. The others would only make a root
    depend on what else stands around."""
    of = {name: case.id for case in Situation.of(pool.values()).cases for name in case.pool}
    return [
        link_statement(pair, pool, model)
        for pair in linked.links
        if of.get(pair.left) != of.get(pair.right)
    ]


def core_of(tx: Transaction, start: Iterable[str]) -> Pool:
    """Read the statements that are joined with some outright, and those."""
    pool = _read(tx, start)
    asked: set[Key] = set()
    fresh: Mapping[str, Evidence] = pool
    while fresh:
        keys = {key for digest, each in fresh.items() for key in _joined_by(digest, each)} - asked
        asked |= keys
        named = {name for each in fresh.values() for name in _named(each)}
        found = tx.statements_by(sorted(keys), MOST) | named
        fresh = _read(tx, found - pool.keys())
        pool |= fresh
    return pool


def anchors_near(tx: Transaction, core: Pool, most: int) -> tuple[str, ...]:
    """Return the documents of other cases that some statements might be linked to."""
    near = _around(tx, core, most)
    return tuple(sorted(d for d, each in near.items() if each.kind in CLAIMING))


def _around(tx: Transaction, core: Pool, most: int) -> Pool:
    found: Pool = {}
    fresh: Mapping[str, Evidence] = core
    for _ in range(_HANDOVERS):
        keys = {key for digest, each in fresh.items() for key in blocking(digest, each)}
        near = _read(tx, tx.statements_by(sorted(keys), most) - core.keys() - found.keys())
        for each in list(near.values()):  # a rival brings what it is joined with
            near |= _read(tx, tx.statements_by(sorted(joining(each)), MOST) - near.keys())
        near = {digest: each for digest, each in near.items() if digest not in core}
        found |= near
        fresh = {digest: each for digest, each in near.items() if isinstance(each.body, Handover)}
        if not fresh:
            break
    return found


def _joined_by(digest: str, statement: Evidence) -> Iterable[Key]:
    yield from joining(statement)
    yield "linked", digest
    yield "case", bare(digest)
    yield from (("case", value) for scheme, value in identifiers(statement) if scheme == "ucr")
    if isinstance(statement.body, Adjudication | Deadline | DrawStep):
        yield "join:ucr", bare(statement.body.claim.case)


def _named(statement: Evidence) -> Iterable[str]:
    """Yield digests of statements that one speaks of."""
    if isinstance(statement.body, Link):
        yield statement.body.left
        yield statement.body.right
    if isinstance(statement.body, Adjudication | Deadline | DrawStep):
        yield statement.body.claim.case


def _standing(tx: Transaction, pool: Pool) -> Pool:
    names = {entry for each in pool.values() for entry in entries(each)}
    keys = [("entry", name) for name in names] + [("registry", each.value) for each in WHOLE]
    return _read(tx, tx.statements_by(sorted(keys), MOST) - pool.keys())


def _checks(tx: Transaction, pool: Pool) -> Pool:
    keys = {("check", code) for each in pool.values() for code in packers(each)}
    return _read(tx, tx.statements_by(sorted(keys), MOST) - pool.keys())


def _read(tx: Transaction, digests: Iterable[str]) -> Pool:
    return {
        each.digest: read_evidence(each.content) for each in tx.statements(sorted(set(digests)))
    }
