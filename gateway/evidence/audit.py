"""What the audit compares: rows with their leaves, and what rows say of a message with what is
stored of it. Pure; `gateway.flows.audit` brings the rows."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.evidence.rows import canonical, document_mark, keys_mark, leaf_of


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that is not as it was written. rule: its words are in gateway/texts. place: what
    is wrong, by its key. found, expected: digests and codes, never content."""

    rule: str
    place: str
    found: str = ""
    expected: str = ""


@dataclass(slots=True)
class Account:
    """What the rows of a message say of it, the latest word on each thing. documents: role to
    mark. pruned: roles that went after their time. events: (at, code, detail)."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    created: str = ""
    state: str = ""
    conversation: str = ""
    digest: str | None = None
    keys: str = ""
    documents: dict[str, str] = field(default_factory=dict)
    pruned: set[str] = field(default_factory=set)
    events: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)


def read_entry(entry: bytes) -> Mapping[str, Any] | None:
    """Return what a row says; None when it is not canonical JSON of an object."""
    try:
        said = json.loads(entry)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) and canonical(said) == entry else None


def row_flaws(number: int, message_id: str, entry: bytes, salt: bytes, leaf: bytes) -> list[Flaw]:
    """Return what is wrong with a row by itself."""
    place = f"evidence {number}"
    if leaf_of(entry, salt) != leaf:
        return [Flaw("evidence-leaf", place, leaf.hex(), leaf_of(entry, salt).hex())]
    said = read_entry(entry)
    if said is None:
        return [Flaw("evidence-entry", place)]
    if said.get("message", "") != message_id:
        return [Flaw("evidence-owner", place, message_id, str(said.get("message", "")))]
    return []


def account(entries: Iterable[bytes]) -> Account | None:
    """Fold the rows of a message, the oldest first; None when none of them begins it."""
    folded = Account()
    for entry in entries:
        said = read_entry(entry) or {}
        if "message-kind" in said:
            folded.facts, folded.created = said, said.get("at", "")
        folded.state = said.get("state", folded.state)
        folded.conversation = said.get("conversation", folded.conversation)
        folded.digest = said.get("digest", folded.digest)
        folded.keys = said.get("keys", folded.keys)
        _fold_documents(folded, said)
        if event := said.get("event"):
            folded.events.append((said.get("at", ""), event["code"], event["detail"]))
    return folded if folded.facts else None


def _fold_documents(folded: Account, said: Mapping[str, Any]) -> None:
    folded.documents.update(said.get("documents", {}))
    folded.pruned -= said.get("documents", {}).keys()
    for role in said.get("roles", ()):
        folded.documents.pop(role, None)
        folded.pruned.add(role)


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """What is stored of a message, as the audit compares it. fields: by the names that rows
    use. documents: (role, digest, media type, retention, salt). events: as in `Account`."""

    id: str
    fields: Mapping[str, Any]
    created: str
    state: str
    conversation: str
    digest: str
    keys: Sequence[tuple[str, str]]
    documents: Sequence[tuple[str, str, str, str, bytes | None]]
    events: Sequence[tuple[str, str, Mapping[str, str]]]


def message_flaws(stored: StoredMessage, said: Account | None) -> list[Flaw]:
    """Return where a stored message is not what evidence says of it."""
    place = f"message {stored.id}"
    if said is None:
        return [Flaw("message-unnamed", place)]
    pairs = {name: (value, said.facts.get(name)) for name, value in stored.fields.items()}
    pairs["created"] = (stored.created, said.created)
    pairs["conversation"] = (stored.conversation, said.conversation)
    pairs["state"] = (stored.state, said.state)
    flaws = [
        Flaw("message-differs", f"{place} {name}", str(found), str(expected))
        for name, (found, expected) in pairs.items()
        if found != expected
    ]
    return [
        *flaws,
        *_digest_flaws(place, stored, said),
        *_document_flaws(place, stored, said),
        *_event_flaws(place, stored, said),
    ]


def _digest_flaws(place: str, stored: StoredMessage, said: Account) -> list[Flaw]:
    expected = said.digest
    if expected is None:
        own = {role: digest for role, digest, *_ in stored.documents}
        expected = own.get("original") or own.get("translated") or ""
    if stored.digest == expected:
        return []
    return [Flaw("message-differs", f"{place} digest", stored.digest, expected)]


def _document_flaws(place: str, stored: StoredMessage, said: Account) -> list[Flaw]:
    flaws, salts = [], {}
    for role, digest, media_type, retention, salt in stored.documents:
        mark = document_mark(salt or b"", digest, media_type, retention)
        salts[role] = salt or b""
        if role not in said.documents:
            flaws.append(Flaw("document-unnamed", f"{place} {role}", digest))
        elif mark != said.documents[role]:
            flaws.append(Flaw("document-differs", f"{place} {role}", mark, said.documents[role]))
    lost = sorted(said.documents.keys() - salts.keys())
    flaws += [Flaw("document-lost", f"{place} {role}") for role in lost]
    if "canonical" in salts:
        mark = keys_mark(salts["canonical"], stored.keys)
        if said.keys and mark != said.keys:
            flaws.append(Flaw("message-differs", f"{place} keys", mark, said.keys))
    return flaws


def _event_flaws(place: str, stored: StoredMessage, said: Account) -> list[Flaw]:
    return [
        Flaw("event-lost", f"{place} {code}", "", at)
        for at, code, detail in said.events
        if (at, code, detail) not in stored.events
    ]
