"""What the counterpart may not say, and what is never said to it."""

import msgspec
import pytest
from flow_sides import Side as Gateway
from msgspec.structs import replace as change
from recognise_sides import QUARANTINE, codes, phyto, state, talk
from recognition_crossing import GACC, NPPO, START, Crossing, hours, moment, registered

from gateway.errors import AccessError, DocumentError, GatewayError, TrustError
from gateway.evidence.ledger_recognition import AskStatements
from gateway.flows.recognise import submit_statement
from gateway.flows.recognise_answer import told
from gateway.flows.recognise_statements import STATEMENT_TYPE, accept
from gateway.flows.services import Agency
from gateway.model.bodies import Adjudication, Link, Registry
from gateway.model.evidence import Evidence, Kind, Side, canonical, digest
from gateway.model.inspection import Verdict
from gateway.recognition.deadlines import deadline_statement
from gateway.recognition.outcomes import Outcome
from gateway.signing.dsse import sign_statement

TRUCK = Crossing(check=Verdict.PASS)
CHECK = Crossing().checked(Verdict.PASS)


def by_cn(sides, statement: Evidence, *, key: str = "head_signer", kind: str = STATEMENT_TYPE):
    signer = getattr(sides["cn"].services, key)
    return sign_statement(kind, canonical(statement), [signer])


def refused(side: Gateway, envelope: bytes) -> str:
    services = side.services
    with pytest.raises(GatewayError) as failure:
        accept(services, services.counterpart(), envelope)
    return failure.value.code


def test_what_a_side_may_not_say(sides) -> None:
    vn = sides["vn"]
    assert refused(vn, by_cn(sides, TRUCK.certificate)) == "signature-missing", "ours, theirs key"
    foreign = change(CHECK, issuer=NPPO)
    assert refused(vn, by_cn(sides, foreign)) == "party-mismatch"
    future = change(CHECK, stated_at=moment(START + hours(24 * 300)))
    assert refused(vn, by_cn(sides, future)) == "future-dated"
    private = change(CHECK, salt="0" * 32)
    assert refused(vn, by_cn(sides, private)) == "schema-invalid"
    link = change(
        CHECK, kind=Kind.LINK, doc=None, about=(), body=Link(left="a", right="b", by="machine")
    )
    assert refused(vn, by_cn(sides, link)) == "rule-broken"
    late = deadline_statement("c", TRUCK.claim, "reveal", START, Side.CN)
    assert refused(vn, by_cn(sides, change(late, issuer=GACC))) == "rule-broken"
    word = change(
        CHECK,
        kind=Kind.ADJUDICATE,
        doc=None,
        about=(),
        body=Adjudication(
            claim=TRUCK.claim, outcome="RECOGNISED", root="0" * 64, officers=(NPPO, GACC)
        ),
    )
    assert refused(vn, by_cn(sides, word)) == "rule-broken", "an officer of ours"


def test_what_is_signed_by_another_key_or_as_something_else(sides) -> None:
    vn = sides["vn"]
    assert refused(vn, by_cn(sides, CHECK, key="message_signer")) == "signature-missing"
    assert refused(vn, by_cn(sides, CHECK, kind="application/json")) == "signature-scope"
    spaced = sign_statement(
        STATEMENT_TYPE, b" " + canonical(CHECK), [sides["cn"].services.head_signer]
    )
    assert refused(vn, spaced) == "schema-invalid"
    other = by_cn(sides, change(CHECK, raw="00"))
    moved = msgspec.json.decode(by_cn(sides, CHECK)) | {
        "payload": msgspec.json.decode(other)["payload"]
    }
    assert refused(vn, msgspec.json.encode(moved)) == "signature-invalid"
    assert refused(vn, b"") == "signature-invalid"


def test_one_that_is_refused_does_not_stop_the_others(sides) -> None:
    services = sides["vn"].services
    given = (b"{}", by_cn(sides, change(CHECK, issuer=NPPO)), by_cn(sides, CHECK))
    answer = told(services, services.counterpart(), AskStatements(given, ("00" * 32,)))
    assert [code for _, code in answer.taken] == ["signature-invalid", "party-mismatch", ""]
    assert answer.found == ()
    with pytest.raises(DocumentError):
        told(services, services.counterpart(), AskStatements((), ("00",) * 51))


def test_who_may_state(sides) -> None:
    services = sides["vn"].services
    with pytest.raises(AccessError):
        submit_statement(services, Agency("customs", "customs"), canonical(TRUCK.certificate))
    with pytest.raises(TrustError):
        submit_statement(services, QUARANTINE, canonical(CHECK))


def test_private_evidence_stays_and_lowers_only_here(sides) -> None:
    hidden = change(registered(Registry.PHC, "VN-PHC-007", GACC, kind=Kind.SUSPEND), salt="5a" * 16)
    state(sides, *TRUCK.evidence(), hidden)
    talk(sides)
    ours, theirs = phyto(sides["vn"]), phyto(sides["cn"])
    assert (ours.outcome, theirs.outcome) == (Outcome.RECOGNISED, Outcome.RECOGNISED)
    assert (ours.agreement, theirs.agreement) == ("AGREED", "AGREED")
    assert (ours.holds, theirs.holds) == (Outcome.RECOGNISED, Outcome.SUSPENDED)
    assert codes(theirs) == codes(ours)
    kept = sides["vn"].services.store.read(lambda tx: tx.statement(digest(hidden)))
    assert kept is None, "it never left"


def test_an_unreachable_counterpart_loses_nothing(sides) -> None:
    state(sides, *TRUCK.evidence())
    sides["vn"].wire.broken.add("cn/ledger")
    for _ in range(2):
        with pytest.raises(GatewayError):
            talk(sides, "vn")
    sides["vn"].wire.broken.clear()
    sides["vn"].wire.lose_answers = 1
    with pytest.raises(GatewayError):
        talk(sides, "vn")
    talk(sides)
    assert [phyto(sides[n]).agreement for n in ("vn", "cn")] == ["AGREED", "AGREED"]
