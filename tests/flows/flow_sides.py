"""Two gateways in one process: real stores, real keys, real tables; only the wire between them
is a function call (`Wire`), which can be told to fail."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uuid_utils

from gateway import store
from gateway.codec.gates import Gates
from gateway.errors import CounterpartError, UnavailableError
from gateway.flows import deliver, distribute, seal
from gateway.flows.ports import LinkAnswer
from gateway.flows.receive import receive
from gateway.flows.retry import Dead, Done, Retry
from gateway.flows.routes import Routes
from gateway.flows.services import Agency, Counterpart, Delivery, Services
from gateway.model.states import TaskKind
from gateway.resources import folder
from gateway.signing import demo_keys
from gateway.signing.keys import load_certificate, load_signer
from gateway.signing.profiles import profile
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage

NOW = datetime(2026, 5, 14, 1, 15, 12, 345000, tzinfo=UTC)
NAMES = {"vn": "vn", "cn": "cn"}
SAMPLES = Path(__file__).parent.parent / "samples"


@dataclass
class Clock:
    """A clock that tests move."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at


@dataclass
class Wire:
    """Carries bytes to the other gateway, and to agencies that keep what they get."""

    peers: dict[str, Callable[[bytes], LinkAnswer]] = field(default_factory=dict)
    taken: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)
    sent: list[tuple[str, bytes]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    lose_answers: int = 0

    def post(
        self, destination: str, body: bytes, media_type: str, headers: Mapping[str, str]
    ) -> LinkAnswer:
        if destination in self.broken:
            raise CounterpartError("unreachable")
        self.sent.append((destination, body))
        if destination not in self.peers:
            self.taken.append((destination, body, headers))
            return LinkAnswer(204, b"")
        answer = self.peers[destination](body)
        if self.lose_answers:
            self.lose_answers -= 1
            raise CounterpartError("timed-out")
        return answer


@dataclass
class Side:
    """One gateway."""

    services: Services
    wire: Wire
    clock: Clock

    def work(self, most: int = 200) -> int:
        """Run tasks until none is due; return how many ran."""
        run = {
            TaskKind.SEND: deliver.send,
            TaskKind.HAND_OVER: deliver.hand_over,
            TaskKind.DISTRIBUTE: distribute.distribute,
            TaskKind.SEAL: seal.seal,
        }
        count = 0
        while count < most:
            now = self.clock()
            until = now + timedelta(minutes=1)
            tasks = self.services.store.commit(
                lambda tx, at=now, end=until: tx.lease("w", at, end, 8)
            )
            if not tasks:
                return count
            for task in tasks:
                count += 1
                outcome = run[task.kind](self.services, task)
                self._settle(task.id, outcome)
        raise AssertionError("the queue never empties")

    def _settle(self, task_id: int, outcome: Done | Retry | Dead) -> None:
        def work(tx):
            if isinstance(outcome, Done):
                return tx.complete(task_id, "w")
            if isinstance(outcome, Retry):
                return tx.postpone(task_id, "w", outcome.at, str(outcome.error))
            return tx.bury(task_id, "w", str(outcome.error))

        assert self.services.store.commit(work)


def policy(keys: demo_keys.DemoKeys, side: str, usage: Usage) -> TrustPolicy:
    file = keys.leaves[f"{side}/{usage.value}"].certificate
    pinned = PinnedKey(load_certificate(file.read_bytes()), NAMES[side], usage)
    return TrustPolicy.of(profile("demo"), usage, [pinned])


AGENCIES = {
    "vn": Agency(
        "customs",
        "customs",
        frozenset({"vn.vnaccs.tor", "vn.vnaccs.eda", "vn.langson.registration"}),
        deliver=Delivery(
            "vn-customs", frozenset({"vn.vnsw.answer", "vn.vnaccs.tir", "canonical.manifest"})
        ),
        disclose=frozenset({"crew", "contact", "communications"}),
    ),
    "cn": Agency(
        "customs",
        "customs",
        frozenset({"cn.mt2401", "cn.mt4402", "cn.response"}),
        deliver=Delivery("cn-customs", frozenset({"cn.mt1401", "cn.mt4401"})),
    ),
}
PROFILES = {
    "vn": {
        "senderId": "7208990000001_DXPESW0000000001",
        "receiverId": "EPORT",
        "representative": "凭祥示例物流有限公司",
        "procedureCode": "RD06",
    },
    "cn": {},
}


def side_of(name, other, keys, formats, clock, wire, path) -> Side:
    def signer(usage: str):
        files = keys.leaves[f"{name}/{usage}"]
        return load_signer(files.key, files.certificate, None)

    counterpart = Counterpart(
        name=NAMES[other],
        destination=other,
        messages=policy(keys, other, Usage.MESSAGE),
        receipts=policy(keys, other, Usage.RECEIPT),
        profile=PROFILES[name],
        disclose=frozenset({"crew.names", "crew.filing", "communications", "contact"}),
    )
    url = f"sqlite:///{path}"
    store.upgrade(url)
    services = Services(
        side=name,
        name=NAMES[name],
        store=store.open(url),
        link=wire,
        formats=formats,
        gates=Gates.load(folder("mappings"), NOW.date()),
        routes=Routes.load(folder("mappings")),
        clock=clock,
        ids=lambda: str(uuid_utils.uuid7()),
        randomness=os.urandom,
        message_signer=signer("message"),
        receipt_signer=signer("receipt"),
        statement_signer=signer("statement"),
        head_signer=signer("head"),
        pack_signer=signer("pack"),
        counterparts={NAMES[other]: counterpart},
        agencies={"customs": AGENCIES[name], "operator": Agency("operator", "operator")},
    )
    return Side(services, wire, clock)


def peer(services: Services, caller: str) -> Callable[[bytes], LinkAnswer]:
    def post(body: bytes) -> LinkAnswer:
        try:
            answer = receive(services, caller, body)
        except UnavailableError as error:
            return LinkAnswer(503, b"", error.retry_after)
        return LinkAnswer(200 if answer.ok else 422, answer.content, answer.retry_after)

    return post
