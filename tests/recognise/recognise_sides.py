"""Two gateways that recognise each other's inspection results: the sides of the ledger, with a
rule set, quarantine agencies, and the crossing of tests/recognition."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from flow_sides import NAMES, Side
from ledger_sides import OTHER, connect, make_sides
from recognition_crossing import rule_set

from gateway.flows.ports_recognition import ClaimRow
from gateway.flows.recognise import FORMAT, read_decision, submit_statement
from gateway.flows.recognise_talk import recognise_now
from gateway.flows.services import Agency, Recognition
from gateway.model.evidence import Evidence, canonical
from gateway.recognition.link_model import read_model
from gateway.resources import folder as resource

QUARANTINE = Agency("quarantine", "quarantine", frozenset({FORMAT}))
CHECKED = (
    'mode = "ACCEPT_ON_CLAIM"',
    'mode = "REQUIRE_COUNTER_CHECK"\ncounter_check = { deadline = "P2D" }',
)
"""A rule that asks for the other side's own check, within two days."""


def two_gateways(folder: Path, keys, formats, clock, wire, *changes) -> dict[str, Side]:
    sides = make_sides(folder, keys, formats, clock, wire)
    return {name: with_rules(sides, name, *changes) for name in sides}


def with_rules(sides: dict[str, Side], name: str, *changes: tuple[str, str]) -> Side:
    """Give a side a rule set, as its next start would."""
    content = (resource("mappings") / "recognition" / "link-model.toml").read_bytes()
    services = sides[name].services
    agencies = {**services.agencies, "quarantine": QUARANTINE}
    known = Recognition(rule_set(*changes), read_model(content))
    side = replace(sides[name], services=replace(services, agencies=agencies, recognition=known))
    connect(side, NAMES[OTHER[name]])
    return side


def state(sides: dict[str, Side], *statements: Evidence) -> None:
    """Let the agencies of each side say what is theirs to say."""
    for each in statements:
        submit_statement(sides[each.side.lower()].services, QUARANTINE, canonical(each))


def talk(sides: dict[str, Side], *names: str) -> None:
    """Let the worker's chore run on some sides."""
    for name in names or ("vn", "cn"):
        recognise_now(sides[name].services, f"node of {name}")


def claims(side: Side) -> list[ClaimRow]:
    """All claims as last decided, by name."""
    file = side.services.store.read(lambda tx: str(tx.connection.engine.url.database))
    with closing(sqlite3.connect(file)) as database:
        rows = database.execute("SELECT claim FROM recognition_claim ORDER BY claim").fetchall()
    return [side.services.store.read(lambda tx, n=name: tx.claim(n)) for (name,) in rows]


def phyto(side: Side) -> ClaimRow:
    """The claim that the certificate makes."""
    (found,) = [row for row in claims(side) if row.claim.endswith("/PHYTO")]
    return found


def codes(row: ClaimRow) -> set[str]:
    return {each.code for each in read_decision(row).reasons}


def lose(folder: Path, name: str, digest: str) -> None:
    """Lose a statement, as damage to a database would."""
    with closing(sqlite3.connect(folder / f"{name}.db")) as database, database:
        for table in ("recognition_key", "recognition_statement"):
            database.execute(f"DELETE FROM {table} WHERE digest = ?", (digest,))
