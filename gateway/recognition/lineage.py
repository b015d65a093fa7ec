"""Documents: their versions, and what killed them. Free of order; nothing is ever revived.

effective     highest version
equivocal     one version with two contents, whatever came later
withdrawn     by its issuer, also before it was issued
rejected      by an authority of the other side
replaced      by a statement of its issuer that another document takes its place
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
import rfc8785

from gateway.model.bodies import Inspection
from gateway.model.evidence import Evidence, Kind
from gateway.model.inspection import Role
from gateway.model.values import Measure, Moment, Plate, Text
from gateway.recognition import normalise
from gateway.recognition.normalise import DocId
from gateway.recognition.units import amount

Pool = Mapping[str, Evidence]
"""Statements by digest."""

CLAIMING = frozenset((Kind.ISSUE, Kind.AMEND, Kind.REPLACE))
_OFFICIAL = frozenset((Role.NPPO, Role.CUSTOMS, Role.VET, Role.HEALTH))


@dataclass(slots=True)
class Document:
    """A document of any version. versions: version -> digests. ends: reason code -> digests."""

    versions: dict[int, set[str]] = field(default_factory=dict)
    ends: dict[str, set[str]] = field(default_factory=dict)

    def effective(self) -> str | None:
        """Return the digest of the highest version; the smallest where one version has several."""
        return min(self.versions[max(self.versions)]) if self.versions else None


def documents(pool: Pool) -> dict[DocId, Document]:
    """Return all documents that statements issue or end."""
    found: dict[DocId, Document] = {}
    for digest, each in pool.items():
        if each.doc is None:
            continue
        own = normalise.doc(each.doc)
        if isinstance(each.body, Inspection):
            document = found.setdefault(own, Document())
            document.versions.setdefault(each.version, set()).add(digest)
        if (code := end_of(each)) is not None:
            found.setdefault(own, Document()).ends.setdefault(code, set()).add(digest)
        if replaces(each) and each.supersedes is not None:
            old = found.setdefault(normalise.doc(each.supersedes), Document())
            old.ends.setdefault("STATUS_REPLACED", set()).add(digest)
    return found


def end_of(statement: Evidence) -> str | None:
    """Return the reason code when the statement ends its document and may do so."""
    if statement.kind is Kind.WITHDRAW and may_withdraw(statement):
        return "STATUS_WITHDRAWN"
    if statement.kind is Kind.REJECT and may_reject(statement):
        return "STATUS_REJECTED"
    return None


def may_withdraw(statement: Evidence) -> bool:
    """Only the service that issued: same country and role. Another office of it may."""
    doc = statement.doc
    return doc is not None and (statement.issuer.country, statement.issuer.role) == (
        doc.issuer.country,
        doc.issuer.role,
    )


def may_reject(statement: Evidence) -> bool:
    """Only an official of the other side."""
    doc = statement.doc
    return (
        doc is not None
        and statement.issuer.role in _OFFICIAL
        and statement.issuer.country == statement.side
        and statement.issuer.country != doc.issuer.country
    )


def replaces(statement: Evidence) -> bool:
    """A document of the same service takes the place of another; never of itself."""
    old, new = statement.supersedes, statement.doc
    return (
        old is not None
        and new is not None
        and isinstance(statement.body, Inspection)
        and normalise.doc(old) != normalise.doc(new)
        and (old.issuer.country, old.issuer.role)
        == (statement.issuer.country, statement.issuer.role)
    )


def equivocal(document: Document, pool: Pool) -> frozenset[str]:
    """Return the digests of versions that were signed with two contents."""
    return frozenset(
        digest
        for digests in document.versions.values()
        if len(digests) > 1 and len({content(pool[digest]) for digest in digests}) > 1
        for digest in digests
    )


def content(statement: Evidence) -> str:
    """Return a digest of what is said, the same for every way of writing and signing it."""
    said = (
        statement.kind, statement.side, statement.issuer, statement.version,
        statement.supersedes and normalise.doc(statement.supersedes),
        _plain(statement.body, statement.issuer.country),
    )  # fmt: skip
    return hashlib.sha256(rfc8785.dumps(msgspec.to_builtins(said))).hexdigest()


_KEYS = frozenset(("containers", "growers", "packers", "units", "lots", "hs", "code", "gate"))


def _plain(value: Any, country: str) -> Any:
    """Return comparable builtins of a value."""
    if isinstance(value, tuple):
        return [_plain(each, country) for each in value]
    if special := _FORMS.get(type(value)):
        return special(value, country)
    if isinstance(value, msgspec.Struct):
        return {name: _named(name, getattr(value, name), country) for name in _fields(value)}
    return value


_FORMS: dict[type, Callable[[Any, str], Any]] = {
    Measure: lambda value, _: [str(part) for part in amount(value)],
    Moment: lambda value, country: [e.isoformat() for e in normalise.span(value, country)],
    Plate: lambda value, _: normalise.plate(value),
    Text: lambda value, _: normalise.text(value.value),
    Decimal: lambda value, _: str(value.normalize()),
}


def _named(name: str, value: Any, country: str) -> Any:
    """Return the comparable form of a value of a name: numbers and codes without separators."""
    if name == "number" and isinstance(value, str):
        return normalise.seal(value)
    if name in _KEYS and isinstance(value, str):
        return normalise.bare(value)
    if name in _KEYS and isinstance(value, tuple):
        return [_named(name, each, country) for each in value]
    return _plain(value, country)


def _fields(value: msgspec.Struct) -> tuple[str, ...]:
    return value.__struct_fields__


def pool_of(statements: Iterable[tuple[str, Evidence]]) -> dict[str, Evidence]:
    """Return a pool in the order of the digests: no order of arrival is left."""
    return dict(sorted(statements))
