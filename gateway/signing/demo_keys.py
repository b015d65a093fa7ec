"""Generate the keys that keys_example/pki.toml declares: new ones each time, for the demo.

Every certificate carries `trust.DEMO_UNIT`; a policy whose profile is not `demo` refuses it.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gateway.resources import folder
from gateway.signing.issue import Issued, KeyKind, Purpose, Subject, authority, leaf
from gateway.signing.keys import write_key
from gateway.signing.trust import DEMO_UNIT

DECLARED = folder("keys_example") / "pki.toml"

SM2_KEYS: Mapping[str, KeyKind] = {
    f"cn/{name}": KeyKind.SM2
    for name in ("signing", "message", "receipt", "statement", "head", "pack")
}
"""Kinds of keys with which the Chinese side signs with SM2; TLS stays as it is."""


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """Where a private key (PKCS#8 PEM) and its certificate (PEM) are."""

    key: Path
    certificate: Path


@dataclass(frozen=True, slots=True)
class DemoKeys:
    """What was generated. authorities: name -> certificate file. leaves: name -> files, names
    as in pki.toml (`vn/message`)."""

    authorities: Mapping[str, Path]
    leaves: Mapping[str, KeyFiles]


def generate(
    target: Path,
    at: datetime,
    password: bytes | None,
    declared: Path = DECLARED,
    kinds: Mapping[str, KeyKind] = MappingProxyType({}),
) -> DemoKeys:
    """Make all keys and certificates of a declaration below `target`.

    at: the certificates are valid from a day before. password: encrypts the private keys.
    kinds: by name, other kinds of keys than declared.
    Keys of the authorities are not written: nobody can issue more. FileExistsError when keys
    are there already.
    """
    plan = tomllib.loads(declared.read_text(encoding="utf-8"))
    issuers = {
        entry["name"]: authority(
            _subject(entry), *_validity(entry, plan, at), kind=_kind(entry, kinds)
        )
        for entry in plan["authority"]
    }
    roots = {name: _write_authority(target / name, made) for name, made in issuers.items()}
    leaves = {}
    for entry in plan["certificate"]:
        made = leaf(
            _subject(entry),
            Purpose(entry["purpose"]),
            *_validity(entry, plan, at),
            issuer=issuers[entry["issuer"]] if "issuer" in entry else None,
            kind=_kind(entry, kinds),
            hosts=plan["hosts"] if entry["purpose"] == Purpose.TLS_SERVER else (),
        )
        leaves[entry["name"]] = _write_leaf(target / entry["name"], made, password)
    return DemoKeys(roots, leaves)


def _subject(entry: Mapping[str, Any]) -> Subject:
    unit = DEMO_UNIT if entry.get("demo", True) else ""
    return Subject(entry["country"], entry["organisation"], unit, entry["name"])


def _kind(entry: Mapping[str, Any], kinds: Mapping[str, KeyKind]) -> KeyKind:
    return kinds.get(entry["name"]) or KeyKind(entry.get("key", KeyKind.P256))


def _validity(
    entry: Mapping[str, Any], plan: Mapping[str, Any], at: datetime
) -> tuple[datetime, int]:
    start = at + timedelta(days=entry.get("starts", -1))
    return start, entry.get("days", plan["days"])


def _write_authority(path: Path, made: Issued) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.with_name(path.name + ".ca.pem")
    file.write_bytes(made.pem)
    return file


def _write_leaf(path: Path, made: Issued, password: bytes | None) -> KeyFiles:
    path.parent.mkdir(parents=True, exist_ok=True)
    files = KeyFiles(
        path.with_name(path.name + ".key.pem"), path.with_name(path.name + ".cert.pem")
    )
    write_key(made.key, files.key, password)
    files.certificate.write_bytes(made.pem)
    return files
