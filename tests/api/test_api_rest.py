"""The agencies' interface over TLS, on real flows, real tables and a real store."""

import hashlib
import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from api_desk import Desk
from edge_services import SAMPLES
from edge_tls import PATIENCE, pour, read_reply, request

from gateway.errors import CODES
from gateway.model.states import MessageState

FRUIT = SAMPLES / "dragon-fruit"
TOR = (FRUIT / "tor.edi").read_bytes()
EDA = (FRUIT / "eda-1.edi").read_bytes()
TEXT = {"content-type": "text/plain"}
PLATE, CONTAINER, BATCH = "12C08631", "GWTU1000015", "5100260514001"

Parts = list[tuple[str, tuple[str, bytes, str]]]


def fruit() -> Parts:
    """The dragon-fruit crossing: a truck, two declarations, and what no document holds."""
    names = ("tor.edi", "eda-1.edi", "eda-2.edi")
    parts = [("document", (n, (FRUIT / n).read_bytes(), "text/plain")) for n in names]
    stated = (FRUIT / "parameters.json").read_bytes()
    return [*parts, ("parameters", ("", stated, "application/json"))]


def submitted(client: httpx.Client, **headers: str) -> dict[str, Any]:
    reply = client.post("/v1/messages", files=fruit(), headers=headers)
    assert reply.status_code == 202, reply.text
    return dict(reply.json())


def problem(reply: httpx.Response, status: int, code: str | None) -> dict[str, Any]:
    assert reply.headers["content-type"] == "application/problem+json"
    document = reply.json()
    assert (reply.status_code, document.get("code")) == (status, code), reply.text
    assert document["status"] == status
    assert reply.headers["cache-control"] == "no-store"
    return dict(document)


# submit


def test_a_crossing_is_submitted_followed_and_found(desk: Desk) -> None:
    client = desk.client()
    reply = client.post("/v1/messages", files=fruit())
    done = reply.json()
    assert reply.status_code == 202
    assert (done["state"], done["replayed"], len(done["messages"])) == ("translated", False, 3)
    assert reply.headers["location"] == done["messages"][0]["href"]

    message = client.get(reply.headers["location"]).json()
    assert (message["document_type"], message["kind"]) == ("vn.vnaccs.tor", "submission")
    assert message["timeline"][0]["code"] == "received"
    assert {"kind": "plate", "value": PLATE} in message["keys"]

    crossing = client.get(f"/v1/crossings/{message['conversation_id']}").json()
    kinds = [(each["kind"], each["document_type"]) for each in crossing["messages"]]
    assert kinds == [
        ("submission", "vn.vnaccs.tor"),
        ("submission", "vn.vnaccs.eda"),
        ("submission", "vn.vnaccs.eda"),
        ("outbound", "cn.mt1401"),
        ("outbound", "cn.mt4401"),
    ]


def test_one_document_as_the_raw_body(desk: Desk) -> None:
    client = desk.client()
    reply = client.post("/v1/messages?format=vn.vnaccs.tor", content=TOR, headers=TEXT)
    assert (reply.status_code, reply.json()["state"]) == (202, "waiting")
    original = client.get(reply.headers["location"] + "/documents/original")
    assert original.content == TOR


def test_the_timeline_has_words_in_the_callers_language(desk: Desk) -> None:
    first = submitted(desk.client())["messages"][0]["href"]
    seen = {}
    for lang in ("vi", "zh-CN", "en"):
        reply = desk.client(lang=lang).get(first)
        assert reply.headers["content-language"] == lang[:2]
        seen[lang] = (reply.json()["state_text"], reply.json()["timeline"][0]["text"])
    assert seen == {
        "vi": ("Đã chuyển đổi, đang chờ gửi sang phía đối tác", "Đã nhận chứng từ"),
        "zh-CN": ("已转换，等待发送对方", "已收到单证"),
        "en": (
            "Translated, its messages to the counterpart are queued",
            "The document was received",
        ),
    }


# documents


