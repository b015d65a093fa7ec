"""Settings become the parts of evidence: the vault, the pace of heads, chores."""

from functools import partial
from pathlib import Path

from gateway.bootstrap import outside
from gateway.bootstrap.signers import token
from gateway.errors import Finding, UnavailableError
from gateway.evidence.heads import Pace
from gateway.flows.chores import Chore
from gateway.flows.heads import make_head, stamp_heads
from gateway.flows.keys_used import note_keys
from gateway.flows.prune import Keep, prune
from gateway.flows.sequence import sequence
from gateway.flows.services import Services
from gateway.settings.evidence import AtRestKey
from gateway.settings.sections import Settings
from gateway.signing.wrapping import KeyWrapper, Wrapper
from gateway.store.vault import Vault


def vault(settings: Settings) -> Vault:
    """Return what encrypts payloads; without keys in [at_rest] it stores them in clear.

    UnavailableError `at-rest-key-file` for a file that is no key, `hsm` without [hsm].
    """
    wrappers = {key.id: _wrapper(settings, key) for key in settings.at_rest.key}
    return Vault(wrappers, outside.clock, outside.new_id, outside.randomness)


def pace(settings: Settings) -> Pace:
    """Return when heads are made."""
    stated = settings.evidence
    return Pace(stated.head_every, stated.head_rows, stated.stamped_within)


def keep(settings: Settings) -> Keep:
    """Return how long documents stay."""
    stated = settings.retention
    classes = {
        "document": stated.document,
        "report": stated.report,
        "evidence": stated.evidence,
    }
    return Keep({name: time for name, time in classes.items() if time is not None}, stated.roles)


def chores(services: Services, settings: Settings) -> list[Chore]:
    """List what a node does for the log now and then; each holds a lease of its own."""
    owner, stated = outside.new_id(), settings.evidence
    often = min(stated.head_every, max(stated.head_every / 4, stated.sequence_every))
    return [
        Chore("keys-used", stated.head_every, partial(note_keys, services)),
        Chore("sequence", stated.sequence_every, partial(sequence, services, owner)),
        Chore("heads", often, partial(make_head, services, owner)),
        Chore("stamp-heads", often, partial(stamp_heads, services, owner)),
        Chore(
            "prune",
            settings.retention.prune_every,
            partial(prune, services, keep(settings), owner),
        ),
    ]


def _wrapper(settings: Settings, key: AtRestKey) -> Wrapper:
    if key.file is not None:
        return KeyWrapper(_key(key.file), outside.randomness)
    from gateway.signing.pkcs11_token import KeyRef
    from gateway.signing.pkcs11_wrap import TokenWrapper

    if settings.hsm is None:
        raise UnavailableError("unavailable", Finding("unavailable", "hsm", f"at_rest {key.id}"))
    return TokenWrapper(token(settings.hsm), KeyRef(key.label), outside.randomness)


def make_wrapping_key(settings: Settings, label: str) -> None:
    """Make a key for [[at_rest.key]] in the token of [hsm]. StateError `conflict`;
    UnavailableError."""
    from gateway.signing import pkcs11_wrap
    from gateway.signing.pkcs11_token import KeyRef

    if settings.hsm is None:
        raise UnavailableError("unavailable", Finding("unavailable", "hsm", "[hsm]"))
    pkcs11_wrap.make_wrapping_key(token(settings.hsm), KeyRef(label))


def _key(file: Path) -> bytes:
    text = outside.secret(file) or b""
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != 32:
        finding = Finding("unavailable", "at-rest-key-file", str(file), expected="64 hex digits")
        raise UnavailableError("unavailable", finding)
    return key
