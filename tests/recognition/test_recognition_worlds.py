"""Each world gives its outcome for its reason; together they reach everything there is."""

import pytest
from recognition_crossing import rule_set
from recognition_worlds import WORLDS

from gateway import texts
from gateway.recognition.fold import Situation, decide
from gateway.recognition.outcomes import REASONS, Actor, Outcome


def decided(name: str):
    world = WORLDS[name]
    situation = Situation.of(world.crossing.evidence())
    return decide(world.claim, situation, rule_set(*world.rules), world.instant)


@pytest.mark.parametrize("name", WORLDS)
def test_a_world_has_its_outcome_for_its_reason(name: str) -> None:
    world, decision = WORLDS[name], decided(name)
    said = [(r.code, r.subject, r.claimed, r.observed) for r in decision.reasons]
    assert decision.outcome is world.outcome, said
    if world.reason:
        assert world.reason in {r.code for r in decision.reasons}, said
        given = next(r for r in decision.reasons if r.code == world.reason)
        assert given.outcome is world.outcome
    else:
        assert decision.outcome is not Outcome.RECOGNISED or not decision.reasons, said


def test_every_outcome_occurs() -> None:
    assert {world.outcome for world in WORLDS.values()} == set(Outcome)


def test_every_reason_occurs() -> None:
    assert {world.reason for world in WORLDS.values() if world.reason} == set(REASONS)


@pytest.mark.parametrize("code", REASONS)
def test_every_reason_has_words_and_a_remedy(code: str) -> None:
    for lang in texts.LANGUAGES:
        assert texts.reason(code, lang, subject="s", claimed="c", observed="o") != code
        assert "{" not in texts.reason(code, lang, subject="", claimed="", observed="")
        assert texts.remedy(code, lang) != code


def test_tables_of_words_have_no_row_too_many() -> None:
    assert set(texts.REASONS) == set(texts.REMEDIES) == set(REASONS)
    assert {*Outcome, *(f"actor:{actor}" for actor in Actor)} <= set(texts.OUTCOMES)