def test_documents_have_strong_tags_and_are_never_cached(desk: Desk) -> None:
    client = desk.client()
    done = submitted(client)
    crossing = client.get(f"/v1/crossings/{done['conversation_id']}").json()
    outbound = next(m for m in crossing["messages"] if m["document_type"] == "cn.mt1401")
    for entry in client.get(outbound["href"]).json()["documents"]:
        reply = client.get(entry["href"])
        digest = hashlib.sha256(reply.content).hexdigest()
        assert reply.status_code == 200
        assert reply.headers["etag"] == f'"{digest}"'
        assert digest == entry["digest"] or entry["role"] == "canonical"
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["x-content-type-options"] == "nosniff"
        known = {"if-none-match": f'"x", "{digest}"'}
        again = client.get(entry["href"], headers=known)
        assert (again.status_code, again.content) == (304, b"")


def test_what_is_kept_in_is_not_there(desk: Desk) -> None:
    client = desk.client()
    done = submitted(client)
    crossing = client.get(f"/v1/crossings/{done['conversation_id']}").json()
    outbound = next(m for m in crossing["messages"] if m["kind"] == "outbound")
    for role in ("commitment-salt", "commitment", "parameters", "nonsense"):
        problem(client.get(f"{outbound['href']}/documents/{role}"), 404, "not-found")


# who may see what


def test_another_agency_sees_nothing_and_does_not_learn_that_it_exists(desk: Desk) -> None:
    done = submitted(desk.client())
    own, conversation = done["messages"][0]["id"], done["conversation_id"]
    other = desk.client("other")

    def answer(path: str) -> dict[str, Any]:
        seen = problem(other.get(path), 404, "not-found")
        return {k: v for k, v in seen.items() if k not in ("trace_id", "message_id", "findings")}

    unknown = "01900000-0000-7000-8000-000000000000"
    assert answer(f"/v1/messages/{own}") == answer(f"/v1/messages/{unknown}")
    assert answer(f"/v1/messages/{own}/documents/original") == answer(
        f"/v1/messages/{unknown}/documents/original"
    )
    assert answer(f"/v1/crossings/{conversation}") == answer(f"/v1/crossings/{unknown}")
    problem(other.post(f"/v1/messages/{own}/resend"), 404, "not-found")
    assert other.get("/v1/messages").json() == {"messages": [], "next": None}
    assert other.get("/v1/crossings", params={"plate": PLATE}).json() == {"crossings": []}


def test_the_operator_sees_messages_but_no_personal_values(desk: Desk) -> None:
    done = submitted(desk.client())
    operator = desk.client("operator")
    assert len(operator.get("/v1/messages").json()["messages"]) == 5
    own = done["messages"][0]["href"]
    problem(operator.get(f"{own}/documents/original"), 403, "forbidden")
    shown = operator.get(f"{own}/documents/canonical").json()
    full = desk.client().get(f"{own}/documents/canonical").json()
    assert "crew" in full["means"][0]
    assert "crew" not in shown["means"][0]


def test_a_certificate_that_no_agency_has(desk: Desk) -> None:
    reply = desk.client("nobody").get("/v1/messages")
    problem(reply, 401, "unauthenticated")
    assert "www-authenticate" in reply.headers


def test_an_agency_submits_only_its_own_formats(desk: Desk) -> None:
    reply = desk.client("quarantine").post("/v1/messages", content=TOR, headers=TEXT)
    document = problem(reply, 403, "forbidden")
    assert document["findings"][0]["rule"] == "format"


# bad input


def test_findings_come_all_at_once_and_in_three_languages(desk: Desk) -> None:
    broken = TOR.replace(b"VNHUGT", b"vnhugt").replace(PLATE.encode(), b"12c_8631")
    for lang in ("vi", "zh", "en"):
        reply = desk.client(lang=lang).post("/v1/messages", content=broken, headers=TEXT)
        document = problem(reply, 422, "schema-invalid")
        assert len(document["findings"]) >= 2
        for finding in document["findings"]:
            assert set(finding["messages"]) == {"vi", "zh", "en"}
            assert finding["message"] == finding["messages"][lang]
            assert finding["path"]
            assert finding["rule"]


