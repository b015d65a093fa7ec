"""The keys of one side are in a token, and the token goes away: nothing is accepted on the
link, agencies are served, and all of it is made up for, in order, when the token is back."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from flow_sides import NAMES, NOW, Side, peer
from softhsm import MODULE, PIN, SoftHsm, soft_hsm

from gateway.errors import UnavailableError
from gateway.flows.ports import Message
from gateway.flows.receive import receive
from gateway.flows.signers import SignerWatch, our_signers
from gateway.flows.submit import Upload, submit
from gateway.model.parameters import Parameters
from gateway.model.states import MessageKind, MessageState
from gateway.signing.issue import KeyKind, Purpose, Subject, leaf
from gateway.signing.pkcs11 import TokenSigner, token_signer
from gateway.signing.pkcs11_keys import make_key
from gateway.signing.pkcs11_token import KeyRef, Token
from gateway.signing.profiles import profile
from gateway.signing.trust import DEMO_UNIT, PinnedKey, TrustPolicy, Usage

SAMPLES = Path(__file__).parent.parent / "samples"


class Hsm:
    """The token of a side."""

    def __init__(self, hsm: SoftHsm, name: str, folder: Path) -> None:
        self._hsm, self._name, self._folder = hsm, name, folder
        hsm.new(name)
        self.token = Token(MODULE, name, lambda: PIN.encode(), pause=0.0)

    def signer(self, usage: Usage) -> TokenSigner:
        ref = KeyRef(usage.value)
        key = make_key(self.token, ref, KeyKind.P256)
        subject = Subject("VN", "Test", DEMO_UNIT, usage.value)
        file = self._folder / f"{usage}.pem"
        file.write_bytes(leaf(subject, Purpose(usage), NOW - timedelta(1), 90, key=key).pem)
        return token_signer(self.token, ref, file)

    def leave(self) -> None:
        self._hsm.take_away(self._name)

    def come_back(self) -> None:
        self._hsm.put_back(self._name)


@pytest.fixture
def hsm(sides: dict[str, Side], tmp_path: Path, request: pytest.FixtureRequest) -> Hsm:
    """Put the keys of side vn into a token; cn pins their certificates."""
    made = Hsm(soft_hsm(), f"f{abs(hash(request.node.nodeid)) % 10**9}", tmp_path)
    vn, cn = sides["vn"], sides["cn"]
    signers = {usage: made.signer(usage) for usage in Usage}
    vn.services = replace(
        vn.services,
        message_signer=signers[Usage.MESSAGE],
        receipt_signer=signers[Usage.RECEIPT],
        statement_signer=signers[Usage.STATEMENT],
        head_signer=signers[Usage.HEAD],
        pack_signer=signers[Usage.PACK],
    )
    known = replace(
        cn.services.counterparts["vn"],
        messages=policy(signers[Usage.MESSAGE], Usage.MESSAGE),
        receipts=policy(signers[Usage.RECEIPT], Usage.RECEIPT),
    )
    cn.services = replace(cn.services, counterparts={"vn": known})
    vn.wire.peers["vn"] = peer(vn.services, NAMES["cn"])
    vn.wire.peers["cn"] = peer(cn.services, NAMES["vn"])
    return made


def policy(signer: TokenSigner, usage: Usage) -> TrustPolicy:
    pin = PinnedKey(signer.certificate, "vn", usage)
    return TrustPolicy.of(profile("demo"), usage, [pin])


def hand_in(side: Side, sample: str, *names: str) -> str:
    folder = SAMPLES / sample
    stated = (folder / "parameters.json").read_bytes()
    uploads = [Upload(name, (folder / name).read_bytes()) for name in names]
    customs = side.services.agencies["customs"]
    parameters = msgspec.json.decode(stated, type=Parameters)
    return submit(side.services, customs, uploads, parameters).conversation_id


def found(side: Side, kind: MessageKind) -> tuple[Message, ...]:
    page = side.services.store.read(lambda tx: tx.search(kind=kind))
    return tuple(reversed(page.messages))


def events(side: Side, message: Message) -> list[str]:
    return [e.code for e in side.services.store.read(lambda tx: tx.events(message.id))]


def later(sides: dict[str, Side]) -> None:
    """Let the pauses of the retries pass."""
    sides["vn"].clock.at += timedelta(minutes=1)
    while sides["vn"].work() + sides["cn"].work():
        pass


def test_a_crossing_signed_by_a_token_goes_end_to_end(sides: dict[str, Side], hsm: Hsm) -> None:
    hand_in(sides["vn"], "dragon-fruit", "tor.edi", "eda-1.edi", "eda-2.edi")
    later(sides)
    sent = found(sides["vn"], MessageKind.OUTBOUND)
    assert [m.state for m in sent] == [MessageState.RECEIPTED] * 2
    assert {m.external_id for m in found(sides["cn"], MessageKind.INBOUND)} == {m.id for m in sent}


@pytest.mark.proves(
    attack="no signer while agencies hand in documents",
    code="-",
    behaviour="the submission commits unsigned; the worker signs and sends it in order when "
    "the signer is back, without a restart",
)
def test_submissions_commit_without_a_signer_and_are_signed_later_in_order(
    sides: dict[str, Side], hsm: Hsm
) -> None:
    vn, cn = sides["vn"], sides["cn"]
    hsm.leave()
    hand_in(vn, "dragon-fruit", "tor.edi", "eda-1.edi", "eda-2.edi")
    for _ in range(3):
        later(sides)
    queued = found(vn, MessageKind.OUTBOUND)
    assert [m.state for m in queued] == [MessageState.QUEUED] * 2
    for message in queued:
        assert vn.services.store.read(lambda tx, m=message: tx.content(m.id, "wire")) is None
    assert events(vn, queued[0]).count("retry") >= 3
    assert found(cn, MessageKind.INBOUND) == ()
    hsm.come_back()
    later(sides)
    sent = found(vn, MessageKind.OUTBOUND)
    assert [m.state for m in sent] == [MessageState.RECEIPTED] * 2
    assert events(vn, sent[0])[-2:] == ["signed", "receipted"]
    for key in {m.order_key for m in sent}:
        taken = [m.sequence for m in found(cn, MessageKind.INBOUND) if m.order_key == key]
        assert taken == sorted(taken) == [m.sequence for m in sent if m.order_key == key]


@pytest.mark.proves(
    attack="no signer while the counterpart sends",
    code="unavailable",
    behaviour="nothing is accepted and nothing stored; the sender is told when to come again, "
    "and its retry is accepted once the signer is back",
)
def test_without_a_signer_nothing_is_accepted_on_the_link(sides: dict[str, Side], hsm: Hsm) -> None:
    vn, cn = sides["vn"], sides["cn"]
    hand_in(cn, "electronics", "mt2401.xml")
    hsm.leave()
    later(sides)
    (waiting,) = found(cn, MessageKind.OUTBOUND)
    assert waiting.state is MessageState.QUEUED
    wire = cn.services.store.read(lambda tx: tx.content(waiting.id, "wire"))
    assert wire is not None
    for body in (wire, b"<not-signed/>"):
        with pytest.raises(UnavailableError) as caught:
            receive(vn.services, "cn", body)
        assert caught.value.retry_after
    assert found(vn, MessageKind.INBOUND) == ()
    hsm.come_back()
    later(sides)
    assert [m.state for m in found(cn, MessageKind.OUTBOUND)] == [MessageState.RECEIPTED]
    assert len(found(vn, MessageKind.INBOUND)) == 1


def test_a_known_message_gets_its_stored_receipt_without_a_signer(
    sides: dict[str, Side], hsm: Hsm
) -> None:
    vn, cn = sides["vn"], sides["cn"]
    hand_in(cn, "electronics", "mt2401.xml")
    later(sides)
    (sent,) = found(cn, MessageKind.OUTBOUND)
    wire = cn.services.store.read(lambda tx: tx.content(sent.id, "wire"))
    assert wire is not None
    hsm.leave()
    assert receive(vn.services, "cn", wire).ok


def test_the_watch_says_which_keys_cannot_sign(sides: dict[str, Side], hsm: Hsm) -> None:
    vn = sides["vn"]
    watch = SignerWatch(our_signers(vn.services), vn.clock)
    assert watch.purposes == ("message", "receipt", "statement", "head", "pack")
    assert watch.down() == {}
    hsm.leave()
    assert watch.down() == {}  # an answer counts for a few seconds
    vn.clock.at += timedelta(seconds=6)
    assert {purpose: f.rule for purpose, f in watch.down().items()} == dict.fromkeys(
        watch.purposes, "hsm"
    )
    hsm.come_back()
    vn.clock.at += timedelta(seconds=6)
    assert watch.down() == {}
