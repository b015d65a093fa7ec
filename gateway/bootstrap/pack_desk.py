"""What is done with a bilateral pack from the command line, beside a running gateway."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gateway import store as stores
from gateway.bootstrap import evidence, packs, signers
from gateway.bootstrap.outside import clock, randomness
from gateway.bootstrap.parts import store_url
from gateway.errors import Finding, GatewayError, UnavailableError
from gateway.evidence import pack_seal
from gateway.evidence.pack import Pack, read_pack
from gateway.evidence.pack_seal import InForce
from gateway.flows.packs import in_force, take
from gateway.settings import Settings
from gateway.signing.dsse import verify_cosigned


@dataclass(frozen=True, slots=True)
class Proposed:
    """A pack that would be taken now. before: the one in force, as far as its file is there."""

    pack: Pack
    digest: str
    before: Pack | None
    known: InForce | None


def current(settings: Settings) -> tuple[Pack | None, InForce | None]:
    """Return the pack in force as its file says, and what is recorded of it."""
    name, section = packs.counterpart_of(settings)
    with _store(settings) as store:
        known = store.read(lambda tx: in_force(tx, name))
    stated = packs.stated(section)
    fits = stated is not None and known is not None and stated.version == known.version
    return (stated if fits else None), known


def read(content: bytes) -> tuple[Pack, str]:
    """Return a draft or a signed pack, unverified, and the digest of its payload."""
    octets = pack_seal.payload(content) if is_signed(content) else content
    return read_pack(octets), pack_seal.digest_of(octets)


def is_signed(content: bytes) -> bool:
    """Return whether it is an envelope, not a draft."""
    return b'"payloadType"' in content


def judged(settings: Settings, content: bytes) -> Proposed:
    """Return a pack that both sides signed and that would be taken now; else what refuses it."""
    before, known = current(settings)
    sides, now = packs.sides(settings, before), clock()
    pack = pack_seal.opened(content, sides, now)
    digest = pack_seal.digest_of(pack_seal.payload(content))
    pack_seal.judge(pack, sides, now, packs.installed(), known, digest)
    return Proposed(pack, digest, before, known)


def signed(settings: Settings, content: bytes) -> tuple[bytes, Proposed]:
    """Sign a draft, or what the other side signed, when it could be taken at its beginning."""
    key = settings.keys.pack
    if key is None:
        raise UnavailableError("unavailable", Finding("unavailable", "pack-key", "keys.pack"))
    pack, digest = read(content)
    before, known = current(settings)
    begun = max(clock(), pack.valid_from)
    sides = packs.sides(settings, before)
    pack_seal.judge(pack, sides, begun, packs.installed(), known, digest)
    signer = signers.signer(settings, key, signers.our_profile(settings))
    make = pack_seal.cosign if is_signed(content) else pack_seal.seal
    return make(content, signer), Proposed(pack, digest, before, known)


def signatures(settings: Settings, content: bytes) -> dict[str, str]:
    """Return for each party `good`, or the code of what is wrong with its signature."""
    if not is_signed(content):
        return {}
    sides, found = packs.sides(settings, current(settings)[0]), {}
    for party, policy in ((sides.us, sides.ours), (sides.them, sides.theirs)):
        try:
            verify_cosigned(content, policy, clock())
            found[party] = "good"
        except GatewayError as failure:
            found[party] = failure.code
    return found


def apply(settings: Settings, proposed: Proposed, content: bytes) -> None:
    """Record a pack that was judged, then put its file where the settings say: a crash in
    between is mended by applying it again."""
    name, section = packs.counterpart_of(settings)
    if section.pack is None:
        finding = Finding("unavailable", "pack-file", f"counterpart.{name}.pack")
        raise UnavailableError("unavailable", finding)
    with _store(settings) as store:
        take(store, name, proposed.pack, proposed.digest, clock(), randomness)
    packs.write(section.pack, content)


@contextmanager
def _store(settings: Settings) -> Iterator[stores.Store]:
    url = store_url(settings.store)
    if url.startswith("sqlite:"):
        stores.upgrade(url)
    with stores.open(url, vault=evidence.vault(settings)) as opened:
        yield opened
