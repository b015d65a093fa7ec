"""Reading and proving rule sets: files, and envelopes that both sides signed.

    set.toml              id, version, published
    *.toml                [[rule]] and [[template]]
    hs-editions.csv       old_edition,old,new_edition,new
    organisms.csv         name,eppo

Numbers in TOML are read as Decimals. Nothing here opens a file.
"""

import csv
import io
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from gateway.errors import Finding, MappingError, TrustError
from gateway.model.evidence import canonical
from gateway.recognition.hs import Correlation, Organism
from gateway.recognition.ruleset import Confidence, Rollout, Rule, RuleSet, Template, duration
from gateway.recognition.select import ties
from gateway.signing.dsse import sign_statement, verify_cosigned
from gateway.signing.keys import Signer
from gateway.signing.trust import TrustPolicy

PAYLOAD_TYPE = "application/vnd.bilateral-gateway.ruleset+json"
ENVELOPE = "ruleset.dsse.json"
"""Name of the signed form in a folder."""

_PROVENANCE = (
    "effective", "scope", "mode", "requires", "tolerance", "sample_min", "reinspection",
    "counter_check", "suspension", "conditions",
)  # fmt: skip
"""Parts of a rule that need a source."""

T = TypeVar("T")


def load(files: Mapping[str, bytes]) -> RuleSet:
    """Make a rule set of the files of a folder. MappingError with all findings."""
    texts = {name: _text(name, content) for name, content in files.items()}
    if "set.toml" not in texts:
        raise _error("set.toml", "ruleset-file", "", "set.toml")
    head = _toml("set.toml", texts["set.toml"])
    parts: dict[str, list[Any]] = {"rules": [], "templates": []}
    for name in sorted(texts):
        if name.endswith(".toml") and name != "set.toml":
            read = _camel_keys(_toml(name, texts[name]))
            parts["rules"] += _structs(name, read.pop("rule", []), Rule)
            parts["templates"] += _structs(name, read.pop("template", []), Template)
            if read:
                raise _error(name, "ruleset-file", ", ".join(sorted(read)), "rule, template")
    tables: dict[str, list[Any]] = {
        "correlations": _rows("hs-editions.csv", texts, Correlation),
        "organisms": _rows("organisms.csv", texts, Organism),
    }
    (made,) = _structs("set.toml", [{**head, **_plain(parts), **_plain(tables)}], RuleSet)
    return proven(made)


def proven(rules: RuleSet) -> RuleSet:
    """Return a rule set that contradicts nothing, or raise MappingError with all findings."""
    findings = list(_faults(rules))
    if findings:
        raise MappingError("not-mapped", *findings)
    return rules


def sign_rules(rules: RuleSet, signers: Collection[Signer]) -> bytes:
    """Return the DSSE envelope that both sides hold."""
    return sign_statement(PAYLOAD_TYPE, canonical(rules), list(signers))


def cosign_rules(first: bytes, second: bytes) -> bytes:
    """Return one envelope with the signatures of two of the same payload.

    TrustError `signature-scope` when they sign different things: other rules, or other kinds.
    """
    left, right = (_envelope(each) for each in (first, second))
    if (left["payload"], left["payloadType"]) != (right["payload"], right["payloadType"]):
        raise _untrusted("one-payload", "", "")
    signatures = [*left["signatures"], *right["signatures"]]
    return msgspec.json.encode({**left, "signatures": signatures})


def _envelope(content: bytes) -> dict[str, Any]:
    try:
        read = msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        read = {}
    if not {"payload", "payloadType", "signatures"} <= read.keys():
        raise TrustError("signature-invalid", Finding("signature-invalid", "dsse"))
    return read


def open_rules(
    envelope: bytes, policy: TrustPolicy, at: datetime, parties: Collection[str]
) -> RuleSet:
    """Return the rule set of an envelope that each of the parties signed. TrustError otherwise."""
    statement = verify_cosigned(envelope, policy, at)
    if statement.payload_type != PAYLOAD_TYPE:
        raise _untrusted("payload-type", statement.payload_type, PAYLOAD_TYPE)
    if missing := set(parties) - set(statement.parties):
        raise _untrusted("both-sides", ", ".join(statement.parties), ", ".join(sorted(missing)))
    try:
        rules = msgspec.json.decode(statement.payload, type=RuleSet)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _error("payload", "ruleset-file", "", "a rule set") from None
    return proven(rules)


def _untrusted(rule: str, found: str, expected: str) -> TrustError:
    return TrustError("signature-scope", Finding("signature-scope", rule, "", found, expected))


def _faults(rules: RuleSet) -> Iterator[Finding]:
    ids = [rule.id for rule in rules.rules]
    for name in sorted({name for name in ids if ids.count(name) > 1}):
        yield _finding(name, "ruleset-double")
    for left, right in ties(rules.rules):
        yield _finding(left.id, "ruleset-tie", right.id)
    known = {template.id for template in rules.templates}
    for rule in rules.rules:
        yield from _rule_faults(rule, known)


