"""Golden claims: evidence, rules and instant -> outcome and proof digest, as files.

`python tests/recognition/recognition_golden.py` writes them anew into tests/golden/recognition.
"""

import json
from pathlib import Path
from typing import Any

from recognition_crossing import rule_set
from recognition_worlds import WORLDS

from gateway.model.evidence import Side, canonical, digest
from gateway.recognition.fold import decide, proof
from gateway.recognition.normalise import iso
from gateway.recognition.receipt import make_receipt
from gateway.recognition.ruleset import RuleSet
from gateway.recognition.situation import Situation

FOLDER = Path(__file__).parents[1] / "golden" / "recognition"
CHOSEN = (
    "recognised", "handed over to a guided vehicle", "seal replaced by customs",
    "edition of the tariff",
    "with conditions", "adjudicated", "withdrawn", "replaced, the new one withdrawn",
    "two contents",
    "contradicted", "packer suspended before departure", "packer suspended while it drives",
    "rule ended", "dry run", "validity passed", "plate", "too heavy", "counterpart too late",
    "no report", "counterpart silent", "drawn", "not drawn", "second of two trucks",
    "counter-checked",
)  # fmt: skip


def text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def golden(name: str) -> tuple[dict[str, Any], RuleSet]:
    """Return the file of a world, and the rules it names."""
    world = WORLDS[name]
    rules = rule_set(*world.rules)
    evidence = sorted(world.crossing.evidence(), key=digest)
    decision = decide(world.claim, Situation.of(evidence), rules, world.instant)
    return {
        "name": name,
        "at": iso(world.instant),
        "claim": json.loads(canonical(world.claim)),
        "rules": f"rules-{rules.digest[:12]}.json",
        "evidence": [json.loads(canonical(each)) for each in evidence],
        "expected": {
            "outcome": decision.outcome,
            "reasons": [each.code for each in decision.reasons],
            "root": decision.root,
            "ruleset": rules.digest,
            "decision": json.loads(canonical(decision)),
            "proof": proof(decision),
            "receipt": digest(make_receipt(decision, Side.VN)),
        },
    }, rules


def main() -> None:
    """Write all files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.json"):
        old.unlink()
    for name in CHOSEN:
        content, rules = golden(name)
        slug = "-".join("".join(c if c.isalnum() else " " for c in name).split())
        (FOLDER / f"{slug}.json").write_text(text(content), encoding="utf-8")
        (FOLDER / content["rules"]).write_text(text(json.loads(canonical(rules))), encoding="utf-8")


if __name__ == "__main__":
    main()
