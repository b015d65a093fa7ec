"""The audit's look at the mutual ledger: every statement is signed by whom it must be, and the
columns beside it say what it says."""

from datetime import datetime
from typing import Protocol

from gateway.errors import GatewayError, TrustError
from gateway.evidence.audit import Flaw
from gateway.evidence.heads import HEAD_TYPE, read_head
from gateway.evidence.ledger import (
    ANSWER_TYPE,
    REQUEST_TYPE,
    RESTORATION_TYPE,
    AskDays,
    DayMarks,
    TellDays,
    name_of,
    payload_of,
    read_question,
    read_reply,
    read_restored,
)
from gateway.flows.ports import Transaction
from gateway.flows.ports_ledger import Day, LedgerHead, Restoration
from gateway.flows.services import Counterpart, Services
from gateway.flows.settle_answer import agree
from gateway.flows.settle_own import own_policy
from gateway.signing.dsse import verify_cosigned
from gateway.signing.trust import TrustPolicy, Usage

SIGNATURE = "ledger-signature"
DIFFERS = "ledger-differs"


class Found(Protocol):
    """Takes what was looked at (`gateway.flows.audit.Audit`)."""

    def add(self, what: str, count: int, flaws: list[Flaw]) -> None:
        """Count what was looked at, and note what is wrong."""
        ...


def check(services: Services, tx: Transaction, found: Found) -> None:
    """Audit heads, restorations and days. Nothing where no counterpart has a head key."""
    known = [c for c in services.counterparts.values() if c.heads is not None]
    if not known:
        return
    look = _Look(services, known[0])
    heads, restorations, days = tx.ledger_rows()
    found.add("ledger heads", len(heads), [f for h in heads for f in look.head(h)])
    found.add("restorations", len(restorations), [f for r in restorations for f in look.word(r)])
    found.add("ledger days", len(days), [f for d in days for f in look.day(d)])


class _Look:
    """The keys of both sides, and what they must have signed."""

    def __init__(self, services: Services, counterpart: Counterpart) -> None:
        self._us, self._them = services.name, counterpart.name
        theirs = counterpart.heads
        if theirs is None:
            raise ValueError("no head key")
        self._policies = {
            self._us: own_policy(services, counterpart, Usage.HEAD),
            self._them: theirs,
        }

    def head(self, head: LedgerHead) -> list[Flaw]:
        place = f"ledger_head {head.log} {head.epoch}/{head.size}"
        try:
            said = read_head(payload_of(head.statement))
            for party in (self._us, self._them):
                self._signed(head.statement, party, HEAD_TYPE, said.at)
        except GatewayError as fault:
            return [Flaw(SIGNATURE, place, fault.code)]
        stated = (said.log, said.epoch, said.size, said.root, said.at)
        same = stated == (head.log, head.epoch, head.size, head.root, head.at)
        return [] if same else [Flaw(DIFFERS, place)]

    def word(self, word: Restoration) -> list[Flaw]:
        place = f"ledger_restoration {word.log} {word.epoch}"
        try:
            said = read_restored(payload_of(word.statement))
            at = datetime.fromisoformat(said.at)
            self._signed(word.statement, said.log, RESTORATION_TYPE, at)
        except GatewayError as fault:
            return [Flaw(SIGNATURE, place, fault.code)]
        same = (said.log, said.epoch) == (word.log, word.epoch)
        return [] if same else [Flaw(DIFFERS, place)]

    def day(self, day: Day) -> list[Flaw]:
        """Question and answer belong together, and say of the day what the row says."""
        place = f"ledger_day {day.party} {day.day}"
        try:
            payload = payload_of(day.asked)
            asked, told = read_question(payload), read_reply(payload_of(day.answered))
            times = datetime.fromisoformat(asked.at), datetime.fromisoformat(told.at)
            self._signed(day.asked, asked.sender, REQUEST_TYPE, times[0])
            self._signed(day.answered, told.sender, ANSWER_TYPE, times[1])
        except GatewayError as fault:
            return [Flaw(SIGNATURE, place, fault.code)]
        pair = _pair(day.day, asked.ask, told.tell)
        whole = told.request == name_of(payload) and day.party == self._them
        same = whole and pair is not None and agree(*pair) == day.agreed
        return [] if same else [Flaw(DIFFERS, place)]

    def _signed(self, statement: bytes, party: str, kind: str, at: datetime) -> None:
        """Raise unless a party signed a statement of a kind; who is neither side signed none."""
        policy: TrustPolicy = self._policies.get(party, self._policies[self._us])
        verified = verify_cosigned(statement, policy, at)
        if verified.payload_type != kind or party not in verified.parties:
            raise TrustError("signer-untrusted")


def _pair(day: str, ask: object, tell: object) -> tuple[DayMarks, DayMarks] | None:
    if not isinstance(ask, AskDays) or not isinstance(tell, TellDays):
        return None
    ours = next((each for each in ask.days if each.day == day), None)
    theirs = next((each for each in tell.days if each.day == day), None)
    return None if ours is None or theirs is None else (ours, theirs)
