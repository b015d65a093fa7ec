"""Folders of the recognition commands: rule sets, statements, receipts."""

import base64
import binascii
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gateway.errors import DocumentError, Finding, GatewayError, TrustError

if TYPE_CHECKING:
    from gateway.model.evidence import Evidence
    from gateway.recognition.receipt import Receipt
    from gateway.recognition.ruleset import RuleSet
    from gateway.recognition.situation import Situation
    from gateway.signing.trust import TrustPolicy

MOST_FILES = 10_000
"""Statements that one claim may have; a folder has no more."""


def read_rules(folder: Path, certs: list[Path], *, allow_unsigned: bool) -> "RuleSet":
    """Return the rule set of a folder: the signed one, or its files when that is allowed.

    TrustError when it is not signed by each of the certificates, or by nobody.
    """
    from gateway.recognition.load import ENVELOPE, load, open_rules

    files = {file.name: file.read_bytes() for file in _files(folder)}
    if ENVELOPE in files and (certs or not allow_unsigned):
        from gateway.bootstrap.outside import clock

        names = [file.name for file in certs]
        return open_rules(files[ENVELOPE], _policy(certs), clock(), names)
    if not allow_unsigned:
        finding = Finding("signature-missing", "ruleset-unsigned", folder.name)
        raise TrustError("signature-missing", finding)
    files.pop(ENVELOPE, None)
    return load(files)


def read_evidence_folder(folder: Path) -> "Situation":
    """Return the statements of all *.json of a folder, linked with the table that ships.

    A file holds one statement, or a list. DocumentError with the findings of all files.
    """
    from gateway.flows.recognition_pool import needed
    from gateway.recognition.link import link
    from gateway.recognition.link_model import read_model
    from gateway.recognition.situation import Situation
    from gateway.resources import folder as resource

    statements: list[Evidence] = []
    findings: list[Finding] = []
    for file in _files(folder):
        if file.suffix == ".json":
            try:
                statements += list(_statements(file.read_bytes()))
            except GatewayError as failure:
                findings += [
                    Finding(f.code, f.rule, f"{file.name} {f.path}") for f in failure.findings
                ]
    if findings:
        raise DocumentError(findings[0].code, *findings)
    pool = Situation.of(statements).pool
    model = read_model((resource("mappings") / "recognition" / "link-model.toml").read_bytes())
    return Situation.of([*pool.values(), *needed(pool, link(pool, model), model)])


def read_receipt_file(file: Path, certs: list[Path]) -> "tuple[Receipt, bool]":
    """Return a receipt, and whether its signature was verified."""
    from gateway.bootstrap.outside import clock
    from gateway.cli import talk
    from gateway.recognition.receipt import open_receipt, read_receipt

    content = talk.read(file)
    envelope = _json(content)
    if not isinstance(envelope, dict) or "payloadType" not in envelope:
        return read_receipt(content), False
    if certs:
        return open_receipt(content, _policy(certs), clock()), True
    return read_receipt(_unverified(str(envelope.get("payload", "")))), False


def _unverified(payload: str) -> bytes:
    """Return the payload of an envelope whose signature nobody judged; b"" for nonsense."""
    try:
        return base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise typer.BadParameter(f"{folder}: no such folder")
    found = sorted(file for file in folder.iterdir() if file.is_file())
    if len(found) > MOST_FILES:
        raise typer.BadParameter(f"{folder}: more than {MOST_FILES} files")
    return found


def _statements(content: bytes) -> "Iterator[Evidence]":
    from gateway.model.evidence import read_evidence

    read = _json(content)
    if isinstance(read, list):
        for each in read:
            yield read_evidence(json.dumps(each, ensure_ascii=False).encode())
    else:
        yield read_evidence(content)


def _json(content: bytes) -> object:
    try:
        return json.loads(content, parse_float=str)
    except (ValueError, RecursionError):
        raise DocumentError("malformed", Finding("malformed", "evidence")) from None


def _policy(certs: list[Path]) -> "TrustPolicy":
    from gateway.bootstrap.parts import certificate
    from gateway.signing.profiles import profile
    from gateway.signing.trust import PinnedKey, TrustPolicy, Usage

    pinned = [PinnedKey(certificate(file), file.name, Usage.STATEMENT) for file in certs]
    return TrustPolicy.of(profile("link-ecdsa-p256"), Usage.STATEMENT, pinned)
