"""What a new bilateral pack would change, before it is taken. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from gateway.evidence.pack import Calendar, Certificate, Hours, Pack, Party, Table


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changes. kind: a key of gateway/texts/changes.csv. of: whose or what.
    before, after: as people read them; empty where there was, or will be, none."""

    kind: str
    of: str
    before: str
    after: str


def diff(before: Pack | None, after: Pack) -> tuple[Change, ...]:
    """Return every difference; before: None when no pack is in force. Two packs that differ
    have at least one."""
    found = tuple(_changes(before, after))
    if not found and before != after:  # the same things in another order are other octets
        return (Change("order", "", "", ""),)
    return found


def _changes(before: Pack | None, after: Pack) -> Iterator[Change]:
    yield from _values("version", "", before and before.version, after.version)
    for kind in ("created", "valid_from", "valid_to"):
        old = getattr(before, kind) if before else None
        yield from _values(kind.replace("_", "-"), "", old, getattr(after, kind))
    for name in _names(before, after):
        yield from _party(name, before.party(name) if before else None, after.party(name))
    for place in ("mappings", "code_lists"):
        kind = "mapping" if place == "mappings" else "code-list"
        old_tables = _digests(getattr(before, place)) if before else {}
        yield from _entries(kind, old_tables, _digests(getattr(after, place)))
    stated = msgspec.structs.asdict(before.limits) if before else {}
    for limit, value in msgspec.structs.asdict(after.limits).items():
        yield from _values("limit", limit.replace("_", "-"), stated.get(limit), value)
    yield from _calendars(before.calendars if before else (), after.calendars)


def _names(before: Pack | None, after: Pack) -> list[str]:
    parties = [*(before.parties if before else ()), *after.parties]
    return list(dict.fromkeys(party.name for party in parties))


def _party(name: str, before: Party | None, after: Party | None) -> Iterator[Change]:
    for field in ("side", "url", "signature", "legacy_signatures"):
        old, new = (getattr(p, field) if p else None for p in (before, after))
        yield from _values(field.replace("_", "-"), name, old, new)
    old_anchors, new_anchors = (_anchors(party) for party in (before, after))
    yield from _entries("anchor", old_anchors, new_anchors, f"{name} ")
    old_keys, new_keys = (_keys(party) for party in (before, after))
    yield from _entries("certificate", old_keys, new_keys, f"{name} ")


def _anchors(party: Party | None) -> dict[str, str]:
    anchors = party.anchors if party else ()
    shown = [Certificate("tls-server", anchor).fingerprint for anchor in anchors]
    return {f"{name[:16]}{_nth(shown[:n], name)}": name for n, name in enumerate(shown)}


def _keys(party: Party | None) -> dict[str, str]:
    found: dict[str, str] = {}
    seen: list[str] = []
    for each in party.certificates if party else ():
        name = f"{each.usage} {each.fingerprint[:16]}"
        found[f"{name}{_nth(seen, name)}"] = f"{each.fingerprint} {_window(each)}"
        seen.append(name)
    return found


def _nth(seen: list[str], name: str) -> str:
    """Tell apart what is stated twice."""
    return f" ({seen.count(name) + 1})" if name in seen else ""


def _window(each: Certificate) -> str:
    return f"{_text(each.not_before) or '...'} - {_text(each.not_after) or '...'}"


def _digests(tables: Iterable[Table]) -> dict[str, str]:
    return {table.name: table.digest for table in tables}


def _calendars(before: tuple[Calendar, ...], after: tuple[Calendar, ...]) -> Iterator[Change]:
    old, new = ({each.gate: each for each in calendars} for calendars in (before, after))
    for gate in dict.fromkeys([*old, *new]):
        was, will = old.get(gate), new.get(gate)
        yield from _values("zone", gate, was and was.zone, will and will.zone)
        yield from _values(
            "hours", gate, *(_hours(each.hours if each else None) for each in (was, will))
        )
        yield from _entries("holiday", _holidays(was), _holidays(will), f"{gate} ")


def _hours(hours: tuple[Hours, ...] | None) -> str | None:
    if hours is None:
        return None
    parts = (f"{','.join(map(str, each.days))} {each.opens}-{each.closes}" for each in hours)
    return "; ".join(parts) or "-"


def _holidays(calendar: Calendar | None) -> dict[str, str]:
    found: dict[str, str] = {}
    seen: list[str] = []
    for day in calendar.holidays if calendar else ():
        date = day.date.isoformat()
        found[f"{date}{_nth(seen, date)}"] = f"{day.name} {_hours(day.hours)}"
        seen.append(date)
    return found


def _entries(
    kind: str, before: Mapping[str, str], after: Mapping[str, str], of: str = ""
) -> Iterator[Change]:
    for name in dict.fromkeys([*before, *after]):
        yield from _values(kind, f"{of}{name}", before.get(name), after.get(name))


def _values(kind: str, of: str, before: object, after: object) -> Iterator[Change]:
    if before != after:
        yield Change(kind, of, _text(before), _text(after))


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return "" if value is None else str(value)
