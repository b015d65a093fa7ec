"""Rule sets as files: what ships is proven, what is wrong is refused with all of it named."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as change
from recognition_crossing import (
    EDITIONS,
    ORGANISMS,
    RULES,
    SET,
    START,
    Crossing,
    hours,
    kg,
    rule_set,
)
from recognition_worlds import BASE

from gateway.errors import MappingError
from gateway.model.inspection import GoodsRef
from gateway.model.values import Measure, Moment, Plate, Precision, Text
from gateway.recognition import normalise, units
from gateway.recognition.declarations import matches
from gateway.recognition.fold import decide
from gateway.recognition.load import because, load, stated_paths
from gateway.recognition.outcomes import Outcome
from gateway.recognition.ruleset import Confidence, Rollout, Template, duration
from gateway.recognition.situation import Situation
from gateway.resources import folder

SHIPPED = folder("mappings") / "recognition"


def shipped(name: str):
    return load({f.name: f.read_bytes() for f in (SHIPPED / name).iterdir()})


def refused(*changes: tuple[str, str], more: str = "") -> set[str]:
    with pytest.raises(MappingError) as failure:
        rule_set(*changes, more=more)
    return {finding.rule for finding in failure.value.findings}


# --- what ships --------------------------------------------------------------------------------


def test_every_value_of_the_corridor_has_a_source() -> None:
    rules = shipped("corridor")
    assert len(rules.rules) >= 20
    for rule in rules.rules:
        for path in stated_paths(rule):
            found = because(rule, path)
            assert found is not None, (rule.id, path)
            assert found.source, (rule.id, path)


def test_no_rule_of_the_corridor_is_live_while_a_value_is_of_low_confidence() -> None:
    for rule in shipped("corridor").rules:
        low = [p for p in stated_paths(rule) if because(rule, p).confidence is Confidence.LOW]
        assert low, rule.id
        assert rule.rollout is Rollout.DRY_RUN


@pytest.mark.parametrize(
    "goods",
    ["durian-fresh", "durian-frozen", "dragon-fruit", "banana", "chili", "coconut-fresh",
     "watermelon", "passion-fruit", "apples", "mangosteen", "sweet-potato", "bird-nest"],
)  # fmt: skip
def test_the_corridor_has_a_rule_for(goods: str) -> None:
    assert [rule for rule in shipped("corridor").rules if rule.id.endswith(goods)]


def test_the_protocol_on_durian_has_ended() -> None:
    crossing = Crossing()
    durian = GoodsRef(hs="08106000", eppo="DURZI", state="FRESH", origin="VN", net=kg(18000))
    body = change(crossing.body, results=(change(crossing.body.results[0], goods=durian),))
    crossing = Crossing(body=body)
    situation = Situation.of(crossing.evidence())
    found = decide(crossing.claim, situation, shipped("corridor"), crossing.at)
    assert found.outcome is Outcome.NOT_COVERED
    assert "RULE_ENDED" in {each.code for each in found.reasons}


def test_the_rules_of_the_demo_are_live_and_agreed() -> None:
    rules = shipped("demo")
    assert {rule.rollout for rule in rules.rules} == {Rollout.LIVE}
    for rule in rules.rules:
        for path in stated_paths(rule):
            assert because(rule, path).confidence in (Confidence.AGREED, Confidence.CONFIRMED)


# --- what is refused ---------------------------------------------------------------------------


def test_a_live_rule_with_a_value_of_low_confidence_is_refused() -> None:
    low = ('tolerance = { source = "agreed for tests", confidence = "agreed" }',
           'tolerance = { source = "a guess", confidence = "low" }')  # fmt: skip
    assert refused(low) == {"ruleset-low"}
    dry = rule_set(low, ('"LIVE"', '"DRY_RUN"'))
    assert dry.rules[0].rollout is Rollout.DRY_RUN


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (
            'tolerance = { source = "agreed for tests", confidence = "agreed" }',
            "",
            "ruleset-source",
        ),
        ("end = 2026-12-31", "end = 2025-12-31", "ruleset-dates"),
        ('hs = ["081090"]', 'hs = ["0810.90"]', "ruleset-hs"),
        ('hs = ["081090"]', "hs = []", "ruleset-hs"),
        ('max_age = "P14D"', 'max_age = "14 days"', "ruleset-duration"),
        ('clock = "PT15M"', 'clock = "P"', "ruleset-duration"),
        ('templates = ["AD/FRUIT"]', 'templates = ["AD/OTHER"]', "ruleset-template"),
        ("rel = 0.005", "rel = -0.005", "ruleset-number"),
        ("rel = 0.005", "rel = nan", "ruleset-number"),
        ("rel = 0.005", 'rel = "much"', "ruleset-file"),
        ('mode = "ACCEPT_ON_CLAIM"', 'mode = "TRUST"', "ruleset-file"),
        ("sample_min = 0.02", "sample_most = 0.02", "ruleset-file"),
        ("[[rule]]", "[[rule]", "ruleset-file"),
        ("[rule.tolerance]", "[[rules]]", "ruleset-file"),
    ],
)
def test_a_wrong_rule_is_refused_by_name(old: str, new: str, rule: str) -> None:
    assert rule in refused((old, new))


def test_the_same_id_twice_is_refused() -> None:
    text = RULES.partition("[[rule]]")
    assert {"ruleset-double", "ruleset-tie"} <= refused(more="[[rule]]" + text[2])


@pytest.mark.parametrize(
    "frequency",
    ["frequency = 1.5", "frequency = 0.5, reduced = 0.6", "frequency = 0.5, tightened = 0.4"],
)
def test_a_frequency_out_of_its_range_is_refused(frequency: str) -> None:
    when = 'suspension = "DEPARTURE"'
    assert "ruleset-number" in refused((when, f"reinspection = {{ {frequency} }}\n{when}"))


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"set.toml": b"\xff"},
        {"set.toml": b'id = "x"'},
        {"set.toml": SET.encode(), "organisms.csv": b"name,code\na,b\n"},
        {"set.toml": SET.encode(), "a.toml": b"a = [" + b"[" * 5000},
    ],
)
def test_files_that_are_no_rule_set_are_refused(files) -> None:
    with pytest.raises(MappingError):
        load(files)


def test_the_digest_is_of_the_content() -> None:
    files = {
        "set.toml": SET,
        "z.toml": RULES,
        "organisms.csv": ORGANISMS,
        "hs-editions.csv": EDITIONS,
    }
    other = load({name: f"{text}\n".encode() for name, text in files.items()})
    assert other.digest == rule_set().digest
    assert rule_set(("rel = 0.005", "rel = 0.006")).digest != rule_set().digest


def test_a_requirement_may_begin_later() -> None:
    later = ('id = "cadmium"', 'id = "cadmium"\nstart = 2026-06-01')
    without = BASE.minus("lab")
    situation = Situation.of(without.evidence())
    asked = decide(BASE.claim, situation, rule_set(), BASE.at)
    not_yet = decide(BASE.claim, situation, rule_set(later), BASE.at)
    assert (asked.outcome, not_yet.outcome) == (Outcome.PENDING_EVIDENCE, Outcome.RECOGNISED)


def test_a_dry_run_says_what_it_would_say_and_a_live_rule_wins() -> None:
    exact = (("rel = 0.005", "rel = 0"), ("abs_kg = 20", "abs_kg = 0"), ("r = 0.0003", "r = 0"))
    dry = rule_set(('"LIVE"', '"DRY_RUN"'), *exact)
    situation = Situation.of(BASE.evidence())
    found = decide(BASE.claim, situation, dry, BASE.at)
    assert (found.outcome, found.would) == (Outcome.NOT_COVERED, Outcome.DISCREPANT)
    assert found.overlays == ("DRY_RUN",)
    pair = (*rule_set().rules, change(dry.rules[0], id="dry"))
    both = change(rule_set(), rules=pair)
    assert decide(BASE.claim, situation, both, BASE.at).outcome is Outcome.RECOGNISED


def test_a_suspension_of_some_goods_counts_in_every_edition_of_the_tariff() -> None:
    from recognition_crossing import GACC, registered

    from gateway.model.bodies import Registry
    from gateway.model.evidence import Kind

    made = registered(Registry.PHC, "VN-PHC-007", GACC, days=0, kind=Kind.SUSPEND)
    for scope, outcome in (("081091", Outcome.SUSPENDED), ("0810", Outcome.SUSPENDED),
                           ("080540", Outcome.RECOGNISED)):  # fmt: skip
        scoped = change(made, body=change(made.body, scope=(scope,)))
        situation = Situation.of([*BASE.evidence(), scoped])
        assert decide(BASE.claim, situation, rule_set(), BASE.at).outcome is outcome


# --- normal forms ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("12C-123.45", "12C12345"),
        ("VN:12C12345", "12C12345"),
        ("VN-12C-12345", "12C12345"),
        ("桂F·12345", "桂F12345"),
        ("CN:桂F12345", "桂F12345"),
        ("ＣＮ：桂Ｆ・１２３ ４５", "桂F12345"),
        ("桂F•1234挂", "桂F1234"),
        ("14h 001.22", "14H00122"),
    ],
)
def test_plates(written: str, form: str) -> None:
    assert normalise.plate(Plate(raw=written, normalised="")) == form


def test_a_camera_knows_no_han() -> None:
    assert normalise.camera("桂F12345") == "F12345"


@pytest.mark.parametrize(
    ("written", "form"),
    [("Seal No. 000123", "000123"), ("封志号：A-01", "A01"), ("số chì: 77", "77"),
     ("ESEAL 9", "9"), ("CHILE0001", "CHILE0001"), ("000123", "000123")],
)  # fmt: skip
def test_seals_keep_their_zeros(written: str, form: str) -> None:
    assert normalise.seal(written) == form


def test_company_names_are_only_a_hint() -> None:
    left = normalise.weak_name("CÔNG TY TNHH XUẤT NHẬP KHẨU ĐẠI PHÁT")
    assert left == normalise.weak_name("Dai Phat Import Export Co., Ltd.") == "DAI PHAT"


@pytest.mark.parametrize(
    ("value", "unit", "kilograms"),
    [("1", "TNE", "1000"), ("180", "tạ", "18000"), ("1800", "yến", "18000"), ("2", "斤", "1.0"),
     ("7", "035", "7"), ("7000", "036", "7"), ("7", "070", "7000"), ("1", "LBR", "0.45359237"),
     ("1", "DTN", "100")],
)  # fmt: skip
def test_masses_are_exact(value: str, unit: str, kilograms: str) -> None:
    assert units.kilograms(kg(value, unit)) == Decimal(kilograms)


def test_temperatures() -> None:
    assert units.celsius(kg("33", "FAH")) == Decimal("0.5556")
    assert units.celsius(kg("255.15", "KEL")) == Decimal("-18")
    assert units.celsius(kg("1", "KGM")) is None
    assert units.kilograms(Measure(value=Decimal("NaN"), unit="KGM")) is None


def test_a_day_is_the_issuers_whole_day() -> None:
    day = Moment(precision=Precision.DAY, local="2026-05-12")
    vn, cn, any_ = (normalise.span(day, country) for country in ("VN", "CN", ""))
    assert vn[0] - cn[0] == hours(1)
    assert any_ == (cn[0], vn[1])
    assert vn[1] - vn[0] == hours(24)
    assert vn[0] <= START <= vn[1]


def test_declarations_match_by_template_with_something_in_each_slot() -> None:
    template = Template(id="T", lang="en", text="Complies with the {protocol}, no pests.")
    good = Text(value="complies  with the Protocol on X ,no pests", lang="en")
    assert matches(template, good)
    assert matches(template, change(good, lang="und"))
    assert not matches(template, change(good, lang="vi"))
    assert not matches(template, change(good, value="complies with the , no pests"))
    assert not matches(template, change(good, value="complies with the X, no pests but some"))
    assert not matches(template, Text(value="", lang="en"))


@pytest.mark.parametrize("wrong", ["", "P", "PT", "14D", "P-1D", "P1.5D", "P1Y", "P1D "])
def test_durations_are_plain(wrong: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        duration(wrong)
    assert duration("P1DT12H30M") == hours(36.5)


@given(st.text(max_size=40))
def test_forms_never_fail_and_are_stable(raw: str) -> None:
    for form in (normalise.text, normalise.bare, normalise.seal, normalise.plate_text):
        once = form(raw)
        assert form(once) == once or form is normalise.seal
    normalise.weak_name(raw)
    normalise.bad_check_digit(raw)


def test_shipped_files_are_text() -> None:
    assert all(isinstance(f, Path) and f.read_text("utf-8") for f in SHIPPED.rglob("*.*"))
