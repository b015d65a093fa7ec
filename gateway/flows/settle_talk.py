"""One question to the counterpart about the ledger, and its answer; both are signed.

1 ask     sign the question with the head key
2 post    to the ledger's path at the counterpart
3 judge   the answer is a statement of the counterpart's head key, not revoked
4 bind    it names our question, and both parties
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn, TypeVar

from gateway.errors import CounterpartError, Finding, GatewayError, TrustError, UnavailableError
from gateway.evidence.ledger import (
    ANSWER_TYPE,
    REQUEST_TYPE,
    Ask,
    Question,
    Tell,
    name_of,
    read_reply,
    write,
)
from gateway.flows.ports import LinkAnswer
from gateway.flows.services import PROFILE_VERSION, Counterpart, Services
from gateway.flows.standing import standing_of
from gateway.signing.dsse import sign_statement, verify_cosigned
from gateway.signing.keys import Signer
from gateway.signing.trust import TrustPolicy

MEDIA_TYPE = "application/vnd.dsse.envelope.v1+json"
TOLD = TypeVar("TOLD", bound=Tell)


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was said: the signed question, the signed answer, and what the answer tells."""

    asked: bytes
    answered: bytes
    tell: Tell


def destination_of(counterpart: Counterpart) -> str:
    """Return the name, in the link, of the counterpart's path for the ledger."""
    return f"{counterpart.destination}/ledger"


def keys_of(services: Services, counterpart: Counterpart) -> tuple[Signer, TrustPolicy]:
    """Return our head key and whose head statements are believed. UnavailableError, rule
    `no-ledger`, when one of them is not configured."""
    if services.head_signer is None or counterpart.heads is None:
        finding = Finding("unavailable", "no-ledger", f"counterpart.{counterpart.name}")
        raise UnavailableError("unavailable", finding)
    return services.head_signer, counterpart.heads


def ask(services: Services, counterpart: Counterpart, wanted: Ask) -> Exchange:
    """Ask; see the steps above. CounterpartError `unreachable`, `timed-out`, `bad-answer` (an
    answer that cannot be verified or bound tells nothing), UnavailableError."""
    signer, heads = keys_of(services, counterpart)
    question = Question(
        PROFILE_VERSION,
        services.name,
        counterpart.name,
        services.ids(),
        stated(services.clock()),
        wanted,
    )
    payload = write(question)
    asked = sign_statement(REQUEST_TYPE, payload, [signer])
    answer = services.link.post(destination_of(counterpart), asked, MEDIA_TYPE, {})
    _check_status(answer)
    return _judged(services, counterpart, heads, payload, asked, answer.body)


def _check_status(answer: LinkAnswer) -> None:
    if answer.status != 200:
        code = "unreachable" if answer.status in (429, 503) else "bad-answer"
        finding = Finding(code, "answer", found=f"HTTP {answer.status}")
        raise CounterpartError(code, finding, retry_after=answer.retry_after)


def _judged(
    services: Services,
    counterpart: Counterpart,
    heads: TrustPolicy,
    payload: bytes,
    asked: bytes,
    answered: bytes,
) -> Exchange:
    """Steps 3 and 4."""
    now = services.clock()
    try:
        statement = verify_cosigned(answered, heads, now)
        standing_of(services, heads, statement)
        reply = read_reply(statement.payload)
        check_fresh(services, reply.at, now)
    except GatewayError as failure:
        raise CounterpartError("bad-answer", *failure.findings) from failure
    bound = (reply.sender, reply.recipient, reply.request, statement.payload_type)
    expected = (counterpart.name, services.name, name_of(payload), ANSWER_TYPE)
    if bound != expected or counterpart.name not in statement.parties:
        bad_answer("settlement-binding")
    return Exchange(asked, answered, reply.tell)


def expect(exchange: Exchange, kind: type[TOLD]) -> TOLD:
    """Return what was told, if it is of the kind that was asked for; `bad-answer`."""
    if not isinstance(exchange.tell, kind):
        bad_answer("settlement-kind")
    return exchange.tell


def check_fresh(services: Services, said: str, now: datetime) -> None:
    """Refuse what was said too long ago, or will be. TrustError `stale`, `future-dated`."""
    at, most = datetime.fromisoformat(said), services.limits.future
    if at < now - most:
        raise TrustError("stale", Finding("stale", "settlement-time", "at", said))
    if at > now + most:
        raise TrustError("future-dated", Finding("future-dated", "settlement-time", "at", said))


def stated(at: datetime) -> str:
    """Return a time as the statements of the ledger write it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def bad_answer(rule: str, found: str = "") -> NoReturn:
    """Raise for an answer that tells nothing."""
    raise CounterpartError("bad-answer", Finding("bad-answer", rule, "ledger", found))
