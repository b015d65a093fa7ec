"""What a statement of evidence is found by: what joins it with others, what registries it
names, what a person at a gate can read."""

from collections.abc import Callable, Iterator

from gateway.flows.ports_recognition import Key
from gateway.model.bodies import (
    Adjudication,
    Deadline,
    DrawStep,
    Handover,
    Inspection,
    Link,
    Passage,
    Registry,
    SealEvent,
    Standing,
)
from gateway.model.evidence import Evidence, Kind
from gateway.model.inspection import Conveyance
from gateway.recognition import normalise
from gateway.recognition.cases import anchors, identifiers
from gateway.recognition.conveyance import seal_key
from gateway.recognition.hs import hs6
from gateway.recognition.lineage import CLAIMING
from gateway.recognition.link_records import blocks, record
from gateway.recognition.normalise import bare

SEARCHED = ("plate", "container", "seal", "certificate")
"""Kinds that a gate asks by."""
BLOCKS = frozenset({"number", "ucr", "container", "seal", "plate"})
"""Blocks that tell one truck from another. A packing house or a trader has many a day."""
WHOLE = (Registry.GATE, Registry.ROUTE, Registry.COMMODITY, Registry.SEAL)
"""Registries that are small, and read whole."""


def keys_of(digest: str, statement: Evidence) -> tuple[Key, ...]:
    """Return everything that a statement is stored under."""
    found = {
        *joining(statement),
        *blocking(digest, statement),
        *seen(statement),
        *(("names", entry) for entry in entries(statement)),
        *_own(statement),
    }
    return tuple(sorted(found))


def joining(statement: Evidence) -> Iterator[Key]:
    """Yield what joins statements into one case outright."""
    for name in anchors(statement):
        kind, *rest = name if isinstance(name, tuple) else ("", name)
        if kind in ("ucr", "journey"):  # lower case: no country is called so
            yield f"join:{kind}", "/".join(map(str, rest))
        else:
            yield "join:doc", "/".join(map(str, (kind, *rest)))


def blocking(digest: str, statement: Evidence) -> Iterator[Key]:
    """Yield the blocks in which linking looks for others."""
    found = None if statement.private else record(digest, statement)
    for kind, *rest in blocks(found) if found else ():
        if kind in BLOCKS:
            yield f"block:{kind}", "/".join(rest)


def seen(statement: Evidence) -> Iterator[Key]:
    """Yield what a gate can read and ask by. A plate also as a camera reads it."""
    for each in _conveyances(statement):
        yield from _carried(each)
    if statement.doc and statement.kind in CLAIMING:
        yield "certificate", bare(statement.doc.number)
    for scheme, value in identifiers(statement):
        if scheme == "certificate":
            yield "certificate", value


def _carried(conveyance: Conveyance) -> Iterator[Key]:
    for plate in (*conveyance.plates, *conveyance.trailers):
        whole = normalise.plate(plate)
        yield "plate", whole
        yield "plate", normalise.camera(whole)
    for unit in conveyance.units:
        yield "plate", bare(unit)
    for container in conveyance.containers:
        yield "container", normalise.container(container)
    for seal in conveyance.seals:
        yield "seal", seal_key(seal)


def asked(kind: str, value: str) -> Key:
    """Return the key that a person means."""
    form: dict[str, Callable[[str], str]] = {
        "plate": normalise.plate_text,
        "container": normalise.container,
        "seal": normalise.seal,
        "certificate": bare,
    }
    return kind, form[kind](value)


def entries(statement: Evidence) -> Iterator[str]:
    """Yield the entries of registries that a statement depends on: `PUC/CODE` ..."""
    yield f"{Registry.ISSUER}/{bare(statement.issuer.code)}"
    if statement.signer is not None:
        yield f"{Registry.KEY}/{bare(statement.signer.key)}"
    body = statement.body
    if isinstance(body, Inspection):
        yield from (f"{Registry.PUC}/{bare(code)}" for code in body.parties.growers)
        yield from (f"{Registry.PHC}/{bare(code)}" for code in body.parties.packers)
        for result in body.results:
            if result.lab:
                yield f"{Registry.LAB}/{bare(result.lab.code)}"
            code = hs6(result.goods)
            yield from (f"{Registry.COMMODITY}/{code[:n]}" for n in (2, 4, 6) if code)
    for each in _conveyances(statement):
        if each.gate:
            yield f"{Registry.GATE}/{bare(each.gate)}"


def entry_of(standing: Standing) -> str:
    """Return the entry that a standing is about; a route by its gate."""
    if standing.registry is Registry.ROUTE:
        return f"{Registry.GATE}/{bare(standing.id.rpartition('/')[2])}"
    return f"{standing.registry}/{bare(standing.id)}"


def packers(statement: Evidence) -> frozenset[str]:
    """Return the packing houses that a statement names."""
    body = statement.body
    return (
        frozenset(map(bare, body.parties.packers)) if isinstance(body, Inspection) else frozenset()
    )


def _own(statement: Evidence) -> Iterator[Key]:
    """Yield what others look for: a standing, a past check, a word about a case or a pair."""
    body = statement.body
    if isinstance(body, Standing):
        yield "entry", f"{body.registry}/{bare(body.id)}"
        yield "registry", body.registry.value
    if isinstance(body, Link):
        yield "linked", body.left
        yield "linked", body.right
    if isinstance(body, Adjudication | Deadline | DrawStep):
        yield "case", bare(body.claim.case)
    if statement.kind is Kind.COUNTER_CHECK:
        yield from (("check", code) for code in packers(statement))


def _conveyances(statement: Evidence) -> tuple[Conveyance, ...]:
    body = statement.body
    if isinstance(body, Handover):
        return body.before, body.after
    if isinstance(body, SealEvent):
        more = tuple(s for s in (body.seal, body.replaced_by) if s)
        return body.conveyance, Conveyance(seals=more)
    return (body.conveyance,) if isinstance(body, Inspection | Passage) else ()
