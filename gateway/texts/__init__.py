"""Words for people, in Vietnamese, simplified Chinese and English.

The words stand in csv files beside this module, one row per key: `titles` and `codes` (one
per error code), `rules` (findings), `states` and `events` (timeline), `outcomes`, `reasons` and
`remedies` (recognition), `changes` (of a bilateral pack). Codes are stable and
for programs; words may be bettered at any time.
"""

import csv
import string
from collections.abc import Mapping
from pathlib import Path

from gateway.errors import Finding

LANGUAGES = ("vi", "zh", "en")


def _read(name: str) -> dict[str, dict[str, str]]:
    """Return key -> language -> words of one csv file."""
    with (Path(__file__).parent / f"{name}.csv").open(encoding="utf-8", newline="") as rows:
        return {row.pop("key"): row for row in csv.DictReader(rows, strict=True)}


TITLES = _read("titles")
CODES = _read("codes")
RULES = _read("rules")
STATES = _read("states")
EVENTS = _read("events")
OUTCOMES = _read("outcomes")
REASONS = _read("reasons")
REMEDIES = _read("remedies")
CHANGES = _read("changes")
_LABELS = _read("labels")


class _Values(dict[str, object]):
    """Values for the placeholders of a sentence; one that was not given shows as dots."""

    def __missing__(self, key: str) -> str:
        return "…"


def _words(
    table: Mapping[str, Mapping[str, str]], key: str, lang: str, values: Mapping[str, object]
) -> str:
    row = table.get(key)
    if row is None:
        return key
    return string.Formatter().vformat(row[lang], (), _Values(values)) if values else row[lang]


def title(code: str, lang: str) -> str:
    """Return the few words that name an error code."""
    return _words(TITLES, code, lang, {})


def sentence(code_or_rule: str, lang: str, /, **values: object) -> str:
    """Return what happened and what to do. An unknown key is returned as it is."""
    table = CODES if code_or_rule in CODES else RULES
    return _words(table, code_or_rule, lang, values)


def state(name: str, lang: str) -> str:
    """Return the words for a state of a message, waybill, container or truck."""
    return _words(STATES, name, lang, {})


def outcome(name: str, lang: str) -> str:
    """Return the words for an outcome of recognition, `actor:X` or `overlay:X`."""
    return _words(OUTCOMES, name, lang, {})


def reason(code: str, lang: str, /, **values: object) -> str:
    """Return why an outcome is not better, with the values."""
    return _words(REASONS, code, lang, {name: value or "-" for name, value in values.items()})


def remedy(code: str, lang: str) -> str:
    """Return what can be done about a reason."""
    return _words(REMEDIES, code, lang, {})


def change(kind: str, lang: str) -> str:
    """Return what changes with a new bilateral pack."""
    return _words(CHANGES, kind, lang, {})


def label(name: str, lang: str) -> str:
    """Return the words for a column or a remark."""
    return _words(_LABELS, name, lang, {})


def event(code: str, lang: str, /, **detail: object) -> str:
    """Return the words for a line of the timeline; an unknown code is returned as it is.

    detail: of the event. A `reason` may have words of its own; an error `code` is named.
    """
    reasoned = f"{code}:{detail.get('reason', '')}"
    text = _words(EVENTS, reasoned if reasoned in EVENTS else code, lang, detail)
    cause = str(detail.get("code", ""))
    return f"{text}: {title(cause, lang)}" if cause in TITLES else text


def explain(finding: Finding, lang: str) -> str:
    """Return the sentence for a finding: its rule's, else its code's; with the values."""
    rule = finding.rule if finding.rule in RULES else finding.rule.partition(" ")[0]
    text = sentence(rule if rule in RULES else finding.code, lang)
    parts = [
        f"{_LABELS[name][lang]}: {value}"
        for name, value in (("found", finding.found), ("expected", finding.expected))
        if value
    ]
    return f"{text} ({'; '.join(parts)})" if parts else text


def choose(accept_language: str | None, default: str = "en") -> str:
    """Return the best of our languages for an Accept-Language header (RFC 9110 12.5.4).

    Any `zh-*` is served simplified Chinese. What cannot be read counts as not said.
    """
    best, best_quality = default, 0.0
    for item in (accept_language or "")[:512].split(","):
        tag, _, parameter = item.strip().partition(";")
        lang = tag.strip().lower().partition("-")[0]
        quality = _quality(parameter)
        if lang == "*":
            lang, quality = default, quality / 1000
        if lang in LANGUAGES and quality > best_quality:
            best, best_quality = lang, quality
    return best


def _quality(parameter: str) -> float:
    """Read `q=0.8`; nothing is 1, nonsense is 0."""
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if name.strip().lower() == "q" and 0.0 <= quality <= 1.0 else 0.0