@pytest.mark.parametrize(
    ("content", "media", "status", "code"),
    [
        (b"", "text/plain", 400, "malformed"),
        (b"hello", "text/plain", 400, "malformed"),
        (TOR[:600], "text/plain", 400, "malformed"),
        (TOR[1:], "text/plain", 400, "malformed"),
        (b"<!DOCTYPE a><a/>", "application/xml", 400, "malformed"),
        (b"<a", "application/xml", 400, "malformed"),
        (b"\xff\xfe<\x00a\x00/\x00>\x00", "application/xml", 415, "encoding-unsupported"),
        (b"{", "application/json", 400, "malformed"),
        (b"{}", "application/json", 415, "type-unknown"),
        (TOR, "image/png", 415, "type-unknown"),
        (b"--x--", "multipart/form-data; boundary=x", 400, "malformed"),
        (b"", "multipart/form-data", 400, "malformed"),
    ],
)
def test_bad_content_is_named(
    desk: Desk, content: bytes, media: str, status: int, code: str
) -> None:
    client = desk.client()
    reply = client.post("/v1/messages", content=content, headers={"content-type": media})
    assert problem(reply, status, code)["findings"]
    assert client.post("/v1/messages", content=TOR, headers=TEXT).status_code == 202


def test_parameters_of_the_wrong_shape(desk: Desk) -> None:
    parts: Parts = [
        ("document", ("tor.edi", TOR, "text/plain")),
        ("parameters", ("", b'{"batchNumber": 1}', "application/json")),
    ]
    document = problem(desk.client().post("/v1/messages", files=parts), 422, "schema-invalid")
    assert document["findings"][0]["path"] == "parameters.batchNumber"


def test_too_many_documents(desk: Desk) -> None:
    parts: Parts = [("document", ("a", b"x", "text/plain"))] * 21
    problem(desk.client().post("/v1/messages", files=parts), 413, "too-large")
    problem(desk.client().post("/v1/messages", files=parts * 3), 400, "malformed")


