"""I22: two gateways over a channel that loses, doubles and reorders come to AGREED.

Each gateway has its own statements and private ones. They send statements, receipts and lists
of digests; any message may be lost, come twice, or late. What must hold: equal evidence means
AGREED, nothing ever is DIVERGENT, and once lists of digests come through both sides agree.
"""

from functools import cache

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace as change
from recognition_crossing import rule_set
from recognition_worlds import BASE, WORLDS
from test_recognition_invariants import EXTRAS, PRIVATE, elsewhere

from gateway.model.evidence import Evidence, Side, canonical, digest, read_evidence
from gateway.recognition.agree import Agreed, agree, asked_for, missing
from gateway.recognition.fold import decide
from gateway.recognition.outcomes import RANK
from gateway.recognition.receipt import Receipt, broken_link, make_receipt, read_receipt
from gateway.recognition.situation import Situation

OTHER = {Side.VN: Side.CN, Side.CN: Side.VN}
STATEMENTS = [*BASE.evidence(), *EXTRAS.values(), *elsewhere(),
              *WORLDS["adjudicated"].crossing.evidence()]  # fmt: skip


@cache
def rules():
    return rule_set()


class Gateway:
    """One side: its statements, its receipts, what it has sent and not seen arrive."""

    def __init__(self, side: Side) -> None:
        self.side, self.pool, self.chain = side, dict[str, Evidence](), list[Receipt]()

    def keep(self, statement: Evidence) -> None:
        self.pool[digest(statement)] = statement

    def receipt(self) -> Receipt | None:
        """Decide, and append a receipt to the chain when it is news."""
        try:
            situation = Situation(dict(sorted(self.pool.items())))
            decision = decide(BASE.claim, situation, rules(), BASE.at)
        except LookupError:
            return None
        before = digest(self.chain[-1]) if self.chain else ""
        made = make_receipt(decision, self.side, before)
        if not self.chain or change(made, previous=self.chain[-1].previous) != self.chain[-1]:
            self.chain.append(made)
        return self.chain[-1]

    def digests(self) -> list[str]:
        return [name for name, each in self.pool.items() if not each.private]

    def answer(self, theirs: list[str]) -> list[bytes]:
        """Return the statements that the other side lacks."""
        _, they_lack = missing(self.digests(), theirs)
        asked = [self.pool[name] for name in they_lack]
        assert all(asked_for(each, name) for each, name in zip(asked, they_lack, strict=True))
        return [canonical(each) for each in asked]


class TwoGateways(RuleBasedStateMachine):
    """Statements come up on either side; the channel does as it likes."""

    @initialize()
    def start(self) -> None:
        self.gateways = {side: Gateway(side) for side in Side}
        self.channel: list[tuple[Side, str, object]] = []
        self.gateways[Side.VN].keep(BASE.certificate)

    @rule(side=st.sampled_from(Side), statement=st.sampled_from(STATEMENTS))
    def state(self, side: Side, statement: Evidence) -> None:
        """A statement comes up at a side, and is sent."""
        self.gateways[side].keep(statement)
        self.channel.append((OTHER[side], "statement", canonical(statement)))

    @rule(side=st.sampled_from(Side), name=st.sampled_from(sorted(PRIVATE)))
    def hide(self, side: Side, name: str) -> None:
        """A private statement comes up; it is never sent."""
        self.gateways[side].keep(PRIVATE[name])

    @rule(side=st.sampled_from(Side))
    def compare_notes(self, side: Side) -> None:
        """A side sends its receipt, and what it has."""
        gateway = self.gateways[side]
        if (receipt := gateway.receipt()) is not None:
            self.channel.append((OTHER[side], "receipt", canonical(receipt)))
        self.channel.append((OTHER[side], "digests", gateway.digests()))

    @precondition(lambda self: self.channel)
    @rule(data=st.data(), fate=st.sampled_from(("deliver", "deliver", "lose", "double")))
    def happen(self, data, fate: str) -> None:
        """Any message of the channel arrives, is lost, or arrives and stays."""
        at = data.draw(st.integers(0, len(self.channel) - 1))
        message = self.channel[at]
        if fate != "double":
            del self.channel[at]
        if fate != "lose":
            self.deliver(*message)

    def deliver(self, to: Side, kind: str, content) -> None:
        gateway = self.gateways[to]
        if kind == "statement":
            gateway.keep(read_evidence(content))
        elif kind == "digests":
            for statement in gateway.answer(content):
                self.channel.append((OTHER[to], "statement", statement))
        else:
            self.judge(gateway, read_receipt(content))

    def judge(self, gateway: Gateway, theirs: Receipt) -> None:
        ours = gateway.receipt()
        if ours is None:
            return
        found = agree(ours, theirs)
        assert found.result in (Agreed.AGREED, Agreed.MISSING_EVIDENCE)
        assert (found.result is Agreed.AGREED) == (ours.root == theirs.root)
        assert RANK[found.holds] == min(RANK[ours.outcome], RANK[theirs.outcome])

    @invariant()
    def equal_evidence_is_agreed(self) -> None:
        one, two = (self.gateways[side] for side in Side)
        if one.digests() and set(one.digests()) == set(two.digests()):
            ours, theirs = one.receipt(), two.receipt()
            if ours is not None and theirs is not None:
                assert agree(ours, theirs).result is Agreed.AGREED

    def teardown(self) -> None:
        """Lists of digests come through at last: both sides agree, and their chains hold."""
        for side in Side:
            for statement in self.gateways[side].answer(self.gateways[OTHER[side]].digests()):
                self.deliver(OTHER[side], "statement", statement)
        ours, theirs = (self.gateways[side].receipt() for side in Side)
        assert ours is not None
        assert theirs is not None
        assert agree(ours, theirs).result is Agreed.AGREED
        assert ours.outcome is theirs.outcome
        assert all(broken_link(self.gateways[side].chain) is None for side in Side)


TwoGateways.TestCase.settings = settings(max_examples=60, stateful_step_count=25)
test_i22_two_gateways_come_to_agree = TwoGateways.TestCase
