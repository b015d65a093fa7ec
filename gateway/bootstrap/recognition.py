"""Settings become the parts of mutual recognition: the rule set in force, the chore."""

from datetime import datetime
from functools import partial
from pathlib import Path

from gateway import resources
from gateway.bootstrap import outside, parts
from gateway.errors import Finding, TrustError, UnavailableError
from gateway.flows.chores import Chore
from gateway.flows.recognise_talk import recognise_now
from gateway.flows.services import Recognition, Services
from gateway.recognition.link_model import read_model
from gateway.recognition.load import ENVELOPE, load, open_rules
from gateway.recognition.ruleset import RuleSet
from gateway.settings.recognition import RecognitionSection
from gateway.settings.sections import Settings
from gateway.signing.keys import fingerprint
from gateway.signing.profiles import profile
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage

SHIPPED = "recognition/corridor"
BOTH = 2
"""Signatures of a rule set: each side's."""


def recognition(settings: Settings, at: datetime) -> Recognition | None:
    """Return what decides; None without [recognition].

    TrustError (a rule set that not both sides signed), MappingError (one that contradicts
    itself), UnavailableError (no such folder).
    """
    if settings.recognition is None:
        return None
    mappings = resources.folder("mappings")
    folder = settings.recognition.rules or mappings / SHIPPED
    model = read_model((mappings / "recognition" / "link-model.toml").read_bytes())
    return Recognition(_rules(settings.recognition, _files(folder), at), model)


def _files(folder: Path) -> dict[str, bytes]:
    try:
        return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    except OSError as fault:
        finding = Finding("unavailable", "file", str(folder), found=type(fault).__name__)
        raise UnavailableError("unavailable", finding) from fault


def _rules(stated: RecognitionSection, files: dict[str, bytes], at: datetime) -> RuleSet:
    """Return the signed rule set; the files themselves only where that is allowed."""
    envelope = files.pop(ENVELOPE, None)
    certificates = [parts.certificate(file) for file in stated.certificates]
    if envelope is not None and len(certificates) >= BOTH:
        pins = [PinnedKey(der, fingerprint(der), Usage.STATEMENT) for der in certificates]
        policy = TrustPolicy.of(profile("link-ecdsa-p256"), Usage.STATEMENT, pins)
        return open_rules(envelope, policy, at, [pin.party for pin in pins])
    if not stated.allow_unsigned:
        finding = Finding("signature-missing", "ruleset-unsigned", "recognition.rules")
        raise TrustError("signature-missing", finding)
    return load(files)


def chores(services: Services, settings: Settings) -> list[Chore]:
    """List what a node does for recognition. Nothing without rules, or where a head key is
    missing: ours, or the counterpart's."""
    stated, keyed = settings.recognition, any(c.heads for c in services.counterparts.values())
    if stated is None or services.head_signer is None or not keyed:
        return []
    return [Chore("recognise", stated.every, partial(recognise_now, services, outside.new_id()))]
