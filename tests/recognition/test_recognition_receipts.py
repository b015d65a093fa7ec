"""Receipts and their comparison: signed, chained, agreed or exactly what differs."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as change
from recognition_crossing import GACC, START, hours, key, rule_set
from recognition_worlds import BASE, WORLDS

from gateway.errors import DocumentError, MappingError, TrustError
from gateway.model.evidence import Side, canonical, digest, read_evidence
from gateway.model.inspection import Verdict
from gateway.recognition.agree import Agreed, agree, diff_rules, missing
from gateway.recognition.explain import differing, explained
from gateway.recognition.fold import decide, decide_all
from gateway.recognition.load import (
    PAYLOAD_TYPE,
    cosign_rules,
    open_rules,
    sign_rules,
)
from gateway.recognition.outcomes import Outcome
from gateway.recognition.receipt import (
    broken_link,
    make_receipt,
    open_receipt,
    read_receipt,
    sign_receipt,
)
from gateway.recognition.situation import Situation
from gateway.recognition.whatif import replayed, what_if
from gateway.signing.dsse import sign_statement
from gateway.signing.issue import Purpose, Subject, leaf
from gateway.signing.keys import key_signer
from gateway.signing.profiles import profile
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage

NOW = START + hours(24)


@pytest.fixture(scope="module")
def parties():
    """Return a signer for each side, and the policy that pins both."""
    made = {
        name: leaf(Subject(name.upper(), "Test", "", f"{name} statement"), Purpose.STATEMENT,
                   NOW - hours(24 * 30), 365)
        for name in ("vn", "cn")
    }  # fmt: skip
    shape = profile("link-ecdsa-p256")
    pins = [PinnedKey(each.der, name, Usage.STATEMENT) for name, each in made.items()]
    signers = [key_signer(each.key, each.der) for each in made.values()]
    return signers, TrustPolicy.of(shape, Usage.STATEMENT, pins)


def decided(name: str, rules=None):
    world = WORLDS[name]
    situation = Situation.of(world.crossing.evidence())
    return decide(world.claim, situation, rules or rule_set(*world.rules), world.instant)


# --- comparing ---------------------------------------------------------------------------------


def test_equal_evidence_and_rules_are_agreed() -> None:
    decision = decided("recognised")
    found = agree(make_receipt(decision, Side.VN), make_receipt(decision, Side.CN))
    assert (found.result, found.holds) == (Agreed.AGREED, Outcome.RECOGNISED)


def test_missing_evidence_is_named_and_the_stricter_outcome_holds() -> None:
    failed = change(BASE.checked(Verdict.FAIL), doc=key("C8", GACC, "CHK"))
    fewer, more = BASE.evidence(), [*BASE.evidence(), failed]
    ours, theirs = (
        decide(BASE.claim, Situation.of(each), rule_set(), BASE.at) for each in (fewer, more)
    )
    found = agree(make_receipt(ours, Side.VN), make_receipt(theirs, Side.CN))
    assert (found.result, found.holds) == (Agreed.MISSING_EVIDENCE, Outcome.CONTRADICTED)
    assert missing(ours.evidence, theirs.evidence) == ((digest(failed),), ())


def test_other_rules_are_a_skew_and_the_first_difference_is_named() -> None:
    ours, theirs = rule_set(), rule_set(("rel = 0.005", "rel = 0.01"))
    found = agree(
        make_receipt(decided("recognised", ours), Side.VN),
        make_receipt(decided("recognised", theirs), Side.CN),
    )
    assert found.result is Agreed.RULESET_SKEW
    (change_,) = diff_rules(ours, theirs)
    assert change_.path == "VN-CN/PHYTO/081090/test.tolerance.rel"
    assert (change_.old, change_.new) == ("0.005", "0.01")


@pytest.mark.parametrize("what", ["outcome", "proof"])
def test_the_same_from_the_same_or_it_is_a_fault(what: str) -> None:
    ours = make_receipt(decided("plate"), Side.VN)
    lie = {"outcome": Outcome.RECOGNISED, "proof": "0" * 64}
    theirs = change(make_receipt(decided("plate"), Side.CN), **{what: lie[what]})
    found = agree(ours, theirs)
    assert (found.result, found.holds) == (Agreed.DIVERGENT, Outcome.DISCREPANT)


def test_other_instants_cannot_be_compared() -> None:
    ours = make_receipt(decided("recognised"), Side.VN)
    theirs = change(ours, side=Side.CN, at="2026-05-13T01:00:01Z")
    assert agree(ours, theirs).result is Agreed.NOT_COMPARABLE
    assert agree(ours, change(ours, fold="2")).result is Agreed.NOT_COMPARABLE


def test_a_chain_breaks_where_a_receipt_is_missing() -> None:
    first = make_receipt(decided("recognised"), Side.VN)
    second = make_receipt(decided("plate"), Side.VN, digest(first))
    third = make_receipt(decided("seal"), Side.VN, digest(second))
    assert broken_link([first, second, third]) is None
    assert broken_link([first, third]) == 1
    assert broken_link([second, third]) == 0
    assert broken_link([first, change(second, side=Side.CN), third]) == 1
    assert broken_link([]) is None


# --- signing -----------------------------------------------------------------------------------


def test_a_receipt_travels_signed(parties) -> None:
    signers, policy = parties
    receipt = make_receipt(decided("recognised"), Side.VN)
    envelope = sign_receipt(receipt, signers)
    assert open_receipt(envelope, policy, NOW, ("vn", "cn")) == receipt
    alone = sign_receipt(receipt, signers[:1])
    assert open_receipt(alone, policy, NOW) == receipt
    with pytest.raises(TrustError) as refused:
        open_receipt(alone, policy, NOW, ("vn", "cn"))
    assert refused.value.findings[0].rule == "both-sides"


def test_rules_need_both_signatures(parties) -> None:
    signers, policy = parties
    rules = rule_set()
    one, two = (sign_rules(rules, [signer]) for signer in signers)
    both = cosign_rules(one, two)
    assert open_rules(both, policy, NOW, ("vn", "cn")).digest == rules.digest
    with pytest.raises(TrustError):
        open_rules(one, policy, NOW, ("vn", "cn"))
    with pytest.raises(TrustError):
        open_rules(sign_rules(rules, signers[:1] * 2), policy, NOW, ("vn", "cn"))


def test_signatures_of_two_rule_sets_do_not_make_one(parties) -> None:
    signers, _ = parties
    other = rule_set(("rel = 0.005", "rel = 0.1"))
    with pytest.raises(TrustError):
        cosign_rules(sign_rules(rule_set(), signers[:1]), sign_rules(other, signers[1:]))
    with pytest.raises(TrustError):
        cosign_rules(b"{}", b"nonsense")


def test_a_changed_rule_set_is_refused(parties) -> None:
    signers, policy = parties
    import base64

    envelope = json.loads(sign_rules(rule_set(), signers))
    payload = base64.b64decode(envelope["payload"]).replace(b"0.005", b"0.500")
    envelope["payload"] = base64.b64encode(payload).decode()
    with pytest.raises(TrustError):
        open_rules(json.dumps(envelope).encode(), policy, NOW, ("vn", "cn"))


def test_other_payloads_are_no_rules_and_no_receipts(parties) -> None:
    signers, policy = parties
    receipt = sign_receipt(make_receipt(decided("plate"), Side.VN), signers)
    with pytest.raises(TrustError) as refused:
        open_rules(receipt, policy, NOW, ("vn", "cn"))
    assert refused.value.findings[0].rule == "payload-type"
    with pytest.raises(TrustError):
        open_receipt(sign_rules(rule_set(), signers), policy, NOW)
    with pytest.raises(MappingError):
        open_rules(sign_statement(PAYLOAD_TYPE, b"[]", signers), policy, NOW, ("vn", "cn"))
    with pytest.raises(TrustError):
        read_receipt(b'{"side": "XX"}')


def test_tied_rules_are_refused_though_both_signed(parties) -> None:
    signers, policy = parties
    rules = rule_set()
    twin = change(rules.rules[0], id="twin")
    with pytest.raises(MappingError) as refused:
        open_rules(sign_rules(change(rules, rules=(*rules.rules, twin)), signers), policy, NOW,
                   ("vn", "cn"))  # fmt: skip
    assert refused.value.findings[0].rule == "ruleset-tie"


# --- what if, replay, words --------------------------------------------------------------------


def test_what_if_shows_what_a_new_rule_would_change() -> None:
    situation = Situation.of(WORLDS["too light"].crossing.evidence())
    wider = rule_set(("abs_kg = 20", "abs_kg = 5000"))
    (effect,) = what_if(situation, rule_set(), BASE.at, other_rules=wider)
    assert effect.changed
    assert effect.better
    assert effect.after.outcome is Outcome.RECOGNISED
    (same,) = what_if(situation, rule_set(), BASE.at, other_rules=rule_set())
    assert not same.changed


def test_what_if_shows_what_more_evidence_would_change() -> None:
    situation = Situation.of(BASE.evidence())
    (effect,) = what_if(situation, rule_set(), BASE.at, more=[BASE.withdrawn()])
    assert (effect.before.outcome, effect.after.outcome) == (Outcome.RECOGNISED, Outcome.REVOKED)
    assert effect.changed
    assert not effect.better


def test_a_replay_tells_the_story() -> None:
    crossing = WORLDS["withdrawn"].crossing
    steps = replayed(Situation.of(crossing.evidence()), rule_set())
    told = [(step.at, str(step.outcome)) for step in steps]
    assert told == [("2026-05-12T01:00:00Z", "RECOGNISED"), ("2026-05-12T02:00:00Z", "REVOKED")]


@pytest.mark.parametrize("lang", ["vi", "zh", "en"])
def test_every_decision_can_be_explained(lang: str) -> None:
    for name in WORLDS:
        decision = decided(name)
        words = explained(decision, lang)
        assert len(words.as_text().splitlines()) > 1, name
        codes = {each.code for each in decision.reasons}
        assert {each.code for each in words.reasons} == codes, name
        assert all(each.text and each.act and each.who for each in words.reasons), name
        assert json.loads(json.dumps(words.as_json()))["outcome"] == decision.outcome, name
        compared = differing(decision)
        assert all(each.claimed and each.observed for each in compared), name


def test_released_goods_raise_an_alert_later() -> None:
    from gateway.model.evidence import Kind

    released = BASE.plus(BASE.passage(Kind.RELEASE, 26))
    (fine,) = decide_all(Situation.of(released.evidence()), rule_set(), BASE.at)
    assert fine.overlays == ("CONSUMED",)
    late = released.plus(BASE.withdrawn(48))
    (found,) = decide_all(Situation.of(late.evidence()), rule_set(), BASE.at)
    assert found.outcome is Outcome.REVOKED
    assert found.overlays == ("CONSUMED", "POST_RELEASE_ALERT")
    from recognition_worlds import amended

    changed = change(amended(2), stated_at=BASE.withdrawn(50).stated_at)
    (alert,) = decide_all(Situation.of(released.plus(changed).evidence()), rule_set(), BASE.at)
    assert alert.overlays == ("CONSUMED", "POST_RELEASE_ALERT")


# --- statements --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change_", "code"),
    [
        (lambda d: d.pop("doc"), "schema-invalid"),
        (lambda d: d["body"].update(results=[]), "schema-invalid"),
        (lambda d: d.update(kind="SUSPEND"), "schema-invalid"),
        (lambda d: d.update(kind="OTHER"), "schema-invalid"),
        (lambda d: d.update(version=0), "schema-invalid"),
        (lambda d: d.update(salt="ab"), "schema-invalid"),
        (lambda d: d.update(receivedAt="now"), "schema-invalid"),
        (lambda d: d.update(kind="REPLACE"), "schema-invalid"),
        (lambda d: d["occurredAt"].pop("offset"), "schema-invalid"),
        (lambda d: d["occurredAt"].update(local="2026-02-31T00:00:00"), "schema-invalid"),
        (lambda d: d["statedAt"].update(local="yesterday"), "schema-invalid"),
        (lambda d: d["statedAt"].update(local="0001-01-01T00:00:00"), "schema-invalid"),
        (lambda d: d["body"]["validity"]["notAfter"].update(local="soon"), "schema-invalid"),
        (lambda d: d["body"]["results"][0]["goods"]["net"].update(value="NaN"), "schema-invalid"),
        (lambda d: d["body"]["results"][0]["goods"]["net"].update(value="1E+99"), "schema-invalid"),
        (lambda d: d.update(version=10**30), "schema-invalid"),
    ],
)
def test_a_statement_that_is_none_is_refused(change_, code: str) -> None:
    stated = json.loads(canonical(BASE.certificate))
    change_(stated)
    with pytest.raises(DocumentError) as refused:
        read_evidence(json.dumps(stated).encode())
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "malformed"), (b"\xff\xfe", "malformed"), (b"[" * 100_000, "schema-invalid"),
     (b" " * (1 << 20) + b"{}", "too-large"), (b"[]", "schema-invalid")],
)  # fmt: skip
def test_octets_that_are_no_statement_are_refused(content: bytes, code: str) -> None:
    with pytest.raises(DocumentError) as refused:
        read_evidence(content)
    assert refused.value.code == code


def leaves(value, path=()):
    if isinstance(value, dict):
        for name, each in value.items():
            yield from leaves(each, (*path, name))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from leaves(each, (*path, number))
    else:
        yield path


STATED = sorted(
    {canonical(e).decode() for world in WORLDS.values() for e in world.crossing.evidence()}
)
HOSTILE = st.sampled_from(
    ("", "NaN", "-Infinity", "1E+999999", "-1", "0", 0, -1, 10**30, "0001-01-01", "9999-12-31",
     "2026-05-12T01:00:00", "１２", "\u0000", "x" * 5000, "{0}", None, True, [], {}, "VN", "CN-VN",
     "PHYTO", "AMEND", "\u202e桂F")
)  # fmt: skip


@settings(max_examples=100)
@given(st.sampled_from(STATED), st.lists(HOSTILE, min_size=1, max_size=3), st.data())
def test_a_hostile_statement_is_refused_or_judged(text: str, values, data) -> None:
    """Whatever stands in a statement: it is refused by name, or every claim has an outcome."""
    stated = json.loads(text)
    for value in values:
        path = data.draw(st.sampled_from(sorted(leaves(stated), key=str)))
        place = stated
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
    try:
        statement = read_evidence(json.dumps(stated).encode())
    except DocumentError:
        return
    situation = Situation.of([*BASE.evidence(), statement])
    for decision in decide_all(situation, rule_set(), BASE.at):
        assert decision.outcome in Outcome


def test_the_digest_is_that_of_the_canonical_form() -> None:
    again = read_evidence(json.dumps(json.loads(canonical(BASE.certificate)), indent=3).encode())
    assert digest(again) == digest(BASE.certificate)
