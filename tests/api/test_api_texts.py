"""Every code has words in three languages, and the loader never fails on what it lacks."""

import ast
import string
import unicodedata
from pathlib import Path
from typing import TypeGuard

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import texts
from gateway.codec import problems
from gateway.errors import CODES, Finding
from gateway.model.states import MessageState
from gateway.signing import diagnose

TABLES = {
    "titles": texts.TITLES,
    "codes": texts.CODES,
    "rules": texts.RULES,
    "changes": texts.CHANGES,
    "states": texts.STATES,
    "events": texts.EVENTS,
    "outcomes": texts.OUTCOMES,
    "reasons": texts.REASONS,
    "remedies": texts.REMEDIES,
}


@pytest.mark.parametrize("table", ["titles", "codes"])
def test_every_error_code_has_words(table: str) -> None:
    assert set(TABLES[table]) == set(CODES)


def test_every_message_state_has_words() -> None:
    assert {str(state) for state in MessageState} <= set(texts.STATES)


@pytest.mark.parametrize("name", TABLES)
def test_each_row_has_three_distinct_texts_in_normal_form(name: str) -> None:
    for key, row in TABLES[name].items():
        assert set(row) == set(texts.LANGUAGES), key
        assert all(row.values()), key
        assert len(set(row.values())) == 3, key
        for words in row.values():
            assert unicodedata.is_normalized("NFC", words), key
            list(string.Formatter().parse(words))


@pytest.mark.parametrize("name", TABLES)
def test_each_text_is_written_in_its_script(name: str) -> None:
    """Vietnamese has its diacritics, Chinese its characters, English neither."""
    for key, row in TABLES[name].items():
        assert any(ord(c) > 0xC0 for c in row["vi"]), key
        assert not any("\u4e00" <= c <= "\u9fff" for c in row["vi"] + row["en"]), key
        assert any("\u4e00" <= c <= "\u9fff" for c in row["zh"]), key
        assert row["en"].isascii(), key


def test_codes_and_rules_do_not_share_a_key() -> None:
    assert not set(texts.CODES) & set(texts.RULES)


def test_a_rule_is_explained_with_its_values() -> None:
    finding = Finding("too-large", "size", "body", found="11", expected="at most 10")
    assert texts.explain(finding, "en") == (
        "The size is over the limit; reading stopped there. (found: 11; expected: at most 10)"
    )
    assert "tìm thấy: 11; cần có: at most 10" in texts.explain(finding, "vi")
    assert "实际: 11; 应为: at most 10" in texts.explain(finding, "zh")


def test_a_rule_without_words_is_explained_by_its_code() -> None:
    finding = Finding("code-unknown", "some rule of tomorrow")
    assert texts.explain(finding, "zh") == texts.sentence("code-unknown", "zh")


def test_unknown_event_and_state_fall_back_to_their_code() -> None:
    assert texts.event("of-tomorrow", "vi", a=1) == "of-tomorrow"
    assert texts.state("of-tomorrow", "vi") == "of-tomorrow"


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        (None, "en"),
        ("", "en"),
        ("vi", "vi"),
        ("zh-Hans-CN", "zh"),
        ("ZH-cn,en;q=0.9", "zh"),
        ("en;q=0.2, vi;q=0.9, zh;q=0.5", "vi"),
        ("fr, vi;q=0.1", "vi"),
        ("fr", "en"),
        ("vi;q=0", "en"),
        ("vi;q=abc, zh;q=0.1", "zh"),
        ("vi;q=nan, zh;q=inf", "en"),
        ("*, vi;q=0.5", "vi"),
        (",,;;==", "en"),
    ],
)
def test_choose_reads_accept_language(header: str | None, chosen: str) -> None:
    assert texts.choose(header) == chosen


@given(st.text(max_size=200))
def test_choose_never_fails(header: str) -> None:
    assert texts.choose(header, "vi") in texts.LANGUAGES


def literal_rules() -> set[str]:
    """Collect the rule names that the code writes down in `Finding(code, "rule", ...)`."""
    found: set[str] = set()
    for file in Path(texts.__file__).parents[1].rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or len(node.args) < 2:
                continue
            name = getattr(node.func, "id", "")
            rule = node.args[1]
            if name in ("Finding", "ConversionError") and isinstance(rule, ast.Constant):
                found.add(str(rule.value))
    return found


def test_every_rule_that_the_code_names_has_words() -> None:
    """A new rule needs a row in gateway/texts/rules.csv: vi, zh, en, and what to do."""
    assert len(literal_rules()) > 100
    assert literal_rules() - set(texts.RULES) == set()


def test_every_rule_that_tables_and_diagnoses_name_has_words() -> None:
    named = {rule for _, rule in problems._CODES.values()} | set(diagnose.CAUSES)
    assert named - set(texts.RULES) == set()


def test_an_event_says_why() -> None:
    assert texts.event("waiting", "vi", reason="goods-missing") == "Đang chờ chứng từ về hàng hóa"
    assert texts.event("waiting", "vi", reason="of-tomorrow") == texts.event("waiting", "vi")
    retry = texts.event("retry", "en", code="unreachable", attempt="2")
    assert retry == "Not delivered yet; it will be tried again: The counterpart cannot be reached"


DETAILS = {"detail", "seen", "said"}
"""Names that flows give the detail of an event."""


def name_of(node: ast.AST) -> str:
    return getattr(node, "id", "")


def is_event(node: ast.AST) -> TypeGuard[ast.Tuple]:
    """True for what `gateway.flows.record.step` takes as an event: (code, detail)."""
    if not isinstance(node, ast.Tuple) or len(node.elts) != 2:
        return False
    return isinstance(node.elts[1], ast.Dict) or name_of(node.elts[1]) in DETAILS


def words_of(node: ast.AST) -> set[str]:
    constants = (c.value for c in ast.walk(node) if isinstance(c, ast.Constant))
    return {value for value in constants if isinstance(value, str)}


def test_every_event_that_the_flows_write_has_words() -> None:
    written: set[str] = set()
    for file in (Path(texts.__file__).parents[1] / "flows").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Event":
                written |= words_of(node.args[1])
            elif is_event(node):
                written |= words_of(node.elts[0])
    assert len(written) > 10
    assert written - set(texts.EVENTS) == set()
