"""`GET /v1/messages/{id}/evidence`: one file, for those who may see the message."""

import json

from api_desk import Desk
from edge_services import SAMPLES

from gateway.evidence.bundle_container import read_container

FRUIT = SAMPLES / "dragon-fruit"


def submitted(desk: Desk) -> str:
    names = ("tor.edi", "eda-1.edi", "eda-2.edi")
    parts = [("document", (n, (FRUIT / n).read_bytes(), "text/plain")) for n in names]
    stated = (FRUIT / "parameters.json").read_bytes()
    reply = desk.client().post(
        "/v1/messages", files=[*parts, ("parameters", ("", stated, "application/json"))]
    )
    return str(reply.json()["messages"][0]["id"])


def test_evidence_is_one_file_without_what_the_caller_may_not_read(desk: Desk) -> None:
    message = submitted(desk)
    reply = desk.client().get(f"/v1/messages/{message}/evidence")
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/vnd.etsi.asic-e+zip"
    assert reply.headers["content-disposition"] == f'attachment; filename="{message}.asice"'
    members = read_container(reply.content)
    index = json.loads(members["bundle.json"])
    assert index["subject"] == message
    paths = {(m["kind"], d["role"]): d["path"] for m in index["messages"] for d in m["documents"]}
    assert paths["submission", "original"] is not None, "it handed that in itself"
    assert paths["outbound", "report"] is not None


def test_who_may_not_see_a_message_does_not_learn_that_it_exists(desk: Desk) -> None:
    reply = desk.client().get("/v1/messages/nothing/evidence")
    assert (reply.status_code, reply.json()["code"]) == (404, "not-found")
