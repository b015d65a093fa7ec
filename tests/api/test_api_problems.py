"""One total table from codes to what leaves the house, and documents in three languages."""

import json
import re
from pathlib import Path

import pytest

from gateway.api.problems import FACES, headers, misuse, page, problem
from gateway.errors import CODES, DocumentError, Finding, Severity, error
from gateway.texts import LANGUAGES

PROFILE = Path(__file__).parents[2] / "docs" / "exchange-profile.md"


def test_the_table_is_total() -> None:
    assert set(FACES) == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_status_never_contradicts_its_code(code: str) -> None:
    """On the link the status alone tells an older sender whether to try again."""
    _, retriable = CODES[code]
    face = FACES[code]
    assert 400 <= face.http < 600
    assert (face.link == 429 or face.link >= 500) == retriable


def test_the_exchange_profile_states_the_same_statuses() -> None:
    """XP-ERR-011: the table that the counterpart's engineer works from."""
    rows = re.findall(r"^\| (\d{3}) \| ([^|]+) \|", PROFILE.read_text(encoding="utf-8"), re.M)
    stated = {code: int(status) for status, cell in rows for code in re.findall(r"[a-z-]+", cell)}
    known = {code: face.link for code, face in FACES.items() if code in stated}
    assert len(known) > 25
    assert known == {code: status for code, status in stated.items() if code in FACES}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("code", CODES)
def test_every_code_makes_a_whole_problem(code: str, lang: str) -> None:
    document = json.loads(problem(error(code), lang, "0" * 32).encoded())
    assert document["type"] == f"/problems/{code}"
    assert document["status"] == FACES[code].http
    assert document["code"] == code
    assert document["family"] == CODES[code][0]
    assert document["retriable"] == CODES[code][1]
    assert document["title"] != code
    assert document["detail"] != code
    assert "incident" not in document


def test_all_findings_are_told_in_all_languages() -> None:
    failure = DocumentError(
        "schema-invalid",
        Finding("schema-invalid", "width", "EDA.EPN", "303", "300"),
        Finding("code-unknown", "unheard-of", "EDA.NOT", severity=Severity.WARN),
    )
    document = json.loads(problem(failure, "vi", "t", message_id="m").encoded())
    assert (document["message_id"], document["trace_id"]) == ("m", "t")
    first, second = document["findings"]
    assert (first["path"], first["rule"], first["code"]) == ("EDA.EPN", "width", "schema-invalid")
    assert (first["found"], first["expected"], first["severity"]) == ("303", "300", "refuse")
    assert second["severity"] == "warn"
    for finding in (first, second):
        assert set(finding["messages"]) == set(LANGUAGES)
        assert finding["message"] == finding["messages"]["vi"]
        assert len(set(finding["messages"].values())) == 3


@pytest.mark.parametrize(
    ("code", "seconds", "stated"),
    [
        ("unavailable", None, {"retry-after": "5"}),
        ("unavailable", 0.2, {"retry-after": "1"}),
        ("rate-limited", 61.5, {"retry-after": "62"}),
        ("in-flight", None, {"retry-after": "1"}),
        ("schema-invalid", None, {}),
    ],
)
def test_who_may_come_again_is_told_when(
    code: str, seconds: float | None, stated: dict[str, str]
) -> None:
    assert headers(error(code, retry_after=seconds), FACES[code].http) == stated


def test_an_unknown_caller_is_told_how_to_be_known() -> None:
    assert "www-authenticate" in headers(error("unauthenticated"), 401)


def test_misuse_of_http_has_the_title_of_its_status() -> None:
    document = json.loads(misuse(405, "t").encoded())
    assert (document["type"], document["title"]) == ("about:blank", "Method Not Allowed")
    assert "code" not in document


def test_the_page_behind_a_type_speaks_three_languages() -> None:
    text = page("too-large")
    assert "[vi] Dung lượng vượt giới hạn" in text
    assert "[zh] 内容超出大小限制" in text
    assert "[en] The content is too large" in text
    with pytest.raises(KeyError):
        page("no-such-code")
