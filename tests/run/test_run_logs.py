"""What reaches a log: no bodies, names, passports; an exception without its text."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from gateway.bootstrap import logs

SECRETS = ("C1234567", "NGUYEN VAN MAU", "测试驾驶员", "0900000000", "hunter2")


Log = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """Configure the logs for real, and put everything back afterwards."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    logs.configure("info")
    yield lambda: [json.loads(line) for line in stderr.getvalue().splitlines()]
    structlog.reset_defaults()
    root.handlers[:], root.level = before


def test_an_event_is_one_json_object_on_stderr(log: Log) -> None:
    structlog.get_logger("t").info("task", message_id="m-1", seconds=0.5)
    (line,) = log()
    assert (line["event"], line["message_id"], line["seconds"]) == ("task", "m-1", 0.5)
    assert line["level"] == "info"
    assert line["timestamp"].endswith("Z")


def test_personal_values_and_documents_do_not_reach_a_log(log: Log) -> None:
    structlog.get_logger("t").warning(
        "odd",
        name="NGUYEN VAN MAU",
        passport="C1234567",
        detail={"phone": "0900000000", "rule": "width", "crew": ["测试驾驶员"]},
        wire=b"C1234567",
        xml='<?xml version="1.0"?><Name>NGUYEN VAN MAU</Name>',
        element="<Name>NGUYEN VAN MAU</Name>",
        json='{"names": "NGUYEN VAN MAU"}',
        pem="-----BEGIN CERTIFICATE-----",
        parts=("<a>NGUYEN VAN MAU</a>", b"C1234567"),
        password="hunter2",
        long="x" * 1000,
    )
    (line,) = log()
    text = json.dumps(line, ensure_ascii=False)
    assert not any(secret in text for secret in SECRETS)
    assert line["detail"]["rule"] == "width"
    assert line["wire"] == "[8 bytes]"
    assert len(line["long"]) < 500


def test_an_exception_is_shown_by_its_types_and_frames_alone(log: Log) -> None:
    try:
        try:
            int("C1234567")
        except ValueError as cause:
            raise RuntimeError("driver NGUYEN VAN MAU") from cause
    except RuntimeError:
        structlog.get_logger("t").exception("task-crashed", incident="i-1")
    (line,) = log()
    assert line["error_type"] == "RuntimeError < ValueError"
    assert line["frames"][-1].startswith("test_run_logs.py:")
    assert not any(secret in json.dumps(line, ensure_ascii=False) for secret in SECRETS)


def test_libraries_speak_the_same_way_and_only_when_they_warn(log: Log) -> None:
    logging.getLogger("httpx").info("HTTP Request: POST https://cn.example")
    try:
        int("C1234567")
    except ValueError:
        logging.getLogger("asyncio").exception("unhandled")
    (line,) = log()
    assert line["event"] == "unhandled"
    assert line["error_type"] == "ValueError"
    assert "C1234567" not in json.dumps(line)


def test_the_level_is_kept(log: Log) -> None:
    structlog.get_logger("t").debug("nothing")
    assert log() == []
