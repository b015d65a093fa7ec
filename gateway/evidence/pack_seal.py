"""Seal, cosign and judge a bilateral pack. Pure.

1 sides      both parties signed, each with a pack key that is trusted now
2 content    read strictly
3 parties    we and our counterpart, nobody else
4 time       begun and not over
5 version    higher than the one in force; the same one only with the same octets
6 tables     what it names is what is installed
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cryptography import x509

from gateway.errors import Finding, TrustError, refusal
from gateway.evidence.pack import TYPE, Pack, Party, read_pack
from gateway.signing.dsse import add_signature, payload_of, sign_statement, verify_cosigned
from gateway.signing.keys import Signer, fingerprint
from gateway.signing.profiles import PROFILES, SignatureProfile, profile
from gateway.signing.trust import PinnedKey, TrustPolicy, is_demo
from gateway.signing.trust import Usage as KeyUsage
from gateway.signing.windows import longest_overlap


@dataclass(frozen=True, slots=True)
class InForce:
    """The pack that was applied last. digest: hex SHA-256 of its payload."""

    version: int
    digest: str


@dataclass(frozen=True, slots=True)
class Sides:
    """The two parties of a gateway, and whose pack keys are believed. demo: keys of the demo
    are."""

    us: str
    them: str
    ours: TrustPolicy
    theirs: TrustPolicy
    demo: bool = False


def digest_of(payload: bytes) -> str:
    """Return hex SHA-256 of a payload: what is recorded as applied."""
    return hashlib.sha256(payload).hexdigest()


def seal(payload: bytes, signer: Signer) -> bytes:
    """Return the envelope of a payload with the first signature."""
    read_pack(payload)
    return sign_statement(TYPE, payload, [signer])


def cosign(content: bytes, signer: Signer) -> bytes:
    """Return an envelope with one more signature; what it holds must be a pack."""
    payload(content)
    return add_signature(content, signer)


def payload(content: bytes) -> bytes:
    """Return the payload of an envelope without verifying anything: for showing it, and for
    signing it. TrustError `signature-invalid` when it is no envelope of a pack."""
    kind, octets = payload_of(content)
    if kind != TYPE:
        finding = Finding("signature-invalid", "pack-type", "payloadType", kind[:100], TYPE)
        raise TrustError("signature-invalid", finding)
    return octets


def opened(content: bytes, sides: Sides, at: datetime) -> Pack:
    """Return a pack that both sides signed.

    TrustError `signature-missing` (rule `pack-one-sided`, or `no-known-key` for both), what
    the policies say of the keys; DocumentError as `read_pack`.
    """
    octets = payload(content)
    ours = _signed(content, sides.ours, at)
    theirs = _signed(content, sides.theirs, at)
    if ours is None and theirs is None:
        raise TrustError("signature-missing", Finding("signature-missing", "no-known-key", "pack"))
    if ours is None or theirs is None:
        missing, there = (sides.us, sides.them) if ours is None else (sides.them, sides.us)
        finding = Finding("signature-missing", "pack-one-sided", "pack", there, missing)
        raise TrustError("signature-missing", finding)
    return read_pack(octets)


def _signed(content: bytes, policy: TrustPolicy, at: datetime) -> tuple[str, ...] | None:
    try:
        return verify_cosigned(content, policy, at).parties
    except TrustError as failure:
        if failure.code == "signature-missing":
            return None
        raise


def judge(
    pack: Pack,
    sides: Sides,
    now: datetime,
    installed: Mapping[str, str],
    in_force: InForce | None,
    digest: str,
) -> None:
    """Return when a pack may be applied now; else raise with all findings.

    installed: name -> hex SHA-256 of mapping tables (`map:`) and code lists (`list:`).
    """
    findings = [
        *_parties(pack, sides),
        *([] if sides.demo else _demo(pack)),
        *_keys(pack, demo=sides.demo),
        *_time(pack, now),
        *_version(pack, in_force, digest),
        *tables(pack, installed),
    ]
    if failure := refusal(findings):
        raise failure


def _parties(pack: Pack, sides: Sides) -> Iterator[Finding]:
    named = {party.name for party in pack.parties}
    if named != {sides.us, sides.them}:
        expected = f"{sides.us} {sides.them}"
        found = " ".join(sorted(named))
        yield Finding("party-mismatch", "pack-not-ours", "parties", found, expected)


def _demo(pack: Pack) -> Iterator[Finding]:
    """TLS keys and the profile; what the others are, `_keys` asks the policy."""
    for party in pack.parties:
        if PROFILES[party.signature].demo:
            place = f"parties.{party.name}.signature"
            yield Finding("algorithm-not-allowed", "pack-profile", place, party.signature)
        for each in party.certificates:
            if is_demo(x509.load_der_x509_certificate(each.octets)):
                yield Finding("signer-untrusted", "demo-key", each.usage, each.fingerprint)


def _keys(pack: Pack, *, demo: bool) -> Iterator[Finding]:
    """Each signing key would be believed at the beginning of its window, and two of one usage
    are good side by side no longer than is agreed."""
    for party in pack.parties:
        stated, shape = pins(pack, party), profile(party.signature, party.legacy_signatures)
        shape = replace(shape, demo=demo or shape.demo)
        for pin in stated:
            yield from _believed(shape, pin, f"parties.{party.name}.{pin.usage}")
        shared, usage = longest_overlap(stated)
        if shared > timedelta(seconds=pack.limits.overlap):
            found, expected = f"{usage}: {shared.days} days", f"{pack.limits.overlap} s"
            yield Finding("rule-broken", "pin-overlap", f"parties.{party.name}", found, expected)


def _believed(shape: SignatureProfile, pin: PinnedKey, place: str) -> Iterator[Finding]:
    policy, name = TrustPolicy.of(shape, pin.usage, [pin]), fingerprint(pin.certificate)
    begins = x509.load_der_x509_certificate(pin.certificate).not_valid_before_utc
    try:
        policy.key(name, max(begins, pin.not_before or begins), policy.method_of(name))
    except TrustError as failure:
        yield from (replace(finding, path=place) for finding in failure.findings)


def _time(pack: Pack, now: datetime) -> Iterator[Finding]:
    if now >= pack.valid_to:
        yield Finding("stale", "pack-expired", "validTo", pack.valid_to.isoformat())
    if now < pack.valid_from:
        yield Finding("future-dated", "pack-not-yet", "validFrom", pack.valid_from.isoformat())


def _version(pack: Pack, in_force: InForce | None, digest: str) -> Iterator[Finding]:
    if in_force is None or pack.version > in_force.version:
        return
    found, expected = str(pack.version), f"{in_force.version} is in force"
    if pack.version < in_force.version:
        yield Finding("stale", "pack-older", "version", found, expected)
    elif digest != in_force.digest:
        yield Finding("id-conflict", "pack-version", "version", found, expected)


def tables(pack: Pack, installed: Mapping[str, str]) -> Iterator[Finding]:
    """Say which tables and lists are not installed as a pack names them."""
    named = [(f"map:{table.name}", table.digest) for table in pack.mappings]
    named += [(f"list:{table.name}", table.digest) for table in pack.code_lists]
    for name, digest in named:
        found = installed.get(name)
        if found != digest:
            there = found[:16] if found else "-"
            yield Finding("version-unsupported", "pack-table", name, there, digest[:16])


def pins(pack: Pack, party: Party) -> Sequence[PinnedKey]:
    """Return the keys of a party as the pack pins them: no longer than the pack is good."""
    usages = set(KeyUsage)
    return [
        PinnedKey(
            base64.b64decode(each.der),
            party.name,
            KeyUsage(each.usage),
            max(each.not_before or pack.valid_from, pack.valid_from),
            min(each.not_after or pack.valid_to, pack.valid_to),
        )
        for each in party.certificates
        if each.usage in usages
    ]
