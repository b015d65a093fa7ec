"""Settings files are changed line by line: comments stay, and what is written is what is read."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.settings.edit import NotFoundError, appended, changed, without

FILE = """\
# the head
[keys.message]      # signs
key = "a"           # where
certificate = "b"

[[counterpart.cn.pinned]]
usage = "message"

[[ counterpart.cn.pinned ]]
usage = "receipt"
not_after = 2027-01-01T00:00:00Z

[counterpart.cn.profile]
senderId = "x"
"""
PLAIN = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=8)
VALUES = st.one_of(
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=20),
    st.datetimes().map(lambda at: at.replace(tzinfo=UTC)),
    st.lists(st.text(st.characters(codec="ascii", exclude_categories=("Cc",))), max_size=3),
)


@settings(max_examples=80)
@given(st.dictionaries(PLAIN, VALUES, max_size=4))
def test_what_is_appended_is_read_so(values: dict[str, object]) -> None:
    text = appended(FILE, "new.table", values)  # type: ignore[arg-type]
    assert text.startswith(FILE.rstrip("\n"))
    read = tomllib.loads(text)["new"]["table"]
    assert read == values


@settings(max_examples=80)
@given(VALUES)
def test_a_change_changes_one_value_of_one_table(value: object) -> None:
    before = tomllib.loads(FILE)
    text = changed(FILE, "keys.message", {"key": value})  # type: ignore[dict-item]
    before["keys"]["message"]["key"] = value
    assert tomllib.loads(text) == before
    assert "# the head" in text
    assert "# signs" in text


def test_one_of_an_array_of_tables_is_changed_or_taken_away() -> None:
    until = datetime(2028, 1, 1, tzinfo=UTC)
    text = changed(FILE, "counterpart.cn.pinned", {"not_after": until}, nth=1)
    assert [pin.get("not_after") for pin in pinned(text)] == [None, until]
    text = changed(text, "counterpart.cn.pinned", {"not_after": None}, nth=1)
    assert [pin.get("not_after") for pin in pinned(text)] == [None, None]
    text = without(text, "counterpart.cn.pinned", nth=0)
    assert [pin["usage"] for pin in pinned(text)] == ["receipt"]
    text = appended(text, "counterpart.cn.pinned", {"usage": "pack"}, many=True)
    assert [pin["usage"] for pin in pinned(text)] == ["receipt", "pack"]
    assert tomllib.loads(text)["counterpart"]["cn"]["profile"] == {"senderId": "x"}


def pinned(text: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = tomllib.loads(text)["counterpart"]["cn"]["pinned"]
    return found


def test_paths_with_quotes_and_backslashes_are_written_whole() -> None:
    path = Path('/a "b"/c\\d')
    assert tomllib.loads(appended("", "x", {"file": path}))["x"]["file"] == str(path)


@pytest.mark.parametrize(
    ("header", "nth"),
    [("keys.receipt", 0), ("counterpart.cn.pinned", 2), ("keys", 0), ("# keys.message", 0)],
)
def test_a_table_that_is_not_there_is_not_made_up(header: str, nth: int) -> None:
    with pytest.raises(NotFoundError):
        changed(FILE, header, {"key": "x"}, nth=nth)
    with pytest.raises(NotFoundError):
        without(FILE, header, nth=nth)
