"""Logs: one JSON object a line on stderr, without bodies, names or passports.

Two steps keep personal values out. Values under a sensitive key, octets, long texts and
anything that looks like a document are replaced. And an exception is shown by its type and
its frames alone: its text may quote what it was given.
"""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

SENSITIVE = frozenset(
    {
        "address", "authorization", "body", "certificate", "communication", "content", "crew",
        "document", "driver", "mail", "name", "names", "passport", "password", "phone", "raw",
        "secret", "text", "token",
    }
)  # fmt: skip
"""Keys whose values never reach a log."""

_LONGEST = 400
_DOCUMENT = re.compile(r"-----BEGIN|<\?xml|<[A-Za-z][\w:.-]*[\s/>]|\{\s*\"")
_FRAMES = 25

Event = MutableMapping[str, Any]


def redact(logger: object, method: str, event: Event) -> Event:
    """Replace what may hold personal values."""
    return {key: _shown(key, value) for key, value in event.items()}


def _shown(key: str, value: Any) -> Any:
    if key.lower() in SENSITIVE:
        return "[redacted]"
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if isinstance(value, dict):
        return {str(k): _shown(str(k), v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_shown("", each) for each in value]
    return value if isinstance(value, int | float | None) else _short(str(value))


def _short(text: str) -> str:
    if _DOCUMENT.search(text):
        return f"[redacted, {len(text)} characters]"
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def frames(logger: object, method: str, event: Event) -> Event:
    """Replace an exception by its types and frames, outermost first, without its text."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error_type"] = " < ".join(type(each).__name__ for each in _chain(error))
        stack = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
        event["frames"] = [_place(frame) for frame in stack]
    return event


def _place(frame: traceback.FrameSummary) -> str:
    return f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name.strip('<>')}"


def _chain(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None and len(chain) < _FRAMES:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return chain


def configure(level: str) -> None:
    """Send our logs, and warnings of the libraries, to stderr as JSON lines."""
    steps: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        frames,
        redact,
    ]
    structlog.configure(
        processors=[*steps, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=steps,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
