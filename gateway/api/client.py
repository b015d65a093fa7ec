"""A thin typed client of the agencies' interface, for the command line and the demo."""

import ssl
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from gateway.api import views
from gateway.api.problems import Problem
from gateway.api.views_recognition import Recognitions, StatementTaken
from gateway.errors import CODES, CounterpartError, Finding, GatewayError, UnavailableError, error

M = TypeVar("M", bound=BaseModel)


class Client:
    """Calls one gateway as one agency. Every failure is a GatewayError with its findings:
    the server's own, or `unavailable` when it cannot be reached."""

    def __init__(
        self, url: str, tls: ssl.SSLContext | None, *, lang: str = "en", timeout: float = 60.0
    ) -> None:
        """tls: the agency's certificate and the anchors that are believed. lang: of words."""
        self._client = httpx.Client(
            base_url=url.rstrip("/"),
            verify=tls or True,
            trust_env=False,
            timeout=timeout,
            headers={"accept-language": lang},
        )

    def submit(
        self,
        documents: Sequence[tuple[str, bytes]],
        *,
        formats: Sequence[str] = (),
        parameters: bytes | None = None,
        key: str | None = None,
        wait: int = 0,
    ) -> views.Submission:
        """Hand in documents (name, octets). formats: one for each, or none: detected.
        parameters: JSON. key: Idempotency-Key. wait: seconds to wait for the end."""
        parts: list[tuple[str, tuple[str | None, bytes, str]]] = [
            ("document", (name, content, "application/octet-stream")) for name, content in documents
        ]
        parts += [("format", (None, name.encode(), "text/plain")) for name in formats]
        if parameters is not None:
            parts.append(("parameters", (None, parameters, "application/json")))
        headers = {"idempotency-key": key} if key else {}
        answer = self._send("POST", "/v1/messages", files=parts, headers=headers, wait=wait)
        return _read(views.Submission, answer)

    def message(self, message_id: str, *, wait: int = 0) -> views.MessageDetail:
        """Return a message with its timeline."""
        answer = self._send("GET", f"/v1/messages/{message_id}", wait=wait)
        return _read(views.MessageDetail, answer)

    def state(self, statement: bytes) -> StatementTaken:
        """State evidence about inspected goods."""
        headers = {"content-type": "application/json"}
        answer = self._send(
            "POST", "/v1/recognitions/statements", content=statement, headers=headers
        )
        return _read(StatementTaken, answer)

    def recognitions(self, kind: str, value: str) -> Recognitions:
        """Ask what goods are worth. kind: plate, container, seal, certificate."""
        return _read(Recognitions, self._send("GET", "/v1/recognitions", query={kind: value}))

    def messages(
        self,
        *,
        kind: str | None = None,
        state: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> views.MessageList:
        """Return a page of messages, newest first."""
        asked = {"kind": kind, "state": state, "after": after, "limit": str(limit)}
        return _read(views.MessageList, self._send("GET", "/v1/messages", query=asked))

    def document(self, message_id: str, role: str) -> bytes:
        """Return the octets of a document of a message."""
        return self._send("GET", f"/v1/messages/{message_id}/documents/{role}").content

    def evidence(self, message_id: str) -> bytes:
        """Return the bundle that proves a message (ASiC-E; docs/evidence.md)."""
        return self._send("GET", f"/v1/messages/{message_id}/evidence").content

    def resend(self, message_id: str) -> views.MessageDetail:
        """Queue a message again that was given up."""
        answer = self._send("POST", f"/v1/messages/{message_id}/resend")
        return _read(views.MessageDetail, answer)

    def crossings(self, kind: str, value: str) -> views.CrossingList:
        """Find crossings by plate, container, seal, batch, declaration or waybill."""
        return _read(views.CrossingList, self._send("GET", "/v1/crossings", query={kind: value}))

    def crossing(self, conversation_id: str) -> views.Crossing:
        """Return one crossing."""
        return _read(views.Crossing, self._send("GET", f"/v1/crossings/{conversation_id}"))

    def add_parameters(self, conversation_id: str, parameters: bytes) -> views.Crossing:
        """State what no document of a crossing holds (JSON): it is tried again."""
        headers = {"content-type": "application/json"}
        path = f"/v1/crossings/{conversation_id}/parameters"
        return _read(views.Crossing, self._send("POST", path, content=parameters, headers=headers))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | None] | None = None,
        files: list[tuple[str, tuple[str | None, bytes, str]]] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        wait: int = 0,
    ) -> httpx.Response:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        fields = {**(headers or {}), **({"prefer": f"wait={wait}"} if wait else {})}
        try:
            answer = self._client.request(
                method, path, params=given, files=files, content=content, headers=fields
            )
        except httpx.HTTPError as fault:
            found = str(fault)[:200] or type(fault).__name__
            finding = Finding("unavailable", "connect", str(self._client.base_url), found=found)
            raise UnavailableError("unavailable", finding) from fault
        if answer.is_success:
            return answer
        raise _failure(answer)


def _failure(answer: httpx.Response) -> GatewayError:
    """Return the failure that a problem document names."""
    try:
        stated = Problem.model_validate_json(answer.content)
    except ValidationError:
        stated = None
    if stated is None or stated.code not in CODES:
        finding = Finding("bad-answer", "http", str(answer.url.path), f"HTTP {answer.status_code}")
        return CounterpartError("bad-answer", finding)
    findings = [Finding(f.code, f.rule, f.path, f.found, f.expected) for f in stated.findings]
    if stated.incident:
        findings.append(Finding("internal", "incident", found=stated.incident))
    return error(stated.code, *findings)


def _read(kind: type[M], answer: httpx.Response) -> M:
    try:
        return kind.model_validate_json(answer.content)
    except ValidationError as fault:
        finding = Finding("bad-answer", "shape", str(answer.url.path), found=kind.__name__)
        raise CounterpartError("bad-answer", finding) from fault