def test_a_document_over_the_limit_is_refused_while_it_is_read(desk: Desk) -> None:
    limit = desk.house.services.limits.document_bytes
    with desk.raw() as connection:
        head = request(b"POST", b"/v1/messages", b"", [(b"content-type", b"text/plain")])
        stated = b"content-length: %d" % (limit + 1)
        connection.sendall(head.replace(b"content-length: 0", stated))
        assert read_reply(connection).status == 413
    with desk.raw() as connection:
        connection.sendall(
            b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
        got = pour(connection, chunk, 4 * limit // 65_536)
    assert got.startswith(b"HTTP/1.1 413 ")
    assert json.loads(got.partition(b"\r\n\r\n")[2])["code"] == "too-large"


def test_a_compressed_body_is_refused(desk: Desk) -> None:
    headers = {**TEXT, "content-encoding": "gzip"}
    reply = desk.client().post("/v1/messages", content=b"\x1f\x8b", headers=headers)
    problem(reply, 415, "encoding-unsupported")


def test_a_body_that_breaks_off_leaves_nothing(desk: Desk) -> None:
    with desk.raw() as connection:
        whole = request(b"POST", b"/v1/messages", TOR, [(b"content-type", b"text/plain")])
        connection.sendall(whole[:-10])
    assert desk.client().get("/v1/messages").json()["messages"] == []


# Idempotency-Key


def test_a_repeat_gets_the_first_answer(desk: Desk) -> None:
    client = desk.client()
    first = submitted(client, **{"idempotency-key": '"key-1"'})
    again = submitted(client, **{"idempotency-key": "key-1"})
    assert again == {**first, "replayed": True}
    assert len(client.get("/v1/messages").json()["messages"]) == 3


def test_a_key_is_not_for_another_body(desk: Desk) -> None:
    client = desk.client()
    submitted(client, **{"idempotency-key": "key-1"})
    headers = {**TEXT, "idempotency-key": "key-1"}
    problem(client.post("/v1/messages", content=TOR, headers=headers), 422, "key-reused")
    assert desk.client("other").post("/v1/messages", content=TOR, headers=headers).is_success


@pytest.mark.parametrize("key", ["", '""', "x" * 129, "a b", "\xe9"])
def test_a_key_has_a_form(desk: Desk, key: str) -> None:
    headers = {**TEXT, "idempotency-key": key.encode("latin-1")}
    problem(desk.client().post("/v1/messages", content=TOR, headers=headers), 400, "malformed")


def test_a_key_in_flight(desk: Desk) -> None:
    headers = {**TEXT, "idempotency-key": "key-1"}
    fields = [(name.encode(), value.encode()) for name, value in headers.items()]
    whole = request(b"POST", b"/v1/messages", TOR, fields)
    expected = [(b"expect", b"100-continue"), *fields]
    head = request(b"POST", b"/v1/messages", TOR, expected).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    with desk.raw() as connection:
        connection.sendall(head)
        assert connection.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        reply = desk.client().post("/v1/messages", content=TOR, headers=headers)
        problem(reply, 409, "in-flight")
        assert reply.headers["retry-after"] == "1"
        connection.sendall(TOR)
        assert read_reply(connection).status == 202
    with desk.raw() as connection:
        connection.sendall(whole)
        assert json.loads(read_reply(connection).body)["replayed"] is True


# lists and searches


def handed_in(desk: Desk, numbers: Sequence[int]) -> list[str]:
    """Submit trucks that differ in their reference; return their ids."""
    client = desk.client()
    replies = [client.post("/v1/messages", content=truck(n), headers=TEXT) for n in numbers]
    return [reply.json()["messages"][0]["id"] for reply in replies]


def truck(number: int) -> bytes:
    return TOR.replace(b"GW-DF-0001", b"GW-DF-%04d" % number)


def test_pages_have_no_gap_and_no_repeat_while_more_comes_in(desk: Desk) -> None:
    before = handed_in(desk, range(5))
    client = desk.client()
    seen: list[str] = []
    after: str | None = None
    while True:
        query = {"limit": "2"} | ({"after": after} if after else {})
        page = client.get("/v1/messages", params=query).json()
        assert len(page["messages"]) <= 2
        seen += [message["id"] for message in page["messages"]]
        after = page["next"]
        if after is None:
            break
        handed_in(desk, [100 + len(seen)])
    assert seen == before[::-1]


@pytest.mark.parametrize("cursor", ["x", "AAAA", "%00", "1", "é", "a" * 500])
def test_a_forged_cursor(desk: Desk, cursor: str) -> None:
    reply = desk.client().get("/v1/messages", params={"after": cursor})
    assert problem(reply, 400, "malformed")["findings"][0]["rule"] == "cursor"


def test_lists_are_filtered_and_bounded(desk: Desk) -> None:
    client = desk.client()
    submitted(client)
    handed_in(desk, [7])

    def listed(**query: str) -> int:
        return len(client.get("/v1/messages", params=query).json()["messages"])

    assert (listed(state="waiting"), listed(state="translated"), listed()) == (1, 3, 4)
    assert (listed(kind="submission"), listed(kind="inbound"), listed(limit="999999")) == (4, 0, 4)
    operator = desk.client("operator").get("/v1/messages", params={"kind": "outbound"})
    assert len(operator.json()["messages"]) == 2


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "kind=nonsense", "state=nonsense"])
def test_bad_queries(desk: Desk, query: str) -> None:
    document = problem(desk.client().get(f"/v1/messages?{query}"), 400, "malformed")
    assert document["findings"][0]["rule"] == "query"


@pytest.mark.parametrize(
    "query",
    [
        {"plate": PLATE},
        {"plate": "vn-12c 086.31"},
        {"container": CONTAINER},
        {"container": "gwtu 100001 5"},
        {"batch": BATCH},
    ],
)
def test_crossings_are_found_by_what_people_know(desk: Desk, query: dict[str, str]) -> None:
    client = desk.client()
    submitted(client)
    found = client.get("/v1/crossings", params=query).json()["crossings"]
    assert [len(crossing["messages"]) for crossing in found] == [5]
    codes = {entry["code"] for entry in found[0]["timeline"]}
    assert {"received", "joined", "translated", "queued"} <= codes


@pytest.mark.parametrize("query", ["", "?plate=1&seal=2", "?plate=", "?plate=" + "x" * 65])
def test_crossings_are_asked_for_by_one_key(desk: Desk, query: str) -> None:
    problem(desk.client().get(f"/v1/crossings{query}"), 400, "malformed")


# resend and long-polling


def outbound(desk: Desk) -> str:
    """Submit a crossing; return the id of one of its link messages."""
    done = submitted(desk.client())
    crossing = desk.client().get(f"/v1/crossings/{done['conversation_id']}").json()
    return str(next(m["id"] for m in crossing["messages"] if m["kind"] == "outbound"))


