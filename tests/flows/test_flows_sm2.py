"""The Chinese side signs with SM2, alone or behind ECDSA; the Vietnamese side with ECDSA.

Messages, receipts and refusals cross in both directions, with the keys that the demo declares.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from flow_sides import NAMES, NOW, SAMPLES, Clock, Side, Wire, peer, side_of

from gateway.flows import query
from gateway.flows.services import Counterpart
from gateway.flows.submit import Upload, submit
from gateway.model.parameters import Parameters
from gateway.safexml import parse
from gateway.signing.demo_keys import SM2_KEYS, DemoKeys, generate
from gateway.signing.issue import KeyKind, Purpose, Subject, leaf
from gateway.signing.keys import key_signer, load_certificate
from gateway.signing.profiles import SignatureProfile, profile
from gateway.signing.sign import PairedSigner
from gateway.signing.trust import DEMO_UNIT, PinnedKey, TrustPolicy, Usage

OURS = profile("demo")
DUAL = replace(profile("link-dual"), demo=True)
LINK_USAGES = (Usage.MESSAGE, Usage.RECEIPT)


@pytest.fixture(scope="module")
def sm2_keys(tmp_path_factory: pytest.TempPathFactory) -> DemoKeys:
    """The demo's declaration, with SM2 for all signing keys of the Chinese side."""
    return generate(tmp_path_factory.mktemp("sm2-keys"), NOW, None, kinds=SM2_KEYS)


def pinned(keys: DemoKeys, usage: Usage) -> PinnedKey:
    file = keys.leaves[f"cn/{usage}"].certificate
    return PinnedKey(load_certificate(file.read_bytes()), NAMES["cn"], usage)


def known_as(side: Side, shape: SignatureProfile, pins: list[PinnedKey]) -> None:
    """Tell the Vietnamese side how the Chinese one signs."""
    (name,) = side.services.counterparts
    told: Counterpart = replace(
        side.services.counterparts[name],
        messages=TrustPolicy.of(shape, Usage.MESSAGE, pins),
        receipts=TrustPolicy.of(shape, Usage.RECEIPT, pins),
        sign_as=OURS,
    )
    side.services = replace(side.services, counterparts={name: told})


def signs_as(side: Side, shape: SignatureProfile, **signers: object) -> None:
    """Tell the Chinese side how it signs itself."""
    (name,) = side.services.counterparts
    told = replace(side.services.counterparts[name], sign_as=shape)
    side.services = replace(side.services, counterparts={name: told}, **signers)


def dual(sides: dict[str, Side], keys: DemoKeys) -> None:
    """Give the Chinese side an SM2 key behind each of its ECDSA keys."""
    services, pins, pairs = sides["cn"].services, [], {}
    for usage in LINK_USAGES:
        subject = Subject("CN", "Test", DEMO_UNIT, f"second {usage}")
        made = leaf(subject, Purpose(usage.value), NOW, 30, kind=KeyKind.SM2)
        first = getattr(services, f"{usage}_signer")
        pairs[f"{usage}_signer"] = PairedSigner(first, key_signer(made.key, made.der))
        pins += [pinned(keys, usage), PinnedKey(made.der, NAMES["cn"], usage)]
    signs_as(sides["cn"], DUAL, **pairs)
    known_as(sides["vn"], DUAL, pins)


@pytest.fixture(params=["sm2", "dual"])
def mixed(request, tmp_path: Path, keys, sm2_keys, formats) -> Iterator[dict[str, Side]]:
    clock, wire = Clock(), Wire()
    used = sm2_keys if request.param == "sm2" else keys
    made = {
        name: side_of(name, other, used, formats, clock, wire, tmp_path / f"{name}.db")
        for name, other in (("vn", "cn"), ("cn", "vn"))
    }
    if request.param == "sm2":
        shape = profile("demo-sm2")
        known_as(made["vn"], shape, [pinned(used, usage) for usage in LINK_USAGES])
        signs_as(made["cn"], shape)
    else:
        dual(made, used)
    for name, other in (("vn", "cn"), ("cn", "vn")):
        wire.peers[name] = peer(made[name].services, NAMES[other])
    yield made
    for side in made.values():
        side.services.store.close()


def hand_in(side: Side, *files: Path) -> str:
    uploads = [Upload(file.name, file.read_bytes()) for file in files]
    stated = files[0].with_name("parameters.json").read_bytes()
    parameters = msgspec.json.decode(stated, type=Parameters)
    return submit(
        side.services, side.services.agencies["customs"], uploads, parameters
    ).conversation_id


def settle(sides: dict[str, Side]) -> None:
    while sides["vn"].work() + sides["cn"].work():
        pass


def states(side: Side, conversation: str) -> set[str]:
    view = query.crossing(side.services, side.services.agencies["customs"], conversation)
    return {f"{m.kind}:{m.document_type}:{m.state}" for m in view.messages}


def methods(content: bytes) -> list[str]:
    found = parse(content).iter("{http://www.w3.org/2000/09/xmldsig#}SignatureMethod")
    return [element.get("Algorithm", "").rpartition("#")[2] for element in found]


def test_a_truck_crosses_between_ecdsa_and_sm2(mixed: dict[str, Side]) -> None:
    folder = SAMPLES / "dragon-fruit"
    conversation = hand_in(
        mixed["vn"], folder / "tor.edi", folder / "eda-1.edi", folder / "eda-2.edi"
    )
    settle(mixed)
    assert {"outbound:cn.mt1401:receipted", "outbound:cn.mt4401:receipted"} <= states(
        mixed["vn"], conversation
    )


def test_the_chinese_side_sends_too(mixed: dict[str, Side]) -> None:
    sent = mixed["cn"].wire.sent
    for name in ("mt2401.xml", "mt4402.xml"):
        upload = Upload(name, (SAMPLES / "electronics" / name).read_bytes())
        services = mixed["cn"].services
        submit(services, services.agencies["customs"], [upload], Parameters())
    settle(mixed)
    theirs = [body for destination, body in sent if destination == "vn"]
    expected = ["sm2-sm3"] if len(methods(theirs[0])) == 1 else ["ecdsa-sha256", "sm2-sm3"]
    assert theirs
    assert all(methods(body) == expected for body in theirs)
    (draft,) = [
        body
        for _, body, headers in mixed["vn"].wire.taken
        if headers["Gateway-Document-Type"] == "vn.vnaccs.tir"
    ]
    assert draft


def test_a_refusal_by_sm2_is_believed(mixed: dict[str, Side]) -> None:
    """The Vietnamese side sends a message that is too old when it arrives."""
    folder = SAMPLES / "dragon-fruit"
    conversation = hand_in(
        mixed["vn"], folder / "tor.edi", folder / "eda-1.edi", folder / "eda-2.edi"
    )
    services = mixed["cn"].services
    object.__setattr__(services, "clock", lambda: NOW.replace(year=NOW.year + 1))
    mixed["vn"].work()
    assert any(":refused" in state for state in states(mixed["vn"], conversation))
