"""What becomes of a message that one side has and the other lacks.

we sent, they lack      under way: nothing; receipted: given back with its receipt; given
                        up: told
they accepted, we lack  asked for: our own message comes back; unless we were restored from
                        a backup it is told, too
they sent, we lack      asked for and taken in like any message; not given: told
we accepted, they lack  given back to its sender; not taken: told, with its signature as
                        proof
two contents            both are fetched and kept as proof; told
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.errors import GatewayError, UnavailableError
from gateway.evidence import ledger
from gateway.evidence.ledger import Kept, TellKept, TellNoted
from gateway.evidence.ledger_proof import write_proof
from gateway.evidence.settlement import DEEPEST, Differences, place_of
from gateway.flows import settle_alarms as alarms
from gateway.flows.ports import Message, Transaction
from gateway.flows.services import Counterpart, Services
from gateway.flows.settle_answer import WAYS
from gateway.flows.settle_own import own_policy
from gateway.flows.settle_recover import recover_inbound, recover_outbound
from gateway.flows.settle_talk import ask, expect
from gateway.model.states import MessageState
from gateway.safexml import parse
from gateway.signing.trust import Usage
from gateway.signing.verify import verify_document

AT_ONCE = 20
"""Messages asked for in one question."""
SELF_CLEARING = (alarms.WITHHELD, alarms.DENIED, alarms.GIVEN_UP, alarms.UNSETTLED)
_FOR = {"sent": "accepted", "accepted": "sent"}
"""What we sent they accepted: the other side's word for each way."""


@dataclass
class DaySettled:
    """What settling a day came to. sent, accepted: our messages to and from the counterpart.
    Names of messages: mended ones, those still under way, and those of which an alarm stands.
    changing: the other side's day changed while it was compared; the next run goes on.
    """

    day: str
    sent: int = 0
    accepted: int = 0
    agreed: bool = True
    exchanges: int = 0
    changing: bool = False
    returned: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    under_way: list[str] = field(default_factory=list)
    alarms: list[tuple[str, str]] = field(default_factory=list)


