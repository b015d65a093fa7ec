"""Wordings of additional declarations: a template with slots, or no match at all."""

import re
from functools import lru_cache

from gateway.model.values import Text
from gateway.recognition.normalise import text
from gateway.recognition.ruleset import Template

_MARKS = re.compile(r"[\s.,;:，。；：、“”\"'()（）]+")


def matches(template: Template, stated: Text) -> bool:
    """Return True when a text is the template's wording, with something in each slot.

    Case, width, blanks and punctuation do not count; the language must not contradict.
    """
    if stated.lang not in ("und", template.lang):
        return False
    return bool(_pattern(template.text).fullmatch(wording(stated.value)))


@lru_cache(1024)
def _pattern(wanted: str) -> re.Pattern[str]:
    slots = re.split(r"\{[a-z_]+\}", wanted)
    return re.compile(r".{1,200}?".join(re.escape(wording(part)) for part in slots))


@lru_cache(4096)
def wording(raw: str) -> str:
    """Return words without punctuation and blanks."""
    return _MARKS.sub("", text(raw))
