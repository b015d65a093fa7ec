"""The golden claims, read as another implementation would: from the files alone."""

import hashlib
import json

import msgspec
import pytest
import rfc8785
from recognition_crossing import rule_set
from recognition_golden import CHOSEN, FOLDER
from recognition_worlds import WORLDS

from gateway.merkle import leaf_hash, root
from gateway.model.bodies import ClaimRef
from gateway.model.evidence import read_evidence
from gateway.recognition.fold import decide, proof
from gateway.recognition.outcomes import Outcome
from gateway.recognition.receipt import instant
from gateway.recognition.ruleset import RuleSet
from gateway.recognition.situation import Situation

FILES = sorted(f for f in FOLDER.glob("*.json") if not f.name.startswith("rules-"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_a_golden_claim_is_reproduced(file) -> None:
    stated = json.loads(file.read_text("utf-8"))
    expected = stated["expected"]
    rules = msgspec.json.decode((FOLDER / stated["rules"]).read_bytes(), type=RuleSet)
    claim = msgspec.convert(stated["claim"], ClaimRef)
    evidence = [read_evidence(json.dumps(each).encode()) for each in stated["evidence"]]
    at = instant(stated["at"])
    assert at is not None
    decision = decide(claim, Situation.of(evidence), rules, at)
    assert decision.outcome == expected["outcome"]
    assert [each.code for each in decision.reasons] == expected["reasons"]
    assert (decision.root, proof(decision)) == (expected["root"], expected["proof"])
    assert rules.digest == expected["ruleset"]


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_its_digests_need_nothing_of_the_gateway_but_json_and_sha(file) -> None:
    stated = json.loads(file.read_text("utf-8"))
    decision = stated["expected"]["decision"]
    own = hashlib.sha256(rfc8785.dumps(decision)).hexdigest()
    assert own == stated["expected"]["proof"]
    rules = json.loads((FOLDER / stated["rules"]).read_text("utf-8"))
    assert hashlib.sha256(rfc8785.dumps(rules)).hexdigest() == stated["expected"]["ruleset"]
    digests = {hashlib.sha256(rfc8785.dumps(each)).hexdigest() for each in stated["evidence"]}
    assert set(decision["evidence"]) <= digests
    leaves = [leaf_hash(bytes.fromhex(each)) for each in sorted(decision["evidence"])]
    assert root(leaves).hex() == stated["expected"]["root"]


def test_the_golden_claims_reach_every_outcome() -> None:
    found = {json.loads(file.read_text("utf-8"))["expected"]["outcome"] for file in FILES}
    assert found == set(Outcome)
    assert len(FILES) == len(CHOSEN)


def test_the_files_are_those_of_the_worlds() -> None:
    for file in FILES:
        stated = json.loads(file.read_text("utf-8"))
        world = WORLDS[stated["name"]]
        assert stated["expected"]["outcome"] == world.outcome
        assert stated["expected"]["ruleset"] == rule_set(*world.rules).digest