class Mender:
    """Mends one day."""

    def __init__(
        self,
        services: Services,
        counterpart: Counterpart,
        day: DaySettled,
        told: Mapping[str, bytes],
    ) -> None:
        """told: the counterpart's signed answers about what it sent that day, by prefix."""
        self._services, self._counterpart, self._day = services, counterpart, day
        self._told = told

    def mend(self, way: str, found: Differences) -> None:
        """Mend what differs one way. CounterpartError when the counterpart cannot be asked."""
        for name, _ in found.only_here:
            self._give(way, name)
        missing = [name for name, _ in found.only_there if not self._elsewhere(way, name)]
        for start in range(0, len(missing), AT_ONCE):
            self._fetch(way, missing[start : start + AT_ONCE])
        for name, _, _ in found.contents:
            self._keep_both(way, name)

    def ask_for_receipt(self, name: str) -> None:
        """We gave a message up; if they have it all the same, their receipt ends that."""
        told = expect(self._ask(ledger.AskFetch("accepted", (name,))), TellKept)
        for kept in told.found:
            if kept.id == name:
                self._take("sent", kept)
                return
        self._tell(alarms.GIVEN_UP, name)

    def clear(self) -> None:
        """Clear alarms of this day whose cause is gone."""
        standing = set(self._day.alarms)
        for alarm in self._services.store.read(lambda tx: tx.alarms()):
            mine = (
                alarm.party == self._counterpart.name and alarm.detail.get("day") == self._day.day
            )
            if mine and alarm.kind in SELF_CLEARING and (alarm.kind, alarm.subject) not in standing:
                alarms.clear_alarm(self._services, alarm.kind, alarm.party, alarm.subject)

    def _known(self, way: str, name: str) -> Message | None:
        kind, party = WAYS[way], self._counterpart.name
        return self._services.store.read(lambda tx: tx.known(kind, party, name))

    def _elsewhere(self, way: str, name: str) -> bool:
        """True for a message that we have under another day, or stored by older code without
        one: then its day is set. One of ours that was refused or given up is fetched."""
        known = self._known(way, name)
        if known is None or known.state in (MessageState.REFUSED, MessageState.DEAD):
            return False
        if known.day is None:
            self._services.store.commit(lambda tx: tx.set_day(known.id, self._day.day))
        return True

    def _give(self, way: str, name: str) -> None:
        """They lack what we have."""
        known = self._known(way, name)
        if known is None:
            return
        if known.state is MessageState.QUEUED:
            self._day.under_way.append(name)
        elif known.state is not MessageState.DEAD:
            self._return(way, known)

    def _return(self, way: str, known: Message) -> None:
        def read(tx: Transaction) -> tuple[bytes | None, bytes | None]:
            return tx.content(known.id, "wire"), tx.content(known.id, "receipt")

        wire, receipt = self._services.store.read(read)
        name = known.external_id
        if wire is None:
            self._tell(alarms.UNSETTLED, name, reason="pruned")
            return
        wanted = ledger.AskReturn(way, Kept(name, wire, receipt))
        told = expect(self._ask(wanted), TellNoted)
        if not told.code:
            self._day.returned.append(name)
        elif way == "accepted":
            self._tell(alarms.DENIED, name, self._denied(name, wire), reason=told.code)
        else:
            self._tell(alarms.UNSETTLED, name, reason=told.code)

    def _denied(self, name: str, wire: bytes) -> bytes:
        """Put together what proves that a message was left out: its signature, the sender's
        word on the day, and its words on the way down to where the message would be."""
        party, day = self._counterpart.name, self._day.day
        kept = self._services.store.read(lambda tx: tx.ledger_day(party, day))
        place = place_of(name)
        path = [self._told[place[:n]] for n in range(DEEPEST + 1) if place[:n] in self._told]
        said = kept.answered if kept else b""
        return write_proof(alarms.DENIED, party, name, wire, said, *path)

    def _fetch(self, way: str, names: list[str]) -> None:
        """We lack what they have: ask until everything is here, or nothing more comes."""
        left = list(names)
        while left:
            told = expect(self._ask(ledger.AskFetch(_FOR[way], tuple(left))), TellKept)
            given = [kept for kept in told.found if kept.id in left]
            for kept in given:
                self._take(way, kept)
            left = [n for n in left if n not in told.unknown and n not in {k.id for k in given}]
            for name in told.unknown:
                self._tell(alarms.WITHHELD, name)
            if not given:
                break
        for name in left:
            self._not_given(way, name)

    def _not_given(self, way: str, name: str) -> None:
        """They count it, and gave nothing: what they sent may not be signed yet."""
        if way == "accepted":
            self._tell(alarms.WITHHELD, name)
        else:
            self._tell(alarms.UNSETTLED, name, reason="pruned")

    def _take(self, way: str, kept: Kept) -> None:
        new = self._known(way, kept.id) is None
        try:
            if way == "accepted":
                recover_inbound(self._services, self._counterpart, kept)
            else:
                recover_outbound(self._services, self._counterpart, kept)
        except UnavailableError:
            raise
        except GatewayError as failure:
            self._tell(alarms.UNSETTLED, kept.id, reason=failure.code)
            return
        self._day.fetched.append(kept.id)
        if way == "sent" and new and not self._was_restored():
            self._tell(alarms.UNKNOWN_SENT, kept.id)

    def _was_restored(self) -> bool:
        return self._services.store.read(lambda tx: tx.epoch(self._services.name)) > 1

    def _keep_both(self, way: str, name: str) -> None:
        """One id, two contents: both signed by whoever sent it."""
        known = self._known(way, name)
        told = expect(self._ask(ledger.AskFetch(_FOR[way], (name,))), TellKept)
        theirs = next((kept.wire for kept in told.found if kept.id == name), None)
        first = None
        if known is not None:
            first = self._services.store.read(lambda tx: tx.content(known.id, "wire"))
        sender = self._services.name if way == "sent" else self._counterpart.name
        if first is None or theirs is None or not self._signed(way, theirs):
            self._tell(alarms.UNSETTLED, name, reason="two-contents")
            return
        alarms.two_contents(self._services, sender, first, theirs, name)
        self._day.alarms.append((alarms.TWO_CONTENTS, name))

    def _signed(self, way: str, wire: bytes) -> bool:
        policy = self._counterpart.messages
        if way == "sent":
            policy = own_policy(self._services, self._counterpart, Usage.MESSAGE)
        try:
            verify_document(parse(wire), policy, self._services.clock())
        except GatewayError:
            return False
        return True

    def _tell(self, kind: str, name: str, proof: bytes | None = None, reason: str = "") -> None:
        detail = {"day": self._day.day} | ({"reason": reason} if reason else {})
        self._day.alarms.append((kind, name))
        alarms.raise_alarm(self._services, kind, self._counterpart.name, name, detail, proof)

    def _ask(self, wanted: ledger.Ask) -> Any:
        self._day.exchanges += 1
        return ask(self._services, self._counterpart, wanted)