def _rule_faults(rule: Rule, templates: Collection[str]) -> Iterator[Finding]:
    if rule.effective.end < rule.effective.start:
        yield _finding(f"{rule.id}.effective", "ruleset-dates")
    if not rule.scope.hs or not all(h.isdigit() and len(h) in (2, 4, 6) for h in rule.scope.hs):
        yield _finding(f"{rule.id}.scope.hs", "ruleset-hs", ", ".join(rule.scope.hs))
    for place, stated in _durations(rule):
        try:
            duration(stated)
        except ValueError:
            yield _finding(f"{rule.id}.{place}", "ruleset-duration", stated, "P14D, PT36H")
    for need in rule.requires:
        for name in getattr(need, "templates", ()):
            if name not in templates:
                yield _finding(f"{rule.id}.requires.{need.id}", "ruleset-template", name)
    yield from _numbers(rule)
    yield from _unsourced(rule)


def _durations(rule: Rule) -> Iterator[tuple[str, str]]:
    yield "tolerance.clock", rule.tolerance.clock
    yield "reinspection.reveal", rule.reinspection.reveal
    yield "counter_check.deadline", rule.counter_check.deadline
    for need in rule.requires:
        if age := getattr(need, "max_age", ""):
            yield f"requires.{need.id}.max_age", age


def _numbers(rule: Rule) -> Iterator[Finding]:
    draws, tolerance = rule.reinspection, rule.tolerance
    stated = (draws.reduced, draws.frequency, draws.tightened)
    shares = [share for share in stated if share is not None]
    bands = (tolerance.rel, tolerance.abs_kg, tolerance.shrink_per_hour, tolerance.gain)
    if not all(0 <= share <= 1 for share in shares) or shares != sorted(shares):
        yield _finding(f"{rule.id}.reinspection", "ruleset-number", "", "0 to 1")
    if any(not band.is_finite() or band < 0 for band in bands) or tolerance.packages < 0:
        yield _finding(f"{rule.id}.tolerance", "ruleset-number", "", "0 or more")


def _unsourced(rule: Rule) -> Iterator[Finding]:
    """Every value has a source; a LIVE rule has none of low confidence."""
    for path in stated_paths(rule):
        found = because(rule, path)
        if found is None:
            yield _finding(f"{rule.id}.{path}", "ruleset-source")
        elif found.confidence is Confidence.LOW and rule.rollout is Rollout.LIVE:
            yield _finding(f"{rule.id}.{path}", "ruleset-low", found.source)


def stated_paths(rule: Rule) -> list[str]:
    """Return the paths of the values that a rule states: `requires.phyto.max_age` ..."""
    stated = msgspec.to_builtins(rule)
    camel = dict(zip(Rule.__struct_fields__, Rule.__struct_encode_fields__, strict=True))
    found: list[str] = []
    for part in _PROVENANCE:
        if camel[part] in stated:
            found += _leaves(part, stated[camel[part]])
    return found


def _leaves(path: str, value: Any) -> list[str]:
    if isinstance(value, dict):
        inner = [(k, v) for k, v in value.items() if k not in ("kind", "id")]
        return [leaf for key, each in inner for leaf in _leaves(f"{path}.{file_key(key)}", each)]
    if isinstance(value, list) and value and isinstance(value[0], dict) and "id" in value[0]:
        return [leaf for each in value for leaf in _leaves(f"{path}.{each['id']}", each) or [path]]
    return [path]


def because(rule: Rule, path: str) -> Any:
    """Return the source of a value: of its path, or of the longest beginning of it."""
    parts = path.split(".")
    return next(
        (
            rule.because[name]
            for length in range(len(parts), 0, -1)
            if (name := ".".join(parts[:length])) in rule.because
        ),
        None,
    )


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise _error(name, "ruleset-file", "", "UTF-8") from None


def _toml(name: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, RecursionError) as fault:
        raise _error(name, "ruleset-file", str(fault)[:80], "TOML") from None


def _structs(name: str, values: Any, kind: type[T]) -> list[T]:
    try:
        return msgspec.convert(values, list[kind])  # type: ignore[valid-type]
    except msgspec.ValidationError as fault:
        raise _error(name, "ruleset-file", str(fault)[:160], kind.__name__) from None


def _rows(name: str, texts: Mapping[str, str], kind: type[T]) -> list[T]:
    rows = list(csv.DictReader(io.StringIO(texts.get(name, ""))))
    return _structs(name, [_camel_keys(row) for row in rows], kind)


def _camel_keys(value: Any) -> Any:
    """Turn the keys of a file (max_age) into those of the canonical form (maxAge)."""
    if isinstance(value, list):
        return [_camel_keys(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        _camel(key): each if key == "because" else _camel_keys(each) for key, each in value.items()
    }


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def file_key(name: str) -> str:
    """Return how a key of the canonical form (maxAge) is written in files (max_age)."""
    return re.sub(r"([A-Z])", lambda letter: f"_{letter[1].lower()}", name)


def _plain(parts: Mapping[str, list[Any]]) -> dict[str, Any]:
    return {name: msgspec.to_builtins(values) for name, values in parts.items()}


def _finding(path: str, rule: str, found: str = "", expected: str = "") -> Finding:
    return Finding("not-mapped", rule, path, found, expected)


def _error(path: str, rule: str, found: str, expected: str) -> MappingError:
    return MappingError("not-mapped", _finding(path, rule, found, expected))
