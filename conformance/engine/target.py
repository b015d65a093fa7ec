"""The one file that describes a target: who it is, where it is, what it declares."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from conformance.crypto.keys import Key, read


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file; unknown keys are refused."""


class Pair(_Section, frozen=True):
    """PEM files of a key and its certificate. password_file: of an encrypted key."""

    key: str
    certificate: str
    password_file: str = ""


class Endpoint(_Section, frozen=True):
    """Where the target takes messages. anchors: PEM file of the authorities of its TLS
    certificate. receipts: PEM files of the certificates that sign its receipts and refusals;
    messages: of those that sign its messages."""

    url: str
    anchors: str = ""
    receipts: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()


class Partner(_Section, frozen=True):
    """Where we listen for what the target sends (role tx)."""

    host: str = "127.0.0.1"
    port: int = 0
    server: Pair | None = None
    anchors: str = ""


class Limits(_Section, frozen=True):
    """What the target declares. receipt: T1, response: T2 (seconds). first, growth, longest:
    its retry schedule; deadline: of one send; give_up: seconds until a dead letter.
    slack: how late it may be beyond its own schedule, on a busy machine."""

    receipt: float = 5.0
    response: float = 30.0
    deadline: float = 30.0
    first: float = 2.0
    longest: float = 900.0
    give_up: float = 604800.0
    slack: float = 15.0


class Trigger(_Section, frozen=True):
    """How the target is made to send. kind rest: POST the documents to `url`, as an agency
    with `client` keys. documents: by kind (`any`), the files that are handed in together;
    `@batch@` in them becomes the batch number of the case, `@last-12@` its last 12
    digits, `@number@` the copy."""

    kind: Literal["rest", "none"] = "none"
    url: str = ""
    anchors: str = ""
    client: Pair | None = None
    documents: dict[str, tuple[str, ...]] = {}


class Query(_Section, frozen=True):
    """How the suite sees what the target knows. kind rest: GET `url`/{id}."""

    kind: Literal["rest", "none"] = "none"
    url: str = ""
    anchors: str = ""
    client: Pair | None = None


class Hook(_Section, frozen=True):
    """Shell commands. restart: a clean restart; kill: kill and start again."""

    restart: str = ""
    kill: str = ""


class Target(_Section, frozen=True):
    """The whole file. party: the target's id on the link; we: ours. keys: by purpose
    (`message`, `receipt`, `tls`; optional `expired`, `old`, `wrong-usage` ... which the target
    must have pinned for the cases that need them). features: optional ones it declares.
    expected_failures: a file of engine.expected."""

    name: str
    party: str
    we: str
    endpoint: Endpoint
    keys: dict[str, Pair]
    organisation: str = ""
    product: str = ""
    version: str = ""
    profile: str = "core-rx"
    environment: Literal["test", "production"] = "test"
    test_indicator: bool = True
    documents: tuple[str, ...] = ("cn.mt4401",)
    features: tuple[str, ...] = ()
    partner: Partner = Partner()
    limits: Limits = Limits()
    trigger: Trigger = Trigger()
    query: Query = Query()
    hook: Hook = Hook()
    expected_failures: str = ""


class TargetError(Exception):
    """The target file is wrong; it says where."""


def load(path: Path) -> Target:
    """Read a target file. Relative paths in it are seen from its folder. TargetError."""
    try:
        target = msgspec.toml.decode(path.read_bytes(), type=Target)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError) as fault:
        raise TargetError(f"{path}: {fault}") from fault
    missing = [name for name in ("message", "tls") if name not in target.keys]
    if missing:
        raise TargetError(f"{path}: keys: lacks {', '.join(missing)}")
    return target


def written(target: Target) -> bytes:
    """Return a target file, without comments."""
    plain = {name: value for name, value in msgspec.to_builtins(target).items() if value}
    return _toml(plain).encode()


def _toml(values: Mapping[str, Any], above: str = "") -> str:
    """Write tables of strings, numbers, lists and tables as TOML."""
    lines, tables = [], []
    for name, value in values.items():
        if isinstance(value, dict):
            place = f"{above}.{name}" if above else name
            tables.append(f"\n[{place}]\n{_toml(value, place)}")
        elif value is not None:
            lines.append(f"{name} = {json.dumps(value, ensure_ascii=False)}\n")
    return "".join(lines + tables)


def read_pair(pair: Pair, home: Path) -> Key:
    """Read a key and its certificate. OSError, ValueError."""
    file = home / pair.password_file
    password = file.read_bytes().strip() if pair.password_file else None
    return read(home / pair.key, home / pair.certificate, password)


def declares(target: Target) -> frozenset[str]:
    """Return the features a case may need: declared ones, keys, hooks, ways to see and do."""
    found = set(target.features)
    found |= {f"key:{name}" for name in target.keys}
    found |= {f"document:{name}" for name in target.documents}
    found |= {f"trigger:{name}" for name in target.trigger.documents}
    optional: Mapping[str, bool] = {
        "trigger": target.trigger.kind != "none",
        "query": target.query.kind != "none",
        "restart": bool(target.hook.restart),
        "kill": bool(target.hook.kill),
    }
    return frozenset(found | {name for name, there in optional.items() if there})