def test_only_what_was_given_up_is_sent_again(desk: Desk) -> None:
    client, store = desk.client(), desk.house.store
    message = outbound(desk)
    problem(client.post(f"/v1/messages/{message}/resend"), 409, "conflict")
    now = datetime.now(UTC)

    def give_up(tx: Any) -> None:
        for task in tx.lease("test", now + timedelta(hours=1), now + timedelta(hours=2), 10):
            tx.bury(task.id, "test", "unreachable")
        tx.set_state(message, MessageState.DEAD)

    store.commit(give_up)
    assert client.get(f"/v1/messages/{message}").json()["state"] == "dead"
    reply = client.post(f"/v1/messages/{message}/resend")
    assert (reply.status_code, reply.json()["state"]) == (202, "queued")
    assert reply.json()["timeline"][-1]["code"] == "resent"
    assert len(reply.json()["pending"]) == 1


def test_a_long_poll_ends_as_soon_as_nothing_is_under_way(desk: Desk) -> None:
    client = desk.client()
    message = client.get(f"/v1/messages/{outbound(desk)}").json()
    crossing = client.get(f"/v1/crossings/{message['conversation_id']}").json()
    with ThreadPoolExecutor(1) as pool:
        polling = pool.submit(client.get, message["href"], headers={"prefer": "wait=30"})

        def receipted(tx: Any) -> None:
            for each in crossing["messages"]:
                if each["kind"] == "outbound":
                    tx.set_state(each["id"], MessageState.RECEIPTED)

        desk.house.store.commit(receipted)
        reply = polling.result(PATIENCE)
    assert reply.json()["state"] == "receipted"
    assert reply.headers["preference-applied"] == "wait=30"


def test_a_long_poll_ends_when_its_time_is_over_or_the_process_stops(desk: Desk) -> None:
    client = desk.client()
    reply = client.post("/v1/messages", files=fruit(), headers={"prefer": "respond-async, wait=1"})
    assert (reply.status_code, reply.headers["preference-applied"]) == (202, "wait=1")
    desk.readiness.draining = True
    href = reply.json()["messages"][0]["href"]
    assert client.get(href, headers={"prefer": "wait=30"}).elapsed < timedelta(seconds=5)


def test_a_half_that_waits_is_not_waited_for(desk: Desk) -> None:
    headers = {**TEXT, "prefer": "wait=30"}
    reply = desk.client().post("/v1/messages", content=TOR, headers=headers)
    assert (reply.status_code, reply.json()["state"]) == (200, "waiting")
    assert reply.elapsed < timedelta(seconds=5)


# parameters that come later


def test_parameters_may_come_later(desk: Desk) -> None:
    client = desk.client()
    parts = [part for part in fruit() if part[0] == "document"]
    names = {"joinRef": "JOIN-1", "expectedHalves": 3}
    stated = json.loads((FRUIT / "parameters.json").read_bytes())
    missing = {k: v for k, v in stated.items() if k not in names}
    first = [("parameters", ("", json.dumps(names).encode(), "application/json"))]
    reply = client.post("/v1/messages", files=[parts[0], *first])
    message = client.get(reply.headers["location"]).json()
    path = f"/v1/crossings/{message['conversation_id']}/parameters"
    assert client.post(path, json=missing).status_code == 202
    problem(
        client.post(path, content=b"{", headers={"content-type": "application/json"}),
        400,
        "malformed",
    )
    problem(client.post(path, json={"x": 1}), 422, "schema-invalid")
    problem(desk.client("other").post(path, json=missing), 404, "not-found")
    for part in parts[1:]:
        reply = client.post("/v1/messages", files=[part, *first])
    assert (reply.status_code, reply.json()["state"]) == (202, "translated"), reply.text


# the whole


def test_a_hundred_agencies_at_once_get_their_own_answers(desk: Desk) -> None:
    clients = [desk.client() for _ in range(20)]

    def round_trip(number: int) -> bool:
        client, content = clients[number % len(clients)], truck(number)
        reply = client.post("/v1/messages", content=content, headers=TEXT)
        back = client.get(reply.headers["location"] + "/documents/original")
        keys = client.get(reply.headers["location"]).json()["keys"]
        own = {"kind": "reference", "value": f"GW-DF-{number:04d}"}
        assert reply.status_code == 202, reply.text
        assert back.content == content, back.text[:300]
        assert own in keys
        return True

    with ThreadPoolExecutor(100) as pool:
        assert all(pool.map(round_trip, range(100)))


