"""The canonical response: what the other side's customs says, on three separate axes."""

from gateway.model.values import Canonical, Code, Identifier, Moment, Text


class Statement(Canonical, frozen=True, kw_only=True):
    """A result code (list cn.cc020) and the words that came with it."""

    code: Code
    texts: tuple[Text, ...] = ()


class SubjectStatement(Canonical, frozen=True, kw_only=True):
    """A statement about one waybill, container or trailer."""

    id: str
    statement: Statement


class Response(Canonical, frozen=True, kw_only=True):
    """A response. The more specific code never overwrites another axis."""

    refers: tuple[Identifier, ...] = ()
    sent_at: Moment
    transmission: Statement | None = None
    overall: Statement | None = None
    equipment: tuple[SubjectStatement, ...] = ()
    waybills: tuple[SubjectStatement, ...] = ()


class AnswerError(Canonical, frozen=True, kw_only=True):
    """One reason of a refusal, for the agency that sent."""

    code: str
    name: str


class AnswerParty(Canonical, frozen=True, kw_only=True):
    """A party of the national single window envelope."""

    name: str
    identity: str
    country: str = "VN"
    ministry: str | None = None
    organization: str | None = None
    unit: str | None = None


class Answer(Canonical, frozen=True, kw_only=True):
    """The national single window's answer for one declaration (vnsw/envelope.md).

    function: 99 received, 00 with `errors`. reference: declaration number, else the
    declarant's reference, else the waybill (at most 35 characters).
    """

    message_id: str
    sender: AnswerParty
    recipient: AnswerParty
    document_type: str
    type: str
    function: str
    reference: str
    document_year: int
    pre_reference: str
    pre_document_year: int
    sent_at: Moment
    received_at: Moment | None = None
    errors: tuple[AnswerError, ...] = ()
