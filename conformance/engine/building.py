"""The steps that make a message: build, sign, corrupt."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from conformance.crypto.shapes import PROFILE, Layout
from conformance.crypto.sign import sign
from conformance.crypto.trees import parse, unsigned
from conformance.engine import case as words
from conformance.engine.results import UnavailableError
from conformance.engine.session import Exchange, Session
from conformance.wire import documents
from conformance.wire.breaking import crowd
from conformance.wire.corrupt import OPERATORS
from conformance.wire.instants import shifted, written
from conformance.wire.message import NAMESPACE, PROFILE_VERSION, Draft

_REFERENCE = re.compile(
    r"@(now|http|id|batch|other-test|partner|of:[\w-]+:\w+)([+-]\d[\d+\-smhd]*)?"
)


class Bench:
    """What one instance of a case works on."""

    def __init__(self, session: Session, axis: Mapping[str, str]) -> None:
        self.session, self.axis = session, axis
        self.began: datetime = session.now()
        self.draft: Draft | None = None
        self.octets: bytes | None = None
        self.signed_draft: Draft | None = None
        self.digest = ""
        self.sent: dict[str, Exchange] = {}
        self.watch: Any = None
        """What the case sees of the partner (engine.watching.Watch), once it listens."""

    def text(self, value: str) -> str:
        """Fill in `{axis}` and `@` references (case.Build)."""
        for name, stated in self.axis.items():
            value = value.replace(f"{{{name}}}", stated)
        return _REFERENCE.sub(self._reference, value)

    def _reference(self, match: re.Match[str]) -> str:
        word, shift = match[1], match[2] or ""
        session = self.session
        stated = session.target.partner
        made: dict[str, Callable[[], str]] = {
            "now": lambda: written(shifted(session.now(), shift)),
            "http": lambda: format_datetime(shifted(session.now(), shift), usegmt=True),
            "id": session.message_id,
            "batch": session.batch,
            "other-test": lambda: "false" if session.target.test_indicator else "true",
            "partner": lambda: f"https://{stated.host}:{stated.port}",
        }
        if word in made:
            return made[word]()
        _, name, field = word.split(":")
        exchange = self.sent[name]
        return exchange.digest if field == "Digest" else exchange.draft.fields[field]

    def build(self, step: words.Build) -> None:
        """Make the draft of a message."""
        if step.like:
            draft = self.sent[step.like].draft
            body = self._patched(draft.body, step)
        else:
            batch = self.session.batch()
            document = self._document(step)
            draft = _fresh(self.session, document, batch)
            body = self._body(step, document, batch)
        values = {self.text(name): self.text(value) for name, value in step.set.items()}
        draft = replace(draft, body=body).with_fields(**values).without(*map(self.text, step.drop))
        stated: dict[str, Any] = {
            name: self.text(value)
            for name in ("prefix", "namespace", "declaration")
            if (value := getattr(step, name)) is not None
        }
        draft = replace(draft, **stated)
        if step.extras:
            draft = replace(draft, extras=self.text(step.extras))
        if step.attributes:
            draft = replace(draft, attributes=step.attributes)
        self.draft, self.octets = draft, None

    def _document(self, step: words.Build) -> str:
        """Return the fixture; UnavailableError for a type that the target does not take."""
        taken = [name.removeprefix("cn.") for name in self.session.target.documents]
        document = self.text(step.document) or taken[0]
        if document not in taken:
            raise UnavailableError(f"the target takes no cn.{document}")
        return document

    def _body(self, step: words.Build, document: str, batch: str) -> str:
        content = documents.read(self.session.fixtures, document)
        stem = documents.value(content, "Head/MessageID")[:-17]
        own = {"Declaration/ID": batch, "Head/MessageID": stem + self.session.digits(17)}
        body = documents.without_declaration(documents.patched(content, own))
        return self._patched(body, step)

    def _patched(self, body: str, step: words.Build) -> str:
        if step.body is not None:
            stated = self.text(step.body)
            shape = stated.removeprefix("@crowd:")
            return stated if shape == stated else crowd(shape)
        changes = {self.text(path): self.text(value) for path, value in step.patch.items()}
        content = documents.patched(body.encode(), changes) if changes else body.encode()
        return documents.without_declaration(content) if changes else body

    def sign(self, step: words.Sign) -> None:
        """Sign the draft."""
        if self.draft is None:
            raise LookupError("sign: nothing was built")
        if step.unsigned:
            self.octets, self.signed_draft = self.draft.render().encode(), self.draft
            return
        stated: dict[str, Any] = {name: self._filled(value) for name, value in step.layout.items()}
        layout = replace(PROFILE, **stated)
        self._sign(step.key, layout)

    def _filled(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(self.text(part) for part in value)
        return self.text(value) if isinstance(value, str) else value

    def _sign(self, key: str, layout: Layout) -> None:
        assert self.draft is not None
        content = self.draft.render().encode()
        self.octets = sign(content, self.session.key(self.text(key)), layout)
        self.signed_draft, self.digest = self.draft, _digest(self.octets)

    def corrupt(self, step: words.Corrupt) -> None:
        """Spoil the octets by a named operator."""
        operator = OPERATORS[self.text(step.how)]
        self.octets = operator(self.ready(), self.text(step.at), self.text(step.by))

    async def close(self) -> None:
        """Let go of what the instance holds: the partner stops listening."""
        if self.watch is not None:
            await self.watch.partner.close()

    def ready(self) -> bytes:
        """Return the octets to send; a draft that nobody signed is signed as it should be."""
        if self.octets is None:
            self._sign("message", PROFILE)
        assert self.octets is not None
        return self.octets


def _digest(octets: bytes) -> str:
    return hashlib.sha256(unsigned(parse(octets))).hexdigest()


def _fresh(session: Session, document: str, batch: str) -> Draft:
    """A valid message that no other has the numbers of."""
    target, now = session.target, session.now()
    fields = {
        "ProfileVersion": PROFILE_VERSION,
        "MessageID": session.message_id(),
        "ConversationID": session.message_id(),
        "From": target.we,
        "To": target.party,
        "DocumentType": f"cn.{document}",
        "DocumentTypeVersion": "1.0",
        "Function": "original",
        "DocumentVersion": "1",
        "OrderKey": batch,
        "Sequence": "1",
        "Created": written(now),
        "Expires": written(shifted(now, "+8d")),
        "TestIndicator": "true" if target.test_indicator else "false",
        "Commitment": f"{session.random.getrandbits(256):064x}",
    }
    return Draft(fields, "", namespace=NAMESPACE)
