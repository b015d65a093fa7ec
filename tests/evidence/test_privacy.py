"""Personal values stay in documents: never in logs, timelines, evidence, figures, errors."""

import contextlib
import io
import json
import re
from collections.abc import Iterator

import pytest
import structlog
from evidence_world import SAMPLES, close_log, exchange
from prometheus_client import CollectorRegistry, generate_latest

from gateway.api.metrics import Backlog
from gateway.api.metrics_log import LogFigures
from gateway.bootstrap import logs
from gateway.errors import GatewayError
from gateway.flows.receive import receive
from gateway.flows.submit import Upload, submit
from gateway.model.parameters import Parameters
from gateway.model.states import TaskKind
from gateway.worker import Worker

SAMPLE = {  # what stands in the samples -> what is planted
    b"NGUYEN VAN MAU": b"HOANG PLANT AB",
    b"TRAN VAN MAU": b"LE PLANT ABC",
    b"C0000001": b"Q7654321",
    b"C0000002": b"Q7654322",
    b"0771-0000001": b"0771-9876543",
    b"1 PHO MAU": b"9 PLANTED",
}
PLANTED = tuple(value.decode() for value in SAMPLE.values())


def planted(content: bytes) -> bytes:
    for old, new in SAMPLE.items():
        content = content.replace(old, new)
    return content


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the program logs, at the most talkative level."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    logs.configure("debug")
    yield stream
    structlog.reset_defaults()


def hand_in_planted(side):
    folder = SAMPLES / "dragon-fruit"
    names = ("tor.edi", "eda-1.edi", "eda-2.edi")
    uploads = [Upload(name, planted((folder / name).read_bytes())) for name in names]
    parameters = planted((folder / "parameters.json").read_bytes())
    import msgspec

    stated = msgspec.json.decode(parameters, type=Parameters)
    return submit(side.services, side.services.agencies["customs"], uploads, stated, "key-1")


def worked(side) -> None:
    """Let a real worker of the side take its tasks, so that its log lines are written."""
    from functools import partial

    from gateway.flows import deliver, distribute, seal

    services = side.services
    runs = {
        TaskKind.SEND: partial(deliver.send, services),
        TaskKind.HAND_OVER: partial(deliver.hand_over, services),
        TaskKind.DISTRIBUTE: partial(distribute.distribute, services),
        TaskKind.SEAL: partial(seal.seal, services),
    }
    worker = Worker(
        services.store,
        runs,
        [],
        clock=services.clock,
        ids=services.ids,
        randomness=services.randomness,
        destinations=["cn", "vn"],
    )
    while worker.turn():
        assert worker.settled(30)
    worker.close(30)


def tables(side, *names: str) -> str:
    def read(tx) -> str:
        found = []
        for name in names:
            for row in tx.connection.exec_driver_sql(f"SELECT * FROM {name}"):
                found.append(
                    repr([bytes(v).decode("latin-1") if isinstance(v, bytes) else v for v in row])
                )
        return "\n".join(found)

    return side.services.store.read(read)


@pytest.mark.proves(
    attack="Personal values leak into logs, timelines, evidence, refusals or metrics",
    code="-",
    behaviour="They stay in documents; an exchange with planted values shows none elsewhere",
)
def test_a_whole_exchange_with_planted_values(sides, tsa, written):
    vn, cn = sides["vn"], sides["cn"]
    done = hand_in_planted(vn)
    for _ in range(4):
        worked(vn)
        worked(cn)
    sent = [body for to, body in vn.wire.sent if to == "cn"]
    assert len(sent) == 2
    vn.wire.broken.add("cn")  # failures have words too
    broken = planted((SAMPLES / "dragon-fruit" / "tor.edi").read_bytes())
    refusals = []
    for content in (broken.replace(b"VNHUGT", b"VNXXXX"), broken[:-300], b"\xff" + broken):
        with contextlib.suppress(GatewayError):
            submit(
                vn.services, vn.services.agencies["customs"], [Upload("x", content)], Parameters()
            )
    for body in sent:
        changed = body.replace(b"5100260514001", b"5100260514002")
        refusals.append(receive(cn.services, "vn", changed))
    sides = close_log(sides, tsa)
    assert all(refusal.code for refusal in refusals)
    places = {
        "log": written.getvalue(),
        "refusals": repr([refusal.content for refusal in refusals]),
    }
    for name, side in sides.items():
        registry = CollectorRegistry()
        registry.register(Backlog(side.services.store, side.services.clock))
        registry.register(LogFigures(side.services.store, side.services.clock))
        places[f"{name} figures"] = generate_latest(registry).decode()
        places[f"{name} tables"] = tables(
            side, "message", "message_key", "event", "evidence", "task", "lane", "status",
            "allocation", "idempotency", "half", "half_key", "log_head",
        )  # fmt: skip
    assert '"event": "task"' in places["log"] or '"task"' in places["log"]
    assert len(places["vn tables"]) > 5000
    for place, text in places.items():
        for value in PLANTED:
            assert value not in text, (place, value)
    original = vn.services.store.read(lambda tx: tx.content(done.messages[0], "original"))
    assert PLANTED[0].encode() in original, "they were there"


def test_evidence_says_nothing_but_ids_codes_and_digests(sides):
    """The words that entries use are few: a new one must be thought about here."""
    exchange(sides)
    known = {
        "agency", "answer", "at", "by", "code", "conversation", "day", "detail", "digest",
        "documents", "event", "external", "from", "function", "key", "keys", "kind", "message",
        "message-kind", "order", "party", "peer", "purpose", "reason", "ref", "refused", "roles",
        "rule", "sequence", "state", "test", "type", "version",
    }  # fmt: skip
    for side in sides.values():
        rows = side.services.store.read(lambda tx: tx.scan_evidence(0, 1000))
        assert len(rows) > 8
        for row in rows:
            said = json.loads(row.entry)
            assert said.keys() <= known, said
            for value in said.get("documents", {}).values():
                assert re.fullmatch("[0-9a-f]{64}", value)