def test_a_stop_finishes_a_submission_that_runs(desk: Desk) -> None:
    fields = [(b"content-type", b"text/plain"), (b"expect", b"100-continue")]
    head, _, _ = request(b"POST", b"/v1/messages", TOR, fields).partition(b"\r\n\r\n")
    with desk.raw() as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        desk.running.begin_stop()
        connection.sendall(TOR)
        reply = read_reply(connection)
    assert reply.status == 202
    desk.running.wait_stopped()
    message = json.loads(reply.body)["messages"][0]["id"]
    stored = desk.house.store.read(lambda tx: tx.message(message))
    assert stored is not None


def test_a_bug_leaves_as_an_incident_without_detail(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    client = desk.client()
    message = handed_in(desk, [1])[0]
    desk.house.store.commit(
        lambda tx: tx.attach(
            message, "canonical", b"NGUYEN VAN MAU", "application/json", "document"
        )
    )
    reply = client.get(f"/v1/messages/{message}/documents/canonical")
    document = problem(reply, 500, "internal")
    assert b"NGUYEN" not in reply.content
    logged = capsys.readouterr().out
    assert document["incident"] in logged
    assert "NGUYEN" not in logged
    assert document["message_id"] == message


def test_without_the_store_the_caller_is_asked_to_come_again(desk: Desk) -> None:
    client = desk.client()
    desk.house.store.close()
    for reply in (
        client.post("/v1/messages", content=TOR, headers=TEXT),
        client.get("/readyz"),
    ):
        problem(reply, 503, "unavailable")
        assert int(reply.headers["retry-after"]) >= 1
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "allow"),
    [
        ("GET", "/v2/messages", 404, "not-found", None),
        ("GET", "/v1/messages/", 404, "not-found", None),
        ("GET", "/docs", 404, "not-found", None),
        ("GET", "/metrics", 404, "not-found", None),
        ("DELETE", "/v1/messages", 405, None, "GET, POST"),
        ("PUT", "/v1/crossings", 405, None, "GET"),
        ("GET", "/v1/messages/" + "x" * 65, 400, "malformed", None),
        ("GET", "/problems/nonsense", 404, "not-found", None),
    ],
)
def test_wrong_paths_and_methods(
    desk: Desk, method: str, path: str, status: int, code: str | None, allow: str | None
) -> None:
    reply = desk.client().request(method, path)
    problem(reply, status, code)
    assert reply.headers.get("allow") == allow


def test_every_type_of_problem_has_its_page(desk: Desk) -> None:
    client = desk.client()
    for code in CODES:
        reply = client.get(f"/problems/{code}")
        assert (reply.status_code, code in reply.text) == (200, True)


def test_the_interface_describes_itself(desk: Desk) -> None:
    described = desk.client().get("/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    assert described["components"]["securitySchemes"]["clientCertificate"]["type"] == "mutualTLS"
    assert set(described["paths"]) >= {
        "/v1/messages",
        "/v1/messages/{message_id}",
        "/v1/messages/{message_id}/documents/{role}",
        "/v1/messages/{message_id}/resend",
        "/v1/crossings",
        "/v1/crossings/{conversation_id}",
        "/v1/crossings/{conversation_id}/parameters",
    }
    text = json.dumps(described)
    for name in {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in described["components"]["schemas"], name


def test_a_wedged_thread_room_turns_callers_away(desk: Desk) -> None:
    """The room is full while the store's writer is held: reads and writes get 503 or 429."""
    held, release = threading.Event(), threading.Event()

    def hold(_tx: Any) -> None:
        held.set()
        assert release.wait(PATIENCE)

    with ThreadPoolExecutor(2) as pool:
        holding = pool.submit(desk.house.store.commit, hold)
        assert held.wait(PATIENCE)
        waiting = pool.submit(desk.client().post, "/v1/messages", content=TOR, headers=TEXT)
        assert desk.client().get("/v1/messages").status_code == 200
        release.set()
        holding.result(PATIENCE)
        assert waiting.result(PATIENCE).status_code == 202
