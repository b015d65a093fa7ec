"""`/v1/recognitions`: a gate asks by what it can read, an agency states what it found."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from api_desk import Desk, Pki, Started
from edge_services import build
from edge_tls import Identity, server_tls
from recognition_crossing import START, Crossing, hours, rule_set

from gateway.api.listener import Listener
from gateway.api.protocol import Bounds
from gateway.flows.recognise import FORMAT
from gateway.flows.services import Recognition
from gateway.model.evidence import canonical, digest
from gateway.recognition.link_model import read_model
from gateway.resources import folder
from gateway.signing.demo_keys import DemoKeys

TRUCK = Crossing()
JSON = {"content-type": "application/json"}
STATEMENTS = "/v1/recognitions/statements"


@pytest.fixture
def gate(
    tmp_path: Path,
    template: Path,
    keys: DemoKeys,
    pki: Pki,
    identities: dict[str, Identity],
    start: Started,
) -> Iterator[Desk]:
    """A desk that recognises, some hours after the truck arrived."""
    house = build(tmp_path, template, keys, identities)
    content = (folder("mappings") / "recognition" / "link-model.toml").read_bytes()
    stating = replace(house.services.agencies["quarantine"], formats=frozenset({FORMAT}))
    services = replace(
        house.services,
        clock=lambda: START + hours(40),
        agencies={**house.services.agencies, "quarantine": stating},
        recognition=Recognition(rule_set(), read_model(content)),
    )
    house = replace(house, services=services)
    app, readiness = house.app()
    tls = server_tls(pki.server, pki.agencies)
    running = start(Listener("agencies", app, ("127.0.0.1", 0), tls, Bounds(linger=0.2)))
    under_test = Desk(house, running, readiness, pki, identities, [])
    yield under_test
    for client in under_test.clients:
        client.close()
    running.stop()
    house.close()


def stated(gate: Desk, *without: str) -> None:
    """Everything that the Vietnamese side says of the truck."""
    client = gate.client("quarantine")
    for name, each in TRUCK.parts().items():
        if each.side == "VN" and name not in without:
            reply = client.post(STATEMENTS, content=canonical(each), headers=JSON)
            assert reply.status_code == 201, reply.text
            assert reply.json() == {"digest": digest(each), "new": True}


def test_a_gate_asks_by_whatever_it_can_read(gate: Desk) -> None:
    stated(gate)
    client = gate.client("customs")
    answers = [
        client.get("/v1/recognitions", params={kind: value}).json()
        for kind, value in {
            "plate": "12c 12345",
            "container": "ZZZU-1234564",
            "seal": "VN000123",
            "certificate": "25/VN/0001",
        }.items()
    ]
    assert all(each == answers[0] for each in answers)
    claims = {each["claim"].rpartition("/")[2]: each for each in answers[0]["claims"]}
    phyto = claims["PHYTO"]
    assert phyto["outcome"] == "PENDING_EVIDENCE"
    assert [(m["code"], m["actor"]) for m in phyto["missing"]] == [("LAB_NOT_RECOGNISED", "ISSUER")]
    assert phyto["proof"]["root"]
    assert digest(TRUCK.certificate) in phyto["proof"]["evidence"]
    assert phyto["agreement"] == "", "nobody asked the other side yet"


def test_words_are_in_the_language_that_was_asked_for(gate: Desk) -> None:
    stated(gate)
    texts = {}
    for lang in ("vi", "zh", "en"):
        reply = gate.client("quarantine", lang).get("/v1/recognitions?plate=12C-123.45")
        (claim,) = [c for c in reply.json()["claims"] if c["claim"].endswith("PHYTO")]
        texts[lang] = (claim["outcome_text"], claim["missing"][0]["text"])
    assert len(set(texts.values())) == 3, texts


def test_a_statement_again_changes_nothing(gate: Desk) -> None:
    client, content = gate.client("quarantine"), canonical(TRUCK.certificate)
    first = client.post(STATEMENTS, content=content, headers=JSON)
    again = client.post(STATEMENTS, content=content, headers=JSON)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {"digest": first.json()["digest"], "new": False}


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "malformed"),
        ("?plate=1&seal=2", 400, "malformed"),
        ("?plate=" + "1" * 65, 400, "malformed"),
    ],
)
def test_questions_that_are_none(gate: Desk, query: str, status: int, code: str) -> None:
    reply = gate.client().get(f"/v1/recognitions{query}")
    assert (reply.status_code, reply.json()["code"]) == (status, code)


def test_what_nobody_knows_is_no_claim(gate: Desk) -> None:
    assert gate.client().get("/v1/recognitions?plate=99X99999").json() == {"claims": []}


def test_who_may_state_and_who_may_ask(gate: Desk) -> None:
    content = canonical(TRUCK.certificate)
    refused = gate.client("customs").post(STATEMENTS, content=content, headers=JSON)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    reply = gate.client("other").get("/v1/recognitions?plate=1")
    role = gate.house.services.agencies["other"].role
    assert (reply.status_code == 200) is (role in {"customs", "quarantine", "border-guard"})


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "malformed"),
        (b"{", "malformed"),
        (b"[" * 5000, "schema-invalid"),
        (b"{}", "schema-invalid"),
        (canonical(TRUCK.weighed()), "party-mismatch"),
    ],
    ids=["empty", "half", "deep", "object", "of the other side"],
)
def test_statements_that_are_none(gate: Desk, content: bytes, code: str) -> None:
    reply = gate.client("quarantine").post(STATEMENTS, content=content, headers=JSON)
    assert reply.json()["code"] == code, reply.text
    assert reply.status_code in (400, 403, 422)


def test_the_wrong_method_names_the_right_one(gate: Desk) -> None:
    reply = gate.client().delete("/v1/recognitions")
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET")


def test_without_rules_there_is_no_answer(desk: Desk) -> None:
    reply = desk.client().get("/v1/recognitions?plate=1")
    assert (reply.status_code, reply.json()["code"]) == (503, "unavailable")
